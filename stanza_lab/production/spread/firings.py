"""What history shows around the firings of a service: who else fired, how soon, and how often that is chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

EARLY = 5  # part of the window before a service's first alert that counts too: a caller may be watched more closely


@dataclass(frozen=True)
class Firings:
    """All alerts as columns, sorted by time."""

    times: Ints  # microseconds
    service: Ints  # number of the service
    names: pd.Index
    alerts: pd.DataFrame  # the rows, in this order

    @classmethod
    def of(cls, alerts: pd.DataFrame, names: pd.Index) -> Firings:
        """Return the firings of services `names`; alerts without time or of no such service are left out."""
        service = _numbers(alerts["service"], names)
        at = alerts["starts_at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
        known = np.flatnonzero((service >= 0) & alerts["starts_at"].notna().to_numpy())
        order = known[np.lexsort((service[known], at[known]))]
        return cls(at[order].astype(np.int64), service[order], names, alerts.iloc[order])

    def episodes(self, service: int, *, window: int) -> Ints:
        """Return when a service began to fire after it was quiet for `window` microseconds."""
        at = self.times[self.service == service]
        began: Ints = at[np.r_[True, np.diff(at) > window]] if len(at) else at
        return began

    def around(self, starts: Ints, *, window: int) -> Around:
        """Return who else fired around `starts`, from a fifth of `window` before to `window` after."""
        low = np.searchsorted(self.times, starts - window // EARLY, side="left")
        high = np.searchsorted(self.times, starts + window, side="right")
        many = high - low
        episode = np.repeat(np.arange(len(starts)), many)
        row = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
        pair = episode * len(self.names) + self.service[row]
        first = np.unique(pair, return_index=True)[1]  # rows come in order of time within an episode
        return Around(
            episode[first], self.service[row[first]], self.times[row[first]] - starts[episode[first]], row, episode
        )

    def chance(self, starts: Ints, *, window: int) -> Floats:
        """Return how likely each service fires around a moment that has nothing to do with `starts`."""
        length, span = window + window // EARLY, int(np.ptp(self.times)) if len(self.times) else 0
        apart = ~self._covered(starts, window)
        order = np.flatnonzero(apart)[np.argsort(self.service[apart], kind="stable")]
        at, service = self.times[order], self.service[order]
        last = np.r_[np.diff(service) != 0, True] if len(order) else np.zeros(0, dtype=bool)
        reach = np.where(last, length, np.minimum(np.diff(at, append=0), length))
        covered = np.bincount(service, weights=reach, minlength=len(self.names))
        elsewhere = max(span + length - length * len(starts), length)
        return np.minimum(covered / elsewhere, 1.0)

    def _covered(self, starts: Ints, window: int) -> NDArray[np.bool_]:
        """Return for each alert whether it lies around one of `starts`."""
        if not len(starts):
            return np.zeros(len(self.times), dtype=bool)
        before = np.searchsorted(starts, self.times + window // EARLY, side="right") - 1
        return (before >= 0) & (self.times <= starts[np.maximum(before, 0)] + window)


@dataclass(frozen=True)
class Around:
    """Who fired around some moments: an entry per moment (`episode`) and service, with its first alert."""

    episode: Ints
    service: Ints
    delay: Ints  # microseconds from the moment to its first alert
    row: Ints  # rows of all alerts around, not only the first
    row_episode: Ints  # and which moment each is around

    def counts(self, services: int, weight: Floats | None = None) -> Floats:
        """Return around how many of the moments each of so many services fired, each counted by its `weight`."""
        weights = None if weight is None else weight[self.episode]
        return np.bincount(self.service, weights=weights, minlength=services).astype(np.float64)

    def fired(self, episodes: int, services: int) -> NDArray[np.bool_]:
        """Return who fired: a row per moment, a column per service."""
        table = np.zeros((episodes, services), dtype=bool)
        table[self.episode, self.service] = True
        return table


def _numbers(service: pd.Series, names: pd.Index) -> Ints:
    """Return the number of each service in `names`, -1 for null and unknown."""
    if isinstance(service.dtype, pd.CategoricalDtype):
        codes = names.get_indexer(service.cat.categories.astype("str"))
        return np.append(codes, -1)[service.cat.codes.to_numpy()].astype(np.int64)
    return names.get_indexer(pd.Index(service)).astype(np.int64)
