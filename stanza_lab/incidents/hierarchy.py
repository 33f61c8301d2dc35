"""The density hierarchy of alerts, exactly and without an n x n matrix.

The distance between two alerts is ``seconds apart + service_gap_s if the services differ + team_gap_s if the teams
differ``. Only time is continuous, so neighbours are found by sorting. Take two alerts of different services and one
team: every alert of that team that fired between them is nearer to both than they are to each other. With `k` such
alerts between, the pair is needed neither for the distance to the k-th neighbour nor for the minimum spanning tree of
mutual reachability. The same holds for each of the four ways in which two alerts can share service and team, which
leaves four sorted chains with `k` links per alert: O(n k log n) instead of O(n^2), and the same tree.

HDBSCAN (Campello, Moulavi, Sander 2013, doi:10.1007/978-3-642-37456-2_14) then does its work on that tree.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from hdbscan import HDBSCAN
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    from stanza_lab.incidents.features import Features

FAR_S = 1e12  # between blocks that max_gap keeps apart
TIE_S = 1e-4  # what decides between equal distances


def neighbour_pairs(features: Features, *, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs (left, right) of positions, left before right, that the hierarchy can need."""
    n = len(features)
    found = [np.empty(0, dtype=np.int64)]
    for shared in product((False, True), repeat=features.attributes.shape[1]):
        keys = features.attributes[:, list(shared)]
        order = np.lexsort([np.arange(n), *keys.T])
        for step in range(1, min(k, n - 1) + 1):
            left, right = order[:-step], order[step:]
            same = (keys[left] == keys[right]).all(axis=1)
            found.append(left[same] * n + right[same])
    pairs = np.unique(np.concatenate(found))
    return pairs // max(n, 1), pairs % max(n, 1)


def pair_distances(
    features: Features, left: np.ndarray, right: np.ndarray, *, service_gap_s: float, team_gap_s: float
) -> np.ndarray:
    """Return the distance of each pair, in seconds."""
    apart = np.abs(features.seconds[right] - features.seconds[left])
    other = features.attributes[left] != features.attributes[right]
    return np.asarray(apart + other @ np.array([service_gap_s, team_gap_s]))


def core_distances(n: int, left: np.ndarray, right: np.ndarray, distances: np.ndarray, *, k: int) -> np.ndarray:
    """Return each alert's distance to its k-th neighbour; infinite where there are fewer."""
    ends, both = np.concatenate([left, right]), np.concatenate([distances, distances])
    order = np.lexsort([both, ends])
    first = np.searchsorted(ends[order], np.arange(n))
    kth = first + k - 1
    there = kth < np.searchsorted(ends[order], np.arange(n), side="right")
    core = np.full(n, np.inf)
    core[there] = both[order][kth[there]]
    return core


def reachability(
    apart: np.ndarray, core_left: np.ndarray, core_right: np.ndarray, *, resolution_s: float, max_gap_s: float
) -> np.ndarray:
    """Return HDBSCAN's mutual reachability of pairs, none finer than `resolution_s`, within which all pairs link."""
    reach = np.maximum.reduce([apart, core_left, core_right, np.full(len(apart), resolution_s)])
    return np.asarray(np.where(apart <= resolution_s, np.minimum(reach, max_gap_s), reach))


def spanning_forest(
    n: int, left: np.ndarray, right: np.ndarray, distances: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges (left, right, distance) of the minimum spanning forest, one tree per block of linked alerts.

    The pairs come sorted by (left, right). Of two equal distances in one block the earlier pair counts as the nearer,
    by less than `TIE_S`: the tree is unique, and nothing outside a block can change it.
    """
    block = connected_components(coo_array((distances, (left, right)), shape=(n, n)), directed=False)[1][left]
    by_block = pd.Series(block).groupby(block)
    tie = by_block.cumcount() / by_block.transform("size")
    distances = np.maximum(distances, TIE_S) + TIE_S * tie.to_numpy()
    tree = minimum_spanning_tree(csr_array((distances, (left, right)), shape=(n, n))).tocoo()
    return tree.coords[0], tree.coords[1], tree.data


def cut(n: int, forest: tuple[np.ndarray, np.ndarray, np.ndarray], *, min_alerts: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut the forest into incidents by HDBSCAN's excess of mass.

    Each tree is a block of its own; one of fewer than `min_alerts` is noise. A block that holds together is one
    incident: it competes with its parts on equal terms, while nothing above a block ever competes.

    Returns
    -------
    labels, probabilities : ndarray
        Incident (-1 = noise) and membership strength of each of the `n` positions.
    """
    left, right, distances = forest
    labels, probabilities = np.full(n, NOISE, dtype=np.int64), np.zeros(n)
    block = connected_components(coo_array((distances, (left, right)), shape=(n, n)), directed=False)[1]
    kept = np.flatnonzero(np.bincount(block)[block] >= min_alerts)
    if not len(kept):
        return labels, probabilities
    size = len(kept)
    place = np.full(n, NOISE)
    place[kept] = np.arange(size)
    inside = place[left] >= 0
    # HDBSCAN wants one tree. The blocks hang on each other by edges too long to matter, and behind the last one hangs
    # a block of nothing, so that the root, which HDBSCAN never selects, is never an incident.
    heads = np.unique(block[kept], return_index=True)[1]
    nothing = np.arange(size, size + min_alerts)
    i = np.concatenate([place[left[inside]], heads, nothing[:-1]])
    j = np.concatenate([place[right[inside]], heads[1:], nothing])
    d = np.concatenate([distances[inside], np.full(len(heads), FAR_S), np.ones(min_alerts - 1)])
    tree = csr_array((np.concatenate([d, d]), (np.concatenate([i, j]), np.concatenate([j, i]))))
    # on a tree of mutual reachability, the distance to the nearest neighbour never exceeds an edge: min_samples=1
    # leaves every edge as it is
    found = HDBSCAN(min_cluster_size=min_alerts, min_samples=1, metric="precomputed", core_dist_n_jobs=1).fit(tree)
    labels[kept], probabilities[kept] = found.labels_[:size], found.probabilities_[:size]
    return labels, probabilities


def number_by_first(labels: np.ndarray) -> np.ndarray:
    """Return `labels` numbered 0, 1, ... in the order in which they first appear; noise stays noise."""
    names, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.full(len(names), NOISE, dtype=np.int64)
    real = np.flatnonzero(names != NOISE)
    rank[real[np.argsort(first[real])]] = np.arange(len(real))
    return np.asarray(rank[codes])
