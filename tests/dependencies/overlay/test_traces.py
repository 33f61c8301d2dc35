"""What traces say about inferred edges."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import ParameterError


def spans(*rows: tuple[str, str, str | None, str | None, str | None, str | None]) -> pd.DataFrame:
    names = ["trace_id", "span_id", "parent_span_id", "service", "kind", "peer"]
    return schema.build([dict(zip(names, row, strict=True)) for row in rows], schema.SPANS)


def edges(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    names = ["src", "dst", "confidence", "link_confidence"]
    return schema.build(
        [dict(zip(names, row, strict=True)) | {"support": 5, "provenance": ["inferred"]} for row in rows], schema.EDGES
    )


WEB = ("t", "1", None, "web", "server", None)


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
    assert confidence["web", "orders"] == pytest.approx(4500 / 4501)  # missing from its one trace: 0.1 + 0.9 / 2
    assert confidence["orders", "web"] == pytest.approx(0.0625, abs=1e-4)
    assert confidence["web", "batch"] == 0.4
    assert confidence["orders", "orders-db"] == pytest.approx(0.0204 * 4500 / (1 + 0.0204 * 4500), abs=1e-4)
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


def test_silence_of_many_traces_says_more_than_that_of_one() -> None:
    def denied(traces: int) -> float:
        rows = [(f"t{k}", "1", None, "web", "server", None) for k in range(traces)]
        table = spans(*rows, ("u", "1", None, "cart", "server", None))
        return float(sl.overlay_traces(edges(("web", "cart", 0.5, 0.8)), table)["confidence"].iloc[0])

    found = [denied(traces) for traces in (1, 9, 999)]
    assert found == pytest.approx([0.55 / 1.55, 0.19 / 1.19, 0.1009 / 1.1009], abs=1e-4)


def test_a_callee_told_by_another_spelling_is_less_sure() -> None:
    def confidence(peer: str) -> float:
        table = spans(("t", "1", None, "web", "client", peer), ("u", "1", None, "orders", "server", None))
        found = sl.overlay_traces(edges(("web", "orders", 0.02, 0.04)), table).set_index(["src", "dst"])
        return float(found.loc[("web", "orders"), "confidence"])

    assert confidence("orders:8080") < 0.6 < 0.98 < confidence("orders")


def test_names_differ_in_case_or_separators_only() -> None:
    table = spans(("t", "1", None, "Web_App", "server", None), ("t", "2", "1", "ORDERS", "server", None))
    found = sl.overlay_traces(edges(("web-app", "orders", 0.5, 0.9)), table)
    assert verdicts(found) == {("web-app", "orders"): "confirmed"}


def test_two_users_of_one_queue_are_not_denied() -> None:
    table = spans(
        ("t", "1", None, "web", "producer", "jobs"),
        ("t", "2", "1", "mailer", "consumer", None),
        ("u", "1", None, "web", "server", None),
    )
    found = sl.overlay_traces(edges(("web", "mailer", 0.5, 0.8)), table)
    assert verdicts(found)["web", "mailer"] is None
    assert found.set_index(["src", "dst"]).loc[("web", "mailer"), "confidence"] == 0.5


def test_what_is_only_declared_is_judged_too() -> None:
    declared = pd.DataFrame({"src": ["web", "web"], "dst": ["search", "orders"]})
    found = sl.overlay_traces(sl.overlay_catalog(edges(), declared), TRACED).set_index(["src", "dst"])
    assert found["verdict"].to_dict() == {
        ("web", "orders"): "trace-only", ("orders", "orders-db"): "trace-only", ("web", "search"): "declared-only",
    }  # fmt: skip
    assert found.loc[("web", "search"), "confidence"] < 0.8
    again = sl.overlay_traces(found.reset_index(), TRACED)
    assert_frame_equal(again, schema.check(found.reset_index(), schema.EDGES)[again.columns.tolist()])


def test_a_pair_only_traces_know_is_not_inferred_however_little_is_asked() -> None:
    found = sl.overlay_traces(edges(), TRACED, min_confidence=0)
    assert set(found["verdict"]) == {"trace-only"}
