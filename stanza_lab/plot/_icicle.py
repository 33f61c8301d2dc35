"""Where the clusters of a condensed tree stand: each narrows as alerts fall out, its children stand below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_STEPS = 60  # of an outline


@dataclass(frozen=True)
class Outline:
    """One cluster: how wide it is from where to where."""

    cluster: int
    parent: int | None
    size: int
    levels: np.ndarray  # distances, falling, from where it begins to where it ends
    left: np.ndarray  # edges between two levels, in alerts
    right: np.ndarray

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of its top."""
        return float(self.left[0] + self.right[0]) / 2, float(self.levels[0])


def clusters(tree: pd.DataFrame) -> pd.Series:
    """Return which rows are about a cluster: their child has children itself, or more than one alert."""
    return tree["child"].isin(tree["parent"]) | (tree["size"] > 1)


def roots(tree: pd.DataFrame) -> pd.Series:
    """Return the sizes of the clusters that are nobody's child, by cluster."""
    top = tree[~tree["parent"].isin(tree["child"])]
    return top.groupby("parent")["size"].sum()


def chosen(tree: pd.DataFrame, most: int, *, first: Collection[int] = ()) -> list[int]:
    """Return at most `most` clusters, no child before its parent: first the largest of `first` with all above them.

    What stands above a cluster is larger than it, so that the largest of all clusters are a tree in themselves.
    """
    below = tree[clusters(tree)]
    sizes = pd.concat([roots(tree), below.set_index("child")["size"]])
    numbers, counts = sizes.index.to_numpy(), sizes.to_numpy()
    above = dict(zip(below["child"].tolist(), below["parent"].tolist(), strict=True))
    depth = _depths(above, numbers.tolist())
    order = np.lexsort((numbers, depth, -counts))
    ranked = [int(number) for number in numbers[order]]
    wanted, kept = set(first), dict.fromkeys(ranked[:1])
    for number in [n for n in ranked if n in wanted] + ranked:
        path = []
        at: int | None = number
        while at is not None and at not in kept:
            path.append(at)
            at = above.get(at)
        if len(kept) + len(path) <= most:
            kept |= dict.fromkeys(reversed(path))
    return list(kept)


def outlines(tree: pd.DataFrame, shown: list[int], *, top: float) -> list[Outline]:
    """Return the outline of each cluster in `shown` (parents first); roots begin at the distance `top`.

    Points that fall out narrow their cluster on both sides; a child cluster takes its part from the right, the
    smaller first, so that the largest stands left.
    """
    rows = tree[tree["parent"].isin(shown)].assign(group=clusters(tree))
    rows = rows.sort_values(["parent", "distance_s", "size", "child"], ascending=[True, False, True, True])
    parts: dict[Any, pd.DataFrame] = dict(iter(rows.groupby("parent")))
    places: dict[int, tuple[int | None, float, int, float]] = {}
    at = 0.0
    tops = roots(tree)
    for root, size in zip(tops.index.tolist(), tops.tolist(), strict=True):
        places[root] = (None, at, size, top)
        at += size
    found, kept = [], set(shown)
    for cluster in shown:
        parent, x, size, begins = places[cluster]
        part = parts.get(cluster, rows[:0])
        distances, sizes = part["distance_s"].to_numpy(), part["size"].to_numpy()
        group = part["group"].to_numpy()
        left = x + np.cumsum(np.where(group, 0, sizes)) / 2
        right = x + size - np.cumsum(np.where(group, sizes, sizes / 2))
        for row in np.flatnonzero(group):
            child = int(part["child"].iloc[row])
            if child in kept:
                places[child] = (cluster, float(right[row]), int(sizes[row]), float(distances[row]))
        found.append(_outline(cluster, parent, size, begins, distances, left, right, x))
    return found


def _outline(
    cluster: int,
    parent: int | None,
    size: int,
    begins: float,
    distances: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    x: float,
) -> Outline:
    """Return the outline from what is left after each row; several rows at one distance are one step."""
    last = np.flatnonzero(np.append(np.diff(distances) != 0, True)) if len(distances) else np.zeros(0, dtype=np.int64)
    if len(last) > MOST_STEPS:
        last = last[np.unique(np.linspace(0, len(last) - 1, MOST_STEPS).astype(int))]
    levels = np.concatenate([[begins], distances[last]])
    edges = np.concatenate([[x], left[last][:-1]]), np.concatenate([[x + size], right[last][:-1]])
    return Outline(cluster, parent, size, levels, *edges)


def _depths(above: dict[int, int], numbers: list[int]) -> np.ndarray:
    """Return how many clusters stand above each; where that never ends, refuse."""
    depths: dict[int, int] = {}
    for number in numbers:
        path = []
        at: int | None = number
        while at is not None and at not in depths:
            path.append(at)
            if len(path) > len(above) + 1:
                raise SchemaError(f"tree: cluster {number} is above itself; pass the rows of a tree")
            at = above.get(at)
        depth = depths[at] if at is not None else -1
        for cluster in reversed(path):
            depth += 1
            depths[cluster] = depth
    return np.array([depths[number] for number in numbers], dtype=np.int64)
