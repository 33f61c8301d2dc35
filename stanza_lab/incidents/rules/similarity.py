"""Similar texts close in time: New Relic's decisions and their like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler, Levenshtein
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stanza_lab import _params
from stanza_lab.errors import ParameterError
from stanza_lab.incidents.rules import _values
from stanza_lab.incidents.rules._rule import GroupingRule, microseconds, quiet_gaps, whole_microseconds
from stanza_lab.schema import NOISE

_METHODS = ("jaro_winkler", "levenshtein", "token_set")
_CHUNK = 1_000_000  # pairs compared at once: bounds the memory
_NEAREST = 8  # runs that follow, compared before all others
_FEW = 5_000  # different texts whose pairs are remembered: 25 MB


class SimilarityRule(GroupingRule):
    """Group alerts whose texts are alike and which start close to each other.

    Two alerts belong together when they start within `window`, agree in `equal`, and are alike in every text of `on`;
    and so do all that hang together by such pairs.

    Parameters
    ----------
    window : duration, default "20min"
        Longest time between the starts of two alerts that are compared. Larger: fewer, longer groups.
    on : sequence of str, default ("summary",)
        Columns or keys of `labels` whose texts must be alike. Empty: `equal` alone decides.
    equal : sequence of str, default ()
        Columns or keys of `labels` that must be the same. More: smaller groups.
    similarity : float, default 0.8
        How alike texts must be, 0 to 1. Larger: smaller groups.
    method : {"levenshtein", "jaro_winkler", "token_set"}, default "levenshtein"
        How alikeness is measured: edits over the longer length; the same start counts more; the same words in any
        order.
    edits : int, optional
        Instead of `similarity`: the most edits (Levenshtein distance) between two texts, 0 or more. New Relic's own
        default is 3. Larger: larger groups.
    min_alerts : int, default 2
        Fewest alerts of a group; fewer are on their own (-1).

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Group of each alert in the order of the rows, numbered by the time of its first alert; -1 is on its own.

    Notes
    -----
    Kept of New Relic: every pair within the time window is compared, A with B and B with C makes one of all three,
    equal attributes, similar texts, the window of 20 minutes between creation times, the least number. Not kept: its
    built-in and suggested decisions, topology, regular expressions with capture groups, comparison of whole events,
    different filters for the two sides, that only issues still open are merged. An alert that lacks one of the texts
    or attributes is on its own.

    Only texts that come close in time are compared (up to 5,000 different ones, each pair once), so the effort grows
    with the number of alerts and with how many different texts are about at one time.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:00Z", "2026-03-01T14:05Z", "2026-03-01T14:06Z", "2026-03-01T19:00Z"],
    ...     "summary": ["disk full on db-1", "disk full on db-2", "checkout is slow", "disk full on db-3"],
    ... })
    >>> sl.SimilarityRule().fit(alerts).labels_.tolist()
    [0, 0, -1, -1]
    """

    def __init__(
        self,
        *,
        window: _params.Duration = "20min",
        on: Sequence[str] = ("summary",),
        equal: Sequence[str] = (),
        similarity: float = 0.8,
        method: str = "levenshtein",
        edits: int | None = None,
        min_alerts: int = 2,
    ) -> None:
        self.window = window
        self.on = on
        self.equal = equal
        self.similarity = similarity
        self.method = method
        self.edits = edits
        self.min_alerts = min_alerts

    def _groups(self, alerts: pd.DataFrame) -> np.ndarray:
        window = whole_microseconds(self.window, "window")
        least = _params.fraction(self.similarity, "similarity")
        method = _params.choice(self.method, "method", _METHODS)
        most = None if self.edits is None else _params.at_least(self.edits, "edits", 0)
        if not len(self.on) and not len(self.equal):
            raise ParameterError("on=() and equal=(): nothing is compared; pass on=['summary'] or equal=['service']")
        told = pd.DataFrame({k: _values.values(alerts, name) for k, name in enumerate([*self.equal, *self.on])})
        known = np.flatnonzero(told.notna().all(axis=1).to_numpy())
        told, at = told.iloc[known], microseconds(alerts["starts_at"])[known]
        block = _row_codes(told.iloc[:, : len(self.equal)])[0]
        text, first_of = _row_codes(told.iloc[:, len(self.equal) :])
        texts = [told.iloc[first_of, len(self.equal) + k].to_numpy(dtype=object) for k in range(len(self.on))]

        # Alerts of one text that follow each other within the window hold together anyway; such a run reaches every
        # moment between its first and last to within the window, so two runs meet exactly where their spans do.
        runs = quiet_gaps(pd.factorize(block * (text.max(initial=0) + 1) + text)[0], at, window)
        table = pd.DataFrame({"run": runs, "block": block, "text": text, "at": at}).groupby("run")
        spans = table.agg(block=("block", "first"), text=("text", "first"), first=("at", "min"), last=("at", "max"))
        joined = _joined(spans, texts, window, alike=_alike(method, least, most)) if len(self.on) else spans.index
        groups = np.full(len(alerts), NOISE, dtype=np.int64)
        groups[known] = np.asarray(joined)[runs]
        return groups


def _row_codes(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each different row, and where each stands first."""
    found = np.zeros(len(table), dtype=np.int64)
    for name in table.columns:
        code, words = pd.factorize(table[name])
        found = pd.factorize(found * (len(words) + 1) + code)[0]
    return found, np.flatnonzero(~pd.Series(found).duplicated().to_numpy())


