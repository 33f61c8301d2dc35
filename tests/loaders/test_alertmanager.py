from __future__ import annotations

import json
from collections import Counter

import pandas as pd
import pytest

from stanza_lab import fold_events
from stanza_lab.loaders._prometheus import fingerprint

LABELS = {
    "alertname": "HighErrorRate",
    "service": "checkout",
    "severity": "critical",
    "env": "prod",
    "team": "payments",
}
RULE = 'HighErrorRate{env="prod", service="checkout", severity="critical", team="payments"}'
PRINT = fingerprint(LABELS)


def alert(**fields):
    """Return one alert of a webhook."""
    return {
        "status": "firing",
        "labels": LABELS,
        "annotations": {
            "summary": "errors above 5 %",
            "description": "12 % of requests",
            "runbook_url": "https://runbooks/x",
        },
        "startsAt": "2024-05-14T14:01:35.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": PRINT,
        **fields,
    }


def webhook(*alerts, **fields):
    """Return a notification of version 4."""
    return {
        "version": "4",
        "receiver": "hook",
        "status": "firing",
        "groupKey": "{}:{}",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
        "alerts": list(alerts),
        **fields,
    }


def of_api(**fields):
    """Return one alert of the API v2."""
    return alert(
        **{
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
            "receivers": [{"name": "hook"}],
            "updatedAt": "2024-05-14T14:10:00.000Z",
            "endsAt": "2024-05-14T14:14:00.000Z",
            "startsAt": "2024-05-14T14:01:35.123Z",
            **fields,
        }
    )


