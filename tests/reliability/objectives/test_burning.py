from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.reliability.objectives import budget
from tests.reliability.objectives.tables_of import START, counts, promised


def when(alerts: pd.DataFrame, rule: str) -> list[tuple[str, str | None]]:
    own = alerts[alerts["rule"] == rule]
    return [
        (f"{a:%d %H:%M}", None if pd.isna(b) else f"{b:%d %H:%M}")
        for a, b in zip(own["starts_at"], own["ends_at"], strict=True)
    ]


def test_a_page_needs_both_windows() -> None:
    # 20 of 1,000 for 2 h: the hour reaches 14.4 of 20 after 45 min (0.72 h); after the end 5 min are soon clean
    table = counts([0] * 12 + [20] * 24 + [0] * 24)
    assert when(sl.burn_alerts(table, objectives=promised()), "page 1h") == [("01 01:45", "01 03:05")]


def test_detection_time_is_what_the_formula_says() -> None:
    table = counts([0] * 24 + [100] * 6)
    first = sl.burn_alerts(table, objectives=promised())["starts_at"].min()
    exact = START + pd.Timedelta("2h") + budget.detection(0.1, 0.999, pd.Timedelta("1h"), 14.4)  # 8.64 min
    assert exact <= first < exact + pd.Timedelta("5min")


def test_a_slow_burn_is_a_ticket_only() -> None:
    alerts = sl.burn_alerts(counts([4] * 600), objectives=promised())  # burn 4 for 50 h
    assert set(alerts["severity"]) == {"ticket"}
    assert alerts["ends_at"].isna().all()


def test_one_failure_of_few_requests_does_not_page() -> None:
    table = counts([0] * 20 + [1] + [0] * 20, total=5)  # 60 an hour: one failure is a burn rate of 16.7
    assert sl.burn_alerts(table, objectives=promised()).empty
    loud = sl.burn_alerts(table, objectives=promised(), min_total=1)
    assert "page 1h" in set(loud["rule"])
    said = sl.burn_rates(table, objectives=promised()).attrs["unseen"]
    assert any(one.startswith("Answers of shop: page 1h could be judged 0% of the time") for one in said)


def test_a_window_of_which_less_than_half_was_seen_is_not_judged() -> None:
    table = counts([100] * 20).drop(index=range(4, 19))
    rates = sl.burn_rates(table, objectives=promised())
    own = rates[(rates["rule"] == "page 1h")].set_index("at")["judged"]
    assert not own.iloc[-1]


def test_coarse_counts_take_one_interval_for_the_short_window() -> None:
    table = counts([0] * 5 + [500] + [0] * 5, step="1h")
    assert when(sl.burn_alerts(table, objectives=promised()), "page 1h") == [("01 06:00", "01 07:00")]


def test_rules_that_cannot_fire_are_named() -> None:
    said = sl.burn_rates(counts([0] * 20), objectives=promised(90)).attrs["unseen"]
    assert "Answers: page 1h is left out: a burn rate of 14.4 would need 144% errors" in said
    week = sl.burn_rates(counts([0] * 20), objectives=promised(window="7D")).attrs["unseen"]
    assert any("ticket 24h is left out: over 7d it would fire while all is well" in one for one in week)


def test_alert_says_what_was_spent_when_it_fired() -> None:
    alert = sl.burn_alerts(counts([0] * 12 + [1000] * 3), objectives=promised()).iloc[0]
    # one of twelve intervals all failed: burn 1 / 12 / 0.001 = 83.3 over 1 h of 720 h
    assert alert["spent"] == pytest.approx(83.333 / 720, abs=1e-4)
    assert "burnt 83.3 times as fast as allowed over 1h (11.6% of it" in alert["words"]


@settings(max_examples=8)
@given(st.lists(st.integers(0, 60), min_size=14, max_size=40), st.integers(0, 1000))
def test_shifting_all_times_shifts_the_alerts(bad: list[int], days: int) -> None:
    table, shift = counts(bad), pd.Timedelta(days=days)
    here = sl.burn_alerts(table, objectives=promised())
    there = sl.burn_alerts(table.assign(at=table["at"] + shift), objectives=promised())
    assert (here["starts_at"] + shift).tolist() == there["starts_at"].tolist()


@pytest.mark.parametrize("objective", [99.9, 99.5, 99.0])
def test_a_burn_rate_that_is_exactly_the_rate_of_a_rule_does_not_exceed_it(objective: float) -> None:
    # ticket 72h of 30 d fires above 1; the error ratio is the budget itself, to the last bit but for noise
    table = counts([1000 - 10 * objective] * 80, step="1h")
    assert sl.burn_alerts(table, objectives=promised(objective)).empty
