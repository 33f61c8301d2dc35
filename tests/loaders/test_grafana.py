from __future__ import annotations

import json
from collections import Counter

import pandas as pd
import pytest

from stanza_lab import fold_events

LABELS = {"alertname": "High latency", "grafana_folder": "shop", "service": "checkout", "severity": "warning"}
RULE = 'High latency{grafana_folder="shop", service="checkout", severity="warning"}'
TEXT = "High latency {alertname=High latency, grafana_folder=shop, service=checkout, severity=warning} - B=2400.0"
FIRED, OVER = pd.Timestamp("2024-05-14T14:02:11Z"), pd.Timestamp("2024-05-14T14:31:40Z")


def annotation(previous="Pending", current="Alerting", *, at=1_715_695_331_000, **fields):
    """Return one annotation of an alert."""
    return {
        "id": 1124,
        "alertId": 0,
        "alertName": "High latency",
        "dashboardUID": "abc",
        "panelId": 2,
        "newState": current,
        "prevState": previous,
        "time": at,
        "timeEnd": at,
        "text": TEXT,
        "tags": [],
        **fields,
    }


def line(previous="Pending", current="Alerting", **fields):
    """Return one line of the state history as text."""
    entry = {
        "schemaVersion": 1,
        "previous": previous,
        "current": current,
        "values": {"B": 2400},
        "fingerprint": "d8a21484c9c25a60",
        "ruleTitle": "High latency",
        "ruleUID": "zTjxv_C7k",
        "labels": LABELS,
        **fields,
    }
    return json.dumps(entry)


def stream(*values):
    """Return the answer of Loki with one stream of (nanoseconds, line)."""
    one = {"stream": {"from": "state-history", "orgID": "1", "group": "eval-1m"}, "values": [list(v) for v in values]}
    return {"status": "success", "data": {"resultType": "streams", "result": [one], "stats": {}}}


def alert(**fields):
    """Return one alert of a notification."""
    return {
        "status": "firing",
        "labels": LABELS,
        "annotations": {"summary": "p99 high"},
        "startsAt": "2024-05-14T14:02:11Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "values": {"B": 2400},
        "generatorURL": "/alerting/grafana/zTjxv_C7k/view?orgId=1",
        "fingerprint": "d8a21484c9c25a60",
        "valueString": "[ var='B' labels={instance=web-1:80, job=y} value=120 ], [ var='C' labels={} value=1 ]",
        **fields,
    }


def notification(*alerts, **fields):
    """Return a notification of unified alerting."""
    return {
        "receiver": "wh",
        "status": "firing",
        "orgId": 1,
        "alerts": list(alerts),
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "https://grafana.example.com/",
        "version": "1",
        "groupKey": "{}:{}",
        "title": "[FIRING:1] High latency",
        "state": "alerting",
        "message": "...",
        **fields,
    }


def legacy(**fields):
    """Return a notification of legacy alerting."""
    return {
        "ruleId": 12,
        "ruleName": "CPU",
        "ruleUrl": "https://grafana/d/x",
        "title": "[Alerting] CPU",
        "state": "alerting",
        "message": "high",
        "orgId": 1,
        "dashboardId": 3,
        "panelId": 4,
        "evalMatches": [
            {"value": 99, "metric": "web-1", "tags": {"host": "web-1"}},
            {"value": 98, "metric": "web-2", "tags": {"host": "web-2"}},
        ],
        "tags": {"service": "web", "severity": "critical", "team": "core"},
        **fields,
    }


def oncall(**fields):
    """Return an alert group of OnCall."""
    return {
        "id": "I68T24C13IFW1",
        "integration_id": "CFRPV98RPR1U8",
        "route_id": "R",
        "alerts_count": 3,
        "state": "resolved",
        "created_at": "2024-05-14T14:02:30.000000Z",
        "acknowledged_at": "2024-05-14T14:05:00Z",
        "resolved_at": "2024-05-14T14:32:00Z",
        "title": "High latency",
        "permalinks": {"slack": None, "web": "https://oncall/I68"},
        "last_alert": {"id": "A1", "payload": {"alerts": [{"labels": LABELS}], "status": "firing"}},
        **fields,
    }


