from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import fold_events, schema
from stanza_lab.errors import ParameterError
from stanza_lab.loaders import _arrow, registry, tabular
from stanza_lab.loaders._records import Envelope, RecordError
from stanza_lab.loaders._tables import Row

AT = pd.Timestamp("2024-05-14T14:02:11Z")
END = pd.Timestamp("2024-05-14T14:31:40Z")


def read_row(shape, record, **envelope):
    """Return what a shape reads from one row, without what is null."""
    event = shape.read(Row(record), Envelope(**envelope))
    return {key: value for key, value in event.items() if value is not None}


def at(event, column="at"):
    return pd.Timestamp(event[column], unit="us", tz="UTC")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            "timestamp;alert;service;sev;status;resource",
            "at alertname service severity state resources",
        ),
        ("id;alarm_name;network_element;raised_at;cleared_at", "event_id alertname resources starts_at ends_at"),
        (
            "Created At;Closed At;Ack Time;Title;Summary;Owner;Fingerprint;Env;URL",
            "starts_at ends_at acked_at alertname summary team rule_key environment url",
        ),
        (
            "startsAt;endsAt;labels.alertname;labels.severity;labels.instance",
            "starts_at ends_at alertname severity resources",
        ),
        ("fired_at;message;priority;component;host;pod", "at summary severity service resources resources"),
        ("time;timestamp;name;level", "- at alertname severity"),
        ("event_time;rule_id;incident_id;alert_id;state", "at rule_id occurrence_key event_id state"),
        ("Notification Date;alert text;customer", "at alertname -"),
        ("updated_at;resolved_at;title", "at ends_at alertname"),
        ("a;b;c", "- - -"),
    ],
)
def test_columns_are_guessed_by_their_headers(headers, expected) -> None:
    got = tabular.guess_columns(headers.split(";"))
    assert [got.get(header, "-") for header in headers.split(";")] == expected.split()


@pytest.mark.shared
def test_sample_table(shared, read) -> None:
    export = (shared / "formats/samples/generic/synthetic_alerts.csv").read_bytes()
    assert read(export, name="a.csv").rejected["reason"].tolist() == ["bad_time"] * 2  # no zone
    events = read(export, name="a.csv", tz="Europe/Berlin").events
    arn = "arn:aws:rds:us-east-1:111122223333:db:orders-prod-1"
    columns = ["source", "at", "kind", "rule_key", "alertname", "service", "severity", "severity_raw", "resources"]
    rule = f"High CPU|orders-db|{arn}"
    assert events[columns].to_numpy().tolist() == [
        ["table", AT, "fired", rule, "High CPU", "orders-db", "critical", "P1", [arn]],
        ["table", END, "resolved", rule, "High CPU", "orders-db", "critical", "P1", [arn]],
    ]
    alerts = fold_events(events)
    assert alerts[["starts_at", "ends_at"]].to_numpy().tolist() == [[AT, END]]


@pytest.mark.shared
def test_real_telecom_alarms(shared, read) -> None:
    lines = (shared / "data/gcastle_18V/alerts/alarms.csv").read_bytes().splitlines(keepends=True)
    batch = read(b"".join(lines[:1001]), name="alarms.csv")
    assert (len(batch.events), len(batch.rejected)) == (1000, 0)
    first = batch.events.iloc[0]
    assert first[["rule_key", "kind", "starts_at", "ends_at", "native_ids", "resources"]].tolist() == [
        "ALM-01|NE-028",
        "resolved",
        pd.Timestamp("2021-01-01T08:31:25Z"),
        pd.Timestamp("2021-01-01T09:00:14Z"),
        ["1"],
        ["NE-028"],
    ]
    assert len(fold_events(batch.events)) == 1000


def test_one_row_with_start_and_end_is_one_alert(event) -> None:
    got = event(
        "id,started,ended,name,app,severity,host,team,env,link,note\n"
        "7,2024-05-14T14:02:11Z,2024-05-14T14:31:40Z,High CPU,orders,SEV-2,db-1,dba,prod,https://x,by hand\n"
    )
    assert json.loads(got.pop("raw"))["host"] == "db-1"
    assert got.pop("event_id").startswith("7|")
    assert got == {
        "source": "table",
        "native_ids": ["7"],
        "occurrence_key": "High CPU|orders|prod|db-1|7|2024-05-14T14:02:11.000Z",
        "rule_key": "High CPU|orders|prod|db-1",
        "at": END,
        "time_source": "event",
        "kind": "resolved",
        "has_recovery": True,
        "alertname": "High CPU",
        "starts_at": AT,
        "ends_at": END,
        "severity": "warning",
        "severity_raw": "SEV-2",
        "summary": "High CPU",
        "description": "by hand",
        "url": "https://x",
        "service": "orders",
        "environment": "prod",
        "team": "dba",
        "resources": ["db-1"],
        "trace_ids": [],
    }


