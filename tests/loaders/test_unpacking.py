from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import zlib

import pyarrow as pa
import pytest

from stanza_lab.loaders import _unpacking, read_files
from stanza_lab.loaders._unpacking import Ahead

ALARM = b'{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}\n'


def zstd(data: bytes) -> bytes:
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(data)
    return packed.getvalue().to_pybytes()


PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}
every_packer = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


def outcome(tmp_path, packed: bytes) -> tuple[int, list[str]]:
    """Return the number of events and the reasons, read from a file whose name says nothing."""
    (tmp_path / "export").write_bytes(packed)
    [batch] = read_files(tmp_path / "export")
    return len(batch.events), batch.rejected["reason"].tolist()


@every_packer
def test_packed_file_is_told_by_its_bytes_and_read(tmp_path, pack) -> None:
    assert outcome(tmp_path, pack(ALARM * 3)) == (3, [])


@every_packer
def test_several_packed_one_after_another_are_one_file(tmp_path, pack) -> None:
    assert outcome(tmp_path, pack(ALARM) + pack(b"") + pack(ALARM[:9]) + pack(ALARM[9:])) == (2, [])


@every_packer
def test_what_follows_the_end_is_told_and_what_came_before_is_read(tmp_path, pack) -> None:
    assert outcome(tmp_path, pack(ALARM) + b"garbage and more") == (1, ["broken_archive"])


@every_packer
def test_packed_nothing_is_an_empty_file(tmp_path, pack) -> None:
    assert outcome(tmp_path, pack(b"")) == (0, ["empty_file"])


@every_packer
def test_first_bytes_alone_are_one_clear_row(tmp_path, pack) -> None:
    assert outcome(tmp_path, pack(ALARM)[: 9 if pack is zstd else 10]) == (0, ["broken_archive"])


@pytest.mark.parametrize("pack", [gzip.compress, zstd, lambda data: lzma.compress(data, preset=0)])
def test_half_a_file_gives_its_complete_records(tmp_path, pack) -> None:
    noise = random.Random(0)
    record = b'{"AlarmName": "%x", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}\n'
    packed = pack(b"".join(record % noise.getrandbits(4_000) for _ in range(1_000)))
    events, reasons = outcome(tmp_path, packed[: len(packed) // 2])
    assert 400 < events < 510
    assert reasons == ["truncated_json", "broken_archive"]


def test_zstd_frames_without_data_are_passed_over(tmp_path) -> None:
    nothing = b"\x5a\x2a\x4d\x18\x04\0\0\0abcd"
    assert outcome(tmp_path, nothing + zstd(ALARM) + nothing) == (1, [])


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_zeros_that_pad_the_end_are_nothing(tmp_path, pack) -> None:
    assert outcome(tmp_path, pack(ALARM) + bytes(512)) == (1, [])


def test_xz_that_asks_for_much_memory_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_unpacking, "MAX_WINDOW", 2**20)
    assert outcome(tmp_path, lzma.compress(ALARM, preset=6)) == (0, ["broken_archive"])


def test_text_that_starts_like_bzip2_is_text(tmp_path) -> None:
    assert outcome(tmp_path, b"BZh9 is how a bzip2 file starts") == (0, ["not_json"])


def blank_lines(size: int) -> bytes:
    """Return the start of a gzip of `size` line ends without compressing all of them."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = pack.compress(b"\n" * 2**22) + pack.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * (size // 2**22)


def test_bomb_is_stopped_and_what_came_before_is_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_unpacking, "BOMB_SIZE", 2**28)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(ALARM) + blank_lines(10 * 2**30))
    [batch] = read_files(tmp_path)
    assert (len(batch.events), batch.rejected["reason"].tolist()) == (1, ["archive_bomb"])
    assert "it unpacks to 0.3 GB or more, 995 times its packed size" in batch.rejected["message"][0]
    assert "the complete records before it were read" in batch.rejected["message"][0]


def test_export_that_repeats_itself_is_no_bomb(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_unpacking, "BOMB_SIZE", 1_000)
    packed = gzip.compress(ALARM * 7_000)
    assert 50 < len(ALARM) * 7_000 / len(packed) < 500
    assert outcome(tmp_path, packed) == (7_000, [])


class Breaking(io.BytesIO):
    """A stream that raises where a true one would end."""

    def read1(self, size=-1, /):
        data = super().read1(min(size, 3))
        if not data:
            raise EOFError("gone")
        return data


def test_break_is_told_when_it_is_reached() -> None:
    stream = Ahead(Breaking(b"abcdefgh").read1)
    assert stream.peek(5) == b"abcdef"
    assert stream.peek(500) == b"abcdefgh"
    assert stream.read(6) == b"abcdef"
    assert stream.read(6) == b"gh"
    assert stream.taken == 8
    for read in (stream.peek, stream.read, stream.read1):
        with pytest.raises(EOFError, match="gone"):
            read(1)
