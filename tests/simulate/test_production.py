from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import ParameterError

SMALL = {"services": 18, "teams": 4, "days": 14, "incidents": 12}


def in_incident(production: sl.Production) -> pd.Series:
    return production.labels["incident_id"].notna()


def test_the_same_seed_gives_the_same_tables() -> None:
    one, two = (sl.simulate_production(**SMALL, random_state=3) for _ in range(2))
    for name in ("services", "call_graph", "incidents", "alerts", "labels", "deploys"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))


def test_another_seed_gives_another_production() -> None:
    one, two = (sl.simulate_production(**SMALL, random_state=seed) for seed in (0, 1))
    assert not one.call_graph.equals(two.call_graph)
    assert not one.incidents["start"].equals(two.incidents["start"])


def test_alerts_are_the_table_every_room_takes() -> None:
    production = sl.simulate_production(**SMALL)
    need = [name for name in schema.ALERTS.names if name != "incident_id"]
    assert list(production.alerts.columns) == need
    pd.testing.assert_frame_equal(schema.check(production.alerts, schema.ALERTS, need=need), production.alerts)
    assert production.alerts["starts_at"].is_monotonic_increasing
    assert production.alerts["alert_id"].is_unique


def test_truth_names_only_what_is_there() -> None:
    production = sl.simulate_production(**SMALL)
    services = set(production.services["service"])
    assert len(services) == 18
    assert production.services["team"].nunique() == 4
    assert set(production.alerts["service"]) <= services
    assert set(production.call_graph.to_numpy().ravel()) <= services
    assert set(production.incidents["root_service"].dropna()) <= services
    assert set(production.labels["incident_id"].dropna()) <= set(production.incidents["incident_id"])
    assert production.labels["alert_id"].equals(production.alerts["alert_id"])


def test_an_alert_of_an_incident_begins_after_it() -> None:
    production = sl.simulate_production(**SMALL, clock_skew="0s")
    alerts = production.alerts.merge(production.labels, on="alert_id").merge(production.incidents, on="incident_id")
    assert len(alerts) > 20
    assert (alerts["starts_at"] >= alerts["start"]).all()


def test_the_root_is_reached_first_and_callers_only_through_calls() -> None:
    production = sl.simulate_production(**SMALL, noise=0.0, shared_causes=0.0)
    calls = production.call_graph.groupby("callee")["caller"].agg(set).to_dict()
    alerts = production.alerts.merge(production.labels, on="alert_id").merge(production.incidents, on="incident_id")
    for row in alerts.itertuples():
        reached, new = {row.root_service}, {row.root_service}
        while new:
            new = set().union(*(calls.get(service, set()) for service in new)) - reached
            reached |= new
        assert row.service in reached


def test_without_noise_every_alert_belongs_to_an_incident() -> None:
    assert in_incident(sl.simulate_production(**SMALL, noise=0.0)).all()


def test_more_noise_leaves_the_incidents_as_they_are() -> None:
    quiet, loud = (sl.simulate_production(**SMALL, noise=noise) for noise in (0.1, 1.0))
    pd.testing.assert_frame_equal(quiet.incidents, loud.incidents)
    pd.testing.assert_frame_equal(quiet.call_graph, loud.call_graph)
    assert (~in_incident(loud)).sum() > 4 * (~in_incident(quiet)).sum()


def test_more_coverage_shows_more_of_the_incidents() -> None:
    some, all_of_it = (sl.simulate_production(**SMALL, noise=0.0, coverage=share) for share in (0.3, 1.0))
    assert len(all_of_it.alerts) > 2 * len(some.alerts)
    assert all_of_it.alerts["service"].nunique() > some.alerts["service"].nunique()


def test_flapping_gives_more_and_shorter_alerts() -> None:
    calm, nervous = (sl.simulate_production(**SMALL, flapping=share, missing_recovery=0.0) for share in (0.0, 0.8))
    assert len(nervous.alerts) > 1.3 * len(calm.alerts)
    durations = [(p.alerts["ends_at"] - p.alerts["starts_at"]).median() for p in (calm, nervous)]
    assert durations[1] < durations[0]


