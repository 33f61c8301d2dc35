from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.errors import ParameterError
from stanza_lab.reliability.load import shifts


def pages(*rows: tuple[str, int], team: str = "web") -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["at", "incident"])
    at = pd.to_datetime(table["at"], utc=True).astype("datetime64[us, UTC]")
    return table.assign(at=at, team=team, rotation=team)


def table(rows: pd.DataFrame, since: str, until: str, shift: str = "12h", tz: str = "UTC") -> pd.DataFrame:
    return shifts.table(
        rows,
        span=(pd.Timestamp(since), pd.Timestamp(until)),
        shift=shifts.length(shift),
        handover=shifts.handover_at("08:00"),
        zones={None: tz},
    )


def test_incidents_are_counted_per_shift_and_quiet_shifts_too() -> None:
    rows = pages(
        ("2026-03-02T09:00Z", 1), ("2026-03-02T09:05Z", 1), ("2026-03-02T10:00Z", 2), ("2026-03-02T11:00Z", 3),
        ("2026-03-03T07:59Z", 3),
    )  # fmt: skip
    found = table(rows, "2026-03-02T08:00Z", "2026-03-03T20:00Z")
    assert list(found) == list(shifts.SHIFTS)
    assert found["local"].dt.strftime("%d %H:%M").tolist() == ["02 08:00", "02 20:00", "03 08:00", "03 20:00"]
    assert found[["pages", "incidents", "over", "whole"]].to_numpy().tolist() == [
        [4, 3, True, True], [1, 1, False, True], [0, 0, False, True], [0, 0, False, False],
    ]  # fmt: skip


def test_the_limit_grows_with_the_shift() -> None:
    found = table(pages(("2026-03-04T09:00Z", 1)), "2026-03-02T08:00Z", "2026-03-16T08:00Z", shift="7D")
    assert found["limit"].tolist() == [28, 28, 28]
    assert found["local"].dt.day_name().unique().tolist() == ["Monday"]


def test_shifts_change_by_the_clock_on_the_wall_when_summer_comes() -> None:
    found = table(pages(("2026-03-28T12:00Z", 1)), "2026-03-28T12:00Z", "2026-03-30T12:00Z", tz="Europe/Berlin")
    assert found["local"].dt.strftime("%H:%M").unique().tolist() == ["08:00", "20:00"]
    assert found["starts_at"].dt.strftime("%d %H:%M").tolist() == [
        "28 07:00", "28 19:00", "29 06:00", "29 18:00", "30 06:00",
    ]  # fmt: skip


def test_pages_of_no_team_are_a_rotation_of_their_own() -> None:
    rows = pages(("2026-03-02T09:00Z", 1)).assign(team=None, rotation=None)
    assert table(rows, "2026-03-02T08:00Z", "2026-03-02T10:00Z")["rotation"].tolist() == [shifts.NOT_KNOWN]


@pytest.mark.parametrize("shift", ["10h", "30h", "0h"])
def test_a_shift_that_fits_into_no_day_is_refused(shift: str) -> None:
    with pytest.raises(ParameterError, match="shift="):
        shifts.length(shift)


@pytest.mark.parametrize("handover", ["24:00", "8", "noon", "08:60"])
def test_a_handover_is_a_time_of_day(handover: str) -> None:
    with pytest.raises(ParameterError, match="handover="):
        shifts.handover_at(handover)
