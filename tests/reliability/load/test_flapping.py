from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from stanza_lab.reliability.load import flapping

FLIPS = [i % 2 for i in range(21)]


def test_a_state_that_always_changes_flaps_at_99_percent() -> None:
    assert flapping.percent(FLIPS) == pytest.approx(100 / 20 * sum(0.80 + 0.02 * i for i in range(20)))
    assert flapping.percent(FLIPS) == pytest.approx(99.0)


def test_a_new_change_weighs_more_than_an_old_one() -> None:
    assert flapping.percent([1, *[0] * 20]) == pytest.approx(4.0)  # 100 / 20 * 0.80
    assert flapping.percent([*[0] * 20, 1]) == pytest.approx(5.9)  # 100 / 20 * 1.18


def test_only_the_last_21_states_count_and_fewer_say_nothing() -> None:
    assert flapping.percent([0, 1, 0, 1, *[0] * 21]) == 0
    assert math.isnan(flapping.percent([0, 1] * 10))


def test_flapping_starts_high_and_stops_low() -> None:
    assert flapping.flaps([19.9, 20, 6, 5, 4.9, 10]) == [False, True, True, True, False, False]


def test_checks_are_judged_per_rule() -> None:
    at = pd.date_range("2026-03-01", periods=21, freq="min", tz="UTC")
    checks = pd.concat(
        [
            pd.DataFrame({"rule_key": "flips", "at": at, "state": FLIPS}),
            pd.DataFrame({"rule_key": "still", "at": at, "state": 0}),
            pd.DataFrame({"rule_key": "short", "at": at[:5], "state": FLIPS[:5]}),
        ]
    )
    found = flapping.of_checks(checks.sample(frac=1, random_state=0)).set_index("rule_key")
    assert found["flap_percent"].round(1).fillna(-1).to_dict() == {"flips": 99.0, "still": 0.0, "short": -1.0}
    assert found["flaps"].to_dict() == {"flips": True, "still": False, "short": False}


def test_the_most_changes_within_a_stretch_are_counted_per_group() -> None:
    minute = 60_000_000
    at = np.array([0, 10, 50, 60, 61, 0, 61], dtype=np.int64) * minute
    group = np.array([0, 0, 0, 0, 0, 1, 1], dtype=np.int64)
    assert flapping.most_changes(group, at, groups=3).tolist() == [4, 1, 0]  # 0..60 or 10..61, both ends included
