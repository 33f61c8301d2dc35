from __future__ import annotations

import csv
import json

import pandas as pd
import pytest

from stanza_lab import fold_events

URL = "https://ui.honeycomb.io/acme/environments/prod/datasets/checkout/triggers/Jw1"


def body(**fields):
    """Return the body of a trigger's webhook."""
    default = {
        "version": "v0.1.0",
        "id": "Jw1",
        "name": "p99 > 2s",
        "trigger_description": "",
        "trigger_url": URL,
        "status": "TRIGGERED",
        "summary": "Triggered: p99 > 2s",
        "description": "Currently greater than threshold value (2000)",
        "operator": "greater than",
        "threshold": 2000,
        "result_url": "",
        "result_groups": [],
        "result_groups_triggered": [],
        "is_test": False,
    }
    return default | fields


def received(payload, delivery="d-1", at="2026-03-01T14:02:30Z"):
    """Return a webhook as a log keeps it."""
    return {"received_at": at, "headers": {"X-Honeycomb-Webhook-Delivery-ID": delivery}, "payload": payload}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "rule_key", "labels"),
    [
        ("trigger_webhook_2018", "trig on ttt", {}),
        ("trigger_webhook_2019", "dataset|abdcefg", {"dataset": "dataset", "honeycomb_team": "team", "id": "abdcefg"}),
        (
            "trigger_webhook_2020",
            "dataset|abdcefg",
            {
                "about": "To troubleshoot, please look up the steps in our runbook",
                "dataset": "dataset",
                "honeycomb_team": "team",
                "id": "abdcefg",
            },
        ),
    ],
)
def test_real_bodies_of_each_year_carry_no_time(shared, event, name, rule_key, labels) -> None:
    got = event((shared / f"formats/samples/honeycomb/{name}.json").read_bytes())
    same = {"groups_triggered": [{"foo": "fooOOOddd"}], "operator": "greater than", "threshold": 2}
    assert json.loads(got["labels"]) == labels | same
    assert (got["rule_key"], got["kind"], got["time_source"], "at" in got) == (rule_key, "fired", "none", False)
    assert (got["alertname"], got["summary"]) == ("trig on ttt", "Triggered: trig on ttt")
    assert got["description"] == "Currently greater than threshold value (2) for foo:fooOOOddd (value 5)"
    assert got["resources"] == []
    assert not {"service", "environment", "severity", "team"} & got.keys()


@pytest.mark.shared
def test_sample_burn_alert(shared, event) -> None:
    got = event((shared / "formats/samples/honeycomb/synthetic_burn_alert.json").read_bytes())
    del got["raw"], got["event_id"], got["native_ids"]
    slo = "https://ui.honeycomb.io/acme/environments/prod/datasets/checkout/"
    assert json.loads(got.pop("labels")) == {
        "alert_type": "exhaustion_time",
        "dataset": "checkout",
        "honeycomb_team": "acme",
        "id": "yo8JPUKErFE",
        "result_url": f"{slo}schema?dc=sli.availability",
    }
    assert got == {
        "source": "honeycomb",
        "rule_key": "checkout|yo8JPUKErFE|exhaustion_time",
        "time_source": "none",
        "kind": "fired",
        "has_recovery": True,
        "alertname": "Checkout availability",
        "summary": "Checkout availability SLO: budget will be exhausted in 240 minutes",
        "description": "SLO burn alert",
        "url": f"{slo}slo/yo8JPUKErFE",
        "service": "checkout",
        "environment": "prod",
        "resources": [],
        "trace_ids": [],
    }


@pytest.mark.shared
def test_sample_log_takes_the_time_of_receipt_and_folds_into_one_alert(shared, read) -> None:
    events = read((shared / "formats/samples/honeycomb/synthetic_webhook_log.jsonl").read_bytes()).events
    shown = ["event_id", "native_ids", "rule_key", "kind", "time_source", "service", "environment", "team"]
    about = ["receipt", "checkout", "prod", "payments"]
    assert events[shown].to_numpy().tolist() == [
        ["checkout|JwwZxfcP5kH|fired|d-1", ["d-1"], "checkout|JwwZxfcP5kH", "fired", *about],
        ["checkout|JwwZxfcP5kH|resolved|d-2", ["d-2"], "checkout|JwwZxfcP5kH", "resolved", *about],
    ]
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"]) == (
        pd.Timestamp("2024-05-14T14:02:30Z"),
        pd.Timestamp("2024-05-14T14:32:30Z"),
    )
    assert (alert["event_ids"], alert["summary"]) == (["d-1", "d-2"], "Triggered: checkout p99 > 2s")


