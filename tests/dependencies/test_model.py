"""The model: the same edges however the alerts arrive, and no confident edge where there is none."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError

START = pd.Timestamp("2026-03-01", tz="UTC")
rows = st.lists(st.tuples(st.integers(0, 5 * 24 * 60), st.sampled_from("abcde")), min_size=1, max_size=80)


def alerts(table: list[tuple[float, str]]) -> pd.DataFrame:
    """Minutes since the start and services."""
    at = START + pd.to_timedelta([minute for minute, _ in table], unit="min")
    return pd.DataFrame({"starts_at": at, "service": pd.Series([name for _, name in table], dtype="str")})


def chained(times: int = 20) -> pd.DataFrame:
    """An outage every 37 hours: db, then orders, then web; search fires on its own."""
    outages = [(37 * 60 * k + lag, name) for k in range(times) for lag, name in ((0, "db"), (1.5, "orders"))]
    outages += [(37 * 60 * k + 3, "web") for k in range(0, times, 2)]
    return alerts([*outages, *((37 * 60 * k + 900, "search") for k in range(times))])


def test_what_fires_together_is_linked_and_what_does_not_is_not() -> None:
    edges = sl.DependencyModel().fit(chained()).edges_
    top = edges.iloc[0]
    assert {top["src"], top["dst"]} == {"orders", "db"}
    assert top["link_confidence"] > 0.5
    assert "search" not in {*edges["src"], *edges["dst"]}


def test_edges_are_the_table_of_the_schema_in_order() -> None:
    edges = sl.DependencyModel().fit(chained()).edges_
    assert list(edges.columns) == schema.EDGES.names
    assert_frame_equal(edges, schema.check(edges, schema.EDGES))
    ordered = edges.sort_values(["confidence", "src", "dst"], ascending=[False, True, True], ignore_index=True)
    assert_frame_equal(edges, ordered)


def test_the_two_directions_share_the_link_and_mirror_the_lag() -> None:
    edges = sl.DependencyModel().fit(chained()).edges_.set_index(["src", "dst"])
    there, back = edges.loc[("orders", "db")], edges.loc[("db", "orders")]
    assert there["confidence"] + back["confidence"] == pytest.approx(there["link_confidence"])
    assert there["lag_s"] == -back["lag_s"] == pytest.approx(90, abs=60)
    assert (there["support"], there["provenance"]) == (20, ["inferred"])


def test_graph_has_every_node_and_the_edges_with_their_evidence() -> None:
    model = sl.DependencyModel().fit(chained())
    assert set(model.graph_) == {"db", "orders", "web", "search"}
    assert model.graph_.number_of_edges() == len(model.edges_)
    assert model.graph_.edges["orders", "db"]["support"] == 20


@given(rows, st.randoms())
@settings(max_examples=20)
def test_row_order_does_not_matter(table: list[tuple[int, str]], random: np.random.Generator) -> None:
    shuffled = list(table)
    random.shuffle(shuffled)
    assert_frame_equal(
        sl.DependencyModel().fit(alerts(shuffled)).edges_, sl.DependencyModel().fit(alerts(table)).edges_
    )


@given(rows, st.integers(-400, 400))
@settings(max_examples=20)
def test_whole_days_earlier_or_later_do_not_matter(table: list[tuple[int, str]], days: int) -> None:
    moved = alerts([(minute + days * 24 * 60, name) for minute, name in table])
    assert_frame_equal(sl.DependencyModel().fit(moved).edges_, sl.DependencyModel().fit(alerts(table)).edges_)


@given(rows, st.lists(st.integers(0, 5 * 24 * 60), max_size=4))
@settings(max_examples=30)
def test_piece_by_piece_equals_one_fit(table: list[tuple[int, str]], cuts: list[int]) -> None:
    whole, model = sl.DependencyModel().fit(alerts(table)), sl.DependencyModel()
    borders = [-1, *sorted(cuts), 10**6]
    for low, high in itertools.pairwise(borders):
        part = [row for row in table if low < row[0] <= high]
        if part:
            model.partial_fit(alerts(part))
    assert model.statistics_.equals(whole.statistics_)
    assert_frame_equal(model.edges_, whole.edges_)


def test_the_same_day_again_changes_nothing() -> None:
    table = chained(4)
    last_day = table[table["starts_at"] >= START + pd.Timedelta("4D")]
    model = sl.DependencyModel().fit(table)
    assert_frame_equal(model.partial_fit(last_day).edges_, sl.DependencyModel().fit(table).edges_)


def test_alerts_of_closed_slices_are_refused() -> None:
    with pytest.raises(ParameterError, match="1 of 1 alerts are from before"):
        sl.DependencyModel().fit(chained()).partial_fit(alerts([(0, "db")]))


def test_changed_counting_is_refused() -> None:
    model = sl.DependencyModel().fit(chained())
    with pytest.raises(ParameterError, match="changed since the first fit"):
        model.set_params(window="5min").partial_fit(alerts([(10**5, "db")]))


def test_saved_and_made_again_it_goes_on() -> None:
    table = chained()
    old = table["starts_at"] < START + pd.Timedelta("20D")
    model = sl.DependencyModel(min_support=2).fit(table[old])
    again = sl.DependencyModel.from_statistics(
        model.to_frames(), settings=model.statistics_.settings(), **model.get_params()
    )
    assert_frame_equal(again.edges_, model.edges_)
    assert_frame_equal(again.partial_fit(table[~old]).edges_, sl.DependencyModel(min_support=2).fit(table).edges_)


def test_without_recent_firings_it_refuses_to_go_on() -> None:
    model = sl.DependencyModel().fit(chained())
    frames, settings_ = model.statistics_.to_frames(), model.statistics_.settings()
    with pytest.raises(ParameterError, match="without the recent firings"):
        sl.DependencyModel.from_statistics(frames, settings=settings_).partial_fit(alerts([(10**5, "db")]))


def test_statistics_as_of_a_day_equal_a_fit_on_what_was_known() -> None:
    table, day = chained(), START + pd.Timedelta("10D")
    statistics = sl.DependencyModel().fit(table).statistics_.before(int(day.value // 1000))
    then = sl.DependencyModel.from_statistics(statistics.to_frames(), settings=statistics.settings())
    assert_frame_equal(then.edges_, sl.DependencyModel().fit(table[table["starts_at"] < day]).edges_)


def test_parallel_gives_the_same() -> None:
    assert_frame_equal(sl.DependencyModel(n_jobs=2).fit(chained()).edges_, sl.DependencyModel().fit(chained()).edges_)


def test_the_argument_stays_as_it_was() -> None:
    table = chained()
    before = table.copy(deep=True)
    sl.DependencyModel().fit(table).edges_["provenance"].iloc[0].append("changed")
    assert_frame_equal(table, before)


def test_two_columns_of_your_own_are_enough() -> None:
    frame = pd.DataFrame({"starts_at": ["2026-03-01T10:00Z", "2026-03-01T10:01Z"], "host": ["a", "b"]})
    assert sl.DependencyModel(node="host", min_confidence=0).fit(frame).edges_["support"].tolist() == [1, 1]


def test_a_column_of_lists_gives_a_firing_for_each() -> None:
    frame = pd.DataFrame({"starts_at": ["2026-03-01T10:00Z"], "resources": [["host-1", "host-2"]]})
    assert sl.DependencyModel(node="resources", min_confidence=0).fit(frame).edges_["support"].tolist() == [1, 1]


def test_it_clones_like_any_estimator() -> None:
    model = sl.DependencyModel(window="5min", n_jobs=2)
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("table", [[], [(1, "a")], [(60 * k, "a") for k in range(50)], [(1, "a"), (1000, "b")]])
def test_nothing_together_gives_no_edge(table: list[tuple[float, str]]) -> None:
    assert sl.DependencyModel().fit(alerts(table)).edges_.empty


def test_all_in_one_second_is_no_evidence() -> None:
    edges = sl.DependencyModel().fit(alerts([(1, f"s{k}") for k in range(50)])).edges_
    assert edges["link_confidence"].max() < 0.25


def test_a_cause_that_hits_all_alike_stays_at_even_odds() -> None:
    table = [(37 * 60 * k, f"s{n}") for k in range(20) for n in range(6)]
    assert sl.DependencyModel().fit(alerts(table)).edges_["link_confidence"].max() <= 0.5 + 1e-9


def test_one_service_with_nearly_all_alerts_is_linked_to_none() -> None:
    rng = np.random.default_rng(0)
    month = 30 * 24 * 60
    table = [(t, "loud") for t in rng.uniform(0, month, 4000)]
    table += [(t, f"s{k % 20}") for k, t in enumerate(rng.uniform(0, month, 400))]
    assert sl.DependencyModel().fit(alerts(table)).edges_["link_confidence"].max() < 0.5


@pytest.mark.parametrize("seed", range(10))
def test_pure_noise_with_a_daily_rhythm_gives_no_confident_edge(seed: int) -> None:
    rng = np.random.default_rng(seed)
    by_day = np.repeat([1.0, 3.0, 1.5], [8, 10, 6])
    table = []
    for k in range(50):
        count = rng.poisson(rng.gamma(1.0, 2.0) * 60)
        hours = rng.choice(24, size=count, p=by_day / by_day.sum())
        minutes = rng.integers(0, 60, count) * 24 * 60 + hours * 60 + rng.uniform(0, 60, count)
        table += [(minute, f"s{k:02d}") for minute in minutes]
    evidence = sl.DependencyModel().fit(alerts(table)).evidence_
    assert (evidence["link_confidence"] >= 0.5).sum() <= 1  # of 1,225 pairs


def test_unusable_alerts_are_counted() -> None:
    frame = alerts([(1, "a"), (2, "b"), (3, "c")])
    frame.loc[0, "starts_at"] = pd.NaT
    frame["service"] = frame["service"].astype("str").where(frame["service"] != "c")
    assert sl.DependencyModel().fit(frame).skipped_ == {"without a time": 1, "without a node": 1}


def test_alerts_of_which_none_can_be_used_are_refused() -> None:
    with pytest.raises(SchemaError, match=r"none of 2 has both .* 2 the service\); run sl.resolve_entities"):
        sl.DependencyModel().fit(alerts([(1, "a"), (2, "b")]).assign(service=None))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SchemaError, match="column 'host' is missing"):
        sl.DependencyModel(node="host").fit(chained())


@pytest.mark.parametrize("wrong", [{"min_support": 0}, {"max_q": 2}, {"min_confidence": -1}, {"window": "soon"}])
def test_parameters_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        sl.DependencyModel(**wrong).fit(chained())


def test_explaining_an_unknown_name_suggests_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'orders'"):
        sl.DependencyModel().fit(chained()).explain("order", "db")
