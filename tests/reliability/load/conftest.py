"""Small tables that several tests of the pager load use."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def pages() -> pd.DataFrame:
    """Return three pages of team web: two of incident 0, one on its own that is still open."""
    times = {
        "at": ["2026-03-02T10:00Z", "2026-03-02T10:10Z", "2026-03-03T03:00Z"],
        "acked_at": ["2026-03-02T10:02Z", "2026-03-02T10:16Z", None],
        "ended_at": ["2026-03-02T10:30Z", "2026-03-02T11:10Z", None],
        "alert_at": ["2026-03-02T09:59Z", "2026-03-02T09:59Z", "2026-03-03T02:58Z"],
        "recovered_at": ["2026-03-02T11:09Z", "2026-03-02T11:09Z", None],
    }
    table = pd.DataFrame({"page": ["p", "q", "r"], "team": "web", "rotation": "web", "incident": [0, 0, -4]})
    return table.assign(**{name: pd.to_datetime(pd.Series(values), utc=True) for name, values in times.items()})
