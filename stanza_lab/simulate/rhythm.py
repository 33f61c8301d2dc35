"""When things happen: more by day than by night, fewer at weekends."""

from __future__ import annotations

import numpy as np

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_DAY = np.array([3, 2, 2, 2, 2, 3, 4, 6, 9, 11, 12, 12, 11, 12, 12, 11, 10, 9, 9, 9, 8, 7, 5, 4], dtype=float)
_WEEK = np.array([1.0, 1.05, 1.05, 1.0, 0.9, 0.5, 0.45])  # Monday first


def sample_times(
    rng: np.random.Generator, count: int, *, start_ms: int, days: int, office_hours: float = 0.0
) -> np.ndarray:
    """Draw `count` instants (ms since 1970, sorted) with the daily and weekly rhythm.

    `office_hours` between 0 and 1 moves that share of the nights and weekends into working hours: people deploy by day.
    """
    hours = np.arange(days * 24)
    weekday = ((start_ms // DAY_MS + 3) + hours // 24) % 7  # 1970-01-01 was a Thursday
    of_day = hours % 24
    weights = _DAY[of_day] * _WEEK[weekday]
    working = (of_day >= 8) & (of_day < 18) & (weekday < 5)
    weights = weights * np.where(working, 1.0, 1.0 - office_hours)
    if weights.sum() == 0:
        weights = np.ones(len(hours))
    hour = rng.choice(hours, size=count, p=weights / weights.sum())
    return np.sort(start_ms + hour * HOUR_MS + rng.integers(0, HOUR_MS, size=count))
