from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab.loaders._log_levels import rank
from stanza_lab.loaders._log_templates import first_line, template

TRACE = "3e241b731fcf87976a3d50f5a7cc4d94"
AT = pd.Timestamp("2024-05-14T14:02:11.123Z")
LINE = {
    "timestamp": "2024-05-14T14:02:11.123Z",
    "level": "error",
    "service": "checkout",
    "trace_id": TRACE,
    "message": "could not connect to 10.0.0.7:5432 after 250ms",
}


def test_line_is_read_in_full(event) -> None:
    found = event(
        {**LINE, "env": "production", "host": "ip-10-0-0-1", "pod": "checkout-1", "logger": "db", "span_id": "ab"}
    )
    event_id = found.pop("event_id")
    assert json.loads(found.pop("raw"))["message"] == LINE["message"]
    assert json.loads(found.pop("labels")) == {"logger": "db", "span_id": "ab"}
    assert found == {
        "source": "logs",
        "native_ids": [event_id],
        "occurrence_key": event_id,
        "rule_key": "checkout|could not connect to <ip> after <num>ms",
        "alertname": "could not connect to <ip> after <num>ms",
        "at": AT,
        "time_source": "event",
        "kind": "note",
        "has_recovery": False,
        "severity": "error",
        "severity_raw": "error",
        "summary": "could not connect to 10.0.0.7:5432 after 250ms",
        "service": "checkout",
        "environment": "production",
        "resources": ["ip-10-0-0-1", "checkout-1"],
        "trace_ids": [TRACE],
    }


