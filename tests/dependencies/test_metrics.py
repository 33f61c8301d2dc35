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
