"""Calls that traces show, and what they say about edges inferred from alerts."""

from __future__ import annotations

import pandas as pd

from stanza_lab import schema
from stanza_lab._params import fraction

# What the overlay assumes of traces between two services that both appear in them: how often a real call is missing
# (sampling, rare paths, one side not instrumented), how often a call appears that is none (clashing ids, wrong names).
MISSED = 0.1
SPURIOUS = 1e-4
UNINFERRED = 0.02  # confidence in a pair of which alerts say nothing: 2 % of pairs of services call each other


def call_edges(spans: pd.DataFrame) -> pd.DataFrame:
    """Count the calls between services that traces show.

    A call is a span whose parent belongs to another service, or an outgoing span (client, producer, or kind unknown)
    that names a peer and has no child in another service: databases, queues and what is not instrumented. A consumer's
    parent is the producer, so it counts as called by it. Parents that are not in the table are passed over.

    Parameters
    ----------
    spans : DataFrame
        `schema.SPANS`, from `read_traces`; `trace_id`, `span_id`, `parent_span_id` and `service` are needed, `kind` and
        `peer` used when there. Repeated spans count once.

    Returns
    -------
    DataFrame
        `src`, `dst` (str: src calls dst), `calls` (int64), sorted by src, dst.

    Raises
    ------
    SchemaError
        A column is missing.

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
    ...         "kind": ["server", "server", "client"],
    ...         "peer": [None, None, "orders-db"],
    ...     }
    ... )
    >>> sl.call_edges(spans)
          src        dst  calls
    0  orders  orders-db      1
    1     web     orders      1
    """
    keys = ["trace_id", "span_id"]
    spans = schema.check(spans, schema.SPANS, need=[*keys, "parent_span_id", "service"]).drop_duplicates(keys)
    caller = spans[[*keys, "service"]].set_axis(["trace_id", "parent_span_id", "src"], axis=1)
    callee = spans[["trace_id", "parent_span_id", "service"]].rename(columns={"service": "dst"})
    joined = callee.dropna().astype({"dst": "str"}).merge(caller.dropna().astype({"src": "str"}))
    across = joined[joined["src"] != joined["dst"]]
    found = [across[["src", "dst"]]]
    if "peer" in spans.columns:
        answered = pd.MultiIndex.from_frame(across[["trace_id", "parent_span_id"]])
        silent = ~pd.MultiIndex.from_frame(spans[keys]).isin(answered)
        outgoing = silent & spans["peer"].notna() & spans["service"].notna()
        if "kind" in spans.columns:
            outgoing &= spans["kind"].isna() | spans["kind"].isin(["client", "producer"])
        named = spans.loc[outgoing, ["service", "peer"]].astype("str").set_axis(["src", "dst"], axis=1)
        found.append(named[named["src"] != named["dst"]])
    return pd.concat(found).groupby(["src", "dst"]).size().rename("calls").reset_index()


