from __future__ import annotations

import base64
import json

import pandas as pd
import pytest

from stanza_lab import fold_events
from stanza_lab.loaders import _newrelic_fields, newrelic

OPEN, CLOSE = 1715695331000, 1715697100000
AT, END = pd.Timestamp(OPEN, unit="ms", tz="UTC"), pd.Timestamp(CLOSE, unit="ms", tz="UTC")
GUID = base64.b64encode(b"1|INFRA|HOST|42").decode().rstrip("=")


def incident(event="open", **fields):
    """Return a row of NrAiIncident."""
    row = {
        "event": event,
        "timestamp": CLOSE if event == "close" else OPEN,
        "incidentId": "i-1",
        "issueId": "s-1",
        "title": "cpu > 90",
        "conditionName": "CPU",
        "policyName": "Hosts",
        "priority": "critical",
        "openTime": OPEN,
        "targetName": "web-1",
        "entity.guid": GUID,
        "entity.name": "web-1",
        "entity.type": "HOST",
        "tags.environment": "prod",
        "tags.team": "web",
    }
    return {**row, **({"closeTime": CLOSE} if event == "close" else {}), **fields}


def workflow(state="ACTIVATED", **fields):
    """Return what a workflow sends by its default template."""
    return {
        "id": "s-1",
        "issueUrl": "https://radar-api.service.newrelic.com/accounts/1/issues/s-1",
        "title": "cpu > 90",
        "priority": "HIGH",
        "impactedEntities": ["web-1"],
        "totalIncidents": 1,
        "state": state,
        "trigger": "STATE_CHANGE",
        "isCorrelated": False,
        "createdAt": OPEN,
        "updatedAt": CLOSE if state == "CLOSED" else OPEN,
        "sources": ["newrelic"],
        "alertPolicyNames": ["Hosts"],
        "alertConditionNames": ["CPU"],
        "workflowName": "all",
        **fields,
    }


def graph_issue(state="ACTIVATED", **fields):
    """Return an issue of NerdGraph inside its answer."""
    issue = {
        "issueId": "s-1",
        "state": state,
        "priority": "HIGH",
        "title": ["cpu > 90"],
        "conditionName": ["CPU"],
        "policyName": ["Hosts"],
        "entityNames": ["web-1"],
        "entityTypes": ["HOST"],
        "entityGuids": [GUID],
        "createdAt": OPEN,
        "activatedAt": OPEN,
        "closedAt": CLOSE if state == "CLOSED" else None,
        **fields,
    }
    return {"data": {"actor": {"account": {"aiIssues": {"issues": {"issues": [issue], "nextCursor": None}}}}}}


def legacy(state="open", **fields):
    """Return a webhook of the notification channels."""
    return {
        "account_id": 1,
        "condition_name": "CPU",
        "current_state": state,
        "details": "CPU > 90 for 5 minutes",
        "event_type": "INCIDENT",
        "incident_id": 77,
        "incident_url": "https://alerts.newrelic.com/accounts/1/incidents/77",
        "policy_name": "Hosts",
        "severity": "CRITICAL",
        "timestamp": CLOSE if state == "closed" else OPEN,
        "duration": CLOSE - OPEN if state == "closed" else 0,
        "targets": [{"name": "web-1", "type": "Host", "labels": {"team": "web", "environment": "prod"}}],
        **fields,
    }


