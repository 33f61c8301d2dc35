from __future__ import annotations

import csv
import json
from collections import Counter

import pandas as pd
import pytest

from stanza_lab import fold_events
from stanza_lab.loaders import read_files

UUID, RULE_ID = "bac50489-0000-4000-8000-bf62bcd975ff", "9055220c-0000-4000-8000-0a33eb2bafc5"
RULE = f"{RULE_ID}|checkout,/api/pay"
START, END = pd.Timestamp("2024-05-14T14:02:11Z"), pd.Timestamp("2024-05-14T14:31:40Z")
FLAT = {
    "@timestamp": "2024-05-14T14:30:00.000Z",
    "event.action": "active",
    "event.kind": "signal",
    "kibana.alert.action_group": "metrics.threshold.warning",
    "kibana.alert.evaluation.threshold": 5,
    "kibana.alert.evaluation.value": 12.5,
    "kibana.alert.flapping": False,
    "kibana.alert.group": [{"field": "url.path", "value": "/api/pay"}, {"field": "host.name", "value": "web-1"}],
    "kibana.alert.instance.id": "checkout,/api/pay",
    "kibana.alert.reason": "Error rate is 12.5%",
    "kibana.alert.rule.category": "Custom threshold",
    "kibana.alert.rule.consumer": "observability",
    "kibana.alert.rule.name": "Checkout error rate",
    "kibana.alert.rule.rule_type_id": "observability.rules.custom_threshold",
    "kibana.alert.rule.tags": ["team:payments"],
    "kibana.alert.rule.uuid": RULE_ID,
    "kibana.alert.start": "2024-05-14T14:02:11.000Z",
    "kibana.alert.status": "active",
    "kibana.alert.url": "https://kibana/app/x",
    "kibana.alert.uuid": UUID,
    "kibana.alert.workflow_status": "open",
    "kibana.space_ids": ["default"],
    "tags": ["team:payments", "env:prod"],
    "service.name": "checkout",
    "kubernetes.pod.name": "checkout-1",
    "trace.id": "ABC123",
}
OVER = {
    "@timestamp": "2024-05-14T14:31:40.000Z",
    "kibana.alert.status": "recovered",
    "kibana.alert.action_group": "recovered",
    "kibana.alert.end": "2024-05-14T14:31:40.000Z",
}


def hit(source=None, *, key=UUID, index=".internal.alerts-observability.threshold.alerts-default-000001", **fields):
    """Return a hit of a search whose document is `source` (default: an active alert)."""
    return {"_index": index, "_id": key, "_score": None, "_source": {**(FLAT if source is None else source), **fields}}


def alert(**fields):
    """Return the hit of an alert, fields given without "kibana.alert." and with two underscores for a dot."""
    return hit(**{"kibana.alert." + key.replace("__", "."): value for key, value in fields.items()})


def nested(flat):
    """Return a document with its dotted keys as nested objects."""
    document = {}
    for key, value in flat.items():
        *path, last = key.split(".")
        inner = document
        for step in path:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return document


def mixed(flat):
    """Return a document half flattened: the rule nested, the rest not."""
    ruled = {key: value for key, value in flat.items() if key.startswith("kibana.alert.rule.")}
    rest = {key: value for key, value in flat.items() if key not in ruled}
    return {**rest, "kibana": {"alert.rule": {key.removeprefix("kibana.alert.rule."): v for key, v in ruled.items()}}}


def arrays(flat):
    """Return the ``fields`` of a search: every value an array."""
    fields = {key: value if isinstance(value, list) else [value] for key, value in flat.items()}
    fields["kibana.alert.group"] = [{"field": [g["field"]], "value": [g["value"]]} for g in flat["kibana.alert.group"]]
    return fields


