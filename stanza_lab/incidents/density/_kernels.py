"""The loops over sorted times that cannot be written as columns. Loading this module loads numba.

Every array is new, contiguous, and of one dtype per name, so that each loop compiles once (and is then read from the
cache beside this file). A *node* is an alert (0 to n - 1) or a merge (n to 2n - 2), as in scipy's linkage matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np

Loop = TypeVar("Loop", bound=Callable)

# Sums that are equal but for rounding are equal: no unit and no order of adding may decide what an incident is.
ROUNDING = 1e-9


def compiled(loop: Loop) -> Loop:
    """Compile `loop` on its first call; keep its type for those who call it."""
    return cast("Loop", numba.njit(cache=True, nogil=True)(loop))


@compiled
def core_distances(times: np.ndarray, neighbours: int) -> np.ndarray:
    """Return the distance from each of the sorted `times` to its `neighbours`-th nearest other.

    The nearest neighbours of a time stand beside it: they and it are one window of ``neighbours + 1`` times. Its best
    place never moves back from one time to the next, so all windows together take one pass.
    """
    n = times.size
    core = np.empty(n)
    start = 0
    for i in range(n):
        start = max(start, i - neighbours)
        reach = max(times[i] - times[start], times[start + neighbours] - times[i])
        while start < min(i, n - 1 - neighbours):
            further = max(times[i] - times[start + 1], times[start + 1 + neighbours] - times[i])
            if further > reach:
                break
            start += 1
            reach = further
        core[i] = reach
    return core


@compiled
def links(times: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return n - 1 links (left, right, distance) with the single-linkage hierarchy of mutual reachability.

    At any level only the times whose core distance is within it take part, and two of them that are neighbours among
    those join when their gap is within it too. So a pair counts when every time between has the larger core distance.
    Gaps between consecutive times are not enough: a lone alert between two bursts has a core distance beyond the gap
    between the bursts, which join over its head.

    The stack holds times whose core distances do not fall, each with its distance to the one below. Before a time i
    with a smaller core distance, the top j sees no further to the right: it hangs on its nearer neighbour, p below or
    i, by one link, and what joins p and i is the shorter of their own distance and the way over j.
    """
    n = times.size
    left, right, distance = np.empty(n - 1, np.int32), np.empty(n - 1, np.int32), np.empty(n - 1)
    stack, to_below = np.empty(n, np.int32), np.empty(n)
    count = depth = 0
    for i in range(n):
        ahead = np.inf  # from the top of the stack to i
        while depth > 0:
            j = stack[depth - 1]
            ahead = min(ahead, max(core[i], core[j], times[i] - times[j]))
            if core[j] <= core[i]:
                break
            depth -= 1
            below = to_below[depth]
            if below <= ahead:
                left[count], right[count], distance[count] = stack[depth - 1], j, below
            else:
                left[count], right[count], distance[count] = j, i, ahead
            count += 1
            ahead = max(ahead, below)
        stack[depth], to_below[depth] = i, ahead
        depth += 1
    while depth > 1:
        depth -= 1
        left[count], right[count], distance[count] = stack[depth - 1], stack[depth], to_below[depth]
        count += 1
    return left, right, distance


