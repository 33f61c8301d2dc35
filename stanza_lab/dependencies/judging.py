"""Which pairs of services a truth can judge (traces, calls, a call graph), and how often their confidence came true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from stanza_lab import schema
from stanza_lab._params import at_least
from stanza_lab.dependencies.overlay import evidence
from stanza_lab.dependencies.overlay.calls import edges_of
from stanza_lab.dependencies.overlay.peers import spell_as
from stanza_lab.dependencies.overlay.span_tree import plant
from stanza_lab.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_TRACES = 10  # of a caller, before a call they do not show counts as none: a rare path takes a few
WILSON = float(norm.ppf(0.975))  # intervals hold 95 %

Floats = npt.NDArray[np.float64]

_NEEDED = ("src", "dst", "confidence", "link_confidence")


@dataclass(frozen=True)
class Truth:
    """What is known of who calls whom, and for which services all of it."""

    calls: pd.DataFrame  # src, dst: real
    callers: frozenset[str]  # that call nothing else among the named
    named: frozenset[str]  # that would be seen when called
    apart: pd.DataFrame  # src, dst: pairs of which nothing follows where no call is seen

    @classmethod
    def of(cls, truth: pd.DataFrame, edges: pd.DataFrame, *, min_traces: int) -> Truth:
        """Read spans, calls (src, dst) or a call graph (caller, callee), spelled as `edges` does."""
        if not isinstance(truth, pd.DataFrame):
            raise SchemaError(f"truth must be a pandas DataFrame, not {type(truth).__name__}")
        at_least(min_traces, "min_traces", 1)
        columns = set(truth.columns)
        if {"trace_id", "span_id"} <= columns:
            return cls._of_spans(truth, edges, min_traces=min_traces)
        if {"caller", "callee"} <= columns:
            calls = truth[["caller", "callee"]].set_axis(["src", "dst"], axis=1)
            every = frozenset(evidence.nodes_of(edges))
            return cls(_pairs(calls, edges), every, every, _pairs(calls.iloc[:0], edges))
        if {"src", "dst"} <= columns:
            return cls._of_calls(truth, edges)
        raise SchemaError(
            f"truth: columns are {sorted(map(str, columns))}; pass spans (trace_id, span_id, ...), calls (src, dst) or "
            "a call graph (caller, callee)"
        )

    @classmethod
    def _of_spans(cls, spans: pd.DataFrame, edges: pd.DataFrame, *, min_traces: int) -> Truth:
        tree = plant(spans)
        found, counts = edges_of(tree), tree.traces_by_service()
        often = [service for service, count in counts.items() if count >= min_traces]
        return cls._seen(found, edges, callers=often, named=[*counts, *found["dst"]])

    @classmethod
    def _of_calls(cls, calls: pd.DataFrame, edges: pd.DataFrame) -> Truth:
        """Take a table of calls as all calls of whoever writes spans, or of all it names when it does not say."""
        writes = calls["dst_traced"].astype(bool) if "dst_traced" in calls.columns else calls["dst"].notna()
        callers = [*calls["src"], *calls.loc[writes, "dst"]]
        return cls._seen(calls, edges, callers=callers, named={*calls["src"], *calls["dst"]})

    @classmethod
    def _seen(cls, calls: pd.DataFrame, edges: pd.DataFrame, *, callers: Iterable[str], named: Iterable[str]) -> Truth:
        callers = [*callers, *_stores(calls)]
        spelled = [frozenset(spell_as(names, evidence.nodes_of(edges)).values()) for names in (callers, named)]
        return cls(_pairs(calls, edges), spelled[0], spelled[1], _through_queues(calls, edges))

    def judges(self, pairs: pd.DataFrame) -> pd.Series:
        """Return for each (src, dst) whether a call would be seen: its caller is watched, its callee has a name there.

        Whether one was seen must not matter here, or real pairs would be judged more often than others.
        """
        covered = pairs["src"].isin(self.callers) & pairs["dst"].isin(self.named)
        return covered & ~evidence.among(pairs, self.apart)

    def real(self, pairs: pd.DataFrame) -> pd.Series:
        """Return for each (src, dst) whether it is a call."""
        return evidence.among(pairs, self.calls)


def checked(edges: pd.DataFrame) -> pd.DataFrame:
    """Return edges with their dtypes, or say why their confidences cannot be judged."""
    edges = schema.check(edges, schema.EDGES, need=_NEEDED)
    for column in ("confidence", "link_confidence"):
        wrong = edges.loc[~edges[column].between(0, 1), column]
        if len(wrong):
            raise SchemaError(
                f"edges: column {column!r}: {len(wrong)} of {len(edges)} values are no probability, first "
                f"{wrong.iloc[0]!r}; pass numbers from 0 to 1"
            )
    twice = edges[edges.duplicated(["src", "dst"])]
    if len(twice):
        src, dst = twice.iloc[0][["src", "dst"]]
        raise SchemaError(f"edges: {src!r} -> {dst!r} stands there more than once; pass each pair once")
    return edges


def both_ways(edges: pd.DataFrame) -> pd.DataFrame:
    """Return a row per pair: `a` < `b`, `link`, `ab` and `ba`, the confidence that a depends on b, and b on a.

    Null where only the opposite direction has a row.
    """
    other = edges[edges["src"] != edges["dst"]]
    ends = other[["src", "dst"]]
    rows = other.assign(a=ends.min(axis=1), b=ends.max(axis=1), way=np.where(other["src"] < other["dst"], "ab", "ba"))
    ways = {way: rows[rows["way"] == way].set_index(["a", "b"])["confidence"] for way in ("ab", "ba")}
    link = rows.groupby(["a", "b"])["link_confidence"].max()
    return pd.DataFrame({**ways, "link": link}, dtype="float64").rename_axis(["a", "b"]).reset_index()


def judge(pairs: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return pairs with what is known: whether they are `judged`, and of these which are real: `ab`, `ba`, either way.

    Where one direction would be seen the pair is judged: what is called and writes no spans is taken not to call back.
    """
    there = [pairs[list(way)].set_axis(["src", "dst"], axis=1) for way in ("ab", "ba")]
    judged = truth.judges(there[0]) | truth.judges(there[1])
    ab_real, ba_real = (truth.real(ends) & judged for ends in there)
    return pairs.assign(judged=judged, ab_real=ab_real, ba_real=ba_real, real=ab_real | ba_real)


