from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.incidents.correlation.recurrence import MOST_RULES, Recurrence

A, B, C = 0, 1, 2


def counted(*rows: tuple[int, int]) -> tuple[Recurrence, np.ndarray, np.ndarray]:
    rule, labels = (np.array(column) for column in zip(*rows, strict=True))
    return Recurrence.of(rule, np.arange(rule.max() + 1), np.full(len(rule), 0.5), labels), rule, labels


def test_counts():
    found, *_ = counted((A, 0), (A, 0), (B, 0), (A, 1), (B, 1), (C, -1), (A, -1))
    assert found.alerts.tolist() == [4, 2, 1]
    assert found.luck.tolist() == [2, 1, 0.5]
    assert found.alone.tolist() == [1, 0, 1]
    assert found.incidents.tolist() == [2, 2, 0]
    assert found.together.toarray().tolist() == [[2, 2, 0], [2, 2, 0], [0, 0, 0]]
    assert found.occasions == 4


def test_without_a_grouping_only_company_is_counted():
    found = Recurrence.of(np.array([A, A, B]), np.array([0, 1]), np.array([0.5, 0.9, 0.5]))
    assert found.alerts.tolist() == [2, 1]
    assert found.luck.tolist() == [1.4, 0.5]
    assert found.occasions == 0
    assert found.lift(np.array([A]), np.array([B])).tolist() == [0]


def test_nothing_is_known_before_any_history():
    nothing = Recurrence.of(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    assert nothing.habit(np.array([A, B])).tolist() == [0.5, 0.5]
    assert nothing.lift(np.array([A]), np.array([B])).tolist() == [0]


def test_company_as_by_chance_is_chronic():
    n = 200
    chance = Recurrence.of(np.zeros(n, int), np.zeros(1, int), np.full(n, 0.5))
    assert chance.habit(np.array([A])) == pytest.approx(1.0, abs=0.01)
    company = Recurrence.of(np.zeros(n, int), np.zeros(1, int), np.full(n, 1.0))
    assert company.habit(np.array([A])) == pytest.approx(0.0, abs=0.01)


def test_an_alert_is_judged_by_the_others_of_its_rule():
    rule, luck = np.array([A, A, B]), np.array([0.5, 0.9, 0.1])
    found = Recurrence.of(rule, np.arange(rule.max() + 1), luck)
    means = [(0.9 + 1.5) / 3, (0.5 + 1.5) / 3, 1.5 / 2]
    assert found.habit(rule, luck) == pytest.approx([2 * (1 - mean) for mean in means])


def test_rules_of_one_family_are_judged_together():
    rule, luck = np.array([A, A, B]), np.array([0.5, 0.9, 0.7])
    found = Recurrence.of(rule, np.array([0, 0]), luck)
    means = [(1.6 + 1.5) / 4, (1.2 + 1.5) / 4, (1.4 + 1.5) / 4]
    assert found.habit(rule, luck) == pytest.approx([2 * (1 - mean) for mean in means])


def test_a_new_alert_is_judged_by_all_of_its_rule():
    found = Recurrence.of(np.array([A, A, B]), np.array([0, 1]), np.array([0.5, 0.9, 0.1]))
    means = [(1.4 + 1.5) / 4, (0.1 + 1.5) / 3, 1.5 / 2]
    assert found.habit(np.array([A, B, 9])) == pytest.approx([min(2 * (1 - mean), 1) for mean in means])


def test_a_pair_learns_nothing_from_itself():
    found, *_ = counted((A, 0), (B, 0), (C, -1), (C, -1))
    here = (np.array([0]), np.array([0]))
    assert found.lift(np.array([A]), np.array([B]), here).tolist() == [0]
    assert found.lift(np.array([A]), np.array([B]))[0] > 0  # for a new pair it is another occasion


def test_lift_is_over_chance():
    found, *_ = counted(*[(rule, incident) for incident in range(3) for rule in (A, B)], *[(C, -1)] * 3)
    elsewhere = (np.array([0]), np.array([1]))
    assert found.lift(np.array([A]), np.array([B])) == pytest.approx(log(3.5 / (3 * 3 / 6 + 0.5)))
    assert found.lift(np.array([A]), np.array([B]), elsewhere) == pytest.approx(log(3.5 / (2 * 2 / 6 + 0.5)))
    assert found.lift(np.array([A]), np.array([C])) == pytest.approx(log(0.5 / (3 * 3 / 6 + 0.5)))


def test_nothing_is_told_of_one_rule_or_of_an_unseen_one():
    found, *_ = counted((A, 0), (B, 0), (A, 1), (B, 1))
    assert found.lift(np.array([A, A, 9]), np.array([A, 9, 9])).tolist() == [0, 0, 0]


ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 3)), min_size=2, max_size=20)


@given(ROWS)
def test_lifts_are_finite_and_symmetric(rows):
    found, rule, labels = counted(*rows)
    left, right = np.triu_indices(len(rows), 1)
    sides = (labels[left], labels[right])
    one = found.lift(rule[left], rule[right], sides)
    assert np.isfinite(one).all()
    assert np.allclose(one, found.lift(rule[right], rule[left], sides[::-1]))


@given(ROWS)
def test_names_of_incidents_do_not_matter(rows):
    found, *_ = counted(*rows)
    turned, *_ = counted(*[(r, 3 - i if i >= 0 else -1) for r, i in rows])
    assert found.together.toarray().tolist() == turned.together.toarray().tolist()
    assert found.alone.tolist() == turned.alone.tolist()


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=20))
def test_habits_are_shares(rows):
    rule, luck = (np.array(column) for column in zip(*rows, strict=True))
    found = Recurrence.of(rule, np.arange(rule.max() + 1), luck)
    for habit in (found.habit(rule, luck), found.habit(rule)):
        assert ((habit >= 0) & (habit <= 1)).all()


def test_an_incident_of_very_many_rules_teaches_nothing_about_pairs():
    rows = [(rule, 0) for rule in range(MOST_RULES + 1)] + [(A, 1), (B, 1)]
    found, *_ = counted(*rows)
    assert found.together[A, B] == 1
    assert found.incidents[A] == 2
