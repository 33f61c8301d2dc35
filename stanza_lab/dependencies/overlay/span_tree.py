"""Spans as arrays: whose they are, which span caused them, and which outgoing span of the caller that stands for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(5)  # places in the choices of schema.SPANS["kind"]
NEEDED = ("trace_id", "span_id", "parent_span_id", "service")
_IDENTITY = ["trace_id", "span_id"]
_ROUNDS = 40  # doublings: more than the depth of any trace; parents in a circle end here
NO_TIME = pd.NaT.value  # what a missing time is as a number


@dataclass(frozen=True, eq=False)
class SpanTree:
    """Spans without repeats, column by column; -1 stands for what is not there."""

    services: list[str]
    peers: list[str]
    operations: list[str]
    trace: Ints  # number of its trace
    service: Ints  # place in services
    peer: Ints  # place in peers
    operation: Ints  # place in operations
    kind: Ints  # place in the choices of the schema
    parent: Ints  # row of the span that caused it
    orphan: Flags  # names a parent that is not there
    failed: Flags
    starts: Ints  # microseconds
    ends: Ints

    def __len__(self) -> int:
        return len(self.service)

    @property
    def outgoing(self) -> Flags:
        """Spans that call: client and producer, and those of unknown kind that name a peer."""
        calls: Flags = np.isin(self.kind, (CLIENT, PRODUCER)) | ((self.kind < 0) & (self.peer >= 0))
        return calls

    @property
    def entry(self) -> Flags:
        """Spans that are called."""
        called: Flags = np.isin(self.kind, (SERVER, CONSUMER))
        return called

    @property
    def known_times(self) -> Flags:
        """Spans with a start and an end in order."""
        known: Flags = (self.starts != NO_TIME) & (self.ends != NO_TIME) & (self.ends >= self.starts)
        return known

    def traces_by_service(self) -> dict[str, int]:
        """Return in how many traces each service has a span."""
        pairs = pd.DataFrame({"trace": self.trace, "service": self.service})
        counts = pairs[pairs["service"] >= 0].drop_duplicates()["service"].value_counts()
        return {self.services[code]: int(counts[code]) for code in sorted(counts.index)}

    def durations_ms(self) -> npt.NDArray[np.float64]:
        """Return how long each took, on its own clock."""
        return np.where(self.known_times, (self.ends - self.starts) / 1e3, np.nan)

    def callers(self) -> tuple[Ints, Ints]:
        """Return for each span the nearest outgoing one at or above it, and strictly above it; -1: none.

        Both stay within its service, and below the span with which the service was entered.
        """
        outgoing, place = self.outgoing, np.arange(len(self))
        known = self.parent >= 0
        inside = known & (self.service == self.service[self.parent]) & (self.service >= 0)
        moves = inside & ~outgoing & ~self.entry
        jump = np.where(moves, self.parent, place)
        for _ in range(_ROUNDS):
            further = jump[jump]
            if np.array_equal(further, jump):
                break
            jump = further
        nearest = np.where(outgoing[jump], jump, -1)
        above = np.where(inside & ~self.entry, nearest[self.parent], -1)
        return nearest, np.where(above == place, -1, above)


def plant(spans: pd.DataFrame) -> SpanTree:
    """Return the tree of `schema.SPANS`, or raise SchemaError."""
    spans = _once(schema.check(spans, schema.SPANS, need=NEEDED).reset_index(drop=True))
    trace, _ = pd.factorize(spans["trace_id"])
    ids, names = pd.factorize(pd.concat([spans["span_id"], spans["parent_span_id"]], ignore_index=True))
    own, above = ids[: len(spans)], ids[len(spans) :]
    parent = _rows(trace, own, above, len(names))
    parent[parent == np.arange(len(spans))] = -1
    service, services = _codes(spans["service"])
    peer, peers = _codes(_column(spans, "peer"))
    operation, operations = _codes(_column(spans, "name"))
    return SpanTree(
        services=services,
        peers=peers,
        operations=operations,
        trace=trace.astype(np.int64),
        service=service,
        peer=peer,
        operation=operation,
        kind=_column(spans, "kind").cat.codes.to_numpy().astype(np.int64),
        parent=parent,
        orphan=(above >= 0) & (parent < 0),
        failed=(_column(spans, "status") == "error").to_numpy(dtype=bool),
        starts=_microseconds(_column(spans, "starts_at")),
        ends=_microseconds(_column(spans, "ends_at")),
    )


def _once(spans: pd.DataFrame) -> pd.DataFrame:
    """Return spans without repeats: which of several that share an id stays must not depend on the order of rows."""
    repeated = spans.duplicated(_IDENTITY, keep=False)
    if not repeated.any():
        return spans
    by = [*_IDENTITY, *(name for name in schema.SPANS.names if name in spans.columns and name not in _IDENTITY)]
    text = spans.loc[repeated, by].astype({c.name: "str" for c in schema.SPANS.columns if c.name in by})
    kept = text.sort_values(by, na_position="last", kind="stable").drop_duplicates(_IDENTITY).index
    return pd.concat([spans[~repeated], spans.loc[kept]])


def _rows(trace: Ints, own: Ints, above: Ints, size: int) -> Ints:
    """Return the row of the span each names as its parent, in its own trace; -1 where there is none."""
    keys = trace.astype(np.int64) * size + own
    wanted = trace.astype(np.int64) * size + above
    known = (trace >= 0) & (own >= 0)
    rows = np.flatnonzero(known)
    found = pd.Index(keys[rows]).get_indexer(pd.Index(np.where((trace >= 0) & (above >= 0), wanted, -1)))
    return np.where(found >= 0, rows[found] if len(rows) else -1, -1).astype(np.int64)


def _microseconds(times: pd.Series) -> Ints:
    numbers: Ints = times.dt.tz_convert(None).to_numpy("datetime64[us]").astype(np.int64)
    return numbers


def _column(spans: pd.DataFrame, name: str) -> pd.Series:
    if name in spans.columns:
        return spans[name]
    return schema.convert(pd.Series(index=spans.index, dtype=object), schema.SPANS[name])


def _codes(values: pd.Series) -> tuple[Ints, list[str]]:
    """Return each value's place in the list of distinct ones, sorted."""
    category = values.cat.remove_unused_categories()
    names = category.cat.categories.astype(str)
    order = np.argsort(np.asarray(names, dtype=object), kind="stable")
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(order)), -1
    return place[category.cat.codes.to_numpy()], [str(names[i]) for i in order]
