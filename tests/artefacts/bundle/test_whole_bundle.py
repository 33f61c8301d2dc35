"""A bundle with all that it can hold: what comes back, what must not be in it, what is refused."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stanza_lab as sl
from stanza_lab.artefacts.bundle import contents, loading, manifest
from stanza_lab.errors import BundleError
from stanza_lab.patterns.reactions import writing
from tests.artefacts.conftest import SECRET, Learned


@pytest.fixture
def copied(bundle_path: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle_path, tmp_path / "bundle"))


def altered(path: Path, **changes: object) -> Path:
    """Change the manifest and seal it again, as somebody would who means it."""
    told = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_bytes(manifest.sealed(told | changes))
    return path


def test_new_alerts_are_judged_as_before(learned: Learned, bundle: sl.Bundle, later: pd.DataFrame) -> None:
    far = later.assign(starts_at=later["starts_at"] + pd.Timedelta("365D")).drop(columns="ends_at")
    assert bundle.clusterer.predict(far).tolist() == learned.clusterer.predict(far).tolist()
    pd.testing.assert_frame_equal(bundle.clusterer.rules_, learned.clusterer.rules_)


def test_patterns_reactions_owners_and_what_is_usual_come_along(
    learned: Learned, bundle: sl.Bundle, later: pd.DataFrame
) -> None:
    assert bundle.patterns is not None
    assert bundle.reactions is not None
    pd.testing.assert_frame_equal(bundle.patterns.table, learned.patterns.table)
    assert [one.name for one in bundle.reactions.items] == ["Restart", "Scale"]
    assert bundle.production.ownership is not None
    assert set(bundle.production.ownership["service"]) == set(learned.production.ownership["service"])
    one = later[later["incident_id"] == later["incident_id"].iloc[-1]] if "incident_id" in later else later.tail(3)
    before = sl.rank_origins(learned.production, alerts=one.drop(columns="incident_id", errors="ignore"))
    after = sl.rank_origins(bundle.production, alerts=one.drop(columns="incident_id", errors="ignore"))
    assert after["service"].tolist() == before["service"].tolist()
    assert after["probability"].tolist() == pytest.approx(before["probability"].tolist(), abs=0.05)


def test_reactions_are_proposed_as_with_the_whole_backtest(
    learned: Learned, bundle: sl.Bundle, later: pd.DataFrame
) -> None:
    now = later.tail(6)
    whole = sl.propose(learned.reactions, learned.production, alerts=now, history=learned.backtest)
    carried = sl.propose(bundle.reactions, bundle.production, alerts=now, history=bundle.backtest)
    assert [one.confidence for one in carried] == [one.confidence for one in whole]
    assert [one.reaction.name for one in carried] == [one.reaction.name for one in whole]


def test_no_alert_and_nobody_is_in_it(bundle_path: Path) -> None:
    for file in bundle_path.iterdir():
        texts = [file.read_bytes().decode("utf-8", "replace")]
        if file.suffix == ".parquet":
            texts.append(pd.read_parquet(file).to_csv())
        for word in (*SECRET.split()[1:4], "Winterbottom", "maria", "Maria"):
            assert not any(word in text for text in texts if len(word) > 4), (file.name, word)


def test_people_are_kept_only_when_asked(learned: Learned, tmp_path: Path) -> None:
    path = sl.save_bundle(tmp_path / "b", **learned._asdict(), keep_personal_data=True)
    kept = sl.load_bundle(path)
    assert kept.reactions is not None
    assert kept.reactions.teams["reviewed_by"].tolist() == ["Maria Sample"]
    assert "left out" not in kept.card


def test_another_process_writes_the_same_bytes(bundle: sl.Bundle, bundle_path: Path, tmp_path: Path) -> None:
    code = (
        "import sys, stanza_lab as sl\n"
        "b = sl.load_bundle(sys.argv[1])\n"
        "sl.save_bundle(sys.argv[2], clusterer=b.clusterer, dependencies=b.dependencies, production=b.production,"
        " patterns=b.patterns, reactions=b.reactions, backtest=b.backtest)\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    command = [sys.executable, "-c", code, str(bundle_path), str(tmp_path / "there")]
    subprocess.run(command, check=True, env=environment)
    here = sl.save_bundle(
        tmp_path / "here",
        clusterer=bundle.clusterer,
        dependencies=bundle.dependencies,
        production=bundle.production,
        patterns=bundle.patterns,
        reactions=bundle.reactions,
        backtest=bundle.backtest,
    )
    there = {file.name: file.read_bytes() for file in (tmp_path / "there").iterdir()}
    assert {file.name: file.read_bytes() for file in here.iterdir()} == there


def test_a_flipped_byte_of_any_file_is_detected(bundle_path: Path, tmp_path: Path) -> None:
    names = sorted(file.name for file in bundle_path.iterdir())
    assert "model_card.md" in names
    assert "manifest.json" in names
    for name in names:
        path = Path(shutil.copytree(bundle_path, tmp_path / name))
        content = bytearray((path / name).read_bytes())
        content[len(content) // 2] ^= 1
        (path / name).write_bytes(bytes(content))
        with pytest.raises(BundleError):
            sl.load_bundle(path)


def test_white_space_in_the_manifest_is_a_change_too(copied: Path) -> None:
    file = copied / "manifest.json"
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(BundleError, match="seal"):
        sl.load_bundle(copied)


def test_a_bundle_that_was_exchanged_whole_is_told_by_its_id(bundle: sl.Bundle, bundle_path: Path) -> None:
    assert sl.load_bundle(bundle_path, expect=bundle.id).id == bundle.id
    with pytest.raises(BundleError, match="exchanged"):
        sl.load_bundle(bundle_path, expect="0" * 16)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "x.parquet"])
def test_names_in_a_manifest_never_become_paths(copied: Path, name: str) -> None:
    told = json.loads((copied / "manifest.json").read_text())
    assert sl.load_bundle(altered(copied, files=told["files"] | {name: {"sha256": "0", "bytes": 1}})).path == copied


def test_a_table_larger_than_it_says_is_refused(copied: Path) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"service": pa.array(["a"] * 1_000)}), buffer)
    (copied / "usual.parquet").write_bytes(buffer.getvalue())
    told = json.loads((copied / "manifest.json").read_text())
    entry = manifest.fingerprint(buffer.getvalue()) | {"rows": 3}
    with pytest.raises(BundleError, match="rows"):
        sl.load_bundle(altered(copied, files=told["files"] | {"usual.parquet": entry}))


def test_a_long_text_that_stands_for_many_rows_is_refused(copied: Path) -> None:
    many = pa.DictionaryArray.from_arrays(pa.array(np.zeros(3_000_000, dtype="int32")), ["x" * 1_000])
    buffer = io.BytesIO()
    pq.write_table(pa.table({"service": many}), buffer, store_schema=False)
    assert len(buffer.getvalue()) < 1_000_000
    (copied / "usual.parquet").write_bytes(buffer.getvalue())
    told = json.loads((copied / "manifest.json").read_text())
    entry = manifest.fingerprint(buffer.getvalue()) | {"rows": 3_000_000}
    with pytest.raises(BundleError, match="unpacks to more"):
        sl.load_bundle(altered(copied, files=told["files"] | {"usual.parquet": entry}))


def test_many_texts_of_many_rows_are_counted_one_by_one() -> None:
    texts = pa.table({"service": [f"service-{i:04}" for i in range(20_000)]})
    buffer = io.BytesIO()
    pq.write_table(texts, buffer)
    file = pq.ParquetFile(io.BytesIO(buffer.getvalue()))
    bound = 20_000 * file.metadata.row_group(0).column(0).total_uncompressed_size
    assert bound > loading._MOST_BYTES
    assert loading._unpacked(buffer.getvalue(), file.metadata) < 1_000_000


@pytest.mark.parametrize("name", ["recent.parquet.bak", "<script>.md", "more"])
def test_what_was_added_is_told(copied: Path, name: str) -> None:
    (copied / name).mkdir()
    with pytest.raises(BundleError, match="move that away"):
        sl.load_bundle(copied)


def test_what_a_system_leaves_in_folders_is_let_be(copied: Path) -> None:
    (copied / ".DS_Store").write_bytes(b"x")
    assert sl.load_bundle(copied).path == copied


def test_labels_that_name_people_or_hold_secrets_are_left_out(learned: Learned) -> None:
    told = json.dumps({"alertname": "Down", "contact": "maria@example.com", "password": "hunter2xyz", "tier": "1"})
    alerts = learned.alerts.assign(source="alertmanager", labels=told)
    kept, whole = (
        contents.rule_table(alerts, learned.clusterer, keep_personal_data=keep)["labels"].iloc[0]
        for keep in (False, True)
    )
    assert json.loads(kept) == {"alertname": "Down", "tier": "1"}
    assert json.loads(whole) == json.loads(told)


def test_statistics_that_were_counted_otherwise_are_told_when_they_are_asked_for(copied: Path) -> None:
    told = json.loads((copied / "manifest.json").read_text())
    parameters = told["parameters"] | {"dependencies": told["parameters"]["dependencies"] | {"window": "PT1S"}}
    bundle = sl.load_bundle(altered(copied, parameters=parameters))
    with pytest.raises(BundleError, match="another window"):
        assert bundle.dependencies


@pytest.mark.parametrize("counts", [{"alerts": -1}, {"alerts": True}, {"alerts": 1e300}])
def test_counts_that_are_none_are_refused(copied: Path, counts: dict[str, object]) -> None:
    told = json.loads((copied / "manifest.json").read_text())
    with pytest.raises(BundleError, match="counts"):
        sl.load_bundle(altered(copied, counts=told["counts"] | counts))


@pytest.mark.parametrize("content", [b"[]", b'{"format": 1}', b'{"format": 2}', b"null", b'{"format": 1, "items": 3}'])
def test_documents_that_are_none_are_refused(copied: Path, content: bytes) -> None:
    (copied / "reactions.json").write_bytes(content)
    told = json.loads((copied / "manifest.json").read_text())
    with pytest.raises(BundleError):
        sl.load_bundle(altered(copied, files=told["files"] | {"reactions.json": manifest.fingerprint(content)}))


def test_a_reaction_of_an_unknown_action_is_refused(bundle: sl.Bundle) -> None:
    assert bundle.reactions is not None
    told = writing.to_dict(bundle.reactions)
    told["items"][0]["action"] = "rm -rf"
    with pytest.raises(BundleError, match="action"):
        writing.from_dict(told)


def test_it_is_shown_escaped(bundle: sl.Bundle) -> None:
    assert "<caption>Bundle" in bundle._repr_html_()
    assert bundle.id in bundle._repr_html_()
    assert "<script" not in bundle.card


def test_a_bundle_with_everything_scores_the_same_after_it_was_saved_again(
    bundle: sl.Bundle, later: pd.DataFrame, learned: Learned, tmp_path: Path
) -> None:
    again = sl.load_bundle(sl.save_bundle(tmp_path / "b", **learned._asdict()))
    pd.testing.assert_frame_equal(again.score(later), bundle.score(later))
    assert again.id == bundle.id