def exported(flat, **columns):
    """Return a row of Discover's CSV: texts, times of the browser's zone (Berlin), arrays in one text."""
    row = {}
    for key, value in flat.items():
        if key == "kibana.alert.group":
            row |= {f"{key}.{part}": ", ".join(group[part] for group in value) for part in ("field", "value")}
        elif isinstance(value, list):
            row[key] = ", ".join(value)
        else:
            row[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return {**row, **columns}


SHOWN = {
    "@timestamp": "May 14, 2024 @ 16:30:00.000",
    "kibana.alert.start": "May 14, 2024 @ 16:02:11.000",
    "kibana.alert.end": "-",
    "_id": UUID,
}


def watch(state="executed", *, met=True, at="2024-05-14T14:02:00.100Z", **fields):
    """Return the hit of one execution of a watch."""
    source = {
        "watch_id": "orders_errors",
        "state": state,
        "trigger_event": {"type": "schedule", "triggered_time": "2024-05-14T14:02:00.090Z"},
        "metadata": {"name": "Orders: errors", "service": "orders", "team": "orders", "severity": "critical"},
        "result": {
            "execution_time": at,
            "condition": {"met": met},
            "actions": [{"id": "notify", "status": "success"}],
        },
        **fields,
    }
    return hit(source, key=f"orders_errors_1-{at}", index=".watcher-history-16-2024.05.14")


def logged(action="new-instance", **fields):
    """Return the hit of an entry of the event log."""
    return hit(
        {
            "@timestamp": "2024-05-14T14:02:11.100Z",
            "event": {"provider": "alerting", "action": action, "kind": "alert", "start": "2024-05-14T14:02:11.000Z"},
            "kibana": {
                "alert": {"uuid": UUID},
                "alerting": {"instance_id": "checkout,/api/pay", "action_group_id": "critical"},
            },
            "rule": {"id": RULE_ID, "name": "Checkout error rate", "category": "x"},
            "message": "created new alert",
            **fields,
        },
        key="log-1",
        index=".ds-.kibana-event-log-8.15.0-2024.05.14-000001",
    )


@pytest.mark.parametrize("name", ["synthetic_alerts_as_data_search.json", "synthetic_alerts_hits.ndjson"])
def test_samples_of_alerts(shared, read, name) -> None:
    batch = read((shared / f"formats/samples/elastic/{name}").read_bytes())
    at = pd.Timestamp
    columns = ["kind", "native_ids", "rule_key", "at", "starts_at", "ends_at", "service"]
    assert batch.events[columns].values.tolist() == [
        ["resolved", ["b1"], RULE, END, START, END, "checkout"],
        [
            "fired",
            ["b2"],
            f"{RULE_ID}|cart,/api/cart",
            at("2024-05-14T14:10Z"),
            at("2024-05-14T14:10Z"),
            pd.NaT,
            "cart",
        ],
        ["fired", ["b3"], f"{RULE_ID}|old,/x", at("2024-05-14T02:00Z"), at("2024-05-14T02:00Z"), pd.NaT, "old"],
    ]
    assert set(batch.events["team"]) == {"payments"}
    assert set(batch.events["environment"]) == {"prod"}
    assert set(batch.events["alertname"]) == {"Checkout error rate"}
    assert batch.events["severity"].isna().all()
    assert json.loads(batch.events["labels"][2])["untracked_at"] == "2024-05-14T03:00:00.000Z"
    assert len(fold_events(batch.events)) == 3


def test_sample_of_the_index_connector(shared, event) -> None:
    got = event((shared / "formats/samples/elastic/synthetic_alert_history_index.json").read_bytes())
    assert (got["kind"], got["native_ids"], got["rule_key"]) == ("fired", ["x1"], "9055220c|checkout,/api/pay")
    assert (got["at"], got["team"], got["alertname"]) == (START, "payments", "Checkout error rate")
    assert "severity" not in got


def test_sample_of_watcher(shared, read) -> None:
    batch = read((shared / "formats/samples/elastic/synthetic_watcher_history_search.json").read_bytes())
    assert batch.ignored == Counter({"elastic watch execution, condition not met": 1})
    [row] = batch.events.to_dict("records")
    assert (row["kind"], row["at"]) == ("fired", pd.Timestamp("2024-05-14T14:02:00.100Z"))
    assert (row["service"], row["team"], row["severity"]) == ("orders", "orders", "critical")
    assert (row["rule_key"], row["has_recovery"]) == ("orders_errors", False)
    assert row["native_ids"] == ["orders_errors_1e1f-2024-05-14T14:02:00.100Z"]


def test_recorded_kibana_alerts_have_their_labels(shared, read) -> None:
    folder = shared / "data/format_samples"
    batch = read((folder / "kibana_alerts.json").read_bytes())
    with (folder / "labels.csv").open() as file:
        labels = [row for row in csv.DictReader(file) if row["source_file"] == "kibana_alerts.json"]
    assert [[r["native_id"], pd.Timestamp(r["timestamp"]), r["service"]] for r in labels] == [
        [ids[0], at, service] for ids, at, service in batch.events[["native_ids", "at", "service"]].values.tolist()
    ]
    assert batch.records == 60


def test_every_recorded_intrusion_alert_is_found(shared) -> None:
    folder = shared / "data/ait_russellmitchell"
    batches = list(read_files(folder / "alerts"))
    events = pd.concat([batch.events for batch in batches], ignore_index=True)
    assert sum(batch.records for batch in batches) == len(events) == 45_544
    truth = pd.read_csv(folder / "truth/alert_labels.csv", parse_dates=["timestamp"]).set_index("native_id")
    found = events.set_index(events["native_ids"].str[0]).loc[truth.index]
    assert (found["at"] == truth["timestamp"]).all()
    assert (found["resources"].str[0] == truth["service"]).all()
    assert events["origin"].value_counts().to_dict() == {"wazuh": 32_302, "suricata": 9_186, "aminer": 4_056}
    assert events.loc[0, "rule_key"] == "W-Sys-Cav|mail"
    assert events.loc[0, "alertname"] == "ClamAV database update"
    assert not events["has_recovery"].any()


def test_alert_as_data(event) -> None:
    got = event(hit())
    assert json.loads(got.pop("raw")) == hit()
    assert json.loads(got.pop("labels")) == {
        "action_group": "metrics.threshold.warning",
        "category": "Custom threshold",
        "consumer": "observability",
        "evaluation_threshold": 5,
        "evaluation_value": 12.5,
        "group": {"url.path": "/api/pay", "host.name": "web-1"},
        "instance": "checkout,/api/pay",
        "rule_type": "observability.rules.custom_threshold",
        "space": "default",
        "status": "active",
        "tags": ["env:prod", "team:payments"],
        "workflow_status": "open",
    }
    assert got == {
        "source": "elastic",
        "event_id": f"{UUID}|active",
        "native_ids": [UUID],
        "occurrence_key": UUID,
        "rule_key": RULE,
        "at": START,
        "time_source": "event",
        "kind": "fired",
        "has_recovery": True,
        "alertname": "Checkout error rate",
        "starts_at": START,
        "severity": "warning",
        "severity_raw": "warning",
        "summary": "Error rate is 12.5%",
        "url": "https://kibana/app/x",
        "service": "checkout",
        "environment": "prod",
        "team": "payments",
        "resources": ["web-1", "checkout-1"],
        "trace_ids": ["abc123"],
    }


@pytest.mark.parametrize(
    "export",
    [
        FLAT,
        {"took": 1, "timed_out": False, "hits": {"total": {"value": 1}, "hits": [hit()]}},
        {"responses": [{"hits": {"hits": [hit(nested(FLAT))]}}]},
        nested(FLAT),
        hit(nested(FLAT)),
        hit(mixed(FLAT)),
        {"_index": "x", "_type": "_doc", "_id": UUID, "_score": 1, "_source": json.dumps(FLAT)},
        {"_index": "x", "_id": UUID, "fields": arrays(FLAT)},
        {"_index": "x", "_id": UUID, "_source": nested(FLAT), "fields": arrays(FLAT)},
        exported(FLAT, **SHOWN),
    ],
)
def test_every_encoding_tells_the_same(event, export) -> None:
    expected, got = event(hit()), event(export, tz="Europe/Berlin")
    for row in (expected, got):
        del row["raw"]
        row["labels"] = {k: v for k, v in json.loads(row["labels"]).items() if not k.startswith("evaluation")}
    assert got == expected


def test_versions_of_a_document_are_one_alert(read) -> None:
    log = [hit(), hit(**{"@timestamp": "2024-05-14T14:31:00Z"}), hit(**OVER)]
    events = read(log).events
    assert events["event_id"].tolist() == [f"{UUID}|active", f"{UUID}|active", f"{UUID}|recovered"]
    for some in (events, events.iloc[::-1], events.iloc[[2]]):
        [row] = fold_events(some).to_dict("records")
        assert (row["starts_at"], row["ends_at"], row["event_ids"]) == (START, END, [UUID])
    assert fold_events(events)["severity"].tolist() == ["warning"]


def test_untracked_is_no_recovery(event) -> None:
    got = event(alert(status="untracked", end="2024-05-14T14:31:40Z", action_group="recovered"))
    assert (got["kind"], got["starts_at"], got.get("ends_at")) == ("fired", START, None)
    labels = json.loads(got["labels"])
    assert (labels["status"], labels["untracked_at"]) == ("untracked", "2024-05-14T14:31:40.000Z")


@pytest.mark.parametrize(
    "fields",
    [
        {"rule__rule_type_id": "siem.queryRule"},
        {"rule__consumer": "siem"},
        {"status": "recovered", "rule__rule_type_id": "siem.eqlRule", "workflow_status": "closed"},
    ],
)
def test_security_alerts_never_recover(event, fields) -> None:
    got = event(alert(severity="high", risk_score=73, **fields))
    assert (got["kind"], got["has_recovery"], got.get("ends_at")) == ("fired", False, None)
    assert (got["severity"], got["severity_raw"], json.loads(got["labels"])["risk_score"]) == ("error", "high", 73)


def test_signals_of_old_security(event) -> None:
    source = {
        "@timestamp": "2021-05-14T14:02:11Z",
        "signal": {"rule": {"id": "r1", "name": "Bad login", "severity": "critical"}, "status": "open"},
        "host": {"name": "web-1"},
        "event": {"kind": "signal"},
    }
    got = event(hit(source, key="s1", index=".siem-signals-default-000001"))
    assert (got["rule_key"], got["alertname"], got["severity"]) == ("r1", "Bad login", "critical")
    assert (got["occurrence_key"], got["resources"], got["has_recovery"]) == ("s1", ["web-1"], False)


@pytest.mark.parametrize(
    ("fields", "severity", "raw"),
    [
        ({"severity": "critical"}, "critical", "critical"),
        ({"severity": "major"}, None, "major"),
        ({"action_group": "slo.burnRate.high"}, "error", "high"),
        ({"action_group": "custom_threshold.fired"}, None, None),
        ({"action_group": "recovered", "previous_action_group": "critical"}, "critical", "critical"),
        ({"action_group": "metrics.threshold.fired", "rule__tags": ["severity:low"]}, "info", "low"),
    ],
)
def test_severity_is_stated_or_in_the_action_group_or_a_tag(event, fields, severity, raw) -> None:
    got = event(alert(**fields))
    assert (got.get("severity"), got.get("severity_raw")) == (severity, raw)


def test_acknowledged_by_a_person_goes_on(event) -> None:
    got = event(alert(workflow_status="acknowledged", workflow_status_updated_at="2024-05-14T14:05:00Z"))
    assert (got["kind"], got["acked_at"]) == ("fired", pd.Timestamp("2024-05-14T14:05:00Z"))


def test_alert_of_7x_and_delayed_one(read) -> None:
    old = {key: value for key, value in FLAT.items() if "instance" not in key}
    batch = read([hit({**old, "kibana.alert.id": "a", "kibana.alert.status": "open"}), alert(status="delayed")])
    assert batch.events["rule_key"].tolist() == [f"{RULE_ID}|a"]
    assert batch.ignored == Counter({"elastic alert that is delayed, not fired yet": 1})


def test_grouped_fields_stand_in_for_those_of_the_document(event) -> None:
    bare = {key: value for key, value in FLAT.items() if key not in ("service.name", "kubernetes.pod.name", "tags")}
    got = event(
        {
            **bare,
            "kibana.alert.group": [{"field": "service.name", "value": "cart"}, {"field": "host.name", "value": "h"}],
        }
    )
    assert (got["service"], got["resources"]) == ("cart", ["h"])


def test_csv_needs_the_zone_of_the_browser(read) -> None:
    row = exported(FLAT, **SHOWN)
    batch = read(row)
    assert batch.rejected["reason"].tolist() == ["bad_time"]
    assert "tz=" in batch.rejected["message"][0]
    few = {"@timestamp": "Jan 2, 2024 @ 03:04:05.678", "kibana.alert.rule.name": "x", "kibana.alert.status": "active"}
    [got] = read({**few, "kibana.alert.reason": "-"}, tz="UTC").events.to_dict("records")
    assert (got["at"], got["rule_key"], got["summary"]) == (pd.Timestamp("2024-01-02T03:04:05.678Z"), "x", "x")


def test_index_connector_tells_firing_and_recovery(read) -> None:
    def document(group, at):
        context = {"observability__rules": {"reason": "12 errors", "viewInAppUrl": "https://kibana/x"}}
        return {
            "@timestamp": at,
            "event": {"kind": "alert"},
            "tags": ["service:checkout", "env:prod"],
            "rule": {"id": RULE_ID, "name": "Checkout error rate", "type": "t", "space": "default"},
            "kibana": {"alert": {"id": "checkout", "actionGroup": group, "context": context}},
        }

    events = read([document("warning", "2024-05-14T14:02:11Z"), document("recovered", "2024-05-14T14:31:40Z")]).events
    assert events["kind"].tolist() == ["fired", "resolved"]
    [row] = fold_events(events).to_dict("records")
    assert (row["starts_at"], row["ends_at"], row["severity"]) == (START, END, "warning")
    assert (row["summary"], row["url"], row["service"]) == ("12 errors", "https://kibana/x", "checkout")


@pytest.mark.parametrize(
    ("export", "kind"),
    [
        (watch(), "fired"),
        (watch("throttled"), "renotified"),
        (watch("acknowledged"), "renotified"),
        (watch("throttled", result={}), "renotified"),
        (watch("execution_not_needed", met=False), "elastic watch execution, condition not met"),
        (watch("failed", result={}), "elastic watch execution that failed or was skipped"),
        (watch("not_executed_watch_missing", result={}), "elastic watch execution that failed or was skipped"),
    ],
)
def test_executions_of_watches(read, export, kind) -> None:
    batch = read(export)
    assert [*batch.events["kind"], *batch.ignored] == [kind]


def test_watch_in_each_wrapping_is_one_fact(event) -> None:
    source = watch()["_source"]
    expected = event(watch())
    assert expected["event_id"] == "orders_errors|2024-05-14T14:02:00.100Z"
    assert expected["alertname"] == "Orders: errors"
    for export in (source, {"watch_record": source}, {"_id": "w", "_source": {"watch_record": source}}):
        assert event(export)["event_id"] == expected["event_id"]


def test_watch_folds_into_runs_of_executions(read) -> None:
    times = ["14:00", "14:01", "14:02", "15:00"]
    log = [watch(at=f"2024-05-14T{time}:00.000Z") for time in times]
    log.insert(3, watch("execution_not_needed", met=False, at="2024-05-14T14:03:00.000Z"))
    alerts = fold_events(read(log).events)
    assert alerts["starts_at"].dt.strftime("%H:%M").tolist() == ["14:00", "15:00"]
    assert alerts["ends_at"].isna().all()


def test_acknowledged_watch_says_since_when(event) -> None:
    ack = {"ack": {"state": "acked", "timestamp": "2024-05-14T14:01:00.000Z"}}
    got = event(watch("acknowledged", status={"actions": {"notify": ack}}))
    assert got["acked_at"] == pd.Timestamp("2024-05-14T14:01:00Z")
    other = {"ack": {"state": "ackable", "timestamp": "2024-05-14T14:01:00.000Z"}}
    assert "acked_at" not in event(watch(status={"actions": {"notify": ack, "mail": other}}))


def test_event_log_tells_the_facts_of_the_alert_document(read) -> None:
    entries = [
        logged("execute"),
        logged(),
        logged("active-instance", **{"@timestamp": "2024-05-14T14:03:11Z"}),
        logged(
            "recovered-instance",
            event={
                "provider": "alerting",
                "action": "recovered-instance",
                "start": "2024-05-14T14:02:11Z",
                "end": "2024-05-14T14:31:40Z",
            },
        ),
    ]
    batch = read(entries)
    assert batch.ignored == Counter({"kibana event log entry that is no alert": 1})
    documents = read([hit(), hit(**OVER)], name="alerts.json").events
    events = pd.concat([batch.events, documents], ignore_index=True)
    assert set(events["event_id"]) == {f"{UUID}|active", f"{UUID}|recovered"}
    [row] = fold_events(events).to_dict("records")
    assert (row["starts_at"], row["ends_at"], row["event_ids"]) == (START, END, [UUID, "log-1"])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            {
                "@timestamp": "2022-01-21T00:02:27Z",
                "rule": {"id": "W-1", "description": "ClamAV update"},
                "agent": {"name": "mail", "ip": "10.0.0.1"},
                "host": {"name": "mail"},
                "observer": {"product": "Wazuh"},
                "event": {"kind": "alert"},
            },
            ("wazuh", "W-1|mail", "ClamAV update", None, None, ["mail"]),
        ),
        (
            {
                "timestamp": "2022-01-21T00:02:27.000+0000",
                "rule": {"level": 12, "id": "5710", "description": "Login failed", "groups": ["sshd"]},
                "agent": {"id": "001", "name": "web-1"},
                "manager": {"name": "wazuh"},
                "id": "1642723347.1",
                "full_log": "sshd: ...",
            },
            ("wazuh", "5710|web-1", "Login failed", "error", "12", ["web-1"]),
        ),
        (
            {
                "timestamp": "2022-01-21T00:02:27.000+0000",
                "event_type": "alert",
                "src_ip": "10.0.0.9",
                "host": "fw-1",
                "alert": {"signature": "ET POLICY", "signature_id": 2013504, "severity": 2},
            },
            ("suricata", "2013504|fw-1", "ET POLICY", "warning", "2", ["fw-1"]),
        ),
        (
            {
                "@timestamp": "2022-01-21T00:02:27Z",
                "event": {"kind": "alert", "module": "falco", "severity": 4},
                "rule": {"name": "Shell in container"},
                "log.level": "Warning",
                "service": {"name": "cart"},
                "kubernetes": {"pod": {"name": "cart-1"}},
            },
            ("falco", "Shell in container", "Shell in container", "warning", "Warning", ["cart-1"]),
        ),
        (
            {
                "AnalysisComponent": {"AnalysisComponentName": "New event type", "Message": "New"},
                "LogData": {"Timestamps": [1642723347.0]},
            },
            ("aminer", "New event type", "New event type", None, None, []),
        ),
    ],
)
def test_alerts_of_other_systems(event, source, expected) -> None:
    got = event(hit(source, key="x", index="some-alerts"))
    columns = ("origin", "rule_key", "alertname", "severity", "severity_raw", "resources")
    assert tuple(got.get(column) for column in columns) == expected
    assert (got["kind"], got["has_recovery"], got["native_ids"]) == ("fired", False, ["x"])
    assert got["at"] == pd.Timestamp("2022-01-21T00:02:27Z")


