"""What would have put an alert elsewhere: it and the alerts around it are grouped again, one thing changed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.incidents.correlation import grouping, hierarchy
from stanza_lab.incidents.correlation.hierarchy import Pairs
from stanza_lab.incidents.correlation.pairs import candidates
from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    from collections.abc import Callable

    from stanza_lab.incidents.correlation.evidence import Evidence
    from stanza_lab.incidents.correlation.grouping import Grouping, Settings

AROUND = 200  # alerts before and after it that are grouped again
TRIED = 8  # limits that are tried, the nearest first
_SAME = {  # what a part would be if it were not there
    "service": "were about the same service",
    "team": "paged the same team",
    "environment": "were of one environment",
    "chronic": "were of rules that fire only when things break",
    "crowd": "had fired in a quiet hour",
}
_WITHOUT = {
    "calls": "their services did not depend on each other",
    "kind": "they were of different kinds",
    "recovery": "they had not recovered together",
    "trace": "they shared no trace",
    "recurrence": "their rules had not come together before",
    "company": "nothing else had fired near them",
}
_Moves = list[tuple[str, float, int]]


def moves(known: Evidence, found: Grouping, settings: Settings, me: int) -> pd.DataFrame:
    """Return the changes that would have moved the alert at position `me` (see `Explanation.what_if`)."""
    near = np.arange(max(0, me - AROUND), min(len(known.features), me + AROUND + 1))
    here = known.take(near)
    labels, me = found.labels[near], int(np.searchsorted(near, me))
    rows = _of_parts(here, labels, settings, me)
    if labels[me] == NOISE:
        rows += _of_longer_limit(here, labels, settings, me)
    else:
        rows += _of_shorter_limit(here, found, settings, me, int(near[me]))
    return pd.DataFrame(rows, columns=["change", "distance_s", "incident_id"]).astype(
        {"change": "str", "distance_s": "float64", "incident_id": "int64"}
    )


def span(seconds: float, *, rounded: Callable[[float], float] = round) -> str:
    """Return a duration as people say it."""
    if seconds < 90:
        return f"{rounded(seconds):.0f} s"
    minutes = seconds / 60
    number = rounded(minutes * 10) / 10 if minutes < 90 else rounded(minutes / 6) / 10
    return f"{number:.1f}".removesuffix(".0") + " min" if minutes < 90 else f"{number:.1f} h"


def _of_parts(here: Evidence, labels: np.ndarray, settings: Settings, me: int) -> _Moves:
    """Return what happens when each part of the distances to this alert is left out in turn."""
    compared = [*candidates(here.features, here.calls, reach_s=here.reach_s(settings.max_gap_s))]
    left, right = (np.concatenate(ends).astype(np.int32) for ends in zip(*compared, strict=True))
    parts = dict(here.parts(left, right))
    raw = np.sum([*parts.values()], axis=0)
    mine = (left == me) | (right == me)
    alone = labels[me] == NOISE
    now = _goes_to(here, labels, settings, me, Pairs(left, right, np.maximum(raw, 0.0)))
    if now != (None if alone else labels[me]) or not mine.any():
        return []  # more than the alerts around it decides
    rows: _Moves = []
    for what, words in (_SAME if alone else _WITHOUT).items():
        if what in parts:
            left_out = parts[what] if alone else np.minimum(parts[what], 0.0)
            apart = np.maximum(raw - left_out * mine, 0.0)
            target = _goes_to(here, labels, settings, me, Pairs(left, right, apart))
            if target != now:
                nearest = float(apart[mine].min())
                rows.append((f"if {'the two ' if alone else ''}{words}", nearest, NOISE if target is None else target))
    return rows


def _of_longer_limit(here: Evidence, labels: np.ndarray, settings: Settings, me: int) -> _Moves:
    """Return the least `max_gap` with which the lone alert would be in an incident."""
    left, right = (ends.astype(np.int32) for ends in np.triu_indices(len(labels), 1))
    pairs = Pairs(left, right, here.distances(left, right))
    core = hierarchy.core_distances(len(labels), pairs, k=settings.min_neighbours)
    mine = pairs.where((left == me) | (right == me))
    needed = np.maximum.reduce([mine.distance, core[mine.left], core[mine.right]])
    for limit in np.unique(needed[(needed > settings.max_gap_s) & np.isfinite(needed)])[:TRIED].tolist():
        target = _goes_to(here, labels, replace(settings, max_gap_s=limit), me, pairs)
        if target is not None:
            return [(f"with a max_gap of {span(limit, rounded=math.ceil)} or more", limit, target)]
    return []


def _of_shorter_limit(here: Evidence, found: Grouping, settings: Settings, me: int, place: int) -> _Moves:
    """Return the `max_gap` below which nothing holds the alert, unless it is so near that any limit would do."""
    links = found.forest.distance[(found.forest.left == place) | (found.forest.right == place)]
    others = np.delete(np.arange(len(here.features)), me)
    nearest = here.distances(np.minimum(others, me), np.maximum(others, me)).min(initial=np.inf)
    if not len(links) or nearest <= settings.resolution_s:
        return []
    limit = float(links.min())
    return [(f"with a max_gap below {span(limit, rounded=math.floor)}", limit, NOISE)]


def _goes_to(here: Evidence, labels: np.ndarray, settings: Settings, me: int, pairs: Pairs) -> int | None:
    """Return the incident of the alert with `pairs` so far apart, -1 for one of lone alerts only; None = on its own."""
    found = grouping.from_pairs(here, pairs.where(pairs.distance <= settings.max_gap_s), settings).labels
    if found[me] == NOISE:
        return None
    fellows = labels[(found == found[me]) & (np.arange(len(labels)) != me)]
    fellows = fellows[fellows != NOISE]
    return int(np.bincount(fellows).argmax()) if len(fellows) else NOISE
