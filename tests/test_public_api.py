"""API conventions, held for every public name: adding a name to the package adds it to these cases.

A function takes its table (or path, or the one thing it is about) first and everything else by keyword; all is
annotated; the docstring is numpydoc with the sections a reader needs. An exception stands here, with its reason.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

import stanza_lab as sl

FIRST = {
    "alerts", "edges", "events", "spans", "path", "paths", "production", "reactions", "bundle",  # what a verb works on
    "indicators", "steps",  # likewise
    "old", "texts", "service", "name", "source", "figure",  # the one thing a lookup is about
}  # fmt: skip
RULES = ("AlertmanagerRoute", "AttributeRule", "GapRule", "GroupByRule", "SimilarityRule")
MORE_POSITIONAL = {
    "ProductionMap": 2,  # a map is made of edges and alerts; both read best in order
    "overlay_traces": 2,  # edges, spans: two tables of equal weight
    "overlay_catalog": 2,  # edges, declared: likewise
    "trace_coverage": 2,  # edges, spans: likewise
    "infer_propagation": 2,  # alerts, edges: likewise
    "edge_reliability": 2,  # edges, truth: likewise
    "EdgeCalibrator.fit": 2,  # scikit-learn: fit(X, y), here edges, truth
    "EntityResolver.fit": 2,  # scikit-learn: fit(X, y=None)
    "DependencyModel.fit": 2,  # scikit-learn: fit(X, y=None)
    "DependencyModel.partial_fit": 2,  # scikit-learn
    "IncidentClusterer.fit": 2,  # scikit-learn
    "IncidentClusterer.fit_predict": 2,  # scikit-learn
    "IncidentClusterer.partial_fit": 2,  # scikit-learn
    "IncidentClusterer.score": 2,  # scikit-learn
    **{f"{rule}.fit": 2 for rule in RULES},  # scikit-learn
    "backtest": 2,  # reactions, alerts: two things of equal weight
    "propose": 2,  # reactions, production: likewise
    "backtest_grouping": 2,  # alerts, rules: two things of equal weight
    "TimeClusterer.fit": 2,  # scikit-learn
    "DependencyModel.explain": 2,  # an edge is named by its two ends
    "ProductionMap.explain": 2,  # an edge is named by its two ends
    "ProductionMap.paths": 2,  # a path has two ends
    "TimeSplits.split": 3,  # scikit-learn: split(X, y, groups)
    "TimeSplits.get_n_splits": 3,  # scikit-learn
    "export": 3,  # bundle, target, path: what, as what, where to
    "Scorer.ended": 2,  # an alert and when
    "diff_bundles": 2,  # old, new: two things of equal weight
    "write_figure": 2,  # path, figure
    "write_prometheus_rules": 2,  # path, objectives
    "write_front_door": 2,  # path, door
    "write_review": 2,  # path, review
    "plot.firing_heatmap": 1,
    **{f"metrics.{name}": 2 for name in sl.metrics.__all__},  # scikit-learn: (labels_true, labels_pred)
}
KEYWORDS_ONLY = {"simulate_production"}  # makes its tables from nothing, so nothing comes first
SCIKIT_LEARN = {
    "fit_predict",
    "fit_transform",
    "set_output",
    "get_params",
    "set_params",
    "get_metadata_routing",
    "set_fit_request",
    "set_partial_fit_request",
}


def _public() -> dict[str, Any]:
    names = {name: getattr(sl, name) for name in sl.__all__ if name not in {"plot", "errors", "schema", "metrics"}}
    names |= {f"metrics.{name}": getattr(sl.metrics, name) for name in sl.metrics.__all__}
    return names | {f"plot.{name}": getattr(sl.plot, name) for name in sl.plot.__all__}


def _callables() -> dict[str, Callable[..., Any]]:
    found = {}
    for name, value in _public().items():
        if inspect.isclass(value):
            for method, function in inspect.getmembers(value, inspect.isfunction):
                if not method.startswith("_") and method not in SCIKIT_LEARN:
                    found[f"{name}.{method}"] = function
        found[name] = value
    return found


CALLABLES = _callables()


def _parameters(value: Callable[..., Any]) -> list[inspect.Parameter]:
    found = list(inspect.signature(value).parameters.values())
    return [parameter for parameter in found if parameter.name != "self"]


def _made_by_people(name: str) -> bool:
    """Leave out classes that users receive and never build: their constructor is not public."""
    received = {
        "IngestReport",
        "Review",
        "Production",
        "Patterns",
        "Bundle",
        "BundleDiff",
        "Exported",
        "Replay",
        "TuningResult",
        "PagerLoad",
        "metrics.Agreement",
    }
    received |= {"Reliability", "RuleBacktest"}
    return name not in received


@pytest.mark.parametrize("name", CALLABLES)
def test_one_thing_comes_first_and_the_rest_by_keyword(name: str) -> None:
    if not _made_by_people(name):
        return
    positional = [p for p in _parameters(CALLABLES[name]) if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if inspect.isclass(CALLABLES[name]) and name != "ProductionMap":
        if name not in {
            "History",
            "Explorer",
            "PlaceFinder",
            "Recorder",
            "Scorer",
            "LineScorer",
        }:  # made for one folder, map or bundle
            assert positional == [], f"{name}(...) takes parameters by keyword"
        return
    if name in KEYWORDS_ONLY:
        assert positional == []
        return
    assert len(positional) <= MORE_POSITIONAL.get(name, 1), f"{name}: {[p.name for p in positional]}"
    if positional and "." not in name:
        assert positional[0].name in FIRST


@pytest.mark.parametrize("name", CALLABLES)
def test_everything_is_annotated(name: str) -> None:
    value = CALLABLES[name]
    bare = [p.name for p in _parameters(value) if p.annotation is p.empty]
    assert bare == []
    if not inspect.isclass(value):
        assert inspect.signature(value).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", CALLABLES)
def test_docstring_has_the_sections_a_reader_needs(name: str) -> None:
    value = CALLABLES[name]
    doc = ClassDoc(value) if inspect.isclass(value) else FunctionDoc(value)
    assert doc["Summary"], f"{name} has no summary"
    if not _made_by_people(name):
        return
    parameters = [p.name for p in _parameters(value)]
    documented = [part.strip(" *") for entry in doc["Parameters"] for part in entry.name.split(",")]
    assert documented == parameters, f"{name}: documented {documented}, has {parameters}"
    if not inspect.isclass(value) and inspect.signature(value).return_annotation not in ("None", None):
        assert doc["Returns"], f"{name} does not say what it returns"
    if "." not in name or name.startswith("plot."):
        assert doc["Examples"], f"{name} has no example"


def test_import_is_light() -> None:
    heavy = ["sklearn", "hdbscan", "plotly", "duckdb", "scipy", "networkx", "pandas", "numba"]
    code = f"import sys, stanza_lab; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_public_name_is_listed_for_completion() -> None:
    assert set(sl.__all__) <= set(dir(sl))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="attribute cluster_alerts"):
        sl.cluster_alerts  # noqa: B018
