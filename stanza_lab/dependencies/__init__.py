"""Who depends on whom: additive co-firing statistics, edges with calibrated confidence, traces laid over them."""

from __future__ import annotations

from stanza_lab.dependencies.calibrating import EdgeCalibrator
from stanza_lab.dependencies.calibration_report import CalibrationReport
from stanza_lab.dependencies.explanation import Explanation
from stanza_lab.dependencies.judging import edge_reliability
from stanza_lab.dependencies.metrics import score_edges
from stanza_lab.dependencies.model import DependencyModel
from stanza_lab.dependencies.overlay import (
    call_edges,
    overlay_catalog,
    overlay_traces,
    read_declared_edges,
    trace_coverage,
    unknown_dependencies,
)
from stanza_lab.dependencies.propagation import PROPAGATION, infer_propagation
from stanza_lab.dependencies.statistics import CoFiringStatistics
from stanza_lab.dependencies.sums import DependencyStatistics

__all__ = [
    "PROPAGATION",
    "CalibrationReport",
    "CoFiringStatistics",
    "DependencyModel",
    "DependencyStatistics",
    "EdgeCalibrator",
    "Explanation",
    "call_edges",
    "edge_reliability",
    "infer_propagation",
    "overlay_catalog",
    "overlay_traces",
    "read_declared_edges",
    "score_edges",
    "trace_coverage",
    "unknown_dependencies",
]
