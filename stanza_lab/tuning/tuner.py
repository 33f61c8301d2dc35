"""Find the parameters that group best on the past, and say honestly what they are worth on what came after."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.dependencies import call_edges
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.incidents import IncidentClusterer
from stanza_lab.tuning import comparison, spaces, study
from stanza_lab.tuning.folds import Fold, judged
from stanza_lab.tuning.labels import names_of
from stanza_lab.tuning.objectives import Objective, read_objective
from stanza_lab.tuning.result import TuningResult
from stanza_lab.tuning.splits import TimeSplits, hold_out

_SMALLEST = 20  # alerts


def tune(
    alerts: pd.DataFrame,
    *,
    estimator: Any = None,
    space: Mapping[str, Any] | None = None,
    truth: pd.DataFrame | pd.Series | None = None,
    objective: str | Callable[..., float] | Mapping[str, float] = "auto",
    traces: pd.DataFrame | None = None,
    n_trials: int = 50,
    cv: Any = None,
    holdout: float = 0.25,
    storage: str | PathLike[str] | None = None,
    study_name: str = "stanza_lab",
    random_state: int = 0,
    n_jobs: int | None = None,
    timeout: _params.Duration | None = None,
    pruner: Any = "median",
    progress: bool = False,
) -> TuningResult:
    """Search the parameters that group alerts best, with or without labels.

    The last part of the history is held out and no trial sees it. On what comes before, an optuna study proposes
    parameters (a tree-structured Parzen estimator that starts from the present ones) and judges each on time-ordered
    folds: fitted on what came before, applied to what came after. The result says what the best are worth on the
    held-out part, beside the present parameters, time gaps, HDBSCAN over time and Alertmanager's grouping.

    Parameters
    ----------
    alerts : DataFrame
        An alerts table; needs `starts_at`. Alerts without a time are left out.
    estimator : estimator, optional
        Whatever groups alerts through ``fit`` and ``predict``, or through ``fit_predict``. Default:
        ``IncidentClusterer()``. Never changed.
    space : mapping, optional
        Name of a parameter -> (low, high) as numbers or durations, a list of choices, or an optuna distribution. Ranges
        that span a factor of 16 and all durations are searched by ratio. Default for `IncidentClusterer`: a quarter to
        four times what it has (`stanza_lab.tuning.default_space`); any other estimator needs one.
    truth : DataFrame or Series, optional
        What is known: a table of `alert_id` (or `native_id`) and `incident_id` (null = belongs to none; alerts it does
        not list are unknown and judged by nothing), or a Series with the index of `alerts`.
    objective : str, mapping or callable, default "auto"
        What is made large. With `truth` "auto" is "ari": the mean of the adjusted Rand index over alerts of incidents
        and over all. Any other measure of `score_incidents` counts as its mean over the two. Without, "auto" is a mean
        of "validity" (weight 0.2), "stability" (0.5) and "traces" (0.3, left out where nothing connects alerts); see
        `stanza_lab.tuning.unlabelled`. A mapping gives other weights. A function takes the alerts with `incident_id`
        and their true incidents (Series or None), and returns a number.
    traces : DataFrame, optional
        Spans from `read_traces`, or edges with `src` and `dst`: who calls whom. They judge only (see "traces"): no
        estimator sees them unless it has them already, as in ``IncidentClusterer(edges=call_edges(spans))``; one that
        has is then judged by what it was told, so that "traces" flatters it.
    n_trials : int, default 50
        Trials that the study has in the end, those of earlier runs included. Larger: better on the folds, slower.
    cv : int or splitter, optional
        Number of splits, or what splits. Default: ``TimeSplits(n_splits=3)``.
    holdout : float, default 0.25
        Share of the alerts held out at the end, above 0 and at most 0.5. Larger: surer comparison, less to learn from.
    storage : path, optional
        SQLite file that keeps the study: run the same call again and it goes on where it was, to the same result as if
        it had never stopped. One process at a time.
    study_name : str, default "stanza_lab"
        Name within `storage`.
    random_state : int, default 0
        Decides what is proposed and drawn.
    n_jobs : int, optional
        Folds judged at a time. The study is the same for every number; a trial that is stopped early then may have
        done work in vain.
    timeout : duration, optional
        No trial begins later than this. The study then depends on the speed of the machine.
    pruner : "median", None or optuna pruner, default "median"
        When to stop a trial before its last fold: "median" when it is worse than half of the earlier ones so far.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    TuningResult
        `best_params`, `best_estimator` (fitted on all alerts), `trials`, `importance`, `front`, `comparison`, `words`.

    Raises
    ------
    ParameterError
        A parameter is outside its range, the history is too short, or `storage` holds a study about something else.
    SchemaError
        A column is missing.
    MissingExtraError
        optuna is not installed: ``pip install 'stanza_lab[tune]'``.

    References
    ----------
    Akiba and others (2019), Optuna, doi:10.1145/3292500.3330701. Hutter, Hoos, Leyton-Brown (2014), An efficient
    approach for assessing hyperparameter importance, ICML.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> made = sl.simulate_production(services=12, teams=3, days=28, incidents=24, random_state=1)
    >>> space = {"gap": ("1min", "1h")}
    >>> result = sl.tune(made.alerts, truth=made.labels, estimator=sl.GapRule(), space=space, n_trials=3)
    >>> result.trials[["trial", "state", "param_gap"]].head(1)
       trial     state param_gap
    0      0  complete      5min
    >>> result.comparison["method"].tolist()[:3]
    ['tuned', 'defaults', 'gap 5min']
    """
    study.optuna_()
    n_trials = _params.at_least(n_trials, "n_trials", 1)
    random_state = _params.at_least(random_state, "random_state", 0)
    if not 0 < _params.fraction(holdout, "holdout") <= 0.5:
        raise ParameterError(f"holdout={holdout!r} must be above 0 and at most 0.5")
    timeout_s = None if timeout is None else _params.duration(timeout, "timeout").total_seconds()
    names = names_of(alerts, truth)
    alerts = schema.check(alerts, schema.ALERTS, need=["starts_at"])
    alerts, names = _timed(alerts, names)
    target = read_objective(
        objective, labelled=names is not None, edges=_edges(traces), random_state=random_state
    )  # fmt: skip
    model = IncidentClusterer() if estimator is None else estimator
    folds, held_out = _split(alerts, names, _splitter(cv), holdout)
    if space is None:
        if not isinstance(model, IncidentClusterer):
            raise ParameterError(f"{type(model).__name__} needs space=; pass for example {{'gap': ('1min', '1h')}}")
        space = spaces.default_space(model, alerts=folds[0].train)
    dimensions = spaces.read_space(space, estimator=model)
    present = {name: value for name, value in model.get_params(deep=True).items() if name in dimensions}

    def evaluate(values: Mapping[str, Any]) -> Iterator[dict[str, float]]:
        return judged(model, values, folds, target, n_jobs=n_jobs)

    with study.opened(storage, study_name, pruner) as opened:
        study.check_problem(opened, _problem(alerts, names, model, dimensions, target, folds, random_state, pruner))
        trials = study.run(
            opened, dimensions, evaluate, first=present, n_trials=n_trials, random_state=random_state,
            timeout_s=timeout_s, progress=progress,
        )  # fmt: skip
        table = study.with_front(study.table(trials, dimensions, folds=len(folds)))
        importance = study.importance(opened, dimensions, random_state=random_state)
    if table["value"].isna().all():
        reasons = table["refused"].dropna()
        raise ParameterError(f"no trial could be judged: {reasons.iloc[0] if len(reasons) else 'all were stopped'}")
    best = study.read_values(dimensions, trials[int(np.nanargmax(table["value"].to_numpy()))].params)
    compared = comparison.compare(
        model, best, folds=folds, held_out=held_out, objective=target, random_state=random_state
    )
    return TuningResult(
        best_params=best,
        best_estimator=study.refitted(model, best, alerts),
        trials=table,
        importance=importance,
        comparison=compared,
        objective=target.name,
        held_out=_period(held_out),
        _defaults=present,
    )


def _timed(alerts: pd.DataFrame, names: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the alerts that have a time."""
    rows = np.flatnonzero(alerts["starts_at"].notna())
    if len(rows) < _SMALLEST:
        raise ParameterError(f"{len(rows):,} alerts with a time are too few to tune on; pass at least {_SMALLEST}")
    if names is not None and not names["incident"].iloc[rows].notna().any():
        raise SchemaError("truth names no incident of these alerts; do the ids agree?")
    alerts = alerts.drop(columns="incident_id", errors="ignore").iloc[rows].reset_index(drop=True)
    return alerts, None if names is None else names.iloc[rows].reset_index(drop=True)


