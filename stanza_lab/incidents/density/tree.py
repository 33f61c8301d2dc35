"""The hierarchy of times: when which alerts join, and the clusters that are left of it.

Times and distances carry whatever unit the caller counts in. Whole numbers below 2**53 are exact, so microseconds are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Merges:
    """The single-linkage hierarchy of mutual reachability, nearest merge first.

    Merge ``i`` joins the nodes `first[i]` and `second[i]` at `distance[i]` into node ``n + i`` of `size[n + i]` alerts;
    nodes below ``n`` are alerts, by position in the sorted times.
    """

    first: np.ndarray
    second: np.ndarray
    distance: np.ndarray
    size: np.ndarray


@dataclass(frozen=True)
class Clusters:
    """What is left of a hierarchy when only splits into large parts count. Cluster 0 is everything.

    Per alert, in time: the `cluster` it leaves last and the distance `left_at`. Per cluster: its `parent` (-1: none),
    the distances at which it splits off (`born_at`) and ends (`ended_at`), its `size` and `stability`.
    """

    cluster: np.ndarray
    left_at: np.ndarray
    parent: np.ndarray
    born_at: np.ndarray
    ended_at: np.ndarray
    size: np.ndarray
    stability: np.ndarray


def merge(times: np.ndarray, *, neighbours: int) -> Merges:
    """Return the hierarchy of two or more sorted `times`, exactly.

    An alert's core distance is that to its `neighbours`-th nearest other, or to the furthest when there are fewer.
    """
    from stanza_lab.incidents.density import _kernels

    n = len(times)
    core = _kernels.core_distances(times, min(neighbours, n - 1))
    left, right, distance = _kernels.links(times, core)
    order = np.argsort(distance, kind="stable")
    return joined(left[order], right[order], distance[order], n)


def joined(left: np.ndarray, right: np.ndarray, distance: np.ndarray, n: int) -> Merges:
    """Return the hierarchy of `n` alerts from the n - 1 links of a spanning tree, nearest first."""
    from stanza_lab.incidents.density import _kernels

    first, second, size = _kernels.merges(left, right, n)
    return Merges(first, second, distance, size)


def condense(merges: Merges, *, min_alerts: int, closest: float = 0.0, furthest: float | None = None) -> Clusters:
    """Return the clusters of at least `min_alerts` alerts.

    No distance counts as less than `closest`. Nothing joins beyond `furthest`: the blocks that this leaves hang apart
    under cluster 0, each a cluster of its own.
    """
    from stanza_lab.incidents.density import _kernels

    n = len(merges.distance) + 1
    in_blocks = furthest is not None
    if in_blocks and n < min_alerts:
        return alone(n)
    distance = np.maximum(merges.distance, closest)
    if in_blocks:
        distance = np.where(distance > furthest, np.inf, distance)
    return Clusters(*_kernels.condense(merges.first, merges.second, distance, merges.size, min_alerts, in_blocks))


def alone(n: int) -> Clusters:
    """Return the hierarchy of `n` alerts that nothing joins."""
    everything, nowhere = np.full(1, n), np.full(1, np.inf)
    return Clusters(
        cluster=np.zeros(n, dtype=np.int64),
        left_at=np.full(n, np.inf),
        parent=np.full(1, -1),
        born_at=nowhere,
        ended_at=nowhere,
        size=everything,
        stability=np.zeros(1),
    )


def chosen(clusters: Clusters) -> np.ndarray:
    """Return for each cluster the chosen one that holds it, by excess of mass; -1: none."""
    from stanza_lab.incidents.density import _kernels

    return _kernels.choose(clusters.parent, clusters.stability)


def flat(clusters: Clusters) -> tuple[np.ndarray, np.ndarray]:
    """Return label and membership strength of each alert, in time.

    Labels count from 0 in the order of each cluster's first alert; -1 is noise, with strength 0.
    """
    from stanza_lab.incidents.density import _kernels

    own = chosen(clusters)[clusters.cluster]
    labels = _kernels.number(own)
    end = clusters.ended_at[own]
    reached = np.maximum(clusters.left_at, end)
    strength = np.ones(len(own))
    np.divide(end, reached, out=strength, where=(reached > 0) & np.isfinite(reached))
    return labels, np.where(labels < 0, 0.0, strength)


def table(clusters: Clusters, rows: np.ndarray, *, alerts: int, unit_s: float) -> pd.DataFrame:
    """Return the condensed tree as a table: a row per alert and per cluster but the first (see `TimeClusterer`).

    `rows` says which of the `alerts` rows each position is; rows that it leaves out leave cluster 0 at once. One step
    of time is `unit_s` seconds long.
    """
    unknown = np.setdiff1d(np.arange(alerts), rows)
    born = np.arange(1, len(clusters.parent))
    frame = pd.DataFrame(
        {
            "parent": np.concatenate([clusters.parent[1:], clusters.cluster, np.zeros_like(unknown)]) + alerts,
            "child": np.concatenate([born + alerts, rows, unknown]),
            "distance_s": np.concatenate([clusters.born_at[1:], clusters.left_at, np.full(len(unknown), np.inf)])
            * unit_s,
            "size": np.concatenate([clusters.size[1:], np.ones(alerts, dtype=np.int64)]),
        }
    )
    order = np.lexsort([frame["child"], -frame["distance_s"], frame["parent"]])
    return frame.iloc[order].reset_index(drop=True)