@pytest.mark.parametrize(
    ("sample", "ignored", "rule"),
    [
        ("synthetic_annotations_alert", {}, RULE.replace(', severity="warning"', "")),
        ("synthetic_loki_state_history", {"grafana change between states that do not fire": 2}, RULE),
    ],
)
def test_samples_of_transitions(shared, read, sample, ignored, rule) -> None:
    batch = read((shared / f"formats/samples/grafana/{sample}.json").read_bytes())
    assert batch.ignored == Counter(ignored)
    assert batch.events[["source", "kind", "at", "rule_key", "alertname", "service"]].values.tolist() == [
        ["grafana", "resolved", OVER, rule, "High latency", "checkout"],
        ["grafana", "fired", FIRED, rule, "High latency", "checkout"],
    ]
    [row] = fold_events(batch.events).to_dict("records")
    assert (row["starts_at"], row["ends_at"]) == (FIRED, OVER)


def test_sample_of_a_notification(shared, event) -> None:
    got = event((shared / "formats/samples/grafana/synthetic_webhook_unified.json").read_bytes())
    assert (got["source"], got["kind"], got["severity"], got["service"]) == (
        "grafana",
        "resolved",
        "warning",
        "checkout",
    )
    assert (got["starts_at"], got["ends_at"]) == (pd.Timestamp("2024-05-14T14:02:10Z"), OVER)
    assert (got["rule_key"], got["summary"]) == (RULE, "p99 high")
    assert got["occurrence_key"] == "d8a21484c9c25a60|2024-05-14T14:02:10.000Z"


def test_transition_of_the_state_history(event) -> None:
    got = event(stream(("1715695331000000000", line())))
    assert json.loads(got.pop("raw"))["value"] == ["1715695331000000000", line()]
    assert json.loads(got.pop("labels")) == {
        "fingerprint": "d8a21484c9c25a60",
        "grafana_folder": "shop",
        "group": "eval-1m",
        "new_state": "Alerting",
        "old_state": "Pending",
        "org": "1",
        "rule_uid": "zTjxv_C7k",
        "service": "checkout",
        "severity": "warning",
        "values": {"B": 2400},
    }
    assert got == {
        "source": "grafana",
        "event_id": f"{RULE}|2024-05-14T14:02:11.000Z|fired",
        "native_ids": [f"{RULE}|2024-05-14T14:02:11.000Z|fired"],
        "rule_key": RULE,
        "at": FIRED,
        "time_source": "event",
        "kind": "fired",
        "has_recovery": True,
        "alertname": "High latency",
        "severity": "warning",
        "severity_raw": "warning",
        "summary": "High latency changed from Pending to Alerting",
        "service": "checkout",
        "resources": [],
        "trace_ids": [],
    }


def test_annotation_and_state_history_tell_one_fact(read) -> None:
    loki = stream(("1715697100000000000", line("Alerting", "Normal")), ("1715695331000000000", line()))
    api = [annotation("Alerting", "Normal", at=1_715_697_100_000, id=1125), annotation()]
    events = pd.concat([read(loki).events, read(api, name="api.json").events], ignore_index=True)
    assert events["event_id"].nunique() == 2
    [row] = fold_events(events).to_dict("records")
    assert row["event_ids"] == [
        "1124",
        f"{RULE}|2024-05-14T14:02:11.000Z|fired",
        "1125",
        f"{RULE}|2024-05-14T14:31:40.000Z|resolved",
    ]
    assert (row["starts_at"], row["ends_at"]) == (FIRED, OVER)


