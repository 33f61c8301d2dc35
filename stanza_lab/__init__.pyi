from . import errors, plot, schema
from .artefacts import Bundle, load_bundle, save_bundle
from .dependencies import (
    DependencyModel,
    EdgeCalibrator,
    call_edges,
    edge_reliability,
    infer_propagation,
    overlay_catalog,
    overlay_traces,
    read_declared_edges,
    score_edges,
    trace_coverage,
    unknown_dependencies,
)
from .entities import (
    classify_symptoms,
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
from .explorer import Explorer, PlaceFinder
from .history import History, IngestReport, fold_events, read_alerts, select_alerts
from .incidents import IncidentClusterer, TimeClusterer, cluster_incidents, score_incidents, summarize_incidents
from .incidents.quality import Corrections, labels_from_pages, labels_from_spans, metrics, read_labels
from .incidents.rules import (
    AlertmanagerRoute,
    AttributeRule,
    GapRule,
    GroupByRule,
    SimilarityRule,
    backtest_grouping,
    read_rules,
)
from .loaders import read_traces
from .production import ProductionMap, Profile, read_contributed, read_profile
from .report import write_figure, write_front_door, write_report
from .simulate import Production, simulate_network, simulate_production
from .tuning import TimeSplits, TuningResult, read_params, tune

__version__: str

__all__ = [
    "AlertmanagerRoute",
    "AttributeRule",
    "Bundle",
    "Corrections",
    "DependencyModel",
    "EdgeCalibrator",
    "EntityResolver",
    "Explorer",
    "GapRule",
    "GroupByRule",
    "History",
    "IncidentClusterer",
    "IngestReport",
    "PlaceFinder",
    "Production",
    "ProductionMap",
    "Profile",
    "SimilarityRule",
    "TimeClusterer",
    "TimeSplits",
    "TuningResult",
    "backtest_grouping",
    "call_edges",
    "classify_symptoms",
    "cluster_incidents",
    "coverage",
    "edge_reliability",
    "errors",
    "extract_entities",
    "find_entities",
    "fold_events",
    "infer_ownership",
    "infer_propagation",
    "labels_from_pages",
    "labels_from_spans",
    "load_bundle",
    "map_repositories",
    "metrics",
    "overlay_catalog",
    "overlay_traces",
    "plot",
    "read_alerts",
    "read_contributed",
    "read_declared_edges",
    "read_labels",
    "read_ownership",
    "read_params",
    "read_profile",
    "read_rules",
    "read_traces",
    "relate_teams",
    "resolve_entities",
    "save_bundle",
    "schema",
    "score_edges",
    "score_incidents",
    "select_alerts",
    "simulate_network",
    "simulate_production",
    "summarize_incidents",
    "summarize_teams",
    "trace_coverage",
    "tune",
    "unknown_dependencies",
    "write_figure",
    "write_front_door",
    "write_report",
]
