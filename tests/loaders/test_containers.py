from __future__ import annotations

import gzip
import io
import os
import time
import zipfile
from pathlib import Path

import pytest

from stanza_lab.errors import LoadError, ParameterError
from stanza_lab.loaders import _containers, read_files

ALARM = b'{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}\n'


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def outcome(path) -> list:
    """Return (file, events, reasons) of every batch, files relative to `path`."""
    batches = read_files(path)
    return [(b.file.removeprefix(f"{path}/"), len(b.events), b.rejected["reason"].tolist()) for b in batches]


def test_folder_is_read_in_order_without_hidden_files(tmp_path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("z.json", "b/c.jsonl", "b/.c.jsonl.swp", ".git/config.json"):
        (tmp_path / name).write_bytes(ALARM)
    (tmp_path / "README.md").write_text("# Exports\n")
    assert outcome(tmp_path) == [("README.md", 0, ["not_json"]), ("b/c.jsonl", 1, []), ("z.json", 1, [])]


def test_folder_without_files_says_so(tmp_path) -> None:
    assert outcome(tmp_path) == [(str(tmp_path), 0, ["empty_folder"])]


def test_only_regular_files_are_opened(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone.json").symlink_to("nowhere")
    (tmp_path / "other").symlink_to(tmp_path.parent)
    assert outcome(tmp_path) == [
        ("gone.json", 0, ["not_a_file"]),
        ("other", 0, ["not_a_file"]),
        ("pipe", 0, ["not_a_file"]),
    ]


def test_folder_that_cannot_be_searched_says_so(tmp_path, monkeypatch) -> None:
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert outcome(tmp_path) == [("closed", 0, ["unreadable"])]


def test_names_that_would_break_a_line_are_shown_escaped(tmp_path) -> None:
    (tmp_path / "a\nb\x1b.json").write_bytes(ALARM)
    (tmp_path / "c.zip").write_bytes(zipped(**{"d\ne.json": ALARM}))
    (tmp_path / "ü \udcff.json").write_bytes(ALARM)
    assert outcome(tmp_path) == [
        (r"a\nb\x1b.json", 1, []),
        (r"c.zip!d\ne.json", 1, []),
        (r"ü \udcff.json", 1, []),
    ]


@pytest.mark.parametrize("here", [True, False])
def test_folder_to_skip_is_left_out_wherever_it_is_met(tmp_path, monkeypatch, here) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub" / "history" / "events").mkdir(parents=True)
    for name in ("a.json", "sub/b.json", "sub/history/c.json", "sub/history/events/d.json"):
        (tmp_path / name).write_bytes(ALARM)
    skip = Path("sub/history") if here else tmp_path / "sub" / "history"
    assert [batch.file for batch in read_files(".", skip=skip)] == ["a.json", "sub/b.json"]
    assert [batch.file for batch in read_files(["sub/history", "sub/history/events", "a.json"], skip=skip)] == [
        "a.json"
    ]
    assert [batch.file for batch in read_files("sub/history/c.json", skip=skip)] == ["sub/history/c.json"]


@pytest.mark.parametrize("paths", [None, 7, [None], b"a.json"])
def test_what_is_no_path_is_an_error_at_once(paths) -> None:
    with pytest.raises(ParameterError, match=r"paths=.*pass a file, a folder or a list of them"):
        read_files(paths)


def test_path_that_does_not_exist_is_an_error_at_once(tmp_path) -> None:
    with pytest.raises(LoadError, match=r"no such file or folder: .*nowhere"):
        read_files([tmp_path, tmp_path / "nowhere"])


def test_archives_are_read_member_by_member(tmp_path) -> None:
    inner = zipped(**{"two.json.gz": gzip.compress(ALARM * 2)})
    packed = zipped(**{"b/one.json": ALARM, "a.zip": inner, "empty.json": b"", "b/.hidden": b"x", "__MACOSX/._b": b"x"})
    (tmp_path / "all.zip").write_bytes(packed)
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(ALARM))
    assert outcome(tmp_path) == [
        ("all.zip!a.zip!two.json.gz", 2, []),
        ("all.zip!b/one.json", 1, []),
        ("all.zip!empty.json", 0, ["empty_file"]),
        ("x.json.gz", 1, []),
    ]


def test_member_that_points_outside_is_read_and_written_nowhere(tmp_path) -> None:
    folder = tmp_path / "in" / "side"
    folder.mkdir(parents=True)
    (folder / "evil.zip").write_bytes(zipped(**{"../../escaped.json": ALARM}))
    assert outcome(folder) == [("evil.zip!../../escaped.json", 1, [])]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["evil.zip"]


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"PK\x03\x04 and nothing more", "broken_archive"),
        (b"\x1f\x8b and nothing more", "broken_archive"),
        (zipped(), "empty_file"),
        (zipped(a=ALARM).replace(b"\x08\x00", b"\x63\x00"), "broken_archive"),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(ALARM)))), "too_deep"),
    ],
    ids=["zip", "gzip", "empty zip", "method", "nested"],
)
def test_archive_that_cannot_be_opened_is_one_clear_row(tmp_path, packed, reason) -> None:
    (tmp_path / "archive").write_bytes(packed)
    [(_, events, reasons)] = outcome(tmp_path)
    assert (events, reasons) == (0, [reason])


def test_blank_lines_without_end_cost_little(tmp_path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(ALARM + b"\n" * 20_000_000 + ALARM + b"{"))
    start = time.process_time()
    [batch] = read_files(tmp_path)
    assert time.process_time() - start < 2
    assert (len(batch.events), batch.rejected["locator"].tolist()) == (2, ["line 20000003, character 1"])


def test_message_does_not_claim_more_than_was_read(tmp_path) -> None:
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b and nothing more")
    [batch] = read_files(tmp_path)
    assert batch.rejected["message"][0].endswith("nothing was read from it; export it again")
    (tmp_path / "a.gz").write_bytes(gzip.compress(ALARM) + b"garbage")
    [batch] = read_files(tmp_path)
    assert len(batch.events) == 1
    assert "complete records before it were read" in batch.rejected["message"][0]


@pytest.mark.shared
def test_half_a_gzip_of_a_real_page_gives_its_complete_records(tmp_path, shared) -> None:
    packed = gzip.compress((shared / "data/nezha_tt_0129/alerts/datadog_events.json").read_bytes())
    (tmp_path / "half.json.gz").write_bytes(packed[: len(packed) // 2])
    [batch] = read_files(tmp_path)
    assert len(batch.events) > 200
    assert batch.rejected["reason"].tolist() == ["truncated_json", "broken_archive"]


def test_one_broken_member_leaves_the_others(tmp_path) -> None:
    content = bytes(range(256)) * 40
    packed = zipped(**{"a.json": content, "b.json": ALARM})
    (tmp_path / "x.zip").write_bytes(packed.replace(packed[60:100], bytes(40)))
    [(_, _, first), (_, events, _)] = outcome(tmp_path)
    assert (len(first), events) == (1, 1)


def test_a_large_zip_inside_another_archive_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_containers, "MAX_INNER_ZIP", 1_000)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.json", "[" + "1," * 5_000 + "1]")
    (tmp_path / "outer.gz").write_bytes(gzip.compress(inner.getvalue()))
    [batch] = read_files(tmp_path / "outer.gz")
    assert batch.rejected["reason"].tolist() == ["too_large"]