def matrix(*series):
    """Return the answer to a range query: (metric, times)."""
    result = [{"metric": metric, "values": [[at, "1"] for at in times]} for metric, times in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


ALERTS = {"__name__": "ALERTS", "alertstate": "firing", **LABELS}
T = 1_715_695_200  # 2024-05-14T14:00:00Z


@pytest.mark.parametrize(
    ("version", "starts_at"), [("0.22.1", "2021-05-27T12:19:18.872Z"), ("0.31.0", "2026-03-11T12:48:38.413Z")]
)
def test_recorded_groups_hold_alerts_that_are_open(shared, read, version, starts_at) -> None:
    batch = read((shared / f"formats/samples/alertmanager/api_v2_alerts_groups_{version}.json").read_bytes())
    events = batch.events
    assert (batch.records, len(events), events["source"].unique().tolist()) == (24, 24, ["alertmanager"])
    assert set(events["kind"]) == {"fired"}
    assert events["starts_at"].unique().tolist() == [pd.Timestamp(starts_at)]
    assert events["ends_at"].isna().all()
    assert events["severity"].isna().all()
    assert events["service"].isna().all()  # jobs that scrape machines and ping hosts are no services
    first = events.iloc[0]
    assert (
        first["rule_key"]
        == 'Free_Disk_Space_Too_Low{cluster="staging", disk="sda", instance="server5", job="node_exporter"}'
    )
    assert (first["resources"], first["url"]) == (["server5"], "http://localhost/prometheus")
    assert json.loads(events.iloc[1]["labels"])["silenced_by"]
    # Each alert stands in the groups of two receivers: 12 facts.
    assert events["event_id"].nunique() == 12
    assert len(fold_events(events)) == 12


def test_fingerprints_of_recorded_alerts_can_be_computed(shared) -> None:
    for path in sorted((shared / "formats/samples/alertmanager").glob("api_v2_alerts_groups_*.json")):
        alerts = [alert for group in json.loads(path.read_bytes()) for alert in group["alerts"]]
        assert [fingerprint(alert["labels"]) for alert in alerts] == [alert["fingerprint"] for alert in alerts]


def test_recorded_silences_are_counted(shared, read) -> None:
    batch = read((shared / "formats/samples/alertmanager/api_v2_silences_0.31.0.json").read_bytes())
    assert batch.ignored == Counter({"alertmanager silence": 3})


def test_sample_of_a_series(shared, read) -> None:
    batch = read((shared / "formats/samples/alertmanager/synthetic_query_range_ALERTS.json").read_bytes())
    assert batch.ignored == Counter({"prometheus alert that is pending": 1})
    assert batch.events[["kind", "starts_at", "ends_at", "severity", "service", "rule_key"]].values.tolist() == [
        [
            "resolved",
            pd.Timestamp(start),
            pd.Timestamp(end),
            "critical",
            "checkout",
            'HighErrorRate{service="checkout", severity="critical"}',
        ]
        for start, end in [
            ("2024-05-14T14:02:00Z", "2024-05-14T14:06:00Z"),
            ("2024-05-14T14:20:00Z", "2024-05-14T14:22:00Z"),
        ]
    ]


def test_sample_of_a_webhook_log_is_one_alert(shared, read) -> None:
    batch = read((shared / "formats/samples/alertmanager/synthetic_webhook_log.jsonl").read_bytes())
    assert batch.events["kind"].tolist() == ["fired", "fired", "resolved"]
    assert batch.events["event_id"].nunique() == 2
    [row] = fold_events(batch.events).to_dict("records")
    assert row["starts_at"] == pd.Timestamp("2024-05-14T14:01:35.123Z")
    assert row["ends_at"] == pd.Timestamp("2024-05-14T18:39:35.123Z")
    assert (row["severity"], row["team"], row["alertname"]) == ("critical", "payments", "KubePodCrashLooping")
    assert (row["summary"], row["resources"]) == ("Pod is crash looping", ["checkout-api-7d9f8b6c5d-x2x4k"])
    assert pd.isna(row["service"])  # kube-state-metrics is who watched


def test_alert_of_a_webhook(event) -> None:
    got = event(webhook(alert()))
    raw = json.loads(got.pop("raw"))
    assert (raw["alert"], raw["notification"]["receiver"]) == (alert(), "hook")
    assert json.loads(got.pop("labels")) == {
        **LABELS,
        "fingerprint": PRINT,
        "receivers": ["hook"],
        "runbook_url": "https://runbooks/x",
    }
    assert got == {
        "source": "alertmanager",
        "event_id": f"{PRINT}|2024-05-14T14:01:35.123Z|fired",
        "native_ids": [f"{PRINT}|2024-05-14T14:01:35.123Z|fired"],
        "occurrence_key": f"{PRINT}|2024-05-14T14:01:35.123Z",
        "rule_key": RULE,
        "at": pd.Timestamp("2024-05-14T14:01:35.123456Z"),
        "time_source": "event",
        "kind": "fired",
        "has_recovery": True,
        "alertname": "HighErrorRate",
        "starts_at": pd.Timestamp("2024-05-14T14:01:35.123456Z"),
        "severity": "critical",
        "severity_raw": "critical",
        "summary": "errors above 5 %",
        "description": "12 % of requests",
        "url": "http://prometheus/graph",
        "service": "checkout",
        "environment": "prod",
        "team": "payments",
        "resources": [],
        "trace_ids": [],
    }


def test_each_alert_has_its_own_state_whatever_the_group_says(read) -> None:
    over = alert(status="resolved", endsAt="2024-05-14T14:31:40Z", labels={**LABELS, "pod": "a"}, fingerprint="aa")
    events = read(webhook(over, alert())).events
    assert events["kind"].tolist() == ["resolved", "fired"]
    assert events["ends_at"].tolist() == [pd.Timestamp("2024-05-14T14:31:40Z"), pd.NaT]
    assert read(webhook(over, alert(labels=[])), name="one.json").rejected["locator"].tolist() == ["line 1 $.alerts[1]"]


def test_version_3_has_no_fingerprint_and_is_the_same_fact(event, read) -> None:
    old = alert()
    del old["fingerprint"]
    got = event(webhook(old, version="3", groupKey=123))
    assert got["event_id"] == event(webhook(alert()))["event_id"]


def test_webhook_and_api_tell_one_alert(read) -> None:
    over = alert(status="resolved", endsAt="2024-05-14T14:31:40Z")
    logged = [
        {"delivery_id": "d1", "body": webhook(alert())},
        {"delivery_id": "d2", "body": webhook(alert(), receiver="other")},
        {"delivery_id": "d3", "body": webhook(over)},
    ]
    events = pd.concat([read(logged).events, read([of_api()], name="api.json").events], ignore_index=True)
    [row] = fold_events(events).to_dict("records")
    assert row["event_ids"] == [f"{PRINT}|2024-05-14T14:01:35.123Z|fired", "d1", "d2", "d3"]
    assert row["ends_at"] == pd.Timestamp("2024-05-14T14:31:40Z")


@pytest.mark.parametrize(
    ("fields", "kind", "ends_at"),
    [
        ({}, "fired", None),
        ({"status": {"state": "suppressed", "silencedBy": ["s"]}}, "fired", None),
        ({"endsAt": "2124-05-14T14:14:00.000Z", "updatedAt": None}, "rejected", None),
        ({"endsAt": "2024-05-14T14:09:00.000Z"}, "resolved", "2024-05-14T14:09:00Z"),
        ({"endsAt": "0001-01-01T00:00:00.000Z"}, "fired", None),
        ({"updatedAt": None}, "fired", None),
        ({"updatedAt": None, "status": {}}, "resolved", "2024-05-14T14:14:00Z"),
    ],
)
def test_end_in_the_future_of_the_update_is_none(read, fields, kind, ends_at) -> None:
    batch = read({"status": "success", "data": [of_api(**fields)]})
    if kind == "rejected":
        assert batch.rejected["reason"].tolist() == ["bad_time"]
    else:
        [row] = batch.events.to_dict("records")
        assert row["kind"] == kind
        assert row["ends_at"] is pd.NaT if ends_at is None else row["ends_at"] == pd.Timestamp(ends_at)


def test_groups_of_both_apis(read) -> None:
    new = [
        {"alerts": [of_api()], "labels": {}, "receiver": {"name": "by-name"}},
        {"alerts": [], "labels": {}, "receiver": {}},
    ]
    batch = read(new)
    assert json.loads(batch.events["labels"][0])["receivers"] == ["by-name", "hook"]
    assert batch.ignored == Counter({"alertmanager group without alerts": 1})
    old = {"data": [{"labels": {}, "groupKey": 1, "blocks": [{"routeOpts": {}, "alerts": [of_api()]}]}]}
    assert read(old, name="old.json").events["rule_key"].tolist() == [RULE]


@pytest.mark.parametrize("alertname", ["Watchdog", "InfoInhibitor", "DeadMansSwitch"])
def test_heartbeats_are_no_alerts(read, alertname) -> None:
    labels = {"alertname": alertname, "severity": "none"}
    series = matrix(({**ALERTS, **labels}, [T]))
    batch = read([webhook(alert(labels=labels)), of_api(labels=labels), series])
    assert batch.ignored == Counter({"alertmanager heartbeat (Watchdog, InfoInhibitor, DeadMansSwitch)": 3})


@pytest.mark.parametrize(
    ("labels", "service", "resources"),
    [
        (
            {"service": "kube-state-metrics", "job": "kube-state-metrics", "instance": "10.0.0.1:8080", "pod": "p-1"},
            None,
            ["p-1"],
        ),
        ({"job": "kube-state-metrics", "deployment": "checkout", "namespace": "shop"}, "checkout", []),
        ({"job": "node-exporter", "instance": "10.0.0.1:9100"}, None, ["10.0.0.1:9100"]),
        ({"job": "kubernetes-pods", "app": "cart", "pod": "cart-1"}, "cart", ["cart-1"]),
        ({"job": "shop/checkout", "instance": "web-1:8080"}, "checkout", ["web-1:8080"]),
        ({"exported_service": "cart", "service": "blackbox-exporter", "exported_pod": "a", "pod": "a"}, "cart", ["a"]),
        ({"namespace": "shop", "node": "n-1", "service": "<no value>"}, None, ["n-1"]),
    ],
)
def test_who_scrapes_is_not_what_is_affected(event, labels, service, resources) -> None:
    got = event(webhook(alert(labels={"alertname": "x", **labels})))
    assert (got.get("service"), got["resources"]) == (service, resources)


@pytest.mark.parametrize(
    ("word", "severity", "raw"),
    [("page", "critical", "page"), ("ticket", None, "ticket"), ("none", None, None), ("Warning", "warning", "Warning")],
)
def test_severity_is_a_label_of_the_users_own(event, word, severity, raw) -> None:
    got = event(webhook(alert(labels={"alertname": "x", "severity": word})))
    assert (got.get("severity"), got.get("severity_raw")) == (severity, raw)


def test_time_of_receipt_stands_in_for_an_end_that_is_missing(event, read) -> None:
    over = webhook(alert(status="resolved"))
    got = event({"received_at": "2024-05-14T14:40:00Z", "body": over})
    assert (got["kind"], got["at"], got["time_source"]) == ("resolved", pd.Timestamp("2024-05-14T14:40:00Z"), "receipt")
    assert "ends_at" not in got
    [row] = read(over).events.to_dict("records")
    assert (row["at"], row["time_source"]) == (pd.NaT, "none")


def test_runs_of_samples_are_alerts(read) -> None:
    pending = {**ALERTS, "alertstate": "pending"}
    times = [T, T + 60, T + 120, T + 300.0, T + 360]  # newest last or not, floats or not
    batch = read(matrix((pending, [T - 60]), (ALERTS, times[::-1]), ({**ALERTS, "env": "dev"}, [T, T + 3600])))
    assert batch.ignored == Counter({"prometheus alert that is pending": 1})
    at = [pd.Timestamp(T + s, unit="s", tz="UTC") for s in (0, 120, 300, 360, 0, 0, 3600, 3600)]
    assert batch.events["starts_at"].tolist() == at[::2]
    assert batch.events["ends_at"].tolist() == at[1::2]
    assert batch.events["rule_key"].tolist() == [RULE, RULE, RULE.replace("prod", "dev"), RULE.replace("prod", "dev")]
    assert json.loads(batch.events["raw"][1])["values"] == [[T + 300.0, "1"], [T + 360, "1"]]
    assert len(fold_events(batch.events)) == 4


def test_series_of_an_alert_has_the_rule_of_its_webhook(event) -> None:
    got = event(matrix((ALERTS, [T, T + 60])))
    told = event(webhook(alert()))
    assert (got["rule_key"], json.loads(got["labels"])["fingerprint"]) == (told["rule_key"], PRINT)


def test_longer_export_of_a_run_is_the_same_alert(read) -> None:
    short, long = matrix((ALERTS, [T, T + 60])), matrix((ALERTS, [T, T + 60, T + 120]))
    events = pd.concat([read(short).events, read(long, name="b.json").events], ignore_index=True)
    [row] = fold_events(events).to_dict("records")
    assert row["ends_at"] == pd.Timestamp(T + 120, unit="s", tz="UTC")


def test_instant_query_tells_only_that_it_fires(event) -> None:
    result = [{"metric": ALERTS, "value": [T, "1"]}]
    got = event({"status": "success", "data": {"resultType": "vector", "result": result}})
    assert (got["kind"], got["at"]) == ("fired", pd.Timestamp(T, unit="s", tz="UTC"))
    assert not {"starts_at", "ends_at", "occurrence_key"} & got.keys()


def test_what_prometheus_says_beside_is_counted(read) -> None:
    rule_alert = {
        "labels": LABELS,
        "annotations": {},
        "state": "firing",
        "activeAt": "2024-05-14T14:01:35.1Z",
        "value": "1",
    }
    export = [
        matrix(({**LABELS, "__name__": "ALERTS_FOR_STATE"}, [T])),
        matrix(),
        {"data": {"alerts": [rule_alert, {**rule_alert, "state": "pending"}]}},
        {"data": {"groups": [{"name": "g", "file": "f", "interval": 60, "rules": []}]}},
        webhook(),
    ]
    batch = read(export)
    assert batch.ignored == Counter(
        {
            "prometheus ALERTS_FOR_STATE (pending or firing; export ALERTS)": 1,
            "prometheus result without series": 1,
            "prometheus alert that is pending or inactive": 1,
            "alertmanager rule group": 1,
            "alertmanager notification without alerts": 1,
        }
    )
    assert batch.events["starts_at"].tolist() == [pd.Timestamp("2024-05-14T14:01:35.1Z")]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "ok"}, "bad_state"),
        ({"labels": {}}, "missing_field"),
        ({"labels": None}, "malformed"),
        ({"startsAt": "soon"}, "bad_time"),
        ({"startsAt": "2024-05-14T14:01:35"}, "bad_time"),
    ],
)
def test_alert_that_cannot_be_placed_is_rejected(read, fields, reason) -> None:
    assert read(webhook(alert(**fields))).rejected["reason"].tolist() == [reason]
