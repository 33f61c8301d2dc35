"""What speaks for each pair, in numbers: times, direct effects, delays, and what alerts say beside their times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab.dependencies.evidence import candidates, pair_claims
from stanza_lab.dependencies.inference.effects import direct_effects
from stanza_lab.dependencies.inference.pairs import MANY_NODES
from stanza_lab.dependencies.inference.strengths import strengths

if TYPE_CHECKING:
    from collections.abc import Collection

    from stanza_lab.dependencies.inference.pairs import PairCounts

Floats = npt.NDArray[np.float64]

FEWEST_NODES = 12  # of the simulated productions; in smaller ones a pair is not taken to be likelier


def pair_features(
    pairs: PairCounts, claims: pd.DataFrame, traits: pd.DataFrame, *, known: Collection[tuple[str, str]] = ()
) -> pd.DataFrame:
    """Weigh every pair that co-fired, that an alert names or that is known, and, among few nodes, every other pair.

    Parameters
    ----------
    pairs : PairCounts
        The counts of firings.
    claims, traits : DataFrame
        As from `count_claims` and `count_traits`; empty tables where nothing is known but times.
    known : collection of (a, b), optional
        Pairs to look at in any case.

    Returns
    -------
    DataFrame
        One row per pair `a` < `b`, sorted: the counts (0 for pairs that never co-fired); `firings_a`, `firings_b`;
        `expected` co-firings by chance; `lift`; `p_value`, `q_value`; `lag_s` (median, positive: `b` fired after `a`;
        null without co-firing); `ahead`, `behind`; and the features below.

    Notes
    -----
    Of times: `strength`, `partial`, `best`, `rival` as in `Strengths`; `backing` the root of `partial` times the log of
    the co-firings; `standout` is `rival` times the root of the co-firings, within 3; `close` the share of co-firings
    well inside the window, above a half; `effect_a`, `effect_b` how many firings of the other each firing
    brings directly, and `effect` the root of the larger one, `firm` that times the log of the co-firings;
    `log_nodes`; `apart` the log of the firings of the rarer one where the two never co-fired. Of direction: `order`
    the balance of who fired first, `imbalance` of who fires more often, `drive` of the effects, `inner` of who showed
    saturation, all drawn to 0 when there are few. The others are those of `pair_claims`.
    """
    table = _of_times(pairs)
    table = _with_others(table, pairs, claims, known)
    fired = pairs.fired.astype(np.int64)
    a, b = (pairs.nodes.get_indexer(pd.Index(table[side])) for side in ("a", "b"))
    table = table.assign(firings_a=fired[a], firings_b=fired[b], log_nodes=np.log(max(FEWEST_NODES, len(fired))))
    rarer = np.minimum(fired[a], fired[b])
    more = (fired[b] - fired[a]) / (fired[a] + fired[b] + 10)
    table = table.assign(apart=np.where(table["cofirings"] > 0, 0.0, np.log1p(rarer)), imbalance=more)
    said = pair_claims(claims, traits, table[["a", "b"]])
    return pd.concat([table, said], axis=1)


def _of_times(pairs: PairCounts) -> pd.DataFrame:
    """Return what the times of firings say of the pairs that co-fired."""
    weighed = strengths(pairs)
    onto_b, onto_a = direct_effects(pairs)
    cofirings, ahead, behind = pairs.cofirings, pairs.ahead, pairs.behind
    inner_a, inner_b = (pairs.table[side].to_numpy(np.float64) for side in ("inner_a", "inner_b"))
    effect = np.sqrt(np.minimum(np.maximum(onto_a, onto_b), 1.0))
    return pairs.table.assign(
        expected=pairs.expected,
        lift=cofirings / pairs.expected,
        p_value=pairs.p_value,
        q_value=pairs.q_value,
        lag_s=pairs.lag_quantile(0.5),
        ahead=ahead.astype(np.int64),
        behind=behind.astype(np.int64),
        strength=weighed.strength,
        partial=weighed.partial,
        backing=np.sqrt(weighed.partial) * np.log1p(cofirings),
        best=weighed.best,
        rival=weighed.rival,
        standout=np.clip(weighed.rival * np.sqrt(cofirings), -3, 3),
        close=pairs.close - 0.5,
        effect_a=onto_b,
        effect_b=onto_a,
        effect=effect,
        firm=effect * np.log1p(cofirings),
        order=(ahead - behind) / (ahead + behind + 4),
        drive=(onto_b - onto_a) / (onto_b + onto_a + 0.05),
        inner=(inner_a - inner_b) / (inner_a + inner_b + 3),
    )


def _with_others(
    table: pd.DataFrame, pairs: PairCounts, claims: pd.DataFrame, asked: Collection[tuple[str, str]]
) -> pd.DataFrame:
    """Add pairs that never co-fired: all of them among few nodes, else those that an alert names or that are known."""
    known = table[["a", "b"]]
    if len(pairs.nodes) <= MANY_NODES:
        i, j = np.triu_indices(len(pairs.nodes), 1)
        others = pd.DataFrame({"a": pairs.nodes[i], "b": pairs.nodes[j]}, dtype="str")
    else:
        others = candidates(claims, nodes=pairs.nodes)
        these = pd.DataFrame(sorted(asked), columns=["a", "b"], dtype="str")
        others = pd.concat([others, these[these.isin(pairs.nodes).all(axis=1)]]).drop_duplicates()
    others = others[~pd.MultiIndex.from_frame(others).isin(pd.MultiIndex.from_frame(known))]
    if others.empty:
        return table
    nothing = dict.fromkeys(table.columns.difference(["a", "b", "lag_s"]), 0)
    said = {"p_value": 1.0, "q_value": 1.0, "close": 0.0}
    others = others.assign(**nothing).assign(**said, lag_s=np.nan).astype(table.dtypes.to_dict())
    return pd.concat([table, others[table.columns]]).sort_values(["a", "b"], ignore_index=True)