def not_overlaid(edges: pd.DataFrame) -> pd.DataFrame:
    """Return the edges, or refuse those that traces or declarations have settled."""
    if "verdict" in edges.columns and edges["verdict"].notna().any():
        raise SchemaError(
            "edges: traces or declarations were laid over them already (column 'verdict'), and would be compared with "
            "themselves; pass the edges of the model, and overlay afterwards"
        )
    return edges


def edge_reliability(
    edges: pd.DataFrame, truth: pd.DataFrame, *, directed: bool = False, bins: int = 10, min_traces: int = MIN_TRACES
) -> pd.DataFrame:
    """Compare the confidence of edges with how often they are real, among the pairs that a truth can judge.

    Parameters
    ----------
    edges : DataFrame
        `src`, `dst`, `confidence`, `link_confidence`: `schema.EDGES`, before traces are laid over them, or they are
        compared with themselves.
    truth : DataFrame
        Spans (`schema.SPANS`), which judge a pair where one of the two writes spans (or is a database or queue, which
        calls nobody) and the other appears in them; calls (`src`, `dst`, such as `call_edges` returns), likewise; or a
        call graph (`caller`, `callee`), which judges all.
    directed : bool, default False
        Judge `confidence` in each direction instead of `link_confidence` in either.
    bins : int, default 10
        Of equal width, at least 1. More: finer, and each less certain.
    min_traces : int, default 10
        Traces of a caller, at least 1, from which a call they do not show counts as none. Larger: fewer pairs are
        judged, and fewer wrongly. Used for spans only.

    Returns
    -------
    DataFrame
        A row per bin with pairs, by rising confidence: `from`, `to` (float64: above, up to), `pairs` (int64),
        `confidence` (float64: their mean), `real` (float64: share that is), `low`, `high` (float64: 95 % interval of
        the share, Wilson). ``attrs`` has "directed", and "unjudged": the pairs left out.

    Raises
    ------
    SchemaError
        A column is missing, or a confidence is no probability.
    ParameterError
        `bins` or `min_traces` is below 1.

    See Also
    --------
    EdgeCalibrator : Correct what this shows.
    stanza_lab.plot.reliability : The table as a diagram.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({
    ...     "src": ["web", "web", "api"], "dst": ["api", "db", "db"], "confidence": [0.9, 0.2, 0.8],
    ...     "link_confidence": [0.95, 0.25, 0.93],
    ... })
    >>> calls = pd.DataFrame({"caller": ["web", "api"], "callee": ["api", "db"]})
    >>> sl.edge_reliability(edges, calls).round(2)
       from   to  pairs  confidence  real   low  high
    0   0.2  0.3      1        0.25   0.0  0.00  0.79
    1   0.9  1.0      2        0.94   1.0  0.34  1.00
    """
    edges = not_overlaid(checked(edges))
    at_least(bins, "bins", 1)
    pairs = judge(both_ways(edges), Truth.of(truth, edges, min_traces=min_traces))
    if directed:
        ways = [pairs[[w, "judged", f"{w}_real"]].set_axis(["said", "judged", "real"], axis=1) for w in ("ab", "ba")]
        rows = pd.concat(ways).dropna(subset="said")
    else:
        rows = pairs.rename(columns={"link": "said"})
    known = rows[rows["judged"]]
    table = _binned(known["said"].to_numpy(np.float64), known["real"].to_numpy(np.float64), bins)
    table.attrs.update(directed=directed, unjudged=len(rows) - len(known))
    return table


