"""The co-firings behind an edge: each alert of src with the nearest one of dst, latest first."""

from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab import schema
from stanza_lab.dependencies.occasions import occasions_of
from stanza_lab.dependencies.statistics import Counting

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
START = pd.Timestamp("2026-03-01T12:00Z")


def recent(table: list[tuple[float, str]], **columns: object) -> pd.DataFrame:
    at = pd.Series(START + pd.to_timedelta([minute for minute, _ in table], unit="min"), dtype=schema.TIME_DTYPE)
    return pd.DataFrame({"starts_at": at, "node": [name for _, name in table]} | columns)


def occasions(rows: pd.DataFrame | None, src: str = "web", dst: str = "db") -> list[list[object]]:
    table = occasions_of(rows, src=src, dst=dst, counting=COUNTING)
    minutes = (table["at"] - START).dt.total_seconds() / 60
    return [list(row) for row in zip(minutes, table["lag_s"], table["src_alert"], table["dst_alert"], strict=True)]


TABLE = recent(
    [(0, "db"), (1.5, "web"), (40, "web"), (200, "web"), (203, "db"), (210, "db"), (300, "db"), (311, "web")],
    alert_id=[f"i{k}" for k in range(8)],
)


def test_nearest_of_both_latest_first() -> None:
    assert occasions(TABLE) == [[203, -180, "i3", "i4"], [1.5, 90, "i1", "i0"]]


def test_the_other_direction_mirrors_the_lag() -> None:
    assert occasions(TABLE, "db", "web") == [[210, 600, "i5", "i3"], [203, 180, "i4", "i3"], [1.5, -90, "i0", "i1"]]


def test_the_window_is_the_longest_lag() -> None:
    assert [row[1] for row in occasions(recent([(0, "db"), (10, "web")]))] == [600]
    assert occasions(recent([(0, "db"), (10.01, "web")])) == []


@pytest.mark.parametrize("columns", [{}, {"alert_id": None}])
def test_without_ids_they_are_null(columns: dict) -> None:
    row = occasions(recent([(0, "db"), (1, "web")], **columns))[0]
    assert row[:2] == [1, 60]
    assert all(pd.isna(value) for value in row[2:])


def test_only_alerts_of_the_same_place_meet() -> None:
    table = [(0, "db"), (1, "web"), (2, "web")]
    assert [row[0] for row in occasions(recent(table, place=["p", "q", "p"]))] == [2]


@pytest.mark.parametrize("rows", [None, TABLE.iloc[:0], recent([(0, "db")]), recent([(0, "search")])])
def test_nothing_is_an_empty_table(rows: pd.DataFrame | None) -> None:
    table = occasions_of(rows, src="web", dst="db", counting=COUNTING)
    assert table.empty
    assert table.dtypes.astype(str).to_dict() == {
        "at": "datetime64[us, UTC]",
        "lag_s": "float64",
        "src_alert": "str",
        "dst_alert": "str",
    }


def test_the_argument_stays_as_it_was() -> None:
    before = TABLE.copy(deep=True)
    occasions(TABLE)
    pd.testing.assert_frame_equal(TABLE, before)
