from __future__ import annotations

import pandas as pd

from stanza_lab import schema
from stanza_lab.production import ProductionMap, display

EDGES = schema.build(
    [
        {
            "src": "a",
            "dst": "b",
            "confidence": 0.9998,
            "link_confidence": 1.0,
            "provenance": ["traced"],
            "q_value": 1.0,
            "support": 0,
        },
        {"src": "b", "dst": "c", "confidence": 0.9998, "provenance": ["inferred"], "support": 3, "q_value": 1e-9},
    ],
    schema.EDGES,
)


def test_a_reader_sees_traced_instead_of_a_number_and_never_certainty() -> None:
    shown = display.evidence(ProductionMap(EDGES).links)
    assert shown["known from"].tolist() == ["traces only", "alerts only"]
    assert shown["link_confidence"].tolist() == shown["confidence"].tolist() == ["traced", ">0.99"]
    assert shown["q_value"].tolist() == ["", "1e-09"]  # a q without a co-firing says nothing
    assert set(shown.columns) <= {"src", "dst", *display.LEGEND}


def test_traced_both_ways_is_traced_both_ways() -> None:
    other = EDGES.head(1).assign(src="b", dst="a")
    shown = display.evidence(ProductionMap(pd.concat([EDGES.head(1), other])).links)
    assert shown["back"].tolist() == ["traced"]


def test_edges_are_shown_without_the_columns_of_links() -> None:
    assert "back" not in display.evidence(EDGES).columns
