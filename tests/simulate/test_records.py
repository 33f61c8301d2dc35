from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.simulate.records import KINDS, make_records

MINUTE = 60_000
MONITORS = pd.DataFrame(
    {
        "vendor": ["datadog", "cloudwatch", "sentry"],
        "renotify_ms": [30 * MINUTE, 0, 0],
        "skew_ms": [0, 1_500, 0],
    }
)


def records(firings: list[tuple[int, int, int]], *, missing: float = 0.0) -> list[tuple[int, int, str, int]]:
    frame = pd.DataFrame([(*row, 4) for row in firings], columns=["monitor", "start_ms", "end_ms", "incident"])
    rng = np.random.default_rng(0)
    made = make_records(rng, MONITORS, frame, missing_recovery=missing, start_ms=0, days=1)
    return [(row.monitor, row.at_ms, KINDS[row.kind], row.incident) for row in made.itertuples()]


def test_datadog_repeats_itself_until_it_recovers() -> None:
    assert records([(0, 0, 70 * MINUTE)]) == [
        (0, 0, "firing", 4),
        (0, 30 * MINUTE, "renotification", 4),
        (0, 60 * MINUTE, "renotification", 4),
        (0, 70 * MINUTE, "recovery", 4),
    ]


def test_a_monitor_writes_by_its_own_clock() -> None:
    assert records([(1, 0, MINUTE)]) == [(1, 1_500, "firing", 4), (1, MINUTE + 1_500, "recovery", 4)]


def test_sentry_tells_of_an_issue_again_and_never_of_its_end() -> None:
    found = records([(2, 0, 45 * MINUTE)])
    assert {kind for _, _, kind, _ in found} == {"firing"}
    times = [at for _, at, _, _ in found]
    assert len(times) == 5
    assert np.diff(times).max() < 30 * MINUTE  # one alert by the quiet gap


def test_recoveries_get_lost() -> None:
    assert [kind for _, _, kind, _ in records([(1, 0, MINUTE)], missing=1.0)] == ["firing"]


def test_what_lies_beyond_the_export_is_not_there() -> None:
    day = 24 * 60 * MINUTE
    assert [kind for _, _, kind, _ in records([(1, day - MINUTE, day + MINUTE)])] == ["firing"]


def test_records_are_in_order_of_time() -> None:
    found = records([(0, 5 * MINUTE, 9 * MINUTE), (1, 0, 7 * MINUTE)])
    assert [at for _, at, _, _ in found] == sorted(at for _, at, _, _ in found)
