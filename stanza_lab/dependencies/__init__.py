"""Who depends on whom: additive co-firing statistics, edges with calibrated confidence, traces laid over them."""

from __future__ import annotations

from stanza_lab.dependencies.explanation import Explanation
from stanza_lab.dependencies.metrics import score_edges
from stanza_lab.dependencies.model import DependencyModel
from stanza_lab.dependencies.statistics import CoFiringStatistics
from stanza_lab.dependencies.traces import call_edges, overlay_traces

__all__ = [
    "CoFiringStatistics",
    "DependencyModel",
    "Explanation",
    "call_edges",
    "overlay_traces",
    "score_edges",
]