# What libraries and collectors write: (line, what is expected beside the message "no route").
SHAPES = {
    "elastic common schema, dotted": (
        {"@timestamp": "2024-05-14T14:02:11.123Z", "log.level": "ERROR", "message": "no route", "service.name": "pay"}
        | {"trace.id": TRACE, "event.dataset": "pay.log", "host.name": "h1", "log.logger": "a.B"},
        {"service": "pay", "resources": ["h1"], "trace_ids": [TRACE], "labels": '{"logger":"a.B"}'},
    ),
    "elastic common schema, nested": (
        {"@timestamp": "2024-05-14T14:02:11.123Z", "log": {"level": "error"}, "message": "no route"}
        | {"service": {"name": "pay", "environment": "prod"}, "event": {"dataset": "pay.log"}, "trace": {"id": TRACE}}
        | {"error": {"type": "IOError", "message": "x"}},
        {"service": "pay", "environment": "prod", "trace_ids": [TRACE], "labels": '{"exception":"IOError"}'},
    ),
    "elastic hit": (
        {"_index": "logs-1", "_id": "a", "_source": {"@timestamp": 1715695331123, "level": "error", "msg": "no route"}},
        {"alertname": "no route"},
    ),
    "pino": (
        {"level": 50, "time": 1715695331123, "pid": 1, "hostname": "h1", "name": "pay", "msg": "no route"},
        {"service": "pay", "resources": ["h1"], "severity_raw": "50"},
    ),
    "bunyan, fatal": (
        {"name": "pay", "hostname": "h1", "pid": 1, "level": 60, "msg": "no route", "time": LINE["timestamp"], "v": 0},
        {"service": "pay", "severity": "critical"},
    ),
    "zap": (
        {"level": "error", "ts": 1715695331.123, "caller": "a/b.go:12", "msg": "no route", "traceID": TRACE.upper()},
        {"trace_ids": [TRACE]},
    ),
    "python-json-logger": (
        {"asctime": "2024-05-14 14:02:11,123Z", "levelname": "CRITICAL", "name": "a.b", "message": "no route"},
        {"severity": "critical", "severity_raw": "CRITICAL"},
    ),
    "structlog": ({"event": "no route", "level": "error", "timestamp": LINE["timestamp"], "logger": "x"}, {}),
    "serilog": ({"@t": LINE["timestamp"], "@l": "Error", "@m": "no route", "@tr": TRACE}, {"trace_ids": [TRACE]}),
    "dotnet": ({"Timestamp": LINE["timestamp"], "LogLevel": "Error", "Category": "A", "Message": "no route"}, {}),
    "logback": (
        {
            "@timestamp": LINE["timestamp"],
            "level": "ERROR",
            "level_value": 40000,
            "logger_name": "a.B",
            "message": "no route",
        },
        {"labels": '{"logger":"a.B"}'},
    ),
    "log4j": (
        {"instant": {"epochSecond": 1715695331, "nanoOfSecond": 123000000}, "thread": "main", "level": "FATAL"}
        | {"loggerName": "a.B", "message": "no route", "contextMap": {"traceId": TRACE}},
        {"severity": "critical", "trace_ids": [TRACE]},
    ),
    "monolog": ({"message": "no route", "level": 400, "level_name": "ERROR", "datetime": LINE["timestamp"]}, {}),
    "gelf": (
        {
            "version": "1.1",
            "host": "h1",
            "short_message": "no route",
            "level": 3,
            "timestamp": 1715695331.123,
            "_service": "pay",
        },
        {"service": "pay", "resources": ["h1"]},
    ),
    "postgres": (
        {"timestamp": "2024-05-14 14:02:11.123 UTC", "pid": 1, "error_severity": "ERROR", "message": "no route"},
        {},
    ),
    "open telemetry, flat": (
        {"Timestamp": "1715695331123000000", "SeverityText": "Error", "SeverityNumber": 17, "Body": "no route"}
        | {"TraceId": TRACE, "Resource": {"service.name": "pay"}},
        {"service": "pay", "trace_ids": [TRACE], "severity_raw": "Error"},
    ),
    "datadog ids": (
        {**LINE, "message": "no route", "trace_id": None, "dd": {"trace_id": "123", "service": "x"}},
        {"trace_ids": ["123"]},
    ),
    "docker": (
        {
            "log": '{"level":"error","msg":"no route","service":"pay"}\n',
            "stream": "stderr",
            "time": "2024-05-14T14:02:11.123000001Z",
        },
        {"service": "pay"},
    ),
    "docker, text": (
        {"log": "ERROR no route\n", "stream": "stderr", "time": LINE["timestamp"]},
        {"alertname": "ERROR no route", "severity_raw": "ERROR"},
    ),
    "docker, logfmt": (
        {"log": 'level=error ts=2024-05-14T14:02:11Z msg="no route"\n', "stream": "stderr", "time": LINE["timestamp"]},
        {},
    ),
    "kubernetes": (
        {
            "@timestamp": LINE["timestamp"],
            "log": '{"severity":"ERROR","message":"no route","time":"2024-05-14T14:02:11.123Z"}',
        }
        | {
            "kubernetes": {
                "labels": {"app": "pay"},
                "pod_name": "pay-1",
                "namespace_name": "shop",
                "container_name": "c",
            }
        },
        {"service": "pay", "resources": ["pay-1"], "labels": '{"container":"c","namespace":"shop"}'},
    ),
    "kubernetes, recommended label": (
        {**LINE, "service": None, "message": "no route", "kubernetes": {"labels": {"app.kubernetes.io/name": "pay"}}},
        {"service": "pay"},
    ),
    "cloudwatch logs": (
        {
            "timestamp": 1715695331123,
            "message": '{"level":"error","message":"no route"}',
            "logStreamName": "s",
            "eventId": "7",
        },
        {"native_ids": ["7"], "labels": '{"log_stream":"s"}'},
    ),
    "cloudwatch logs, own time": (
        {"timestamp": 1715695999000, "message": json.dumps({**LINE, "message": "no route"}), "logStreamName": "s"},
        {"service": "checkout"},
    ),
    "cloudwatch logs, page": (
        {"events": [{"timestamp": 1715695331123, "message": '{"level":"error","msg":"no route"}', "ingestionTime": 1}]},
        {},
    ),
    "cloudwatch logs, subscription": (
        {
            "messageType": "DATA_MESSAGE",
            "owner": "1",
            "logGroup": "/aws/lambda/pay",
            "logStream": "s",
            "logEvents": [{"id": "1", "timestamp": 1715695331123, "message": '{"level":"ERROR","message":"no route"}'}],
        },
        {"service": "pay"},
    ),
    "journald": (
        {"PRIORITY": "3", "MESSAGE": "no route", "__REALTIME_TIMESTAMP": "1715695331123000", "_HOSTNAME": "h1"}
        | {"_SYSTEMD_UNIT": "pay.service", "__CURSOR": "s=1"},
        {"service": "pay", "resources": ["h1"], "severity_raw": "3", "native_ids": ["s=1"]},
    ),
    "google cloud": (
        {"insertId": "i1", "logName": "projects/p/logs/stdout", "timestamp": LINE["timestamp"], "severity": "ALERT"}
        | {"jsonPayload": {"message": "no route"}, "trace": f"projects/p/traces/{TRACE}"}
        | {"resource": {"type": "k8s_container", "labels": {"container_name": "pay", "pod_name": "pay-1"}}},
        {"service": "pay", "severity": "critical", "resources": ["pay-1"], "trace_ids": [TRACE], "native_ids": ["i1"]},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_lines_of_every_library_are_told(event, shape) -> None:
    line, expected = SHAPES[shape]
    found = event(line)
    common = {"source": "logs", "kind": "note", "severity": "error", "alertname": "no route", "at": AT}
    common |= {
        "rule_key": f"{expected.get('service', found.get('service') or '')}|{expected.get('alertname', 'no route')}"
    }
    assert {key: found.get(key) for key in common | expected} == common | expected


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ({**LINE, "level": "warning"}, "log line below error"),
        ({**LINE, "level": "INFO", "timestamp": "2024-05-14 14:02:11"}, "log line below error"),
        ({**LINE, "level": 30}, "log line below error"),
        ({"@t": LINE["timestamp"], "@mt": "started"}, "log line below error"),
        ({"PRIORITY": "6", "MESSAGE": "x", "__REALTIME_TIMESTAMP": "1715695331000000"}, "log line below error"),
        ({"log": "started", "stream": "stdout", "time": LINE["timestamp"]}, "log line without a level"),
        (
            {"timestamp": 1715695331123, "message": "START RequestId: 7", "logStreamName": "s"},
            "log line without a level",
        ),
        ({"messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": []}, "cloudwatch logs without lines"),
    ],
)
def test_other_lines_are_ignored_by_kind(read, line, kind) -> None:
    batch = read(line)
    assert batch.ignored == {kind: 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({**LINE, "timestamp": "2024-05-14 14:02:11"}, "bad_time"),
        ({**LINE, "timestamp": "yesterday"}, "bad_time"),
        ({**LINE, "timestamp": 0}, "no_time"),
    ],
)
def test_line_without_a_time_that_can_be_placed_is_rejected(read, line, reason) -> None:
    assert read(line).rejected["reason"].tolist() == [reason]


