"""What could be done: reactions that teams wrote down, reviewed, and allow others to use."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import SchemaError, UnknownNameError
from stanza_lab.patterns.reactions import vocabulary
from stanza_lab.patterns.reactions.guardrails import Guardrails
from stanza_lab.production import reading, words
from stanza_lab.production.reading import globbed

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.production.door.pattern import Pattern

_SHOWN = 40  # rows in a notebook
_CELL = 120  # characters there


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
        Text for people; never run.
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
                about.append(("team", (one.params["team"],), groups))
            said += [
                f"{_where(one)}: {one.name} names {kind} {', '.join(globs)}, and none is so called"
                for kind, globs, there in dict.fromkeys((kind, globs, tuple(there)) for kind, globs, there in about)
                if globs and there and not any(globbed(name, globs) for name in there)
            ]
            if patterns is not None and one.pattern and not one.patterns_in(patterns):
                said.append(f"{_where(one)}: {one.name} names pattern {', '.join(one.pattern)}, and none was mined")
        return said

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
        body = "".join(
            f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in shown.itertuples(index=False)
        )
        more = f"<p>and {len(self) - _SHOWN:,} more</p>" if len(self) > _SHOWN else ""
        return f"<p><b>{_cell(repr(self))}</b></p><table><tr>{head}</tr>{body}</table>{more}"


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


def read_reactions(path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Reactions:
    """Read what teams would do when something recurs: restart, roll back, shift traffic, page another team.

    Parameters
    ----------
    path : path, or several
        A YAML file, or a folder of them: one per team, kept where the team reviews changes. Keys: `team`; `reviewed`
        (`by`, `on`); `for` (globs of the teams at whose services its reactions may be used; "*" is everybody; default:
        only its own); `reactions`, each with

        - `name`, `action` (restart, roll_back, shift_traffic, scale, shed_load, degrade, silence, page_team) and
          `params` (of roll_back: to; of shift_traffic: to, percent; of scale: to; of shed_load: percent; of degrade:
          feature; of silence: alert, for; of page_team: team; of restart: how)
        - `pattern` (globs of mined patterns: ids, names, families) or `when` (as in `read_contributed`: service,
          team, alert, severity, symptom, near)
        - `target`: a service, "origin" (the likeliest origin) or "first mover"; default: where `when` fits, or the
          first mover of the pattern
        - `command` and `undo`: text, never run; `risk` (low, medium, high); `effect`: how long until it helps, "5min"
          or [2min, 10min]; `owner`; `for`, instead of the file's
        - `guardrails`: `min_confidence` (0 to 1, default 0.5), `max_blast_radius` (other services that would be hit
          likelier than not; default: no limit), `max_risk` (default high), `cool_down` (default 30min; 0s: none),
          `approval` (human, none; default human)

    Returns
    -------
    Reactions
        `items`, `table`, `teams`. For `backtest` and `propose`.

    Raises
    ------
    SchemaError
        A file cannot be read, has an unknown key or lacks one; the problems of all files at once, each with its line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import stanza_lab as sl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "shop.yaml")
    ...     _ = file.write_text('''
    ... team: shop
    ... reviewed: {by: maria, on: 2026-09-20}
    ... reactions:
    ...   - name: Roll back the shop
    ...     action: roll_back
    ...     when: {service: shop-api, symptom: errors}
    ...     command: kubectl rollout undo deploy/shop-api
    ...     risk: medium
    ...     effect: [2min, 6min]
    ...     guardrails: {min_confidence: 0.7, cool_down: 1h}
    ... ''')
    ...     sl.read_reactions(folder)
    Reactions(1 reaction of 1 team: roll_back)
    """
    from stanza_lab.patterns.reactions import written

    paths: list[str | os.PathLike[str]] = [path] if isinstance(path, str | os.PathLike) else list(path)
    files = [file for one in paths for file in _files(Path(one))]
    items: list[Reaction] = []
    teams: list[dict[str, Any]] = []
    wrong: list[str] = []
    for file in files:
        try:
            root, problems = reading.compose(file)
        except SchemaError as error:
            wrong.append(str(error))
            continue
        about, found = written.team(root, problems)
        teams.append(about)
        items += found
        wrong += problems.lines
    wrong += _twice(items)
    if wrong:
        raise SchemaError("\n".join(wrong))
    table = pd.DataFrame(teams, columns=["team", "reviewed_by", "reviewed_on", "file"])
    table["reviewed_on"] = pd.to_datetime(table["reviewed_on"]).astype("datetime64[us]")
    return Reactions(tuple(items), table)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in {".yaml", ".yml"})
    if not files:
        raise SchemaError(f"{path}: no .yaml file in this folder; write one per team")
    return files


def _twice(items: Iterable[Reaction]) -> list[str]:
    """Return a problem per name that one team gave twice: the cool-down of the one would be the other's."""
    first: dict[tuple[str, str], Reaction] = {}
    said = []
    for one in items:
        before = first.setdefault((one.team, one.name), one)
        if before is not one and one.name:
            said.append(
                f"{one.file}, line {one.line}: {one.name!r} stands there twice, see {_where(before)}; rename it"
            )
    return said


def _where(one: Reaction) -> str:
    return f"{Path(one.file).name}, line {one.line}"


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


def _cell(value: object) -> str:
    said = str(value)
    return html.escape(said if len(said) <= _CELL else f"{said[: _CELL - 1]}…")
