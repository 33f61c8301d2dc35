from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.errors import ParameterError
from stanza_lab.incidents.rules import AlertmanagerRoute, GroupByRule
from stanza_lab.incidents.rules._matchers import parse
from stanza_lab.incidents.rules.alertmanager_route import prometheus_time, read_route


def test_the_first_matching_route_wins_and_the_parent_keeps_the_rest(alerts_at):
    alerts = alerts_at(0, 1, 2, 3, alertname=["a", "b", "c", "d"], team=["pay", "pay", "db", None])
    tree = {
        "receiver": "all",
        "group_by": [],
        "routes": [
            {"match": {"team": "pay"}, "receiver": "pay"},
            {"match_re": {"team": "p.*|db"}, "receiver": "rest"},
        ],
    }
    rule = AlertmanagerRoute(route=tree).fit(alerts)
    assert rule.receivers_.tolist() == ["pay", "pay", "rest", "all"]
    assert rule.labels_.tolist() == [0, 0, -1, -1]


def test_continue_notifies_both_and_groups_by_the_first(alerts_at):
    alerts = alerts_at(0, 1, team=["pay", "pay"], alertname=["a", "b"])
    routes = [
        {"matchers": ["team = pay"], "receiver": "one", "continue": True, "group_by": ["team"]},
        {"matchers": ['{team="pay"}'], "receiver": "two"},
    ]
    rule = AlertmanagerRoute(route={"group_by": ["alertname"], "routes": routes}).fit(alerts)
    assert rule.labels_.tolist() == [0, 0]
    assert rule.receivers_.tolist() == ["one", "one"]
    assert sorted(rule.notifications_["receiver"]) == ["one", "one", "two", "two"]


def test_children_inherit_what_they_do_not_state():
    child = {"matchers": ['a="1"'], "routes": [{"matchers": ['b="2"'], "group_wait": "1m30s"}]}
    tree = read_route({"receiver": "r", "group_by": ["x"], "group_interval": "10m", "routes": [child]})
    leaf = tree.routes[0].routes[0]
    assert (leaf.receiver, leaf.by) == ("r", ("x",))
    assert {name: time.total_seconds() for name, time in leaf.times.items()} == {
        "group_wait": 90,
        "group_interval": 600,
        "repeat_interval": 14400,
    }


def test_one_route_is_the_group_by_rule(alerts_at):
    alerts = alerts_at(0, 1, 2, 30, alertname=["a", "a", "b", "b"])
    tree = {"group_by": ["alertname"]}
    one, other = AlertmanagerRoute(route=tree).fit(alerts), GroupByRule(by=["alertname"]).fit(alerts)
    assert one.labels_.tolist() == other.labels_.tolist() == [0, 0, -1, -1]
    assert one.notifications_["at"].tolist() == other.notifications_["at"].tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('severity="critical"', [("severity", "=", "critical")]),
        ("severity=critical", [("severity", "=", "critical")]),
        ('{a="x,y", b!~"c|d"}', [("a", "=", "x,y"), ("b", "!~", "c|d")]),
        (r'a =~ "say \"no\""', [("a", "=~", 'say "no"')]),
        ('"with space"!=""', [("with space", "!=", "")]),
    ],
)
def test_matchers_are_read_as_they_are_written(text, expected):
    assert [tuple(matcher) for matcher in parse(text, "route")] == expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [('team="pay"', [0]), ('team!="pay"', [1, 2]), ('team=~"p"', []), ('team=~"p.*|"', [0, 2]), ('team!~".+"', [2])],
)
def test_matchers_match_whole_values_and_a_missing_label_is_empty(alerts_at, operator, expected):
    alerts = alerts_at(0, 1, 2, team=["pay", "db", None])
    (matcher,) = parse(operator, "route")
    assert matcher.meets(alerts).nonzero()[0].tolist() == expected


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ({"group_bye": ["a"]}, "route: 'group_bye' is not known; did you mean 'group_by'"),
        ({"group_by": "a"}, "group_by='a' is no list"),
        ({"group_wait": "soon"}, "group_wait='soon' is no duration"),
        ({"routes": [{"matchers": ["severity"]}]}, r"route.routes\[0\]: matcher 'severity' is not understood"),
        ({"routes": [{"matchers": ['a=~"("']}]}, "no regular expression"),
        ("tree", "route: holds str"),
    ],
)
def test_what_is_not_understood_is_told(alerts_at, route, message):
    with pytest.raises(ParameterError, match=message):
        AlertmanagerRoute(route=route).fit(alerts_at(0))


def test_a_bottomless_tree_is_refused():
    tree: dict[str, object] = {}
    for _ in range(60):
        tree = {"routes": [tree]}
    with pytest.raises(ParameterError, match="more than 50 deep"):
        read_route(tree)


def test_durations_of_prometheus():
    assert [prometheus_time(t, "x").total_seconds() for t in ("30s", "1h30m", "1d", "500ms", "0")] == [
        30,
        5400,
        86400,
        0.5,
        0,
    ]


def test_no_alerts(alerts_at):
    rule = AlertmanagerRoute(route={}).fit(alerts_at())
    assert (rule.labels_.tolist(), len(rule.notifications_)) == ([], 0)


def test_a_wait_of_zero_is_zero_and_not_what_is_inherited():
    tree = read_route({"group_wait": 0, "routes": [{"group_wait": "0"}, {}]})
    assert [route.times["group_wait"] for route in (tree, *tree.routes)] == [pd.Timedelta(0)] * 3
