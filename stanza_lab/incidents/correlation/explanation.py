"""Why an alert is where it is, in words and rows."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.incidents.correlation.moves import moves, span
from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    from stanza_lab.incidents.correlation.evidence import Evidence
    from stanza_lab.incidents.correlation.features import Vocabulary
    from stanza_lab.incidents.correlation.grouping import Grouping, Settings

LOOKED_AT = 2_000  # alerts before and after it that are compared with the one to explain
SHOWN = 8
ADVISED = 4  # times the limit: what would take more is in the table, not in the words


@dataclass(frozen=True)
class Explanation:
    """Why one alert is in its incident, or in none, as `IncidentClusterer.explain` returns it.

    Attributes
    ----------
    alert_id : str
        The alert; its row where alerts have no id.
    incident_id : int
        Its incident; -1 = on its own.
    words : str
        The reason in a few sentences.
    evidence : DataFrame
        The distance to the alert that decides, part by part. That is its nearest member in an incident; for a lone
        alert the last of the `min_neighbours` it needs, or the one that `words` are about. Columns: what (str), seconds
        (float64, positive pushes apart), words (str), other (str, that alert). `attrs` holds "distance_s" and
        "limit_s". Made for `sl.plot.why_together`.
    neighbours : DataFrame
        The nearest alerts: alert_id (str), incident_id (int64), apart_s (float64, the time between), distance_s
        (float64), service, rule (str).
    what_if : DataFrame
        What would have moved it, all else equal (what was learned of its rules, too): change (str), distance_s
        (float64, to the nearest alert then, or the limit), incident_id (int64, where it would be). For an alert of an
        incident, -1 is on its own; for one on its own, -1 is an incident with other such alerts.
    """

    alert_id: str
    incident_id: int
    words: str
    evidence: pd.DataFrame
    neighbours: pd.DataFrame
    what_if: pd.DataFrame

    def __repr__(self) -> str:
        """Return the reason in words."""
        return f"Explanation({self.words})"

    def _repr_html_(self) -> str:
        tables = [
            ("The distance, part by part", self.evidence.drop(columns="other")),
            ("Nearest alerts", self.neighbours),
            ("What would have moved it", self.what_if),
        ]
        shown = "".join(
            f"<h4>{title}</h4>{table.head(SHOWN).to_html(index=False, float_format='{:,.0f}'.format)}"
            for title, table in tables
            if len(table)
        )
        return f"<div><p>{html.escape(self.words)}</p>{shown}</div>"


def explain(
    known: Evidence, found: Grouping, settings: Settings, vocabulary: Vocabulary, ids: np.ndarray, row: int
) -> Explanation:
    """Explain the alert in `row`."""
    features = known.features
    name = _name(ids, row)
    place = np.flatnonzero(features.rows == row)
    if not len(place):
        return _without_start(name)
    me = int(place[0])
    label = int(found.labels[me])
    others = np.r_[max(0, me - LOOKED_AT) : me, me + 1 : min(len(features), me + 1 + LOOKED_AT)]
    left, right = np.minimum(me, others), np.maximum(me, others)
    parts = dict(known.parts(left, right))
    distance = np.maximum(np.sum([*parts.values()], axis=0), 0.0)
    order = np.lexsort([others, np.abs(features.seconds[others] - features.seconds[me]), distance])
    say = _Words(known, vocabulary, me)
    around = _Around(known, found, settings, me, others, distance, order)
    decides, reason = around.alone() if label == NOISE else around.together()
    evidence = _evidence(parts, decides, others, say, _named(ids, features.rows))
    if decides is not None:
        evidence.attrs.update(distance_s=float(distance[decides]), limit_s=settings.max_gap_s)
    what_if = moves(known, found, settings, me)
    neighbours = pd.DataFrame(
        {
            "alert_id": _named(ids, features.rows)[others[order[:SHOWN]]],
            "incident_id": found.labels[others[order[:SHOWN]]],
            "apart_s": features.seconds[others[order[:SHOWN]]] - features.seconds[me],
            "distance_s": distance[order[:SHOWN]],
            "service": say.names("service", others[order[:SHOWN]]),
            "rule": say.names("rule", others[order[:SHOWN]]),
        }
    )
    where = "is on its own" if label == NOISE else f"is in incident {label}"
    words = f"{name} {where}: {reason}.{_moved(what_if, settings, alone=label == NOISE)}"
    return Explanation(name, label, words, evidence, neighbours, what_if)


def _evidence(
    parts: dict[str, np.ndarray], decides: int | None, others: np.ndarray, say: _Words, names: np.ndarray
) -> pd.DataFrame:
    """Return the parts of one distance; those of no weight are left out, but for the time."""
    rows = []
    if decides is not None:
        other = int(others[decides])
        for what, seconds in parts.items():
            if what == "time" or abs(seconds[decides]) >= 0.5:
                rows.append(
                    (what, float(seconds[decides]), say.part(what, float(seconds[decides]), other), names[other])
                )
    table = pd.DataFrame(rows, columns=["what", "seconds", "words", "other"])
    return table.astype({"what": "str", "seconds": "float64", "words": "str", "other": "str"})


def _moved(what_if: pd.DataFrame, settings: Settings, *, alone: bool) -> str:
    """Return the first of the changes that would have moved it, as a sentence; a limit of hours is no advice."""
    what_if = what_if[what_if["distance_s"] <= ADVISED * settings.max_gap_s]
    if what_if.empty:
        return ""
    change, target = what_if["change"].iloc[0], int(what_if["incident_id"].iloc[0])
    none = "in an incident with other lone alerts" if alone else "on its own"
    return f" It would be {none if target == NOISE else f'in incident {target}'} {change}."


@dataclass(frozen=True)
class _Around:
    """The alerts around the one to explain: `others` by position, how far each is, and their order, nearest first."""

    known: Evidence
    found: Grouping
    settings: Settings
    me: int
    others: np.ndarray
    distance: np.ndarray
    order: np.ndarray

    def together(self) -> tuple[int, str]:
        """Return the nearest member of its incident, and what holds it there."""
        inside = self.found.labels[self.others] == self.found.labels[self.me]
        nearest = int(self.order[inside[self.order]][0])
        away, core, needed = self.distance[nearest], self.found.core[self.me], self.settings.min_neighbours
        said = f"its nearest member is {span(float(away))} away, "
        if self.settings.resolution_s < away < core < np.inf:  # then it is not the nearest that decides
            said += f"its {_ordinal(needed)} neighbour {span(float(core))}, "
        members = int((self.found.labels == self.found.labels[self.me]).sum()) - 1
        near = int((self.distance[inside] <= self.settings.max_gap_s).sum())
        said += f"the limit is {span(self.settings.max_gap_s)}"
        if members > 1:
            said += f"; {near} of the {members} other members {'is' if near == 1 else 'are'} within it"
        return nearest, said

    def alone(self) -> tuple[int | None, str]:
        """Return the alert that decides that this one is on its own, and why it does."""
        if not len(self.order):
            return None, "no other alert is known"
        limit, needed = self.settings.max_gap_s, self.settings.min_neighbours
        chronic = self.known.habit > self.settings.max_chronic
        calm = self.order[~chronic[self.others[self.order]]]
        near = self.order[self.distance[self.order] <= limit]
        told = near[~chronic[self.others[near]]]
        if chronic[self.me]:
            told = told[:1]  # a chronic alert hangs on the nearest only
        first, last = int(self.order[0]), int(self.order[min(needed, len(self.order)) - 1])
        if chronic[self.me] and not len(told):
            habit = (
                f"its rule fires as by chance ({self.known.habit[self.me]:.0%}, {self._most()}), so that it only joins"
            )
            if not len(calm):
                return first, f"{habit} alerts of rules that do not, and none is known"
            return int(calm[0]), f"{habit} alerts of rules that do not: the nearest is {self._away(calm[0])}"
        if not len(near):
            return last, f"the nearest alert is {self._away(first)}{self._furthest(last)}"
        rule = self.known.features.rule
        within = f"{'1 alert is' if len(near) == 1 else f'{len(near)} alerts are'} within {span(limit)}"
        if self.settings.min_rules > 1 and (rule[self.others[near]] == rule[self.me]).all():
            return first, f"only alerts of its own rule are within {span(limit)}, and one rule is no incident"
        if len(near) < needed and self.distance[first] > self.settings.resolution_s:
            said = f"{within}, but an alert needs {needed} such neighbours, or one within {self._resolution()}"
            return last, said + self._furthest(last)
        if not len(told):
            whose = "its rule fires" if len(near) == 1 else "their rules fire"
            return first, f"{within}, but {whose} as by chance ({self._most()}): such alerts hold nothing together"
        return int(told[0]), f"{within}, but {self._too_loose(told)}"

    def _too_loose(self, told: np.ndarray) -> str:
        """Say why the alerts within the limit, which could hold it, do not."""
        reach = np.maximum(
            np.maximum(self.found.core[self.me], self.found.core[self.others[told]]), self.distance[told]
        )
        linked = (reach <= self.settings.max_gap_s) | (self.distance[told] <= self.settings.resolution_s)
        if not linked.any():
            return f"none that could hold it has {self.settings.min_neighbours} such neighbours itself"
        taken = (self.found.labels[self.others[told[linked]]] != NOISE).any()
        if taken or (self.settings.min_alerts <= 2 and self.settings.min_rules < 2):  # a pair would have been enough
            return "loosely: what is denser around it is an incident without it"
        rules = f" of {self.settings.min_rules} rules" if self.settings.min_rules > 1 else ""
        return f"an incident needs {self.settings.min_alerts} alerts{rules} that hold together"

    def _away(self, place: int) -> str:
        limit = self.settings.max_gap_s
        return f"{span(float(self.distance[place]), rounded=math.ceil)} away, the limit is {span(limit)}"

    def _furthest(self, place: int) -> str:
        """Say how far the last of the neighbours is that an alert needs, where one is not enough."""
        if self.settings.min_neighbours < 2 or len(self.order) < self.settings.min_neighbours:
            return ""
        away = span(float(self.distance[place]), rounded=math.ceil)
        return f"; the {_ordinal(self.settings.min_neighbours)}, which it needs too, is {away} away"

    def _most(self) -> str:
        return f"max_chronic is {self.settings.max_chronic:.0%}"

    def _resolution(self) -> str:
        return span(self.settings.resolution_s)


def _ordinal(number: int) -> str:
    return {1: "nearest", 2: "second", 3: "third"}.get(number, f"{number}th")


class _Words:
    """Says what each part of a distance is about."""

    def __init__(self, known: Evidence, vocabulary: Vocabulary, me: int) -> None:
        self._known, self._vocabulary, self._me = known, vocabulary, me

    def names(self, column: str, places: np.ndarray) -> pd.Series:
        """Return the names that the codes of a column stand for; null when unknown."""
        names = self._vocabulary.names.get(column, pd.Index([], dtype="str"))
        codes = getattr(self._known.features, column)[places]
        known = (codes >= 0) & (codes < len(names))
        said = np.full(len(places), None, dtype=object)
        said[known] = [str(n) for n in names[codes[known]]]
        values = pd.Series(said, dtype="str")
        return values.mask(values.str.startswith("\0", na=False))

    def part(self, what: str, seconds: float, other: int) -> str:
        """Return one part of the distance to `other` in words."""
        pair = np.array([self._me, other])

        def named(column: str) -> tuple[str, str]:
            mine, theirs = self.names(column, pair).fillna("unknown")
            return mine, theirs

        known = self._known
        if what == "time":
            return f"{span(seconds)} apart"
        if what in ("service", "team", "environment"):
            mine, theirs = named(what)
            return f"different {what}s: {mine} and {theirs}"
        if what == "calls":
            mine, theirs = named("service")
            return f"{mine} and {theirs} depend on each other, or on one between them"
        if what == "trace":
            return "the same request: a trace id in common"
        if what == "kind":
            return f"the same kind of alert on two services: {named('kind')[0]}"
        if what == "recovery":
            return "they recovered within two minutes of each other"
        if what == "recurrence":
            lift = float(np.exp(min(abs(seconds) / known.gaps.recurrence, 99.0)))
            often = "more often" if seconds < 0 else "less often"
            return f"their rules came together {lift:.1f} times {often} than by chance, on other occasions"
        if what == "chronic":
            mine, theirs = known.habit[self._me], known.habit[other]
            return f"how far their rules fire as by chance, by their other alerts: {mine:.0%} and {theirs:.0%}"
        if what == "company":
            least = float(np.exp(min(known.company[self._me], known.company[other])))
            return f"{least:.1f} times as many other rules as usual fire within five minutes"
        hour = float(np.expm1((known.crowd[self._me] + known.crowd[other]) / 2))
        return f"{hour:.1f} bouts of alerts an hour around: the more, the less is told by being near"


def _named(ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the alert's id, or its row, of each position."""
    return np.array([_name(ids, row) for row in rows.tolist()], dtype=object)


def _name(ids: np.ndarray, row: int) -> str:
    return f"row {row}" if pd.isna(ids[row]) or not ids[row] else str(ids[row])


def _without_start(name: str) -> Explanation:
    def empty(**columns: str) -> pd.DataFrame:
        return pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in columns.items()})

    return Explanation(
        name,
        NOISE,
        f"{name} is on its own: it has no start time.",
        empty(what="str", seconds="float64", words="str", other="str"),
        empty(alert_id="str", incident_id="int64", apart_s="float64", distance_s="float64", service="str", rule="str"),
        empty(change="str", distance_s="float64", incident_id="int64"),
    )
