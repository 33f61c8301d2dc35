from __future__ import annotations

from math import log, log1p

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.incidents.correlation import evidence, grouping
from tests.incidents.correlation import plain
from tests.incidents.correlation.plain import alerts_at, apart, clusterer


def test_time_is_seconds():
    assert apart(alerts_at(0, 7)) == 420
    assert apart(alerts_at(7, 0)) == 420


@pytest.mark.parametrize(
    ("services", "seconds"),
    [(["web", "api"], 480), (["web", "web"], 60), ([None, None], 60), (["web", None], 480)],
)
def test_other_service(services, seconds):
    assert apart(alerts_at(0, 1, service=services), service_gap="7min") == seconds
    assert apart(alerts_at(0, 1, service=services)) == 60


@pytest.mark.parametrize(
    ("teams", "seconds"), [(["red", "blue"], 480), (["red", "red"], 60), ([None, None], 60), (["red", None], 480)]
)
def test_other_team(teams, seconds):
    assert apart(alerts_at(0, 1, team=teams), team_gap="7min") == seconds
    assert apart(alerts_at(0, 1, team=teams)) == 60


def test_a_shared_resource_makes_services_one():
    alerts = alerts_at(0, 1, service=["web", "api"], resources=[["host-1", "host-2"], ["host-3", "host-2"]])
    assert apart(alerts, service_gap="7min") == 60
    alerts["resources"] = [["host-1"], []]
    assert apart(alerts, service_gap="7min") == 480
    alerts["resources"] = [None, None]
    assert apart(alerts, service_gap="7min") == 480


@pytest.mark.parametrize(
    ("services", "seconds"),
    [(["web", "api"], 240), (["web", "db"], 420), (["api", "db"], 240), (["web", "x"], 600), (["web", None], 600)],
)
def test_calls_draw_together(services, seconds):
    edges = pd.DataFrame({"src": ["web", "api"], "dst": ["api", "db"], "link_confidence": [1.0, 1.0]})
    assert apart(alerts_at(0, 10, service=services), call_gap="6min", edges=edges) == seconds


def test_environments_count_where_one_source_has_both():
    def far(source, environment):
        return apart(alerts_at(0, 1, source=source, environment=environment), environment_gap="7min")

    assert far(["a", "a"], ["prod", "test"]) == 480
    assert far(["a", "b"], ["prod", "production"]) == 60
    assert far(["a", "a"], ["prod", None]) == 60
    assert apart(alerts_at(0, 1, environment=["prod", "test"]), environment_gap="7min") == 480


def test_an_environment_of_a_source_that_has_only_one_is_not_compared():
    alerts = alerts_at(0, 1, 2, source=["a", "a", "b"], environment=["prod", "test", "production"])
    model = clusterer(environment_gap="10h", min_neighbours=1, max_gap="1h").fit(alerts)
    assert model.distances_.tolist() == [120, 60, 60]


def test_a_shared_trace_draws_together():
    alerts = alerts_at(0, 10, trace_ids=[["t1", "t2"], ["t3", "t1"]])
    assert apart(alerts, trace_gap="4min") == 360
    assert apart(alerts.assign(trace_ids=[["t1"], ["t2"]]), trace_gap="4min") == 600
    assert apart(alerts.assign(trace_ids=[None, ["t2"]]), trace_gap="4min") == 600


def usual(bouts: int) -> float:
    """Return the company to expect where so many bouts of other rules fire in the six hours around."""
    return bouts * 300 / (3 * 3600)


def test_company_is_of_other_rules_within_five_minutes():
    alone = alerts_at(0, 5, rule_key=["r", "r"])
    assert apart(alone, company_gap="1min") == 300
    two = alerts_at(0, 5, rule_key=["r", "q"])
    assert apart(two, company_gap="1min") == pytest.approx(300 - 60 * log(2 / (1 + usual(1))))
    assert apart(alerts_at(0, 5.1, rule_key=["r", "q"]), company_gap="1min") == pytest.approx(306)


