from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.production import ProductionMap
from stanza_lab.production.door import pattern
from stanza_lab.production.door.pattern import Around, Near, Pattern, applies

EDGES = pd.DataFrame(
    {
        "src": ["shop", "orders-api", "orders-api", "mail"],
        "dst": ["orders-api", "orders-db", "cache", "orders-api"],
        "confidence": [0.9, 0.8, 0.7, 0.1],
    }
)
OWNERS = pd.DataFrame(
    {"service": ["shop", "orders-api", "orders-db", "far"], "team": ["web", "orders", "storage", "far"]}
)
ALERTS = pd.DataFrame(
    {
        "service": ["orders-api", "orders-api", "orders-db", "shop"],
        "starts_at": pd.to_datetime(["2026-07-01", "2026-07-04", "2026-07-02", "2026-07-10"], utc=True),
        "alertname": ["High p99 latency", "Pod down", "CPU high", "High p99 latency"],
        "severity": ["error", "warning", None, "critical"],
    }
)


@pytest.fixture
def around() -> Around:
    return Around(ProductionMap(EDGES, ALERTS, ownership=OWNERS))


def near(service: str = "*", **given: object) -> Pattern:
    return Pattern(near=(Near((service,), **given),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("when", "service", "holds"),
    [
        (Pattern(), "shop", True),
        (Pattern(service=("*-api",)), "orders-api", True),
        (Pattern(service=("*-api",)), "shop", False),
        (Pattern(team=("ord*",)), "orders-api", True),
        (Pattern(team=("ord*",)), "mail", False),  # of no known team
        (Pattern(service=("*-api",), team=("web",)), "orders-api", False),
        (Pattern(team=("far",)), "far", True),  # only the catalogue knows it
        (near("*-db"), "orders-api", True),
        (near("*-db"), "shop", False),
        (near("*-db", hops=2), "shop", True),
        (near("*-db", direction="upstream"), "orders-api", False),
        (near("shop", direction="upstream"), "orders-api", True),
        (near("orders-api"), "orders-api", False),  # itself is not near
    ],
)
def test_service_team_and_graph_decide(around: Around, when: Pattern, service: str, holds: bool) -> None:
    fit = applies(around, when, service=service)
    assert fit.holds is holds
    assert fit.words


def test_without_alerts_at_hand_conditions_are_told_with_their_history(around: Around) -> None:
    when = Pattern(symptom=("latency",), near=(Near(("*-db",), alerting=True),))
    fit = applies(around, when, service="orders-api")
    assert fit.holds
    assert fit.words == (
        "when orders-api has an alert about latency (1 time in 10 days); "
        "once orders-db, within 1 hop of orders-api, alerts"
    )
    never = applies(around, Pattern(alert=("*disk*",)), service="orders-api")
    assert never.words == "when orders-api has an alert like *disk* (never in 10 days)"


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (Pattern(alert=("*P99*",)), True),
        (Pattern(alert=("*disk*",)), False),
        (Pattern(severity="error"), True),
        (Pattern(severity="critical"), False),
        (Pattern(symptom=("latency", "errors")), True),
        (Pattern(alert=("*p99*",), severity="critical"), False),
        (near("*-db", alerting=True), True),
        (near("cache", alerting=True), False),
        (near("shop", alerting=True, direction="downstream"), False),
    ],
)
def test_with_alerts_at_hand_every_condition_must_hold(around: Around, when: Pattern, holds: bool) -> None:
    now = ALERTS.iloc[[0, 2]]
    assert applies(around, when, service="orders-api", alerts=now).holds is holds


def test_what_fails_is_said(around: Around) -> None:
    when = Pattern(severity="critical", near=(Near(("cache",), alerting=True), Near(("*-db",))))
    fit = applies(around, when, service="orders-api", alerts=ALERTS)
    assert fit.words == (
        "orders-api has not an alert of severity critical or worse now; "
        "cache, within 1 hop of orders-api, does not alert"
    )


def test_a_map_without_alerts_still_tells_the_condition() -> None:
    fit = applies(Around(ProductionMap(EDGES)), Pattern(alert=("x",)), service="shop")
    assert fit == (True, "when shop has an alert like x")


def test_alerts_are_not_changed(around: Around) -> None:
    before = ALERTS.copy()
    applies(around, Pattern(symptom=("errors",), severity="info"), service="shop", alerts=ALERTS)
    pd.testing.assert_frame_equal(ALERTS, before)


def test_days_count_from_the_first_to_the_last_alert() -> None:
    assert pattern.span_days(ALERTS) == 10
    assert pattern.span_days(None) == 0
