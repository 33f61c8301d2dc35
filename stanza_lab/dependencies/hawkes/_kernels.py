"""The loops of the point process that cannot be written as columns. Loading this module loads numba.

A *column* is one influence on one target: how strongly the earlier alarms of one source, at one hop, fading at one
pace, bear on each alarm of the target. Columns are numbered ``((target * sources + source) * hops + hop) * paces +
pace``; those of one target and source stand together and are its *influences*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import numba
import numpy as np

Loop = TypeVar("Loop", bound=Callable)

REACH = 6.0  # decay times after which an alarm is forgotten: a quarter of a percent is left
TIED = 0.5  # of the same instant, one of two alarms came first: each counts half as the earlier one
SETTLED = 0.02  # log-likelihood that a sweep must gain to be followed by another
SWEEPS = 30
LEAST = 1e-12  # rate, per second


class Stream(NamedTuple):
    """Alarms sorted by place and time."""

    nodes: np.ndarray
    times: np.ndarray  # seconds
    places: np.ndarray  # the alarms of place p are places[p] to places[p + 1]


class Hop(NamedTuple):
    """What is near: alarms at the places ``nearby[near[p]:near[p + 1]]`` bear on those at place p."""

    number: int
    of: int  # hops in all
    near: np.ndarray
    nearby: np.ndarray


class Columns(NamedTuple):
    """Influences, sparse: entries ``starts[c]`` to ``starts[c + 1]`` are column c; only what is not 0 has an entry."""

    starts: np.ndarray
    rows: np.ndarray  # alarms that anything bears on, sorted by node
    values: np.ndarray
    targets: np.ndarray  # the rows of target j are targets[j] to targets[j + 1]


class Sample(NamedTuple):
    """One draw from the history."""

    weights: np.ndarray  # per row: how often it was drawn
    alone: np.ndarray  # per node: alarms drawn that nothing bears on
    seconds: float  # in which anything could fire
    exposure: np.ndarray  # per source and influence: its sum over these seconds


def compiled(loop: Loop) -> Loop:
    """Compile `loop` on its first call; keep its type for those who call it."""
    return cast("Loop", numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "arcp", "nsz"})(loop))


@compiled
def influences(
    stream: Stream,
    hop: Hop,
    paces: np.ndarray,
    allowed: np.ndarray,
    row: np.ndarray,
    at: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
) -> None:
    """Count the entries of every column in `at`; or, with room in `rows`, write them where `at` says and move it on.

    The sources form a ring, the latest to fire first, so that each alarm only looks at what may still bear on it.
    """
    nodes, times, places = stream
    count = allowed.shape[0]
    writing = rows.size > 0
    level = np.zeros((count, paces.size))
    last, named = np.empty(count), np.empty(count)
    after = np.empty(count + 1, np.int64)  # `count` stands for the ring's head
    before = np.empty(count + 1, np.int64)
    for place in range(places.size - 1):
        if places[place] == places[place + 1]:
            continue
        alarms = _alarms_near(stream, hop, place)
        level[:] = 0.0
        last[:] = named[:] = -np.inf
        tied = nodes[:0]
        after[count] = before[count] = count
        seen = 0
        for n in range(places[place], places[place + 1]):
            now, target = times[n], nodes[n]
            while seen < alarms.size and times[alarms[seen]] < now:
                i, then = nodes[alarms[seen]], times[alarms[seen]]
                if last[i] > -np.inf:
                    after[before[i]] = after[i]
                    before[after[i]] = before[i]
                for q in range(paces.size):
                    level[i, q] = 1.0 + level[i, q] * np.exp(-paces[q] * (then - last[i]))
                last[i] = then
                after[i] = after[count]
                before[i] = count
                before[after[i]] = i
                after[count] = i
                seen += 1
            i = after[count]
            while i != count and (now - last[i]) * paces.min() <= REACH:
                for q in range(paces.size):
                    gone = (now - last[i]) * paces[q]
                    if allowed[i, target] and gone <= REACH:
                        column = ((target * count + i) * hop.of + hop.number) * paces.size + q
                        if writing:
                            rows[at[column]] = row[n]
                            values[at[column]] = level[i, q] * np.exp(-gone)
                        at[column] += 1
                i = after[i]
            if n == places[place] or times[n - 1] < now:
                tied = _tied(nodes, times, alarms, seen, now, named)
            for i in tied:
                if i != target and allowed[i, target]:
                    for q in range(paces.size):
                        column = ((target * count + i) * hop.of + hop.number) * paces.size + q
                        if writing:  # an entry of its own: sums over a column do not mind two of one row
                            rows[at[column]] = row[n]
                            values[at[column]] = TIED
                        at[column] += 1


@compiled
def _tied(
    nodes: np.ndarray, times: np.ndarray, alarms: np.ndarray, begin: int, now: float, named: np.ndarray
) -> np.ndarray:
    """Return the nodes that fire at the instant `now`, where the alarms from `begin` on may be."""
    tied = np.empty(named.size, np.int64)
    size = 0
    k = begin
    while k < alarms.size and times[alarms[k]] == now:
        if named[nodes[alarms[k]]] < now:
            named[nodes[alarms[k]]] = now
            tied[size] = nodes[alarms[k]]
            size += 1
        k += 1
    return tied[:size]


@compiled
def _alarms_near(stream: Stream, hop: Hop, place: int) -> np.ndarray:
    """Return the numbers of all alarms that bear on `place` over this hop, by time."""
    size = 0
    for k in range(hop.near[place], hop.near[place + 1]):
        size += stream.places[hop.nearby[k] + 1] - stream.places[hop.nearby[k]]
    alarms = np.empty(size, np.int64)
    filled = 0
    for k in range(hop.near[place], hop.near[place + 1]):
        for m in range(stream.places[hop.nearby[k]], stream.places[hop.nearby[k] + 1]):
            alarms[filled] = m
            filled += 1
    if hop.near[place + 1] - hop.near[place] > 1:
        alarms = alarms[np.argsort(stream.times[alarms], kind="mergesort")]
    return alarms


@compiled
def exposures(
    stream: Stream,
    hop: Hop,
    paces: np.ndarray,
    unit: np.ndarray,
    by_place: bool,  # noqa: FBT001 (a compiled loop takes no keywords)
    exposure: np.ndarray,
) -> None:
    """Add to ``exposure[unit, source, hop, pace]`` the influence of every alarm, summed over the time that follows it.

    The unit is that of the place it bears on, or (`by_place` off) of the alarm.
    """
    nodes, times, places = stream
    until = times.max()
    for place in range(places.size - 1):
        begin = places[place]
        if begin == places[place + 1]:
            continue
        for k in range(hop.near[place], hop.near[place + 1]):
            for m in range(places[hop.nearby[k]], places[hop.nearby[k] + 1]):
                u = unit[begin] if by_place else unit[m]
                for q in range(paces.size):
                    exposure[u, nodes[m], hop.number, q] -= np.expm1(-paces[q] * (until - times[m])) / paces[q]


@compiled
def lags(stream: Stream, edges: np.ndarray, counts: np.ndarray) -> None:
    """Add each alarm to ``counts[cause, effect, bin]``, by how long ago each other node last fired at its place.

    Bin b is from ``edges[b]`` up to ``edges[b + 1]``.
    """
    nodes, times, places = stream
    last = np.empty(counts.shape[0])
    for place in range(places.size - 1):
        last[:] = -np.inf
        for n in range(places[place], places[place + 1]):
            for i in range(last.size):
                lag = times[n] - last[i]
                if i != nodes[n] and lag < edges[-1]:
                    counts[i, nodes[n], np.searchsorted(edges, lag, side="right") - 1] += 1
            last[nodes[n]] = times[n]


@compiled
def search(
    columns: Columns, sample: Sample, allowed: np.ndarray, required: np.ndarray, penalty: float, tries: int
) -> tuple[np.ndarray, np.ndarray]:
    """Add the cause that gains most likelihood to its target, again and again, until none gains `penalty`.

    No circle is ever closed. Of each target, the `tries` causes that promise most are fitted in full.

    Returns
    -------
    kept : ndarray of bool
        Causes x targets.
    caused : ndarray of float
        Expected alarms of the target caused directly by all alarms of the cause; 0 where not kept.
    """
    count = allowed.shape[0]
    width = sample.exposure.size // count
    parents = np.zeros((count, count), np.int64)
    number = np.zeros(count, np.int64)
    rate, new_rate = np.zeros(count), np.zeros(count)
    effects, new_effects = np.zeros((count, count, width)), np.zeros((count, count, width))
    intensity, new_intensity = np.empty(columns.targets[-1]), np.empty(columns.targets[-1])
    promise, known = np.zeros((count, count)), np.zeros((count, count))  # gain: at least, and by a fit (0 = none yet)
    best, winner = np.full(count, -1.0), np.full(count, -1)
    kept = required.copy()
    reach = _closure(kept)
    for j in range(count):
        parents[j, 0] = j  # each node raises its own rate too
        number[j] = 1
        for i in range(count):
            if kept[i, j]:
                parents[j, number[j]] = i
                number[j] += 1
        rows = slice(columns.targets[j], columns.targets[j + 1])
        rate[j] = max((sample.weights[rows].sum() + sample.alone[j]) / sample.seconds, LEAST)
        intensity[rows] = rate[j]
        rate[j] = _settle(columns, sample, j, parents[j, : number[j]], rate[j], effects[j], intensity[rows])
        _promises(columns, sample, j, intensity[rows], promise[j])
    while True:
        for j in range(count):
            if best[j] >= 0.0 and (winner[j] < 0 or not reach[j, winner[j]]):
                continue  # what was found best before still is
            best[j], winner[j] = 0.0, -1
            rows = slice(columns.targets[j], columns.targets[j + 1])
            done = reach[j] | kept[:, j] | ~allowed[:, j]
            for _ in range(tries):
                i = _most(promise[j], done)
                if i < 0:
                    break
                done[i] = True
                if 0.0 < known[j, i] <= best[j]:
                    continue
                size = number[j] + 1
                parents[j, number[j]] = i
                trial, trial_effects = intensity[rows].copy(), effects[j].copy()
                trial_rate = _settle(columns, sample, j, parents[j, :size], rate[j], trial_effects, trial)
                known[j, i] = (
                    _log_ratio(sample.weights[rows], trial, intensity[rows])
                    + sample.alone[j] * np.log(trial_rate / rate[j])
                    - sample.seconds * (trial_rate - rate[j])
                    - _spent(sample, parents[j, :size], trial_effects, effects[j])
                )
                if known[j, i] > best[j]:
                    best[j], winner[j], new_rate[j] = known[j, i], i, trial_rate
                    new_intensity[rows], new_effects[j] = trial, trial_effects
        j = int(np.argmax(best))
        i = winner[j]
        if best[j] <= penalty or i < 0:
            break
        rows = slice(columns.targets[j], columns.targets[j + 1])
        parents[j, number[j]] = i
        number[j] += 1
        rate[j], intensity[rows], effects[j] = new_rate[j], new_intensity[rows], new_effects[j]
        kept[i, j] = True
        for k in range(count):  # what reaches i now reaches what j does
            if reach[k, i]:
                reach[k] |= reach[j]
        best[j], known[j] = -1.0, 0.0
        _promises(columns, sample, j, intensity[rows], promise[j])
    caused = np.zeros((count, count))
    for j in range(count):
        for p in range(1, number[j]):
            i = parents[j, p]
            caused[i, j] = effects[j, p] @ sample.exposure[i * width : (i + 1) * width]
    return kept, caused


@compiled
def _settle(
    columns: Columns,
    sample: Sample,
    target: int,
    parents: np.ndarray,
    rate: float,
    effects: np.ndarray,
    intensity: np.ndarray,
) -> float:
    """Climb to the most likely rate and effects of the target's parents, one coefficient at a time.

    Returns the rate; `effects` (parents x influences) and `intensity` (per row) are brought up to date in place.
    """
    first = columns.targets[target]
    weights = sample.weights[first : columns.targets[target + 1]]
    width = effects.shape[1]
    count = sample.exposure.size // width
    for _ in range(SWEEPS):
        rise = sample.alone[target] / rate
        bend = rise / rate
        for r in range(weights.size):
            share = weights[r] / intensity[r]
            rise += share
            bend += share / intensity[r]
        swept = 0.0
        if bend > 0.0:
            step = max(_climb(rise, bend, sample.seconds), -0.9 * rate, LEAST - rate)
            swept = 0.5 * abs(step * (rise - sample.seconds))
            rate += step
            intensity += step
        for p in range(parents.size):
            for f in range(width):
                exposure = sample.exposure[parents[p] * width + f]
                column = (target * count + parents[p]) * width + f
                begin, end = columns.starts[column], columns.starts[column + 1]
                rise = bend = 0.0
                for k in range(begin, end):
                    r = columns.rows[k] - first
                    share = columns.values[k] / intensity[r]
                    rise += weights[r] * share
                    bend += weights[r] * share * share
                old = effects[p, f]
                if exposure <= 0.0 or bend <= 0.0 or (old == 0.0 and rise <= exposure):
                    continue
                step = max(_climb(rise, bend, exposure), -old)
                swept += 0.5 * abs(step * (rise - exposure))
                effects[p, f] = old + step
                for k in range(begin, end):
                    intensity[columns.rows[k] - first] += step * columns.values[k]
        if swept < SETTLED:
            break
    return rate


@compiled
def _climb(rise: float, bend: float, exposure: float) -> float:
    """Return how far to move a coefficient along which the log-likelihood rises by ``rise - exposure``.

    As a function of the coefficient, ``1 / rise`` is concave (a harmonic mean of lines). So the tangent to it meets
    ``1 / exposure`` before the optimum when that lies above, and below the optimum otherwise: steps converge from
    anywhere. When all rows are alike the first one arrives.
    """
    return rise / bend * (rise / exposure - 1.0)


@compiled
def _promises(columns: Columns, sample: Sample, target: int, intensity: np.ndarray, promise: np.ndarray) -> None:
    """Bound from below what each source would gain as a cause of `target`: the same tangent, its best influence."""
    first = columns.targets[target]
    shares = sample.weights[first : columns.targets[target + 1]] / intensity
    width = sample.exposure.size // promise.size
    for source in range(promise.size):
        promise[source] = 0.0
        for f in range(width):
            column = (target * promise.size + source) * width + f
            exposure = sample.exposure[source * width + f]
            rise = bend = 0.0
            for k in range(columns.starts[column], columns.starts[column + 1]):
                r = columns.rows[k] - first
                share = columns.values[k] * shares[r]
                rise += share
                bend += share * columns.values[k] / intensity[r]
            if rise > exposure > 0.0:
                gain = rise / bend * (rise * np.log(rise / exposure) - rise + exposure)
                promise[source] = max(promise[source], gain)


@compiled
def _most(promise: np.ndarray, done: np.ndarray) -> int:
    """Return the source that promises most of those not done; -1 when none promises anything."""
    found = -1
    for i in range(promise.size):
        if not done[i] and promise[i] > 0.0 and (found < 0 or promise[i] > promise[found]):
            found = i
    return found


@compiled
def _log_ratio(weights: np.ndarray, new: np.ndarray, old: np.ndarray) -> float:
    total = 0.0
    for r in range(weights.size):
        if weights[r] > 0.0:
            total += weights[r] * np.log(new[r] / old[r])
    return total


@compiled
def _spent(sample: Sample, parents: np.ndarray, new: np.ndarray, old: np.ndarray) -> float:
    width = new.shape[1]
    total = 0.0
    for p in range(parents.size):
        for f in range(width):
            total += sample.exposure[parents[p] * width + f] * (new[p, f] - old[p, f])
    return total


@compiled
def _closure(edges: np.ndarray) -> np.ndarray:
    """Return what reaches what along `edges`, itself included."""
    reach = edges | (np.eye(edges.shape[0]) > 0.0)
    for k in range(edges.shape[0]):
        for i in range(edges.shape[0]):
            if reach[i, k]:
                reach[i] |= reach[k]
    return reach
