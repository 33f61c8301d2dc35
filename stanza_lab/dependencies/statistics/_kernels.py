"""The loops over sorted firings that cannot be written as columns. Loading this module loads numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np

Loop = TypeVar("Loop", bound=Callable)

ALL, INNER = 1, 2  # flags of an alert: starts an episode of the node; of its inner alerts
OCCASIONS, SAME_BLOCK, INNER_A, INNER_B, NO_LAG = 0, 1, 2, 3, 9  # columns of a row; NO_LAG in the midst of the lags
COUNTS = 15  # columns that are counts; behind them which of the last blocks were occasions


def compiled(loop: Loop) -> Loop:
    """Compile `loop` on its first call; keep its type for those who call it."""
    return cast("Loop", numba.njit(cache=True, nogil=True)(loop))


@compiled
def episode_starts(times: np.ndarray, groups: np.ndarray, inner: np.ndarray, refractory: int, count: int) -> np.ndarray:
    """Flag each of the sorted alerts that starts an episode of its group, of all alerts and of the inner ones."""
    flags = np.zeros(times.size, np.uint8)
    if times.size == 0:
        return flags
    long_ago = times[0] - refractory - 1
    last, last_inner = np.full(count, long_ago), np.full(count, long_ago)
    for k in range(times.size):
        group, time = groups[k], times[k]
        if time - last[group] > refractory:
            flags[k] |= ALL
        last[group] = time
        if inner[k]:
            if time - last_inner[group] > refractory:
                flags[k] |= INNER
            last_inner[group] = time
    return flags


@compiled
def _by_node(nodes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of every node in order, and where those of each node start."""
    starts = np.zeros(size + 1, np.int64)
    for node in nodes:
        starts[node + 1] += 1
    starts = np.cumsum(starts)
    at, order = starts.copy(), np.empty(nodes.size, np.int64)
    for i in range(nodes.size):
        order[at[nodes[i]]] = i
        at[nodes[i]] += 1
    return order, starts


@compiled
def _sorted(touched: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return the touched nodes in order: where they are many, by looking at every one."""
    if 16 * touched.size < there.size:
        return np.sort(touched)
    return np.flatnonzero(there)


@compiled
def _with_room(array: np.ndarray, rows: int) -> np.ndarray:
    """Return the array or, if it has fewer rows, a longer copy."""
    if array.shape[0] >= rows:
        return array
    larger = np.empty((max(rows, 2 * array.shape[0]), *array.shape[1:]), array.dtype)
    larger[: array.shape[0]] = array
    return larger


@compiled
def count_pairs(
    times: np.ndarray,
    nodes: np.ndarray,
    places: np.ndarray,
    flags: np.ndarray,
    near: np.ndarray,
    first: int,
    window: int,
    block: int,
    borders: np.ndarray,
    size: int,
    key: int,
    written: int,
    keys: np.ndarray,
    counts: np.ndarray,
) -> tuple[int, int, np.ndarray, np.ndarray]:
    """Count the co-firings of one slice: of the firings from `first` on with those up to `window` before.

    For each node a, the firings around each of its own are counted in a row for every other node b > a: so few rows are
    in use at a time that they stay in the cache. `borders` are those between the lag bins of one side, `key` is that of
    the first pair of the slice.

    Returns how many rows there are now, the largest count, and the last two arguments with them behind those `written`
    before, longer where they were too short: the key of each row, key + a x size + b, and its counts.
    """
    n, most, lowest, highest = times.size, 0, 0, 0
    low, high = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        while times[lowest] < times[i] - window:
            lowest += 1
        while highest < n and times[highest] <= times[i] + window:
            highest += 1
        low[i], high[i] = (lowest if i >= first else first), highest  # of two, at least one is in the slice
    order, starts = _by_node(nodes, size)
    rows = np.zeros((size, COUNTS + 1), np.int32)
    there, touched = np.zeros(size, np.bool_), np.empty(size, np.int64)
    first_block = times[0] // block
    for a in range(size):
        used = 0
        for k in range(starts[a], starts[a + 1]):
            x = order[k]
            time, place, flag = times[x], places[x], flags[x]
            block_of = time // block
            block_start = block_of * block
            for y in range(low[x], high[x]):
                b = nodes[y]
                if b <= a or not near[place, places[y]] or not (flag | flags[y]) & ALL:
                    continue
                if not there[b]:
                    there[b] = True
                    touched[used] = b
                    used += 1
                if (flag | flags[y]) & INNER:
                    rows[b, INNER_A] += (flag & INNER and flags[y] & ALL) != 0
                    rows[b, INNER_B] += (flags[y] & INNER and flag & ALL) != 0
                    if not flag & flags[y] & ALL:
                        continue
                lag = times[y] - time
                late = abs(lag)
                step = (
                    (late > 0) + (late > borders[0]) + (late > borders[1]) + (late > borders[2]) + (late > borders[3])
                )
                rows[b, NO_LAG + step if lag > 0 else NO_LAG - step] += 1
                same = block_start <= times[y] < block_start + block
                rows[b, SAME_BLOCK] += same
                # Of the last blocks that were occasions: twice the latest (from 1), plus 1 if that before it was one.
                # The later firing is in the block of x or in the next, so an earlier one does not come back.
                occasion = block_of - first_block + (1 if same or lag < 0 else 2)
                latest = rows[b, COUNTS] >> 1
                if occasion > latest:
                    rows[b, COUNTS] = 2 * occasion + (latest == occasion - 1)
                    rows[b, OCCASIONS] += 1
                elif occasion < latest and not rows[b, COUNTS] & 1:
                    rows[b, COUNTS] |= 1
                    rows[b, OCCASIONS] += 1
        keys, counts = _with_room(keys, written + used), _with_room(counts, written + used)
        for b in _sorted(touched[:used], there):
            keys[written] = key + a * size + b
            for c in range(COUNTS):
                counts[written, c] = rows[b, c]
                most = max(most, rows[b, c])
            rows[b] = 0
            there[b] = False
            written += 1
    return written, most, keys, counts


@compiled
def add_rows(counts: np.ndarray, at: np.ndarray, sums: np.ndarray) -> None:
    """Add each row of counts to the row of the sums that it belongs to."""
    for k in range(at.size):
        row = sums[at[k]]
        for c in range(counts.shape[1]):
            row[c] += counts[k, c]


@compiled
def near_rows(starts: np.ndarray, places: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return as a sparse matrix (pointers, columns) which rows of one period are at places near each other.

    Period k has the rows from ``starts[k]`` up to ``starts[k + 1]``.
    """
    pointers = np.zeros(places.size + 1, np.int64)
    for k in range(starts.size - 1):
        for i in range(starts[k], starts[k + 1]):
            found = 0
            for j in range(starts[k], starts[k + 1]):
                found += near[places[i], places[j]]
            pointers[i + 1] = pointers[i] + found
    columns, found = np.empty(pointers[-1], np.int64), 0
    for k in range(starts.size - 1):
        for i in range(starts[k], starts[k + 1]):
            for j in range(starts[k], starts[k + 1]):
                if near[places[i], places[j]]:
                    columns[found] = j
                    found += 1
    return pointers, columns
