from __future__ import annotations

import base64
import json

import pandas as pd
import pytest

from stanza_lab import fold_events

STARTED, ENDED = pd.Timestamp("2024-05-14T14:02:11Z"), pd.Timestamp("2024-05-14T14:31:40Z")
RULE = "VM CPU|instance_id=1234567890123456789,instance_name=web-1,project_id=shop-prod,zone=us-central1-a"


@pytest.mark.shared
def test_real_webhook(shared, event) -> None:
    got = event((shared / "formats/samples/gcp/synthetic_webhook_v1_2.json").read_bytes())
    del got["raw"]
    assert json.loads(got.pop("labels"))["condition"] == "CPU > 90%"
    assert got == {
        "source": "gcp",
        "event_id": "0.opqiw61fsv7p|closed",
        "native_ids": ["0.opqiw61fsv7p"],
        "occurrence_key": "0.opqiw61fsv7p",
        "rule_key": RULE,
        "at": ENDED,
        "time_source": "event",
        "kind": "resolved",
        "has_recovery": True,
        "alertname": "VM CPU",
        "starts_at": STARTED,
        "ends_at": ENDED,
        "severity": "critical",
        "severity_raw": "Critical",
        "summary": "CPU utilization for shop-prod web-1 returned to normal.",
        "description": "runbook",
        "url": "https://console.cloud.google.com/monitoring/alerting/incidents/0.opqiw61fsv7p?project=shop-prod",
        "team": "web",
        "resources": ["web-1", "1234567890123456789"],
        "trace_ids": [],
    }


RESOURCE = {"instance_id": "1234567890123456789", "project_id": "shop-prod", "zone": "us-central1-a"}
METRIC = {"type": "compute.googleapis.com/instance/cpu/utilization", "labels": {"instance_name": "web-1"}}


def webhook(state="open", **fields):
    """Return an incident as a webhook sends it."""
    incident = {
        "incident_id": "0.opq",
        "scoping_project_id": "shop-prod",
        "started_at": 1715695331,
        "ended_at": 1715697100 if state in ("closed", "CLOSED") else None,
        "state": state,
        "policy_name": "VM CPU",
        "condition_name": "CPU > 90%",
        "resource": {"type": "gce_instance", "labels": RESOURCE},
        "metric": METRIC,
        "metadata": {"system_labels": {}, "user_labels": {"env": "prod", "app": "shop"}},
        "policy_user_labels": {"team": "web"},
        "summary": "CPU is high.",
        **fields,
    }
    return {"version": "1.2", "incident": incident}


def listed(state="OPEN", **fields):
    """Return an alert of projects.alerts.list."""
    alert = {
        "name": "projects/12345/alerts/0.opq",
        "state": state,
        "openTime": "2024-05-14T14:02:11Z",
        "resource": {"type": "gce_instance", "labels": RESOURCE},
        "metric": METRIC,
        "metadata": {"userLabels": {"env": "prod", "app": "shop"}},
        "policy": {
            "name": "projects/shop-prod/alertPolicies/1",
            "displayName": "VM CPU",
            "userLabels": {"team": "web"},
            "severity": "WARNING",
        },
        **fields,
    }
    return alert | ({"closeTime": "2024-05-14T14:31:40.123456789Z"} if state == "CLOSED" else {})


@pytest.mark.parametrize(("state", "ended"), [("open", None), ("OPEN", 0), ("Open", "0")])
def test_open_incident_has_no_end(event, state, ended) -> None:
    got = event(webhook(state, ended_at=ended))
    assert (got["kind"], got["at"], got["starts_at"], "ends_at" in got) == ("fired", STARTED, STARTED, False)
    assert (got["service"], got["environment"], got["team"]) == ("shop", "prod", "web")
    assert "severity" not in got


def test_webhooks_and_the_api_tell_the_same_facts(read) -> None:
    opened, closed = webhook(), webhook("closed")
    events = read([opened, closed, {"alerts": [listed("CLOSED")], "nextPageToken": "t", "totalSize": 1}]).events
    assert events["event_id"].tolist() == ["0.opq|open", "0.opq|closed", "0.opq|closed"]
    assert events["rule_key"].unique().tolist() == [RULE]
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"].floor("s")) == (STARTED, ENDED)
    assert alert["event_ids"] == ["0.opq", "projects/12345/alerts/0.opq"]


