"""CODEOWNERS of GitHub and GitLab -> the teams of the services in a repository.

A service is a folder in one of the usual folders of services, or the whole repository where there is none. Its team is
who owns a file in it that has no owner of its own. A handle without a slash is a person; in GitLab it may be a group,
which only its name can tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache

from stanza_lab.entities import naming

_FOLDERS = ("services", "service", "apps", "microservices", "svc")
_SECTION = re.compile(r"(?P<optional>\^)?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>(?:\s.*)?)")
_WORD = re.compile(r"(?:\\.|\S)+")
_GROUP = re.compile(
    r"(?:.*[-_.])?(?:team|teams|squad|crew|guild|group|devs|developers|engineers|sre|ops)(?:[-_.].*)?", re.I
)
_FILE = "\0"  # the name of a file that only patterns of all files match
MAX_WORD = 500  # characters of a pattern or an owner


@dataclass
class _Section:
    name: str = ""
    optional: bool = False
    default: tuple[str, ...] = ()
    rules: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


def owned(text: str, repository: str | None, *, gitlab: bool = False) -> list[tuple[str, str]]:
    """Return (service, team) for the services that have one; `repository` is the name of the folder, if known."""
    sections = _sections(text)
    gitlab = gitlab or len(sections) > 1
    patterns = [pattern for section in sections for pattern, _ in section.rules]
    services = list(dict.fromkeys(filter(None, map(_service, patterns))))
    if not services and repository is not None:
        team = _team(sections, (_FILE,), gitlab=gitlab)
        return [(repository, team)] if team else []
    found = [(path[-1], _team(sections, (*path, _FILE), gitlab=gitlab)) for path in services]
    return [(service, team) for service, team in found if team]


def _sections(text: str) -> list[_Section]:
    """Return the sections; the first has no name and is all there is in GitHub."""
    found = {"": _Section()}
    section = found[""]
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if heading := _SECTION.fullmatch(line):
            name = heading["name"].strip().lower()
            section = found.setdefault(name, _Section(name, heading["optional"] is not None))
            section.default = tuple(heading["owners"].split()) or section.default
            continue
        pattern, *owners = _WORD.findall(re.split(r"\s#", line, maxsplit=1)[0])
        if len(pattern) <= MAX_WORD:
            section.rules.append((pattern.replace("\\", ""), tuple(o for o in owners if len(o) <= MAX_WORD)))
    return list(found.values())


def _service(pattern: str) -> tuple[str, ...] | None:
    """Return the path of the folder of a service that a pattern names."""
    path = tuple(pattern.strip("/").split("/"))
    while path and path[-1] in ("*", "**"):
        path = path[:-1]
    named = len(path) == 2 and path[0] in _FOLDERS and not any(c in path[1] for c in "*?[!.")
    return path if named else None


def _team(sections: list[_Section], path: tuple[str, ...], *, gitlab: bool) -> str | None:
    """Return the team of a file: in each section the last rule that matches it, rules for all files last of all."""
    found: list[tuple[bool, bool, str, tuple[str, ...]]] = []
    for section in sections:
        last = ""
        owners: tuple[str, ...] = ()
        for pattern, named in section.rules:
            if pattern.startswith("!"):
                owners = () if _matches(pattern[1:], path) else owners
            elif _matches(pattern, path):
                last, owners = pattern, named or section.default
        found.append((not last.strip("*/"), section.optional, section.name, owners))
    ranked = sorted(found, key=lambda each: each[:2])
    teams = (_team_of(owner, name, gitlab=gitlab) for _, _, name, owners in ranked for owner in owners)
    return next(filter(None, teams), None)


def _team_of(owner: str, section: str, *, gitlab: bool) -> str | None:
    """Return the team an owner is, None for a person or a role."""
    if not owner.startswith("@") or owner.startswith("@@"):
        return None  # an e-mail address, or a role of GitLab
    name = owner[1:].rstrip("/")
    if "/" not in name and not (gitlab and (_GROUP.fullmatch(name) or naming.key(name) == naming.key(section))):
        return None
    return naming.clean_team(name.rpartition("/")[2])


def _matches(pattern: str, path: tuple[str, ...]) -> bool:
    """Return whether a pattern matches a file, as .gitignore means it: also by a folder it is in."""
    parts = [part for part in pattern.split("/") if part]
    if not pattern.startswith("/") and len(parts) == 1:
        parts.insert(0, "**")
    below = [*parts, "**"] if pattern.endswith("/") or not parts or parts[-1] not in ("*", "**") else parts
    # Which parts of the pattern may come next: all at once, so that no pattern takes long.
    at = _skipping({0}, below)
    for name in path:
        at = _skipping(
            {i if below[i] == "**" else i + 1 for i in at if i < len(below) and _same(below[i], name)}, below
        )
    return len(below) in at


def _skipping(at: set[int], parts: list[str]) -> set[int]:
    """Return `at` with what follows a ``**``, which also stands for nothing."""
    reached = set(at)
    for i in range(len(parts)):
        if i in reached and parts[i] == "**":
            reached.add(i + 1)
    return reached


def _same(part: str, name: str) -> bool:
    return part in ("*", "**") or _compiled(part).fullmatch(name) is not None


@lru_cache(1_000)
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(translate(part.replace("[", "[[]")))
