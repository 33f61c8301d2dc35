from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab.patterns.mining import chance
from stanza_lab.patterns.mining.members import Member, quorum
from stanza_lab.patterns.mining.sequences import Sequences
from tests.patterns.mining.histories import START, row


def member(core: list[int], incidents: list[int]) -> Member:
    ones = np.ones(len(incidents))
    return Member(np.array(core), np.zeros(0, np.int64), np.ones(len(core)), np.array(incidents), ones)


def test_poisson_tail_by_hand() -> None:
    # expected 1: at least 2 with 1 - 2/e
    assert chance.at_least(np.array([2.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx([1 - 2 / np.e, 1.0])


def test_meetings_expected_in_time_by_hand() -> None:
    # a fires 10 times, b 20 times, never near each other, in a history that is watched throughout (c, every 30 min).
    days = 40
    rows = [row("a", "x", 96 * i, 0, i) for i in range(10)] + [row("b", "y", 48 * i + 5, 0, 10 + i) for i in range(20)]
    rows += [row("c", "z", i / 2, 0, -1) for i in range(48 * days)]
    sequences = Sequences.of(pd.DataFrame(rows), by="symptom")
    pair = member([0, 1], [0])
    hours = np.full((3, 24), 1 / 24)
    watched = days * 86_400.0
    expected = chance._expected(pair, sequences, 600.0, watched, hours)
    # either may be where the count starts: 10 x (20 x 1200 s of the time) and 20 x (10 x 1200 s), each meeting twice
    assert expected == pytest.approx([(10 * 20 * 1200 + 20 * 10 * 1200) / watched / 2])


def test_a_burst_covers_time_once() -> None:
    assert chance._near(np.array([0.0, 10.0, 1000.0]), 60.0) == (2.0, 10 + 120 + 120)


def test_hours_lean_to_what_is_usual() -> None:
    rows = [row("a", "x", 24 * i, 0, -1) for i in range(24)] + [row("b", "y", i, 0, -1) for i in range(24 * 40)]
    hours = chance.hours_of(Sequences.of(pd.DataFrame(rows), by="symptom"))
    assert hours.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert hours[0].argmax() == START.hour
    assert 0.5 < hours[0].max() < 0.6  # half from its own 24 alerts, half from what is usual


def test_near_is_a_minute_times_a_power_of_two() -> None:
    assert chance.near_s(np.array([0.0, 10.0])) == 60.0
    assert chance.near_s(np.array([61.0, 61.0])) == 120.0
    assert chance.near_s(np.array([480.0])) == 480.0


def test_how_many_of_several_are_there_by_hand() -> None:
    share = np.array([[0.5], [0.2]])
    assert chance._many_of(share)[:, 0] == pytest.approx([0.4, 0.5, 0.1])


def test_each_kind_is_in_as_many_incidents_as_it_is() -> None:
    counts, size, many = np.array([3.0, 20.0]), np.array([1.0, 2.0, 8.0]), np.array([10.0, 10.0, 5.0])
    assert chance._share(counts, size, many) @ many == pytest.approx(counts, rel=1e-6)


def test_q_value_is_the_share_that_chance_offers_by_hand() -> None:
    p = np.array([0.001, 0.2, 0.01])
    by_chance = [np.array([0.005, 0.5]), np.zeros(0), np.array([0.3])]
    # below .001: none of 3 histories (1/4), below .01: one (2/4), below .2: one (2/4); over 1, 2 and 3 patterns
    assert chance.q_values(p, by_chance) == pytest.approx([1 / 6, 1 / 6, 1 / 6])
    assert chance.q_values(np.array([0.001]), by_chance) == pytest.approx([0.25])


@pytest.mark.parametrize(("core", "least"), [(2, 2), (3, 2), (4, 3), (5, 3), (10, 6)])
def test_quorum(core: int, least: int) -> None:
    assert quorum(core) == least
