"""Alertmanager's timing, against a replay flush by flush."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.errors import ParameterError
from stanza_lab.incidents.rules import GroupByRule

START = pd.Timestamp("2026-03-01T14:00Z")


def sent(rule):
    minutes = (rule.notifications_["at"] - START).dt.total_seconds() / 60
    return list(zip(minutes, rule.notifications_["alerts"], rule.notifications_["repeats"], strict=True))


def test_a_group_lives_while_an_alert_is_active(alerts_at):
    alerts = alerts_at(0, 30, 70, ends=[40, 35, 80], alertname=["slow"] * 3)
    rule = GroupByRule(by=["alertname"]).fit(alerts)
    assert rule.labels_.tolist() == [0, 0, -1]
    assert sent(rule) == [(0.5, 1, 0), (30.5, 1, 0), (70.5, 1, 0)]
    assert rule.notifications_["incident_id"].tolist() == [0, 0, -1]


def test_an_alert_before_the_last_flush_still_joins(alerts_at):
    alerts = alerts_at(0, 5.2, ends=[5, 20], alertname=["slow"] * 2)  # flushes at 0.5, 5.5
    assert GroupByRule(by=["alertname"]).fit(alerts).labels_.tolist() == [0, 0]
    later = alerts_at(0, 5.6, ends=[5, 20], alertname=["slow"] * 2)
    assert GroupByRule(by=["alertname"]).fit(later).labels_.tolist() == [-1, -1]


def test_what_ends_before_its_first_flush_is_never_announced(alerts_at):
    rule = GroupByRule(by=[]).fit(alerts_at(0, 60, ends=[0.4, 70]))
    assert rule.announced_.tolist() == [False, True]
    assert sent(rule) == [(60.5, 1, 0)]


def test_an_unchanged_group_is_repeated_at_the_flush_after_the_interval(alerts_at):
    rule = GroupByRule(by=[], repeat_interval="20min").fit(alerts_at(0, ends=[60]))
    # sent at 0.5; repeated only when more than 20 minutes have passed: at 25.5 and 50.5
    assert sent(rule) == [(0.5, 1, 2)]


def test_an_alert_without_an_end_is_active_for_the_resolve_timeout(alerts_at):
    alerts = alerts_at(0, 20, ends=[None, 25])
    assert GroupByRule(by=[]).fit(alerts).labels_.tolist() == [-1, -1]
    assert GroupByRule(by=[], resolve_timeout="30min").fit(alerts).labels_.tolist() == [0, 0]
    assert GroupByRule(by=[]).fit(alerts[["starts_at"]]).labels_.tolist() == [-1, -1]


def test_labels_come_before_columns_and_unknown_ones_are_empty(alerts_at):
    alerts = alerts_at(0, 1, 2, service=["x", "x", "y"], labels=['{"service":"p"}', '{"service":"q"}', None])
    assert GroupByRule(by=["service"]).fit(alerts).labels_.tolist() == [-1, -1, -1]
    assert GroupByRule(by=["cluster"]).fit(alerts).labels_.tolist() == [0, 0, 0]


def test_the_vendors_word_for_the_severity_counts(alerts_at):
    alerts = alerts_at(0, 1, severity=["critical"] * 2, severity_raw=["page", "critical"])
    assert GroupByRule(by=["severity"]).fit(alerts).labels_.tolist() == [-1, -1]
    assert GroupByRule(by=["severity"]).fit(alerts.drop(columns="severity_raw")).labels_.tolist() == [0, 0]


def test_three_dots_are_all_labels(alerts_at):
    alerts = alerts_at(0, 1, 2, rule_key=['a{x="1"}', 'a{x="2"}', 'a{x="1"}'], alertname=["a"] * 3)
    assert GroupByRule(by=["..."]).fit(alerts).labels_.tolist() == [0, -1, 0]
    plain = alerts_at(0, 1, 2, alertname=["a"] * 3, labels=['{"x":"1"}', '{"x":"2"}', '{"x":"1"}'])
    assert GroupByRule(by=["..."]).fit(plain).labels_.tolist() == [0, -1, 0]


def test_nothing_to_group(alerts_at):
    rule = GroupByRule().fit(alerts_at())
    assert rule.labels_.tolist() == []
    assert rule.notifications_.empty


def test_parameters_out_of_range(alerts_at):
    with pytest.raises(ParameterError, match="group_interval='0s' must be longer than zero"):
        GroupByRule(group_interval="0s").fit(alerts_at(0))


def replay(alerts, wait, interval, repeat):
    """Run one group flush by flush, as the dispatcher does: minute by minute, nothing clever."""
    waiting = sorted(alerts)
    groups, told = [], []
    while waiting:
        start = waiting[0][0]
        members, known, last_sent, flush = [], set(), None, start + wait
        repeats = 0
        while True:
            members += [alert for alert in waiting if alert[0] <= flush]
            waiting = [alert for alert in waiting if alert[0] > flush]
            firing = {alert for alert in members if alert[1] > flush}
            if firing - known:
                if last_sent is not None:
                    told[-1][2] = repeats
                told.append([flush, len(firing - known), 0])
                known, last_sent, repeats = known | firing, flush, 0
            elif firing and flush - last_sent > repeat:
                repeats, last_sent = repeats + 1, flush
            if not firing:
                break
            flush += interval
        if last_sent is not None:
            told[-1][2] = repeats
        groups.append({alert[2] for alert in members})
    return groups, [tuple(one) for one in told]


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 40)), min_size=1, max_size=12),
    st.integers(0, 4),
    st.integers(1, 8),
    st.integers(1, 20),
)
def test_equals_a_replay_flush_by_flush(rows, wait, interval, repeat):
    alerts = [(start, start + length, k) for k, (start, length) in enumerate(rows)]
    table = pd.DataFrame(
        {
            "starts_at": START + pd.to_timedelta([a[0] for a in alerts], unit="min"),
            "ends_at": START + pd.to_timedelta([a[1] for a in alerts], unit="min"),
        }
    )
    rule = GroupByRule(
        by=[], group_wait=f"{wait}min", group_interval=f"{interval}min", repeat_interval=f"{repeat}min"
    ).fit(table)
    groups, told = replay(alerts, wait, interval, repeat)
    expected = [members for members in groups if len(members) > 1]
    found = [set((rule.labels_ == k).nonzero()[0]) for k in range(rule.labels_.max() + 1)]
    assert found == expected
    assert sent(rule) == told
