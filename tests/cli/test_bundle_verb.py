"""`stanza-lab bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import stanza_lab as sl

if TYPE_CHECKING:
    import pytest


def test_saves_what_loads(run, shop_on_call: Path, tmp_path: Path) -> None:
    done = run("bundle", shop_on_call / "history", "--out", tmp_path / "bundle")
    assert done.code == 0, done.err
    assert sl.load_bundle(tmp_path / "bundle").id in done.err
    assert "model_card.md" in done.err


def test_refuses_before_it_fits(run, shop_on_call: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fitted(*_: object, **__: object) -> None:
        raise AssertionError("it was fitted")

    monkeypatch.setattr("stanza_lab.cli.over_the_map.analyse", fitted)
    done = run("bundle", shop_on_call / "history", "--out", tmp_path)
    assert done.code == 1
    assert "--force" in done.err


def test_no_history_says_how_to_make_one(run, tmp_path: Path) -> None:
    done = run("bundle", tmp_path / "none", "--out", tmp_path / "bundle")
    assert done.code == 1
    assert "stanza-lab ingest" in done.err
