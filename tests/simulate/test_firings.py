from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from stanza_lab.simulate.faults import Faults
from stanza_lab.simulate.firings import make_firings
from stanza_lab.simulate.monitors import RULES

LATENCY = next(number for number, rule in enumerate(RULES) if rule.name == "High p99 latency")
DAY = 86_400_000
NOTHING = pd.DataFrame(columns=["incident", "service", "start_ms", "end_ms", "intensity", "shows_as"])


def one_monitor(**more: float) -> pd.DataFrame:
    row = {
        "service": 0, "rule": LATENCY, "vendor": "datadog", "sensitivity": 9.0, "latency_s": 0.0, "period_ms": 60_000,
        "phase_ms": 5_000, "noise": 1.0, "flappy": 0.0, "nightly_ms": -1,
    }  # fmt: skip
    return pd.DataFrame([row | more])


def reached(*spans: tuple[int, int]) -> Faults:
    rows = [(k, 0, start, end, 1.0, "latency") for k, (start, end) in enumerate(spans)]
    return Faults(pd.DataFrame(), pd.DataFrame(rows, columns=NOTHING.columns))


def firings(monitors: pd.DataFrame, faults: Faults, **more: float) -> list[tuple[int, int, int]]:
    options = {"start_ms": 0, "days": 20, "noise": 0.0, "flapping": 0.0} | more
    frame = make_firings(np.random.default_rng(1), monitors, faults, **options)
    return list(frame[["start_ms", "end_ms", "incident"]].itertuples(index=False, name=None))


def test_a_firing_begins_and_ends_with_the_next_evaluation() -> None:
    assert firings(one_monitor(), reached((100_000, 400_000))) == [(125_000, 425_000, 0)]


def test_firings_of_one_monitor_that_touch_are_one_and_the_first_cause_counts() -> None:
    spans = [(100_000, 400_000), (300_000, 900_000), (2_000_000, 2_100_000)]
    expected = [(125_000, 905_000, 0), (2_045_000, 2_105_000, 2)]
    assert firings(one_monitor(), reached(*spans)) == expected


def test_what_begins_after_the_export_is_not_there() -> None:
    assert firings(one_monitor(), reached((21 * DAY, 22 * DAY))) == []


def test_a_blind_monitor_sees_nothing() -> None:
    assert firings(one_monitor(sensitivity=0.0), reached((100_000, 400_000))) == []


def test_noise_is_per_week_and_belongs_to_nothing() -> None:
    found = firings(one_monitor(), Faults(pd.DataFrame(), NOTHING), noise=70.0, days=70)
    assert 500 < len(found) < 800  # 700 drawn, some of them touch
    assert {incident for *_, incident in found} == {-1}


def test_a_chronic_monitor_fires_at_its_hour_of_many_nights() -> None:
    found = firings(one_monitor(noise=0.0, nightly_ms=7_200_000), Faults(pd.DataFrame(), NOTHING), noise=0.3, days=40)
    hours = {start // 3_600_000 % 24 for start, *_ in found}
    assert 15 < len(found) < 33
    assert hours == {2}


def test_flapping_breaks_a_firing_into_several_of_the_same_cause() -> None:
    found = firings(one_monitor(flappy=1.0), reached((100_000, 4_000_000)), flapping=1.0)
    assert len(found) > 1
    assert found[0][0] == 125_000
    assert {incident for *_, incident in found} == {0}
    assert all(end < start for (_, end, _), (start, _, _) in itertools.pairwise(found))
