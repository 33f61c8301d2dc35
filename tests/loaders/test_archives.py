from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

import pyarrow as pa
import pytest

from stanza_lab.loaders import _archives, _containers, _unpacking, read_files

ALARM = b'{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}\n'
PAIR = ("a.json", "b.json")


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def header(name: str, size: int = 0, **facts) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    for fact, value in facts.items():
        setattr(member, fact, value)
    return member


def tarred(*members: str | tarfile.TarInfo, form: int = tarfile.GNU_FORMAT, content: bytes = ALARM) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for member in members:
            if isinstance(member, str):
                archive.addfile(header(member, len(content)), io.BytesIO(content))
            else:
                archive.addfile(member)
    return packed.getvalue()


def zstd(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data, asbytes=True)


def outcome(tmp_path, packed: bytes, name: str = "archive") -> list[tuple[str, int, list[str]]]:
    """Return (file, events, reasons) of every batch."""
    (tmp_path / name).write_bytes(packed)
    batches = read_files(tmp_path / name)
    return [(b.file.removeprefix(f"{tmp_path}/"), len(b.events), b.rejected["reason"].tolist()) for b in batches]


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd], ids=["tar", "gz", "bz2", "xz", "zst"]
)
def test_tar_is_read_member_by_member_in_its_order(tmp_path, pack) -> None:
    packed = pack(tarred("z/b.json", "a.json", ".hidden", "z/._b.json", header("z", type=tarfile.DIRTYPE)))
    assert outcome(tmp_path, packed) == [("archive!z/b.json", 1, []), ("archive!a.json", 1, [])]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_of_every_length_are_read(tmp_path, form) -> None:
    name = "/".join(["folder" * 10] * 3) + "/ä.json"
    assert outcome(tmp_path, tarred(name, form=form)) == [(f"archive!{name}", 1, [])]


def test_tar_of_the_oldest_format_is_told_by_its_checksum(tmp_path) -> None:
    packed = bytearray(tarred("a.json"))
    packed[257:512] = bytes(255)
    packed[148:156] = b" " * 8
    packed[148:156] = b"%06o\0 " % sum(packed[:512])
    assert outcome(tmp_path, bytes(packed)) == [("archive!a.json", 1, [])]


