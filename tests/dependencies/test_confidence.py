"""Confidence: chance is subtracted, rivals are seen, and it means frequency on productions that were not fitted."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.dependencies.confidence import DIRECTION_FEATURES, LINK_FEATURES, Calibration
from stanza_lab.dependencies.metrics import reliability

OUTAGES = pd.date_range("2026-03-01T14:00Z", periods=15, freq="37h")


def evidence(lags: dict[str, float]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"starts_at": OUTAGES + pd.Timedelta(lag, "s"), "service": name}) for name, lag in lags.items()
    ]
    return sl.DependencyModel().fit(pd.concat(parts)).evidence_.set_index(["a", "b"])


def test_expected_by_chance_comes_from_the_flanks() -> None:
    # Both fire once an hour, 20 minutes apart: near each other all the time, together never more than chance.
    hours = pd.date_range("2026-03-01", periods=200, freq="61min", tz="UTC")
    a = pd.DataFrame({"starts_at": hours, "service": "a"})
    b = pd.DataFrame({"starts_at": hours[::4] + pd.Timedelta("5min"), "service": "b"})
    other = pd.DataFrame({"starts_at": hours + pd.Timedelta("25min"), "service": "b"})
    row = sl.DependencyModel(min_confidence=0).fit(pd.concat([a, b, other])).evidence_.iloc[0]
    assert row["cofirings"] == 50
    assert row["expected"] > 50
    assert row["link_confidence"] < 0.1


def test_lag_is_the_median_from_a_to_b() -> None:
    lag = evidence({"a": 0, "b": 90, "c": -200})["lag_s"]
    assert lag["a", "b"] == pytest.approx(90, abs=30)
    assert lag["a", "c"] == pytest.approx(-200, abs=60)


def test_a_pair_that_a_third_explains_is_less_sure() -> None:
    found = evidence({"db": 0, "orders": 60, "web": 120})
    assert (found["rival"] <= 0).all()
    assert (found["link_confidence"] <= 0.5).all()


def test_firing_later_and_more_often_speaks_for_depending() -> None:
    more = pd.DataFrame({"starts_at": OUTAGES + pd.Timedelta("7h"), "service": "caller"})
    both = [
        pd.DataFrame({"starts_at": OUTAGES + pd.Timedelta(s, "s"), "service": n})
        for n, s in (("caller", 60), ("db", 0))
    ]
    model = sl.DependencyModel().fit(pd.concat([more, *both]))
    assert model.edges_.iloc[0][["src", "dst"]].tolist() == ["caller", "db"]


def test_direction_never_claims_more_than_four_to_one() -> None:
    follows = evidence({"a": 0, "b": 90, "c": 40_000})["b_depends"]
    assert follows.between(0.2, 0.8).all()


def test_names_do_not_decide_the_direction() -> None:
    there, back = evidence({"a": 0, "b": 90}), evidence({"b": 0, "a": 90})
    assert there["b_depends"].iloc[0] == pytest.approx(1 - back["b_depends"].iloc[0])
    assert there["link_confidence"].iloc[0] == pytest.approx(back["link_confidence"].iloc[0])


def test_calibration_names_its_command_and_has_a_weight_for_each_feature() -> None:
    content = json.loads(resources.files("stanza_lab.dependencies").joinpath("calibration.json").read_text("utf-8"))
    assert content["command"] == "python -m benchmarks.calibrate_edges"
    assert set(Calibration.load().link) == {*LINK_FEATURES, "intercept"}
    assert set(Calibration.load().direction) == set(DIRECTION_FEATURES)


def test_confidence_means_frequency_on_productions_not_fitted() -> None:
    claimed, real = [], []
    for seed in range(9000, 9006):
        production = sl.simulate_production(services=40, incidents=250, random_state=seed)
        edges = sl.DependencyModel().fit(production.alerts).edges_
        calls = set(production.call_graph.itertuples(index=False, name=None))
        claimed.append(edges["confidence"])
        real.append([edge in calls for edge in zip(edges["src"], edges["dst"], strict=True)])
    table = reliability(np.concatenate(claimed), np.concatenate(real))
    assert (abs(table["confidence"] - table["real"]) * table["pairs"]).sum() / table["pairs"].sum() < 0.05
    filled = table[table["pairs"] >= 30]
    assert (filled["real"] > filled["confidence"] - 0.15).all()
