"""The density hierarchy over pairs of alerts, and the incidents cut out of it.

HDBSCAN (Campello, Moulavi, Sander 2013, doi:10.1007/978-3-642-37456-2_14) over a sparse set of distances: core
distances, mutual reachability, a minimum spanning forest, and the excess of mass in its condensed tree. The tree is cut
by the same code as that of `TimeClusterer`, which is proven equal to the hdbscan package: that package walks a sparse
matrix in Python, a minute for every million alerts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from stanza_lab.incidents.density import tree
from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    import pandas as pd

NEAREST_S = 1e-6  # scipy takes a distance of 0 for no distance


@dataclass(frozen=True)
class Pairs:
    """Pairs of positions (int32) and how far apart they are, in seconds."""

    left: np.ndarray
    right: np.ndarray
    distance: np.ndarray

    def where(self, kept: np.ndarray) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.left[kept], self.right[kept], self.distance[kept])


def core_distances(n: int, pairs: Pairs, *, k: int) -> np.ndarray:
    """Return each alert's distance to its k-th neighbour; infinite where there are fewer."""
    if n == 0:  # a model out of a bundle: loaded without waiting for numba
        return np.zeros(0)
    from stanza_lab.incidents.correlation import _kernels

    return _kernels.kth_nearest(n, pairs.left, pairs.right, pairs.distance, k)


def reachability(pairs: Pairs, core: np.ndarray, *, resolution_s: float, max_gap_s: float) -> Pairs:
    """Return the pairs within HDBSCAN's mutual reachability of `max_gap_s`; within `resolution_s` all pairs link."""
    reach = np.maximum(core[pairs.left], core[pairs.right])
    np.maximum(reach, np.maximum(pairs.distance, resolution_s), out=reach)
    reach = np.where(pairs.distance <= resolution_s, np.minimum(reach, max_gap_s), reach)
    near = reach <= max_gap_s
    return Pairs(pairs.left[near], pairs.right[near], reach[near])


def spanning_forest(n: int, pairs: Pairs) -> Pairs:
    """Return a minimum spanning forest, one tree per block of linked alerts, nearest link first."""
    weights = np.maximum(pairs.distance, NEAREST_S)
    found = minimum_spanning_tree(csr_array((weights, (pairs.left, pairs.right)), shape=(n, n))).tocoo()
    order = np.argsort(found.data, kind="stable")
    left, right = (ends[order].astype(np.int32) for ends in found.coords)
    return Pairs(left, right, found.data[order])


def cut(n: int, forest: Pairs, *, min_alerts: int, max_gap_s: float) -> tuple[np.ndarray, np.ndarray, tree.Clusters]:
    """Cut the forest into incidents by HDBSCAN's excess of mass.

    Each tree is a block of its own; one of fewer than `min_alerts` is noise. A block that holds together is one
    incident: it competes with its parts on equal terms, while nothing above a block ever competes. All merges at one
    distance are one.

    Returns
    -------
    labels, probabilities : ndarray
        Incident (-1 = noise, numbered by first position) and membership strength of each of the `n` positions.
    clusters : Clusters
        The condensed tree.
    """
    if n < 2:
        return np.full(n, NOISE, dtype=np.int64), np.zeros(n), tree.alone(n)
    whole = coo_array((forest.distance, (forest.left, forest.right)), shape=(n, n))
    block = connected_components(whole, directed=False)[1]
    heads = np.unique(block, return_index=True)[1].astype(np.int32)  # the blocks hang on each other, infinitely far
    left, right = np.concatenate([forest.left, heads[:-1]]), np.concatenate([forest.right, heads[1:]])
    distance = np.concatenate([forest.distance, np.full(len(heads) - 1, np.inf)])
    clusters = tree.condense(tree.joined(left, right, distance, n), min_alerts=min_alerts, furthest=max_gap_s)
    labels, probabilities = tree.flat(clusters)
    return labels, probabilities, clusters


def number_by_first(labels: np.ndarray) -> np.ndarray:
    """Return `labels` numbered 0, 1, ... in the order in which they first appear; noise stays noise."""
    names, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.full(len(names), NOISE, dtype=np.int64)
    real = np.flatnonzero(names != NOISE)
    rank[real[np.argsort(first[real])]] = np.arange(len(real))
    return np.asarray(rank[codes])


def condensed_tree(clusters: tree.Clusters, labels: np.ndarray) -> pd.DataFrame:
    """Return the condensed tree as a table, with the incident that each chosen cluster is."""
    n = len(labels)
    table = tree.table(clusters, np.arange(n), alerts=n, unit_s=1.0)
    chosen = tree.chosen(clusters)
    inside = labels != NOISE
    incident = np.full(len(clusters.parent), NOISE)
    incident[chosen[clusters.cluster[inside]]] = labels[inside]
    is_cluster = table["child"].to_numpy() >= n
    named = np.full(len(table), NOISE, dtype=np.int64)
    named[is_cluster] = incident[table["child"].to_numpy()[is_cluster] - n]
    return table.assign(incident_id=named)


def validity(forest: Pairs, labels: np.ndarray, *, max_gap_s: float) -> float:
    """Return how much further apart incidents are than they are wide, from -1 to 1, weighed by their size.

    Width is the longest link within an incident, separation the shortest link to another alert, at most `max_gap_s`.
    """
    count = int(labels.max(initial=NOISE)) + 1
    if not count:
        return 0.0
    a, b = labels[forest.left], labels[forest.right]
    within = (a == b) & (a != NOISE)
    wide, apart = np.zeros(count), np.full(count, max_gap_s)
    np.maximum.at(wide, a[within], forest.distance[within])
    for side in (a, b):
        out = ~within & (side != NOISE)
        np.minimum.at(apart, side[out], forest.distance[out])
    each = (apart - wide) / np.maximum(np.maximum(apart, wide), NEAREST_S)
    sizes = np.bincount(labels[labels != NOISE], minlength=count)
    return float((sizes * each).sum() / len(labels))
