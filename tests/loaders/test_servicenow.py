from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab.loaders import read_files

GROUP = {"link": "https://acme.service-now.com/api/now/table/sys_user_group/8a", "value": "8a"}


def incident(**more):
    """Return a row of the table as the API writes it: values."""
    return {
        "sys_id": "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6",
        "number": "INC0012345",
        "short_description": "Checkout errors 91%",
        "description": "Customers cannot pay",
        "state": "2",
        "priority": "2",
        "opened_at": "2026-03-01 14:02:11",
        "resolved_at": "",
        "closed_at": "",
        "assignment_group": GROUP,
        "business_service": "",
    } | more


def alert(**more):
    """Return a row of the table em_alert as the API writes it."""
    return {
        "sys_id": "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6",
        "number": "Alert0010042",
        "state": "Open",
        "severity": "2",
        "node": "web-1.example",
        "type": "CPU",
        "metric_name": "% Processor Time",
        "source": "Dynatrace",
        "message_key": "web-1_CPU",
        "description": "CPU 98%",
        "initial_event_time": "2026-03-01 14:02:11",
        "last_event_time": "2026-03-01 14:31:40",
        "closed_at": "",
    } | more


def values(row, *columns):
    """Return a row's values, times as text and nulls as None."""
    cells = [row.get(column) for column in columns]
    return [
        c if isinstance(c, list) else str(c) if isinstance(c, pd.Timestamp) else c if c == c else None for c in cells
    ]


COLUMNS = ["kind", "at", "starts_at", "ends_at", "severity", "severity_raw", "summary", "service", "team", "resources"]


@pytest.mark.shared
def test_sample_of_alerts(shared) -> None:
    [batch] = read_files(shared / "formats/samples/servicenow/synthetic_em_alert_table.json")
    [row] = batch.events.to_dict("records")
    start, end = "2024-05-14 14:02:11+00:00", "2024-05-14 14:31:40+00:00"
    assert values(row, *COLUMNS, "source", "origin", "alertname", "rule_key", "native_ids") == [
        *("resolved", end, start, end, "critical", "1", "CPU 98%", None, None, ["web-1.prod.example.com"]),
        *("servicenow", "scom", "CPU % Processor Time", "SCOM_web-1_CPU"),
        ["Alert0010042", "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"],
    ]


@pytest.mark.shared
def test_sample_of_incidents(shared) -> None:
    file = shared / "formats/samples/servicenow/synthetic_incident_export.csv"
    [batch] = read_files(file)
    assert batch.rejected["reason"].tolist() == ["bad_time"]  # a list is in the zone of its user
    [batch] = read_files(file, tz="America/New_York")
    [row] = batch.events.to_dict("records")
    start, end = "2024-05-14 14:05:00+00:00", "2024-05-14 14:40:00+00:00"
    assert values(row, *COLUMNS, "source", "rule_key", "native_ids") == [
        *("resolved", end, start, end, "critical", "1 - Critical", "Checkout errors", None, "Payments", ["web-1"]),
        *("servicenow", "web-1|Checkout errors", ["INC0012345"]),
    ]


def test_values_are_in_utc(event) -> None:
    got = event({"result": [incident(state="6", resolved_at="2026-03-01 14:31:40")]}, tz="America/New_York")
    got.pop("raw")
    assert json.loads(got.pop("labels")) == {"assignment_group": "8a", "state": "6"}
    assert got == {
        "source": "servicenow",
        "event_id": "INC0012345|close|2026-03-01T14:31:40Z",
        "native_ids": ["INC0012345", "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"],
        "occurrence_key": "INC0012345",
        "rule_key": "Checkout errors #",
        "at": pd.Timestamp("2026-03-01T14:31:40Z"),
        "time_source": "event",
        "kind": "resolved",
        "has_recovery": True,
        "alertname": "Checkout errors 91%",
        "starts_at": pd.Timestamp("2026-03-01T14:02:11Z"),
        "ends_at": pd.Timestamp("2026-03-01T14:31:40Z"),
        "severity": "error",
        "severity_raw": "2",
        "summary": "Checkout errors 91%",
        "description": "Customers cannot pay",
        "resources": [],
        "trace_ids": [],
    }


