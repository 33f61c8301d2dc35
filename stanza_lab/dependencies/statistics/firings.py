"""When which node alerted, and where: sorted arrays with names as codes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import SchemaError

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

OPEN = np.iinfo(np.int64).min  # as an end: not known, or still open (what NaT is inside)
NOWHERE = ""  # the place of what has none


def names_of(words: Any) -> pd.Index:
    """Return words as an index of names."""
    names: pd.Index = pd.Index(words, dtype="str")
    return names


@dataclass(frozen=True, eq=False)
class Firings:
    """Alerts sorted by time, each with a node, a place, whether it is inner, and its end: what slices are counted from.

    Parameters
    ----------
    times, ends : array of int64
        Microseconds; `OPEN` is an end that is not known.
    nodes, places : array of int32
        Codes of names in `node_names`, `place_names` (both sorted).
    inner : array of bool
        Says that the node itself is in trouble.
    """

    times: Ints
    nodes: Codes = field(repr=False)
    places: Codes = field(repr=False)
    inner: npt.NDArray[np.bool_] = field(repr=False)
    ends: Ints = field(repr=False)
    node_names: pd.Index
    place_names: pd.Index

    @classmethod
    def none(cls) -> Firings:
        """Return the firings of nothing."""
        return cls.of(pd.Series([], dtype=schema.TIME_DTYPE), pd.Series([], dtype="str"))

    @classmethod
    def of(
        cls,
        times: pd.Series,
        names: pd.Series,
        *,
        places: pd.Series | None = None,
        inner: pd.Series | None = None,
        ends: pd.Series | None = None,
    ) -> Firings:
        """Take columns in any order.

        Parameters
        ----------
        times : Series of datetime
            When each alert fired; with a time zone, complete.
        names : Series
            Its node: text or category, complete.
        places : Series, optional
            Where it fired, text or category; null is the place "". Default: all at one place.
        inner : Series of bool, optional
            Whether it says that the node itself is in trouble (null: no). Default: none does.
        ends : Series of datetime, optional
            When it ended, null: open or not known.

        Returns
        -------
        Firings
            Sorted by time.

        Raises
        ------
        SchemaError
            Columns differ in length, a time or name is null, or times have no zone.
        """
        count = len(times)
        columns = {"names": names, "places": places, "inner": inner, "ends": ends}
        if wrong := [name for name, column in columns.items() if column is not None and len(column) != count]:
            raise SchemaError(f"firings: {wrong} must have as many rows as times: {count}")
        codes, node_names = _coded(names)
        at, place_names = (
            (np.zeros(count, np.int32), names_of([NOWHERE])) if places is None else _coded(places, null=NOWHERE)
        )
        return cls(
            _micros(times),
            codes,
            at,
            np.zeros(count, bool) if inner is None else inner.astype("boolean").fillna(value=False).to_numpy(bool),
            np.full(count, OPEN) if ends is None else _micros(ends, null=True),
            node_names,
            place_names,
        )._by_time()

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Firings:
        """Return the firings that `to_frame` gave."""
        if missing := [name for name in ("starts_at", "node") if name not in frame.columns]:
            raise SchemaError(f"firings: columns {missing} are missing; columns are {list(frame.columns)[:20]}")
        place, inner, ends = (frame.get(name) for name in ("place", "inner", "ends_at"))
        return cls.of(frame["starts_at"], frame["node"], places=place, inner=inner, ends=ends)

    def to_frame(self) -> pd.DataFrame:
        """Return `starts_at`, `node` and, where there are any, `place`, `inner` and `ends_at`."""
        columns = {"starts_at": stamps(self.times), "node": text(self.nodes, self.node_names)}
        if not self.place_names.equals(names_of([NOWHERE])):
            columns["place"] = text(self.places, self.place_names)
        if self.inner.any():
            columns["inner"] = pd.Series(self.inner)
        if (self.ends != OPEN).any():
            columns["ends_at"] = stamps(self.ends)
        return pd.DataFrame(columns)

    def __len__(self) -> int:
        """Return how many alerts there are."""
        return len(self.times)

    def since(self, start: int) -> Firings:
        """Return those at or after `start`, in microseconds."""
        return self._picked(slice(int(np.searchsorted(self.times, start)), None))

    def until(self, stop: int) -> Firings:
        """Return those before `stop`, in microseconds."""
        return self._picked(slice(0, int(np.searchsorted(self.times, stop))))

    def nowhere(self) -> Firings:
        """Return the same, all at one place."""
        return replace(self, places=np.zeros_like(self.places), place_names=names_of([NOWHERE]))

    def __add__(self, other: Firings) -> Firings:
        """Return both, sorted by time; what is in both is there twice."""
        node_names = self.node_names.union(other.node_names)
        place_names = self.place_names.union(other.place_names)
        both = (self, other)
        return Firings(
            np.concatenate([part.times for part in both]),
            np.concatenate([codes_in(node_names, part.node_names)[part.nodes] for part in both]),
            np.concatenate([codes_in(place_names, part.place_names)[part.places] for part in both]),
            np.concatenate([part.inner for part in both]),
            np.concatenate([part.ends for part in both]),
            node_names,
            place_names,
        )._by_time()

    def _picked(self, rows: slice | Ints) -> Firings:
        return replace(
            self,
            times=self.times[rows],
            nodes=self.nodes[rows],
            places=self.places[rows],
            inner=self.inner[rows],
            ends=self.ends[rows],
        )

    def _by_time(self) -> Firings:
        if (self.times[1:] >= self.times[:-1]).all():
            return self
        return self._picked(np.argsort(self.times, kind="stable"))


def codes_in(names: pd.Index, part: pd.Index) -> Codes:
    """Return for each name of `part` its code in `names`."""
    return names.get_indexer(part).astype(np.int32)


def stamps(micros: Ints) -> pd.Series:
    """Return microseconds as UTC times."""
    return pd.Series(pd.DatetimeIndex(micros.astype("datetime64[us]"), tz="UTC"))


def text(codes: npt.NDArray[np.integer], names: pd.Index) -> pd.Series:
    """Return names as a category whose categories are all of `names`: a code a row, however long the names."""
    return pd.Series(pd.Categorical.from_codes(codes, categories=names))


def _micros(times: pd.Series, *, null: bool = False) -> Ints:
    if not isinstance(times.dtype, pd.DatetimeTZDtype) and not times.isna().all():
        raise SchemaError(
            f"firings: times must be datetimes with a zone, not {times.dtype}; see pandas.to_datetime(utc=True)"
        )
    if not null and (missing := int(times.isna().sum())):
        raise SchemaError(f"firings: {missing} of {len(times)} alerts have no time; leave them out")
    return pd.DatetimeIndex(times.astype(schema.TIME_DTYPE)).asi8


def _coded(names: pd.Series, *, null: str | None = None) -> tuple[Codes, pd.Index]:
    """Return codes and the sorted names they stand for; different values with the same text are the same name."""
    if isinstance(names.dtype, pd.CategoricalDtype):
        codes, labels = names.cat.codes.to_numpy(np.int64), names.cat.categories
    else:
        codes, labels = pd.factorize(names)
    if (codes < 0).any():
        if null is None:
            raise SchemaError(f"firings: {int((codes < 0).sum())} of {len(names)} alerts have no name; leave them out")
        labels = labels.astype("str").append(names_of([null]))
        codes = np.where(codes < 0, len(labels) - 1, codes)
    used = np.flatnonzero(np.bincount(codes, minlength=len(labels)))
    words = names_of(np.asarray(labels.astype("str")[used], object))
    found = words.unique().sort_values()
    code = np.zeros(len(labels), np.int32)
    code[used] = codes_in(found, words)
    return code[codes], found
