"""OpenTelemetry: spans of OTLP/JSON. Among alert exports they are only counted; `read_traces` reads them.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders._records import Record, RecordError, ignore, listing, mapping, name

_KINDS = ("internal", "server", "client", "producer", "consumer")  # 1 to 5
_STATUS = ("unset", "ok", "error")  # 0 to 2
# What a caller says it calls, the most exact name first.
_PEERS = (
    "peer.service",
    "messaging.destination.name",
    "db.namespace",
    "db.name",
    "rpc.service",
    "server.address",
    "net.peer.name",
    "db.system.name",
    "db.system",
)
_SCOPES = ("scopeSpans", "instrumentationLibrarySpans")


def is_resource_spans(record: Record) -> bool:
    """Return whether `record` is one element of ``resourceSpans``."""
    return any(isinstance(record.get(key), list) for key in _SCOPES)


def spans(record: Record) -> Iterator[tuple[str, Any, Record | RecordError]]:
    """Yield the spans of one ``resourceSpans`` element as (where, as it came, row of `schema.SPANS` or why not)."""
    service = _attributes(mapping(record.get("resource")).get("attributes")).get("service.name")
    if service and service.startswith("unknown_service"):
        service = None
    for key in _SCOPES:
        for i, scope in enumerate(listing(record.get(key))):
            for j, span in enumerate(listing(mapping(scope).get("spans"))):
                try:
                    row: Record | RecordError = _span(span, service)
                except RecordError as error:
                    row = error
                yield f".{key}[{i}].spans[{j}]", span, row


def _span(span: Any, service: str | None) -> Record:
    if not isinstance(span, dict):
        raise RecordError("not_an_object", f"a span is a JSON object, this is {type(span).__name__}")
    kind = _numbered(span.get("kind"), _KINDS, "SPAN_KIND_", first=1)
    return {
        "trace_id": _hex(span.get("traceId"), "traceId"),
        "span_id": _hex(span.get("spanId"), "spanId"),
        "parent_span_id": _hex(span["parentSpanId"], "parentSpanId") if span.get("parentSpanId") else None,
        "service": service,
        "name": name(span.get("name")),
        "kind": kind,
        "starts_at": _nanoseconds(span.get("startTimeUnixNano"), "startTimeUnixNano"),
        "ends_at": _nanoseconds(span.get("endTimeUnixNano"), "endTimeUnixNano"),
        "status": _numbered(mapping(span.get("status")).get("code"), _STATUS, "STATUS_CODE_", first=0) or "unset",
        "peer": _peer(span) if kind in ("client", "producer") else None,
    }


def _peer(span: Record) -> str | None:
    attributes = _attributes(span.get("attributes"))
    return next((attributes[key] for key in _PEERS if key in attributes), None)


def _attributes(attributes: Any) -> dict[str, str]:
    """Return the attributes that are text or whole numbers (written as text), by key."""
    found = {}
    for attribute in map(mapping, listing(attributes)):
        typed = mapping(attribute.get("value"))
        key, value = name(attribute.get("key")), name(typed.get("stringValue", typed.get("intValue")))
        if key and value:
            found[key] = value
    return found


def _numbered(value: Any, words: tuple[str, ...], prefix: str, *, first: int) -> str | None:
    """Return the word for an enum given as number or name, None when it is neither."""
    given = (name(value) or "").upper().removeprefix(prefix)
    if given.isdecimal():
        index = int(given[:4]) - first
        return words[index] if 0 <= index < len(words) else None
    return given.lower() if given.lower() in words else None


def _hex(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise RecordError("missing_field", f"field {field!r} is missing; without it the span cannot be placed")
    if value.strip("0123456789abcdefABCDEF"):
        raise RecordError("malformed", f"field {field!r} is not hexadecimal: {value[:40]!r}")
    return str(value).lower()


def _nanoseconds(value: Any, field: str) -> int | None:
    """Return whole microseconds; 0 and absent are no time."""
    if value in (None, "", 0, "0"):
        return None
    try:
        at = int(value) // 1_000
    except (TypeError, ValueError, OverflowError):
        at = -1
    if isinstance(value, bool) or not 0 <= at < 2**52:
        raise RecordError("bad_time", f"field {field!r} is not a time in nanoseconds: {str(value)[:40]!r}")
    return at


LOGS = ignore("otel", "logs", lambda r: "scopeLogs" in r or "instrumentationLibraryLogs" in r, kind="otlp logs")
METRICS = ignore("otel", "metrics", lambda r: "scopeMetrics" in r, kind="otlp metrics")
SHAPES = (
    ignore("otel", "spans", is_resource_spans, kind="otlp spans (read them with read_traces)"),
    LOGS,
    METRICS,
    ignore("otel", "jaeger trace", lambda r: "traceID" in r and "spans" in r, kind="jaeger trace (not read yet)"),
)
PAGES = ("resourceSpans", "resourceLogs", "resourceMetrics")
