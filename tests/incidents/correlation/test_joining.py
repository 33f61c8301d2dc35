from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from stanza_lab.errors import SchemaError
from tests.incidents.correlation.plain import alerts_at, clusterer

DAY = 1440


def fitted(**changed):
    """Two incidents: of web at two o'clock, of db two hours later; and one alert on its own."""
    told = alerts_at(0, 2, 4, 120, 122, 124, 400, service=[*["web"] * 3, *["db"] * 3, "web"], rule_key=[*"abcabcd"])
    return clusterer(**changed).fit(told.assign(alert_id=[*"1234567"]))


def test_new_alerts_join_the_incident_around_them():
    assert fitted().predict(alerts_at(6, 130, 115)).tolist() == [0, 1, 1]


def test_between_two_incidents_at_one_time_the_service_decides():
    model = clusterer(service_gap="30min").fit(alerts_at(0, 2, 4, 1, 3, 5, service=[*["web"] * 3, *["db"] * 3]))
    assert model.labels_.tolist() == [0, 0, 0, 1, 1, 1]
    assert model.predict(alerts_at(6, 6, 6, service=["db", "web", "api"])).tolist() == [1, 0, -1]


def test_new_incidents_get_new_numbers_in_order_of_time():
    assert fitted().predict(alerts_at(905, 700, 904, 702, 701, 903, 3)).tolist() == [3, 2, 3, 2, 2, 3, 0]


def test_others_are_on_their_own():
    assert fitted().predict(alerts_at(60, 200, None, -60)).tolist() == [-1, -1, -1, -1]


def test_before_everything_seen():
    assert fitted().predict(alerts_at(-3 * DAY, -3 * DAY + 1, -2)).tolist() == [2, 2, 0]


def test_a_lone_alert_of_fit_and_a_new_one_make_a_new_incident():
    model = fitted()
    assert model.predict(alerts_at(401)).tolist() == [2]
    assert model.labels_.tolist()[6] == -1


def test_no_alerts():
    for alerts in (alerts_at(), alerts_at(None)):
        found = fitted().predict(alerts)
        assert found.tolist() == [-1] * len(alerts)
        assert found.dtype == "int64"


def test_what_was_not_seen_in_fit():
    new = alerts_at(6, service=["mobile"], team=["green"], rule_key=["z"], trace_ids=[["t"]], resources=[["h"]])
    every_gap = {f"{name}_gap": "10s" for name in ("service", "call", "team", "trace", "recurrence", "chronic")}
    edges = pd.DataFrame({"src": ["web"], "dst": ["mobile"]})
    assert fitted(**every_gap, passes=2, edges=edges).predict(new).tolist() == [0]


def test_a_rule_seen_in_fit_is_known_by_its_key():
    told = alerts_at(0, 1, 500, rule_key=["a", "b", "c"])
    model = clusterer().fit(told)
    assert model.predict(alerts_at(501, rule_key=["c"])).tolist() == [-1]
    assert model.predict(alerts_at(501, rule_key=["a"])).tolist() == [1]


def test_an_environment_known_from_fit():
    told = alerts_at(0, 1, 2, 0, 1, 2, source="prom", environment=["prod"] * 3 + ["test"] * 3)
    model = clusterer(environment_gap="1h").fit(told)
    assert model.labels_.tolist() == [0, 0, 0, 1, 1, 1]
    for environment, incident in (("prod", 0), ("test", 1)):
        assert model.predict(alerts_at(3, source="prom", environment=[environment])).tolist() == [incident]


def test_an_environment_not_seen_in_fit_is_another_one():
    model = clusterer(environment_gap="1h").fit(alerts_at(0, 1, 2, source="prom", environment="prod"))
    assert model.predict(alerts_at(3, source="prom", environment="test")).tolist() == [-1]
    assert model.predict(alerts_at(3, source="other", environment="production")).tolist() == [0]


def state(model):
    kept = model.__getstate__()
    return {name: copy.deepcopy(value) for name, value in kept.items() if name.endswith("_")}, model._count


def test_prediction_changes_nothing():
    model, new = fitted(), alerts_at(6, 700, 701)
    before, count = state(model)
    names = {name: index.tolist() for name, index in model._vocabulary.names.items()}
    first = model.predict(new)
    assert model.predict(new).tolist() == first.tolist()
    after, count_after = state(model)
    assert count == count_after
    assert names == {name: index.tolist() for name, index in model._vocabulary.names.items()}
    for name, value in before.items():
        assert np.array_equal(value, after[name]), name


def test_numbers():
    model = clusterer(service_gap="1h").fit([[0.0, 1], [60.0, 1], [30.0, 2], [90.0, 2]])
    assert model.labels_.tolist() == [0, 0, 1, 1]
    assert model.predict([[100.0, 2], [110.0, 1], [100.0, 7], [1e6, 1]]).tolist() == [1, 0, -1, -1]
    with pytest.raises(ValueError, match="expecting 2 features"):
        model.predict([[100.0]])


def test_not_fitted():
    with pytest.raises(NotFittedError):
        clusterer().predict(alerts_at(0))


def test_no_time():
    with pytest.raises(SchemaError, match="starts_at"):
        fitted().predict(pd.DataFrame({"service": ["web"]}))


ROWS = st.lists(
    st.tuples(st.integers(0, 160), st.sampled_from([*"abc"]), st.sampled_from(["r1", "r2", "r3"])),
    min_size=2,
    max_size=25,
)


