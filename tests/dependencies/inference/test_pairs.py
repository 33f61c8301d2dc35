"""Pairs against chance: what flanks and slices explain is expected, and lags turn their sign with the names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.dependencies.inference.pairs import PairCounts
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting, Firings

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
START = pd.Timestamp("2026-03-01", tz="UTC")
rows = st.lists(st.tuples(st.integers(0, 3 * 24 * 60), st.sampled_from("abcd")), max_size=60)


def counts(table: list[tuple[float, str]]) -> PairCounts:
    """Minutes since the start and names."""
    at = pd.Series(START + pd.to_timedelta([minute for minute, _ in table], unit="min"), dtype="datetime64[us, UTC]")
    firings = Firings.of(at, pd.Series([name for _, name in table], dtype="str"))
    return PairCounts.of(CoFiringStatistics.count(firings, COUNTING))


def test_nothing_gives_no_pairs() -> None:
    assert len(counts([])) == len(counts([(0, "a"), (300, "b")])) == 0


def test_flanks_tell_what_chance_gives() -> None:
    # Both fire about once an hour, sometimes 5 and always 25 minutes apart: near each other, never more than chance.
    table = [(61 * k, "a") for k in range(200)] + [(61 * k + 25, "b") for k in range(200)]
    found = counts([*table, *((61 * k + 5, "b") for k in range(0, 200, 4))])
    assert found.cofirings.tolist() == [50]
    assert found.expected[0] > 50
    assert found.p_value[0] > 0.5


def test_firing_together_and_else_never_is_no_chance() -> None:
    found = counts([(37 * 60 * k + lag, name) for k in range(15) for lag, name in ((0, "a"), (2, "b"))])
    assert found.expected[0] < 1
    assert found.p_value[0] < 1e-9


def test_more_nodes_to_choose_from_make_a_pair_less_surprising() -> None:
    pair = [(37 * 60 * k + lag, name) for k in range(3) for lag, name in ((0, "a"), (2, "b"))]
    others = [(1000 + 37 * k, f"n{k}") for k in range(8)]
    alone, among = counts(pair), counts([*pair, *others])
    assert among.p_value[0] == pytest.approx(alone.p_value[0], rel=0.2)
    assert among.q_value[0] == pytest.approx(45 * among.p_value[0])


def test_who_fires_first_is_ahead() -> None:
    found = counts([(0, "a"), (2, "b"), (1000, "b"), (1001, "a"), (2000, "a"), (2000, "b"), (3000, "a"), (3003, "b")])
    assert (found.ahead[0], found.behind[0], found.at_once[0]) == (2, 1, 1)


@pytest.mark.parametrize(("lag", "within_s"), [(0, (0, 0)), (1.5, (60, 120)), (-3, (-240, -120)), (9, (240, 600))])
def test_median_lag_lies_in_its_bin(lag: float, within_s: tuple[float, float]) -> None:
    lag_s = counts([(3000 * k + at, name) for k in range(5) for at, name in ((0, "a"), (lag, "b"))]).lag_quantile(0.5)
    assert within_s[0] <= lag_s[0] <= within_s[1]


def test_a_median_between_two_bins_is_their_middle() -> None:
    assert counts([(0, "a"), (5, "b"), (5000, "a"), (4995, "b")]).lag_quantile(0.5)[0] == 0


def test_windows_overlap_less_the_longer_the_lag() -> None:
    overlaps = [counts([(0, "a"), (lag, "b")]).overlap[0] for lag in (0, 1, 3, 8)]
    assert overlaps == sorted(overlaps, reverse=True)
    assert overlaps[0] == 1
    assert overlaps[-1] == pytest.approx(0.3)


def test_close_starts_from_a_half() -> None:
    assert counts([(0, "a"), (1, "b")]).close[0] == pytest.approx(2 / 3)
    assert counts([(0, "a"), (8, "b")]).close[0] == pytest.approx(1 / 3)


@given(rows)
@settings(max_examples=40)
def test_other_names_mirror_what_has_a_direction(table: list[tuple[int, str]]) -> None:
    one = counts(table)
    two = counts([(minute, {"a": "z", "b": "y", "c": "x", "d": "w"}[name]) for minute, name in table])
    order = np.lexsort((len(two.nodes) - 1 - two.a, len(two.nodes) - 1 - two.b))
    np.testing.assert_array_equal(one.cofirings, two.cofirings[order])
    np.testing.assert_allclose(one.expected, two.expected[order])
    np.testing.assert_allclose(one.q_value, two.q_value[order])
    np.testing.assert_array_equal(one.ahead, two.behind[order])
    np.testing.assert_allclose(one.overlap, two.overlap[order])
    for share in (0.25, 0.5, 0.8):
        np.testing.assert_allclose(one.lag_quantile(share), -two.lag_quantile(1 - share)[order], atol=1e-9)


@given(rows)
@settings(max_examples=40)
def test_chance_is_never_nothing(table: list[tuple[int, str]]) -> None:
    found = counts(table)
    assert (found.expected > 0).all()
    assert ((found.p_value >= 0) & (found.p_value <= 1)).all()
    assert (found.q_value >= found.p_value - 1e-12).all()
