"""The guide to a new alert system is true: what it shows, as it stands there, reads one. The README names them all."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from stanza_lab import fold_events, loaders
from stanza_lab.loaders import _batches, read_files, registry

GUIDE = Path(__file__).resolve().parents[1] / "CONTRIBUTING.md"
SECTION = GUIDE.read_text(encoding="utf-8").partition("\n## A new alert system\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
SYSTEM, TABLE = (text for language, text in BLOCKS if language == "python")
HUNKS = [text for language, text in BLOCKS if language == "diff"]


def module(name: str, source: str) -> ModuleType:
    """Return the module that a source makes."""
    made = ModuleType(name)
    exec(compile(source, name, "exec"), made.__dict__)
    return made


def patched(source: str, hunk: str) -> str:
    """Return a source with one hunk of a diff applied; what stays must stand in it exactly once."""
    lines = hunk.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] == " ")
    assert source.count(before) == 1
    return source.replace(before, "".join(line[1:] for line in lines))


@pytest.fixture
def events(tmp_path, monkeypatch):
    """Return a function that reads an export with the guide's system in the registry, as events and rejections."""
    tocsin = module("stanza_lab.loaders.tocsin", SYSTEM)
    monkeypatch.setitem(sys.modules, tocsin.__name__, tocsin)
    monkeypatch.setattr(loaders, "tocsin", tocsin, raising=False)
    source = Path(registry.__file__).read_text(encoding="utf-8")
    for hunk in HUNKS:
        source = patched(source, hunk)
    monkeypatch.setattr(_batches, "registry", module(registry.__name__, source))

    def events(export, **options):
        (tmp_path / "export.json").write_text(json.dumps(export), encoding="utf-8")
        [batch] = read_files(tmp_path / "export.json", **options)
        assert batch.records == len(batch.events) + len(batch.rejected) + batch.ignored.total()
        return batch.events, batch.rejected

    return events


def test_a_system_takes_40_lines_and_one_in_the_registry() -> None:
    assert len(SYSTEM.splitlines()) <= 40
    added = [line[1:].strip() for hunk in HUNKS for line in hunk.splitlines() if line[0] == "+"]
    assert added == ['"tocsin",']


def test_the_table_of_the_guide_passes(events) -> None:
    def event(export):
        read, rejected = events(export)
        assert rejected["message"].tolist() == []
        [row] = read.to_dict("records")
        return {key: value for key, value in row.items() if isinstance(value, list) or value == value}

    test = module("test_tocsin", TABLE).test_ring
    _, cases = test.pytestmark[0].args
    assert len(cases) == 4
    for case in cases:
        test(event, *case)


def test_webhooks_and_pages_tell_one_alert(events) -> None:
    ring = module("test_tocsin", TABLE).RING
    end = ring | {"ring_id": "r-2", "state": "recovered", "rang_at": "2026-03-01T14:20:00Z"}
    delivery = {"received_at": "2026-03-01T14:02:12Z", "headers": {}, "body": json.dumps(ring)}
    read, rejected = events([delivery, {"rings": [end, ring], "next": "2"}, {"rings": [], "next": None}])
    assert rejected.empty
    assert read["event_id"].tolist() == ["r-1", "r-2", "r-1"]
    assert read["kind"].tolist() == ["fired", "resolved", "fired"]
    [alert] = fold_events(read).to_dict("records")
    assert alert["event_ids"] == ["r-1", "r-2"]
    assert [f"{alert[time]:%H:%M:%S}" for time in ("starts_at", "ends_at")] == ["14:02:11", "14:20:00"]


@pytest.mark.parametrize(
    ("ring", "reason"),
    [
        ({"ring_id": ""}, "missing_field"),
        ({"state": None}, "missing_field"),
        ({"rang_at": "today"}, "bad_time"),
        ({"rang_at": None}, "no_time"),
        ({"rule": {"id": 17, "tags": [7]}}, "malformed"),
        ({"rule": None}, "unknown_system"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_reason(events, ring, reason) -> None:
    read, rejected = events(module("test_tocsin", TABLE).RING | ring, source="tocsin")
    assert read.empty
    assert rejected["reason"].tolist() == [reason]


def test_the_readme_has_a_row_for_every_system() -> None:
    readme = GUIDE.with_name("README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| [^|]+ \| `(\w+)` \|", readme, re.MULTILINE)) == registry.SOURCES
