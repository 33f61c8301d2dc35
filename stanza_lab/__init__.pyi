from . import errors, plot, schema
from .artefacts import Bundle, load_bundle, save_bundle
from .dependencies import DependencyModel, call_edges, overlay_traces, score_edges
from .entities import find_entities, read_ownership, resolve_entities
from .history import History, IngestReport, fold_events, read_alerts, select_alerts
from .incidents import IncidentClusterer, cluster_incidents, score_incidents, summarize_incidents
from .loaders import read_traces
from .production import ProductionMap
from .report import write_figure, write_report
from .simulate import Production, simulate_production

__version__: str

__all__ = [
    "Bundle",
    "DependencyModel",
    "History",
    "IncidentClusterer",
    "IngestReport",
    "Production",
    "ProductionMap",
    "call_edges",
    "cluster_incidents",
    "errors",
    "find_entities",
    "fold_events",
    "load_bundle",
    "overlay_traces",
    "plot",
    "read_alerts",
    "read_ownership",
    "read_traces",
    "resolve_entities",
    "save_bundle",
    "schema",
    "score_edges",
    "score_incidents",
    "select_alerts",
    "simulate_production",
    "summarize_incidents",
    "write_figure",
    "write_report",
]
