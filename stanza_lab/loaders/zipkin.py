"""Zipkin: spans of its API v2, lists of them, and lists of traces.

https://zipkin.io/zipkin-api/#/default/get_trace__traceId_
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders import _spans
from stanza_lab.loaders._records import Record, RecordError, ignore, mapping, name

_OWN = ("localEndpoint", "remoteEndpoint", "annotations", "shared", "parentId", "duration")
_KINDS = ("CLIENT", "SERVER", "PRODUCER", "CONSUMER")


def _is_span(record: Record) -> bool:
    if not (isinstance(record.get("traceId"), str) and isinstance(record.get("id"), str)):
        return False
    return not _is_old(record) and (any(key in record for key in _OWN) or record.get("kind") in _KINDS)


def _is_old(record: Record) -> bool:
    """Return whether this is a span of the API v1, which has the two ends of a call in one."""
    return isinstance(record.get("traceId"), str) and isinstance(record.get("binaryAnnotations"), list)


def spans(span: Record) -> Iterator[tuple[str, Any, Record | RecordError]]:
    """Yield the one span as (where, as it came, row of `schema.SPANS` or why not)."""
    try:
        yield "", span, _span(span)
    except RecordError as error:
        yield "", span, error


def _span(span: Record) -> Record:
    tags = {key: told for key, value in mapping(span.get("tags")).items() if (told := _text(value)) is not None}
    starts_at = _spans.microseconds(span.get("timestamp"), "timestamp")
    kind = name(span.get("kind"))
    return _spans.row(
        trace_id=_spans.trace_id(span.get("traceId"), "traceId"),
        span_id=_spans.span_id(span.get("id"), "id"),
        parent_span_id=_spans.parent_id(span.get("parentId"), "parentId"),
        service=mapping(span.get("localEndpoint")).get("serviceName"),
        operation=span.get("name"),
        kind=_kind(kind),
        starts_at=starts_at,
        ends_at=_spans.end(starts_at, span.get("duration")),
        status=_spans.status(tags),
        attributes=tags,
        peer=name(mapping(span.get("remoteEndpoint")).get("serviceName")),
    )


def _kind(kind: str | None) -> str | None:
    """Return the role in the call: work within a process has no kind."""
    if kind is None:
        return "internal"
    return kind.lower() if kind in _KINDS else None


def _text(value: Any) -> str | None:
    """Return the text of a tag; that of the tag ``error`` may be empty and still means one."""
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else name(value)


SPAN = ignore("otel", "zipkin span", _is_span, kind="zipkin span (read it with read_traces)")
OLD = ignore("otel", "zipkin v1 span", _is_old, kind="zipkin v1 span")
SHAPES = (SPAN, OLD)
