"""Co-firing statistics are sums: counted by slice, they add up to the counts of the whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.dependencies.statistics import LAGS, CoFiringStatistics, Counting, Firings
from stanza_lab.errors import ParameterError, SchemaError

MINUTE, DAY = 60_000_000, 86_400_000_000
COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
MIDNIGHT = 20_000 * DAY  # 2024-10-04

rows = st.lists(st.tuples(st.integers(0, 4 * 24 * 60), st.sampled_from("abcd")), max_size=60)


def firings(table: list[tuple[float, str]]) -> Firings:
    """Minutes since midnight and names."""
    times = pd.to_datetime([int(MIDNIGHT + minute * MINUTE) for minute, _ in table], unit="us", utc=True)
    return Firings.of(pd.Series(times), pd.Series([name for _, name in table], dtype="str"))


def count(table: list[tuple[float, str]]) -> CoFiringStatistics:
    return CoFiringStatistics.count(firings(table), COUNTING)


def brute_force(table: list[tuple[float, str]]) -> dict[tuple[str, str], int]:
    starts = [
        (t, name) for t, name in set(table) if not any(n == name and 0 < t - other <= 15 for other, n in set(table))
    ]
    found: dict[tuple[str, str], int] = {}
    for t, a in starts:
        for u, b in starts:
            if a < b and abs(t - u) <= 10:
                found[a, b] = found.get((a, b), 0) + 1
    return found


def test_a_pair_within_the_window_is_one_co_firing() -> None:
    pairs = count([(600, "web"), (599, "db"), (640, "cache")]).pairs()
    assert pairs[["a", "b", "cofirings", "occasions", "same_block"]].to_numpy().tolist() == [["db", "web", 1, 1, 0]]


def test_lag_sign_tells_which_fired_later() -> None:
    pairs = count([(600, "db"), (601, "web"), (900, "web"), (908, "db"), (1200, "db"), (1200, "web")]).pairs()
    assert {lag: int(pairs[lag].iloc[0]) for lag in LAGS if pairs[lag].iloc[0]} == {"lag+2": 1, "lag+0": 1, "lag-5": 1}


def test_flapping_counts_once() -> None:
    storm = [(600 + 5 * k, name) for k in range(40) for name in ("db", "web")]
    statistics = count(storm)
    assert statistics.firings["firings"].tolist() == [1, 1]
    assert statistics.pairs()["cofirings"].tolist() == [1]


def test_a_block_is_one_occasion() -> None:
    pairs = count([(600, "a"), (601, "b"), (630, "a"), (631, "b"), (700, "a"), (701, "b")]).pairs()
    assert (pairs["cofirings"].tolist(), pairs["occasions"].tolist()) == ([3], [2])


def test_co_firing_over_midnight_belongs_to_the_later_day() -> None:
    statistics = count([(24 * 60 - 2, "a"), (24 * 60 + 3, "b")])
    assert statistics.cofirings["slice"].tolist() == [pd.Timestamp("2024-10-05", tz="UTC")]


@given(rows)
@settings(max_examples=60)
def test_counts_equal_those_of_two_plain_loops(table: list[tuple[int, str]]) -> None:
    pairs = count(table).pairs()
    assert dict(zip(zip(pairs["a"], pairs["b"], strict=True), pairs["cofirings"], strict=True)) == brute_force(table)


@given(rows, st.randoms())
@settings(max_examples=30)
def test_row_order_does_not_matter(table: list[tuple[int, str]], random: np.random.Generator) -> None:
    shuffled = list(table)
    random.shuffle(shuffled)
    assert count(shuffled).equals(count(table))


@given(rows)
@settings(max_examples=30)
def test_slices_add_up_to_the_whole(table: list[tuple[int, str]]) -> None:
    whole = count(table)
    first, second = (whole.keep(np.arange(len(whole.slices)) % 2 == odd) for odd in (0, 1))
    assert (second + first).equals(whole)
    assert (whole - first).equals(second)
    assert (whole - whole).equals(CoFiringStatistics.empty(COUNTING))


@given(rows, st.integers(1, 3))
@settings(max_examples=30)
def test_counted_from_a_border_with_look_back_equals_the_slices_of_the_whole(
    table: list[tuple[int, str]], day: int
) -> None:
    whole, border = count(table), MIDNIGHT + day * DAY
    later = CoFiringStatistics.count(firings(table).since(border - COUNTING.lookback), COUNTING, start=border)
    assert (whole.before(border) + later).equals(whole)


def test_parallel_gives_the_same() -> None:
    table = [(37 * k % 5000, "abcd"[k % 4]) for k in range(400)]
    assert CoFiringStatistics.count(firings(table), COUNTING, n_jobs=2).equals(count(table))


def test_small_chunks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [(37 * k % 5000, "abcd"[k % 4]) for k in range(400)]
    whole = count(table)
    monkeypatch.setattr("stanza_lab.dependencies.statistics._CHUNK", 3)
    assert count(table).equals(whole)


def test_the_same_slice_twice_is_refused() -> None:
    statistics = count([(600, "a")])
    with pytest.raises(ParameterError, match="hold the slice of 2024-10-04"):
        statistics + statistics


def test_what_is_no_part_cannot_be_taken_away() -> None:
    with pytest.raises(ParameterError, match="not part of these"):
        count([(600, "a"), (5000, "a")]) - count([(600, "b")])


def test_different_counting_does_not_add_up() -> None:
    other = Counting.of(window="5min", refractory="15min", block="1h", slice="1D")
    with pytest.raises(ParameterError, match="do not add up"):
        count([(600, "a")]) + CoFiringStatistics.empty(other)


def test_round_trip_through_parquet(tmp_path) -> None:
    statistics = count([(600, "a"), (601, "b"), (5000, "b")])
    for name, frame in statistics.to_frames().items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    frames = {name: pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("firings", "cofirings")}
    assert CoFiringStatistics.from_frames(frames, settings=statistics.settings()).equals(statistics)


def test_a_missing_table_is_named() -> None:
    with pytest.raises(SchemaError, match="'cofirings' lacks"):
        CoFiringStatistics.from_frames({"firings": count([(1, "a")]).firings}, settings=COUNTING.__dict__)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"refractory": "5min"}, "at least window"),
        ({"block": "30min"}, "four times"),
        ({"slice": "90min"}, "whole number of blocks"),
        ({"window": "-1min"}, "longer than zero"),
    ],
)
def test_durations_that_do_not_fit_are_refused(wrong: dict[str, str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Counting.of(**({"window": "10min", "refractory": "15min", "block": "1h", "slice": "1D"} | wrong))
