"""Which service is behind an episode of alerts: each that may be, weighed by who fired and who stayed silent.

A failing service is noticed itself, and at those who depend on it, directly or through others. From the links follows
how likely each service alerts if another fails; from that, how well each possible cause fits who fired. What a service
does by chance is in the balance. Beside the causes stands that nothing failed and the alert was a false one.

Services behind one other are reached together or not at all. At one moment they are judged so (`Causes.fit_together`);
over all past episodes each is judged by itself (`Causes.fit`), as together foretold who is hit no better.

The constants, and this, were chosen on simulated productions with seeds 700 to 723, see ``benchmarks/blast.py``.
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
        """How likely each is behind it, before looking at who fired: as likely as its trouble comes to the service."""
        comes = np.array([reach.share(drawn[self.root[:1]])[0] for drawn in self.reached])
        share: Floats = comes / comes.sum()
        return share

    def fit(self, fired: NDArray[np.bool_], chance: Floats) -> Floats:
        """Return how much likelier each cause makes who fired than chance does, as logarithm, service by service.

        `fired` has a row per episode and a column per service; so has the result, with a column per root. The service
        itself does not count: that it is in trouble is given.
        """
        care = self._care()
        by_chance = np.clip(chance[care], 1e-3, 0.95)
        likely = 1 - (1 - np.clip(self.shows[:, care], 0, 0.99)) * (1 - by_chance)
        yes, no = np.log(likely / by_chance), np.log((1 - likely) / (1 - by_chance))
        fit: Floats = fired[:, care].astype(np.float64) @ (yes - no).T + no.sum(axis=1)
        return fit

    def fit_together(self, fired: NDArray[np.bool_], chance: Floats) -> Floats:
        """Return the same for one episode, a number per root, with what is reached through one service in mind.

        Those behind one other service are reached together or not at all: taken one by one, many callers of an API
        would each count against its database. So each draw of the map in which trouble comes to the service is judged
        by itself, and the mean is taken.
        """
        care = self._care()
        by_chance, silent = np.clip(chance[care], 1e-3, 0.95), 1 - self.notice[care]
        if_reached = np.where(fired[care], np.log((1 - silent * (1 - by_chance)) / by_chance), np.log(silent))
        fit = []
        for drawn in self.reached:
            comes = reach.unpacked(drawn[self.root[:1]])[0]
            there = reach.unpacked(drawn[care])[:, comes]
            fit.append(logsumexp(if_reached @ there) - np.log(comes.sum()))
        return np.array(fit, dtype=np.float64)

    def _care(self) -> Ints:
        """Return the services that speak for or against a cause."""
        others = np.arange(self.shows.shape[1]) != self.root[0]
        return np.flatnonzero((self.shows.max(axis=0) > LEAST) & others)

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
        fit = np.log(self.prior) + self.fit_together(fired, chance)
        weight = np.exp(fit - fit.max())
        share: Floats = weight / weight.sum()
        return share


def noticed(alerts: Floats) -> Floats:
    """Return how likely trouble at each service raises an alert, from how many it ever raised (all 0: not known)."""
    if not alerts.any():
        return np.full(len(alerts), SHOWS)
    return SHOWS * alerts / (alerts + RARELY)
