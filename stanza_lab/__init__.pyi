from . import errors, plot, schema
from .artefacts import Bundle, load_bundle, save_bundle
from .dependencies import DependencyModel, call_edges, overlay_traces, score_edges
from .entities import (
    coverage,
    extract_entities,
    find_entities,
    infer_ownership,
    map_repositories,
    read_ownership,
    relate_teams,
    resolve_entities,
    summarize_teams,
)
from .entities.identity.resolver import EntityResolver
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
    "EntityResolver",
    "History",
    "IncidentClusterer",
    "IngestReport",
    "Production",
    "ProductionMap",
    "call_edges",
    "cluster_incidents",
    "coverage",
    "errors",
    "extract_entities",
    "find_entities",
    "fold_events",
    "infer_ownership",
    "load_bundle",
    "map_repositories",
    "overlay_traces",
    "plot",
    "read_alerts",
    "read_ownership",
    "read_traces",
    "relate_teams",
    "resolve_entities",
    "save_bundle",
    "schema",
    "score_edges",
    "score_incidents",
    "select_alerts",
    "simulate_production",
    "summarize_incidents",
    "summarize_teams",
    "write_figure",
    "write_report",
]
