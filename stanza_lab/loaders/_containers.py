"""From paths to streams of bytes: files, folders, patterns, standard input, archives; nothing is unpacked to disk."""

from __future__ import annotations

import glob
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stanza_lab.errors import LoadError, ParameterError
from stanza_lab.loaders import _archives, _unpacking
from stanza_lab.loaders._unpacking import BROKEN_ARCHIVE, Ahead, BombError, Broken, Stream, broken_archive

__all__ = ["BROKEN_ARCHIVE", "STDIN", "Broken", "Paths", "Stream", "broken_archive", "files", "streams"]

Paths = str | Path | Iterable[str | Path]

STDIN = Path("-")
MAX_NESTING = 3  # archives within archives; a tar that is packed as a whole counts once
MAX_TOGETHER = 4  # times what one stream may hold before it can be a bomb: what all in one file may
_NOT_A_FILE = (
    "no regular file but a pipe, a device or a link that leads to no file; pass the files or folder themselves"
)
_NO_STDIN = "there is no standard input here; pass the path of a file"


def files(paths: Paths, skip: Path | None = None) -> list[Path]:
    """Return the files under `paths`: folders searched through, sorted, hidden files and the folder `skip` left out.

    A path with ``*``, ``?`` or ``[`` that does not exist is a pattern (``**`` for folders in folders). "-" is standard
    input, once. A folder without files is returned itself, so that the caller can say so.

    Raises
    ------
    LoadError
        A path does not exist, or nothing matches a pattern.
    ParameterError
        There are no paths in `paths`.
    """
    try:
        given = [(str(p), Path(p)) for p in ([paths] if isinstance(paths, (str, Path)) else paths)]
    except TypeError as error:
        raise ParameterError(f"paths={paths!r} is no path; pass a file, a folder or a list of them") from error
    left_out = None if skip is None else Path(skip).resolve()
    found: list[Path] = []
    missing: list[str] = []
    unmatched: list[str] = []
    for written, path in given:
        if written == str(STDIN):
            found += [] if STDIN in found else [STDIN]
        elif os.path.lexists(path) and path.exists():
            found += _under(path, left_out)
        elif any(character in written for character in "*?["):
            matches = _matching(written, left_out)
            found += [file for match in matches for file in _under(match, left_out)]
            unmatched += [] if matches else [written]
        else:
            missing.append(written)
    where = f"it was looked for from {Path.cwd()}"
    if missing:
        raise LoadError(f"no such file or folder: {', '.join(missing)}; {where}")
    if unmatched:
        raise LoadError(
            f"no file or folder matches {', '.join(map(repr, unmatched))}; {where}; hidden ones do not match"
        )
    return found


def streams(path: Path) -> Iterator[tuple[str, Stream | Broken]]:
    """Yield the data in one file as (name, stream), archive members one by one, named ``archive!member``.

    A zip gives its members sorted by name, a tar in its own order. What unpacks to more than exports do is stopped:
    one stream over 1 GB, or all streams of a file together over 4 GB, and over 500 times what is packed.
    """
    if path == STDIN:
        yield from _standard_input()
        return
    name = _archives.shown(str(path))
    try:
        if path.is_file():
            with path.open("rb") as file:
                size = path.stat().st_size
                yield from _Opened(lambda: size).members(name, Ahead(file.read1), file)
        elif path.is_dir() and not path.is_symlink():
            os.scandir(path).close()
            yield name, Broken("", "empty_folder", "the folder holds no files; pass the folder with the exports in it")
        else:
            yield name, Broken("", "not_a_file", _NOT_A_FILE)
    except OSError as error:
        yield name, Broken("", "unreadable", f"it cannot be read ({error.strerror or error}); check its rights")


def _standard_input() -> Iterator[tuple[str, Stream | Broken]]:
    source = getattr(sys.stdin, "buffer", None)
    if source is None:  # a notebook, or a program without a console
        yield "<stdin>", Broken("", "unreadable", _NO_STDIN)
        return
    stream = Ahead(source.read1)
    try:
        yield from _Opened(lambda: stream.taken).members("<stdin>", stream, None)
    except OSError as error:
        yield "<stdin>", Broken("", "unreadable", f"it cannot be read ({error.strerror or error}); pipe it in again")


def _under(path: Path, left_out: Path | None) -> list[Path]:
    """Return the files of a path that exists; a file that is called as standard input is, by its full path."""
    if _is_inside(path, left_out):
        return []
    return [file.absolute() if file == STDIN else file for file in _walk(path, left_out) or [path]]


def _matching(pattern: str, left_out: Path | None) -> list[Path]:
    """Return what matches a pattern, sorted; what lies in the folder `left_out` was not named, so it does not."""
    found = sorted(Path(path) for path in glob.glob(pattern, recursive=True))  # noqa: PTH207  Path.glob finds hidden ones
    folders = {path for path in found if path.is_dir()}
    # A folder brings all that is in it: what also matches by itself is there once.
    once = [path for path in found if folders.isdisjoint(path.parents)]
    return [path for path in once if left_out is None or not path.resolve().is_relative_to(left_out)]


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


@dataclass
class _Opened:
    """One file whose archives are opened, and what they unpacked to so far."""

    packed: Callable[[], int]
    unpacked: int = 0

    def members(
        self, name: str, stream: Ahead, file: io.BufferedReader | None, depth: int = 0, *, whole: bool = False
    ) -> Iterator[tuple[str, Stream | Broken]]:
        """Yield what is in a stream `depth` archives deep; `whole` says that it was just unpacked, not a member."""
        try:
            is_zip, is_tar = _archives.is_zip(stream), _archives.is_tar(stream)
            unpacked = None if is_zip or is_tar else _unpacking.unpack(stream)
        except BROKEN_ARCHIVE as error:
            if depth == 0:  # the file itself cannot be read
                raise
            yield name, broken_archive(error)
            return
        if not is_zip and not is_tar and unpacked is None:
            if file is not None:
                file.seek(0)  # handed on as it is: who wants to may jump about in it
            yield name, file or (stream if depth == 0 else Ahead(self._counted(stream)))
        elif depth == MAX_NESTING and not (is_tar and whole):
            deep = f"archives nested over {MAX_NESTING} deep are not opened; unpack it first"
            yield name, Broken("", "too_deep", deep)
        elif unpacked is not None:
            yield from self.members(name, unpacked, None, depth + 1, whole=True)
        else:
            inside = _archives.zip_members(name, stream, file) if is_zip else _archives.tar_members(name, stream)
            yield from self._each(name, inside, depth if is_tar and whole else depth + 1)

    def _each(self, name: str, inside: _archives.Members, depth: int) -> Iterator[tuple[str, Stream | Broken]]:
        for member, stream in inside:
            if isinstance(stream, Broken):
                yield member, stream
            else:
                yield from self.members(member, stream, None, depth)
            if self._is_bomb():
                rest = "the rest of the archive is not opened; if it holds exports after all, pass them unpacked"
                yield name, Broken("", "archive_bomb", f"{_unpacking.bomb(self.unpacked, self.packed())}; {rest}")
                return

    def _counted(self, stream: Ahead) -> Callable[[int], bytes]:
        def read1(size: int) -> bytes:
            if self._is_bomb():
                raise BombError(_unpacking.bomb(self.unpacked, self.packed()))
            data = stream.read1(size)
            self.unpacked += len(data)
            return data

        return read1

    def _is_bomb(self) -> bool:
        together = self.unpacked > MAX_TOGETHER * _unpacking.BOMB_SIZE
        return together and _unpacking.is_bomb(self.unpacked, self.packed())
