from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.errors import SchemaError
from stanza_lab.incidents import score_incidents

MEASURES = ["ari", "ami", "pairwise_precision", "pairwise_recall", "pairwise_f1", "coverage"]


def scores(found: list[int], true: list[object], row: str = "all alerts") -> pd.Series:
    return score_incidents(pd.DataFrame({"incident_id": found}), truth=pd.Series(true, dtype=object)).loc[row]


def test_the_same_grouping_is_perfect_under_any_numbers():
    table = score_incidents(
        pd.DataFrame({"incident_id": [4, 4, 9, 9, -1]}), truth=pd.Series(["B", "B", "A", "A", None])
    )
    assert table.index.tolist() == ["incident alerts", "all alerts"]
    assert table.index.name == "over"
    assert table["n"].tolist() == [4, 5]
    assert table["incidents_true"].tolist() == table["incidents_found"].tolist() == [2, 2]
    assert table[MEASURES[:-1]].to_numpy().ravel().tolist() == pytest.approx([1.0] * 10)
    assert table["coverage"].tolist() == [1.0, 0.8]


def test_pairs_are_counted():
    # found: {1,2,3} {4,5}; true: {1,2} {3,4,5}: of 4 pairs put together 2 are right, of 4 true pairs 2 are found
    row = scores([0, 0, 0, 1, 1], ["A", "A", "B", "B", "B"])
    assert row[["pairwise_precision", "pairwise_recall", "pairwise_f1"]].tolist() == [0.5, 0.5, 0.5]


def test_grouping_noise_costs_over_all_alerts_only():
    found, true = [0, 0, 0, 1, 1], ["A", "A", None, None, None]
    assert scores(found, true, "incident alerts")["ari"] == 1.0
    assert scores(found, true)["pairwise_precision"] == 0.25
    assert scores(found, true)["ari"] < 0.4


def test_left_alone_means_a_group_of_its_own():
    row = scores([-1, -1, 0, 0], ["A", "A", "B", "B"])
    assert row[["pairwise_precision", "pairwise_recall", "coverage"]].tolist() == [1.0, 0.5, 0.5]
    assert scores([-1, -1], [None, None])["ari"] == 1.0


def test_nothing_to_measure_is_null():
    row = scores([], [])
    assert row["n"] == 0
    assert row[MEASURES].isna().all()
    alone = scores([-1, -1], [None, None])
    assert alone[["pairwise_precision", "pairwise_recall", "pairwise_f1"]].isna().all()


def test_truth_as_a_table_of_alert_ids():
    alerts = pd.DataFrame({"alert_id": ["x", "y", "z"], "incident_id": [0, 0, 0]})
    truth = pd.DataFrame({"alert_id": ["y", "x"], "incident_id": ["INC-1", "INC-1"]})
    table = score_incidents(alerts, truth=truth)
    assert table["n"].tolist() == [2, 2]  # nothing is said about z
    assert table["ari"].tolist() == [1.0, 1.0]


def test_truth_as_records_belongs_where_the_first_firing_belongs():
    alerts = pd.DataFrame({"event_ids": [["1", "2"], ["3", "4", "5"], ["9"], []], "incident_id": [0, 0, 0, 0]})
    truth = pd.DataFrame(
        {
            "native_id": ["1", "2", "3", "4", "5"],
            "kind": ["firing", "recovery", "recovery", "firing", "firing"],
            "incident_id": ["INC-1", "INC-2", "INC-2", "INC-1", "INC-2"],
        }
    )
    table = score_incidents(alerts.set_axis([7, 7, 8, 9]), truth=truth)
    assert table["n"].tolist() == [2, 2]
    assert table["ari"].tolist() == [1.0, 1.0]


def test_truth_that_cannot_be_matched():
    alerts = pd.DataFrame({"incident_id": [0, 1]})
    with pytest.raises(SchemaError, match="its index is not that of alerts"):
        score_incidents(alerts, truth=pd.Series(["A", "B"], index=[4, 5]))
    with pytest.raises(SchemaError, match=r"columns are \['id'\]"):
        score_incidents(alerts, truth=pd.DataFrame({"id": ["x"]}))
    with pytest.raises(SchemaError, match="event_ids"):
        score_incidents(alerts, truth=pd.DataFrame({"native_id": ["x"], "incident_id": ["A"]}))


@given(st.lists(st.tuples(st.integers(-1, 4), st.sampled_from(["A", "B", "C", None])), min_size=1, max_size=30))
def test_pairs_agree_with_counting_them(rows):
    found, true = [r[0] for r in rows], [r[1] for r in rows]
    pairs = [(i, j) for i in range(len(rows)) for j in range(i)]
    together = {(i, j) for i, j in pairs if found[i] == found[j] >= 0}
    belong = {(i, j) for i, j in pairs if true[i] == true[j] is not None}
    row = scores(found, true)
    for name, whole in (("pairwise_precision", together), ("pairwise_recall", belong)):
        expected = len(together & belong) / len(whole) if whole else np.nan
        assert row[name] == pytest.approx(expected, nan_ok=True)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "n", "true"), [("petshop_low", 309, 25), ("nezha_tt_0129", 300, 27)])
def test_every_alert_of_a_recording_finds_its_label(shared, name, n, true):
    import stanza_lab as sl

    alerts = sl.read_alerts(shared / "data" / name / "alerts").assign(incident_id=-1)
    truth = pd.read_csv(shared / "data" / name / "truth" / "alert_labels.csv", dtype="str")
    row = score_incidents(alerts, truth=truth).loc["all alerts"]
    assert (row["n"], row["incidents_true"]) == (n, true)
