"""Every alert with its place, without any merging: what a point process over places is fitted to. A multiset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stanza_lab.errors import ParameterError

if TYPE_CHECKING:
    from stanza_lab.dependencies.statistics.firings import Codes, Firings, Ints


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Alerts sorted by start, end, place, node; the same one twice is there twice.

    Parameters
    ----------
    starts, ends : array of int64
        Microseconds; an end of `OPEN` (it sorts first) is not known.
    places, nodes : array of int32
        Codes.
    """

    starts: Ints
    ends: Ints = field(repr=False)
    places: Codes = field(repr=False)
    nodes: Codes = field(repr=False)

    @classmethod
    def of(cls, firings: Firings) -> Arrivals:
        """Take every alert."""
        return cls(firings.times, firings.ends, firings.places, firings.nodes).ordered()

    @classmethod
    def none(cls) -> Arrivals:
        """Return no alerts."""
        nothing, codes = np.zeros(0, np.int64), np.zeros(0, np.int32)
        return cls(nothing, nothing, codes, codes)

    @property
    def columns(self) -> tuple[npt.NDArray[np.integer], ...]:
        """Starts, ends, places, nodes."""
        return self.starts, self.ends, self.places, self.nodes

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.starts)

    def __getitem__(self, rows: slice | npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Arrivals:
        """Return some of them."""
        return Arrivals(self.starts[rows], self.ends[rows], self.places[rows], self.nodes[rows])

    def ordered(self) -> Arrivals:
        """Return the same in order."""
        return self[np.lexsort(self.columns[::-1])]

    def recoded(self, nodes: Codes, places: Codes) -> Arrivals:
        """Return the same with each code replaced."""
        return Arrivals(self.starts, self.ends, places[self.places], nodes[self.nodes])

    def equals(self, other: Arrivals) -> bool:
        """Return whether both hold the same alerts."""
        return all(np.array_equal(a, b) for a, b in zip(self.columns, other.columns, strict=True))

    def __add__(self, other: Arrivals) -> Arrivals:
        """Return those of both."""
        earlier, later = self._before(other), self._from(other)
        return earlier._then(later._then(other).ordered())

    def __sub__(self, other: Arrivals) -> Arrivals:
        """Take each alert of `other` away once."""
        if not len(other):
            return self
        earlier, later = self._before(other), self._from(other)
        both = later._then(other)
        order = np.lexsort(both.columns[::-1])
        taken = (order >= len(later)).astype(np.int64)
        both = both[order]
        new = np.zeros(len(order), bool)
        new[0] = True
        for column in both.columns:
            new[1:] |= column[1:] != column[:-1]
        starts = np.flatnonzero(new)
        left = np.add.reduceat(1 - 2 * taken, starts)
        if (left < 0).any():
            raise ParameterError("the statistics to take away are not part of these: an alert is not in both")
        return earlier._then(both[np.repeat(starts, left)])

    def _before(self, other: Arrivals) -> Arrivals:
        """Return those before the first of `other`, which adding and taking away leave as they are."""
        return self[: np.searchsorted(self.starts, other.starts[0])] if len(other) else self

    def _from(self, other: Arrivals) -> Arrivals:
        return self[len(self._before(other)) :]

    def _then(self, other: Arrivals) -> Arrivals:
        return Arrivals(*(np.concatenate(both) for both in zip(self.columns, other.columns, strict=True)))
