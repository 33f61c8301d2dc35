"""The loop over pairs that cannot be written as columns. Loading this module loads numba."""

from __future__ import annotations

import numpy as np

from stanza_lab.incidents.density._kernels import compiled


@compiled
def kth_nearest(n: int, left: np.ndarray, right: np.ndarray, distance: np.ndarray, k: int) -> np.ndarray:
    """Return for each of `n` the k-th smallest distance of the pairs it is part of; infinite where there are fewer."""
    nearest = np.full((n, k), np.inf)
    for p in range(left.size):
        d = distance[p]
        for end in (left[p], right[p]):
            row = nearest[end]
            if d < row[k - 1]:
                i = k - 1
                while i > 0 and row[i - 1] > d:
                    row[i] = row[i - 1]
                    i -= 1
                row[i] = d
    return nearest[:, k - 1].copy()
