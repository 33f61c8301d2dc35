from __future__ import annotations

import gzip
import io
import json
import sys
from itertools import groupby

import pandas as pd
import pytest

from stanza_lab import call_edges, overlay_traces, schema
from stanza_lab.errors import LoadError, MissingExtraError
from stanza_lab.loaders import RejectedSpansWarning, read_files, read_spans, read_traces
from stanza_lab.loaders._protobuf import is_otlp

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
        ["00000000000000ab", "0000000000000001", "checkout"],
        ["00000000000000ab", "0000000000000002", "orders"],
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
        ({"traceId": "ab", "id": "1", "binaryAnnotations": []}, "a zipkin v1 span is not read; export spans of OTLP"),
        (LOGS, "no spans in .*; pass traces of OTLP, Jaeger or Zipkin"),
        ({"data": [{"traceID": "ab", "spans": []}]}, "no spans in .*; pass traces of OTLP, Jaeger or Zipkin"),
    ],
)
def test_nothing_readable_is_an_error(tmp_path, document, message) -> None:
    write(tmp_path / "a.json", document)
    with pytest.raises(LoadError, match=message):
        read_traces(tmp_path)


def test_traces_among_alerts_are_counted_per_resource(tmp_path) -> None:
    stored = {"traceID": "ab", "spanID": "1", "operationName": "pay", "process": {"serviceName": "web"}}
    zipkin = {"traceId": "ab", "id": "1", "name": "pay", "localEndpoint": {"serviceName": "web"}}
    metrics = {"resourceMetrics": [{"scopeMetrics": []}]}
    write(
        tmp_path / "a.json", traces(SPAN, SPAN), metrics, {"data": [{"traceID": "ab", "spans": []}]}, stored, [zipkin]
    )
    [batch] = read_files(tmp_path)
    assert batch.ignored == {
        "otlp spans (read them with read_traces)": 1,
        "otlp metrics": 1,
        "jaeger trace (read it with read_traces)": 1,
        "jaeger span (read it with read_traces)": 1,
        "zipkin span (read it with read_traces)": 1,
    }


# One trace as each tool writes it: web calls orders, orders asks its database and tells a queue, billing listens.
TRACE = "0000000000000000a3ce929d0e0e4736"
AT = 1_715_695_331_000_000  # microseconds
CALLS = [  # id, parent, service, operation, kind, start, duration, status, peer
    ("01", None, "web", "GET /pay", "server", 0, 900, "error", None),
    ("02", "01", "web", "POST orders", "client", 100, 700, "error", "orders"),
    ("03", "02", "orders", "POST /orders", "server", 150, 600, "ok", None),
    ("04", "03", "orders", "validate", "internal", 160, 10, "unset", None),
    ("05", "03", "orders", "SELECT", "client", 180, 300, "unset", "orders-db"),
    ("06", "03", "orders", "send", "producer", 500, 5, "unset", "orders-events"),
    ("07", "06", "billing", "receive", "consumer", 800, 50, "unset", None),
]
TABLE = [
    (
        "a3ce929d0e0e4736",
        f"{span:0>16}",
        parent and f"{parent:0>16}",
        service,
        name,
        kind,
        AT + start,
        AT + start + lasted,
        status,
        peer,
    )
    for span, parent, service, name, kind, start, lasted, status, peer in CALLS
]


def as_otlp():
    resources = []
    for service, calls in groupby(CALLS, key=lambda call: call[2]):
        spans = [
            {
                "traceId": TRACE.upper(),
                "spanId": f"{span:0>16}",
                "parentSpanId": f"{parent:0>16}" if parent else "",
                "name": name,
                "kind": ["internal", "server", "client", "producer", "consumer"].index(kind) + 1,
                "startTimeUnixNano": str((AT + start) * 1_000),
                "endTimeUnixNano": (AT + start + lasted) * 1_000,
                "attributes": [{"key": "peer.service", "value": {"stringValue": peer}}] if peer else [],
                "status": {} if status == "unset" else {"code": {"ok": 1, "error": "STATUS_CODE_ERROR"}[status]},
            }
            for span, parent, _, name, kind, start, lasted, status, peer in calls
        ]
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
        resources.append({"resource": resource, "scopeSpans": [{"scope": {}, "spans": spans}]})
    return {"resourceSpans": resources}


