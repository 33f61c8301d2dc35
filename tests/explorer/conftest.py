"""A small map with alerts, teams, repositories and incidents."""

from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl


@pytest.fixture
def production() -> sl.ProductionMap:
    edges = pd.DataFrame(
        {
            "src": ["web", "shop", "orders", "orders"],
            "dst": ["shop", "orders", "orders-db", "queue"],
            "confidence": [0.95, 0.9, 0.8, 0.4],
        }
    )
    at = pd.to_datetime(["2026-03-02 10:00", "2026-03-02 10:01", "2026-03-02 10:03", "2026-03-04 12:00"], utc=True)
    alerts = pd.DataFrame(
        {
            "alert_id": ["a", "b", "c", "d"],
            "source": "datadog",
            "alertname": ["Disk full", "Errors", "Errors", "Slow"],
            "rule_key": ["1", "2", "3", "4"],
            "service": ["orders-db", "orders", "shop", "web"],
            "severity": ["critical", "error", "warning", "warning"],
            "starts_at": at.as_unit("us"),
            "ends_at": (at + pd.Timedelta("20min")).as_unit("us"),
            "incident_id": [0, 0, 0, -1],
        }
    )
    owned = pd.DataFrame(
        {
            "service": ["web", "shop", "orders", "orders-db", "queue"],
            "team": ["front", "front", "orders", "storage", "storage"],
            "repository": ["acme/web", "acme/shop", "acme/orders", None, None],
        }
    )
    return sl.ProductionMap(edges, alerts, ownership=owned)


@pytest.fixture
def explorer(production: sl.ProductionMap) -> sl.Explorer:
    return sl.Explorer(production)
