"""Times as exports write them, read as whole microseconds since 1970 in UTC. A time is never invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ABSENT = frozenset(("", "0", "null", "None", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"))
# Alert systems did not exist before and do not know what comes after: such a number is no time.
_EARLIEST = (datetime(1990, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST = (datetime(2100, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def read(value: Any, *, tz: tzinfo | None = None) -> int | None:
    """Return `value` as microseconds since 1970, or None when it stands for "no time".

    Numbers (also as text) are epochs whose unit is told by their magnitude: vendors mix seconds, milliseconds and
    nanoseconds inside one object. Text is ISO 8601. A text without a zone is read in `tz`, and refused without one.

    Raises
    ------
    ValueError
        The value is not a time, has no zone, or lies outside 1990 to 2100.
    """
    if isinstance(value, str):
        value = value.strip()
        if value in _ABSENT:
            return None
        at = _iso(value, tz) if value[4:5] == "-" else _epoch(_number(value))
    elif value is None or value == 0:
        return None
    else:
        at = _epoch(_number(value))
    if not is_time(at):
        raise ValueError(f"{str(value)[:40]!r} is not a time between 1990 and 2100")
    return at


def is_time(at: int) -> bool:
    """Return whether microseconds since 1970 are a time an alert system can have written."""
    return _EARLIEST <= at < _LATEST


def iso_ms(at: int) -> str:
    """Return microseconds since 1970 as ISO 8601 to the millisecond, for example 2026-03-01T14:02:11.123Z."""
    return (_EPOCH + at * _MICROSECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _epoch(number: int | float) -> int:  # noqa: PYI041  (whole numbers stay exact)
    size = abs(number)
    if not size < 1e20:  # NaN and infinity too
        raise ValueError(f"{number!r} is not a time")
    if isinstance(number, float):
        scale = 1e6 if size < 1e11 else 1e3 if size < 1e14 else 1 if size < 1e17 else 1e-3
        return round(number * scale)
    if size < 10**11:
        return number * 1_000_000
    if size < 10**14:
        return number * 1_000
    return number if size < 10**17 else number // 1_000


def _number(value: Any) -> int | float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        return int(value) if value.isdecimal() else float(value)
    except (AttributeError, ValueError):
        raise ValueError(f"{str(value)[:40]!r} is not a time") from None


def _iso(text: str, tz: tzinfo | None) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not an ISO 8601 time") from None
    if len(text) <= 10:
        raise ValueError(f"{text!r} is a day, not a time")
    if at.tzinfo is None:
        if tz is None:
            raise ValueError(f"{text!r} has no zone; pass tz=, for example tz='Europe/Berlin'")
        at = at.replace(tzinfo=tz)
    return (at - _EPOCH) // _MICROSECOND
