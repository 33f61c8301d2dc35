"""Evidence: every distinct value of a table of alerts read once, and the names that all readings agree on."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import accumulate
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema
from stanza_lab.entities import naming
from stanza_lab.entities._known_names import find_known
from stanza_lab.entities.extraction import fields
from stanza_lab.entities.extraction.arns import Resource
from stanza_lab.entities.extraction.fields import Kind, Reading
from stanza_lab.entities.identity.learning import MIN_CONFIDENCE, Identity, learn
from stanza_lab.entities.identity.overrides import Overrides
from stanza_lab.entities.identity.statements import gather
from stanza_lab.entities.naming import Hit, Names
from stanza_lab.entities.ownership.catalogues import read_ownership

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Objects = npt.NDArray[np.object_]

TEXTS = ("alertname", "summary", "description")
_STATED: tuple[Kind, ...] = ("service", "environment", "team")
_READ = (*_STATED, "resources", "trace_ids", "labels", *TEXTS)
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

    def __init__(
        self,
        alerts: pd.DataFrame,
        catalog: pd.DataFrame | None,
        *,
        overrides: Overrides | None = None,
        spans: pd.DataFrame | None = None,
        identity: Identity | None = None,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> None:
        self.catalog = schema.empty(schema.OWNERSHIP) if catalog is None else catalog
        named = np.array([naming.clean(name) is not None for name in self.catalog["service"]], dtype=bool)
        self.catalog = self.catalog.loc[named]
        columns = {name: _read(alerts, name) for name in _READ if name in alerts.columns}
        system, systems = _systems(alerts)
        self.of_row, first = _distinct_rows(system, *(column.codes for column in columns.values()))
        self.rows = len(first)
        self.columns = {name: replace(column, codes=column.codes[first]) for name, column in columns.items()}
        self.weight = np.bincount(self.of_row, minlength=self.rows)
        self.systems = [systems[code] for code in system[first].tolist()]  # None where it is not known
        self.overrides = overrides or Overrides()
        self._alerts, self._spans, self._identity, self._min_confidence = alerts, spans, identity, min_confidence
        if none := self.overrides.none():
            self.columns = {name: _without(column, none) for name, column in self.columns.items()}
        self._named: dict[str, list[list[Reading]]] = {}

    @cached_property
    def spelled(self) -> Names:
        """The services every reading names, and those of the catalogue, each in one spelling."""
        aws = np.array([system == _CASE_MATTERS for system in self.systems], dtype=np.int64)
        counts = self._count("service", self.weight)
        exact = self._count("service", self.weight * aws, besides=("tag", "key-value"))  # what others call it there
        listed = self.catalog["service"].tolist()
        said = self.overrides
        named = [*said.services, *(name for names in (*said.services.values(), *said.apart) for name in names)]
        aliases = self._aliases(listed, [*counts])
        return Names(
            counts, exact=exact, listed=[*listed, *named], aliases=aliases, fixed=said.fixed(), stem=naming.stem
        )

    @cached_property
    def services(self) -> Identity:
        """The services, each under one name: spellings unified, then what the alerts tell of names that differ."""
        if self._identity is not None:
            return self._identity
        listed = {self.spelled.canonical(name) for name in self.catalog["service"].dropna()}
        return learn(
            self.spelled,
            gather(self, traced=_traced(self._spans)),
            overrides=self.overrides,
            listed=listed,
            min_confidence=self._min_confidence,
        )

    @cached_property
    def teams(self) -> Names:
        """The teams every reading names, and those of the catalogue."""
        listed = self.catalog["team"].dropna().unique().tolist() if "team" in self.catalog else []
        given = self.overrides
        return Names(
            self._count("team", self.weight),
            listed=[*listed, *given.teams],
            bare=naming.bare_team,
            aliases=given.team_aliases(),
            fixed={naming.key(team) for team in given.teams},
        )

    @cached_property
    def team_of(self) -> dict[str, str]:
        """Team of each catalogued service, by folded name."""
        if "team" not in self.catalog:
            return {}
        owned = self.catalog.dropna(subset=["service", "team"])
        pairs = zip(owned["service"], owned["team"], strict=True)
        return {naming.key(service): self.teams.canonical(str(team)) for service, team in reversed([*pairs])}

    def seen(self) -> tuple[Floats, Floats]:
        """Return for every distinct row when its first and its last alert started, in microseconds; nan: unknown."""
        first, last = np.full(self.rows, np.nan), np.full(self.rows, np.nan)
        if "starts_at" in self._alerts:
            times = self._alerts["starts_at"].to_numpy("datetime64[us]").astype(np.int64).astype(np.float64)
            times[self._alerts["starts_at"].isna().to_numpy()] = np.nan
            np.fmin.at(first, self.of_row, times)
            np.fmax.at(last, self.of_row, times)
        return first, last

    def traces(self) -> tuple[Codes, list[str]]:
        """Return distinct rows and the trace ids their alerts carry."""
        if "trace_ids" not in self._alerts:
            return np.zeros(0, dtype=np.int64), []
        ids = self._alerts["trace_ids"]
        return np.repeat(self.of_row, [*map(len, ids)]), [trace for each in ids for trace in each]

    def named(self, column: str) -> list[list[Reading]]:
        """Return the known services in a text column, one list per distinct text."""
        if column not in self._named:
            texts = self.columns[column]
            hits = find_known(self.spelled.keys(), texts.values, alert_name=column == "alertname")
            self._named[column] = [*map(self._known, texts.values, hits, texts.readings)]
        return self._named[column]

    def stated(self, column: str) -> list[list[Reading]]:
        """Return what each distinct value of a column says, without what nothing else confirms."""
        return [
            [r for r in readings if not r.if_seen or r.name in self.spelled]
            for readings in self.columns[column].readings
        ]

    def _known(self, text: str, hits: Sequence[Hit], stated: Sequence[Reading]) -> list[Reading]:
        found = []
        taken = sorted({(r.start, r.end) for r in stated}) if hits else []
        reach = [*accumulate((end for _, end in taken), max)]  # what stands in a URL ends before the URL does
        for hit in hits:
            before = bisect_right(taken, (hit.start, len(text))) - 1
            if before >= 0 and hit.start < reach[before]:
                continue  # inside an ARN or a service:x
            end = hit.start + len(hit.folded)
            name = self.services.canonical(text[hit.start : end])
            method = "pod" if hit.pod else "text" if not hit.folded.isalpha() else "weak-text"
            found.append(Reading("service", name, method, hit.start, end))
            if hit.pod:
                pod = Resource("pod", text[hit.start : hit.end], named=False)
                found.append(Reading("resource", pod.name, method, hit.start, hit.end, resource=pod))
        return found

    def _count(self, kind: Kind, weight: Codes, *, besides: Sequence[str] = ()) -> Counter[str]:
        """Return how many rows spell each name so; names of resources are no spelling of the service's own: 0."""
        counts: Counter[str] = Counter()
        for column in self.columns.values():
            rows = np.zeros(len(column.values) + 1, dtype=np.int64)
            np.add.at(rows, column.codes, weight)
            for times, readings in zip(rows[:-1].tolist(), column.readings, strict=True):
                told = (r for r in readings if r.kind == kind and not r.if_seen and r.method not in besides)
                said = {(r.name, r.method != "arn-name") for r in told}
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
    read: Callable[[str], list[Reading]]
    if name in ("resources", "trace_ids"):
        # A list is read as its distinct members, and two equal lists once.
        read = fields.read_resource if name == "resources" else fields.read_trace
        codes, lists = pd.factorize(np.array([*map(tuple, values), None], dtype=object)[:-1])
        members = {value: read(value) for each in lists for value in each}
        said = [_in_cluster([r for value in each for r in members[value]]) for each in lists]
        return Column(name, codes.astype(np.int64), list(lists), said)
    codes, distinct = pd.factorize(values)
    texts = [str(value) for value in distinct]
    if name in TEXTS:
        return Column(name, codes.astype(np.int64), texts, [*map(_in_cluster, fields.read_texts(texts))])
    read = partial(fields.read_field, _STATED[_STATED.index(name)]) if name in _STATED else fields.read_labels
    return Column(name, codes.astype(np.int64), texts, [_in_cluster(read(text)) for text in texts])


