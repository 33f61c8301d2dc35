from __future__ import annotations

import pandas as pd

from stanza_lab.incidents.paging import paged_at, taken_at

ALERTS = pd.DataFrame(
    {
        "alert_id": ["a", "b", "c"],
        "source": "datadog",
        "rule_key": ["r1", "r2", "r3"],
        "starts_at": pd.to_datetime(["2026-03-01T10:00Z", "2026-03-01T10:01Z", "2026-03-01T11:00Z"]),
        "acked_at": pd.to_datetime([None, "2026-03-01T10:09Z", None], utc=True),
        "severity": ["warning", "error", "critical"],
    }
)
PAGES = pd.DataFrame(
    {
        "alert_id": ["p"],
        "source": "pagerduty",
        "origin": "datadog",
        "starts_at": pd.to_datetime(["2026-03-01T10:02Z"]),
        "acked_at": pd.to_datetime(["2026-03-01T10:05Z"]),
        "labels": '{"key":"r1"}',
    }
)


def test_without_a_pager_severity_says_who_was_paged() -> None:
    at = paged_at(ALERTS)
    assert at.isna().tolist() == [True, False, False]
    assert at.attrs["definition"] == "no pager was exported: a page is an alert of severity error or worse"


def test_without_severity_every_alert_counts() -> None:
    at = paged_at(ALERTS.drop(columns="severity"))
    assert at.notna().all()
    assert "every alert counts" in at.attrs["definition"]


def test_a_page_that_copies_an_alert_tells_when() -> None:
    at = paged_at(ALERTS, pages=PAGES)
    assert at.tolist() == [pd.Timestamp("2026-03-01T10:02Z"), pd.NaT, pd.NaT]
    assert at.attrs["definition"] == "a page is an alert of pagerduty"


def test_a_page_too_late_is_of_something_else() -> None:
    assert paged_at(ALERTS, pages=PAGES, delay="1min").isna().all()


def test_whoever_took_the_page_took_the_alert() -> None:
    taken = taken_at(ALERTS, pages=PAGES)
    assert taken.tolist() == [pd.Timestamp("2026-03-01T10:05Z"), pd.Timestamp("2026-03-01T10:09Z"), pd.NaT]
    assert taken_at(ALERTS).isna().tolist() == [True, False, True]


def test_a_page_is_the_copy_of_an_alert_of_its_service_and_name_whatever_else_has_no_name() -> None:
    alerts = ALERTS.assign(
        rule_key=None, service=["db", None, "api"], alertname=["Slow", "Slow", None], starts_at=ALERTS["starts_at"][0]
    )
    page = PAGES.assign(labels=None, service="db", alertname="db: Slow")
    at = paged_at(alerts.set_axis([7, 7, 7]), pages=page)
    assert at.notna().tolist() == [True, False, False]
    assert at.index.tolist() == [7, 7, 7]