def test_company_counts_bouts_against_what_is_usual_around():
    seconds = np.array([0.0, 60.0, 120.0, 330.0, 4000.0, 40_000.0])
    rule = np.array([0, 1, 1, 2, 3, 4])  # the second alert of rule 1 is the same bout
    company, luck = evidence.company(seconds, rule)
    assert company[0] == pytest.approx(log(2 / (1 + usual(3))))  # rule 1; rule 2 is too late
    assert company[1] == pytest.approx(log(3 / (1 + usual(3))))
    assert company[4] == 0
    assert company[5] == 0
    one = plain.poisson_up_to(1, usual(3)) + plain.poisson_up_to(0, usual(3))
    assert luck[0] == pytest.approx(one / 2)
    assert luck[5] == pytest.approx(0.5)
    assert evidence.company(np.zeros(0), np.zeros(0, int))[0].tolist() == []


def test_company_counts_for_the_alert_with_less_of_it():
    alerts = alerts_at(0, 1, 5.5, rule_key=["a", "b", "c"])
    known = clusterer(company_gap="1min").fit(alerts)._known
    few, many = (log((1 + n) / (1 + usual(2))) for n in (1, 2))
    assert known.company == pytest.approx([few, many, few])
    parts = dict(known.parts(np.array([0, 1]), np.array([1, 2])))
    assert parts["company"] == pytest.approx([-60 * few, -60 * few])


def test_crowd_counts_bouts_not_alerts():
    seconds = np.array([0.0, 600.0, 1200.0, 5000.0, 50_000.0])
    rule = np.array([0, 0, 0, 0, 1])  # three in one bout, one in another
    assert evidence.crowd(seconds, rule) == pytest.approx([log1p(2 / 6)] * 4 + [log1p(1 / 6)])
    assert apart(alerts_at(0, 60, rule_key=["a", "b"]), crowd_gap="1min") == pytest.approx(3600 + 60 * log1p(2 / 6))


def test_one_kind_of_alert_on_two_services_is_drawn_together():
    alerts = alerts_at(0, 10, alertname=["HighLatency", "HighLatency"], service=["web", "api"])
    assert apart(alerts, kind_gap="3min") == 420
    assert apart(alerts.assign(alertname=["HighLatency", "DiskFull"]), kind_gap="3min") == 600
    assert apart(alerts.assign(service="web", rule_key=["r1", "r2"]), kind_gap="3min") == 600
    assert apart(alerts.assign(alertname=None), kind_gap="3min") == 600


def test_alerts_that_recovered_together_are_drawn_together():
    alerts = alerts_at(0, 10)
    ends = alerts.assign(ends_at=alerts["starts_at"].iloc[1] + pd.to_timedelta(["1min", "3min"]))
    assert apart(ends, recovery_gap="3min") == 420
    late = ends.assign(ends_at=ends["ends_at"] + pd.to_timedelta(["0s", "1s"]))
    assert apart(late, recovery_gap="3min") == 600
    assert apart(alerts.assign(ends_at=None), recovery_gap="3min") == 600


def test_a_distance_is_never_below_zero():
    alerts = alerts_at(0, 1, trace_ids=[["t"], ["t"]])
    assert apart(alerts, trace_gap="1h") == 0


def history(days: int, *minutes: float, rules: list[str]) -> pd.DataFrame:
    return alerts_at(
        *[24 * 60 * day + m for day in range(days) for m in minutes], rule_key=[r for _ in range(days) for r in rules]
    )


def parts_between(model, left, right):
    found = dict(model._known.parts(np.array([left]), np.array([right])))
    return {name: float(seconds[0]) for name, seconds in found.items()}


def test_recurrence_is_counted_over_other_occasions():
    once = history(1, 0, 1, rules=["a", "b"])
    assert parts_between(clusterer(recurrence_gap="1min", passes=2).fit(once), 0, 1)["recurrence"] == 0
    often = history(5, 0, 1, rules=["a", "b"])
    told = parts_between(clusterer(recurrence_gap="1min", passes=2).fit(often), 0, 1)["recurrence"]
    assert told == pytest.approx(-60 * log((4 + 0.5) / (4 * 4 / 5 + 0.5)))