@pytest.mark.parametrize(
    ("previous", "current", "kind", "health"),
    [
        ("Normal", "Alerting", "fired", None),
        ("Normal", "Alerting (NoData)", "fired", "NoData"),
        ("Alerting", "Alerting (Error)", "renotified", "Error"),
        ("Recovering", "Alerting", "renotified", None),
        ("Alerting", "Normal (MissingSeries)", "resolved", None),
        ("Recovering", "Normal", "resolved", None),
        ("Alerting", "NoData", "resolved", "NoData"),
        ("Normal", "NoData", "note", "NoData"),
        ("Pending", "Error", "note", "Error"),
        ("NoData", "Alerting", "fired", "NoData"),
        ("alerting", "ok", "resolved", None),
        ("ok", "alerting", "fired", None),
        ("Alerting", "Recovering", "grafana alert that fires on (Recovering)", None),
        ("Normal", "Pending", "grafana change between states that do not fire", None),
        ("Normal (MissingSeries)", "Normal", "grafana change between states that do not fire", None),
        ("NoData", "Normal", "grafana change between states that do not fire", None),
    ],
)
def test_transitions(read, previous, current, kind, health) -> None:
    for export in (annotation(previous, current), stream(("1715695331000000000", line(previous, current)))):
        batch = read(export)
        if batch.ignored:
            assert batch.ignored == Counter({kind: 1})
        else:
            [row] = batch.events.to_dict("records")
            assert (row["kind"], json.loads(row["labels"]).get("rule_health")) == (kind, health)


@pytest.mark.parametrize(
    "export",
    [
        {"labels": {"from": "state-history"}, "line": line(), "timestamp": "2024-05-14T14:02:11Z"},
        {"timestamp": "2024-05-14T14:02:11Z", "message": line()},
        {
            "schema": {"fields": [{"name": "time"}, {"name": "line"}, {"name": "labels"}]},
            "data": {"values": [[1_715_695_331_000], [json.loads(line())], [{}]]},
        },
    ],
)
def test_state_history_by_other_ways(event, export) -> None:
    got = event(export)
    assert (got["event_id"], got["at"]) == (f"{RULE}|2024-05-14T14:02:11.000Z|fired", FIRED)


def test_labels_in_the_text_of_an_annotation(event) -> None:
    got = event(annotation(text="High latency {alertname=High latency, note=a, b and c, pod=cart-1} - B{x=y}=1.2 }"))
    assert got["rule_key"] == 'High latency{note="a, b and c", pod="cart-1"}'
    assert got["resources"] == ["cart-1"]


def test_legacy_annotation_is_known_by_its_alert(event) -> None:
    got = event(annotation("ok", "alerting", alertId=7, text="", alertName="CPU"))
    assert (got["rule_key"], got["alertname"], got["native_ids"]) == ("7", "CPU", ["1124"])


def test_notification_of_unified_alerting(event) -> None:
    got = event(notification(alert()))
    assert json.loads(got.pop("labels")) == {
        **LABELS,
        "fingerprint": "d8a21484c9c25a60",
        "org": "1",
        "receiver": "wh",
        "rule_uid": "zTjxv_C7k",
        "value_labels": {"instance": "web-1:80", "job": "y"},
        "values": {"B": 2400},
    }
    del got["raw"]
    assert got == {
        "source": "grafana",
        "event_id": "d8a21484c9c25a60|2024-05-14T14:02:11.000Z|fired",
        "native_ids": ["d8a21484c9c25a60|2024-05-14T14:02:11.000Z|fired"],
        "occurrence_key": "d8a21484c9c25a60|2024-05-14T14:02:11.000Z",
        "rule_key": RULE,
        "at": FIRED,
        "time_source": "event",
        "kind": "fired",
        "has_recovery": True,
        "alertname": "High latency",
        "starts_at": FIRED,
        "severity": "warning",
        "severity_raw": "warning",
        "summary": "p99 high",
        "url": "/alerting/grafana/zTjxv_C7k/view?orgId=1",
        "service": "checkout",
        "resources": ["web-1:80"],
        "trace_ids": [],
    }


