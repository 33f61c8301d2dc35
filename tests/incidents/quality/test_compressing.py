from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError

ALERTS = pd.DataFrame({"alert_id": list("abcde"), "event_ids": [["1", "2"], ["3"], ["4"], ["5"], []]}).assign(
    incident_id=[0, 0, 1, 1, -1]
)


def test_an_alert_on_its_own_still_is_a_page():
    row = sl.metrics.compression(ALERTS, truth=pd.Series(["A", "A", "A", None, None])).loc["alerts to incidents"]
    assert (row["n_in"], row["n_out"], row["compression"]) == (5, 3, 0.4)
    assert row["recall"] == pytest.approx(1 / 3)
    assert row["precision"] == 0.5
    assert row["why"] == "over 5 of 5 alerts, those whose incident is known"


def test_compression_without_truth_says_that_it_says_nothing():
    row = sl.metrics.compression(ALERTS).loc["alerts to incidents"]
    assert np.isnan(row["recall"])
    assert "no truth was given" in row["why"]


def test_one_incident_of_everything_compresses_best_and_is_seen_through():
    row = sl.metrics.compression(ALERTS.assign(incident_id=0), truth=pd.Series(["A", "A", "B", "B", None])).iloc[0]
    assert (row["compression"], row["recall"], row["precision"]) == (0.8, 1.0, 0.2)


def test_truth_without_a_pair_gives_no_recall():
    row = sl.metrics.compression(ALERTS, truth=pd.Series(["A", "B", None, None, None])).iloc[0]
    assert np.isnan(row["recall"])
    assert "no two of the 5" in row["why"]


def test_records_that_no_alert_holds_are_missed_by_folding():
    truth = pd.DataFrame({"native_id": list("1349"), "kind": "firing", "incident_id": ["A", "A", None, None]})
    row = sl.metrics.compression(ALERTS, events=pd.DataFrame(index=range(10)), truth=truth).loc["events to alerts"]
    assert (row["n_in"], row["n_out"], row["compression"], row["recall"]) == (10, 5, 0.5, 0.75)
    row = sl.metrics.compression(ALERTS, events=10).loc["events to alerts"]
    assert np.isnan(row["recall"])
    assert "no truth about single records" in row["why"]


def test_no_alerts():
    row = sl.metrics.compression(ALERTS.iloc[:0], events=0).loc["events to alerts"]
    assert (row["n_in"], row["n_out"]) == (0, 0)
    assert np.isnan(row["compression"])


def test_events_that_are_no_number():
    with pytest.raises(ParameterError, match="events=-1"):
        sl.metrics.compression(ALERTS, events=-1)
