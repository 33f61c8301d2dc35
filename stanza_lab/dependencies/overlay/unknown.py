"""Dependencies of which only alerts tell: ranked, with why one may believe them and why traces may miss them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stanza_lab import schema
from stanza_lab._params import fraction
from stanza_lab.dependencies.overlay import evidence
from stanza_lab.dependencies.overlay.coverage import ROLES, trace_coverage
from stanza_lab.errors import SchemaError
from stanza_lab.history.report import count

COLUMNS = (
    "rank", "src", "dst", "directed", "confidence", "link_confidence", "support", "lift", "lag_s", "judged", "reason",
    "words",
)  # fmt: skip
REASONS = ("no traces", "caller writes no spans", "callee not seen", "other time", "not in these traces")
_TWICE = 2.0  # one way counts as known when it is at least so many times as likely as the other


def unknown_dependencies(
    edges: pd.DataFrame,
    *,
    spans: pd.DataFrame | None = None,
    alerts: pd.DataFrame | None = None,
    min_confidence: float = 0.5,
) -> pd.DataFrame:
    """Rank the dependencies you may not have known: alerts tell of them, neither traces nor a catalogue do.

    Parameters
    ----------
    edges : DataFrame
        `schema.EDGES`, best after `overlay_catalog` and `overlay_traces`: what these show is known.
    spans : DataFrame, optional
        `schema.SPANS`, the traces that were laid over: lets it say why they could miss each.
    alerts : DataFrame, optional
        `schema.ALERTS` (`service`, `starts_at`): lets it say where the traces are of another time than the alerts.
    min_confidence : float, default 0.5
        Least link confidence, from 0 to 1. Larger: fewer and surer.

    Returns
    -------
    DataFrame
        A row per pair, the surest first (by link_confidence, then support, then names): `rank` (int64 from 1), `src`,
        `dst` (str), `directed` (bool: that way is at least twice as likely as the other; else the order is that of the
        likelier), `confidence`, `link_confidence`, `lift`, `lag_s` (float64), `support` (int64), `judged` (bool: traces
        could have shown it and did not), `reason` (category: no traces, caller writes no spans, callee not seen, other
        time, not in these traces), `words` (str, a sentence; names in it are untrusted text).

    Raises
    ------
    SchemaError
        A column is missing.
    ParameterError
        `min_confidence` is no number from 0 to 1.

    Notes
    -----
    What traces judged and did not show has been made less likely by `overlay_traces` already: it stands here because
    traces are sampled and see no calls through queues, shared stores and networks. It may also be no call at all, but
    a common cause that alerts cannot tell from one.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> from stanza_lab import schema
    >>> edge = {"src": "web", "dst": "db", "confidence": 0.7, "link_confidence": 0.8, "support": 5, "lift": 12.0}
    >>> edges = schema.build([edge | {"provenance": ["inferred"]}], schema.EDGES)
    >>> print(sl.unknown_dependencies(edges)["words"][0])
    web depends on db (0.70, a link either way 0.80), their alerts fired together 5 times, 12.0 times as often as \
