from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import BundleError, ParameterError
from stanza_lab.incidents import IncidentClusterer
from tests.incidents.correlation.plain import alerts_at


@pytest.fixture(scope="module")
def split() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Alerts to learn from, and those a day later that are to be judged."""
    made = sl.simulate_production(services=12, teams=3, days=20, incidents=25, random_state=5).alerts
    made = made.sort_values("starts_at", kind="stable", ignore_index=True)
    then = made["starts_at"].min() + pd.Timedelta("13D")
    return made[made["starts_at"] < then], made[made["starts_at"] >= then + pd.Timedelta("8h")]


@pytest.fixture(scope="module")
def fitted(split) -> IncidentClusterer:
    return IncidentClusterer().fit(split[0])


def test_what_comes_back_judges_new_alerts_as_the_original_does(fitted, split):
    restored = IncidentClusterer.from_frames(fitted.to_frames())
    found = fitted.predict(split[1])
    assert (found >= 0).any()
    np.testing.assert_array_equal(restored.predict(split[1]), found)
    pd.testing.assert_frame_equal(restored.rules_, fitted.rules_)


def test_there_and_back_again_gives_the_same_tables(fitted):
    frames = fitted.to_frames()
    again = IncidentClusterer.from_frames(frames).to_frames()
    for name, table in frames.items():
        pd.testing.assert_frame_equal(again[name], table)


def test_no_alert_and_no_time_of_one_is_written(fitted, split):
    frames = fitted.to_frames()
    assert {str(dtype) for table in frames.values() for dtype in table.dtypes} <= {"str", "int64", "float64"}
    written = {text for table in frames.values() for column in table for text in table[column].astype(str)}
    assert not written & set(split[0]["alert_id"])


def test_a_rule_without_a_name_is_left_out():
    frames = IncidentClusterer().fit(alerts_at(0, 1, 2, rule_key=["r", None, "q"])).to_frames()
    assert frames["rules"]["rule"].tolist() == ["r", "q"]


def test_alerts_did_not_come_along_and_it_says_so(fitted, split):
    restored = IncidentClusterer.from_frames(fitted.to_frames())
    assert len(restored.labels_) == 0
    with pytest.raises(ParameterError, match="did not come along"):
        restored.explain(0)
    with pytest.raises(ParameterError, match="did not come along"):
        restored.partial_fit(split[1])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: f.pop("together"), "lacks its table 'together'"),
        (lambda f: f.update(rules=f["rules"].drop(columns="luck")), "lacks"),
        (lambda f: f.update(together=pd.DataFrame({"a": [999_999], "b": [0], "times": [1.0]})), "names entry"),
        (lambda f: f.update(rules=pd.concat([f["rules"], f["rules"]])), "stands twice"),
        (lambda f: f.update(totals=f["totals"].iloc[:0]), "damaged"),
    ],
)
def test_damaged_tables_are_refused(fitted, damage, said):
    frames = dict(fitted.to_frames())
    damage(frames)
    with pytest.raises(BundleError, match=said):
        IncidentClusterer.from_frames(frames)
