"""Small histories written out."""

from __future__ import annotations

from typing import Any

import pandas as pd

DAY = pd.Timedelta("1D")
START = pd.Timestamp("2026-03-02T12:00Z")


def alert(
    rule: str, day: float, *, minutes: float = 60, incident: int = -1, after_s: float = 0, **more: Any
) -> dict[str, Any]:
    """Return an alert that fires on a day at noon and ends by itself."""
    at = START + day * DAY + pd.Timedelta(after_s, "s")
    told = {"source": "prometheus", "rule_key": rule, "alertname": rule, "service": "shop", "severity": "error"}
    return told | {"starts_at": at, "ends_at": at + pd.Timedelta(minutes, "min"), "incident_id": incident} | more


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the alerts, each with an id."""
    found = pd.DataFrame(rows)
    return found.assign(alert_id=[f"a{at}" for at in range(len(found))])


def noisy_and_needed(days: int = 20, every: int = 2) -> pd.DataFrame:
    """Return a rule that fires daily for two minutes for nothing, and two that see an incident every other day."""
    rows = [alert("noise", day + 0.3, minutes=2) for day in range(days)]
    for day in range(0, days, every):
        rows += [alert("errors", day, incident=day), alert("latency", day, incident=day, after_s=60)]
    return table(rows)
