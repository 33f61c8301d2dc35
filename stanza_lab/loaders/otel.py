"""OpenTelemetry: spans of OTLP/JSON. Among alert exports spans are only counted; `read_traces` reads them.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders import _spans, jaeger, zipkin
from stanza_lab.loaders._records import Record, RecordError, ignore, listing, mapping, name

_STATUS = ("unset", "ok", "error")  # 0 to 2
_SCOPES = ("scopeSpans", "instrumentationLibrarySpans")


def is_resource_spans(record: Record) -> bool:
    """Return whether `record` is one element of ``resourceSpans``."""
    return any(isinstance(record.get(key), list) for key in _SCOPES)


def spans(record: Record) -> Iterator[tuple[str, Any, Record | RecordError]]:
    """Yield the spans of one ``resourceSpans`` element as (where, as it came, row of `schema.SPANS` or why not)."""
    service = attributes(mapping(record.get("resource")).get("attributes")).get("service.name")
    for key in _SCOPES:
        for i, scope in enumerate(listing(record.get(key))):
            for j, span in enumerate(listing(mapping(scope).get("spans"))):
                try:
                    row: Record | RecordError = _span(span, service)
                except RecordError as error:
                    row = error
                yield f".{key}[{i}].spans[{j}]", span, row


def attributes(given: Any) -> dict[str, str]:
    """Return the attributes that are text or whole numbers (written as text), by key."""
    found = {}
    for attribute in map(mapping, listing(given)):
        typed = mapping(attribute.get("value"))
        key, value = name(attribute.get("key")), name(typed.get("stringValue", typed.get("intValue")))
        if key and value:
            found[key] = value
    return found


def _span(span: Any, service: str | None) -> Record:
    if not isinstance(span, dict):
        raise RecordError("not_an_object", f"a span is a JSON object, this is {type(span).__name__}")
    return _spans.row(
        trace_id=_spans.trace_id(span.get("traceId"), "traceId"),
        span_id=_spans.span_id(span.get("spanId"), "spanId"),
        parent_span_id=_spans.parent_id(span.get("parentSpanId"), "parentSpanId"),
        service=service,
        operation=span.get("name"),
        kind=_numbered(span.get("kind"), _spans.KINDS, "SPAN_KIND_", first=1),
        starts_at=_spans.microseconds(span.get("startTimeUnixNano"), "startTimeUnixNano", per=1_000),
        ends_at=_spans.microseconds(span.get("endTimeUnixNano"), "endTimeUnixNano", per=1_000),
        status=_numbered(mapping(span.get("status")).get("code"), _STATUS, "STATUS_CODE_", first=0) or "unset",
        attributes=attributes(span.get("attributes")),
    )


def _numbered(value: Any, words: tuple[str, ...], prefix: str, *, first: int) -> str | None:
    """Return the word for an enum given as number or name, None when it is neither."""
    given = (name(value) or "").upper().removeprefix(prefix)
    if given.isdecimal():
        index = int(given[:4]) - first
        return words[index] if 0 <= index < len(words) else None
    return given.lower() if given.lower() in words else None


def is_resource_logs(record: Record) -> bool:
    """Return whether `record` is one element of ``resourceLogs``."""
    return any(isinstance(record.get(key), list) for key in ("scopeLogs", "instrumentationLibraryLogs"))


def _is_resource_metrics(record: Record) -> bool:
    return any(isinstance(record.get(key), list) for key in ("scopeMetrics", "instrumentationLibraryMetrics"))


SPANS = ignore("otel", "spans", is_resource_spans, kind="otlp spans (read them with read_traces)")
# Log records are events of the source "logs"; who reads only OpenTelemetry's traces passes over them.
LOGS = ignore("otel", "logs", is_resource_logs, kind="otlp logs")
METRICS = ignore("otel", "metrics", _is_resource_metrics, kind="otlp metrics")
SHAPES = (SPANS, METRICS, *jaeger.SHAPES, *zipkin.SHAPES)
# "batches": what Tempo calls the list that OTLP calls resourceSpans.
PAGES = ("resourceSpans", "resourceLogs", "resourceMetrics", "batches")
