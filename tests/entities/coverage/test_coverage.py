from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab import schema

ALERTS = pd.DataFrame(
    {
        "source": ["datadog", "datadog", "cloudwatch", "cloudwatch", "slack"],
        "alertname": ["errors", "latency", "cpu", "disk", "ping"],
        "service": ["web", "web", None, None, None],
        "team": ["shop", None, None, None, None],
        "resources": [["i-0abc1234def567890"], [], [], [], []],
        "labels": [None, None, '{"dimensions":{"DBInstanceIdentifier":"orders-db"}}', None, None],
        "starts_at": ["2026-03-01T10:00Z", "2026-03-01T11:00Z", "2026-03-02T10:00Z", "2026-03-02T11:00Z", None],
    }
)
CATALOG = pd.DataFrame({"service": ["Web", "orders-db", "search"], "team": ["shop", None, "find"]})
SPANS = pd.DataFrame(
    {
        "trace_id": ["t1", "t1", "t2"],
        "service": ["prod-web", "mailer", "mailer"],
        "kind": ["server", "client", "client"],
        "peer": [None, "orders-db", "10.0.0.1"],
    }
)


def test_shares_are_told_overall_and_by_source() -> None:
    table = sl.coverage(ALERTS).to_frame().set_index("source")
    columns = ["alerts", "time", "service", "team", "resource", "stated_service", "nameless_rules"]
    assert table.loc["datadog", columns].tolist() == [2, 1, 1, 0.5, 0.5, 1, 0]
    assert table.loc["cloudwatch", columns].tolist() == [2, 1, 0.5, 0, 0.5, 0, 1]
    assert table.loc["slack", columns].tolist() == [1, 0, 0, 0, 0, 0, 1]
    assert table.loc["all", columns].tolist() == pytest.approx([5, 0.8, 0.6, 0.2, 0.4, 0.4, 2])
    assert table.loc["cloudwatch", "example"] == "disk"


def test_the_score_is_its_formula() -> None:
    # errors: all three; latency: service; cpu: service and resource; disk: time only; ping: not even that.
    assert sl.coverage(ALERTS).score == pytest.approx((1 + 0.6 + 0.8 + 0 + 0) / 5)
    assert sl.coverage(ALERTS.assign(starts_at=None)).score == 0


def test_services_are_compared_under_one_name() -> None:
    found = sl.coverage(ALERTS, spans=SPANS, catalog=CATALOG)
    table = found.services.set_index("service")
    assert table[["alerts", "spans", "listed"]].to_dict("index") == {
        "Web": {"alerts": 2, "spans": 1, "listed": True},
        "mailer": {"alerts": 0, "spans": 2, "listed": False},
        "orders-db": {"alerts": 1, "spans": 1, "listed": True},
        "search": {"alerts": 0, "spans": 0, "listed": True},
    }
    assert table["words"].dropna().to_dict() == {
        "mailer": "never alerts; traces show 2 spans",
        "search": "never alerts; the catalogue lists it",
    }
    assert "2 of 4 services of catalogue and traces have alerts." in found.summary


def test_the_reverse_is_told_too() -> None:
    found = sl.coverage(ALERTS, spans=SPANS[1:], catalog=CATALOG[2:])
    assert found.services.set_index("service").loc["web", "words"] == (
        "alerts, but the catalogue does not list it and traces do not show it"
    )
    assert "With alerts, but not in catalogue and traces: web." in found.summary


def test_without_catalogue_and_traces_silence_is_not_judged() -> None:
    assert any("which services are silent can't be said" in said for said in sl.coverage(ALERTS).summary)


def test_what_to_fix_first_gains_most_and_ends_where_nothing_is_left() -> None:
    actions = sl.coverage(ALERTS, catalog=CATALOG).actions
    assert actions[["rank", "lacks", "alerts"]].values.tolist()[0] == [1, "time", 1]
    gains = actions["alerts"] * actions["lacks"].astype(str).map(
        {"time": 1, "service": 0.6, "team": 0.2, "resource": 0.2, "alerts": 1, "monitor": 0}
    )
    assert gains.tolist() == sorted(gains, reverse=True)
    assert actions["score_after"].is_monotonic_increasing
    words = actions["words"].tolist()
    assert words[0].startswith("slack: its one alert has no time (ping); export them with times")
    assert "cloudwatch: 1 of 2 alerts names no service (disk); export describe-alarms" in "\n".join(words)
    assert words[-1].startswith("1 service known from the catalogue or traces is never alerted on (search)")


