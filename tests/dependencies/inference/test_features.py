"""Features: every pair is looked at, what nothing is known of is 0, and names only turn signs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.dependencies.evidence import FEATURES, count_claims, count_traits, merge_claims, merge_traits
from stanza_lab.dependencies.inference.features import pair_features
from stanza_lab.dependencies.inference.pairs import MANY_NODES, PairCounts
from stanza_lab.dependencies.statistics import LAGS, CoFiringStatistics, Counting, Firings

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
START = pd.Timestamp("2026-03-01", tz="UTC")
NO_CLAIMS, NO_TRAITS = merge_claims([]), merge_traits([])
SAME = ["expected", "lift", "p_value", "q_value", "strength", "partial", "backing", "best", "rival", "standout"]
SAME += ["close", "effect", "firm", "apart", "log_nodes", "cofirings", "occasions"]
SIGNED = ["lag_s", "order", "drive", "inner", "imbalance"]
rows = st.lists(st.tuples(st.integers(0, 2 * 24 * 60), st.sampled_from("abcd"), st.booleans()), max_size=60)


def features(table: list[tuple[float, str, bool]], **known: object) -> pd.DataFrame:
    """Minutes since the start, names, and whether the alert is about the thing itself."""
    at = pd.Series(START + pd.to_timedelta([row[0] for row in table], unit="min"), dtype="datetime64[us, UTC]")
    names = pd.Series([row[1] for row in table], dtype="str")
    firings = Firings.of(at, names, inner=pd.Series([row[2] for row in table], dtype=bool))
    return pair_features(PairCounts.of(CoFiringStatistics.count(firings, COUNTING)), NO_CLAIMS, NO_TRAITS, **known)


def test_a_pair_that_never_co_fired_is_there_and_says_nothing() -> None:
    found = features([(0, "kestrel", False), (5, "marten", False), (900, "otter", False), (2000, "otter", False)])
    assert found[["a", "b"]].to_numpy().tolist() == [["kestrel", "marten"], ["kestrel", "otter"], ["marten", "otter"]]
    never = found.iloc[2]
    assert never[["cofirings", "strength", "backing", "best", "effect", "order", "inner", "drive"]].tolist() == [0] * 8
    assert (never["p_value"], never["firings_a"], never["firings_b"]) == (1, 1, 2)
    assert np.isnan(never["lag_s"])
    assert never["apart"] == pytest.approx(np.log1p(1))
    assert found["apart"].iloc[0] == 0


def test_all_but_the_lag_is_a_number() -> None:
    found = features([(0, "kestrel", True), (5, "marten", False), (900, "otter", False)])
    assert found.drop(columns=["a", "b", "lag_s"]).notna().all(axis=None)
    assert {*FEATURES, *LAGS} <= {*found.columns}


def test_nothing_gives_the_same_columns() -> None:
    assert [*features([]).columns] == [*features([(0, "a", False), (5, "b", False)]).columns]
    assert features([]).empty


def test_few_nodes_make_no_pair_likelier() -> None:
    two = features([(0, "a", False), (5, "b", False)])
    many = features([(100 * k, f"n{k:02}", False) for k in range(30)])
    assert two["log_nodes"].iloc[0] == pytest.approx(np.log(12))
    assert many["log_nodes"].iloc[0] == pytest.approx(np.log(30))


def test_of_many_nodes_only_what_something_speaks_for() -> None:
    count = MANY_NODES + 1
    table = [(100 * k, f"n{k:03}", False) for k in range(count)] + [(2, "n001", False)]
    found = features(table, known={("n005", "n009"), ("n005", "unheard-of")})
    assert found[["a", "b"]].to_numpy().tolist() == [["n000", "n001"], ["n005", "n009"]]


def test_of_many_nodes_those_that_an_alert_names() -> None:
    names = [f"animal{k}kestrel" for k in range(MANY_NODES + 1)]
    at = START + pd.to_timedelta(np.arange(len(names)) * 100, unit="min")
    alerts = pd.DataFrame({"starts_at": at.astype("datetime64[us, UTC]"), "service": names, "summary": "CPU high"})
    alerts.loc[7, "summary"] = f"connection refused to {names[3]}:5432"
    counts = PairCounts.of(CoFiringStatistics.count(Firings.of(alerts["starts_at"], alerts["service"]), COUNTING))
    found = pair_features(counts, count_claims(alerts), count_traits(alerts))
    assert found[["a", "b"]].to_numpy().tolist() == [sorted([names[3], names[7]])]
    assert found[["text_ab", "text_ba"]].to_numpy().max() > 0


def test_the_one_that_showed_strain_itself_is_depended_on() -> None:
    strained = [(37 * 60 * k + at, name, name == "a") for k in range(6) for at, name in ((0, "a"), (0, "b"))]
    assert features(strained)["inner"].iloc[0] > 0.5


def test_who_fires_more_often_depends() -> None:
    table = [(37 * 60 * k, name, False) for k in range(6) for name in ("a", "b")]
    more = [(37 * 60 * k + 500, "b", False) for k in range(40)]
    assert features(table + more)["imbalance"].iloc[0] > 0.5


@given(rows)
@settings(max_examples=30)
def test_other_names_only_turn_signs(table: list[tuple[int, str, bool]]) -> None:
    one = features(table)
    swapped = features([(at, {"a": "d", "b": "c", "c": "b", "d": "a"}[name], inner) for at, name, inner in table])
    back = swapped.assign(
        a=swapped["b"].map({"a": "d", "b": "c", "c": "b", "d": "a"}),
        b=swapped["a"].map({"a": "d", "b": "c", "c": "b", "d": "a"}),
    )
    two = back.sort_values(["a", "b"], ignore_index=True)
    assert one[["a", "b"]].to_numpy().tolist() == two[["a", "b"]].to_numpy().tolist()
    for name in SAME:
        np.testing.assert_allclose(one[name], two[name], atol=1e-6, err_msg=name)
    for name in SIGNED:
        np.testing.assert_allclose(one[name], -two[name], atol=1e-6, err_msg=name)
    np.testing.assert_allclose(one["effect_a"], two["effect_b"], atol=1e-6)


@given(rows, st.integers(-1000, 1000))
@settings(max_examples=20)
def test_whole_days_earlier_or_later_do_not_matter(table: list[tuple[int, str, bool]], days: int) -> None:
    moved = features([(at + days * 24 * 60, name, inner) for at, name, inner in table])
    pd.testing.assert_frame_equal(moved, features(table))
