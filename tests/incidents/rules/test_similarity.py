from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.incidents.rules import SimilarityRule, similarity

TEXTS = ["disk full on db-1", "disk full on db-2", "disk full on web", "slow", "slower", "slowest"]


def test_texts_alike_within_the_window_go_together(alerts_at):
    alerts = alerts_at(0, 19, 40, 41, summary=["disk full on db-1", "disk full on db-2", "disk full on db-3", "slow"])
    assert SimilarityRule().fit(alerts).labels_.tolist() == [0, 0, -1, -1]
    assert SimilarityRule(window="21min").fit(alerts).labels_.tolist() == [0, 0, 0, -1]
    assert SimilarityRule(similarity=0.99).fit(alerts).labels_.tolist() == [-1, -1, -1, -1]


def test_a_with_b_and_b_with_c_makes_one_of_all_three(alerts_at):
    alerts = alerts_at(0, 1, 2, summary=["aaaa", "aabb", "bbbb"])
    assert SimilarityRule(edits=2).fit(alerts).labels_.tolist() == [0, 0, 0]
    assert SimilarityRule(edits=2).fit(alerts.iloc[[0, 2]]).labels_.tolist() == [-1, -1]


def test_what_must_be_equal_separates(alerts_at):
    alerts = alerts_at(0, 1, 2, summary=["slow"] * 3, service=["a", "b", "a"])
    assert SimilarityRule(equal=["service"]).fit(alerts).labels_.tolist() == [0, -1, 0]
    assert SimilarityRule(on=[], equal=["service"]).fit(alerts).labels_.tolist() == [0, -1, 0]


def test_every_text_must_be_alike(alerts_at):
    alerts = alerts_at(0, 1, 2, summary=["slow"] * 3, alertname=["first one", "unlike", "first two"])
    assert SimilarityRule(on=["summary", "alertname"], similarity=0.6).fit(alerts).labels_.tolist() == [0, -1, 0]


def test_an_alert_that_lacks_a_text_is_on_its_own(alerts_at):
    assert SimilarityRule().fit(alerts_at(0, 1, summary=[None, None])).labels_.tolist() == [-1, -1]


def test_words_in_another_order_are_alike_to_token_set_only(alerts_at):
    alerts = alerts_at(0, 1, summary=["checkout is slow", "slow is checkout"])
    assert SimilarityRule(method="token_set", similarity=1.0).fit(alerts).labels_.tolist() == [0, 0]
    assert SimilarityRule().fit(alerts).labels_.tolist() == [-1, -1]
    start = alerts_at(0, 1, summary=["checkout latency", "checkout errors"])
    assert SimilarityRule(method="jaro_winkler").fit(start).labels_.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"similarity": 1.2}, "similarity=1.2 must be a number between 0 and 1"),
        ({"method": "cosine"}, "method='cosine' is not known"),
        ({"edits": -1}, "edits=-1 must be"),
        ({"on": []}, "nothing is compared"),
    ],
)
def test_parameters_out_of_range(alerts_at, parameters, message):
    with pytest.raises(ParameterError, match=message):
        SimilarityRule(**parameters).fit(alerts_at(0, summary=["x"]))


def test_a_column_that_is_not_there(alerts_at):
    with pytest.raises(SchemaError, match="'summary' is neither a column nor a key"):
        SimilarityRule().fit(alerts_at(0))


ROWS = st.lists(st.tuples(st.integers(0, 80), st.sampled_from(TEXTS), st.sampled_from("ab")), max_size=25)


@settings(max_examples=150)
@given(ROWS, st.integers(1, 15), st.sampled_from([0, 1, 3]), st.booleans())
def test_equals_comparing_every_pair(rows, window, edits, few):
    table = pd.DataFrame(
        {
            "starts_at": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta([r[0] for r in rows], unit="min"),
            "summary": pd.Series([r[1] for r in rows], dtype="str"),
            "service": pd.Series([r[2] for r in rows], dtype="str"),
        }
    )
    group = list(range(len(rows)))
    for i, (at, text, service) in enumerate(rows):
        for j, (other_at, other, other_service) in enumerate(rows[:i]):
            near = abs(at - other_at) <= window and service == other_service
            if near and Levenshtein.distance(text, other) <= edits:
                group = [group[j] if g == group[i] else g for g in group]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "_FEW", 5_000 if few else 0)  # both ways of asking
        patch.setattr(similarity, "_CHUNK", 7)
        patch.setattr(similarity, "_NEAREST", 1)
        labels = SimilarityRule(window=f"{window}min", edits=edits, equal=["service"]).fit(table).labels_
    expected = {frozenset(i for i, g in enumerate(group) if g == one) for one in group}
    found = {frozenset((labels == k).nonzero()[0].tolist()) for k in range(labels.max(initial=-1) + 1)}
    assert found == {members for members in expected if len(members) > 1}
