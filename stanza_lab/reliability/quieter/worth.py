"""Which incidents were worth a page: told by labels or people where they did, else by a cautious rule that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import SchemaError
from stanza_lab.incidents.quality.labels import said_of
from stanza_lab.reliability.load.actions import ACTION, NO_ACTION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.reliability.quieter.record import Bools, Ints

WORTH = ("auto", "handled", "acknowledged", "severity", "incident", "every")
_SAID = {
    "handled": "somebody acknowledged one of its alerts and that lasted 5 min more",
    "acknowledged": "somebody acknowledged one of its alerts",
    "severity": "one of its alerts was critical",
    "incident": "alerts of two or more rules came together",
    "every": "somebody was paged",
}


class Worth(NamedTuple):
    """Units, which of them were real and why, and what was used, in words."""

    unit: Ints  # per alert
    real: Bools  # per unit
    why: NDArray[Any]  # per unit
    definition: str
    cautions: tuple[str, ...]


def judge(alerts: pd.DataFrame, rule: Ints, worth: object, *, answers: bool) -> Worth:
    """Return the units of the alerts and which of them were real incidents.

    `alerts` carry `taken`, `handled` and `page_at`; `answers`: acknowledgements were recorded. For `worth` see
    `tune_down`.
    """
    if hasattr(worth, "to_labels"):
        worth = worth.to_labels(alerts)
    if isinstance(worth, str):
        _params.choice(worth, "worth", WORTH)
        unit = _units(alerts["incident_id"].to_numpy(dtype=np.int64), None)
        return _by_rule(alerts, rule, unit, worth, answers=answers)
    if isinstance(worth, pd.DataFrame):
        return _by_labels(alerts, rule, worth, answers=answers)
    if isinstance(worth, pd.Series):
        return _by_tags(alerts, rule, worth, answers=answers)
    raise SchemaError(
        f"worth is {type(worth).__name__}; pass one of {list(WORTH)}, a table of alert_id and incident_id, "
        "Corrections, or a Series of True, False or opsweekly tags with the index of alert_id"
    )


def _units(incident: Ints, names: Ints | None) -> Ints:
    """Return a number per incident, and per alert on its own; `names`: the true incidents, -1 none, -2 not said."""
    own = -3 - np.arange(len(incident))
    found = np.where(incident == schema.NOISE, own, incident)
    if names is not None:
        top = int(incident.max(initial=0)) + 1
        found = np.where(names >= 0, names + top, np.where(names == -1, own, found))
    return np.asarray(pd.factorize(found)[0], dtype=np.int64)


def _by_rule(alerts: pd.DataFrame, rule: Ints, unit: Ints, worth: str, *, answers: bool) -> Worth:
    number = int(unit.max(initial=-1)) + 1
    critical = (alerts["severity"] == "critical").to_numpy(dtype=bool)
    signs = {
        "handled": _any(unit, alerts["handled"].to_numpy(dtype=bool), number),
        "acknowledged": _any(unit, alerts["taken"].to_numpy(dtype=bool), number),
        "severity": _any(unit, critical, number),
        "incident": _several(unit, rule, number),
        "every": _any(unit, alerts["page_at"].notna().to_numpy(), number),
    }
    used = [worth] if worth != "auto" else ["incident", "handled" if answers else "severity"]
    why = np.full(number, "", dtype=object)
    for name in reversed(used):
        why[signs[name]] = _SAID[name]
    cautions = []
    if {"handled", "acknowledged"} & set(used):
        cautions.append(
            "An acknowledgement says that somebody took the alert, not that it was worth it: rules whose false alarms "
            "are acknowledged too look needed. Labels (worth=) would tell them apart."
        )
    elif worth == "auto":
        cautions.append(
            "Nobody's acknowledgement was recorded: a real incident that only one alert showed, and that was not "
            "critical, cannot be told from a false alarm. Labels (worth=) would tell them apart."
        )
    said = " or ".join(_SAID[name] for name in used)
    return Worth(unit, why != "", why, f"an incident counts as real when {said}", tuple(cautions))


def _by_labels(alerts: pd.DataFrame, rule: Ints, labels: pd.DataFrame, *, answers: bool) -> Worth:
    at, said = said_of(alerts, labels)
    names = np.full(len(alerts), -2, dtype=np.int64)
    names[at] = pd.factorize(said)[0]
    unit = _units(alerts["incident_id"].to_numpy(dtype=np.int64), names)
    return _told(alerts, rule, unit, names >= 0, names == -1, what="its label says so", answers=answers)


def _by_tags(alerts: pd.DataFrame, rule: Ints, tags: pd.Series, *, answers: bool) -> Worth:
    said = tags.reindex(alerts["alert_id"]).reset_index(drop=True)
    if tags.dtype == bool or said.dropna().isin([True, False]).all():
        yes, no = said.isin([True]).to_numpy(), said.isin([False]).to_numpy()
    else:
        words = said.astype("str").str.lower()
        yes, no = words.isin(ACTION).to_numpy(), words.isin(NO_ACTION).to_numpy()
    if not (yes | no).any():
        raise SchemaError(
            f"worth: none of its {len(tags):,} values is about one of the alerts, or none is True, False or one of "
            f"{[*ACTION, *NO_ACTION]}; its index must be alert_id"
        )
    unit = _units(alerts["incident_id"].to_numpy(dtype=np.int64), None)
    return _told(alerts, rule, unit, yes, no, what="somebody tagged it as worth acting on", answers=answers)


def _told(alerts: pd.DataFrame, rule: Ints, unit: Ints, yes: Bools, no: Bools, *, what: str, answers: bool) -> Worth:
    """Return what was told, and for units of which nothing was told what the cautious rule says."""
    guessed = _by_rule(alerts, rule, unit, "auto", answers=answers)
    number = len(guessed.real)
    real, told = _any(unit, yes, number), _any(unit, yes | no, number)
    why = np.where(real, what, np.where(told, "", guessed.why))
    cautions = []
    if not told.all():
        cautions.append(
            f"Of {int((~told).sum()):,} of {number:,} incidents and alerts on their own nothing was told; "
            f"of them {guessed.definition.removeprefix('an incident ')}."
        )
    return Worth(unit, why != "", why, f"an incident counts as real when {what}", tuple(cautions))


def _any(unit: Ints, true: Bools, number: int) -> Bools:
    return np.bincount(unit[true], minlength=number) > 0


def _several(unit: Ints, rule: Ints, number: int) -> Bools:
    """Return which units hold alerts of two rules or more."""
    low, high = np.full(number, np.iinfo(np.int64).max), np.full(number, -1)
    np.minimum.at(low, unit, rule)
    np.maximum.at(high, unit, rule)
    return np.asarray(high > low)
