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

if TYPE_CHECKING:
    from stanza_lab.dependencies.inference.pairs import PairCounts

Floats = npt.NDArray[np.float64]

CAUSES = 40  # most likely causes of one node that are weighed against each other
RIDGE = 0.05  # share of a node's own firings added to the diagonal: counts are noisy
MOST = 1.0  # firings that one firing may bring directly: a node that is silent in between fires once
SWEEPS = 200
SETTLED = 1e-9  # change of an effect below which the sweeps end


def direct_effects(pairs: PairCounts) -> tuple[Floats, Floats]:
    """Return for each pair how many firings of `b` each firing of `a` brings directly, and the other way round."""
    size = len(pairs.fired)
    after, together = _moments(pairs)
    promise = after / np.sqrt(np.maximum(pairs.fired, 1.0))[:, None]
    count = min(CAUSES, size)
    likely = np.argsort(-promise, axis=0, kind="stable")[:count].T  # targets x causes
    targets = np.arange(size)[:, None]
    onto = after[likely, targets]
    among = together[likely[:, :, None], likely[:, None, :]] if size else np.zeros((0, 0, 0))
    effects = np.zeros((size, size))
    effects[likely, targets] = _bounded(among, np.where(promise[likely, targets] > 0, onto, 0.0))
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


def _bounded(among: Floats, onto: Floats) -> Floats:
    """Solve the normal equations of every target, with effects from 0 to `MOST`, by coordinate descent.

    The matrices are counts less chance and need not be definite; the bounds keep the solution finite.
    """
    effects = np.zeros_like(onto)
    diagonal = np.maximum(np.einsum("tii->ti", among), 1.0) * (1 + RIDGE)
    for _ in range(SWEEPS):
        moved = 0.0
        for cause in range(onto.shape[1]):
            others = np.einsum("tj,tj->t", among[:, cause], effects) - among[:, cause, cause] * effects[:, cause]
            new = np.clip((onto[:, cause] - others) / diagonal[:, cause], 0.0, MOST)
            new = np.where(onto[:, cause] > 0, new, 0.0)
            moved = max(moved, float(np.abs(new - effects[:, cause]).max(initial=0.0)))
            effects[:, cause] = new
        if moved < SETTLED:
            break
    return effects
