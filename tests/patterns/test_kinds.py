from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.errors import ParameterError
from stanza_lab.patterns.kinds import alert_kinds

ALERTS = pd.DataFrame(
    {
        "service": ["db", "db", None, "api"],
        "alertname": ["High latency", "Slow queries latency", "odd", "odd"],
        "rule_key": ["r1", "r2", "r3", "r4"],
    }
)


def test_one_symptom_of_a_service_is_one_kind_whatever_rule_said_so() -> None:
    kinds = alert_kinds(ALERTS)
    assert kinds["kind"].tolist() == ["db: latency", "db: latency", "unknown: odd", "api: odd"]
    assert kinds["service"].isna().tolist() == [False, False, True, False]


def test_by_rule_and_by_service() -> None:
    assert alert_kinds(ALERTS, by="rule")["kind"].tolist()[:2] == ["db: High latency", "db: Slow queries latency"]
    assert alert_kinds(ALERTS, by="service")["kind"].tolist() == ["db", "db", "unknown", "api"]


def test_two_rules_of_one_name_are_told_apart_by_their_key() -> None:
    same = ALERTS.assign(service="db", alertname="odd")
    assert alert_kinds(same, by="rule")["kind"].tolist() == [f"db: odd (r{i})" for i in range(1, 5)]


def test_another_way_is_told() -> None:
    with pytest.raises(ParameterError, match="by="):
        alert_kinds(ALERTS, by="team")
