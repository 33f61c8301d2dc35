"""What changed on the map lately, and the replay of an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab import plot, schema
from stanza_lab.errors import ParameterError
from stanza_lab.production import words
from stanza_lab.report import embedding
from stanza_lab.report.findings import RECENT
from stanza_lab.report.shell import listing

if TYPE_CHECKING:
    from stanza_lab.production import ProductionMap

_WEEKS = 4  # what appeared and vanished in so many
_MOST_CHANGES = 20


def changes(production: ProductionMap, alerts: pd.DataFrame) -> str:
    """Return what appeared and vanished in the last weeks, in words; nothing where the map has no model to ask."""
    times = alerts["starts_at"].dropna()
    if production.whole._model is None or times.empty:
        return ""
    since = times.max() - pd.Timedelta(weeks=_WEEKS)
    if since <= times.min():
        return ""
    try:
        found = production.changes(since)
    except ParameterError as error:  # made of other days than the alerts shown
        return listing([f"What changed since {since:%Y-%m-%d} cannot be said: {error}."])
    said = [str(text) for text in found["words"].head(_MOST_CHANGES)]
    if len(found) > len(said):
        said.append(f"And {words.count(len(found) - len(said), 'more change')}.")
    return f"<p>Since {since:%Y-%m-%d}:</p>{listing(said)}" if said else f"<p>Nothing since {since:%Y-%m-%d}.</p>"


def replay(production: ProductionMap, alerts: pd.DataFrame) -> str:
    """Return the largest incident of the last days, or of all where these had none, step by step on the map."""
    if "incident_id" not in alerts.columns or production.alerts is None:
        return ""
    of_incidents = alerts[(alerts["incident_id"] != schema.NOISE) & alerts["starts_at"].notna()]
    sizes = of_incidents.groupby("incident_id")["starts_at"].agg(["size", "min"])
    sizes = sizes[sizes["size"] > 1]
    if sizes.empty:
        return ""
    late = sizes[sizes["min"] > of_incidents["starts_at"].max() - pd.Timedelta(days=RECENT)]
    ranked = (late if len(late) else sizes).sort_values(["size", "min"], ascending=False, kind="stable")
    incident = int(ranked.index[0])
    text = f"Incident {incident}, the largest {'lately' if len(late) else 'of all'}: move the slider, or play it."
    return embedding.figure(plot.replay(production, incident=incident), "replay", text)
