"""What is played: incidents and lone alerts, with their first page, recovery and what was open when."""

from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.errors import SchemaError
from stanza_lab.patterns.reactions.cases import Cases
from stanza_lab.patterns.reactions.savings import Budget, at_most

DAY = pd.Timestamp("2026-03-01", tz="UTC")


def at(clock: str) -> pd.Timestamp:
    return DAY + pd.Timedelta(f"{clock}:00")


ALERTS = pd.DataFrame(
    [
        ("datadog", "db", "10:00", "10:30", "warning", 5),
        ("datadog", "api", "10:04", "10:20", "critical", 5),
        ("sentry", "web", "10:05", None, "warning", 5),
        ("datadog", "api", "11:00", "11:01", "critical", -1),
        ("datadog", "db", "12:00", None, "warning", -1),
        ("datadog", "db", None, None, "warning", -1),
    ],
    columns=["source", "service", "starts_at", "ends_at", "severity", "incident_id"],
)
for _name in ("starts_at", "ends_at"):
    ALERTS[_name] = pd.to_datetime([None if pd.isna(clock) else at(clock) for clock in ALERTS[_name]], utc=True)


def test_a_lone_alert_is_a_case_of_its_own() -> None:
    cases = Cases.of(ALERTS, pages=None)
    assert cases.table["incident_id"].tolist() == [5, -1, -1]
    assert cases.table.index.tolist() == [5, 6, 7]
    assert cases.incidents == 1


def test_page_and_recovery_of_each_and_who_never_reports_an_end_is_not_waited_for() -> None:
    table = Cases.of(ALERTS, pages=None).table
    assert table["page_at"].tolist() == [at("10:04"), at("11:00"), pd.NaT]
    assert table["recovered_at"].tolist() == [at("10:30"), at("11:01"), pd.NaT]


def test_what_is_left_out_is_said() -> None:
    cases = Cases.of(ALERTS, pages=None)
    assert cases.unseen == (
        "1 alert without a time left out",
        "sentry never reports an end: recovery is that of the other alerts of an incident",
        "1 incident or lone alert without a known recovery: no trouble is counted there",
    )
    assert "severity error or worse" in cases.page


def test_open_at_a_time_knows_nothing_of_later() -> None:
    cases = Cases.of(ALERTS, pages=None)
    now = cases.firing(at("10:05"))
    assert now["service"].tolist() == ["db", "api", "web"]
    assert now["ends_at"].isna().all()
    assert cases.loud(at("10:05")) == {"db", "api", "web"}
    assert cases.loud(at("10:20")) == {"db", "web"}
    assert cases.loud(at("10:36")) == set()  # half an hour where no end is known
    assert cases.loud(at("12:10")) == {"db"}
    assert cases.upto(5, at("10:04"))["service"].tolist() == ["db", "api"]


def test_an_argument_is_not_changed_and_none_is_fine() -> None:
    before = ALERTS.copy(deep=True)
    Cases.of(ALERTS, pages=None)
    pd.testing.assert_frame_equal(ALERTS, before)
    empty = Cases.of(ALERTS.iloc[:0], pages=None)
    assert (len(empty.table), empty.loud(at("10:00"))) == (0, set())


def test_saved_at_most_is_what_is_left_after_the_effect_time() -> None:
    hours, effect = pd.Timedelta("6h"), pd.Timedelta("5min")
    assert at_most(at("10:00"), at("10:30"), effect, hours) == 25 * 60
    assert at_most(at("10:00"), at("10:03"), effect, hours) == 0
    assert at_most(at("01:00"), at("23:00"), effect, hours) == 6 * 3600 - 300
    assert pd.isna(at_most(at("10:00"), pd.NaT, effect, hours))
    assert pd.isna(at_most(at("10:00"), at("10:30"), None, hours))


def test_error_budget_is_the_share_of_a_window_that_a_full_outage_spends() -> None:
    objectives = pd.DataFrame({"service": ["shop-*", "shop-api"], "objective": [99.9, 99.0], "window": ["30d", "30d"]})
    budget = Budget.of(objectives)
    # (1 - 0.999) x 30 d = 2592 s: the strictest of a service counts
    assert budget.share("shop-api", 1296.0) == pytest.approx(0.5)
    assert pd.isna(budget.share("other", 1296.0))
    with pytest.raises(SchemaError, match=r"99\.9, not 0\.999"):
        Budget.of(objectives.assign(objective=0.999))
    with pytest.raises(SchemaError, match="no column 'window'"):
        Budget.of(objectives.drop(columns="window"))
    assert Budget.of(objectives.assign(kind="latency")).seconds == {}
