from __future__ import annotations

import pandas as pd

from stanza_lab import schema
from stanza_lab.production import tables

ALERTS = pd.DataFrame(
    {
        "service": ["shop", "shop", "shop", "db", None],
        "starts_at": ["2026-03-01T10:00Z", "2026-03-01T09:00Z", "2026-03-03T09:00Z", "2026-03-02T09:00Z", None],
        "team": ["web", "web", "ops", None, "web"],
        "environment": ["prod", "staging", None, "prod", "prod"],
        "incident_id": [1, 1, 2, -1, 1],
    }
)


def describe(alerts: pd.DataFrame, ownership: pd.DataFrame | None = None) -> pd.DataFrame:
    edges = tables.complete(pd.DataFrame({"src": ["shop"], "dst": ["db"], "confidence": [0.5]}))
    return tables.describe(edges, schema.check(alerts, schema.ALERTS, need=["service"]), ownership).set_index("service")


def test_a_service_is_what_its_alerts_say() -> None:
    shop = describe(ALERTS).loc["shop"]
    assert (shop["team"], shop["alerts"], shop["incidents"], shop["environment"]) == ("web", 3, 2, "prod")
    assert (str(shop["first_seen"]), str(shop["last_seen"])) == (
        "2026-03-01 09:00:00+00:00",
        "2026-03-03 09:00:00+00:00",
    )


def test_noise_is_no_incident_and_no_team_is_null() -> None:
    db = describe(ALERTS).loc["db"]
    assert db["incidents"] == 0
    assert pd.isna(db["team"])


def test_ownership_wins_over_alerts() -> None:
    owners = pd.DataFrame({"service": ["shop", "db", "elsewhere"], "team": ["store", "storage", "x"]})
    assert describe(ALERTS, owners)["team"].to_dict() == {"db": "storage", "shop": "store"}


def test_without_incidents_their_number_is_unknown() -> None:
    assert describe(ALERTS.drop(columns="incident_id"))["incidents"].isna().all()


def test_columns_and_dtypes_are_those_promised() -> None:
    frame = describe(ALERTS).reset_index()
    assert list(frame.columns) == list(tables.COLUMNS)
    assert [str(dtype) for dtype in frame.dtypes[["alerts", "incidents", "first_seen"]]] == [
        "int64",
        "Int64",
        "datetime64[us, UTC]",
    ]


def test_edges_get_all_columns() -> None:
    edges = tables.complete(pd.DataFrame({"dst": ["db"], "src": ["shop"], "confidence": [0.5]}))
    assert list(edges.columns) == schema.EDGES.names
    assert edges["support"].tolist() == [0]
    assert edges["provenance"].tolist() == [[]]