@pytest.mark.parametrize(
    ("row", "kind", "ends"),
    [
        ({"start": 1715695331, "end": ""}, "fired", None),
        ({"start": 1715695331, "end": "-", "acked_at": 1715695400}, "acknowledged", None),
        ({"start": 1715695331, "end": 1715697100}, "resolved", END),
        ({"start": 1715695331, "end": 1715697100, "status": "Closed"}, "resolved", END),
        ({"start": 1715695331, "end": 1715697100, "status": "open"}, "fired", None),  # when it would be given up
        ({"start": 1715695331, "end": 1715697100, "status": "CRITICAL"}, "resolved", END),
        ({"start": 1715695331, "end": "", "status": "resolved"}, "fired", None),  # when it ended is not known
    ],
)
def test_kind_of_a_row_with_a_start(row, kind, ends) -> None:
    got = read_row(tabular.SHAPES[0], {"title": "x", **row})
    assert (got["kind"], at(got, "starts_at")) == (kind, AT)
    assert got.get("ends_at") == (None if ends is None else 1715697100_000_000)
    assert len(fold_events(schema.build([{"source": "table", "time_source": "event", **got}], schema.EVENTS))) == 1


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("firing", "fired"),
        ("OPEN", "fired"),
        ("In Progress", "fired"),
        ("problem", "fired"),
        ("Warning", "fired"),
        ("re-triggered", "renotified"),
        ("Acked", "acknowledged"),
        ("OK", "resolved"),
        ("Recovered", "resolved"),
        ("auto-resolved", "resolved"),
        ("closed (by hand)", "resolved"),
    ],
)
def test_state_tells_the_kind(word, kind) -> None:
    assert read_row(tabular.SHAPES[0], {"time": 1715695331, "title": "x", "state": word})["kind"] == kind


def test_state_that_is_not_known_is_refused_and_one_that_is_no_alert_counted(read) -> None:
    batch = read("time,title,state\n1715695331,x,pending\n1715695331,x,blue\n")
    assert batch.ignored == {"table row of a state that is no alert": 1}
    assert batch.rejected["reason"].tolist() == ["bad_state"]
    message = batch.rejected["message"][0]
    assert message.startswith("'blue' in column 'state' is no state that is known (open, firing, acknowledged, ")
    assert message.endswith("; if the column holds none, pass columns={'state': 'labels'}")


def test_event_that_is_no_state_is_the_title(event) -> None:
    got = event("time,event,host\n2024-05-14T14:02:11Z,Disk full,db-1\n")
    assert (got["kind"], got["alertname"], got["rule_key"]) == ("fired", "Disk full", "Disk full|db-1")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-05-14 14:02:11", "2024-05-14T14:02:11Z"),
        ("2024-05-14 14:02:11 UTC", "2024-05-14T14:02:11Z"),
        ("2024-05-14 16:02:11 +0200", "2024-05-14T14:02:11Z"),
        ("2024-05-14 14:02:11.123456789 +0000 UTC", "2024-05-14T14:02:11.123456Z"),
        ("2024/05/14 14:02", "2024-05-14T14:02:00Z"),
        ("14/05/2024 14:02", "2024-05-14T14:02:00Z"),
        ("5/14/2024, 2:02:11 PM", "2024-05-14T14:02:11Z"),
        ("5/14/2024, 2:02:11\u202fPM", "2024-05-14T14:02:11Z"),
        ("5/14/24 12:02 AM", "2024-05-14T00:02:00Z"),
        ("14.05.2024 14:02:11", "2024-05-14T14:02:11Z"),
        ("03.05.2024 14:02", "2024-05-03T14:02:00Z"),  # with dots the day comes first
        ("05/05/2024 14:02", "2024-05-05T14:02:00Z"),
        ("14-May-2024 14:02:11", "2024-05-14T14:02:11Z"),
        ("May 14, 2024 2:02 PM", "2024-05-14T14:02:00Z"),
        ("Tue, 14 May 2024 16:02:11 +0200", "2024-05-14T14:02:11Z"),
        ("Tue May 14 14:02:11 UTC 2024", "2024-05-14T14:02:11Z"),
        ("14/May/2024:14:02:11 +0000", None),
        ("1715695331", "2024-05-14T14:02:11Z"),
        ("1715695331,5", "2024-05-14T14:02:11.500Z"),
        ("1715695331123", "2024-05-14T14:02:11.123Z"),
        ("1.71569E+12", None),
        ("2024-05-14", None),
        ("14/05/2024", None),
        ("31/02/2024 14:02", None),
        ("14/14/2024 14:02", None),
        ("14:02 PM 14/05/2024", None),
        ("14/05/2024 14:02 PM", None),
        ("yesterday", None),
    ],
)
def test_times_as_people_write_them(read, written, expected) -> None:
    batch = read(f'title;time\nx;"{written}"\n', tz="UTC")
    assert batch.events["at"].tolist() == ([] if expected is None else [pd.Timestamp(expected)])
    assert batch.rejected["reason"].tolist() == (["bad_time"] if expected is None else [])


