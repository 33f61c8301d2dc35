from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.incidents.correlation import pairs
from stanza_lab.incidents.correlation.calls import closeness
from tests.incidents.correlation.plain import alerts_at, clusterer, read

EDGES = pd.DataFrame({"src": ["a"], "dst": ["b"]})


def compared(alerts: pd.DataFrame, reach_s: float, edges: pd.DataFrame | None = None) -> list[tuple[int, int]]:
    features, vocabulary = read(alerts)
    calls = closeness(edges, vocabulary.names["service"])
    found = [*pairs.candidates(features, calls, reach_s=reach_s)]
    return [(int(a), int(b)) for left, right in found for a, b in zip(left, right, strict=True)]


def test_alerts_within_reach_meet():
    assert compared(alerts_at(0, 1, 2, 10), 60) == [(0, 1), (1, 2)]
    assert compared(alerts_at(0, 1, 2, 10), 120) == [(0, 1), (0, 2), (1, 2)]
    assert compared(alerts_at(0, 1), 0) == []
    assert compared(alerts_at(3, 3), 0) == [(0, 1)]


def test_few_alerts():
    assert compared(alerts_at(), 60) == []
    assert compared(alerts_at(1), 60) == []


@settings(max_examples=50)
@given(st.lists(st.integers(0, 20), max_size=pairs.NEXT), st.integers(0, 10))
def test_without_a_storm_all_pairs_within_reach_meet_once(minutes, reach):
    found = compared(alerts_at(*minutes), 60 * reach)
    times = sorted(minutes)
    expected = [(i, j) for i in range(len(times)) for j in range(i + 1, len(times)) if times[j] - times[i] <= reach]
    assert sorted(found) == expected


def storm(n: int, **columns: list) -> pd.DataFrame:
    return alerts_at(*[i / 60 for i in range(n)], **columns)


def test_in_a_storm_an_alert_meets_those_that_follow():
    found = compared(storm(100), 3600)
    assert len(found) == len({*found})
    assert {(a, b) for a, b in found if a == 10} == {(10, b) for b in range(11, 11 + pairs.NEXT)}


def test_in_a_storm_what_is_alike_meets_beyond_the_nearest():
    n = 200
    service = ["other"] * n
    for place in (5, 100, 120, 140, 160):
        service[place] = "web"
    far = sorted(b for a, b in compared(storm(n, service=service), 3600) if a == 5 and service[b] == "web")
    assert far == [100, 120, 140]
    assert not [b for a, b in compared(storm(n, service=service), 60) if a == 5 and b > 5 + pairs.NEXT]


def test_in_a_storm_traces_rules_and_resources_meet():
    n = 150
    plain = {"rule_key": [f"r{i}" for i in range(n)], "service": [f"s{i}" for i in range(n)]}
    told = [None] * n
    told[3], told[120] = ["t"], ["t"]
    for name in ("trace_ids", "resources"):
        assert (3, 120) in compared(storm(n, **plain, **{name: told}), 3600)
    same_rule = ["r3" if i == 120 else rule for i, rule in enumerate(plain["rule_key"])]
    assert (3, 120) in compared(storm(n, **(plain | {"rule_key": same_rule})), 3600)
    assert (3, 120) not in compared(storm(n, **plain), 3600)


def test_in_a_storm_services_that_call_each_other_meet():
    n = 150
    service = [f"s{i}" for i in range(n)]
    service[3], service[120] = "a", "b"
    assert (3, 120) in compared(storm(n, service=service), 3600, EDGES)
    assert (3, 120) not in compared(storm(n, service=service), 3600)


def test_a_storm_of_two_services_makes_two_incidents():
    n = 300
    alerts = storm(n, service=["a", "b"] * (n // 2), rule_key=[f"r{i % 7}" for i in range(n)])
    assert clusterer(service_gap="30min", max_gap="5min").fit(alerts).labels_.tolist() == [0, 1] * (n // 2)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 600), st.sampled_from("abc")), min_size=40, max_size=120))
def test_no_pair_comes_twice_and_none_is_out_of_reach(rows):
    rows.sort()
    alerts = alerts_at(*[r[0] / 60 for r in rows], service=[r[1] for r in rows])
    found = compared(alerts, 120, EDGES)
    assert len(found) == len({*found})
    assert all(a < b and rows[b][0] - rows[a][0] <= 120 for a, b in found)


def test_blocks_of_alerts_make_no_difference(monkeypatch):
    alerts = storm(90, service=[*"abc"] * 30)
    whole = compared(alerts, 3600, EDGES)
    monkeypatch.setattr(pairs, "BLOCK", 7)
    assert sorted(compared(alerts, 3600, EDGES)) == sorted(whole)
    assert np.unique(whole, axis=0).shape == (len(whole), 2)
