from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.incidents.rules import GapRule


def test_a_longer_gap_than_allowed_starts_a_new_group(alerts_at):
    alerts = alerts_at(0, 5, 10.1, 15)
    assert GapRule(gap="5min").fit(alerts).labels_.tolist() == [0, 0, 1, 1]
    assert GapRule(gap="6min").fit(alerts).labels_.tolist() == [0, 0, 0, 0]


def test_groups_are_numbered_in_time_and_kept_in_row_order(alerts_at):
    assert GapRule().fit(alerts_at(61, 0, 60, 1, 900)).labels_.tolist() == [1, 0, 1, 0, -1]


def test_by_separates_and_unknown_is_a_value_of_its_own(alerts_at):
    alerts = alerts_at(0, 1, 2, 3, 4, service=["a", None, "a", None, "b"])
    assert GapRule(by=["service"]).fit(alerts).labels_.tolist() == [0, 1, 0, 1, -1]


def test_by_may_name_a_key_of_the_labels(alerts_at):
    alerts = alerts_at(0, 1, 2, labels=['{"queue":"x"}', '{"queue":"y"}', '{"queue":"x","n":{"m":1}}'])
    assert GapRule(by=["queue"]).fit(alerts).labels_.tolist() == [0, -1, 0]
    assert GapRule(by=["labels.queue"]).fit(alerts).labels_.tolist() == [0, -1, 0]
    assert GapRule(by=["n.m"]).fit(alerts).labels_.tolist() == [0, 0, -1]


def test_a_name_nobody_knows_is_told(alerts_at):
    with pytest.raises(SchemaError, match="did you mean 'service'"):
        GapRule(by=["servise"]).fit(alerts_at(0, service=["a"]))


def test_few_alerts_are_on_their_own(alerts_at):
    assert GapRule(min_alerts=3).fit(alerts_at(0, 1, 60, 61, 62)).labels_.tolist() == [-1, -1, 0, 0, 0]
    assert GapRule(min_alerts=1).fit(alerts_at(0, 60, None)).labels_.tolist() == [-1, -1, -1]
    assert GapRule().fit(alerts_at()).labels_.tolist() == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"gap": "soon"}, "gap='soon' is not a duration"), ({"min_alerts": 0}, "min_alerts=0 must be")],
)
def test_parameters_out_of_range(alerts_at, parameters, message):
    with pytest.raises(ParameterError, match=message):
        GapRule(**parameters).fit(alerts_at(0, 1))


def test_the_argument_stays_as_it_is(alerts_at):
    alerts = alerts_at(3, 0, 1).set_index(pd.Index([5, 5, 7]))
    before = alerts.copy()
    GapRule(by=["alert_id"]).fit(alerts)
    pd.testing.assert_frame_equal(alerts, before)


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from("ab")), max_size=25), st.randoms(), st.integers(1, 12))
def test_a_group_is_what_hangs_together_by_gaps(rows, random, gap):
    table = pd.DataFrame(
        {
            "starts_at": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta([r[0] for r in rows], unit="min"),
            "service": pd.Series([r[1] for r in rows], dtype="str"),
            "alert_id": pd.Series([f"{i}" for i in range(len(rows))], dtype="str"),
        }
    )
    order = list(range(len(rows)))
    random.shuffle(order)
    rule = GapRule(gap=f"{gap}min", by=["service"])
    labels = rule.fit(table).labels_
    assert rule.fit(table.iloc[order]).labels_.tolist() == labels[order].tolist()
    for i, (minute, service) in enumerate(rows):
        near = [j for j, (m, s) in enumerate(rows) if s == service and abs(m - minute) <= gap]
        assert (labels[i] == -1) == (len(near) == 1)
        assert len(set(labels[near])) == 1
    assert np.all(np.bincount(labels[labels >= 0]) >= 2) if len(labels) else True
