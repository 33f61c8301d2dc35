"""Who follows a service's own failures, in history: how often, how soon, with which alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from stanza_lab.production import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.production.spread.causes import Causes
    from stanza_lab.production.spread.firings import Around, Firings

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LATEST = 2000  # firings of a service that are looked at
_SHARES = (0.1, 0.5, 0.9)
_TOP = 3  # alerts named per service


@dataclass(frozen=True)
class Followers:
    """What each service did around the firings of one, each firing weighed by how likely it was its own failure."""

    firings: int
    failures: float  # firings that were its own failure, as expected from their weights
    followed: Ints  # firings around which each service fired
    weight: Floats  # the same, weighed
    chance: Floats  # how likely each fires around any moment
    lag_s: Floats  # the tenth, half and nine tenths of the delays: three rows
    around: Around | None = None
    share: Floats | None = None  # the weight of each firing
    known: Firings | None = None

    @classmethod
    def none(cls, services: int) -> Self:
        """Return that nothing is known."""
        blank = np.zeros(services)
        return cls(0, 0.0, blank.astype(np.int64), blank, blank, np.full((3, services), np.nan))

    @classmethod
    def of(cls, known: Firings, service: int, behind: Causes, *, window: pd.Timedelta) -> Self:
        """Return what history shows around the latest firings of a service."""
        length, services = window // pd.Timedelta("1us"), len(known.names)
        starts = known.episodes(service, window=length)[-LATEST:]
        if not len(starts):
            return cls.none(services)
        around = known.around(starts, window=length)
        chance = known.chance(starts, window=length)
        share = behind.behind(around.fired(len(starts), services), chance)[:, 0]
        return cls(
            firings=len(starts),
            failures=float(share.sum()),
            followed=around.counts(services).astype(np.int64),
            weight=around.counts(services, share),
            chance=chance,
            lag_s=_quantiles(around, share, services) / 1e6,
            around=around,
            share=share,
            known=known,
        )

    def alerts(self, services: Ints) -> dict[int, list[str]]:
        """Return for each of `services` the alerts it most often raised around, with in which share of the times."""
        named: dict[int, list[str]] = {int(one): [] for one in services}
        if self.known is None or self.around is None or self.share is None:
            return named
        if "alertname" not in self.known.alerts.columns:
            return named
        row, episode = self.around.row, self.around.row_episode
        kept = np.isin(self.known.service[row], services)
        row, episode = row[kept], episode[kept]
        raised = pd.DataFrame(
            {
                "service": self.known.service[row],
                "name": self.known.alerts["alertname"].astype("category").cat.codes.to_numpy()[row],
                "episode": episode,
            }
        )
        raised = raised[raised["name"] >= 0].drop_duplicates()
        raised["weight"] = self.share[raised["episode"]]
        names = self.known.alerts["alertname"].astype("category").cat.categories
        often = raised.groupby(["service", "name"])["weight"].sum().reset_index()
        often = often.sort_values(["service", "weight", "name"], ascending=[True, False, True])
        for service, name, weight in often.groupby("service").head(_TOP).itertuples(index=False):
            if self.weight[service] > 0:
                named[service].append(f"{names[name]} ({words.probability(weight / self.weight[service])})")
        return named


def _quantiles(around: Around, share: Floats, services: int) -> Floats:
    """Return the `_SHARES` of each service's delays, each counted by the weight of its firing."""
    order = np.lexsort((around.delay, around.service))
    service, delay, weight = around.service[order], around.delay[order], share[around.episode[order]] + 1e-9
    up_to = np.cumsum(weight)
    total = np.bincount(service, weights=weight, minlength=services)
    before = np.cumsum(total) - total
    found = np.full((len(_SHARES), services), np.nan)
    there = np.flatnonzero(total > 0)
    last = np.searchsorted(service, there, side="right") - 1
    for line, part in zip(found, _SHARES, strict=True):
        at = np.searchsorted(up_to, before[there] + part * total[there], side="left")
        line[there] = delay[np.minimum(at, last)]
    return found
