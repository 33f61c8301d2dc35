"""OTLP in protobuf, as the same documents that OTLP/JSON holds: one message, or messages each after its length.

The collector's file exporter writes ``format: proto`` with four bytes of length before each message; other tools write
the length as a varint. A message is read resource by resource, so that a large one is never held twice.

https://opentelemetry.io/docs/specs/otlp/#binary-protobuf-encoding
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import Any

from stanza_lab import _optional
from stanza_lab.errors import MissingExtraError
from stanza_lab.loaders import _lines
from stanza_lab.loaders._containers import Broken, Stream, broken_archive
from stanza_lab.loaders._decoding import Document
from stanza_lab.loaders._lines import Arriving

_HEAD = 512
_CONTROL = frozenset(range(9)) | frozenset(range(14, 32))  # bytes that text does not hold and every message does
_FIELD_1 = 0x0A  # its number and "a length follows": the resources of every OTLP message
_CUT = "the protobuf ends in the middle of a message; export it again to have the rest. All before it was read"
_BAD = "no OTLP message from here on; export it again. All before it was read"


class _CutError(Exception):
    """Say that the bytes end within a field."""


class _BadError(Exception):
    """Say that the bytes are no message of OTLP."""


def is_otlp(stream: Stream) -> bool:
    """Return whether a stream holds OTLP in protobuf, by its first bytes; it is not moved."""
    return _framing(stream.peek(_HEAD)[:_HEAD]) is not None


def documents(stream: Stream) -> Iterator[Document | Broken]:
    """Yield what a stream of OTLP in protobuf holds as documents of OTLP/JSON, and a `Broken` where it breaks off."""
    arriving = Arriving(stream)
    data = io.BufferedReader(arriving, _lines.CHUNK)
    framing = _framing(data.peek(_HEAD)[:_HEAD]) or _fields
    where = "resource" if framing is _fields else "message"
    read = 0
    try:
        decode = _decoder()
        for message in framing(data):
            yield Document(decode(message), f"{where} {read + 1}")
            read += 1
    except MissingExtraError as error:
        yield Broken("", "missing_extra", str(error))
    except _CutError:
        if arriving.error is None:
            yield Broken(f"{where} {read + 1}", "truncated_protobuf", _CUT)
    except _BadError:
        yield Broken(f"{where} {read + 1}", "bad_protobuf", _BAD)
    if arriving.error is not None:
        yield broken_archive(arriving.error, "the complete messages before it were read")


_Framing = Callable[[io.BufferedIOBase], Iterator[list[bytes]]]


def _framing(head: bytes) -> _Framing | None:
    """Return how to split the bytes that begin with `head` into messages, None when they are no OTLP."""
    if not _CONTROL.intersection(head):
        return None
    if _begins_message(head):
        return _fields
    if len(head) > 4 and 0 < struct.unpack(">I", head[:4])[0] <= _lines.MAX_DOCUMENT and _begins_message(head[4:]):
        return _fixed
    size, after = _varint_in(head, 0)
    return _varying if after and 0 < size <= _lines.MAX_DOCUMENT and _begins_message(head[after:]) else None


def _begins_message(head: bytes) -> bool:
    """Return whether a message begins here: a list of resources, each with attributes and scopes."""
    if head[:1] != b"\n":
        return False
    size, at = _varint_in(head, 1)
    if not at or not size or at >= len(head):
        return False
    field = head[at]
    inner, inside = _varint_in(head, at + 1)
    if field not in (_FIELD_1, 0x12, 0x1A) or not inside or inside - at + inner > size:
        return False
    # A resource has attributes or counts those dropped; spans, logs and metrics of a scope begin with the scope.
    return inner == 0 or inside >= len(head) or head[inside] in (_FIELD_1, 0x10, 0x12, 0x1A) or field == 0x1A


def _fields(data: io.BufferedIOBase) -> Iterator[list[bytes]]:
    """Yield the resources of one message, each by itself."""
    while tag := data.read(1):
        if tag[0] == _FIELD_1:
            yield [_exactly(data, _varint(data))]
        else:
            raise _BadError


def _fixed(data: io.BufferedIOBase) -> Iterator[list[bytes]]:
    while first := data.read(1):
        yield _message(data, struct.unpack(">I", first + _exactly(data, 3))[0])


def _varying(data: io.BufferedIOBase) -> Iterator[list[bytes]]:
    while first := data.read(1):
        yield _message(data, _varint(data, first[0]))


def _message(data: io.BufferedIOBase, size: int) -> list[bytes]:
    held = io.BytesIO(_exactly(data, size))
    try:
        return [resource for [resource] in _fields(held)]
    except _CutError:
        raise _BadError from None


def _exactly(data: io.BufferedIOBase, size: int) -> bytes:
    if size > _lines.MAX_DOCUMENT:
        raise _BadError
    found = data.read(size)
    if len(found) < size:
        raise _CutError
    return found


def _varint(data: io.BufferedIOBase, first: int | None = None) -> int:
    value = shift = 0
    while shift < 64:
        byte = _exactly(data, 1)[0] if first is None else first
        first = None
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
    raise _BadError


def _varint_in(head: bytes, at: int) -> tuple[int, int]:
    """Return the varint at `at` and where it ends, 0 when it does not."""
    value = 0
    for i, byte in enumerate(head[at : at + 10]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, at + i + 1
    return value, 0


def _decoder() -> Callable[[list[bytes]], dict[str, Any]]:
    """Return the function that turns the resources of one message into a document of OTLP/JSON."""
    package = {"extra": "otlp", "purpose": "OTLP in protobuf"}
    spans = _optional.require("opentelemetry.proto.trace.v1.trace_pb2", **package)
    logs = _optional.require("opentelemetry.proto.logs.v1.logs_pb2", **package)
    metrics = _optional.require("opentelemetry.proto.metrics.v1.metrics_pb2", **package)
    errors = _optional.require("google.protobuf.message", **package)

    def parsed(message: Any, data: bytes) -> Any:
        try:
            return message.FromString(data)
        except errors.DecodeError:  # text that is no UTF-8: another kind of message
            return None

    def resource(data: bytes) -> tuple[str, dict[str, Any]]:
        # The three kinds have one outline; their first items tell them apart.
        found = parsed(spans.ResourceSpans, data)
        if found is not None and _all_of(found.scope_spans, "spans", _is_span):
            return "resourceSpans", _resource_spans(found)
        found = parsed(logs.ResourceLogs, data)
        if found is not None and _all_of(found.scope_logs, "log_records", _is_log):
            return "resourceLogs", _resource_logs(found)
        if parsed(metrics.ResourceMetrics, data) is None:
            raise _BadError
        return "resourceMetrics", {"scopeMetrics": []}

    def decode(resources: list[bytes]) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for key, value in map(resource, resources):
            document.setdefault(key, []).append(value)
        return document or {"resourceSpans": []}

    return decode


def _all_of(scopes: Any, items: str, known: Callable[[Any], bool]) -> bool:
    """Return whether the first item of the first scope that has some is `known`; true when there are none."""
    return next((known(getattr(scope, items)[0]) for scope in scopes if getattr(scope, items)), True)


def _is_span(span: Any) -> bool:
    return len(span.trace_id) in (8, 16) and len(span.span_id) == 8


def _is_log(log: Any) -> bool:
    return bool(log.time_unix_nano or log.observed_time_unix_nano)


def _resource_spans(found: Any) -> dict[str, Any]:
    scopes = [{"scope": {"name": s.scope.name}, "spans": list(map(_span, s.spans))} for s in found.scope_spans]
    return {"resource": {"attributes": _pairs(found.resource.attributes)}, "scopeSpans": scopes}


def _resource_logs(found: Any) -> dict[str, Any]:
    scopes = [{"scope": {"name": s.scope.name}, "logRecords": list(map(_log, s.log_records))} for s in found.scope_logs]
    return {"resource": {"attributes": _pairs(found.resource.attributes)}, "scopeLogs": scopes}


def _span(span: Any) -> dict[str, Any]:
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
        "attributes": _pairs(span.attributes),
        "status": {"code": span.status.code, "message": span.status.message},
    }


def _log(log: Any) -> dict[str, Any]:
    return {
        "timeUnixNano": str(log.time_unix_nano),
        "observedTimeUnixNano": str(log.observed_time_unix_nano),
        "severityNumber": log.severity_number,
        "severityText": log.severity_text,
        "body": _value(log.body),
        "attributes": _pairs(log.attributes),
        "traceId": log.trace_id.hex(),
        "spanId": log.span_id.hex(),
        "eventName": getattr(log, "event_name", ""),
    }


def _pairs(attributes: Any) -> list[dict[str, Any]]:
    return [{"key": pair.key, "value": _value(pair.value)} for pair in attributes]


def _value(value: Any) -> dict[str, Any]:
    """Return a value of any type as OTLP/JSON has it: whole numbers as text."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return {"stringValue": value.string_value}
    if kind == "int_value":
        return {"intValue": str(value.int_value)}
    if kind == "bool_value":
        return {"boolValue": value.bool_value}
    if kind == "double_value":
        return {"doubleValue": value.double_value}
    if kind == "array_value":
        return {"arrayValue": {"values": list(map(_value, value.array_value.values))}}
    if kind == "kvlist_value":
        return {"kvlistValue": {"values": _pairs(value.kvlist_value.values)}}
    return {}
