from __future__ import annotations

import copy
import json
from collections import Counter

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.loaders import _batches, read_files, registry
from stanza_lab.loaders._records import Envelope, Told
from stanza_lab.loaders.redaction import Redaction, Redactor

ALARM = {"AlarmName": "cpu", "NewStateValue": "ALARM", "OldStateValue": "OK", "StateChangeTime": "2026-03-01T14:02:11Z"}
RECORDS = [
    ALARM,
    {
        "AlarmName": "cpu",
        "Timestamp": "2026-03-01T14:02:11.000Z",
        "HistoryItemType": "StateUpdate",
        "HistoryData": '{"oldState":{"stateValue":"OK"},"newState":{"stateValue":"ALARM"}}',
    },
    {
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "resources": ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu"],
        "detail": {
            "alarmName": "cpu",
            "state": {"value": "ALARM", "timestamp": "2026-03-01T14:02:11.000+0000", "reasonData": "{}"},
            "configuration": {"metrics": [{"metricStat": {"metric": {"dimensions": {"InstanceId": "i-1"}}}}]},
        },
    },
    {
        "id": "1",
        "type": "event",
        "attributes": {
            "timestamp": "2026-03-01T14:02:11Z",
            "tags": ["service:a", "host:h"],
            "attributes": {
                "title": "[P1] [Triggered on {service:a}] slow",
                "status": "error",
                "duration": 5_000,
                "monitor_id": 7,
                "monitor_groups": ["service:a"],
                "monitor": {"name": "slow", "tags": ["team:x"], "transition": {"trans_name": "Recovered"}},
            },
        },
    },
    {
        "action": "triggered",
        "data": {
            "event": {
                "event_id": "e",
                "issue_id": "9",
                "datetime": "2026-03-01T14:02:11Z",
                "tags": [["environment", "prod"], {"key": "level", "value": "error"}],
                "url": "https://sentry.io/api/0/projects/acme/web/events/e/",
                "contexts": {"trace": {"trace_id": "AB"}},
            }
        },
    },
    {"resource": {}, "scopeSpans": [{"spans": [{}]}]},
]
ODD = st.sampled_from([None, True, 0, -1, 1.5, 10**30, "", "x", "{", '{"a":1}', [], [1], [[None]], {}, {"a": 1}])


