"""What others say of the edges: traces and declarations laid over them, and what only alerts know."""

from __future__ import annotations

from stanza_lab.dependencies.overlay.calls import call_edges
from stanza_lab.dependencies.overlay.catalogue import DeclaredEdgesWarning, read_declared_edges
from stanza_lab.dependencies.overlay.coverage import TraceCoverage, trace_coverage
from stanza_lab.dependencies.overlay.declared import overlay_catalog
from stanza_lab.dependencies.overlay.traces import overlay_traces
from stanza_lab.dependencies.overlay.unknown import unknown_dependencies

__all__ = [
    "DeclaredEdgesWarning",
    "TraceCoverage",
    "call_edges",
    "overlay_catalog",
    "overlay_traces",
    "read_declared_edges",
    "trace_coverage",
    "unknown_dependencies",
]