@pytest.mark.shared
def test_sample(shared, read) -> None:
    batch = read((shared / "formats/samples/newrelic/synthetic_nraiincident_nrql.json").read_bytes())
    columns = ["source", "event_id", "native_ids", "kind", "at", "starts_at", "rule_key", "alertname", "summary"]
    columns += ["service", "environment", "severity", "severity_raw", "resources", "occurrence_key"]
    rule, title = "Golden Signals|Error %|checkout", "checkout error percentage > 5.0"
    about = [AT, rule, "Error %", title, "checkout", "prod", "critical", "critical", [], "0ea2df1c"]
    assert batch.events[columns].to_numpy().tolist() == [
        ["newrelic", "0ea2df1c|closed", ["0ea2df1c"], "resolved", END, *about],
        ["newrelic", "0ea2df1c|open", ["0ea2df1c"], "fired", AT, *about],
    ]
    assert batch.events["team"].tolist()[0] == "payments"
    assert json.loads(batch.events["labels"][0])["entity_domain"] == "APM"
    [alert] = fold_events(batch.events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"]) == (AT, END)


def test_incident(event) -> None:
    got = event(incident())
    assert json.loads(got.pop("raw")) == incident()
    assert json.loads(got.pop("labels")) == {
        "account": "1",
        "entities": ["web-1"],
        "entity_domain": "INFRA",
        "entity_guids": [GUID],
        "entity_types": ["HOST"],
        "issue_id": "s-1",
        "policies": ["Hosts"],
        "tags.environment": "prod",
        "tags.team": "web",
        "what": "incident",
    }
    assert got == {
        "source": "newrelic",
        "event_id": "i-1|open",
        "native_ids": ["i-1"],
        "occurrence_key": "i-1",
        "rule_key": "Hosts|CPU|web-1",
        "at": AT,
        "time_source": "event",
        "kind": "fired",
        "has_recovery": True,
        "alertname": "CPU",
        "starts_at": AT,
        "severity": "critical",
        "severity_raw": "critical",
        "summary": "cpu > 90",
        "environment": "prod",
        "team": "web",
        "resources": ["web-1"],
        "trace_ids": [],
    }


def test_rows_of_csv_tell_the_same(read) -> None:
    rows = pd.DataFrame([incident(), incident("close")])
    table = rows.astype({"closeTime": "Int64"}).to_csv(index=False)
    fold = fold_events(read(table, name="a.csv").events)
    assert fold[["source", "event_ids", "starts_at", "ends_at"]].to_numpy().tolist() == [["newrelic", ["i-1"], AT, END]]
    named = {"Incident Id": "i-1", "Event": "open", "Condition Name": "CPU", "Open Time": OPEN, "Policy Name": "Hosts"}
    assert read([named]).events["event_id"].tolist() == ["i-1|open"]


def test_incident_without_its_open_time_has_the_time_of_the_row(event) -> None:
    row = incident()
    del row["openTime"]
    assert event([row])["starts_at"] == AT
    close = incident("close", timestamp=CLOSE + 1)
    del close["openTime"], close["closeTime"]
    assert "starts_at" not in event([close])


@pytest.mark.parametrize(
    ("telling", "fact"),
    [
        (workflow("CREATED"), "open"),
        (workflow(), "activated"),
        (workflow("ACKNOWLEDGED", acknowledgedAt=OPEN + 60_000), "acknowledged"),
        (workflow("CLOSED", closedAt=CLOSE), "closed"),
        (workflow("CLOSED"), "closed"),
        (graph_issue(), "activated"),
        (graph_issue(acknowledgedAt=OPEN + 60_000), "acknowledged"),
        (graph_issue("CLOSED"), "closed"),
        ({"event": "create", "issueId": "s-1", "timestamp": OPEN, "priority": "high", "conditionName": "CPU"}, "open"),
        ({"event": "activate", "issueId": "s-1", "timestamp": OPEN, "priority": "high"}, "activated"),
        ({"event": "close", "issueId": "s-1", "timestamp": CLOSE, "priority": "high"}, "closed"),
    ],
)
def test_every_shape_of_an_issue_tells_the_same_fact(event, telling, fact) -> None:
    kinds = {"open": "fired", "activated": "fired", "acknowledged": "acknowledged", "closed": "resolved"}
    got = event(telling)
    at = {"closed": END, "acknowledged": AT + pd.Timedelta("1min")}.get(fact, AT)
    assert (got["event_id"], got["kind"], got["at"], got["severity"]) == (f"s-1|{fact}", kinds[fact], at, "error")
    assert got["occurrence_key"] == "s-1"


def test_shapes_of_an_issue_fold_into_one_alert(read) -> None:
    tellings = [workflow("CLOSED", closedAt=CLOSE), graph_issue("CLOSED"), workflow("CREATED"), graph_issue()]
    alerts = fold_events(read(tellings).events)
    columns = ["event_ids", "rule_key", "starts_at", "ends_at", "resources"]
    assert alerts[columns].to_numpy().tolist() == [[["s-1"], "Hosts|CPU|web-1", AT, END, ["web-1"]]]


def test_entities_are_services_or_resources_by_their_type(event) -> None:
    got = event(graph_issue(entityNames=["shop", "db-1", "ping"], entityTypes=["APPLICATION", "HOST", "MONITOR"]))
    assert (got["service"], got["resources"]) == ("shop", ["db-1"])


def test_webhooks_of_the_old_alerts(read) -> None:
    batch = read([legacy(), legacy("acknowledged", timestamp=OPEN + 60_000), legacy("closed"), legacy("test")])
    assert batch.ignored == {"newrelic test of a channel": 1}
    assert batch.events[["event_id", "kind"]].to_numpy().tolist() == [
        ["77|open", "fired"],
        ["77|acknowledged", "acknowledged"],
        ["77|closed", "resolved"],
    ]
    [alert] = fold_events(batch.events).to_dict("records")
    about = [alert[key] for key in ("starts_at", "acked_at", "ends_at", "severity", "rule_key", "resources", "team")]
    assert about == [AT, AT + pd.Timedelta("1min"), END, "critical", "Hosts|CPU|web-1", ["web-1"], "web"]


def test_close_alone_knows_its_start_by_its_duration(event) -> None:
    assert event(legacy("closed"))["starts_at"] == AT
    assert "starts_at" not in event(legacy("closed", duration=None))


def test_changes_are_counted_and_unknown_states_refused(read) -> None:
    batch = read([workflow("DEACTIVATED"), incident("priority_changed"), workflow("BLUE"), legacy("blue")])
    assert batch.ignored == {"newrelic change of an issue": 1, "newrelic change of an incident": 1}
    assert batch.rejected["reason"].tolist() == ["bad_state"] * 2


def test_time_of_receipt_stands_in_for_none(event) -> None:
    row = {"event": "activate", "issueId": "s-1", "priority": "high"}
    got = event({"received_at": "2024-05-14T14:02:11Z", "payload": row})
    assert (got["at"], got["time_source"]) == (AT, "receipt")


def test_answers_without_alerts_are_counted(read) -> None:
    answer = {"data": {"actor": {"account": {"nrql": {"results": [{"count": 3}]}}}}}
    assert read(answer).ignored == {"newrelic answer without alerts": 1}


@pytest.mark.parametrize("guid", ["", "x", "MXxBUE0", "////", "é"])
def test_ids_of_entities_that_are_none_say_nothing(guid) -> None:
    assert _newrelic_fields.guid_parts(guid) == (None, None, None)


@pytest.mark.parametrize(
    "record",
    [
        {"id": "1", "state": "open", "title": "x", "priority": "P1"},
        {"incidentId": 1, "event": "open"},
        {"issueId": 7, "timestamp": "2024-05-14T14:02:11Z", "title": "x", "level": "error"},
        {"incident_id": 1, "current_state": "open"},
        {"incidentId": 1, "state": 7, "conditionName": None, "currentState": 1},
    ],
)
def test_look_alikes_are_left_to_others(record) -> None:
    assert not any(shape.matches(record) for shape in newrelic.SHAPES)