def test_one_coincidence_among_many_lone_alerts_teaches_nothing_of_itself():
    alerts = pd.concat([history(1, 0, 1, rules=["a", "b"]), alerts_at(*range(3000, 9000, 300), rule_key="c")])
    assert parts_between(clusterer(recurrence_gap="1min", passes=2).fit(alerts), 0, 1)["recurrence"] == 0


def test_rules_that_keep_apart_are_pushed_apart():
    alerts = history(6, 0, 1, 600, 601, rules=["a", "b", "c", "d"])
    told = parts_between(clusterer(recurrence_gap="1min", passes=2).fit(alerts), 0, 2)["recurrence"]
    assert told == pytest.approx(-60 * log(0.5 / (5 * 5 / 12 + 0.5)))


def test_recurrence_is_of_two_rules():
    told = parts_between(clusterer(recurrence_gap="1min", passes=2).fit(history(5, 0, 1, rules=["a", "b"])), 0, 2)
    assert told["recurrence"] == 0


def test_a_chronic_rule_is_pushed_away_and_a_telling_one_drawn():
    chronic = alerts_at(*[24 * 60 * day + 300 for day in range(60)], rule_key="chronic")
    minutes = [24 * 60 * day + m for day in range(60) for m in (0, 1, 2)]
    rules = [r for day in range(60) for r in [*"abcdefgh"][day % 6 : day % 6 + 3]]  # never the same three for long
    model = clusterer(chronic_gap="10min").fit(pd.concat([alerts_at(*minutes, rule_key=rules), chronic]))
    names = model._vocabulary.names["rule"]
    by_name = {names[code]: habit for code, habit in zip(model._known.features.rule, model._known.habit, strict=True)}
    assert by_name["chronic"] > 0.8
    assert by_name["a"] < 0.5
    first_a, first_b, first_chronic = 0, 1, 3
    assert parts_between(model, first_a, first_b)["chronic"] < 0
    expected = 600 * (by_name["chronic"] + model._known.habit[0] - 1)
    assert parts_between(model, first_a, first_chronic)["chronic"] == pytest.approx(expected, abs=10)


def together(times: int, *, apart: int = 0, minutes: tuple[float, float] = (0, 1)) -> pd.DataFrame:
    """Rules a and b fire within a minute so many times, and a alone some times more."""
    told = [24 * 60 * day + m for day in range(times) for m in minutes]
    alone = [24 * 60 * (times + day) for day in range(apart)]
    return alerts_at(*told, *alone, rule_key=["a", "b"] * times + ["a"] * apart)


@pytest.mark.parametrize(
    ("alerts", "one"),
    [
        (together(4), True),
        (together(3), False),  # too few to tell
        (together(6, apart=4), True),  # six times of ten
        (together(6, apart=5), False),
        (together(6, minutes=(0, 5)), True),
        (together(6, minutes=(0, 6)), False),  # not within five minutes
    ],
)
def test_rules_that_hardly_fire_without_each_other_are_one_family(alerts, one):
    found, _ = plain.read(alerts)
    family = evidence.families(found.seconds, found.rule)
    assert (family[0] == family[1]) == one


def test_a_family_is_no_company_to_itself():
    company = clusterer(company_gap="1min").fit(together(4))._known.company
    assert company.tolist() == [0] * 8
    assert (clusterer(company_gap="1min").fit(together(3))._known.company > 0).all()


def test_families_do_not_depend_on_the_order_of_rules():
    # one long bout of a, in which b begins again and again
    minutes = [m for day in range(3) for m in range(24 * 60 * day, 24 * 60 * day + 100, 20)]
    alerts = alerts_at(
        *minutes, *[m + 1 for m in minutes[::3]], rule_key=["a"] * len(minutes) + ["b"] * len(minutes[::3])
    )
    found, _ = plain.read(alerts)
    one = evidence.families(found.seconds, found.rule)
    two = evidence.families(found.seconds, 1 - found.rule)
    assert (one[0] == one[1]) == (two[0] == two[1])


