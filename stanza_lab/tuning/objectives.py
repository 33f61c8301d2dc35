"""What a grouping is judged by: one number to make large, and the measures shown beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.incidents.quality import metrics
from stanza_lab.tuning import unlabelled
from stanza_lab.tuning.unlabelled import singled

if TYPE_CHECKING:
    from stanza_lab.tuning.unlabelled import Regroup

# Chosen by hand on five simulated productions so that the sum orders groupings as their true ARI does. How well it
# does so was seen on those same five only: no held-out figure says that these weights fit another history.
WEIGHTS: Mapping[str, float] = {"validity": 0.2, "stability": 0.5, "traces": 0.3}
OWN = ("ari", *WEIGHTS)
_WON_BY_ONE = ("coverage", "compression")  # everything in one incident has the most of both

Custom = Callable[[pd.DataFrame, pd.Series | None], float]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Judge groupings.

    Attributes
    ----------
    weights : mapping of str to float
        Name of a part -> its weight; they are divided by their sum over the parts that could be computed.
    custom : callable, optional
        Judges instead, see `tune`.
    edges : DataFrame, optional
        Who calls whom, for the part "traces".
    random_state : int
        For the part "stability".
    """

    weights: Mapping[str, float]
    custom: Custom | None = None
    edges: pd.DataFrame | None = field(default=None, repr=False)
    random_state: int = 0

    @property
    def name(self) -> str:
        """Say in a few words what is made large."""
        if self.custom is not None:
            return str(getattr(self.custom, "__name__", type(self.custom).__name__))
        if len(self.weights) == 1:
            return next(iter(self.weights))
        return " + ".join(f"{weight:g} {part}" for part, weight in self.weights.items())

    @property
    def refits(self) -> bool:
        """Tell whether judging groups alerts again, so that parts of a grouping cannot be judged by themselves."""
        return self.custom is None and "stability" in self.weights

    @property
    def of_labels(self) -> bool:
        """Tell whether judging needs the truth and nothing else."""
        return self.custom is None and not set(self.weights) & set(WEIGHTS)

    def __call__(self, alerts: pd.DataFrame, names: pd.DataFrame | None, regroup: Regroup | None) -> dict[str, float]:
        """Return `value` and its parts.

        Parameters
        ----------
        alerts : DataFrame
            With `incident_id`.
        names : DataFrame or None
            The truth, from `labels.names_of`, for these rows.
        regroup : callable
            Groups some of the alerts again.
        """
        if self.custom is not None:
            known = alerts if names is None else alerts[names["known"].to_numpy()]
            truth = None if names is None else names["incident"][names["known"]].set_axis(known.index)
            return {"value": float(self.custom(known, truth))}
        parts = {part: self._part(part, alerts, names, regroup) for part in self.weights}
        told = {part: value for part, value in parts.items() if not np.isnan(value)}
        total = sum(self.weights[part] for part in told)
        value = sum(self.weights[part] * worth for part, worth in told.items()) / total if total else float("nan")
        return {"value": float(value)} | (parts if len(parts) > 1 else {})

    def _part(self, part: str, alerts: pd.DataFrame, names: pd.DataFrame | None, regroup: Regroup | None) -> float:
        if part == "validity":
            return unlabelled.density_validity(alerts)
        if part == "traces":
            return unlabelled.trace_agreement(alerts, edges=self.edges)
        if part == "stability":
            if regroup is None:
                return float("nan")
            return unlabelled.stability(alerts, regroup=regroup, random_state=self.random_state)
        assert names is not None
        known = names["known"].to_numpy()
        if part == "ari":
            inside, over_all = ari(names["code"].to_numpy()[known], _labels(alerts)[known])
            return _mean([inside, over_all])
        truth = names["incident"][known].set_axis(alerts.index[known])
        return _mean(metrics.score_incidents(alerts[known], truth=truth)[part].tolist())


