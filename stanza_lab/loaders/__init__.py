"""Bytes to events: exports of any system, in any container, read record by record."""

from __future__ import annotations

from stanza_lab.loaders._batches import Batch, read_files
from stanza_lab.loaders.traces import RejectedSpansWarning, read_spans, read_traces

__all__ = ["Batch", "RejectedSpansWarning", "read_files", "read_spans", "read_traces"]
