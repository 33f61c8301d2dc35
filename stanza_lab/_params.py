"""Checks of parameters that the whole package shares: durations, instants, fractions, choices."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from operator import index

import pandas as pd

from stanza_lab.errors import ParameterError

Duration = str | timedelta | pd.Timedelta
Instant = str | datetime | pd.Timestamp
Size = str | int
_FIRST, _LAST = 1678, 2261  # years that nanoseconds since 1970 reach


def duration(value: Duration, name: str, *, zero: bool = False) -> pd.Timedelta:
    """Return `value` as a positive Timedelta (`zero` allows 0)."""
    try:
        delta = pd.Timedelta(value)
    except (ValueError, TypeError) as error:
        raise ParameterError(f"{name}={value!r} is not a duration; pass '5min', '90s' or a Timedelta") from error
    if pd.isna(delta) or delta < pd.Timedelta(0) or (delta == pd.Timedelta(0) and not zero):
        raise ParameterError(f"{name}={value!r} must be {'zero or ' if zero else ''}longer than zero")
    return delta


def instant(value: Instant, name: str) -> pd.Timestamp:
    """Return `value` as a UTC Timestamp; text is ISO 8601, and what has no zone is read as UTC."""
    try:  # ISO only: 04/09/2026 is two days, depending on whom you ask
        at = pd.to_datetime(value, format="ISO8601") if isinstance(value, str) else pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise ParameterError(f"{name}={value!r} is not a time; pass '2026-03-01' or '2026-03-01T14:02Z'") from error
    if pd.isna(at):
        raise ParameterError(f"{name}={value!r} is not a time")
    if not _FIRST <= at.year <= _LAST:
        raise ParameterError(f"{name}={value!r} is out of reach; pass a time in the years {_FIRST} to {_LAST}")
    return at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")


def size(value: Size, name: str, *, low: int = 1) -> int:
    """Return `value` in bytes: a number of them, or text such as "2GB" (1024s, whether MB or MiB)."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?\s*", value, re.IGNORECASE)
        number = float(match[1]) * 1024 ** "KMGT".find(match[2].upper() or "-") * 1024 if match and match[2] else None
        if match and not match[2]:
            number = float(match[1])
    else:
        number = None if isinstance(value, bool) or not isinstance(value, (int, float)) else float(value)
    if number is None:
        raise ParameterError(f"{name}={value!r} is not a size; pass '2GB', '768MB' or a number of bytes")
    if not number >= low:
        raise ParameterError(f"{name}={value!r} is too little; pass at least '{-(-low // 2**20)}MB'")
    return int(number)


def fraction(value: float, name: str) -> float:
    """Return `value` when it lies in [0, 1]."""
    try:
        inside = 0.0 <= value <= 1.0
    except TypeError:
        inside = False
    if not inside:
        raise ParameterError(f"{name}={value!r} must be a number between 0 and 1")
    return float(value)


def at_least(value: int, name: str, low: int) -> int:
    """Return `value` when it is a whole number of at least `low`."""
    try:
        whole = low - 1 if isinstance(value, bool) else index(value)
    except TypeError:
        whole = low - 1
    if whole < low:
        raise ParameterError(f"{name}={value!r} must be a whole number of at least {low}")
    return whole


def choice(value: str, name: str, allowed: Collection[str]) -> str:
    """Return `value` when it is one of the `allowed` words."""
    if value not in allowed:
        raise ParameterError(f"{name}={value!r} is not known; pass one of {sorted(allowed)}")
    return value
