"""Traces laid over inferred edges: what they confirm, what they deny, what they add."""

from __future__ import annotations

import pandas as pd

from stanza_lab import schema
from stanza_lab._params import fraction
from stanza_lab.dependencies.overlay import evidence
from stanza_lab.dependencies.overlay.calls import edges_of
from stanza_lab.dependencies.overlay.peers import spell_as
from stanza_lab.dependencies.overlay.span_tree import plant

# What the overlay assumes of traces between two services that both appear in them. How often a call is missing however
# many traces there are (rare paths, a side not instrumented); before that, a real call is in any share of its caller's
# traces, all shares alike, so that n traces without it leave 1 in n + 1.
MISSED = 0.1
RETURNED = 0.1  # how often what is traced one way goes the other way too
SPURIOUS = 1e-4  # how often a call appears that is none: clashing ids, wrong names
RESPELLED = 1e-2  # and one whose callee was told by another spelling


def overlay_traces(edges: pd.DataFrame, spans: pd.DataFrame, *, min_confidence: float = 0.5) -> pd.DataFrame:
    """Confirm inferred edges with traces, and add the calls that alerts never showed.

    Traces judge a direction when its caller writes spans and its callee appears in them, or when the opposite direction
    was traced; not where both use one queue. There, for what was inferred, declared or traced, Bayes' rule updates
    `confidence`: what traces show rises close to 1, what they should have shown and did not falls, the more traces of
    its caller there are the more.

    Parameters
    ----------
    edges : DataFrame
        `schema.EDGES`, such as ``DependencyModel().fit(alerts).edges_``.
    spans : DataFrame
        `schema.SPANS`, from `read_traces`. Names that differ from those of the edges in case or separators are theirs.
    min_confidence : float, default 0.5
        Link confidence, from 0 to 1, from which an inferred pair counts as one. Larger: fewer edges are called
        confirmed or alert-only.

    Returns
    -------
    DataFrame
        `schema.EDGES`, sorted by confidence (falling), src, dst. `verdict` is

        - confirmed: inferred, and traced in this direction;
        - trace-only: traced, but not inferred (nor is that its provenance); added with support 0 where alerts never
          co-fired;
        - alert-only: inferred, and traces that judge it show no call in either direction;
        - declared-only: declared and not inferred, and traces that judge it show no call in either direction;
        - null: not inferred, or traces cannot judge it, or only the opposite direction was traced.

    Raises
    ------
    SchemaError
        A column is missing.
    ParameterError
        `min_confidence` is no number from 0 to 1.

    Notes
    -----
    A real call is assumed to be missing from the n traces with a span of its caller in a share of 0.1 + 0.9 / (n + 1);
    one that is not real to appear in 0.01 % of cases, in 1 % where its callee was recognised under another spelling;
    what was traced one way to go the other way too in 10 %. A traced pair starts from 0.02 at least.
    `link_confidence` becomes that of either direction, as if they were independent. Laying the same traces over again
    changes nothing: pairs with a verdict are judged anew only when there is a call that was not known before.

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
    tree = plant(spans)
    found = edges_of(tree)
    calls = evidence.spelled_like(found, edges)
    traces = _counted(tree.traces_by_service(), edges)
    rows = evidence.with_pairs(edges, calls)
    pair, known = evidence.pair_of(rows), rows["provenance"]
    traced, reverse = evidence.among(rows, calls), evidence.among(rows, evidence.reversed_pairs(calls))
    # What an earlier overlay settled is evidence used already: it counts again only where these traces add a call.
    new = traced & ~evidence.says(known, "traced")
    settled = rows["verdict"].notna().groupby(pair).transform("any") & ~new.groupby(pair).transform("any")
    by_alerts = evidence.says(known, "inferred") | (known.str.len() == 0)
    inferred = by_alerts & (rows.index < len(edges)) & (rows["link_confidence"] >= min_confidence)
    inferred |= rows["verdict"].isin(["confirmed", "alert-only"])
    declared = evidence.says(known, "declared")
    covered = rows["src"].isin(list(traces)) & rows["dst"].isin({*traces, *calls["dst"]})
    covered &= ~evidence.among(rows, _through_queues(calls))
    judged = (traced | reverse | (covered & (inferred | declared))) & ~settled
    fresh = traced & ~settled
    told = evidence.told(known.where(inferred | ~fresh, _without_alerts(known)), "traced", fresh)
    confidence = evidence.update(
        rows["confidence"].where(~traced, rows["confidence"].clip(lower=evidence.UNINFERRED)),
        _factor(rows, calls, traces, traced=traced, reverse=reverse),
    )
    denied = judged & ~traced & ~reverse
    verdict = (
        pd.Series(None, rows.index, dtype="str")
        .mask(denied & declared, "declared-only")
        .mask(denied & inferred, "alert-only")
        .mask(traced, "trace-only")
        .mask(traced & inferred, "confirmed")
    )
    rows = rows.assign(
        confidence=confidence.where(judged, rows["confidence"]),
        provenance=pd.Series(told, index=rows.index, dtype=object),
        verdict=rows["verdict"].astype("str").where(settled, verdict),
    )
    return evidence.settle(rows, judged)


def _through_queues(calls: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of services that use the same queue: that there is no call between them denies nothing."""
    queues = calls.loc[(calls["kind"] == "messaging") & ~calls["dst_traced"], ["src", "dst"]]
    pairs = queues.merge(queues, on="dst", suffixes=("", "_other"))
    return pairs[["src", "src_other"]].set_axis(["src", "dst"], axis=1)


def _counted(traces: dict[str, int], edges: pd.DataFrame) -> dict[str, int]:
    """Return the number of traces by service, as `edges` spells it."""
    names = spell_as(traces, evidence.nodes_of(edges))
    counts: dict[str, int] = {}
    for service, count in traces.items():
        counts[names[service]] = max(count, counts.get(names[service], 0))
    return counts


def _without_alerts(provenance: pd.Series) -> pd.Series:
    return provenance.map(lambda known: [word for word in known if word != "inferred"])


def _factor(
    rows: pd.DataFrame, calls: pd.DataFrame, traces: dict[str, int], *, traced: pd.Series, reverse: pd.Series
) -> pd.Series:
    """Return how many times as likely what traces show of each row is if its dependency is real."""
    count = rows["src"].map(traces).fillna(0).astype("float64")
    missed = MISSED + (1 - MISSED) / (count + 1)
    guessed = evidence.among(rows, calls[calls["told_by"] == "spelling"])
    shown = (1 - missed) / guessed.map({True: RESPELLED, False: SPURIOUS}).astype("float64")
    unseen = (missed / (1 - SPURIOUS)).clip(upper=1.0)
    return unseen.where(~reverse, unseen.clip(upper=RETURNED)).where(~traced, shown)
