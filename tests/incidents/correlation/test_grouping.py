from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stanza_lab.incidents.correlation import pairs
from tests.incidents.correlation import plain
from tests.incidents.correlation.plain import alerts_at, clusterer

EDGES = pd.DataFrame({"src": ["a", "b"], "dst": ["b", "c"], "link_confidence": [0.9, 0.6]})
ROWS = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["x", "y", None]),
        st.sampled_from(["r1", "r2", "r3", "r4", None]),
    ),
    max_size=pairs.NEXT,
)
LIMITS = st.fixed_dictionaries(
    {
        "max_gap": st.sampled_from([120.0, 600.0, 1200.0]),
        "resolution": st.sampled_from([0.0, 60.0, 120.0]),
        "min_alerts": st.integers(2, 4),
        "min_rules": st.integers(1, 3),
        "min_neighbours": st.integers(1, 4),
    }
)
GAPS = st.fixed_dictionaries(
    {f"{name}_gap": st.sampled_from(["0s", "1min", "7min"]) for name in plain.GAPS if name != "environment"}
)


def table(rows) -> pd.DataFrame:
    minutes, service, team, rule = zip(*rows, strict=True) if rows else ((), (), (), ())
    text = {"service": service, "team": team, "rule_key": rule}
    columns = {name: pd.Series(values, dtype="str") for name, values in text.items()}
    return alerts_at(*minutes, **columns).assign(alert_id=[f"{i:02}" for i in range(len(rows))])


def model_of(limits: dict, **more):
    spans = {name: f"{value}s" if isinstance(value, float) else value for name, value in limits.items()}
    return clusterer(**spans, **more)


@settings(max_examples=60)
@given(ROWS, LIMITS, GAPS, st.sampled_from([1, 2]))
def test_labels_are_those_of_the_full_matrix_of_distances(rows, limits, gaps, passes):
    model = model_of(limits, **gaps, passes=passes, edges=EDGES).fit(table(rows))
    known, n = model._known, len(rows)
    left, right = np.triu_indices(n, 1)
    apart = np.zeros((n, n))
    apart[left, right] = apart[right, left] = known.distances(left, right)
    expected = plain.labels(apart, known.features.rule.tolist(), **limits)
    assume(expected is not None)
    assert model.labels_[known.features.rows].tolist() == expected


@settings(max_examples=40)
@given(ROWS, LIMITS)
def test_what_an_incident_is(rows, limits):
    alerts = table(rows)
    model = model_of(limits).fit(alerts)
    found = model.labels_
    sizes = np.bincount(found[found >= 0])
    rules = alerts["rule_key"].where(alerts["rule_key"].notna(), alerts["alert_id"])
    assert (sizes >= limits["min_alerts"]).all()
    assert (rules.groupby(found).nunique().drop(-1, errors="ignore") >= limits["min_rules"]).all()
    assert alerts["starts_at"].groupby(found).min().drop(-1, errors="ignore").is_monotonic_increasing
    assert ((model.probabilities_ > 0) == (found >= 0)).all()
    assert (model.probabilities_ <= 1).all()


@settings(max_examples=40)
@given(ROWS, LIMITS)
def test_relative_validity_is_between_its_ends(rows, limits):
    model = model_of(limits).fit(table(rows))
    assert -1 <= model.relative_validity_ <= 1
    if (model.labels_ == -1).all():
        assert model.relative_validity_ == 0


@settings(max_examples=40)
@given(ROWS, LIMITS)
def test_the_condensed_tree_agrees_with_the_labels(rows, limits):
    model = model_of(limits | {"min_rules": 1}).fit(table(rows))
    tree, n = model.condensed_tree_, len(rows)
    assert sorted(tree["incident_id"][tree["incident_id"] >= 0]) == list(range(model.labels_.max(initial=-1) + 1))
    above = dict(zip(tree["child"], tree["parent"], strict=True))
    incident = dict(zip(tree["child"], tree["incident_id"], strict=True))
    in_time = model.labels_[model._known.features.rows]
    for place in range(n):
        cluster, found = above.get(place), -1
        while cluster is not None and found < 0:
            found = incident.get(cluster, -1)
            cluster = above.get(cluster)
        assert found == in_time[place]


def test_a_rule_that_repeats_does_not_take_its_incident_away():
    alerts = alerts_at(0, 0.5, 1, 1.5, 10, 12, 14, rule_key=[*"aaaabcd"])
    assert clusterer().fit(alerts).labels_.tolist()[4:] == [0, 0, 0]
