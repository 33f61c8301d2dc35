"""How strong a pair is, and whether a third node explains it better."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from stanza_lab.dependencies.inference.pairs import PairCounts

Floats = npt.NDArray[np.float64]

SHRINKAGE = 0.3  # share of the identity in the matrix that `partial` inverts: few alerts make a noisy matrix
FAINT = 0.02  # strengths below this are not told apart


class Strengths(NamedTuple):
    """One value per pair.

    Attributes
    ----------
    strength
        Share of firings in common beyond chance (cosine).
    partial
        What is left of it once all other nodes are accounted for (partial correlation).
    best
        `partial` as a share of what the less connected of the two has with its best partner.
    rival
        Log of `strength` over that of the best way around, over a third node: below 0 a better explanation exists.
    """

    strength: Floats
    partial: Floats
    best: Floats
    rival: Floats


def strengths(pairs: PairCounts) -> Strengths:
    """Weigh each pair against all others."""
    a, b, fired = pairs.a, pairs.b, pairs.fired
    count = len(fired)
    strength = np.clip((pairs.cofirings - pairs.expected) / np.sqrt(fired[a] * fired[b]), 0, 1)
    matrix = np.zeros((count, count))
    matrix[a, b] = matrix[b, a] = strength
    around = np.zeros((count, count))  # the best way over a third node, as strong as its weaker half
    for node in range(count):
        near = np.flatnonzero(matrix[node] > FAINT)
        square = np.ix_(near, near)
        around[square] = np.maximum(around[square], np.minimum.outer(matrix[node, near], matrix[node, near]))
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * matrix + np.eye(count))
    inverse = (vectors / np.maximum(values, 0.05)) @ vectors.T  # counts are partial: the matrix need not be definite
    scale = np.sqrt(np.diag(inverse))
    partial = np.clip(-inverse[a, b] / (scale[a] * scale[b]), 0, 1)
    strongest = np.zeros(count)
    np.maximum.at(strongest, a, partial)
    np.maximum.at(strongest, b, partial)
    best = partial / np.maximum(np.minimum(strongest[a], strongest[b]), FAINT)
    return Strengths(strength, partial, best, np.log((strength + FAINT) / (around[a, b] + FAINT)))
