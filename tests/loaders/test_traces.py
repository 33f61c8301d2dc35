from __future__ import annotations

import json

import pytest

from stanza_lab import schema
from stanza_lab.errors import LoadError
from stanza_lab.loaders import RejectedSpansWarning, read_files, read_spans, read_traces

SPAN = {"traceId": "AB", "spanId": "01", "name": "pay", "kind": 2, "startTimeUnixNano": "1715695331000000000"}
LOGS = {"resourceLogs": [{"scopeLogs": []}]}


def traces(*spans, service="checkout"):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


def write(path, *documents) -> None:
    path.write_text("\n".join(map(json.dumps, documents)))


def test_lines_of_the_collector_are_read_and_its_logs_passed_over(tmp_path) -> None:
    write(tmp_path / "a.jsonl", traces(SPAN), LOGS, traces({**SPAN, "spanId": "02"}, service="orders"))
    spans = read_traces(tmp_path)
    assert spans[["trace_id", "span_id", "service"]].to_numpy().tolist() == [
        ["ab", "01", "checkout"],
        ["ab", "02", "orders"],
    ]
    schema.check(spans, schema.SPANS)


def test_repeated_span_counts_once_but_not_both_ends_of_a_call(tmp_path) -> None:
    write(tmp_path / "a.json", traces(SPAN))
    write(tmp_path / "b.json", traces(SPAN), traces({**SPAN, "kind": 3}, service="web"))
    assert read_traces([tmp_path])["service"].tolist() == ["checkout", "web"]


def test_rejected_spans_are_warned_of_with_the_first(tmp_path) -> None:
    write(tmp_path / "a.json", traces(SPAN, {**SPAN, "spanId": None}), {"foo": 1})
    message = r"2 records are no readable spans, first .*a.json line 1 .*spans\[1\]: field 'spanId' is missing"
    with pytest.warns(RejectedSpansWarning, match=message):
        assert len(read_traces(tmp_path)) == 1
    _, rejected = read_spans(tmp_path)
    assert rejected["reason"].tolist() == ["missing_field", "unknown_system"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"foo": 1}, "1 records are no readable spans, first .*no known system writes such a record"),
        ({"data": [{"traceID": "ab", "spans": []}]}, "a jaeger trace is not read; export OTLP/JSON spans"),
        (LOGS, "no spans in .*; pass OTLP/JSON traces"),
    ],
)
def test_nothing_readable_is_an_error(tmp_path, document, message) -> None:
    write(tmp_path / "a.json", document)
    with pytest.raises(LoadError, match=message):
        read_traces(tmp_path)


def test_traces_among_alerts_are_counted_per_resource(tmp_path) -> None:
    write(tmp_path / "a.json", traces(SPAN), LOGS)
    [batch] = read_files(tmp_path)
    assert batch.ignored == {"otlp spans (read them with read_traces)": 1, "otlp logs": 1}


@pytest.mark.shared
def test_real_traces(shared) -> None:
    spans = read_traces(shared / "data/nezha_tt_0129/traces")
    assert len(spans) == 16_152
    assert spans["service"].nunique() == 28
    assert (spans["starts_at"] <= spans["ends_at"]).all()
    assert spans["kind"].value_counts()[["server", "client", "internal"]].tolist() == [2837, 2557, 10758]