@pytest.mark.parametrize(
    ("written", "tz", "expected"),
    [
        ("14/05/2024 16:02 CEST", "Europe/Berlin", "2024-05-14T14:02:00Z"),
        ("14/05/2024 16:02 CEST", "UTC", None),
        ("14/05/2024 16:02 CEST", None, None),
        ("14/05/2024 16:02", None, None),
        ("14/05/2024 16:02", "Europe/Berlin", "2024-05-14T14:02:00Z"),
    ],
)
def test_zones_are_stated_or_passed(read, written, tz, expected) -> None:
    batch = read(f"title;time\nx;{written}\n", tz=tz)
    assert batch.events["at"].tolist() == ([] if expected is None else [pd.Timestamp(expected)])


def test_order_of_dates_is_that_of_their_column(read) -> None:
    rows = ["05/06/2024 14:02", "14/06/2024 14:02", "06/14/2024 14:02"]
    batch = read("title,time\n" + "".join(f"x{i},{row}\n" for i, row in enumerate(rows[:2])), tz="UTC")
    assert batch.events["at"].tolist() == [pd.Timestamp("2024-06-05T14:02Z"), pd.Timestamp("2024-06-14T14:02Z")]
    batch = read("title,time\n" + "".join(f"x{i},{row}\n" for i, row in enumerate(rows[::2])), tz="UTC")
    assert batch.events["at"].tolist() == [pd.Timestamp("2024-05-06T14:02Z"), pd.Timestamp("2024-06-14T14:02Z")]
    batch = read("title,time\n" + "".join(f"x{i},{row}\n" for i, row in enumerate(rows)), tz="UTC")
    assert batch.events["at"].tolist() == [pd.Timestamp("2024-06-14T14:02Z")] * 2  # both orders: only the clear ones


def test_dates_that_can_be_read_both_ways_are_refused_and_say_what_to_pass(read) -> None:
    batch = read("title,time\nx,05/06/2024 14:02\n", tz="UTC")
    assert batch.rejected["message"][0] == (
        "column 'time': '05/06/2024 14:02': day or month first? Nothing in its column tells; "
        "pass dayfirst=True (day 5 of month 6) or dayfirst=False (day 6 of month 5)"
    )
    row = {"title": "x", "time": "05/06/2024 14:02 UTC"}
    days = [at(read_row(tabular.shape_for({}, dayfirst=first), row)) for first in (True, False)]
    assert days == [pd.Timestamp("2024-06-05T14:02Z"), pd.Timestamp("2024-05-06T14:02Z")]


def test_day_and_clock_in_two_columns_are_one_time(read) -> None:
    events = read("Date,Time,Alert\n05/06/2024,14:02,a\n14/06/2024,2:02 PM,b\n", tz="UTC").events
    assert events["at"].tolist() == [pd.Timestamp("2024-06-05T14:02Z"), pd.Timestamp("2024-06-14T14:02Z")]


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("P1", "critical"),
        ("1 - Critical", "critical"),
        ("Sev 1", "error"),
        ("High", "error"),
        ("MAJOR", "error"),
        ("minor", "warning"),
        ("Informational", "info"),
        ("3", None),
        ("-", None),
    ],
)
def test_severity_of_the_words_of_any_tool(word, severity) -> None:
    got = read_row(tabular.SHAPES[0], {"time": 1715695331, "title": "x", "severity": word})
    assert (got.get("severity"), got.get("severity_raw")) == (severity, None if word == "-" else word)


