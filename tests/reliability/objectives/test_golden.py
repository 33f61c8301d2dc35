from __future__ import annotations

import math

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError
from tests.reliability.objectives.tables_of import START, counts


def test_traffic_and_errors_of_what_was_seen() -> None:
    table = counts([10, 20, 0, 0], total=600).drop(index=[1])
    row = sl.golden_signals(table, every="20min").loc[0]
    # 1,800 requests in the 900 s that were seen, 10 failed
    assert (row["traffic_per_s"], row["seen"], row["error_ratio"]) == (2.0, 0.75, pytest.approx(10 / 1800))
    assert math.isnan(row["p50_s"])
    assert math.isnan(row["saturation"])


def test_latency_adds_up_over_an_interval() -> None:
    table = counts([0, 0], total=100)
    table["le"], table["below"] = [[0.1, 0.5, math.inf]] * 2, [[20.0, 80.0, 100.0], [100.0, 100.0, 100.0]]
    row = sl.golden_signals(table, every="10min").loc[0]
    # together 120, 180, 200: rank 100 lies in the first bucket (0.1 * 100 / 120), rank 180 at the end of the second
    assert (row["p50_s"], row["p90_s"]) == (pytest.approx(0.1 * 100 / 120), pytest.approx(0.5))
    assert (row["p99_s"], row["p99_low_s"], row["p99_high_s"]) == (0.5, 0.5, math.inf)


def test_saturation_is_the_time_in_which_such_an_alert_was_open() -> None:
    minutes = [(0, 15), (10, 20), (40, None)]
    alerts = pd.DataFrame(
        {
            "service": "shop",
            "alertname": ["disk full", "memory exhausted", "queue full"],
            "starts_at": [START + pd.Timedelta(minutes=a) for a, _ in minutes],
            "ends_at": [None if b is None else START + pd.Timedelta(minutes=b) for _, b in minutes],
        }
    )
    found = sl.golden_signals(counts([0] * 12), alerts=alerts, every="1h")
    assert found["saturation"].tolist() == [pytest.approx(20 / 60)]
    assert found["saturation_alerts"].tolist() == [2]  # what began at the very start belongs to the hour before
    assert found.attrs["unseen"] == ["1 saturation alert without an end count as begun, not as open"]


def test_too_many_intervals_and_an_empty_span_are_refused() -> None:
    table = counts([0, 0])
    with pytest.raises(ParameterError, match="200,000 intervals"):
        sl.golden_signals(table, every="1ms")
    with pytest.raises(ParameterError, match="must lie before"):
        sl.golden_signals(table, since="2026-03-02", until="2026-03-01")