@pytest.mark.shared
def test_every_trigger_of_the_sample_data_is_found_as_its_labels_say(shared, read) -> None:
    samples = shared / "data/format_samples"
    batch = read((samples / "honeycomb_triggers.ndjson").read_bytes())
    with (samples / "labels.csv").open() as labels:
        rows = [row for row in csv.DictReader(labels) if row["source_file"] == "honeycomb_triggers.ndjson"]
    got = batch.events
    assert got["native_ids"].tolist() == [[row["native_id"]] for row in rows]
    assert got["service"].tolist() == [row["service"] for row in rows]
    assert got["at"].tolist() == [pd.Timestamp(row["timestamp"]) for row in rows]
    assert got["kind"].unique().tolist() == ["fired"]
    assert got["environment"].unique().tolist() == ["trainticket"]
    assert got["rule_key"].tolist() == [f"{row['service']}|3d5a9ae9736" for row in rows]
    assert got["resources"].str[0].str.startswith("ts-").all()


@pytest.mark.parametrize("status", ["TRIGGERED", "triggered", "Triggered"])
def test_state_is_compared_without_case(event, status) -> None:
    assert event(body(status=status))["kind"] == "fired"
    assert event(body(status="ok"))["kind"] == "resolved"


def test_unknown_state_is_refused(read) -> None:
    assert read(body(status="PENDING")).rejected["reason"].tolist() == ["bad_state"]


def test_repeats_of_on_true_stay_one_alert_and_retries_one_fact(read) -> None:
    log = [
        received(body(alert_type="on_true"), "d-1", "2026-03-01T14:00:00Z"),
        received(body(alert_type="on_true"), "d-1", "2026-03-01T14:00:20Z"),
        received(body(alert_type="on_true"), "d-2", "2026-03-01T14:05:00Z"),
        received(body(alert_type="on_true", status="OK"), "d-3", "2026-03-01T14:10:00Z"),
    ]
    events = read(log).events
    assert events["event_id"].nunique() == 3
    [alert] = fold_events(events).to_dict("records")
    assert alert["event_ids"] == ["d-1", "d-2", "d-3"]
    assert alert["ends_at"] == pd.Timestamp("2026-03-01T14:10:00Z")


def test_bodies_without_time_and_delivery_are_one_fact_only_when_they_are_equal(read) -> None:
    events = read([body(), body(), body(threshold=3000)]).events
    assert events["event_id"].tolist()[0] == events["event_id"].tolist()[1]
    assert events["event_id"].nunique() == 2


def test_a_log_without_deliveries_tells_notifications_apart_by_receipt(read) -> None:
    log = [{"received_at": f"2026-03-01T14:0{minute}:00Z", "body": body()} for minute in (2, 7)]
    assert read(log).events["event_id"].tolist() == [
        "checkout|Jw1|fired|2026-03-01T14:02:00.000Z",
        "checkout|Jw1|fired|2026-03-01T14:07:00.000Z",
    ]


def test_groups_of_one_trigger_are_one_alert(event) -> None:
    groups = [
        {"Group": {"service.name": "cart", "k8s.pod.name": "cart-1", "zone": None}, "Result": 5},
        {"Group": {"service.name": "checkout", "k8s.pod.name": "checkout-1"}, "Result": 4},
    ]
    got = event(body(result_groups=groups, result_groups_triggered=groups))
    assert got["rule_key"] == "checkout|Jw1"
    assert "service" not in got
    assert got["resources"] == ["cart-1", "checkout-1"]
    assert json.loads(got["labels"])["groups_triggered"][0] == {"k8s.pod.name": "cart-1", "service.name": "cart"}
    assert event(body(result_groups=groups, result_groups_triggered=groups[:1]))["service"] == "cart"


