"""The YAML files of reactions, one per team, read with every problem and its line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from stanza_lab import _params
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.patterns.reactions.catalogue import Reactions
from stanza_lab.patterns.reactions.guardrails import Guardrails
from stanza_lab.patterns.reactions.reaction import Reaction
from stanza_lab.patterns.reactions.vocabulary import ACTIONS, APPROVALS, DURATION, PERCENT, RISKS
from stanza_lab.production import reading
from stanza_lab.production.door.pattern import Pattern

if TYPE_CHECKING:
    from stanza_lab.production.reading import Problems

_FILE = ("team", "reviewed", "for", "reactions")
_REACTION = (
    "name", "action", "params", "pattern", "when", "target", "command", "undo", "risk", "effect", "owner", "for",
    "guardrails",
)  # fmt: skip
_RAILS = ("min_confidence", "max_blast_radius", "max_risk", "cool_down", "approval")
_NAME, _TEXT = 80, 4_000  # characters
_MOST = 500  # reactions in a file
_MOST_SERVICES = 10_000
_LONGEST = pd.Timedelta("7D")  # of an effect or a cool-down


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
        - `command` and `undo`: text, never run; {service} in it stands for the target, and is filled in with a name of
          letters, digits, dots, underscores and hyphens only (else it stays, and the proposal says so)
        - `risk` (low, medium, high); `effect`: how long until it helps, "5min" or [2min, 10min]; `owner`; `for`,
          instead of the file's
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
        about, found = _team(root, problems)
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
            said.append(f"{one.file}, line {one.line}: {one.name!r} stands there twice, see {before.place}; rename it")
    return said


def _team(root: yaml.Node, problems: Problems) -> tuple[dict[str, Any], list[Reaction]]:
    """Return what a file says of its team, and its reactions; what is wrong goes to `problems`."""
    keys = problems.keys(root, _FILE, need=["team", "reactions"], what="the file")
    name = _line(keys.get("team"), problems, "team")
    reviewed = problems.keys(keys["reviewed"], ("by", "on"), what="reviewed") if "reviewed" in keys else {}
    about = {
        "team": name,
        "reviewed_by": problems.text(reviewed.get("by"), "by"),
        "reviewed_on": problems.day(reviewed.get("on"), "on"),
        "file": str(problems.path),
    }
    shared = problems.texts(keys.get("for"), "for")
    items = problems.items(keys.get("reactions"), "reactions")
    if len(items) > _MOST:
        problems.say(items[_MOST], f"more than {_MOST} reactions in a file; split it")
        items = items[:_MOST]
    return about, [_reaction(item, problems, team=name, shared=shared) for item in items]


def _reaction(node: yaml.Node, problems: Problems, *, team: str, shared: tuple[str, ...]) -> Reaction:
    keys = problems.keys(node, _REACTION, need=["name", "action", "command", "risk"], what="a reaction")
    name = _line(keys.get("name"), problems, "name")
    action = problems.choice(keys.get("action"), "action", ACTIONS)
    pattern = problems.texts(keys.get("pattern"), "pattern")
    if isinstance(node, yaml.MappingNode) and bool(pattern) == ("when" in keys):
        problems.say(node, f"{name or 'a reaction'} needs either pattern or when: what it is for")
    return Reaction(
        name=name,
        team=team,
        action=action,
        params=_action_params(keys.get("params"), node, problems, action),
        pattern=pattern,
        when=Pattern.read(keys["when"], problems, team=team) if "when" in keys and not pattern else None,
        target=_line(keys.get("target"), problems, "target"),
        command=_long(keys.get("command"), problems, "command"),
        undo=_long(keys.get("undo"), problems, "undo"),
        risk=problems.choice(keys.get("risk"), "risk", RISKS),
        effect=_effect(keys.get("effect"), problems, action),
        owner=_line(keys.get("owner"), problems, "owner") or team,
        shared_with=problems.texts(keys["for"], "for") if "for" in keys else shared,
        guardrails=_guardrails(keys.get("guardrails"), problems),
        file=str(problems.path),
        line=reading.line(node),
    )


def _action_params(node: yaml.Node | None, around: yaml.Node, problems: Problems, action: str) -> dict[str, str]:
    known = ACTIONS.get(action)
    if known is None:
        return {}
    if node is None:
        if known.need:
            problems.say(around, f"{action} needs params: {', '.join(known.need)}")
        return {}
    keys = problems.keys(node, known.params, need=known.need, what=f"params of {action}")
    if PERCENT in keys:
        problems.number(keys[PERCENT], PERCENT, low=0, high=100)
    if DURATION in keys:
        _span(keys[DURATION], problems, DURATION)
    return {name: said for name, value in keys.items() if (said := _line(value, problems, name))}


def _guardrails(node: yaml.Node | None, problems: Problems) -> Guardrails:
    usual = Guardrails()
    if node is None:
        return usual
    keys = problems.keys(node, _RAILS, what="guardrails")
    radius = problems.number(keys.get("max_blast_radius"), "max_blast_radius", low=0, high=_MOST_SERVICES)
    if radius is not None and radius != int(radius):
        problems.say(keys["max_blast_radius"], f"max_blast_radius is {radius:g}, where a whole number belongs")
    confidence = problems.number(keys.get("min_confidence"), "min_confidence", low=0, high=1)
    cool_down = _span(keys.get("cool_down"), problems, "cool_down", zero=True)
    return Guardrails(
        min_confidence=usual.min_confidence if confidence is None else confidence,
        max_blast_radius=None if radius is None else int(radius),
        max_risk=problems.choice(keys.get("max_risk"), "max_risk", RISKS) or usual.max_risk,
        cool_down=usual.cool_down if cool_down is None else cool_down,
        approval=problems.choice(keys.get("approval"), "approval", APPROVALS) or usual.approval,
    )


def _effect(node: yaml.Node | None, problems: Problems, action: str) -> tuple[pd.Timedelta, pd.Timedelta] | None:
    """Return how soon and how late it helps, from one duration or two."""
    if node is None:
        return None
    if action in ACTIONS and not ACTIONS[action].ends_trouble:
        problems.say(node, f"{action} ends no trouble, so it has no effect time; leave effect out")
        return None
    parts = list(node.value) if isinstance(node, yaml.SequenceNode) else [node]
    if len(parts) not in (1, 2):
        problems.say(node, f"effect has {len(parts)} entries; write 5min, or [2min, 10min]: the soonest and the latest")
        return None
    spans = [span for part in parts if (span := _span(part, problems, "effect", zero=True)) is not None]
    if len(spans) != len(parts):
        return None
    if spans[0] > spans[-1]:
        problems.say(node, "effect has the later first; write the soonest, then the latest")
        return None
    return spans[0], spans[-1]


def _span(node: yaml.Node | None, problems: Problems, what: str, *, zero: bool = False) -> pd.Timedelta | None:
    """Return a duration with its unit: a bare 300 is nanoseconds to pandas and minutes to nobody in particular."""
    said = problems.text(node, what)
    if node is None or not said:
        return None
    if not re.search(r"[A-Za-z]", said):
        problems.say(node, f"{what} is {said[:60]!r}, a number without a unit; write 5min, 90s or 1h")
        return None
    try:
        span = _params.duration(re.sub(r"(?<=\d)\s*d$", "D", said), what, zero=zero)  # pandas has no small d
    except ParameterError as error:
        problems.say(node, str(error)[:200])
        return None
    if span > _LONGEST:
        problems.say(
            node, f"{what} is {said[:60]!r}, longer than {_LONGEST.days} days; write how long it usually takes"
        )
        return None
    return span


def _line(node: yaml.Node | None, problems: Problems, what: str) -> str:
    """Return a text of one short line: names end up in tables, figures and records."""
    said = problems.text(node, what)
    if node is not None and (len(said) > _NAME or not said.isprintable()):
        problems.say(node, f"{what} is {said[:30]!r}...: write one line of at most {_NAME} characters")
        return ""
    return said


def _long(node: yaml.Node | None, problems: Problems, what: str) -> str:
    said = problems.text(node, what)
    if node is not None and len(said) > _TEXT:
        problems.say(
            node, f"{what} has {len(said):,} characters, more than {_TEXT:,}; put them in a script and name it"
        )
        return ""
    hidden = next((sign for sign in said if not (sign.isprintable() or sign in "\n\t")), None)
    if node is not None and hidden is not None:
        problems.say(node, f"{what} holds the invisible character {hidden!a}, and people copy it; take it out")
        return ""
    return said
