"""What people say about names, in a YAML file: it always wins over what was learned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from stanza_lab.entities import naming
from stanza_lab.errors import SchemaError, StanzaWarning


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice: the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value]
        twice = next((key for at, key in enumerate(keys) if key in keys[:at]), None)
        if twice is not None:
            message = f"{twice!r} stands there twice; put all its names into one list"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return super().construct_mapping(node, deep=deep)


_KEYS = ("services", "apart", "not_services", "teams")
_EXAMPLE = "services: {checkout: [prod-checkout-api, web-checkout]}"


class OverridesWarning(StanzaWarning):
    """Tell of names in the overrides that nothing else has: a slip of the pen, perhaps."""


@dataclass(frozen=True)
class Overrides:
    """Names that are one, names that are not, names that are none.

    Attributes
    ----------
    services, teams : mapping of str to list of str
        Canonical name -> other names of the same.
    apart : list of list of str
        Names of which no two are the same service.
    not_services : list of str
        Names that are no service.
    """

    services: Mapping[str, list[str]] = field(default_factory=dict)
    apart: list[list[str]] = field(default_factory=list)
    not_services: list[str] = field(default_factory=list)
    teams: Mapping[str, list[str]] = field(default_factory=dict)

    def fixed(self) -> set[str]:
        """Return the folded names that people speak of as services: no rule of spelling changes them."""
        told = [name for service, aliases in self.services.items() for name in (service, *aliases)]
        return {naming.key(name) for name in (*told, *(name for names in self.apart for name in names))}

    def none(self) -> set[str]:
        """Return the folded names that are no service."""
        return {naming.key(name) for name in self.not_services}

    def joined(self, canonical: Callable[[str], str]) -> Iterator[tuple[str, str]]:
        """Yield pairs of names that are one service, as the alerts spell them."""
        for service, aliases in self.services.items():
            yield from ((canonical(service), canonical(alias)) for alias in aliases)

    def given(self, canonical: Callable[[str], str]) -> dict[str, str]:
        """Return the canonical name of every folded name that has one given."""
        pairs = [(name, service) for service, aliases in self.services.items() for name in (service, *aliases)]
        return {naming.key(spelled): service for name, service in pairs for spelled in (canonical(name), name)}

    def apart_among(self, names: list[str]) -> set[tuple[int, int]]:
        """Return the pairs of positions in `names` that are to stay apart: said to be, or of two services."""
        at = {naming.key(name): k for k, name in enumerate(names)}

        def known(group: Iterable[str]) -> list[int]:
            return sorted({at[naming.key(name)] for name in group if naming.key(name) in at})

        apart = [pair for group in self.apart for pair in combinations(known(group), 2)]
        told = [found for service, aliases in self.services.items() if (found := known((service, *aliases)))]
        apart += [pair for one, other in combinations(told, 2) for pair in product(one, other)]
        return {(min(pair), max(pair)) for pair in apart}

    def team(self, name: str) -> str:
        """Return what people call a team; `name` itself where they do not speak of it."""
        given = {naming.key(other): team for team, others in self.teams.items() for other in (team, *others)}
        return given.get(naming.key(name), name)

    def unknown(self, known: Callable[[str], bool]) -> list[str]:
        """Return the names of services they speak of that `known` does not know; a service may be a new name."""
        told = [name for names in self.services.values() for name in names]
        told += [name for group in self.apart for name in group]
        return sorted({name for name in told if not known(name)})

    def team_aliases(self) -> dict[str, str]:
        """Return the folded canonical team of every folded other name."""
        return {naming.key(alias): naming.key(team) for team, aliases in self.teams.items() for alias in aliases}


def read_overrides(source: Overrides | Mapping[str, Any] | str | PathLike[str] | None) -> Overrides:
    """Read what people say about names.

    Parameters
    ----------
    source : path, mapping or None
        A YAML file, or what it holds:

        * services: name -> list of other names of the same service
        * apart: lists of names of which no two are the same service
        * not_services: names that are no service
        * teams: name -> list of other names of the same team

    Raises
    ------
    SchemaError
        The file cannot be read, has another key, or contradicts itself.

    Examples
    --------
    >>> from stanza_lab.entities.identity.overrides import read_overrides
    >>> read_overrides({"services": {"checkout": ["web-checkout"]}}).services
    {'checkout': ['web-checkout']}
    """
    if isinstance(source, Overrides):
        return source
    if source is None:
        return Overrides()
    where = "overrides"
    content: Any = source
    if isinstance(source, (str, PathLike)):
        where = str(source)
        try:
            content = yaml.load(Path(source).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader)
        except yaml.MarkedYAMLError as error:
            line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
            raise SchemaError(f"{where}{line}: cannot be read as YAML: {error.problem}") from error
        except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
            raise SchemaError(f"{where}: cannot be read as YAML: {error}") from error
    if content is None:
        return Overrides()
    if not isinstance(content, Mapping):
        raise SchemaError(f"{where}: holds {type(content).__name__}, not keys and values; write for example {_EXAMPLE}")
    if unknown := [str(key) for key in content if key not in _KEYS]:
        raise SchemaError(f"{where}: {', '.join(unknown)} is not known; the keys are {', '.join(_KEYS)}")
    read = Overrides(
        services=_aliases(content.get("services"), f"{where}: services"),
        apart=[_names(group, f"{where}: apart") for group in _list(content.get("apart"), f"{where}: apart")],
        not_services=_names(content.get("not_services"), f"{where}: not_services"),
        teams=_aliases(content.get("teams"), f"{where}: teams"),
    )
    _check(read, where)
    return read


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise SchemaError(f"{where}: {value!r} is no list; write [a, b]")
    return value


def _names(value: Any, where: str) -> list[str]:
    names = _list(value, where)
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise SchemaError(f"{where}: {name!r} is no name; put it in quotes")
    return [name.strip() for name in names]


def _aliases(value: Any, where: str) -> dict[str, list[str]]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SchemaError(f"{where}: {value!r} has no names with lists of names; write for example {_EXAMPLE}")
    [*_names([*value], where)]
    return {name.strip(): _names(aliases, f"{where}: {name}") for name, aliases in value.items()}


def _check(overrides: Overrides, where: str) -> None:
    """Raise where a name is said to be two things."""
    for kind, table in (("services", overrides.services), ("teams", overrides.teams)):
        of: dict[str, str] = {}
        for name, other in _pairs(table):
            if of.setdefault(naming.key(other), name) != name:
                raise SchemaError(f"{where}: {kind}: {other!r} is listed under {of[naming.key(other)]!r} and {name!r}")
    of_service = {naming.key(other): name for name, other in _pairs(overrides.services)}
    for group in overrides.apart:
        same: dict[str, str] = {}
        for name in group:
            service = of_service.get(naming.key(name), name)
            if naming.key(service) in same:
                raise SchemaError(
                    f"{where}: {same[naming.key(service)]!r} and {name!r} are kept apart, but are one under services"
                )
            same[naming.key(service)] = name
    for name in overrides.not_services:
        if naming.key(name) in of_service:
            raise SchemaError(f"{where}: {name!r} is listed under services and under not_services")


def _pairs(table: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    for name, aliases in table.items():
        yield name, name
        yield from ((name, alias) for alias in aliases)
