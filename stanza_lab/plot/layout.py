"""Where nodes go: igraph says who is near whom, a grid of rows keeps names apart.

A small picture is layered (Sugiyama): callers left, what they depend on right. A larger one is drawn by force
(Kamada and Kawai), turned so that most dependencies point right. On simulated productions of 30 to 150 services that
halves the length of links and divides their crossings by 3 to 6 beside layers, be they igraph's or the least-squares
columns that were here before; below that layers cost little and their direction means something. Igraph's own
coordinates are only taken as an order: dummy nodes would make a layered picture of 50 services 1,900 px high.
"""

from __future__ import annotations

import random

import igraph
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, linprog

GAP = 4.0  # between columns, in rows
MOST_LAYERED, MOST_LAYERED_LINKS = 24, 40  # above, layers cross too often
_MOST_SPRUNG = 300  # above, Kamada and Kawai takes more than half a second
_ROOMY = 1.3  # rows per node of a column: some stay empty, so that nodes keep the height they were drawn to
_ANGLES = np.linspace(0.0, 2 * np.pi, 72, endpoint=False)
_CURVE = np.linspace(0.0, 1.0, 17)
_BOWS = (0.0, 0.08, -0.08, 0.16, -0.16, 0.28, -0.28, 0.42, -0.42)  # of an edge's length, gentle first
_NEAR = 2.0  # px between a line and the rim of a node it passes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def place(n: int, src: Ints, dst: Ints, weight: Floats, side: Ints, *, most: int) -> tuple[Floats, Floats]:
    """Return x and y of each of `n` nodes, in rows; no two share a place.

    `weight` says how surely `src` is left of `dst`. Nodes of `side` -1 or 1 stand left and right of all others. A
    picture drawn by force has `most` columns at most: what names have room for.
    """
    if n <= MOST_LAYERED and len(src) <= MOST_LAYERED_LINKS:
        column, height = _layers(n, src, dst, weight, side)
        return _across(column), settle(column, height, rows=int(np.bincount(column).max()) - 1)
    near = _turned(_force(n, src, dst), src, dst, weight)
    if n > _MOST_SPRUNG:
        return _spread(near[:, 0]) * (GAP * most), _spread(near[:, 1]) * float(np.sqrt(n))
    many = min(most, max(3, int(1.4 * np.sqrt(n))))
    even = np.argsort(np.argsort(near[:, 0], kind="stable")) / max(n - 1, 1)
    column = np.minimum((_spread(near[:, 0]) + even) / 2 * many, many - 1).astype(np.int64)
    column[side < 0], column[side > 0] = -1, many
    column = np.unique(column, return_inverse=True)[1]
    return _across(column), settle(column, near[:, 1], rows=_ROOMY * n / many)


def settle(column: Ints, height: Floats, *, rows: float) -> Floats:
    """Return the row of each node: as near as can be to its `height`, scaled to `rows`, and one row from the next.

    Full rows in even columns, half rows in odd ones: long names of neighbouring columns pass each other.
    """
    wanted, y = _spread(height) * rows, np.zeros(len(column))
    for members in (np.flatnonzero(column == c) for c in np.unique(column)):
        ordered = members[np.argsort(wanted[members], kind="stable")]
        below = np.arange(len(ordered))
        y[ordered] = np.floor(isotonic_regression(wanted[ordered] - below).x + 0.5) + below
    return y + column % 2 / 2


def _layers(n: int, src: Ints, dst: Ints, weight: Floats, side: Ints) -> tuple[Ints, Floats]:
    """Return the column of each node, and its height in the order of fewest crossings."""
    graph = igraph.Graph(n, np.column_stack([src, dst]).tolist(), directed=True)
    against = np.zeros(len(src), dtype=bool)  # what would close a circle, as light as can be
    against[graph.feedback_arc_set(weights=weight.tolist())] = True
    column = _columns(n, np.where(against, dst, src), np.where(against, src, dst))
    if side.any():
        inner = np.where(side == 0, column, 0)
        column = np.select([side < 0, side > 0], [-1, inner.max(initial=0) + 1], column)
        column = np.unique(column, return_inverse=True)[1]
    return column, _heights(src, dst, column)


def _columns(n: int, src: Ints, dst: Ints) -> Ints:
    """Return the column of each node: all edges point right, and are as short as can be in sum (Gansner and others)."""
    every = np.arange(len(src))
    before = np.zeros((len(src), n))
    before[every, src], before[every, dst] = 1.0, -1.0
    cost = 1e-3 - before.sum(axis=0)  # what nothing holds stands left
    found = linprog(cost, A_ub=before, b_ub=np.full(len(src), -1.0)).x if len(src) else np.zeros(n)
    return np.rint(found).astype(np.int64)  # whole numbers but for rounding: the rows are totally unimodular