def read_objective(
    objective: str | Custom | Mapping[str, float],
    *,
    labelled: bool,
    edges: pd.DataFrame | None,
    random_state: int,
) -> Objective:
    """Return what `objective` means: a word, weights of parts, or a function."""
    if callable(objective):
        return Objective(weights={}, custom=objective, edges=edges, random_state=random_state)
    if objective == "auto":
        objective = "ari" if labelled else WEIGHTS
    weights = {objective: 1.0} if isinstance(objective, str) else dict(objective)
    measures = _measures()
    for part, weight in weights.items():
        if part not in OWN and part not in measures:
            raise ParameterError(
                f"objective: {part!r} is not known; without labels pass one of {sorted(WEIGHTS)}, with labels one of "
                f"{sorted({'ari', *measures})}, or weights of some, or a function of alerts and truth"
            )
        if part not in WEIGHTS and not labelled:
            raise ParameterError(f"objective {part!r} needs labels; pass truth=, or objective='auto'")
        if not isinstance(weight, (int, float)) or not 0 < weight < float("inf"):
            raise ParameterError(f"objective: the weight {weight!r} of {part!r} must be a number above 0")
    if not weights:
        raise ParameterError("objective={} has no part")
    return Objective(weights=weights, edges=edges, random_state=random_state)


def _measures() -> set[str]:
    """Return the measures of `score_incidents` of which more is better."""
    nobody = pd.DataFrame({"incident_id": pd.Series([], dtype="int64")})
    scores = metrics.score_incidents(nobody, truth=pd.Series([], dtype="str", index=nobody.index))
    counted = scores.dtypes[scores.dtypes == "int64"].index
    return set(scores.columns) - set(counted) - set(_WON_BY_ONE)


def measures(alerts: pd.DataFrame, names: pd.DataFrame | None) -> dict[str, float]:
    """Return what is shown of every grouping: compression, coverage, and with labels ARI, recall and precision.

    Compression is 1 - (incidents + alerts on their own) / alerts. Recall and precision are pairwise over all alerts
    that the truth speaks of; never compression without recall beside it: without labels recall is null.
    """
    labels = _labels(alerts)
    groups = len(np.unique(labels[labels != schema.NOISE]))
    single = int((labels == schema.NOISE).sum())
    shown = {
        "alerts": float(len(labels)),
        "incidents": float(groups),
        "compression": 1 - (groups + single) / len(labels) if len(labels) else np.nan,
        "coverage": 1 - single / len(labels) if len(labels) else np.nan,
    }
    nothing = dict.fromkeys(("recall", "precision", "ari_incident", "ari_all"), np.nan)
    if names is None or not names["known"].any():
        return shown | nothing
    known = names["known"].to_numpy()
    true, found = names["code"].to_numpy()[known], labels[known]
    pairs = metrics.pairwise(true, found)
    inside, over_all = ari(true, found)
    return shown | {
        "recall": pairs.recall,
        "precision": pairs.precision,
        "ari_incident": inside,
        "ari_all": over_all,
    }


def ari(true: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Return the adjusted Rand index over alerts of true incidents (null without any), and over all."""
    inside = true != schema.NOISE
    return _rand(true[inside], found[inside]), _rand(true, found)


def _rand(true: np.ndarray, found: np.ndarray) -> float:
    """Return what `metrics.ari` does, for numbers alone: it is asked thousands of times."""
    if len(true) == 0:
        return float("nan")
    a, b = singled(true), singled(found)
    b = b - b.min()
    cells = (a - a.min()) * (b.max() + 1) + b
    shared, rows, columns = (_pairs(groups) for groups in (cells, a, b))
    expected = rows * columns / max(len(a) * (len(a) - 1) / 2, 1)
    most = (rows + columns) / 2
    return 1.0 if most == expected else float((shared - expected) / (most - expected))


def _pairs(groups: np.ndarray) -> float:
    sizes = np.unique(groups, return_counts=True)[1].astype(np.float64)
    return float((sizes * (sizes - 1)).sum() / 2)


def _labels(alerts: pd.DataFrame) -> np.ndarray:
    return alerts["incident_id"].to_numpy()


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
