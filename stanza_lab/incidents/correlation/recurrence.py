"""What history teaches about rules: which fire together again and again, and which fire alone all the time.

Everything here is a count over incidents and alerts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from stanza_lab.schema import NOISE

PRIOR = 0.5  # an alert or a pair that nothing is known about yet: half an occasion, so that one coincidence is no rule
MOST_RULES = 100  # of an incident that tells which rules belong together: when everything fires, nothing is learned
HALF = 2.0  # alerts before a rule's own habit outweighs what is assumed


@dataclass(frozen=True)
class Recurrence:
    """Counts per rule (code): alerts, alerts outside every incident, incidents it took part in; and per pair of rules.

    `family` says which rules are one (see `evidence.families`), `luck` is the sum of how unusual the company of a
    rule's alerts was (see `evidence.company`). `together` is symmetric: in how many incidents both took part.
    `occasions` counts incidents and lone alerts, 0 before there is a grouping.
    """

    family: np.ndarray
    alerts: np.ndarray
    luck: np.ndarray
    alone: np.ndarray
    incidents: np.ndarray
    together: csr_array
    occasions: int

    @classmethod
    def of(cls, rule: np.ndarray, family: np.ndarray, luck: np.ndarray, labels: np.ndarray | None = None) -> Recurrence:
        """Count over alerts of `rule`; without `labels` (-1 = alone), only what no grouping is needed for."""
        size = int(rule.max(initial=-1)) + 1
        alerts = np.bincount(rule, minlength=size).astype(float)
        lucky = np.bincount(rule, luck, minlength=size)
        if labels is None:
            return cls(family, alerts, lucky, np.zeros(size), np.zeros(size), csr_array((size, size)), 0)
        inside = labels != NOISE
        pairs = pd.DataFrame({"rule": rule[inside], "incident": labels[inside]}).drop_duplicates()
        count = int(labels.max(initial=-1)) + 1
        few = (np.bincount(pairs["incident"], minlength=count) <= MOST_RULES)[pairs["incident"]]
        telling = pairs[few]
        took_part = csr_array((np.ones(len(telling)), (telling["rule"], telling["incident"])), shape=(size, count))
        together = csr_array(took_part @ took_part.T)
        together.sum_duplicates()  # sorted: found by bisection
        return cls(
            family=family,
            alerts=alerts,
            luck=lucky,
            alone=np.bincount(rule[~inside], minlength=size).astype(float),
            incidents=np.bincount(pairs["rule"], minlength=size).astype(float),
            together=together,
            occasions=count + int((~inside).sum()),
        )

    @staticmethod
    def family_of(family: np.ndarray, rule: np.ndarray) -> np.ndarray:
        """Return the family of each rule; a rule never seen is one by itself."""
        seen = rule < len(family)
        found = rule + len(family)
        found[seen] = family[rule[seen]]
        return found

    def habit(self, rule: np.ndarray, luck: np.ndarray | None = None) -> np.ndarray:
        """Return how chronic each rule is: 1 = its alerts have company as by chance, 0 = always more than that.

        `luck` of the same alerts when they were counted: each is then judged by the others of its rule only.
        """
        known, place = self._known(rule)
        if not known.any():
            return np.full(len(rule), PRIOR)
        count = int(self.family.max()) + 1
        alerts = np.bincount(self.family, self.alerts, count)[self.family[place]] * known
        lucky = np.bincount(self.family, self.luck, count)[self.family[place]] * known
        if luck is not None:
            alerts, lucky = alerts - 1, lucky - luck
        mean = (lucky + HALF * (1 - PRIOR / 2)) / (alerts + HALF)
        return np.asarray(np.clip(2 * (1 - mean), 0.0, 1.0))

    def lift(
        self,
        left: np.ndarray,
        right: np.ndarray,
        labels: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> np.ndarray:
        """Return log(times two rules took part in one incident / times by chance), over other occasions than this.

        0 where they are one rule, or where nothing is known. `labels` of the same alerts, of both sides, when they were
        counted.
        """
        if not self.occasions:
            return np.zeros(len(left))
        known_left, a = self._known(left)
        known_right, b = self._known(right)
        both = known_left & known_right & (left != right)
        if not both.any():
            return np.zeros(len(left))
        seen_a, seen_b = (self.incidents + self.alone)[a], (self.incidents + self.alone)[b]
        together = np.zeros(len(left))
        together[both] = np.asarray(self.together[a[both], b[both]]).ravel()
        if labels is not None:
            one = (labels[0] == labels[1]) & (labels[0] != NOISE)
            seen_a, seen_b, together = seen_a - 1, seen_b - 1, together - one
        chance = np.maximum(seen_a, 0) * np.maximum(seen_b, 0) / max(self.occasions, 1)
        return np.where(both, np.log((np.maximum(together, 0) + PRIOR) / (chance + PRIOR)), 0.0)

    def _known(self, rule: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        known = rule < len(self.alerts)
        return known, np.where(known, rule, 0) if len(self.alerts) else rule
