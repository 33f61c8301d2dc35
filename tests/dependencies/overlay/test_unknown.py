"""Dependencies that only alerts tell of."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import SchemaError

START = pd.Timestamp("2026-03-01T10:00Z")


def edges(*rows: tuple[Any, ...]) -> pd.DataFrame:
    names = ["src", "dst", "confidence", "link_confidence", "support", "lift", "verdict", "provenance"]
    told = [dict(zip(names, row, strict=False)) for row in rows]
    return schema.build([{"provenance": ["inferred"]} | row for row in told], schema.EDGES)


def spans(*rows: tuple[str, str, str, str | None]) -> pd.DataFrame:
    names = ["trace_id", "span_id", "service", "peer"]
    told = [dict(zip(names, row, strict=True)) | {"starts_at": START, "kind": "client"} for row in rows]
    return schema.build(told, schema.SPANS)


KNOWN = edges(
    ("web", "orders", 0.7, 0.8, 5, 3.0, "alert-only"),
    ("orders", "web", 0.2, 0.8, 5, 3.0),
    ("cart", "mail", 0.5, 0.9, 2, None),
    ("mail", "cart", 0.4, 0.9, 2, None),
    ("web", "search", 0.5, 0.8, 9, 3.0),
    ("web", "db", 0.99, 0.99, 9, 3.0, "confirmed", ["inferred", "traced"]),
    ("db", "web", 0.3, 0.99, 9, 3.0),
    ("web", "cache", 0.9, 0.9, 9, 3.0, None, ["declared", "inferred"]),
    ("far", "away", 0.2, 0.3, 9, 3.0),
)


def test_pairs_nobody_else_knows_are_ranked_once_each() -> None:
    found = sl.unknown_dependencies(KNOWN)
    assert found[["rank", "src", "dst", "directed", "judged"]].values.tolist() == [
        [1, "cart", "mail", False, False], [2, "web", "search", True, False], [3, "web", "orders", True, True],
    ]  # fmt: skip


def test_each_has_a_sentence() -> None:
    believed, why = zip(*(said.split("; ") for said in sl.unknown_dependencies(KNOWN)["words"]), strict=True)
    often = "3.0 times as often as chance"
    assert list(believed) == [
        "cart and mail are linked, which way is not known (0.90), their alerts fired together 2 times",
        f"web depends on search (0.50, a link either way 0.80), their alerts fired together 9 times, {often}",
        f"web depends on orders (0.70, a link either way 0.80), their alerts fired together 5 times, {often}",
    ]
    assert list(why) == [
        "no traces were laid over it.",
        "no traces were laid over it.",
        "traces that could show it do not: sampled away, through a queue or store, or a common cause.",
    ]


@pytest.mark.parametrize(
    ("rows", "reason", "words"),
    [
        ([], "no traces", "there are no traces"),
        ([("t", "1", "other", None)], "caller writes no spans", "neither writes spans"),
        ([("t", "1", "b", None)], "caller writes no spans", "a writes no spans, so that its calls cannot be seen"),
        ([("t", "1", "a", None)], "callee not seen", "b is in no trace and no caller names it, in 1 trace with a"),
        ([("t", "1", "a", None), ("u", "1", "b", None)], "not in these traces", "the one trace with a does not show"),
        (
            [("t", "1", "a", None), ("v", "1", "a", None), ("u", "1", "c", "b")],
            "not in these traces", "none of 2 traces with a shows the call",
        ),
    ],
)  # fmt: skip
def test_why_traces_could_miss_it(rows: list[tuple[str, str, str, str | None]], reason: str, words: str) -> None:
    found = sl.unknown_dependencies(edges(("a", "b", 0.8, 0.8, 5, 3.0)), spans=spans(*rows)).iloc[0]
    assert found["reason"] == reason
    assert words in found["words"]


def test_traces_of_another_time_are_told() -> None:
    traced = spans(("t", "1", "a", None), ("u", "1", "b", None))
    known = edges(("a", "b", 0.8, 0.8, 5, 3.0))
    alerts = pd.DataFrame({"service": ["a", "b"], "starts_at": START + pd.Timedelta(days=9)})
    assert sl.unknown_dependencies(known, spans=traced, alerts=alerts)["reason"].tolist() == ["other time"]
    alerts.loc[0, "starts_at"] = START
    assert sl.unknown_dependencies(known, spans=traced, alerts=alerts)["reason"].tolist() == ["not in these traces"]
    with pytest.raises(SchemaError, match="starts_at"):
        sl.unknown_dependencies(known, spans=traced, alerts=alerts[["service"]])


def test_the_order_of_edges_does_not_matter() -> None:
    found = sl.unknown_dependencies(KNOWN)
    assert_frame_equal(sl.unknown_dependencies(KNOWN.sample(frac=1, random_state=3)), found)


def test_larger_confidence_leaves_fewer_and_none_is_a_table_too() -> None:
    assert len(sl.unknown_dependencies(KNOWN, min_confidence=0.85)) == 1
    empty = sl.unknown_dependencies(schema.empty(schema.EDGES))
    assert empty.dtypes.astype(str).to_dict() == sl.unknown_dependencies(KNOWN).dtypes.astype(str).to_dict()
