"""`stanza-lab export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError
from tests.artefacts.recurring import alerts_of, save


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("exported") / "bundle", alerts_of())


def test_the_list_names_each_target_whole_within_80_columns(run) -> None:
    done = run("export", "--list")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert set(sl.export_targets()["target"]) <= set(lines)
    assert max(map(len, lines)) <= 80


def test_the_list_as_json(run) -> None:
    rows = json.loads(run("export", "--list", "--format", "json").out)
    assert {row["target"] for row in rows} == set(sl.export_targets()["target"])


def test_writes_files_and_says_what_was_lost(run, bundle: Path, tmp_path: Path) -> None:
    done = run("export", bundle, "dot", "--out", tmp_path / "dot")
    assert done.code == 0, done.err
    assert all(Path(line).is_file() for line in done.out.splitlines())
    assert "not carried over:" in done.err
    again = run("export", bundle, "dot", "--out", tmp_path / "dot")
    assert again.code == 1
    assert "--force" in again.err
    assert run("export", bundle, "dot", "--out", tmp_path / "dot", "--force").code == 0


def test_never_replaces_what_is_no_export(run, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = run("export", bundle, "dot", "--out", tmp_path, "--force")
    assert done.code == 1
    assert "no export" in done.err
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("min_confidence=0.6", "pass --min-confidence"),
        ("services=web", "pass --service"),
        ("colour=red", "dot has no options of its own"),
        ("colour", "write NAME=VALUE"),
    ],
)
def test_an_option_that_is_none_says_what_to_do(run, bundle: Path, tmp_path: Path, option: str, said: str) -> None:
    done = run("export", bundle, "dot", "--out", tmp_path / "dot", "--option", option)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "dot").exists()


def test_an_unknown_target_is_guessed(run, bundle: Path, tmp_path: Path) -> None:
    assert "did you mean 'grafana'" in run("export", bundle, "grafanna", "--out", tmp_path / "x").err


def test_one_name_is_not_several(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="several names"):
        sl.export(sl.load_bundle(bundle), "dot", tmp_path / "dot", services="web")


def test_mlflow_holds_the_links_that_others_leave_out(bundle: Path, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    loaded = sl.load_bundle(bundle)
    others = sl.export(loaded, "dot", tmp_path / "dot", min_confidence=1.0)
    assert any("left out" in sentence for sentence in others.lost)
    whole = sl.export(loaded, "mlflow", tmp_path / "mlflow", min_confidence=1.0)
    assert not any("left out" in sentence for sentence in whole.lost)
