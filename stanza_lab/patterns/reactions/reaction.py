"""One thing that could be done, as its team wrote it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stanza_lab.patterns.reactions import vocabulary
from stanza_lab.patterns.reactions.guardrails import Guardrails
from stanza_lab.production.reading import globbed

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.patterns.found import Patterns
    from stanza_lab.production.door.pattern import Pattern


@dataclass(frozen=True)
class Reaction:
    """One thing that could be done, as its team wrote it down.

    Attributes
    ----------
    name, team, owner : str
        `team` contributed it; `owner` answers for it.
    action, params
        One of `vocabulary.ACTIONS`, and its parameters as written.
    pattern : tuple of str
        Globs of the mined patterns it is for (their ids, names, families); empty where `when` says it.
    when : Pattern, optional
        The service, alerts and surroundings it is for.
    target : str
        A service; "origin" or "first mover"; empty: where `when` fits, or the first mover of the pattern.
    command, undo : str
        Text for people; never run. {service} stands for the target.
    risk : str
        low, medium or high: of the action itself.
    effect : (Timedelta, Timedelta), optional
        How long until it helps, at the soonest and at the latest; None where nobody says.
    shared_with : tuple of str
        Globs of other teams at whose services it may be used.
    guardrails : Guardrails
        What must hold before anybody acts.
    file, line
        Where it stands.
    """

    name: str
    team: str
    action: str
    command: str
    risk: str
    pattern: tuple[str, ...] = ()
    when: Pattern | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    undo: str = ""
    effect: tuple[pd.Timedelta, pd.Timedelta] | None = None
    shared_with: tuple[str, ...] = ()
    guardrails: Guardrails = field(default_factory=Guardrails)
    owner: str = ""
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Its file and line."""
        return f"{Path(self.file).name}, line {self.line}"

    @property
    def bound(self) -> str:
        """What it is bound to: "pattern" or "when"."""
        return "pattern" if self.pattern else "when"

    def usable_by(self, team: str) -> bool:
        """Tell whether it may be used at the services of a team."""
        return team == self.team or bool(self.shared_with and globbed(team, self.shared_with))

    def does(self, target: str) -> str:
        """Return what it does at a service, in words."""
        return vocabulary.said(self.action, target, dict(self.params))

    def patterns_in(self, patterns: Patterns) -> list[str]:
        """Return the ids of the mined patterns that it is for."""
        if not self.pattern:
            return []
        families = dict(zip(patterns.families["family"], patterns.families["name"], strict=True))
        return [
            str(row["pattern"])
            for row in patterns.table[["pattern", "name", "family"]].to_dict("records")
            if any(
                globbed(str(called), self.pattern)
                for called in (row["pattern"], row["name"], row["family"], families.get(row["family"], ""))
                if called
            )
        ]
