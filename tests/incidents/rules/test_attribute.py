from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError
from stanza_lab.incidents.rules import AttributeRule
from stanza_lab.incidents.rules._cel import to_sql


def test_alerts_that_do_not_meet_the_condition_are_on_their_own(alerts_at):
    alerts = alerts_at(0, 1, 2, severity=["critical", "info", "error"])
    assert AttributeRule(where="severity >= 'error'").fit(alerts).labels_.tolist() == [0, -1, 0]


def test_where_and_cel_must_both_be_met(alerts_at):
    alerts = alerts_at(0, 1, 2, 3, severity=["critical"] * 3 + ["info"], service=["a", "b", "a", "a"])
    rule = AttributeRule(where="severity = 'critical' or severity = 'error'", cel="service == 'a'")
    assert rule.fit(alerts).labels_.tolist() == [0, -1, 0, -1]


def test_the_window_runs_from_the_last_alert_or_from_the_first(alerts_at):
    alerts = alerts_at(0, 8, 16, 18)
    assert AttributeRule(window="10min").fit(alerts).labels_.tolist() == [0, 0, 0, 0]
    assert AttributeRule(window="10min", counted_from="first").fit(alerts).labels_.tolist() == [0, 0, 1, 1]
    assert AttributeRule(window="8min", counted_from="first").fit(alerts).labels_.tolist() == [0, 0, 1, 1]


def test_only_enough_alerts_make_an_incident(alerts_at):
    alerts = alerts_at(0, 1, 2, 60, 61)
    assert AttributeRule(min_alerts=3).fit(alerts).labels_.tolist() == [0, 0, 0, -1, -1]


def test_attributes_separate_and_alerts_that_lack_them_go_together(alerts_at):
    alerts = alerts_at(0, 1, 2, 3, service=["a", None, "a", None])
    assert AttributeRule(by=["service"]).fit(alerts).labels_.tolist() == [0, 1, 0, 1]


CONDITIONS = [
    ("service == 'a'", [0, 3]),
    ('service != "a"', [1]),
    ("service in ['a', 'b']", [0, 1, 3]),
    ("severity > 'low' && severity < 'critical'", [1, 3]),
    ("severity == 'high'", [3]),
    ("service == 'a' && severity == 'critical' || service == 'b'", [0, 1]),
    ("service == 'a' && (severity == 'critical' || service == 'b')", [0]),
    ("!(service == 'a')", [1]),
    ("name.contains('disk')", [0, 1]),
    ("name.startsWith('disk')", [0]),
    ("!name.endsWith('full')", [1, 2, 3]),
    ("name.matches('^disk.*l$')", [0]),
    ("labels.queue == 'x'", [1]),
    ("labels.depth >= 10", [3]),
    ("has(labels.queue)", [1, 3]),
    ("labels.queue != null", [1, 3]),
    ("service == null", [2]),
    ('name == "it\'s"', [3]),
    ("true", [0, 1, 2, 3]),
]


@pytest.fixture
def varied(alerts_at):
    return alerts_at(
        0, 1, 2, 3,
        service=["a", "b", None, "a"],
        severity=["critical", "warning", "info", "error"],
        alertname=["disk full", "no disk", "slow", "it's"],
        labels=["{}", '{"queue":"x","depth":9}', None, '{"queue":"y","depth":"11"}'],
    )  # fmt: skip


@pytest.mark.parametrize(("cel", "expected"), CONDITIONS)
def test_cel_means_what_it_says(varied, cel, expected):
    met = sl.select_alerts(varied, where=to_sql(cel, list(varied.columns)))
    assert met["alert_id"].tolist() == [f"a{i:03}" for i in expected]


@pytest.mark.parametrize(
    ("cel", "message"),
    [
        ("service = 'a'", "\"= 'a'\" is not understood"),
        ("service == 'a' service", "'service' does not belong there"),
        ("service == ", "ends too early"),
        ("(service == 'a'", "ends too early"),
        ("nobody == 'a'", r"'nobody' is no column of the alerts; keys of labels are written labels\.nobody"),
        ("service.size() > 3", "'size' is not understood; the methods are contains"),
        ("alerts.exists(a, a.x)", "'alerts' is no column"),
        ("service == 1 + 1", r"'\+ 1' is not understood"),
        ("service > null", "null compares with == and != only"),
        ("service == 'a' ? true : false", "is not understood"),
        ("(" * 80 + "true" + ")" * 80, "more than 50 deep"),
        ("labels.a'; drop", "is not understood"),
    ],
)
def test_what_is_not_understood_of_cel_is_refused(varied, cel, message):
    with pytest.raises(ParameterError, match=message):
        to_sql(cel, list(varied.columns))


def test_texts_cannot_leave_their_quotes(varied):
    cel = "service == \"' OR true OR '\""
    assert sl.select_alerts(varied, where=to_sql(cel, list(varied.columns))).empty


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"where": "nope = 1"}, "is not a condition over the alerts"),
        ({"counted_from": "start"}, "counted_from='start' is not known"),
        ({"window": "0s"}, "window='0s' must be longer"),
    ],
)
def test_parameters_out_of_range(alerts_at, parameters, message):
    with pytest.raises(ParameterError, match=message):
        AttributeRule(**parameters).fit(alerts_at(0))


def test_a_list_of_numbers_passes_over_labels_that_are_words():
    alerts = pd.DataFrame(
        {"starts_at": ["2026-03-01T14:00Z"] * 3, "labels": ['{"shard":"5"}', '{"shard":"x"}', '{"shard":"7"}']}
    )
    assert AttributeRule(cel="labels.shard in [5, 7]").fit(alerts).labels_.tolist() == [0, -1, 0]
