"""What TimeClusterer computes, from the definitions: every distance, every level, exact fractions. For few times."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.sparse.csgraph import connected_components

INF = float("inf")


@dataclass
class Cluster:
    """`left` lists what leaves it: (distance, members), a single or another cluster."""

    members: frozenset[int]
    born_at: float
    inside: list[Cluster] = field(default_factory=list)
    left: list[tuple[float, frozenset[int]]] = field(default_factory=list)
    ties_matter: bool = False

    @property
    def stability(self) -> Any:
        gains = [(_lambda(at) - _lambda(self.born_at)) * len(members) for at, members in self.left if at < INF]
        return sum(gains, Fraction(0))


def _lambda(distance: float) -> Any:
    return INF if distance == 0 else Fraction(0) if distance == INF else 1 / Fraction(distance)


def reachability(times: list[float], neighbours: int) -> np.ndarray:
    """Return the matrix of mutual reachability; an alert is not its own neighbour."""
    apart = np.abs(np.subtract.outer(times, times)).astype(float)
    core = np.sort(apart, axis=1)[:, min(neighbours, len(times) - 1)]
    reach = np.maximum(apart, np.maximum.outer(core, core))
    np.fill_diagonal(reach, 0)
    return reach


def hierarchy(
    times: list[float], *, min_alerts: int, neighbours: int, max_gap: float | None = None, resolution: float = 0.0
) -> Cluster:
    """Return the cluster of everything."""
    everything = Cluster(frozenset(range(len(times))), INF)
    if len(times) < 2:
        everything.left = [(INF, frozenset([i])) for i in everything.members]
        return everything
    reach = np.maximum(reachability(times, neighbours), resolution)
    if max_gap is None:
        _fall(everything, everything.members, reach, min_alerts)
        return everything
    for block in _components(reach, everything.members, lambda level: level <= max_gap):
        if len(block) >= min_alerts:
            _open(everything, block, INF, reach, min_alerts)
        else:
            everything.left += [(INF, frozenset([i])) for i in block]
    return everything


def _fall(cluster: Cluster, members: frozenset[int], reach: np.ndarray, min_alerts: int) -> None:
    own = sorted(members)
    apart = reach[np.ix_(own, own)][np.triu_indices(len(own), 1)]
    at = linkage(apart, "single")[-1, 2]  # the last step to one group
    parts = _components(reach, members, lambda r: r < at)
    large = [part for part in parts if len(part) >= min_alerts]
    small = [part for part in parts if len(part) < min_alerts]
    if len(parts) > 2 and (len(large) > 1 or sum(map(len, small)) >= min_alerts):
        cluster.ties_matter = True
    cluster.left += [(float(at), frozenset([i])) for part in small for i in part]
    for part in large:
        if len(large) > 1:
            _open(cluster, part, float(at), reach, min_alerts)
        else:
            _fall(cluster, part, reach, min_alerts)


def _open(parent: Cluster, members: frozenset[int], at: float, reach: np.ndarray, min_alerts: int) -> None:
    child = Cluster(members, at)
    parent.inside.append(child)
    parent.left.append((at, members))
    _fall(child, members, reach, min_alerts)


def _components(reach: np.ndarray, members: frozenset[int], joined: Any) -> list[frozenset[int]]:
    own = np.array(sorted(members))
    found = connected_components(joined(reach[np.ix_(own, own)]), directed=False)[1]
    return [frozenset(own[found == i].tolist()) for i in range(found.max() + 1)]


def rows(cluster: Cluster) -> set[tuple[frozenset[int], frozenset[int], float]]:
    """Return the condensed tree as (parent's members, child's members, distance)."""
    found = {(cluster.members, members, at) for at, members in cluster.left}
    return found.union(*(rows(child) for child in cluster.inside))


def ties_matter(everything: Cluster) -> bool:
    """Say whether an order of merges at one distance, or rounding of equal stabilities, would make other labels."""
    return everything.ties_matter or any(_is_even(child) or ties_matter(child) for child in everything.inside)


def _is_even(cluster: Cluster) -> bool:
    return bool(cluster.inside) and sum(_best(child)[0] for child in cluster.inside) == cluster.stability


def labels(everything: Cluster, times: list[float]) -> list[int]:
    """Return the labels by excess of mass; everything is never chosen."""
    chosen = [cluster for child in everything.inside for cluster in _best(child)[1]]
    chosen.sort(key=lambda cluster: min(times[i] for i in cluster.members))
    found = [-1] * len(times)
    for number, cluster in enumerate(chosen):
        for i in cluster.members:
            found[i] = number
    return found


def _best(cluster: Cluster) -> tuple[Any, list[Cluster]]:
    inside = [_best(child) for child in cluster.inside]
    below = sum((stability for stability, _ in inside), Fraction(0))
    if below > cluster.stability:
        return below, [c for _, clusters in inside for c in clusters]
    return cluster.stability, [cluster]
