"""The service graph that traces show: who calls whom, how often, how long, and how it is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema
from stanza_lab.dependencies.overlay.peers import is_statement, kind_of_peer, resolve_peers
from stanza_lab.dependencies.overlay.span_tree import (
    CLIENT,
    CONSUMER,
    NO_TIME,
    PRODUCER,
    SERVER,
    Flags,
    Ints,
    SpanTree,
    plant,
)

_REQUEST, _MESSAGING, _DATABASE, _UNKNOWN = range(4)  # places in schema.CALL_KINDS
_PARENT, _PEER, _SPELLING = range(3)  # places in schema.TOLD_BY
_SEEN = ("first_seen", "last_seen")
_TOLERANCE_US = 1_000  # clocks of one machine, and times cut to milliseconds, differ by less


def call_edges(spans: pd.DataFrame) -> pd.DataFrame:
    """Return the service graph that traces show.

    A call is a span whose parent belongs to another service (client and server, whatever of the caller's own lies in
    between), or an outgoing span (client, producer, or kind unknown) that names a peer and is answered by no span:
    databases, queues, what is not instrumented, what was not sampled.

    Parameters
    ----------
    spans : DataFrame
        `schema.SPANS`, from `read_traces`; `trace_id`, `span_id`, `parent_span_id` and `service` are needed, the others
        used when there. Repeated spans count once.

    Returns
    -------
    DataFrame
        `schema.CALLS`, a row per pair, sorted by src, dst: `src`, `dst` (str: src calls dst), `calls`, `errors`
        (int64), `kind`, `told_by` (category), `p50_ms`, `p95_ms` (float64), `first_seen`, `last_seen` (times, of the
        caller's clock where it is known), `dst_traced` (bool), `skewed` (int64), `skew_ms` (float64), `spelled` (str).

    Raises
    ------
    SchemaError
        A column is missing.

    Notes
    -----
    *Direction.* src depends on dst: trouble travels from dst to src. A producer that names its queue depends on the
    queue, and so does every consumer of it, since both stop when it does; there is no row between the two, for neither
    waits for the other. Where the queue has no name, the row goes from producer to consumer, as tracing tools draw it.
    What only a link ties to its cause is not in `schema.SPANS`: a consumer without parent counts where it names a peer.

    *Counts.* Each span that answers one outgoing span (a retry, a hedge) is a call. A parent that is not in the table
    (sampled away) tells nothing, and a service that calls itself is no edge. An error is one on either side; of an
    outgoing span that was answered more than once, that of each answer.

    *Time.* A call takes as long as the caller's outgoing span, all on the caller's clock; where that is missing or was
    answered more than once, as long as the callee's. Of a queue it is the time of publishing. Spans are never dropped
    for their times: where a callee starts before its caller, or ends after it though it would fit, the clocks differ,
    by the distance of the two middles (the callee's delay is taken to lie evenly before and after, as Jaeger does).

    *Names.* A peer that obviously spells a traced service, or under which always the same one answered, is that
    service: see `told_by` "spelling" and `spelled`. Kinds of peers without spans are read off their names and
    operations (orders-db, kafka, SELECT). Exporters that name a database by its system alone (postgresql) make one node
    of all of these.

    References
    ----------
    OpenTelemetry Collector, servicegraph connector; Grafana Tempo, service graphs; Jaeger, spark-dependencies and clock
    skew adjustment; Zipkin, DependencyLinker.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> spans = pd.DataFrame(
    ...     {
    ...         "trace_id": ["t1", "t1", "t1"],
    ...         "span_id": ["1", "2", "3"],
    ...         "parent_span_id": [None, "1", "2"],
    ...         "service": ["web", "orders", "orders"],
    ...         "kind": ["client", "server", "client"],
    ...         "peer": ["orders:8080", None, "orders-db"],
    ...     }
    ... )
    >>> sl.call_edges(spans)[["src", "dst", "calls", "kind", "told_by", "dst_traced"]]
          src        dst  calls      kind told_by  dst_traced
    0  orders  orders-db      1  database    peer       False
    1     web     orders      1   request  parent        True
    """
    return edges_of(plant(spans))


def edges_of(tree: SpanTree) -> pd.DataFrame:
    """Return the calls of a tree of spans, as `call_edges` does."""
    answers = _Answers(tree)
    nodes = _Nodes(tree, answers)
    found = pd.concat([_answered(tree, answers, nodes), _named_only(tree, answers, nodes)], ignore_index=True)
    return _summed(found[found["src"] != found["dst"]], nodes)


class _Answers:
    """Which spans of a callee answer which outgoing span of a caller."""

    def __init__(self, tree: SpanTree) -> None:
        parent, has = tree.parent, tree.parent >= 0
        nearest, self.above = tree.callers()
        self.across = has & (tree.service >= 0) & (tree.service[parent] >= 0)
        self.across &= tree.service != tree.service[parent]
        self.caller = np.where(has, nearest[parent], -1)  # outgoing span of the caller behind an answer
        answer = (self.caller >= 0) & (self.across | tree.entry)
        self.count = np.bincount(self.caller[answer], minlength=len(tree))
        self.answered = self.count > 0
        while len(outer := self.above[self.answered & (self.above >= 0)]) and not self.answered[outer].all():
            self.answered[outer] = True

    def by_peer(self, tree: SpanTree) -> dict[str, str]:
        """Return for each peer the service that answered, where that was always the same: an address is its."""
        row = np.flatnonzero(self.across & (self.caller >= 0))
        row = row[(tree.kind[row] != CONSUMER) & (tree.kind[self.caller[row]] != PRODUCER)]
        pairs = pd.DataFrame({"peer": tree.peer[self.caller[row]], "service": tree.service[row]})
        pairs = pairs[pairs["peer"] >= 0].drop_duplicates().drop_duplicates("peer", keep=False)
        return {tree.peers[peer]: tree.services[service] for peer, service in pairs.itertuples(index=False, name=None)}


class _Nodes:
    """What the codes of services and peers mean as nodes; arrays end in what a code of -1 finds."""

    def __init__(self, tree: SpanTree, answers: _Answers) -> None:
        self.meant = resolve_peers(tree.peers, tree.services, answered_by=answers.by_peer(tree))
        stores = [f"{name} (database)" for name in tree.services]  # statements go there, not to the service
        self.names = sorted({*tree.services, *(peer.name for peer in self.meant), *stores})
        place = {name: i for i, name in enumerate(self.names)}
        self.service = np.array([*(place[name] for name in tree.services), -1])
        self.peer = np.array([*(place[peer.name] for peer in self.meant), -1])
        self.respelled = np.array([*(peer.respelled for peer in self.meant), False])
        self.traced = np.append(np.isin(np.arange(len(self.names)), self.service), False)
        self.store = np.full(len(self.names) + 1, -1)
        self.store[self.service[:-1]] = [place[name] for name in stores]


def _answered(tree: SpanTree, answers: _Answers, nodes: _Nodes) -> pd.DataFrame:
    """Return the calls that both sides tell, and consumers with the queue they take from."""
    child = np.flatnonzero((answers.across | (tree.kind == CONSUMER)) & (tree.service >= 0))
    caller, parent, across = answers.caller[child], tree.parent[child], answers.across[child]
    consumes, by = tree.kind[child] == CONSUMER, _of(tree.kind, caller, -1)
    messaging = consumes | (by == PRODUCER)
    peer = _of(tree.peer, caller, -1)
    queue = np.where((by == PRODUCER) & (peer >= 0), peer, np.where(consumes, tree.peer[child], -1))
    between = nodes.peer[queue]
    through = messaging & (between >= 0) & ~nodes.traced[between]
    own, alone = tree.durations_ms(), _of(answers.count, caller, 0) == 1
    waited = np.where(alone, _of(own, caller, np.nan), np.nan)
    request = (tree.kind[child] == SERVER) | (by == CLIENT)
    callee = nodes.service[tree.service[child]]
    above = nodes.service[_of(tree.service, parent, -1)]
    starts = [_of(tree.starts, caller, NO_TIME), _of(tree.starts, parent, NO_TIME), tree.starts[child]]
    table = pd.DataFrame(
        {
            "src": np.where(through, callee, above),
            "dst": np.where(through, between, callee),
            "kind": np.where(messaging, _MESSAGING, np.where(request, _REQUEST, _UNKNOWN)),
            "told_by": np.where(through & nodes.respelled[queue], _SPELLING, _PARENT),
            "failed": ~through & (tree.failed[child] | (alone & _of(tree.failed, caller, nothing=False))),
            "ms": np.where(through, np.nan, np.where(np.isnan(waited), own[child], waited)),
            "start": np.select([start != NO_TIME for start in starts], starts, NO_TIME),
            "skew": np.where(through, np.nan, _skew(tree, child, caller, parent, messaging=messaging)),
            "peer": np.where(through, queue, peer),
        }
    )
    told: pd.DataFrame = table[across | through]
    return told


def _named_only(tree: SpanTree, answers: _Answers, nodes: _Nodes) -> pd.DataFrame:
    """Return the calls that only a caller tells, by the name of its peer."""
    dst = nodes.peer[tree.peer]
    queued = (tree.kind == PRODUCER) & ~nodes.traced[dst]  # depends on the queue, whoever takes from it
    told = tree.outgoing & (tree.service >= 0) & (dst >= 0) & (queued | ~answers.answered)
    inner = np.flatnonzero(told & (answers.above >= 0))
    told[answers.above[inner[dst[inner] == dst[answers.above[inner]]]]] = False  # a client in a client, to the same
    row = np.flatnonzero(told)
    dst, kind = dst[row], tree.kind[row]
    by_name, statement = _kinds_by_name(tree, row)
    dst = np.where(statement & nodes.traced[dst], nodes.store[dst], dst)
    plain = np.where(kind == CLIENT, _REQUEST, _UNKNOWN)
    return pd.DataFrame(
        {
            "src": nodes.service[tree.service[row]],
            "dst": dst,
            "kind": np.where(kind == PRODUCER, _MESSAGING, np.where(by_name >= 0, by_name, plain)),
            "told_by": np.where(nodes.respelled[tree.peer[row]], _SPELLING, _PEER),
            "failed": tree.failed[row],
            "ms": tree.durations_ms()[row],
            "start": tree.starts[row],
            "skew": np.nan,
            "peer": tree.peer[row],
        }
    )


def _kinds_by_name(tree: SpanTree, row: Ints) -> tuple[Ints, Flags]:
    """Return the kind that the names of peer and operation tell (-1: none), and which are statements to a store.

    A peer that is itself called like a store needs no telling apart from a service.
    """
    pairs = pd.DataFrame({"peer": tree.peer[row], "operation": tree.operation[row]})
    group = pairs.groupby(["peer", "operation"], sort=False).ngroup().to_numpy()
    kinds, statements = [-1], [False]
    for peer, operation in pairs.drop_duplicates().itertuples(index=False, name=None):
        said = tree.operations[operation] if operation >= 0 else ""
        kind = kind_of_peer(tree.peers[peer], said)
        kinds.append({"database": _DATABASE, "messaging": _MESSAGING}.get(kind or "", -1))
        statements.append(is_statement(said) and kind_of_peer(tree.peers[peer], "") != "database")
    return np.array(kinds)[group + 1], np.array(statements)[group + 1]


def _skew(tree: SpanTree, child: Ints, caller: Ints, parent: Ints, *, messaging: Flags) -> npt.NDArray[np.float64]:
    """Return how many ms the callee's clock is ahead where its span is impossible else; 0 where not, null: unknown."""
    above = np.where(caller >= 0, caller, parent)
    times = tree.known_times
    known = times[child] & _of(times, above, nothing=False)
    early = np.where(known, tree.starts[child] - _of(tree.starts, above, 0), 0)
    late = np.where(known, tree.ends[child] - _of(tree.ends, above, 0), 0)
    waits = (caller >= 0) & ~messaging  # only who waits for an answer must outlast it
    before = early < -_TOLERANCE_US
    after = waits & (late > _TOLERANCE_US) & (early >= late)  # late, though it would fit: its caller did not give up
    ahead = np.where(waits, (early + late) / 2, early) / 1e3
    return np.where(known, np.where(before | after, ahead, 0.0), np.nan)


def _summed(found: pd.DataFrame, nodes: _Nodes) -> pd.DataFrame:
    """Return a row per pair."""
    if found.empty:
        return schema.empty(schema.CALLS)
    found = found.assign(
        start=found["start"].where(found["start"] != NO_TIME), skew_ms=found["skew"].where(found["skew"] != 0)
    )
    group = found.groupby(["src", "dst"])
    table = group.agg(
        calls=("kind", "size"),
        errors=("failed", "sum"),
        told_by=("told_by", "min"),
        first_seen=("start", "min"),
        last_seen=("start", "max"),
        skewed=("skew_ms", "count"),
        skew_ms=("skew_ms", "median"),
        compared=("skew", "count"),
    )
    table = table.assign(
        kind=_most_usual(found, "kind"),
        p50_ms=group["ms"].quantile(0.5),
        p95_ms=group["ms"].quantile(0.95),
        skew_ms=table["skew_ms"].fillna(0.0).where(table["compared"] > 0),
        spelled=_spelled(found, nodes),
    ).reset_index()
    names, dst = np.asarray(nodes.names, dtype=object), table["dst"].to_numpy()
    table = table.assign(
        src=names[table["src"]],
        dst=names[dst],
        dst_traced=nodes.traced[dst],
        kind=np.asarray(schema.CALL_KINDS, dtype=object)[table["kind"]],
        told_by=np.asarray(schema.TOLD_BY, dtype=object)[table["told_by"]],
        **{name: pd.to_datetime(table[name].astype("Int64"), unit="us", utc=True) for name in _SEEN},
    )
    table = schema.check(table[schema.CALLS.names], schema.CALLS)
    return table.sort_values(["src", "dst"], ignore_index=True)


def _most_usual(found: pd.DataFrame, column: str) -> pd.Series:
    """Return per pair the value that most calls have; of equally many the least."""
    counts = found.groupby(["src", "dst", column]).size().rename("n").reset_index()
    counts = counts.sort_values(["src", "dst", "n", column], ascending=[True, True, False, True])
    return counts.drop_duplicates(["src", "dst"]).set_index(["src", "dst"])[column]


def _spelled(found: pd.DataFrame, nodes: _Nodes) -> pd.Series:
    """Return per pair the spelling of the peer that most calls have, where it is another than dst."""
    usual = _most_usual(found[nodes.respelled[found["peer"]]], "peer")
    return pd.Series([nodes.meant[peer].said for peer in usual], index=usual.index, dtype="str")


def _of(values: Any, rows: Ints, nothing: Any) -> Any:
    """Return `values` at `rows`, `nothing` where the row is -1."""
    return np.where(rows >= 0, values[rows], nothing) if len(values) else np.full(len(rows), nothing)
