"""`export`: all files or none, over nothing but an earlier export, with a guide that says what was lost."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest

import stanza_lab as sl
from stanza_lab.artefacts.exports.export import MARK, read_option
from stanza_lab.artefacts.exports.registry import TARGETS, Option, Written
from stanza_lab.errors import BundleError, ParameterError, UnknownNameError


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Return the files of a target that the test makes up; written as 'dot', whose guide there is."""
    files: dict[str, bytes] = {"a.txt": b"a"}

    def write(walk: object, *, colour: str) -> Written:
        if colour == "none":
            raise ParameterError("no colour")
        return Written(files, [f"the colour {colour} <b>", "much"])

    made = SimpleNamespace(WHAT="what", PROVEN_BY="us", OPTIONS={"colour": Option("which", "red")}, write=write)
    monkeypatch.setitem(sys.modules, "made_up_target", cast("ModuleType", made))
    monkeypatch.setitem(TARGETS, "dot", "made_up_target")
    return files


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_guide_says_what_was_lost_and_from_where(
    bundle: sl.Bundle, written: dict[str, bytes], tmp_path: Path
) -> None:
    made = sl.export(bundle, "dot", tmp_path / "out", min_confidence=1.0, colour="blue")
    assert made.files == ("README.md", "a.txt")
    guide = (tmp_path / "out" / "README.md").read_text()
    assert "* the colour blue &lt;b&gt;" in guide
    assert made.lost[-1].endswith("left out")
    assert made.lost[-1].split(" less likely")[0] in guide
    assert bundle.id in guide


def test_what_fails_leaves_nothing_behind(bundle: sl.Bundle, written: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no colour"):
        sl.export(bundle, "dot", tmp_path / "out", colour="none")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x"])
def test_nothing_is_written_outside(bundle: sl.Bundle, written: dict[str, bytes], tmp_path: Path, name: str) -> None:
    written[name] = b"x"
    with pytest.raises(BundleError, match="outside"):
        sl.export(bundle, "dot", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_export_is_replaced_whole_when_asked(
    bundle: sl.Bundle, written: dict[str, bytes], tmp_path: Path
) -> None:
    sl.export(bundle, "dot", tmp_path / "out")
    del written["a.txt"]
    written["deep/b.txt"] = b"b"
    with pytest.raises(BundleError, match="overwrite=True"):
        sl.export(bundle, "dot", tmp_path / "out")
    assert names(tmp_path / "out") == {"README.md", "a.txt", MARK}
    sl.export(bundle, "dot", tmp_path / "out", overwrite=True)
    assert names(tmp_path / "out") == {"README.md", "deep/b.txt", MARK}
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_the_earlier_export_stays_when_the_new_one_cannot_take_its_place(
    bundle: sl.Bundle, written: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sl.export(bundle, "dot", tmp_path / "out")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    written["a.txt"] = b"changed"
    with pytest.raises(OSError, match="disk full"):
        sl.export(bundle, "dot", tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "a.txt").read_bytes() == b"a"


def test_what_is_no_export_is_never_replaced(bundle: sl.Bundle, written: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for name in ("file", "folder"):
        with pytest.raises(BundleError, match="no export"):
            sl.export(bundle, "dot", tmp_path / name, overwrite=True)
    assert (tmp_path / "file").read_text() == "mine"


def test_an_export_with_a_file_of_somebody_else_is_not_replaced(
    bundle: sl.Bundle, written: dict[str, bytes], tmp_path: Path
) -> None:
    sl.export(bundle, "dot", tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"notes\.txt"):
        sl.export(bundle, "dot", tmp_path / "out", overwrite=True)


DAMAGED = ("", "[]", '{"files": 1}', '{"files": [[]]}', "[" * 100_000, '{"files": [NaN', "\udcff")


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_mark_is_no_export(bundle: sl.Bundle, written: dict[str, bytes], tmp_path: Path, text: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MARK).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match="no export"):
        sl.export(bundle, "dot", tmp_path / "out", overwrite=True)


def test_an_option_that_is_not_there_names_those_that_are(bundle: sl.Bundle, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="labels, max_q, min_confidence, services"):
        sl.export(bundle, "alertmanager", tmp_path / "out", label="x")
    with pytest.raises(UnknownNameError, match="alertmanager"):
        sl.export(bundle, "alertmanger", tmp_path / "out")


def test_options_of_the_command_line_are_read_as_the_target_takes_them() -> None:
    assert read_option("alertmanager", "max_q", "0.1") == 0.1
    assert read_option("alertmanager", "labels", "0.1") == "0.1"
    with pytest.raises(ParameterError, match="must be a number"):
        read_option("alertmanager", "max_q", "much")
    with pytest.raises(UnknownNameError, match="max_q"):
        read_option("alertmanager", "max-q", "1")
