from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.incidents import IncidentClusterer, cluster_incidents

START = pd.Timestamp("2026-03-01T14:00Z")
EXPECTED_FAILURES = {
    "check_clustering": "its blobs lie within seconds of each other, and an incident is a matter of minutes",
}


def alerts_at(*minutes: float | None, **columns: list[str | None]) -> pd.DataFrame:
    times = [None if m is None else START + pd.Timedelta(minutes=m) for m in minutes]
    return pd.DataFrame({"starts_at": pd.to_datetime(pd.Series(times), utc=True), **columns})


def labels(alerts: pd.DataFrame, **parameters: object) -> list[int]:
    return IncidentClusterer(**parameters).fit(alerts).labels_.tolist()


@parametrize_with_checks([IncidentClusterer()], expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_scikit_learn_manners(estimator, check):
    check(estimator)


def test_incidents_are_numbered_in_time_and_kept_in_row_order():
    assert labels(alerts_at(500, 0, 501, 1, 900)) == [1, 0, 1, 0, -1]


def test_two_alerts_hold_together_within_the_resolution_only():
    assert labels(alerts_at(0, 2)) == [0, 0]
    assert labels(alerts_at(0, 3)) == [-1, -1]
    assert labels(alerts_at(0, 3), resolution="3min") == [0, 0]
    assert labels(alerts_at(0, 3), min_neighbours=1) == [0, 0]


def test_more_alerts_reach_further():
    assert labels(alerts_at(0, 5, 10)) == [0, 0, 0]
    assert labels(alerts_at(0, 5, 10), max_gap="9min") == [-1, -1, -1]
    assert labels(alerts_at(0, 5, 10), min_neighbours=3) == [-1, -1, -1]


def test_other_service_and_other_team_are_further_away():
    services = alerts_at(0, 1, service=["checkout", "search"])
    teams = services.assign(team=["payments", "discovery"])
    assert labels(services) == [0, 0]
    assert labels(services, service_gap="2min") == [-1, -1]
    assert labels(teams) == [-1, -1]
    assert labels(teams, team_gap="0s") == [0, 0]


def test_one_rule_that_fires_again_is_no_incident():
    flapping = alerts_at(0, 1, 2, 90, 91, rule_key=["r1", "r1", "r1", "r1", "r2"])
    assert labels(flapping) == [-1, -1, -1, 0, 0]
    assert labels(flapping, min_rules=1) == [0, 0, 0, 1, 1]
    assert IncidentClusterer().fit(flapping).probabilities_.tolist()[:3] == [0, 0, 0]


def test_without_a_rule_key_name_and_service_are_the_rule():
    assert labels(alerts_at(0, 1, alertname=["slow", "slow"], service=["web", "web"])) == [-1, -1]
    assert labels(alerts_at(0, 1, alertname=["slow", "slow"], service=["web", "api"])) == [0, 0]
    assert labels(alerts_at(0, 1, alertname=["slow", "slow"], service=[None, None])) == [-1, -1]
    assert labels(alerts_at(0, 1, rule_key=[None, None])) == [0, 0]


def test_unknown_is_a_value_of_its_own():
    assert labels(alerts_at(0, 1, service=[None, None]), service_gap="5min") == [0, 0]
    assert labels(alerts_at(0, 1, service=["checkout", None]), service_gap="5min") == [-1, -1]


def test_concurrent_trouble_of_two_services_stays_apart():
    alerts = alerts_at(*range(10), service=["checkout", "search"] * 5)
    assert labels(alerts, service_gap="30min") == [0, 1] * 5


def test_an_alert_without_a_start_is_noise():
    assert labels(alerts_at(0, None, 1)) == [0, -1, 0]
    assert labels(alerts_at(None, None)) == [-1, -1]


def test_few_rows():
    assert labels(alerts_at()) == []
    assert labels(alerts_at(0)) == [-1]


def test_all_at_the_same_instant():
    assert labels(alerts_at(*[7.0] * 50)) == [0] * 50


def test_membership_and_distance_explain_a_label():
    model = IncidentClusterer(min_neighbours=1).fit(alerts_at(0, 1, 30))
    assert model.probabilities_.tolist() == pytest.approx([1, 1, 0], abs=1e-3)
    assert model.distances_.tolist() == [60, 60, 29 * 60]
    assert IncidentClusterer().fit(alerts_at(0, 1)).distances_.tolist() == [np.inf, np.inf]


def test_numbers_are_seconds_service_and_team():
    numbers = [[0.0, 1, 1], [60.0, 1, 1], [60.0, 2, 2], [9_000.0, 1, 1]]
    assert IncidentClusterer(service_gap="1h").fit(numbers).labels_.tolist() == [0, 0, -1, -1]
    assert IncidentClusterer().fit([row[:1] for row in numbers]).labels_.tolist() == [0, 0, 0, -1]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_gap": "soon"}, "max_gap='soon' is not a duration"),
        ({"max_gap": "0s"}, "max_gap='0s' must be longer than zero"),
        ({"service_gap": "-1min"}, "service_gap='-1min' must be zero or longer"),
        ({"min_alerts": 1}, "min_alerts=1 must be a whole number of at least 2"),
        ({"min_rules": 0}, "min_rules=0 must be a whole number of at least 1"),
        ({"min_neighbours": 0}, "min_neighbours=0 must be a whole number of at least 1"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ParameterError, match=message):
        IncidentClusterer(**parameters).fit(alerts_at(0, 1))


def test_a_table_without_starts_at():
    with pytest.raises(SchemaError, match="did you mean 'startsAt'"):
        IncidentClusterer().fit(pd.DataFrame({"startsAt": ["2026-03-01T14:02Z"]}))


def test_verb_adds_a_column_and_leaves_its_argument_alone():
    alerts = alerts_at(0, 1, 90).set_index(pd.Index([5, 3, 3]))
    before = alerts.copy()
    found = cluster_incidents(alerts)
    assert found["incident_id"].tolist() == [0, 0, -1]
    assert found["incident_id"].dtype == "int64"
    assert found.index.tolist() == [5, 3, 3]
    pd.testing.assert_frame_equal(alerts, before)


def test_verb_takes_any_clusterer():
    by_minute = FunctionTransformer(lambda a: a[["starts_at"]].astype("int64") / 6e7)
    model = make_pipeline(by_minute, DBSCAN(eps=5, min_samples=2))
    assert cluster_incidents(alerts_at(0, 4, 90), clusterer=model)["incident_id"].tolist() == [0, 0, -1]
    assert not hasattr(model[-1], "labels_")


TABLES = st.lists(
    st.tuples(st.integers(0, 240), st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y", None])), max_size=40
).map(
    lambda rows: alerts_at(*[r[0] / 2 for r in rows], service=[r[1] for r in rows], team=[r[2] for r in rows]).assign(
        alert_id=[f"{i:03}" for i in range(len(rows))]
    )
)


@settings(max_examples=60)
@given(TABLES, st.randoms())
def test_row_order_does_not_matter(alerts, random):
    order = list(range(len(alerts)))
    random.shuffle(order)
    assert labels(alerts.iloc[order]) == [labels(alerts)[i] for i in order]


@settings(max_examples=60)
@given(TABLES, st.integers(-(10**12), 10**12))
def test_shifting_all_times_does_not_matter(alerts, micros):
    moved = alerts.assign(starts_at=alerts["starts_at"] + pd.Timedelta(micros, "us"))
    assert labels(moved) == labels(alerts)


@settings(max_examples=60)
@given(TABLES, TABLES)
def test_alerts_far_away_do_not_matter(alerts, others):
    later = others.assign(
        starts_at=others["starts_at"] + pd.Timedelta("3D"), alert_id=others["alert_id"].astype("str") + "z"
    )
    both = pd.concat([alerts, later], ignore_index=True)
    assert labels(both)[: len(alerts)] == labels(alerts)


@settings(max_examples=60)
@given(TABLES)
def test_names_do_not_matter(alerts):
    names = {"a": "zebra", "b": "yak", "c": "ant", "x": "one", "y": "none"}
    renamed = alerts.assign(service=alerts["service"].map(names), team=alerts["team"].map(names))
    assert labels(renamed) == labels(alerts)


@settings(max_examples=60)
@given(TABLES)
def test_every_incident_has_enough_alerts(alerts):
    model = IncidentClusterer(min_alerts=3).fit(alerts)
    sizes = np.bincount(model.labels_[model.labels_ >= 0])
    assert (sizes >= 3).all()
    assert ((model.probabilities_ > 0) == (model.labels_ >= 0)).all()
    starts = alerts["starts_at"].groupby(model.labels_).min().drop(-1, errors="ignore")
    assert starts.is_monotonic_increasing
