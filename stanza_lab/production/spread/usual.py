"""What is usual: how often each service alerts and what it depends on, found once per map and asked at any moment.

A map restored from a bundle has no alerts, only sums of them: how often each service alerts in all, and in how long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from stanza_lab.production.spread.causes import TRAVELS
from stanza_lab.production.spread.firings import Firings
from stanza_lab.production.spread.reach import Arcs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.production.contents import MapContents

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FAINT = 0.05  # probability from which a link is walked
DRAWS = 512  # of the map: probabilities are off by 0.02 at most times
QUIET_US = 15 * 60 * 1_000_000  # without an alert for so long, the next one begins an episode
_WORTH = 1.0  # episodes that the mean of all services is worth
_LEAST_US = 24 * 3600 * 1_000_000  # a shorter history is taken for a day
_SAID = 0.3  # episodes in all history, where there were none at all


@dataclass(frozen=True)
class Usual:
    """The alerts of a map's services, sorted by service and time, and the ways from a service to what it needs."""

    names: pd.Index
    up: Arcs  # the ways trouble takes, each as often as it does
    down: Arcs  # what each depends on
    at: Ints  # microseconds
    begins: NDArray[np.bool_]  # whether the alert begins an episode
    first: Ints  # where each service's alerts begin, and the end
    sums: Rates | None = None  # of a history that is not at hand itself

    @property
    def known(self) -> int:
        """How many alerts it is known from."""
        return len(self.at) if self.sums is None else int(self.sums.alerts.sum())

    @classmethod
    def of(cls, production: MapContents) -> Usual:
        """Return what is usual on a whole map; kept as long as the map is."""
        whole = production.whole
        known = _KEPT.get(whole)
        if known is None:
            known = _KEPT[whole] = cls._look(whole)
        return known

    @classmethod
    def _look(cls, whole: MapContents) -> Usual:
        names, pairs, alerts = pd.Index(whole.services["service"]), whole.links, whole.alerts
        sums = None if whole._usual is None else Rates.of(whole._usual, names)
        arcs = Arcs.of(pairs[pairs["strength"] >= FAINT], names, draws=DRAWS)
        none = pd.DataFrame({"service": pd.Series(dtype="str"), "starts_at": pd.Series(dtype="datetime64[us, UTC]")})
        fired = Firings.of(none if alerts is None else alerts, names)
        order = np.argsort(fired.service, kind="stable")
        at, service = fired.times[order], fired.service[order]
        begins = np.ones(len(at), dtype=bool)
        begins[1:] = (np.diff(service) != 0) | (np.diff(at) > QUIET_US)
        first = np.searchsorted(service, np.arange(len(names) + 1)).astype(np.int64)
        return cls(names, arcs.thinned(TRAVELS), arcs.turned(), at, begins, first, sums)

    def around(self, began: int, ended: int, *, until: int | None) -> Rates:
        """Return how often each service alerts, what lies from `began` to `ended` and after `until` left out.

        Of sums nothing can be left out: they are of a history that was over before.
        """
        if self.sums is not None:
            return self.sums
        at, counted = self.at, np.ones(len(self.at), dtype=bool)
        if len(at):
            counted = (at < began - QUIET_US) | (at > ended + QUIET_US)
            counted &= at <= (at.max() if until is None else until)
        before = np.concatenate([[0], np.cumsum(counted)])
        starts = np.concatenate([[0], np.cumsum(counted & self.begins)])
        alerts, episodes = np.diff(before[self.first]), np.diff(starts[self.first])
        seen = at[counted]
        span = int(np.ptp(seen)) if len(seen) else 0
        if len(seen) and seen.min() < began and ended < seen.max():
            span -= ended - began
        return Rates(alerts.astype(np.float64), episodes.astype(np.float64), float(max(span, _LEAST_US)))


@dataclass(frozen=True)
class Rates:
    """How often each service alerted outside an incident."""

    alerts: Floats
    episodes: Floats
    span_us: float

    @classmethod
    def of(cls, table: pd.DataFrame, names: pd.Index) -> Rates:
        """Return the rates of services from a table of sums (see `to_frame`)."""
        known = table.drop_duplicates("service").set_index("service").reindex(names)
        span_us = float(table["span_s"].max()) * 1e6 if len(table) else 0.0
        return cls(
            known["alerts"].fillna(0).to_numpy(dtype=np.float64),
            known["episodes"].fillna(0).to_numpy(dtype=np.float64),
            max(span_us, float(_LEAST_US)),
        )

    def to_frame(self, names: pd.Index) -> pd.DataFrame:
        """Return sums per service: service (str), alerts, episodes (int64), span_s (float64, the same in all rows)."""
        counts = {"alerts": self.alerts.astype(np.int64), "episodes": self.episodes.astype(np.int64)}
        return pd.DataFrame({"service": names.astype("str"), **counts, "span_s": self.span_us / 1e6})

    def chance(self, within_us: float) -> Floats:
        """Return how likely each begins an episode within a time, by chance.

        The rate of a service has a gamma distribution, drawn to the mean of all services by the worth of one episode;
        so the number of episodes has a negative binomial one.
        """
        mean = max(float(self.episodes.mean()) if len(self.episodes) else 0.0, _SAID / max(len(self.episodes), 1))
        seen = self.span_us + _WORTH * self.span_us / mean
        none: Floats = (seen / (seen + within_us)) ** (self.episodes + _WORTH)
        return 1 - none

    @property
    def per_episode(self) -> Floats:
        """Return how many alerts an episode of each usually has: at least one."""
        return (self.alerts + 1) / (self.episodes + 1)


_KEPT: WeakKeyDictionary[MapContents, Usual] = WeakKeyDictionary()