@pytest.mark.parametrize(
    ("export", "source"),
    [
        (notification(alert()), "grafana"),
        ({**notification(alert()), "orgId": None}, "grafana"),
        ({k: v for k, v in notification(alert()).items() if k != "orgId"}, "grafana"),
        (
            {k: v for k, v in notification(alert(), version="4").items() if k not in ("orgId", "title", "state")},
            "alertmanager",
        ),
        (
            {
                **alert(),
                "status": {"state": "active"},
                "endsAt": "2024-05-14T15:00:00Z",
                "updatedAt": "2024-05-14T14:30:00Z",
            },
            "grafana",
        ),
        ({**alert(labels={"alertname": "x"}), "status": {"state": "active"}}, "alertmanager"),
    ],
)
def test_look_alikes_are_told_apart(event, export, source) -> None:
    got = event(export)
    assert (got["source"], got["kind"]) == (source, "fired")


def test_firing_again_and_its_end_are_one_alert(read) -> None:
    log = [
        notification(alert()),
        notification(alert()),
        notification(alert(status="resolved", endsAt="2024-05-14T14:31:40Z")),
    ]
    [row] = fold_events(read(log).events).to_dict("records")
    assert (row["starts_at"], row["ends_at"], len(row["event_ids"])) == (FIRED, OVER, 2)


@pytest.mark.parametrize(("alertname", "health"), [("DatasourceNoData", "NoData"), ("DatasourceError", "Error")])
def test_rule_health_is_marked_not_dropped(event, alertname, health) -> None:
    got = event(notification(alert(labels={"alertname": alertname, "rulename": "High latency"})))
    labels = json.loads(got["labels"])
    assert (got["kind"], labels["rule_health"], labels["rulename"]) == ("fired", health, "High latency")


def test_legacy_notification_has_the_time_of_its_receipt(event) -> None:
    got = event({"received_at": "2020-05-14T14:02:12Z", "body": legacy()})
    assert json.loads(got.pop("labels")) == {
        "dashboard": "3",
        "matches": ["web-1=99", "web-2=98"],
        "org": "1",
        "panel": "4",
        "tags": ["service:web", "severity:critical", "team:core"],
    }
    del got["raw"]
    assert got == {
        "source": "grafana",
        "event_id": "1|12|2020-05-14T14:02:12.000Z|fired",
        "native_ids": ["1|12|2020-05-14T14:02:12.000Z|fired"],
        "rule_key": "1|12",
        "at": pd.Timestamp("2020-05-14T14:02:12Z"),
        "time_source": "receipt",
        "kind": "fired",
        "has_recovery": True,
        "alertname": "CPU",
        "severity": "critical",
        "severity_raw": "critical",
        "summary": "[Alerting] CPU",
        "description": "high",
        "url": "https://grafana/d/x",
        "service": "web",
        "team": "core",
        "resources": ["web-1", "web-2"],
        "trace_ids": [],
    }


def test_legacy_notification_without_receipt_has_no_time(read) -> None:
    events = read([legacy(), legacy(state="ok", evalMatches=[]), legacy()]).events
    assert events["at"].isna().all()
    assert events["time_source"].tolist() == ["none"] * 3
    assert events["kind"].tolist() == ["fired", "resolved", "fired"]
    assert events["event_id"].nunique() == 2


@pytest.mark.parametrize(("state", "kind"), [("ok", "resolved"), ("no_data", "fired")])
def test_legacy_states(event, state, kind) -> None:
    got = event(legacy(state=state, evalMatches=[]))
    assert (got["kind"], json.loads(got["labels"]).get("rule_health")) == (
        kind,
        "NoData" if state == "no_data" else None,
    )