def wilson(share: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % interval of a share of `count`."""
    square = WILSON**2 / count
    middle = (share + square / 2) / (1 + square)
    half = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def _binned(said: Floats, real: Floats, bins: int) -> pd.DataFrame:
    place = 1 + np.digitize(said, np.arange(1, bins) / bins, right=True)
    grouped = pd.DataFrame({"confidence": said, "real": real}).groupby(place)
    means = grouped.mean()
    upper, pairs = means.index.to_numpy(), grouped.size().to_numpy(np.int64)
    low, high = wilson(means["real"].to_numpy(), pairs.astype(np.float64))
    columns = {"from": (upper - 1) / bins, "to": upper / bins, "pairs": pairs}
    return pd.DataFrame(columns | {name: means[name].to_numpy() for name in means} | {"low": low, "high": high})


def _pairs(calls: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Return who calls whom, spelled as `edges` does, without what is null."""
    known = calls[["src", "dst"]].dropna().astype("str")
    return evidence.spelled_like(known, edges) if len(known) else known


def _stores(calls: pd.DataFrame) -> list[str]:
    """Return the databases and queues that write no spans: that they call nobody is known without any."""
    if not {"kind", "dst_traced"} <= set(calls.columns):
        return []
    store = calls["kind"].isin(["database", "messaging"]) & ~calls["dst_traced"].astype(bool)
    always = store.groupby(calls["dst"].astype("str")).all()
    return list(always.index[always])


def _through_queues(calls: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of services that use the same queue: no call is seen between them, whatever they depend on."""
    if not {"kind", "dst_traced"} <= set(calls.columns):
        return _pairs(calls.iloc[:0], edges)
    queues = calls.loc[(calls["kind"] == "messaging") & ~calls["dst_traced"].astype(bool), ["src", "dst"]]
    pairs = queues.merge(queues, on="dst", suffixes=("", "_other"))
    return _pairs(pairs[["src", "src_other"]].set_axis(["src", "dst"], axis=1), edges)