def table(rows) -> pd.DataFrame:
    minutes, service, rule = zip(*rows, strict=True)
    return alerts_at(*minutes, service=service, rule_key=rule).assign(alert_id=[f"{i:02}" for i in range(len(rows))])


@settings(max_examples=40)
@given(ROWS, st.randoms())
def test_without_recurrence_new_alerts_are_grouped_as_if_seen_in_fit(rows, random):
    alerts, whole = table(rows), {"service_gap": "3min", "crowd_gap": "1min"}
    seen = random.randint(1, len(rows) - 1)
    found = clusterer(**whole).fit(alerts[:seen]).predict(alerts[seen:])
    together = clusterer(**whole).fit(alerts).labels_[seen:]
    assert (found == -1).tolist() == (together == -1).tolist()
    names = {(a, b) for a, b in zip(together.tolist(), found.tolist(), strict=True)}
    assert len(names) == len({a for a, _ in names})  # one group, one name


@settings(max_examples=40)
@given(ROWS, ROWS, st.randoms())
def test_order_of_new_rows_does_not_matter(rows, more, random):
    model, new = clusterer(service_gap="3min").fit(table(rows)), table(more)
    order = [*range(len(new))]
    random.shuffle(order)
    assert model.predict(new.iloc[order]).tolist() == model.predict(new)[order].tolist()


def days(*rows_of_days) -> list[pd.DataFrame]:
    return [
        table(rows).assign(
            starts_at=lambda t, i=i: t["starts_at"] + pd.Timedelta(i, "D"),
            alert_id=lambda t, i=i: f"{i}-" + t["alert_id"],
        )
        for i, rows in enumerate(rows_of_days)
    ]


def same_partition(one, two) -> bool:
    pairs = {*zip(one.tolist(), two.tolist(), strict=True)}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) and ((one < 0) == (two < 0)).all()


@settings(max_examples=30)
@given(st.lists(ROWS, min_size=2, max_size=3))
def test_days_out_of_reach_may_come_one_by_one(rows_of_days):
    gaps = {"service_gap": "3min", "team_gap": "1min", "crowd_gap": "1min"}
    model, parts = clusterer(**gaps), days(*rows_of_days)
    for day in parts:
        model.partial_fit(day)
    whole = clusterer(**gaps).fit(pd.concat(parts, ignore_index=True))
    assert same_partition(model.labels_, whole.labels_)
    assert model.labels_.tolist() == whole.labels_.tolist()  # numbered in time, too


@settings(max_examples=30)
@given(st.lists(ROWS, min_size=2, max_size=3))
def test_what_was_grouped_before_stays(rows_of_days):
    model = clusterer(service_gap="3min", recurrence_gap="2min", chronic_gap="2min", company_gap="1min", passes=2)
    before = np.zeros(0, dtype=int)
    for rows in rows_of_days:
        expected = model.predict(table(rows)) if len(before) else model.fit(table(rows)).labels_
        model = model if len(before) else clusterer(**model.get_params())
        model.partial_fit(table(rows))
        assert model.labels_.tolist() == [*before.tolist(), *expected.tolist()]
        before = model.labels_
    assert len(model.labels_) == len(model.probabilities_) == len(model.distances_)


def test_the_first_day_is_a_fit():
    alerts = alerts_at(0, 1, 90, rule_key=[*"abc"])
    one, two = clusterer().partial_fit(alerts), clusterer().fit(alerts)
    assert one.labels_.tolist() == two.labels_.tolist() == [0, 0, -1]
    pd.testing.assert_frame_equal(one.condensed_tree_, two.condensed_tree_)


def test_an_incident_goes_on_over_midnight():
    model = clusterer().partial_fit(alerts_at(0, 2, 4)).partial_fit(alerts_at(6, 8, 90))
    assert model.labels_.tolist() == [0, 0, 0, 0, 0, -1]
    assert model.explain(4).incident_id == 0


def test_days_teach():
    model = clusterer(recurrence_gap="3min", max_gap="3min", min_neighbours=1, passes=2)
    for day in range(6):
        model.partial_fit(alerts_at(day * DAY, day * DAY + 1, day * DAY + 300, rule_key=["a", "b", "lone"]))
    later = alerts_at(6 * DAY, 6 * DAY + 4, rule_key=["a", "b"])
    assert model.predict(later).tolist() == [6, 6]
    assert model.predict(later.assign(rule_key=["a", "x"])).tolist() == [-1, -1]
    assert model.predict(later.assign(rule_key=["a", "lone"])).tolist() == [-1, -1]
    assert model.rules_["alerts"].tolist() == [6, 6, 6]


def test_a_day_without_alerts():
    model = clusterer().partial_fit(alerts_at(0, 1)).partial_fit(alerts_at()).partial_fit(alerts_at(None))
    assert model.labels_.tolist() == [0, 0, -1]
    assert model.predict(alerts_at(2)).tolist() == [0]


def test_nothing_seen_yet():
    model = clusterer().fit(alerts_at(None))
    assert model.predict(alerts_at(0, 1)).tolist() == [0, 0]
    assert model.partial_fit(alerts_at(0, 1)).labels_.tolist() == [-1, 0, 0]


def test_traces_do_not_meet_those_of_earlier_days_by_chance():
    model = clusterer(trace_gap="5min", min_neighbours=1, max_gap="4min", resolution="0s", min_rules=1)
    model.partial_fit(alerts_at(0, trace_ids=[["x"]])).partial_fit(alerts_at(1))
    model.partial_fit(alerts_at(8, trace_ids=[["y"]]))
    assert model.labels_.tolist()[2] == -1
