"""Groups of incidents that are alike: that share kinds of alert which few incidents have.

Two incidents are as alike as the weight of the kinds they share is to that of all kinds of both (weighted Jaccard); a
kind weighs more the fewer incidents have it, so that what fires in every incident says little. Only incidents that
share a kind are compared, through an index by kind. Groups are those of average linkage, cut at `ALIKE`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

ALIKE = 0.46  # mean likeness within a group; lower makes groups larger and more mixed
FAINT = 0.15  # likeness below which two incidents count as not alike at all
COMMON = 2_000  # a kind in more incidents than that is not compared by: the work grows with its square
_TOGETHER = 1_500  # incidents that are grouped at once; larger sets are cut at their weakest likenesses first
_STEP = 0.03
_BLOCK = 4_096


def weights(counts: Ints, alone: Ints, n_incidents: int) -> Floats:
    """Return how much each kind says: the logarithm of how rare it is, alone or in an incident."""
    firings = counts + alone
    whole = max(1, n_incidents + int(alone.sum()))
    return np.asarray(np.log((whole + 1) / (np.minimum(firings, whole) + 0.5)), dtype=np.float64)


def groups(has: csr_array, weight: Floats, *, least: int) -> list[Ints]:
    """Return groups of at least `least` incidents alike, as rows of `has` (incidents x kinds, ones)."""
    counts = np.asarray(has.sum(axis=0)).ravel()
    several = np.flatnonzero(np.diff(has.indptr) > 1)
    compared = csr_array(has[several])
    shared = np.where((counts <= COMMON) & (counts >= least), weight, 0.0)
    # What is too rare to recur is no likeness, but it does make incidents differ; not more than what recurs does.
    differs = np.where(counts >= least, shared, shared.max(initial=0.0) / 2)
    total = np.asarray(compared @ differs)
    near = _near(compared, shared, total)
    found: list[Ints] = []
    waiting = [(near, np.arange(len(several)), FAINT)]
    while waiting:
        near, rows, bar = waiting.pop()
        number, of = connected_components(near, directed=False)
        order = np.argsort(of, kind="stable")
        for part in np.split(order, np.cumsum(np.bincount(of, minlength=number))[:-1]):
            if len(part) < least:
                continue
            inside = csr_array(near[part][:, part])
            if len(part) > _TOGETHER:
                waiting.append((_above(inside, bar + _STEP), rows[part], bar + _STEP))
            else:
                found += [rows[part[group]] for group in _linked(inside) if len(group) >= least]
    return sorted((several[np.sort(group)] for group in found), key=lambda group: tuple(group[:2]))


def _near(has: csr_array, weight: Floats, total: Floats) -> csr_array:
    """Return the likeness of each pair of incidents that are at all alike, as a symmetric matrix."""
    scaled = csr_array(has * np.sqrt(weight)[None, :])
    scaled.eliminate_zeros()
    other = csr_array(scaled.T)
    parts: list[tuple[Ints, Ints, Floats]] = []
    for start in range(0, has.shape[0], _BLOCK):
        shared = coo_array(scaled[start : start + _BLOCK] @ other)
        a, b = shared.row.astype(np.int64) + start, shared.col.astype(np.int64)
        upper = a < b
        a, b, common = a[upper], b[upper], shared.data[upper]
        alike = np.minimum(1.0, common / np.maximum(total[a] + total[b] - common, 1e-9))
        kept = alike >= FAINT
        parts.append((a[kept], b[kept], alike[kept]))
    a, b, alike = (np.concatenate(list(side)) for side in zip(*parts, strict=True)) if parts else (_NONE, _NONE, _NONE)
    ends = np.concatenate([a, b]).astype(np.int64), np.concatenate([b, a]).astype(np.int64)
    return csr_array((np.concatenate([alike, alike]).astype(float), ends), shape=(has.shape[0],) * 2)


def _above(near: csr_array, bar: float) -> csr_array:
    """Return only what is at least so alike."""
    kept = near.copy()
    kept.data = np.where(kept.data >= bar, kept.data, 0.0)
    kept.eliminate_zeros()
    return kept


def _linked(near: csr_array) -> list[Ints]:
    """Return the groups of average linkage within one connected set."""
    apart = 1.0 - near.toarray()
    np.fill_diagonal(apart, 0.0)
    labels = fcluster(linkage(squareform(apart, checks=False), "average"), 1.0 - ALIKE, "distance")
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels)[1:])[:-1])


_NONE = np.zeros(0)
