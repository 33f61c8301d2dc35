"""The evidence on every pair, with what it amounts to: what `edges_` is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from stanza_lab.dependencies.evidence import FEATURES
from stanza_lab.dependencies.inference.features import pair_features
from stanza_lab.dependencies.inference.fusion import Weights, fuse_direction, fuse_link
from stanza_lab.dependencies.inference.pairs import PairCounts

if TYPE_CHECKING:
    from stanza_lab.dependencies.known import Known
    from stanza_lab.dependencies.sums import DependencyStatistics


class Evidence(NamedTuple):
    """One row per pair with `link_confidence` and `b_depends`; the detection delay of each node, in seconds."""

    pairs: pd.DataFrame
    delay_s: pd.Series


def evidence_table(
    statistics: DependencyStatistics,
    *,
    known: Known,
    min_support: int,
    max_q: float,
    claims: bool = True,
    weights: Weights | None = None,
) -> Evidence:
    """Weigh every pair and say how sure it is that it is linked, and which way.

    Parameters
    ----------
    statistics : DependencyStatistics
        The sums.
    known : Known
        Edges known beforehand: other directions are learned from them.
    min_support, max_q : int, float
        Below, above which times alone keep a pair at low confidence.
    claims : bool, default True
        Whether what is known beside times is weighed.
    weights : Weights, optional
        Of the features. Default: those that ship.
    """
    weights = Weights.load() if weights is None else weights
    counts = PairCounts.of(statistics.firings)
    table = pair_features(counts, statistics.claims, statistics.traits, known=known.pairs())
    if not claims:  # names and what they say a node is are there even where no alert was read
        table = table.assign(**dict.fromkeys(FEATURES, 0.0))
    table = fuse_link(table, min_support=min_support, max_q=max_q, weights=weights)
    table, delay_s = fuse_direction(table, counts, weights=weights, known=known.log_odds(table))
    return Evidence(table, pd.Series(np.round(delay_s, 3), index=counts.nodes, name="delay_s"))
