from __future__ import annotations

import json
from collections import Counter

import pandas as pd
import pytest


def page(*, title="[Triggered on {service:checkout}] errors high", outer=None, monitor=None, **inner):
    """Return a page with one monitor event."""
    attributes = {"title": title, "status": "error", "monitor_id": 7, "monitor_groups": ["service:checkout"]}
    attributes |= {"monitor": {"id": 7, "name": "errors high", **(monitor or {})}, **inner}
    outside = {"timestamp": "2026-03-01T14:02:11.123Z", "tags": ["service:checkout"], **(outer or {})}
    return {"data": [{"id": "A1", "type": "event", "attributes": {**outside, "attributes": attributes}}]}


@pytest.mark.shared
def test_real_monitor_alert(shared, event) -> None:
    recorded = json.loads((shared / "data/nezha_tt_0129/alerts/datadog_events.json").read_text())
    got = event({"data": recorded["data"][:1]})
    assert json.loads(got.pop("labels"))["monitor_type"] == "query alert"
    assert json.loads(got.pop("raw"))["id"] == "295987422929757899"
    assert got.pop("description").startswith("[trainticket] High p99 latency: p99 server latency (s)")
    assert got == {
        "source": "datadog",
        "event_id": "295987422929757899|fired",
        "native_ids": ["295987422929757899"],
        "rule_key": "27973058|service:ts-travel-service",
        "at": pd.Timestamp("2023-01-29T08:41:35.723Z"),
        "time_source": "event",
        "kind": "fired",
        "has_recovery": True,
        "alertname": "[trainticket] High p99 latency",
        "severity": "error",
        "severity_raw": "error",
        "summary": "[trainticket] High p99 latency on service:ts-travel-service",
        "service": "ts-travel-service",
        "environment": "trainticket",
        "team": "sre",
        "resources": ["ts-travel-service-64469b5b48-25zj6"],
        "trace_ids": [],
    }


@pytest.mark.shared
def test_sample_monitor_alerts(shared, read) -> None:
    events = read((shared / "formats/samples/datadog/synthetic_events_v2_monitor_alerts.json").read_bytes()).events
    columns = ["kind", "severity", "severity_raw", "alertname", "rule_key", "service", "environment", "team"]
    checkout = ["checkout error rate is high", "145678901|env:prod,host:ip-10-20-3-41.ec2.internal,service:checkout"]
    queue = ["SQS backlog growing", "145678955|queuename:orders-events"]
    database = ["RDS CPU", "145678960|dbinstanceidentifier:orders-prod-1"]
    assert events[columns].to_numpy().tolist() == [
        ["resolved", "error", "P2", *checkout, "checkout", "prod", "payments"],
        ["renotified", "error", "P2", *checkout, "checkout", "prod", "payments"],
        # The service of the queue's alert comes from the monitor's own tags, its team from the event's.
        ["fired", "warning", "P3", *queue, "checkout", "prod", "orders"],
        ["fired", "info", "P4", *database, "checkout", "prod", "payments"],
        ["fired", "error", "P2", *checkout, "checkout", "prod", "payments"],
    ]
    assert events["resources"].tolist() == [
        ["ip-10-20-3-41.ec2.internal", "checkout-api-7d9f8b6c5d-x2x4k"],
        ["ip-10-20-3-41.ec2.internal", "checkout-api-7d9f8b6c5d-x2x4k"],
        ["orders-events"],
        ["orders-prod-1"],
        ["ip-10-20-3-41.ec2.internal", "checkout-api-7d9f8b6c5d-x2x4k"],
    ]
    assert events["summary"].tolist()[0] == "checkout error rate is high"


def posted(title, *tags):
    """Return a page with one event that is of no monitor."""
    attributes = {"title": title, "status": "info", "evt": {"id": "77"}, "service": "checkout"}
    outer = {
        "timestamp": "2026-03-01T14:02:11Z",
        "tags": ["env:prod", "version:1.4.0", *tags],
        "attributes": attributes,
    }
    return {"data": [{"id": "A2", "type": "event", "attributes": outer}]}


@pytest.mark.parametrize(
    ("title", "tags"),
    [
        ("checkout 1.4.0 is live", ["source:deploy"]),
        ("checkout", ["event_type:deployment"]),
        ("Deployed checkout 1.4.0", []),
        ("Rolled back checkout", []),
    ],
)
def test_releases_are_changes(event, title, tags) -> None:
    got = event(posted(title, *tags))
    assert (got["kind"], got["service"], got["environment"], got["alertname"]) == ("changed", "checkout", "prod", title)
    assert json.loads(got["labels"])["version"] == "1.4.0"
    assert "starts_at" not in got


@pytest.mark.parametrize("title", ["hello", "Redeployment of trust", "Nightly backup done"])
def test_other_events_of_people_are_ignored(read, title) -> None:
    assert read(posted(title)).ignored == {"datadog event that is no monitor alert": 1}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "ignored"),
    [
        ("events_v2_page1.json", {"datadog event that is no monitor alert": 2}),
        ("events_v2_page2.json", {"datadog event that is no monitor alert": 1}),
        ("events_v2_page3.json", {}),
        ("incidents_v2_page.json", {"datadog incident": 2}),
    ],
)
def test_what_is_no_alert_is_counted_by_kind(shared, read, name, ignored) -> None:
    batch = read((shared / "formats/samples/datadog" / name).read_bytes())
    assert (batch.ignored, batch.records) == (Counter(ignored), sum(ignored.values()))


