"""Bytes to events: exports of any system, in any container, read record by record."""

from __future__ import annotations

from stanza_lab.loaders._batches import Batch, Options, read_files, read_part, read_paths
from stanza_lab.loaders._containers import files
from stanza_lab.loaders.redaction import Redaction
from stanza_lab.loaders.traces import RejectedSpansWarning, read_spans, read_traces

__all__ = [
    "Batch",
    "Options",
    "Redaction",
    "RejectedSpansWarning",
    "files",
    "read_files",
    "read_part",
    "read_paths",
    "read_spans",
    "read_traces",
]
