"""Scores against a known call graph."""

from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.dependencies.metrics import reliability
from stanza_lab.errors import SchemaError

TRUTH = pd.DataFrame({"caller": ["web", "web", "web"], "callee": ["db", "cache", "silent"]})


def edges(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["src", "dst", "confidence", "link_confidence"])


def test_perfect_edges_score_one() -> None:
    perfect = edges(("web", "db", 1.0, 1.0), ("web", "cache", 1.0, 1.0))
    scores = sl.score_edges(perfect, call_graph=TRUTH, services=["web", "db", "cache"])
    columns = ["auprc", "f1_at_budget", "best_f1", "brier", "ece"]
    assert scores[columns].to_numpy().tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 0, 0]]


def test_a_wrong_direction_counts_only_when_directed() -> None:
    scores = sl.score_edges(edges(("db", "web", 0.9, 0.9)), call_graph=TRUTH, services=["web", "db"])
    assert scores["recall"].to_dict() == {"directed": 0.0, "undirected": 1.0}


def test_silent_services_are_not_judged() -> None:
    scores = sl.score_edges(edges(("web", "db", 0.9, 0.9)), call_graph=TRUTH, services=["web", "db", "cache"])
    assert scores["true_edges"].tolist() == [2, 2]
    assert scores["pairs"].tolist() == [6, 3]
    assert scores["chance"].tolist() == pytest.approx([1 / 3, 2 / 3])


def test_missing_pairs_count_as_confidence_zero() -> None:
    scores = sl.score_edges(edges(), call_graph=TRUTH, services=["web", "db", "cache"])
    assert scores.loc["directed", ["auprc", "f1_at_budget", "brier"]].tolist() == pytest.approx([1 / 3, 0, 1 / 3])


def test_the_budget_is_a_fifth_more_than_the_true_edges() -> None:
    names = [f"s{k}" for k in range(11)]
    truth = pd.DataFrame({"caller": "s0", "callee": names[1:]})
    found = edges(*(("s0", name, 0.9, 0.9) for name in names[1:]), *(("s1", name, 0.5, 0.5) for name in names[2:]))
    row = sl.score_edges(found, call_graph=truth).loc["directed"]
    assert (row["precision"], row["recall"]) == (pytest.approx(10 / 12), 1.0)
    assert row["f1_at_budget"] == pytest.approx(20 / 22)


def test_no_true_edge_gives_no_auprc() -> None:
    scores = sl.score_edges(edges(("a", "b", 0.5, 0.5)), call_graph=TRUTH)
    assert scores["auprc"].isna().all()
    assert scores["f1_at_budget"].tolist() == [0, 0]


def test_reliability_compares_confidence_with_frequency() -> None:
    table = reliability([0.05, 0.85, 0.85, 0.9, 1.0], [False, True, False, True, True])
    assert table.index.tolist() == [0.1, 0.9, 1.0]
    assert table["pairs"].tolist() == [1, 3, 1]
    assert table["real"].tolist() == pytest.approx([0, 2 / 3, 1])


def test_a_call_graph_without_its_columns_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"columns \['caller', 'callee'\] are missing"):
        sl.score_edges(edges(), call_graph=pd.DataFrame({"from": []}), services=["a", "b"])


def test_no_pair_to_judge_is_refused() -> None:
    with pytest.raises(SchemaError, match="leave no pair to judge"):
        sl.score_edges(edges(), call_graph=TRUTH)


def test_orientation_asks_only_about_true_pairs_that_are_linked() -> None:
    found = edges(
        ("web", "db", 0.6, 0.9), ("db", "web", 0.3, 0.9), ("cache", "web", 0.8, 0.8), ("db", "cache", 1.0, 1.0)
    )
    scores = sl.score_edges(found, call_graph=TRUTH, services=["web", "db", "cache", "silent"])
    assert scores.loc["directed", "orientation"] == 0.5  # db right, cache wrong, silent not linked
    assert pd.isna(scores.loc["undirected", "orientation"])


def test_an_unknown_direction_counts_half() -> None:
    found = edges(("web", "db", 0.4, 0.8), ("db", "web", 0.4, 0.8))
    scores = sl.score_edges(found, call_graph=TRUTH, services=["web", "db"])
    assert scores.loc["directed", "orientation"] == 0.5


def test_a_call_both_ways_has_no_orientation() -> None:
    both = pd.DataFrame({"caller": ["web", "db"], "callee": ["db", "web"]})
    scores = sl.score_edges(edges(("web", "db", 0.9, 0.9)), call_graph=both)
    assert pd.isna(scores.loc["directed", "orientation"])


def test_the_acyclic_budget_passes_over_what_closes_a_circle() -> None:
    truth = pd.DataFrame({"caller": ["a", "b", "a"], "callee": ["b", "c", "d"]})  # budget: 4 pairs
    found = edges(
        ("a", "b", 0.9, 0.9), ("b", "c", 0.8, 0.9), ("c", "a", 0.7, 0.9), ("b", "a", 0.6, 0.9), ("a", "d", 0.5, 0.9)
    )
    plain = sl.score_edges(found, call_graph=truth).loc["directed"]
    acyclic = sl.score_edges(found, call_graph=truth, acyclic=True).loc["directed"]
    assert (plain["precision"], plain["recall"]) == (2 / 4, 2 / 3)
    assert (acyclic["precision"], acyclic["recall"]) == (1.0, 1.0)
    assert acyclic["auprc"] == plain["auprc"]


def test_given_edges_are_judged_neither_way() -> None:
    found = edges(("web", "db", 1.0, 1.0), ("web", "cache", 0.0, 0.2), ("cache", "web", 0.2, 0.2))
    given = pd.DataFrame({"src": ["web"], "dst": ["db"]})
    row = sl.score_edges(found, call_graph=TRUTH, services=["web", "db", "cache"], given=given).loc["directed"]
    assert (row["pairs"], row["true_edges"], row["orientation"], row["f1_at_budget"]) == (4, 1, 0.0, 0.0)


def test_the_calibration_error_is_also_told_without_the_plain_noes() -> None:
    names = [f"s{k}" for k in range(20)]
    found = edges(("s0", "s1", 0.8, 0.8))
    scores = sl.score_edges(found, call_graph=TRUTH, services=names).loc["directed"]
    assert scores["ece"] == pytest.approx(0.8 / 380)
    assert scores["ece_said"] == pytest.approx(0.8)
    assert pd.isna(sl.score_edges(edges(), call_graph=TRUTH, services=names).loc["directed", "ece_said"])
