"""A profile: what somebody said is theirs, kept as a small YAML file that every later view understands."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from stanza_lab.errors import SchemaError
from stanza_lab.production import reading

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

_LISTS = ("services", "teams", "repos", "hosts", "accepted", "declined")
_HEADER = """\
# What somebody said is theirs: read with sl.read_profile, used by prod.onboard(profile=...), prod.team(...) and
# prod.front_door(...). services: all that it came to. teams, repos, hosts: what was picked; onboard asks the newest
# map what they stand for. accepted, declined: what was said to proposals. seen_until: the last day of the map's alerts.
"""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Keep what somebody said is theirs: a name, what was picked, and the services it came to.

    Parameters
    ----------
    name : str
        What to call it: a team, a rotation, a person.
    services : tuple of str
        All services it came to. One that a map does not know is kept, and left out of the views of that map.
    teams, repos, hosts : tuple of str
        What was picked beside services; `ProductionMap.onboard` asks the newest map what they stand for.
    accepted, declined : tuple of str
        Services that were proposed and taken, or not taken: these are not proposed again.
    seen_until : str
        Last day of the alerts of the map it was made on, as in "2026-09-29"; empty when that had none.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> mine = sl.Profile(name="shop", services=("checkout", "orders"), declined=("mail",))
    >>> mine.on(["orders", "orders-db"])
    ['orders']
    """

    name: str
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()
    seen_until: str = ""

    def on(self, services: Iterable[str]) -> list[str]:
        """Return those of some services that are of this profile.

        Parameters
        ----------
        services : iterable of str
            For example all of a map.

        Returns
        -------
        list of str
            In the order given.
        """
        mine = set(self.services)
        return [name for name in services if name in mine]

    def missing(self, services: Iterable[str]) -> list[str]:
        """Return the services of this profile that are not among some others: those that a map does not know.

        Parameters
        ----------
        services : iterable of str
            For example all of a map.

        Returns
        -------
        list of str
            In the order of the profile.
        """
        known = set(services)
        return [name for name in self.services if name not in known]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as a small YAML file to keep in a repository; a file that is there is replaced.

        Parameters
        ----------
        path : path
            Where to.

        Returns
        -------
        Path
            The file.
        """
        content: dict[str, object] = {"name": self.name}
        content |= {"seen_until": self.seen_until} if self.seen_until else {}
        content |= {key: list(getattr(self, key)) for key in _LISTS if getattr(self, key)}
        said = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
        Path(path).write_text(_HEADER + said, encoding="utf-8")
        return Path(path)


def read_profile(path: str | os.PathLike[str]) -> Profile:
    """Read a profile that `Profile.save` or a person wrote.

    Parameters
    ----------
    path : path
        YAML: `name`, and lists `services`, `teams`, `repos`, `hosts`, `accepted`, `declined`.

    Returns
    -------
    Profile
        What it says, whatever a map knows of it: ask `ProductionMap.onboard(profile=...)`.

    Raises
    ------
    SchemaError
        The file cannot be read, has no name or an unknown key; all problems at once, each with its line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import stanza_lab as sl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = sl.Profile(name="shop", services=("checkout",)).save(pathlib.Path(folder, "shop.yaml"))
    ...     sl.read_profile(file).services
    ('checkout',)
    """
    root, problems = reading.compose(path)
    keys = problems.keys(root, [field.name for field in fields(Profile)], need=["name"], what="the profile")
    name = problems.text(keys.get("name"), "name")
    lists = {key: problems.texts(keys.get(key), key) for key in _LISTS}
    day = problems.day(keys.get("seen_until"), "seen_until")
    if problems.lines:
        raise SchemaError("\n".join(problems.lines))
    return Profile(name=name, seen_until=day.isoformat() if day else "", **lists)
