"""What could be done: reactions that teams wrote down, reviewed, and allow others to use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import _params
from stanza_lab._html import escaped
from stanza_lab.errors import UnknownNameError
from stanza_lab.patterns.reactions import vocabulary
from stanza_lab.production import words
from stanza_lab.production.reading import globbed

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.reaction import Reaction

_SHOWN = 40  # rows in a notebook
_CELL = 120  # characters there
_TABLE: dict[str, Any] = {
    "reaction": "str",
    "team": "str",
    "action": "str",
    "bound_to": "str",
    "target": "str",
    "risk": "str",
    "effect_low_s": "float64",
    "effect_high_s": "float64",
    "min_confidence": "float64",
    "max_blast_radius": "Int64",
    "max_risk": "str",
    "cool_down_s": "float64",
    "approval": "str",
    "shared_with": "str",
    "owner": "str",
    "command": "str",
    "file": "str",
    "line": "int64",
}


@dataclass(frozen=True, eq=False, repr=False)
class Reactions:
    """The reactions of all teams.

    Attributes
    ----------
    items : tuple of Reaction
        In the order of the files.
    teams : DataFrame
        A row per file: team, reviewed_by (empty: nobody says so), reviewed_on (datetime64, null when not said), file.
    """

    items: tuple[Reaction, ...]
    teams: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """The reactions as a table, in the order of the files.

        Columns `reaction`, `team`, `action`, `bound_to`, `target`, `risk`, `effect_low_s`, `effect_high_s` (float64;
        null where not said), `min_confidence`, `max_blast_radius` (Int64; null: no limit), `max_risk`, `cool_down_s`,
        `approval`, `shared_with`, `owner`, `command`, `file`, `line`.
        """
        rows = [_row(one) for one in self.items]
        table = pd.DataFrame(rows, columns=list(_TABLE))
        return table.astype(_TABLE)

    def usable_by(self, team: str) -> Reactions:
        """Return those that may be used at the services of a team.

        Parameters
        ----------
        team : str
            The team whose services would be acted on.

        Returns
        -------
        Reactions
            Its own, and what others share with it.
        """
        return Reactions(tuple(one for one in self.items if one.usable_by(team)), self.teams)

    def cautions(self, *, at: pd.Timestamp | None = None, older_than: _params.Duration = "180D") -> dict[str, str]:
        """Return team -> what to know before trusting its file: that nobody reviewed it, or that this was long ago.

        Parameters
        ----------
        at : Timestamp, optional
            The day it is. Default: age is not judged.
        older_than : duration, default "180D"
            A review of so long ago is worth a word; a larger value keeps quiet longer.

        Returns
        -------
        dict of str to str
            Only teams whose file deserves caution.
        """
        limit, said = _params.duration(older_than, "older_than"), {}
        for row in self.teams.to_dict("records"):
            file = f"the reactions of team {row['team']} ({Path(str(row['file'])).name})"
            if not row["reviewed_by"] or pd.isna(row["reviewed_on"]):
                said[str(row["team"])] = f"nobody is named who reviewed {file}, or when"
            elif at is not None and at.tz_localize(None) - row["reviewed_on"] > limit:
                day, who = f"{row['reviewed_on']:%Y-%m-%d}", row["reviewed_by"]
                said[str(row["team"])] = f"{file} were last reviewed on {day} by {who}, over {limit.days} days ago"
        return said

    def unmatched(
        self, *, services: Iterable[str], teams: Iterable[str], patterns: Patterns | None = None
    ) -> list[str]:
        """Return what names nothing there is: a typing error, or something that is gone.

        Parameters
        ----------
        services, teams : iterable of str
            All of a map.
        patterns : Patterns, optional
            What was mined. Default: `pattern` is not judged.

        Returns
        -------
        list of str
            One sentence per entry, with its file and line.
        """
        known, groups = list(services), list(teams)
        said = []
        for one in self.items:
            about: list[tuple[str, tuple[str, ...], list[str]]] = [("team", (one.team,), groups)]
            if one.when is not None:
                about += [("service", one.when.service, known), ("team", one.when.team, groups)]
            if one.target and one.target not in {vocabulary.ORIGIN, vocabulary.FIRST_MOVER}:
                about.append(("service", (one.target,), known))
            if one.action == "page_team":
                about.append(("team", (one.params.get("team", ""),), groups))
            said += [
                f"{one.place}: {one.name} names {kind} {', '.join(globs)}, and none is so called"
                for kind, globs, there in dict.fromkeys((kind, globs, tuple(there)) for kind, globs, there in about)
                if globs and there and not any(globbed(name, globs) for name in there)
            ]
            if patterns is not None and one.pattern and not one.patterns_in(patterns):
                said.append(f"{one.place}: {one.name} names pattern {', '.join(one.pattern)}, and none was mined")
        return said

    def to_dict(self, *, keep_personal_data: bool = False) -> dict[str, Any]:
        """Return them as plain JSON, of files only their names.

        Parameters
        ----------
        keep_personal_data : bool, default False
            Keep who owns and who reviewed them, and addresses and the like in names, commands and parameters.
            Default: an owner is the team, a reviewer is said to be there without a name.

        Returns
        -------
        dict
            For `from_dict`; durations are seconds.
        """
        from stanza_lab.patterns.reactions.writing import to_dict

        return to_dict(self, keep_personal_data=keep_personal_data)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Reactions:
        """Return the reactions that `to_dict` wrote.

        Parameters
        ----------
        told : mapping
            What `to_dict` gave, also after a round trip through JSON.

        Returns
        -------
        Reactions
            Equal to those written, but for people and folders.

        Raises
        ------
        BundleError
            It is of another format, incomplete or damaged.
        """
        from stanza_lab.patterns.reactions.writing import from_dict

        return from_dict(told)

    def __getitem__(self, name: str) -> Reaction:
        """Return the reaction of that name; of several teams' the first."""
        for one in self.items:
            if one.name == name:
                return one
        raise UnknownNameError.among("reaction", name, [one.name for one in self.items])

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        """Count what is there."""
        of = words.count(self.teams["team"].nunique(), "team")
        actions = ", ".join(sorted({one.action for one in self.items}))
        return f"Reactions({words.count(len(self), 'reaction')} of {of}{': ' if actions else ''}{actions})"

    def _repr_html_(self) -> str:
        shown = self.table.head(_SHOWN)[
            ["reaction", "team", "action", "bound_to", "target", "risk", "approval", "command"]
        ]
        head = "".join(f"<th>{name}</th>" for name in shown.columns)
        cells = ("".join(f"<td>{escaped(value, _CELL)}</td>" for value in row) for row in shown.itertuples(index=False))
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        more = f"<p>and {len(self) - _SHOWN:,} more</p>" if len(self) > _SHOWN else ""
        return f"<p><b>{escaped(repr(self), _CELL)}</b></p><table><tr>{head}</tr>{body}</table>{more}"


def _row(one: Reaction) -> dict[str, Any]:
    when, rails = one.when, one.guardrails
    bound = f"pattern {', '.join(one.pattern)}"
    if when is not None:
        where = ", ".join((*when.service, *(f"team {name}" for name in when.team)))
        bound = f"{when.words} at {where}" + "".join(f", near {' or '.join(near.service)}" for near in when.near)
    low, high = (span.total_seconds() for span in one.effect) if one.effect else (None, None)
    return {
        "reaction": one.name,
        "team": one.team,
        "action": one.does("its target").replace(" its target", "") if one.params else one.action,
        "bound_to": bound,
        "target": one.target or ("where it fits" if when is not None else vocabulary.FIRST_MOVER),
        "risk": one.risk,
        "effect_low_s": low,
        "effect_high_s": high,
        "min_confidence": rails.min_confidence,
        "max_blast_radius": rails.max_blast_radius,
        "max_risk": rails.max_risk,
        "cool_down_s": rails.cool_down.total_seconds(),
        "approval": rails.approval,
        "shared_with": ", ".join(one.shared_with),
        "owner": one.owner,
        "command": one.command,
        "file": one.file,
        "line": one.line,
    }
