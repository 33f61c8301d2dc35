"""What anybody would try first: counting. Neither gives a probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse
import scipy.special
import scipy.stats

if TYPE_CHECKING:
    from benchmarks.edges.cases import Case, Events

WINDOW_S = 600.0  # co-occurrence
BIN_S = 30.0  # lagged Poisson
NEAR = 10  # bins whose counts may be due to the other's failure
FLANK = (20, 60)  # bins, on either side, from which the rate of chance is taken
FALSE_DISCOVERIES = 0.01

Matrix = npt.NDArray[np.float64]


def co_occurrence(case: Case) -> pd.DataFrame:
    """Return how often each two nodes raised an alert within ten minutes, as a share of the most frequent pair."""
    events = case.events()
    times = events.times + events.places * (np.ptp(events.times) + 2 * WINDOW_S)  # places far apart in time
    n = len(events.names)
    stop = np.searchsorted(times, times + WINDOW_S, side="right")
    count = np.zeros((n, n))
    for i, (node, end) in enumerate(zip(events.nodes, stop, strict=True)):
        count[node] += np.bincount(events.nodes[i + 1 : end], minlength=n)
    count = count + count.T
    np.fill_diagonal(count, 0)
    share = count / max(1.0, count.max(initial=0.0))
    return edges(share / 2, events.names, link=share)


def lagged_poisson(case: Case) -> pd.DataFrame:
    """Compare how often a node fires up to five minutes after another with how often it does at other lags.

    The count near is tested against a Poisson law whose rate the flanks give (10 to 30 minutes on either side); pairs
    that pass at a false discovery rate of 1 % are ranked by their log likelihood ratio. Who fires first is the callee.
    """
    events = case.events()
    n = len(events.names)
    after, flank = _lagged(events)
    chance = np.maximum(flank + flank.T, 0.5) * (2 * NEAR + 1) / (2 * (FLANK[1] - FLANK[0]))
    both = after + after.T
    upper = np.triu_indices(n, 1)
    p_value = scipy.stats.poisson.sf(both[upper] - 1, chance[upper])
    kept = np.zeros((n, n), dtype=bool)
    kept[upper] = scipy.stats.false_discovery_control(p_value) <= FALSE_DISCOVERIES if len(p_value) else False
    kept |= kept.T
    ratio = scipy.special.xlogy(both, both / chance) - (both - chance)
    link = np.where(kept & (both > chance), ratio, 0.0)
    link /= max(1.0, link.max(initial=0.0))
    first = np.divide(after, both, out=np.full((n, n), 0.5), where=both > 0)  # how often the row fired first
    return edges((link * first).T, events.names, link=link)


def edges(confidence: Matrix, names: list[str], *, link: Matrix | None = None) -> pd.DataFrame:
    """Write a matrix (the row depends on the column) as edges; a link is as sure as its surer direction by default."""
    link = np.maximum(confidence, confidence.T) if link is None else link
    src, dst = np.nonzero(link * ~np.eye(len(names), dtype=bool))
    named = np.asarray(names, object)
    return pd.DataFrame(
        {
            "src": named[src],
            "dst": named[dst],
            "confidence": confidence[src, dst],
            "link_confidence": link[src, dst],
        }
    ).astype({"src": "str", "dst": "str"})


def binned(events: Events, *, bin_s: float, gap: int) -> scipy.sparse.csr_array:
    """Count alerts per bin (row) and node (column), place after place; silence is cut to `gap` bins."""
    bins = (events.times // bin_s).astype(np.int64)
    step = np.where(np.diff(events.places, prepend=0) > 0, gap, np.minimum(np.diff(bins, prepend=bins[:1]), gap))
    at = np.cumsum(step)
    shape = (int(at.max(initial=-1)) + 1, len(events.names))
    return scipy.sparse.csr_array((np.ones(len(at)), (at, events.nodes)), shape=shape)


def _lagged(events: Events) -> tuple[Matrix, Matrix]:
    """Count how often the column fired after the row: near it (the same bin counts half), and in the flank."""
    counts = binned(events, bin_s=BIN_S, gap=FLANK[1] + 1)
    near = (counts.T @ counts).toarray() / 2
    flank = np.zeros_like(near)
    for lag in [*range(1, NEAR + 1), *range(FLANK[0] + 1, FLANK[1] + 1)]:
        following = (counts[:-lag].T @ counts[lag:]).toarray()
        if lag <= NEAR:
            near += following
        else:
            flank += following
    return near, flank
