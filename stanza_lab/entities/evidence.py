"""Evidence: every distinct value of a table of alerts read once, and the names that all readings agree on."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema
from stanza_lab.entities import extract, naming
from stanza_lab.entities.arns import Resource
from stanza_lab.entities.extract import Kind, Reading
from stanza_lab.entities.naming import NameFinder, Names
from stanza_lab.entities.ownership import read_ownership

Codes = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]

TEXTS = ("alertname", "summary", "description")
_STATED: tuple[Kind, ...] = ("service", "environment", "team")
_READ = (*_STATED, "resources", "labels", *TEXTS)
_CASE_MATTERS = "cloudwatch"  # AWS names differ by case; other systems lose or change it


@dataclass(frozen=True)
class Column:
    """One column: the code of each distinct row (-1 = null) and what each distinct value says."""

    name: str
    codes: Codes
    values: Sequence[Any]
    readings: Sequence[Sequence[Reading]]

    def spread(self, chosen: Iterable[str | None]) -> Objects:
        """Return for every distinct row what was chosen for its value; None for null."""
        return np.array([*chosen, None], dtype=object)[self.codes]


class Evidence:
    """All readings of a table of alerts, and the names they agree on.

    Rows that carry the same values are one distinct row: `of_row` says which one each row is.
    """

    def __init__(self, alerts: pd.DataFrame, catalog: pd.DataFrame | None) -> None:
        self.catalog = schema.empty(schema.OWNERSHIP) if catalog is None else catalog
        columns = {name: _read(alerts, name) for name in _READ if name in alerts.columns}
        aws: Codes = np.zeros(len(alerts), dtype=np.int64)
        if "source" in alerts.columns:
            aws = (alerts["source"].astype(object) == _CASE_MATTERS).to_numpy().astype(np.int64)
        self.of_row, first = _distinct_rows(aws, *(column.codes for column in columns.values()))
        self.rows = len(first)
        self.columns = {name: replace(column, codes=column.codes[first]) for name, column in columns.items()}
        self._weight = np.bincount(self.of_row, minlength=self.rows)
        self._aws_weight = self._weight * aws[first]
        self._named: dict[str, list[list[Reading]]] = {}

    @cached_property
    def services(self) -> Names:
        """The services every reading names, and those of the catalogue."""
        counts, exact = self._count("service", self._weight), self._count("service", self._aws_weight)
        listed = [name for name in self.catalog["service"].dropna() if naming.clean(name)]
        return Names(counts, exact=exact, listed=listed, aliases=self._aliases(listed, [*counts]))

    @cached_property
    def teams(self) -> Names:
        """The teams every reading names, and those of the catalogue."""
        listed = self.catalog["team"].dropna().unique().tolist() if "team" in self.catalog else []
        return Names(self._count("team", self._weight), listed=listed, bare=naming.bare_team)

    @cached_property
    def team_of(self) -> dict[str, str]:
        """Team of each catalogued service, by folded name."""
        if "team" not in self.catalog:
            return {}
        owned = self.catalog.dropna(subset=["service", "team"])
        pairs = zip(owned["service"], owned["team"], strict=True)
        return {naming.key(service): self.teams.canonical(str(team)) for service, team in reversed([*pairs])}

    @cached_property
    def _finder(self) -> NameFinder:
        return NameFinder(self.services.keys())

    def named(self, column: str) -> list[list[Reading]]:
        """Return the known services in a text column, one list per distinct text."""
        if column not in self._named:
            texts = self.columns[column]
            self._named[column] = [
                self._known(text, column, stated) for text, stated in zip(texts.values, texts.readings, strict=True)
            ]
        return self._named[column]

    def stated(self, column: str) -> list[list[Reading]]:
        """Return what each distinct value of a column says, without what nothing else confirms."""
        return [
            [r for r in readings if not r.if_seen or r.name in self.services]
            for readings in self.columns[column].readings
        ]

    def _known(self, text: str, column: str, stated: Sequence[Reading]) -> list[Reading]:
        found = []
        taken = sorted({(r.start, r.end) for r in stated})
        for hit in self._finder.find(text, alert_name=column == "alertname"):
            before = bisect_right(taken, (hit.start, len(text))) - 1
            if before >= 0 and hit.start < taken[before][1]:
                continue  # inside an ARN or a service:x
            end = hit.start + len(hit.folded)
            name = self.services.canonical(text[hit.start : end])
            method = "pod" if hit.pod else "text" if not hit.folded.isalpha() else "weak-text"
            found.append(Reading("service", name, method, hit.start, end))
            if hit.pod:
                pod = Resource("pod", text[hit.start : hit.end], named=False)
                found.append(Reading("resource", pod.name, method, hit.start, hit.end, resource=pod))
        return found

    def _count(self, kind: Kind, weight: Codes) -> Counter[str]:
        """Return how many rows spell each name so; names of resources are no spelling of the service's own: 0."""
        counts: Counter[str] = Counter()
        for column in self.columns.values():
            rows = np.zeros(len(column.values) + 1, dtype=np.int64)
            np.add.at(rows, column.codes, weight)
            for times, readings in zip(rows[:-1].tolist(), column.readings, strict=True):
                said = {(r.name, r.method != "arn-name") for r in readings if r.kind == kind and not r.if_seen}
                for name, own in said if times else ():
                    counts[name] += times if own else 0
        return counts

    def _aliases(self, listed: Iterable[str], names: Iterable[str]) -> dict[str, str]:
        """Return folded names that stand for another: an ECS service without its cluster, a catalogued name reordered.

        A service that runs in several clusters keeps them: prod/checkout is not staging/checkout.
        """
        clusters: dict[str, set[str]] = defaultdict(set)
        for column in self.columns.values():
            for reading in (r for readings in column.readings for r in readings):
                if reading.resource and reading.resource.type == "ecs:service" and "/" in reading.name:
                    folded = naming.key(reading.name)
                    clusters[folded.rpartition("/")[2]].add(folded)
        aliases = {path: bare for bare, paths in clusters.items() if len(paths) == 1 for path in paths}
        by_words: dict[tuple[str, ...], set[str]] = defaultdict(set)
        known = {naming.key(name) for name in listed}
        for folded in known:
            by_words[_words(folded)].add(folded)
        for folded in {naming.key(name) for name in names} - known:
            same = by_words.get(_words(folded), set())
            if len(same) == 1:
                aliases.setdefault(folded, next(iter(same)))
        return aliases


