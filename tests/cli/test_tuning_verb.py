"""The verb that tunes: what it prints, what it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import stanza_lab as sl


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tune")
    made = sl.simulate_production(services=12, teams=3, days=21, incidents=20, random_state=1)
    made.export(path / "made")
    sl.History(path / "history").ingest(path / "made" / "exports")
    return path


def test_it_prints_best_parameters_comparison_and_a_verdict(run, folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "s.db"
    truth, out = folder / "made" / "truth" / "alert_labels.csv", tmp_path / "params.yaml"
    result = run("tune", folder / "history", "--labels", truth, "--trials", 2, "--storage", kept, "--out", out)
    assert result.code == 0
    assert "Best of 2 trials" in result.out
    assert "Alertmanager group_by" in result.out
    assert "On the held-out" in result.out.splitlines()[-1]
    assert "defaults" in result.out.splitlines()[-1]
    assert f"parameters written to {out}" in result.err
    assert sl.IncidentClusterer(**sl.read_params(out))
    assert kept.exists()


def test_without_labels_it_says_what_it_made_large(run, folder: Path) -> None:
    result = run("tune", folder / "history", "--trials", 1, "--traces", folder / "made" / "traces")
    assert result.code == 0
    assert "0.2 validity + 0.5 stability + 0.3 traces" in result.out
    header = next(line for line in result.out.splitlines() if line.strip().startswith("method"))
    assert "compression" in header
    assert "recall" not in header


def test_nothing_to_tune_on_is_an_error(run, folder: Path) -> None:
    result = run("tune", folder / "history", "--since", "2030-01-01")
    assert result.code == 1
    assert "without alerts there is nothing to tune on" in result.err


def test_an_objective_that_is_not_known_is_wrong_usage(run, folder: Path) -> None:
    result = run("tune", folder / "history", "--objective", "luck")
    assert result.code == 2
    assert "'luck' is not known" in result.err
