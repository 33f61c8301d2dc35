"""What laying anything over edges has in common: rows for new pairs, Bayes' rule, and where each is known from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema
from stanza_lab.dependencies.overlay.peers import spell_as

UNINFERRED = 0.02  # confidence in a pair of which alerts say nothing: 2 % of pairs of services call each other


def spelled_like(pairs: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Return `pairs` with its names as `edges` spells them, once each and none of a name with itself."""
    names = spell_as(pd.unique(pairs[["src", "dst"]].to_numpy().ravel()), nodes_of(edges))
    pairs = pairs.assign(src=_renamed(pairs["src"], names), dst=_renamed(pairs["dst"], names))
    return pairs[pairs["src"] != pairs["dst"]].drop_duplicates(["src", "dst"], ignore_index=True)


def nodes_of(edges: pd.DataFrame) -> list[str]:
    """Return the services of edges, sorted."""
    return sorted({*edges["src"], *edges["dst"]})


def with_pairs(edges: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return `edges` with rows at its end for those `pairs` it lacks, of which alerts say nothing."""
    lacking = pairs[~among(pairs, edges)]
    unknown = {"confidence": UNINFERRED, "link_confidence": UNINFERRED, "support": 0, "p_value": 1.0, "q_value": 1.0}
    rows = [{"src": src, "dst": dst} | unknown for src, dst in zip(lacking["src"], lacking["dst"], strict=True)]
    added = [schema.build(rows, schema.EDGES)] if rows else []
    return pd.concat([edges, *added], ignore_index=True)


def among(pairs: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Return for each row whether `others` has its (src, dst)."""
    names = pd.Index(pd.unique(pd.concat([others["src"], others["dst"]]).astype("str")))
    keys, known = (_numbers(table, names) for table in (pairs, others))
    return pd.Series(np.isin(keys, known) & (keys >= 0), index=pairs.index)


def reversed_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs with caller and callee exchanged."""
    return pairs.rename(columns={"src": "dst", "dst": "src"})


def pair_of(rows: pd.DataFrame) -> pd.Series:
    """Return a number that both directions of a pair share, to group by."""
    names = pd.Index(pd.unique(pd.concat([rows["src"], rows["dst"]]).astype("str")))
    src, dst = names.get_indexer(pd.Index(rows["src"])), names.get_indexer(pd.Index(rows["dst"]))
    return pd.Series(np.minimum(src, dst) * len(names) + np.maximum(src, dst), index=rows.index)


def says(provenance: pd.Series, word: str) -> pd.Series:
    """Return which edges are known from `word`."""
    return provenance.map(lambda known: word in known).astype(bool)


def told(provenance: pd.Series, word: str, where: Iterable[bool]) -> list[list[str]]:
    """Return where each edge is known from, `word` added where it tells."""
    return [sorted({*known, word} if tells else {*known}) for known, tells in zip(provenance, where, strict=True)]


def update(prior: pd.Series, factor: pd.Series) -> pd.Series:
    """Return the probability after evidence that is `factor` times as likely if it is real."""
    odds = prior / (1 - prior).clip(lower=1e-9) * factor
    return odds / (1 + odds)


def settle(rows: pd.DataFrame, changed: pd.Series, *, at_least: pd.Series | None = None) -> pd.DataFrame:
    """Return edges with the link confidence of changed pairs renewed, in the order of the schema.

    It becomes that of either direction, as if they were independent; and is nowhere below `at_least`.
    """
    pair = pair_of(rows)
    either = 1 - (1 - rows["confidence"]).groupby(pair).transform("prod")
    either = either if at_least is None else either.clip(lower=at_least)
    touched = changed.groupby(pair).transform("any")
    rows = rows.assign(link_confidence=rows["link_confidence"].where(~touched, either))
    rows = rows.sort_values(["confidence", "src", "dst"], ascending=[False, True, True], ignore_index=True)
    return schema.check(rows, schema.EDGES)


def _numbers(pairs: pd.DataFrame, names: pd.Index) -> npt.NDArray[np.int64]:
    """Return a number per (src, dst), -1 where either is not among `names`."""
    src, dst = (names.get_indexer(pd.Index(pairs[end])) for end in ("src", "dst"))
    return np.where((src >= 0) & (dst >= 0), src * np.int64(len(names)) + dst, -1).astype(np.int64)


def _renamed(values: pd.Series, names: Mapping[str, str]) -> pd.Series:
    return values.map(names).astype("str")