def test_equal_rows_are_one_fact_and_others_are_not(read) -> None:
    header = "time,title,status,value\n"
    rows = ["1715695331,x,firing,1\n", "1715695331,x,firing,1\n", "1715695331,x,firing,2\n", "1715695332,x,firing,1\n"]
    assert read(header + "".join(rows)).events["event_id"].nunique() == 3
    assert read(header + rows[0]).events["event_id"].tolist() == read(header + rows[1]).events["event_id"].tolist()


def test_row_told_open_and_later_closed_is_one_alert(read) -> None:
    header = "id,created_at,closed_at,title\n"
    start, end = "2024-05-14T14:02:11Z", "2024-05-14T14:31:40Z"
    events = read(f"{header}7,{start},,x\n7,{start},{end},x\n8,{end},,x\n").events
    assert events["kind"].tolist() == ["fired", "resolved", "fired"]
    alerts = fold_events(events)
    assert alerts[["event_ids", "starts_at"]].to_numpy().tolist() == [[["7"], AT], [["8"], END]]
    assert alerts["ends_at"].tolist()[0] == END


def test_rows_of_one_incident_and_rule_are_one_alert(read) -> None:
    rows = ["7,1715695331,x,open", "7,1715695400,y,open", "8,1715695500,x,open", "7,1715697100,x,ok"]
    alerts = fold_events(read("\n".join(["incident_id,time,title,status", *rows])).events)
    assert alerts[["alertname", "event_ids"]].to_numpy().tolist() == [["x", ["7"]], ["y", ["7"]], ["x", ["8"]]]
    assert alerts["ends_at"].tolist()[0] == END


def test_tags_tell_what_no_column_does(event) -> None:
    got = event('time,title,tags\n1715695331,x,"env:prod,service:shop,team:web,host:h1"\n')
    assert [got[key] for key in ("environment", "service", "team", "resources")] == ["prod", "shop", "web", ["h1"]]


@pytest.mark.parametrize(
    "record",
    [
        {"time": 1715695331, "title": "disk full", "host": "db-1"},
        {
            "createdAt": "2024-05-14T14:02:11Z",
            "status": "open",
            "labels": {"alertname": "disk full", "instance": "db-1"},
        },
        {
            "timestamp": "2024-05-14T14:02:11Z",
            "level": "critical",
            "alert": "disk full",
            "message": "91 %",
            "host": "db-1",
        },
    ],
)
def test_flat_objects_are_read(event, record) -> None:
    got = event([record])
    assert [got[key] for key in ("source", "at", "kind", "alertname", "resources")] == [
        "table",
        AT,
        "fired",
        "disk full",
        ["db-1"],
    ]


@pytest.mark.parametrize(
    "record",
    [
        {"timestamp": "2024-05-14T14:02:11Z", "logger": "a.b", "msg": "started"},
        {"time": "2024-05-14T14:02:11Z", "method": "GET", "path": "/", "status": 200, "message": "ok"},
        {"time": "2024-05-14T14:02:11Z", "title": "x", "groups": [{"a": 1}]},
        {"time": "2024-05-14T14:02:11Z", "title": "x", "who": {"name": "x"}},
        {"title": "disk full", "state": "open"},
        {"time": "2024-05-14T14:02:11Z", "foo": 1},
        {"time": "2024-05-14T14:02:11Z", "message": '{"AlarmName": "x"}'},
    ],
)
def test_what_is_no_flat_alert_is_left_to_others(record) -> None:
    assert not any(shape.matches(record) for shape in tabular.SHAPES)


def test_record_of_a_vendor_inside_a_row_is_read_as_that(event) -> None:
    alarm = {"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2024-05-14T14:02:11Z"}
    frame = pd.DataFrame([{"timestamp": "2024-05-14T14:02:12Z", "id": 1, "message": json.dumps(alarm)}])
    assert event(frame.to_csv(index=False))["source"] == "cloudwatch"


def test_rows_of_unknown_columns_say_what_to_pass(read) -> None:
    batch = read("wann,zeit,was\n2024-05-14T14:02:11Z,1,x\n")
    assert batch.rejected[["locator", "reason"]].to_numpy().tolist() == [["line 2 $", "unknown_columns"]]
    assert batch.rejected["message"][0].startswith(
        "read as a table: not used: 'wann', 'zeit', 'was'; a time and a title"
    )


