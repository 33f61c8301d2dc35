"""Whose alerts come late: the detection delay of each node, and what the lags say once it is taken off.

A monitor that sees trouble a minute late makes its node look like an effect. All pairs of a node share its delay, so
it can be told from their lags together: ``lag = (travel, with the sign of the direction) + delay of b - delay of a``,
with normal errors and delays drawn to 0. Directions are hidden; expectation maximisation goes from what is known of
them otherwise (declared edges count most) to delays, and from delays to directions. With nothing known the sign is as
good as that of the raw lags; some known edges make it much better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.special import expit

if TYPE_CHECKING:
    from stanza_lab.dependencies.inference.pairs import PairCounts

Floats = npt.NDArray[np.float64]

ROUNDS = 30
WARM_UP = 8  # rounds in which directions are what is known otherwise, so that delays are learned from that first
TRAVEL_S = (5.0, 40.0, 120.0)  # least, first and largest guess of the time trouble takes over one edge, seconds
SPREAD_S = (10.0, 40.0)  # least and first guess of its spread
DELAY_S = (2.0, 40.0)  # least and first guess of the spread of delays
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
    if not len(pairs) or weight.sum() <= 0:
        return np.zeros(len(pairs)), np.zeros(len(pairs.fired))
    lag = pairs.lag_quantile(0.5)
    error = 0.93 * (pairs.lag_quantile(0.75) - pairs.lag_quantile(0.25)) / np.sqrt(pairs.cofirings) + 5.0
    between = _differences(pairs)
    leads = expit(known)
    travel, spread, reach = TRAVEL_S[1], SPREAD_S[1], DELAY_S[1]
    log_odds = np.zeros(len(pairs))
    for number in range(ROUNDS):
        trust = weight / (spread**2 + error**2)
        normal = (between.T @ scipy.sparse.diags_array(trust) @ between).toarray()
        inverse = np.linalg.inv(normal + np.eye(len(normal)) / reach**2)
        delay = inverse @ (between.T @ (trust * (lag - (2 * leads - 1) * travel)))
        rest = lag - between @ delay
        unsure = _variance(between, inverse)
        log_odds = np.clip(2 * travel * rest / (spread**2 + error**2 + unsure), -CLEAR, CLEAR)
        if number < WARM_UP:
            continue
        leads = expit(log_odds + known)
        travel = _mean((2 * leads - 1) * rest, weight) / max(_mean((2 * leads - 1) ** 2, weight), 1e-6)
        travel = float(np.clip(travel, TRAVEL_S[0], TRAVEL_S[2]))
        squares = leads * (rest - travel) ** 2 + (1 - leads) * (rest + travel) ** 2
        spread = max(SPREAD_S[0], np.sqrt(_mean(squares, weight)))
        reach = max(DELAY_S[0], float(np.sqrt(np.mean(delay**2 + np.diag(inverse)))))
    return log_odds, delay


def _differences(pairs: PairCounts) -> scipy.sparse.csr_array:
    """Return the matrix that takes delays of nodes to delay of b less delay of a, one row per pair."""
    count = len(pairs)
    rows = np.tile(np.arange(count), 2)
    signs = np.repeat([1.0, -1.0], count)
    return scipy.sparse.csr_array((signs, (rows, np.concatenate([pairs.b, pairs.a]))), (count, len(pairs.fired)))


def _variance(between: scipy.sparse.csr_array, inverse: Floats) -> Floats:
    """Return the variance of each difference of delays."""
    rows = between.indices.reshape(-1, 2)
    one, other = rows[:, 0], rows[:, 1]
    return np.asarray(inverse[one, one] + inverse[other, other] - 2 * inverse[one, other])


def _mean(values: Floats, weight: Floats) -> float:
    return float(np.sum(weight * values) / np.sum(weight))
