"""What a study found, and the file that carries its parameters to where they are used."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

import stanza_lab
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.tuning.comparison import DEFAULTS, TUNED, USUAL_GAP

_ROWS = 12
_CELL = 60
_LARGEST_FILE = 1_000_000  # bytes; a file of parameters has a few hundred
_FORMAT = 1


@dataclass(frozen=True, eq=False, repr=False)
class TuningResult:
    """Hold what a study found. Made by `tune`.

    Attributes
    ----------
    best_params : dict
        Parameters of the trial with the highest `value`; of equals the first. Durations are text.
    best_estimator : estimator
        With those parameters, fitted on all alerts.
    trials : DataFrame
        One row per trial: trial (int64), state (complete, pruned: stopped early, refused: the estimator does not take
        such parameters), value (float64, mean of the folds; null unless complete), the means of alerts, incidents,
        compression, coverage, recall, precision, ari_incident and ari_all (null without labels) and of the parts of the
        objective, fold_1... (the objective in each fold), param_<name> (what was tried), refused (why), front (bool).
    importance : DataFrame
        parameter, importance (float64): share of the differences between trials that each parameter explains (fANOVA),
        the most first. Empty where fewer than three trials differ.
    comparison : DataFrame
        One row per method on the held-out period: method, score (the objective), ari_incident, ari_all, precision,
        recall, compression, coverage (null without labels where they need some), alerts, incidents (int64), ahead_low,
        ahead_high (how far the tuned model's score is ahead: 90 % of random halves of the incidents and lone alerts, or
        without labels of bootstrap draws of stretches of time, lie between), tuned_is (better, worse, within noise,
        unknown; null for itself).
    objective : str
        What was made large.
    held_out : DataFrame
        One row: since, until (datetime64[us, UTC]), alerts, labelled_incidents (int64; null without labels).
    """

    best_params: dict[str, Any]
    best_estimator: Any
    trials: pd.DataFrame
    importance: pd.DataFrame
    comparison: pd.DataFrame
    objective: str
    held_out: pd.DataFrame
    _defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def front(self) -> pd.DataFrame:
        """The trials that no other beats in compression and recall at once, by rising compression.

        Without labels the objective stands in for recall.
        """
        return self.trials[self.trials["front"]].sort_values(["compression", "trial"], ignore_index=True)

    @property
    def helped(self) -> bool:
        """Whether the tuned model beats the defaults on the held-out period by more than noise."""
        return bool(self._of(DEFAULTS)["tuned_is"] == "better")

    @property
    def recommended_params(self) -> dict[str, Any]:
        """`best_params` where they helped, else what the estimator had before."""
        return dict(self.best_params if self.helped else self._defaults)

    @property
    def words(self) -> str:
        """Say in a sentence whether tuning helped."""
        held_out = self.held_out.iloc[0]
        days = (held_out["until"] - held_out["since"]).total_seconds() / 86_400
        known = held_out["labelled_incidents"]
        of = f"{held_out['alerts']:,} alerts" + ("" if pd.isna(known) else f", {int(known):,} known incidents")
        scores = [self._of(name)["score"] for name in (TUNED, DEFAULTS, USUAL_GAP)]
        tuned, defaults, gap = (_number(score) for score in scores)
        ending = {
            "better": "better than the defaults by more than noise: use the tuned parameters",
            "worse": "worse than the defaults by more than noise: keep the defaults",
            "within noise": "the difference to the defaults is within noise: keep the defaults",
        }.get(self._of(DEFAULTS)["tuned_is"], "too little was held out to tell them apart: keep the defaults")
        return (
            f"On the held-out {days:,.0f} days ({of}) the tuned model scores {tuned}, the defaults {defaults}, "
            f"a 5-minute gap {gap}; {ending}."
        )

    def to_yaml(self, path: str | PathLike[str]) -> Path:
        """Write the best parameters to a file for `read_params`, with what was found about them.

        Parameters
        ----------
        path : path
            File to write; one that is there is replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ParameterError
            A parameter is no text, number, list, True, False or None.
        """
        tuned = self._of(TUNED)
        content = {
            "format": _FORMAT,
            "estimator": type(self.best_estimator).__name__,
            "parameters": _written(self.best_params),
            "found": {
                "objective": self.objective,
                "trials": len(self.trials),
                "held_out_score": None if pd.isna(tuned["score"]) else round(float(tuned["score"]), 4),
                "verdict": self.words,
                "stanza_lab": stanza_lab.__version__,
            },
        }
        Path(path).write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100), encoding="utf-8")
        return Path(path)

    def __repr__(self) -> str:
        """Return one line: how much was tried and how good it is."""
        value = self.trials["value"].max()
        return (
            f"TuningResult({len(self.trials):,} trials, {self.objective} {_number(value)} on the folds, "
            f"{_number(self._of(TUNED)['score'])} held out, defaults {_number(self._of(DEFAULTS)['score'])})"
        )

    def _repr_html_(self) -> str:
        params = pd.DataFrame({"parameter": [*self.best_params], "best": [*self.best_params.values()]})
        shown = ["method", "score", "ari_incident", "ari_all", "precision", "recall", "compression", "tuned_is"]
        return (
            f"<p><b>{_text(self.words, 600)}</b></p>"
            + _table("Best parameters", params.merge(self.importance, how="left"))
            + _table("On the held-out period", self.comparison[shown])
        )

    def _of(self, method: str) -> pd.Series:
        return self.comparison[self.comparison["method"] == method].iloc[0]


def read_params(path: str | PathLike[str], *, estimator: Any = None) -> dict[str, Any]:
    r"""Read parameters that `TuningResult.to_yaml` wrote.

    Parameters
    ----------
    path : path
        The file. Nothing in it is executed.
    estimator : estimator, optional
        What they are for; a parameter it does not have is told. Default: an `IncidentClusterer`.

    Returns
    -------
    dict
        Name -> value, for ``IncidentClusterer(**params)`` or ``set_params(**params)``.

    Raises
    ------
    SchemaError
        The file cannot be read, or is no file of parameters.
    UnknownNameError
        The estimator has no such parameter.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import stanza_lab as sl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "params.yaml")
    ...     _ = file.write_text("{format: 1, parameters: {gap: 15min}}")
    ...     sl.read_params(file, estimator=sl.GapRule())
    {'gap': '15min'}
    """
    if estimator is None:
        estimator = stanza_lab.IncidentClusterer()
    try:
        if Path(path).stat().st_size > _LARGEST_FILE:
            raise SchemaError(f"{path}: is too large to be a file of parameters")
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except SchemaError:
        raise
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:  # ValueError: a date such as 2026-13-45
        raise SchemaError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("parameters"), Mapping):
        raise SchemaError(f"{path}: has no 'parameters'; write it with TuningResult.to_yaml or 'stanza-lab tune --out'")
    if content.get("format") != _FORMAT:
        raise SchemaError(f"{path}: format {content.get('format')!r} is not known; this version reads format {_FORMAT}")
    known = estimator.get_params(deep=True)
    for name in content["parameters"]:
        if name not in known:
            raise UnknownNameError.among("parameter", str(name), known)
    return dict(content["parameters"])


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        items = value if isinstance(value, list | tuple) else [value]
        if not all(item is None or isinstance(item, (bool, int, float, str)) for item in items):
            raise ParameterError(f"{name}={value!r} cannot be written to a file; use best_params")
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _number(value: float) -> str:
    """Return a score as people say it: .81."""
    return "unknown" if pd.isna(value) else f"{value:.2f}".replace("0.", ".", 1)


def _text(value: object, limit: int = _CELL) -> str:
    """Return `value` shortened and escaped."""
    said = f"{value:.3g}" if isinstance(value, float) else str(value)
    said = "" if said in ("nan", "None") else said
    return html.escape(said if len(said) <= limit else said[: limit - 1] + "…")


def _table(title: str, table: pd.DataFrame) -> str:
    head = "".join(f"<th>{_text(name)}</th>" for name in table.columns)
    rows = table.head(_ROWS).itertuples(index=False)
    body = "".join("<tr>" + "".join(f"<td>{_text(value)}</td>" for value in row) + "</tr>" for row in rows)
    more = f"<p>and {len(table) - _ROWS:,} more</p>" if len(table) > _ROWS else ""
    return f"<p>{title}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
