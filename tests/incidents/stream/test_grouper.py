from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from stanza_lab.errors import BundleError, ParameterError
from stanza_lab.incidents import IncidentClusterer
from stanza_lab.incidents.stream import StreamGrouper
from tests.incidents.correlation.plain import alerts_at, clusterer
from tests.incidents.stream.plain import MINUTE, alert, groups, pushed, records

LONG_AGO = alerts_at(0, service="checkout", rule_key="r")
HOSTILE = ("</script>", '"; }', "=cmd()", "!!python/object", "../x", "a\nb", "\u202eevil", "x" * 10_000, "\0")
MINUTES = st.lists(st.integers(0, 120), min_size=1, max_size=14)


def grouper(**changed: object) -> StreamGrouper:
    """Return one that looks at time alone, and numbers incidents from 0."""
    return StreamGrouper(clusterer(**{"min_rules": 1, **changed}).fit(LONG_AGO), first=0, window=2_048)


def test_an_incident_begins_with_its_second_alert_and_grows():
    first, second, third = (grouper_.push(alert(m)) for grouper_ in [grouper()] for m in (0, 1, 5))
    assert (first.status, first.incident_id, first.confidence) == ("alone", -1, 0.0)
    assert (second.status, second.incident_id, second.moved) == ("new", 0, (("a0", 0),))
    assert (third.status, third.incident_id, third.moved) == ("joined", 0, ())


def test_the_distance_told_is_that_to_what_holds_the_alert_and_its_parts_add_up():
    stream = grouper(resolution="0s", min_neighbours=1)
    stream.push(alert(0))
    stream.push(alert(1))
    placed = stream.push(alert(6))
    assert (placed.nearest, placed.distance_s, placed.parts) == ("a1", 300.0, {"time": 300.0})


def test_parts_are_named_after_what_they_measure():
    stream = grouper(service_gap="1min", team_gap="30s", min_neighbours=1)
    stream.push(alert(0, service="checkout", team="payments"))
    placed = stream.push(alert(2, service="search", team="discovery"))
    assert placed.parts == {"time": 120.0, "service": 60.0, "team": 30.0}
    assert placed.distance_s == sum(placed.parts.values())


def test_two_dense_incidents_stay_two_whatever_fires_between_them():
    _, incident = pushed(grouper(max_gap="12min", min_neighbours=1), [alert(m) for m in (0, 2, 20, 22, 11)])
    assert list(incident.values()) == [0, 0, 1, 1, -1]


def test_an_alert_between_two_incidents_makes_them_one_and_says_which_is_gone():
    stream = grouper(max_gap="6min", min_neighbours=1)
    answers, _ = pushed(stream, [alert(m) for m in (0, 5, 15, 20)])
    assert [p.incident_id for p in answers] == [-1, 0, -1, 1]
    between = stream.push(alert(10))
    assert (between.status, between.incident_id, between.merged) == ("merged", 0, (1,))
    assert dict(between.moved) == {"a15": 0, "a20": 0}


def test_an_incident_that_splits_keeps_its_number_in_the_part_with_most_of_it():
    stream = grouper(max_gap="12min")
    _, whole = pushed(stream, [alert(m, f"n{i}") for i, m in enumerate((0, 0, 8, 8))])
    answers, split = pushed(stream, [alert(m, f"n{i}") for i, m in ((4, 0), (5, 8), (6, 0), (7, 8))])
    assert len({n for n in whole.values() if n != -1}) == 1
    assert len(groups(whole | split)) == 2
    assert answers[-1].incident_id != answers[-2].incident_id


def test_an_incident_out_of_reach_is_closed_once():
    stream = grouper()
    pushed(stream, [alert(0), alert(1)])
    answers, _ = pushed(stream, [alert(600), alert(601), alert(1200)])
    assert [p.closed for p in answers] == [(0,), (), (1,)]
    assert stream.incident_of("a0") is None


def test_what_is_older_than_the_memory_is_late_and_changes_nothing():
    stream = grouper()
    pushed(stream, [alert(600), alert(601)])
    before = json.dumps(stream.state()["alerts"])
    placed = stream.push(alert(0))
    assert (placed.status, placed.incident_id, stream.late) == ("late", -1, 1)
    assert json.dumps(stream.state()["alerts"]) == before


def test_an_alert_that_comes_late_still_finds_its_incident():
    stream = grouper()
    pushed(stream, [alert(0), alert(1), alert(60)])
    placed = stream.push(alert(0.5))
    assert (placed.status, placed.incident_id) == ("joined", 0)


def test_one_clock_far_ahead_does_not_empty_the_memory_but_two_that_agree_do():
    stream = grouper()
    pushed(stream, [alert(0), alert(1)])
    ahead = stream.push(alert(1e6))
    assert (ahead.status, ahead.closed, stream.incident_of("a0")) == ("alone", (), 0)
    assert stream.push(alert(2)).incident_id == 0
    second = stream.push(alert(1e6 + 1))
    assert (second.status, second.closed) == ("new", (0,))
    assert [name for name, _ in second.moved] == ["a1000000.0"]


def test_a_full_window_lets_the_oldest_go_and_counts_them():
    stream = StreamGrouper(clusterer().fit(LONG_AGO), window=64)
    pushed(stream, [alert(m / 10, f"n{m}") for m in range(200)])
    assert stream.let_go > 0
    assert stream.incident_of("n0") is None
    assert stream.incident_of("n199") is not None
    assert len(stream.state()["ids"]) <= 64


