"""Co-firing statistics are sums: counted by slice, they add up to the counts of the whole."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.dependencies.statistics import LAGS, CoFiringStatistics, Counting, Firings, _counted, near_places
from stanza_lab.dependencies.statistics.counting import COUNTS
from stanza_lab.errors import ParameterError
from tests.dependencies.statistics import plain
from tests.dependencies.statistics.plain import DAY, MIDNIGHT, MINUTE

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")

NOWHERE: set[tuple[str, str]] = set()
rows = st.lists(st.tuples(st.integers(0, 4 * 24 * 60), st.sampled_from("abcd")), max_size=60)
LINE = [("p", "q"), ("q", "r")]
NEAR = near_places(pd.DataFrame(LINE, columns=["src", "dst"]))
NEAR_PAIRS = {*LINE, *((b, a) for a, b in LINE)}
PLACED = Counting.of(window="10min", refractory="15min", block="1h", slice="1D", near=NEAR)
alerts_anywhere = st.lists(
    st.tuples(st.integers(0, 300).map(lambda t: t * 5), st.sampled_from("abc"), st.sampled_from("pqrs"), st.booleans()),
    max_size=50,
)


def firings(table: list[tuple[float, str]]) -> Firings:
    """Minutes since midnight and names."""
    return placed([(minute, name, "", False) for minute, name in table])


def placed(table: list[tuple[float, str, str, bool]], *, ends: bool = False) -> Firings:
    """Minutes since midnight, names, places, whether inner; ends 7 minutes later, or never on even minutes."""
    times = at([minute for minute, *_ in table])
    columns = [pd.Series([row[k] for row in table], dtype=dtype) for k, dtype in ((1, "str"), (2, "str"), (3, "bool"))]
    ended = (times + pd.Timedelta("7min")).where(pd.Series([m % 2 == 1 for m, *_ in table], dtype=bool))
    return Firings.of(times, columns[0], places=columns[1], inner=columns[2], ends=ended if ends else None)


def at(minutes: list[float]) -> pd.Series:
    micros = np.array([int(MIDNIGHT + minute * MINUTE) for minute in minutes], np.int64)
    return pd.Series(pd.DatetimeIndex(micros.astype("datetime64[us]"), tz="UTC"))


def count(table: list[tuple[float, str]], **borders: int) -> CoFiringStatistics:
    return CoFiringStatistics.count(firings(table), COUNTING, **borders)


def count_placed(table: list[tuple[float, str, str, bool]], **borders: int) -> CoFiringStatistics:
    return CoFiringStatistics.count(placed(table, ends=True), PLACED, **borders)


def as_counter(frame: pd.DataFrame, keys: list[str], columns: list[str], *, length: int) -> Counter:
    """Return a table as the counts the plain loops give."""
    period = (frame[keys[0]] - pd.Timestamp("2024-10-04", tz="UTC")) // pd.Timedelta(length, unit="min")
    names = zip(period, *(frame[key] for key in keys[1:]), strict=True)
    rows = zip(names, *(frame[c].tolist() for c in columns), strict=True)
    return +Counter({(*name, c): n for name, *values in rows for c, n in zip(columns, values, strict=True)})


def test_a_pair_within_the_window_is_one_co_firing() -> None:
    pairs = count([(600, "web"), (599, "db"), (640, "cache")]).pairs()
    assert pairs[["a", "b", "cofirings", "occasions", "same_block"]].to_numpy().tolist() == [["db", "web", 1, 1, 0]]


def test_lag_sign_tells_which_fired_later() -> None:
    pairs = count([(600, "db"), (601, "web"), (900, "web"), (908, "db"), (1200, "db"), (1200, "web")]).pairs()
    assert {lag: int(pairs[lag].iloc[0]) for lag in LAGS if pairs[lag].iloc[0]} == {"lag+2": 1, "lag+0": 1, "lag-5": 1}


def test_flapping_counts_once() -> None:
    storm = [(600 + 5 * k, name) for k in range(40) for name in ("db", "web")]
    statistics = count(storm)
    assert statistics.totals()["firings"].tolist() == [1, 1]
    assert statistics.pairs()["cofirings"].tolist() == [1]


def test_a_block_is_one_occasion() -> None:
    pairs = count([(600, "a"), (601, "b"), (630, "a"), (631, "b"), (700, "a"), (701, "b")]).pairs()
    assert (pairs["cofirings"].tolist(), pairs["occasions"].tolist()) == ([3], [2])


def test_co_firing_over_midnight_belongs_to_the_later_day() -> None:
    statistics = count([(24 * 60 - 2, "a"), (24 * 60 + 3, "b")])
    assert statistics.to_frames()["cofirings"]["slice"].tolist() == [pd.Timestamp("2024-10-05", tz="UTC")]


@given(alerts_anywhere)
@settings(max_examples=60)
def test_counts_equal_those_of_plain_loops(table: list[plain.Alert]) -> None:
    frames = count_placed(table).to_frames()
    found = as_counter(frames["firings"], ["block", "node", "place"], ["firings", "inner"], length=60)
    assert found == plain.fired(table)
    found = as_counter(frames["cofirings"], ["slice", "a", "b"], ["cofirings", *COUNTS], length=24 * 60)
    assert found == plain.cofired(table, NEAR_PAIRS)


@given(alerts_anywhere)
@settings(max_examples=30)
def test_without_places_all_is_at_one(table: list[plain.Alert]) -> None:
    statistics = CoFiringStatistics.count(placed(table, ends=True), COUNTING)
    assert set(statistics.to_frames()) == {"firings", "cofirings"}
    found = as_counter(statistics.to_frames()["cofirings"], ["slice", "a", "b"], COUNTS, length=24 * 60)
    plainly = plain.cofired([(t, node, "", inner) for t, node, _, inner in table], NOWHERE)
    assert found == Counter({key: n for key, n in plainly.items() if key[-1] != "cofirings"})


@given(alerts_anywhere)
@settings(max_examples=30)
def test_chances_equal_those_of_plain_loops(table: list[plain.Alert]) -> None:
    statistics = count_placed(table)
    names = statistics.nodes
    for matrix, period in zip(statistics.together(), (60, 24 * 60), strict=True):
        cells = {(names[a], names[b]): matrix[a, b] for a in range(len(names)) for b in range(a + 1, len(names))}
        assert +Counter(cells) == plain.chances(table, NEAR_PAIRS, period=period)


def test_more_rows_than_there_was_room_for_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    table = [
        (int(t), f"n{k}", "", False) for t, k in zip(rng.integers(0, 5000, 800), rng.integers(0, 40, 800), strict=True)
    ]
    whole = count_placed(table)
    monkeypatch.setattr(_counted, "_ROOM", 4)
    assert count_placed(table).equals(whole)


@given(rows, st.randoms())
@settings(max_examples=30)
def test_row_order_does_not_matter(table: list[tuple[int, str]], random: np.random.Generator) -> None:
    shuffled = list(table)
    random.shuffle(shuffled)
    assert count(shuffled).equals(count(table))


@given(alerts_anywhere)
@settings(max_examples=30)
def test_slices_add_up_to_the_whole(table: list[plain.Alert]) -> None:
    whole = count_placed(table)
    first, second = (whole.keep(np.arange(len(whole.slices)) % 2 == odd) for odd in (0, 1))
    assert (second + first).equals(whole)
    assert (whole - first).equals(second)
    assert (whole - whole).equals(CoFiringStatistics.empty(PLACED))


@given(alerts_anywhere, st.integers(-10, 1600))
@settings(max_examples=60)
def test_any_instant_can_be_the_border(table: list[plain.Alert], minute: int) -> None:
    whole, border = count_placed(table), MIDNIGHT + minute * MINUTE
    earlier, later = count_placed(table, stop=border), count_placed(table, start=border)
    assert (earlier + later).equals(whole)
    assert (whole - later).equals(earlier)
    assert (whole - earlier).equals(later)


@given(alerts_anywhere, st.integers(0, 1600))
@settings(max_examples=30)
def test_late_alerts_are_put_right_by_counting_the_open_part_again(table: list[plain.Alert], minute: int) -> None:
    border = (MIDNIGHT + minute * MINUTE) // PLACED.block * PLACED.block
    late = [row for k, row in enumerate(table) if k % 2 and row[0] * MINUTE + MIDNIGHT >= border]
    known = [row for row in table if row not in late]
    recent = placed(known, ends=True).since(border - PLACED.lookback)
    as_known, now = (
        CoFiringStatistics.count(part, PLACED, start=border) for part in (recent, recent + placed(late, ends=True))
    )
    assert (count_placed(known) - as_known + now).equals(count_placed(known + late))


@given(alerts_anywhere, alerts_anywhere)
@settings(max_examples=30)
def test_adding_is_undone_by_taking_away(one: list[plain.Alert], two: list[plain.Alert]) -> None:
    a, b = count_placed(one), count_placed(two)
    assert (a + b).equals(b + a)
    assert (a + b - b).equals(a)
    doubled = (a + a).pair_totals()[2]
    assert (doubled == 2 * a.pair_totals()[2]).all()


def test_counts_too_large_for_a_byte_stay_exact() -> None:
    statistics = count([(600, "a"), (601, "b")])
    many = CoFiringStatistics.merge([statistics] * 300)
    assert many.pairs()["cofirings"].tolist() == [300]
    assert many.totals()["firings"].tolist() == [300, 300]
    assert CoFiringStatistics.merge([many, many - statistics]).pairs()["cofirings"].tolist() == [599]
    assert (many - CoFiringStatistics.merge([statistics] * 299)).equals(statistics)


@given(alerts_anywhere, st.integers(1, 3))
@settings(max_examples=20)
def test_as_of_a_day_equals_counting_what_was_known(table: list[plain.Alert], day: int) -> None:
    known = [row for row in table if row[0] < day * 24 * 60]
    assert count_placed(table).before(MIDNIGHT + day * DAY).equals(count_placed(known))


def test_an_inner_alert_behind_another_is_an_inner_firing_of_its_own() -> None:
    table = [(600, "a", "p", False), (605, "a", "p", True), (606, "b", "p", False)]
    pairs = count_placed(table).pairs()
    assert pairs[["cofirings", "inner_a", "inner_b"]].to_numpy().tolist() == [[1, 1, 0]]


def test_a_pair_with_inner_firings_alone_is_left_out_of_pairs_but_kept() -> None:
    table = [(600, "a", "p", False), (614, "a", "p", True), (620, "b", "p", False)]
    statistics = count_placed(table)
    assert statistics.pairs().empty
    assert statistics.of_pair("b", "a")[["cofirings", "inner_a"]].to_numpy().tolist() == [[0, 1]]


def test_the_rows_of_a_pair_or_of_unknown_names() -> None:
    statistics = count([(600, "a"), (601, "b"), (24 * 60 + 5, "b"), (24 * 60 + 9, "a"), (900, "c")])
    assert statistics.of_pair("b", "a")["lag+2"].tolist() == [1, 0]
    assert statistics.of_pair("a", "nobody").empty
    assert CoFiringStatistics.empty(COUNTING).of_pair("a", "b").empty


def test_parallel_gives_the_same() -> None:
    table = [(37 * k % 5000, "abcd"[k % 4], "pqr"[k % 3], k % 5 == 0) for k in range(400)]
    parallel = CoFiringStatistics.count(placed(table, ends=True), PLACED, n_jobs=2)
    assert parallel.equals(count_placed(table))


def test_numba_is_loaded_when_something_is_counted() -> None:
    code = "import sys, stanza_lab.dependencies.statistics; print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_what_is_no_part_cannot_be_taken_away() -> None:
    with pytest.raises(ParameterError, match="not part of these"):
        count([(600, "a"), (5000, "a")]) - count([(600, "b")])


@pytest.mark.parametrize(
    "other",
    [Counting.of(window="5min", refractory="15min", block="1h", slice="1D"), replace(COUNTING, near=NEAR)],
)
def test_different_counting_does_not_add_up(other: Counting) -> None:
    with pytest.raises(ParameterError, match="do not add up"):
        count([(600, "a")]) + CoFiringStatistics.empty(other)


def test_an_alert_more_than_there_is_cannot_be_taken_away() -> None:
    flapping = [(600, "a", "p", False), (601, "a", "p", False)]
    with pytest.raises(ParameterError, match="not part of these"):
        count_placed(flapping[:1]) - count_placed(flapping)


def test_too_many_rows_ask_for_a_longer_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_counted, "MOST_ROWS", 2)
    with pytest.raises(ParameterError, match="pass a longer slice="):
        count([(600, "a"), (601, "b"), (602, "c")])
