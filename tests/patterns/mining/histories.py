"""A small history in which one sequence recurs, beside incidents that have nothing to do with each other."""

from __future__ import annotations

import pandas as pd

START = pd.Timestamp("2026-03-02T09:00Z")


def row(service: str, what: str, hours: float, seconds: float, incident: int, **more: object) -> dict[str, object]:
    starts = START + pd.Timedelta(hours=hours, seconds=seconds)
    ends = starts + pd.Timedelta("10min")
    about = {"alert_id": f"{service}{what}{hours}{seconds}", "source": "datadog", "severity": "error"}
    return (
        about
        | {
            "service": service,
            "alertname": what,
            "starts_at": starts,
            "ends_at": ends,
            "incident_id": incident,
        }
        | more
    )


def history(times: int = 6, others: int = 30) -> pd.DataFrame:
    """Return alerts: orders-db latency, orders-api errors a minute later, every other time checkout errors."""
    rows = []
    for i in range(times):
        hours = 71.3 * i
        rows.append(row("orders-db", "latency", hours, 0, i))
        rows.append(row("orders-api", "errors", hours, 50 + 4 * i, i))
        if i % 2 == 0:
            rows.append(row("checkout", "errors", hours, 200, i))
    for i in range(others):
        hours = 13.7 * i + 5
        rows.append(row(f"s{i % 9}", "cpu", hours, 0, 100 + i))
        rows.append(row(f"t{(i * i + i // 7) % 11}", "memory", hours, 30, 100 + i))
    return pd.DataFrame(rows).sort_values("starts_at", ignore_index=True)
