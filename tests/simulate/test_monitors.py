from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stanza_lab.simulate.faults import SYMPTOMS
from stanza_lab.simulate.monitors import RULES, make_monitors
from stanza_lab.simulate.topology import make_topology

if TYPE_CHECKING:
    import pandas as pd

TOPOLOGY = make_topology(np.random.default_rng(0), services=150, teams=10)


def monitors(**more: float) -> pd.DataFrame:
    options = {"coverage": 1.0, "detection_latency_s": 90.0, "evaluation_ms": 60_000, "clock_skew_s": 2.0} | more
    return make_monitors(np.random.default_rng(0), TOPOLOGY, **options)


def test_each_vendor_watches_its_part() -> None:
    kinds = monitors().assign(kind=lambda m: TOPOLOGY.services["kind"].to_numpy()[m["service"]])
    found = kinds.groupby("vendor")["kind"].agg(set).to_dict()
    assert found["cloudwatch"] == {"rds", "sqs", "dynamodb", "elasticache", "lambda"}
    assert found["datadog"] == {"service", "web"}
    assert found["sentry"] == {"service", "web"}


def test_rules_name_known_vendors_and_symptoms() -> None:
    assert {rule.vendor for rule in RULES} == {"cloudwatch", "datadog", "sentry"}
    assert {rule.symptom for rule in RULES} == set(SYMPTOMS)
    assert all(bool(rule.level) == (rule.vendor == "sentry") for rule in RULES)


def test_half_the_coverage_is_about_half_the_monitors_and_leaves_some_blind() -> None:
    full, half = monitors(), monitors(coverage=0.5)
    assert 0.3 < len(half) / len(full) < 0.55
    assert half["service"].nunique() < full["service"].nunique()
    assert len(monitors(coverage=0.0)) == 0


def test_no_skew_and_no_grid() -> None:
    made = monitors(clock_skew_s=0.0, evaluation_ms=0)
    assert (made["skew_ms"] == 0).all()
    assert (made["period_ms"] == 1).all()


def test_phase_lies_inside_the_period() -> None:
    made = monitors()
    assert made["phase_ms"].between(0, made["period_ms"] - 1).all()
    assert sorted(made["period_ms"].unique()) == [1, 60_000, 300_000]
