"""Webhooks, CSV rows, API v1, EventBridge, monitors and their groups; events of API v2 are in test_datadog."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import read_alerts
from stanza_lab.history import fold_events

SEEN = (
    "event_id",
    "rule_key",
    "at",
    "kind",
    "severity_raw",
    "alertname",
    "service",
    "environment",
    "team",
    "resources",
)
BODY = (
    "%%%\nErrors are high. @slack-oncall\n\n[[Monitor Status](https://app.datadoghq.com/monitors/7?group=service%3Ashop)]"
    " · [[Edit Monitor](https://app.datadoghq.com/monitors#7/edit)]\n%%%"
)


def webhook(**fields):
    """Return a webhook with the default payload."""
    default = {
        "body": "%%%\nErrors are high.\n%%%",
        "last_updated": "1772373731000",
        "event_type": "query_alert_monitor",
        "title": "[P2] [Triggered on {service:shop}] errors high",
        "date": "1772373731000",
        "org": {"id": "321813", "name": "acme"},
        "id": "7500000000000000001",
    }
    return {key: value for key, value in {**default, **fields}.items() if value is not None}


def row(**fields):
    """Return a row of the Events Explorer's CSV."""
    title = "[P2] [Triggered on {service:shop}] errors high"
    default = {"Date": "2026-03-01T14:02:11.123Z", "Status": "error", "Source": "alert", "Service": "shop"}
    default |= {"Host": "web-1", "Title": title, "Message": "Errors", "Tags": "env:prod, team:pay"}
    return {key: value for key, value in {**default, **fields}.items() if value is not None}


def v1(**fields):
    """Return a page of API v1 with one event."""
    event = {
        "id": 7500000000000000001,
        "date_happened": 1772373731,
        "alert_type": "error",
        "title": "[Triggered on {service:shop}] errors high",
        "text": "%%%\nErrors are high.\n%%%",
        "tags": ["service:shop", "env:prod", "monitor"],
        "monitor_id": 7,
        "monitor_groups": ["service:shop"],
        "priority": "normal",
        "host": "web-1",
        "url": "/event/event?id=7500000000000000001",
        "is_aggregate": False,
        **fields,
    }
    return {"events": [event]}


def page(word, status, number, at):
    """Return a page of API v2 with one event, whose id is not its number."""
    inner = {"monitor_id": 7, "monitor_groups": ["service:shop"], "monitor": {"id": 7, "name": "errors high"}}
    inner |= {"title": f"[{word}] errors high", "status": status, "evt": {"id": f"750000000000000000{number}"}}
    outer = {"timestamp": at, "attributes": inner}
    return {"data": [{"id": f"AgAAAZ{number}", "type": "event", "attributes": outer}]}


def partner(**meta):
    """Return an event of the partner event bus."""
    detail = {
        "alert_type": "error",
        "event_type": "query_alert_monitor",
        "meta": {
            "monitor": {
                "id": 7,
                "org_id": 3,
                "type": "query alert",
                "name": "errors high",
                "query": "sum(last_5m):sum:errors{env:prod} by {service} > 5",
                "created_at": 1686884769000,
            },
            "result": {"result_ts": 1772373731, "metadata": {"metric": "errors"}},
            "transition": {"trans_name": "Triggered", "trans_type": "alert"},
            "states": {"source_state": "OK", "dest_state": "Alert"},
            **meta,
        },
        "priority": "normal",
        "tags": ["env:prod", "service:shop", "monitor"],
    }
    envelope = {"version": "0", "id": "a615", "detail-type": "Datadog Alert Notification", "account": "123456789012"}
    envelope |= {"source": "aws.partner/datadog.com/acme", "time": "2026-03-01T14:02:25Z", "region": "us-east-1"}
    return {**envelope, "resources": [], "detail": detail}


