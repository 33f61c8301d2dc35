from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stanza_lab import History
from stanza_lab.errors import HistoryError
from stanza_lab.history import manifest as manifests


@pytest.fixture
def history(tmp_path: Path, changes: Path) -> History:
    history = History(tmp_path / "history")
    history.ingest(changes)
    return history


def told(history: History, *kinds: str) -> list[list[object]]:
    found = history.verify()
    return found.loc[found["kind"].isin(kinds), ["rows_expected", "rows_found", "state"]].values.tolist()


def edit(history: History, **fields: object) -> None:
    path = history.path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_whole_history_is_ok(history: History, items: Path, changes: Path) -> None:
    history.ingest(items)
    found = history.verify()
    assert found.columns.tolist() == ["item", "kind", "rows_expected", "rows_found", "state", "message"]
    assert found["kind"].tolist() == ["events part"] * 2 + ["rejected part"] + ["manifest"] * 3 + ["export file"] * 2
    assert set(found["state"]) == {"ok"}
    assert found.loc[found["kind"] == "manifest", "item"].tolist() == [
        "facts of cloudwatch",
        "events of all files",
        "rejected records of all files",
    ]
    assert found["rows_found"].tolist() == found["rows_expected"].tolist() == [5, 5, 1, 5, 5, 1, 7, 5]
    assert found["item"].tolist()[-2:] == [str(changes), str(items)]


@pytest.mark.parametrize("folder", ["events", "rejected"])
def test_a_part_that_is_gone_is_missing(history: History, folder: str) -> None:
    shutil.rmtree(history.path / folder)
    found = history.verify()
    [row] = found[(found["kind"] == f"{folder} part")].to_dict("records")
    assert row["state"] == "missing"
    assert "restore it from a copy" in row["message"]
    counts = found.loc[found["kind"] == "manifest", "state"].tolist()
    assert counts == (["miscounted", "ok", "ok"] if folder == "events" else ["ok", "ok", "miscounted"])


@pytest.mark.parametrize("change", [b"damaged", b"+"])
def test_a_part_with_another_content_is_changed(history: History, change: bytes) -> None:
    [part] = history.path.glob("events/*")
    part.write_bytes(change if change != b"+" else part.read_bytes()[:-9] + b"x" + part.read_bytes()[-8:])
    found = history.verify()
    assert found["state"].tolist()[0] == "changed"
    assert "restore it" in found["message"].tolist()[0]


def test_rows_and_facts_that_do_not_add_up_are_miscounted(history: History) -> None:
    manifest = json.loads((history.path / "manifest.json").read_text())
    [part] = manifest["events"]
    edit(history, events=[part | {"rows": 6}], facts={"cloudwatch": 4, "sentry": 1})
    assert told(history, "events part") == [[6, 5, "miscounted"]]
    assert told(history, "manifest")[:3] == [[4, 0, "miscounted"], [1, 0, "miscounted"], [5, 5, "ok"]]
    edit(history, events=[part])
    assert told(history, "manifest")[:3] == [[4, 5, "miscounted"], [1, 0, "miscounted"], [5, 5, "ok"]]


def test_a_ledger_that_brought_other_events_is_miscounted(history: History) -> None:
    manifest = json.loads((history.path / "manifest.json").read_text())
    [file] = manifest["files"]
    edit(history, files=[file | {"events": 4, "duplicates": 1}])
    assert told(history, "manifest") == [[5, 5, "ok"], [4, 5, "miscounted"], [1, 1, "ok"]]
    edit(history, files=[file | {"ignored": {}, "rejected": 2}])
    assert told(history, "manifest") == [[5, 5, "ok"], [5, 5, "ok"], [2, 1, "miscounted"]]


def test_a_ledger_whose_records_do_not_add_up_is_told(history: History) -> None:
    manifest = json.loads((history.path / "manifest.json").read_text())
    [file] = manifest["files"]
    edit(history, files=[file | {"records": 9}])
    with pytest.raises(HistoryError, match="9 records read, 7 accounted for"):
        history.verify()


def test_a_part_the_manifest_lost_is_told(history: History) -> None:
    edit(history, rejected=[])
    found = history.verify()
    [row] = found[found["item"].str.startswith("rejected/part-")].to_dict("records")
    assert (row["kind"], row["state"]) == ("manifest", "changed")
    assert "does not list" in row["message"]


def test_exports_that_changed_or_are_gone_are_told(
    history: History, changes: Path, export: Callable[..., Path], sns: Callable
) -> None:
    other = export("other.json", sns("memory", "ALARM", 90))
    history.ingest(other)
    other.unlink()
    changes.write_text(changes.read_text() + "\n")
    found = history.verify()
    exports = found[found["kind"] == "export file"]
    assert exports["state"].tolist() == ["changed", "missing"]
    assert exports["message"].tolist() == [
        "changed since it was read; ingest it again to add what is new",
        "no longer there; the history does not need it",
    ]
    assert set(found.loc[found["kind"] != "export file", "state"]) == {"ok"}
    history.ingest(changes)
    again = history.verify()
    assert again.loc[again["kind"] == "export file", "state"].tolist() == ["ok", "missing"]


def test_an_archive_is_one_file_and_standard_input_and_folders_none(
    history: History, changes: Path, items: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "all!.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in (changes, items):
            packed.write(path, path.name)
    (tmp_path / "empty").mkdir()
    history.ingest([archive, tmp_path / "empty"])
    with changes.open() as stream, monkeypatch.context() as patched:
        patched.setattr("sys.stdin", stream)
        history.ingest("-")
    found = history.verify()
    exports = found[found["kind"] == "export file"]
    assert exports["item"].tolist() == [str(changes), str(archive)]
    assert exports["rows_found"].tolist() == [7, 12]
    assert set(found["state"]) == {"ok"}


def test_a_change_while_it_reads_is_looked_at_again(
    history: History, items: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = manifests.read, []

    def read(directory: Path) -> manifests.Manifest | None:
        calls.append(directory)
        if len(calls) == 2:
            monkeypatch.setattr(manifests, "read", real)
            history.ingest(items)
        return real(directory)

    monkeypatch.setattr(manifests, "read", read)
    assert (history.verify()["kind"] == "events part").sum() == 2


def test_progress_goes_to_stderr(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.verify(progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "sns.ndjson" in err


def test_missing_history_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="no history at"):
        History(tmp_path / "nowhere").verify()
