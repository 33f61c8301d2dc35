"""Rows of counts under sorted integer keys: the sparse sums that statistics are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stanza_lab.errors import ParameterError

Ints = npt.NDArray[np.int64]
Counts = npt.NDArray[np.unsignedinteger]

_ROWS = 1_000_000  # keys worked on at a time


@dataclass(frozen=True, eq=False)
class Sums:
    """Sorted, distinct keys, and for each a row of counts that are not all zero, as narrow as they fit."""

    keys: Ints
    counts: Counts

    @classmethod
    def none(cls, width: int) -> Sums:
        """Return the sums of nothing."""
        return cls(np.zeros(0, np.int64), np.zeros((0, width), np.uint8))

    @classmethod
    def of(cls, keys: Ints, counts: npt.NDArray[np.integer]) -> Sums:
        """Take sorted, distinct keys and their counts, 0 or more."""
        some = counts.any(axis=1)
        if not some.all():
            keys, counts = keys[some], counts[some]
        return cls(keys, counts.astype(narrowest(int(counts.max(initial=0))), copy=False))

    @classmethod
    def join(cls, parts: Iterable[Sums]) -> Sums:
        """Put one or more behind each other whose keys follow each other. Taken one by one, none is held twice."""
        keys, counts = np.empty(0, np.int64), np.empty((0, 0), np.uint8)
        for part in parts:
            before, rows = len(keys), len(keys) + len(part.keys)
            if part.counts.dtype.itemsize > counts.dtype.itemsize:
                counts = counts.astype(part.counts.dtype)
            keys.resize(rows, refcheck=False)  # in place: nobody else has seen them
            counts.resize((rows, part.counts.shape[1]), refcheck=False)
            keys[before:], counts[before:] = part.keys, part.counts
        return cls(keys, counts)

    def equals(self, other: Sums) -> bool:
        """Return whether both hold the same counts."""
        return np.array_equal(self.keys, other.keys) and np.array_equal(self.counts, other.counts)

    def __getitem__(self, rows: slice | npt.NDArray[np.bool_]) -> Sums:
        """Return some of the rows."""
        counts = self.counts[rows]
        most = int(counts.max(initial=0)) if self.counts.dtype != np.uint8 else 0
        return Sums(self.keys[rows], counts.astype(narrowest(most), copy=False))

    def __add__(self, other: Sums) -> Sums:
        """Return the counts of both, added where a key is in both."""
        many, few = (self, other) if len(self.keys) >= len(other.keys) else (other, self)
        if not len(few.keys):
            return many
        low, high = many._overlap(few)
        return Sums.join([many[:low], _added(many[low:high], few), many[high:]])

    def __sub__(self, other: Sums) -> Sums:
        """Take counts away.

        Raises
        ------
        ParameterError
            A count would be below 0.
        """
        if not len(other.keys):
            return self
        low, high = self._overlap(other)
        keys, counts = self.keys[low:high], self.counts[low:high].copy()
        at = np.searchsorted(keys, other.keys)
        if at[-1] >= len(keys) or (keys[at] != other.keys).any() or (counts[at] < other.counts).any():
            raise ParameterError("the statistics to take away are not part of these")
        counts[at] = counts[at] - other.counts.astype(counts.dtype)
        return Sums.join([self[:low], Sums.of(keys, counts), self[high:]])

    def _overlap(self, other: Sums) -> tuple[int, int]:
        """Return the rows within the reach of the keys of `other`."""
        low, high = np.searchsorted(self.keys, other.keys[[0]]), np.searchsorted(self.keys, other.keys[[-1]], "right")
        return int(low[0]), int(high[0])


def _added(a: Sums, b: Sums) -> Sums:
    keys = np.union1d(a.keys, b.keys)
    most = sum(int(part.counts.max(initial=0)) for part in (a, b))
    counts = np.zeros((len(keys), b.counts.shape[1]), narrowest(most))
    for part in (a, b):
        at = np.searchsorted(keys, part.keys)
        counts[at] = counts[at] + part.counts.astype(counts.dtype)
    return Sums.of(keys, counts)


def narrowest(most: int) -> np.dtype:
    """Return the narrowest unsigned type that holds `most`."""
    return np.dtype(np.min_scalar_type(most))


def pack(period: Ints, a: npt.NDArray[np.integer], b: npt.NDArray[np.integer], sizes: tuple[int, int]) -> Ints:
    """Return keys that sort by period, then by the codes `a` (below the first size), then `b`."""
    return np.asarray((period * sizes[0] + a) * sizes[1] + b, np.int64)


def unpack(keys: Ints, sizes: tuple[int, int]) -> tuple[Ints, Ints, Ints]:
    """Return the periods and both codes that the keys were packed of."""
    rest, b = np.divmod(keys, max(sizes[1], 1))
    period, a = np.divmod(rest, max(sizes[0], 1))
    return period, a, b


def packable(periods: Ints, most: int) -> bool:
    """Return whether keys of these periods, and up to `most` combinations of codes in each, fit an integer."""
    far = max((abs(int(period)) + 1 for period in periods[[0, -1]]), default=0) if len(periods) else 0
    return far * most < 2**63


def recoded(
    keys: Ints,
    sizes: tuple[int, int],
    codes: tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]],
    new: tuple[int, int],
) -> Ints:
    """Return keys whose codes are replaced, in increasing order, so that they stay sorted."""
    found = np.empty_like(keys)
    for low in range(0, len(keys), _ROWS):
        period, a, b = unpack(keys[low : low + _ROWS], sizes)
        found[low : low + _ROWS] = pack(period, codes[0][a], codes[1][b], new)
    return found
