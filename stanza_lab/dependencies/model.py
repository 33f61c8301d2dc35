"""Infer who depends on whom from the times at which alerts fired."""

from __future__ import annotations

from typing import Any, Self

import networkx as nx
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from stanza_lab import schema
from stanza_lab._params import Duration, at_least, fraction
from stanza_lab.dependencies.confidence import direction, link_confidence, pair_evidence
from stanza_lab.dependencies.explanation import Explanation, explain
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting, Firings
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError

_REASONS = ("without a time", "without a node")


class DependencyModel(BaseEstimator):
    """Infer dependencies from co-firings, with a confidence that means frequency.

    Two nodes are linked when they fire together more often than their own rates, their daily rhythm and the state of
    production explain, and when no third node explains it better. Confidence is the share of such pairs that were real
    in simulated productions. Alerts hardly tell the direction (monitors look once a minute, each at its own second), so
    it is a probability of its own: ``confidence`` = ``link_confidence`` x probability of the direction.

    Parameters
    ----------
    node : str, default "service"
        Column whose values are the nodes: service, team, alertname, rule_key, ...
    window : duration, default "10min"
        Longest time between two firings that count as one co-firing. Longer finds slower propagation and more chance.
    refractory : duration, default "15min"
        A firing counts only when its node was silent this long before it, at least `window`. Longer merges slower
        flapping.
    block : duration, default "1h"
        What counts as one occasion, and over which time rates are taken to be even, at least four windows.
    slice : duration, default "1D"
        Time slice the statistics are kept by, whole blocks. Longer: smaller statistics, coarser updates.
    min_support : int, default 3
        Distinct occasions below which a pair stays at low confidence. Larger is more cautious.
    max_q : float, default 0.05
        False discovery rate (Benjamini-Hochberg over all pairs) above which a pair stays at low confidence.
    min_confidence : float, default 0.02
        Pairs with a link confidence below this are left out of `edges_`. Larger lists fewer edges.
    n_jobs : int, optional
        Slices counted in parallel, as in joblib; ``joblib.parallel_config(backend="dask")`` spreads them further.

    Attributes
    ----------
    statistics_ : CoFiringStatistics
        The counts everything else is derived from; they add up over slices.
    evidence_ : DataFrame
        One row per pair that ever co-fired, with all that confidence is made of.
    edges_ : DataFrame
        Table `schema.EDGES`, both directions of every pair, sorted by confidence (falling), src, dst.
    graph_ : networkx.DiGraph
        The nodes that fired and `edges_`, with its columns as attributes.
    skipped_ : dict
        Alerts that could not be used, counted: without a time, without a node.

    recent_ : DataFrame or None
        Alerts of the last two slices (`starts_at`, `node`): what `partial_fit` looks back at. Save it beside the
        statistics to go on after loading.

    See Also
    --------
    overlay_traces : Confirm the edges with traces.
    score_edges : Compare the edges with a known call graph.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> days = pd.date_range("2026-03-01T14:00Z", periods=12, freq="37h")
    >>> alerts = pd.DataFrame(
    ...     {
    ...         "starts_at": [*days, *(days + pd.Timedelta("70s")), *(days + pd.Timedelta("9h"))],
    ...         "service": ["orders-db"] * 12 + ["orders"] * 12 + ["search"] * 12,
    ...     }
    ... )
    >>> model = sl.DependencyModel().fit(alerts)
    >>> model.edges_[["src", "dst", "support", "lag_s"]]
          src        dst  support  lag_s
    0  orders  orders-db       12   90.0
    1  orders-db  orders       12  -90.0
    """

    statistics_: CoFiringStatistics
    evidence_: pd.DataFrame
    edges_: pd.DataFrame
    graph_: nx.DiGraph
    skipped_: dict[str, int]
    recent_: pd.DataFrame | None

    def __init__(
        self,
        *,
        node: str = "service",
        window: Duration = "10min",
        refractory: Duration = "15min",
        block: Duration = "1h",
        slice: Duration = "1D",  # noqa: A002
        min_support: int = 3,
        max_q: float = 0.05,
        min_confidence: float = 0.02,
        n_jobs: int | None = None,
    ) -> None:
        self.node = node
        self.window = window
        self.refractory = refractory
        self.block = block
        self.slice = slice
        self.min_support = min_support
        self.max_q = max_q
        self.min_confidence = min_confidence
        self.n_jobs = n_jobs

    def fit(self, alerts: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        """Infer the edges from these alerts alone.

        Parameters
        ----------
        alerts : DataFrame
            `schema.ALERTS`; `starts_at` and the column `node` are used. Row order does not matter.
        y : None
            Not used.

        Returns
        -------
        DependencyModel
            This model.

        Raises
        ------
        SchemaError
            A column is missing, or there are alerts but none has a time and a node.
        ParameterError
            A parameter is out of range.
        """
        counting = self._counting()
        firings, self.skipped_ = self._firings(alerts)
        statistics = CoFiringStatistics.count(firings, counting, n_jobs=self.n_jobs)
        return self._derive(statistics, firings)

    def partial_fit(self, alerts: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        """Add alerts that came in since; the result equals one `fit` on all of them.

        Alerts of the last two slices may come again or late: those slices are counted anew from what was known and what
        came (the same alert twice counts once; in `skipped_`, which only adds up, twice). Older alerts are refused, for
        their slices are closed.

        Parameters
        ----------
        alerts : DataFrame
            As in `fit`; usually a new day.
        y : None
            Not used.

        Returns
        -------
        DependencyModel
            This model.

        Raises
        ------
        ParameterError
            Alerts lie before the last two slices, or a parameter that says how to count was changed since.
        """
        if not hasattr(self, "statistics_"):
            return self.fit(alerts)
        counting = self._counting()
        if counting != self.statistics_.counting:
            raise ParameterError(
                "window, refractory, block or slice changed since the first fit; call fit on all alerts"
            )
        if self.recent_ is None:
            raise ParameterError("the statistics came without the recent firings to look back at; fit on all alerts")
        closed = _closed_before(self.statistics_)
        new, skipped = self._firings(alerts)
        late = int(np.searchsorted(new.times, closed))
        if late:
            raise ParameterError(
                f"{late} of {len(new.times)} alerts are from before {pd.Timestamp(closed, unit='us', tz='UTC')}, "
                "whose slices are closed; pass newer alerts only, or call fit on all of them"
            )
        self.skipped_ = {reason: count + skipped[reason] for reason, count in self.skipped_.items()}
        firings = Firings.of(self.recent_["starts_at"], self.recent_["node"]) + new
        kept = self.statistics_.before(closed)
        counted = CoFiringStatistics.count(firings, counting, start=closed, n_jobs=self.n_jobs)
        return self._derive(kept + counted, firings)

    @classmethod
    def from_statistics(
        cls, frames: dict[str, pd.DataFrame], *, settings: dict[str, int], **parameters: Any
    ) -> DependencyModel:
        """Infer the edges from counts made before: from a bundle, merged from several machines, or as of a day.

        Parameters
        ----------
        frames : dict of DataFrame
            `to_frames()` of a model or of its `statistics_`. Without `recent` among them `partial_fit` refuses, for it
            could not look back.
        settings : dict
            `statistics_.settings()`: how the counts were made.
        **parameters
            Of the model.

        Returns
        -------
        DependencyModel
            Fitted.

        Raises
        ------
        SchemaError
            A table or column is missing.
        ParameterError
            The parameters say to count otherwise than `settings`.
        """
        model = cls(**parameters)
        statistics = CoFiringStatistics.from_frames(frames, settings=settings)
        if statistics.counting != model._counting():
            raise ParameterError("the statistics were counted with another window, refractory, block or slice")
        model.skipped_ = dict.fromkeys(_REASONS, 0)
        recent = frames.get("recent")
        return model._derive(statistics, None if recent is None else Firings.of(recent["starts_at"], recent["node"]))

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return the tables from which `from_statistics` makes this model again, for Parquet.

        Returns
        -------
        dict of DataFrame
            `firings`, `cofirings`, and `recent` when it is known.
        """
        check_is_fitted(self)
        return self.statistics_.to_frames() | ({} if self.recent_ is None else {"recent": self.recent_})

    def explain(self, src: str, dst: str) -> Explanation:
        """Say in words and numbers what speaks for and against `src` depending on `dst`.

        Parameters
        ----------
        src : str
            The one that may depend on the other.
        dst : str
            The dependency.

        Returns
        -------
        Explanation
            A small frozen object; print it, or show it in a notebook.

        Raises
        ------
        UnknownNameError
            A name never fired.
        """
        check_is_fitted(self)
        for name in (src, dst):
            if name not in self.graph_:
                raise UnknownNameError.among(self.node, name, self.graph_.nodes)
        return explain(
            src,
            dst,
            evidence=self.evidence_,
            statistics=self.statistics_,
            min_support=self.min_support,
            max_q=self.max_q,
        )

    def _counting(self) -> Counting:
        at_least(self.min_support, "min_support", 1)
        fraction(self.max_q, "max_q")
        fraction(self.min_confidence, "min_confidence")
        return Counting.of(window=self.window, refractory=self.refractory, block=self.block, slice=self.slice)

    def _firings(self, alerts: pd.DataFrame) -> tuple[Firings, dict[str, int]]:
        """Return when which node fired, and how many alerts lack a time or a node."""
        alerts = schema.check(alerts, schema.ALERTS, need=["starts_at", self.node])
        named = alerts[["starts_at", self.node]].explode(self.node)  # a column of lists: one firing for each
        no_time, no_node = named["starts_at"].isna(), named[self.node].isna()
        usable = named[~no_time & ~no_node]
        if len(named) and usable.empty:
            raise SchemaError(
                f"alerts: none of {len(named)} has both a time and a {self.node!r} ({int(no_time.sum())} lack the "
                f"time, {int(no_node.sum())} the {self.node}); run sl.resolve_entities first, or pass another node="
            )
        skipped = dict(zip(_REASONS, (int(no_time.sum()), int((no_node & ~no_time).sum())), strict=True))
        return Firings.of(usable["starts_at"], usable[self.node]), skipped

    def _derive(self, statistics: CoFiringStatistics, firings: Firings | None) -> Self:
        """Set every fitted attribute from the counts."""
        self.statistics_ = statistics
        back_to = _closed_before(statistics) - statistics.counting.lookback
        self.recent_ = None if firings is None else firings.since(back_to).to_frame()
        evidence = pair_evidence(statistics)
        link = link_confidence(evidence, min_support=self.min_support, max_q=self.max_q)
        self.evidence_ = evidence.assign(link_confidence=link, b_depends=direction(evidence))
        self.edges_ = _edges(self.evidence_[link >= self.min_confidence])
        self.graph_ = nx.DiGraph()
        self.graph_.add_nodes_from(statistics.nodes)
        columns = self.edges_.columns[2:]
        rows = self.edges_.itertuples(index=False)
        self.graph_.add_edges_from((row[0], row[1], dict(zip(columns, row[2:], strict=True))) for row in rows)
        return self


def _closed_before(statistics: CoFiringStatistics) -> int:
    """Return the start (microseconds) of the slice before the last one; what is older is not counted again."""
    slices = statistics.slices
    return int(slices[-1].value // 1000) - statistics.counting.slice if len(slices) else 0


def _edges(evidence: pd.DataFrame) -> pd.DataFrame:
    """Write each pair as its two directions, in `schema.EDGES`."""
    same = {
        "link_confidence": evidence["link_confidence"],
        "support": evidence["cofirings"],
        "lift": evidence["lift"],
        "p_value": evidence["p_value"],
        "q_value": evidence["q_value"],
        "provenance": [["inferred"]] * len(evidence),
        "verdict": None,
    }
    link, b_depends = evidence["link_confidence"], evidence["b_depends"]
    on_a = pd.DataFrame(
        {"src": evidence["b"], "dst": evidence["a"], "confidence": link * b_depends, "lag_s": evidence["lag_s"], **same}
    )
    on_b = pd.DataFrame(
        {
            "src": evidence["a"],
            "dst": evidence["b"],
            "confidence": link * (1 - b_depends),
            "lag_s": 0.0 - evidence["lag_s"],
            **same,
        }
    )
    edges = pd.concat([on_a, on_b])[schema.EDGES.names]
    edges = edges.sort_values(["confidence", "src", "dst"], ascending=[False, True, True], ignore_index=True)
    return schema.check(edges, schema.EDGES)
