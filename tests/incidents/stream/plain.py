"""A stream in words of plain Python: alerts as dicts, and where each of them ended up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.incidents.stream import Placed, StreamGrouper

MINUTE = 60_000_000


def alert(minute: float, name: str | None = None, **columns: Any) -> dict[str, Any]:
    """Return an alert that fires so many minutes after 1970."""
    return {"alert_id": name or f"a{minute}", "starts_at": round(minute * MINUTE), **columns}


def records(alerts: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of an alerts table as the stream takes them."""
    rows = alerts.astype(object).where(alerts.notna(), None).to_dict("records")
    for row in rows:
        for column in ("starts_at", "ends_at"):
            if row.get(column) is not None:
                row[column] = row[column].value // 1000  # .value counts nanoseconds
    return rows


def pushed(grouper: StreamGrouper, alerts: Iterable[Mapping[str, Any]]) -> tuple[list[Placed], dict[str, int]]:
    """Push alerts; return every answer, and the incident of each alert in the end."""
    answers, incident = [], {}
    for one in alerts:
        placed = grouper.push(one)
        answers.append(placed)
        incident[one["alert_id"]] = placed.incident_id
        incident |= dict(placed.moved)
    return answers, incident


def groups(incident: Mapping[str, int]) -> set[frozenset[str]]:
    """Return which alerts are together, whatever the number; one on its own is a group by itself."""
    return {
        frozenset([name] if number == -1 else (n for n, other in incident.items() if other == number))
        for name, number in incident.items()
    }
