from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import fold_events
from stanza_lab.loaders import read_files

KEY = "70413a06-38d6-4c85-92b8-5ebc900d42e2-1772373731123"


def alert(**more):
    """Return an alert as the API lists it."""
    return {
        "id": KEY,
        "tinyId": "1791",
        "alias": "checkout-5xx",
        "message": "checkout 5xx",
        "status": "open",
        "acknowledged": False,
        "createdAt": "2026-03-01T14:02:11.123Z",
        "updatedAt": "2026-03-01T14:02:11.123Z",
        "priority": "P1",
        "source": "10.1.2.3",
        "owner": "sre1@example.com",
        "tags": ["env:prod", "service:checkout", "OverwriteQuietHours"],
        "teams": [{"id": "4513b7ea-3b91-438f-b7e4-e3e54af9147c"}],
        "responders": [{"type": "team", "id": "4513b7ea-3b91-438f-b7e4-e3e54af9147c"}],
        "integration": {"id": "4513b7ea", "name": "CloudWatch prod", "type": "CloudWatch"},
    } | more


def closed(**more):
    report = {"ackTime": 109_000, "closeTime": 1_769_000, "closedBy": "sre1@example.com"}
    return alert(status="closed", acknowledged=True, updatedAt="2026-03-01T14:31:40.123Z", report=report) | more


def webhook(action, updated, **more):
    """Return a webhook; `updated` in milliseconds."""
    told = {
        "alertId": KEY,
        "tinyId": "1791",
        "alias": "checkout-5xx",
        "message": "checkout 5xx",
        "createdAt": 1772373731123,
        "updatedAt": updated * 1_000_000,
        "insertedAt": 1772373731123456789,
        "username": "sre1@example.com",
        "priority": 3,
        "entity": "web-1",
        "tags": ["env:prod"],
        "teams": ["payments"],
        "details": {"service": "checkout"},
        "source": "prometheus",
    }
    return {"action": action, "alert": told | more, "source": {"name": "web", "type": "web"}, "integrationName": "hook"}


def values(row, columns):
    """Return a row's values, times as text and nulls as None."""
    cells = [row.get(column) for column in columns]
    return [
        c if isinstance(c, list) else str(c) if isinstance(c, pd.Timestamp) else c if c == c else None for c in cells
    ]


@pytest.mark.shared
def test_sample(shared) -> None:
    [batch] = read_files(shared / "formats/samples/opsgenie/synthetic_alerts_list.json")
    assert batch.rejected["message"].tolist() == []
    [row] = batch.events.to_dict("records")
    columns = ["source", "origin", "kind", "at", "starts_at", "acked_at", "ends_at", "severity", "severity_raw"]
    assert values(row, columns) == [
        *("opsgenie", "alertmanager", "resolved", "2024-05-14 14:31:40.123000+00:00"),
        *("2024-05-14 14:02:11.123000+00:00", "2024-05-14 14:04:00.123000+00:00"),
        *("2024-05-14 14:31:40.123000+00:00", "error", "P2"),
    ]
    columns = ["summary", "rule_key", "service", "environment", "team", "resources", "native_ids"]
    assert values(row, columns) == [
        *("checkout 5xx", "checkout-5xx", None, "prod", None, []),
        ["70413a06-38d6-4c85-92b8-5ebc900d42e2-1715695331000"],
    ]


def test_closed_alert(event) -> None:
    got = event({"data": [closed()], "paging": {"next": "https://example.com"}, "took": 0.1, "requestId": "r"})
    got.pop("raw")
    assert json.loads(got.pop("labels")) == {
        "alias": "checkout-5xx",
        "integration": "CloudWatch prod",
        "sent_by": "10.1.2.3",
        "status": "closed",
        "tags": ["OverwriteQuietHours", "env:prod", "service:checkout"],
        "team_ids": ["4513b7ea-3b91-438f-b7e4-e3e54af9147c"],
        "tiny_id": "1791",
    }
    assert got == {
        "source": "opsgenie",
        "origin": "cloudwatch",
        "event_id": f"{KEY}|close|2026-03-01T14:31:40Z",
        "native_ids": [KEY],
        "occurrence_key": KEY,
        "rule_key": "checkout-5xx",
        "at": pd.Timestamp("2026-03-01T14:31:40.123Z"),
        "time_source": "event",
        "kind": "resolved",
        "has_recovery": True,
        "alertname": "checkout 5xx",
        "starts_at": pd.Timestamp("2026-03-01T14:02:11.123Z"),
        "acked_at": pd.Timestamp("2026-03-01T14:04:00.123Z"),
        "ends_at": pd.Timestamp("2026-03-01T14:31:40.123Z"),
        "severity": "critical",
        "severity_raw": "P1",
        "summary": "checkout 5xx",
        "service": "checkout",
        "environment": "prod",
        "resources": [],
        "trace_ids": [],
    }