@compiled
def merges(left: np.ndarray, right: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join `n` alerts by the n - 1 links of a tree, in order; return both nodes of each merge, and all sizes."""
    above = np.arange(n).astype(np.int32)  # union-find: the way to the alert that stands for the group
    node, alerts = above.copy(), np.ones(n, np.int32)  # of the group that an alert stands for
    first, second = np.empty(n - 1, np.int32), np.empty(n - 1, np.int32)
    size = np.ones(2 * n - 1, np.int32)
    for k in range(n - 1):
        a, b = left[k], right[k]
        while above[a] != a:
            above[a] = above[above[a]]
            a = above[a]
        while above[b] != b:
            above[b] = above[above[b]]
            b = above[b]
        first[k], second[k] = node[a], node[b]
        if alerts[a] < alerts[b]:
            a, b = b, a
        above[b] = a
        alerts[a] += alerts[b]
        node[a], size[n + k] = n + k, alerts[a]
    return first, second, size


@compiled
def density(distance: float) -> float:
    """Return HDBSCAN's lambda."""
    return 1.0 / distance if distance > 0.0 else np.inf


@compiled
def condense(
    first: np.ndarray,
    second: np.ndarray,
    distance: np.ndarray,
    size: np.ndarray,
    min_alerts: int,
    in_blocks: bool,  # noqa: FBT001 (numba knows no keyword-only arguments)
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Walk down the hierarchy and keep only the splits that leave groups of `min_alerts`, called clusters.

    Merges at one distance are one node: it falls into all its parts at once, whatever order they were joined in.
    `in_blocks`: what joins at an infinite distance is apart, and each part large enough is a cluster even when alone.

    Returns the cluster that each alert leaves last and the distance at which it does; and of each cluster its parent,
    the distance at which it splits off, that at which the last alerts leave it, its size and stability. Cluster 0 is
    everything.
    """
    nodes = size.size
    n = (nodes + 1) // 2
    cluster = np.full(nodes, -1, np.int32)  # -1: within a merge at the same distance, or gone
    left_from = np.full(nodes, -1, np.int32)  # the node it fell out of, itself or as part of something small
    parts = np.empty(n, np.int32)
    room = 2 * (n // min_alerts) + 3
    parent, alerts, stability = np.full(room, -1, np.int64), np.zeros(room, np.int64), np.zeros(room)
    born_at, ended_at = np.full(room, np.inf), np.full(room, np.inf)
    root, clusters = nodes - 1, 1
    cluster[root], alerts[0] = 0, n
    if in_blocks and distance[root - n] < np.inf:  # a single block
        cluster[root], parent[1], alerts[1], clusters = 1, 0, n, 2

    for top in range(root, n - 1, -1):
        if left_from[top] >= 0:
            left_from[first[top - n]] = left_from[second[top - n]] = left_from[top]
            continue
        own = cluster[top]
        if own < 0:
            continue
        at = distance[top - n]
        parts[0] = top
        found, k, large = 1, 0, 0
        while k < found:
            node = parts[k]
            if node >= n and distance[node - n] == at:
                parts[k], parts[found] = first[node - n], second[node - n]
                found += 1
            else:
                large += size[node] >= min_alerts
                k += 1
        splits = large > 1 or (in_blocks and at == np.inf)
        gain = density(at) - density(born_at[own])
        ended_at[own] = at
        for part in parts[:found]:
            if size[part] < min_alerts:
                left_from[part] = top
            elif splits:
                cluster[part] = clusters
                parent[clusters], born_at[clusters], alerts[clusters] = own, at, size[part]
                clusters += 1
            else:
                cluster[part] = own
                continue
            if at < np.inf:
                stability[own] += gain * size[part]

    left_from = left_from[:n]
    return (
        cluster[left_from].astype(np.int64),
        distance[left_from - n],
        parent[:clusters].copy(),
        born_at[:clusters].copy(),
        ended_at[:clusters].copy(),
        alerts[:clusters].copy(),
        stability[:clusters].copy(),
    )


@compiled
def choose(parent: np.ndarray, stability: np.ndarray) -> np.ndarray:
    """Return for each cluster the chosen one that holds it (-1: none), by excess of mass; everything is never chosen.

    Parents come before their children.
    """
    n = parent.size
    best, below = stability.copy(), np.zeros(n)
    chosen = np.full(n, -1, np.int64)
    for c in range(n - 1, 0, -1):
        if below[c] > best[c] * (1.0 + ROUNDING):
            best[c] = below[c]
        else:
            chosen[c] = c
        below[parent[c]] += best[c]
    for c in range(1, n):
        if chosen[parent[c]] >= 0:
            chosen[c] = chosen[parent[c]]
    return chosen


@compiled
def number(chosen: np.ndarray) -> np.ndarray:
    """Return `chosen` clusters numbered 0, 1, ... as they first appear; -1 stays."""
    numbers, found = np.full(chosen.size, -1, np.int64), np.full(chosen.size, -1, np.int64)
    count = 0
    for i in range(chosen.size):
        c = chosen[i]
        if c < 0:
            continue
        if numbers[c] < 0:
            numbers[c] = count
            count += 1
        found[i] = numbers[c]
    return found
