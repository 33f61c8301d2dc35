"""Reactions, and how they did in history, as plain JSON and tables and back: without names of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.entities.symptoms import SYMPTOMS
from stanza_lab.errors import BundleError
from stanza_lab.loaders.redaction import Redaction, Redactor
from stanza_lab.patterns.reactions.catalogue import Reactions
from stanza_lab.patterns.reactions.guardrails import Guardrails
from stanza_lab.patterns.reactions.reaction import Reaction
from stanza_lab.patterns.reactions.vocabulary import ACTIONS, APPROVALS, RISKS
from stanza_lab.production.door.pattern import Near, Pattern
from stanza_lab.production.focus import DIRECTIONS

if TYPE_CHECKING:
    from stanza_lab.patterns.reactions.backtested import ReactionBacktest

FORMAT = 1
_LISTS = ("pattern", "shared_with")
_TEXTS = ("name", "team", "action", "command", "risk", "target", "undo", "owner", "file")
_NOBODY = "somebody (the name did not come along)"
TRIED = {
    "reaction": "str",
    "team": "str",
    "service": "str",
    "right": "bool",
    "in_sample": "bool",
    "times": "int64",
}


def to_dict(reactions: Reactions, *, keep_personal_data: bool = False) -> dict[str, Any]:
    """Return reactions as what JSON knows; of files only their names, and people only when they are to be kept."""
    redactor = Redactor(Redaction(keep_personal_data=keep_personal_data))
    items = [_item(one, redactor, people=keep_personal_data) for one in reactions.items]
    teams = [
        {
            "team": str(row["team"]),
            "reviewed_by": str(row["reviewed_by"]) if keep_personal_data or not row["reviewed_by"] else _NOBODY,
            "reviewed_on": None if pd.isna(row["reviewed_on"]) else row["reviewed_on"].date().isoformat(),
            "file": Path(str(row["file"])).name,
        }
        for row in reactions.teams.to_dict("records")
    ]
    return {"format": FORMAT, "items": items, "teams": teams}


def from_dict(told: Mapping[str, Any]) -> Reactions:
    """Return reactions from what `to_dict` gave; says what is wrong with anything else."""
    if not isinstance(told, Mapping) or told.get("format") != FORMAT:
        raise BundleError(f"the reactions are of a format that is not known here; this version reads {FORMAT}")
    try:
        items = tuple(_reaction(item) for item in told["items"])
        teams = pd.DataFrame(told["teams"], columns=["team", "reviewed_by", "reviewed_on", "file"])
        texts = dict.fromkeys(("team", "reviewed_by", "file"), "str")
        on = pd.to_datetime(teams["reviewed_on"], format="ISO8601").astype("datetime64[us]")
        return Reactions(items, teams.astype(texts).assign(reviewed_on=on))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise BundleError(f"the reactions are damaged: {error}; save the bundle again") from error


def _item(one: Reaction, redactor: Redactor, *, people: bool) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in _TEXTS}
    told |= {name: redactor.text(told[name]) for name in ("name", "command", "undo")}
    return told | {
        "owner": one.owner if people else one.team,
        "file": Path(one.file).name,
        "line": one.line,
        "params": {name: redactor.text(value) for name, value in one.params.items()},
        **{name: list(getattr(one, name)) for name in _LISTS},
        "when": None if one.when is None else asdict(one.when),
        "effect_s": None if one.effect is None else [span.total_seconds() for span in one.effect],
        "guardrails": asdict(one.guardrails) | {"cool_down": one.guardrails.cool_down.total_seconds()},
    }


def _reaction(told: Mapping[str, Any]) -> Reaction:
    rails = dict(told["guardrails"])
    _among("action", told["action"], ACTIONS)
    _among("risk", told["risk"], RISKS)
    _among("max_risk", rails["max_risk"], RISKS)
    _among("approval", rails["approval"], APPROVALS)
    effect = told["effect_s"]
    radius = rails["max_blast_radius"]
    texts: dict[str, Any] = {name: _text(told[name], name) for name in _TEXTS}
    lists: dict[str, Any] = {name: _texts(told[name], name) for name in _LISTS}
    return Reaction(
        **texts,
        **lists,
        params={str(name): _text(value, "params") for name, value in told["params"].items()},
        when=None if told["when"] is None else _when(told["when"]),
        effect=None if effect is None else (_span(effect[0]), _span(effect[1])),
        guardrails=Guardrails(
            min_confidence=float(rails["min_confidence"]),
            max_blast_radius=None if radius is None else int(radius),
            max_risk=rails["max_risk"],
            cool_down=_span(rails["cool_down"]),
            approval=rails["approval"],
        ),
        line=int(told["line"]),
    )


def _when(told: Mapping[str, Any]) -> Pattern:
    severity, symptom = _text(told["severity"], "severity"), _texts(told["symptom"], "symptom")
    _among("severity", severity, ("", *schema.SEVERITIES))
    for name in symptom:
        _among("symptom", name, SYMPTOMS)
    near = []
    for one in told["near"]:
        _among("direction", one["direction"], DIRECTIONS)
        near.append(Near(_texts(one["service"], "near"), one["direction"], int(one["hops"]), bool(one["alerting"])))
    return Pattern(
        service=_texts(told["service"], "service"),
        team=_texts(told["team"], "team"),
        alert=_texts(told["alert"], "alert"),
        severity=severity,
        symptom=symptom,
        near=tuple(near),
    )


def _among(what: str, value: Any, known: Any) -> None:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{what} is {str(value)[:40]!r}")


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} is no text")
    return value


def _texts(values: Any, what: str) -> tuple[str, ...]:
    if not isinstance(values, list | tuple):
        raise TypeError(f"{what} is no list")
    return tuple(_text(value, what) for value in values)


def _span(seconds: Any) -> pd.Timedelta:
    span = pd.Timedelta(seconds=float(seconds))
    if pd.isna(span) or span < pd.Timedelta(0):
        raise ValueError("a duration is none")
    return span


@dataclass(frozen=True, eq=False)
class Tried:
    """How reactions did in history, as sums: what `propose` needs of a backtest.

    Attributes
    ----------
    table : DataFrame
        Columns `TRIED`: how many `times` a reaction fired at a service (empty: at none, for a pattern), and whether it
        was `right` and the pattern mined from the same incident (`in_sample`).
    """

    table: pd.DataFrame

    @classmethod
    def of(cls, backtest: ReactionBacktest | Tried) -> Tried:
        """Return the sums of a backtest."""
        if isinstance(backtest, Tried):
            return backtest
        by = [name for name in TRIED if name != "times"]
        counted = backtest.firings[by].value_counts(by, sort=False).rename("times").reset_index()
        return cls.read(counted.sort_values(by, ignore_index=True))

    @classmethod
    def read(cls, table: pd.DataFrame) -> Tried:
        """Return sums from their table; a `BundleError` where it does not fit."""
        if absent := [name for name in TRIED if name not in table]:
            raise BundleError(f"what was tried lacks {absent}; save the bundle again")
        return cls(table[list(TRIED)].astype(TRIED))

    def tried(self, reaction: str, *, team: str) -> pd.DataFrame:
        """Return a row per firing of one reaction, with `service`, `right`, `in_sample`."""
        rows = self.table[(self.table["reaction"] == reaction) & (self.table["team"] == team)]
        return rows.loc[rows.index.repeat(rows["times"].clip(0, _MOST))].reset_index(drop=True)


_MOST = 10_000  # firings of one kind that are counted: more would say no more
