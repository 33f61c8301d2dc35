"""Which reaction applies to a growing incident, the best first: `propose`, alert by alert. Words only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.entities.symptoms import symptom_of
from stanza_lab.patterns.reactions import guardrails, triggers, vocabulary
from stanza_lab.patterns.reactions.cases import END_UNKNOWN, OPEN_AT_MOST
from stanza_lab.patterns.reactions.places import Places
from stanza_lab.patterns.reactions.proposal import Proposal
from stanza_lab.patterns.reactions.proposing import tried
from stanza_lab.production import words
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
        owned = production.whole.ownership
        self._known = {*production.whole.services["service"], *([] if owned is None else owned["service"])}
        self._history = backtest
        self._order = {(one.team, one.name): place for place, one in enumerate(reactions.items)}
        self._whens = [(one, one.when) for one in reactions.items if one.when is not None]
        self._of_pattern: dict[str, list[Reaction]] = {}
        for one in reactions.items if patterns is not None else ():
            for pattern in one.patterns_in(patterns) if patterns is not None else ():
                self._of_pattern.setdefault(pattern, []).append(one)
        self._first_of = {} if patterns is None else _first_movers(patterns)
        self._here: dict[str, list[tuple[Reaction, Pattern]]] = {}
        self._tried: dict[tuple[str, str, str], tuple[float, str]] = {}
        self._words: dict[tuple[Any, ...], tuple[tuple[bool, float, int, int], str]] = {}

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
        if not self._may_apply(alerts, pattern):
            return None
        found = [self._said(*one) for one in self._applying(alerts, pattern=pattern, origin=origin)]
        return min(found, key=itemgetter(0))[1] if found else None

    def _may_apply(self, alerts: Sequence[Mapping[str, Any]], pattern: Recognised | None) -> bool:
        """Tell whether anything can apply: most incidents end here."""
        if pattern is not None and pattern.pattern in self._of_pattern:
            return True
        return bool(self._whens) and any(map(self._for, {alert.get("service") for alert in alerts}))

    def _applying(
        self, alerts: Sequence[Mapping[str, Any]], *, pattern: Recognised | None, origin: str | None
    ) -> Iterator[tuple[Reaction, str, float, str, str]]:
        """Yield reaction, target, confidence, why and how it did in history, of all that applies."""
        timed = [alert for alert in alerts if alert["starts_at"] is not None]
        now = max((alert["starts_at"] for alert in timed), default=0)
        firing = [alert for alert in timed if _until(alert) > now]
        services = dict.fromkeys(alert["service"] for alert in firing if alert.get("service"))
        for service in sorted(services):
            for reaction, when in self._for(service):
                here = [alert for alert in firing if alert.get("service") == service]
                if when.near and service not in self._known:
                    continue  # nothing is near a service that is not on the map
                near = [near.fit(self._places.around(_NOW), service, set(services)) for near in when.near]
                if any(_asked(when, alert) for alert in here) and all(fit.holds for fit in near):
                    said = [f"{service} has {when.words}"] if when.asks_alerts else []
                    why = "; ".join([*said, *(fit.words for fit in near)]) or f"{service} alerts"
                    target = self._target(reaction, service, timed, origin, pattern=None)
                    yield reaction, target, *self._did(reaction, service, why)
        for reaction in self._of_pattern.get(pattern.pattern, ()) if pattern is not None else ():
            if pattern is not None and pattern.confidence >= triggers.LOOKED_FROM:
                target = self._target(reaction, "", timed, origin, pattern=pattern.pattern)
                why = f"{words.listing(pattern.seen)} came, as in {pattern.name!r}"
                yield reaction, target, pattern.confidence, why, self._did(reaction, "", why)[2]

    def _for(self, service: str | None) -> list[tuple[Reaction, Pattern]]:
        """Return the reactions whose `when` is about a service."""
        if not service:
            return []
        known = self._here.get(service)
        if known is None:
            team = self._team(service)
            known = [(one, when) for one, when in self._whens if when.of(service, team)]
            _keep(self._here, service, known)
        return known

    def _team(self, service: str) -> str:
        """Return the team of a service; empty when unknown. Names that are not known are not remembered."""
        return self._places.team(service) if service in self._known else ""

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
            named = [alert for alert in alerts if alert.get("service")]
            first = min(named, key=lambda alert: alert["starts_at"])["service"] if named else ""
            return self._first_of.get(pattern or "", first)
        return wanted or service

    def _did(self, reaction: Reaction, service: str, why: str) -> tuple[float, str, str]:
        """Return how sure a `when` is at a service, why, and how it did in history."""
        key = (reaction.team, reaction.name, service)
        known = self._tried.get(key)
        if known is None:
            known = tried(self._history, reaction, service)
            _keep(self._tried, key, known)
        return known[0], why, known[1]

    def _said(
        self, reaction: Reaction, target: str, sure: float, why: str, history: str
    ) -> tuple[tuple[bool, float, int, int], str]:
        """Return how a proposal ranks, and its words; what was said before is remembered."""
        key = (reaction.team, reaction.name, target, sure, why, history)
        known = self._words.get(key)
        if known is None:
            touched = self._places.touched(reaction, target if target in self._known else "", _NOW)
            team = self._team(target)
            verdicts = guardrails.judge(
                reaction, target=target, team=team, confidence=sure, touched=touched, since_last=None
            )
            one = Proposal(reaction, target, schema.NOISE, _NOW, sure, touched, tuple(verdicts), why, history)
            order = self._order[reaction.team, reaction.name]
            known = (bool(one.blocked_by), -sure, vocabulary.RISKS.index(one.risk), order), one.words
            _keep(self._words, key, known)
        return known


_MOST = 4_096  # of each kind of answer that is remembered


def _keep(known: dict[Any, Any], key: Any, value: Any) -> None:
    """Remember a value; when there are too many, all are found anew, so that no stream of names fills the memory."""
    if len(known) >= _MOST:
        known.clear()
    known[key] = value


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
