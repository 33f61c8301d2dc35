"""`stanza-lab bundle-diff`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.artefacts.recurring import alerts_of, save


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return save(folder / "old", alerts_of()), save(folder / "new", alerts_of(times=10, team="=core()"))


def test_says_what_changed(run, bundles: tuple[Path, Path]) -> None:
    done = run("bundle-diff", *bundles)
    assert done.code == 0, done.err
    assert "changes of teams" in done.out
    assert "more often" in done.out
    assert "was measured on 32 before and 40 after" in done.err


def test_the_same_twice(run, bundles: tuple[Path, Path]) -> None:
    done = run("bundle-diff", bundles[0], bundles[0])
    assert done.code == 0, done.err
    assert "nothing changed" in done.out


def test_as_json_and_csv(run, bundles: tuple[Path, Path], tmp_path: Path) -> None:
    rows = json.loads(run("bundle-diff", *bundles, "--format", "json").out)
    assert {"part": "team", "what": "shop", "after": "=core()"}.items() <= next(
        row for row in rows if (row["part"], row["what"]) == ("team", "shop")
    ).items()
    assert run("bundle-diff", *bundles, "--out", tmp_path / "changes.csv").code == 0
    text = (tmp_path / "changes.csv").read_text(encoding="utf-8")
    told = list(csv.DictReader(io.StringIO(text)))
    assert len(told) == len(rows)
    assert not [cell for row in told for cell in row.values() if cell.startswith(("=", "+", "@"))]


def test_what_is_no_bundle_is_an_error_without_a_traceback(run, bundles: tuple[Path, Path], tmp_path: Path) -> None:
    done = run("bundle-diff", bundles[0], tmp_path / "nowhere")
    assert done.code == 1
    assert "is no bundle" in done.err
    assert "Traceback" not in done.err
