"""Hours of life: when a page meets somebody at work, off work or asleep, as the clock on their wall has it.

The ranges are those of PagerDuty's analytics. Theirs overlap on weekend nights; here sleep goes before off hours and
these before business, so that the three sum up: sleep is 22-08 every day, off hours are 18-22 on weekdays and 08-22 at
weekends, business is 08-18 on weekdays.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from stanza_lab.errors import ParameterError

KINDS = ("business", "off_hours", "sleep_hours")
DEFINITION = "sleep is 22-08 every day, off hours 18-22 on weekdays and 08-22 at weekends, business 08-18 on weekdays"
_WAKES, _LEAVES, _SLEEPS = 8, 18, 22  # hours of the day
_SATURDAY = 5


def zone(tz: str) -> str:
    """Return the name of a time zone that there is.

    Raises
    ------
    ParameterError
        There is none of this name.
    """
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise ParameterError(f"tz={tz!r} is no time zone; pass 'UTC' or a name such as 'Europe/Berlin'") from error
    return tz


def local(times: pd.Series, tz: str) -> pd.Series:
    """Return UTC times as the clock in `tz` shows them, without a zone."""
    shown: pd.Series = times.dt.tz_convert(tz).dt.tz_localize(None)
    return shown


def split(clock: pd.Series) -> pd.DataFrame:
    """Return `KINDS` as columns (bool, one of them true per row) for times as `local` returns them."""
    hour, weekend = clock.dt.hour, clock.dt.day_of_week >= _SATURDAY
    sleep = (hour >= _SLEEPS) | (hour < _WAKES)
    off = ~sleep & (weekend | (hour >= _LEAVES))
    known = clock.notna()
    return pd.DataFrame({"business": ~sleep & ~off & known, "off_hours": off & known, "sleep_hours": sleep & known})


def night(clock: pd.Series) -> pd.Series:
    """Return the day on whose evening the night of each time began; times outside 22-08 are of no night (null)."""
    shifted: pd.Series = (clock - pd.Timedelta(hours=_WAKES)).dt.normalize()
    hour = clock.dt.hour
    return shifted.where((hour >= _SLEEPS) | (hour < _WAKES))
