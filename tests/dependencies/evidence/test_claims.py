"""What alerts say of other nodes is counted once per pair, and adds up over slices."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.dependencies.evidence import candidates, count_claims, merge_claims
from stanza_lab.errors import ParameterError, SchemaError

COLUMNS = ["slice", "src", "dst", "source", "count"]
NODES = ("checkout", "orders-db", "payments-api", "search", "prod-cache")
TEXTS = (
    None,
    "CPU high",
    "connection refused to orders-db:5432",
    "dial tcp: lookup payments-api on 10.0.0.10:53: no such host",
    "orders-db and payments-api are slow, orders-db most",
    "arn:aws:rds:eu-west-1:123456789012:db:orders-db is full",
    "upstream connect error to https://api.stripe.com/v1: timeout",
    "\x00((((**[]{}<script>alert(1)</script>' OR 1=1 --",
    "failed to connect to " * 50,
)


def _alerts(rows: list[dict[str, object]]) -> pd.DataFrame:
    defaults = {"starts_at": "2026-03-01T14:00Z", "summary": None}
    table = pd.DataFrame([defaults | row for row in rows])
    return table.assign(starts_at=pd.to_datetime(table["starts_at"], utc=True))


def _told(claims: pd.DataFrame) -> list[tuple[str, str, str, int]]:
    total = claims.groupby(["src", "dst", "source"], observed=True)["count"].sum().reset_index()
    return [*total.itertuples(index=False, name=None)]


def test_an_error_that_names_what_was_called_is_a_call() -> None:
    alerts = _alerts([{"service": "checkout", "summary": TEXTS[2]}, {"service": "orders-db", "summary": "CPU high"}])
    claims = count_claims(alerts)
    assert _told(claims) == [("checkout", "orders-db", "text", 1)]
    assert claims["slice"].tolist() == [pd.Timestamp("2026-03-01", tz="UTC")]


def test_one_alert_counts_once_by_its_most_telling_words() -> None:
    text = "orders-db: connection refused to orders-db:5432, orders-db is arn:aws:rds:eu-west-1:1:db:orders-db"
    alerts = _alerts([{"service": "checkout", "summary": text, "description": text}, {"service": "orders-db"}])
    assert _told(count_claims(alerts)) == [("checkout", "orders-db", "text", 1)]


def test_a_name_in_passing_is_a_mention() -> None:
    alerts = _alerts([{"service": "checkout", "summary": "slow since orders-db is slow"}, {"service": "orders-db"}])
    assert _told(count_claims(alerts)) == [("checkout", "orders-db", "mention", 1)]


def test_a_plain_word_counts_only_where_it_was_called() -> None:
    rows = [{"service": "checkout", "summary": "search is slow"}, {"service": "search"}]
    assert count_claims(_alerts(rows)).empty
    called = [{"service": "checkout", "summary": 'failed to connect to "search"'}, {"service": "search"}]
    assert _told(count_claims(_alerts(called))) == [("checkout", "search", "text", 1)]


def test_spellings_of_a_node_are_the_node() -> None:
    rows = [{"service": "checkout", "summary": "connection refused to prod-Orders_DB"}, {"service": "orders-db"}]
    assert _told(count_claims(_alerts(rows))) == [("checkout", "orders-db", "text", 1)]


def test_own_name_is_no_claim() -> None:
    assert count_claims(_alerts([{"service": "orders-db", "summary": TEXTS[2]}])).empty


def test_what_was_called_and_never_raised_an_alert_is_kept() -> None:
    alerts = _alerts([{"service": "checkout", "summary": TEXTS[6]}])
    assert _told(count_claims(alerts)) == [("checkout", "api.stripe.com", "text", 1)]


@pytest.mark.parametrize("field", ["resources", "labels"])
def test_a_resource_named_after_a_node_is_its_own(field: str) -> None:
    arn = "arn:aws:rds:eu-west-1:123456789012:db:orders-db"
    value = [arn] if field == "resources" else f'{{"dependency_arn":"{arn}"}}'
    alerts = _alerts([{"service": "checkout", field: value}, {"service": "orders-db"}])
    assert _told(count_claims(alerts)) == [("checkout", "orders-db", "resource", 1)]


def test_a_resource_that_only_one_nodes_alerts_are_about_is_its_own() -> None:
    arn = "arn:aws:rds:eu-west-1:123456789012:db:primary-7"
    rows = [
        {"service": "checkout", "summary": f"slow queries on {arn}", "resources": [arn]},  # as resolve_entities adds it
        {"service": "orders-db", "resources": [arn]},
    ]
    assert _told(count_claims(_alerts(rows))) == [("checkout", "orders-db", "resource", 1)]


def test_a_host_both_run_on_is_shared_and_no_call() -> None:
    rows = [{"service": name, "resources": ["ip-10-0-0-7.ec2.internal"]} for name in ("search", "checkout")]
    assert _told(count_claims(_alerts(rows * 3))) == [("checkout", "search", "shared_host", 1)]


def test_two_nodes_share_a_trace_once_however_many_alerts_carry_it() -> None:
    rows = [{"service": name, "trace_ids": ["4b38a6ad6996533e"]} for name in ("search", "checkout", "checkout")]
    assert _told(count_claims(_alerts(rows))) == [("checkout", "search", "trace", 1)]


def test_what_all_share_says_nothing() -> None:
    rows = [
        {"service": f"s{n}", "trace_ids": ["4b38a6ad6996533e"], "resources": ["ip-10-0-0-7.ec2.internal"]}
        for n in range(21)
    ]
    assert count_claims(_alerts(rows)).empty
    assert len(count_claims(_alerts(rows[:20]))) == 2 * 190


def test_nodes_of_another_column_are_named_only_as_they_are() -> None:
    rows = [{"alertname": "disk-full", "summary": "after Prod-Orders-Slow"}, {"alertname": "orders-slow"}]
    assert count_claims(_alerts(rows), node="alertname").empty
    rows[0]["summary"] = "after orders-slow"
    assert _told(count_claims(_alerts(rows), node="alertname")) == [("disk-full", "orders-slow", "mention", 1)]


def test_alerts_without_a_time_or_a_node_are_left_out() -> None:
    rows = [{"service": "checkout", "starts_at": None, "summary": TEXTS[2]}, {"service": None, "summary": TEXTS[2]}]
    claims = count_claims(_alerts([*rows, {"service": "orders-db"}]))
    assert claims.empty
    assert [str(dtype) for dtype in claims.dtypes] == ["datetime64[us, UTC]", "str", "str", "category", "int64"]


def test_only_times_and_nodes_are_needed() -> None:
    assert count_claims(_alerts([{"service": "checkout"}])[["starts_at", "service"]]).columns.tolist() == COLUMNS
    with pytest.raises(SchemaError, match="service"):
        count_claims(_alerts([{"service": "checkout"}])[["starts_at"]])
    with pytest.raises(ParameterError, match="slice_us"):
        count_claims(_alerts([{"service": "checkout"}]), slice_us=0)


def test_candidates_are_what_directed_claims_name() -> None:
    rows = [
        {"service": "checkout", "summary": TEXTS[2]},
        {"service": "search", "summary": "slow since orders-db is slow"},
        {"service": "checkout", "summary": TEXTS[6]},
        {"service": "orders-db"},
    ]
    claims = count_claims(_alerts(rows))
    assert candidates(claims).to_numpy().tolist() == [["api.stripe.com", "checkout"], ["checkout", "orders-db"]]
    nodes = ["checkout", "search", "orders-db"]
    pairs = candidates(claims, nodes=nodes)
    assert pairs.to_numpy().tolist() == [["checkout", "orders-db"]]
    assert candidates(claims, nodes=nodes, besides=pairs).empty


_rows = st.lists(
    st.fixed_dictionaries(
        {
            "day": st.integers(1, 4),
            "service": st.sampled_from([*NODES, None]),
            "summary": st.sampled_from(TEXTS),
            "resources": st.sampled_from([[], ["ip-10-0-0-7.ec2.internal"], ["i-0123456789abcdef0", "pod-7"]]),
            "trace_ids": st.sampled_from([[], ["4b38a6ad6996533e"], ["4b38a6ad6996533e", "48eeb3c4693f9af1"]]),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(_rows, st.integers(1, 4), st.randoms(use_true_random=False))
def test_counts_over_slices_add_up_and_row_order_does_not_matter(rows, cut, random) -> None:  # type: ignore[no-untyped-def]
    alerts = _alerts([{**row, "starts_at": f"2026-03-0{row['day']}T14:00Z"} for row in rows])
    whole = count_claims(alerts, names=NODES)
    early = alerts["starts_at"].dt.day <= cut
    parts = [count_claims(part, names=NODES) for part in (alerts[early], alerts[~early])]
    pd.testing.assert_frame_equal(merge_claims(parts), whole)
    order = random.sample(range(len(alerts)), len(alerts))
    pd.testing.assert_frame_equal(count_claims(alerts.iloc[order], names=NODES), whole)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=200)), min_size=1, max_size=5))
def test_any_text_is_read(rows: list[tuple[str, str]]) -> None:
    alerts = _alerts([{"service": name, "summary": text, "alertname": text, "labels": text} for name, text in rows])
    claims = count_claims(alerts)
    assert (claims["src"] != claims["dst"]).all()
    assert claims["count"].between(1, len(rows) ** 2).all()
