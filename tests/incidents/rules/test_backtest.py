from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClusterMixin

from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.incidents.rules import GapRule, backtest_grouping


class Given(ClusterMixin, BaseEstimator):
    """Return the labels it was given, by alert id."""

    def __init__(self, labels=None):
        self.labels = labels

    def fit(self, alerts, y=None):
        self.labels_ = np.array([self.labels[i] for i in alerts["alert_id"]])
        return self


class Learner(Given):
    """Remember which alerts it was fitted on and which it predicted."""

    seen: list[tuple[str, list[str]]] = []  # noqa: RUF012

    def fit(self, alerts, y=None):
        self.seen.append(("fit", alerts["alert_id"].tolist()))
        return super().fit(alerts)

    def predict(self, alerts):
        self.seen.append(("predict", alerts["alert_id"].tolist()))
        return np.array([self.labels[i] for i in alerts["alert_id"]])


def given_labels(*labels: int) -> Given:
    return Given({f"a{i:03}": label for i, label in enumerate(labels)})


def labelled(*names: str | None) -> pd.DataFrame:
    return pd.DataFrame({"alert_id": [f"a{i:03}" for i in range(len(names))], "incident_id": names})


def test_a_row_counts_what_a_rule_does(alerts_at):
    alerts = alerts_at(*range(8))
    truth = labelled("A", "A", "B", "B", "C", None, "C", "D")
    found = backtest_grouping(alerts, {"it": given_labels(0, 0, 0, 0, 1, 1, -1, -1)}, truth=truth)
    row = found.table.iloc[0]
    assert row[["rule", "alerts", "groups", "alone", "pages"]].tolist() == ["it", 8, 2, 2, 4]
    assert row["compression"] == 0.5
    # right together: A, B; put together: 6 + 1; belong together: 3
    assert (row["recall"], row["precision"]) == (pytest.approx(2 / 3), pytest.approx(2 / 7))
    assert row[["splits", "merges", "hidden_incidents", "hidden_alerts"]].tolist() == [1, 2, 1, 2]
    assert pd.isna(row["notifications"])
    (said,) = found.summary
    assert said == (
        "it turns 8 alerts into 2 incidents and 2 alerts on their own (4 pages, 50% fewer); finds 67% of the pairs "
        "that belong together, 29% of its own pairs are right; of 4 real incidents it splits 1, merges 2, and hides "
        "2 alerts of 1 incident that nobody else saw."
    )


def test_tables_say_where_to_look(alerts_at):
    alerts = alerts_at(*range(8))
    truth = labelled("A", "A", "B", "B", "C", None, "C", "D")
    found = backtest_grouping(alerts, {"it": given_labels(0, 0, 0, 0, 1, 1, -1, -1)}, truth=truth)
    assert found.splits.to_dict("records") == [
        {"rule": "it", "incident_id": "C", "alerts": 2, "pieces": 2, "alone": 1, "largest": 1,
         "alert_ids": ["a004", "a006"]},
    ]  # fmt: skip
    assert found.merges.to_dict("records") == [
        {"rule": "it", "group": 0, "incidents": ["A", "B"], "alerts": 4, "of_none": 0,
         "alert_ids": ["a000", "a001", "a002", "a003"]},
    ]  # fmt: skip
    assert found.hidden.to_dict("records") == [
        {"rule": "it", "incident_id": "B", "alerts": 2, "behind": ["A"], "paged_instead": ["a000"],
         "alert_ids": ["a002", "a003"]},
    ]  # fmt: skip
    assert found.groupings["it"].tolist() == [0, 0, 0, 0, 1, 1, -1, -1]


