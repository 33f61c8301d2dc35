"""What the verbs over the map do first: group alerts, infer what depends on what, lay over it what else is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import stanza_lab as sl
from stanza_lab.cli.output import stderr
from stanza_lab.cli.reading import Known, clusterer_for, without_copies
from stanza_lab.errors import StanzaError
from stanza_lab.production import words

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

LINK_SPARE = ("verdict", "lag_s", "lift", "support")
LINK_LEGEND = (
    "->: src depends on dst, --: direction not known; linked: probability of a dependency either way; confidence: that "
    "src depends on dst; support: times both fired together; lift: times more than by chance; lag_s: median seconds "
    "from dst's alert to src's, negative when src fired first; known_from inferred: from alerts alone"
)
WAYS = {"forward": "->", "both": "<->", "unknown": "--"}


class Grouped(NamedTuple):
    """Alerts in incidents, without copies, and all that was known: pages that copy an alert tell who was woken."""

    alerts: pd.DataFrame
    known: Known
    clusterer: sl.IncidentClusterer


class Analysis(NamedTuple):
    """What the verbs after ingest work on."""

    alerts: pd.DataFrame
    known: Known
    clusterer: sl.IncidentClusterer
    model: sl.DependencyModel
    edges: pd.DataFrame
    production: sl.ProductionMap
    spans: pd.DataFrame | None = None


def group(known: Known, *, params: Path | None, spans: pd.DataFrame | None, keep_copies: bool) -> Grouped:
    """Group the alerts into incidents."""
    alerts = usable(known, keep_copies=keep_copies)
    with stderr.status(f"grouping {len(alerts):,} alerts"):
        clusterer = clusterer_for(alerts, params=params, spans=spans).fit(alerts)
    return Grouped(alerts.assign(incident_id=clusterer.labels_), known, clusterer)


def analyse(
    known: Known,
    *,
    traces: Path | None,
    declared: list[Path] | None,
    params: Path | None,
    keep_copies: bool,
) -> Analysis:
    """Group the alerts, infer dependencies from them, lay declarations and traces over these, and make the map."""
    spans = sl.read_traces(traces) if traces else None
    alerts, _, clusterer = group(known, params=params, spans=spans, keep_copies=keep_copies)
    model = fitted(sl.DependencyModel(), alerts)
    edges = overlaid(model.edges_, declared=declared, spans=spans)
    production = sl.ProductionMap(edges, alerts, ownership=known.owners, model=model)
    return Analysis(alerts, known, clusterer, model, edges, production, spans)


def usable(known: Known, *, keep_copies: bool) -> pd.DataFrame:
    """Return the alerts without copies; an error where there is none."""
    alerts = without_copies(known.alerts, keep=keep_copies)
    if alerts.empty:
        raise StanzaError("without alerts there is nothing to show; widen --since, --until or --where")
    return alerts


def fitted(model: sl.DependencyModel, alerts: pd.DataFrame) -> sl.DependencyModel:
    """Fit the model, and say what takes the time."""
    with stderr.status(f"inferring dependencies from {len(alerts):,} alerts"):
        return model.fit(alerts)


def overlaid(edges: pd.DataFrame, *, declared: list[Path] | None, spans: pd.DataFrame | None) -> pd.DataFrame:
    """Lay over edges what people declared, then what traces show: these judge what was declared too."""
    if declared:
        edges = sl.overlay_catalog(edges, sl.read_declared_edges(declared))
    return edges if spans is None else sl.overlay_traces(edges, spans)


def brief(links: pd.DataFrame) -> pd.DataFrame:
    """Return what a reader takes in at once of links; files keep all columns."""
    brief = links.assign(
        way=links["direction"].map(WAYS),
        linked=links["link_confidence"].map(words.probability),
        confidence=links["confidence"].map(words.probability),
        known_from=links["provenance"],
    )
    columns = ["src", "way", "dst", "linked", "confidence", "known_from", "support", "lift", "lag_s", "verdict"]
    return brief[columns]
