"""A table of alerts as rows for the scorer, and its answers as a table."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd

from stanza_lab import schema

ANSWERS: dict[str, Any] = {
    "alert_id": "str",
    "starts_at": schema.TIME_DTYPE,
    "service": "str",
    "incident_id": "int64",
    "status": "str",
    "confidence": "float64",
    "why": "str",
    "origin": "str",
    "origin_probability": "float64",
    "team": "str",
    "pattern": "str",
    "pattern_confidence": "float64",
    "reaction": "str",
}
_COLUMNS = (
    "alert_id", "starts_at", "ends_at", "service", "team", "environment", "source", "rule_key", "alertname", "summary",
    "description", "severity", "labels", "resources", "trace_ids",
)  # fmt: skip


def rows(alerts: pd.DataFrame) -> list[tuple[int, dict[str, Any]]]:
    """Return the alerts as plain dictionaries, times in microseconds."""
    columns: dict[str, list[Any]] = {}
    for name in _COLUMNS:
        if name not in alerts.columns:
            continue
        values = alerts[name]
        if name in ("starts_at", "ends_at"):
            null = values.isna().tolist()
            columns[name] = [None if no else at for at, no in zip(values.astype("int64").tolist(), null, strict=True)]
        elif name in ("resources", "trace_ids"):
            columns[name] = values.tolist()
        else:
            told = values.astype(object)
            columns[name] = told.where(told.notna(), None).tolist()
    names = list(columns)
    told_rows = zip(*columns.values(), strict=True)
    return [(place, dict(zip(names, row, strict=True))) for place, row in enumerate(told_rows)]


def untimed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer for an alert of which nobody knows when it fired."""
    nothing: dict[str, Any] = dict.fromkeys(ANSWERS)
    told = {"alert_id": row.get("alert_id"), "service": row.get("service"), "team": row.get("team")}
    words = "nobody knows when it fired: nothing can be said of what it belongs to"
    return nothing | told | {"incident_id": schema.NOISE, "status": "untimed", "confidence": 0.0, "why": words}


def table(answers: list[dict[str, Any]], *, index: pd.Index) -> pd.DataFrame:
    """Return answers as a table."""
    cells = [[answer[name] for name in ANSWERS] for answer in answers]
    told = pd.DataFrame(cells, columns=list(ANSWERS), index=index)
    at = pd.Series(pd.to_datetime(told["starts_at"].astype("Int64"), unit="us", utc=True), index=index)
    return told.assign(starts_at=at.astype(schema.TIME_DTYPE)).astype(ANSWERS)


def progress(some: list[Any]) -> Any:
    """Show on a terminal how far it is, where it takes more than two seconds."""
    from tqdm import tqdm

    return tqdm(some, desc="scoring", unit=" alerts", delay=2, leave=False, disable=not sys.stderr.isatty())