def test_noise_that_pages_first_hides_an_incident_too(alerts_at):
    found = backtest_grouping(alerts_at(0, 1), {"it": given_labels(0, 0)}, truth=labelled(None, "A"))
    assert found.hidden["behind"].tolist() == [["no incident"]]
    unknown = labelled(None, "A").iloc[1:]
    found = backtest_grouping(alerts_at(0, 1), {"it": given_labels(0, 0)}, truth=unknown)
    assert found.hidden["behind"].tolist() == [["not labelled"]]
    assert found.notes == ["1 alert without a label: they page, but count neither for a rule nor against."]


def test_an_incident_that_pages_anywhere_is_not_hidden(alerts_at):
    truth = labelled("A", "B", "B")
    assert backtest_grouping(alerts_at(0, 1, 2), {"it": given_labels(0, 0, -1)}, truth=truth).hidden.empty


def test_the_first_in_time_pages_whatever_the_order_of_rows(alerts_at):
    alerts = alerts_at(5, 0, 1)
    found = backtest_grouping(alerts, {"it": given_labels(0, 0, 0)}, truth=labelled("A", "B", "B"))
    assert found.hidden["incident_id"].tolist() == ["A"]


def test_without_truth_nothing_is_claimed(alerts_at):
    found = backtest_grouping(alerts_at(0, 1, 60), ["gap:5min"])
    row = found.table.iloc[0]
    assert row[["rule", "pages"]].tolist() == ["gap:5min", 2]
    assert row[["recall", "precision", "ari", "splits", "merges", "hidden_alerts"]].isna().all()
    assert "without labels nobody can tell" in found.summary[0]
    assert (len(found.splits), len(found.merges), len(found.hidden)) == (0, 0, 0)


def test_a_learner_is_fitted_on_what_lies_before(alerts_at):
    Learner.seen.clear()
    alerts = alerts_at(0, 1, 60, 61, 120)
    rule = Learner({f"a{i:03}": label for i, label in enumerate([0, 0, 1, 1, -1])})
    found = backtest_grouping(alerts, {"it": rule}, since="2026-03-01T14:30", until="2026-03-01T15:30")
    assert Learner.seen == [("fit", ["a000", "a001"]), ("predict", ["a002", "a003"])]
    assert found.table[["alerts", "groups", "pages"]].iloc[0].tolist() == [2, 1, 1]


def test_a_group_that_paged_before_the_span_does_not_page_again(alerts_at):
    alerts, truth = alerts_at(0, 4, 8), labelled("A", "A", "B")
    found = backtest_grouping(alerts, {"it": GapRule()}, truth=truth, since="2026-03-01T14:02")
    assert found.table[["alerts", "groups", "pages"]].iloc[0].tolist() == [2, 1, 0]
    assert found.hidden["incident_id"].tolist() == ["B"]  # A was seen before the span


def test_notifications_are_counted_in_the_span(alerts_at):
    alerts = alerts_at(0, 60, 120, ends=[1, 61, 121], alertname=["a"] * 3)
    found = backtest_grouping(alerts, ["group_by:alertname"], since="2026-03-01T14:30")
    assert found.table["notifications"].tolist() == [2]
    assert "sends 2 notifications" in found.summary[0]


def test_copies_and_alerts_without_a_start_are_told(alerts_at):
    alerts = alerts_at(0, 1, None, source=["slack", "datadog", "datadog"], origin=["datadog", None, None])
    notes = backtest_grouping(alerts, ["gap"]).notes
    assert notes[0].startswith("Copies of alerts that are here too: slack 1. They count")
    assert notes[1] == "Left out: 1 alert without a start."


def test_truth_in_any_shape(alerts_at):
    alerts = alerts_at(0, 1, 60, event_ids=[["x"], ["y", "z"], ["w"]]).set_index(pd.Index([7, 8, 9]))
    series = pd.Series(["A", "A", None], index=[7, 8, 9])
    records = pd.DataFrame({"native_id": ["x", "y", "w"], "kind": "firing", "incident_id": ["A", "A", ""]})
    for truth in (series, records, labelled("A", "A", None)):
        row = backtest_grouping(alerts, ["gap"], truth=truth).table.iloc[0]
        assert row[["recall", "precision", "ari_all"]].tolist() == [1, 1, 1]
    with pytest.raises(SchemaError, match="its index is not that of alerts"):
        backtest_grouping(alerts, ["gap"], truth=pd.Series(["A"] * 3))
    with pytest.raises(SchemaError, match=r"columns are \['a'\]"):
        backtest_grouping(alerts, ["gap"], truth=pd.DataFrame({"a": [1]}))