def test_given_columns_come_before_the_guess() -> None:
    shape = tabular.shape_for({"wann": "at", "was": "alertname", "title": "labels", "a.b": "service"}, "acme")
    got = read_row(shape, {"wann": 1715695331, "was": "x", "title": "y", "state": "ok", "a": {"b": "shop"}})
    assert (shape.source, got["kind"], got["alertname"], got["service"]) == ("acme", "resolved", "x", "shop")
    assert json.loads(got["labels"]) == {"title": "y"}
    assert shape.matches(Row({"x": 1}))
    assert shape.matches({"wann": 1})
    assert not shape.matches({"data": [{"wann": 1}]})


def test_given_columns_that_are_not_there_are_named() -> None:
    with pytest.raises(RecordError, match="column 'startAt' not found; columns are 'startsAt', 'title'; did you mean"):
        read_row(tabular.shape_for({"startAt": "starts_at"}), {"startsAt": 1715695331, "title": "x"})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": "start_at"}, "'start_at' for 'x' is not known; did you mean 'starts_at'"),
        ({"starts_at": "startsAt"}, "their column comes first"),
        ({"x": "at", "y": "at"}, "'x' and 'y' both mean 'at'"),
        ({"x": 1}, "is no mapping of names"),
        ("x=at", "is no mapping of names"),
    ],
)
def test_wrong_mappings_are_refused(columns, message) -> None:
    with pytest.raises(ParameterError, match=message):
        tabular.shape_for(columns)


def test_kind_may_be_said_for_state_and_several_columns_hold_resources() -> None:
    shape = tabular.shape_for({"t": "at", "n": "alertname", "k": "kind", "h1": "resources", "h2": "resources"})
    got = read_row(shape, {"t": 1715695331, "n": "x", "k": "closed", "h1": "a", "h2": "b"})
    assert (got["kind"], got["resources"]) == ("resolved", ["a", "b"])


def test_mapping_is_shown_in_one_line() -> None:
    headers = ("fired_at", "summary", "x", "host", "pod", "y")
    assert tabular.describe(tabular.guess_columns(headers), headers) == (
        "read as a table: time from 'fired_at', summary from 'summary', resources from 'host' and 'pod', "
        "not used: 'x', 'y'"
    )


def test_rows_of_a_frame_are_read(tmp_path) -> None:
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(["2024-05-14T14:02:11Z"]),
            "naive": pd.to_datetime(["2024-05-14T14:31:40"]),
            "name": pd.Categorical(["x"]),
            "hosts": [["a", "b"]],
        }
    )
    [document] = _arrow.from_frame(frame)
    got = read_row(tabular.SHAPES[0], document.value)
    assert (at(got), got["alertname"], got["resources"]) == (AT, "x", ["a", "b"])


def test_parquet_is_read_and_naive_times_need_a_zone(read) -> None:
    frame = pd.DataFrame({"time": pd.to_datetime(["2024-05-14T16:02:11"]), "title": ["x"], "n": [float("nan")]})
    assert read(frame.to_parquet(), name="a.parquet").rejected["reason"].tolist() == ["bad_time"]
    batch = read(frame.to_parquet(), name="a.parquet", tz="Europe/Berlin")
    assert batch.events[["at", "alertname"]].to_numpy().tolist() == [[AT, "x"]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"time": "", "title": "x"}, "no_time"),
        ({"time": "0", "title": "x"}, "no_time"),
        ({"time": 1715695331, "title": " ", "state": "open"}, "missing_field"),
        ({"start": 1715697100, "end": 1715695331, "title": "x"}, "bad_time"),
    ],
)
def test_rows_that_say_too_little_are_refused(row, reason) -> None:
    with pytest.raises(RecordError) as refused:
        read_row(tabular.SHAPES[0], row)
    assert refused.value.reason == reason


def test_shape_is_the_last_of_all() -> None:
    assert [shape.source for shape in registry.SHAPES[-2:]] == ["table", "table"]


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        ("timestamp,severity,message,service", "table"),
        ("time,priority,name,status", "table"),
        ("timestamp,level,logger,message", "logs"),
    ],
)
def test_tables_of_alerts_are_told_from_tables_of_log_lines(event, headers, source) -> None:
    words = {"timestamp": "2024-05-14T14:02:11Z", "time": "2024-05-14T14:02:11Z", "status": "open"}
    words |= dict.fromkeys(("severity", "priority", "level"), "critical")
    got = event(f"{headers}\n{','.join(words.get(header, 'shop') for header in headers.split(','))}\n")
    assert got["source"] == source