def _read(alerts: pd.DataFrame, name: str) -> Column:
    """Factorise a column and read its distinct values."""
    values = alerts[name]
    if name == "resources":
        # A list is read as its distinct members, and two equal lists once.
        codes, lists = pd.factorize(np.array([*map(tuple, values), None], dtype=object)[:-1])
        members = {value: extract.read_resource(value) for each in lists for value in each}
        return Column(
            name, codes.astype(np.int64), list(lists), [[r for v in each for r in members[v]] for each in lists]
        )
    codes, distinct = pd.factorize(values)
    texts = [str(value) for value in distinct]
    read: Callable[[str], list[Reading]]
    if name in _STATED:
        read = partial(extract.read_field, _STATED[_STATED.index(name)])
    else:
        read = extract.read_labels if name == "labels" else extract.read_text
    return Column(name, codes.astype(np.int64), texts, [read(text) for text in texts])


def _distinct_rows(first: Codes, *others: Codes) -> tuple[Codes, Codes]:
    """Return the number of each row's combination of codes, and the first row of each combination."""
    number = pd.factorize(first)[0].astype(np.int64)
    for codes in others:
        number = pd.factorize(number * (codes.max(initial=0) + 2) + codes)[0].astype(np.int64)
    return number, np.flatnonzero(np.diff(np.maximum.accumulate(number), prepend=-1))


def _words(folded: str) -> tuple[str, ...]:
    return tuple(sorted(folded.split("-")))


def open_catalog(catalog: Any) -> pd.DataFrame | None:
    """Return the catalogue as a checked table: read from a path, or given as one."""
    if catalog is None:
        return None
    if isinstance(catalog, (str, PathLike, list, tuple)):
        return read_ownership(catalog)
    return schema.check(catalog, schema.OWNERSHIP, need=["service"], what="catalog")
