"""The study: optuna proposes parameters, the folds judge them.

Proposals depend on the seed, the trials so far and nothing else: the sampler is seeded anew for each trial with the
number of finished ones. A study that was killed and is run again therefore goes on as if nothing had happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from tqdm.auto import tqdm

from stanza_lab import _optional
from stanza_lab.errors import ParameterError, SchemaError

if TYPE_CHECKING:
    from stanza_lab.tuning.spaces import Dimension

_STARTUP = 10  # random trials before the sampler begins to learn
_FIRST_PRUNED = 5  # trials that are always finished
Values = Mapping[str, Any]
Evaluate = Callable[[Values], Iterator[dict[str, float]]]


def optuna_() -> Any:
    """Return optuna, or say how to get it."""
    return _optional.require("optuna", extra="tune", purpose="tuning")


@contextmanager
def opened(storage: str | PathLike[str] | None, name: str, pruner: Any) -> Iterator[Any]:
    """Open or begin a study in memory or in an SQLite file; quiet, and closed at the end."""
    optuna = optuna_()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kept = None if storage is None else _sqlite(optuna, fspath(storage))
    try:
        yield optuna.create_study(
            study_name=name, storage=kept, direction="maximize", load_if_exists=True, pruner=_pruner(optuna, pruner)
        )
    finally:
        if kept is not None:
            kept.remove_session()
            kept.engine.dispose()
        optuna.logging.set_verbosity(before)


def _sqlite(optuna: Any, path: str) -> Any:
    sqlalchemy = _optional.require("sqlalchemy", extra="tune", purpose="keeping a study in a file")
    if "://" in path:
        raise ParameterError(f"storage={path!r}: pass the path of an SQLite file, for example 'study.db'")
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise ParameterError(f"storage={path!r}: there is no folder {str(folder)!r}; make it first")
    url = sqlalchemy.URL.create("sqlite", database=path).render_as_string(hide_password=False)
    try:
        return optuna.storages.RDBStorage(url)
    except sqlalchemy.exc.DatabaseError as error:
        raise ParameterError(
            f"storage={path!r} is no SQLite file that can be read and written: {error.orig}"
        ) from error


def _pruner(optuna: Any, pruner: Any) -> Any:
    if pruner is None:
        return optuna.pruners.NopPruner()
    if pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=_FIRST_PRUNED, n_warmup_steps=0)
    if isinstance(pruner, optuna.pruners.BasePruner):
        return pruner
    raise ParameterError(f"pruner={pruner!r} is not known; pass 'median', None or an optuna pruner")


def check_problem(study: Any, problem: Mapping[str, str]) -> None:
    """Write down what a new study is about; refuse to go on with one about something else."""
    before = study.user_attrs.get("problem")
    if before is None:
        if study.get_trials(deepcopy=False):
            raise ParameterError(f"study {study.study_name!r} was not made by tune; pass another study_name")
        study.set_user_attr("problem", dict(problem))
    elif before != dict(problem):
        changed = sorted(key for key in {*before, *problem} if before.get(key) != problem.get(key))
        raise ParameterError(
            f"study {study.study_name!r} was begun with other {', '.join(changed)}; its trials cannot be compared with "
            "new ones. Pass another study_name or storage"
        )


def run(
    study: Any,
    dimensions: Mapping[str, Dimension],
    evaluate: Evaluate,
    *,
    first: Values,
    n_trials: int,
    random_state: int,
    timeout_s: float | None,
    progress: bool,
) -> list[Any]:
    """Run trials until the study has `n_trials` finished ones, and return those.

    `first` holds the parameters to begin with, as far as they lie in the space.
    """
    optuna = optuna_()
    _clear(optuna, study, dimensions, first)
    began = time.monotonic()
    with tqdm(total=n_trials, initial=min(len(_finished(optuna, study)), n_trials), disable=not progress) as bar:
        while (number := len(_finished(optuna, study))) < n_trials:
            if timeout_s is not None and time.monotonic() - began > timeout_s and number > 0:
                break
            seed = int(np.random.SeedSequence([random_state, number]).generate_state(1)[0])
            study.sampler = optuna.samplers.TPESampler(
                seed=seed, multivariate=True, n_startup_trials=_STARTUP, constant_liar=False
            )
            trial = study.ask({name: dimension.distribution for name, dimension in dimensions.items()})
            _try(optuna, study, trial, evaluate, read_values(dimensions, trial.params))
            bar.update()
    return _finished(optuna, study)


def read_values(dimensions: Mapping[str, Dimension], params: Values) -> dict[str, Any]:
    """Return the parameters of a trial as the estimator takes them."""
    return {name: dimension.decode(params[name]) for name, dimension in dimensions.items()}


def _clear(optuna: Any, study: Any, dimensions: Mapping[str, Dimension], first: Values) -> None:
    """Give up what a killed run left unfinished; of a new study, ask for the parameters to begin with."""
    states = optuna.trial.TrialState
    for trial in study.get_trials(deepcopy=False, states=(states.RUNNING,)):
        study.tell(trial.number, state=states.FAIL)
    if not study.get_trials(deepcopy=False, states=(states.WAITING,)) and not _finished(optuna, study):
        start = {name: dimensions[name].encode(value) for name, value in first.items() if dimensions[name].holds(value)}
        study.enqueue_trial(start)


def _finished(optuna: Any, study: Any) -> list[Any]:
    """Return trials that came to an end: judged, stopped early, or refused by the estimator."""
    states = optuna.trial.TrialState
    trials = study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED, states.FAIL))
    return [trial for trial in trials if trial.state != states.FAIL or "refused" in trial.user_attrs]


def _try(optuna: Any, study: Any, trial: Any, evaluate: Evaluate, values: Values) -> None:
    """Judge one trial fold by fold, and stop when it falls behind the others."""
    states = optuna.trial.TrialState
    told: list[dict[str, float | None]] = []
    worth: list[float] = []
    try:
        for step, scores in enumerate(evaluate(values)):
            # JSON has no NaN
            told.append({name: None if np.isnan(score) else float(score) for name, score in scores.items()})
            worth += [scores["value"]] if not np.isnan(scores["value"]) else []
            if worth:
                trial.report(float(np.mean(worth)), step)
                if trial.should_prune():
                    trial.set_user_attr("folds", told)
                    study.tell(trial, state=states.PRUNED)
                    return
    except SchemaError:
        study.tell(trial, state=states.FAIL)
        raise
    except ValueError as error:  # parameters that do not go together
        trial.set_user_attr("refused", str(error)[:500])
        study.tell(trial, state=states.FAIL)
        return
    except BaseException:
        study.tell(trial, state=states.FAIL)
        raise
    trial.set_user_attr("folds", told)
    if not worth:
        study.tell(trial, state=states.FAIL)
        raise ParameterError(
            "the objective is null in every fold: with labels, none of the tests has a labelled incident; without, no "
            "pair of alerts that traces connect. Pass a longer history or another objective"
        )
    study.tell(trial, float(np.mean(worth)))


def table(trials: list[Any], dimensions: Mapping[str, Dimension], *, folds: int) -> pd.DataFrame:
    """Return one row per trial: what was tried, how it was judged."""
    rows = []
    for number, trial in enumerate(trials):
        told = trial.user_attrs.get("folds", [])
        scores = pd.DataFrame(told, dtype="float64")
        state = trial.state.name.lower()
        mean = {} if scores.empty else scores.drop(columns="value").mean().to_dict()
        each = {f"fold_{k + 1}": told[k]["value"] if k < len(told) else None for k in range(folds)}
        values = {f"param_{name}": value for name, value in read_values(dimensions, trial.params).items()}
        value = trial.value if state == "complete" else None
        said = {"trial": number, "state": {"fail": "refused"}.get(state, state), "value": value}
        rows.append(said | mean | each | values | {"refused": trial.user_attrs.get("refused")})
    found = pd.DataFrame(rows)
    numbers = [name for name in found.columns if name not in ("trial", "state", "refused") and "param_" not in name]
    return found.astype(dict.fromkeys(numbers, "float64") | {"state": "str", "refused": "str"})


def importance(study: Any, dimensions: Mapping[str, Dimension], *, random_state: int) -> pd.DataFrame:
    """Return how much of the difference between trials each parameter explains (fANOVA), the most first; sums to 1."""
    optuna = optuna_()
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    shares: dict[str, float] = {}
    if len({trial.value for trial in complete}) > 2:
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=random_state)
        varied = [name for name in dimensions if len({trial.params[name] for trial in complete}) > 1]
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator, params=varied)
        shares |= {name: 0.0 for name in dimensions if name not in shares}
    rows = sorted(((name, float(share)) for name, share in shares.items()), key=lambda row: (-row[1], row[0]))
    found = pd.DataFrame(rows, columns=["parameter", "importance"])
    return found.astype({"parameter": "str", "importance": "float64"})


def with_front(trials: pd.DataFrame) -> pd.DataFrame:
    """Add `front`: whether no finished trial groups more (`compression`) and misses less (`recall`).

    Without labels, the objective stands in for recall.
    """
    labelled = "recall" in trials and trials["recall"].notna().any()
    good = trials["recall" if labelled else "value"].to_numpy()
    less = trials["compression"].to_numpy() if "compression" in trials else np.full(len(trials), np.nan)
    usable = (trials["state"] == "complete").to_numpy() & ~np.isnan(good) & ~np.isnan(less)
    front = np.zeros(len(trials), dtype=bool)
    for k in np.flatnonzero(usable):
        as_good = usable & (good >= good[k]) & (less >= less[k])
        front[k] = not (as_good & ((good > good[k]) | (less > less[k]))).any()
    return trials.assign(front=front)


def refitted(estimator: Any, values: Values, alerts: pd.DataFrame) -> Any:
    """Return the estimator with these parameters, fitted on all alerts."""
    return clone(estimator).set_params(**values).fit(alerts)