def definition(**fields):
    """Return a monitor as the API lists it."""
    return {
        "id": 7,
        "type": "query alert",
        "name": "errors high",
        "message": "Errors are high. @slack-oncall",
        "tags": ["service:shop", "team:pay"],
        "query": "sum(last_5m):sum:errors{env:prod} by {service} > 5",
        "options": {},
        "priority": 2,
        "modified": "2026-01-01T10:00:00.5+00:00",
        "overall_state": "Alert",
        **fields,
    }


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        (
            "synthetic_events_explorer_export.csv",
            0,
            {
                "rule_key": "checkout error rate is high|service:checkout",
                "at": "2024-05-14T14:02:11.123Z",
                "kind": "fired",
                "alertname": "checkout error rate is high",
                "severity": "error",
                "severity_raw": "P2",
                "description": "Error rate, checkout",
                "service": "checkout",
                "environment": "prod",
                "team": "payments",
                "resources": ["ip-10-20-3-41.ec2.internal"],
            },
        ),
        (
            "synthetic_events_explorer_export.csv",
            1,
            {"at": "2024-05-14T14:31:40.123Z", "kind": "resolved", "severity_raw": "P2", "team": "payments"},
        ),
        (
            "synthetic_webhook_default_payload.jsonl",
            0,
            {
                "event_id": "7500000000000000000|fired",
                "rule_key": "checkout error rate is high|service:checkout",
                "at": "2024-05-14T14:02:11Z",
                "time_source": "event",
                "kind": "fired",
                "severity": "error",
                "summary": "checkout error rate is high",
                "description": "Error rate on checkout is above 5/s.",
                "service": "checkout",
                "resources": [],
            },
        ),
        (
            "synthetic_webhook_default_payload.jsonl",
            1,
            {"event_id": "7500000000000000001|resolved", "at": "2024-05-14T14:31:40Z", "kind": "resolved"},
        ),
        (
            "monitors_list_v1.json",
            0,
            {
                "rule_key": "34822915|",
                "at": "2021-05-03T13:03:44.905085Z",
                "kind": "note",
                "alertname": "SLO Monitor: aws_alb_latency_p95 for splunk",
                "environment": "test",
                "team": "developer_insights",
                "resources": [],
            },
        ),
        (
            "monitors_list_v1.json",
            1,
            {"rule_key": "34822916|", "at": "2021-05-03T13:03:44.909928Z", "kind": "note"},
        ),
        (
            "monitors_groups_search_v1.json",
            1,
            {
                "event_id": "59586255|aws:us-east-2|fired|2022-01-04T23:43:15.000Z",
                "rule_key": "59586255|aws:us-east-2",
                "at": "2022-01-04T23:43:15Z",
                "kind": "fired",
                "severity": "info",
                "severity_raw": "P5",
                "resources": [],
            },
        ),
    ],
)
def test_samples(shared, read, name, number, expected) -> None:
    batch = read((shared / "formats/samples/datadog" / name).read_bytes(), name=name)
    assert batch.rejected["message"].tolist() == []
    got = batch.events.iloc[number]
    assert got["source"] == "datadog"
    told = {key: got[key] for key in expected}
    assert told == {**expected, **({"at": pd.Timestamp(expected["at"])} if "at" in expected else {})}


@pytest.mark.shared
def test_sample_groups_that_never_triggered_are_ignored(shared, read) -> None:
    batch = read((shared / "formats/samples/datadog/monitors_groups_search_v1.json").read_bytes())
    assert (len(batch.events), batch.ignored) == (9, {"datadog group that never triggered": 3})


def test_default_webhook(event) -> None:
    got = event(webhook())
    assert {key: got.get(key) for key in SEEN} == {
        "event_id": "7500000000000000001|fired",
        "rule_key": "errors high|service:shop",
        "at": pd.Timestamp("2026-03-01T14:02:11Z"),
        "kind": "fired",
        "severity_raw": "P2",
        "alertname": "errors high",
        "service": "shop",
        "environment": None,
        "team": None,
        "resources": [],
    }


@pytest.mark.parametrize(
    "keys",
    [
        ("alert_id", "alert_transition", "alert_scope", "tags", "priority", "hostname", "link"),
        ("monitor_id", "transition", "scope", "event_tags", "alert_priority", "host", "url"),
        ("alertId", "alertTransition", "alertScope", "Tags", "monitorPriority", "HostName", "eventLink"),
        ("ALERT_ID", "ALERT_TRANSITION", "ALERT_SCOPE", "TAGS", "ALERT_PRIORITY", "HOSTNAME", "LINK"),
    ],
)
def test_webhook_with_keys_of_its_user(event, keys) -> None:
    values = ["7", "Recovered", "service:shop, zone:a", "env:prod, service:shop,team:pay, monitor", "P1", "web-1"]
    values += ["https://app.datadoghq.com/event/event?id=75"]
    got = event(
        {"id": "7500000000000000002", "title": "errors high", "date": "1772373731000"}
        | dict(zip(keys, values, strict=True))
    )
    assert {key: got.get(key) for key in SEEN} == {
        "event_id": "7500000000000000002|resolved",
        "rule_key": "7|service:shop,zone:a",
        "at": pd.Timestamp("2026-03-01T14:02:11Z"),
        "kind": "resolved",
        "severity_raw": "P1",
        "alertname": "errors high",
        "service": "shop",
        "environment": "prod",
        "team": "pay",
        "resources": ["web-1"],
    }
    assert got["url"] == "https://app.datadoghq.com/event/event?id=75"


