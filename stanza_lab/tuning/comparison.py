"""The tuned model beside the defaults and what everybody else uses, on alerts that no trial has seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from stanza_lab import schema
from stanza_lab.errors import SchemaError, StanzaError
from stanza_lab.incidents.density import TimeClusterer
from stanza_lab.incidents.rules import GapRule, GroupByRule
from stanza_lab.tuning.folds import Fold, judge, judged
from stanza_lab.tuning.spaces import words_of
from stanza_lab.tuning.splits import quiet_cuts

if TYPE_CHECKING:
    from stanza_lab.tuning.objectives import Objective

GAPS_S = (30, 60, 120, 180, 300, 450, 600, 900, 1200, 1800, 2700, 3600, 7200)
TUNED, DEFAULTS = "tuned", "defaults"
USUAL_GAP = "gap 5min"
_DRAWS = 200
_BLOCKS = 8
_INTERVAL = (5, 95)  # percent
_SHOWN = ("ari_incident", "ari_all", "precision", "recall", "compression", "coverage", "alerts", "incidents")


def compare(
    estimator: Any,
    best: Mapping[str, Any],
    *,
    folds: Sequence[Fold],
    held_out: Fold,
    objective: Objective,
    random_state: int,
) -> pd.DataFrame:
    """Return one row per method, as described in `TuningResult.comparison`."""
    rows, groupings, blocks = [], {}, {}
    for name, model in _methods(estimator, best, folds, objective):
        try:
            scores, labels = judge(model, held_out, objective)
        except SchemaError:
            if name in (TUNED, DEFAULTS):
                raise
            continue  # the table lacks the columns this baseline groups by
        rows.append({"method": name, "score": scores["value"]} | {shown: scores[shown] for shown in _SHOWN})
        groupings[name] = labels
        if not _by_incident(objective, held_out):
            blocks[name] = [judge(model, block, objective)[0]["value"] for block in _blocks(held_out)]
    if _by_incident(objective, held_out):
        draws = _half_samples(groupings, held_out, objective, random_state=random_state)
    else:
        draws = _resampled(blocks, random_state=random_state)
    table = pd.DataFrame(rows).astype({"alerts": "int64", "incidents": "int64"})
    return table.assign(**_against(draws, table["method"].tolist()))


def _methods(
    estimator: Any, best: Mapping[str, Any], folds: Sequence[Fold], objective: Objective
) -> Iterator[tuple[str, Any]]:
    yield TUNED, clone(estimator).set_params(**best)
    yield DEFAULTS, estimator
    yield USUAL_GAP, GapRule(gap="5min")
    gap = best_gap(folds, objective)
    yield f"best gap of the past ({words_of(gap)})", GapRule(gap=f"{gap}s")
    yield "HDBSCAN over time", TimeClusterer()
    yield "Alertmanager group_by", GroupByRule()


def best_gap(folds: Sequence[Fold], objective: Objective) -> int:
    """Return the gap in seconds that is best on the folds; of equals the shortest."""
    worth = []
    for gap in GAPS_S:
        values = [scores["value"] for scores in judged(GapRule(), {"gap": f"{gap}s"}, folds, objective, n_jobs=None)]
        known = [value for value in values if not np.isnan(value)]
        worth.append(float(np.mean(known)) if known else -np.inf)
    return GAPS_S[int(np.argmax(worth))]


def _by_incident(objective: Objective, held_out: Fold) -> bool:
    """Tell whether parts of a grouping can be judged by themselves: then true incidents are what is drawn."""
    return held_out.names is not None and (objective.of_labels or objective.custom is not None)


def _half_samples(
    groupings: Mapping[str, np.ndarray], held_out: Fold, objective: Objective, *, random_state: int
) -> dict[str, np.ndarray]:
    """Judge each grouping on random halves of the true incidents and of the alerts of none.

    A half drawn without replacement varies as much around the whole as the whole does around what it was drawn from;
    no incident is there twice, which would make pairs that agree by being the same.
    """
    assert held_out.names is not None
    codes = held_out.names["code"].to_numpy()
    units = np.where(codes < 0, codes.max(initial=-1) + 1 + np.arange(len(codes)), codes)
    units = np.unique(units, return_inverse=True)[1]
    seen = held_out.test[[]] if objective.of_labels else held_out.test  # few columns, fast draws
    random = np.random.default_rng(random_state)
    found: dict[str, list[float]] = {name: [] for name in groupings}
    for _ in range(_DRAWS):
        half = random.permutation(units.max(initial=0) + 1) * 2 < units.max(initial=0) + 1
        rows = np.flatnonzero(half[units])
        alerts, names = seen.iloc[rows], held_out.names.iloc[rows].reset_index(drop=True)
        for name, labels in groupings.items():
            found[name].append(objective(alerts.assign(incident_id=labels[rows]), names, None)["value"])
    return {name: np.array(values) for name, values in found.items()}


def _blocks(held_out: Fold) -> list[Fold]:
    """Return the held-out period in up to eight stretches of time, cut where it is quiet."""
    starts = held_out.test["starts_at"]
    times = starts.astype("int64").to_numpy()
    count = min(_BLOCKS, len(starts) // 10)
    if count < 2:
        return [held_out]
    places = [len(times) * k // count for k in range(1, count)]
    try:
        cuts = quiet_cuts(times, np.full(len(times), schema.NOISE), places, reach=len(times) // count // 4)
    except StanzaError:
        return [held_out]
    which = np.searchsorted(cuts, times, side="right")
    names = held_out.names
    blocks = []
    for block in range(count):
        rows = np.flatnonzero(which == block)
        known = None if names is None else names.iloc[rows].reset_index(drop=True)
        blocks.append(Fold(held_out.train, held_out.test.iloc[rows].reset_index(drop=True), known))
    return blocks


def _resampled(blocks: Mapping[str, list[float]], *, random_state: int) -> dict[str, np.ndarray]:
    """Return bootstrap means over the stretches of time, the same draws for every method."""
    count = len(next(iter(blocks.values())))
    draws = np.random.default_rng(random_state).integers(0, count, size=(_DRAWS, count))
    found = {}
    for name, values in blocks.items():
        drawn = np.array(values)[draws]
        known = ~np.isnan(drawn)
        total = np.where(known, drawn, 0.0).sum(axis=1)
        found[name] = np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)
    # one stretch alone says nothing about how much it varies
    return found if count > 1 else {name: np.full(_DRAWS, np.nan) for name in blocks}


def _against(draws: Mapping[str, np.ndarray], methods: list[str]) -> dict[str, Any]:
    """Return how far the tuned model is ahead of each method, as an interval and as a word."""
    low, high, verdict = [], [], []
    for method in methods:
        ahead = draws[TUNED] - draws[method]
        ahead = ahead[~np.isnan(ahead)]
        ends = np.percentile(ahead, _INTERVAL) if len(ahead) else np.array([np.nan, np.nan])
        low.append(float(ends[0]))
        high.append(float(ends[1]))
        verdict.append(None if method == TUNED else _verdict(*ends))
    return {"ahead_low": low, "ahead_high": high, "tuned_is": pd.Series(verdict, dtype="str")}


def _verdict(low: float, high: float) -> str:
    if np.isnan(low):
        return "unknown"
    if low > 0:
        return "better"
    return "worse" if high < 0 else "within noise"
