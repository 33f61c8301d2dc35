"""What is made to break a reader, through the command line: one clear line, never a traceback, nothing written."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stanza_lab.cli import main
from stanza_lab.loaders import _lines, _unpacking

ALARM = {"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def gzip_of_gzips(levels: int) -> bytes:
    data = json.dumps(ALARM).encode()
    for _ in range(levels):
        data = gzip.compress(data)
    return data


BOMBS = [
    pytest.param(lambda: zipped("big.json", b"\n" * 2**21), "archive_bomb", id="zip that unpacks without end"),
    pytest.param(lambda: gzip.compress(b"\n" * 2**21), "archive_bomb", id="gzip that unpacks without end"),
    pytest.param(lambda: b"[" * 100_000, "too_deep", id="arrays 100,000 deep"),
    pytest.param(lambda: b'{"data":' * 100_000 + b"1" + b"}" * 100_000, "too_deep", id="objects 100,000 deep"),
    pytest.param(lambda: b'{"a":"' + b"x" * 2**21 + b'"}\n', "too_large", id="line without end"),
    pytest.param(lambda: zipped("../../x", json.dumps(ALARM).encode()), "unsafe_name", id="name that leads out"),
    pytest.param(lambda: zipped("/x", json.dumps(ALARM).encode()), "unsafe_name", id="name from the root"),
    pytest.param(lambda: gzip_of_gzips(9), "too_deep", id="archives in archives"),
    pytest.param(lambda: b"PK\x03\x04" + b"\xff" * 100, "broken_archive", id="zip that is none"),
    pytest.param(lambda: b"PAR1" + b"\xff" * 100, "broken_table", id="Parquet file that is none"),
    pytest.param(lambda: b"\xff\xff\xff\xff\x10\0\0\0" + b"\xfe" * 100, "broken_table", id="Arrow stream that is none"),
]


@pytest.fixture
def ingest(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    # Small limits: what counts is what is said, and the true sizes take seconds. test_archives.py has them.
    monkeypatch.setattr(_unpacking, "BOMB_SIZE", 2**18)
    monkeypatch.setattr(_lines, "MAX_DOCUMENT", 2**20)

    def run(*paths: Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stanza-lab", "ingest", *map(str, paths), "--history", str(tmp_path / "h")])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capfd.readouterr()

    return run


@pytest.mark.parametrize(("bomb", "reason"), BOMBS)
def test_bomb_is_one_clear_line_and_the_other_files_are_read(
    ingest: Callable[..., tuple[int, str, str]], tmp_path: Path, bomb: Callable[[], bytes], reason: str
) -> None:
    path = tmp_path / "in" / "deep" / "bomb"
    path.parent.mkdir(parents=True)
    path.write_bytes(bomb())
    code, out, err = ingest(path)
    assert code == 1
    [told] = [line for line in out.splitlines() if line.startswith("rejected:")]
    assert f"1 x {reason} in {path}" in told
    [failed] = err.splitlines()
    assert "nothing could be used of" in failed
    assert "Traceback" not in out + err

    path.with_name("good.json").write_text(json.dumps(ALARM))
    code, out, err = ingest(path.parent)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "2 records in 2 files = 1 event + 0 duplicates + 0 ignored + 1 rejected"
    assert {found.name for found in tmp_path.rglob("x")} == set()
    assert {found.name for found in tmp_path.iterdir()} == {"in", "h"}
