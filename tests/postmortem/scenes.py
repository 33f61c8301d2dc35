"""One incident small enough to be counted by hand, and where it began, pinned."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

import stanza_lab as sl

_DAY = "2026-03-02T"
EDGES = pd.DataFrame(
    {
        "src": ["shop", "orders", "reports", "archive"],
        "dst": ["orders", "orders-db", "orders-db", "reports"],
        "confidence": [0.9, 0.8, 0.99, 0.9],
    }
)
OWNERS = pd.DataFrame(
    {
        "service": ["shop", "orders", "orders-db", "reports"],
        "team": ["web", "orders", "storage", "reporting"],
        "on_call": ["web-primary", "orders-primary", "storage-primary", "reporting-primary"],
    }
)
_TIMES = ("starts_at", "ends_at")
ORIGINS = {"orders-db": 0.7, "orders": 0.2, "shop": 0.1}


def at(clock: str) -> pd.Timestamp:
    """Return a time of the day of the incident."""
    return pd.Timestamp(f"{_DAY}{clock}Z")


def history() -> pd.DataFrame:
    """Return incident 7 (four alerts of three services), an older one, and alerts on their own."""
    rows = [
        # service, name, severity, from, to, incident, source
        ("orders-db", "Slow queries", "critical", "14:00", "14:30", 7, "datadog"),
        ("orders", "Errors", "error", "14:02", "14:25", 7, "datadog"),
        ("shop", "ApiError", "error", "14:03", None, 7, "sentry"),
        ("shop", "Slow pages", "warning", "14:04", "14:20", 7, "datadog"),
        ("orders-db", "Slow queries", "critical", "09:00", "09:10", 3, "datadog"),
        ("orders", "Errors", "error", "09:02", "09:12", 3, "datadog"),
        *(("shop", "ApiError", "error", f"{hour:02}:30", None, -1, "sentry") for hour in range(10)),
        ("search", "Disk full", "error", "14:02", "14:03", -1, "datadog"),
    ]
    names = ["service", "alertname", "severity", "starts_at", "ends_at", "incident_id", "source"]
    table = pd.DataFrame(rows, columns=names)
    times = {name: [at(clock) if isinstance(clock, str) else None for clock in table[name]] for name in _TIMES}
    ids = [f"a{row}" for row in range(len(table))]
    keys = table["service"] + "|" + table["alertname"]
    return table.assign(**times, alert_id=ids, rule_key=keys, summary=table["service"] + ": " + table["alertname"])


def pages() -> pd.DataFrame:
    """Return two pages: one copies the alert of orders, one is about the shop and copies none that is known."""
    return pd.DataFrame(
        {
            "alert_id": ["p1", "p2"],
            "source": "pagerduty",
            "origin": "datadog",
            "event_ids": [["e1", "Q1"], ["e2", "Q2"]],
            "rule_key": ["S1", "S2"],
            "alertname": ["orders: Errors", "Something is slow"],
            "summary": ["orders: Errors", "Something is slow"],
            "service": ["orders", "Shop"],
            "team": ["Orders", "Web"],
            "starts_at": [at("14:03"), at("14:05")],
            "acked_at": [at("14:05"), None],
            "ends_at": [at("14:31"), at("14:35")],
            "labels": "{}",
        }
    )


def events() -> pd.DataFrame:
    """Return releases near and far, in time and on the map, and what a person did about the first page."""
    user = {"type": "user_reference", "summary": "Ann Example", "id": "PANN"}
    note = {"occurred_at": "2026-03-02T14:12:00Z", "event_type": "incident.annotated", "agent": user}
    note |= {"data": {"content": "rolled back 2.1", "id": "N1"}}
    rows: list[dict[str, Any]] = [
        {"kind": "changed", "at": at("13:50"), "service": "Orders_DB", "summary": "orders-db 2.1 deployed"},
        {"kind": "changed", "at": at("13:55"), "service": "billing", "summary": "billing 9 deployed"},
        {"kind": "changed", "at": at("12:59"), "service": "orders", "summary": "orders 1 deployed"},
        {"kind": "changed", "at": at("14:10"), "service": "orders", "summary": "orders 2 deployed"},
        {"kind": "note", "at": at("14:12"), "service": "orders", "occurrence_key": "Q1", "raw": json.dumps(note)},
    ]
    return pd.DataFrame(rows).assign(source="pagerduty", event_id=[f"e{row}" for row in range(len(rows))])


def origins(*_: object, **__: object) -> pd.DataFrame:
    """Return where it began, instead of `rank_origins`: what is asked here is what a review makes of it."""
    first = history().query("incident_id == 7").groupby("service")["starts_at"].agg(["size", "min"])
    rows = [
        {
            "rank": rank,
            "service": name,
            "probability": share,
            "alerts": int(first["size"].get(name, 0)),
            "first_at": first["min"].get(name, pd.NaT),
            "silent": name not in first.index,
            "reasons": [f"{name} explains the others"],
            "words": f"{name}: {share}",
        }
        for rank, (name, share) in enumerate(ORIGINS.items(), start=1)
    ]
    return pd.DataFrame(rows)


def production(alerts: pd.DataFrame | None = None) -> sl.ProductionMap:
    """Return the map of it."""
    return sl.ProductionMap(EDGES, history() if alerts is None else alerts, ownership=OWNERS)
