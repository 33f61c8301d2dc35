from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError

ALERTS = pd.DataFrame({"alert_id": ["x", "y", "z"], "event_ids": [["1", "2"], ["3"], ["9"]]}, index=[7, 7, 8])


def said(labels):
    assert labels.dtypes.astype(str).tolist() == ["str", "str"]
    return {row.alert_id: row.incident_id if pd.notna(row.incident_id) else None for row in labels.itertuples()}


def test_a_file_of_native_ids(tmp_path):
    path = tmp_path / "alert_labels.csv"
    path.write_text("native_id,kind,incident_id\n2,firing,INC-1\n3,firing,\n5,firing,INC-1\n")
    assert said(sl.read_labels(path, alerts=ALERTS)) == {"x": "INC-1", "y": None}


def test_a_table_of_alert_ids_and_numbers():
    truth = pd.DataFrame({"alert_id": ["z", "y", "z"], "incident_id": [4, -1, 5]})
    assert said(sl.read_labels(truth, alerts=ALERTS)) == {"y": None, "z": "4"}


def test_a_series_beside_the_alerts():
    truth = pd.Series(["A", "", None], index=ALERTS.index)
    assert said(sl.read_labels(truth, alerts=ALERTS)) == {"x": "A", "y": None, "z": None}


def test_reading_labels_changes_no_score():
    truth = pd.DataFrame({"native_id": ["1", "2", "3", "9"], "incident_id": ["A", "B", "A", None]})
    alerts = ALERTS.assign(incident_id=[0, 0, 1])
    labels = sl.read_labels(truth, alerts=alerts)
    pd.testing.assert_frame_equal(sl.score_incidents(alerts, truth=labels), sl.score_incidents(alerts, truth=truth))


@pytest.mark.parametrize("text", ["id,name\n1,2\n", ""])
def test_a_file_of_something_else(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(SchemaError):
        sl.read_labels(path, alerts=ALERTS)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SchemaError, match=r"none\.csv: cannot be read"):
        sl.read_labels(tmp_path / "none.csv", alerts=ALERTS)


def test_neither_table_nor_series():
    with pytest.raises(SchemaError, match="not list"):
        sl.score_incidents(ALERTS.assign(incident_id=0), truth=["A", "A", "A"])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["petshop_low", "nezha_tt_0129"])
def test_spans_of_a_recording_name_its_incidents(shared, name):
    alerts = sl.read_alerts(shared / "data" / name / "alerts")
    truth = sl.read_labels(shared / "data" / name / "truth" / "alert_labels.csv", alerts=alerts)
    assert truth["alert_id"].tolist() == alerts["alert_id"].tolist()
    written = pd.read_csv(shared / "data" / name / "truth" / "incidents.csv")
    spans = sl.labels_from_spans(alerts, incidents=written)
    both = spans.merge(truth, on="alert_id", suffixes=("", "_true")).dropna()
    # An alert in a span may be noise; one of an incident belongs to the span it fired in.
    assert (both["incident_id"] == both["incident_id_true"]).mean() > 0.95
    assert len(both) > 0.6 * truth["incident_id"].notna().sum()
    # Labels from spans say of themselves what they are: a perfect grouping by spans scores as one.
    found = alerts.merge(spans, on="alert_id", how="left")["incident_id"]
    scored = sl.score_incidents(alerts.assign(incident_id=found.astype("category").cat.codes), truth=spans)
    assert scored.loc["all alerts", "ari"] == 1
