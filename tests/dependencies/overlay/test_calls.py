"""The service graph that spans show."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import SchemaError

START = pd.Timestamp("2026-03-01T10:00Z")
WEB = ("t", "1", None, "web", "server", None)


def spans(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Rows of trace, span, parent, service, kind, peer and, where it matters, start and length in ms, status, name."""
    names = ["trace_id", "span_id", "parent_span_id", "service", "kind", "peer", "start", "ms", "status", "name"]
    found = []
    for row in rows:
        told = dict(zip(names, row, strict=False))
        start, length = told.pop("start", None), told.pop("ms", None)
        if start is not None:
            told["starts_at"] = START + pd.Timedelta(milliseconds=start)
            told["ends_at"] = told["starts_at"] + pd.Timedelta(milliseconds=length)
        found.append(told)
    return schema.build(found, schema.SPANS)


def calls(table: pd.DataFrame) -> list[tuple[str, str, int]]:
    return list(sl.call_edges(table)[["src", "dst", "calls"]].itertuples(index=False, name=None))


def told(table: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(sl.call_edges(table)[["src", "dst", "kind", "told_by"]].astype(str).itertuples(index=False, name=None))


def test_a_client_and_its_server_are_a_request() -> None:
    table = spans(WEB, ("t", "2", "1", "web", "client", None), ("t", "3", "2", "orders", "server", None))
    assert calls(table) == [("web", "orders", 1)]
    assert told(table) == [("web", "orders", "request", "parent")]


def test_kinds_may_be_missing() -> None:
    table = spans(("t", "1", None, "web", None, None), ("t", "2", "1", "orders", None, None))
    assert told(table) == [("web", "orders", "unknown", "parent")]


def test_only_the_four_columns_of_the_tree_are_needed() -> None:
    table = spans(WEB, ("t", "2", "1", "orders", "server", None))[["trace_id", "span_id", "parent_span_id", "service"]]
    found = sl.call_edges(table)
    assert calls(table) == [("web", "orders", 1)]
    assert found[["p50_ms", "skew_ms", "first_seen"]].isna().all(axis=None)


def test_what_the_caller_does_in_between_is_no_end_of_its_call() -> None:
    inside = [("t", str(k + 1), str(k), "web", "internal", None) for k in range(2, 9)]
    client, server = ("t", "2", "1", "web", "client", "orders-api"), ("t", "10", "9", "orders", "server", None)
    assert calls(spans(WEB, client, *inside, server)) == [("web", "orders", 1)]


def test_a_missing_parent_and_a_span_without_service_are_passed_over() -> None:
    assert calls(spans(WEB, ("t", "3", "2", "orders", "server", None), ("t", "4", "1", None, "server", None))) == []


def test_the_same_span_id_in_another_trace_is_another_span() -> None:
    assert calls(spans(WEB, ("u", "2", "1", "orders", "server", None))) == []


def test_spans_that_cause_each_other_or_themselves_call_nobody() -> None:
    circle = [
        ("t", "1", "2", "web", None, None),
        ("t", "2", "1", "web", None, None),
        ("t", "3", "3", "web", None, None),
    ]
    assert calls(spans(*circle, ("t", "4", "2", "orders", "server", None))) == [("web", "orders", 1)]


def test_a_service_that_calls_itself_is_no_edge_and_its_peer_is_answered() -> None:
    client, server = ("t", "2", "1", "web", "client", "web-internal"), ("t", "3", "2", "web", "server", None)
    assert calls(spans(WEB, client, server)) == []


def test_every_answer_is_a_call_and_fails_for_itself() -> None:
    client = ("t", "2", "1", "web", "client", None, 0, 100, "error")
    tries = [
        ("t", "3", "2", "orders", "server", None, 5, 30, "error"),
        ("t", "4", "2", "orders", "server", None, 50, 40),
    ]
    found = sl.call_edges(spans(WEB, client, *tries)).iloc[0]
    assert (found["calls"], found["errors"]) == (2, 1)
    assert found["p50_ms"] == 35  # of the two answers: the client waited for both
    alone = sl.call_edges(spans(WEB, client, tries[1])).iloc[0]
    assert (alone["calls"], alone["errors"], alone["p50_ms"]) == (1, 1, 100)


def test_a_peer_without_spans_is_called() -> None:
    table = spans(WEB, ("t", "2", "1", "web", "client", "orders-db"), ("t", "3", "1", "web", "client", "api.acme.com"))
    assert told(table) == [("web", "api.acme.com", "request", "peer"), ("web", "orders-db", "database", "peer")]
    assert sl.call_edges(table)["dst_traced"].tolist() == [False, False]


@pytest.mark.parametrize(
    ("peer", "name", "kind"),
    [
        ("orders", "SELECT orders", "database"), ("primary", "redis.get", "database"), ("ordersdb", None, "database"),
        ("sqs", "SendMessage", "messaging"), ("stock", "GET /stock", "request"),
    ],
)  # fmt: skip
def test_names_tell_what_a_peer_is(peer: str, name: str | None, kind: str) -> None:
    assert told(spans(("t", "1", None, "web", "client", peer, 0, 1, "ok", name)))[0][2] == kind


def test_statements_to_a_database_called_as_a_service_do_not_go_to_the_service() -> None:
    own = ("t", "2", None, "orders", "client", "orders", 0, 1, "ok", "SELECT items")
    other = ("t", "3", None, "web", "client", "orders", 0, 1, "ok", "INSERT items")
    request = ("t", "4", None, "web", "client", "orders", 0, 1, "ok", "GET /items")
    assert told(spans(own, other, request)) == [
        ("orders", "orders (database)", "database", "peer"),
        ("web", "orders", "request", "peer"),
        ("web", "orders (database)", "database", "peer"),
    ]


@pytest.mark.parametrize(
    "peer",
    [
        "Orders", "orders:8080", "http://orders:8080/v1", "https://u:pw@orders/", "orders.shop.svc.cluster.local",
        "orders.shop.svc:80", "orders.internal", "orders.service.consul", "grpc.shop.Orders",
    ],
)  # fmt: skip
def test_a_peer_that_spells_a_traced_service_is_it(peer: str) -> None:
    found = sl.call_edges(spans(("t", "1", None, "web", "client", peer), ("u", "1", None, "orders", "server", None)))
    assert found[["src", "dst", "told_by", "dst_traced"]].values.tolist() == [["web", "orders", "spelling", True]]
    assert "pw" not in found["spelled"][0]


@pytest.mark.parametrize("peer", ["orders.example.com", "10.0.0.3", "orders-v2", "orderservice", "api"])
def test_a_peer_that_is_not_obviously_a_service_stays_itself(peer: str) -> None:
    table = spans(("t", "1", None, "web", "client", peer), ("u", "1", None, "orders", "server", None))
    assert told(table) == [("web", peer, "request", "peer")]


def test_two_services_of_one_spelling_are_not_told_apart_by_a_third() -> None:
    services = [("u", "1", None, "or-ders", "server", None), ("u", "2", None, "or_ders", "server", None)]
    assert told(spans(("t", "1", None, "web", "client", "OR-DERS"), *services))[0][1] == "OR-DERS"


def test_a_login_in_a_connection_string_is_no_name() -> None:
    table = spans(("t", "1", None, "web", "client", "jdbc:postgresql://admin:secret@main-db:5432/orders?ssl=1"))
    found = sl.call_edges(table)
    assert found[["dst", "spelled"]].values.tolist() == [["main-db", "main-db:5432"]]


def test_an_address_under_which_one_service_always_answers_is_that_service() -> None:
    answered = [("t", "2", "1", "web", "client", "10.0.0.3:80"), ("t", "3", "2", "orders", "server", None)]
    silent = ("u", "1", None, "cart", "client", "10.0.0.3:80")
    found = sl.call_edges(spans(WEB, *answered, silent))
    assert found[["src", "dst", "told_by", "spelled"]].astype(str).values.tolist() == [
        ["cart", "orders", "spelling", "10.0.0.3:80"], ["web", "orders", "parent", "10.0.0.3:80"],
    ]  # fmt: skip
    balancer = [("v", "2", None, "web", "client", "10.0.0.3:80"), ("v", "3", "2", "stock", "server", None)]
    assert ("cart", "10.0.0.3", 1) in calls(spans(WEB, *answered, silent, *balancer))


def test_a_peer_that_answers_is_counted_once_under_its_own_name() -> None:
    table = spans(WEB, ("t", "2", "1", "web", "client", "shop-api"), ("t", "3", "2", "orders", "server", None))
    assert calls(table) == [("web", "orders", 1)]


def test_a_client_inside_a_client_to_the_same_peer_is_one_call() -> None:
    inside = ("t", "2", "1", "web", "client", "orders-db:5432")
    assert calls(spans(("t", "1", None, "web", "client", "orders-db"), inside)) == [("web", "orders-db", 1)]
    other = ("t", "2", "1", "web", "client", "cache")
    assert len(calls(spans(("t", "1", None, "web", "client", "orders-db"), other))) == 2


def test_a_server_span_that_names_its_caller_as_peer_calls_nobody() -> None:
    assert calls(spans(("t", "1", None, "orders", "server", "web"))) == []


def test_producers_and_consumers_depend_on_the_queue_between_them() -> None:
    producer = ("t", "2", "1", "web", "producer", "jobs")
    consumers = [("t", "3", "2", "mailer", "consumer", None), ("t", "4", "2", "audit", "consumer", None)]
    table = spans(WEB, producer, *consumers)
    assert calls(table) == [("audit", "jobs", 1), ("mailer", "jobs", 1), ("web", "jobs", 1)]
    assert set(sl.call_edges(table)["kind"]) == {"messaging"}


def test_a_queue_of_a_service_for_itself_is_seen() -> None:
    table = spans(WEB, ("t", "2", "1", "web", "producer", "jobs"), ("t", "3", "2", "web", "consumer", None))
    assert calls(table) == [("web", "jobs", 2)]


def test_a_queue_without_a_name_leaves_producer_and_consumer() -> None:
    table = spans(WEB, ("t", "2", "1", "web", "producer", None), ("t", "3", "2", "mailer", "consumer", None))
    assert told(table) == [("web", "mailer", "messaging", "parent")]


def test_a_producer_that_names_the_consumer_as_its_peer_has_no_queue() -> None:
    table = spans(WEB, ("t", "2", "1", "web", "producer", "mailer"), ("t", "3", "2", "mailer", "consumer", None))
    assert calls(table) == [("web", "mailer", 1)]


def test_a_consumer_tied_by_a_link_only_counts_where_it_names_its_queue() -> None:
    assert calls(spans(("t", "1", None, "mailer", "consumer", "jobs"))) == [("mailer", "jobs", 1)]
    assert calls(spans(("t", "1", None, "mailer", "consumer", None))) == []


def test_a_queue_takes_as_long_as_publishing_and_fails_with_it() -> None:
    producer = ("t", "2", "1", "web", "producer", "jobs", 0, 3, "ok")
    found = sl.call_edges(spans(WEB, producer, ("t", "3", "2", "mailer", "consumer", None, 900, 50, "error")))
    found = found.set_index("src")
    assert found["p50_ms"].fillna(-1).to_dict() == {"mailer": -1, "web": 3}
    assert found["errors"].sum() == 0


def test_durations_are_of_the_callers_clock() -> None:
    rows = [WEB]
    for k, length in enumerate([10, 20, 30, 40, 1000]):
        rows += [
            ("t", f"c{k}", "1", "web", "client", None, 0, length),
            ("t", f"s{k}", f"c{k}", "db", "server", None, 1, 5),
        ]
    found = sl.call_edges(spans(*rows)).iloc[0]
    assert (found["p50_ms"], found["p95_ms"]) == (30, pytest.approx(808))
    assert found["first_seen"] == found["last_seen"] == START


def test_clocks_that_differ_are_reported_and_nothing_is_dropped() -> None:
    client = ("t", "2", "1", "web", "client", None, 0, 100)
    early = sl.call_edges(spans(WEB, client, ("t", "3", "2", "orders", "server", None, -5000, 80))).iloc[0]
    assert (early["calls"], early["p50_ms"], early["skewed"], early["skew_ms"]) == (1, 100, 1, -5010)
    late = sl.call_edges(spans(WEB, client, ("t", "3", "2", "orders", "server", None, 5000, 80))).iloc[0]
    assert (late["skewed"], late["skew_ms"]) == (1, 4990)
    fits = sl.call_edges(spans(WEB, client, ("t", "3", "2", "orders", "server", None, 10, 80))).iloc[0]
    assert (fits["skewed"], fits["skew_ms"]) == (0, 0)


def test_a_callee_that_works_on_after_its_caller_gave_up_has_no_skew() -> None:
    client = ("t", "2", "1", "web", "client", None, 0, 100)
    assert sl.call_edges(spans(WEB, client, ("t", "3", "2", "orders", "server", None, 10, 900)))["skewed"][0] == 0


def test_times_that_are_missing_or_reversed_are_no_times() -> None:
    client = ("t", "2", "1", "web", "client", None, 10, -5)
    found = sl.call_edges(spans(WEB, client, ("t", "3", "2", "orders", "server", None))).iloc[0]
    assert found[["p50_ms", "skew_ms"]].isna().all()


def test_repeated_spans_count_once() -> None:
    table = spans(WEB, ("t", "2", "1", "orders", "server", None))
    assert calls(pd.concat([table, table])) == [("web", "orders", 1)]


def test_no_spans_give_no_calls() -> None:
    found = sl.call_edges(schema.empty(schema.SPANS))
    assert_frame_equal(found, schema.empty(schema.CALLS))


def test_the_table_is_that_of_the_schema_and_arguments_stay() -> None:
    table = spans(WEB, ("t", "2", "1", "orders", "server", None), ("t", "3", "2", "orders", "client", "db"))
    before = table.copy(deep=True)
    found = sl.call_edges(table)
    assert list(found.columns) == schema.CALLS.names
    assert_frame_equal(found, schema.check(found, schema.CALLS))
    assert_frame_equal(table, before)


def test_spans_without_parents_column_are_refused() -> None:
    with pytest.raises(SchemaError, match="parent_span_id"):
        sl.call_edges(schema.empty(schema.SPANS).drop(columns="parent_span_id"))


SERVICES, KINDS = ["web", "orders", "db", None], ["server", "client", "producer", "consumer", "internal", None]
ROW = st.tuples(
    st.sampled_from("tu"), st.sampled_from("123456"), st.sampled_from(["1", "2", "3", "4", "9", None]),
    st.sampled_from(SERVICES), st.sampled_from(KINDS), st.sampled_from(["jobs", "Orders", "db", None]),
    st.integers(-20, 20), st.integers(-1, 30),
)  # fmt: skip


@given(st.lists(ROW, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_spans_does_not_matter(rows: list[tuple[Any, ...]], random: Any) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)
    once = sl.call_edges(spans(*rows))
    assert_frame_equal(sl.call_edges(spans(*shuffled)), once)
    assert not once.duplicated(["src", "dst"]).any()
    assert (once["src"] != once["dst"]).all()
    assert (once["errors"] + once["skewed"] <= 2 * once["calls"]).all()


@given(st.lists(ROW, max_size=12))
def test_a_later_time_changes_only_the_times(rows: list[tuple[Any, ...]]) -> None:
    table, later = spans(*rows), spans(*((*row[:6], row[6] + 60_000, row[7]) for row in rows))
    seen = ["first_seen", "last_seen"]
    assert_frame_equal(sl.call_edges(later).drop(columns=seen), sl.call_edges(table).drop(columns=seen))
