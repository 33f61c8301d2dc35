from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from stanza_lab.errors import LoadError, ParameterError
from stanza_lab.loaders import read_files
from stanza_lab.loaders._containers import streams

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


def test_pattern_is_searched_sorted_and_without_what_is_hidden(tmp_path, monkeypatch) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("z1.json", "a2.json", "a10.json", ".a3.json", "a.txt", "b/a4.json", "b/c/a5.json"):
        (tmp_path / name).write_bytes(ALARM)
    monkeypatch.chdir(tmp_path)
    assert [batch.file for batch in read_files("*.json")] == ["a10.json", "a2.json", "z1.json"]
    assert [batch.file for batch in read_files(["[az][0-9].json", "?.txt"])] == ["a2.json", "z1.json", "a.txt"]
    assert [batch.file for batch in read_files(Path("b*"))] == ["b/a4.json", "b/c/a5.json"]
    assert [batch.file for batch in read_files("**/a[45].json")] == ["b/a4.json", "b/c/a5.json"]
    assert [batch.file for batch in read_files("b/**")] == ["b/a4.json", "b/c/a5.json"]
    assert [batch.file for batch in read_files(str(tmp_path / "z*"))] == [str(tmp_path / "z1.json")]


def test_pattern_does_not_match_what_is_to_be_skipped(tmp_path, monkeypatch) -> None:
    (tmp_path / "history").mkdir()
    for name in ("a.json", "history/b.json"):
        (tmp_path / name).write_bytes(ALARM)
    monkeypatch.chdir(tmp_path)
    for pattern in ("**/*.json", "*"):
        assert [batch.file for batch in read_files(pattern, skip=Path("history"))] == ["a.json"]


def test_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path) -> None:
    for name in ("a[1].json", "a1.json"):
        (tmp_path / name).write_bytes(ALARM)
    assert [batch.file for batch in read_files(str(tmp_path / "a[1].json"))] == [str(tmp_path / "a[1].json")]


def test_pattern_without_match_is_an_error_at_once(tmp_path) -> None:
    with pytest.raises(LoadError, match=r"no file or folder matches '.*/\*\.jsonl'; it was looked for from /"):
        read_files([str(tmp_path), str(tmp_path / "*.jsonl")])


class Piped:
    """Standard input that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes) -> None:
        self.buffer = self
        self._data = io.BytesIO(data)

    def read1(self, size=-1, /):
        return self._data.read(min(size, 7))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (ALARM * 2, [("<stdin>", 2, [])]),
        (gzip.compress(ALARM), [("<stdin>", 1, [])]),
        (zipped(**{"a.json": ALARM}), [("<stdin>!a.json", 1, [])]),
        (b"", [("<stdin>", 0, ["empty_file"])]),
    ],
    ids=["lines", "gzip", "zip", "nothing"],
)
def test_a_dash_is_standard_input(monkeypatch, data, found) -> None:
    monkeypatch.setattr("sys.stdin", Piped(data))
    assert outcome("-") == found


def test_standard_input_is_read_once_and_a_file_of_that_name_is_a_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", Piped(ALARM))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(ALARM * 3)
    found = [(batch.file, len(batch.events)) for batch in read_files(["-", ".", "./-", "-"])]
    assert found == [("<stdin>", 1), (str(tmp_path / "-"), 3), (str(tmp_path / "-"), 3)]


def test_without_standard_input_that_is_said(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert outcome("-") == [("<stdin>", 0, ["unreadable"])]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"incidents":', b'{"incidents":[', b'[{"data":'])
def test_json_without_bottom_is_one_clear_row(tmp_path, opening) -> None:
    (tmp_path / "deep.json").write_bytes(opening * 100_000)
    assert outcome(tmp_path) == [("deep.json", 0, ["too_deep"])]


LINE = """
import resource, sys
from stanza_lab.loaders import _lines, read_files
_lines.MAX_DOCUMENT = 2**24
list(read_files(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
[batch] = read_files(sys.argv[2])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(len(batch.events), batch.rejected["reason"].tolist(), peak // 2**10 < 5 * 2**4)
"""


@pytest.mark.parametrize("long_lines", [[2**29], [2**25] * 20], ids=["one", "many"])
def test_line_without_end_is_passed_over_in_little_memory(tmp_path, long_lines) -> None:
    (tmp_path / "small.json").write_bytes(ALARM)
    with (tmp_path / "long.json").open("wb") as file:
        file.write(ALARM)
        for size in long_lines:
            file.write(b'{"a":"')
            file.seek(size, io.SEEK_CUR)
            file.write(b'"}\n')
        file.write(ALARM)
    run = [sys.executable, "-c", LINE, tmp_path / "small.json", tmp_path / "long.json"]
    found = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert found == f"2 {['too_large'] * len(long_lines)} True\n"


def test_plain_file_is_handed_on_as_it_is(tmp_path) -> None:
    (tmp_path / "a.json").write_bytes(ALARM)
    for name, stream in streams(tmp_path / "a.json"):
        assert (name, stream.tell(), stream.seekable()) == (str(tmp_path / "a.json"), 0, True)
        assert stream.read() == ALARM