def test_alert_group_of_oncall(event) -> None:
    got = event({"count": 1, "next": None, "results": [oncall()]})
    del got["raw"], got["labels"]
    assert got == {
        "source": "grafana",
        "event_id": "oncall|I68T24C13IFW1|resolved",
        "native_ids": ["I68T24C13IFW1"],
        "occurrence_key": "oncall|I68T24C13IFW1",
        "rule_key": RULE,
        "at": pd.Timestamp("2024-05-14T14:32:00Z"),
        "time_source": "event",
        "kind": "resolved",
        "has_recovery": True,
        "alertname": "High latency",
        "starts_at": pd.Timestamp("2024-05-14T14:02:30Z"),
        "acked_at": pd.Timestamp("2024-05-14T14:05:00Z"),
        "ends_at": pd.Timestamp("2024-05-14T14:32:00Z"),
        "severity": "warning",
        "severity_raw": "warning",
        "summary": "High latency",
        "url": "https://oncall/I68",
        "service": "checkout",
        "resources": [],
        "trace_ids": [],
    }


@pytest.mark.parametrize(
    ("fields", "kind", "at"),
    [
        ({"state": "firing", "resolved_at": None, "acknowledged_at": None}, "fired", "2024-05-14T14:02:30Z"),
        ({"state": "silenced", "resolved_at": None, "acknowledged_at": None}, "fired", "2024-05-14T14:02:30Z"),
        ({"state": "acknowledged", "resolved_at": None}, "acknowledged", "2024-05-14T14:05:00Z"),
        ({"state": None, "status": 2}, "resolved", "2024-05-14T14:32:00Z"),
        ({"state": None, "resolved_at": None}, "acknowledged", "2024-05-14T14:05:00Z"),
    ],
)
def test_states_of_oncall(event, fields, kind, at) -> None:
    got = event(oncall(**fields))
    assert (got["kind"], got["at"]) == (kind, pd.Timestamp(at))


def test_exported_and_sent_groups_of_oncall(read) -> None:
    exported = {
        "pk": "I1",
        "status": 0,
        "started_at": "2024-05-14T14:02:30Z",
        "resolved_at": None,
        "render_for_web": {"title": "disk full", "message": "<p>web-1</p>"},
        "alert_receive_channel": {"id": "C1", "integration": "alertmanager", "verbal_name": "prod"},
        "team": "core",
    }
    sent = {
        "event": {"type": "escalation", "time": "2024-05-14T14:02:31Z"},
        "alert_group": {k: v for k, v in oncall(state="firing", resolved_at=None).items() if k != "last_alert"},
        "alert_group_id": "I68T24C13IFW1",
        "alert_payload": {"labels": LABELS},
        "integration": {"id": "CFRPV98RPR1U8", "type": "grafana_alerting", "name": "shop", "team": None},
    }
    events = read([exported, sent]).events
    assert events["rule_key"].tolist() == ["C1|disk full", RULE]
    assert events["origin"].tolist() == ["alertmanager", "grafana"]
    assert events["kind"].tolist() == ["fired", "fired"]
    assert (events["team"][0], events["description"][0]) == ("core", "<p>web-1</p>")


def test_what_is_no_alert_is_counted(read) -> None:
    loki = {"status": "success", "data": {"resultType": "streams", "result": [], "stats": {}}}
    batch = read(
        [annotation(current="", alertName="", text="deployed"), loki, stream(), notification(), legacy(state="paused")]
    )
    assert batch.ignored == Counter(
        {
            "grafana annotation that is no alert": 1,
            "grafana empty query result": 1,
            "grafana state history without lines": 1,
            "grafana notification without alerts": 1,
            "grafana rule that is paused or pending": 1,
        }
    )
    assert batch.rejected.empty


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (annotation(at=None), "no_time"),
        (annotation(current="Broken"), "bad_state"),
        (annotation(alertName=None, text=""), "missing_field"),
        (stream(("1715695331000000000", "no json")), "malformed"),
        (stream(("1715695331000000000", line(current=None))), "missing_field"),
        (stream(("1715695331000000000",)), "malformed"),
        (notification(alert(status="ok")), "bad_state"),
        (notification("alert"), "malformed"),
        (legacy(state="exploded"), "bad_state"),
        (oncall(id=None), "missing_field"),
    ],
)
def test_record_that_cannot_be_used_is_rejected(read, export, reason) -> None:
    assert read(export).rejected["reason"].tolist() == [reason]
