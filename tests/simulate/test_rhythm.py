from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.simulate.rhythm import sample_times

START = pd.Timestamp("2026-07-01", tz="UTC").value // 1_000_000


def times(count: int, **more: float) -> pd.DatetimeIndex:
    drawn = sample_times(np.random.default_rng(0), count, start_ms=START, days=28, **more)
    return pd.to_datetime(drawn, unit="ms", utc=True)


def test_times_are_sorted_and_inside() -> None:
    drawn = times(500)
    assert drawn.is_monotonic_increasing
    assert drawn[0] >= pd.Timestamp("2026-07-01", tz="UTC")
    assert drawn[-1] < pd.Timestamp("2026-07-29", tz="UTC")


def test_days_are_busier_than_nights_and_weekdays_than_weekends() -> None:
    drawn = times(20_000)
    assert ((drawn.hour >= 9) & (drawn.hour < 15)).sum() > 3 * ((drawn.hour >= 0) & (drawn.hour < 6)).sum()
    per_day = drawn.day_of_week.value_counts()
    assert per_day[[5, 6]].mean() < 0.6 * per_day[[0, 1, 2, 3, 4]].mean()


def test_office_hours_only() -> None:
    drawn = times(1_000, office_hours=1.0)
    assert (drawn.day_of_week < 5).all()
    assert ((drawn.hour >= 8) & (drawn.hour < 18)).all()


def test_none_wanted() -> None:
    assert len(times(0)) == 0