def test_document_without_its_id_is_known_by_what_it_holds(read) -> None:
    one = {"@timestamp": "2022-01-21T00:02:27Z", "event.kind": "alert", "rule.name": "x", "host.name": "a"}
    events = read([one, nested(one), {**one, "host.name": "b"}]).events
    assert events["event_id"].nunique() == 2
    assert events["event_id"][0] == events["event_id"][1]


def test_what_is_no_alert_is_left_to_others(read) -> None:
    sns = {"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}
    batch = read(
        [
            hit(sns),
            {"id": "r", "rule_type_id": ".es-query", "schedule": {"interval": "1m"}, "name": "x"},
            {"_id": "w", "watch": {"trigger": {"schedule": {}}, "input": {}}},
            hit({"@timestamp": "2022-01-21T00:02:27Z", "metric": 1}),
        ]
    )
    assert batch.events["source"].tolist() == ["cloudwatch"]
    assert batch.ignored == Counter({"elastic rule definition": 1, "elastic watch definition": 1})
    assert len(batch.rejected) == 1


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (alert(status="odd"), "bad_state"),
        (alert(start="soon"), "bad_time"),
        (hit({"kibana.alert.rule.uuid": "r", "kibana.alert.status": "active"}), "no_time"),
        (
            hit({"kibana.alert.uuid": "u", "kibana.alert.rule.name": {}, "@timestamp": "2022-01-21T00:02:27Z"}),
            "missing_field",
        ),
        (watch(at=None, trigger_event={}), "no_time"),
        (watch(watch_id=None), "missing_field"),
        (logged(rule={}), "missing_field"),
    ],
)
def test_record_that_cannot_be_used_is_rejected(read, export, reason) -> None:
    assert read(export).rejected["reason"].tolist() == [reason]
