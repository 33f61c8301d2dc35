"""How unlikely a silence is: of a service since it last alerted, of a pair since it last alerted together.

Everything here counts days (slices of the model). A *clock* is what a silence is measured by: the calendar for a
service, the days on which one of them alerted for a pair. Given the first event and their number, the others may lie on
any tick of the clock if nothing changed; that is what a silence is held against, and no rate needs to be known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

ALPHA = 0.05  # for one kind of claim in one call: how often any is made where nothing changed
_DRAWN = 10.0  # gaps of its own at which how bursty one is counts as much as how bursty all are
_LEAST_GAPS = 3  # of one: fewer say nothing of how bursty it is

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Silences:
    """One row per case.

    `events`: on how many ticks it happened. `ticks`: of the clock after the first event. `silent`: of these, after the
    last event and in the window. `window`: of these, in the window, the longest silence there could have been.
    `bursty`: in how many events the same thing shows, at least 1.
    """

    events: Ints
    ticks: Ints
    silent: Ints
    window: Ints
    bursty: Floats

    @property
    def probability(self) -> Floats:
        """How likely such a silence is if nothing changed."""
        return chance(self.events - 1, self.ticks, self.silent, self.bursty)

    @property
    def at_best(self) -> Floats:
        """How unlikely it could have been: known without looking at what happened in the window."""
        return chance(self.events - 1, self.ticks, self.window, self.bursty)

    @property
    def expected(self) -> Floats:
        """On how many ticks of the silence it would have happened at its former rate."""
        return self.events / (self.ticks + 1 - self.silent) * self.silent


def chance(events: Ints, ticks: Ints, silent: Ints, bursty: Floats) -> Floats:
    """Return the probability that none of `events` on `ticks` lies on the last `silent`: C(T - L, n) / C(T, n).

    Where the same thing shows in several events, there are so many fewer of them, on so many fewer ticks.
    """
    silent = np.minimum(silent, np.maximum(ticks - events, 0))
    n, total, heard = (part / bursty for part in (events, ticks, ticks - silent))
    ways = gammaln(heard + 1) - gammaln(heard - n + 1) - gammaln(total + 1) + gammaln(total - n + 1)
    found: Floats = np.where((events <= 0) | (silent <= 0), 1.0, np.exp(np.minimum(ways, 0.0)))
    return found


def claimed(probability: Floats, at_best: Floats) -> NDArray[np.bool_]:
    """Return which silences are no chance (Tarone's rule): any at all in `ALPHA` of all calls if nothing changed."""
    best = np.sort(at_best)
    # The smallest k for which at most k cases can get below ALPHA / k.
    k = 1
    while int(np.searchsorted(best, ALPHA / k, "right")) > k:
        k += 1
    return (at_best <= ALPHA / k) & (probability <= ALPHA / k)


def of_events(case: Ints, tick: Ints, *, cases: int, since: Ints, end: Ints) -> Silences:
    """Measure the silence of each of `cases` from its events.

    Parameters
    ----------
    case, tick : array of int64
        The case of each event, and when on the clock of that case; sorted by both, each pair once.
    cases : int
        How many there are.
    since, end : array of int64
        For each case: the first tick of the window, and the one behind its last.
    """
    events = np.bincount(case, minlength=cases)
    first, last = np.zeros(cases, np.int64), np.zeros(cases, np.int64)
    first[case[::-1]] = tick[::-1]
    last[case] = tick
    ticks = np.maximum(end - first - 1, 0)
    window = np.clip(end - np.maximum(since, first + 1), 0, ticks)
    silent = np.where(events > 0, np.minimum(end - 1 - last, window), 0)
    return Silences(events, ticks, np.maximum(silent, 0), window, _bursty(case, tick, cases))


def _bursty(case: Ints, tick: Ints, cases: int) -> Floats:
    """Return how bursty each case is: the squared coefficient of variation of its gaps, drawn to that of all."""
    gaps = pd.Series(np.diff(tick))[np.diff(case) == 0].groupby(case[1:][np.diff(case) == 0])
    table = gaps.agg(["size", "mean", "var"])
    table = table[table["size"] >= _LEAST_GAPS]
    own = table["var"] / table["mean"] ** 2
    all_of_them = float((own * table["size"]).sum() / table["size"].sum()) if len(table) else 1.0
    drawn = (own * table["size"] + _DRAWN * all_of_them) / (table["size"] + _DRAWN)
    found = np.full(cases, all_of_them)
    found[drawn.index.to_numpy("int64")] = drawn.to_numpy()
    bursty: Floats = np.maximum(found, 1.0)
    return bursty
