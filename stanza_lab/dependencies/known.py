"""Edges that are known beforehand: required ones that are there, forbidden ones that are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab.errors import ParameterError

_ENDS = (("src", "dst"), ("caller", "callee"))
_SURE = 8.0  # log odds that stand for "known" where other directions are learned from it


def known_edges(given: Any, name: str) -> set[tuple[str, str]]:
    """Return the (src, dst) of a table or a list of pairs.

    Raises
    ------
    ParameterError
        It is neither, or an edge leads from a node to itself.
    """
    if given is None:
        return set()
    if isinstance(given, pd.DataFrame):
        ends = next((list(ends) for ends in _ENDS if set(ends) <= set(given.columns)), None)
        if ends is None:
            raise ParameterError(
                f"{name}: columns are {list(given.columns)[:20]}; pass src and dst, or caller and callee"
            )
        given = [*given[ends].dropna().itertuples(index=False)]
    if isinstance(given, str | Iterator) or not isinstance(
        given, Iterable
    ):  # what can be read but once is gone next time
        raise ParameterError(f"{name}={given!r:.100} must be pairs (src, dst) or a table of them")
    edges = set()
    for edge in given:
        if isinstance(edge, str | AbstractSet) or not isinstance(edge, Iterable) or len(pair := [*edge]) != 2:
            raise ParameterError(f"{name}: {edge!r:.100} is no pair (src, dst)")
        if any(pd.isna(end) for end in pair):
            raise ParameterError(f"{name}: {edge!r:.100} lacks a name")
        edges.add((str(pair[0]), str(pair[1])))
    if loops := sorted(src for src, dst in edges if src == dst):
        raise ParameterError(f"{name}: {loops[0]!r} cannot depend on itself")
    return edges


class Known:
    """Which directions of which pairs are known.

    Parameters
    ----------
    required, forbidden : set of (src, dst)
        Edges that are there, that are not.
    """

    def __init__(self, required: set[tuple[str, str]], forbidden: set[tuple[str, str]]) -> None:
        if both := sorted(required & forbidden):
            raise ParameterError(f"edge {both[0]} is both required and forbidden")
        self.required = required
        self.forbidden = forbidden

    def pairs(self) -> set[tuple[str, str]]:
        """Return the pairs (a, b), a < b, of the required edges."""
        return {(min(edge), max(edge)) for edge in self.required}

    def log_odds(self, table: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return for each pair what is required of `b` depending on `a`: large, very small, or 0."""
        if not self.required:
            return np.zeros(len(table))
        a, b = table["a"].tolist(), table["b"].tolist()
        forth = np.array([(y, x) in self.required for x, y in zip(a, b, strict=True)], dtype=np.float64)
        back = np.array([(x, y) in self.required for x, y in zip(a, b, strict=True)], dtype=np.float64)
        return _SURE * (forth - back)

    def applied(self, edges: pd.DataFrame) -> pd.DataFrame:
        """Return edges with what is known: confidence 1 and provenance declared, or without the edge.

        Required edges of names that never fired are listed, too: declared, and nothing else is known of them.
        """
        if not self.required and not self.forbidden:
            return edges
        ends = list(zip(edges["src"], edges["dst"], strict=True))
        there = np.array([edge in self.required for edge in ends], dtype=bool)
        gone = np.array([edge in self.forbidden for edge in ends], dtype=bool)
        back = np.array([(dst, src) in self.forbidden for src, dst in ends], dtype=bool)
        sure = np.array([edge in self.required or edge[::-1] in self.required for edge in ends], dtype=bool)
        # That one direction is ruled out makes the other and no link at all likelier, in proportion (Bayes).
        ruled_out = (edges["link_confidence"] - edges["confidence"]).clip(lower=0.0)
        left = (edges["confidence"] / (1 - ruled_out).clip(lower=1e-9)).clip(upper=1.0)
        confidence = edges["confidence"].mask(back & ~gone, left).mask(there, 1.0)
        link = edges["link_confidence"].mask(back & ~gone, left).mask(sure, 1.0)
        provenance = [
            sorted({*told, "declared"} if known else told)
            for told, known in zip(edges["provenance"], there, strict=True)
        ]
        changed = edges.assign(
            confidence=confidence,
            link_confidence=link,
            provenance=pd.Series(provenance, index=edges.index, dtype=object),
        )
        unseen = sorted(self.required - set(ends))
        return pd.concat([changed[~gone], _declared(unseen)[edges.columns]]) if unseen else changed[~gone]


def _declared(pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """Return edges of which nothing is known but that they are there."""
    known = {"confidence": 1.0, "link_confidence": 1.0, "support": 0, "lift": 0.0, "lag_s": np.nan}
    edges = pd.DataFrame(pairs, columns=["src", "dst"], dtype="str").assign(**known, p_value=1.0, q_value=1.0)
    return edges.assign(provenance=pd.Series([["declared"]] * len(pairs), dtype=object), verdict=None)
