"""What a history holds: the manifest is the one file that says so, and writing it is the one moment of change."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import orjson
import pandas as pd

from stanza_lab.errors import HistoryError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

NAME = "manifest.json"
FORMAT = "stanza_lab history"
VERSION = 1
STDIN = "<stdin>"  # what was read from standard input is called
EXPIRED = "event older than what the history keeps"
_BEGUN = ".ingest"  # there while an ingest runs or after it was cut off: the event parts of before, one a line
_LEAVING = "-"  # before the names of those that a change takes away


@dataclass(frozen=True)
class Part:
    """One Parquet file, named by its content."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class FileEntry:
    """What became of the records of one file (or archive member)."""

    file: str
    content: str  # sha256 of the file; of an archive, with the member behind '!'
    records: int = 0
    events: int = 0
    duplicates: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    rejected: int = 0

    def __post_init__(self) -> None:
        """Hold the promise that nothing is lost."""
        ends = self.events + self.duplicates + sum(self.ignored.values()) + self.rejected
        if self.records != ends:
            raise HistoryError(f"{self.file}: {self.records} records read, {ends} accounted for; this is a defect")

    def read_again(self, new: FileEntry) -> FileEntry:
        """Return the entry after the same content was read again, perhaps with another zone or source.

        What it told before is no duplicate of itself, and what one reading could use is used: `new` counts as rejected
        what none could.
        """
        events = self.events + new.events
        now = Counter(new.ignored)
        now[EXPIRED] -= self.events + self.duplicates  # these were used when they were read first
        ignored = dict(sorted((Counter(self.ignored) | now).items()))
        others = events + sum(ignored.values()) + new.rejected
        records = max(self.records, new.records, others)
        return replace(
            new, file=self.file, records=records, events=events, duplicates=records - others, ignored=ignored
        )


@dataclass(frozen=True)
class Manifest:
    """The parts that count, every file that was read, and the sums over them."""

    events: tuple[Part, ...] = ()
    rejected: tuple[Part, ...] = ()
    files: tuple[FileEntry, ...] = ()
    facts: dict[str, int] = field(default_factory=dict)  # events by source
    first: str | None = None  # span of the events, ISO
    last: str | None = None
    kept_from: str | None = None  # events before this time were removed and are not read again, ISO
    removed: dict[str, int] = field(default_factory=dict)  # events that were, by source

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return all parts."""
        return self.events + self.rejected

    def expired(self, at: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Return which times lie before what the history keeps."""
        if self.kept_from is None:
            return np.zeros(len(at), dtype=bool)
        times = pd.Series(at.to_pandas())
        return (times < pd.Timestamp(self.kept_from)).to_numpy()

    def digest(self, *also: Any) -> str:
        """Return a name for what is derived from these events (and `also`)."""
        return hashlib.sha256(repr(([part.sha256 for part in self.events], also)).encode()).hexdigest()[:16]


_Entry = TypeVar("_Entry", Part, FileEntry, Manifest)


def read(directory: Path) -> Manifest | None:
    """Return the manifest of a history; None when there is none.

    Raises
    ------
    HistoryError
        The file is not a manifest, or one of a newer version.
    """
    path = directory / NAME
    try:
        found = orjson.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise HistoryError(f"{path} cannot be read ({error}); restore it, or ingest into a new directory") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise HistoryError(f"{path} is not the manifest of a history; pass the directory of one, or a new directory")
    if found.get("version") != VERSION:
        raise HistoryError(
            f"{directory} is a history of version {found.get('version')!r}, this stanza_lab reads version {VERSION}; "
            f"upgrade stanza_lab, or ingest the exports into a new directory"
        )
    try:
        return _checked(
            Manifest(
                events=tuple(_checked(Part(**part)) for part in found["events"]),
                rejected=tuple(_checked(Part(**part)) for part in found["rejected"]),
                files=tuple(_checked(FileEntry(**entry)) for entry in found["files"]),
                facts=found["facts"],
                first=found["first"],
                last=found["last"],
                kept_from=found.get("kept_from"),
                removed=found.get("removed", {}),
            )
        )
    except (KeyError, TypeError, AttributeError, HistoryError) as error:
        raise HistoryError(f"{path} is damaged ({error!r}); restore it, or ingest into a new directory") from error


def write(directory: Path, manifest: Manifest) -> None:
    """Make `manifest` the truth about `directory`: before this returns the old one counts, afterwards the new one."""
    whole = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
    temporary = directory / f".{NAME}.tmp"  # hidden: a directory with nothing else may still become a history
    temporary.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2))
    settle(temporary, directory / NAME)


def begin(directory: Path, before: Manifest, leaving: Iterable[Part] = ()) -> None:
    """Note that a change begins: until `end`, event parts that were not there `before` or are `leaving` are its own."""
    temporary = directory / f"{_BEGUN}.tmp"
    left = {part.name for part in leaving}
    temporary.write_text("\n".join(_LEAVING * (part.name in left) + part.name for part in before.events))
    settle(temporary, directory / _BEGUN)


def begun(directory: Path, manifest: Manifest) -> set[str] | None:
    """Return the event parts that must be listed after a change that did not end; None when every one did.

    Parts that were leaving must be only while nothing else is: then the manifest that did without them is lost.
    """
    try:
        names = (directory / _BEGUN).read_text().split()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return {name.removeprefix(_LEAVING) for name in names if not (manifest.files and name.startswith(_LEAVING))}


def end(directory: Path) -> None:
    """Note that the ingest ended: every part that is there is listed now."""
    (directory / _BEGUN).unlink(missing_ok=True)


def settle(temporary: Path, final: Path) -> None:
    """Rename a finished file, so that after a crash it is there whole or not at all."""
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(final)
    directory = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def ledger(old: Iterable[FileEntry], read: Iterable[FileEntry], rejected: Mapping[str, int]) -> dict[str, FileEntry]:
    """Return the entries by content after the files of `read`, in the order they were first seen.

    `rejected` counts the records of each content that no reading could use, each once.
    """
    entries = {entry.content: entry for entry in old}
    for entry in read:
        known, still = entries.get(entry.content), rejected.get(entry.content, 0)
        once = replace(entry, records=entry.records - entry.rejected + still, rejected=still)
        entries[entry.content] = known.read_again(once) if known else once
    return entries


def _checked(entry: _Entry) -> _Entry:
    """Return `entry` when its values have the types it declares, for JSON may hold any."""
    kinds: dict[str, tuple[type, ...]] = {
        "str": (str,),
        "int": (int,),
        "str | None": (str, type(None)),
        "dict[str, int]": (dict,),
    }
    for declared in fields(entry):
        value = getattr(entry, declared.name)
        numbers = list(value.values()) if isinstance(value, dict) else []
        if not isinstance(value, kinds.get(str(declared.type), (object,))) or not all(
            isinstance(number, int) for number in numbers
        ):
            raise TypeError(f"{declared.name} is {value!r:.80}, not {declared.type}")
    return entry
