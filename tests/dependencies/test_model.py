"""The model: the same edges however the alerts arrive, and what is known beforehand is heeded."""

from __future__ import annotations

import io
import itertools
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError

START = pd.Timestamp("2026-03-01", tz="UTC")
rows = st.lists(st.tuples(st.integers(0, 5 * 24 * 60), st.sampled_from("abcde")), min_size=1, max_size=60)


def alerts(table: list[tuple[float, str]]) -> pd.DataFrame:
    """Minutes since the start and services."""
    at = START + pd.to_timedelta([minute for minute, _ in table], unit="min")
    return pd.DataFrame({"starts_at": at, "service": pd.Series([name for _, name in table], dtype="str")})


def chained(times: int = 20) -> pd.DataFrame:
    """An outage every 37 hours: heron, then kestrel, then marten; otter fires on its own."""
    outages = [(37 * 60 * k + lag, name) for k in range(times) for lag, name in ((0, "heron"), (1.5, "kestrel"))]
    outages += [(37 * 60 * k + 3, "marten") for k in range(0, times, 2)]
    return alerts([*outages, *((37 * 60 * k + 900, "otter") for k in range(times))])


def told(times: int = 12) -> pd.DataFrame:
    """The same with ids, texts, teams and hosts."""
    table = chained(times).sort_values("starts_at", ignore_index=True)
    called = {"kestrel": "heron", "marten": "kestrel", "otter": "nobody", "heron": "disk"}
    return table.assign(
        alert_id=[f"id-{k}" for k in table.index],
        summary="connection refused to " + table["service"].map(called),
        team=table["service"].map({"heron": "red", "kestrel": "red"}).fillna("blue"),
        resources=[[f"{name}-host-1", f"{name}-host-2"] for name in table["service"]],
    )


def fit(table: pd.DataFrame, **parameters: object) -> sl.DependencyModel:
    return sl.DependencyModel(**parameters).fit(table)


def assert_same(one: sl.DependencyModel, other: sl.DependencyModel) -> None:
    assert one.statistics_.equals(other.statistics_)
    assert_frame_equal(one.evidence_, other.evidence_)
    assert_frame_equal(one.edges_, other.edges_)
    assert_frame_equal(one.nodes_, other.nodes_)


def test_what_fires_together_is_linked_and_what_does_not_is_not() -> None:
    edges = fit(chained()).edges_
    assert {*edges.loc[0, ["src", "dst"]]} == {"kestrel", "heron"}
    assert edges.loc[0, "link_confidence"] > 0.5
    of_otter = (edges[["src", "dst"]] == "otter").any(axis=1)
    assert (edges.loc[of_otter, "link_confidence"] < 0.25).all()


def test_edges_are_the_table_of_the_schema_in_order() -> None:
    edges = fit(chained()).edges_
    assert list(edges.columns) == schema.EDGES.names
    assert_frame_equal(edges, schema.check(edges, schema.EDGES))
    ordered = edges.sort_values(["confidence", "src", "dst"], ascending=[False, True, True], ignore_index=True)
    assert_frame_equal(edges, ordered)


def test_the_two_directions_share_the_link_and_mirror_the_lag() -> None:
    edges = fit(chained()).edges_.set_index(["src", "dst"])
    there, back = edges.loc[("kestrel", "heron")], edges.loc[("heron", "kestrel")]
    assert there["confidence"] + back["confidence"] == pytest.approx(there["link_confidence"])
    assert there["lag_s"] == -back["lag_s"] == pytest.approx(90, abs=60)
    assert (there["support"], there["provenance"]) == (20, ["inferred"])


def test_graph_has_every_node_and_the_edges_with_their_evidence() -> None:
    model = fit(chained())
    assert set(model.graph_) == {"heron", "kestrel", "marten", "otter"}
    assert model.graph_.number_of_edges() == len(model.edges_)
    assert model.graph_.edges["kestrel", "heron"]["support"] == 20


def test_nodes_say_how_often_they_fired_and_shared() -> None:
    nodes = fit(chained(4)).nodes_
    assert nodes[["firings", "occasions"]].to_numpy().tolist() == [[4, 4], [4, 4], [2, 2], [4, 0]]
    assert nodes["judged"].tolist() == [True, True, False, True]


# However the alerts arrive


@given(rows, st.randoms())
@settings(max_examples=10)
def test_row_order_does_not_matter(table: list[tuple[int, str]], random: Random) -> None:
    assert_same(fit(alerts(random.sample(table, len(table)))), fit(alerts(table)))


def test_row_order_of_what_alerts_say_does_not_matter() -> None:
    assert_same(fit(told().sample(frac=1, random_state=0)), fit(told()))


