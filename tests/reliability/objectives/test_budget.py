"""Every formula of the SLO part of the definitions, computed by hand."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.reliability.objectives import budget

HOUR, MONTH = pd.Timedelta("1h"), pd.Timedelta("30D")


def test_error_budget_is_what_may_fail() -> None:
    assert budget.budget(0.999) == pytest.approx(0.001)


def test_burn_rate_is_error_ratio_over_budget() -> None:
    assert budget.burn(0.005, 0.999) == pytest.approx(5.0)


def test_a_budget_of_30_days_lasts_50_hours_at_14_4() -> None:
    assert budget.exhaustion(MONTH, 14.4) == pd.Timedelta("50h")
    assert budget.exhaustion(MONTH, 0.0) is None


@pytest.mark.parametrize(
    ("fraction", "hours", "rate"), [(0.02, 1, 14.4), (0.05, 6, 6.0), (0.10, 24, 3.0), (0.10, 72, 1.0)]
)
def test_threshold_that_spends_a_fraction_in_a_window(fraction: float, hours: int, rate: float) -> None:
    assert budget.threshold(fraction, MONTH, hours * HOUR) == pytest.approx(rate)
    assert budget.spent(rate, hours * HOUR, MONTH) == pytest.approx(fraction)


def test_detection_time() -> None:
    # 0.001 / 0.1 * 3600 s * 14.4 = 518.4 s; all failing: 51.84 s
    assert budget.detection(0.1, 0.999, HOUR, 14.4).total_seconds() == pytest.approx(518.4)
    assert budget.detection(1.0, 0.999, HOUR, 14.4).total_seconds() == pytest.approx(51.84)


def test_what_burns_slower_than_the_rule_is_never_detected() -> None:
    assert budget.detection(0.01, 0.999, HOUR, 14.4) is None
    assert budget.detection(0.0, 0.999, HOUR, 14.4) is None


def test_one_failure_of_ten_requests_an_hour() -> None:
    # e = 1/10, b = 0.1 / 0.001 = 100, spent = 100 * 1 h / 720 h = 13.9 % (one of the 7.2 failures that 30 days allow)
    rate, spent = budget.one_failure(10, 0.999, HOUR, MONTH)
    assert rate == pytest.approx(100)
    assert spent == pytest.approx(0.1389, abs=1e-4)


def test_least_requests_of_which_one_may_fail() -> None:
    assert budget.least_total(0.999, 14.4) == 70  # 1 / 0.0144 = 69.4
    assert budget.least_total(0.999, 1.0) == 1001  # one of 1000 is just the rate


def test_the_rules_of_the_workbook() -> None:
    rules = [(r.severity, budget.length(r.long), budget.length(r.short), r.rate) for r in budget.rules_for(MONTH)]
    assert rules == [
        ("page", "1h", "5m", 14.4),
        ("page", "6h", "30m", 6.0),
        ("ticket", "24h", "2h", 3.0),
        ("ticket", "3d", "6h", 1.0),
    ]


def test_rules_scale_with_the_window_and_none_fires_while_the_objective_is_kept() -> None:
    # 7 d = 168 h: 0.02 * 168 / 1 = 3.36, 0.05 * 168 / 6 = 1.4, 0.1 * 168 / 24 = 0.7 and 0.1 * 168 / 72 = 0.23 left out
    assert [(r.name, r.rate) for r in budget.rules_for(pd.Timedelta("7D"))] == [("page 1h", 3.36), ("page 6h", 1.4)]


def test_a_rule_that_needs_more_than_all_to_fail_is_not_reachable() -> None:
    fastest = budget.rules_for(MONTH)[0]
    assert not fastest.reachable(0.9)  # 14.4 * 0.1 = 144 %
    assert fastest.reachable(0.95)


@given(st.floats(0.5, 0.9999), st.floats(0.1, 50), st.integers(1, 72))
def test_spending_a_fraction_and_the_threshold_of_it_are_inverse(target: float, rate: float, hours: int) -> None:
    window = hours * HOUR
    assert budget.threshold(budget.spent(rate, window, MONTH), MONTH, window) == pytest.approx(rate)
    assert budget.burn(rate * budget.budget(target), target) == pytest.approx(rate)
