from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.production.past import silence


def one(ticks: list[int], *, since: int, end: int) -> silence.Silences:
    case = np.zeros(len(ticks), np.int64)
    return silence.of_events(case, np.array(ticks), cases=1, since=np.array([since]), end=np.array([end]))


@pytest.mark.parametrize(
    ("events", "ticks", "silent", "expected"),
    [
        (1, 10, 5, 0.5),  # one of ten days, not among the last five
        (2, 10, 5, math.comb(5, 2) / math.comb(10, 2)),
        (5, 10, 5, 1 / math.comb(10, 5)),
        (0, 10, 5, 1.0),  # nothing to be missed
        (3, 10, 0, 1.0),  # no silence
    ],
)
def test_chance_is_that_none_of_the_days_lies_in_the_silence(
    events: int, ticks: int, silent: int, expected: float
) -> None:
    found = silence.chance(np.array([events]), np.array([ticks]), np.array([silent]), np.array([1.0]))
    assert found[0] == pytest.approx(expected)


def test_what_comes_in_bursts_may_well_be_silent() -> None:
    n, ticks, silent = np.array([12]), np.array([60]), np.array([20])
    even, bursty = (silence.chance(n, ticks, silent, np.array([d]))[0] for d in (1.0, 4.0))
    assert even < 0.01 < 0.2 < bursty


def test_the_first_event_is_given_and_silence_counts_from_the_window_on() -> None:
    found = one([10, 12, 14], since=20, end=30)
    assert (found.events[0], found.ticks[0], found.silent[0], found.window[0]) == (3, 19, 10, 10)
    assert found.expected[0] == pytest.approx(3 / 10 * 10)


def test_a_silence_within_the_window_starts_after_the_last_event() -> None:
    assert one([10, 12, 24], since=20, end=30).silent[0] == 5


def test_without_events_there_is_no_silence() -> None:
    assert one([], since=20, end=30).probability[0] == 1.0


def test_gaps_of_one_length_are_not_bursty_and_bunches_are() -> None:
    assert one(list(range(0, 60, 5)), since=60, end=70).bursty[0] == 1.0
    assert one([0, 1, 2, 3, 30, 31, 32, 33, 60, 61, 62, 63], since=64, end=70).bursty[0] > 2.0


def test_many_cases_need_more_proof() -> None:
    assert silence.claimed(np.array([0.01]), np.array([0.01])).tolist() == [True]
    assert not silence.claimed(np.full(20, 0.01), np.full(20, 0.01)).any()


def test_cases_that_could_never_prove_anything_cost_nothing() -> None:
    hopeless = np.full(500, 0.3)
    found = silence.claimed(np.append(hopeless, 0.01), np.append(hopeless, 0.01))
    assert found.nonzero()[0].tolist() == [500]


@given(st.integers(0, 30), st.integers(0, 60), st.integers(0, 60), st.floats(1, 8))
def test_chance_is_a_probability_and_a_longer_silence_is_less_likely(n: int, ticks: int, silent: int, d: float) -> None:
    arrays = [np.array([value]) for value in (n, max(ticks, n), min(silent, max(ticks, n)))]
    chance = silence.chance(*arrays, np.array([d]))[0]
    assert 0.0 <= chance <= 1.0
    longer = silence.chance(arrays[0], arrays[1], np.minimum(arrays[2] + 1, arrays[1]), np.array([d]))[0]
    assert longer <= chance + 1e-12


def test_by_chance_claims_are_as_rare_as_promised() -> None:
    random, calls = np.random.default_rng(0), 400
    wrong = 0
    for _ in range(calls):
        days = random.random((30, 90)) < random.uniform(0.02, 0.4, (30, 1))
        case, tick = np.nonzero(days)
        ends = np.full(30, 60), np.full(30, 90)
        found = silence.of_events(case, tick, cases=30, since=ends[0], end=ends[1])
        wrong += bool(silence.claimed(found.probability, found.at_best).any())
    assert wrong / calls <= silence.ALPHA + 0.02  # two standard errors
