from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import fold_events
from stanza_lab.loaders import splunk

AT = pd.Timestamp("2024-05-14T14:02:11Z")
SID = "scheduler__admin__search__RMD5abc_at_1715695331_64"


def webhook(**fields):
    """Return what the webhook action sends."""
    return {
        "sid": SID,
        "search_name": "Checkout 5xx > 100",
        "app": "search",
        "owner": "admin",
        "results_link": "https://splunk.example.com/app/search/@go?sid=x",
        "result": {"_time": "1715695331", "host": "web-1", "service": "checkout", "count": "412"},
        **fields,
    }


def audit(**fields):
    """Return an event of the audit log."""
    return {
        "_time": "2024-05-14T10:02:11.000-04:00",
        "action": "alert_fired",
        "ss_name": "Checkout 5xx > 100",
        "ss_app": "search",
        "severity": "4",
        "sid": SID,
        "trigger_time": "1715695331",
        "host": "search-head",
        **fields,
    }


def fired(**content):
    """Return the REST list of fired alerts."""
    row = {
        "savedsearch_name": "Checkout 5xx > 100",
        "sid": SID,
        "severity": 4,
        "trigger_time": 1715695331,
        "actions": "email",
        "alert_type": "number of events",
        "eai:acl": {"app": "search", "owner": "admin"},
        **content,
    }
    entry = {"name": SID, "id": "https://splunk:8089/x", "updated": "1970-01-01T00:00:00+00:00", "content": row}
    return {"links": {}, "origin": "https://splunk:8089", "entry": [entry], "paging": {"total": 1}}


def notable(**fields):
    """Return a notable event of Enterprise Security."""
    return {
        "_time": "2024-05-14T14:02:11.000+00:00",
        "search_name": "Access - Brute Force - Rule",
        "rule_name": "Brute Force",
        "rule_title": "Brute force against db-1",
        "rule_description": "many failures",
        "event_id": "ABC@@notable@@1",
        "security_domain": "access",
        "urgency": "high",
        "severity": "critical",
        "dest": "db-1",
        "src": "10.0.0.9",
        "status": "5",
        "status_label": "Closed",
        **fields,
    }


@pytest.mark.shared
def test_samples(shared, read) -> None:
    folder = shared / "formats/samples/splunk"
    columns = ["source", "event_id", "at", "kind", "rule_key", "alertname", "service", "resources", "severity"]
    name = "Checkout 5xx > 100"
    batch = read((folder / "synthetic_alert_webhook.json").read_bytes())
    sid = "scheduler__admin__search__RMD5abc_at_1715695320_64"
    assert batch.events[columns[:-1]].to_numpy().tolist() == [
        ["splunk", sid, AT, "fired", name, name, "checkout", ["web-1"]]
    ]
    assert batch.events["severity"].isna().all()
    batch = read((folder / "synthetic_search_export.jsonl").read_bytes())
    assert batch.ignored == {"splunk end of an export": 1}
    columns.remove("service")
    assert batch.events[columns].to_numpy().tolist() == [
        ["splunk", "scheduler__x", AT, "fired", name, name, [], "error"]
    ]


def test_webhook(event) -> None:
    got = event(webhook())
    assert json.loads(got.pop("raw")) == webhook()
    assert json.loads(got.pop("labels")) == {
        "app": "search",
        "result": {"count": "412", "host": "web-1", "service": "checkout"},
    }
    assert got == {
        "source": "splunk",
        "event_id": SID,
        "native_ids": [SID],
        "rule_key": "Checkout 5xx > 100",
        "at": AT,
        "time_source": "event",
        "kind": "fired",
        "has_recovery": False,
        "alertname": "Checkout 5xx > 100",
        "summary": "Checkout 5xx > 100",
        "url": "https://splunk.example.com/app/search/@go?sid=x",
        "service": "checkout",
        "resources": ["web-1"],
        "trace_ids": [],
    }


RAW = (
    'Audit:[timestamp=05-14-2024 10:02:11.123, user=admin, action=alert_fired, ss_user="admin", ss_app="search", '
    f'ss_name="Checkout 5xx > 100", sid="{SID}", alert_actions="email", severity=4, trigger_time=1715695331]'
)