def test_pairs_of_value_and_what_is_shown(event) -> None:
    got = event(
        {
            "result": {
                "number": {"display_value": "INC0012345", "value": "INC0012345"},
                "sys_id": {
                    "display_value": "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6",
                    "value": "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6",
                },
                "short_description": {"display_value": "Checkout errors", "value": "Checkout errors"},
                "state": {"display_value": "Closed", "value": "7"},
                "priority": {"display_value": "3 - Moderate", "value": "3"},
                "opened_at": {"display_value": "2026-03-01 09:02:11", "value": "2026-03-01 14:02:11"},
                "resolved_at": {"display_value": "", "value": ""},
                "closed_at": {"display_value": "2026-03-01 09:31:40", "value": "2026-03-01 14:31:40"},
                "assignment_group": {"display_value": "Payments", "value": "8a", "link": "https://x/8a"},
                "business_service": {"display_value": "Checkout", "value": "7b", "link": "https://x/7b"},
                "cmdb_ci": {"display_value": "web-1", "value": "9f", "link": "https://x/9f"},
            }
        }
    )
    start, end = "2026-03-01 14:02:11+00:00", "2026-03-01 14:31:40+00:00"
    assert values(got, *COLUMNS) == [
        *("resolved", end, start, end, "warning", "3 - Moderate", "Checkout errors", "Checkout", "Payments", ["web-1"])
    ]
    assert got["rule_key"] == "Checkout|Checkout errors"


def test_what_is_shown_needs_a_zone(event, read) -> None:
    shown = incident(state="In Progress", priority="2 - High", assignment_group={"display_value": "Payments"})
    assert read({"result": [shown]}).rejected["reason"].tolist() == ["bad_time"]
    got = event({"result": [shown]}, tz="America/New_York")
    assert values(got, "kind", "starts_at", "team", "severity") == [
        *("fired", "2026-03-01 19:02:11+00:00", "Payments", "error")
    ]


def test_list_with_labels_for_columns(event) -> None:
    got = event(
        {
            "Number": "INC0012345",
            "Short description": "Checkout errors",
            "Priority": "4 - Low",
            "State": "Canceled",
            "Opened": "2026-03-01 09:02:11",
            "Closed": "2026-03-01 09:31:40",
            "Assignment group": "Payments",
            "Configuration item": "web-1",
        },
        tz="America/New_York",
    )
    start, end = "2026-03-01 14:02:11+00:00", "2026-03-01 14:31:40+00:00"
    assert values(got, *COLUMNS) == [
        *("resolved", end, start, end, "info", "4 - Low", "Checkout errors", None, "Payments", ["web-1"])
    ]


def test_resolved_incident_that_does_not_say_when(event) -> None:
    assert values(event(incident(state="6")), "kind", "at", "ends_at") == ["fired", "2026-03-01 14:02:11+00:00", None]


def test_reopened_incident_is_open(event) -> None:
    got = event(incident(state="2", resolved_at="2026-03-01 14:31:40"))
    assert values(got, "kind", "ends_at") == ["fired", None]


@pytest.mark.parametrize(
    ("fields", "kind", "severity", "end"),
    [
        ({"state": "Open"}, "fired", "error", None),
        ({"state": "Flapping", "severity": "4"}, "fired", "warning", None),
        ({"state": "Reopen", "severity": "5"}, "fired", "info", None),
        ({"state": "Open", "severity": "0"}, "resolved", None, "2026-03-01 14:31:40+00:00"),
        ({"state": "Closed"}, "resolved", "error", "2026-03-01 14:31:40+00:00"),
        ({"state": "Closed", "closed_at": "2026-03-01 15:00:00"}, "resolved", "error", "2026-03-01 15:00:00+00:00"),
    ],
)
def test_state_of_an_alert(event, fields, kind, severity, end) -> None:
    got = event({"result": [alert(**fields)]})
    assert values(got, "kind", "severity", "ends_at") == [kind, severity, end]
    assert (got["origin"], got["rule_key"]) == ("dynatrace", "web-1_CPU")


def test_alert_without_key_is_known_by_what_it_watches(event) -> None:
    assert event(alert(message_key=""))["rule_key"] == "Dynatrace|web-1.example|CPU|% Processor Time"


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"sys_id": "8a", "name": "Payments", "manager": ""}, "servicenow record of another table"),
        (incident(number="CHG0030001"), "servicenow record of another table"),
        (
            {"sys_id": "9", "message_key": "k", "event_class": "SCOM", "time_of_event": "2026-03-01 14:02:11"},
            "servicenow event (its alert is in em_alert)",
        ),
    ],
)
def test_what_is_no_alert_is_ignored(read, record, kind) -> None:
    assert read({"result": [record]}).ignored == {kind: 1}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (incident(opened_at=""), "no_time"),
        (incident(number=""), "missing_field"),
        (alert(closed_at="soon", state="Closed"), "bad_time"),
    ],
)
def test_what_cannot_be_used_is_refused(read, record, reason) -> None:
    assert read({"result": [record]}).rejected["reason"].tolist() == [reason]