def _edges(traces: pd.DataFrame | None) -> pd.DataFrame | None:
    if traces is None or {"src", "dst"} <= set(traces.columns):
        return traces
    return call_edges(traces)


def _splitter(cv: Any) -> Any:
    if cv is None or isinstance(cv, int):
        return TimeSplits(n_splits=3 if cv is None else cv)
    if not hasattr(cv, "get_n_splits"):
        raise ParameterError(f"cv={cv!r} does not split; pass a number or TimeSplits(n_splits=4)")
    return cv


def _split(alerts: pd.DataFrame, names: pd.DataFrame | None, splitter: Any, holdout: float) -> tuple[list[Fold], Fold]:
    """Return the folds of the past, and the held-out part with all of the past to fit on."""
    y = None if names is None else names["incident"]
    embargo = getattr(splitter, "embargo", "0s")
    past, later = hold_out(alerts, y, share=holdout, embargo=embargo)
    before = alerts.iloc[past].reset_index(drop=True)
    known = None if names is None else names.iloc[past].reset_index(drop=True)
    splits = splitter.split(before, None if known is None else known["incident"])
    folds = [Fold.of(before, known, train, test) for train, test in splits]
    return folds, Fold.of(alerts, names, past, later)


def _problem(
    alerts: pd.DataFrame,
    names: pd.DataFrame | None,
    model: Any,
    dimensions: Mapping[str, spaces.Dimension],
    target: Objective,
    folds: list[Fold],
    random_state: int,
    pruner: Any,
) -> dict[str, str]:
    """Return what the trials of a study depend on, so that none are compared that cannot be."""
    keys = [name for name in ("starts_at", "alert_id", "rule_key", "service", "team") if name in alerts]
    parts = [alerts[keys].astype("str"), pd.DataFrame([[len(fold.train), len(fold.test)] for fold in folds])]
    edges = target.edges
    return {
        "alerts": _digest(*parts),
        "labels": "none" if names is None else _digest(names.astype("str")),
        "estimator": f"{type(model).__name__} {_digest(_lasting(model))}",
        "space": _digest({name: str(dimension.distribution) for name, dimension in dimensions.items()}),
        "objective": target.name,
        "traces": "none" if edges is None else _digest(edges[["src", "dst"]].astype("str")),
        "random_state": str(random_state),
        "pruner": pruner if isinstance(pruner, str) else type(pruner).__name__,
    }


def _lasting(value: Any) -> Any:
    """Return what a parameter is, in words that are the same in every process and tell one table from another."""
    if isinstance(value, pd.DataFrame):
        return _digest(value.astype("str"))
    if isinstance(value, nx.Graph):
        return sorted(repr(edge) for edge in value.edges(data=True))
    if hasattr(value, "get_params") and not isinstance(value, type):
        parameters = value.get_params(deep=False)
        return type(value).__name__, [(name, _lasting(parameters[name])) for name in sorted(parameters)]
    return value


def _digest(*parts: Any) -> str:
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, pd.DataFrame):
            found.update(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes())
        else:
            found.update(repr(part).encode())
    return found.hexdigest()[:16]


def _period(held_out: Fold) -> pd.DataFrame:
    starts = held_out.test["starts_at"]
    known = None if held_out.names is None else held_out.names["incident"].nunique()
    row = {"since": starts.min(), "until": starts.max(), "alerts": len(starts), "labelled_incidents": known}
    return pd.DataFrame([row]).astype({"labelled_incidents": "Int64"})