@pytest.mark.parametrize(
    ("url", "environment", "service", "rule_key"),
    [
        (URL, "prod", "checkout", "checkout|Jw1"),
        ("https://ui.honeycomb.io/acme/datasets/any/triggers/Jw1", None, None, "any|Jw1"),
        ("https://ui.eu1.honeycomb.io/acme/environments/a%20b/triggers/Jw1", "a b", None, "Jw1"),
        ("https://ui.honeycomb.io/acme/environments/prod/datasets/__all__/triggers/Jw1", "prod", None, "__all__|Jw1"),
        ("https://[broken", None, None, "Jw1"),
    ],
)
def test_environment_and_dataset_stand_in_the_address(event, url, environment, service, rule_key) -> None:
    got = event(body(trigger_url=url))
    assert (got.get("environment"), got.get("service"), got["rule_key"]) == (environment, service, rule_key)


@pytest.mark.parametrize(
    ("about", "team"),
    [
        ("team=payments", "payments"),
        ("runbook\nenv=prod, team=payments", "payments"),
        ("ask team=payments first", None),
    ],
)
def test_team_is_read_from_lines_that_state_it(event, about, team) -> None:
    assert event(body(trigger_description=about)).get("team") == team


def test_test_notifications_and_definitions_are_counted(read) -> None:
    trigger = {
        "id": "Jw1",
        "name": "p99 > 2s",
        "dataset_slug": "checkout",
        "query_id": "q",
        "threshold": {"op": ">", "value": 2},
        "frequency": 900,
        "alert_type": "on_change",
        "triggered": True,
        "recipients": [{"type": "email", "target": "x@example.com"}],
    }
    burn = {
        "id": "b",
        "alert_type": "exhaustion_time",
        "exhaustion_minutes": 240,
        "slo": {"id": "s"},
        "triggered": True,
    }
    slo = {"id": "s", "name": "n", "sli": {"alias": "a"}, "time_period_days": 30, "target_per_million": 999000}
    assert read([body(is_test=True), trigger, burn, slo]).ignored == {
        "honeycomb test notification": 1,
        "honeycomb trigger definition": 1,
        "honeycomb burn alert definition": 1,
        "honeycomb SLO definition": 1,
    }


@pytest.mark.parametrize(
    "template",
    [
        {"title": "x", "name": "p99 > 2s", "id": "Jw1", "status": "TRIGGERED", "url": URL},
        {
            "Name": "p99 > 2s",
            "ID": "Jw1",
            "URL": URL,
            "Alert": {"Status": "TRIGGERED", "Summary": "Triggered: p99 > 2s"},
        },
        {"Name": "p99 > 2s", "ID": "Jw1", "Alert.Status": "TRIGGERED", "Datasets": ["checkout"]},
        {"trigger": {"name": "p99 > 2s", "id": "Jw1", "url": URL}, "state": "triggered", "result_groups": "[]"},
        {"name": "p99 > 2s", "id": "Jw1", "status": "TRIGGERED", "text": "Triggered: p99 > 2s", "dataset": "checkout"},
    ],
)
def test_bodies_of_own_templates_are_read_by_their_variables(event, template) -> None:
    got = event(received(template))
    assert (got["source"], got["kind"], got["alertname"]) == ("honeycomb", "fired", "p99 > 2s")
    assert (got["rule_key"], got["native_ids"]) == ("checkout|Jw1", ["d-1"])


def test_templates_may_state_severity_time_and_groups_by_key_and_value(event) -> None:
    groups = [{"Group": [{"Key": "service.name", "Value": "cart"}], "Result": 1}]
    template = {"name": "n", "status": "OK", "severity": "critical", "timestamp": "2026-03-01T14:02:11Z", "url": URL}
    got = event(template | {"GroupsTriggered": groups})
    assert (got["severity"], got["service"], got["kind"], got["time_source"]) == (
        "critical",
        "cart",
        "resolved",
        "event",
    )
    assert got["at"] == pd.Timestamp("2026-03-01T14:02:11Z")


def test_bodies_that_nothing_marks_as_honeycomb_are_not_taken(read) -> None:
    [reason] = read({"name": "p99", "status": "OK", "text": "Resolved: another"}, source="honeycomb").rejected["reason"]
    assert reason == "unknown_system"
