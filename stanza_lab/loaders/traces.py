"""Traces: files of OTLP (JSON or protobuf), Jaeger and Zipkin spans to one table."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from stanza_lab import schema
from stanza_lab.errors import LoadError, MissingExtraError, StanzaWarning
from stanza_lab.loaders import jaeger, otel, zipkin
from stanza_lab.loaders._batches import found_in, rejection
from stanza_lab.loaders._containers import Paths, files, streams
from stanza_lab.loaders._records import Envelope, Record, RecordError, Shape
from stanza_lab.loaders.redaction import Redaction, Redactor

if TYPE_CHECKING:
    import pandas as pd

# One span is one span, however many files repeat it; a server may keep the id of the client's span.
_CALL = ["trace_id", "span_id"]
_IDENTITY = [*_CALL, "service", "kind"]

_Spans = Callable[[Record], Iterator[tuple[str, Any, Record | RecordError]]]
_READERS: dict[Shape, _Spans] = {
    otel.SPANS: otel.spans,
    jaeger.TRACE: jaeger.spans,
    jaeger.SPAN: jaeger.stored,
    zipkin.SPAN: zipkin.spans,
}
_PASSED_OVER = (otel.LOGS, otel.METRICS)
_SHAPES = (*_READERS, *_PASSED_OVER, zipkin.OLD)


class RejectedSpansWarning(StanzaWarning):
    """Say that some records of trace files could not be read."""


def read_traces(paths: Paths) -> pd.DataFrame:
    """Read the spans of trace files: OTLP in JSON or protobuf, Jaeger, Zipkin v2; told record by record.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files (whole documents, one per line, or OTLP messages in protobuf), folders, archives. Protobuf needs the extra
        ``stanza_lab[otlp]``.

    Returns
    -------
    DataFrame
        `schema.SPANS`: trace_id, span_id, parent_span_id, service, name, kind, starts_at, ends_at, status, peer.
        One row per span in file order; a span that several files repeat, in whatever encoding, counts once. Ids have
        their leading zeros: 16 digits, 32 for traces that need more than 64 bits. A server that keeps the id of its
        client's span (Zipkin, B3) gets an id of its own and the client's span as parent.

    Raises
    ------
    LoadError
        A path does not exist, or no span could be read.
    MissingExtraError
        There is OTLP in protobuf and the extra for it is not installed.

    Warns
    -----
    RejectedSpansWarning
        Some records could not be read; the rest was.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import stanza_lab as sl
    >>> span = '{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "name": "pay", "kind": 2}'
    >>> resource = '{"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}'
    >>> document = f'{{"resourceSpans": [{{"resource": {resource}, "scopeSpans": [{{"spans": [{span}]}}]}}]}}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "traces.json").write_text(document)
    ...     spans = sl.read_traces(folder)
    >>> spans[["span_id", "service", "name", "kind"]]
                span_id   service name    kind
    0  eee19b7ec3c1b174  checkout  pay  server
    """
    spans, rejected = read_spans(paths)
    if len(missing := rejected[rejected["reason"] == "missing_extra"]):
        raise MissingExtraError(f"{missing['file'].iloc[0]}: {missing['message'].iloc[0]}")
    if len(rejected):
        first = rejected.iloc[0]
        problem = f"{len(rejected)} records are no readable spans, first {first['file']} {first['locator']}".rstrip()
        problem += f": {first['message']}"
        if spans.empty:
            raise LoadError(problem)
        warnings.warn(problem, RejectedSpansWarning, stacklevel=2)
    if spans.empty:
        example = "for example the output of the collector's file exporter"
        raise LoadError(f"no spans in {paths}; pass traces of OTLP, Jaeger or Zipkin, {example}")
    return spans


def read_spans(paths: Paths) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the spans of trace files, and what could not be read.

    Logs and metrics in the same files are passed over; any other record is rejected.

    Parameters
    ----------
    paths : str, Path or iterable of them
        As for `read_traces`.

    Returns
    -------
    spans : DataFrame
        `schema.SPANS`, one row per span in file order, repeated spans once.
    rejected : DataFrame
        `schema.REJECTED`, one row per span or record that could not be read.

    Raises
    ------
    LoadError
        A path does not exist.

    Examples
    --------
    >>> import tempfile
    >>> from stanza_lab.loaders import read_spans
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spans, rejected = read_spans(folder)
    >>> len(spans), rejected["reason"].tolist()
    (0, ['empty_folder'])
    """
    rows: list[Record] = []
    redactor = Redactor(Redaction())
    rejected: list[Record] = []
    for path in files(paths):
        for file, stream in streams(path):
            for found in found_in(file, stream, _SHAPES, None):
                for row, raw, envelope in _rows(*found):
                    if isinstance(row, RecordError):
                        rejected.append(rejection(file, row, raw, envelope, redactor))
                    else:
                        rows.append(row)
    spans = schema.build(rows, schema.SPANS).drop_duplicates(_IDENTITY, ignore_index=True)
    return _told_apart(spans), schema.build(rejected, schema.REJECTED)


def _rows(
    shape: Shape | RecordError, record: Any, envelope: Envelope
) -> Iterator[tuple[Record | RecordError, Any, Envelope]]:
    """Yield the rows of one record, or why it has none."""
    if isinstance(shape, RecordError):
        yield shape, record, envelope
    elif shape in _READERS:
        for where, span, row in _READERS[shape](record):
            yield row, span, Envelope(envelope.locator + where)
    elif shape not in _PASSED_OVER:
        message = f"a {shape.name} is not read; export spans of OTLP, Jaeger or Zipkin v2"
        yield RecordError("not_spans", message), record, envelope


def _told_apart(spans: pd.DataFrame) -> pd.DataFrame:
    """Give servers that share the id of their client's span one of their own, below the client's.

    What the server then did names the shared id as its parent: in the server's service, that is the server's span.
    """
    shared = spans[spans.duplicated(_CALL, keep=False)]
    clients = shared.loc[shared["kind"] == "client", _CALL].drop_duplicates()
    servers = shared[shared["kind"] == "server"].drop_duplicates(_CALL).merge(clients, on=_CALL)
    if servers.empty:
        return spans
    own = [_own_id(*key) for key in zip(servers["trace_id"], servers["span_id"], strict=True)]
    below = {
        (trace, span, service): new
        for trace, span, service, new in zip(
            servers["trace_id"], servers["span_id"], servers["service"].astype("str").fillna(""), own, strict=True
        )
    }
    rows = zip(
        *(
            spans[name].astype("str").fillna("")
            for name in ("trace_id", "span_id", "parent_span_id", "service", "kind")
        ),
        strict=True,
    )
    span_ids, parent_ids = [], []
    for trace, span, parent, service, kind in rows:
        new = below.get((trace, span, service)) if kind == "server" else None
        span_ids.append(new or span)
        parent_ids.append(span if new else below.get((trace, parent, service), parent) or None)
    return spans.assign(
        span_id=schema.convert(_series(span_ids, spans), schema.SPANS["span_id"]),
        parent_span_id=schema.convert(_series(parent_ids, spans), schema.SPANS["parent_span_id"]),
    )


def _series(values: list[Any], like: pd.DataFrame) -> pd.Series:
    import pandas as pd

    return pd.Series(values, index=like.index, dtype=object)


def _own_id(trace_id: str, span_id: str) -> str:
    """Return a span id made from that of the span it is shared with: the same in every reading."""
    return hashlib.blake2b(f"{trace_id}{span_id}server".encode(), digest_size=8).hexdigest()
