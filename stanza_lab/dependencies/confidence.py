"""From counts to confidence: what speaks for a pair, and how often such pairs were real in simulated productions.

The weights in `calibration.json` were fitted to simulated productions only, by
``python -m benchmarks.calibrate_edges``; the file names that command and keeps the reliability on productions held out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.special import expit

from stanza_lab.dependencies.statistics import LAG_EDGES, LAGS

if TYPE_CHECKING:
    from stanza_lab.dependencies.statistics import CoFiringStatistics, Ints

Floats = npt.NDArray[np.float64]

LINK_FEATURES = ["backing", "best", "standout", "close", "log_nodes"]
DIRECTION_FEATURES = ["order", "imbalance"]
SHRINKAGE = 0.3  # share of the identity in the matrix that `partial` inverts: few alerts make a noisy matrix
FAINT = 0.02  # strengths below this are not told apart
WEAK_CEILING = 0.25  # link confidence of a pair with too few occasions, or no more of them than chance gives
FEWEST_NODES = 12  # of the simulated productions; in smaller ones a pair is not taken to be likelier
CLOSE = slice(2, -2)  # lag bins up to a fifth of the window
RIVALLED_CEILING = 0.5  # of one that a third node explains as well: a shared cause looks like this for all it hits
# Who fires more often also depends on who has more monitors, so counts alone never claim a direction beyond 4 to 1.
DIRECTION_CEILING = 0.8


@dataclass(frozen=True)
class Calibration:
    """Weights of the features in the log odds of a link and of its direction."""

    link: dict[str, float]
    direction: dict[str, float]

    @classmethod
    @cache
    def load(cls) -> Calibration:
        """Read the weights that ship with the package."""
        text = resources.files(__package__).joinpath("calibration.json").read_text(encoding="utf-8")
        return cls(**json.loads(text)["calibration"])


def pair_evidence(statistics: CoFiringStatistics) -> pd.DataFrame:
    """Weigh every pair that ever co-fired against chance and against its rivals.

    Parameters
    ----------
    statistics : CoFiringStatistics
        The counts.

    Returns
    -------
    DataFrame
        One row per pair `a` < `b`, sorted: the counts; `firings_a`, `firings_b`; `expected` co-firings by chance;
        `lift`; `p_value`, `q_value`; `lag_s` (median, positive: `b` fired after `a`); `ahead`, `behind`: co-firings
        in which `a` fired before, after `b`; and the features that confidence
        is made of (`LINK_FEATURES`, `DIRECTION_FEATURES`).

    Notes
    -----
    Expected by chance is the larger of two estimates. From the flanks: firings of both in the same block but not
    within the window tell the local rate, whatever the hour of the day and the state of production (half a count is
    added, for an empty flank is no proof). From the rates of each in every slice. The p-value is the Poisson
    probability of at least as many co-firings.

    The features: `strength` is the share of firings in common beyond chance (cosine); `partial` what is left of it once
    all other nodes are accounted for (partial correlation); `backing` its root times the log of the co-firings; `best`
    is `partial` as a share of what the less connected of the two has with its best partner; `rival` the log of strength
    over that of the best way around, over a third node (below 0 a better explanation exists); `standout` that times the
    root of the co-firings, within 3; `close` the share of co-firings well inside the window; `order` the balance of who
    fired first and `imbalance` of who fires more often, both drawn to 0 when there are few.
    """
    pairs = statistics.pairs()
    nodes = pd.Index(statistics.nodes)
    a, b = nodes.get_indexer(pd.Index(pairs["a"])), nodes.get_indexer(pd.Index(pairs["b"]))
    fired = statistics.firings.groupby("node")["firings"].sum().to_numpy(np.float64)  # sorted by node, as nodes are
    counting = statistics.counting
    in_block, in_slice = (matrix[a, b] if len(pairs) else np.zeros(0) for matrix in statistics.together())
    flank = (in_block - pairs["same_block"].to_numpy() + 0.5) * counting.block / (counting.block - counting.window) ** 2
    expected = 2 * counting.window * np.maximum(flank, in_slice / counting.slice)
    p_value = stats.poisson.sf(pairs["cofirings"].to_numpy() - 1, expected)
    untried = np.ones(len(nodes) * (len(nodes) - 1) // 2 - len(pairs))
    q_value = stats.false_discovery_control(np.concatenate([p_value, untried]))[: len(pairs)] if len(pairs) else p_value
    strength, partial, best, rival = _strengths(pairs["cofirings"].to_numpy() - expected, a, b, fired)
    histogram = pairs[LAGS].to_numpy(np.float64)
    ahead = histogram[:, len(LAGS) // 2 + 1 :].sum(axis=1)  # a fired before b
    behind = histogram[:, : len(LAGS) // 2].sum(axis=1)
    return pairs.assign(
        firings_a=fired[a].astype(np.int64),
        firings_b=fired[b].astype(np.int64),
        expected=expected,
        lift=pairs["cofirings"] / expected,
        p_value=p_value,
        q_value=q_value,
        lag_s=_median_lag(histogram, counting.window / 1e6),
        ahead=ahead.astype(np.int64),
        behind=behind.astype(np.int64),
        strength=strength,
        partial=partial,
        backing=np.sqrt(partial) * np.log1p(pairs["cofirings"]),
        best=best,
        rival=rival,
        standout=np.clip(rival * np.sqrt(pairs["cofirings"]), -3, 3),
        close=(histogram[:, CLOSE].sum(axis=1) + 1) / (histogram.sum(axis=1) + 2),
        log_nodes=np.log(max(FEWEST_NODES, len(nodes))),
        order=(ahead - behind) / (ahead + behind + 4),
        imbalance=(fired[b] - fired[a]) / (fired[a] + fired[b] + 10),
    )


def link_confidence(evidence: pd.DataFrame, *, min_support: int, max_q: float) -> Floats:
    """Return the probability that each pair is linked, in either direction."""
    weights = Calibration.load().link
    score = evidence[LINK_FEATURES].to_numpy(np.float64) @ [weights[name] for name in LINK_FEATURES]
    confidence = expit(score + weights["intercept"])
    confidence = np.where(evidence["rival"] > 0, confidence, np.minimum(confidence, RIVALLED_CEILING))
    enough = (evidence["occasions"] >= min_support) & (evidence["q_value"] <= max_q)
    return np.asarray(np.where(enough, confidence, WEAK_CEILING * -np.expm1(-confidence / WEAK_CEILING)))


def direction(evidence: pd.DataFrame) -> Floats:
    """Return the probability that, if `a` and `b` are linked, `b` depends on `a` (trouble travels from a to b)."""
    weights = Calibration.load().direction
    score = evidence[DIRECTION_FEATURES].to_numpy(np.float64) @ [weights[name] for name in DIRECTION_FEATURES]
    return np.asarray(np.clip(expit(score), 1 - DIRECTION_CEILING, DIRECTION_CEILING))


def _strengths(excess: Floats, a: Ints, b: Ints, fired: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return `strength`, `partial`, `best` and `rival` of each pair."""
    count = len(fired)
    strength = np.clip(excess / np.sqrt(fired[a] * fired[b]), 0, 1)
    matrix = np.zeros((count, count))
    matrix[a, b] = matrix[b, a] = strength
    around = np.zeros((count, count))  # the best way over a third node, as strong as its weaker half
    for node in range(count):
        near = np.flatnonzero(matrix[node])
        square = np.ix_(near, near)
        around[square] = np.maximum(around[square], np.minimum.outer(matrix[node, near], matrix[node, near]))
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * matrix + np.eye(count))
    inverse = (vectors / np.maximum(values, 0.05)) @ vectors.T  # counts are partial: the matrix need not be definite
    scale = np.sqrt(np.diag(inverse))
    partial = np.clip(-inverse[a, b] / (scale[a] * scale[b]), 0, 1)
    strongest = np.zeros(count)
    np.maximum.at(strongest, a, partial)
    np.maximum.at(strongest, b, partial)
    best = partial / np.maximum(np.minimum(strongest[a], strongest[b]), FAINT)
    return strength, partial, best, np.log((strength + FAINT) / (around[a, b] + FAINT))


def _median_lag(histogram: Floats, window_s: float) -> Floats:
    """Return the median of each signed lag histogram, in seconds, interpolated within its bin."""
    edges = np.concatenate([-LAG_EDGES[:0:-1], [0.0, 0.0], LAG_EDGES[1:]]) * window_s
    total = histogram.sum(axis=1)
    below = np.cumsum(histogram, axis=1)
    at = (below < total[:, None] / 2).sum(axis=1)
    rows = np.arange(len(histogram))
    inside = (total / 2 - below[rows, at] + histogram[rows, at]) / histogram[rows, at]
    return np.asarray(edges[at] + inside * (edges[at + 1] - edges[at]))