def test_links_devices_and_sparse_files_are_refused_and_the_others_read(tmp_path) -> None:
    odd = [
        header("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        header("hard", type=tarfile.LNKTYPE, linkname="a.json"),
        header("device", type=tarfile.CHRTYPE),
        header("pipe", type=tarfile.FIFOTYPE),
        header("sparse", type=tarfile.GNUTYPE_SPARSE),
    ]
    assert outcome(tmp_path, tarred("a.json", *odd, "b.json")) == [
        ("archive!a.json", 1, []),
        ("archive!link", 0, ["not_a_file"]),
        ("archive!hard", 0, ["not_a_file"]),
        ("archive!device", 0, ["not_a_file"]),
        ("archive!pipe", 0, ["not_a_file"]),
        ("archive!sparse", 0, ["not_a_file"]),
        ("archive!b.json", 1, []),
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_tar_without_files_says_so(tmp_path) -> None:
    assert outcome(tmp_path, tarred(header("z", type=tarfile.DIRTYPE))) == [("archive", 0, ["empty_file"])]


def test_damaged_header_does_not_end_a_tar_unseen(tmp_path) -> None:
    packed = tarred(*PAIR)
    assert outcome(tmp_path, packed.replace(b"b.json", b"c.json")) == [
        ("archive!a.json", 1, []),
        ("archive", 0, ["broken_archive"]),
    ]
    assert outcome(tmp_path, packed[:1_100]) == [("archive!a.json", 1, []), ("archive", 0, ["broken_archive"])]
    assert outcome(tmp_path, packed.replace(b"a.json", b"c.json")) == [("archive", 0, ["broken_archive"])]


def test_member_that_breaks_off_gives_its_complete_records(tmp_path) -> None:
    packed = tarred("a.json", content=ALARM * 20)
    assert outcome(tmp_path, packed[: 512 + len(ALARM) * 10 + 5]) == [
        ("archive!a.json", 10, ["truncated_json", "broken_archive"]),
        ("archive", 0, ["broken_archive"]),
    ]


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_name_without_end_is_not_held(tmp_path, kind) -> None:
    packed = header("././@LongLink", 2**40, type=kind).tobuf(tarfile.GNU_FORMAT) + bytes(2**20)
    assert outcome(tmp_path, packed) == [("archive", 0, ["broken_archive"])]


def test_headers_that_lead_on_and_on_are_refused(tmp_path) -> None:
    one = header("././@LongLink", 1, type=tarfile.GNUTYPE_LONGNAME).tobuf(tarfile.GNU_FORMAT) + b"x" + bytes(511)
    assert outcome(tmp_path, one * 5_000) == [("archive", 0, ["broken_archive"])]


@pytest.mark.parametrize("size", [-512, -1, -(2**40)])
def test_size_below_zero_is_refused(tmp_path, size) -> None:
    packed = bytearray(tarred("a.json"))
    packed[124:136] = b"\xff" + (size + 256**11).to_bytes(11, "big")
    packed[148:156] = b" " * 8
    packed[148:156] = b"%06o\0 " % sum(packed[:512])
    assert outcome(tmp_path, bytes(packed)) == [("archive", 0, ["broken_archive"])]


@pytest.mark.parametrize(
    ("packed", "read"),
    [
        (zipped(**{"a.tgz": gzip.compress(tarred("b.json"))}), "archive!a.tgz!b.json"),
        (gzip.compress(tarred("a.gz", content=gzip.compress(gzip.compress(ALARM)))), "archive!a.gz"),
        (gzip.compress(gzip.compress(gzip.compress(tarred("a.json")))), "archive!a.json"),
    ],
)
def test_packed_tar_counts_as_one_archive(tmp_path, packed, read) -> None:
    assert outcome(tmp_path, packed) == [(read, 1, [])]


def test_archives_nested_without_end_are_not_opened(tmp_path) -> None:
    packed = ALARM
    for i in range(50):
        packed = zipped(**{f"{i}.zip": packed})
    assert outcome(tmp_path, packed) == [("archive!49.zip!48.zip!47.zip", 0, ["too_deep"])]
    for _ in range(10):
        packed = tarred("a.tar", content=packed)
    assert outcome(tmp_path, packed) == [("archive!a.tar!a.tar!a.tar", 0, ["too_deep"])]


@pytest.mark.parametrize(
    "name",
    ["../../escaped.json", "a/../../b.json", "/etc/a.json", "..\\..\\a.json", "C:\\a.json", "C:/a.json", "../.ssh/id"],
)
def test_member_whose_name_leads_out_is_refused_and_the_others_read(tmp_path, name) -> None:
    folder = tmp_path / "in" / "side"
    folder.mkdir(parents=True)
    for packed in (zipped(**{name: ALARM, "z.json": ALARM}), tarred(name, "z.json")):
        assert sorted(outcome(folder, packed), key=lambda row: row[1]) == [
            (f"archive!{name}", 0, ["unsafe_name"]),
            ("archive!z.json", 1, []),
        ]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["archive"]


@pytest.mark.parametrize("name", ["a/../b.json", "./b.json", "a..b/c...json", "a:b.json"])
def test_name_that_stays_inside_is_read(tmp_path, name) -> None:
    assert outcome(tmp_path, zipped(**{name: ALARM})) == [(f"archive!{name}", 1, [])]
    assert outcome(tmp_path, tarred(name)) == [(f"archive!{name}", 1, [])]


def test_encrypted_member_says_so(tmp_path) -> None:
    packed = bytearray(zipped(a=ALARM, b=ALARM))
    packed[6] |= 1  # the flag, in the member and in the directory
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    assert outcome(tmp_path, bytes(packed)) == [("archive!a", 0, ["encrypted"]), ("archive!b", 1, [])]


def test_overlapping_members_are_refused_at_once(tmp_path) -> None:
    packed = zipped(**{f"{i:03}": ALARM * 50 for i in range(200)})
    directory = packed.index(b"PK\x01\x02")
    overlapping = bytearray(packed)
    for _ in range(200):  # all are the first one
        length, extra, comment = struct.unpack_from("<HHH", overlapping, directory + 28)
        struct.pack_into("<I", overlapping, directory + 42, 0)
        directory += 46 + length + extra + comment
    assert outcome(tmp_path, bytes(overlapping)) == [("archive", 0, ["archive_bomb"])]


def bomb_zip(size: int, claimed: int | None = None) -> bytes:
    """Return a zip of `a.json`, `size` line ends, and `b.json`, an alarm, without compressing all of it."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = pack.compress(b"\n" * 2**22) + pack.flush(zlib.Z_FULL_FLUSH)
    content = block * (size // 2**22) + b"\x03\0"
    zip64 = struct.pack("<HHQQ", 1, 16, claimed or size, len(content))
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 45, 0, 8, 0, 0, 0, 2**32 - 1, 2**32 - 1, 6, 20)
    first = local + b"a.json" + zip64 + content
    second = struct.pack(
        "<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 0, zlib.crc32(ALARM), len(ALARM), len(ALARM), 6, 0
    )
    second += b"b.json" + ALARM
    entries = struct.pack("<4s4H4I5H2I", b"PK\x01\x02", 45, 45, 0, 8, 0, 0, *[2**32 - 1] * 2, 6, 20, 0, 0, 0, 0, 0)
    entries = entries[:16] + struct.pack("<III", 0, 2**32 - 1, 2**32 - 1) + entries[28:] + b"a.json" + zip64
    entries += struct.pack(
        "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, zlib.crc32(ALARM), len(ALARM), len(ALARM), 6, 0, 0, 0, 0, 0,
        len(first),
    ) + b"b.json"  # fmt: skip
    start = len(first) + len(second)
    return first + second + entries + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(entries), start, 0)


def test_ten_gigabytes_in_a_zip_are_refused_and_the_others_read(tmp_path) -> None:
    (tmp_path / "bomb.zip").write_bytes(bomb_zip(10 * 2**30))
    bomb, other = read_files(tmp_path)
    assert (len(bomb.events), bomb.rejected["reason"].tolist()) == (0, ["archive_bomb"])
    assert bomb.rejected["message"][0].startswith("it unpacks to 10.0 GB or more, 1,0")
    assert len(other.events) == 1


def test_zip_that_claims_less_than_it_holds_is_read_no_further(tmp_path) -> None:
    assert outcome(tmp_path, bomb_zip(2**30, claimed=1_000)) == [
        ("archive!a.json", 0, ["broken_archive"]),
        ("archive!b.json", 1, []),
    ]


def test_members_that_are_a_bomb_only_together_are_stopped(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_unpacking, "BOMB_SIZE", 2**16)
    monkeypatch.setattr(_containers, "MAX_TOGETHER", 4)
    # Each is too small to be one, packed twice so that the zip is small.
    packed = zipped(**{"0": ALARM, **{f"{i}.gz": gzip.compress(ALARM + b"\n" * 2**15) for i in range(1, 9)}})
    monkeypatch.setattr(_unpacking, "MAX_RATIO", 2**18 // len(packed))
    found = outcome(tmp_path, packed)
    assert found[-2] == ("archive!8.gz", 1, ["archive_bomb"])
    assert found[-1] == ("archive", 0, ["archive_bomb"])
    assert [events for _, events, _ in found] == [*[1] * 9, 0]


def test_large_zip_inside_another_archive_is_not_opened(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_archives, "MAX_INNER_ZIP", 1_000)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.json", "[" + "1," * 5_000 + "1]")
    assert outcome(tmp_path, gzip.compress(inner.getvalue())) == [("archive", 0, ["too_large"])]


def test_a_member_without_a_name_stops_nothing(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x", b"{}")
    path = tmp_path / "odd.zip"
    path.write_bytes(packed.getvalue().replace(b"x", b"\0"))  # names end at a zero byte
    batches = [*read_files(path)]
    assert batches
    assert all(batch.records == len(batch.rejected) + batch.ignored.total() for batch in batches)
