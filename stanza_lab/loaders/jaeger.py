"""Jaeger: traces as its API and UI export them, and spans as it stores them in Elasticsearch.

https://www.jaegertracing.io/docs/latest/architecture/apis/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders import _spans
from stanza_lab.loaders._records import Record, RecordError, ignore, listing, mapping, name


def _is_trace(record: Record) -> bool:
    return isinstance(record.get("traceID"), str) and isinstance(record.get("spans"), list)


def _is_span(record: Record) -> bool:
    return "traceID" in record and "spanID" in record and ("operationName" in record or "process" in record)


def spans(trace: Record) -> Iterator[tuple[str, Any, Record | RecordError]]:
    """Yield the spans of one trace as (where, as it came, row of `schema.SPANS` or why not)."""
    processes = mapping(trace.get("processes"))
    for i, span in enumerate(listing(trace.get("spans"))):
        try:
            row: Record | RecordError = _span(span, processes, trace.get("traceID"))
        except RecordError as error:
            row = error
        yield f".spans[{i}]", span, row


def stored(span: Record) -> Iterator[tuple[str, Any, Record | RecordError]]:
    """Yield the one row of a span that holds its process itself."""
    try:
        yield "", span, _span(span, {}, None)
    except RecordError as error:
        yield "", span, error


def _span(span: Any, processes: Record, trace: Any) -> Record:
    if not isinstance(span, dict):
        raise RecordError("not_an_object", f"a span is a JSON object, this is {type(span).__name__}")
    process = mapping(span.get("process")) or mapping(processes.get(str(span.get("processID"))))
    tags = _tags(span)
    trace_id = _spans.trace_id(span.get("traceID") or trace, "traceID")
    kind = tags.get("span.kind", "").lower()
    starts_at = _spans.microseconds(span.get("startTime"), "startTime")
    return _spans.row(
        trace_id=trace_id,
        span_id=_spans.span_id(span.get("spanID"), "spanID"),
        parent_span_id=_parent(span, trace_id),
        service=process.get("serviceName"),
        operation=span.get("operationName"),
        kind=kind if kind in _spans.KINDS else None,
        starts_at=starts_at,
        ends_at=_spans.end(starts_at, span.get("duration")),
        status=_spans.status(tags),
        attributes=tags,
    )


def _parent(span: Record, trace_id: str) -> str | None:
    """Return the span that caused this one: the one it is a child of, else the one it follows, in the same trace."""
    references = [
        reference
        for reference in map(mapping, listing(span.get("references")))
        if not reference.get("traceID") or _spans.trace_id(reference["traceID"], "references.traceID") == trace_id
    ]
    for kind in ("CHILD_OF", "FOLLOWS_FROM"):
        for reference in references:
            if reference.get("refType") == kind:
                return _spans.parent_id(reference.get("spanID"), "references.spanID")
    return _spans.parent_id(span.get("parentSpanID"), "parentSpanID")


def _tags(span: Record) -> dict[str, str]:
    """Return the tags: a list of key and value, a map whose keys may have '@' for '.' (Elasticsearch), or both."""
    found = {str(key).replace("@", "."): value for key, value in mapping(span.get("tag")).items()}
    tags = span.get("tags")
    found |= mapping(tags)
    found |= {str(tag.get("key")): tag.get("value") for tag in map(mapping, listing(tags))}
    return {key: told for key, value in found.items() if (told := _text(value))}


def _text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else name(value)


TRACE = ignore("otel", "jaeger trace", _is_trace, kind="jaeger trace (read it with read_traces)")
SPAN = ignore("otel", "jaeger span", _is_span, kind="jaeger span (read it with read_traces)")
SHAPES = (TRACE, SPAN)