@pytest.mark.parametrize(
    "telling",
    [
        webhook(),
        webhook(result={"count": "412"}),  # the time stands in the id of the run
        audit(),
        audit(action=None),
        {"preview": False, "offset": 0, "result": audit()},
        {"results": [audit()], "preview": False, "init_offset": 0},
        {"result": {"_raw": RAW, "_time": "2024-05-14T10:02:11.123-04:00", "host": "search-head"}, "preview": False},
        fired(),
        {**fired()["entry"][0]["content"], "title": SID},  # | rest
    ],
)
def test_every_shape_tells_the_same_fact(event, telling) -> None:
    got = event(telling)
    assert [got[key] for key in ("event_id", "at", "kind", "rule_key")] == [SID, AT, "fired", "Checkout 5xx > 100"]
    assert "search-head" not in got["resources"]


def test_shapes_fold_into_one_alert(read) -> None:
    alerts = fold_events(read([webhook(), audit(), fired()]).events)
    columns = ["event_ids", "service", "severity", "resources"]
    assert alerts[columns].to_numpy().tolist() == [[[SID], "checkout", "error", ["web-1"]]]


def test_rows_of_csv_tell_the_same(read) -> None:
    table = pd.DataFrame([audit(alert_actions="email\nwebhook"), audit(sid="other")]).to_csv(index=False)
    batch = read(table, name="a.csv")
    assert batch.events[["source", "event_id", "at"]].to_numpy().tolist() == [
        ["splunk", SID, AT],
        ["splunk", "other", AT],
    ]


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        ("1", "info"),
        ("2", "info"),
        ("3", "warning"),
        ("4", "error"),
        ("5", "critical"),
        ("6", "critical"),
        ("high", "error"),
    ],
)
def test_severity_of_a_search(event, level, severity) -> None:
    assert event(audit(severity=level))["severity"] == severity


def test_notable_event(event) -> None:
    got = event([notable()])
    assert json.loads(got.pop("labels")) == {
        "closed": "true",
        "security_domain": "access",
        "status": "Closed",
        "urgency": "high",
    }
    assert got.pop("raw")
    assert got == {
        "source": "splunk",
        "event_id": "ABC@@notable@@1",
        "native_ids": ["ABC@@notable@@1"],
        "rule_key": "Access - Brute Force - Rule|db-1",
        "at": AT,
        "time_source": "event",
        "kind": "fired",
        "has_recovery": False,
        "alertname": "Brute Force",
        "severity": "critical",
        "severity_raw": "critical",
        "summary": "Brute force against db-1",
        "description": "many failures",
        "resources": ["db-1"],
        "trace_ids": [],
    }


def test_several_values_are_a_list_or_lines(event) -> None:
    assert event([notable(dest=["db-1", "db-2"])])["resources"] == ["db-1", "db-2"]
    assert event([notable(dest="db-1\ndb-2")])["resources"] == ["db-1", "db-2"]


def test_what_is_no_fired_alert_is_counted(read) -> None:
    batch = read(
        [
            {"preview": True, "offset": 0, "result": audit()},
            {"preview": False, "lastrow": True},
            {"entry": [{"name": "x", "content": {"triggered_alert_count": 3}}]},
            {"savedsearch_name": "x", "status": "success", "run_time": "0.3", "_time": "2024-05-14T14:02:11Z"},
        ]
    )
    assert batch.ignored == {
        "splunk preview of a result": 1,
        "splunk end of an export": 1,
        "splunk count of fired alerts": 1,
        "splunk run of a search": 1,
    }
    assert batch.rejected["reason"].tolist() == []


def test_record_of_another_vendor_in_a_raw_line_is_read_as_that(event) -> None:
    alarm = {"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2024-05-14T14:02:11Z"}
    row = {"preview": False, "offset": 0, "result": {"_raw": json.dumps(alarm), "_time": "2024-05-14T14:02:12Z"}}
    assert event(row)["source"] == "cloudwatch"


def test_webhook_without_a_time_has_that_of_its_receipt(event) -> None:
    payload = webhook(sid="rt_1", result={"count": "1"})
    got = event({"received_at": "2024-05-14T14:02:11Z", "payload": payload})
    assert (got["at"], got["time_source"]) == (AT, "receipt")
    got = event(payload)
    assert (got["time_source"], got.get("at")) == ("none", None)


@pytest.mark.parametrize(
    "record",
    [
        {"result": [{"number": "INC1"}]},
        {"sid": "x", "result": {}},
        {"rule_name": "x", "status": "open"},
        {"_raw": "plain text"},
        {"content": 7},
        {"_raw": 7, "ss_name": 7, "action": ["login"]},
    ],
)
def test_look_alikes_are_left_to_others(record) -> None:
    assert not any(shape.matches(record) for shape in splunk.SHAPES)
