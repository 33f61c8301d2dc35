"""A bundle goes out and comes back the same: it scores the same, is the same bytes, and any altered byte is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import BundleError
from tests.artefacts.recurring import alerts_of

MAKE = """
import sys
from tests.artefacts.recurring import saved
saved(sys.argv[1])
"""


@pytest.fixture
def saved(recurring: Path) -> Path:
    return recurring


@pytest.fixture(scope="module")
def later() -> pd.DataFrame:
    alerts = alerts_of(times=3)
    return alerts.assign(**{name: alerts[name] + pd.Timedelta(days=40) for name in ("starts_at", "ends_at")})


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_bundle_that_was_saved_again_scores_the_same(saved: Path, later: pd.DataFrame, tmp_path: Path) -> None:
    bundle = sl.load_bundle(saved)
    first = bundle.score(later)
    assert set(first["status"]) > {"alone"}
    again = sl.save_bundle(
        tmp_path / "again",
        clusterer=bundle.clusterer,
        dependencies=bundle.dependencies,
        production=bundle.production,
        patterns=bundle.patterns,
        metrics=bundle.metrics,
    )
    pd.testing.assert_frame_equal(sl.load_bundle(again).score(later), first)


def test_the_loaded_model_judges_as_the_one_that_was_fitted(saved: Path, later: pd.DataFrame) -> None:
    fitted = sl.IncidentClusterer(max_chronic=1.0).fit(alerts_of())
    labels = fitted.predict(later)
    assert (labels >= 0).any()
    np.testing.assert_array_equal(sl.load_bundle(saved).clusterer.predict(later), labels)


def test_scoring_changes_neither_the_bundle_nor_the_alerts(saved: Path, later: pd.DataFrame) -> None:
    bundle, before, bytes_before = sl.load_bundle(saved), later.copy(deep=True), contents(saved)
    pd.testing.assert_frame_equal(bundle.score(later), bundle.score(later))
    pd.testing.assert_frame_equal(later, before)
    assert contents(saved) == bytes_before


def test_another_process_writes_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    other = os.environ | {"PYTHONHASHSEED": "4711", "PYTHONPATH": str(root), "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", MAKE, str(tmp_path / "other")], check=True, cwd=root, env=other, timeout=120)
    assert contents(tmp_path / "other") == contents(saved)


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_one_altered_bit_of_any_file_is_seen(saved: Path, tmp_path: Path, place: str) -> None:
    whole = contents(saved)
    assert {"manifest.json", "model_card.md", "patterns.json", "rules.parquet", "metrics.parquet"} <= whole.keys()
    copy = tmp_path / "copy"
    copy.mkdir()
    for name, data in whole.items():
        (copy / name).write_bytes(data)
    for name, data in whole.items():
        at = {"first": 0, "middle": len(data) // 2, "last": len(data) - 1}[place]
        (copy / name).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(BundleError):
            sl.load_bundle(copy)
        (copy / name).write_bytes(data)
    assert sl.load_bundle(copy).id == sl.load_bundle(saved).id