def _heights(src: Ints, dst: Ints, column: Ints) -> Floats:
    """Return the height of each node, in the order of fewest crossings (Sugiyama).

    Edges are given to igraph pointing right and cut into pieces one column long: where there are longer ones, igraph
    1.0.0 reads memory that is not its own to route them, and now and then crashes.
    """
    ends, layers = [], column.tolist()
    for a, b in zip(src.tolist(), dst.tolist(), strict=True):
        at, end = (a, b) if column[a] <= column[b] else (b, a)
        for between in range(layers[at] + 1, int(column[end])):
            layers.append(between)
            ends.append((at, len(layers) - 1))
            at = len(layers) - 1
        if layers[at] != layers[end]:
            ends.append((at, end))
    graph = igraph.Graph(len(layers), ends, directed=True)
    return np.array(graph.layout_sugiyama(layers=layers).coords, dtype=np.float64).reshape(-1, 2)[: len(column), 0]


def _force(n: int, src: Ints, dst: Ints) -> Floats:
    """Return a place for each node: those few links apart are near each other."""
    graph = igraph.Graph(n, np.column_stack([src, dst]).tolist())
    circle = graph.layout_circle().coords
    if n > _MOST_SPRUNG:
        igraph.set_random_number_generator(random.Random(0))  # noqa: S311 -- shakes nodes loose: the same way each time
        try:
            found = graph.layout_fruchterman_reingold(niter=50, grid="grid", seed=circle)
        finally:
            igraph.set_random_number_generator(random)
    else:
        found = graph.layout_kamada_kawai(seed=circle)
    return np.array(found.coords).reshape(n, 2).round(6)


def _turned(near: Floats, src: Ints, dst: Ints, weight: Floats) -> Floats:
    """Return the places turned about so that most dependencies point right."""
    way = near[dst] - near[src]
    share = [float(weight @ (way @ (np.cos(a), np.sin(a)) > 0)) for a in _ANGLES]
    at = _ANGLES[int(np.argmax(np.round(share, 6)))]
    turn = np.array([[np.cos(at), -np.sin(at)], [np.sin(at), np.cos(at)]])
    return np.asarray(near @ turn, dtype=np.float64)


def _across(column: Ints) -> Floats:
    return np.asarray(column * GAP, dtype=np.float64)


def _spread(values: Floats) -> Floats:
    """Return `values` scaled to [0, 1]."""
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    return (values - low) / (high - low) if high - low > 1e-9 else np.zeros(len(values))


def curves(
    x: Floats, y: Floats, src: Ints, dst: Ints, *, radius: Floats, names: Floats, height: float
) -> tuple[Floats, Floats]:
    """Return the path of each edge, a row of points each: the gentlest bow that passes the fewest nodes and names.

    All in px: `x`, `y` and `radius` of the nodes, `names` with left, top, right, bottom of each name. A node counts as
    much as three names; bows that leave the picture, 0 to `height`, come last.
    """
    start, end = np.array([x[src], y[src]]), np.array([x[dst], y[dst]])
    across = np.array([end[1] - start[1], start[0] - end[0]])
    a, b, c = (1 - _CURVE) ** 2, 2 * _CURVE * (1 - _CURVE), _CURVE**2
    paths, fewest = np.zeros((2, len(src), len(_CURVE))), np.full(len(src), np.inf)
    for bow in _BOWS:
        middle = (start + end) / 2 + np.clip(across * bow * 2, -160.0, 160.0)
        path = start[..., None] * a + middle[..., None] * b + end[..., None] * c
        open_, leaves = fewest > 0, (path[1] > height) | (path[1] < 0)
        passed = np.full(len(src), np.inf)
        passed[open_] = _passed(path[:, open_], x, y, src[open_], dst[open_], radius, names)
        passed += 3 * len(x) * leaves.any(axis=1)
        better = passed < fewest
        paths[:, better], fewest[better] = path[:, better], passed[better]
    return paths[0], paths[1]


def straight(x: Floats, y: Floats, src: Ints, dst: Ints) -> tuple[Floats, Floats]:
    """Return each edge as a straight line: its two ends and its middle."""
    return tuple(np.column_stack([v[src], (v[src] + v[dst]) / 2, v[dst]]) for v in (x, y))  # type: ignore[return-value]


def _passed(path: Floats, x: Floats, y: Floats, src: Ints, dst: Ints, radius: Floats, names: Floats) -> Floats:
    """Return how many nodes (three each) and names every path runs across, its own two ends aside."""
    between = np.concatenate([path, (path[..., 1:] + path[..., :-1]) / 2], axis=-1)
    node, name = (np.zeros((len(src), len(x)), dtype=bool) for _ in range(2))
    left, top, right, bottom = names.T
    for at_x, at_y in np.moveaxis(between, -1, 0)[..., None]:
        node |= (at_x - x) ** 2 + (at_y - y) ** 2 < (radius + _NEAR) ** 2
        name |= (at_x > left) & (at_x < right) & (at_y > top + 2) & (at_y < bottom - 2)
    every = np.arange(len(src))
    for own in (src, dst):
        node[every, own] = name[every, own] = False
    return np.asarray(3.0 * node.sum(axis=1) + name.sum(axis=1), dtype=np.float64)
