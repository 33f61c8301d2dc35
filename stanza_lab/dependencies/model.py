"""Infer who depends on whom from alert history."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Self

import networkx as nx
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from stanza_lab import schema
from stanza_lab._params import Duration, Instant, at_least, choice, fraction, instant
from stanza_lab.dependencies.explanation import Explanation, explain
from stanza_lab.dependencies.inference.fusion import CLAIMS
from stanza_lab.dependencies.inference.table import Evidence, evidence_table
from stanza_lab.dependencies.known import Known, known_edges
from stanza_lab.dependencies.reading import Reading, firings_of, read, reasons
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting, Near, near_places
from stanza_lab.dependencies.sums import DependencyStatistics
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCES = ("times", "claims")  # when alerts fired; what they say besides: texts, traces, resources, teams, names, roles
TELLING = (
    "alertname",
    "summary",
    "description",
    "labels",
    "trace_ids",
    "resources",
    "team",
)  # columns claims are read in
LATE = 2 * 86_400_000_000  # microseconds before the last alert in which alerts may still come, or come again


class DependencyModel(BaseEstimator):
    """Infer dependencies from alert history, with a confidence that means frequency.

    Two nodes are linked when they fire together more often than their own rates, their daily rhythm and the state of
    production explain, and when no third node explains it better. What alerts say beside their times is weighed with
    it: error texts that name a callee, traces and resources in common, teams, names, what kind of thing a node is.
    Confidence is the share of such pairs that were real in simulated productions; on others it is, in the middle,
    rather too modest. Alerts hardly tell the direction (monitors look once a minute, each at its own second), so it is
    a probability of its own:
    ``confidence`` = ``link_confidence`` x probability of the direction.

    With `place`, nodes are kinds of alarm that cause each other where they are near: a point process is fitted to
    replicates of the places, and confidence comes from how many keep an edge and how strong it is (see Notes).

    Parameters
    ----------
    node : str, default "service"
        Column whose values are the nodes: service, team, alertname, rule_key, resources (a column of lists; names that
        one alert lists fire together by construction), ...
    place : str, optional
        Column that says where an alert fired. Alerts then co-fire only at the same place or at places near each other:
        ``node="alertname", place="service"`` infers which kind of alarm leads to which. Of a column of lists
        (resources) the first name counts.
    topology : DataFrame, optional
        With `place`: `src`, `dst`, edges between places (calls, links), read either way.
    hops : int, default 1
        With `topology`: how many edges apart places may be and still be near. More reaches further, and costs more.
    required, forbidden : list of (src, dst) or DataFrame, optional
        Edges known to be there (confidence 1, provenance declared), or not. Other directions are learned from them.
    sources : collection of str, optional
        What is weighed: "times", "claims" (what alerts say beside their times). Default: both. Only times is faster.
    window : duration, default "10min"
        Longest time between two firings that count as one co-firing. Longer finds slower propagation and more chance.
    refractory : duration, default "15min"
        A firing counts only when its node was silent this long before it, at least `window`. Longer merges slower
        flapping.
    block : duration, default "1h"
        What counts as one occasion, and over which time rates are taken to be even, at least four windows.
    slice : duration, default "1D"
        Time slice the statistics are kept by, whole blocks. Longer: smaller statistics, coarser `as_of`.
    min_support : int, default 3
        Distinct occasions below which times alone keep a pair at low confidence. Larger is more cautious.
    max_q : float, default 0.05
        False discovery rate (Benjamini-Hochberg over all pairs) above which times alone keep a pair at low confidence.
    min_confidence : float, default 0.02
        Pairs with a link confidence below this are left out of `edges_`, and so are those that never fired together and
        that nothing else speaks for. Larger lists fewer edges.
    replicates : int, default 36
        With `place`: how many replicates of the history are fitted. More: finer confidence, proportionally slower.
    random_state : int, default 0
        With `place`: seed of the replicates.
    n_jobs : int, optional
        Slices counted in parallel, as in joblib; ``joblib.parallel_config(backend="dask")`` spreads them further.

    Attributes
    ----------
    statistics_ : DependencyStatistics
        The counts everything else is derived from; they add up over slices.
    evidence_ : DataFrame
        One row per pair `a` < `b` that was looked at, with all that confidence is made of. ``says:<source>`` is what a
        source adds to the log odds of a link, ``way:<source>`` to those of `b` depending on `a`.
    edges_ : DataFrame
        Table `schema.EDGES`, both directions of every pair, sorted by confidence (falling), src, dst.
    graph_ : networkx.DiGraph
        The nodes that fired and `edges_`, with its columns as attributes.
    nodes_ : DataFrame
        One row per node, indexed by name: `firings`; `occasions` (the most distinct ones it shared with one other);
        `delay_s`, the detection delay the lags tell (relative to the others; not with `place`); `judged`, whether it
        fired often enough for times to tell an edge of it. What is not judged the model cannot see from times.
    skipped_ : dict
        Alerts that could not be used, counted: without a time, without a node, without a place.
    recent_ : DataFrame or None
        Alerts of the last two days and the time counting looks back: what `partial_fit` needs. Save it beside the
        statistics to go on after loading.

    See Also
    --------
    overlay_traces : Confirm the edges with traces.
    overlay_catalog : Confirm the edges with a catalogue.
    EdgeCalibrator : Correct confidence by traced pairs of your own history.
    score_edges : Compare the edges with a known call graph.

    Notes
    -----
    Statistics are sums over time slices, so a new day is an addition (`partial_fit`), the map of a day in the past a
    matter of leaving slices out (`as_of`), and histories counted on several machines add up (`merge`).

    A common cause that strikes several nodes together looks like a link; so do, with `place`, kinds of alarm that keep
    to the same hours of the day, for the point process has a constant base rate. With `place`, every `partial_fit` fits
    it anew.

    What times say: the excess of co-firings over chance, set against every third node (partial correlation), and the
    direct effects of a Hawkes process fitted by least squares to the lag histograms. What they say on direction: who
    fires first, less each node's own detection delay, which is learned from all its lags together; and who fires more.
    With `place`: a sparse Hawkes process by maximum likelihood, greedy and acyclic, over replicates in which places
    (or, with few places, incidents) are drawn with replacement, fitted to starts and to clears.

    References
    ----------
    Cai, Wu, Shen, Wang, Wang, Hao (2022). THPs: Topological Hawkes processes for learning causal structure on event
    sequences. IEEE TNNLS. https://arxiv.org/abs/2105.10884

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
    >>> model.edges_.loc[:0, ["src", "dst", "support", "lag_s"]]
          src        dst  support  lag_s
    0  orders  orders-db       12   90.0
    """

    statistics_: DependencyStatistics
    evidence_: pd.DataFrame
    edges_: pd.DataFrame
    graph_: nx.DiGraph
    nodes_: pd.DataFrame
    skipped_: dict[str, int]
    recent_: pd.DataFrame | None
    _told: tuple[str, str | None]  # what was counted
    _open: pd.DataFrame | None  # alerts whose claims are counted anew when more come

    def __init__(
        self,
        *,
        node: str = "service",
        place: str | None = None,
        topology: pd.DataFrame | None = None,
        hops: int = 1,
        required: Any = None,
        forbidden: Any = None,
        sources: Collection[str] | None = None,
        window: Duration = "10min",
        refractory: Duration = "15min",
        block: Duration = "1h",
        slice: Duration = "1D",  # noqa: A002
        min_support: int = 3,
        max_q: float = 0.05,
        min_confidence: float = 0.02,
        replicates: int = 36,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.node = node
        self.place = place
        self.topology = topology
        self.hops = hops
        self.required = required
        self.forbidden = forbidden
        self.sources = sources
        self.window = window
        self.refractory = refractory
        self.block = block
        self.slice = slice
        self.min_support = min_support
        self.max_q = max_q
        self.min_confidence = min_confidence
        self.replicates = replicates
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, alerts: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        """Infer the edges from these alerts alone.

        Parameters
        ----------
        alerts : DataFrame
            `schema.ALERTS`; `starts_at` and the columns `node` and `place` are needed, texts, traces, resources, teams
            and ends are used when there. Row order does not matter.
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
        reading = self._read(alerts)
        firings = CoFiringStatistics.count(reading.firings(), counting, n_jobs=self.n_jobs)
        self.skipped_ = reading.skipped
        self._told = (self.node, self.place)
        statistics = self._with_claims(DependencyStatistics.of(firings), reading.alerts)
        return self._derive(statistics, reading.rows, reading.alerts)

    def partial_fit(self, alerts: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        """Add alerts that came in since.

        Times count as in one `fit` on all alerts; what texts say is read with the nodes known by then. Alerts of the
        last two days may come late or again: of those with an id (else: node and time) known already only the end is
        taken, and what they fired with is counted anew.

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
            Alerts are older than the last two days, or a parameter that says how to count was changed since.
        """
        if not hasattr(self, "statistics_"):
            return self.fit(alerts)
        counting = self._counting()
        if counting != self.statistics_.counting or self._told != (self.node, self.place):
            raise ParameterError(
                "node, place, window, refractory, block, slice or topology changed since the first fit; "
                "call fit on all alerts"
            )
        if self.recent_ is None:
            raise ParameterError("the statistics came without the recent firings to look back at; fit on all alerts")
        reading = self._read(alerts)
        skipped = {reason: count + reading.skipped[reason] for reason, count in self.skipped_.items()}
        closed = _closed_before(self.recent_, counting)
        late = int((reading.rows["starts_at"] < pd.Timestamp(closed, unit="us", tz="UTC")).sum())
        if late:
            raise ParameterError(
                f"{late} of {len(reading.rows)} alerts are from before {pd.Timestamp(closed, unit='us', tz='UTC')}, "
                "which is closed; pass newer alerts only, or call fit on all of them"
            )
        new = reading.without(self.recent_)
        known = reading.with_ends(self.recent_, since=pd.Timestamp(closed, unit="us", tz="UTC"))
        rows = pd.concat([known, new.rows[known.columns]], ignore_index=True)
        open_before, open_now = (
            CoFiringStatistics.count(firings_of(part), counting, start=closed, n_jobs=self.n_jobs)
            for part in (self.recent_, rows)
        )
        statistics = self.statistics_.with_firings(self.statistics_.firings - open_before + open_now)
        self.skipped_ = skipped
        if self._open is None:  # made from statistics: what came before cannot be counted anew
            return self._derive(self._with_claims(statistics, new.alerts), rows)
        # What alerts say is counted anew, too: a trace counts once, in however many pieces its alerts come.
        alerts = pd.concat([self._open, new.alerts], ignore_index=True)
        return self._derive(self._with_claims(statistics.without_claims_since(closed), alerts), rows, alerts)

    def as_of(self, when: Instant) -> DependencyModel:
        """Return the model as it was: inferred from the slices that had ended by an instant.

        Parameters
        ----------
        when : str or Timestamp
            The instant; without a zone it is UTC.

        Returns
        -------
        DependencyModel
            Fitted, without the recent alerts that `partial_fit` would need.
        """
        check_is_fitted(self)
        length = self.statistics_.counting.slice
        micros = instant(when, "when").value // 1000 // length * length
        return self._again(self.statistics_.before(micros))

    def merge(self, others: Iterable[DependencyModel]) -> DependencyModel:
        """Return the model of this history and others together, counted apart: other days, other machines.

        Alerts at the border of two histories do not co-fire; what both counted counts twice.

        Parameters
        ----------
        others : iterable of DependencyModel
            Fitted with the same lengths of time.

        Returns
        -------
        DependencyModel
            Fitted, with this model's parameters.

        Raises
        ------
        ParameterError
            They were counted differently.
        """
        check_is_fitted(self)
        statistics = self.statistics_
        for other in others:
            check_is_fitted(other)
            if other._told != self._told:
                raise ParameterError(f"one model has node and place {self._told}, another {other._told}")
            statistics = statistics + other.statistics_
        return self._again(statistics)

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
        statistics = DependencyStatistics.from_frames(frames, settings=settings)
        near = statistics.counting.near
        if model._counting(near) != statistics.counting:
            raise ParameterError("the statistics were counted with another window, refractory, block or slice")
        if (model.place is None) != (near is None):
            raise ParameterError(
                "the statistics were counted with places, and place= is missing, or the other way round"
            )
        model.skipped_ = dict.fromkeys(reasons(model.place), 0)
        model._told = (model.node, model.place)
        recent = frames.get("recent")
        if recent is not None and (missing := [name for name in ("starts_at", "node") if name not in recent.columns]):
            raise SchemaError(f"dependency statistics: table 'recent' lacks {missing}; save it again with to_frames")
        return model._derive(statistics, recent)

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return the tables from which `from_statistics` makes this model again, for Parquet.

        Returns
        -------
        dict of DataFrame
            Those of `DependencyStatistics.to_frames`, and `recent` when it is known.
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
        if src == dst:
            raise ParameterError(f"{src!r} cannot depend on itself; pass two names")
        return explain(
            src,
            dst,
            evidence=self.evidence_,
            edges=self.edges_,
            statistics=self.statistics_,
            recent=self.recent_,
            min_support=self.min_support,
            max_q=self.max_q,
            known=self._known(),
            claims=self._reads_claims,
        )

    def _counting(self, near: Near | None = None) -> Counting:
        at_least(self.min_support, "min_support", 1)
        at_least(self.hops, "hops", 0)
        at_least(self.replicates, "replicates", 1)
        fraction(self.max_q, "max_q")
        fraction(self.min_confidence, "min_confidence")
        at_least(self.random_state, "random_state", 0)
        _check_sources(self.sources)
        if not isinstance(self.node, str):
            raise ParameterError(f"node={self.node!r:.100} must be the name of a column")
        self._known()
        if self.place is None and self.topology is not None:
            raise ParameterError("topology= says which places are near: pass place=, the column of places")
        if self.place == self.node:
            raise ParameterError(f"place={self.place!r} is the node, too: every node would be alone at its place")
        if self.topology is not None:
            near = near_places(self.topology, hops=self.hops)
        elif self.place is not None and near is None:
            near = Near()
        return Counting.of(
            window=self.window, refractory=self.refractory, block=self.block, slice=self.slice, near=near
        )

    def _known(self) -> Known:
        return Known(known_edges(self.required, "required"), known_edges(self.forbidden, "forbidden"))

    @property
    def _reads_claims(self) -> bool:
        return self.place is None and (self.sources is None or "claims" in self.sources)

    def _read(self, alerts: pd.DataFrame) -> Reading:
        return read(alerts, node=self.node, place=self.place, texts=self._reads_claims)

    def _with_claims(self, statistics: DependencyStatistics, alerts: pd.DataFrame) -> DependencyStatistics:
        if not self._reads_claims or alerts.empty or not set(TELLING) & set(alerts.columns):
            return statistics
        return statistics.with_alerts(alerts, node=self.node)

    def _again(self, statistics: DependencyStatistics) -> DependencyModel:
        """Return a model of other sums with these parameters."""
        model: DependencyModel = clone(self)
        model.skipped_ = dict.fromkeys(reasons(model.place), 0)
        model._told = (model.node, model.place)
        return model._derive(statistics, None)

    def _derive(
        self, statistics: DependencyStatistics, rows: pd.DataFrame | None, alerts: pd.DataFrame | None = None
    ) -> Self:
        """Set every fitted attribute from the sums; keep what may be counted anew when more alerts come."""
        self.statistics_ = statistics
        self._open = None
        if rows is not None and alerts is not None and self._reads_claims:
            since = statistics.claims_from(_closed_before(rows, statistics.counting))
            self._open = alerts[alerts["starts_at"] >= pd.Timestamp(since, unit="us", tz="UTC")]
        self.recent_ = None if rows is None else _recent(rows, statistics.counting)
        known = self._known()
        if self.place is None:
            found = evidence_table(
                statistics,
                known=known,
                min_support=self.min_support,
                max_q=self.max_q,
                claims=self._reads_claims,
            )
        else:
            # Loads numba: only who has places needs it.
            from stanza_lab.dependencies.inference.places import place_table

            found = place_table(
                statistics,
                known=known,
                min_support=self.min_support,
                replicates=self.replicates,
                random_state=self.random_state,
            )
        self.evidence_ = found.pairs
        pairs = found.pairs
        # Of pairs that never co-fired, only those that something else speaks for.
        told = sum(pairs[f"says:{source}"] for source in CLAIMS) if self.place is None else pairs["share_a"]
        worth = (pairs["cofirings"] > 0) | (told > 0)
        listed = ((pairs["link_confidence"] >= self.min_confidence) & worth).to_numpy()
        listed = listed | pd.MultiIndex.from_frame(found.pairs[["a", "b"]]).isin(list(known.pairs()))
        self.edges_ = _edges(pairs[listed], known)
        self.nodes_ = _nodes(statistics, found, self.min_support)
        self.graph_ = nx.DiGraph()
        self.graph_.add_nodes_from(statistics.firings.nodes)
        columns = self.edges_.columns[2:]
        edges = self.edges_.itertuples(index=False)
        self.graph_.add_edges_from((row[0], row[1], dict(zip(columns, row[2:], strict=True))) for row in edges)
        return self


def _check_sources(sources: Any) -> None:
    if sources is None:
        return
    if isinstance(sources, str) or not isinstance(sources, Collection):
        raise ParameterError(f"sources={sources!r:.100} must be a collection of names, as ('times',)")
    for source in sources:
        choice(source, "sources", SOURCES)
    if "times" not in sources:
        raise ParameterError(f"sources={sources!r:.100}: times are always weighed; pass ('times',) or both")


def _closed_before(rows: pd.DataFrame, counting: Counting) -> int:
    """Return the start (microseconds) of the block before which what is counted stays."""
    last = rows["starts_at"].max()
    return 0 if pd.isna(last) else (int(last.value // 1000) - LATE) // counting.block * counting.block


def _recent(rows: pd.DataFrame, counting: Counting) -> pd.DataFrame:
    """Return the rows that later counting may look at."""
    back_to = pd.Timestamp(_closed_before(rows, counting) - counting.lookback, unit="us", tz="UTC")
    kept = rows[rows["starts_at"] >= back_to]
    names = [name for name in ("starts_at", "node", "place", "inner", "ends_at", "alert_id") if name in rows.columns]
    order = [name for name in ("starts_at", "node", "place", "alert_id") if name in names]
    kept = kept[names].astype({name: "str" for name in ("node", "place", "alert_id") if name in names})
    return kept.sort_values(order, ignore_index=True)


def _nodes(statistics: DependencyStatistics, found: Evidence, min_support: int) -> pd.DataFrame:
    """Return what is known of each node, and whether times can tell an edge of it."""
    totals = statistics.firings.totals()
    pairs = found.pairs
    shared = pd.concat([pairs.set_index(side)["occasions"] for side in ("a", "b")]).groupby(level=0).max()
    nodes = pd.DataFrame({"firings": totals["firings"]})
    nodes["occasions"] = shared.reindex(nodes.index).fillna(0).astype("int64")
    nodes["delay_s"] = found.delay_s.reindex(nodes.index).astype("float64")
    nodes["judged"] = nodes["firings"] >= min_support
    return nodes.rename_axis("node")


def _edges(evidence: pd.DataFrame, known: Known) -> pd.DataFrame:
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
    link, b_depends, lag = evidence["link_confidence"], evidence["b_depends"], evidence["lag_s"]
    on_a = pd.DataFrame(
        {"src": evidence["b"], "dst": evidence["a"], "confidence": link * b_depends, "lag_s": lag, **same}
    )
    on_b = pd.DataFrame(
        {"src": evidence["a"], "dst": evidence["b"], "confidence": link * (1 - b_depends), "lag_s": 0.0 - lag, **same}
    )
    edges = known.applied(pd.concat([on_a, on_b])[schema.EDGES.names])
    edges = edges.sort_values(["confidence", "src", "dst"], ascending=[False, True, True], ignore_index=True)
    return schema.check(edges, schema.EDGES)