def test_defaults_are_one_rule_of_each_kind(alerts_at):
    alerts = alerts_at(0, 1, service=["a", "a"], summary=["x", "x"], alertname=["n", "m"])
    assert len(backtest_grouping(alerts).table) == 5


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([], "there are none"),
        (["gap", "gap"], "two are called 'gap'"),
        ({"it": 5}, "'it' is int and groups nothing"),
        (["nope"], "rule 'nope' is not understood"),
    ],
)
def test_rules_that_are_none(alerts_at, rules, message):
    with pytest.raises(ParameterError, match=message):
        backtest_grouping(alerts_at(0, 1), rules)


def test_an_empty_span(alerts_at):
    found = backtest_grouping(alerts_at(0, 1), ["gap"], since="2027-01-01", truth=labelled("A", "A"))
    assert found.summary == ["gap: no alert lies in the span."]


def test_rules_and_alerts_stay_as_they_are(alerts_at):
    alerts, rule = alerts_at(0, 1), GapRule()
    before = alerts.copy()
    backtest_grouping(alerts, {"it": rule}, truth=labelled("A", None))
    pd.testing.assert_frame_equal(alerts, before)
    assert not hasattr(rule, "labels_")


def test_names_are_escaped_in_html(alerts_at):
    html = backtest_grouping(alerts_at(0, 1), {"<script>": GapRule()})._repr_html_()
    assert "<script>" not in html
    assert repr(backtest_grouping(alerts_at(0, 1), ["gap"])).startswith("GroupingBacktest(1 rule over 2 alerts")


@given(st.lists(st.tuples(st.integers(-1, 3), st.sampled_from(["A", "B", "C", None])), min_size=1, max_size=20))
def test_hidden_split_and_merged_agree_with_looking(rows):
    labels, true = [r[0] for r in rows], [r[1] for r in rows]
    n = len(rows)
    start = pd.Timestamp("2026-03-01", tz="UTC")
    alerts = pd.DataFrame(
        {"alert_id": [f"a{i:03}" for i in range(n)], "starts_at": start + pd.to_timedelta(range(n), unit="min")}
    )
    row = backtest_grouping(alerts, {"it": given_labels(*labels)}, truth=labelled(*true)).table.iloc[0]
    pages = [i for i in range(n) if labels[i] < 0 or labels[i] not in labels[:i]]
    pieces = [labels[i] if labels[i] >= 0 else f"alone {i}" for i in range(n)]
    names = {name for name in true if name}
    hidden = names - {true[i] for i in pages}
    assert row["pages"] == len(pages)
    assert row["hidden_incidents"] == len(hidden)
    assert row["hidden_alerts"] == sum(name in hidden for name in true)
    assert row["splits"] == sum(len({pieces[i] for i in range(n) if true[i] == name}) > 1 for name in names)
    mixed = [{true[i] for i in range(n) if labels[i] == g and true[i]} for g in set(labels) if g >= 0]
    assert row["merges"] == len({name for some in mixed if len(some) > 1 for name in some})


def test_ids_of_the_truth_may_be_numbers(alerts_at):
    alerts = alerts_at(0, 1).assign(alert_id=["1", "2"])
    truth = pd.DataFrame({"alert_id": [1, 2], "incident_id": [7, 7]})
    assert backtest_grouping(alerts, ["gap:5min"], truth=truth).table["recall"].tolist() == [1.0]
