"""Lengths of time that fit each other, and nothing else."""

from __future__ import annotations

import pytest

from stanza_lab.dependencies.statistics import Counting
from stanza_lab.errors import ParameterError, SchemaError

LENGTHS = {"window": "10min", "refractory": "15min", "block": "1h", "slice": "1D"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"refractory": "5min"}, "at least window"),
        ({"block": "30min"}, "four times"),
        ({"slice": "90min"}, "whole number of blocks"),
        ({"block": "42min", "refractory": "45min", "slice": "42min"}, "at least window . refractory"),
        ({"window": "-1min"}, "longer than zero"),
        ({"window": "10ns"}, "at least a microsecond"),
    ],
)
def test_durations_that_do_not_fit_are_refused(wrong: dict[str, str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Counting.of(**(LENGTHS | wrong))


def test_settings_make_the_same_counting_again() -> None:
    counting = Counting.of(**LENGTHS)
    assert Counting.from_settings(counting.settings()) == counting


@pytest.mark.parametrize(
    "wrong", [{"window": "x"}, {"window": 0}, {"block": 2.5}, {"slice": 10**20}, {"more": 1}, {"block": True}]
)
def test_settings_of_another_kind_are_refused(wrong: dict) -> None:
    with pytest.raises(SchemaError, match="settings must be"):
        Counting.from_settings(Counting.of(**LENGTHS).settings() | wrong)


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SchemaError, match="refractory=1 must be at least"):
        Counting.from_settings(Counting.of(**LENGTHS).settings() | {"refractory": 1})
