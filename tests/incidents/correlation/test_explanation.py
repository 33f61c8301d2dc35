from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from stanza_lab.errors import ParameterError
from stanza_lab.incidents.correlation import grouping
from tests.incidents.correlation.plain import alerts_at, clusterer

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "evidence": {"what": "str", "seconds": "float64", "words": "str", "other": "str"},
    "neighbours": {
        "alert_id": "str", "incident_id": "int64", "apart_s": "float64", "distance_s": "float64", "service": "str",
        "rule": "str",
    },
    "what_if": {"change": "str", "distance_s": "float64", "incident_id": "int64"},
}  # fmt: skip


def told(**columns) -> pd.DataFrame:
    """Three alerts together, a fourth half an hour later, a fifth without a start."""
    alerts = alerts_at(0, 2, 4, 34, None, alert_id=[*"abcde"], service=["web", "web", "db", "db", "db"])
    return alerts.assign(**({"rule_key": ["r1", "r2", "r3", "r4", "r5"]} | columns))


def test_in_an_incident():
    found = clusterer(service_gap="1min").fit(told()).explain("c")
    assert found.alert_id == "c"
    assert found.incident_id == 0
    assert "in incident 0" in found.words
    assert "3 min away" in found.words
    assert found.evidence["what"].tolist() == ["time", "service"]
    assert found.evidence["seconds"].tolist() == [120, 60]
    assert found.evidence["other"].tolist() == ["b", "b"]
    assert found.evidence.attrs == {"distance_s": 180, "limit_s": 1200}
    assert found.neighbours["alert_id"].tolist() == ["b", "a", "d"]
    assert found.neighbours["apart_s"].tolist() == [-120, -240, 1800]
    assert found.neighbours["incident_id"].tolist() == [0, 0, -1]


def test_on_its_own():
    found = clusterer().fit(told()).explain("d")
    assert found.incident_id == -1
    assert "on its own: the nearest alert is 30 min away, the limit is 20 min" in found.words
    assert found.what_if.to_dict("records") == [
        {"change": "with a max_gap of 32 min or more", "distance_s": 1920, "incident_id": 0}
    ]


def test_without_a_start():
    found = clusterer().fit(told()).explain("e")
    assert found.incident_id == -1
    assert "no start time" in found.words
    assert not len(found.evidence) + len(found.neighbours) + len(found.what_if)


@pytest.mark.parametrize("alert", ["a", "d", "e", 1])
def test_columns(alert):
    found = clusterer(service_gap="1min").fit(told()).explain(alert)
    for name, dtypes in COLUMNS.items():
        assert getattr(found, name).dtypes.astype("str").to_dict() == dtypes, name


def test_only_alerts_of_its_own_rule_are_near():
    found = clusterer().fit(alerts_at(0, 1, 2, rule_key="disk")).explain(0)
    assert found.incident_id == -1
    assert "only alerts of its own rule" in found.words


def test_too_few_neighbours():
    found = clusterer(min_neighbours=3).fit(alerts_at(0, 5, 10)).explain(1)
    assert "needs 3 such neighbours" in found.words


def test_the_neighbour_that_decides_is_told():
    found = clusterer().fit(told()).explain("d")
    assert "; the second, which it needs too, is 32 min away" in found.words
    assert found.evidence["other"].tolist() == ["b"]
    assert found.evidence.attrs["distance_s"] == 1920
    assert "It would be in incident 0 with a max_gap of 32 min or more." in found.words
    joined = clusterer().fit(alerts_at(0, 4, 9, service="web")).explain(2)
    assert "nearest member is 5 min away, its second neighbour 9 min, the limit is 20 min" in joined.words
    assert joined.what_if["change"].tolist() == ["with a max_gap below 9 min"]


def test_one_is_said_in_the_singular():
    found = clusterer(min_neighbours=2).fit(alerts_at(0, 15, 60)).explain(0)
    assert (
        "on its own: 1 alert is within 20 min, but an alert needs 2 such neighbours, or one within 2 min; "
        in found.words
    )
    assert "60 min away" in found.words
    pair = clusterer(min_neighbours=1, min_rules=1).fit(alerts_at(0, 5)).explain(0)
    assert "the limit is 20 min. " in pair.words


def test_a_limit_of_hours_is_no_advice():
    found = clusterer(min_neighbours=1).fit(alerts_at(0, 200)).explain(0)
    assert found.what_if["change"].tolist() == ["with a max_gap of 3.4 h or more"]
    assert "It would be" not in found.words


def lone_habits(*habits, **parameters) -> str:
    """The words for the first of alerts five minutes apart whose rules are so chronic."""
    model = clusterer(max_chronic=0.5, min_neighbours=1, **parameters).fit(alerts_at(*range(0, 5 * len(habits), 5)))
    known = replace(model._known, habit=np.array(habits))
    model._known, model._found = known, grouping.group(known, model._settings())
    assert model._found.labels[0] == -1
    return model.explain(0).words


def test_a_chronic_alert_is_told_so():
    assert "fires as by chance (90%, max_chronic is 50%), so that it only joins" in lone_habits(0.9, 0.9)
    assert "and none is known" in lone_habits(0.9, 0.9)
    assert "the nearest is 25 min away, the limit is 20 min" in lone_habits(0.9, 0.9, 0.9, 0.9, 0.9, 0.1)


def test_one_alert():
    assert "no other alert is known" in clusterer().fit(alerts_at(0)).explain(0).words


def test_a_row_instead_of_an_id():
    model = clusterer().fit(told().drop(columns="alert_id"))
    found = model.explain(2)
    assert found.alert_id == "row 2"
    assert found.evidence["other"].tolist() == ["row 1"]
    assert clusterer().fit([[0.0], [60.0], [9000.0]]).explain(2).incident_id == -1
    assert clusterer().fit([[0.0], [60.0]]).explain(0).neighbours["alert_id"].tolist() == ["row 1"]


