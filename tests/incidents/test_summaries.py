from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.errors import SchemaError
from stanza_lab.incidents import summarize_incidents
from stanza_lab.schema import SEVERITIES

COLUMNS = [
    "incident_id", "starts_at", "ends_at", "spread_s", "duration_s", "alerts", "open_alerts", "rules",
    "services", "teams", "sources", "severity", "first_service", "title",
]  # fmt: skip


def at(*minutes: int | None) -> pd.Series:
    start = pd.Timestamp("2026-03-01T14:00Z")
    return pd.to_datetime(
        pd.Series([None if m is None else start + pd.Timedelta(minutes=m) for m in minutes]), utc=True
    )


@pytest.fixture
def alerts() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "incident_id": [1, 0, 0, -1, 0, 1, 0],
            "starts_at": at(90, 3, 0, 40, 1, 91, 3),
            "ends_at": at(99, 20, 10, 45, None, 95, 4),
            "source": ["sentry", "datadog", "datadog", "datadog", "cloudwatch", "sentry", "datadog"],
            "rule_key": ["r1", "r2", "r3", "r9", "r4", "r1", "r2"],
            "alertname": ["Crash", "High p99 latency", "Disk full", "Noise", "High p99 latency", "Crash", "Errors"],
            "severity": ["info", "error", "critical", "critical", None, None, "warning"],
            "service": ["web", "checkout", "orders-db", "noise", "payments", "web", "api"],
            "team": ["front", "shop", "data", "x", None, "front", "shop"],
        }
    )


def test_one_row_per_incident_in_time(alerts):
    table = summarize_incidents(alerts)
    assert table.columns.tolist() == COLUMNS
    assert table["incident_id"].tolist() == [0, 1]
    assert table["starts_at"].tolist() == at(0, 90).tolist()
    assert table["alerts"].tolist() == [4, 2]
    assert table["rules"].tolist() == [3, 1]


def test_it_lasts_until_the_last_thing_seen_and_says_what_is_open(alerts):
    table = summarize_incidents(alerts)
    assert table["ends_at"].tolist() == at(20, 99).tolist()
    assert table["duration_s"].tolist() == [1200.0, 540.0]
    assert (table["spread_s"] <= table["duration_s"]).all()
    assert table["open_alerts"].tolist() == [1, 0]


def test_a_late_recovery_does_not_stretch_the_spread(alerts):
    late = alerts.assign(ends_at=at(60 * 24 * 19).repeat(len(alerts)).to_numpy())
    assert summarize_incidents(late)["spread_s"].tolist() == summarize_incidents(alerts)["spread_s"].tolist()


def test_services_in_the_order_of_firing(alerts):
    table = summarize_incidents(alerts)
    assert table["services"].tolist() == [["orders-db", "payments", "api", "checkout"], ["web"]]
    assert table["first_service"].tolist() == ["orders-db", "web"]
    assert table["teams"].tolist() == [["data", "shop"], ["front"]]
    assert table["sources"].tolist() == [["cloudwatch", "datadog"], ["sentry"]]


def test_the_worst_severity_counts(alerts):
    severity = summarize_incidents(alerts)["severity"]
    assert severity.tolist() == ["critical", "info"]
    assert tuple(severity.cat.categories) == SEVERITIES
    assert severity.cat.ordered


def test_titles_are_short_words(alerts):
    table = summarize_incidents(alerts)
    assert table["title"].tolist() == ["orders-db, payments +2: High p99 latency", "web: Crash"]
    long = summarize_incidents(alerts.assign(alertname="x" * 100))
    assert long["title"].iloc[1] == "web: " + "x" * 57 + "..."


def test_a_bare_table_is_enough():
    table = summarize_incidents(pd.DataFrame({"incident_id": [0, 0, 1], "starts_at": at(0, 1, None)}))
    assert table["title"].tolist() == ["2 alerts", "1 alert"]
    assert table["services"].tolist() == [[], []]
    assert table["duration_s"].tolist()[0] == 60.0
    assert table["severity"].isna().all()
    assert table["first_service"].isna().all()
    assert table["rules"].tolist() == [0, 0]
    assert table["starts_at"].isna().tolist() == [False, True]


@pytest.mark.parametrize("rows", [0, 1])
def test_no_incident_gives_the_columns(alerts, rows):
    table = summarize_incidents(alerts[alerts["incident_id"] == -1].head(rows))
    assert len(table) == 0
    assert table.columns.tolist() == COLUMNS
    full = summarize_incidents(alerts)
    assert table.dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()


def test_row_order_and_argument_do_not_change(alerts):
    before = alerts.copy()
    table = summarize_incidents(alerts)
    pd.testing.assert_frame_equal(summarize_incidents(alerts.iloc[::-1]), table)
    pd.testing.assert_frame_equal(alerts, before)


def test_missing_columns():
    with pytest.raises(SchemaError, match="column 'incident_id' is missing"):
        summarize_incidents(pd.DataFrame({"starts_at": at(0)}))