@pytest.mark.parametrize("key", ["status", "state", "alert_status", "severity"])
def test_webhook_whose_state_has_another_name(event, key) -> None:
    link = "https://app.datadoghq.eu/event/event?id=7500000000000000001"
    got = event(
        {"monitor_name": "errors high", "message": "m", "tags": "env:prod", "alert_url": link, key: "Recovered"}
    )
    assert (got["event_id"], got["kind"], got["rule_key"]) == (
        "7500000000000000001|resolved",
        "resolved",
        "errors high|",
    )


def test_webhook_with_its_fields_grouped_and_named_like_the_vendors_partners_do(event) -> None:
    alert = {"id": "7", "type": "warning", "transition": "Warn", "cycleId": "c9", "scope": "service:shop"}
    got = event(
        webhook(title="[Warn on {service:shop}] errors high", alert={**alert, "priority": "P3"}, tags="env:prod")
    )
    assert (got["event_id"], got["rule_key"]) == ("7500000000000000001|fired", "7|service:shop")
    assert (got["kind"], got["severity_raw"], got["environment"]) == ("fired", "P3", "prod")
    assert json.loads(got["labels"])["cycle_key"] == "c9"


@pytest.mark.parametrize(
    ("transition", "kind"),
    [
        ("Triggered", "fired"),
        ("Re-Triggered", "renotified"),
        ("Renotify", "renotified"),
        ("No Data", "fired"),
        ("Re-No Data", "renotified"),
        ("Warn", "fired"),
        ("Re-Warn", "renotified"),
        ("Recovered", "resolved"),
    ],
)
def test_webhook_transitions(event, transition, kind) -> None:
    got = event({"alert_id": "7", "transition": transition, "alert_title": "errors high", "date": "1772373731000"})
    assert (got["kind"], got["alertname"], got["rule_key"]) == (kind, "errors high", "7|")


def test_monitor_of_a_webhook_is_found_in_the_links_of_its_message(event) -> None:
    assert event(webhook(body=BODY))["rule_key"] == "7|service:shop"
    two = BODY + "see also https://app.datadoghq.com/monitors/8"
    assert event(webhook(body=two))["rule_key"] == "errors high|service:shop"


def test_id_that_can_only_be_the_monitors(event) -> None:
    got = event(
        {"title": "errors high", "alert_type": "error", "transition": "Triggered", "id": "7", "host": "web-1"}
        | {"link": "https://app.datadoghq.com/event/event?id=7500000000000000001"}
    )
    assert (got["event_id"], got["rule_key"]) == ("7500000000000000001|fired", "7|")


def test_webhook_without_a_time_has_that_of_its_receipt_or_none(event) -> None:
    bare = webhook(date=None, last_updated=None)
    got = event({"received_at": "2026-03-01T14:02:12Z", "payload": bare})
    assert (got["at"], got["time_source"]) == (pd.Timestamp("2026-03-01T14:02:12Z"), "receipt")
    got = event(bare)
    assert ("at" in got, got["time_source"]) == (False, "none")


def test_webhook_without_an_id_is_told_by_what_it_says(event, read) -> None:
    got = event(webhook(id=None))
    assert got["event_id"] == "errors high|service:shop|fired|2026-03-01T14:02:11.000Z"
    assert event({"delivery_id": "d1", "payload": webhook(id=None)})["native_ids"] == ["d1"]
    assert read(webhook(id=None, date=None, last_updated=None)).rejected["reason"].tolist() == ["missing_field"]


