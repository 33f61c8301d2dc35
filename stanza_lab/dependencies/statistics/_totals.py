"""Sum the rows of statistics over time: co-firings per pair, chances to co-fire per pair."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse

if TYPE_CHECKING:
    from stanza_lab.dependencies.statistics._sums import Ints, Sums

_ROWS = 1_000_000
_DENSE = 40_000_000  # pairs for which there is a place each
_NEAR = 10_000_000  # pairs of rows looked at at a time
_CELLS = 20_000_000  # of a dense matrix of periods x nodes


def pair_totals(pairs: Sums, size: int) -> tuple[Ints, Ints]:
    """Return a x size + b of every pair, sorted, and its counts summed over slices."""
    from stanza_lab.dependencies.statistics import _kernels

    every = size * size
    chunks = [slice(low, low + _ROWS) for low in range(0, len(pairs.keys), _ROWS)]
    if every <= _DENSE:
        there = np.zeros(every, bool)
        for rows in chunks:
            there[pairs.keys[rows] % every] = True
        found = np.flatnonzero(there)
    else:
        found = np.unique(pairs.keys % every)
    counts = np.zeros((len(found), pairs.counts.shape[1]), np.int64)
    for rows in chunks:
        _kernels.add_rows(pairs.counts[rows], np.searchsorted(found, pairs.keys[rows] % every), counts)
    return found, counts


def together(
    period: Ints,
    place: Ints,
    node: Ints,
    firings: npt.NDArray[np.unsignedinteger],
    near: npt.NDArray[np.bool_] | None,
    size: int,
) -> scipy.sparse.csr_array:
    """Count the pairs of firings in one period at places `near` each other (None: there are no places), by node.

    Rows are sorted by period.
    """
    period = np.cumsum(np.diff(period, prepend=period[:1]) > 0)
    if near is not None and not near.all():
        return _near_together(period, place, node, firings, near, size)
    periods = int(period[-1]) + 1 if len(period) else 0
    if len(period) < 0.05 * periods * size:
        matrix = scipy.sparse.csr_array((firings.astype(np.float64), (period, node)), shape=(periods, size))
        return (matrix.T @ matrix).tocsr()
    found = np.zeros((size, size))
    step = max(1, _CELLS // max(size, 1))
    for low in range(0, periods, step):
        rows = slice(*np.searchsorted(period, [low, low + step]))
        matrix = np.zeros((min(step, periods - low), size))
        np.add.at(matrix, (period[rows] - low, node[rows]), firings[rows])
        found += matrix.T @ matrix
    return scipy.sparse.csr_array(found)


def _near_together(
    period: Ints,
    place: Ints,
    node: Ints,
    firings: npt.NDArray[np.unsignedinteger],
    near: npt.NDArray[np.bool_],
    size: int,
) -> scipy.sparse.csr_array:
    """Count with places: a few periods at a time, for rows x rows at near places is large."""
    from stanza_lab.dependencies.statistics import _kernels

    # Rows of the matrix: what there is of periods x places, sorted by period.
    keys, row = np.unique(period * len(near) + place, return_inverse=True)
    period_of, place_of = np.divmod(keys, len(near))
    matrix = scipy.sparse.csr_array((firings.astype(np.float64), (row, node)), shape=(len(keys), size))
    starts = np.flatnonzero(np.diff(period_of, prepend=-1, append=-1))  # the last: behind the rows
    group = np.cumsum(np.diff(starts) ** 2) // _NEAR
    found = scipy.sparse.csr_array((size, size))
    for low, high in _runs(group):
        a, b = int(starts[low]), int(starts[high])
        pointers, columns = _kernels.near_rows(starts[low : high + 1] - a, place_of[a:b], near)
        nearby = scipy.sparse.csr_array((np.ones(len(columns)), columns, pointers), shape=(b - a, b - a))
        part = matrix[a:b]
        found = found + part.T @ (nearby @ part)
    return found.tocsr()


def _runs(group: Ints) -> list[tuple[int, int]]:
    """Return the ranges of equal values."""
    borders = [*np.flatnonzero(np.diff(group, prepend=-1)), len(group)]
    return [(int(low), int(high)) for low, high in itertools.pairwise(borders)]
