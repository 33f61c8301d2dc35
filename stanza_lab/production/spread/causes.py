"""Which service is behind an episode of alerts: each that may be, weighed by who fired and who stayed silent.

A failing service is noticed itself, and at those who depend on it, directly or through others. From the links follows
how likely each service alerts if another fails; from that, how well each possible cause fits who fired. What a service
does by chance is in the balance. Beside the causes stands that nothing failed and the alert was a false one.

The constants were chosen on simulated productions with seeds 700 to 723, see ``benchmarks/blast.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from stanza_lab.production.spread import reach

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.production.spread.reach import Arcs, Bits

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TRAVELS = 0.7  # how often trouble goes on from a service to one that depends on it
SHOWS = 0.7  # how often a service in trouble alerts, if it ever does
RARELY = 2.0  # alerts in all history of a service that is noticed half as often as that
FALSE = 0.6  # share of false alerts among a service's episodes, before looking at them, worth two episodes
MOST = 25  # causes looked at
LEAST = 0.02  # probability that a cause, or what it does to a service, is looked at


@dataclass(frozen=True)
class Causes:
    """The services that may be behind trouble at one: itself first, then the likelier the earlier."""

    root: Ints
    shows: Floats  # a row per root: how likely each service alerts if the root fails
    notice: Floats  # how likely each service alerts if trouble reaches it
    reached: tuple[Bits, ...]  # for each root, in which draws of the map its trouble reaches each service

    @classmethod
    def of(cls, service: int, trouble: Arcs, notice: Floats, *, hops: int) -> Causes:
        """Return what may be behind trouble at a service, from `trouble`, the ways it travels."""
        reached = trouble.turned().spread(service, hops=hops)
        reached[service] = 0.0
        ranked = np.argsort(-reached, kind="stable")[:MOST]
        root = np.array([service, *ranked[reached[ranked] > LEAST]], dtype=np.int64)
        drawn = tuple(trouble.reached(int(one), hops=hops) for one in root)
        return cls(root, np.array([reach.share(one) for one in drawn]) * notice, notice, drawn)

    @property
    def prior(self) -> Floats:
        """How likely each is behind it, before looking at who fired: as likely as its failure shows at the service."""
        there = np.maximum(self.shows[:, self.root[0]], 1e-9)
        share: Floats = there / there.sum()
        return share

    def fit(self, fired: NDArray[np.bool_], chance: Floats) -> Floats:
        """Return how much likelier each cause makes who fired than chance does, as logarithm.

        `fired` has a row per episode and a column per service; so has the result, with a column per root. The service
        itself does not count: that trouble reaches it is given. Those behind one other service are reached together or
        not at all, so that each draw of the map is judged by itself and the mean is taken over the draws.
        """
        others = np.arange(fired.shape[1]) != self.root[0]
        care = np.flatnonzero((self.shows.max(axis=0) > LEAST) & others)
        kinds, kind = np.unique(fired[:, care], axis=0, return_inverse=True)
        by_chance = np.clip(chance[care], 1e-3, 0.95)
        silent = 1 - self.notice[care]
        yes, no = np.log((1 - silent * (1 - by_chance)) / by_chance), np.log(silent)
        weigh = np.where(kinds, yes, no)
        fit = np.column_stack([self._mean(weigh, drawn, care) for drawn in self.reached])
        return np.asarray(fit[kind.ravel()], dtype=np.float64)

    def _mean(self, weigh: Floats, drawn: Bits, care: Ints) -> Floats:
        """Return the logarithm of the mean of each row's fit over the draws in which trouble comes to the service."""
        comes = reach.unpacked(drawn[self.root[:1]])[0]
        there, many = np.unique(reach.unpacked(drawn[care])[:, comes].T, axis=0, return_counts=True)
        mean: Floats = logsumexp(weigh @ there.T.astype(np.float64), axis=1, b=many / many.sum())
        return mean

    def behind(self, fired: NDArray[np.bool_], chance: Floats) -> Floats:
        """Return for each episode how likely each cause is behind it; the rest to 1 is a false alert.

        How many are false is learned from the episodes themselves.
        """
        share: Floats = np.zeros((len(fired), len(self.root)))
        fit, false = self.prior * np.exp(np.clip(self.fit(fired, chance), -50, 50)), FALSE
        for _ in range(8):
            share = (1 - false) * fit / (false + (1 - false) * fit.sum(axis=1, keepdims=True))
            false = (float((1 - share.sum(axis=1)).sum()) + 2 * FALSE) / (len(fired) + 2)
        return share

    def likely(self, fired: NDArray[np.bool_], chance: Floats) -> Floats:
        """Return how likely each cause is behind the one episode of these who `fired`, given that there is a cause."""
        fit = np.log(self.prior) + self.fit(fired[None], chance)[0]
        weight = np.exp(fit - fit.max())
        share: Floats = weight / weight.sum()
        return share


def noticed(alerts: Floats) -> Floats:
    """Return how likely trouble at each service raises an alert, from how many it ever raised (all 0: not known)."""
    if not alerts.any():
        return np.full(len(alerts), SHOWS)
    return SHOWS * alerts / (alerts + RARELY)
