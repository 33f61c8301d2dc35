"""One fitting and one judgement: parameters, what they are fitted on, what they are judged on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone

from stanza_lab.tuning.objectives import Objective, measures

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.tuning.unlabelled import Regroup


@dataclass(frozen=True)
class Fold:
    """Alerts to fit on, later alerts to judge on, and what is known of the truth about the later ones."""

    train: pd.DataFrame
    test: pd.DataFrame
    names: pd.DataFrame | None

    @classmethod
    def of(cls, alerts: pd.DataFrame, names: pd.DataFrame | None, train: np.ndarray, test: np.ndarray) -> Fold:
        """Return the fold of these rows."""
        known = None if names is None else names.iloc[test].reset_index(drop=True)
        return cls(alerts.iloc[train].reset_index(drop=True), alerts.iloc[test].reset_index(drop=True), known)


def grouper(estimator: Any, fold: Fold) -> Regroup:
    """Return what groups later alerts: the estimator fitted on what came before, or itself where it cannot predict."""
    model = clone(estimator)
    if hasattr(model, "predict"):
        return model.fit(fold.train).predict  # type: ignore[no-any-return]
    return lambda alerts: clone(model).fit_predict(alerts)


def judge(estimator: Any, fold: Fold, objective: Objective) -> tuple[dict[str, float], np.ndarray]:
    """Return what a fold says of an estimator (`value`, its parts, measures), and how it grouped the test."""
    group = grouper(estimator, fold)
    labels = np.asarray(group(fold.test), dtype=np.int64)
    grouped = fold.test.assign(incident_id=labels)
    return objective(grouped, fold.names, group) | measures(grouped, fold.names), labels


def judged(
    estimator: Any, values: Mapping[str, Any], folds: Sequence[Fold], objective: Objective, *, n_jobs: int | None
) -> Iterator[dict[str, float]]:
    """Yield what each fold says, in order; as many at a time as there are workers, so that the reader can stop.

    The result is the same for every `n_jobs`: only work already begun when the reader stops is lost.
    """
    model = clone(estimator).set_params(**values)
    workers = 1 if n_jobs is None else effective_n_jobs(n_jobs)
    for first in range(0, len(folds), workers):
        batch = folds[first : first + workers]
        if workers == 1:
            yield from (judge(model, fold, objective)[0] for fold in batch)
        else:
            yield from Parallel(n_jobs=n_jobs)(delayed(_scores)(model, fold, objective) for fold in batch)


def _scores(model: Any, fold: Fold, objective: Objective) -> dict[str, float]:
    return judge(model, fold, objective)[0]
