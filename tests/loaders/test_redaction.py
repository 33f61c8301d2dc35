"""What must not be kept is gone from every column, what alerts are told by stays."""

from __future__ import annotations

import json
from collections import Counter

import orjson
import pyarrow as pa
import pytest

from stanza_lab.loaders import Redaction, read_files
from stanza_lab.loaders.redaction import Redactor

JANE, MAIL, KEY = "Jane Doe", "jane.doe@acme.com", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
HOOK = "https://hooks.slack.com/services/T0AAAAAA1/B0BBBBBB2/abcDEF123456ghiJKL789"


def redacted(record, **options):
    """Return a record as it would be kept: replaced only if it is suspected."""
    redactor = Redactor(Redaction(**options))
    suspected = redactor.suspects(pa.array([orjson.dumps(record).decode()]))
    return redactor.record(record) if suspected else record


# (what, record, what must be gone, what must stay)
CASES = [
    ("slack user", {"type": "message", "user": "U01ABC", "ts": "1.2", "text": "ok"}, ["U01ABC"], ["1.2", "ok"]),
    ("slack thread", {"parent_user_id": "U01ABC", "reply_users": ["U02"], "edited": {"user": "U03"}}, ["U0"], []),
    (
        "slack profile",
        {"user_profile": {"name": "jdoe", "real_name": JANE, "image_72": "https://a/j.png"}, "ts": "1.2"},
        ["jdoe", JANE, "j.png"],
        ["1.2"],
    ),
    (
        "slack users.json",
        {"id": "U1", "name": "jdoe", "real_name": JANE, "profile": {"email": MAIL, "real_name": JANE}},
        ["jdoe", JANE, MAIL],
        [],
    ),
    (
        "slack bot",
        {"username": "Datadog", "bot_id": "B1", "text": "CPU", "bot_profile": {"name": "Datadog"}},
        [],
        ['"Datadog"', "B1"],
    ),
    (
        "slack webhook",
        {"username": "Alarms", "icon_emoji": ":x:", "channel": "#ops", "attachments": []},
        [],
        ["Alarms"],
    ),
    (
        "slack mention",
        {"type": "message", "text": "<@U01ABC|jane> looks, <#C1|ops>", "ts": "1.2"},
        ["jane", "U01ABC"],
        ["<#C1|ops>"],
    ),
    ("slack mail", {"text": f"<mailto:{MAIL}|Jane>"}, [MAIL, "Jane"], []),
    (
        "slack file",
        {"files": [{"id": "F1", "url_private": "https://files.slack.com/x", "permalink_public": "https://s/y"}]},
        ["files.slack.com", "https://s/y"],
        ["F1"],
    ),
    (
        "slack hooks",
        {"response_url": HOOK, "token": "gIkuvaNzQIHg97ATvDxqgjtO", "text": f"post to {HOOK}."},
        ["abcDEF123456", "gIkuv"],
        ["post to https://hooks.slack.com/"],
    ),
    ("slack authorizations", {"authorizations": [{"team_id": "T1", "user_id": "U01ABC"}]}, ["U01ABC"], ["T1"]),
    (
        "slack field",
        {"attachments": [{"fields": [{"title": "Assignee", "value": JANE}, {"title": "Host", "value": "db"}]}]},
        [JANE],
        ["db", "Host"],
    ),
    (
        "honeycomb",
        {"shared_secret": "hunter2x", "name": "slow", "headers": {"X-Honeycomb-Webhook-Token": KEY}},
        ["hunter2x", KEY],
        ["slow"],
    ),
    (
        "honeycomb recipients",
        {
            "recipients": [
                {"type": "email", "target": MAIL},
                {"type": "slack", "target": "#ops"},
                {"type": "webhook", "target": "https://in.acme.com/h/9"},
            ]
        },
        [MAIL, "in.acme.com"],
        ["#ops"],
    ),
    (
        "datadog monitor",
        {"name": "CPU of Jane", "creator": {"name": JANE, "handle": "jdoe", "email": MAIL}, "id": 7},
        [JANE, "jdoe", MAIL],
        ["CPU of Jane"],
    ),
    (
        "datadog webhook",
        {"USER": "jdoe", "Username": "jdoe", "EMAIL": MAIL, "ALERT_TITLE": "CPU"},
        ["jdoe", MAIL],
        ["CPU"],
    ),
    (
        "datadog handles",
        {"notification_handles": ["@slack-ops", f"@{MAIL}"], "message": f"CPU @{MAIL} @slack-ops"},
        [MAIL],
        ["@slack-ops", "CPU @person-"],
    ),
    (
        "datadog query",
        {"query": 'logs("-@evt.name:x @http.status:500 service:a") by {user,host}', "group_by": ["user", "host"]},
        [],
        ["@evt.name", "@http.status", '["user","host"]'],
    ),
    ("sentry assignee", {"assignedTo": {"type": "user", "id": "12", "name": JANE, "email": MAIL}}, [JANE, MAIL], []),
    (
        "sentry team",
        {"assignedTo": {"type": "team", "id": "12", "name": "payments"}, "owner": "team:payments"},
        [],
        ["payments", '"12"', "team:payments"],
    ),
    (
        "sentry activity",
        {
            "activity": [{"type": "note", "user": {"name": JANE, "email": MAIL}}],
            "seenBy": [{"name": JANE}],
            "participants": [{"username": "jdoe"}],
        },
        [JANE, MAIL, "jdoe"],
        ["note"],
    ),
    ("sentry actor", {"actor": {"type": "user", "id": "99887", "name": JANE}}, [JANE, "99887"], []),
    (
        "sentry application",
        {"actor": {"type": "application", "id": "sentry", "name": "Sentry"}},
        [],
        ['"name":"Sentry"'],
    ),
    ("sentry installation", {"data": {"installation": {"code": KEY, "uuid": "a-1"}}}, [KEY], ["a-1"]),
    ("codes", {"code": 500, "error": {"code": "ERR_TOO_MANY_1"}}, [], ["500", "ERR_TOO_MANY_1"]),
    (
        "sentry user",
        {"user": {"id": "u-1", "email": MAIL, "ip_address": "203.0.113.9", "username": "jdoe"}},
        ["u-1", MAIL, "203.0.113.9", "jdoe"],
        [],
    ),
    (
        "sentry request",
        {
            "request": {
                "cookies": [["sid", "s3cr"]],
                "headers": [["Authorization", "Bearer abc"], ["Cookie", "sid=s3cr"], ["Host", "shop"]],
                "env": {"HTTP_COOKIE": "s3cr", "SERVER_NAME": "web-1"},
                "query_string": "token=s3cretvalue&page=2",
            }
        },
        ["s3cr", "Bearer abc"],
        ["shop", "web-1", "page=2"],
    ),
    (
        "sentry tags",
        {"tags": [["user", "id:42"], ["user.email", MAIL], ["server_name", "web-1"]]},
        ["id:42", MAIL],
        ["web-1"],
    ),
    (
        "sentry interfaces",
        {"sentry.interfaces.User": {"id": "u-1", "username": "jdoe"}, "culprit": "a.b"},
        ["u-1", "jdoe"],
        ["a.b"],
    ),
    ("tags", {"tags": [{"key": "user", "value": "jdoe"}, {"key": "url", "value": "/a"}]}, ["jdoe"], ["/a"]),
    (
        "pagerduty event",
        {"routing_key": "samplekeyhere", "event_action": "trigger", "payload": {"source": "db-1"}},
        ["samplekeyhere"],
        ["db-1", "trigger"],
    ),
    ("rabbitmq", {"messaging.rabbitmq.routing_key": "orders.created.v1"}, [], ["orders.created.v1"]),
    ("pagerduty webhook", {"type": "webhook", "endpoint_url": "https://in.acme.com/h/9"}, ["in.acme.com"], []),
    (
        "pagerduty keys",
        {
            "integrations": [{"integration_key": KEY, "integration_email": "a@b.pagerduty.com"}],
            "conference_bridge": {"conference_number": "+1 415,,,12#", "conference_url": "https://z/j"},
        },
        [KEY, "415", "z/j"],
        [],
    ),
    (
        "pagerduty people",
        {
            "assignments": [
                {
                    "assignee": {
                        "id": "PX1",
                        "type": "user_reference",
                        "summary": JANE,
                        "html_url": "https://a.pagerduty.com/users/PX1",
                    }
                }
            ],
            "service": {"type": "service_reference", "summary": "Checkout"},
            "last_status_change_by": {"type": "service_reference", "summary": "Checkout", "id": "PS1"},
        },
        [JANE, "PX1"],
        ["Checkout", "PS1"],
    ),
    (
        "pagerduty log",
        {"summary": f"Resolved by {JANE}.", "agent": {"type": "user_reference", "summary": JANE}},
        [JANE],
        ["Resolved by person-"],
    ),
    (
        "pagerduty columns",
        {
            "resolved_by_user_name": JANE,
            "resolved_by_user_id": "PU1",
            "assigned_user_names": [JANE],
            "service_name": "Checkout",
        },
        [JANE, "PU1"],
        ["Checkout"],
    ),
    ("pagerduty csv", {"assigned_to_user_names": "Jane Doe, Sam Low", "id": "Q1"}, [JANE, "Sam Low"], ["Q1"]),
    (
        "opsgenie",
        {
            "owner": MAIL,
            "report": {"acknowledgedBy": MAIL, "closedBy": JANE},
            "username": "jdoe",
            "actor": JANE,
            "responders": [
                {"type": "user", "id": "1", "username": "jd@a.io"},
                {"type": "team", "name": "sre", "id": "t-1"},
            ],
        },
        [MAIL, JANE, "jdoe", "jd@a.io"],
        ["sre", "t-1"],
    ),
    (
        "servicenow",
        {
            "caller_id": {"display_value": JANE, "link": "https://x/sys_user/5"},
            "opened_by": JANE,
            "assigned_to": {"link": "https://x/sys_user/5", "value": "5137"},
            "sys_created_by": "jdoe",
            "watch_list": MAIL,
            "assignment_group": {"display_value": "DBA"},
            "resolved_by": "",
            "closed_by": "system",
        },
        [JANE, "sys_user", "5137", "jdoe", MAIL],
        ["DBA", '"system"'],
    ),
    (
        "sns",
        {
            "Token": "2336412f37",
            "SubscribeURL": "https://sns/x",
            "unsubscribeUrl": "https://sns/y",
            "SignatureVersion": "1",
            "Signature": "EXAMPLEpH",
            "ReceiptHandle": "AQEB",
            "TopicArn": "arn:aws:sns:eu-west-1:1:ops",
        },
        ["2336412f37", "sns/x", "sns/y", "EXAMPLEpH", "AQEB"],
        ["arn:aws:sns:eu-west-1:1:ops"],
    ),
    (
        "suricata",
        {
            "alert": {"signature": "ET SCAN Potential SSH Scan OUTBOUND 2", "signature_id": 7},
            "signature": "HighCpuOnDb",
        },
        [],
        ["ET SCAN Potential SSH Scan OUTBOUND 2", "HighCpuOnDb"],
    ),
    (
        "azure",
        {
            "caller": MAIL,
            "claims": {"http://schemas.xmlsoap.org/claims/name": JANE, "aud": "https://m"},
            "lastModifiedUserName": JANE,
            "url": "https://s/w?tokenid=abcdef012345678",
        },
        [MAIL, JANE, "abcdef01"],
        ["https://m"],
    ),
    (
        "gcp",
        {"mutatedBy": MAIL, "ackId": "BCAoPE", "email": "x@p.iam.gserviceaccount.com"},
        [MAIL, "BCAoPE"],
        ["x@p.iam.gserviceaccount.com"],
    ),
    (
        "elastic",
        {
            "user": {"name": "jdoe", "full_name": JANE},
            "source": {"user": {"name": "jd2"}, "ip": "10.1.2.3"},
            "kibana.alert.rule.created_by": "jdoe",
            "kibana.alert.workflow_user": "jdoe",
            "kibana.alert.rule.name": "Many logins",
        },
        ["jdoe", "jd2", JANE],
        ["10.1.2.3", "Many logins"],
    ),
    (
        "watcher",
        {
            "actions": [
                {
                    "webhook": {
                        "auth": {"basic": {"username": "jdoe", "password": "pw1"}},
                        "headers": {"Authorization": "ApiKey x"},
                        "host": "hooks.slack.com",
                        "path": "/services/T0AAAAAA1/B0BBBBBB2/abcDEF123456",
                    }
                }
            ]
        },
        ["jdoe", "pw1", "ApiKey x", "abcDEF"],
        ["hooks.slack.com"],
    ),
    (
        "grafana",
        {
            "login": "jdoe",
            "email": MAIL,
            "avatarUrl": "/avatar/1",
            "imageURL": "https://s3/a.png?X-Amz-Credential=AKIA1%2F2026&X-Amz-Signature=" + KEY,
            "user": {"name": JANE},
            "acknowledged_by": "jdoe",
        },
        ["jdoe", MAIL, "/avatar/1", KEY, JANE],
        ["https://s3/a.png?"],
    ),
    (
        "alertmanager",
        {"silencedBy": ["b0bf1aa5"], "mutedBy": ["weekend"], "createdBy": "jdoe"},
        ["jdoe"],
        ["b0bf1aa5", "weekend"],
    ),
    (
        "splunk",
        {"owner": MAIL, "acknowledgedBy": "jdoe", "ss_user": "jdoe", "author": "jdoe", "search_name": "Errors"},
        [MAIL, "jdoe"],
        ["Errors"],
    ),
    (
        "otlp",
        {
            "attributes": [
                {"key": "enduser.id", "value": {"stringValue": "jdoe"}},
                {
                    "key": "http.request.header.authorization",
                    "value": {"arrayValue": {"values": [{"stringValue": "Bearer q"}]}},
                },
                {"key": "k8s.pod.name", "value": {"stringValue": "a-1"}},
            ]
        },
        ["jdoe", "Bearer q"],
        ["a-1"],
    ),
    (
        "connection",
        {
            "db.connection_string": "postgres://app:pa55@db-1.acme.com/x",
            "db.user": "app_rw",
            "dsn": "Server=db;password=pw;Database=x",
        },
        ["pa55", "=pw;"],
        ["db-1.acme.com", "app_rw", "Database=x"],
    ),
    (
        "machines",
        {"stack": "app@db-host.internal git@github.com:a/b lodash@4.17.21 core@1.2.3-beta.rc"},
        [],
        ["app@db-host.internal", "git@github.com:a/b", "lodash@4.17.21", "core@1.2.3-beta.rc"],
    ),
    (
        "kubernetes",
        {"user": {"username": "system:serviceaccount:a:b"}, "secretName": "db-credentials", "pod": "user-service-1"},
        [],
        ["system:serviceaccount:a:b", "db-credentials", "user-service-1"],
    ),
    (
        "table",
        {"assignee": JANE, "Reporter": JANE, "e-mail": MAIL, "Acknowledged By": "jdoe", "User": "jdoe", "name": "CPU"},
        [JANE, MAIL, "jdoe"],
        ['"CPU"'],
    ),
    ("author", {"author": f"{JANE} <{MAIL}>", "sha": "abc"}, [JANE, MAIL], ["abc"]),
    (
        "json in json",
        {"HistoryData": json.dumps({"reason": "high", "n": 12345678901234567890123, "user": {"name": "jdoe"}})},
        ["jdoe"],
        ["high", "12345678901234567890123"],
    ),
    (
        "json in json in json",
        {"Message": json.dumps({"detail": json.dumps({"user": "jdoe", "k": "v"})})},
        ["jdoe"],
        ["k"],
    ),
    (
        "escaped json",
        {"Message": '{"a": "jane\\u0040acme.com", "u": "https:\\/\\/hooks.slack.com\\/services\\/T1\\/B1\\/xyz12345"}'},
        ["jane", "xyz12345"],
        [],
    ),
    ("json in a line", {"log": 'INFO got {"user": "jdoe", "status": "ok"} from api'}, ["jdoe"], ["ok", "from api"]),
    (
        "line",
        {"line": f"user=jdoe password=Secret! token=abcdef1234567 Authorization: Bearer {KEY}"},
        ["jdoe", "Secret!", "abcdef12", KEY],
        ["password="],
    ),
    (
        "keys",
        {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "m": "ghp_0123456789abcdef0123 xoxb-123456789-abc"},
        ["AKIAIOS", "ghp_0", "xoxb"],
        [],
    ),
    (
        "words",
        {"summary": "Basic authentication failed, token expired: see user guide", "asia": "asiaPacificRegion1x"},
        [],
        ["Basic authentication failed, token expired: see user guide", "asiaPacificRegion1x"],
    ),
    (
        "taken out",
        {"password": "[Filtered]", "user": None, "token": "********", "assignee": "{{user}}", "email": ""},
        [],
        ["[Filtered]", "********", "{{user}}"],
    ),
    ("a name as a key", {"votes": {MAIL: 2}}, [MAIL], []),
]


