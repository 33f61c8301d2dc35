from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.errors import SchemaError

COUNTS = ["over_grouped", "over_grouped_noise", "under_grouped", "under_grouped_alone"]
KINDS = ["merged", "noise in", "split", "left out"]


def errors(found, true):
    return sl.metrics.grouping_errors(
        pd.DataFrame({"incident_id": found}), truth=pd.Series(true, dtype=object)
    ).to_dict("records")


def counts(found, true, row="all alerts"):
    table = sl.score_incidents(pd.DataFrame({"incident_id": found}), truth=pd.Series(true, dtype=object))
    return table.loc[row, COUNTS].astype(int).tolist()


def test_two_incidents_in_one():
    found, true = [3, 3, 3], ["A", "A", "B"]
    assert errors(found, true) == [
        {"kind": "merged", "incident": "3", "alerts": 3, "wrong": 1, "parts": 2, "others": ["A", "B"], "pairs": 2}
    ]
    assert counts(found, true) == [1, 0, 0, 0]


def test_noise_in_an_incident_is_told_apart_from_a_merge():
    found, true = [3, 3, 3, 3], ["A", "A", None, None]
    assert errors(found, true) == [
        {"kind": "noise in", "incident": "3", "alerts": 4, "wrong": 2, "parts": 1, "others": ["A"], "pairs": 5}
    ]
    assert counts(found, true) == [0, 1, 0, 0]
    assert counts(found, true, "incident alerts") == [0, 0, 0, 0]


def test_an_incident_of_noise_only():
    assert errors([0, 0], [None, None])[0]["others"] == []
    assert counts([0, 0], [None, None]) == [0, 1, 0, 0]


def test_one_incident_in_two():
    found, true = [3, 3, 4, 4, 4], ["A"] * 5
    assert errors(found, true) == [
        {"kind": "split", "incident": "A", "alerts": 5, "wrong": 2, "parts": 2, "others": ["4", "3"], "pairs": 6}
    ]
    assert counts(found, true) == [0, 0, 1, 0]


def test_alerts_of_an_incident_left_alone():
    found, true = [3, 3, -1], ["A"] * 3
    assert errors(found, true) == [
        {"kind": "left out", "incident": "A", "alerts": 3, "wrong": 1, "parts": 1, "others": ["3"], "pairs": 2}
    ]
    assert counts(found, true) == [0, 0, 0, 1]


@pytest.mark.parametrize(("found", "true"), [([0, 0, -1], ["A", "A", None]), ([-1], ["A"]), ([0], [None]), ([], [])])
def test_no_mistake_no_row(found, true):
    assert errors(found, true) == []
    assert counts(found, true) == [0, 0, 0, 0]


def test_types_and_the_worst_first():
    alerts = pd.DataFrame({"incident_id": [0, 0, 0, 0, 1, 1]})
    table = sl.metrics.grouping_errors(alerts, truth=pd.Series(["A", "A", "B", "B", "C", "D"]))
    assert table["incident"].tolist() == ["0", "1"]
    assert table["pairs"].tolist() == [4, 1]
    assert table["kind"].cat.categories.tolist() == KINDS
    assert table.dtypes[["alerts", "wrong", "parts", "pairs"]].astype(str).tolist() == ["int64"] * 4
    assert table["incident"].dtype == "str"


@given(st.lists(st.tuples(st.integers(-1, 4), st.sampled_from(["A", "B", "C", None])), min_size=1, max_size=40))
def test_pairs_add_up_to_all_that_precision_and_recall_miss(rows):
    found, true = [row[0] for row in rows], [row[1] for row in rows]
    table = pd.DataFrame(errors(found, true), columns=["kind", "pairs"])
    over = int(table.loc[table["kind"].isin(KINDS[:2]), "pairs"].sum())
    under = int(table.loc[table["kind"].isin(KINDS[2:]), "pairs"].sum())
    together = sum(f == g >= 0 for k, f in enumerate(found) for g in found[:k])
    belong = sum(t == u is not None for k, t in enumerate(true) for u in true[:k])
    score = sl.metrics.pairwise(true, found)
    assert over == pytest.approx((1 - score.precision) * together if together else 0)
    assert under == pytest.approx((1 - score.recall) * belong if belong else 0)
    assert [int((table["kind"] == kind).sum()) for kind in KINDS] == counts(found, true)


def test_without_a_grouping():
    with pytest.raises(SchemaError, match="incident_id"):
        sl.metrics.grouping_errors(pd.DataFrame({"alert_id": ["x"]}), truth=pd.Series(["A"]))
