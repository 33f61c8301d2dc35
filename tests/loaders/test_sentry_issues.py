"""Issues, their activities and webhooks, metric alerts, the old plugin and tables; events are in test_sentry."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab.history import fold_events

DAY = "2026-03-01T"
HEX = "9fac2ceed9344f2bbfdd1fdacb0ed9b1"


def issue(**fields):
    """Return an issue as the API lists it."""
    default = {
        "id": "746",
        "shortId": "SHOP-1A",
        "title": "TypeError: x is undefined",
        "culprit": "cart in pay",
        "level": "error",
        "status": "unresolved",
        "substatus": "ongoing",
        "priority": "high",
        "count": "150",
        "firstSeen": f"{DAY}14:02:11.419000Z",
        "lastSeen": f"{DAY}18:00:00Z",
        "project": {"id": "2", "slug": "shop", "name": "The shop", "platform": "python"},
        "assignedTo": {"type": "team", "id": "9", "name": "payments"},
        "permalink": "https://sentry.io/organizations/acme/issues/746/",
        "stats": {"24h": [[1772370000, 3]]},
    }
    return {**default, **fields}


def webhook(action, **fields):
    """Return the webhook of an issue."""
    installation = {"uuid": "a8e5d37a"}
    return {
        "action": action,
        "data": {"issue": issue(**fields)},
        "installation": installation,
        "actor": {"type": "user"},
    }


def metric(action="critical", **fields):
    """Return the webhook of a metric alert."""
    rule = {"id": "7", "name": "shop 5xx", "aggregate": "count()", "query": "level:error", "environment": "prod"}
    alert = {
        "id": "2",
        "identifier": "1",
        "organization_id": "5",
        "status": 20,
        "date_started": f"{DAY}14:02:00Z",
        "date_detected": f"{DAY}14:02:09.553Z",
        "date_closed": None,
        "alert_rule": {**rule, "projects": ["shop"], "owner": "team:payments"},
        **fields,
    }
    data = {"metric_alert": alert, "description_title": "Critical: shop 5xx", "description_text": "412 events"}
    return {
        "action": action,
        "data": {**data, "web_url": "https://acme.sentry.io/alerts/2"},
        "installation": {"uuid": "u"},
    }


def plugin(**event):
    """Return what the webhook plugin sends."""
    flat = {"id": "746", "project": "shop", "project_name": "The shop", "project_slug": "shop", "logger": "root"}
    flat |= {"level": "error", "culprit": "cart in pay", "message": "", "triggering_rules": ["every issue"]}
    return {**flat, "url": "https://sentry.io/organizations/acme/issues/746/", "event": event}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "last", "status"),
    [("issues_list", "2018-12-06T21:19:55Z", "ignored"), ("issue_detail", "2018-12-06T21:19:55Z", "unresolved")],
)
def test_sample_issues(shared, read, name, last, status) -> None:
    events = read((shared / f"formats/samples/sentry/{name}.json").read_bytes()).events
    columns = ["source", "event_id", "rule_key", "kind", "severity", "alertname", "service", "time_source"]
    same = ["error", "This is an example Python exception", "pump-station", "event"]
    assert events[columns].to_numpy().tolist() == [
        ["sentry", "1|fired|2018-11-06T21:19:55.000Z", "1", "fired", *same],
        ["sentry", "1|fired|2018-12-06T21:19:55.000Z", "1", "fired", *same],
    ]
    assert events["at"].tolist() == [pd.Timestamp("2018-11-06T21:19:55Z"), pd.Timestamp(last)]
    assert events[["starts_at", "ends_at", "team", "environment"]].isna().all(axis=None)
    assert {json.loads(labels)["status"] for labels in events["labels"]} == {status}
    assert events["resources"].tolist() == [[], []]


@pytest.mark.shared
def test_sample_metric_alert(shared, event) -> None:
    got = event((shared / "formats/samples/sentry/synthetic_metric_alert_webhook.json").read_bytes())
    del got["raw"]
    assert json.loads(got.pop("labels"))["query"] == "level:error"
    assert got == {
        "source": "sentry",
        "event_id": "metric|5|1|critical",
        "native_ids": ["2"],
        "occurrence_key": "metric|5|1",
        "rule_key": "metric|7",
        "at": pd.Timestamp("2024-05-14T14:02:09.553Z"),
        "time_source": "event",
        "kind": "fired",
        "has_recovery": True,
        "starts_at": pd.Timestamp("2024-05-14T14:02:00Z"),
        "alertname": "checkout 5xx",
        "severity": "critical",
        "severity_raw": "critical",
        "summary": "Critical: checkout 5xx",
        "description": "412 events in the last 10 minutes",
        "url": "https://acme.sentry.io/alerts/rules/details/7/?alert=2",
        "service": "checkout",
        "environment": "production",
        "resources": [],
        "trace_ids": [],
    }


def test_issue_tells_moments_and_never_one_long_interval(read) -> None:
    events = read([issue()]).events
    assert events["at"].tolist() == [pd.Timestamp(f"{DAY}14:02:11.419Z"), pd.Timestamp(f"{DAY}18:00:00Z")]
    assert (
        events[["kind", "rule_key", "service", "team"]].to_numpy().tolist()
        == [["fired", "746", "shop", "payments"]] * 2
    )
    alerts = fold_events(events)
    assert alerts["starts_at"].tolist() == events["at"].tolist()
    assert alerts["ends_at"].isna().all()


def test_issue_seen_once_is_one_fact(read) -> None:
    assert len(read([issue(lastSeen=issue()["firstSeen"])]).events) == 1
    assert len(read([issue(firstSeen=None)]).events) == 1
    assert read([issue(firstSeen=None, lastSeen=None)]).rejected["reason"].tolist() == ["no_time"]


def test_activity_of_an_issue(read) -> None:
    activity = [
        {"id": "906", "type": "note", "data": {"text": "looking"}, "dateCreated": f"{DAY}15:05:00Z"},
        {"id": "905", "type": "set_escalating", "data": {}, "dateCreated": f"{DAY}17:10:00Z"},
        {"id": "904", "type": "set_resolved_in_release", "data": {}, "dateCreated": f"{DAY}17:00:00Z"},
        {"id": "903", "type": "set_regression", "data": {}, "dateCreated": f"{DAY}16:10:00Z"},
        {"id": "902", "type": "set_resolved", "data": {}, "dateCreated": f"{DAY}15:10:42.100Z"},
        {"id": "901", "type": "first_seen", "data": {}, "dateCreated": f"{DAY}14:02:13Z"},
    ]
    events = read(issue(activity=activity)).events.sort_values("at")
    assert events[["kind", "native_ids"]].to_numpy().tolist() == [
        ["fired", ["746"]],
        ["resolved", ["902"]],
        ["fired", ["903"]],
        ["resolved", ["904"]],
        ["fired", ["905"]],
        ["fired", ["746"]],
    ]
    assert events["event_id"].tolist()[1] == f"746|resolved|{DAY}15:10:42.100Z"
    assert not events["has_recovery"].any()
    alone = read({"activity": activity})
    assert alone.ignored == {"sentry issue activity that names no issue (export the issue)": 1}
    named = [{**told, "issue": issue()} for told in activity[2:4]]
    assert read(named).events["event_id"].tolist() == [
        f"746|resolved|{DAY}17:00:00.000Z",
        f"746|fired|{DAY}16:10:00.000Z",
    ]


@pytest.mark.parametrize(
    ("owner", "team"),
    [
        ({"assignedTo": {"type": "user", "name": "Jo"}}, None),
        ({"assignedTo": {"type": "team", "id": "9", "slug": "pay", "name": "Payments"}}, "pay"),
        ({"assignedTo": {"type": "team", "name": "#payments"}}, "payments"),
        ({"assignedTo": "team:payments"}, "payments"),
        ({"assignedTo": "jo"}, None),
        ({"assignedTo": None, "owners": [{"type": "ownershipRule", "owner": "team:checkout"}]}, "checkout"),
        ({"assignedTo": None, "owners": [{"type": "ownershipRule", "owner": "team:12"}]}, None),
        ({"assignedTo": None, "owners": {"type": "user", "owner": "1"}}, None),
    ],
)
def test_team_is_a_team_and_never_a_user(read, owner, team) -> None:
    [got] = read([issue(lastSeen=None, **owner)]).events["team"]
    assert (None if got != got else got) == team


@pytest.mark.parametrize(
    ("action", "substatus", "kind", "time_source", "at"),
    [
        ("created", "new", "fired", "event", f"{DAY}14:02:11.419Z"),
        ("resolved", None, "resolved", "receipt", f"{DAY}19:00:00Z"),
        ("unresolved", "regressed", "fired", "receipt", f"{DAY}19:00:00Z"),
        ("unresolved", "escalating", "fired", "receipt", f"{DAY}19:00:00Z"),
        ("unresolved", "ongoing", "note", "receipt", f"{DAY}19:00:00Z"),
        ("assigned", "ongoing", "note", "receipt", f"{DAY}19:00:00Z"),
        ("archived", "archived_forever", "note", "receipt", f"{DAY}19:00:00Z"),
    ],
)
def test_issue_webhooks(event, action, substatus, kind, time_source, at) -> None:
    got = event({"received_at": f"{DAY}19:00:00Z", "payload": webhook(action, substatus=substatus)})
    assert (got["kind"], got["time_source"], got["at"]) == (kind, time_source, pd.Timestamp(at))
    assert (got["rule_key"], got["service"], got["team"]) == ("746", "shop", "payments")


def test_webhook_without_a_time_is_given_none_and_told_apart_by_what_the_issue_was(read) -> None:
    later = webhook("resolved", lastSeen=f"{DAY}20:00:00Z", count="151")
    events = read([webhook("resolved"), webhook("resolved"), later]).events
    assert events["at"].isna().all()
    assert events["time_source"].tolist() == ["none"] * 3
    assert events["event_id"].nunique() == 2


def test_webhook_of_a_new_issue_and_the_issue_tell_one_fact(read) -> None:
    events = pd.concat([read(webhook("created")).events, read([issue(lastSeen=None)]).events], ignore_index=True)
    assert events["event_id"].tolist() == [f"746|fired|{DAY}14:02:11.419Z"] * 2
    assert len(fold_events(events)) == 1


def test_metric_alert_is_one_alert_from_opening_to_closing(read) -> None:
    closed = metric("resolved", status=2, date_closed=f"{DAY}14:30:00Z")
    events = read([closed, metric("critical"), metric("warning")]).events
    assert events["kind"].tolist() == ["resolved", "fired", "fired"]
    assert events["severity_raw"].astype(object).where(events["severity_raw"].notna(), None).tolist() == [
        None,
        "critical",
        "warning",
    ]
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"]) == (
        pd.Timestamp(f"{DAY}14:02:00Z"),
        pd.Timestamp(f"{DAY}14:30:00Z"),
    )
    assert (alert["severity"], alert["team"], alert["event_ids"]) == ("critical", "payments", ["2"])


def test_metric_alert_closed_without_a_time(event) -> None:
    got = event({"received_at": f"{DAY}19:00:00Z", "payload": metric("resolved", status=2)})
    assert (got["kind"], got["time_source"], "ends_at" in got) == ("resolved", "receipt", False)


@pytest.mark.parametrize(
    ("status", "kind", "severity"),
    [(20, "fired", "critical"), (10, "fired", "warning"), (1, "fired", None), (2, "resolved", None)],
)
def test_status_of_a_metric_alert_counts_where_no_action_is_known(event, status, kind, severity) -> None:
    got = event(metric("opened", status=status))
    assert (got["kind"], got.get("severity")) == (kind, severity)


def test_webhook_plugin(event, read) -> None:
    tags = [["environment", "prod"], ["server_name", "web-1"]]
    got = event(plugin(event_id=HEX, title="TypeError: x", timestamp=1772373731.42, tags=tags))
    assert {key: got.get(key) for key in ("event_id", "rule_key", "at", "kind", "has_recovery", "severity")} == {
        "event_id": HEX,
        "rule_key": "746",
        "at": pd.Timestamp(f"{DAY}14:02:11.42Z"),
        "kind": "fired",
        "has_recovery": False,
        "severity": "error",
    }
    assert (got["alertname"], got["service"], got["environment"]) == ("TypeError: x", "shop", "prod")
    assert (got["resources"], json.loads(got["labels"])["rule"]) == (["web-1"], "every issue")
    bare = event({"received_at": f"{DAY}19:00:00Z", "delivery_id": "d1", "payload": plugin(title="TypeError: x")})
    assert (bare["event_id"], bare["time_source"]) == ("d1", "receipt")
    assert read(plugin(title="TypeError: x")).rejected["reason"].tolist() == ["missing_field"]


def test_error_webhook_and_webhooks_of_no_alert(event, read) -> None:
    error = {"event_id": HEX, "issue_id": "746", "title": "x", "timestamp": 1772373731, "level": "fatal"}
    got = event({"action": "created", "data": {"error": error}, "installation": {"uuid": "u"}})
    assert (got["event_id"], got["rule_key"], got["severity"]) == (HEX, "746", "critical")
    comment = {"action": "created", "data": {"comment": "hm", "issue_id": 746}, "installation": {"uuid": "u"}}
    assert read(comment).ignored == {"sentry webhook that is no alert": 1}


@pytest.mark.parametrize(
    "row",
    [
        {"id": HEX, "issue.id": 746, "issue": "SHOP-1A", "project.name": "shop", "error.type": "TypeError"},
        {"event_id": HEX, "Issue ID": "746", "Project": "shop", "user.display": "jo@example.com", "count()": "1"},
    ],
)
def test_row_of_a_table_that_is_an_event(event, row) -> None:
    row |= {"timestamp": "2026-03-01T14:02:11+00:00", "title": "TypeError: x", "level": "error", "environment": "prod"}
    row |= {"event.type": "error", "trace": "FFC8CA7E4C8F06C75142C880D5595D96"}
    for export in ([row], {"data": [row], "meta": {"fields": {"id": "string"}}}):
        got = event(export)
        assert (got["event_id"], got["rule_key"], got["at"]) == (HEX, "746", pd.Timestamp(f"{DAY}14:02:11Z"))
        assert (got["kind"], got["severity"], got["service"], got["environment"]) == ("fired", "error", "shop", "prod")
        assert got["trace_ids"] == [row["trace"].lower()]
        assert "jo@example.com" not in got["labels"]


def test_row_without_id_or_issue_is_told_by_what_it_has(event) -> None:
    row = {"timestamp": f"{DAY}14:02:11Z", "title": "x", "project": "shop", "issue": "SHOP-1A"}
    assert event([row])["event_id"] == f"SHOP-1A|fired|{DAY}14:02:11.000Z"
    assert event([row | {"issue": "unknown", "culprit": "cart"}])["rule_key"] == "shop|x"


@pytest.mark.parametrize(
    "row",
    [
        {"title": "x", "project": "shop", "count()": "4", "last_seen()": f"{DAY}14:02:11Z"},
        {"id": HEX, "timestamp": f"{DAY}14:02:11Z", "title": "/pay", "event.type": "transaction", "issue": "unknown"},
    ],
)
def test_row_that_is_no_event_of_an_issue(read, row) -> None:
    assert read([row]).ignored == {"sentry table row that is no event of an issue": 1}
    table = read({"data": [row, row], "meta": {"fields": {"title": "string"}}})
    assert table.ignored == {"sentry table row that is no event of an issue": 2}


def test_row_of_logs_is_no_event(read) -> None:
    row = {"id": HEX, "timestamp": f"{DAY}14:02:11Z", "message": "hello", "severity": "info", "project": "shop"}
    table = read({"data": [row], "meta": {"fields": {"message": "string"}}})
    assert table.ignored == {"sentry table row that is no event of an issue": 1}


@pytest.mark.parametrize(
    "record",
    [
        {"@timestamp": f"{DAY}14:02:11Z", "event.type": "error", "error.type": "x", "message": "m", "project": "p"},
        {"timestamp": f"{DAY}14:02:11Z", "level": "error", "message": "m", "title": "t", "project": "p"},
        {
            "Issue key": "SHOP-1",
            "Issue id": "10001",
            "Summary": "x",
            "Created": f"{DAY}14:02:11Z",
            "Project key": "SHOP",
        },
        {"action": "create", "type": "Comment", "data": {"issue": {"id": "1", "title": "x"}}, "organizationId": "o"},
        {"action": "opened", "issue": {"id": 1, "title": "x"}, "installation": {"id": 5}},
        {
            "shortId": 5,
            "issue": ["shortId"],
            "type": 3,
            "dateCreated": {},
            "event": "x",
            "culprit": 1,
            "project_slug": 2,
        },
    ],
)
def test_look_alikes_are_not_taken_for_sentry(read, record) -> None:
    assert read(record, source="sentry").rejected["reason"].tolist() == ["unknown_system"]
