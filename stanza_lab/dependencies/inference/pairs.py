"""The pairs that ever fired together: their counts as arrays, against what chance would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from stanza_lab.dependencies.statistics import LAG_EDGES, LAGS
from stanza_lab.errors import ParameterError

if TYPE_CHECKING:
    from stanza_lab.dependencies.statistics import CoFiringStatistics

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SIDE = len(LAGS) // 2
MANY_NODES = 300  # above it pairs that nothing speaks for are not looked at
NO_MORE_THAN_CHANCE = 0.3  # p-value from which a pair of so many nodes is left out; once in all has .21
MOST_NODES = 5_000  # every node is weighed against every other, in matrices
SAME_HOURS = 4.0  # times as often in the same hour of the day as if spread evenly: office hours alone give less than 2
CLOSE = slice(2, -2)  # lag bins up to a fifth of the window


@dataclass(frozen=True, eq=False)
class PairCounts:
    """One entry per pair `a` < `b` (places in `nodes`) that co-fired, sorted.

    Attributes
    ----------
    nodes : Index of str
        Names, sorted.
    fired : array of float, one per node
        Firings.
    a, b : array of int
        The pair.
    table : DataFrame
        The counts as `CoFiringStatistics.pairs` gives them.
    histogram : array (pairs, lag bins)
        Signed lags, positive: `b` fired after `a`.
    expected : array
        Co-firings by chance.
    p_value, q_value : array
        Of as many by chance; corrected over all pairs of nodes.
    window_s : float
        Longest lag.
    """

    nodes: pd.Index
    fired: Floats
    a: Ints
    b: Ints
    table: pd.DataFrame
    histogram: Floats
    expected: Floats
    p_value: Floats
    q_value: Floats
    window_s: float

    @classmethod
    def of(cls, statistics: CoFiringStatistics) -> PairCounts:
        """Sum the slices and compare with chance.

        Expected by chance is the largest of three estimates. From the flanks: firings of both in the same block but not
        within the window tell the local rate, whatever the hour of the day and the state of production (half a count is
        added, for an empty flank is no proof). From the rates of each in every slice. And where both keep to the same
        hours of the day (jobs of the night), from how often that alone brings them into one hour. The p-value is the
        Poisson probability of at least as many co-firings.
        """
        nodes = statistics.nodes
        if len(nodes) > MOST_NODES:
            raise ParameterError(
                f"{len(nodes):,} nodes; at most {MOST_NODES:,} can be weighed against each other: leave some out, or "
                "pass a coarser node="
            )
        table = statistics.pairs()
        a, b = nodes.get_indexer(pd.Index(table["a"])), nodes.get_indexer(pd.Index(table["b"]))
        fired = statistics.totals()["firings"].to_numpy(np.float64)
        counting = statistics.counting
        in_block, in_slice = (matrix[a, b] if len(table) else np.zeros(0) for matrix in statistics.together())
        window, block = counting.window, counting.block
        flank = (in_block - table["same_block"].to_numpy() + 0.5) * block / (block - window) ** 2
        expected = 2 * window * np.maximum(flank, in_slice / counting.slice)
        expected = np.maximum(expected, table["cofirings"].to_numpy() * _by_rhythm(statistics, a, b, in_block))
        p_value = stats.poisson.sf(table["cofirings"].to_numpy() - 1, expected)
        q_value = _discoveries(p_value, tried=len(nodes) * (len(nodes) - 1) // 2)
        if len(nodes) > MANY_NODES:  # pairs that come together no more than by chance only cost
            keep = p_value < NO_MORE_THAN_CHANCE
            table, a, b = table[keep].reset_index(drop=True), a[keep], b[keep]
            expected, p_value, q_value = expected[keep], p_value[keep], q_value[keep]
        histogram = table[LAGS].to_numpy(np.float64)
        return cls(nodes, fired, a, b, table, histogram, expected, p_value, q_value, window / 1e6)

    def __len__(self) -> int:
        return len(self.a)

    @property
    def cofirings(self) -> Floats:
        """Return how often the two fired within the window of each other."""
        return self.table["cofirings"].to_numpy(np.float64)

    @property
    def ahead(self) -> Floats:
        """Return the co-firings in which `a` fired before `b`."""
        return np.asarray(self.histogram[:, _SIDE + 1 :].sum(axis=1))

    @property
    def behind(self) -> Floats:
        """Return the co-firings in which `a` fired after `b`."""
        return np.asarray(self.histogram[:, :_SIDE].sum(axis=1))

    @property
    def at_once(self) -> Floats:
        """Return the co-firings at one instant."""
        return self.histogram[:, _SIDE]

    @property
    def overlap(self) -> Floats:
        """Return by how much the windows after both overlap, summed over co-firings, in windows."""
        middle = (LAG_EDGES[:-1] + LAG_EDGES[1:]) / 2
        return np.asarray(self.histogram @ (1 - np.concatenate([middle[::-1], [0.0], middle])))

    @property
    def close(self) -> Floats:
        """Return the share of co-firings within a fifth of the window, drawn to a half when there are few."""
        return np.asarray((self.histogram[:, CLOSE].sum(axis=1) + 1) / (self.histogram.sum(axis=1) + 2))

    def lag_quantile(self, share: float) -> Floats:
        """Return a quantile of each signed lag histogram, in seconds, interpolated within its bin.

        Between two bins it is the middle of the gap, so that it changes its sign when a and b change places.
        """
        below = self._lag_below(self.histogram, share)
        return np.asarray((below - self._lag_below(self.histogram[:, ::-1], 1 - share)) / 2)

    def _lag_below(self, histogram: Floats, share: float) -> Floats:
        """Return the least lag at which a share of each histogram is reached."""
        edges = np.concatenate([-LAG_EDGES[:0:-1], [0.0, 0.0], LAG_EDGES[1:]]) * self.window_s
        wanted = histogram.sum(axis=1) * share
        below = np.cumsum(histogram, axis=1)
        at = (below < wanted[:, None]).sum(axis=1)
        rows = np.arange(len(self))
        inside = (wanted - below[rows, at] + histogram[rows, at]) / histogram[rows, at]
        return np.asarray(edges[at] + inside * (edges[at + 1] - edges[at]))


def _by_rhythm(statistics: CoFiringStatistics, a: Ints, b: Ints, in_block: Floats) -> Floats:
    """Return what share of the co-firings of each pair its hours of the day explain, 0 where they hardly overlap.

    Two nodes that keep to one hour of the day, each on its own, come into one block as often as their hours say. Within
    the hour they may be closer still, which counts cannot tell; so of their co-firings the same share is put down to
    the rhythm as of their meetings in one block. With places, kinds of alarm are compared otherwise.
    """
    if statistics.counting.near is not None or not len(a):
        return np.zeros(len(a))
    by_hour, days = statistics.by_hour()
    # Only pairs of different days tell of the rhythm: those of one hour of one day are what is to be explained.
    apart = np.einsum("pk,pk->p", by_hour[a], by_hour[b]) - in_block
    meet = np.maximum(apart, 0.0) / max(days - 1, 1)
    fired = by_hour.sum(axis=1)
    evenly = fired[a] * fired[b] / (days * by_hour.shape[1])
    return np.where(meet >= SAME_HOURS * evenly, np.minimum(meet / np.maximum(in_block, 1.0), 1.0), 0.0)


def _discoveries(p_value: Floats, *, tried: int) -> Floats:
    """Return q-values by Benjamini and Hochberg over `tried` pairs, of which all others have a p-value of 1."""
    order = np.argsort(p_value, kind="stable")
    raised = p_value[order] * tried / np.arange(1, len(p_value) + 1)
    q_value = np.ones(len(p_value))
    q_value[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return q_value