def test_time_without_a_zone_is_read_in_the_one_that_is_passed(event) -> None:
    found = event({**LINE, "timestamp": "2024-05-14 16:02:11.123"}, tz="Europe/Berlin")
    assert found["at"] == AT


def test_same_line_is_the_same_fact_whatever_carries_it(event) -> None:
    text = json.dumps(LINE)
    ids = {
        event(record)["event_id"]
        for record in (
            LINE,
            {"@timestamp": 1715695331123, "message": text},
            {"log": text, "stream": "stdout", "time": AT.isoformat()},
        )
    }
    assert len(ids) == 1
    assert event({**LINE, "message": "other"})["event_id"] not in ids
    assert event({**LINE, "service": "orders"})["event_id"] not in ids
    assert event({**LINE, "trace_id": "ab"})["event_id"] not in ids
    assert event({**LINE, "host": "h2"})["event_id"] not in ids


ALARM = {"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2024-05-14T14:02:11Z"}


@pytest.mark.parametrize(
    "line",
    [
        {**LINE, "level": "info", "message": "webhook received", "payload": ALARM},
        {**LINE, "level": "info", "message": "webhook received", "body": json.dumps([ALARM])},
        {"timestamp": 1715695331123, "message": json.dumps({**ALARM, "level": "x"}), "logStreamName": "s"},
        {"timestamp": 1715695331123, "logStreamName": "s"}
        | {"message": json.dumps({"level": "info", "time": 1715695331123, "msg": "received", "payload": ALARM})},
        {"messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": [{"timestamp": 1, "message": json.dumps(ALARM)}]},
    ],
)
def test_alert_that_a_log_line_holds_is_read_not_the_line(event, line) -> None:
    found = event(line)
    assert (found["source"], found["kind"], found["alertname"]) == ("cloudwatch", "fired", "cpu")