@pytest.mark.parametrize(("record", "gone", "kept"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_record_loses_what_must_not_be_kept_and_nothing_else(record, gone, kept):
    kept_as = orjson.dumps(redacted(record)).decode()
    assert [word for word in gone if word in kept_as] == []
    assert [word for word in kept if word.replace('"', '\\"') not in kept_as and word not in kept_as] == []
    if not gone:
        assert redacted(record) == record


EVENT = {
    "id": "AY1",
    "type": "event",
    "attributes": {
        "timestamp": "2026-03-01T14:02:11Z",
        "message": f"%%%\nCPU high @{MAIL} @slack-ops see {HOOK}\n%%%",
        "tags": ["service:shop", "env:prod", "host:10.0.0.5"],
        "attributes": {
            "title": f"[Triggered] CPU of shop, muted by {JANE}",
            "status": "error",
            "monitor_id": 7,
            "monitor": {"id": 7, "name": "CPU of shop", "creator": {"name": JANE, "email": MAIL}},
        },
    },
}
ALL = (JANE, MAIL, "ghiJKL789")


def everything(batch):
    return batch.events.to_csv() + batch.rejected.to_csv()


def test_every_column_of_an_event_is_without_them(read):
    batch = read(EVENT)
    assert [word for word in ALL if word in everything(batch)] == []
    [row] = batch.events.to_dict("records")
    assert (row["alertname"], row["service"], row["environment"]) == ("CPU of shop", "shop", "prod")
    assert "10.0.0.5" in row["raw"]
    assert dict(batch.redacted) == {"e-mail": 2, "name": 2, "secret": 1}


def test_personal_data_can_be_kept(read):
    batch = read(EVENT, redaction=Redaction(keep_personal_data=True))
    assert [word for word in ALL if word not in batch.events["raw"][0]] == []
    assert batch.redacted == Counter()


def test_addresses_of_machines_go_when_they_are_asked_for(read):
    batch = read(EVENT, redaction=Redaction(redact_ips=True))
    assert "10.0.0.5" not in everything(batch)
    assert batch.redacted["IP"] == 1


@pytest.mark.parametrize(
    "export",
    [
        {"foo": 1, "assignee": {"name": JANE, "email": MAIL}, "hook": HOOK},
        [[{"user": JANE}, MAIL, HOOK]],
        json.dumps({"a": 1, "assignee": {"name": JANE, "id": 1}, "m": MAIL, "hook": HOOK})[:-1],
        {"foo": 1, "inner": json.dumps({"user": {"full_name": JANE}, "m": MAIL, "u": HOOK})},
        {"foo": 2**70, "assignee": JANE, "m": MAIL, "u": HOOK},
        {**EVENT, "attributes": {**EVENT["attributes"], "timestamp": f"{MAIL} was here"}},
        f"assignee,mail,hook\n{JANE},{MAIL},{HOOK}\n",
    ],
    ids=["unknown", "array", "broken", "json in json", "big number", "bad time", "table"],
)
def test_what_is_rejected_is_without_them_too(read, export):
    name = "export.csv" if isinstance(export, str) and export.startswith("assignee") else "export.json"
    batch = read(export, name=name)
    assert len(batch.rejected) > 0
    assert [word for word in ALL if word in everything(batch)] == []


def test_the_same_person_is_the_same_in_every_file_and_source(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(EVENT))
    alert = {
        "alert": {"alertId": "1", "message": "x", "username": MAIL, "createdAt": 1700000000000},
        "action": "Create",
    }
    (tmp_path / "b.json").write_text(json.dumps(alert))
    raws = [raw for batch in read_files(tmp_path) for raw in [*batch.events["raw"], *batch.rejected["raw"]]]
    assert len(raws) == 2
    # Written down: it may not change between processes and versions.
    assert ["person-6dc48a33f8@redacted.invalid" in raw for raw in raws] == [True, True]
