"""Where nodes go: columns along the dependencies, callers left, what they depend on right.

Columns rather than a force layout: the place of a node then means something, names fit beside each other, and the
picture is the same on every machine, whatever is installed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve

GAP = 4.0  # between columns, in rows
_DAMPING = 0.02  # of the ranks: keeps unconnected parts solvable, small against one edge
_STEP = 0.35  # rank an edge must go down to push its dependency one column further: cycles push nobody
_SWEEPS = 24  # over the columns when ordering; more changes little
_CURVE = np.linspace(0.0, 1.0, 17)
_BOWS = (0.12, -0.12, 0.25, -0.25, 0.4, -0.4)  # of an edge's length, gentle first

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def ranks(n: int, src: Ints, dst: Ints, weight: Floats) -> Floats:
    """Return how deep each of `n` nodes sits, so that an edge goes down by about one.

    The least-squares solution of rank[dst] - rank[src] = 1 over all edges, `weight` each: cycles share the blame.
    """
    there = sparse.coo_array((weight, (src, dst)), shape=(n, n)).tocsr()
    both = there + there.T
    laplacian = sparse.diags_array(both.sum(axis=1) + _DAMPING) - both
    found = spsolve(laplacian.tocsc(), there.sum(axis=0) - there.sum(axis=1))
    return np.asarray(found, dtype=np.float64).reshape(n)


def columns(rank: Floats, src: Ints, dst: Ints, *, most: int) -> Ints:
    """Return the column of each node, of `most` nodes at most: right of everything that clearly depends on it.

    A column that is too full is split in order of rank.
    """
    column = np.zeros(len(rank), dtype=np.int64)
    down = rank[dst] - rank[src] >= _STEP
    order = np.lexsort((dst[down], rank[src[down]]))  # by rank of src, so that src has its column by then
    for caller, dependency in zip(src[down][order], dst[down][order], strict=True):
        column[dependency] = max(column[dependency], column[caller] + 1)
    result = np.zeros(len(rank), dtype=np.int64)
    width = 0
    for level in np.unique(column):
        members = np.flatnonzero(column == level)
        members = members[np.argsort(rank[members], kind="stable")]
        for part in np.array_split(members, -(-len(members) // most)):
            result[part] = width
            width += 1
    return result


def place(column: Ints, src: Ints, dst: Ints, weight: Floats) -> tuple[Floats, Floats]:
    """Return x and y of each node: columns side by side, in each the order that keeps neighbours at one height."""
    n = len(column)
    link = sparse.coo_array((weight, (src, dst)), shape=(n, n)).tocsr()
    link = link + link.T
    total = np.maximum(np.asarray(link.sum(axis=1)).reshape(n), 1e-9)
    members = [np.flatnonzero(column == c) for c in range(int(column.max(initial=-1)) + 1)]
    tallest = max((len(nodes) for nodes in members), default=0)
    y = np.zeros(n)

    def settle(c: int, wanted: Floats) -> None:
        # Full rows in even columns, half rows in odd ones: long names of neighbouring columns pass each other.
        ordered = members[c][np.argsort(wanted, kind="stable")]
        room = min(2.0, max(1.0, (tallest - 0.5) / len(ordered)))
        y[ordered] = np.floor((np.arange(len(ordered)) - (len(ordered) - 1) / 2) * room + 0.5) + c % 2 / 2

    for c, nodes in enumerate(members):
        settle(c, np.arange(len(nodes), dtype=np.float64))
    for sweep in range(_SWEEPS):
        for c in range(len(members))[:: 1 if sweep % 2 == 0 else -1]:
            settle(c, np.asarray(link[members[c]] @ y).reshape(-1) / total[members[c]])
    return (column * GAP).astype(np.float64), -y


def curves(x: Floats, y: Floats, src: Ints, dst: Ints) -> tuple[Floats, Floats]:
    """Return the path of each edge, a row of points each: the gentlest bow that passes the fewest other nodes.

    Bows that leave the picture come last. The two directions of a pair bow apart.
    """
    start, end = np.array([x[src], y[src]]), np.array([x[dst], y[dst]])
    across = np.array([end[1] - start[1], start[0] - end[0]])
    across = across * np.where(across[1] == 0, 3.0, 1.0)  # within a column: wide enough to pass the node between
    a, b, c = (1 - _CURVE) ** 2, 2 * _CURVE * (1 - _CURVE), _CURVE**2
    paths, fewest = np.zeros((2, len(src), len(_CURVE))), np.full(len(src), np.inf)
    for bow in _BOWS:
        middle = (start + end) / 2 + np.clip(across * bow, -3.0, 3.0)
        path = start[..., None] * a + middle[..., None] * b + end[..., None] * c
        leaves = (path[1] > y.max(initial=0.0) + 1.0) | (path[1] < y.min(initial=0.0) - 1.0)
        passed = _passed(path, x, y, src, dst) + len(x) * 3 * leaves.any(axis=1)
        better = passed < fewest
        paths[:, better], fewest[better] = path[:, better], passed[better]
    return paths[0], paths[1]


def _passed(path: Floats, x: Floats, y: Floats, src: Ints, dst: Ints) -> Ints:
    """Return how many nodes every path runs across, its own two ends aside; one counts as three names below nodes."""
    found = np.zeros((len(src), len(x)), dtype=np.int64)
    for at_x, at_y in np.moveaxis(path, -1, 0):
        beside, above = np.abs(at_x[:, None] - x) < 1.0, at_y[:, None] - y
        found = np.maximum(found, beside * np.where(np.abs(above) < 0.35, 3, np.abs(above + 0.45) < 0.25))
    found[np.arange(len(src)), src] = found[np.arange(len(src)), dst] = 0
    return np.asarray(found.sum(axis=1), dtype=np.int64)