def test_a_whole_table_has_nothing_to_fix() -> None:
    found = sl.coverage(ALERTS[:1])
    assert found.score == 1
    assert found.actions.empty


def test_copies_of_alerts_that_are_there_do_not_count() -> None:
    copy = {"source": "pagerduty", "origin": "datadog", "service": "web", "starts_at": "2026-03-01T10:01Z"}
    alerts = pd.concat([ALERTS[:1], pd.DataFrame([copy])], ignore_index=True)
    found = sl.coverage(alerts)
    assert (found.score, found.overall["resource"], len(found.actions)) == (1, 1, 0)
    assert "Not counted: copies of alerts that are read where they were raised: pagerduty 1." in found.summary
    alone = sl.coverage(alerts[1:])  # the copy is all there is
    assert alone.score == pytest.approx(0.6)


def test_silent_days_become_an_action_with_what_they_would_bring() -> None:
    days = [day for day in range(60) if day not in (30, 31, 32)]
    times = [pd.Timestamp("2026-03-01T10:00Z") + pd.Timedelta(days=day, minutes=k) for day in days for k in range(8)]
    found = sl.coverage(ALERTS[:1].drop(columns="starts_at").merge(pd.DataFrame({"starts_at": times}), how="cross"))
    assert found.gaps["days"].tolist() == [3]
    assert found.actions[["lacks", "alerts", "score_after"]].values.tolist() == [["alerts", 24, 1.0]]
    assert "2026-03-31 to 2026-04-02" in str(found)


def test_it_shows_itself_escaped_and_small() -> None:
    evil = "<script>alert(1)</script>"
    many = pd.concat([ALERTS.assign(alertname=evil, service=f"{evil}{k}", source=f"s{k}") for k in range(60)])
    found = sl.coverage(many.assign(summary="x" * 5000), catalog=CATALOG.assign(team=evil))
    page = found._repr_html_()
    assert "<script" not in page
    assert len(page.encode()) < 50_000
    assert repr(sl.coverage(ALERTS)) == "Coverage(5 alerts, score 0.48, 7 actions)"


@pytest.mark.parametrize("alerts", [pd.DataFrame(), schema.empty(schema.ALERTS)])
def test_no_alerts_are_said_to_be_none(alerts: pd.DataFrame) -> None:
    found = sl.coverage(alerts)
    assert str(found) == "No alerts: nothing is covered."
    assert math.isnan(found.score)
    assert "<b>No alerts" in found._repr_html_()
    assert found.to_frame().empty
    assert sl.coverage(alerts, catalog=CATALOG).services["service"].tolist() == ["Web", "orders-db", "search"]


def test_times_and_sources_that_are_all_null_are_counted() -> None:
    found = sl.coverage(pd.DataFrame({"source": ["a", None], "starts_at": [None, None]}))
    assert found.score == 0
    assert found.by_source["source"].tolist() == ["a", "unknown"]
    assert found.gaps.empty


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["datadog", "slack", None]),
            st.sampled_from(["web", "orders-db", None]),
            st.sampled_from(["shop", None]),
            st.sampled_from(["2026-03-01T10:00Z", None]),
        ),
        max_size=25,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_does_not_matter(rows, random) -> None:
    alerts = pd.DataFrame(rows, columns=["source", "service", "team", "starts_at"], dtype=object)
    before = alerts.copy()
    one, other = sl.coverage(alerts), sl.coverage(alerts.sample(frac=1, random_state=random.randrange(2**31)))
    pd.testing.assert_frame_equal(alerts, before)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    pd.testing.assert_frame_equal(one.actions, other.actions)
    pd.testing.assert_frame_equal(one.services, other.services)
    assert one.by_source["alerts"].sum() == len(alerts)
    if len(alerts):
        assert 0 <= one.score <= 1
        assert one.actions["score_after"].is_monotonic_increasing
