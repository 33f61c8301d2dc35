from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
    assert list(manifest.ledger([first], [again, again], {"aa": 1}).values()) == [first]


def test_reading_again_with_success_counts_what_was_gained() -> None:
    first = FileEntry("a.json", "aa", records=10, events=6, rejected=4)
    again = FileEntry("a.json", "aa", records=10, events=3, duplicates=6, rejected=1)
    assert first.read_again(again) == FileEntry("a.json", "aa", records=10, events=9, rejected=1)


def test_what_was_used_once_is_not_counted_again_when_it_is_older_than_what_is_kept() -> None:
    first = FileEntry("a.json", "aa", records=10, events=6, duplicates=1, ignored={"note": 2}, rejected=1)
    older = {manifest.EXPIRED: 4, "note": 2}
    again = FileEntry("a.json", "aa", records=10, duplicates=3, ignored=older, rejected=1)
    assert first.read_again(again) == first
    unread = FileEntry("a.json", "aa", records=10, events=2, rejected=8)
    usable = FileEntry("a.json", "aa", records=10, ignored={manifest.EXPIRED: 10})
    told = FileEntry("a.json", "aa", records=10, events=2, ignored={manifest.EXPIRED: 8})
    assert unread.read_again(usable) == told


def test_parts_that_leave_must_be_listed_only_while_nothing_else_is(tmp_path: Path) -> None:
    stays, leaves = Part("events/part-1.parquet", 1, "aa"), Part("events/part-2.parquet", 1, "bb")
    manifest.begin(tmp_path, Manifest(events=(stays, leaves)), [leaves])
    assert manifest.begun(tmp_path, Manifest(files=(FileEntry("a.json", "aa"),))) == {stays.name}
    assert manifest.begun(tmp_path, Manifest()) == {stays.name, leaves.name}
    manifest.end(tmp_path)
    assert manifest.begun(tmp_path, Manifest()) is None


def test_reading_again_with_less_success_takes_nothing_back() -> None:
    good = FileEntry("a.json", "aa", records=10, events=5, duplicates=3, ignored={"note": 2})
    again = FileEntry("a.json", "aa", records=10, duplicates=2, rejected=8)
    assert list(manifest.ledger([good], [again], {}).values()) == [good]


def test_readings_that_each_see_a_part_add_up() -> None:
    first = FileEntry("a.json", "aa", records=4, events=1, duplicates=1, rejected=2)
    other = FileEntry("a.json", "aa", records=4, events=1, duplicates=1, rejected=2)
    assert list(manifest.ledger([first], [other], {}).values()) == [
        FileEntry("a.json", "aa", records=4, events=2, duplicates=2)
    ]


WHOLE: dict[str, Any] = {
    "format": "stanza_lab history",
    "version": 1,
    "events": [{"name": "events/part-1.parquet", "rows": 3, "sha256": "aa"}],
    "rejected": [],
    "files": [{"file": "a", "content": "b", "records": 0, "events": 0, "duplicates": 0, "ignored": {}, "rejected": 0}],
    "facts": {"datadog": 3},
    "first": None,
    "last": None,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": None},
        {"events": [3]},
        {"events": [{"name": 1, "rows": 3, "sha256": "aa"}]},
        {"events": [{"name": "x", "rows": "3", "sha256": "aa"}]},
        {"events": [{"name": "x", "rows": 3, "sha256": "aa", "more": 1}]},
        {"rejected": "x"},
        {"rejected": {"name": "x"}},
        {"files": [{"file": "a", "content": "b", "ignored": 3}]},
        {"files": [{"file": "a", "content": "b", "ignored": {"note": "many"}}]},
        {"files": [{"file": "a", "content": "b", "records": 3}]},
        {"facts": ["datadog"]},
        {"facts": {"datadog": "3"}},
        {"first": 3},
    ],
)
def test_wrong_types_are_damage(tmp_path: Path, wrong: dict[str, Any]) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(WHOLE))
    assert manifest.read(tmp_path) is not None
    path.write_text(json.dumps(WHOLE | wrong))
    with pytest.raises(HistoryError, match=r"manifest.json is damaged .*; restore it"):
        manifest.read(tmp_path)


def test_digest_depends_on_the_events_only() -> None:
    parts = (Part("events/part-1.parquet", 3, "aa"),)
    assert Manifest(events=parts).digest() == Manifest(events=parts, facts={"datadog": 3}).digest()
    assert Manifest(events=parts).digest() != Manifest(events=parts).digest(2)
    assert Manifest(events=parts).digest() != Manifest().digest()