@given(rows, st.integers(-400, 400))
@settings(max_examples=10)
def test_whole_days_earlier_or_later_do_not_matter(table: list[tuple[int, str]], days: int) -> None:
    moved = alerts([(minute + days * 24 * 60, name) for minute, name in table])
    assert_frame_equal(fit(moved).edges_, fit(alerts(table)).edges_)


@given(rows, st.lists(st.integers(0, 5 * 24 * 60), max_size=4))
@settings(max_examples=15)
def test_piece_by_piece_equals_one_fit(table: list[tuple[int, str]], cuts: list[int]) -> None:
    model = sl.DependencyModel()
    for low, high in itertools.pairwise([-1, *sorted(cuts), 10**6]):
        model.partial_fit(alerts([row for row in table if low < row[0] <= high]))
    assert_same(model, fit(alerts(table)))


def test_piece_by_piece_counts_firings_as_one_fit_whatever_alerts_say() -> None:
    table = told()
    model = sl.DependencyModel()
    for low in range(0, len(table), 9):
        model.partial_fit(table.iloc[low : low + 9])
    assert model.statistics_.firings.equals(fit(table).statistics_.firings)


@given(st.lists(st.tuples(st.integers(0, 47 * 60), st.sampled_from("abc")), min_size=4, max_size=30), st.randoms())
@settings(max_examples=10)
def test_within_two_days_alerts_may_come_late(table: list[tuple[int, str]], random: Random) -> None:
    mixed = random.sample(table, len(table))
    half = len(mixed) // 2
    assert_same(fit(alerts(mixed[:half])).partial_fit(alerts(mixed[half:])), fit(alerts(table)))


def test_the_same_alerts_again_change_nothing() -> None:
    table = told()
    whole = fit(table)
    assert_same(fit(pd.concat([table, table])), whole)
    lately = table[table["starts_at"] > table["starts_at"].max() - pd.Timedelta("1D")]
    assert_same(fit(table).partial_fit(lately).partial_fit(pd.concat([lately, lately])), whole)


def test_the_same_day_again_changes_nothing_without_ids() -> None:
    table = chained(4)
    assert_same(fit(table).partial_fit(table[table["starts_at"] >= START + pd.Timedelta("4D")]), fit(table))


def test_alerts_with_and_without_ids_go_together() -> None:
    table = told()
    head, tail = table.iloc[:-3], table.iloc[-3:]
    for late in (tail.drop(columns="alert_id"), tail.assign(alert_id=None)):
        assert_same(fit(head).partial_fit(late), fit(table))
    assert_same(fit(head.assign(alert_id=None)).partial_fit(tail.assign(alert_id=None)), fit(table))


def test_alerts_older_than_two_days_are_refused_and_nothing_changes() -> None:
    model = fit(chained())
    before = model.edges_, dict(model.skipped_)
    old = alerts([(0, "heron"), (10**5, "heron")])
    old.loc[2] = [pd.NaT, "heron"]
    with pytest.raises(ParameterError, match="1 of 2 alerts are from before 2026-03-28"):
        model.partial_fit(old)
    assert_frame_equal(model.edges_, before[0])
    assert model.skipped_ == before[1]


def test_nothing_new_changes_nothing() -> None:
    assert_same(fit(chained()).partial_fit(alerts([])), fit(chained()))
    assert_same(fit(alerts([])).partial_fit(chained()), fit(chained()))


def test_changed_counting_is_refused() -> None:
    model = fit(chained())
    with pytest.raises(ParameterError, match="changed since the first fit"):
        model.set_params(window="5min").partial_fit(alerts([(10**5, "heron")]))


def test_parallel_gives_the_same() -> None:
    assert_same(fit(chained(), n_jobs=2), fit(chained()))


# Kept, merged, of another day


@pytest.mark.parametrize("day", ["2026-03-05", "2026-03-10T00:00Z", "2020-01-01"])
def test_as_of_a_day_equals_a_fit_on_what_was_known(day: str) -> None:
    table = told()
    known = table[table["starts_at"] < pd.to_datetime(day, utc=True)]
    then = fit(table).as_of(day)
    assert_same(then, fit(known))
    with pytest.raises(ParameterError, match="without the recent firings"):
        then.partial_fit(table)


def test_two_halves_with_a_gap_merge_to_the_whole() -> None:
    table, day = told(), pd.Timestamp("2026-03-10", tz="UTC")
    one, other = table[table["starts_at"] < day], table[table["starts_at"] >= day]
    merged = fit(one).merge([fit(other)])
    assert_same(merged, fit(table))
    assert_same(fit(one).merge([]), fit(one))
    assert (merged.statistics_ - fit(other).statistics_).equals(fit(one).statistics_)


def test_what_was_counted_otherwise_does_not_merge() -> None:
    with pytest.raises(ParameterError, match="do not add up"):
        fit(chained()).merge([fit(chained(), window="5min")])


