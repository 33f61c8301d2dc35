from __future__ import annotations

import pandas as pd
import pytest

START = pd.Timestamp("2026-03-01T14:00Z")


@pytest.fixture
def alerts_at():
    """Build alerts that start at so many minutes after two o'clock, and end at `ends` where given."""

    def build(*minutes: float | None, ends: list[float | None] | None = None, **columns: object) -> pd.DataFrame:
        def times(values):
            given = [None if m is None else START + pd.Timedelta(minutes=m) for m in values]
            return pd.to_datetime(pd.Series(given, dtype=object), utc=True)

        told = {"alert_id": [f"a{i:03}" for i in range(len(minutes))], "starts_at": times(minutes), **columns}
        return pd.DataFrame(told if ends is None else {**told, "ends_at": times(ends)})

    return build
