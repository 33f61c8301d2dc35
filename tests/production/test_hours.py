from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.errors import ParameterError
from stanza_lab.production import hours


def clock(*times: str) -> pd.Series:
    return pd.Series(pd.to_datetime(list(times)))


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        ("2026-07-01 09:00", "business"),  # a Wednesday
        ("2026-07-01 08:00", "business"),
        ("2026-07-01 17:59", "business"),
        ("2026-07-01 07:59", "sleep_hours"),
        ("2026-07-01 18:00", "off_hours"),
        ("2026-07-01 21:59", "off_hours"),
        ("2026-07-01 22:00", "sleep_hours"),
        ("2026-07-04 12:00", "off_hours"),  # a Saturday
        ("2026-07-04 23:00", "sleep_hours"),  # sleep goes before off hours at weekends
    ],
)
def test_each_hour_of_life_has_its_kind(at: str, kind: str) -> None:
    assert hours.split(clock(at)).iloc[0].to_dict() == {name: name == kind for name in hours.KINDS}


@given(st.lists(st.datetimes(min_value=pd.Timestamp("2000-01-01").to_pydatetime()), min_size=1, max_size=20))
def test_every_time_is_of_exactly_one_kind(times: list[object]) -> None:
    found = hours.split(pd.Series(pd.to_datetime(times)))
    assert found.sum(axis=1).eq(1).all()


def test_an_unknown_time_is_of_no_kind_and_no_night() -> None:
    none = pd.Series([pd.NaT], dtype="datetime64[us]")
    assert not hours.split(none).any(axis=None)
    assert hours.night(none).isna().all()


def test_a_night_is_that_of_the_evening_on_which_it_began() -> None:
    nights = hours.night(clock("2026-07-01 23:00", "2026-07-02 07:59", "2026-07-02 08:00", "2026-07-02 22:00"))
    assert nights.dt.strftime("%m-%d").fillna("none").tolist() == ["07-01", "07-01", "none", "07-02"]


def test_times_are_shown_as_the_clock_on_the_wall_has_them() -> None:
    utc = pd.Series(pd.to_datetime(["2026-07-01T22:30Z", "2026-12-01T22:30Z"]))
    shown = hours.local(utc, "Europe/Berlin")
    assert shown.dt.strftime("%m-%d %H:%M").tolist() == ["07-02 00:30", "12-01 23:30"]


@pytest.mark.parametrize("tz", ["Mars/Base", "", "../etc/passwd"])
def test_a_zone_that_is_none_is_said(tz: str) -> None:
    with pytest.raises(ParameterError, match="no time zone"):
        hours.zone(tz)
