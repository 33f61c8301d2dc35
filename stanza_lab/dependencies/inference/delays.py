"""Whose alerts come late: the detection delay of each node, and what the lags say once it is taken off.

A monitor that sees trouble a minute late makes its node look like an effect. All pairs of a node share its delay, so
it can be told from their lags together: ``lag = (travel, with the sign of the direction) + delay of b - delay of a``,
with normal errors and delays drawn to 0. Directions are hidden; expectation maximisation goes from what is known of
them otherwise (declared edges count most) to delays, and from delays to directions. With nothing known the sign is as
good as that of the raw lags; some known edges make it much better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.special import expit

if TYPE_CHECKING:
    from stanza_lab.dependencies.inference.pairs import PairCounts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ROUNDS = 20
WARM_UP = 6  # rounds in which directions are what is known otherwise, so that delays are learned from that first
TRAVEL_S = (5.0, 40.0, 120.0)  # least, first and largest guess of the time trouble takes over one edge, seconds
SPREAD_S = (10.0, 40.0)  # least and first guess of its spread
DELAY_S = (40.0, 40.0)  # least and first guess of the spread of delays
LIKELY = 0.01  # weight from which a pair teaches delays; below it there are very many that teach next to nothing
CLEAR = 4.0  # log odds beyond which lags say no more


def lag_log_odds(pairs: PairCounts, *, weight: Floats, known: Floats) -> tuple[Floats, Floats]:
    """Return what lags say on direction, and the delay of each node.

    Parameters
    ----------
    pairs : PairCounts
        The counts.
    weight : array, one per pair
        How much a pair counts: the probability that it is linked at all.
    known : array, one per pair
        Log odds, from everything but lags, that trouble goes from a to b.

    Returns
    -------
    log_odds : array
        Of trouble going from a to b, from lags alone, within 4 of 0.
    delay_s : array, one per node
        Seconds by which its alerts come late, relative to the others.
    """
    delay_s = np.zeros(len(pairs.fired))
    taught = np.flatnonzero(weight >= LIKELY)
    if not len(taught):
        return np.zeros(len(pairs)), delay_s
    lag = pairs.lag_quantile(0.5)
    error = 0.93 * (pairs.lag_quantile(0.75) - pairs.lag_quantile(0.25)) / np.sqrt(pairs.cofirings) + 5.0
    nodes, ends = np.unique(np.concatenate([pairs.a[taught], pairs.b[taught]]), return_inverse=True)
    between = _differences(*np.split(ends, 2), count=len(nodes))
    found = _learned(between, lag[taught], error[taught], weight=weight[taught], known=known[taught])
    delay_s[nodes] = found.delay
    place = np.full(len(delay_s), -1)
    place[nodes] = np.arange(len(nodes))
    unsure = _variance(place[pairs.a], place[pairs.b], found)
    rest = lag - (delay_s[pairs.b] - delay_s[pairs.a])
    log_odds = 2 * found.travel * rest / (found.spread**2 + error**2 + unsure)
    return np.clip(log_odds, -CLEAR, CLEAR), delay_s


class _Delays(NamedTuple):
    """Delays, their covariance, the time and spread of travel, and the spread of delays; in seconds."""

    delay: Floats
    covariance: Floats
    travel: float
    spread: float
    reach: float


def _learned(between: scipy.sparse.csr_array, lag: Floats, error: Floats, *, weight: Floats, known: Floats) -> _Delays:
    """Go from directions to delays and back."""
    leads = expit(known)
    travel, spread, reach = TRAVEL_S[1], SPREAD_S[1], DELAY_S[1]
    for number in range(ROUNDS):
        trust = weight / (spread**2 + error**2)
        normal = (between.T @ scipy.sparse.diags_array(trust) @ between).toarray()
        covariance = np.linalg.inv(normal + np.eye(len(normal)) / reach**2)
        delay = covariance @ (between.T @ (trust * (lag - (2 * leads - 1) * travel)))
        found = _Delays(delay, covariance, travel, spread, reach)
        if number < WARM_UP:
            continue
        rest = lag - between @ delay
        ends = between.indices.reshape(-1, 2)
        unsure = _variance(ends[:, 0], ends[:, 1], found)
        log_odds = np.clip(2 * travel * rest / (spread**2 + error**2 + unsure), -CLEAR, CLEAR)
        leads = expit(log_odds + known)
        travel = _mean((2 * leads - 1) * rest, weight) / max(_mean((2 * leads - 1) ** 2, weight), 1e-6)
        travel = float(np.clip(travel, TRAVEL_S[0], TRAVEL_S[2]))
        squares = leads * (rest - travel) ** 2 + (1 - leads) * (rest + travel) ** 2
        spread = max(SPREAD_S[0], float(np.sqrt(_mean(squares, weight))))
        reach = max(DELAY_S[0], float(np.sqrt(np.mean(delay**2 + np.diag(covariance)))))
    return found


def _differences(a: Ints, b: Ints, *, count: int) -> scipy.sparse.csr_array:
    """Return the matrix that takes delays of nodes to delay of b less delay of a, one row per pair."""
    rows = np.tile(np.arange(len(a)), 2)
    signs = np.repeat([1.0, -1.0], len(a))
    return scipy.sparse.csr_array((signs, (rows, np.concatenate([b, a]))), (len(a), count))


def _variance(a: Ints, b: Ints, found: _Delays) -> Floats:
    """Return the variance of each difference of delays; a place of -1 is a node nothing was learned of."""
    own = np.append(np.diag(found.covariance), found.reach**2)
    shared = np.where((a >= 0) & (b >= 0), found.covariance[a, b], 0.0)
    return np.asarray(own[a] + own[b] - 2 * shared)


def _mean(values: Floats, weight: Floats) -> float:
    return float(np.sum(weight * values) / np.sum(weight))
