"""From paths to streams of bytes: files, folders, gzip and zip; nothing is ever unpacked to disk."""

from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from stanza_lab.errors import LoadError

Paths = str | Path | Iterable[str | Path]

MAX_NESTING = 3  # archives within archives
BROKEN_ARCHIVE = (OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zipfile.BadZipFile, zlib.error)


class Stream(Protocol):
    """The part of a buffered binary file the decoder uses."""

    def peek(self, size: int, /) -> bytes:
        """Return bytes ahead without moving."""

    def read(self, size: int = ..., /) -> bytes:
        """Return up to `size` bytes."""

    def readline(self, size: int = ..., /) -> bytes:
        """Return a line of up to `size` bytes."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A piece of input that cannot be used: where, a short reason, what to do, the start of its text."""

    locator: str
    reason: str
    message: str
    raw: str | None = None


def files(paths: Paths) -> list[Path]:
    """Return the files under `paths`: folders searched through, sorted, hidden files left out.

    A folder without files is returned itself, so that the caller can say so.

    Raises
    ------
    LoadError
        A path does not exist.
    """
    given = [Path(p) for p in ([paths] if isinstance(paths, (str, Path)) else paths)]
    missing = [str(path) for path in given if not path.exists()]
    if missing:
        raise LoadError(f"no such file or folder: {', '.join(missing)}; it was looked for from {Path.cwd()}")
    return [file for path in given for file in (_walk(path) or [path])]


def streams(path: Path) -> Iterator[tuple[str, Stream | Broken]]:
    """Yield the data in one file as (name, stream), archive members one by one, named ``archive!member``."""
    if path.is_dir():
        yield str(path), Broken("", "empty_folder", "the folder holds no files; pass the folder with the exports in it")
        return
    try:
        with path.open("rb") as stream:
            yield from _members(str(path), stream, 0)
    except OSError as error:
        yield (
            str(path),
            Broken("", "unreadable", f"the file cannot be read ({error.strerror or error}); check its rights"),
        )


def _walk(path: Path) -> list[Path]:
    """Return the visible files below a folder, sorted by path; nothing for a file."""
    found = []
    for folder, subfolders, names in os.walk(path):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted(file for file in found if file.is_file())


def _members(name: str, stream: Stream, depth: int) -> Iterator[tuple[str, Stream | Broken]]:
    head = stream.peek(4)[:4]
    packed = head[:2] == b"\x1f\x8b" or head in (b"PK\x03\x04", b"PK\x05\x06")
    if not packed:
        yield name, stream
    elif depth == MAX_NESTING:
        yield name, Broken("", "too_deep", f"archives nested over {MAX_NESTING} deep are not opened; unpack it first")
    elif head[:2] == b"\x1f\x8b":
        with gzip.GzipFile(mode="rb", fileobj=cast("gzip._ReadableFileobj", stream)) as unpacked:
            yield from _guarded(name, unpacked, depth + 1)
    else:
        yield from _zipped(name, stream, depth + 1)


def _zipped(name: str, stream: Stream, depth: int) -> Iterator[tuple[str, Stream | Broken]]:
    """Yield the members of a zip, sorted. Their names are only shown: nothing is written anywhere."""
    try:
        archive = zipfile.ZipFile(stream)  # type: ignore[call-overload]
    except BROKEN_ARCHIVE as error:
        yield name, broken_archive(error)
        return
    with archive:
        members = sorted((m for m in archive.infolist() if _visible(m)), key=lambda m: m.filename)
        if not members:
            yield name, Broken("", "empty_file", "the archive holds no files")
        for member in members:
            inside = f"{name}!{member.filename}"
            try:
                unpacked = archive.open(member)
            except BROKEN_ARCHIVE as error:
                yield inside, broken_archive(error)
                continue
            with unpacked:
                yield from _guarded(inside, unpacked, depth)


def _guarded(name: str, stream: Stream, depth: int) -> Iterator[tuple[str, Stream | Broken]]:
    """Yield what is inside an unpacked stream; one that breaks at its first bytes is one broken piece."""
    try:
        stream.peek(4)
    except BROKEN_ARCHIVE as error:
        yield name, broken_archive(error)
        return
    yield from _members(name, stream, depth)


def broken_archive(error: BaseException) -> Broken:
    """Say that an archive breaks off or cannot be opened."""
    return Broken("", "broken_archive", f"the archive cannot be unpacked here ({error}); what came before it was read")


def _visible(member: zipfile.ZipInfo) -> bool:
    parts = [part for part in member.filename.split("/") if part not in (".", "..")]
    return not member.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in parts)