def _alike(method: str, least: float, most: int | None) -> Any:
    """Return a function that says of pairs of texts whether they are alike."""

    def alike(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        if most is not None:
            found = process.cpdist(left, right, scorer=Levenshtein.distance, score_cutoff=most)
            return np.asarray(found) <= most
        scorer: Any = {"levenshtein": Levenshtein.normalized_similarity, "token_set": fuzz.token_set_ratio}.get(
            method, JaroWinkler.normalized_similarity
        )
        top = 100 if method == "token_set" else 1
        found = process.cpdist(left, right, scorer=scorer, score_cutoff=least * top)
        return np.asarray(found) >= least * top - 1e-6

    return alike


def _joined(spans: pd.DataFrame, texts: list[np.ndarray], window: int, *, alike: Any) -> np.ndarray:
    """Return the component of each run: runs of one block within the window of each other and alike hold together."""
    order = np.lexsort((spans["first"].to_numpy(), spans["block"].to_numpy()))
    block, text, first, last = (spans[name].to_numpy()[order] for name in ("block", "text", "first", "last"))
    many = _later_within(block, first, last + window)
    component, asked = np.arange(len(spans)), _Asked(texts, alike)
    # The nearest first: what they join need not be compared any more.
    for reach in (np.minimum(many, _NEAREST), many):
        for left, right in _pairs(reach):
            apart = component[left] != component[right]
            left, right = left[apart], right[apart]
            near = asked.alike(text[left], text[right])
            if near.any():
                one, other = component[left[near]], component[right[near]]
                graph = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(len(spans), len(spans)))
                component = connected_components(graph, directed=False)[1][component]
    found = np.empty(len(spans), dtype=np.int64)
    found[order] = component
    return found


def _pairs(many: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield each row with so `many` of those after it, in parts of bounded size."""
    ends, begin = np.cumsum(many), 0
    while begin < len(many):
        done = ends[begin - 1] if begin else 0
        end = max(int(np.searchsorted(ends, done + _CHUNK, side="right")), begin + 1)
        count = many[begin:end]
        left = np.repeat(np.arange(begin, end), count)
        yield left, left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
        begin = end


def _later_within(block: np.ndarray, first: np.ndarray, until: np.ndarray) -> np.ndarray:
    """Return how many rows after each, of its block, begin no later than its `until`; sorted by block and `first`."""
    n = len(block)
    late = np.concatenate([np.zeros(n, dtype=np.int8), np.ones(n, dtype=np.int8)])  # a start at the limit counts
    order = np.lexsort((late, np.concatenate([first, until]), np.concatenate([block, block])))
    begun = np.cumsum(order < n)
    reach = np.empty(n, dtype=np.int64)
    limits = order >= n
    reach[order[limits] - n] = begun[limits]
    return reach - np.arange(1, n + 1)


class _Asked:
    """Which pairs of texts are alike; where there are few different texts, each pair is asked once."""

    def __init__(self, texts: list[np.ndarray], alike: Any) -> None:
        n = len(texts[0])
        self.texts, self.ask = texts, alike
        self.answers = np.full((n, n), -1, dtype=np.int8) if n <= _FEW else None

    def alike(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return whether the texts with these numbers are alike, pair by pair."""
        if self.answers is None:
            return self._compared(left, right)
        one, other = np.minimum(left, right), np.maximum(left, right)
        new = self.answers[one, other] < 0
        pairs = np.unique(one[new] * len(self.answers) + other[new])
        low, high = pairs // len(self.answers), pairs % len(self.answers)
        self.answers[low, high] = self._compared(low, high)
        return np.asarray(self.answers[one, other] == 1)

    def _compared(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        near = np.ones(len(left), dtype=bool)
        for words in self.texts:
            rest = np.flatnonzero(near)
            near[rest] = self.ask(words[left[rest]], words[right[rest]])
        return near