def _in_cluster(readings: list[Reading]) -> list[Reading]:
    """Return readings with an ECS service under its cluster: the same name in two clusters may be two services."""
    return [
        r._replace(name=r.resource.name)
        if r.kind == "service" and r.resource and r.resource.type == "ecs:service"
        else r
        for r in readings
    ]


def _distinct_rows(first: Codes, *others: Codes) -> tuple[Codes, Codes]:
    """Return the number of each row's combination of codes, and the first row of each combination."""
    number = pd.factorize(first)[0].astype(np.int64)
    for codes in others:
        number = pd.factorize(number * (codes.max(initial=0) + 2) + codes)[0].astype(np.int64)
    return number, np.flatnonzero(np.diff(np.maximum.accumulate(number), prepend=-1))


def _without(column: Column, names: set[str]) -> Column:
    """Return a column whose readings name none of these services (folded)."""
    kept = [
        [r for r in readings if r.kind != "service" or names.isdisjoint(naming.spelled_as(r.name))]
        for readings in column.readings
    ]
    return replace(column, readings=kept)


def _traced(spans: pd.DataFrame | None) -> dict[str, list[str]]:
    """Return the trace ids of every service that spans name."""
    if spans is None:
        return {}
    spans = schema.check(spans, schema.SPANS, need=["trace_id", "service"])
    known = spans.dropna(subset=["service"]).groupby("service", observed=True)["trace_id"].unique()
    return {str(service): [trace for trace in ids if isinstance(trace, str)] for service, ids in known.items()}


def _systems(alerts: pd.DataFrame) -> tuple[Codes, list[str | None]]:
    """Return for each alert the number of the system that raised it, and these systems."""
    raised = pd.Series(None, index=alerts.index, dtype=object)
    for column in ("origin", "source"):
        if column in alerts.columns:
            raised = raised.fillna(alerts[column].astype(object))
    codes, found = pd.factorize(raised, use_na_sentinel=False)
    return codes.astype(np.int64), [name if isinstance(name, str) else None for name in found]


def _words(folded: str) -> tuple[str, ...]:
    return tuple(sorted(folded.split("-")))


def open_catalog(catalog: Any) -> pd.DataFrame | None:
    """Return the catalogue as a checked table: read from a path, or given as one."""
    if catalog is None:
        return None
    if isinstance(catalog, (str, PathLike, list, tuple)):
        return read_ownership(catalog)
    return schema.check(catalog, schema.OWNERSHIP, need=["service"], what="catalog")