@pytest.mark.parametrize(
    "record",
    [
        {"timestamp": AT.isoformat(), "severity": "critical", "service": "pay", "message": "x", "status": "firing"},
        {"timestamp": AT.isoformat(), "severity": "critical", "service": "pay", "message": "x", "State": "Closed"},
        {"timestamp": AT.isoformat(), "severity": "critical", "title": "High CPU", "message": "x"},
        {"time": AT.isoformat(), "level": "error", "alert_name": "High CPU", "message": "x"},
        {"time": AT.isoformat(), "level": "error", "message": "x", "incident_id": 7, "resolved_at": None},
        {"time": AT.isoformat(), "level": "error", "message": "x", "priority": "P1"},
        {"timestamp": AT.isoformat(), "severity": "high", "message": "x"},  # no level of a log
        {"timestamp": AT.isoformat(), "level": "error"},
        {"level": "error", "message": "x"},
        {"timestamp": AT.isoformat(), "message": "x"},
    ],
)
def test_alerts_and_rows_of_tables_are_no_log_lines(record) -> None:
    from stanza_lab.loaders import logs

    assert not any(shape.matches(record) for shape in logs.SHAPES)


def test_ids_of_kinds_of_events_are_no_ids_of_lines(event) -> None:
    found = event({**LINE, "EventId": 0})
    assert found["native_ids"] == [found["event_id"]]


@pytest.mark.parametrize("odd", [{"event": ["x"]}, {"message": {"a": []}}, {"status": [1]}, {"log": [[]]}, {"ts": {}}])
def test_odd_types_raise_nothing(read, odd) -> None:
    assert read({**LINE, **odd}).records == 1


def test_line_of_a_trace_may_have_a_status(event) -> None:
    assert event({**LINE, "status": "ok"})["kind"] == "note"


def test_a_line_about_an_incident_is_a_line_where_it_says_who_logged(event) -> None:
    assert event({**LINE, "incident_id": 7, "status": "ok", "logger": "pager"})["source"] == "logs"


def resource_logs(*records, resource=(("service.name", "checkout"),), scopes="scopeLogs"):
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in resource]
    scope = {"scope": {"name": "a.B"}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": {"attributes": attributes}, scopes: [scope]}]}


RECORD = {
    "timeUnixNano": "1715695331123000000",
    "severityNumber": 17,
    "severityText": "SEVERE",
    "body": {"stringValue": "no route to 10.0.0.1"},
    "traceId": TRACE.upper(),
    "spanId": "8098B17B3047CBA7",
}


def test_otlp_log_records_are_lines_each_with_its_resource(read) -> None:
    resource = [("service.name", "checkout"), ("deployment.environment.name", "prod"), ("k8s.pod.name", "checkout-1")]
    info = {**RECORD, "severityNumber": 9}
    batch = read(resource_logs(RECORD, info, {**RECORD, "spanId": "ab"}, resource=resource))
    assert (batch.records, batch.ignored) == (3, {"log line below error": 1})
    columns = ["source", "kind", "at", "service", "environment", "severity", "severity_raw", "rule_key"]
    assert batch.events[columns].to_numpy().tolist()[0] == [
        "logs",
        "note",
        AT,
        "checkout",
        "prod",
        "error",
        "SEVERE",
        "checkout|no route to <ip>",
    ]
    assert batch.events["resources"].tolist() == [["checkout-1"]] * 2
    assert batch.events["trace_ids"].tolist() == [[TRACE]] * 2
    assert json.loads(batch.events["raw"][1])["logRecord"]["spanId"] == "ab"
    assert batch.events["event_id"].nunique() == 2


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"timeUnixNano": "0", "observedTimeUnixNano": 1715695331123000000}, {"at": AT}),
        ({"severityNumber": 21, "severityText": ""}, {"severity": "critical", "severity_raw": "21"}),
        ({"severityNumber": 0, "severityText": "ERROR2"}, {"severity": "error"}),
        ({"severityNumber": "SEVERITY_NUMBER_ERROR"}, {"severity": "error"}),
        (
            {"body": {"kvlistValue": {"values": [{"key": "msg", "value": {"stringValue": "gone"}}]}}},
            {"alertname": "gone"},
        ),
        ({"body": None, "eventName": "disk.full"}, {"alertname": "disk.full"}),
        (
            {"body": {}, "attributes": [{"key": "exception.message", "value": {"stringValue": "gone"}}]},
            {"alertname": "gone"},
        ),
        ({"traceId": "", "spanId": ""}, {"trace_ids": []}),
    ],
)
def test_otlp_log_records_may_vary(event, record, expected) -> None:
    found = event(resource_logs({**RECORD, **record}, scopes="instrumentationLibraryLogs"))
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("text", "not_an_object"),
        ({**RECORD, "timeUnixNano": None}, "no_time"),
        ({**RECORD, "body": {}}, "missing_field"),
    ],
)
def test_otlp_log_record_that_says_too_little_is_rejected(read, record, reason) -> None:
    assert read(resource_logs(record)).rejected["reason"].tolist() == [reason]