def test_an_alert_is_not_judged_by_its_own_company():
    once = alerts_at(0, 1, 2, 3, rule_key=[*"abcd"])
    assert clusterer(chronic_gap="10min").fit(once)._known.habit.tolist() == [0.5] * 4


RULES = st.sampled_from(["a", "b", "c", "d"])
ALERTS = st.lists(
    st.tuples(
        st.integers(0, 600),
        st.sampled_from(["web", "api", "db", None]),
        st.sampled_from(["red", "blue", None]),
        RULES,
        st.lists(st.sampled_from(["t1", "t2", "t3"]), max_size=2),
        st.lists(st.sampled_from(["h1", "h2", "h3", "h4"]), max_size=2),
    ),
    min_size=2,
    max_size=14,
)
GAPS = st.fixed_dictionaries({name: st.sampled_from([0.0, 60.0, 400.0]) for name in plain.GAPS})
EDGES = pd.DataFrame({"src": ["web", "api"], "dst": ["api", "db"], "link_confidence": [0.8, 0.5]})
NEAR = {frozenset(["web", "api"]): 0.8, frozenset(["api", "db"]): 0.5, frozenset(["web", "db"]): 0.5 * 0.8 * 0.5}


def table(rows) -> pd.DataFrame:
    minutes, service, team, rule, traces, resources = zip(*sorted(rows, key=lambda r: r[0]), strict=True)
    names = {"a": "slow", "b": "slow", "c": "down", "d": None}
    told = {"service": service, "team": team, "rule_key": rule, "trace_ids": traces, "resources": resources}
    ids = [f"{i:02}" for i in range(len(rows))]
    return alerts_at(*minutes, **told, alertname=pd.Series([names[r] for r in rule], dtype="str"), alert_id=ids)


@settings(max_examples=25)
@given(ALERTS, GAPS, st.sampled_from([1, 2]))
def test_every_distance_is_the_sum_of_the_definitions(rows, gaps, passes):
    alerts = table(rows)
    spans = {f"{name}_gap": f"{seconds}s" for name, seconds in gaps.items()}
    first = clusterer(**spans, edges=EDGES, min_neighbours=1).fit(alerts).labels_
    known = clusterer(**spans, edges=EDGES, min_neighbours=1, passes=passes).fit(alerts)._known
    order = known.features.rows
    given_order = alerts.iloc[order].reset_index(drop=True)
    expected = plain.distances(
        given_order,
        gaps=gaps,
        near=NEAR,
        first=None if passes == 1 else first[order].tolist(),
        family=known.recurrence.family[known.features.rule].tolist(),
    )
    left, right = np.triu_indices(len(alerts), 1)
    assert known.distances(left, right) == pytest.approx(expected[left, right], abs=1e-6)


@settings(max_examples=25)
@given(ALERTS, GAPS)
def test_no_two_alerts_beyond_reach_are_within_the_limit(rows, gaps):
    spans = {f"{name}_gap": f"{seconds}s" for name, seconds in gaps.items()}
    known = clusterer(**spans, edges=EDGES, min_neighbours=1, passes=2).fit(table(rows))._known
    left, right = np.triu_indices(len(rows), 1)
    time = known.features.seconds[right] - known.features.seconds[left]
    for limit in (0.0, 300.0, 1200.0):
        near = known.distances(left, right) <= limit
        assert (time[near] <= known.reach_s(limit)[left[near]] + 1e-9).all()


def test_evidence_of_nothing():
    found, _ = plain.read(alerts_at())
    model = clusterer().fit(alerts_at())
    known = grouping.evidence_of(found, model._settings(), model._known.calls, model._recurrence)
    assert known.distances(np.zeros(0, int), np.zeros(0, int)).tolist() == []
    assert known.reach_s(60.0).tolist() == []
