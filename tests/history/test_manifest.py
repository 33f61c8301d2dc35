from __future__ import annotations

from pathlib import Path

import pytest

from stanza_lab.errors import HistoryError
from stanza_lab.history import manifest
from stanza_lab.history.manifest import FileEntry, Manifest, Part


def test_round_trip_is_exact(tmp_path: Path) -> None:
    whole = Manifest(
        events=(Part("events/part-1.parquet", 3, "aa"),),
        files=(FileEntry("a.json", "bb", records=6, events=2, duplicates=1, ignored={"note": 1}, rejected=2),),
        facts={"datadog": 2},
        first="2026-01-01T00:00:00.000000Z",
        last="2026-01-02T00:00:00.000000Z",
    )
    manifest.write(tmp_path, whole)
    assert manifest.read(tmp_path) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_no_manifest_is_none(tmp_path: Path) -> None:
    assert manifest.read(tmp_path) is None
    assert manifest.read(tmp_path / "missing") is None


def test_entry_that_does_not_add_up_is_a_defect() -> None:
    with pytest.raises(HistoryError, match=r"a.json: 3 records read, 2 accounted for"):
        FileEntry("a.json", "aa", records=3, events=2)


def test_reading_the_same_again_changes_no_entry() -> None:
    first = FileEntry("a.json", "aa", records=10, events=6, duplicates=1, ignored={"note": 2}, rejected=1)
    again = FileEntry("b.json", "aa", records=10, events=0, duplicates=7, ignored={"note": 2}, rejected=1)
    assert list(manifest.ledger([first], [again, again]).values()) == [first]


def test_reading_again_with_success_counts_what_was_gained() -> None:
    first = FileEntry("a.json", "aa", records=10, events=6, rejected=4)
    again = FileEntry("a.json", "aa", records=10, events=3, duplicates=6, rejected=1)
    assert first.read_again(again) == FileEntry("a.json", "aa", records=10, events=9, rejected=1)


def test_digest_depends_on_the_events_only() -> None:
    parts = (Part("events/part-1.parquet", 3, "aa"),)
    assert Manifest(events=parts).digest() == Manifest(events=parts, facts={"datadog": 3}).digest()
    assert Manifest(events=parts).digest() != Manifest(events=parts).digest(2)
    assert Manifest(events=parts).digest() != Manifest().digest()
