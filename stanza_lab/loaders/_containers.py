"""From paths to streams of bytes: files, folders, gzip and zip; nothing is ever unpacked to disk."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

from stanza_lab.errors import LoadError, ParameterError

Paths = str | Path | Iterable[str | Path]

MAX_NESTING = 3  # archives within archives
MAX_INNER_ZIP = 256 * 2**20  # bytes of a zip inside another archive
_NOT_A_FILE = (
    "no regular file but a pipe, a device or a link that leads to no file; pass the files or folder themselves"
)
BROKEN_ARCHIVE = (OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zipfile.BadZipFile, zlib.error)


class Stream(Protocol):
    """The part of a buffered binary file the decoder uses."""

    def peek(self, size: int, /) -> bytes:
        """Return bytes ahead without moving."""

    def read1(self, size: int, /) -> bytes:
        """Return the next bytes, up to `size`; none at the end."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A piece of input that cannot be used: where, a short reason, what to do, the start of its text."""

    locator: str
    reason: str
    message: str
    raw: str | None = None


def files(paths: Paths, skip: Path | None = None) -> list[Path]:
    """Return the files under `paths`: folders searched through, sorted, hidden files and the folder `skip` left out.

    A folder without files is returned itself, so that the caller can say so.

    Raises
    ------
    LoadError
        A path does not exist.
    ParameterError
        There are no paths in `paths`.
    """
    try:
        given = [Path(p) for p in ([paths] if isinstance(paths, (str, Path)) else paths)]
    except TypeError as error:
        raise ParameterError(f"paths={paths!r} is no path; pass a file, a folder or a list of them") from error
    missing = [str(path) for path in given if not path.exists()]
    if missing:
        raise LoadError(f"no such file or folder: {', '.join(missing)}; it was looked for from {Path.cwd()}")
    left_out = None if skip is None else Path(skip).resolve()
    return [file for path in given if not _is_inside(path, left_out) for file in (_walk(path, left_out) or [path])]


def streams(path: Path) -> Iterator[tuple[str, Stream | Broken]]:
    """Yield the data in one file as (name, stream), archive members one by one, named ``archive!member``."""
    name = _shown(str(path))
    try:
        if path.is_file():
            with path.open("rb") as stream:
                yield from _members(name, stream, 0)
        elif path.is_dir() and not path.is_symlink():
            os.scandir(path).close()
            yield name, Broken("", "empty_folder", "the folder holds no files; pass the folder with the exports in it")
        else:
            yield name, Broken("", "not_a_file", _NOT_A_FILE)
    except OSError as error:
        yield name, Broken("", "unreadable", f"it cannot be read ({error.strerror or error}); check its rights")


def _shown(name: str) -> str:
    """Return a name that stays on one line and can be stored: characters that are not printable are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _is_inside(path: Path, folder: Path | None) -> bool:
    """Return whether `path` is a folder that is `folder` or lies in it."""
    return folder is not None and path.is_dir() and path.resolve().is_relative_to(folder)


def _walk(path: Path, left_out: Path | None) -> list[Path]:
    """Return the visible files below a folder, sorted by path, with what cannot be searched; nothing for a file."""
    found: list[Path] = []
    unsearched: list[OSError] = []
    for folder, subfolders, names in os.walk(path, onerror=unsearched.append):
        subfolders[:] = [
            name for name in subfolders if not name.startswith(".") and not _is_inside(Path(folder, name), left_out)
        ]
        # A folder behind a link is not searched, it may hold this one: listed, so that it is told.
        links = [name for name in subfolders if Path(folder, name).is_symlink()]
        found += [Path(folder, name) for name in names + links if not name.startswith(".")]
    return sorted(found + [Path(error.filename) for error in unsearched])


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
        source: IO[bytes] = cast("IO[bytes]", stream)
        if depth > 1:  # inside another archive nothing bounds what it claims to hold: what fits into memory is opened
            held = source.read(MAX_INNER_ZIP + 1)
            if len(held) > MAX_INNER_ZIP:
                limit = f"a zip of over {MAX_INNER_ZIP // 2**20} MB inside another archive is not opened"
                yield name, Broken("", "too_large", f"{limit}; unpack it first")
                return
            source = io.BytesIO(held)
        archive = zipfile.ZipFile(source)
    except BROKEN_ARCHIVE as error:
        yield name, broken_archive(error)
        return
    with archive:
        members = sorted((m for m in archive.infolist() if _visible(m)), key=lambda m: m.filename)
        if not members:
            yield name, Broken("", "empty_file", "the archive holds no files")
        for member in members:
            inside = f"{name}!{_shown(member.filename)}"
            try:
                unpacked = archive.open(member)
            except BROKEN_ARCHIVE as error:
                yield inside, broken_archive(error)
                continue
            with unpacked:
                yield from _guarded(inside, cast("Stream", unpacked), depth)


def _guarded(name: str, stream: Stream, depth: int) -> Iterator[tuple[str, Stream | Broken]]:
    """Yield what is inside an unpacked stream; one that breaks at its first bytes is one broken piece."""
    try:
        stream.peek(4)
    except BROKEN_ARCHIVE as error:
        yield name, broken_archive(error)
        return
    yield from _members(name, stream, depth)


def broken_archive(error: BaseException, read: str = "nothing was read from it") -> Broken:
    """Say that an archive breaks off or cannot be opened, and what was read."""
    return Broken("", "broken_archive", f"the archive cannot be unpacked further ({error}); {read}; export it again")


def _visible(member: zipfile.ZipInfo) -> bool:
    parts = [part for part in member.filename.split("/") if part not in (".", "..")]
    return not member.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in parts)
