"""Firings of every node and kind as one sorted array, in which "is there one soon after" is a binary search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]

_CHUNK = 1_000_000  # questions in memory at a time
DAYS = (-7, -1, 1, 7)  # the same time on these days tells what a nightly job does without a fault
NEAR, FAR = 2, 10  # flanks reach from 2 to 10 times `within` before and after
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Episodes:
    """What fired, flapping collapsed: a series is one kind on one node.

    Attributes
    ----------
    times : array
        Milliseconds since the first firing, sorted by series, then time.
    series : DataFrame
        node and kind (codes), first (row of its first episode), count. Sorted by node, kind.
    nodes, kinds : Index
        What the codes mean, sorted.
    span, within : int
        Milliseconds from the first firing to the last; how long after a firing another counts as following.
    """

    times: Ints
    series: pd.DataFrame
    nodes: pd.Index
    kinds: pd.Index
    span: int
    within: int

    @classmethod
    def of(cls, times: pd.Series, nodes: pd.Series, kinds: pd.Series, *, within: int, refractory: int) -> Episodes:
        """Collapse firings (complete columns) with another of their series at most `refractory` ms before them."""
        micros = np.asarray(times.astype("int64"), np.int64)
        at = (micros - micros.min()) // 1000 if len(micros) else micros
        node, node_names = pd.factorize(nodes.astype("str"), sort=True)
        kind, kind_names = pd.factorize(kinds.astype("str"), sort=True)
        code = node.astype(np.int64) * max(len(kind_names), 1) + kind
        order = np.lexsort((at, code))
        at, code = at[order], code[order]
        fresh = np.ones(len(at), bool)
        fresh[1:] = (np.diff(code) != 0) | (np.diff(at) > refractory)
        at, code = at[fresh], code[fresh]
        known, first, count = np.unique(code, return_index=True, return_counts=True)
        width = max(len(kind_names), 1)
        series = pd.DataFrame({"node": known // width, "kind": known % width, "first": first, "count": count})
        return cls(
            at, series.astype("int64"), pd.Index(node_names), pd.Index(kind_names), int(at.max(initial=0)), within
        )

    @property
    def margin(self) -> int:
        """How far outside the time that was seen a question may reach."""
        return (FAR + 1) * self.within + 8 * DAY_MS

    def searched_by(self, group: Ints) -> Searched:
        """Return the episodes ready for searching by `group`, one number per series."""
        stride = self.span + 2 * self.margin
        keys = np.repeat(group, self.series["count"].to_numpy()) * stride + self.times + self.margin
        return Searched(np.sort(keys), stride, self.margin)


@dataclass(frozen=True)
class Searched:
    """Sorted keys: group times `stride` plus time plus `margin`."""

    keys: Ints
    stride: int
    margin: int

    def gaps(self, group: Ints, at: Ints) -> tuple[Ints, Ints]:
        """Return the milliseconds to the next firing at or after `at` and from the last before it; large for none."""
        target = group * self.stride + at + self.margin
        place = np.searchsorted(self.keys, target)
        after = self.keys[np.minimum(place, len(self.keys) - 1)] - target
        before = target - self.keys[np.maximum(place - 1, 0)]
        none = np.int64(self.stride)
        return np.where(place < len(self.keys), after, none), np.where(place > 0, before, none)

    def count(self, group: Ints, low: Ints, high: Ints) -> Ints:
        """Count firings in [low, high)."""
        base = group * self.stride + self.margin
        return np.searchsorted(self.keys, base + high) - np.searchsorted(self.keys, base + low)


def pairs_of_series(episodes: Episodes, links: pd.DataFrame) -> pd.DataFrame:
    """Return a row per link (callee, caller: codes of nodes) and pair of kinds that fired on both its ends.

    Columns: those of `links`, a and b (rows of the series of callee and caller), callee_kind, caller_kind, first, count
    (of a). Sorted by link, so that rows of one link stay together.
    """
    series = episodes.series.reset_index(names="row")
    callee = series.rename(columns={"node": "callee", "row": "a", "kind": "callee_kind"})
    caller = series[["node", "row", "kind"]].set_axis(["caller", "b", "caller_kind"], axis=1)
    numbered = links.reset_index(drop=True).reset_index(names="link")
    pairs = numbered.merge(callee, on="callee").merge(caller, on="caller")
    return pairs.sort_values(["link", "a", "b"], ignore_index=True)


def in_chunks(pairs: pd.DataFrame, *, step: int = 1) -> Iterator[tuple[pd.DataFrame, Ints, Ints]]:
    """Yield pairs, some at a time, with the row of the pair and the row of the episode of each question to ask.

    A question is asked for every `step`-th episode of series a, the first always.
    """
    asked = -(-pairs["count"].to_numpy() // step)
    ends = np.cumsum(asked)
    low = 0
    while low < len(pairs):
        done = ends[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(ends, done + _CHUNK, side="right")))
        part, count = pairs.iloc[low:high].reset_index(drop=True), asked[low:high]
        pair = np.repeat(np.arange(len(part)), count)
        nth = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
        yield part, pair, nth * step + part["first"].to_numpy()[pair]
        low = high
