"""The sums a model keeps: they add, subtract, go back in time and survive being written down."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.dependencies.reading import read
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting
from stanza_lab.dependencies.sums import DependencyStatistics
from stanza_lab.errors import ParameterError, SchemaError

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
START = pd.Timestamp("2026-03-01", tz="UTC")
DAY_US = 86_400_000_000
NAMES = ("badger", "heron", "orders-db", "otter")
rows = st.lists(st.tuples(st.integers(0, 24 * 60 - 30), st.sampled_from(NAMES)), max_size=25)


def alerts(table: list[tuple[int, str]], *, day: int = 0) -> pd.DataFrame:
    at = START + pd.Timedelta(day, "D") + pd.to_timedelta([minute for minute, _ in table], unit="min")
    frame = pd.DataFrame({"starts_at": at, "service": pd.Series([name for _, name in table], dtype="str")})
    called = frame["service"].map({"badger": "heron", "heron": "orders-db", "orders-db": "disk", "otter": "badger"})
    return frame.assign(team=frame["service"].str[:1], summary="connection refused to " + called.astype("str"))


def sums(frame: pd.DataFrame) -> DependencyStatistics:
    if frame.empty:
        return DependencyStatistics.empty(COUNTING)
    reading = read(frame, node="service", place=None, texts=True)
    firings = CoFiringStatistics.count(reading.firings(), COUNTING)
    # Every name is known from the start, else what texts say depends on who fired before.
    every = CoFiringStatistics.count(
        read(alerts([(0, n) for n in NAMES]), node="service", place=None, texts=False).firings(), COUNTING
    )
    told = DependencyStatistics.of(every).with_alerts(reading.alerts, node="service")
    return told.with_firings(firings)


DAY = [(600, "otter"), (602, "badger"), (605, "orders-db"), (900, "heron")]


def test_nothing_is_nothing() -> None:
    empty = DependencyStatistics.empty(COUNTING)
    assert (empty + empty).equals(empty)
    assert len(empty.slices) == 0
    assert (sums(alerts(DAY)) + empty).equals(sums(alerts(DAY)))


@given(rows, rows)
@settings(max_examples=15)
def test_days_add_up_and_are_taken_away(one: list, other: list) -> None:
    first, second = sums(alerts(one)), sums(alerts(other, day=3))
    whole = sums(pd.concat([alerts(one), alerts(other, day=3)]))
    assert (first + second).equals(whole)
    assert (second + first).equals(whole)
    assert (whole - second).equals(first)
    assert whole.before(int(START.value // 1000) + 2 * DAY_US).equals(first)


def test_taking_away_what_is_not_there_is_refused() -> None:
    one, other = sums(alerts(DAY)), sums(alerts([(600, "otter")]))
    with pytest.raises(ParameterError, match="below 0"):
        other.with_firings(one.firings) - one


def test_claims_and_traits_come_with_the_alerts() -> None:
    found = sums(alerts(DAY))
    assert found.claims[["src", "dst"]].to_numpy().tolist()[0] == ["badger", "heron"]
    assert "team:o" in set(found.traits["trait"].astype("str"))
    assert DependencyStatistics.of(found.firings).claims.empty


def test_different_counting_does_not_add_up() -> None:
    hourly = Counting.of(window="10min", refractory="15min", block="1h", slice="1h")
    with pytest.raises(ParameterError, match="do not add up"):
        DependencyStatistics.empty(COUNTING) + DependencyStatistics.empty(hourly)


def test_written_down_and_read_again_it_is_the_same() -> None:
    found = sums(alerts(DAY))
    again = DependencyStatistics.from_frames(found.to_frames(), settings=found.settings())
    assert again.equals(found)
    assert (again + found).equals(found + found)


def test_without_claims_it_is_of_times_alone() -> None:
    found = sums(alerts(DAY))
    frames = {name: table for name, table in found.to_frames().items() if name not in ("claims", "traits")}
    assert DependencyStatistics.from_frames(frames, settings=found.settings()).equals(
        DependencyStatistics.of(found.firings)
    )


@pytest.mark.parametrize("name", ["claims", "traits"])
def test_tables_that_are_damaged_are_refused(name: str) -> None:
    found = sums(alerts(DAY))
    frames = found.to_frames()
    with pytest.raises(SchemaError, match=f"table '{name}' lacks"):
        DependencyStatistics.from_frames(frames | {name: frames[name].drop(columns="count")}, settings=found.settings())
    with pytest.raises(SchemaError, match=f"table '{name}' holds counts that are no whole numbers"):
        DependencyStatistics.from_frames(frames | {name: frames[name].assign(count=0)}, settings=found.settings())
