"""How likely one service reaches another over links that are only probable: many draws of the map, walked at once.

A path is as sure as all its links together, and two paths may share a link: multiplying and adding up paths would
count it twice. So the map is drawn many times, each link there or not as likely as it is, and counted is how often a
service is reached. All draws are walked together, one bit each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.production import links

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bits = NDArray[np.uint64]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DRAWS = 2048  # of the map: probabilities are off by 0.01 at most times
_SEED = 0


@dataclass(frozen=True)
class Arcs:
    """The ways trouble may take: from `dst` to `src`, which depends on it with `probability`; sorted by `src`."""

    names: pd.Index  # of the services, in the order of their numbers
    src: Ints
    dst: Ints
    probability: Floats
    lag_s: Floats  # from dst to src
    drawn: Bits  # a row of bits per arc: in which draws of the map it is there

    @classmethod
    def of(cls, pairs: pd.DataFrame, names: pd.Index, *, draws: int = DRAWS) -> Arcs:
        """Return the arcs of links between services `names`, each link drawn once for both its ways.

        The two ways of a link exclude each other, unless they are likelier than that allows.
        """
        forward, back = (way.to_numpy("float64") for way in links.ways(pairs))
        luck = _luck(len(pairs), draws, _SEED)
        there = np.vstack([packed(luck < _of_65536(forward)), packed(luck >= 65_536 - _of_65536(back))])
        ends = names.get_indexer(pd.Index(pairs["src"])), names.get_indexer(pd.Index(pairs["dst"]))
        lag = pairs["lag_s"].to_numpy("float64")
        src, dst = np.concatenate(ends), np.concatenate(ends[::-1])
        probability = np.concatenate([forward, back])
        order = np.flatnonzero(probability > 0)
        order = order[np.lexsort((dst[order], src[order]))]
        lag_s = np.concatenate([lag, -lag])[order]
        return cls(names, src[order], dst[order], probability[order], lag_s, there[order])

    def thinned(self, share: float) -> Arcs:
        """Return the arcs with each kept in a draw with probability `share` only: trouble does not always travel."""
        luck = _luck(len(self.src), self.drawn.shape[1] * 64, _SEED + 1)
        return replace(self, drawn=self.drawn & packed(luck < round(share * 65_536)))

    def turned(self) -> Arcs:
        """Return the arcs the other way round: from a service to what it depends on."""
        order = np.lexsort((self.src, self.dst))
        kept = (self.probability[order], -self.lag_s[order], self.drawn[order])
        return Arcs(self.names, self.dst[order], self.src[order], *kept)

    def spread(self, start: int, *, hops: int) -> Floats:
        """Return how likely trouble at `start` reaches each service within `hops`."""
        return share(self.reached(start, hops=hops))

    def reached(self, start: int, *, hops: int) -> Bits:
        """Return in which draws trouble at `start` reaches each service within `hops`: a row of bits per service."""
        reached = np.zeros((len(self.names), self.drawn.shape[1]), dtype=np.uint64)
        reached[start] = ~np.uint64(0)
        if len(self.src):
            first = np.flatnonzero(np.r_[True, np.diff(self.src) > 0])
            for _ in range(hops):
                known = reached[self.src[first]]
                came = known | np.bitwise_or.reduceat(reached[self.dst] & self.drawn, first, axis=0)
                if np.array_equal(came, known):  # all that can be reached is
                    break
                reached[self.src[first]] = came
        return reached

    def ways(self, start: int, *, hops: int) -> list[list[int]]:
        """Return for each service the arcs of the likeliest way there within `hops`, first to last; empty: none."""
        entered = self._entered(start, hops)
        found = []
        for to in range(len(self.names)):
            way: list[int] = []
            for by in reversed(entered):
                if by[to] >= 0:
                    way.append(int(by[to]))
                    to = int(self.dst[by[to]])
            found.append(way[::-1])
        return found

    def _entered(self, start: int, hops: int) -> list[Ints]:
        """Return, for each number of hops from 1, the arc by which a likelier way enters each service; -1: none."""
        best = np.zeros(len(self.names))
        best[start] = 1.0
        entered = []
        for _ in range(hops):
            offered = best[self.dst] * self.probability
            order = np.lexsort((-offered, self.src))
            top = order[np.r_[True, np.diff(self.src[order]) > 0]] if len(order) else order
            better = top[offered[top] > best[self.src[top]] + 1e-12]
            if not len(better):
                break
            by = np.full(len(self.names), -1, dtype=np.int64)
            by[self.src[better]] = better
            best[self.src[better]] = offered[better]
            entered.append(by)
        return entered


def packed(bits: NDArray[np.bool_]) -> Bits:
    """Return a row of bits per row; the number of columns must be a multiple of 64."""
    return np.packbits(bits, axis=1).view(np.uint64)


def share(bits: Bits) -> Floats:
    """Return in which part of the draws each row is there."""
    part: Floats = np.bitwise_count(bits).sum(axis=1) / (64.0 * bits.shape[1])
    return part


def unpacked(bits: Bits) -> NDArray[np.bool_]:
    """Return a column per bit of each row: the other way round."""
    return np.unpackbits(bits.view(np.uint8), axis=1).view(np.bool_)


def _luck(rows: int, draws: int, seed: int) -> NDArray[np.uint16]:
    return np.random.default_rng(seed).integers(65_536, size=(rows, draws), dtype=np.uint16)


def _of_65536(probability: Floats) -> NDArray[np.int64]:
    return np.round(probability * 65_536).astype(np.int64)[:, None]