@pytest.mark.parametrize(
    ("title", "transition", "status", "kind"),
    [
        ("[Triggered] x", None, "error", "fired"),
        ("[Triggered on {host:a,env:b}] x", None, "error", "fired"),
        ("[P1] [Re-Triggered] x", None, "error", "renotified"),
        ("[Warn] x", None, "warning", "fired"),
        ("[Re-Warn] x", None, "warning", "renotified"),
        ("[No data] x", None, "error", "fired"),
        ("[Re-No Data] x", None, "error", "renotified"),
        ("[Recovered] x", None, "success", "resolved"),
        ("[Triggered] x", "Recovered", "success", "resolved"),
        ("[Triggered] x", "Renotify", "error", "renotified"),
        ("x", "Something new", "success", "resolved"),
        ("x", None, "failure", "fired"),
    ],
)
def test_kind_follows_transition_then_title_then_status(event, title, transition, status, kind) -> None:
    monitor = {"transition": {"trans_name": transition}} if transition else {}
    assert event(page(title=title, monitor=monitor, status=status))["kind"] == kind


def test_change_of_a_monitor_is_no_alert(read) -> None:
    assert read(page(title="[Monitor modified] x", status="info")).ignored == {"datadog change of a monitor": 1}


@pytest.mark.parametrize(
    ("title", "monitor", "status", "severity", "raw"),
    [
        ("[P1] [Triggered] x", {"priority": 4}, "error", "info", "P4"),
        ("[P1] [Triggered] x", {"priority": None}, "warning", "critical", "P1"),
        ("[Triggered] x", {"priority": 9}, "warning", "warning", "warning"),
        ("[Triggered] x", {}, "failure", None, None),
        ("[Recovered] x", {}, "success", None, None),
    ],
)
def test_priority_wins_over_status(event, title, monitor, status, severity, raw) -> None:
    got = event(page(title=title, monitor=monitor, status=status))
    assert (got.get("severity"), got.get("severity_raw")) == (severity, raw)


@pytest.mark.parametrize(
    ("title", "summary"),
    [
        ("[P2] [Triggered on {env:prod}] checkout is slow", "checkout is slow"),
        ("[Triggered] [trainticket] High p99", "[trainticket] High p99"),
        ("[trainticket] High p99", "[trainticket] High p99"),
        ("[P3] [trainticket] High p99", "[trainticket] High p99"),
        ("[Triggered]", "errors high"),
    ],
)
def test_summary_is_the_title_without_its_state(event, title, summary) -> None:
    assert event(page(title=title))["summary"] == summary


@pytest.mark.parametrize(
    ("tags", "inner", "monitor_tags", "service"),
    [
        (["service:a"], {"service": "b"}, ["service:c"], "a"),
        ([], {"service": "b"}, ["service:c"], "b"),
        ([], {"service": "undefined"}, ["service:c"], "c"),
        (["service:{{service.name}}"], {}, [], None),
        (["service"], {"service": {"name": "a"}}, [], None),
    ],
)
def test_service_comes_from_what_is_nearest(event, tags, inner, monitor_tags, service) -> None:
    got = event(page(outer={"tags": tags}, monitor_groups=[], title="x", monitor={"tags": monitor_tags}, **inner))
    assert got.get("service") == service


def test_tags_split_at_the_first_colon_and_sentinels_are_no_resources(event) -> None:
    tags = ["host:aws:us-east-2", "host:@slack-oncall", "functionname:n/a", "pod_name:*", "HOST:b", "host:b", "monitor"]
    sentinel = "@SYNTHETICS_OVERALL@"
    got = event(page(outer={"tags": tags}, hostname=sentinel, monitor_groups=[sentinel, "*"]))
    assert got["resources"] == ["aws:us-east-2", "b"]
    assert got["rule_key"] == "7|service:checkout"
    assert json.loads(got["labels"])["tags"] == sorted(["service:checkout", *tags])


def test_groups_are_sorted_into_the_rule(event) -> None:
    assert event(page(monitor_groups=["b:2", "a:1"]))["rule_key"] == "7|a:1,b:2"
    assert event(page(monitor_groups=None, title="[Warn on {b:2,a:1}] x"))["rule_key"] == "7|a:1,b:2"
    assert event(page(monitor_groups=None, title="[Warn] x"))["rule_key"] == "7|"


def test_time_is_the_outer_one_else_the_inner_else_none(event, read) -> None:
    assert event(page(timestamp=5))["at"] == pd.Timestamp("2026-03-01T14:02:11.123Z")
    inner = page(outer={"timestamp": None}, timestamp=1_772_373_731_000)
    assert event(inner)["at"] == pd.Timestamp("2026-03-01T14:02:11Z")
    assert read(page(outer={"timestamp": 0})).rejected["reason"].tolist() == ["no_time"]


@pytest.mark.parametrize(
    ("evt", "event_id", "native_ids"),
    [
        ({"id": "7500000000000000001"}, "7500000000000000001|fired", ["A1"]),
        ({"id": 7500000000000000001}, "7500000000000000001|fired", ["A1"]),
        ({"id": None}, "A1|fired", ["A1"]),
        ({"id": "undefined"}, "A1|fired", ["A1"]),
        ("7500000000000000001", "A1|fired", ["A1"]),
    ],
)
def test_event_goes_by_its_kind_and_its_number_where_it_has_one(event, evt, event_id, native_ids) -> None:
    got = event(page(evt=evt))
    assert (got["event_id"], got["native_ids"]) == (event_id, native_ids)


def test_event_without_an_id_of_api_v2_has_its_number(event) -> None:
    export = page(evt={"id": "75"})
    del export["data"][0]["id"]
    got = event(export)
    assert (got["event_id"], got["native_ids"]) == ("75|fired", ["75"])


def test_event_without_an_id_is_rejected(read) -> None:
    export = page()
    del export["data"][0]["id"]
    assert read(export).rejected["message"].tolist() == [
        "field 'id' is missing or empty; without it the alert has no identity"
    ]