def test_an_end_draws_together_what_recovers_together():
    def last(*, told: bool) -> int:
        stream = grouper(max_gap="6min", resolution="0s", recovery_gap="5min", min_neighbours=1)
        stream.push(alert(0))
        if told:
            assert stream.ended("a0", 12 * MINUTE)
        return stream.push(alert(10, ends_at=12 * MINUTE)).incident_id

    assert (last(told=False), last(told=True)) == (-1, 0)
    assert not grouper().ended("nobody", 0)


def test_one_rule_alone_makes_no_incident_where_two_are_asked_for():
    stream = grouper(min_rules=2)
    _, incident = pushed(stream, [alert(m, rule_key="r") for m in (0, 1, 2)])
    assert set(incident.values()) == {-1}
    assert stream.push(alert(3, rule_key="other")).incident_id == 0


def test_a_large_storm_stays_one_incident():
    answers, incident = pushed(grouper(), [alert(i / 60, f"n{i}") for i in range(1_200)])
    assert set(incident.values()) == {0}
    assert {p.status for p in answers[2:]} == {"joined"}


@given(MINUTES, st.randoms())
@settings(max_examples=25, deadline=None)
def test_in_whatever_order_alerts_come_they_end_up_as_predict_says(minutes, random):
    model = clusterer(min_rules=1).fit(LONG_AGO)
    table = alerts_at(*(10_000 + m for m in minutes), alert_id=[f"n{i}" for i in range(len(minutes))])
    rows = records(table)
    random.shuffle(rows)
    _, incident = pushed(StreamGrouper(model, window=64), rows)
    batch = dict(zip(table["alert_id"], model.predict(table).tolist(), strict=True))
    assert groups(incident) == groups(batch)


@given(MINUTES, st.integers(0, 13))
@settings(max_examples=30, deadline=None)
def test_a_break_changes_no_answer(minutes, place):
    rows = [alert(m, f"n{i}", service=f"s{m % 3}", rule_key=f"r{i % 4}") for i, m in enumerate(minutes)]
    model = IncidentClusterer().fit(LONG_AGO)
    through, broken = StreamGrouper(model, window=64), StreamGrouper(model, window=64)
    expected, _ = pushed(through, rows)
    before, _ = pushed(broken, rows[:place])
    resumed = StreamGrouper.resume(model, json.loads(json.dumps(broken.state())), window=64)
    after, _ = pushed(resumed, rows[place:])
    assert before + after == expected
    assert resumed.state() == through.state()


@given(MINUTES)
@settings(max_examples=20, deadline=None)
def test_alerts_far_away_change_nothing(minutes):
    rows = [alert(m, f"n{i}") for i, m in enumerate(sorted(minutes))]
    far = [alert(1_000 + m, f"far{m}") for m in (0, 1)]
    model = IncidentClusterer().fit(LONG_AGO)
    _, alone = pushed(StreamGrouper(model, window=64), rows)
    _, both = pushed(StreamGrouper(model, window=64), [*rows, *far])
    assert {name: incident for name, incident in both.items() if not name.startswith("far")} == alone


@given(MINUTES)
@settings(max_examples=20, deadline=None)
def test_company_and_crowd_are_counted_as_over_everything_at_once(minutes):
    model = IncidentClusterer().fit(LONG_AGO)
    rows = [alert(m, f"n{i}", rule_key=f"r{m % 3}") for i, m in enumerate(minutes)]
    orderly, mixed = StreamGrouper(model, window=64), StreamGrouper(model, window=64)
    pushed(orderly, sorted(rows, key=lambda row: row["starts_at"]))
    pushed(mixed, rows)
    for column in ("near", "around", "crowd"):  # both in order of time
        np.testing.assert_allclose(*(np.array(s.state()["alerts"][column]) for s in (orderly, mixed)))


def test_hostile_names_are_names_like_any_other():
    stream = grouper()
    named = {"service": 0, "team": 1, "rule_key": 2, "alertname": 3, "summary": 4, "environment": 5, "source": 6}
    rows = [alert(i, name, **dict.fromkeys(named, name), resources=[name], trace_ids=[name])
            for i, name in enumerate(HOSTILE)]  # fmt: skip
    answers, incident = pushed(stream, rows)
    assert {p.incident_id for p in answers[1:]} == {0}
    assert set(incident) == set(HOSTILE)


@pytest.mark.parametrize("at", [None, "2026", 1.5, float("nan")])
def test_an_alert_without_a_time_is_refused(at):
    with pytest.raises(ParameterError, match="whole microseconds"):
        grouper().push({"alert_id": "a", "starts_at": at})


def test_the_clusterer_must_be_fitted_and_the_window_have_room():
    with pytest.raises(NotFittedError):
        StreamGrouper(IncidentClusterer())
    with pytest.raises(ParameterError, match="window"):
        StreamGrouper(clusterer().fit(LONG_AGO), window=8)


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: s.pop("next"),
        lambda s: s["alerts"].pop("near"),
        lambda s: s["alerts"].update(rule=[-5_000_000, 0]),
        lambda s: s["alerts"].update(near=[1e9, 0.0]),
        lambda s: s["alerts"].update(at=[5.0, 1.0]),
        lambda s: s["alerts"].update(at=["x", "y"]),
        lambda s: s.update(labels=[0]),
        lambda s: s.update(ids=["a"] * 100_000),
    ],
)
def test_a_damaged_state_is_refused(damage):
    stream = grouper()
    pushed(stream, [alert(0), alert(1)])
    state = json.loads(json.dumps(stream.state()))
    damage(state)
    with pytest.raises(BundleError, match="damaged"):
        StreamGrouper.resume(clusterer().fit(LONG_AGO), state)
