"""How often a pattern would happen if every kind of alert kept its own bursts and hours but knew nothing of the others.

That is a history in which each kind is shifted in time against the others. What a pattern would be worth there needs no
shuffling: a shifted kind covers a moment with the share of time that lies near one of its alerts (of time in which
anything fired at all, and more in the hours of the day in which it fires more). From that follows how often so many
members of a pattern would meet, and from a Poisson distribution how unlikely it is to meet as often as they did.

Whoever looks at all sets of kinds and names the most striking ones finds some by chance. So each p value is held
against the number of all sets of so many kinds, of all numbers of members that could have met and of all lengths of
time: a bound that holds however the search goes, for any way of grouping alerts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammainc, gammaln
from scipy.stats import false_discovery_control

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from stanza_lab.patterns.mining.members import Member
    from stanza_lab.patterns.mining.sequences import Sequences

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

NEAR = 0.9  # of the occurrences whose core lies within what counts as near
WATCHED_S = 3600.0  # time further than that from any alert counts as not watched: nothing could have fired there
USUAL_S = 900.0  # seconds around a moment: what fires in them all the time belongs to no pattern
_SHORTEST_S, _LENGTHS = 60.0, 16  # near is a minute times a power of two: so few that all of them can be paid for
_HOURS = 24
_ASSUMED = 24.0  # alerts that what is usual of all kinds is worth beside a kind's own hours
_BINS = 24  # sizes of incidents that are told apart
_STEPS = 30
_DAY_S = 86_400.0


class Odds(NamedTuple):
    """What chance makes of patterns: how often each would happen, how unlikely it is, alone and after the search."""

    expected: Floats
    p_value: Floats
    q_value: Floats
    near_s: Floats

    def of(self, rows: Ints) -> Odds:
        """Return those of some patterns."""
        return Odds(*(column[rows] for column in self))


def odds(found: list[Member], sequences: Sequences, *, least: int) -> Odds:
    """Return what chance makes of each pattern."""
    hours = hours_of(sequences)
    choices = int((np.bincount(sequences.fired_kind, minlength=sequences.n_kinds) >= least).sum())
    watched: dict[float, float] = {}
    rows = []
    for one, (together, span) in zip(found, meetings(sequences, found), strict=True):
        near = near_s(span)
        if near not in watched:
            watched[near] = _near(np.sort(sequences.fired_at), max(near, WATCHED_S))[1]
        expected = _expected(one, sequences, near, watched[near], hours)
        p = _best(together[span <= near], expected, one)
        sets = np.exp(min(700.0, _log_choose(max(choices, len(one.core)), len(one.core)))) * _LENGTHS
        rows.append((expected[0], p, min(1.0, p * sets), near))
    told, p_value, bounded, near_all = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return Odds(told, p_value, false_discovery_control(bounded) if len(bounded) else bounded, near_all)


def usual(sequences: Sequences) -> Floats:
    """Return how likely each kind fires around any moment: the share of time within a quarter of an hour of it."""
    last = np.diff(sequences.fired_kind, append=-1) != 0
    gaps = np.where(last, np.inf, np.diff(sequences.fired_at, append=np.inf))
    covered = np.bincount(sequences.fired_kind, np.minimum(gaps, 2 * USUAL_S), minlength=sequences.n_kinds)
    return np.asarray(np.minimum(1.0, covered / (sequences.span_s() + 2 * USUAL_S)), dtype=np.float64)


def near_s(span: Floats) -> float:
    """Return within what time the core of most occurrences lies: a minute, two, four, eight ..."""
    usual = float(np.quantile(span, NEAR)) if len(span) else 0.0
    power = np.ceil(np.log2(max(usual, _SHORTEST_S) / _SHORTEST_S) - 1e-9)
    return float(_SHORTEST_S * 2 ** min(power, _LENGTHS - 1))


def at_least(support: Floats, expected: Floats) -> Floats:
    """Return how likely so many or more happen where so many are expected (Poisson)."""
    return np.where(support > 0, gammainc(np.maximum(support, 1e-9), expected), 1.0)


def hours_of(sequences: Sequences) -> Floats:
    """Return per kind which share of its alerts fires in each hour of the day (UTC).

    What a kind shows counts as much as `_ASSUMED` alerts that fire when alerts in general do.
    """
    hour = (sequences.fired_at % _DAY_S // 3600).astype(np.int64)
    cells = sequences.fired_kind * _HOURS + hour
    own = np.bincount(cells, minlength=sequences.n_kinds * _HOURS).reshape(-1, _HOURS)
    usual = own.sum(axis=0) + max(1.0, len(hour) / 100)
    own = own + _ASSUMED * usual / usual.sum()
    return np.asarray(own / own.sum(axis=1, keepdims=True), dtype=np.float64)


def meetings(sequences: Sequences, found: list[Member]) -> list[tuple[Ints, Floats]]:
    """Return per pattern and occurrence how many core members met, and how many seconds lie between first and last."""
    bounds = np.searchsorted(sequences.incident, np.arange(sequences.n_incidents + 1))
    said = []
    for one in found:
        core = np.zeros(sequences.n_kinds, bool)
        core[one.core] = True
        rows = _rows(bounds, one.incidents)
        rows = rows[core[sequences.kind[rows]]]
        at = sequences.first_at[rows]
        edge = np.flatnonzero(np.diff(sequences.incident[rows], prepend=-1))
        first, last = np.minimum.reduceat(at, edge), np.maximum.reduceat(at, edge)
        said.append((np.diff(np.append(edge, len(rows))), last - first))
    return said


def over_incidents(found: list[Member], has: csr_array) -> Floats:
    """Return how likely each pattern is if kinds fell into incidents independently, into large ones more likely."""
    if not found:
        return np.zeros(0)
    sizes = np.diff(has.indptr)
    counts = np.bincount(has.indices, minlength=has.shape[1]).astype(float)
    size, many = _binned(sizes)
    several = np.where(size > 1, many, 0.0)  # one kind alone is no sequence
    kinds = np.unique(np.concatenate([one.core for one in found]))
    share = _share(counts[kinds], size, many)
    p_value = []
    for one in found:
        there = _many_of(share[np.searchsorted(kinds, one.core)]) @ several
        expected = there[::-1].cumsum()[::-1][one.quorum :]
        core = np.isin(has[one.incidents].indices, one.core)
        met = np.add.reduceat(core, has[one.incidents].indptr[:-1])
        p_value.append(_best(met, expected, one))
    return np.array(p_value)


def q_values(p: Floats, by_chance: list[Floats]) -> Floats:
    """Return which share of the patterns with so small a p value chance offers.

    `by_chance` holds the p values of what the same search finds in each of several shuffled histories.
    """
    pooled = np.sort(np.concatenate([*by_chance, np.zeros(0)]))
    offered = (np.searchsorted(pooled, p, side="right") + 1) / (len(by_chance) + 1)
    order = np.argsort(p, kind="stable")
    share = offered[order] / np.searchsorted(p[order], p[order], side="right")
    told = np.empty(len(p))
    told[order] = np.minimum.accumulate(share[::-1])[::-1]
    return np.minimum(1.0, told)


def _best(met: Ints, expected: Floats, one: Member) -> float:
    """Return the p value of so many occurrences with so many core members, whichever number of them says most."""
    seen = np.array([float((met >= least).sum()) for least in range(one.quorum, len(one.core) + 1)])
    return min(1.0, float(at_least(seen, expected).min()) * len(seen))


def _binned(sizes: Ints) -> tuple[Floats, Floats]:
    """Return some sizes of incidents and how many incidents have each; those of one kind are told apart."""
    real = np.sort(sizes[sizes > 1])
    parts = [np.ones(int((sizes == 1).sum())), *np.array_split(real, min(_BINS, max(1, len(real))))]
    parts = [part for part in parts if len(part)]
    return np.array([part.mean() for part in parts]), np.array([float(len(part)) for part in parts])


def _share(counts: Floats, size: Floats, many: Floats) -> Floats:
    """Return how likely each kind is in an incident of each size: 1 - exp(-rate x size), in all as often as it is."""
    wanted = np.minimum(counts, many.sum() * 0.999)
    rate = wanted / max(1e-9, float(many @ size))
    for _ in range(_STEPS):
        gone = np.exp(-rate[:, None] * size)
        missing = (1 - gone) @ many - wanted
        rate = np.maximum(rate / 4, rate - missing / np.maximum(gone * size @ many, 1e-12))
    return np.asarray(1 - np.exp(-rate[:, None] * size), dtype=np.float64)


def _rows(bounds: Ints, incidents: Ints) -> Ints:
    """Return the elements of some incidents, in order."""
    low, many = bounds[incidents], bounds[incidents + 1] - bounds[incidents]
    return np.repeat(low - np.cumsum(many) + many, many) + np.arange(int(many.sum()))


def _expected(one: Member, sequences: Sequences, near: float, watched: float, hours: Floats) -> Floats:
    """Return how often at least quorum, ..., all of the core would meet within `near` seconds of each other."""
    bursts, covered = np.array([_near(sequences.fired(kind), near) for kind in one.core.tolist()]).T
    usual = hours[one.core]
    share = np.minimum(1.0, covered[:, None] / max(watched, near) * usual * _HOURS)
    meets = np.zeros(len(one.core) + 1)
    for k in range(len(one.core)):
        others = _many_of(np.delete(share, k, axis=0)) @ usual[k]
        meets[1:] += bursts[k] * others[::-1].cumsum()[::-1]
    # Each meeting was counted from every one of its members, of which there are at least so many.
    return np.asarray(meets[one.quorum :] / np.arange(one.quorum, len(one.core) + 1), dtype=np.float64)


def _many_of(share: Floats) -> Floats:
    """Return how likely none, one, two ... of the rows are there, per column, each with its own probability."""
    have = np.zeros((len(share) + 1, share.shape[1]))
    have[0] = 1.0
    for row in share:
        one_more = have[:-1] * row
        have[:-1] -= one_more
        have[1:] += one_more
    return have


def _near(at: Floats, near: float) -> tuple[float, float]:
    """Return in how many bursts something fired, and how many seconds lie near one of its alerts."""
    gaps = np.diff(at)
    return 1.0 + float((gaps > near).sum()), float(np.minimum(gaps, 2 * near).sum()) + 2 * near


def _log_choose(n: int, k: int) -> float:
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
