"""What must hold before anybody acts: sure enough, few enough touched, risk low enough, not again so soon, shared.

What cannot be judged does not hold: a limit nobody can check is no guard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from stanza_lab.patterns.reactions.vocabulary import ACTIONS, EVERYBODY, RISKS
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.patterns.reactions.reaction import Reaction

_USUAL_WAIT = pd.Timedelta("30min")
TOUCHED = 0.5  # probability from which a service counts as touched


@dataclass(frozen=True)
class Guardrails:
    """The limits of one reaction.

    Attributes
    ----------
    min_confidence : float
        From 0 to 1: less sure that it is what the reaction is for, and nobody acts.
    max_blast_radius : int, optional
        Most other services that would be hit likelier than not if the action failed its target. None: no limit.
    max_risk : str
        low, medium or high; see `risk_now`.
    cool_down : Timedelta
        Not again on the same service within it.
    approval : str
        human: somebody must say yes; none.
    """

    min_confidence: float = 0.5
    max_blast_radius: int | None = None
    max_risk: str = "high"
    cool_down: pd.Timedelta = _USUAL_WAIT
    approval: str = "human"


@dataclass(frozen=True)
class Touched:
    """The services that would be hit, likelier than not, if the action failed its target; with their teams."""

    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()  # of these, without the target's own
    known: bool = True

    @property
    def words(self) -> str:
        """Who they are, in words."""
        if not self.known:
            return "whom it would touch is not known"
        if not self.services:
            return "no other service would be touched likelier than not"
        return f"{words.count(len(self.services), 'service')} would be touched ({words.listing(self.services)})"


class Verdict(NamedTuple):
    """One guardrail: whether it holds, and why."""

    guardrail: str
    holds: bool
    words: str


def risk_now(reaction: Reaction, touched: Touched) -> tuple[str, str]:
    """Return the risk of acting now, and why.

    It is the one stated, one step higher where services of another team would be touched or where nobody can tell.
    """
    if not ACTIONS[reaction.action].touches or (touched.known and not touched.teams):
        return reaction.risk, f"{reaction.risk}, as its team states"
    raised = RISKS[min(RISKS.index(reaction.risk) + 1, len(RISKS) - 1)]
    why = f"it touches team {words.listing(touched.teams)}" if touched.known else touched.words
    return raised, f"{raised}: stated {reaction.risk}, and {why}"


def judge(
    reaction: Reaction,
    *,
    target: str,
    team: str,
    confidence: float,
    touched: Touched,
    since_last: pd.Timedelta | None,
) -> list[Verdict]:
    """Judge every guardrail of a reaction but approval, which only a person can give.

    Parameters
    ----------
    reaction : Reaction
        What would be done.
    target, team : str
        The service it would be done to, and whose that is; empty when not known.
    confidence : float
        That this is what the reaction is for, from 0 to 1.
    touched : Touched
        Who would be hit.
    since_last : Timedelta, optional
        Since the same was done to the same service; None: never.

    Returns
    -------
    list of Verdict
        Target, sharing, confidence, blast radius, risk, cool-down, in this order.
    """
    rails = reaction.guardrails
    return [
        _target(reaction, target),
        _shared(reaction, target, team),
        _sure(rails, confidence),
        _radius(rails, touched),
        _risk(reaction, touched),
        _cool_down(rails, since_last),
    ]


def blocked(verdicts: Sequence[Verdict]) -> str:
    """Return in words what stands against acting; empty when nothing does."""
    return "; ".join(f"{one.guardrail}: {one.words}" for one in verdicts if not one.holds)


def _target(reaction: Reaction, target: str) -> Verdict:
    said = reaction.target or "where it fits"
    return Verdict("target", bool(target), target or f"no service could be named ({said})")


def _shared(reaction: Reaction, target: str, team: str) -> Verdict:
    if not team:
        if EVERYBODY in reaction.shared_with:
            return Verdict("sharing", holds=True, words="shared with everybody")
        named = target in {reaction.target, *(reaction.when.service if reaction.when else ())}
        said = f"team {reaction.team} names it" if named else "pass ownership= to the map, or share it with '*'"
        return Verdict("sharing", named, f"whose service it is is not known; {said}")
    if team == reaction.team:
        return Verdict("sharing", holds=True, words=f"a service of {team} itself")
    holds = reaction.usable_by(team)
    return Verdict(
        "sharing", holds, f"team {reaction.team} {'shares it' if holds else 'does not share it'} with {team}"
    )


def _sure(rails: Guardrails, confidence: float) -> Verdict:
    said = words.probability(confidence) or "not known"
    return Verdict("confidence", confidence >= rails.min_confidence, f"{said}, asked for {rails.min_confidence:g}")


def _radius(rails: Guardrails, touched: Touched) -> Verdict:
    if rails.max_blast_radius is None:
        return Verdict("blast radius", holds=True, words=f"{touched.words}, no limit is set")
    if not touched.known:
        return Verdict("blast radius", holds=False, words=f"{touched.words}, so its limit cannot be checked")
    holds = len(touched.services) <= rails.max_blast_radius
    return Verdict("blast radius", holds, f"{touched.words}, at most {rails.max_blast_radius} allowed")


def _risk(reaction: Reaction, touched: Touched) -> Verdict:
    risk, why = risk_now(reaction, touched)
    most = reaction.guardrails.max_risk
    return Verdict("risk", RISKS.index(risk) <= RISKS.index(most), f"{why}; at most {most} allowed")


def _cool_down(rails: Guardrails, since_last: pd.Timedelta | None) -> Verdict:
    wait = words.span(rails.cool_down.total_seconds())
    if since_last is None:
        return Verdict("cool-down", holds=True, words="not done before")
    ago = words.span(since_last.total_seconds())
    return Verdict("cool-down", since_last >= rails.cool_down, f"done {ago} ago, again after {wait} at the soonest")
