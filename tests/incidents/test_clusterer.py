from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.incidents import IncidentClusterer, cluster_incidents
from stanza_lab.tuning import TimeSplits
from tests.incidents.correlation.plain import alerts_at, clusterer

DAY = 1440
EXPECTED_FAILURES = {
    "check_clustering": "its blobs lie within seconds of each other, and an incident is a matter of minutes",
}


def labels(alerts: pd.DataFrame, **changed: object) -> list[int]:
    return clusterer(**changed).fit(alerts).labels_.tolist()


@parametrize_with_checks([IncidentClusterer()], expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_scikit_learn_manners(estimator, check):
    check(estimator)


def test_incidents_are_numbered_in_time_and_kept_in_row_order():
    assert labels(alerts_at(500, 0, 501, 1, 900)) == [1, 0, 1, 0, -1]


def test_two_alerts_hold_together_within_the_resolution_only():
    assert labels(alerts_at(0, 2)) == [0, 0]
    assert labels(alerts_at(0, 3)) == [-1, -1]
    assert labels(alerts_at(0, 3), resolution="3min") == [0, 0]
    assert labels(alerts_at(0, 1), resolution="0s") == [-1, -1]
    assert labels(alerts_at(0, 3), min_neighbours=1) == [0, 0]


def test_more_alerts_reach_further():
    assert labels(alerts_at(0, 5, 10)) == [0, 0, 0]
    assert labels(alerts_at(0, 5, 10), max_gap="9min") == [-1, -1, -1]
    assert labels(alerts_at(0, 5, 10), min_neighbours=3) == [-1, -1, -1]


def test_other_service_and_other_team_are_further_away():
    services = alerts_at(0, 1, service=["checkout", "search"])
    teams = services.assign(team=["payments", "discovery"])
    assert labels(services, service_gap="1min") == [0, 0]
    assert labels(services, service_gap="2min") == [-1, -1]
    assert labels(teams, service_gap="30s", team_gap="1min") == [-1, -1]
    assert labels(teams, service_gap="30s") == [0, 0]


def test_one_rule_that_fires_again_is_no_incident():
    flapping = alerts_at(0, 1, 2, 90, 91, rule_key=["r1", "r1", "r1", "r1", "r2"])
    assert labels(flapping) == [-1, -1, -1, 0, 0]
    assert labels(flapping, min_rules=1) == [0, 0, 0, 1, 1]
    assert clusterer().fit(flapping).probabilities_.tolist()[:3] == [0, 0, 0]


def test_without_a_rule_key_name_and_service_are_the_rule():
    assert labels(alerts_at(0, 1, alertname=["slow", "slow"], service=["web", "web"])) == [-1, -1]
    assert labels(alerts_at(0, 1, alertname=["slow", "slow"], service=["web", "api"])) == [0, 0]
    assert labels(alerts_at(0, 1, alertname=["slow", "slow"], service=[None, None])) == [-1, -1]
    assert labels(alerts_at(0, 1, rule_key=[None, None])) == [0, 0]


def test_concurrent_trouble_of_two_services_stays_apart():
    alerts = alerts_at(*range(10), service=["checkout", "search"] * 5)
    assert labels(alerts, service_gap="30min") == [0, 1] * 5
    assert labels(alerts) == [0] * 10


def test_concurrent_trouble_of_services_that_call_each_other_is_one():
    alerts = alerts_at(*range(12), service=["checkout", "payments", "search"] * 4)
    edges = pd.DataFrame({"src": ["checkout"], "dst": ["payments"]})
    assert labels(alerts, service_gap="30min", call_gap="30min", edges=edges) == [0, 0, 1] * 4


def test_a_long_incident_with_late_symptoms_stays_whole():
    minutes = [0, 1, 3, 6, 10, 15, 20, 25, 30, 36, 42, 48, 55, 62]
    alerts = alerts_at(*minutes, 300, service=[*["web", "db"] * 7, "web"])
    assert labels(alerts, service_gap="1min") == [0] * 14 + [-1]


def with_a_chronic_rule(days: int) -> pd.DataFrame:
    """Every day three of a to h fire together; `disk` fires every 97 minutes, whatever happens."""
    chronic = np.arange(5, days * DAY, 97).tolist()
    told = [day * DAY + at for day in range(days) for at in (600, 602, 604)]
    rules = [rule for day in range(days) for rule in [*"abcdefgh"][day % 6 : day % 6 + 3]]
    return alerts_at(*told, *chronic, rule_key=rules + ["disk"] * len(chronic))


def test_a_chronic_rule_stays_out_and_a_telling_one_joins():
    history, last = with_a_chronic_rule(60), 60 * DAY
    now = alerts_at(last + 600, last + 602, last + 604, last + 608, rule_key=[*"ceg", "disk"])
    alerts = pd.concat([history, now], ignore_index=True)
    telling = alerts.assign(rule_key=[*alerts["rule_key"][:-1], "b"])
    looks = {"chronic_gap": "10min", "max_gap": "4min"}
    for told, joins in ((alerts, False), (telling, True)):
        found = clusterer(**looks).fit(told).labels_.tolist()
        assert len({*found[-4:-1]}) == 1
        assert found[-4] >= 0
        assert (found[-1] == found[-4]) == joins
        assert (found[-1] == -1) != joins
    assert len({*labels(alerts, max_gap="8min")[-4:]}) == 1  # time alone takes it in


def test_what_is_seldom_together_is_an_incident_once_it_recurs():
    looks = {"recurrence_gap": "2min", "max_gap": "3min", "min_neighbours": 1}
    close = [(day * DAY, day * DAY + 1) for day in range(8)]
    lone = [day * DAY + 500 for day in range(8)]
    minutes = [m for pair in close for m in pair] + lone + [8 * DAY, 8 * DAY + 4]
    alerts = alerts_at(*minutes, rule_key=["a", "b"] * 8 + ["c"] * 8 + ["a", "b"])
    assert labels(alerts, **looks)[-2:] == [-1, -1]
    assert labels(alerts, **looks, passes=2)[-2:] == [8, 8]
    assert labels(alerts.assign(rule_key=[*alerts["rule_key"][:-1], "d"]), **looks, passes=2)[-2:] == [-1, -1]


def test_an_alert_without_a_start_is_noise():
    assert labels(alerts_at(0, None, 1)) == [0, -1, 0]
    assert labels(alerts_at(None, None)) == [-1, -1]
    assert clusterer().fit(alerts_at(0, None, 1)).distances_.tolist()[1] == np.inf


def test_few_rows():
    assert labels(alerts_at()) == []
    assert labels(alerts_at(0)) == [-1]
    assert len(clusterer().fit(alerts_at()).condensed_tree_) == 0
    assert clusterer().fit(alerts_at()).relative_validity_ == 0


def test_all_at_the_same_instant():
    assert labels(alerts_at(*[7.0] * 50)) == [0] * 50
    assert labels(alerts_at(*[7.0] * 50), resolution="0s") == [0] * 50


def test_membership_and_distance_explain_a_label():
    model = clusterer(min_neighbours=1).fit(alerts_at(0, 1, 30))
    assert model.probabilities_.tolist() == pytest.approx([1, 1, 0], abs=1e-3)
    assert model.distances_.tolist() == [60, 60, np.inf]
    assert clusterer(min_neighbours=1, max_gap="30min").fit(alerts_at(0, 1, 30)).distances_.tolist()[2] == 29 * 60
    assert clusterer().fit(alerts_at(0, 1)).distances_.tolist() == [np.inf, np.inf]


def test_numbers_are_seconds_service_and_team():
    numbers = [[0.0, 1, 1], [60.0, 1, 1], [60.0, 2, 2], [9_000.0, 1, 1]]
    assert clusterer(service_gap="1h").fit(numbers).labels_.tolist() == [0, 0, -1, -1]
    assert clusterer(team_gap="1h").fit(numbers).labels_.tolist() == [0, 0, -1, -1]
    assert clusterer().fit([row[:1] for row in numbers]).labels_.tolist() == [0, 0, 0, -1]


def test_ids_that_repeat_or_lack_and_any_index():
    alerts = alerts_at(0, 1, 90, alert_id=["a", "a", None])
    assert labels(alerts) == [0, 0, -1]
    assert labels(alerts.set_index(pd.Index([3, 3, 3]))) == [0, 0, -1]
    assert labels(alerts.drop(columns="alert_id")) == [0, 0, -1]


def test_categories_are_text():
    alerts = alerts_at(0, 1, 2, 3, service=["a", None, "a", None], team=[*"xyxy"], rule_key=["r", "q", None, "p"])
    kinds = {"service": "category", "team": "category", "rule_key": "category"}
    assert labels(alerts.astype(kinds), service_gap="1h") == labels(alerts, service_gap="1h") == [0, 1, 0, 1]


def test_fit_leaves_its_argument_alone():
    alerts = alerts_at(3, 0, None, service=["a", "b", "c"], resources=[["h"], [], None])
    before = alerts.copy(deep=True)
    clusterer().fit(alerts).predict(alerts)
    pd.testing.assert_frame_equal(alerts, before)


def test_the_same_alerts_give_the_same_again():
    alerts = with_a_chronic_rule(5)
    one, two = IncidentClusterer().fit(alerts), IncidentClusterer().fit(alerts)
    assert one.labels_.tolist() == two.labels_.tolist()
    assert one.probabilities_.tolist() == two.probabilities_.tolist()
    pd.testing.assert_frame_equal(one.condensed_tree_, two.condensed_tree_)
    assert one.fit(alerts).labels_.tolist() == two.labels_.tolist()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_gap": "soon"}, "max_gap='soon' is not a duration"),
        ({"max_gap": "0s"}, "max_gap='0s' must be longer than zero"),
        ({"service_gap": "-1min"}, "service_gap='-1min' must be zero or longer"),
        ({"crowd_gap": None}, "crowd_gap=None must be zero or longer"),
        ({"resolution": "-1s"}, "resolution='-1s' must be zero or longer"),
        ({"min_alerts": 1}, "min_alerts=1 must be a whole number of at least 2"),
        ({"min_rules": 0}, "min_rules=0 must be a whole number of at least 1"),
        ({"min_neighbours": 0}, "min_neighbours=0 must be a whole number of at least 1"),
        ({"max_chronic": 1.5}, "max_chronic=1.5 must be a number between 0 and 1"),
        ({"passes": 0}, "passes=0 must be a whole number of at least 1"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ParameterError, match=message):
        IncidentClusterer(**parameters).fit(alerts_at(0, 1))


def test_a_table_without_starts_at():
    with pytest.raises(SchemaError, match="did you mean 'startsAt'"):
        IncidentClusterer().fit(pd.DataFrame({"startsAt": ["2026-03-01T14:02Z"]}))


def test_score_is_agreement_over_incident_alerts_and_over_all():
    alerts = alerts_at(0, 1, 2, 300, 301, 302, 600)
    model = clusterer().fit(alerts_at(-DAY))
    assert model.score(alerts, ["a", "a", "a", "b", "b", "b", None]) == 1
    assert model.score(alerts, [1, 1, 1, 2, 2, 2, -1]) == 1
    assert model.score(alerts, ["a", "a", "a", "a", "a", "a", None]) < 0.7
    with pytest.raises(NotFittedError):
        clusterer().score(alerts, [None] * 7)


def two_services_a_day(days: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Every day trouble of web and of db at one time."""
    minutes = [day * DAY + at for day in range(days) for at in range(8)]
    alerts = alerts_at(*minutes, service=["web", "db"] * (4 * days), rule_key=[*"abcdefgh"] * days)
    return alerts, np.array([f"{day}-{service}" for day in range(days) for service in ["web", "db"] * 4])


def test_grid_search_finds_what_tells_incidents_apart():
    alerts, truth = two_services_a_day(6)
    search = GridSearchCV(clusterer(), {"service_gap": ["0s", "2h"]}, cv=TimeSplits(n_splits=2), error_score="raise")
    search.fit(alerts, truth)
    assert search.best_params_ == {"service_gap": "2h"}
    assert search.best_score_ == 1
    assert search.cv_results_["mean_test_score"][0] < 0.7


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
    st.tuples(
        st.integers(0, 240),
        st.sampled_from([*"abc"]),
        st.sampled_from(["x", "y", None]),
        st.sampled_from(["r1", "r2", "r3", "r4"]),
    ),
    max_size=30,
).map(
    lambda rows: alerts_at(
        *[r[0] / 2 for r in rows],
        service=pd.Series([r[1] for r in rows], dtype="str"),
        team=pd.Series([r[2] for r in rows], dtype="str"),
        rule_key=pd.Series([r[3] for r in rows], dtype="str"),
        alert_id=pd.Series([f"{i:03}" for i in range(len(rows))], dtype="str"),
    )
)
ALL = {f"{name}_gap": "1min" for name in ("service", "call", "team", "recurrence", "chronic", "company", "crowd")} | {
    "edges": pd.DataFrame({"src": ["a"], "dst": ["b"]}),
    "max_gap": "6min",
}
PASSES = st.sampled_from([1, 2])


@settings(max_examples=40)
@given(TABLES, PASSES, st.randoms())
def test_row_order_does_not_matter(alerts, passes, random):
    order = list(range(len(alerts)))
    random.shuffle(order)
    one, two = labels(alerts, **ALL, passes=passes), labels(alerts.iloc[order], **ALL, passes=passes)
    assert two == [one[i] for i in order]


@settings(max_examples=40)
@given(TABLES, PASSES, st.integers(-(10**15), 10**15))
def test_shifting_all_times_does_not_matter(alerts, passes, micros):
    moved = alerts.assign(starts_at=alerts["starts_at"] + pd.Timedelta(micros, "us"))
    assert labels(moved, **ALL, passes=passes) == labels(alerts, **ALL, passes=passes)


@settings(max_examples=40)
@given(TABLES, PASSES)
def test_names_do_not_matter(alerts, passes):
    names = dict(zip([*"abc", "x", "y"], ["zebra", "yak", "ant", "one", "none"], strict=True))
    renamed = alerts.assign(service=alerts["service"].map(names), team=alerts["team"].map(names))
    edges = pd.DataFrame({"src": ["zebra"], "dst": ["yak"]})
    expected = labels(alerts, **ALL, passes=passes)
    assert labels(renamed, **ALL | {"edges": edges}, passes=passes) == expected
    rules = {"r1": "z", "r2": "y", "r3": "x", "r4": "w"}
    assert labels(alerts.assign(rule_key=alerts["rule_key"].map(rules)), **ALL, passes=passes) == expected


def far_away(alerts: pd.DataFrame) -> pd.DataFrame:
    return alerts.assign(starts_at=alerts["starts_at"] + pd.Timedelta("3D"), alert_id="z" + alerts["alert_id"])


# which rules are one family is learned, too: company of one's own family does not count
WITHOUT_HISTORY = ALL | {"chronic_gap": "0s", "recurrence_gap": "0s", "company_gap": "0s"}


@settings(max_examples=40)
@given(TABLES, TABLES, PASSES)
def test_alerts_far_away_do_not_matter_where_nothing_is_learned(alerts, others, passes):
    both = pd.concat([alerts, far_away(others)], ignore_index=True)
    found = labels(both, **WITHOUT_HISTORY, passes=passes)
    assert found[: len(alerts)] == labels(alerts, **WITHOUT_HISTORY, passes=passes)


@settings(max_examples=40)
@given(TABLES, TABLES)
def test_alerts_far_away_of_other_rules_teach_no_habit(alerts, others):
    others = far_away(others.assign(rule_key="far " + others["rule_key"]))
    both = pd.concat([alerts, others], ignore_index=True)
    assert labels(both, **ALL, passes=1)[: len(alerts)] == labels(alerts, **ALL, passes=1)


def test_alerts_far_away_of_the_same_rules_do_teach():
    looks = {"recurrence_gap": "2min", "max_gap": "3min", "min_neighbours": 1, "passes": 2}
    here = alerts_at(0, 4, rule_key=["a", "b"])
    minutes = [m for day in range(1, 9) for m in (day * DAY, day * DAY + 1, day * DAY + 500)]
    others = alerts_at(*minutes, rule_key=["a", "b", "c"] * 8)
    assert labels(here, **looks) == [-1, -1]
    assert labels(pd.concat([here, others], ignore_index=True), **looks)[:2] == [0, 0]


def test_a_service_never_seen_before_is_near_those_that_it_calls():
    calls = pd.DataFrame({"caller": ["b"], "callee": ["a"]})
    gaps = {"max_gap": "5min", "service_gap": "10min", "call_gap": "10min", "min_neighbours": 1, "crowd_gap": "0s"}
    model = IncidentClusterer(edges=calls, passes=1, **gaps).fit(
        alerts_at(0, 1, service=["a", "a"], rule_key=["r", "q"])
    )
    assert model.predict(alerts_at(2, 2, service=["b", "c"], rule_key=["s", "t"])).tolist() == [0, -1]


def test_a_score_needs_labels_and_takes_a_table_of_them():
    alerts = alerts_at(0, 1, 90, rule_key=["a", "b", "c"]).assign(alert_id=["x", "y", "z"])
    model = IncidentClusterer(max_gap="5min").fit(alerts)
    truth = pd.DataFrame({"alert_id": ["z", "y", "x"], "incident_id": [None, "I1", "I1"]})
    assert model.score(alerts, truth) == model.score(alerts, ["I1", "I1", None])
    with pytest.raises(ParameterError, match="pass the true incident"):
        model.score(alerts)
