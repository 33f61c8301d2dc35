from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.loaders import _times

AT = 1_674_981_695_723_000  # 2023-01-29T08:41:35.723Z


@pytest.mark.parametrize(
    "value",
    [
        1_674_981_695.723,
        1_674_981_695_723,
        1_674_981_695_723_000,
        1_674_981_695_723_000_000,
        "1674981695.723",
        "1674981695723",
        "2023-01-29T08:41:35.723Z",
        "2023-01-29T08:41:35.723000+00:00",
        "2023-01-29T08:41:35.723+0000",
        "2023-01-29T08:41:35.723000999Z",
        "2023-01-29T10:41:35.723+02:00",
        " 2023-01-29 08:41:35.723Z ",
    ],
)
def test_every_spelling_is_the_same_microsecond(value) -> None:
    assert _times.read(value) == AT


@pytest.mark.parametrize("value", [None, "", " ", 0, 0.0, "0", "null", "0001-01-01T00:00:00Z"])
def test_zero_values_are_no_time(value) -> None:
    assert _times.read(value) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2023-01-29T08:41:35", "has no zone; pass tz="),
        ("2023-01-29", "is a day, not a time"),
        ("yesterday", "'yesterday' is not a time"),
        ("Sat, 05 Jun 2016 15:10:09 GMT", "is not a time"),
        (True, "'True' is not a time"),
        ({"a": 1}, "is not a time"),
        (float("nan"), "is not a time"),
        (float("inf"), "is not a time"),
        (5, "between 1990 and 2100"),
        (-1_674_981_695, "between 1990 and 2100"),
        ("9" * 5000, "is not a time"),
    ],
)
def test_what_is_no_time_is_refused(value, message) -> None:
    with pytest.raises(ValueError, match=message):
        _times.read(value)


def test_naive_time_is_read_in_the_zone_given() -> None:
    assert _times.read("2023-01-29T09:41:35.723", tz=ZoneInfo("Europe/Berlin")) == AT


def test_milliseconds_are_written_as_the_alarm_history_writes_them() -> None:
    assert _times.iso_ms(AT + 999) == "2023-01-29T08:41:35.723Z"


@given(st.integers(631_152_000_000_000, 4_102_444_799_999_999))
def test_iso_times_keep_their_microsecond(at) -> None:
    iso = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).isoformat()
    assert _times.read(iso) == at
