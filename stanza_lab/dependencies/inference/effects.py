"""How many firings of one node come directly from each firing of another, from the pair counts alone.

A Hawkes process with a flat kernel over the window, fitted by least squares: what the fit needs (who fired after whom,
and how long windows of two nodes overlap) follows from the lag histograms, which add up over time slices. So a chain
a, b, c is told from a link between a and c without ever going back to the alerts.

References
----------
Hansen, Reynaud-Bouret, Rivoirard (2015). Lasso and probabilistic inequalities for multivariate point processes.
Bernoulli 21(1). https://doi.org/10.3150/13-BEJ562
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

if TYPE_CHECKING:
    from stanza_lab.dependencies.inference.pairs import PairCounts

Floats = npt.NDArray[np.float64]

CAUSES = 40  # most likely causes of one node that are weighed against each other
RIDGE = 0.05  # share of a node's own firings added to the diagonal: counts are noisy
FLAT = 0.02  # eigenvalues below this share of the largest are lifted to it: counts less chance need not be definite


def direct_effects(pairs: PairCounts) -> tuple[Floats, Floats]:
    """Return for each pair how many firings of `b` each firing of `a` brings directly, and the other way round."""
    size = len(pairs.fired)
    after, together = _moments(pairs)
    effects = np.zeros((size, size))
    promise = after / np.sqrt(np.maximum(pairs.fired, 1.0))[:, None]
    for target in range(size):
        likely = np.flatnonzero(promise[:, target] > 0)
        if len(likely) > CAUSES:
            likely = np.sort(likely[np.argpartition(promise[likely, target], -CAUSES)[-CAUSES:]])
        if len(likely):
            effects[likely, target] = _non_negative(together[np.ix_(likely, likely)], after[likely, target])
    return effects[pairs.a, pairs.b], effects[pairs.b, pairs.a]


def _moments(pairs: PairCounts) -> tuple[Floats, Floats]:
    """Return firings of the column within a window after the row's, and overlaps of their windows; less chance."""
    size = len(pairs.fired)
    after, together = np.zeros((size, size)), np.zeros((size, size))
    by_chance = pairs.expected / 2
    after[pairs.a, pairs.b] = pairs.ahead + pairs.at_once / 2 - by_chance
    after[pairs.b, pairs.a] = pairs.behind + pairs.at_once / 2 - by_chance
    overlap = pairs.overlap - by_chance  # in windows; two firings at random overlap by half a window on average
    together[pairs.a, pairs.b] = together[pairs.b, pairs.a] = overlap
    np.fill_diagonal(together, pairs.fired)
    return after, together


def _non_negative(together: Floats, after: Floats) -> Floats:
    """Solve the normal equations with effects of 0 or more."""
    matrix = together + np.diag(RIDGE * np.diag(together))
    values, vectors = np.linalg.eigh(matrix)
    values = np.maximum(values, FLAT * np.diag(matrix).max())
    root = np.sqrt(values)
    try:
        return np.asarray(nnls((vectors * root) @ vectors.T, ((vectors / root) @ vectors.T) @ after)[0])
    except RuntimeError:  # did not converge: what least squares without the bound gives, cut off
        return np.asarray(np.maximum((vectors / values) @ vectors.T @ after, 0.0))