def again(model: sl.DependencyModel, **frames: pd.DataFrame | None) -> sl.DependencyModel:
    written = {}
    for name, table in (model.to_frames() | frames).items():
        if table is not None:
            written[name] = pd.read_parquet(io.BytesIO(table.to_parquet()))
    return sl.DependencyModel.from_statistics(written, settings=model.statistics_.settings(), **model.get_params())


def test_saved_and_made_again_it_goes_on() -> None:
    table = told()
    model = fit(table.iloc[:30], min_support=2)
    made = again(model)
    assert_same(made, model)
    assert_same(made.partial_fit(table.iloc[30:]), fit(table.iloc[:30], min_support=2).partial_fit(table.iloc[30:]))


def test_saved_without_recent_alerts_it_refuses_to_go_on() -> None:
    model = fit(told())
    made = again(model, recent=None)
    assert_frame_equal(made.edges_, model.edges_)
    with pytest.raises(ParameterError, match="without the recent firings"):
        made.partial_fit(told())


def test_saved_without_claims_it_is_of_times() -> None:
    made = again(fit(told()), claims=None, traits=None)
    assert made.statistics_.claims.empty
    assert made.statistics_.firings.equals(fit(told()).statistics_.firings)


def test_damaged_recent_alerts_are_refused() -> None:
    with pytest.raises(SchemaError, match=r"table 'recent' lacks \['node'\]"):
        again(fit(told()), recent=fit(told()).recent_.drop(columns="node"))


def test_made_with_other_counting_it_is_refused() -> None:
    model = fit(chained())
    with pytest.raises(ParameterError, match="counted with another window"):
        sl.DependencyModel.from_statistics(model.to_frames(), settings=model.statistics_.settings(), window="5min")


# What is known, what is weighed


def test_required_is_sure_declared_and_listed() -> None:
    edges = fit(chained(), required=[("otter", "heron"), ("heron", "kestrel")]).edges_.set_index(["src", "dst"])
    for edge, support in ((("otter", "heron"), 0), (("heron", "kestrel"), 20)):
        assert edges.loc[edge, ["confidence", "link_confidence", "support"]].tolist() == [1, 1, support]
        assert "declared" in edges.loc[edge, "provenance"]
    assert edges.loc[("kestrel", "heron"), "confidence"] < 0.5


def test_required_of_names_that_never_fired_is_listed() -> None:
    model = fit(chained(), required=pd.DataFrame({"src": ["heron", "ghost"], "dst": ["disk", "ghoul"]}))
    top = model.edges_.iloc[:2]
    assert top[["src", "dst", "confidence", "support"]].to_numpy().tolist() == [
        ["ghost", "ghoul", 1, 0],
        ["heron", "disk", 1, 0],
    ]
    assert top["provenance"].tolist() == [["declared"], ["declared"]]
    assert {"ghost", "ghoul", "disk"} <= {*model.graph_}
    assert_frame_equal(model.edges_.iloc[2:].reset_index(drop=True), fit(chained()).edges_)
    assert model.nodes_.index.tolist() == ["heron", "kestrel", "marten", "otter"]


def test_forbidden_is_gone_and_the_link_is_the_other_direction() -> None:
    model = fit(chained(), forbidden=[("kestrel", "heron")])
    edges = model.edges_.set_index(["src", "dst"])
    assert ("kestrel", "heron") not in edges.index
    assert ("kestrel", "heron") not in model.graph_.edges
    back = edges.loc[("heron", "kestrel")]
    assert back["confidence"] == back["link_confidence"]


def test_both_directions_forbidden_is_no_link() -> None:
    edges = fit(chained(), forbidden=[("kestrel", "heron"), ("heron", "kestrel")]).edges_
    assert not ((edges["src"] == "heron") & (edges["dst"] == "kestrel")).any()
    assert not ((edges["src"] == "kestrel") & (edges["dst"] == "heron")).any()


def test_required_and_forbidden_is_refused() -> None:
    with pytest.raises(ParameterError, match="both required and forbidden"):
        fit(chained(), required=[("a", "b")], forbidden=[("a", "b")])


def test_what_alerts_say_is_weighed() -> None:
    by_times = fit(told(), sources=("times",)).edges_.set_index(["src", "dst"])["link_confidence"]
    by_both = fit(told()).edges_.set_index(["src", "dst"])["link_confidence"]
    assert by_both["marten", "kestrel"] > by_times["marten", "kestrel"]


def test_times_alone_ignore_texts_names_and_roles() -> None:
    table = told()
    plain = fit(table[["starts_at", "service"]], sources=("times",))
    assert_same(fit(table, sources=["times"]), plain)
    words = {"heron": "orders", "kestrel": "orders-db", "marten": "orders-web", "otter": "zebra"}  # in the same order
    named = fit(chained(12).assign(service=lambda t: t["service"].map(words)), sources=("times",))
    for column in ("link_confidence", "b_depends"):
        np.testing.assert_allclose(named.evidence_[column], plain.evidence_[column])