chance; no traces were laid over it.
    """
    edges = schema.check(edges, schema.EDGES)
    fraction(min_confidence, "min_confidence")
    pairs = _pairs(edges, min_confidence)
    seen = None if spans is None else _Seen(edges, spans, alerts)
    rows = []
    for rank, pair in enumerate(pairs.to_dict("records"), start=1):
        reason, why = _without_spans(pair) if seen is None else seen.why(pair)
        judged = pair["denied"]
        rows.append(pair | {"rank": rank, "judged": judged, "reason": reason, "words": f"{_believed(pair)}; {why}."})
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    floats = ["confidence", "link_confidence", "lift", "lag_s"]
    return table.astype(
        dict.fromkeys(floats, "float64")
        | {"rank": "int64", "support": "int64", "directed": "bool", "judged": "bool"}
        | {"src": "str", "dst": "str", "words": "str", "reason": pd.CategoricalDtype(list(REASONS))}
    )


def _pairs(edges: pd.DataFrame, least: float) -> pd.DataFrame:
    """Return the likelier direction of each pair that alerts alone tell of, the surest first."""
    pair = evidence.pair_of(edges)
    known = evidence.says(edges["provenance"], "traced") | evidence.says(edges["provenance"], "declared")
    alone = ~known.groupby(pair).transform("any") & (edges["src"] != edges["dst"])
    names = {"src": "_a", "dst": "_b"}
    back = edges[["src", "dst", "confidence"]].rename(columns=names | {"confidence": "back"})
    both = edges.merge(back, left_on=["src", "dst"], right_on=["_b", "_a"], how="left").set_axis(edges.index)
    both = both.assign(
        back=both["back"].fillna(0.0),
        link_confidence=edges["link_confidence"].groupby(pair).transform("max"),
        denied=(edges["verdict"] == "alert-only").groupby(pair).transform("any"),
    )
    both = both.assign(directed=both["confidence"] >= _TWICE * both["back"])[alone]
    both = both[both["link_confidence"] >= least]
    order = ["link_confidence", "support", "confidence", "src", "dst"]
    both = both.sort_values(order, ascending=[False, False, False, True, True])
    return both[~evidence.pair_of(both).duplicated()]


def _believed(pair: Mapping[Any, Any]) -> str:
    sure, link = f"{pair['confidence']:.2f}", f"{pair['link_confidence']:.2f}"
    if pair["directed"]:
        what = f"{pair['src']} depends on {pair['dst']} ({sure}, a link either way {link})"
    else:
        what = f"{pair['src']} and {pair['dst']} are linked, which way is not known ({link})"
    if not pair["support"]:
        return f"{what}, their alerts were never seen together"
    lift = f", {pair['lift']:.1f} times as often as chance" if pd.notna(pair["lift"]) else ""
    return f"{what}, their alerts fired together {count(pair['support'], 'time')}{lift}"


def _without_spans(pair: Mapping[Any, Any]) -> tuple[str, str]:
    if pair["denied"]:
        return REASONS[4], "traces that could show it do not: sampled away, through a queue or store, or a common cause"
    return REASONS[0], "no traces were laid over it"


class _Seen:
    """What the traces know of the services of edges."""

    def __init__(self, edges: pd.DataFrame, spans: pd.DataFrame, alerts: pd.DataFrame | None) -> None:
        self.coverage = trace_coverage(edges[["src", "dst"]], spans)
        table = self.coverage.services.set_index("service")
        self.role, self.traces = table["role"].astype("str").to_dict(), table["traces"].to_dict()
        self.elsewhere = set() if alerts is None else self._elsewhere(alerts)

    def _elsewhere(self, alerts: pd.DataFrame) -> set[str]:
        """Return the services none of whose alerts fired while there were traces."""
        missing = {"service", "starts_at"} - set(alerts.columns)
        if missing:
            raise SchemaError(f"alerts: columns {sorted(missing)} are missing; pass schema.ALERTS")
        known = schema.check(alerts[["service", "starts_at"]], schema.ALERTS, need=["service", "starts_at"]).dropna()
        first, last = self.coverage.first, self.coverage.last
        if first is None or last is None:
            return set()
        inside = known["starts_at"].between(first, last)
        share = inside.groupby(known["service"].astype("str")).any()
        return set(share.index[~share])

    def why(self, pair: Mapping[Any, Any]) -> tuple[str, str]:
        """Return why the traces could miss a pair: as a reason and in words."""
        src, dst = str(pair["src"]), str(pair["dst"])
        writes = [name for name in (src, dst) if self.role.get(name) == ROLES[0]]
        unseen = [name for name in (src, dst) if self.role.get(name, ROLES[2]) == ROLES[2]]
        if not self.coverage.spans:
            return REASONS[0], "there are no traces"
        if not writes:
            return REASONS[1], "neither writes spans, so that no trace can show it"
        if src not in writes:
            way = "its calls" if pair["directed"] else "the calls it may make"
            return REASONS[1], f"{src} writes no spans, so that {way} cannot be seen"
        if unseen:
            number = count(self.traces[src], "trace")
            return REASONS[2], f"{dst} is in no trace and no caller names it, in {number} with {src}"
        if {src, dst} <= self.elsewhere:
            return REASONS[3], "no alert of either fired while there were traces"
        if dst not in writes and not pair["directed"]:
            return REASONS[1], f"{dst} writes no spans, so that the calls it may make cannot be seen"
        number = (
            f"none of {count(self.traces[src], 'trace')} with {src} shows"
            if self.traces[src] > 1
            else (f"the one trace with {src} does not show")
        )
        return REASONS[4], f"{number} the call: sampled away, through a queue or store, or a common cause"
