"""Count one stretch of time: its firings by block, its co-firings by slice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stanza_lab.dependencies.statistics._sums import Ints, Sums, narrowest, pack, packable
from stanza_lab.dependencies.statistics.counting import COUNTS, LAG_EDGES, Counting
from stanza_lab.errors import ParameterError

if TYPE_CHECKING:
    from stanza_lab.dependencies.statistics.firings import Firings

MOST_ROWS = 100_000_000
_ROOM = 250_000  # rows held at full width at a time, when a slice has no more


def count_stretch(
    firings: Firings, near: npt.NDArray[np.bool_], counting: Counting, start: int, stop: int
) -> tuple[Sums, Sums]:
    """Count the firings in [start, stop), and their co-firings with those up to a window before.

    Returns
    -------
    tuple of Sums
        By (block, node, place): firings, inner firings. By (slice, a, b): `COUNTS`.
    """
    sizes = len(firings.node_names), len(firings.place_names)
    near = np.array(near)  # what another process sent cannot be written to, and would be compiled for once more
    if not packable(np.array([start, stop]) // counting.block, sizes[0] * max(sizes)):
        raise ParameterError(f"{sizes[0]} nodes at {sizes[1]} places over so many slices: pass a longer slice=")
    flags = _flags(firings, counting)
    rows = np.flatnonzero((flags > 0) & (firings.times >= start - counting.window) & (firings.times < stop))
    times, nodes, places, flags = firings.times[rows], firings.nodes[rows], firings.places[rows], flags[rows]
    first = int(np.searchsorted(times, start))
    keys = pack(times[first:] // counting.block, nodes[first:], places[first:], sizes)
    by_block, where = np.unique(keys, return_inverse=True)
    both = [np.bincount(where, weights=flags[first:] & bit > 0, minlength=len(by_block)) for bit in (1, 2)]
    fired = Sums.of(by_block, np.column_stack(both).astype(np.int64))
    return fired, Sums.join(_pairs(times, nodes, places, flags, near, counting, first, sizes[0]))


def _flags(firings: Firings, counting: Counting) -> npt.NDArray[np.uint8]:
    """Flag the alerts that start an episode of their node and place."""
    from stanza_lab.dependencies.statistics import _kernels

    groups, count = firings.nodes.astype(np.int64), len(firings.node_names)
    if len(firings.place_names) > 1:
        found, groups = np.unique(groups * len(firings.place_names) + firings.places, return_inverse=True)
        count = len(found)
    return _kernels.episode_starts(np.array(firings.times), groups, np.array(firings.inner), counting.refractory, count)


def _pairs(
    times: Ints,
    nodes: npt.NDArray[np.int32],
    places: npt.NDArray[np.int32],
    flags: npt.NDArray[np.uint8],
    near: npt.NDArray[np.bool_],
    counting: Counting,
    first: int,
    size: int,
) -> Iterator[Sums]:
    """Count the co-firings of some slices at a time."""
    from stanza_lab.dependencies.statistics import _kernels

    slices = times[first:] // counting.slice
    starts = [*(first + np.flatnonzero(np.diff(slices, prepend=slices[:1] - 1))), len(times)]
    keys, counts = np.empty(_ROOM, np.int64), np.empty((_ROOM, len(COUNTS)), np.int32)
    borders = LAG_EDGES[1:-1] * counting.window
    rows = written = most = 0
    yield Sums.none(len(COUNTS))
    for low, high in itertools.pairwise(starts):
        back = int(np.searchsorted(times, times[low] - counting.window))
        key = int(times[low]) // counting.slice * size * size
        written, largest, keys, counts = _kernels.count_pairs(
            times[back:high], nodes[back:high], places[back:high], flags[back:high], near, low - back,
            counting.window, counting.block, borders, size, key, written, keys, counts,
        )  # fmt: skip
        most = max(most, largest)
        if rows + written > MOST_ROWS:
            raise ParameterError(
                f"more than {MOST_ROWS:,} rows, one per slice and pair that co-fired in it; pass a longer slice="
            )
        if written >= _ROOM or high == len(times):
            yield Sums(keys[:written].copy(), counts[:written].astype(narrowest(most)))
            rows, written, most = rows + written, 0, 0
