"""The members of zip and tar archives as streams. Names are only shown; nothing is ever written anywhere."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any, cast

from stanza_lab.loaders._unpacking import BROKEN_ARCHIVE, Ahead, Broken, Stream, bomb, broken_archive, guarded, is_bomb

MAX_INNER_ZIP = 256 * 2**20  # bytes of a zip that has to be in memory: inside another archive, or piped in
MAX_TAR_NAME = 2**20  # bytes of a name, or of the other facts on a member, that a tar may ask to be held
_BLOCK = tarfile.BLOCKSIZE
_LOCAL_HEADER = 30  # bytes before the name and the data of a zip member
_LONG = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_EMPTY = Broken("", "empty_file", "the archive holds no files")
_ENCRYPTED = Broken("", "encrypted", "it is encrypted; unpack it with its password and pass what was in it")
_UNSAFE = Broken("", "unsafe_name", "its name leads out of the archive, so it is not read; pack it again under a name")
_LINK = Broken("", "not_a_file", "a link, a device or a sparse file in the archive, so not read; pack the file itself")

Members = Iterator[tuple[str, Ahead | Broken]]


def zip_members(name: str, stream: Ahead, file: IO[bytes] | None) -> Members:
    """Yield the members of a zip, sorted; `file` is what holds it if one can jump about in that."""
    try:
        if file is None:  # nothing bounds what it claims to hold: what fits into memory is opened
            held = stream.read(MAX_INNER_ZIP + 1)
            if len(held) > MAX_INNER_ZIP:
                limit = f"a zip of over {MAX_INNER_ZIP // 2**20} MB that does not stand in a file of its own"
                yield name, Broken("", "too_large", f"{limit} is not opened; save or unpack it and pass that")
                return
            file = io.BytesIO(held)
        archive = zipfile.ZipFile(file)
    except BROKEN_ARCHIVE as error:
        yield name, broken_archive(error)
        return
    with archive:
        overlap = _overlap(archive)
        if overlap is not None:
            yield name, overlap
            return
        members = sorted(
            (m for m in archive.infolist() if not m.filename.endswith("/")), key=lambda member: member.filename
        )
        seen = False
        for member in members:
            if leads_out(member.filename):
                yield f"{name}!{shown(member.filename)}", _UNSAFE
            elif is_hidden(member.filename):
                continue
            else:
                yield from _zip_member(f"{name}!{shown(member.filename)}", archive, member)
            seen = True
        if not seen:
            yield name, _EMPTY


def tar_members(name: str, stream: Ahead) -> Members:
    """Yield the files in a tar in its order, as it streams by."""
    seen = False
    try:
        with tarfile.open(mode="r|", fileobj=cast("IO[bytes]", stream), tarinfo=_Header) as archive:
            for member in archive:
                cast("Any", archive).members = []  # it would keep them all
                inside = f"{name}!{shown(member.name)}"
                if member.isdir() or (is_hidden(member.name) and not leads_out(member.name)):
                    continue
                seen = True
                if leads_out(member.name):
                    yield inside, _UNSAFE
                elif not member.isreg() or member.issparse():
                    yield inside, _LINK
                else:
                    yield inside, Ahead(_Content(archive, member.size).read1)
    except BROKEN_ARCHIVE as error:
        yield name, broken_archive(error, "the members before it were read" if seen else "nothing was read from it")
        return
    if not seen:
        yield name, _EMPTY


def is_zip(stream: Stream) -> bool:
    """Return whether a zip begins here."""
    return stream.peek(4)[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def is_tar(stream: Stream) -> bool:
    """Return whether a tar begins here: its first header says so, or in the oldest format adds up to its checksum."""
    head = stream.peek(_BLOCK)[:_BLOCK]
    if head[257:262] == b"ustar":
        return True
    try:
        return bool(tarfile.TarInfo.frombuf(head, tarfile.ENCODING, "surrogateescape").name)
    except (tarfile.TarError, ValueError):
        return False


def shown(name: str) -> str:
    """Return a name that stays on one line and can be stored: characters that are not printable are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def leads_out(name: str) -> bool:
    """Return whether the name of a member, taken as a path, leads out of the archive."""
    parts = name.replace("\\", "/").split("/")
    depth = 0
    for part in parts:
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return True
    return parts[0] == "" or (len(parts[0]) == 2 and parts[0][1] == ":")  # from the root, or from a drive


def is_hidden(name: str) -> bool:
    """Return whether a member is hidden or what macOS adds to archives."""
    parts = [part for part in name.split("/") if part not in (".", "..")]
    return any(part.startswith((".", "__MACOSX")) for part in parts)


def _zip_member(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Members:
    if member.flag_bits & 1:
        yield name, _ENCRYPTED
        return
    if is_bomb(member.file_size, member.compress_size):
        yield name, Broken("", "archive_bomb", bomb(member.file_size, member.compress_size))
        return
    try:
        unpacked = archive.open(member)
    except BROKEN_ARCHIVE as error:
        yield name, broken_archive(error)
        return
    with unpacked:
        read1 = cast("io.BufferedReader", unpacked).read1
        yield name, Ahead(guarded(read1, lambda: member.compress_size))


def _overlap(archive: zipfile.ZipFile) -> Broken | None:
    """Return what is wrong with a zip in which two members are packed as the same bytes: only bombs are."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    starts = [*(member.header_offset for member in members[1:]), archive.start_dir]
    for member, following in zip(members, starts, strict=False):
        if member.header_offset + _LOCAL_HEADER + member.compress_size > following:
            what = f"members of the archive overlap, first {shown(member.filename)!r}: it is made to unpack without end"
            return Broken("", "archive_bomb", f"{what}, so nothing was read from it; pass the exports unpacked")
    return None


class _Content:
    """The content of the member a streaming tar stands at: unlike that of ``extractfile`` it gives what is there."""

    def __init__(self, archive: tarfile.TarFile, size: int) -> None:
        self._file = cast("IO[bytes]", archive.fileobj)
        self._missing = size

    def read1(self, size: int) -> bytes:
        """Return the next bytes, up to `size`; none at the end."""
        data = self._file.read(min(size, self._missing)) if self._missing else b""
        if self._missing and not data:
            raise EOFError(f"it ends {self._missing:,} bytes before the end of this file")
        self._missing -= len(data)
        return data


class _Header(tarfile.TarInfo):
    """A header that is refused, not passed over, when it is damaged or asks for much memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        """Return the header in `buf`."""
        if len(buf) == 0 or (len(buf) == _BLOCK and not any(buf)):
            return super().frombuf(buf, encoding, errors)  # raises what ends the archive
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error} of a member") from error
        if header.size < 0 or (header.type in _LONG and header.size > MAX_TAR_NAME):
            raise tarfile.ReadError(f"a header claims {header.size:,} bytes")
        return header
