"""The distance between two alerts, in seconds, as a sum that people can read.

``seconds apart + what pushes them apart - what draws them together``: each part is a gap (a parameter of the clusterer)
times how much of the evidence there is. The distance is the sum, never below zero. Each part stands for itself, so that
the sum explains itself (see `IncidentClusterer.explain`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import pdtr

from stanza_lab.incidents.correlation.features import UNKNOWN
from stanza_lab.incidents.correlation.recurrence import PRIOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scipy.sparse import csr_array

    from stanza_lab.incidents.correlation.features import Features
    from stanza_lab.incidents.correlation.recurrence import Recurrence

COMPANY_S = 300.0  # how near another rule's alert must fire to count as company
RECOVERY_S = 120.0  # how near two alerts must end to have recovered together
CROWD_S = 3 * 3600.0  # how far around an alert its time is called crowded or quiet
BOUT_S = 1800.0  # one rule that fires again within this is still the same bout
FAMILY_NEXT = 8  # alerts that follow one in which its companions are looked for
FAMILY_TIMES = 4  # times two rules came together before they can be one family
FAMILY_SHARE = 0.6  # of the times that either fired
MOST_LIFT = 3.0  # e^3 = 20 times more often together than by chance is as good as it gets


@dataclass(frozen=True)
class Gaps:
    """What each kind of evidence weighs, in seconds."""

    service: float
    call: float
    team: float
    environment: float
    trace: float
    kind: float
    recovery: float
    recurrence: float
    chronic: float
    company: float
    crowd: float


@dataclass(frozen=True)
class Evidence:
    """What is known of alerts one by one (`habit`, `company`), of their services (`calls`) and of their rules.

    `habit` is how chronic its rule is by its other alerts, 0 to 1; `company` is how many times more than usual fires
    near it, as a logarithm, and `luck` how unusual that is; `crowd` is log(1 + bouts
    of alerts an hour) in the hours around it. `calls` holds how surely services (codes) depend on each other,
    symmetric, 0 to 1. `first` are the labels of a first grouping of the same alerts when the recurrence was counted
    over it: an alert is judged by other occasions only.
    """

    features: Features
    gaps: Gaps
    calls: csr_array
    recurrence: Recurrence
    habit: np.ndarray
    company: np.ndarray
    crowd: np.ndarray
    luck: np.ndarray
    first: np.ndarray | None

    def take(self, places: np.ndarray) -> Evidence:
        """Return what is known of the alerts at `places`, which must be sorted."""
        return replace(
            self,
            features=self.features.take(places),
            habit=self.habit[places],
            company=self.company[places],
            crowd=self.crowd[places],
            luck=self.luck[places],
            first=None if self.first is None else self.first[places],
        )

    def parts(self, left: np.ndarray, right: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the name of each part and its seconds for every pair."""
        f, gaps = self.features, self.gaps
        yield "time", np.abs(f.seconds[right] - f.seconds[left])
        other = f.service[left] != f.service[right]
        if f.lists:
            other &= ~f.share("resources", left, right)
        if gaps.service:
            yield "service", gaps.service * other
        if gaps.call and self.calls.nnz:
            yield "calls", -gaps.call * np.where(other, self._called(left, right), 0.0)
        if gaps.team:
            yield "team", gaps.team * (f.team[left] != f.team[right])
        if gaps.environment:
            a, b = f.place[left], f.place[right]
            yield "environment", gaps.environment * ((a != b) & (a != UNKNOWN) & (b != UNKNOWN))
        if gaps.trace and "trace_ids" in f.lists:
            yield "trace", -gaps.trace * f.share("trace_ids", left, right)
        if gaps.kind:
            yield "kind", -gaps.kind * ((f.kind[left] == f.kind[right]) & (f.kind[left] != UNKNOWN) & other)
        if gaps.recovery:
            together = np.abs(f.ends[left] - f.ends[right]) <= RECOVERY_S  # never where an end is unknown
            yield "recovery", -gaps.recovery * together
        if gaps.recurrence and self.recurrence.occasions:
            first = None if self.first is None else (self.first[left], self.first[right])
            lift = self.recurrence.lift(f.rule[left], f.rule[right], first)
            yield "recurrence", -gaps.recurrence * np.clip(lift, -MOST_LIFT, MOST_LIFT)
        if gaps.chronic:
            yield "chronic", gaps.chronic * (self.habit[left] + self.habit[right] - 2 * PRIOR)
        if gaps.company:
            yield "company", -gaps.company * np.minimum(self.company[left], self.company[right])
        if gaps.crowd:
            yield "crowd", gaps.crowd * (self.crowd[left] + self.crowd[right]) / 2

    def distances(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the distance of each pair, in seconds."""
        total = np.zeros(len(left))
        for _, seconds in self.parts(left, right):
            total += seconds
        return np.maximum(total, 0.0)

    def reach_s(self, max_gap_s: float) -> np.ndarray:
        """Return for each alert the seconds beyond which nothing is within `max_gap_s` of it."""
        gaps = self.gaps
        trace = gaps.trace if "trace_ids" in self.features.lists else 0.0
        called = gaps.call if self.calls.nnz else 0.0
        recurring = MOST_LIFT * gaps.recurrence if self.recurrence.occasions else 0.0
        helped = called + trace + gaps.kind + gaps.recovery + recurring + gaps.company * self.company
        pushed = gaps.chronic * (self.habit + self.habit.min(initial=1.0) - 2 * PRIOR)
        pushed = pushed + gaps.crowd * (self.crowd + self.crowd.min(initial=np.inf)) / 2
        return np.asarray(np.maximum(max_gap_s + helped - pushed, 0.0))

    def _called(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        a, b = self.features.service[left], self.features.service[right]
        known = (a >= 0) & (b >= 0) & (a < self.calls.shape[0]) & (b < self.calls.shape[0])
        found = np.zeros(len(left))
        found[known] = np.asarray(self.calls[a[known], b[known]]).ravel()
        return found


def company(seconds: np.ndarray, rule: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how much company each alert has, and how unusual that is.

    Company are bouts of other rules that begin within `COMPANY_S`; what is usual is their number in the hours around,
    `CROWD_S` on either side, as if they were spread evenly.

    Returns
    -------
    company : ndarray
        log((1 + company) / (1 + what is usual)), at least 0.
    luck : ndarray
        The share of Poisson counts around the usual that are lower, ties half: 0.5 on average for what fires
        whenever it likes, near 1 for what fires when much else does.
    """
    order, begins = np.lexsort([seconds, rule]), _begins(seconds, rule)
    # one rule after the other on one line, too far apart to meet
    span = seconds[-1:].sum() - seconds[:1].sum() + 3 * CROWD_S
    line = seconds[order] + np.cumsum(np.r_[0, np.diff(rule[order]) != 0]) * span if len(order) else seconds
    counts = []
    for reach_s in (COMPANY_S, CROWD_S):
        own = np.empty(len(seconds))
        own[order] = _within(line, begins[order], reach_s)
        counts.append(np.maximum(_within(seconds, begins, reach_s) - own, 0.0))
    found, usual = np.round(counts[0]), counts[1] * COMPANY_S / CROWD_S
    luck = (pdtr(found, usual) + np.where(found > 0, pdtr(np.maximum(found - 1, 0), usual), 0.0)) / 2
    return np.maximum(np.log1p(found) - np.log1p(usual), 0.0), luck


def families(seconds: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """Return for each rule (code) the rule that stands for its family: rules that hardly ever fire without each other.

    Three alarms on one thing are one alarm told three times: they are no company to each other.
    """
    size = int(rule.max(initial=-1)) + 1
    begins = _begins(seconds, rule)
    order = np.lexsort([seconds, rule])
    bout = np.empty(len(rule), dtype=np.int64)
    bout[order] = np.cumsum(begins[order])
    bouts = np.bincount(rule[begins > 0], minlength=size)
    pairs, ends = [], []
    for step in range(1, FAMILY_NEXT + 1):
        left, right = np.arange(len(rule) - step), np.arange(step, len(rule))
        near = (seconds[step:] - seconds[:-step] <= COMPANY_S) & (rule[left] != rule[right])
        left, right = left[near], right[near]
        swap = rule[left] > rule[right]
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        pairs.append(rule[left] * size + rule[right])
        ends.append((bout[left], bout[right]))
    pair, number = np.unique(np.concatenate(pairs), return_inverse=True)
    a, b = pair // max(size, 1), pair % max(size, 1)
    room = int(bout.max(initial=0)) + 1
    counted = []  # in bouts of the one and of the other: the fewer, so that it does not matter which comes first
    for side in zip(*ends, strict=True):
        met = np.sort(number * room + np.concatenate(side))
        met = met[np.diff(met, prepend=-1) != 0]  # as np.unique, which hashes first: ten times slower here
        counted.append(np.bincount(met // room, minlength=len(pair)))
    together = np.minimum(*counted)
    ever = np.maximum(bouts[a] + bouts[b] - together, 1)
    one = (together >= FAMILY_TIMES) & (together >= FAMILY_SHARE * ever)
    links = coo_array((np.ones(int(one.sum())), (a[one], b[one])), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def crowd(seconds: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """Return log(1 + bouts an hour) around each of sorted times; a rule that fires again soon is still in one bout."""
    return np.log1p(_within(seconds, _begins(seconds, rule), CROWD_S) / (2 * CROWD_S / 3600.0))


def _begins(seconds: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """Return 1 where a bout of a rule begins, else 0."""
    order = np.lexsort([seconds, rule])
    begins = np.ones(len(seconds))
    begins[order[1:]] = (np.diff(rule[order]) != 0) | (np.diff(seconds[order]) > BOUT_S)
    return begins


def _within(seconds: np.ndarray, weight: np.ndarray, reach_s: float) -> np.ndarray:
    """Return the weight of all that lies within `reach_s` of each of sorted times."""
    sums = np.r_[0.0, np.cumsum(weight)]
    low = np.searchsorted(seconds, seconds - reach_s, side="left")
    high = np.searchsorted(seconds, seconds + reach_s, side="right")
    return np.asarray(sums[high] - sums[low])
