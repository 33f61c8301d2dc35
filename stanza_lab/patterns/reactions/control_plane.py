"""The one way in which anything is done: plan, apply, verify, undo. What ships here does nothing but tell and record.

The text of a command is shown and recorded, never run. Whoever wants more writes a `ControlPlane` of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import RefusedError
from stanza_lab.patterns.reactions.cases import END_UNKNOWN, OPEN_AT_MOST, Cases
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.patterns.reactions.proposal import Proposal

_NAME = 80  # characters of who approves


@dataclass(frozen=True)
class Plan:
    """What would be done, step by step, as text.

    Attributes
    ----------
    proposal : Proposal
        What it was made from.
    steps : tuple of str
        For people, in order.
    """

    proposal: Proposal
    steps: tuple[str, ...]

    def __str__(self) -> str:
        """Return the steps as numbered lines."""
        return "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, start=1))


@dataclass(frozen=True)
class Step:
    """What a control plane says it did, would do or found.

    Attributes
    ----------
    verb : str
        plan, apply, verify or undo.
    state : str
        planned; dry run, applied; recovered, firing, too early; undone.
    at : Timestamp
        When.
    approved_by : str
        Empty when nobody had to.
    words : str
        In a sentence.
    """

    verb: str
    state: str
    at: pd.Timestamp
    approved_by: str
    words: str


class ControlPlane(Protocol):
    """What carries out reactions. `apply` and `undo` must refuse what a guardrail blocks or nobody approved."""

    def plan(self, proposal: Proposal) -> Plan:
        """Return what would be done; nothing is."""
        ...

    def apply(self, plan: Plan, *, approve: str | None = None, at: _params.Instant | None = None) -> Step:
        """Do it, approved by somebody."""
        ...

    def verify(self, plan: Plan, *, alerts: pd.DataFrame, at: _params.Instant | None = None) -> Step:
        """Tell whether it helped."""
        ...

    def undo(self, plan: Plan, *, approve: str | None = None, at: _params.Instant | None = None) -> Step:
        """Take it back, approved by somebody."""
        ...


def permit(plan: Plan, approve: str | None, *, undo: bool = False) -> str:
    """Return who approves, or refuse. Taking back is not held up by guardrails, only by a missing way or word.

    Raises
    ------
    RefusedError
        A guardrail blocks it, nobody approved, or there is no way back.
    """
    reaction, blocked = plan.proposal.reaction, plan.proposal.blocked_by
    if undo and not reaction.undo:
        raise RefusedError(f"{reaction.name}: its team wrote down no way back; add 'undo: ...' to its file")
    if blocked and not undo:
        raise RefusedError(f"{reaction.name} is blocked by {blocked}")
    if approve is not None and (not isinstance(approve, str) or not approve.strip() or not approve.isprintable()):
        raise RefusedError(f"approve={str(approve)[:40]!r} names nobody; pass who approves")
    if approve is None and reaction.guardrails.approval == "human":
        raise RefusedError(f"{reaction.name} needs a person's approval; pass approve= with who gives it")
    return "" if approve is None else approve.strip()[:_NAME]


def verified(plan: Plan, alerts: pd.DataFrame, at: _params.Instant | None, *, since: pd.Timestamp) -> Step:
    """Return whether the target still fires, and whether it is too early to say that the action did not help."""
    given = alerts if "incident_id" in alerts.columns else alerts.assign(incident_id=0)
    cases, target, reaction = Cases.of(given, pages=None), plan.proposal.target, plan.proposal.reaction
    seen = [cases.alerts["starts_at"].max(), cases.alerts["ends_at"].max(), since]
    now = max(time for time in seen if pd.notna(time)) if at is None else _params.instant(at, "at")
    firing = cases.firing(now)
    open_there = int((firing["service"].astype("str") == target).sum())
    after = words.span((now - since).total_seconds())
    if not open_there:
        day = words.span(OPEN_AT_MOST.total_seconds())
        said = f"no alert of the last {day} is open at {target} {after} later; who or what did it is not known"
        if mute := cases.mute_at(target):
            wait = words.span(END_UNKNOWN.total_seconds())
            said += f"; {words.listing(mute)} never reports an end: an alert of it counts as open for {wait}"
        return Step("verify", "recovered", now, "", said)
    said = f"{words.count(open_there, 'alert')} open at {target} {after} later"
    latest = None if reaction.effect is None else reaction.effect[1]
    if latest is not None and now - since < latest:
        said += f"; its team says it helps within {words.span(latest.total_seconds())}"
        return Step("verify", "too early", now, "", said)
    return Step("verify", "firing", now, "", f"{said}; think of undoing it" if reaction.undo else said)


def steps(proposal: Proposal) -> list[str]:
    """Return what would be done, in order, for people."""
    reaction, sure = proposal.reaction, words.probability(proposal.confidence)
    target = proposal.target or "no service that could be named"
    said = [f"{words.sentence(reaction.does(target))[:-1]}, because {proposal.why} (confidence {sure})"]
    rails = [f"{one.guardrail} {'holds' if one.holds else 'BLOCKS'} ({one.words})" for one in proposal.verdicts]
    said.append(f"Guardrails: {'; '.join(rails)}")
    if proposal.blocked_by:
        return [*said, "Stop: it is blocked"]
    if reaction.guardrails.approval == "human":
        said.append(f"Ask a person; {reaction.owner or reaction.team} answers for it")
    said.append(f"Run by hand, as written by team {reaction.team}: {proposal.command}")
    if reaction.effect is not None:
        late = words.span(reaction.effect[1].total_seconds())
        said.append(f"Look again after {late}: no alert should be open at {target}")
    return [*said, f"If it does not help: {proposal.undo}" if proposal.undo else "No way back is written down"]


def by(approved: str) -> str:
    """Return who approved, in words."""
    return f", approved by {approved}" if approved else ", which needs nobody's approval"
