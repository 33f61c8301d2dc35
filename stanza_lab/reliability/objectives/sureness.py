"""How sure a share of failures is, when failures come in bursts: intervals by blocks of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stanza_lab.dependencies.judging import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Share:
    """A share of failures: of how many requests, and of how many that fail each on its own it is worth."""

    bad: float
    total: float
    worth: float

    @property
    def ratio(self) -> float:
        """Return the share."""
        return self.bad / self.total if self.total > 0 else math.nan

    def interval(self) -> tuple[float, float]:
        """Return Wilson's interval (95 %) for the number of requests it is worth."""
        if not self.total > 0:
            return math.nan, math.nan
        low, high = wilson(np.array([self.ratio]), np.array([self.worth]))
        return float(low[0]), float(high[0])

    def at_most(self, limit: float) -> float:
        """Return the probability that the share of failures behind it is at most `limit` (Jeffreys' beta)."""
        from scipy.special import betainc

        if not self.total > 0:
            return math.nan
        bad = self.ratio * self.worth
        return float(betainc(bad + 0.5, self.worth - bad + 0.5, limit))


def share(bad: NDArray[np.float64], total: NDArray[np.float64], blocks: NDArray[np.int64]) -> Share:
    """Return the share of failures; requests of one block of time fail together.

    What so many requests are worth is their number over the design effect: the variance of the share between blocks
    over that of independent failures, at least 1.
    """
    n, failed = float(total.sum()), float(bad.sum())
    _, place = np.unique(blocks, return_inverse=True)
    size, fails = np.bincount(place, weights=total), np.bincount(place, weights=bad)
    size, fails = size[size > 0], fails[size > 0]
    if n <= 0 or failed <= 0 or failed >= n or len(size) < 2:
        return Share(failed, n, max(n, 1.0))
    ratio, k = failed / n, len(size)
    between = k / (k - 1) * float(((fails - ratio * size) ** 2).sum()) / n**2
    effect = max(1.0, between / (ratio * (1 - ratio) / n))
    return Share(failed, n, max(1.0, n / effect))