def test_webhook_that_nobody_filled_in_or_that_tells_no_state_is_ignored(read) -> None:
    batch = read(webhook(title="Test of a webhook", transition="$ALERT_TRANSITION", alert_type="$ALERT_TYPE"))
    assert batch.ignored == {"datadog notification of no state of a monitor": 1}


@pytest.mark.parametrize(
    "record",
    [
        {
            "title": "[Alerting] errors high",
            "ruleId": 1,
            "ruleName": "errors high",
            "state": "alerting",
            "message": "m",
        },
        {
            "id": "P1",
            "title": "[Triggered on {a:b}] x",
            "urgency": "high",
            "service": {"id": "S"},
            "status": "resolved",
        },
        {"message": "[Triggered on {a:b}] x", "tinyId": "1", "alias": "a", "source": "datadog", "priority": "P1"},
        {"type": "message", "text": "[Triggered on {a:b}] x", "ts": "1772373731.000100", "username": "Datadog"},
        {
            "time": "2026-03-01T14:02:11Z",
            "status": "ok",
            "source": "probe",
            "service": "shop",
            "host": "a",
            "title": "x",
        },
        {"Date": "2026-03-01T14:02:11Z", "Status": "ok", "Source": "a", "Host": "b", "Title": "x", "Ticket": "1"},
        {"transition": "Triggered", "title": "errors high", "date": "1772373731000"},
        {"alert_id": "1", "status": "triggered", "title": "errors high", "timestamp": "2026-03-01T14:02:11Z"},
        {"id": "1", "name": "errors high", "status": "TRIGGERED", "trigger_url": "https://ui.honeycomb.io/a"},
        {"title": ["[Triggered] x"], "alert_id": {"a": 1}, "transition": 3, "tags": {"a": [1]}, "date": []},
    ],
)
def test_look_alikes_are_not_taken_for_datadog(read, record) -> None:
    batch = read(record, source="datadog")
    assert batch.rejected["reason"].tolist() == ["unknown_system"]


def test_csv_row(event) -> None:
    got = event(row())
    assert {key: got.get(key) for key in SEEN} == {
        "event_id": "errors high|service:shop|fired|2026-03-01T14:02:11.123Z",
        "rule_key": "errors high|service:shop",
        "at": pd.Timestamp("2026-03-01T14:02:11.123Z"),
        "kind": "fired",
        "severity_raw": "P2",
        "alertname": "errors high",
        "service": "shop",
        "environment": "prod",
        "team": "pay",
        "resources": ["web-1"],
    }


def test_csv_columns_are_those_on_screen(event) -> None:
    narrow = {"timestamp": "1772373731123", "Message": "[Recovered on {service:shop}] errors high\nall is well"}
    got = event(
        [
            narrow
            | {
                "@evt.id": "7500000000000000001",
                "@monitor.id": "7",
                "env": "prod",
                "team": "pay",
                "HOST": "web-1",
                "status": "success",
            }
        ]
    )
    assert (got["event_id"], got["rule_key"], got["kind"]) == (
        "7500000000000000001|resolved",
        "7|service:shop",
        "resolved",
    )
    assert (got["summary"], got["description"]) == ("errors high", "all is well")
    assert (got["environment"], got["team"], got["resources"]) == ("prod", "pay", ["web-1"])


def test_csv_rows_of_other_sources_and_without_times(read) -> None:
    other = row(Source="github", Title="Deployed shop 1.2", Status="warning")
    batch = read([row(), other, row(Date=""), row(Date="2026-03-01 14:02:11")])
    assert batch.ignored == {"datadog event that is no monitor alert": 1}
    assert batch.rejected["reason"].tolist() == ["no_time", "bad_time"]


def test_event_of_api_v1(event) -> None:
    got = event(v1())
    assert {key: got.get(key) for key in SEEN} == {
        "event_id": "7500000000000000001|fired",
        "rule_key": "7|service:shop",
        "at": pd.Timestamp("2026-03-01T14:02:11Z"),
        "kind": "fired",
        "severity_raw": "error",
        "alertname": "errors high",
        "service": "shop",
        "environment": "prod",
        "team": None,
        "resources": ["web-1"],
    }
    assert event({"event": v1()["events"][0]})["event_id"] == "7500000000000000001|fired"