def test_an_alert_whose_id_is_null_is_called_by_its_row():
    model = clusterer().fit(told(alert_id=["a", "b", None, "d", "e"]))
    assert model.explain(2).alert_id == "row 2"
    assert model.explain("b").neighbours["alert_id"].tolist() == ["a", "row 2", "d"]


@pytest.mark.parametrize("alert", ["zzz", "", 5, -1, 1.5, None, True])
def test_no_such_alert(alert):
    with pytest.raises(ParameterError, match="alert="):
        clusterer().fit(told()).explain(alert)
    with pytest.raises(ParameterError, match="alert="):
        clusterer().fit(told().drop(columns="alert_id")).explain(alert)


def test_not_fitted():
    with pytest.raises(NotFittedError):
        clusterer().explain("a")


def test_alert_text_is_escaped():
    nasty = "<script>alert(1)</script>"
    alerts = told(alert_id=[nasty, *"bcde"], service=[nasty, "web", nasty, "db", "db"], rule_key=[nasty, *"bcde"])
    found = clusterer(service_gap="1min").fit(alerts).explain(nasty)
    assert nasty in found.words
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()


def test_what_if_they_were_about_one_service():
    alerts = alerts_at(0, 2, 4, 10, service=["web", "web", "web", "db"])
    found = clusterer(service_gap="30min").fit(alerts).explain(3)
    assert found.incident_id == -1
    assert found.what_if["change"].tolist()[0] == "if the two were about the same service"
    assert found.what_if["incident_id"].tolist()[0] == 0


def test_what_if_they_shared_no_trace():
    traces = [["t"], ["t"], None, None]
    alerts = alerts_at(0, 60, -1, -2, trace_ids=traces)
    found = clusterer(trace_gap="50min", min_neighbours=1).fit(alerts).explain(1)
    assert found.incident_id == 0
    assert found.what_if["change"].tolist() == ["if they shared no trace", "with a max_gap below 10 min"]
    assert found.what_if["incident_id"].tolist() == [-1, -1]
    separate = clusterer(trace_gap="50min", min_neighbours=1).fit(alerts.assign(trace_ids=None))
    assert separate.labels_.tolist() == [0, -1, 0, 0]


def test_lone_alerts_that_would_be_one_incident():
    found = clusterer(min_neighbours=1).fit(alerts_at(0, 30)).explain(0)
    assert found.what_if.to_dict("records") == [
        {"change": "with a max_gap of 30 min or more", "distance_s": 1800, "incident_id": -1}
    ]


def test_a_neighbour_needs_neighbours_too():
    # the middle one has two within 10 minutes; neither of these has two within less than 20
    found = clusterer(max_gap="9min").fit(alerts_at(0, 10, 20)).explain(1)
    assert found.what_if["distance_s"].tolist() == [1200]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 240), st.sampled_from([*"abc"]), st.sampled_from(["x", "y"]), st.sampled_from(["r1", "r2", "r3"])
    ),
    min_size=1,
    max_size=20,
)
LOOKS = {"service_gap": "3min", "team_gap": "4min", "company_gap": "1min", "max_gap": "5min", "resolution": "1min"}


def table(rows) -> pd.DataFrame:
    minutes, service, team, rule = zip(*rows, strict=True)
    return alerts_at(*[m / 2 for m in minutes], service=service, team=team, rule_key=rule).assign(
        alert_id=[f"{i:02}" for i in range(len(rows))]
    )


@settings(max_examples=40)
@given(ROWS, st.data())
def test_the_parts_add_up_to_the_distance(rows, data):
    row = data.draw(st.integers(0, len(rows) - 1))
    model = clusterer(**LOOKS, recurrence_gap="1min", chronic_gap="1min", passes=2).fit(table(rows))
    found = model.explain(row)
    assert found.incident_id == model.labels_[row]
    if len(found.evidence):
        small = 0.5 * 6  # parts of less than half a second are not listed
        total = max(found.evidence["seconds"].sum(), 0.0)
        assert total == pytest.approx(found.evidence.attrs["distance_s"], abs=small)
        assert found.neighbours["distance_s"].is_monotonic_increasing


@settings(max_examples=40)
@given(ROWS, st.data())
def test_another_limit_would_really_have_moved_it(rows, data):
    alerts, row = table(rows), data.draw(st.integers(0, len(rows) - 1))
    model = clusterer(**LOOKS).fit(alerts)
    limits = model.explain(row).what_if
    for limit in limits["distance_s"][limits["change"].str.contains("max_gap")]:
        alone = model.labels_[row] == -1
        changed = clusterer(**LOOKS | {"max_gap": f"{limit + (1e-6 if alone else -1e-3):.6f}s"}).fit(alerts)
        assert (changed.labels_[row] >= 0) == alone


@settings(max_examples=40)
@given(ROWS, st.data())
def test_one_service_would_really_have_moved_it(rows, data):
    alerts, row = table(rows), data.draw(st.integers(0, len(rows) - 1))
    model = clusterer(service_gap="10min", max_gap="5min").fit(alerts)
    moved = model.explain(row).what_if.query("change == 'if the two were about the same service'")
    if len(moved):
        # a resource that it shares with each of the others does the same
        shared = [[f"h{i}"] for i in range(len(rows))]
        shared[row] = [f"h{i}" for i in range(len(rows))]
        assert clusterer(service_gap="10min", max_gap="5min").fit(alerts.assign(resources=shared)).labels_[row] >= 0
