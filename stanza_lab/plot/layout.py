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
    """Return the path of each edge, one row of points per edge; the two directions of a pair bow apart."""
    start, end = np.array([x[src], y[src]]), np.array([x[dst], y[dst]])
    step = end - start
    bow = np.array([step[1], -step[0]]) * np.where(step[0] == 0, 0.35, 0.12)
    bow = np.clip(bow, -2.0, 2.0)
    middle = (start + end) / 2 + bow
    a, b, c = (1 - _CURVE) ** 2, 2 * _CURVE * (1 - _CURVE), _CURVE**2
    paths = [np.outer(start[i], a) + np.outer(middle[i], b) + np.outer(end[i], c) for i in (0, 1)]
    return paths[0], paths[1]
