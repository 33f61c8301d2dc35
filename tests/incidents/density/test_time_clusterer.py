from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.incidents import TimeClusterer, cluster_incidents

EXPECTED_FAILURES = {
    "check_clustering": "its blobs lie within seconds of each other, and an incident is a matter of minutes",
}
PLAIN = {"min_alerts": 3, "min_neighbours": 1, "max_gap": None, "resolution": "0s"}
START = pd.Timestamp("2026-03-01T14:00Z")


def alerts_at(*minutes: float | None, **columns: list) -> pd.DataFrame:
    times = [None if m is None else START + pd.Timedelta(minutes=m) for m in minutes]
    return pd.DataFrame({"starts_at": pd.to_datetime(pd.Series(times), utc=True), **columns})


def labels(alerts: object, **parameters: object) -> list[int]:
    return TimeClusterer(**{**PLAIN, **parameters}).fit(alerts).labels_.tolist()


@parametrize_with_checks([TimeClusterer()], expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_scikit_learn_manners(estimator, check):
    check(estimator)


def test_numba_loads_with_the_first_fit_only():
    code = """
import sys, stanza_lab as sl
sl.TimeClusterer()
print("numba" in sys.modules)
sl.TimeClusterer().fit([[0.0], [1.0]])
print("numba" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "True"]


def test_incidents_are_numbered_in_time_and_kept_in_row_order():
    assert labels(alerts_at(500, 0, 501, 1, 1100, 502, 2)) == [1, 0, 1, 0, -1, 1, 0]


def test_an_alert_without_a_start_is_noise():
    model = TimeClusterer(min_alerts=3, max_gap="5min").fit(alerts_at(0, None, 1, 2))
    assert model.labels_.tolist() == [0, -1, 0, 0]
    assert model.probabilities_.tolist() == [1, 0, 1, 1]
    assert model.condensed_tree_.values.tolist()[0] == [4, 1, np.inf, 1]
    assert labels(alerts_at(None, None)) == [-1, -1]


@pytest.mark.parametrize("max_gap", [None, "5min"])
def test_few_rows(max_gap):
    assert labels(alerts_at(), max_gap=max_gap) == []
    assert labels(alerts_at(0), max_gap=max_gap) == [-1]
    assert labels(alerts_at(0, 1), max_gap=max_gap) == [-1, -1]
    assert len(TimeClusterer().fit(alerts_at()).condensed_tree_) == 0
    assert TimeClusterer().fit(alerts_at(0)).condensed_tree_.values.tolist() == [[1, 0, np.inf, 1]]


def test_two_alerts_may_be_an_incident():
    assert labels(alerts_at(0, 1), min_alerts=2, max_gap="5min") == [0, 0]
    assert labels(alerts_at(0, 1), min_alerts=2, max_gap="30s") == [-1, -1]


def test_all_at_the_same_instant():
    assert labels(alerts_at(*[7.0] * 50)) == [-1] * 50
    assert labels(alerts_at(*[7.0] * 50), max_gap="1min") == [0] * 50


def test_everything_together_is_an_incident_only_within_a_gap():
    alerts = alerts_at(0, 1, 2, 3)
    assert labels(alerts) == [-1] * 4
    assert labels(alerts, max_gap="1min") == [0] * 4
    assert labels(alerts, max_gap="59s") == [-1] * 4


def test_a_longer_gap_joins_more():
    alerts = alerts_at(0, 1, 2, 9, 10, 11, 40)
    assert labels(alerts, max_gap="5min") == [0, 0, 0, 1, 1, 1, -1]
    assert labels(alerts, max_gap="10min", resolution="10min") == [0, 0, 0, 0, 0, 0, -1]


def test_what_is_nearer_than_the_resolution_is_not_split():
    alerts = alerts_at(0, 0.1, 0.2, 2, 2.1, 2.2)
    assert labels(alerts, max_gap="5min") == [0, 0, 0, 1, 1, 1]
    assert labels(alerts, max_gap="5min", resolution="2min") == [0] * 6


def test_more_neighbours_break_a_chain():
    assert labels(alerts_at(0, 5, 10, 15), max_gap="5min") == [0, 0, 0, 0]
    assert labels(alerts_at(0, 5, 10, 15), max_gap="5min", min_neighbours=2) == [-1, -1, -1, -1]
    assert labels(alerts_at(0, 5, 10, 15), max_gap="5min", min_neighbours=2, min_alerts=2) == [-1, 0, 0, -1]


def test_the_fewest_alerts_are_enough_unless_more_neighbours_are_asked_for():
    alerts = alerts_at(0, 1, 2, 50, 51)
    assert labels(alerts, max_gap="5min", min_neighbours=None) == [0, 0, 0, -1, -1]
    assert labels(alerts, max_gap="5min", min_neighbours=2) == [0, 0, 0, -1, -1]
    assert labels(alerts, max_gap="5min", min_neighbours=3) == [-1, -1, -1, -1, -1]


def test_a_burst_joins_over_the_head_of_a_lone_alert():
    times = [0.0, 0, 0, 5, 10, 10, 10]
    found = TimeClusterer(min_alerts=3, min_neighbours=2, max_gap="10s", resolution="0s").fit(np.array(times)[:, None])
    assert found.condensed_tree_["distance_s"].tolist()[:4] == [np.inf, 5, 5, 5]


def test_strength_falls_with_distance():
    model = TimeClusterer(min_alerts=3, min_neighbours=1, max_gap="10min", resolution="0s").fit(
        alerts_at(0, 1, 2, 6, 60)
    )
    assert model.probabilities_.tolist() == [1, 1, 1, 0.25, 0]


def test_strength_beside_alerts_of_one_instant_needs_a_resolution():
    alerts = alerts_at(0, 0, 0, 1)
    found = {
        resolution: TimeClusterer(min_alerts=3, max_gap="2min", min_neighbours=1, resolution=resolution)
        .fit(alerts)
        .probabilities_.tolist()
        for resolution in ("0s", "30s")
    }
    assert found == {"0s": [1, 1, 1, 0], "30s": [1, 1, 1, 0.5]}


def test_condensed_tree_is_a_table_of_what_leaves_what():
    found = TimeClusterer(**{**PLAIN, "min_alerts": 2}).fit(alerts_at(100, 0, 1, 101, 300)).condensed_tree_
    assert found.values.tolist() == [
        [5, 4, 11940, 1],
        [5, 6, 5940, 2],
        [5, 7, 5940, 2],
        [6, 1, 60, 1],
        [6, 2, 60, 1],
        [7, 0, 60, 1],
        [7, 3, 60, 1],
    ]
    assert found.dtypes.astype("str").tolist() == ["int64", "int64", "float64", "int64"]


def test_a_table_and_an_array_of_its_seconds_agree():
    minutes = [0, 1, 2, 4, 60, 61, 62, 66, 200]
    seconds = np.array(minutes)[:, None] * 60
    table, array = TimeClusterer(**PLAIN).fit(alerts_at(*minutes)), TimeClusterer(**PLAIN).fit(seconds)
    assert table.labels_.tolist() == array.labels_.tolist()
    assert np.allclose(table.condensed_tree_, array.condensed_tree_)


def test_only_the_first_column_of_an_array_counts():
    assert labels([[0, 9], [1, 1], [2, 5]], max_gap="1s") == [0, 0, 0]


def test_other_columns_and_the_index_do_not_matter():
    alerts = alerts_at(0, 1, 2, severity=["?", "!", "x"]).set_index(pd.Index([5, 3, 3]))
    before = alerts.copy()
    assert labels(alerts, max_gap="1min") == [0, 0, 0]
    pd.testing.assert_frame_equal(alerts, before)


def test_it_is_a_grouper_for_the_verb():
    found = cluster_incidents(alerts_at(0, 1, 2, 50), clusterer=TimeClusterer(min_alerts=3, max_gap="5min"))
    assert found["incident_id"].tolist() == [0, 0, 0, -1]
    assert found["incident_id"].dtype == "int64"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_array_must_be_finite(value):
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        TimeClusterer().fit([[0.0], [value]])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_alerts": 1}, "min_alerts=1 must be a whole number of at least 2"),
        ({"min_neighbours": 0}, "min_neighbours=0 must be a whole number of at least 1"),
        ({"max_gap": "0s"}, "max_gap='0s' must be longer than zero"),
        ({"max_gap": "soon"}, "max_gap='soon' is not a duration"),
        ({"resolution": "-1s"}, "resolution='-1s' must be zero or longer"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ParameterError, match=message):
        TimeClusterer(**parameters).fit(alerts_at(0, 1))


def test_a_table_without_starts_at():
    with pytest.raises(SchemaError, match="did you mean 'startsAt'"):
        TimeClusterer().fit(pd.DataFrame({"startsAt": ["2026-03-01T14:02Z"]}))
