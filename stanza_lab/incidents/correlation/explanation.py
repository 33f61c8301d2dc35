"""Why an alert is where it is, in words and rows."""

from __future__ import annotations

import html
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
        The distance to the alert that matters most (in its incident, else the nearest), part by part: what (str),
        seconds (float64, positive pushes apart), words (str), other (str, that alert). `attrs` holds "distance_s" and
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
    inside = found.labels[others] == label
    mine = order[inside[order]] if label != NOISE else order
    nearest = int(mine[0]) if len(mine) else None
    say = _Words(known, vocabulary, me)
    evidence = _evidence(parts, nearest, others, say, _named(ids, features.rows))
    if nearest is not None:
        evidence.attrs.update(distance_s=float(distance[nearest]), limit_s=settings.max_gap_s)
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
    words = _words(name, label, distance, nearest, others, features.rule == features.rule[me], found, settings, what_if)
    return Explanation(name, label, words, evidence, neighbours, what_if)


def _evidence(
    parts: dict[str, np.ndarray], nearest: int | None, others: np.ndarray, say: _Words, names: np.ndarray
) -> pd.DataFrame:
    """Return the parts of one distance; those of no weight are left out, but for the time."""
    rows = []
    if nearest is not None:
        other = int(others[nearest])
        for what, seconds in parts.items():
            if what == "time" or abs(seconds[nearest]) >= 0.5:
                rows.append(
                    (what, float(seconds[nearest]), say.part(what, float(seconds[nearest]), other), names[other])
                )
    table = pd.DataFrame(rows, columns=["what", "seconds", "words", "other"])
    return table.astype({"what": "str", "seconds": "float64", "words": "str", "other": "str"})


def _words(
    name: str, label: int, distance: np.ndarray, nearest: int | None, others: np.ndarray, own_rule: np.ndarray,
    found: Grouping, settings: Settings, what_if: pd.DataFrame,
) -> str:  # fmt: skip
    limit = span(settings.max_gap_s)
    if nearest is None:
        return f"{name} is on its own: no other alert is known."
    if label != NOISE:
        members = int((found.labels == label).sum()) - 1
        near = int((distance[found.labels[others] == label] <= settings.max_gap_s).sum())
        said = (
            f"{name} is in incident {label}: its nearest member is {span(float(distance[nearest]))} away, "
            f"the limit is {limit}; {near} of the {members} other members are within it."
        )
    else:
        near = int((distance <= settings.max_gap_s).sum())
        of_own = int(((distance <= settings.max_gap_s) & own_rule[others]).sum())
        said = (
            f"{name} is on its own: the nearest alert is {span(float(distance[nearest]))} away, the limit is {limit}."
        )
        if near and near == of_own:
            said = f"{name} is on its own: only alerts of its own rule are within {limit}, and one rule is no incident."
        elif near:
            said = (
                f"{name} is on its own: {near} alerts are within {limit}, but an alert needs "
                f"{settings.min_neighbours} such neighbours, or one within {span(settings.resolution_s)}, and an "
                f"incident {settings.min_rules} rules."
            )
    return said + (f" It would be elsewhere {what_if['change'].iloc[0]}." if len(what_if) else "")


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