def test_closed_alert_without_report_ended_when_it_was_last_updated(event) -> None:
    assert event(closed(report=None))["ends_at"] == pd.Timestamp("2026-03-01T14:31:40.123Z")


def test_open_and_acknowledged_alerts(event) -> None:
    columns = ["kind", "at", "acked_at", "ends_at"]
    assert values(event(alert()), columns) == ["fired", "2026-03-01 14:02:11.123000+00:00", None, None]
    at = "2026-03-01 14:04:00.123000+00:00"
    taken = alert(acknowledged=True, report={"ackTime": 109_000})
    assert values(event(taken), columns) == ["acknowledged", at, at, None]
    # Taken, but not known when.
    assert values(event(alert(acknowledged=True)), columns)[0] == "fired"


@pytest.mark.parametrize(
    ("alias", "message", "rule_key"),
    [
        ("checkout-5xx", "x", "checkout-5xx"),
        (KEY, "disk 91% on db-7", "disk # on db-7"),  # an alert without alias gets its id for one
        (None, "disk 91% on db-7", "disk # on db-7"),
    ],
)
def test_rule(event, alias, message, rule_key) -> None:
    assert event(alert(alias=alias, message=message))["rule_key"] == rule_key


def test_webhooks_and_list_tell_the_same_facts(read) -> None:
    hooks = [
        webhook("Create", 1772373731123),
        webhook("Acknowledge", 1772373840123),
        webhook("EscalateNext", 1772373900000),
        webhook("AddNote", 1772373960000, note="rolled back"),
        webhook("Close", 1772375500123),
    ]
    told, listed = read(hooks).events, read(closed()).events
    assert told["kind"].tolist() == ["fired", "acknowledged", "renotified", "note", "resolved"]
    assert told["event_id"].tolist()[-1] == listed["event_id"].tolist()[0]
    alerts = fold_events(pd.concat([told, listed]))
    columns = ["starts_at", "acked_at", "ends_at", "severity_raw", "service", "team", "environment", "resources"]
    assert [values(row, [*columns, "origin", "event_ids"]) for row in alerts.to_dict("records")] == [
        [
            *("2026-03-01 14:02:11.123000+00:00", "2026-03-01 14:04:00.123000+00:00"),
            *("2026-03-01 14:31:40.123000+00:00", "P3", "checkout", "payments", "prod", ["web-1"]),
            *("alertmanager", [KEY]),
        ]
    ]


def test_webhook_without_time_of_its_own_takes_that_of_its_receipt(event) -> None:
    hook = webhook("Close", 0)
    del hook["alert"]["updatedAt"]
    assert values(event(hook), ["kind", "time_source", "at"]) == ["resolved", "none", None]
    got = event({"received_at": "2026-03-01T14:31:41Z", "delivery_id": "d1", "body": hook})
    assert values(got, ["time_source", "at", "native_ids"]) == [*("receipt", "2026-03-01 14:31:41+00:00", ["d1", KEY])]


@pytest.mark.parametrize(
    ("export", "kind"),
    [
        (webhook("AddTags", 1772373900000), "opsgenie webhook that tells no change of state"),
        ({"id": "i", "tinyId": "3", "message": "x", "impactedServices": [], "createdAt": "x"}, "opsgenie incident"),
        ({"data": [{"log": "x", "type": "system", "owner": "System", "createdAt": "x", "offset": "1"}]}, None),
    ],
)
def test_what_is_no_alert_is_ignored(read, export, kind) -> None:
    assert read(export).ignored == {kind or "opsgenie log of an alert": 1}


@pytest.mark.parametrize(("export", "reason"), [(alert(createdAt=None), "no_time"), (alert(id=None), "missing_field")])
def test_what_cannot_be_used_is_refused(read, export, reason) -> None:
    assert read(export).rejected["reason"].tolist() == [reason]