def test_events_that_api_v1_put_together_are_told_apart(read) -> None:
    child = {"id": "75", "date_happened": "1772377331", "alert_type": "success"}
    events = read(v1(is_aggregate=True, children=[child, {"id": "7500000000000000001"}])).events
    assert events[["event_id", "kind"]].to_numpy().tolist() == [
        ["7500000000000000001|fired", "fired"],
        ["75|resolved", "resolved"],
    ]
    assert events["at"].tolist()[1] == pd.Timestamp("2026-03-01T15:02:11Z")


def test_event_of_api_v1_that_no_monitor_wrote(read) -> None:
    batch = read(v1(monitor_id=None, monitor_groups=[], title="Deployed shop 1.2", source="jenkins"))
    assert batch.ignored == {"datadog event that is no monitor alert": 1}


def test_partner_event(event) -> None:
    got = event(partner())
    assert {key: got.get(key) for key in SEEN} == {
        "event_id": "7|service:shop|fired|2026-03-01T14:02:11.000Z",
        "rule_key": "7|service:shop",
        "at": pd.Timestamp("2026-03-01T14:02:11Z"),
        "kind": "fired",
        "severity_raw": "error",
        "alertname": "errors high",
        "service": "shop",
        "environment": "prod",
        "team": None,
        "resources": [],
    }
    assert got["native_ids"] == ["a615"]
    assert event(partner()["detail"])["event_id"] == got["event_id"]
    recovered = {"trans_name": "Recovered", "trans_type": "alert recovery"}
    assert event(partner(transition=recovered))["kind"] == "resolved"
    # The envelope says when the event was put on the bus: the next best.
    assert event(partner(result={}))["at"] == pd.Timestamp("2026-03-01T14:02:25Z")


def test_partner_event_of_no_monitor(read) -> None:
    assert read({**partner(), "detail": {"title": "hello"}}).ignored == {"datadog event that is no monitor alert": 1}


def test_group_states_its_last_trigger_alone(event, read) -> None:
    group = {"monitor_id": 7, "monitor_name": "errors high", "group": "service:shop", "group_tags": ["service:shop"]}
    group |= {
        "last_triggered_ts": 1772373731,
        "last_nodata_ts": 0,
        "status": "OK",
        "all_tags": ["team:pay"],
        "priority": 2,
    }
    got = event({"groups": [group], "counts": {}, "metadata": {"page": 0}})
    assert {key: got.get(key) for key in SEEN} == {
        "event_id": "7|service:shop|fired|2026-03-01T14:02:11.000Z",
        "rule_key": "7|service:shop",
        "at": pd.Timestamp("2026-03-01T14:02:11Z"),
        "kind": "fired",
        "severity_raw": "P2",
        "alertname": "errors high",
        "service": "shop",
        "environment": None,
        "team": "pay",
        "resources": [],
    }
    never = read({"groups": [group | {"last_triggered_ts": 0}]})
    assert never.ignored == {"datadog group that never triggered": 1}


def test_definition_is_a_note_and_its_groups_tell_when_they_triggered_and_resolved(read) -> None:
    told = {"name": "service:shop", "status": "OK", "last_triggered_ts": 1772373731, "last_resolved_ts": 1772377331}
    events = read([definition(state={"groups": {"service:shop": {**told, "last_nodata_ts": None}}})]).events
    assert events[["kind", "rule_key", "service", "team", "severity_raw"]].to_numpy().tolist() == [
        ["note", "7|", "shop", "pay", "P2"],
        ["fired", "7|service:shop", "shop", "pay", "P2"],
        ["resolved", "7|service:shop", "shop", "pay", "P2"],
    ]
    assert events["event_id"].tolist()[0] == "monitor|7|2026-01-01T10:00:00.500Z"
    [alert] = fold_events(events).to_dict("records")
    assert (alert["ends_at"] - alert["starts_at"]).total_seconds() == 3600


def test_definition_is_no_alert_of_its_own(read) -> None:
    events = pd.concat([read(webhook()).events, read([definition()]).events], ignore_index=True)
    [alert] = fold_events(events).to_dict("records")
    assert alert["event_ids"] == ["7500000000000000001"]