def test_two_columns_of_your_own_are_enough() -> None:
    frame = pd.DataFrame({"starts_at": ["2026-03-01T10:00Z", "2026-03-01T10:01Z"], "host": ["a", "b"]})
    assert fit(frame, node="host", min_confidence=0).edges_["support"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("node", "nodes"),
    [
        ("team", ["blue", "red"]),
        ("alertname", ["Highheron", "Highkestrel", "Highmarten", "Highotter"]),
        ("resources", [f"{name}-host-{k}" for name in ("heron", "kestrel", "marten", "otter") for k in (1, 2)]),
    ],
)
def test_any_column_can_be_the_nodes(node: str, nodes: list[str]) -> None:
    model = fit(told().assign(alertname=lambda t: "High" + t["service"]), node=node)
    assert model.nodes_.index.tolist() == nodes
    assert model.edges_["support"].max() > 0


# As any estimator


def test_it_clones_and_is_set_like_any_estimator() -> None:
    model = sl.DependencyModel(window="5min", n_jobs=2, required=[("a", "b")], sources=("times",))
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(min_support=5).get_params()["min_support"] == 5
    assert "window='5min'" in repr(model)
    assert model.fit(chained(3), None) is model


def test_before_fit_it_says_so() -> None:
    model = sl.DependencyModel()
    for ask in (lambda: model.as_of("2026-03-01"), lambda: model.explain("a", "b"), model.to_frames):
        with pytest.raises(NotFittedError):
            ask()


def test_the_first_piece_is_a_fit() -> None:
    assert_same(sl.DependencyModel().partial_fit(chained()), fit(chained()))


def test_fitting_again_forgets() -> None:
    assert_same(fit(told()).fit(chained(5)), fit(chained(5)))


def test_the_argument_stays_as_it_was() -> None:
    table = told()
    before = table.copy(deep=True)
    fit(table).partial_fit(table.iloc[-2:]).edges_["provenance"].iloc[0].append("changed")
    assert_frame_equal(table, before)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"min_support": 0}, "min_support=0 must be"),
        ({"min_support": 1.5}, "min_support=1.5 must be"),
        ({"max_q": 2}, "max_q=2 must be"),
        ({"min_confidence": -1}, "min_confidence=-1 must be"),
        ({"window": "soon"}, "window='soon' is not a duration"),
        ({"window": "20min"}, "refractory='15min' must be at least window='20min'"),
        ({"block": "20min"}, "block='20min' must be at least four times"),
        ({"slice": "90min"}, "slice='90min' must be a whole number of blocks"),
        ({"hops": -1}, "hops=-1 must be"),
        ({"replicates": 0}, "replicates=0 must be"),
        ({"random_state": -1}, "random_state=-1 must be"),
        ({"sources": ("texts",)}, "sources='texts' is not known"),
        ({"sources": "times"}, "sources='times' must be a collection"),
        ({"sources": ("claims",)}, "times are always weighed"),
        ({"sources": ()}, "times are always weighed"),
        ({"node": 3}, "node=3 must be the name of a column"),
        ({"place": "service"}, "place='service' is the node, too"),
        ({"topology": pd.DataFrame({"src": ["a"], "dst": ["b"]})}, "pass place="),
        ({"required": "ab"}, "required='ab' must be pairs"),
        ({"forbidden": [("a", "a")]}, "forbidden: 'a' cannot depend on itself"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        fit(chained(3), **wrong)


def test_explaining_an_unknown_name_suggests_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'kestrel'"):
        fit(chained(3)).explain("kestrl", "heron")


def test_a_trace_counts_once_in_however_many_pieces_its_alerts_come() -> None:
    table = alerts([(k, name) for k in range(20) for name in ("heron", "kestrel")])
    table = table.assign(trace_ids=[["a" * 32]] * len(table), alert_id=[f"x{k}" for k in range(len(table))])
    model = sl.DependencyModel().fit(table[:4])
    for at in range(4, len(table), 4):
        model.partial_fit(table[at : at + 4])
    whole = sl.DependencyModel().fit(table)
    assert whole.statistics_.claims["count"].tolist() == [1]
    assert model.statistics_.equals(whole.statistics_)


def test_as_of_within_a_day_is_as_of_its_start() -> None:
    model = sl.DependencyModel().fit(chained())
    early, late = model.as_of("2026-03-10"), model.as_of("2026-03-10T18:00")
    assert early.statistics_.equals(late.statistics_)


def test_another_node_is_refused() -> None:
    model = sl.DependencyModel().fit(chained())
    with pytest.raises(ParameterError, match="node, place"):
        model.set_params(node="alert_id").partial_fit(alerts([(10**5, "db")]))
