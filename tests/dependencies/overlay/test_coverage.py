"""What traces can see."""

from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import ParameterError, SchemaError

START = pd.Timestamp("2026-03-01T10:00Z")


def spans(*rows: tuple[str, str, str | None, str | None, str | None, str | None]) -> pd.DataFrame:
    names = ["trace_id", "span_id", "parent_span_id", "service", "kind", "peer"]
    told = [dict(zip(names, row, strict=True)) for row in rows]
    times = {"starts_at": START, "ends_at": START + pd.Timedelta(seconds=1)}
    return schema.build([row | times for row in told], schema.SPANS)


TRACED = spans(
    ("t", "1", None, "web", "server", None),
    ("t", "2", "1", "orders", "server", None),
    ("t", "3", "2", "orders", "client", "orders-db"),
    ("u", "1", "9", "search", None, None),
)
PAIRS = [("web", "orders"), ("orders", "web"), ("web", "mailer"), ("orders-db", "search"), ("mailer", "orders-db")]
EDGES = pd.DataFrame(PAIRS, columns=["src", "dst"]).assign(link_confidence=[0.9, 0.9, 0.8, 0.8, 0.2])


def test_services_are_told_by_what_traces_see_of_them() -> None:
    table = sl.trace_coverage(EDGES, TRACED).services.set_index("service")
    assert table["role"].to_dict() == {
        "orders": "writes spans", "search": "writes spans", "web": "writes spans",
        "orders-db": "only called", "mailer": "not seen",
    }  # fmt: skip
    assert table.loc["orders", ["spans", "traces", "calls", "called_by"]].tolist() == [2, 1, 1, 1]
    assert table["alerting"].all()


def test_pairs_count_once_and_are_judged_where_one_writes_and_the_other_is_seen() -> None:
    found = sl.trace_coverage(EDGES, TRACED)
    assert (found.pairs, found.judged, found.traced) == (3, 2, 1)
    assert found.judged_share == pytest.approx(2 / 3)
    assert sl.trace_coverage(EDGES, TRACED, min_confidence=0).pairs == 4


def test_words() -> None:
    when = "2026-03-01 10:00 to 2026-03-01 10:00 UTC"
    assert sl.trace_coverage(EDGES, TRACED).summary == [
        f"Traces see 4 of 5 services: 3 write spans (2 traces, {when}, under an hour).",
        "Only called, so that their own calls cannot be seen: orders-db.",
        "Not in the traces at all: mailer.",
        "They can judge 2 of 3 pairs (67%) with an edge, and show a call between 1 of them.",
        "25% of the spans name a parent that is not there: sampled, or of another tool.",
        "25% of the spans state no kind: told by services.",
    ]


def test_names_or_alerts_do_instead_of_edges() -> None:
    alerts = pd.DataFrame({"service": ["WEB", None, "mailer"]})
    for asked in (alerts, ["mailer", "WEB"]):
        found = sl.trace_coverage(asked, TRACED)
        table = found.services[found.services["alerting"]]
        assert table[["service", "role"]].astype(str).values.tolist() == [
            ["WEB", "writes spans"],
            ["mailer", "not seen"],
        ]
        assert found.pairs == 0
        assert "without edges or alerts here: orders, search" in str(found)
    with pytest.raises(SchemaError, match="pass edges"):
        sl.trace_coverage(pd.DataFrame({"a": [1]}), TRACED)


def test_no_spans_and_no_times_are_said() -> None:
    assert sl.trace_coverage(EDGES, schema.empty(schema.SPANS)).summary == ["No spans: traces judge nothing."]
    timeless = TRACED.drop(columns=["starts_at", "ends_at"])
    assert "no time known" in sl.trace_coverage(EDGES, timeless).summary[0]


def test_representations_are_short_and_escaped() -> None:
    found = sl.trace_coverage([*EDGES["src"], "<b>x</b>"], TRACED)
    assert repr(found) == "TraceCoverage(3 of 5 services seen, 0 of 0 pairs)"
    page = found._repr_html_()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x" in page
    assert str(found).count("\n") == len(found.summary) - 1


def test_agrees_with_the_overlay_on_what_can_be_judged() -> None:
    sure = {"confidence": 0.4, "link_confidence": 0.8, "support": 1}
    both = [{"src": a, "dst": b} for pair in PAIRS[1:4] for a, b in (pair, pair[::-1])]
    edges = schema.build([row | sure | {"provenance": ["inferred"]} for row in both], schema.EDGES)
    judged = sl.overlay_traces(edges, TRACED)
    verdicts = judged[judged["support"] > 0].dropna(subset="verdict")
    assert verdicts[["src", "dst", "verdict"]].astype(str).values.tolist() == [
        ["web", "orders", "confirmed"],
        ["search", "orders-db", "alert-only"],
    ]
    assert sl.trace_coverage(edges, TRACED).judged == 2


def test_min_confidence_out_of_range_is_refused() -> None:
    with pytest.raises(ParameterError, match="min_confidence"):
        sl.trace_coverage(EDGES, TRACED, min_confidence=2)
