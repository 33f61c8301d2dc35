"""What could be done now: proposals in order, each with the verdict of its guardrails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab._html import escaped
from stanza_lab.patterns.reactions import guardrails, vocabulary
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.patterns.reactions.guardrails import Touched, Verdict
    from stanza_lab.patterns.reactions.reaction import Reaction

_TABLE: dict[str, Any] = {
    "rank": "int64",
    "reaction": "str",
    "team": "str",
    "action": "str",
    "target": "str",
    "confidence": "float64",
    "risk": "str",
    "touched": object,
    "blocked_by": "str",
    "approval": "str",
    "incident_id": "int64",
    "words": "str",
}
_ROWS, _CELL = 25, 400


@dataclass(frozen=True)
class Proposal:
    """One thing that could be done now.

    Attributes
    ----------
    reaction : Reaction
        What.
    target, incident_id
        The service it would be done to (empty: none could be named); for which incident.
    at : Timestamp
        Now.
    confidence : float
        That this is what the reaction is for.
    touched : Touched
        Who would be hit if it fails its target.
    verdicts : tuple of Verdict
        Of each guardrail.
    why : str
        What it was proposed on.
    tried : str
        How it did in history; empty when nobody looked.
    """

    reaction: Reaction
    target: str
    incident_id: int
    at: pd.Timestamp
    confidence: float
    touched: Touched
    verdicts: tuple[Verdict, ...]
    why: str
    tried: str = ""

    @property
    def blocked_by(self) -> str:
        """What stands against it, in words; empty when nothing does."""
        return guardrails.blocked(self.verdicts)

    @property
    def command(self) -> str:
        """What to run by hand, with the target where its text says {service}."""
        return vocabulary.filled(self.reaction.command, self.target)

    @property
    def undo(self) -> str:
        """How to take it back, with the target where its text says {service}; empty: no way back is written down."""
        return vocabulary.filled(self.reaction.undo, self.target)

    @property
    def risk(self) -> str:
        """The risk of doing it now."""
        return guardrails.risk_now(self.reaction, self.touched)[0]

    @property
    def words(self) -> str:
        """What, why, how sure, whom it touches, what stands against it, and whose word it needs."""
        rails, of = self.reaction.guardrails, self.reaction.team
        named = self.target or "no service that could be named"
        said = [f"{self.reaction.name} (of team {of}): {self.reaction.does(named)}"]
        said += [self.why, f"confidence {words.probability(self.confidence)}", f"risk {self.risk}", self.touched.words]
        said += [self.tried or "never tried on history"]
        if self.reaction.effect:
            low, high = (words.span(span.total_seconds()) for span in self.reaction.effect)
            said.append(f"its team says it helps after {low}" + (f" to {high}" if high != low else ""))
        if vocabulary.SERVICE.search(self.command):
            said.append("{service} stands in its command as written: the target is no name that is safe there")
        if self.blocked_by:
            return "; ".join([*said, f"blocked by {self.blocked_by}"])
        return "; ".join([*said, "a person must approve" if rails.approval == "human" else "needs no approval"])


@dataclass(frozen=True, eq=False, repr=False)
class Proposals:
    """What could be done now, the best first: not blocked, then sure, then of little risk.

    Attributes
    ----------
    items : tuple of Proposal
        In order.
    at : Timestamp
        Now.
    unseen : list of str
        What could not be judged, and whose file deserves caution.
    """

    items: tuple[Proposal, ...]
    at: pd.Timestamp
    unseen: list[str]

    @property
    def table(self) -> pd.DataFrame:
        """The proposals as a table: rank, reaction, team, action, target, confidence, risk, touched (list of str),
        blocked_by (null: nothing), approval, incident_id, words.
        """  # noqa: D205
        rows = [
            {
                "rank": rank,
                "reaction": one.reaction.name,
                "team": one.reaction.team,
                "action": one.reaction.action,
                "target": one.target,
                "confidence": one.confidence,
                "risk": one.risk,
                "touched": list(one.touched.services),
                "blocked_by": one.blocked_by or None,
                "approval": one.reaction.guardrails.approval,
                "incident_id": one.incident_id,
                "words": one.words,
            }
            for rank, one in enumerate(self.items, start=1)
        ]
        return pd.DataFrame(rows, columns=list(_TABLE)).astype(_TABLE)

    def __getitem__(self, rank: int) -> Proposal:
        """Return the proposal at a place, from 0."""
        return self.items[rank]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Proposal]:
        return iter(self.items)

    def __repr__(self) -> str:
        """Count them."""
        blocked = sum(bool(one.blocked_by) for one in self.items)
        return f"Proposals({words.count(len(self), 'reaction')} at {self.at:%Y-%m-%d %H:%M} UTC, {blocked} blocked)"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<li>{_text(words.sentence(one.words))}<br><code>{_text(one.command)}</code></li>"
            for one in self.items[:_ROWS]
        )
        unseen = "".join(f"<li>{_text(words.sentence(said))}</li>" for said in self.unseen[:_ROWS])
        more = f"<p>and {len(self) - _ROWS:,} more</p>" if len(self) > _ROWS else ""
        head = f"<p><b>{_text(repr(self))}</b>. Commands are text; nothing here runs them.</p>"
        return f"{head}<ol>{rows}</ol>{more}" + (f"<p>Could not be seen:</p><ul>{unseen}</ul>" if unseen else "")


_text = partial(escaped, limit=_CELL)
