"""Which reaction applies to a growing incident, the best first: `propose`, alert by alert. Words only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.entities.symptoms import symptom_of
from stanza_lab.patterns.reactions import guardrails, triggers, vocabulary
from stanza_lab.patterns.reactions.cases import END_UNKNOWN, OPEN_AT_MOST
from stanza_lab.patterns.reactions.places import Places
from stanza_lab.patterns.reactions.proposal import Proposal
from stanza_lab.production.reading import globbed

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.backtested import ReactionBacktest
    from stanza_lab.patterns.reactions.catalogue import Reactions
    from stanza_lab.patterns.reactions.reaction import Reaction
    from stanza_lab.patterns.reactions.writing import Tried
    from stanza_lab.patterns.streaming.patterns import Recognised
    from stanza_lab.production import ProductionMap
    from stanza_lab.production.door.pattern import Pattern

_OPEN_US = int(END_UNKNOWN.total_seconds() * 1e6)
_LONGEST_US = int(OPEN_AT_MOST.total_seconds() * 1e6)
_NOW = pd.Timestamp("1970-01-01", tz="UTC")  # the map asked is today's, whatever the time


class ReactionTeller:
    """Tell the best reaction to incidents, as words; nothing is done.

    Parameters
    ----------
    reactions : Reactions
        What teams wrote down.
    production : ProductionMap
        Whose a service is, who is near it, whom an action touches.
    patterns : Patterns, optional
        What was mined. None: reactions bound to a pattern are not told.
    backtest : ReactionBacktest or Tried, optional
        How they did in history.
    """

    def __init__(
        self,
        reactions: Reactions,
        production: ProductionMap,
        patterns: Patterns | None,
        backtest: ReactionBacktest | Tried | None,
    ) -> None:
        self._places = Places(production, pd.DataFrame(), hindsight=True)
        self._history = backtest
        self._order = {(one.team, one.name): place for place, one in enumerate(reactions.items)}
        self._whens = [(one, one.when) for one in reactions.items if one.when is not None]
        self._of_pattern: dict[str, list[Reaction]] = {}
        for one in reactions.items if patterns is not None else ():
            for pattern in one.patterns_in(patterns) if patterns is not None else ():
                self._of_pattern.setdefault(pattern, []).append(one)
        self._first_of = {} if patterns is None else _first_movers(patterns)
        self._here: dict[str, list[tuple[Reaction, Pattern]]] = {}
        self._tried: dict[tuple[str, str, str], float] = {}
        self._words: dict[tuple[Any, ...], tuple[tuple[Any, ...], str]] = {}

    def tell(
        self, alerts: Sequence[Mapping[str, Any]], *, pattern: Recognised | None = None, origin: str | None = None
    ) -> str | None:
        """Return the best reaction to an incident so far, in words; None: none applies.

        Parameters
        ----------
        alerts : sequence of mapping
                Those of the incident, columns of `schema.ALERTS`, times in microseconds since 1970. One whose end is
            not known counts as firing for half an hour.
        pattern : Recognised, optional
            The pattern it begins like.
        origin : str, optional
            Where it likely began.
        """
        found = [self._said(*one) for one in self._applying(alerts, pattern=pattern, origin=origin)]
        return min(found)[1] if found else None

    def _applying(
        self, alerts: Sequence[Mapping[str, Any]], *, pattern: Recognised | None, origin: str | None
    ) -> Iterator[tuple[Reaction, str, str, float, str]]:
        """Yield reaction, target, service, confidence and why of all that applies."""
        now = max((alert["starts_at"] for alert in alerts), default=0)
        firing = [alert for alert in alerts if _until(alert) > now]
        services = dict.fromkeys(alert["service"] for alert in firing if alert["service"])
        for service in sorted(services):
            for reaction, when in self._for(service):
                here = [alert for alert in firing if alert["service"] == service]
                near = [near.fit(self._places.around(_NOW), service, set(services)) for near in when.near]
                if any(_asked(when, alert) for alert in here) and all(fit.holds for fit in near):
                    said = [f"{service} has {when.words}" if when.asks_alerts else f"{service} alerts"]
                    why = "; ".join([*said, *(fit.words for fit in near)])
                    target = self._target(reaction, service, alerts, origin, pattern=None)
                    yield reaction, target, service, self._sure(reaction, service), why
        for reaction in self._of_pattern.get(pattern.pattern, ()) if pattern is not None else ():
            if pattern is not None and pattern.confidence >= triggers.LOOKED_FROM:
                target = self._target(reaction, "", alerts, origin, pattern=pattern.pattern)
                yield reaction, target, "", pattern.confidence, f"it begins like {pattern.name!r}"

    def _for(self, service: str) -> list[tuple[Reaction, Pattern]]:
        """Return the reactions whose `when` is about a service."""
        known = self._here.get(service)
        if known is None:
            team = self._places.team(service)
            known = self._here[service] = [(one, when) for one, when in self._whens if when.of(service, team)]
        return known

    def _target(
        self,
        reaction: Reaction,
        service: str,
        alerts: Sequence[Mapping[str, Any]],
        origin: str | None,
        *,
        pattern: str | None,
    ) -> str:
        wanted = reaction.target or (vocabulary.FIRST_MOVER if reaction.pattern else "")
        if wanted == vocabulary.ORIGIN:
            return origin or ""
        if wanted == vocabulary.FIRST_MOVER:
            named = [alert for alert in alerts if alert["service"]]
            first = min(named, key=lambda alert: alert["starts_at"])["service"] if named else ""
            return self._first_of.get(pattern or "", first)
        return wanted or service

    def _sure(self, reaction: Reaction, service: str) -> float:
        """Return how sure a `when` is at a service, by how it did in history."""
        key = (reaction.team, reaction.name, service)
        if key not in self._tried:
            everywhere: list[bool] = []
            here: list[bool] = []
            if self._history is not None:
                rows = self._history.tried(reaction.name, team=reaction.team)
                everywhere, here = rows["right"].tolist(), rows.loc[rows["service"] == service, "right"].tolist()
            self._tried[key] = triggers.confidence(everywhere, here)
        return self._tried[key]

    def _said(
        self, reaction: Reaction, target: str, service: str, sure: float, why: str
    ) -> tuple[tuple[Any, ...], str]:
        """Return how a proposal ranks, and its words; what was said before is remembered."""
        key = (reaction.team, reaction.name, target, service, round(sure, 2), why)
        if key not in self._words:
            if len(self._words) > _MOST:
                self._words.clear()
            touched = self._places.touched(reaction, target, _NOW)
            team = self._places.team(target) if target else ""
            verdicts = guardrails.judge(
                reaction, target=target, team=team, confidence=sure, touched=touched, since_last=None
            )
            one = Proposal(reaction, target, schema.NOISE, _NOW, sure, touched, tuple(verdicts), why)
            order = self._order[reaction.team, reaction.name]
            rank = (bool(one.blocked_by), -sure, vocabulary.RISKS.index(one.risk), order)
            self._words[key] = (rank, one.words)
        return self._words[key]


_MOST = 10_000  # proposals whose words are remembered


def _first_movers(patterns: Patterns) -> dict[str, str]:
    steps = patterns.steps[patterns.steps["service"].notna()].sort_values("position")
    return {str(row["pattern"]): str(row["service"]) for row in reversed(steps.to_dict("records"))}


def _until(alert: Mapping[str, Any]) -> int:
    """Return until when an alert counts as firing, as `Cases` says."""
    start, ends = alert["starts_at"], alert.get("ends_at")
    return int(start + _OPEN_US if ends is None else min(ends, start + _LONGEST_US))


def _asked(when: Pattern, alert: Mapping[str, Any]) -> bool:
    """Tell whether an alert is one that a `when` asks for."""
    if when.alert and not globbed(str(alert.get("alertname") or ""), when.alert):
        return False
    if when.severity:
        severity = alert.get("severity")
        if severity not in schema.SEVERITIES:
            return False
        if schema.SEVERITIES.index(severity) < schema.SEVERITIES.index(when.severity):
            return False
    return not when.symptom or symptom_of(alert) in when.symptom
