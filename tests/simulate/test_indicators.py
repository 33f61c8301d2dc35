from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.reliability.objectives import tables
from stanza_lab.simulate.exports import indicators as exports


@pytest.fixture(scope="module")
def production():
    return sl.simulate_production(services=12, teams=3, days=32, incidents=30, random_state=3)


@pytest.fixture(scope="module")
def files(production):
    return dict(exports.render(production))


def test_counts_are_a_table_of_indicators(production) -> None:
    pd.testing.assert_frame_equal(tables.checked(production.indicators), production.indicators)


def test_front_ends_count_and_one_has_sessions(production) -> None:
    edges = set(production.services.loc[production.services["tier"] == "edge", "service"])
    assert set(production.indicators["service"]) <= edges
    sessions = production.indicators[production.indicators["indicator"] == "sessions"]
    assert sessions["service"].nunique() == 1
    assert len(sessions) == 32 * 24


def test_more_fails_while_a_fault_reaches_a_front_end(production) -> None:
    requests = production.indicators[production.indicators["indicator"] == "requests"]
    name = requests["service"].iloc[0]
    own = requests[requests["service"] == name]
    row = int(np.flatnonzero(production.services["service"] == name)[0])
    reached = production.faults.reached
    end = own["at"].astype("int64").to_numpy() // 1000
    during = np.zeros(len(own), dtype=bool)
    for fault in reached[reached["service"] == row].to_dict("records"):
        during |= (end > fault["start_ms"]) & (end - 300_000 < fault["end_ms"])
    share = (own["total"] - own["good"]).groupby(during).sum() / own["total"].groupby(during).sum()
    assert share[True] > 20 * share[False]


def test_nights_are_quieter_than_days(production) -> None:
    own = production.indicators[production.indicators["indicator"] == "sessions"]
    by_hour = own.groupby(own["at"].dt.hour)["total"].mean()
    assert by_hour[2] < by_hour[14] / 2


def test_nothing_else_changes_and_each_time_is_the_same(production, files) -> None:
    again = sl.simulate_production(services=12, teams=3, days=32, incidents=30, random_state=3)
    before = again.alerts.copy()
    assert dict(exports.render(again)) == files
    pd.testing.assert_frame_equal(again.alerts, before)


def test_what_is_exported_is_read_back(production, files, tmp_path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = sl.read_indicators(tmp_path / "indicators")
    made = production.indicators[production.indicators["service"].isin(found["service"].unique())]
    for indicator in ("requests", "sessions"):
        one, other = (t[t["indicator"] == indicator] for t in (found, made))
        assert one[["good", "total"]].sum().tolist() == other[["good", "total"]].sum().tolist()
    latency = found[found["indicator"] == "latency"]
    assert any("reset" in said for said in found.attrs["read"])
    began = latency["at"].min() - pd.Timedelta("1h")
    recent = made[(made["indicator"] == "requests") & (made["at"] > began) & made["le"].map(bool)]
    service = latency["service"].iloc[0]
    whole = recent.loc[recent["service"] == service, "total"].sum()
    assert 0.98 * whole < latency["total"].sum() <= whole


def test_the_bundled_company_stays_small() -> None:
    made = dict(exports.render(sl.simulate_production()))
    assert sum(map(len, made.values())) < 1_100_000


@pytest.mark.parametrize("days", [1, 2])
def test_a_short_production_is_exported_too(days: int) -> None:
    assert dict(exports.render(sl.simulate_production(services=6, teams=1, days=days, incidents=0)))
