"""Nothing is learned from the future, and no incident is cut in two."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.errors import ParameterError
from stanza_lab.tuning import TimeSplits
from stanza_lab.tuning.splits import hold_out

MINUTE = 60


def at(*seconds: float | None) -> pd.DataFrame:
    return pd.DataFrame({"starts_at": pd.to_datetime(list(seconds), unit="s", utc=True)})


def test_a_cut_goes_to_the_longest_pause_near_its_place() -> None:
    seconds = [*range(9), *range(1000, 1007)]  # half of 16 would be between 7 and 8
    ((train, test),) = TimeSplits(n_splits=1).split(at(*seconds))
    assert (train.tolist(), test.tolist()) == (list(range(9)), list(range(9, 16)))


def test_a_cut_keeps_out_of_a_known_incident_even_at_its_longest_pause() -> None:
    seconds = [0, 10, 20, 30, 40, 50, 60, 70, 1000, 1010, 1030, 1040, 1050, 1060, 1070, 1080]
    names = [None] * 7 + ["INC"] * 2 + [None] * 7
    ((_, without),) = TimeSplits(n_splits=1).split(at(*seconds))
    ((train, test),) = TimeSplits(n_splits=1).split(at(*seconds), names)
    assert without[0] == 8
    assert (train[-1], test[0]) == (9, 10)  # the next longest pause outside it


def test_an_incident_that_no_cut_avoids_is_left_out_of_that_split_only() -> None:
    names = np.array([None, "A", None, "A", None, "A", None, None, None], dtype=object)
    (_, first), (second, last) = TimeSplits(n_splits=2).split(at(*range(0, 900, 100)), names)
    assert not {1, 3, 5} & set(first.tolist())
    assert {1, 3, 5} <= set(second.tolist())
    assert last.tolist() == [6, 7, 8]


def test_an_embargo_keeps_the_time_before_a_test_out_of_the_training() -> None:
    seconds = [0, 10, 20, 30, 40, 50, 60, 70]
    ((train, test),) = TimeSplits(n_splits=1, embargo="25s").split(at(*seconds))
    assert (train.tolist(), test.tolist()) == ([0, 1], [4, 5, 6, 7])


def test_alerts_without_a_time_are_in_no_split() -> None:
    ((train, test),) = TimeSplits(n_splits=1).split(at(0, None, 1, 100, None, 101))
    assert (train.tolist(), test.tolist()) == ([0, 2], [3, 5])


def test_an_array_of_seconds_is_split_alike() -> None:
    ((train, test),) = TimeSplits(n_splits=1).split(np.array([[0.0], [1.0], [100.0], [101.0]]))
    assert (train.tolist(), test.tolist()) == ([0, 1], [2, 3])


def test_too_few_alerts_are_told() -> None:
    with pytest.raises(ParameterError, match="2 alerts are too few"):
        list(TimeSplits(n_splits=3).split(at(0, 1)))


def test_alerts_of_one_instant_cannot_be_split() -> None:
    with pytest.raises(ParameterError, match="begin at one instant"):
        list(TimeSplits(n_splits=1).split(at(*[5] * 20)))


def test_an_embargo_that_leaves_nothing_is_told() -> None:
    with pytest.raises(ParameterError, match="shorter embargo"):
        list(TimeSplits(n_splits=1, embargo="1h").split(at(0, 1, 2, 3)))


@pytest.mark.parametrize(("n_splits", "embargo"), [(0, "0s"), (1, "-1s"), (1, "soon")])
def test_what_makes_no_sense_is_refused(n_splits: int, embargo: str) -> None:
    with pytest.raises(ParameterError):
        TimeSplits(n_splits=n_splits, embargo=embargo)


histories = st.lists(st.tuples(st.integers(0, 5000), st.sampled_from([None, None, "A", "B", "C"])), min_size=1)


@given(histories, st.integers(1, 4), st.sampled_from([0, 30]))
@settings(max_examples=150, deadline=None)
def test_training_ends_before_the_test_and_every_incident_is_whole(history, n_splits: int, embargo: int) -> None:
    seconds = np.array([time for time, _ in history])
    names = np.array([name for _, name in history], dtype=object)
    try:
        splits = list(TimeSplits(n_splits=n_splits, embargo=f"{embargo}s").split(at(*seconds.tolist()), names))
    except ParameterError:
        return
    tested: list[int] = []
    for train, test in splits:
        assert seconds[train].max() + embargo < seconds[test].min()
        for side in (train, test):
            for name in {name for name in names[side] if name}:
                assert set(np.flatnonzero(names == name)) <= set(side.tolist())
        tested += test.tolist()
    assert len(tested) == len(set(tested))


@given(st.permutations(range(12)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_does_not_matter(order) -> None:
    seconds = np.array([0, 1, 5, 60, 61, 64, 300, 301, 305, 306, 900, 901])
    expected = [set(seconds[test]) for _, test in TimeSplits(n_splits=2).split(at(*seconds.tolist()))]
    shuffled = seconds[list(order)]
    assert [set(shuffled[test]) for _, test in TimeSplits(n_splits=2).split(at(*shuffled.tolist()))] == expected


def test_the_last_part_of_a_history_is_held_out() -> None:
    before, after = hold_out(at(*range(0, 60, 10), 1000, 1010), None, share=0.25)
    assert (before.tolist(), after.tolist()) == ([0, 1, 2, 3, 4, 5], [6, 7])