def overlay_traces(edges: pd.DataFrame, spans: pd.DataFrame, *, min_confidence: float = 0.5) -> pd.DataFrame:
    """Confirm inferred edges with traces, and add the calls that alerts never showed.

    Traces judge a direction when its caller writes spans and its callee appears in them, or when the opposite direction
    was traced. There, for what was inferred or traced, Bayes' rule updates `confidence`: a call that is real is assumed
    to be missing from the traces in 10 % of cases, one that is not real to appear in 0.01 %. What traces show thus
    rises close to 1 (to 0.99 from 0.02, the least that a traced pair starts from); what they should have shown and did
    not falls. `link_confidence` becomes that of either direction, as if they were independent. Laying the same traces
    over again changes nothing.

    Parameters
    ----------
    edges : DataFrame
        `schema.EDGES`, such as ``DependencyModel().fit(alerts).edges_``.
    spans : DataFrame
        `schema.SPANS`, from `read_traces`.
    min_confidence : float, default 0.5
        Link confidence from which a pair counts as inferred. Larger: fewer edges are called confirmed or alert-only.

    Returns
    -------
    DataFrame
        `schema.EDGES`, sorted by confidence (falling), src, dst. `verdict` is

        - confirmed: inferred, and traced in this direction;
        - trace-only: traced, but not inferred (nor is that its provenance); added with support 0 where alerts never
          co-fired;
        - alert-only: inferred, and traces that judge it show no call in either direction;
        - null: not inferred, or traces cannot judge it, or only the opposite direction was traced.

    Raises
    ------
    SchemaError
        A column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> from stanza_lab import schema
    >>> edge = {"src": "web", "dst": "db", "confidence": 0.4, "link_confidence": 0.8, "support": 5}
    >>> edges = schema.build([edge | {"provenance": ["inferred"]}], schema.EDGES)
    >>> spans = pd.DataFrame(
    ...     {"trace_id": "t", "span_id": ["1", "2"], "parent_span_id": [None, "1"], "service": ["web", "db"]}
    ... )
    >>> sl.overlay_traces(edges, spans)[["src", "dst", "verdict", "provenance"]]
       src dst    verdict          provenance
    0  web  db  confirmed  [inferred, traced]
    """
    edges = schema.check(edges, schema.EDGES)
    fraction(min_confidence, "min_confidence")
    calls = call_edges(spans)
    unknown = {"confidence": UNINFERRED, "link_confidence": UNINFERRED, "support": 0, "p_value": 1.0, "q_value": 1.0}
    unknown_calls = calls[~_among(calls, edges)]
    added = [
        {"src": src, "dst": dst} | unknown for src, dst in zip(unknown_calls["src"], unknown_calls["dst"], strict=True)
    ]
    rows = pd.concat([edges, schema.build(added, schema.EDGES)], ignore_index=True) if added else edges
    pair = [rows[["src", "dst"]].min(axis=1), rows[["src", "dst"]].max(axis=1)]
    traced = _among(rows, calls)
    reverse = _among(rows.rename(columns={"src": "dst", "dst": "src"}), calls)
    # What an earlier overlay settled is evidence used already: it counts again only where these traces add a call.
    new = traced & ~rows["provenance"].map(lambda known: "traced" in known).astype(bool)
    settled = rows["verdict"].notna().groupby(pair).transform("any") & ~new.groupby(pair).transform("any")
    inferred = (rows["link_confidence"] >= min_confidence) | rows["verdict"].isin(["confirmed", "alert-only"])
    covered = rows["src"].isin(_instrumented(spans)) & rows["dst"].isin(seen_in_traces(spans))
    judged = (traced | reverse | (covered & inferred)) & ~settled
    prior = rows["confidence"].where(~traced, rows["confidence"].clip(lower=UNINFERRED))
    odds = prior / (1 - prior).clip(lower=1e-9)
    odds = odds.where(~judged, odds * MISSED / (1 - SPURIOUS)).where(~traced, odds * (1 - MISSED) / SPURIOUS)
    verdict = (
        pd.Series(None, rows.index, dtype="str")
        .mask(inferred & judged & ~traced & ~reverse, "alert-only")
        .mask(traced & inferred, "confirmed")
        .mask(traced & ~inferred, "trace-only")
    )
    rows = rows.assign(
        confidence=(odds / (1 + odds)).where(judged, rows["confidence"]),
        provenance=_told(rows["provenance"], traced & ~settled, inferred),
        verdict=rows["verdict"].astype("str").where(settled, verdict),
    )
    either = 1 - (1 - rows["confidence"]).groupby(pair).transform("prod")
    rows = rows.assign(link_confidence=rows["link_confidence"].where(~judged.groupby(pair).transform("any"), either))
    rows = rows.sort_values(["confidence", "src", "dst"], ascending=[False, True, True], ignore_index=True)
    return schema.check(rows, schema.EDGES)


def seen_in_traces(spans: pd.DataFrame) -> list[str]:
    """Return the services that traces show, as a span's own service or as a caller's peer, sorted."""
    return sorted({*_instrumented(spans), *call_edges(spans)["dst"]})


def _among(pairs: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Return for each row whether `others` has its (src, dst)."""
    known = pd.MultiIndex.from_frame(others[["src", "dst"]].astype("str"))
    return pd.Series(pd.MultiIndex.from_frame(pairs[["src", "dst"]].astype("str")).isin(known), index=pairs.index)


def _instrumented(spans: pd.DataFrame) -> list[str]:
    """Return the services that write spans: only what these call can be seen."""
    return sorted(schema.check(spans, schema.SPANS, need=["service"])["service"].dropna().astype("str").unique())


def _told(provenance: pd.Series, traced: pd.Series, inferred: pd.Series) -> pd.Series:
    """Return where each edge is known from: traced where it is, and inferred not where only traces tell it."""
    found = []
    for known, by_traces, by_alerts in zip(provenance, traced, inferred, strict=True):
        told = {*known, "traced"} if by_traces else {*known}
        found.append(sorted(told if by_alerts or not by_traces else told - {"inferred"}))
    return pd.Series(found, index=provenance.index, dtype=object)