def as_messages():
    """Return the trace as protobuf: one message for each service."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    messages = []
    for resource in as_otlp()["resourceSpans"]:
        message = ExportTraceServiceRequest()
        held = message.resource_spans.add()
        [attribute] = resource["resource"]["attributes"]
        held.resource.attributes.add(key=attribute["key"]).value.string_value = attribute["value"]["stringValue"]
        scope = held.scope_spans.add()
        for span in resource["scopeSpans"][0]["spans"]:
            written = scope.spans.add(
                trace_id=bytes.fromhex(span["traceId"]),
                span_id=bytes.fromhex(span["spanId"]),
                parent_span_id=bytes.fromhex(span["parentSpanId"]),
                name=span["name"],
                kind=span["kind"],
                start_time_unix_nano=int(span["startTimeUnixNano"]),
                end_time_unix_nano=span["endTimeUnixNano"],
            )
            written.status.code = {None: 0, 1: 1, "STATUS_CODE_ERROR": 2}[span["status"].get("code")]
            for pair in span["attributes"]:
                written.attributes.add(key=pair["key"]).value.string_value = pair["value"]["stringValue"]
        messages.append(message.SerializeToString())
    return messages


def varint(size):
    return bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80]) + varint(size >> 7)


def as_jaeger():
    def tags(kind, status, peer):
        yield {"key": "span.kind", "type": "string", "value": kind}
        if status == "error":
            yield {"key": "error", "type": "bool", "value": True}
        if status == "ok":
            yield {"key": "otel.status_code", "type": "string", "value": "OK"}
        if peer:
            yield {"key": "peer.service", "type": "string", "value": peer}

    services = sorted({call[2] for call in CALLS})
    spans = [
        {
            "traceID": TRACE[16:] if i % 2 else TRACE,
            "spanID": f"{span:0>16}",
            "operationName": name,
            "references": [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": parent}] if parent else [],
            "startTime": AT + start,
            "duration": lasted,
            "tags": list(tags(kind, status, peer)),
            "logs": [],
            "processID": f"p{services.index(service)}",
        }
        for i, (span, parent, service, name, kind, start, lasted, status, peer) in enumerate(CALLS)
    ]
    processes = {f"p{i}": {"serviceName": service, "tags": []} for i, service in enumerate(services)}
    return {"data": [{"traceID": TRACE, "spans": spans, "processes": processes, "warnings": None}], "errors": None}


def as_zipkin():
    spans = []
    for span, parent, service, name, kind, start, lasted, status, peer in CALLS:
        written = {"traceId": TRACE[16:], "id": f"{span:0>16}", "name": name, "timestamp": AT + start}
        written |= {"duration": lasted, "localEndpoint": {"serviceName": service}}
        written |= {"parentId": f"{parent:0>16}"} if parent else {}
        written |= {"kind": kind.upper()} if kind != "internal" else {}
        written |= {"remoteEndpoint": {"serviceName": peer}} if peer else {}
        written |= {"tags": {"error": ""}} if status == "error" else {}
        written |= {"tags": {"otel.status_code": "OK"}} if status == "ok" else {}
        spans.append(written)
    return spans


ENCODINGS = {
    "otlp.json": lambda: json.dumps(as_otlp(), indent=1).encode(),
    "otlp.jsonl": lambda: b"\n".join(json.dumps({"resourceSpans": [r]}).encode() for r in as_otlp()["resourceSpans"]),
    "one.pb": lambda: b"".join(as_messages()),  # repeated fields of messages put together are one message
    "exporter.bin": lambda: b"".join(len(m).to_bytes(4, "big") + m for m in as_messages()),
    "delimited.binpb": lambda: b"".join(varint(len(m)) + m for m in as_messages()),
    "jaeger.json": lambda: json.dumps(as_jaeger()).encode(),
    "zipkin.json": lambda: json.dumps(as_zipkin()).encode(),
    "zipkin_traces.json": lambda: json.dumps([as_zipkin()]).encode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_one_trace_is_one_table_in_every_encoding(tmp_path, encoding) -> None:
    (tmp_path / encoding).write_bytes(ENCODINGS[encoding]())
    spans = read_traces(tmp_path / encoding)
    pd.testing.assert_frame_equal(
        spans, schema.build([dict(zip(schema.SPANS.names, row, strict=True)) for row in TABLE], schema.SPANS)
    )
    assert call_edges(spans)[["src", "dst", "calls"]].to_numpy().tolist() == [
        ["billing", "orders-events", 1],
        ["orders", "orders-db", 1],
        ["orders", "orders-events", 1],
        ["web", "orders", 1],
    ]


def test_same_trace_in_all_encodings_at_once_counts_once(tmp_path) -> None:
    for name, write_it in ENCODINGS.items():
        (tmp_path / name).write_bytes(write_it())
    spans, rejected = read_spans(tmp_path)
    assert len(spans) == len(CALLS)
    assert rejected.empty


def test_traces_confirm_an_edge(tmp_path) -> None:
    (tmp_path / "a.json").write_bytes(ENCODINGS["zipkin.json"]())
    edge = {"src": "web", "dst": "orders", "confidence": 0.4, "link_confidence": 0.8, "support": 5}
    found = overlay_traces(schema.build([edge | {"provenance": ["inferred"]}], schema.EDGES), read_traces(tmp_path))
    assert found.set_index(["src", "dst"])["verdict"].to_dict() == {
        ("web", "orders"): "confirmed",
        ("billing", "orders-events"): "trace-only",
        ("orders", "orders-db"): "trace-only",
        ("orders", "orders-events"): "trace-only",
    }


def test_packed_protobuf_is_read_and_counted_among_alerts(tmp_path) -> None:
    (tmp_path / "a.pb.gz").write_bytes(gzip.compress(ENCODINGS["exporter.bin"]()))
    assert len(read_traces(tmp_path)) == len(CALLS)
    [batch] = read_files(tmp_path)
    assert batch.ignored == {"otlp spans (read them with read_traces)": 3}


@pytest.mark.parametrize(
    ("encoding", "cut", "read", "reason", "where"),
    [
        ("exporter.bin", -10, 6, "truncated_protobuf", "message 3"),
        ("delimited.binpb", -10, 6, "truncated_protobuf", "message 3"),
        ("one.pb", -10, 6, "truncated_protobuf", "resource 3"),
        ("exporter.bin", None, 7, "bad_protobuf", "message 4"),
        ("one.pb", None, 7, "bad_protobuf", "resource 4"),
    ],
)
def test_protobuf_that_breaks_is_read_up_to_the_break(tmp_path, encoding, cut, read, reason, where) -> None:
    data = ENCODINGS[encoding]()
    more = b"" if cut else b"\0\0\0\5" + b"\xff" * 5 if encoding == "exporter.bin" else b"\xff\xff"
    (tmp_path / encoding).write_bytes(data[:cut] + more)
    spans, rejected = read_spans(tmp_path)
    assert len(spans) == read
    assert rejected[["reason", "locator"]].to_numpy().tolist() == [[reason, where]]


def test_logs_and_metrics_in_protobuf_are_told_from_spans(tmp_path) -> None:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    logs, metrics = ExportLogsServiceRequest(), ExportMetricsServiceRequest()
    held = logs.resource_logs.add()
    held.resource.attributes.add(key="service.name").value.string_value = "checkout"
    record = held.scope_logs.add().log_records.add(time_unix_nano=AT * 1_000, severity_number=17)
    record.body.string_value = "no route to 10.0.0.1"
    held = metrics.resource_metrics.add()
    held.resource.attributes.add(key="service.name").value.string_value = "checkout"
    gauge = held.scope_metrics.add().metrics.add(name="cpu", description="of all", unit="1").gauge
    gauge.data_points.add(time_unix_nano=AT * 1_000, as_double=0.5)
    frames = [logs.SerializeToString(), metrics.SerializeToString(), *as_messages()]
    (tmp_path / "a.bin").write_bytes(b"".join(len(m).to_bytes(4, "big") + m for m in frames))
    spans, rejected = read_spans(tmp_path)
    assert (len(spans), rejected["message"].tolist()) == (7, [])
    [batch] = read_files(tmp_path)
    assert batch.ignored == {"otlp spans (read them with read_traces)": 3, "otlp metrics": 1}
    assert batch.events[["source", "service", "alertname"]].to_numpy().tolist() == [
        ["logs", "checkout", "no route to <ip>"]
    ]


def test_protobuf_without_the_extra_is_a_clear_error(tmp_path, monkeypatch) -> None:
    (tmp_path / "a.pb").write_bytes(ENCODINGS["one.pb"]())
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.trace.v1.trace_pb2", None)
    with pytest.raises(MissingExtraError, match=r"a\.pb: OTLP in protobuf needs .*: pip install 'stanza_lab\[otlp\]'"):
        read_traces(tmp_path)
    [batch] = read_files(tmp_path)
    assert batch.rejected["reason"].tolist() == ["missing_extra"]


@pytest.mark.parametrize(
    "data",
    [
        b"\n{\n\n\n}",
        b"\n[]\n",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\0" * 64,
        b"\n\x05hello\x01",
        b"PAR1\x15\x04",
        bytes(range(256)),
        '{"a": 1}'.encode("utf-32-be"),
        '\n{"a": 1}'.encode("utf-16"),
    ],
)
def test_other_files_are_not_taken_for_protobuf(data) -> None:
    assert not is_otlp(io.BufferedReader(io.BytesIO(data)))
    assert is_otlp(io.BufferedReader(io.BytesIO(ENCODINGS["one.pb"]())))


def test_server_that_shares_its_id_with_the_client_is_below_it(tmp_path) -> None:
    own = {"traceId": "a3ce929d0e0e4736", "timestamp": AT, "duration": 5}
    web, orders = ({"localEndpoint": {"serviceName": service}} for service in ("web", "orders"))
    client = own | web | {"id": "02", "parentId": "01", "kind": "CLIENT", "name": "post"}
    server = own | orders | {"id": "02", "parentId": "01", "kind": "SERVER", "name": "post", "shared": True}
    inside = own | orders | {"id": "03", "parentId": "02", "name": "validate"}
    tables = []
    for order in ([client, server, inside], [inside, server, client]):
        write(tmp_path / "a.json", order)
        spans = read_traces(tmp_path)
        assert call_edges(spans)[["src", "dst", "calls"]].to_numpy().tolist() == [["web", "orders", 1]]
        tables.append(spans.set_index("name").sort_index())
    ids = tables[0].set_index("kind")["span_id"]
    parents = tables[0].set_index("kind")["parent_span_id"]
    assert ids["client"] == parents["server"] == "0000000000000002"
    assert ids["server"] == parents["internal"] != ids["client"]
    assert sorted(tables[0]["span_id"]) == sorted(tables[1]["span_id"])


@pytest.mark.shared
def test_samples(shared) -> None:
    samples = shared / "formats" / "samples" / "otel"
    otlp = read_traces(samples / "synthetic_collector_file_exporter.jsonl")
    jaeger = read_traces(samples / "synthetic_jaeger_api_traces.json")
    assert otlp["span_id"].tolist() == ["8098b17b3047cba7"]
    told = jaeger[["span_id", "parent_span_id", "service", "name", "kind", "status", "peer"]].astype(object)
    assert jaeger["trace_id"].unique().tolist() == ["3e241b731fcf87976a3d50f5a7cc4d94"]
    assert told.where(told.notna(), None).to_numpy().tolist() == [
        ["8098b17b3047cba7", None, "checkout", "POST /api/pay", "server", "error", None],
        ["dc512c12db4bc651", "8098b17b3047cba7", "checkout", "SELECT orders", "client", "unset", "orders-db"],
    ]
    assert jaeger["ends_at"].iloc[0] == pd.Timestamp(1_715_695_331_000_391 + 2_400_123, unit="us", tz="UTC")
    assert read_traces(samples / "otlp_trace.json")["service"].tolist() == ["my.service"]


@pytest.mark.shared
def test_real_traces(shared) -> None:
    spans = read_traces(shared / "data/nezha_tt_0129/traces")
    assert len(spans) == 16_152
    assert spans["service"].nunique() == 28
    assert (spans["starts_at"] <= spans["ends_at"]).all()
    assert spans["kind"].value_counts()[["server", "client", "internal"]].tolist() == [2837, 2557, 10758]