def test_otlp_logs_without_records_are_counted(read) -> None:
    assert read({"resourceLogs": [{"scopeLogs": []}]}).ignored == {"otlp logs without records": 1}
    assert read(resource_logs(RECORD), source="otel").ignored == {"otlp logs (read them with source 'logs')": 1}


@pytest.mark.shared
def test_samples(shared, read) -> None:
    def sample(name):
        return read((shared / "formats" / "samples" / "otel" / name).read_bytes(), name=name)

    assert sample("otlp_logs.json").ignored == {"log line below error": 1}
    assert sample("otlp_events.json").ignored == {"log line below error": 1}
    exported = sample("synthetic_collector_file_exporter.jsonl")
    assert exported.ignored == {"otlp spans (read them with read_traces)": 1}
    assert exported.events[["source", "kind", "at", "service", "severity", "alertname"]].to_numpy().tolist() == [
        [
            "logs",
            "note",
            pd.Timestamp("2024-05-14T14:02:11Z"),
            "checkout",
            "error",
            "could not connect to orders-prod-<num>",
        ]
    ]
    assert sample("synthetic_jaeger_api_traces.json").ignored == {"jaeger trace (read it with read_traces)": 1}


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("user 3f2504e0-4f89-11d3-9a0c-0305e82c3301 gone", "user <uuid> gone"),
        ("trace 5B8EFFF798038103D269B633813FC60C, 0xFF", "trace <hex>, <hex>"),
        ("10.1.2.3:80 and fe80::1ff:fe23:4567:890a", "<ip> and <ip>"),
        ("took 1.5s, 250ms, 5% of 1,234 on 2nd try", "took <num>s, <num>ms, <num>% of <num> on <num>nd try"),
        ("at 2024-05-14T14:02:11.123Z and 14:02:11", "at <time> and <time>"),
        ("GET http://api/orders/123?x=1&y=2 failed", "GET http://api/orders/<path>?<query> failed"),
        ("GET /orders/ab12cd34ef/items", "GET /orders/<path>/items"),
        ("GET /orders/77/items", "GET /orders/<path>/items"),
        ("column \"id\" and 'name' can't be", "column <str> and <str> can't be"),
        ("pod checkout-7d9f8b6c5-x2x9z is down", "pod checkout-<pod> is down"),
        ("mail to jo.doe@example.com failed", "mail to <email> failed"),
        ("key x9y8z7 of   orders-prod-1", "key <id> of orders-prod-<num>"),
        ("decade facade deadbeef", "decade facade deadbeef"),
        ("", ""),
    ],
)
def test_template_masks_what_varies(line, masked) -> None:
    assert template(line) == masked


def test_long_templates_are_cut_between_words() -> None:
    assert template("word " * 100) == "word " * 40 + "..."
    assert len(template("a" * 900)) == 204


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("\n  one\n two", "one"),
        ('Traceback (most recent call last):\n  File "a"\nKeyError: 7\n', "KeyError: 7"),
        (" \n ", ""),
    ],
)
def test_of_a_message_of_several_lines_one_says_what_happened(message, line) -> None:
    assert first_line(message) == line


@pytest.mark.parametrize(
    ("key", "value", "level"),
    [
        ("level", "\x1b[31merror\x1b[39m", "error"),
        ("level", "E", "error"),
        ("level", "Error:", "error"),
        ("level", "emerg", "critical"),
        ("level", "Warning", "below"),
        ("level", "P1", None),
        ("level", "high", None),
        ("level", True, None),
        ("level", {}, None),
        ("level", 0, "critical"),  # syslog
        ("level", 4, "below"),
        ("level", "40", "below"),  # pino
        ("level", 50, "error"),
        ("levelno", 40, "error"),  # Python
        ("level", 550, "critical"),  # Monolog
        ("level", 1000, "error"),  # java.util.logging
        ("level_value", 40000, "error"),  # logback
        ("severitynumber", 16, "below"),
        ("severitynumber", 0, None),
    ],
)
def test_levels_are_words_or_numbers_of_many_scales(key, value, level) -> None:
    assert rank(key, value) == level