def test_lost_recoveries_leave_alerts_open_and_swallow_the_next() -> None:
    told, lost = (sl.simulate_production(**SMALL, missing_recovery=share) for share in (0.0, 1.0))
    recovering = told.alerts["source"] != "sentry"
    assert told.alerts.loc[recovering, "ends_at"].notna().mean() > 0.98  # some are open when the export ends
    assert lost.alerts["ends_at"].isna().all()
    assert not lost.alerts.loc[lost.alerts["source"] != "sentry", "rule_key"].duplicated().any()


def test_sentry_never_tells_of_an_end() -> None:
    alerts = sl.simulate_production(**SMALL).alerts
    assert alerts.loc[alerts["source"] == "sentry", "ends_at"].isna().all()


def test_monitors_look_at_their_own_second_of_the_minute() -> None:
    alerts = sl.simulate_production(**SMALL, clock_skew="2s").alerts
    grid = alerts[alerts["source"] != "sentry"]
    assert grid.groupby("rule_key", observed=True)["starts_at"].agg(lambda at: (at.dt.second).nunique()).eq(1).all()
    assert grid["starts_at"].dt.second.nunique() > 10


def test_a_longer_detection_latency_delays_alerts() -> None:
    late = []
    for latency in ("0s", "10min"):
        production = sl.simulate_production(**SMALL, noise=0.0, detection_latency=latency)
        alerts = production.alerts.merge(production.labels, on="alert_id").merge(production.incidents, on="incident_id")
        late.append((alerts["starts_at"] - alerts["start"]).median())
    assert late[1] > late[0] + pd.Timedelta("3min")


def test_shared_causes_hit_services_that_do_not_call_each_other() -> None:
    production = sl.simulate_production(**SMALL, shared_causes=1.0)
    assert production.incidents["root_service"].isna().all()
    assert sl.simulate_production(**SMALL, shared_causes=0.0).incidents["root_service"].notna().all()


def test_faults_recur() -> None:
    incidents = sl.simulate_production().incidents
    assert incidents["pattern_id"].nunique() < 0.7 * len(incidents)
    assert incidents.groupby("pattern_id")["fault_type"].nunique().eq(1).all()


def test_the_default_is_what_data_is_made_of() -> None:
    production = sl.simulate_production()
    per_incident = production.labels["incident_id"].value_counts()
    assert len(production.services) == 40
    assert production.services["team"].nunique() == 8
    assert len(production.incidents) == 60
    assert 600 < len(production.alerts) < 1500
    assert 0.3 < in_incident(production).mean() < 0.7
    assert (per_incident == 1).any()
    assert set(production.alerts["source"].cat.categories) == {"cloudwatch", "datadog", "sentry"}
    assert repr(production).startswith("Production(40 services, ")


@pytest.mark.parametrize("empty", [{"coverage": 0.0}, {"noise": 0.0, "incidents": 0}])
def test_nothing_to_say_is_no_alerts(empty: dict[str, float]) -> None:
    production = sl.simulate_production(**{**SMALL, **empty})
    assert len(production.alerts) == len(production.labels) == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"services": 5}, "services=5 must be a whole number of at least 6"),
        ({"teams": 14}, "teams=14 is too many for 40 services; pass at most 13"),
        ({"noise": -1.0}, "noise=-1.0 must be 0 or more"),
        ({"noise": float("nan")}, "noise=nan must be 0 or more"),
        ({"coverage": 1.2}, "coverage=1.2 must be a number between 0 and 1"),
        ({"clock_skew": "soon"}, "clock_skew='soon' is not a duration"),
        ({"start": "yesterday-ish"}, "start='yesterday-ish' is not a time"),
    ],
)
def test_wrong_parameters_say_what_to_do(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        sl.simulate_production(**wrong)


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), services=st.integers(6, 40), days=st.integers(1, 20))
def test_any_production_is_consistent(seed: int, services: int, days: int) -> None:
    production = sl.simulate_production(services=services, teams=2, days=days, incidents=5, random_state=seed)
    assert production.services["service"].is_unique
    assert len(production.services) == services
    rows = {name: number for number, name in enumerate(production.services["service"])}
    calls = production.call_graph.replace(rows).to_numpy(dtype=int)
    assert (calls[:, 0] < calls[:, 1]).all()  # callers stand first: no cycles
    ends = production.alerts["ends_at"].dropna()
    assert (ends > production.alerts.loc[ends.index, "starts_at"]).all()
    known = np.isin(
        production.alerts["service"].to_numpy(dtype=str), production.services["service"].to_numpy(dtype=str)
    )
    assert known.all()
