"""Traces: files of OTLP/JSON spans to one table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stanza_lab import schema
from stanza_lab.errors import LoadError, StanzaWarning
from stanza_lab.loaders import otel, registry
from stanza_lab.loaders._batches import found_in, rejection
from stanza_lab.loaders._containers import Paths, files, streams
from stanza_lab.loaders._records import Envelope, Record, RecordError, Shape

if TYPE_CHECKING:
    import pandas as pd

# One span is one span, however many files repeat it; a server may keep the id of the client's span.
_IDENTITY = ["trace_id", "span_id", "service", "kind"]


class RejectedSpansWarning(StanzaWarning):
    """Say that some records of trace files could not be read."""


def read_traces(paths: Paths) -> pd.DataFrame:
    """Read the spans of OTLP/JSON trace files.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files (whole documents or one per line), folders, gzip and zip archives.

    Returns
    -------
    DataFrame
        `schema.SPANS`: trace_id, span_id, parent_span_id, service, name, kind, starts_at, ends_at, status, peer.
        One row per span in file order; a span that several files repeat counts once.

    Raises
    ------
    LoadError
        A path does not exist, or no span could be read.

    Warns
    -----
    RejectedSpansWarning
        Some records could not be read; the rest was.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import stanza_lab as sl
    >>> span = '{"traceId": "5B8E", "spanId": "EEE1", "name": "pay", "kind": 2}'
    >>> resource = '{"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}'
    >>> document = f'{{"resourceSpans": [{{"resource": {resource}, "scopeSpans": [{{"spans": [{span}]}}]}}]}}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "traces.json").write_text(document)
    ...     spans = sl.read_traces(folder)
    >>> spans[["trace_id", "service", "name", "kind"]]
      trace_id   service name    kind
    0     5b8e  checkout  pay  server
    """
    spans, rejected = read_spans(paths)
    if len(rejected):
        first = rejected.iloc[0]
        problem = f"{len(rejected)} records are no readable spans, first {first['file']} {first['locator']}".rstrip()
        problem += f": {first['message']}"
        if spans.empty:
            raise LoadError(problem)
        warnings.warn(problem, RejectedSpansWarning, stacklevel=2)
    if spans.empty:
        raise LoadError(f"no spans in {paths}; pass OTLP/JSON traces, for example the collector's file exporter output")
    return spans


def read_spans(paths: Paths) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the spans of OTLP/JSON trace files, and what could not be read.

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
    rejected: list[Record] = []
    for path in files(paths):
        for file, stream in streams(path):
            for found in found_in(file, stream, registry.shapes_of("otel"), None):
                for row, raw, envelope in _rows(*found):
                    if isinstance(row, RecordError):
                        rejected.append(rejection(file, row, raw, envelope))
                    else:
                        rows.append(row)
    spans = schema.build(rows, schema.SPANS).drop_duplicates(_IDENTITY, ignore_index=True)
    return spans, schema.build(rejected, schema.REJECTED)


def _rows(
    shape: Shape | RecordError, record: Any, envelope: Envelope
) -> Iterator[tuple[Record | RecordError, Any, Envelope]]:
    """Yield the rows of one record, or why it has none."""
    if isinstance(shape, RecordError):
        yield shape, record, envelope
    elif otel.is_resource_spans(record):
        for where, span, row in otel.spans(record):
            yield row, span, Envelope(envelope.locator + where)
    elif shape not in (otel.LOGS, otel.METRICS):
        yield RecordError("not_spans", f"a {shape.name} is not read; export OTLP/JSON spans"), record, envelope
