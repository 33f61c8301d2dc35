"""Calls from spans, and what they say about inferred edges."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import ParameterError, SchemaError


def spans(*rows: tuple[str, str, str | None, str | None, str | None, str | None]) -> pd.DataFrame:
    names = ["trace_id", "span_id", "parent_span_id", "service", "kind", "peer"]
    return schema.build([dict(zip(names, row, strict=True)) for row in rows], schema.SPANS)


def calls(table: pd.DataFrame) -> list[tuple[str, str, int]]:
    return list(sl.call_edges(table).itertuples(index=False, name=None))


def edges(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    names = ["src", "dst", "confidence", "link_confidence"]
    return schema.build(
        [dict(zip(names, row, strict=True)) | {"support": 5, "provenance": ["inferred"]} for row in rows], schema.EDGES
    )


WEB = ("t", "1", None, "web", "server", None)


def test_a_child_in_another_service_is_a_call() -> None:
    assert calls(spans(WEB, ("t", "2", "1", "web", "client", None), ("t", "3", "2", "orders", "server", None))) == [
        ("web", "orders", 1)
    ]


def test_kinds_may_be_missing() -> None:
    assert calls(spans(("t", "1", None, "web", None, None), ("t", "2", "1", "orders", None, None))) == [
        ("web", "orders", 1)
    ]


def test_a_missing_parent_and_a_span_without_service_are_passed_over() -> None:
    assert calls(spans(WEB, ("t", "3", "2", "orders", "server", None), ("t", "4", "1", None, "server", None))) == []


def test_the_same_span_id_in_another_trace_is_another_span() -> None:
    assert calls(spans(WEB, ("u", "2", "1", "orders", "server", None))) == []


def test_a_peer_without_spans_of_its_own_is_called() -> None:
    assert calls(spans(WEB, ("t", "2", "1", "web", "client", "orders-db"))) == [("web", "orders-db", 1)]


def test_a_peer_that_answers_is_counted_once_under_its_own_name() -> None:
    table = spans(WEB, ("t", "2", "1", "web", "client", "orders.svc"), ("t", "3", "2", "orders", "server", None))
    assert calls(table) == [("web", "orders", 1)]


def test_a_server_span_that_names_its_caller_as_peer_calls_nobody() -> None:
    assert calls(spans(("t", "1", None, "orders", "server", "web"))) == []


def test_a_consumer_is_called_by_the_producer() -> None:
    table = spans(WEB, ("t", "2", "1", "web", "producer", "queue"), ("t", "3", "2", "mailer", "consumer", None))
    assert calls(table) == [("web", "mailer", 1)]


def test_repeated_spans_count_once() -> None:
    table = spans(WEB, ("t", "2", "1", "orders", "server", None))
    assert calls(pd.concat([table, table])) == [("web", "orders", 1)]


def test_no_spans_give_no_calls() -> None:
    assert calls(schema.empty(schema.SPANS)) == []


def test_spans_without_parents_column_are_refused() -> None:
    with pytest.raises(SchemaError, match="parent_span_id"):
        sl.call_edges(schema.empty(schema.SPANS).drop(columns="parent_span_id"))


TRACED = spans(
    WEB,
    ("t", "2", "1", "orders", "server", None),
    ("t", "3", "2", "orders", "client", "orders-db"),
    ("u", "1", None, "search", "server", None),
)


def verdicts(table: pd.DataFrame) -> dict[tuple[str, str], str | None]:
    words = table["verdict"].astype(object).where(table["verdict"].notna(), None)
    return dict(zip(zip(table["src"], table["dst"], strict=True), words, strict=True))


def test_verdicts() -> None:
    inferred = edges(
        ("web", "orders", 0.5, 0.9),
        ("orders", "web", 0.4, 0.9),
        ("web", "search", 0.4, 0.8),
        ("web", "batch", 0.4, 0.8),
        ("search", "orders", 0.1, 0.2),
        ("orders-db", "search", 0.4, 0.8),
    )
    assert verdicts(sl.overlay_traces(inferred, TRACED)) == {
        ("orders", "orders-db"): "trace-only",  # alerts never showed it
        ("web", "orders"): "confirmed",
        ("orders", "web"): None,  # traces show the opposite direction
        ("web", "search"): "alert-only",
        ("web", "batch"): None,  # batch never appears in traces
        ("search", "orders"): None,  # hardly inferred
        ("orders-db", "search"): None,  # a database writes no spans: its calls cannot be seen
    }


def test_confidence_follows_the_stated_rule() -> None:
    found = sl.overlay_traces(
        edges(("web", "orders", 0.5, 0.9), ("orders", "web", 0.4, 0.9), ("web", "batch", 0.4, 0.8)), TRACED
    ).set_index(["src", "dst"])
    confidence = found["confidence"]
    assert confidence["web", "orders"] == pytest.approx(9000 / 9001)
    assert confidence["orders", "web"] == pytest.approx(0.0625, abs=1e-4)
    assert confidence["web", "batch"] == 0.4
    assert confidence["orders", "orders-db"] == pytest.approx(0.0204 * 9000 / (1 + 0.0204 * 9000), abs=1e-4)
    either = 1 - (1 - confidence["web", "orders"]) * (1 - confidence["orders", "web"])
    assert found["link_confidence"].loc[[("web", "orders"), ("orders", "web")]].tolist() == pytest.approx([either] * 2)
    assert either < 1
    assert found["link_confidence"]["web", "batch"] == 0.8


def test_provenance_and_support() -> None:
    found = sl.overlay_traces(edges(("web", "orders", 0.5, 0.9)), TRACED).set_index(["src", "dst"])
    assert found["provenance"].to_dict() == {
        ("web", "orders"): ["inferred", "traced"],
        ("orders", "orders-db"): ["traced"],
    }
    assert found["support"].to_dict() == {("web", "orders"): 5, ("orders", "orders-db"): 0}


def test_the_result_is_the_table_of_the_schema_in_order() -> None:
    found = sl.overlay_traces(edges(("web", "orders", 0.5, 0.9)), TRACED)
    assert_frame_equal(found, schema.check(found, schema.EDGES))
    assert list(found.columns) == schema.EDGES.names
    assert found["confidence"].is_monotonic_decreasing


def test_arguments_stay_as_they_were() -> None:
    inferred, traced = edges(("web", "orders", 0.5, 0.9)), TRACED.copy(deep=True)
    before = inferred.copy(deep=True)
    sl.overlay_traces(inferred, traced)["provenance"].iloc[0].append("changed")
    assert_frame_equal(inferred, before)
    assert inferred["provenance"].tolist() == [["inferred"]]
    assert_frame_equal(traced, TRACED)


def test_the_same_traces_laid_over_again_change_nothing() -> None:
    known = edges(
        ("web", "orders", 0.4, 0.7), ("orders", "web", 0.3, 0.7), ("web", "cart", 0.5, 0.8), ("web", "a", 0.1, 0.2)
    )
    traces = spans(
        WEB,
        ("t", "2", "1", "orders", None, None),
        ("t", "3", "1", "a", None, None),
        ("t", "4", "9", "cart", None, None),
    )
    once = sl.overlay_traces(known, traces)
    assert_frame_equal(sl.overlay_traces(once, traces), once)


def test_traces_that_came_later_still_count() -> None:
    known = edges(("web", "cart", 0.5, 0.8))
    missing = sl.overlay_traces(known, spans(WEB, ("t", "4", "9", "cart", None, None)))
    assert verdicts(missing) == {("web", "cart"): "alert-only"}
    found = sl.overlay_traces(missing, spans(WEB, ("t", "2", "1", "cart", None, None)))
    assert verdicts(found) == {("web", "cart"): "confirmed"}


def test_without_traces_nothing_changes() -> None:
    inferred = edges(("web", "orders", 0.5, 0.9))
    assert_frame_equal(sl.overlay_traces(inferred, schema.empty(schema.SPANS)), inferred)


def test_without_edges_the_calls_remain() -> None:
    found = sl.overlay_traces(schema.empty(schema.EDGES), TRACED)
    assert verdicts(found) == {("web", "orders"): "trace-only", ("orders", "orders-db"): "trace-only"}


def test_min_confidence_out_of_range_is_refused() -> None:
    with pytest.raises(ParameterError, match="min_confidence"):
        sl.overlay_traces(edges(), TRACED, min_confidence=2)


@pytest.mark.shared
def test_recorded_traces_show_calls_of_the_true_call_graph(shared: Path) -> None:
    folder = shared / "data" / "nezha_tt_0129"
    truth = pd.read_csv(folder / "truth" / "call_graph.csv")
    found = sl.call_edges(sl.read_traces(folder / "traces"))
    services = {*truth["caller"], *truth["callee"]}
    among = found[found["src"].isin(services) & found["dst"].isin(services)]
    assert len(among) > 20
    assert set(zip(among["src"], among["dst"], strict=True)) <= set(truth.itertuples(index=False, name=None))
