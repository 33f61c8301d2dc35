from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.production import hours
from stanza_lab.reliability.load import arrays, interruptions


def called(*rows: tuple[str, str], team: str = "web") -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["who", "at"])
    at = pd.to_datetime(table["at"], utc=True).astype("datetime64[us, UTC]")
    return table.assign(at=at, team=team, page=[f"Q{i}" for i in range(len(table))])


def met(table: pd.DataFrame, *, window: str = "5min", zones: dict[object, str] | None = None) -> pd.DataFrame:
    return interruptions.table(table, window=pd.Timedelta(window), zones=zones or {None: "UTC"})


def test_what_rings_within_the_window_counts_once() -> None:
    found = met(called(("A", "2026-03-02T10:00Z"), ("A", "2026-03-02T10:04Z"), ("B", "2026-03-02T10:01Z")))
    assert found[["who", "pages"]].to_numpy().tolist() == [["A", 2], ["B", 1]]


def test_paged_every_four_minutes_is_not_one_interruption() -> None:
    every = called(*[("A", f"2026-03-02T10:{minute:02d}Z") for minute in range(0, 40, 4)])
    assert met(every)["at"].dt.minute.tolist() == [0, 8, 16, 24, 32]  # each window begins with what counted


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200)), max_size=60),
    st.integers(1, 30),
)
def test_windows_are_those_of_a_plain_loop(rows: list[tuple[int, int]], window: int) -> None:
    import numpy as np

    rows = sorted(rows)
    expected, last = [], {}
    for group, at in rows:
        counts = group not in last or at - last[group] >= window
        expected.append(counts)
        if counts:
            last[group] = at
    group, at = (np.array([row[side] for row in rows], dtype=np.int64) for side in (0, 1))
    assert arrays.once_per(group, at, window).tolist() == expected


def test_hours_are_those_of_the_person_else_the_team_else_all_others() -> None:
    rows = called(("A", "2026-03-02T20:30Z"), ("B", "2026-03-02T20:31Z"))
    found = met(rows, zones={None: "UTC", "A": "Asia/Tokyo", "web": "Europe/Berlin"})
    assert found[["tz", "kind"]].to_numpy().tolist() == [["Asia/Tokyo", "sleep_hours"], ["Europe/Berlin", "off_hours"]]


def test_hours_sum_to_all_and_nights_count_once_per_person() -> None:
    rows = called(
        ("A", "2026-03-02T23:00Z"), ("A", "2026-03-03T03:00Z"), ("A", "2026-03-03T10:00Z"), ("A", "2026-03-03T19:00Z"),
        ("B", "2026-03-03T03:00Z"),
    )  # fmt: skip
    found = met(rows)
    sums = interruptions.counted(found, "team").loc["web"]
    assert sums[["interruptions", *hours.KINDS, "nights"]].tolist() == [5, 1, 1, 3, 2]
    assert sums["off_hours_share"] == 0.8


def test_people_are_told_by_the_best_that_is_known_of_each_page() -> None:
    at = pd.to_datetime(pd.Series(["2026-03-02T10:00Z"] * 4), utc=True)
    did = pd.DataFrame(
        {
            "at": at,
            "kind": ["assigned", "notified", "acknowledged", "acknowledged"],
            "person": ["A", "B", "A", "C"],
            "page": ["p", "p", "p", "q"],
            "team": "web",
        }
    )
    found, said = interruptions.calls(did)
    assert found[["who", "page"]].to_numpy().tolist() == [["B", "p"], ["C", "q"]]
    assert said == "notifications and what people did about pages"


def test_engaged_is_from_taking_a_page_until_it_was_resolved() -> None:
    took = pd.DataFrame({"page": ["p", "p", "q"], "person": ["A", "A", "A"], "team": "web"})
    took["at"] = pd.to_datetime(pd.Series(["2026-03-02T10:10Z", "2026-03-02T10:00Z", "2026-03-02T11:00Z"]))
    took["ended_at"] = pd.to_datetime(pd.Series(["2026-03-02T10:30Z", "2026-03-02T10:30Z", None]))
    assert interruptions.engaged_seconds(took)["engaged_s"].tolist() == [1800]


def test_without_calls_there_is_nobody() -> None:
    nothing = called().head(0)
    assert met(nothing).empty
    empty = pd.DataFrame({name: [] for name in ("at", "kind", "person", "page", "team", "ended_at")})
    times = {name: pd.to_datetime(empty[name], utc=True) for name in ("at", "ended_at")}
    assert interruptions.people(met(nothing), nothing, empty.assign(**times)).empty


@pytest.mark.parametrize("window", ["0s", "1min"])
def test_shifting_all_times_by_weeks_changes_nothing(window: str) -> None:
    rows = called(("A", "2026-03-02T10:00Z"), ("A", "2026-03-02T10:00Z"), ("A", "2026-03-02T22:30Z"))
    later = rows.assign(at=rows["at"] + pd.Timedelta("7D"))
    assert met(rows, window=window)["kind"].tolist() == met(later, window=window)["kind"].tolist()
