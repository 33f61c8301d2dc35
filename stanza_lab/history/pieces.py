"""The first half of an ingest: exports are read piece by piece, each into tables of its own, in any process.

A piece is some small files, a large one, or a part of a large file of lines. What was read of it is complete or not
there, so an ingest that was cut off goes on with the pieces that are missing.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

import stanza_lab
from stanza_lab.history.manifest import settle
from stanza_lab.history.parts import KEYS, Keys, PartWriter
from stanza_lab.history.progress import shown
from stanza_lab.loaders import Batch, Options, read_part, read_paths
from stanza_lab.loaders._containers import STDIN
from stanza_lab.loaders._event_tables import EVENTS

if TYPE_CHECKING:
    from stanza_lab.history.folding import Mask

LEAST_MEMORY = 768 * 2**20  # the main process and one that reads
_PER_PROCESS = 450 * 2**20
SIZE = 32 * 2**20  # bytes of a piece, as they lie on disk
_LINE = 2**24  # bytes of a line looked at to cut a file
_VERSION = 1  # raise it when what is written here changes
_DONE = "read.json"


@dataclass(frozen=True)
class Piece:
    """Files that are read together, or the lines of one file that begin in a range of bytes."""

    files: tuple[Path, ...]
    size: int
    start: int = 0
    stop: int | None = None

    def name(self, options: Options) -> str:
        """Return what identifies the piece, its files as they are now and how they are read."""
        seen = [_stamp(file) for file in self.files]
        told = (_VERSION, stanza_lab.__version__, options, seen, self.start, self.stop)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:24]


@dataclass
class FileRead:
    """What was read of one file in a piece."""

    file: str
    events: int = 0
    records: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    redacted: Counter[str] = field(default_factory=Counter)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        """Count a batch of the file."""
        self.events += batch.table.num_rows
        self.records += batch.records
        self.ignored += batch.ignored
        self.redacted += batch.redacted
        rejected = batch.rejected.astype(object).where(batch.rejected.notna(), None)
        self.rejected += [{str(name): value for name, value in row.items()} for row in rejected.to_dict("records")]
        self.tables += [told for told in batch.tables if told not in self.tables]


@dataclass(frozen=True)
class Reading:
    """A piece that was read: its files in order, and where its events and their keys lie."""

    directory: Path
    files: list[FileRead]
    lines: int  # before the end of the part of a file
    events: str | None  # name of the part; None when there are no events
    keys: str | None
    digest: str

    @property
    def part(self) -> Path | None:
        """Return the file with the events."""
        return None if self.events is None else self.directory / self.events

    def key_tables(self, rows: int) -> Iterator[pa.Table]:
        """Yield the keys of the events in order, so many at a time."""
        if self.keys is not None:
            for batch in pq.ParquetFile(self.directory / self.keys).iter_batches(rows):
                yield pa.Table.from_batches([batch])

    def kept(self, stored: Mask) -> Iterator[pa.Table]:
        """Yield the events that are worth storing."""
        start = 0
        for batch in pq.ParquetFile(self.part).iter_batches(2**14) if self.part else ():
            yield pa.Table.from_batches([batch]).filter(pa.array(stored[start : start + batch.num_rows]))
            start += batch.num_rows


def plan(paths: Iterable[Path]) -> list[Piece]:
    """Return the pieces in which the files are read, in order. They depend on the files alone."""
    pieces: list[Piece] = []
    together: list[Path] = []
    size = 0

    def close() -> None:
        nonlocal size
        if together:
            pieces.append(Piece(tuple(together), size))
            together.clear()
            size = 0

    for path in paths:
        bytes_ = _size(path)
        if path == STDIN or size + bytes_ > SIZE:
            close()
        cuts = [0, *_cuts(path, bytes_), bytes_] if bytes_ > 2 * SIZE else []
        if len(cuts) > 2:
            pieces += [Piece((path,), b - a, a, b) for a, b in pairwise(cuts)]
            continue
        together.append(path)
        size += bytes_
        if path == STDIN:
            close()
    close()
    return pieces


def read_pieces(
    paths: Iterable[Path], options: Options, spool: Path, *, n_jobs: int | None, memory: int | None, progress: bool
) -> Generator[Reading, None, None]:
    """Read files piece by piece, in as many processes as wished and as fit into memory; yield the pieces in order.

    A piece that was read before, by an ingest that was cut off, is not read again.
    """
    from joblib import Parallel, delayed, effective_n_jobs

    pieces = plan(paths)
    jobs = min(effective_n_jobs(n_jobs), len(pieces))  # type: ignore[arg-type]  # None is 1
    if memory is not None:
        jobs = min(jobs, (memory - LEAST_MEMORY) // _PER_PROCESS + 1)
    places = [spool / piece.name(options) for piece in pieces]
    # Standard input is this process's own.
    alone = jobs < 2 or any(STDIN in piece.files for piece in pieces)
    work = (delayed(read)(piece, options, place) for piece, place in zip(pieces, places, strict=True))
    done = Parallel(n_jobs=1 if alone else jobs, return_as="generator", pre_dispatch="2*n_jobs")(work)
    with shown(pieces, places, progress=progress) as advance:
        for piece, place in zip(pieces, done, strict=True):
            yield result(place)
            advance(piece)


def read(piece: Piece, options: Options, place: Path) -> Path:
    """Read a piece into the directory `place`; nothing counts there before all of it is read.

    What another process left unfinished there is replaced.
    """
    if (place / _DONE).exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    files: list[FileRead] = []
    keys = Keys()
    with PartWriter(place / "events", EVENTS) as events, PartWriter(place / "keys", KEYS, compression="lz4") as known:
        for batch in _batches(piece, options):
            if not files or files[-1].file != batch.file:
                files.append(FileRead(batch.file))
            files[-1].add(batch)
            events.write(batch.table)
            known.write(keys.of(batch.table))
            (place / "records").write_text(str(sum(file.records for file in files)))
        parts = [writer.finish() for writer in (events, known)]
    keys.close()
    told = {
        "files": files,
        "lines": _count_lines(piece),
        "events": parts[0][0].name if parts[0] else None,
        "keys": parts[1][0].name if parts[1] else None,
    }
    content = orjson.dumps(told)
    temporary = place / f"{_DONE}.tmp"
    temporary.write_bytes(orjson.dumps({**told, "digest": hashlib.sha256(content).hexdigest()}))
    settle(temporary, place / _DONE)
    return place


def result(place: Path) -> Reading:
    """Return what was read into a directory."""
    told = orjson.loads((place / _DONE).read_bytes())
    files = [
        FileRead(**{**entry, "ignored": Counter(entry["ignored"]), "redacted": Counter(entry["redacted"])})
        for entry in told.pop("files")
    ]
    return Reading(directory=place, files=files, **told)


def _batches(piece: Piece, options: Options) -> Iterator[Batch]:
    if piece.stop is None:
        return read_paths(piece.files, options)
    return read_part(piece.files[0], piece.start, piece.stop, options)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        seen = path.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path.absolute()), seen.st_size, seen.st_mtime_ns)


def _cuts(path: Path, size: int) -> list[int]:
    """Return where a large file of JSON lines may be cut: at lines that are whole records. Other files give none."""
    found: list[int] = []
    try:
        with path.open("rb") as stream:
            if not (_is_record(stream.readline(_LINE)) and _is_record(stream.readline(_LINE))):
                return []
            for at in range(SIZE, size - SIZE // 2, SIZE):
                stream.seek(at)
                stream.readline(_LINE)
                for _ in range(20):
                    here = stream.tell()
                    if _is_record(stream.readline(_LINE)):
                        found.append(here)
                        break
    except OSError:
        return []  # the reader says what is wrong with it
    return sorted(set(found))


def _is_record(line: bytes) -> bool:
    if not (line.startswith(b"{") and line.endswith(b"\n")):
        return False
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _count_lines(piece: Piece) -> int:
    """Return how many lines a part of a file has, for those of the next part to be numbered."""
    if piece.stop is None:
        return 0
    lines, left = 0, piece.stop - piece.start
    with piece.files[0].open("rb") as stream:
        stream.seek(piece.start)
        while left > 0 and (data := stream.read(min(left, 2**20))):
            lines += data.count(b"\n")
            left -= len(data)
    return lines