def paths_in(value, at=()) -> list:
    """Return the path of every value inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, child in items for path in paths_in(child, (*at, key)))]


@st.composite
def mutated(draw):
    """Return a record of which one to three values are something else or gone."""
    record = copy.deepcopy(draw(st.sampled_from(RECORDS)))
    for _ in range(draw(st.integers(1, 3))):
        *parents, key = draw(st.sampled_from(paths_in(record)[1:] or [("gone",)]))
        inside = record
        for parent in parents:
            inside = inside[parent]
        if isinstance(inside, (dict, list)) and draw(st.booleans()) and key != "gone":
            del inside[key]
        else:
            inside[key] = copy.deepcopy(draw(ODD))
    return record


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(mutated(), max_size=6), st.booleans())
def test_every_record_is_counted_once_whatever_is_in_it(tmp_path, records, lines) -> None:
    path = tmp_path / "export"
    path.write_text("\n".join(map(json.dumps, records)) if lines else json.dumps(records))
    [batch] = read_files(path)
    assert batch.records == len(batch.events) + batch.ignored.total() + len(batch.rejected)
    schema.check(batch.events, schema.EVENTS)
    assert batch.events["at"].notna().all()
    assert batch.events["event_id"].notna().all()
    assert batch.events["rule_key"].notna().all()


@pytest.mark.parametrize("record", RECORDS)
def test_events_have_only_columns_of_the_schema(record) -> None:
    [(shape, _, _)] = registry.unwrap(record, Envelope(), registry.SHAPES)
    result = registry.read(shape, record, Envelope())
    result = result.event() if isinstance(result, Told) else result
    assert not isinstance(result, dict) or set(result) < set(schema.EVENTS.names)


SECRETS = st.sampled_from(
    [{}, {"assignee": "Jane Doe"}, {"note": "ask jane@example.com"}, {"token": "xoxb-123456789012-ab"}]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(mutated(), SECRETS).map(lambda pair: {**pair[0], **pair[1]}), max_size=8))
def test_nothing_is_read_from_what_is_taken_out(tmp_path, records) -> None:
    redactor = Redactor(Redaction())
    for name, some in (("as it came", records), ("taken out before", map(redactor.anything, records))):
        (tmp_path / name).write_text("\n".join(map(json.dumps, some)))
    came, before = (next(read_files(tmp_path / name)) for name in ("as it came", "taken out before"))
    assert came.table.equals(before.table)
    assert came.ignored == before.ignored
    columns = ["locator", "reason", "message", "raw"]
    assert came.rejected[columns].to_dict("records") == before.rejected[columns].to_dict("records")


def test_raw_is_the_record_as_compact_json(read) -> None:
    batch = read({"received_at": "2026-03-01T14:02:12Z", "payload": ALARM})
    assert batch.events["raw"].tolist() == [json.dumps(ALARM, separators=(",", ":"))]


def test_records_of_all_kinds_add_up(read) -> None:
    bad = {**ALARM, "StateChangeTime": "yesterday"}
    batch = read([ALARM, {"foo": 1}, {"AlarmName": "cpu", "AlarmArn": "arn"}, bad])  # a definition that says nothing
    assert batch.records == 4
    assert batch.events[["rule_key", "kind"]].values.tolist() == [["cpu", "fired"], ["arn", "note"]]
    assert batch.ignored == Counter()
    assert batch.rejected[["locator", "reason"]].to_numpy().tolist() == [
        ["line 1 $[1]", "unknown_system"],
        ["line 1 $[3]", "bad_time"],
    ]
    assert batch.rejected["message"][1] == "field 'StateChangeTime': 'yesterday' is not a time"
    assert json.loads(batch.rejected["raw"][1]) == bad


def test_empty_page_is_no_error(read) -> None:
    batch = read({"data": []})
    assert batch.records == len(batch.events) == len(batch.rejected) == 0


@pytest.mark.parametrize(
    ("export", "reason"),
    [("", "empty_file"), (b"\x00\x01\x02\xff", "not_text"), ("# notes", "not_json"), ('{"a": {"b"', "truncated_json")],
)
def test_file_with_nothing_in_it_is_one_rejected_row(read, export, reason) -> None:
    batch = read(export)
    assert (batch.records, batch.rejected["reason"].tolist()) == (1, [reason])


def test_text_that_cannot_be_stored_is_rejected(read) -> None:
    batch = read('[{"AlarmName": "\\ud800", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}]')
    assert batch.rejected["reason"].tolist() == ["malformed"]
    batch.rejected["raw"][0].encode()


def test_time_without_zone_needs_tz(read) -> None:
    naive = {**ALARM, "StateChangeTime": "2026-07-01T14:02:11"}
    assert "pass tz=" in read(naive).rejected["message"][0]
    assert read(naive, tz="Europe/Berlin").events["at"].tolist() == [pd.Timestamp("2026-07-01T12:02:11Z")]


@pytest.mark.parametrize("tz", ["Mars/Olympus", "", "../etc/passwd"])
def test_unknown_zone_is_an_error(tmp_path, tz) -> None:
    with pytest.raises(ParameterError, match="is not a time zone"):
        read_files(tmp_path, tz=tz)


def test_long_files_come_in_batches(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_batches, "BATCH_RECORDS", 2)
    (tmp_path / "a.json").write_text(json.dumps([ALARM] * 5))
    (tmp_path / "b.json").write_text(json.dumps([ALARM] * 2))
    assert [(batch.file[-6:], batch.records) for batch in read_files(tmp_path)] == [
        ("a.json", 2),
        ("a.json", 2),
        ("a.json", 1),
        ("b.json", 2),
    ]


@pytest.mark.shared
def test_real_recordings_are_read_completely(shared) -> None:
    history, definitions, eventbridge = read_files(shared / "data/petshop_low/alerts")
    assert (history.records, len(history.events)) == (618, 618)
    assert (eventbridge.records, len(eventbridge.events)) == (618, 618)
    assert Counter(definitions.events["kind"]) == {"note": 46}
    assert set(history.events["event_id"]) == set(eventbridge.events["event_id"])
    datadog, sentry = read_files(shared / "data/nezha_tt_0129/alerts")
    assert Counter(datadog.events["kind"]) == {"fired": 258, "resolved": 258}
    assert Counter(sentry.events["kind"]) == {"fired": 148}


@pytest.mark.shared
@pytest.mark.parametrize("name", ["petshop_low", "nezha_tt_0129"])
def test_native_ids_times_and_kinds_are_those_of_the_truth(shared, name) -> None:
    truth = pd.read_csv(shared / "data" / name / "truth/alert_labels.csv").set_index("native_id")
    kinds = {"fired": "firing", "renotified": "firing", "resolved": "recovery", "note": "definition"}
    said = {
        native_id: (at, kinds[kind])
        for batch in read_files(shared / "data" / name / "alerts")
        for ids, at, kind in batch.events[["native_ids", "at", "kind"]].itertuples(index=False)
        for native_id in ids
    }
    true = dict(zip(truth.index, zip(pd.to_datetime(truth["timestamp"]), truth["kind"], strict=True), strict=True))
    assert {key: said.get(key) for key in true} == true


# Documents beside the samples, SDK events without issue and time, tables whose times state no zone.
_REFUSED = {"unknown_system", "not_json", "empty_table", "missing_field", "bad_time"}


@pytest.mark.shared
def test_every_sample_of_any_system_is_accounted_for(shared) -> None:
    for batch in read_files([shared / "formats", shared / "data/upptime_manticore"]):
        assert batch.records == len(batch.events) + batch.ignored.total() + len(batch.rejected)
        assert set(batch.rejected["reason"]) <= _REFUSED