def test_forms_of_one_fact_are_one_fact(read) -> None:
    seven = "https://app.datadoghq.com/monitors/7"
    told = [webhook(link=seven), row(**{"Event ID": "7500000000000000001", "Monitor ID": "7"}), v1()]
    inner = {"monitor_id": 7, "title": "[Triggered] errors high", "monitor_groups": ["service:shop"], "status": "error"}
    outer = {"timestamp": "2026-03-01T14:02:11Z", "attributes": inner}
    told += [{"data": [{"id": "7500000000000000001", "type": "event", "attributes": outer}]}]
    events = pd.concat([read(export).events for export in told], ignore_index=True)
    assert set(events["event_id"]) == {"7500000000000000001|fired"}
    assert set(events["rule_key"]) == {"7|service:shop"}
    events = pd.concat([events, read(partner()).events], ignore_index=True)
    [alert] = fold_events(events).to_dict("records")
    assert sorted(alert["event_ids"]) == ["7500000000000000001", "a615"]


@pytest.mark.parametrize("link", ["https://app.datadoghq.com/monitors/7", None])
def test_page_webhook_and_event_of_api_v1_are_one_fact(read, link) -> None:
    told = [page("Triggered", "error", 1, "2026-03-01T14:02:11Z"), webhook(link=link), v1()]
    events = pd.concat([read(export).events for export in told], ignore_index=True)
    assert set(events["event_id"]) == {"7500000000000000001|fired"}
    # The webhook may not know its monitor's id; the recovery, which the page alone tells, ends the alert all the same.
    events = pd.concat([events, read(page("Recovered", "success", 2, "2026-03-01T15:02:11Z")).events])
    for frame in (events, events[::-1]):
        [alert] = fold_events(frame.reset_index(drop=True)).to_dict("records")
        assert alert["event_ids"] == ["7500000000000000001", "AgAAAZ1", "AgAAAZ2"]
        assert alert["rule_key"] == "7|service:shop"
        assert (alert["starts_at"], alert["ends_at"]) == (
            pd.Timestamp("2026-03-01T14:02:11Z"),
            pd.Timestamp("2026-03-01T15:02:11Z"),
        )


def test_page_and_webhook_of_one_number_and_two_states_are_two_facts_of_one_alert(read) -> None:
    fired = page("Triggered", "error", 1, "2026-03-01T14:02:11Z")
    over = {"title": "[Recovered on {service:shop}] errors high", "date": "1772377331000"}  # 2026-03-01T15:02:11Z
    recovered = webhook(**over, link="https://app.datadoghq.com/monitors/7")
    events = pd.concat([read(export).events for export in (fired, recovered)], ignore_index=True)
    assert events["event_id"].tolist() == ["7500000000000000001|fired", "7500000000000000001|resolved"]
    for frame in (events, events[::-1]):
        [alert] = fold_events(frame.reset_index(drop=True)).to_dict("records")
        assert alert["event_ids"] == ["AgAAAZ1", "7500000000000000001"]
        assert (alert["starts_at"], alert["ends_at"]) == (
            pd.Timestamp("2026-03-01T14:02:11Z"),
            pd.Timestamp("2026-03-01T15:02:11Z"),
        )


@pytest.mark.shared
def test_samples_of_all_forms_together_leave_each_its_start_and_end(shared) -> None:
    # The number of the page's trigger, 7500000000000000001, is that of the webhook's recovery.
    alerts = read_alerts(shared / "formats/samples/datadog")
    told = alerts[alerts["event_ids"].map(lambda ids: "AgAAAY90001" in ids)]
    hook = alerts[alerts["event_ids"].map(lambda ids: "7500000000000000001" in ids)]
    columns = ["rule_key", "starts_at", "ends_at"]
    assert told["event_ids"].tolist() == [["AgAAAY90001", "AgAAAY90004", "AgAAAY90005"]]
    assert told[columns].to_numpy().tolist() == [
        [
            "145678901|env:prod,host:ip-10-20-3-41.ec2.internal,service:checkout",
            pd.Timestamp("2024-05-14T14:02:11.123Z"),
            pd.Timestamp("2024-05-14T14:31:40.123Z"),
        ]
    ]
    # The webhook names neither the monitor's id nor the whole scope: by what it says, it is of another rule.
    assert hook[columns].to_numpy().tolist() == [
        [
            "checkout error rate is high|service:checkout",
            pd.Timestamp("2024-05-14T14:02:11Z"),
            pd.Timestamp("2024-05-14T14:31:40Z"),
        ]
    ]
