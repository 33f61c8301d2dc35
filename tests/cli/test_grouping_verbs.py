"""The verb about grouping rules as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl

ROWS = [
    ("2026-03-01T10:00:00Z", "errors", "web"),
    ("2026-03-01T10:01:00Z", "slow", "db"),
    ("2026-03-02T10:00:00Z", "errors", "web"),
    ("2026-03-02T10:02:00Z", "slow", "search"),
]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    table = tmp_path / "alerts.csv"
    lines = [",".join(row) for row in [("starts_at", "alertname", "service"), *ROWS]]
    table.write_text("\n".join(lines))
    sl.History(tmp_path / "h").ingest(table)
    return tmp_path / "h"


@pytest.fixture
def truth(history: Path, tmp_path: Path) -> Path:
    ids = sl.History(history).alerts().sort_values("starts_at")["alert_id"]
    labels = pd.DataFrame({"alert_id": ids.to_numpy(), "incident_id": ["A", "A", "B", "C"]})
    labels.to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path / "labels.csv"


def test_rules_are_compared_in_a_table_and_in_sentences(run, history, truth):
    result = run("backtest", history, "--rule", "gap:5min", "--rule", "attribute:service", "--truth", truth)
    assert result.code == 0
    assert result.out.startswith("2 rules over 4 alerts\n")
    assert (
        "* gap:5min turns 4 alerts into 2 incidents (2 pages, 50% fewer); finds 100% of the pairs that belong "
        "together, 50% of its own pairs are right; of 3 real incidents it splits 0, merges 2, and hides 1 alert "
        "of 1 incident that nobody else saw.\n" in result.out
    )


def test_one_rule_of_each_kind_is_tried_by_default(run, history):
    rows = json.loads(run("backtest", history, "--format", "json").out)
    assert [row["rule"] for row in rows] == ["gap 5min", "alertmanager", "attribute service", "similarity", "model"]
    assert rows[0]["recall"] is None


def test_rules_come_from_files(run, history, tmp_path):
    (tmp_path / "rules.yaml").write_text("rules: {quiet: {kind: gap, gap: 10min}}")
    (tmp_path / "alertmanager.yml").write_text("route: {group_by: [alertname]}")
    files = ("--rules", tmp_path / "rules.yaml", "--rules", tmp_path / "alertmanager.yml")
    rows = json.loads(run("backtest", history, *files, "--format", "json").out)
    assert [(row["rule"], row["pages"]) for row in rows] == [("quiet", 2), ("alertmanager.yml", 4)]
    twice = run("backtest", history, *files, *files)
    assert (twice.code, "two rules are called 'quiet'" in twice.err) == (2, True)


def test_the_tuned_model_is_tried_beside_the_others(run, history, tmp_path):
    (tmp_path / "params.yaml").write_text("{format: 1, parameters: {max_gap: 1s, resolution: 0s, passes: 1}}")
    tuned = ("--params", tmp_path / "params.yaml", "--format", "json")
    rows = json.loads(run("backtest", history, *tuned).out)
    assert (len(rows), rows[-1]["rule"], rows[-1]["alone"]) == (6, "tuned model", 4)
    rows = json.loads(run("backtest", history, "--rule", "gap", *tuned).out)
    assert [row["rule"] for row in rows] == ["gap", "tuned model"]


def test_only_the_span_is_scored(run, history, truth):
    rows = json.loads(
        run("backtest", history, "--rule", "gap", "--truth", truth, "--since", "2026-03-02", "--format", "json").out
    )
    assert [(row["alerts"], row["pages"], row["hidden_alerts"]) for row in rows] == [(2, 1, 1)]


def test_results_leave_in_every_format(run, history, truth, tmp_path):
    for name in ("o.csv", "o.parquet", "o.txt", "o.json"):
        assert run("backtest", history, "--rule", "gap", "--truth", truth, "--out", tmp_path / name).code == 0
    assert pd.read_csv(tmp_path / "o.csv")["hidden_alerts"].tolist() == [1]
    assert pd.read_parquet(tmp_path / "o.parquet")["merges"].tolist() == [2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rule", "nope"), "rule 'nope' is not understood"),
        (("--until", "2020-01-01"), "nothing to try rules on"),
        (("--rule", "gap:soon"), "gap='soon' is not a duration"),
    ],
)
def test_what_cannot_be_done_is_told(run, history, arguments, message):
    result = run("backtest", history, *arguments)
    assert result.code in (1, 2)
    assert message in result.err


def test_truth_that_is_no_table(run, history, tmp_path):
    (tmp_path / "bad.csv").write_text("")
    result = run("backtest", history, "--rule", "gap", "--truth", tmp_path / "bad.csv")
    assert (result.code, "cannot be read as a table" in result.err) == (1, True)