def test_alert_of_the_api(event) -> None:
    got = event({"alerts": [listed()]})
    assert (got["kind"], got["at"], got["occurrence_key"], got["rule_key"]) == ("fired", STARTED, "0.opq", RULE)
    assert (got["severity"], got["severity_raw"], got["team"], got["service"]) == ("warning", "WARNING", "web", "shop")
    assert (got["alertname"], got["summary"]) == ("VM CPU", "VM CPU open: 1234567890123456789")
    labels = json.loads(got["labels"])
    assert (labels["policy_id"], labels["project"]) == ("projects/shop-prod/alertPolicies/1", "shop-prod")


def test_closed_incident_without_an_end_has_the_time_of_receipt_or_none(event) -> None:
    told = webhook("closed", ended_at=0)
    assert event(told)["time_source"] == "none"
    got = event({"received_at": "2024-05-14T15:00:00Z", "payload": told})
    assert (got["time_source"], got["at"], "ends_at" in got) == ("receipt", pd.Timestamp("2024-05-14T15:00Z"), False)


@pytest.mark.parametrize(
    ("word", "severity"), [("Critical", "critical"), ("Error", "error"), ("Warning", "warning"), ("No severity", None)]
)
def test_severity_of_the_policy(event, word, severity) -> None:
    got = event(webhook(severity=word))
    assert (got.get("severity"), got.get("severity_raw")) == (severity, word if severity else None)


def test_severity_may_be_a_label_of_the_policy(event) -> None:
    assert event(webhook(policy_user_labels={"severity": "critical"}))["severity"] == "critical"


@pytest.mark.parametrize(
    ("labels", "service", "resources"),
    [
        ({"service_name": "checkout", "revision_name": "checkout-7"}, "checkout", ["checkout-7"]),
        ({"cluster_name": "prod", "namespace_name": "shop", "pod_name": "cart-1"}, None, ["cart-1"]),
        ({"cluster_name": "prod", "location": "eu"}, None, ["prod"]),
        ({"database_id": "shop-prod:orders"}, None, ["shop-prod:orders"]),
        ({"host": "shop.example.com", "project_id": "p"}, None, ["shop.example.com"]),
    ],
)
def test_resource_labels_name_service_and_resources(event, labels, service, resources) -> None:
    got = event(webhook(resource={"type": "x", "labels": labels}, metadata={}))
    assert (got.get("service"), got["resources"]) == (service, resources)


def message(told, **fields):
    return {"data": base64.b64encode(json.dumps(told).encode()).decode(), "messageId": "m-1", **fields}


@pytest.mark.parametrize(
    "export",
    [
        {
            "message": message(webhook(), publishTime="2024-05-14T14:03:00Z"),
            "subscription": "projects/p/subscriptions/s",
        },
        {"receivedMessages": [{"ackId": "a", "message": message(webhook())}]},
        [{"ackId": "a", "message": message(webhook()["incident"])}],
        {"message": {"data": json.dumps(webhook()), "messageId": "m-1"}},
        webhook()["incident"],
        {"incident": json.dumps(webhook()["incident"])},
        {"body": json.dumps(webhook())},
    ],
)
def test_wrappings_are_seen_through(event, export) -> None:
    got = event(export)
    assert (got["source"], got["event_id"], got["rule_key"]) == ("gcp", "0.opq|open", RULE)
    assert "incident_id" in got["raw"]


@pytest.mark.parametrize(
    "data", ["???", "aGVsbG8=", base64.b64encode(b'{"a": 1}').decode(), base64.b64encode(b"\xff").decode()]
)
def test_message_of_something_else_is_not_taken(read, data) -> None:
    batch = read({"message": {"data": data, "messageId": "m-1"}})
    assert "gcp" not in batch.events["source"].tolist()


def test_incident_of_another_system_is_not_taken(read) -> None:
    newrelic = {"incident_id": 1, "policy_name": "p", "condition_name": "c", "current_state": "open", "timestamp": 1}
    assert "gcp" not in read(newrelic).events["source"].tolist()


def test_policies_and_test_notifications_are_counted(read) -> None:
    policy = {"name": "projects/p/alertPolicies/1", "displayName": "VM CPU", "conditions": []}
    assert read({"alertPolicies": [policy]}).ignored == {"gcp alert policy": 1}
    assert read({**webhook(), "version": "test"}).ignored == {"gcp test notification": 1}


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (webhook(state="snoozed"), "bad_state"),
        (webhook(state=None), "bad_state"),
        (webhook(incident_id=None), "missing_field"),
        (webhook(started_at="yesterday"), "bad_time"),
        (listed("STATE_UNSPECIFIED"), "bad_state"),
    ],
)
def test_incident_that_cannot_be_placed_is_rejected(read, export, reason) -> None:
    assert read(export).rejected["reason"].tolist() == [reason]
