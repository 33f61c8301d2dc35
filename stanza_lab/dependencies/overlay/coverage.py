"""What the traces can see of the services that alert: before they confirm or deny anything, this must be known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab._params import fraction
from stanza_lab.dependencies.overlay import evidence
from stanza_lab.dependencies.overlay.calls import edges_of
from stanza_lab.dependencies.overlay.peers import spell_as
from stanza_lab.dependencies.overlay.span_tree import NO_TIME, SpanTree, plant
from stanza_lab.entities.coverage import _page
from stanza_lab.entities.coverage._actions import listing
from stanza_lab.entities.coverage._tables import percent
from stanza_lab.errors import SchemaError
from stanza_lab.history.report import count

ROLES = ("writes spans", "only called", "not seen")
_NAMED = 6  # services a sentence lists


@dataclass(frozen=True, eq=False, repr=False)
class TraceCoverage:
    """Tell which services the traces see, from when to when, and how many of the edges they can judge.

    Attributes
    ----------
    services : DataFrame
        service, role (writes spans, only called: others name it as their peer, not seen), alerting (bool: it was asked
        about; others stand only in the traces), spans, traces, calls, called_by (int64: services), first_seen,
        last_seen (times of its spans). Those asked about first, by role, then by name.
    spans, traces, orphans : int
        Spans, the traces they belong to, and those that name a parent which is not there.
    nameless, kindless : int
        Spans without a service, and without a kind.
    first, last : Timestamp or None
        Start of the first and of the last span.
    pairs, judged, traced : int
        Pairs of services with an edge; those of them that traces can judge; those that traces show.
    skewed : int
        Calls between services whose clocks differ.
    """

    services: pd.DataFrame
    spans: int
    traces: int
    orphans: int
    nameless: int
    kindless: int
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    pairs: int
    judged: int
    traced: int
    skewed: int

    @property
    def judged_share(self) -> float:
        """Share of the pairs that traces can judge, from 0 to 1; NaN without pairs."""
        return self.judged / self.pairs if self.pairs else float("nan")

    @property
    def summary(self) -> list[str]:
        """The findings in words, a sentence each; names in them are untrusted text."""
        if not self.spans:
            return ["No spans: traces judge nothing."]
        asked = self.services[self.services["alerting"]]
        writes, called, absent = (asked.loc[asked["role"] == role, "service"] for role in ROLES)
        number = count(len(asked), "service")
        said = [f"Traces see {len(writes) + len(called):,} of {number}: {len(writes):,} write spans{self._span()}."]
        if len(called):
            said.append(f"Only called, so that their own calls cannot be seen: {listing(called, top=_NAMED)}.")
        if len(absent):
            said.append(f"Not in the traces at all: {listing(absent, top=_NAMED)}.")
        if self.pairs:
            share = f"{self.judged:,} of {count(self.pairs, 'pair')} ({percent(self.judged_share)})"
            said.append(f"They can judge {share} with an edge, and show a call between {self.traced:,} of them.")
        return [*said, *self._others(), *self._quality()]

    def _span(self) -> str:
        if self.first is None or self.last is None:
            return f" ({count(self.traces, 'trace')}, no time known)"
        hours = (self.last - self.first).total_seconds() / 3600
        length = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} h" if hours >= 1 else "under an hour"
        when = f"{self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC, {length}"
        return f" ({count(self.traces, 'trace')}, {when})"

    def _others(self) -> list[str]:
        writes = self.services["role"] == ROLES[0]
        others = self.services.loc[~self.services["alerting"] & writes, "service"]
        return [f"Traced, but without edges or alerts here: {listing(others, top=_NAMED)}."] if len(others) else []

    def _quality(self) -> list[str]:
        said = []
        if self.orphans:
            share = percent(self.orphans / self.spans)
            said.append(f"{share} of the spans name a parent that is not there: sampled, or of another tool.")
        if self.kindless:
            said.append(f"{percent(self.kindless / self.spans)} of the spans state no kind: told by services.")
        if self.nameless:
            said.append(f"{percent(self.nameless / self.spans)} of the spans name no service and count for none.")
        if self.skewed:
            said.append(f"{count(self.skewed, 'call')} can only be if two clocks differ; see skew_ms of call_edges.")
        return said

    def to_frame(self) -> pd.DataFrame:
        """Return what is known of each service.

        Returns
        -------
        DataFrame
            A copy of `services`.
        """
        return self.services.copy()

    def __str__(self) -> str:
        return "\n".join(self.summary)

    def __repr__(self) -> str:
        asked = self.services[self.services["alerting"]]
        seen = int((asked["role"] != ROLES[2]).sum())
        return (
            f"TraceCoverage({seen:,} of {count(len(asked), 'service')} seen, {self.judged:,} of {self.pairs:,} pairs)"
        )

    def _repr_html_(self) -> str:
        table = self.services.drop(columns="alerting")[self.services["alerting"]]
        unseen_first = table.sort_values("role", ascending=False, kind="stable")
        return _page.page(self.summary, {"Services that alert": unseen_first})


def trace_coverage(
    edges: pd.DataFrame | Iterable[str], spans: pd.DataFrame, *, min_confidence: float = 0.5
) -> TraceCoverage:
    """Tell what traces can see of services, and how many edges between them they can judge.

    Parameters
    ----------
    edges : DataFrame or iterable of str
        `schema.EDGES` (`src` and `dst` suffice), alerts (their `service`), or names of services.
    spans : DataFrame
        `schema.SPANS`, from `read_traces`.
    min_confidence : float, default 0.5
        Link confidence, from 0 to 1, from which a pair counts. Larger: only surer pairs do.

    Returns
    -------
    TraceCoverage
        Table and figures; prints as sentences, in a notebook as a page.

    Raises
    ------
    SchemaError
        A column is missing.
    ParameterError
        `min_confidence` is no number from 0 to 1.

    Notes
    -----
    A pair can be judged where one of the two writes spans and the other appears in the traces, as in `overlay_traces`.
    Few traces judge badly: see the number of traces per service.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> spans = pd.DataFrame(
    ...     {
    ...         "trace_id": ["t", "t"],
    ...         "span_id": ["1", "2"],
    ...         "parent_span_id": [None, "1"],
    ...         "service": ["web", "orders"],
    ...     }
    ... )
    >>> edges = pd.DataFrame({"src": ["web", "web"], "dst": ["orders", "mailer"]})
    >>> found = sl.trace_coverage(edges, spans)
    >>> print(found.summary[2])
    They can judge 1 of 2 pairs (50%) with an edge, and show a call between 1 of them.
    """
    fraction(min_confidence, "min_confidence")
    names, pairs = _asked(edges, min_confidence)
    tree = plant(spans)
    found = edges_of(tree)
    known = pd.DataFrame({"src": names, "dst": names}, dtype="str")
    calls = evidence.spelled_like(found, known)
    services = _services(tree, calls, names)
    role = services.set_index("service")["role"]
    writes, seen = set(role.index[role == ROLES[0]]), set(role.index[role != ROLES[2]])
    linked = _unordered(calls)
    judged = [pair for pair in pairs if pair in linked or (not writes.isdisjoint(pair) and seen.issuperset(pair))]
    times = tree.starts[tree.starts != NO_TIME]
    ends = (times.min(), times.max()) if len(times) else ()
    first, last = [pd.Timestamp(int(end), unit="us", tz="UTC") for end in ends] or (None, None)
    return TraceCoverage(
        services=services,
        spans=len(tree),
        traces=len(np.unique(tree.trace[tree.trace >= 0])),
        orphans=int(tree.orphan.sum()),
        nameless=int((tree.service < 0).sum()),
        kindless=int((tree.kind < 0).sum()),
        first=first,
        last=last,
        pairs=len(pairs),
        judged=len(judged),
        traced=len(pairs & linked),
        skewed=int(found["skewed"].sum()),
    )


def _asked(edges: pd.DataFrame | Iterable[str], least: float) -> tuple[list[str], set[tuple[str, str]]]:
    """Return the services asked about, and their pairs that are likely enough."""
    if not isinstance(edges, pd.DataFrame):
        return sorted({str(name) for name in edges}), set()
    if {"src", "dst"} <= set(edges.columns):
        read = [name for name in ("src", "dst", "link_confidence") if name in edges.columns]
        table = schema.check(edges[read], schema.EDGES, need=["src", "dst"])
        sure = table[table["link_confidence"] >= least] if "link_confidence" in table.columns else table
        return evidence.nodes_of(table), _unordered(sure)
    if "service" in edges.columns:
        return sorted(edges["service"].dropna().astype("str").unique()), set()
    columns = [str(column) for column in edges.columns[:20]]
    raise SchemaError(f"edges: columns are {columns}; pass edges (src, dst), alerts (service) or names of services")


def _unordered(pairs: pd.DataFrame) -> set[tuple[str, str]]:
    return {(min(a, b), max(a, b)) for a, b in zip(pairs["src"], pairs["dst"], strict=True) if a != b}


def _services(tree: SpanTree, calls: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return what the traces know of each service."""
    spelled = pd.Series(spell_as(tree.services, names), dtype="str")
    service = pd.Series(tree.service)
    per_span = pd.DataFrame(
        {
            "service": service.map(dict(enumerate(spelled))).astype("str"),
            "trace": tree.trace,
            "at": pd.Series(tree.starts).where(tree.starts != NO_TIME),
        }
    ).dropna(subset="service")
    group = per_span.groupby("service")
    everyone = pd.Index(sorted({*names, *per_span["service"], *calls["src"], *calls["dst"]}), dtype="str")
    table = pd.DataFrame(index=everyone)
    times = group["at"].agg(["min", "max"]).reindex(everyone)
    counts = {
        "spans": group.size(),
        "traces": group["trace"].nunique(),
        "calls": calls.groupby("src").size(),
        "called_by": calls.groupby("dst").size(),
    }
    table = table.assign(**{name: c.reindex(everyone).fillna(0).astype("int64") for name, c in counts.items()})
    role = pd.Series(ROLES[2], index=everyone).mask(table["called_by"] > 0, ROLES[1]).mask(table["spans"] > 0, ROLES[0])
    table = table.assign(
        role=pd.Categorical(role, categories=list(ROLES), ordered=True),
        alerting=everyone.isin(names),
        first_seen=pd.to_datetime(times["min"].astype("Int64"), unit="us", utc=True).astype(schema.TIME_DTYPE),
        last_seen=pd.to_datetime(times["max"].astype("Int64"), unit="us", utc=True).astype(schema.TIME_DTYPE),
    )
    table = table.rename_axis("service").reset_index()
    columns = ["service", "role", "alerting", "spans", "traces", "calls", "called_by", "first_seen", "last_seen"]
    table = table[columns].astype({"service": "str"})
    return table.sort_values(["alerting", "role", "service"], ascending=[False, True, True], ignore_index=True)
