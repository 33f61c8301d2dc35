"""Alerts as a stream brings them: one mapping each, times in microseconds."""

from __future__ import annotations

from typing import Any

import pandas as pd


def rows(alerts: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as a stream brings them."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in alerts.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return value
    if isinstance(value, pd.Timestamp):
        return value.value // 1000
    return None if pd.isna(value) else value
