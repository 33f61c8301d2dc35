"""Is a history still what its manifest says: files by their hashes, rows and facts by counting them again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from stanza_lab.history import manifest as manifests
from stanza_lab.history.facts import connect, parquet, spilling
from stanza_lab.history.manifest import FileEntry, Manifest, Part, sha256
from stanza_lab.history.parts import KEYED
from stanza_lab.history.report import count

Kind = Literal["events part", "rejected part", "manifest", "export file"]
State = Literal["ok", "missing", "changed", "miscounted"]
COLUMNS = ("item", "kind", "rows_expected", "rows_found", "state", "message")
EXPORT: Kind = "export file"
_RESTORE = "restore it from a copy, or ingest the exports into a new directory"
_AGAIN = "restore manifest.json and the parts from one copy, or ingest the exports into a new directory"


@dataclass(frozen=True)
class _Row:
    """What one check found."""

    item: str
    kind: Kind
    rows_expected: int | None
    rows_found: int | None
    state: State = "ok"
    message: str = ""


def verify_history(
    directory: Path, manifest: Manifest, unlisted: Callable[[], list[str]], *, progress: bool
) -> pd.DataFrame:
    """Check a history against its manifest; `History.verify` says how.

    Parameters
    ----------
    directory : Path
        The history.
    manifest : Manifest
        What it should hold.
    unlisted : callable
        Returns the parts that only the manifest can have lost.
    progress : bool
        Show a bar over the bytes that are read.

    Returns
    -------
    DataFrame
        A row per check.
    """
    exports = _exports(manifest.files)
    paths = [directory / part.name for part in manifest.parts] + [path for path in exports if path.is_file()]
    with tqdm(total=sum(map(_size, paths)), disable=not progress, unit="B", unit_scale=True, unit_divisor=1024) as bar:
        rows = [_part(directory, part, "events part", bar) for part in manifest.events]
        rows += [_part(directory, part, "rejected part", bar) for part in manifest.rejected]
        sound = {row.item for row in rows if row.state == "ok"}
        rows += _facts(directory, manifest, sound)
        rows += _ledger(directory, manifest, sound)
        rows += [
            _Row(name, "manifest", None, None, "changed", f"manifest.json does not list this part; {_AGAIN}")
            for name in unlisted()
        ]
        rows += [_export(path, entries, bar) for path, entries in exports.items()]
    frame = pd.DataFrame([vars(row) for row in rows], columns=list(COLUMNS))
    words = dict.fromkeys(("item", "message"), "str") | dict.fromkeys(("kind", "state"), "category")
    return frame.astype({**words, "rows_expected": "Int64", "rows_found": "Int64"})


def _part(directory: Path, part: Part, kind: Kind, bar: tqdm) -> _Row:
    path = directory / part.name
    bar.set_description(path.name[-30:], refresh=False)
    if not path.is_file():
        return _Row(part.name, kind, part.rows, None, "missing", f"the file is not there; {_RESTORE}")
    try:
        content = sha256(path)
        rows = int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException) as error:
        return _Row(part.name, kind, part.rows, None, "changed", f"it cannot be read ({error}); {_RESTORE}")
    finally:
        bar.update(_size(path))
    if content != part.sha256:
        return _Row(part.name, kind, part.rows, rows, "changed", f"the content is not what was written; {_RESTORE}")
    if rows != part.rows:
        message = f"the manifest does not have the rows of the file; {_AGAIN}"
        return _Row(part.name, kind, part.rows, rows, "miscounted", message)
    return _Row(part.name, kind, part.rows, rows)


def _facts(directory: Path, manifest: Manifest, sound: set[str]) -> Iterator[_Row]:
    """Count the distinct facts again, by source."""
    parts = [directory / part.name for part in manifest.events if part.name in sound]
    whole = len(parts) == len(manifest.events)
    try:
        found = count_facts(parts, directory)
    except (OSError, duckdb.Error):
        whole, found = False, {}
    for source in sorted(manifest.facts.keys() | found.keys()):
        expected, counted = manifest.facts.get(source, 0), found.get(source, 0)
        wrong = _AGAIN if whole else "parts are missing or changed, see there"
        state: State = "ok" if expected == counted else "miscounted"
        yield _Row(f"facts of {source}", "manifest", expected, counted, state, "" if state == "ok" else wrong)


def count_facts(parts: list[Path], directory: Path, *, memory: int | None = None) -> dict[str, int]:
    """Return how many facts some parts tell, by source, counted as an ingest counts them."""
    if not parts:
        return {}
    with spilling(directory) as spill, closing(connect(spill, memory)) as run:
        counted = run.execute(
            f"""
            SELECT source, sum(facts)::BIGINT FROM (
                SELECT source, greatest(count(DISTINCT rule), 1) AS facts
                FROM (SELECT {KEYED} FROM {parquet(parts)}) GROUP BY source, fact, fact_2
            ) GROUP BY source ORDER BY source
            """
        ).fetchall()
    return {str(source): int(number) for source, number in counted}


def _ledger(directory: Path, manifest: Manifest, sound: set[str]) -> Iterator[_Row]:
    """Check that what the files brought is what there is, plus what was removed since."""
    brought = sum(entry.events for entry in manifest.files)
    kept, removed = sum(manifest.facts.values()), sum(manifest.removed.values())
    told = f"{count(removed, 'event')} of them removed since" if removed else ""
    wrong = brought != kept + removed
    state: State = "miscounted" if wrong else "ok"
    yield _Row("events of all files", "manifest", brought, kept + removed, state, _AGAIN if wrong else told)
    expected = sum(entry.rejected for entry in manifest.files)
    contents = Counter[str]()
    for part in manifest.rejected:
        if part.name in sound:
            contents += Counter(pq.read_table(directory / part.name, columns=["content"])["content"].to_pylist())
    wrong = any(contents[entry.content] != entry.rejected for entry in manifest.files)
    state = "miscounted" if wrong else "ok"
    yield _Row("rejected records of all files", "manifest", expected, contents.total(), state, _AGAIN if wrong else "")


def _exports(entries: tuple[FileEntry, ...]) -> dict[Path, list[FileEntry]]:
    """Return the entries by the file on the disk that they (or the archives they are in) were read from."""
    found: dict[Path, list[FileEntry]] = {}
    for entry in entries:
        no_file = hashlib.sha256(entry.file.encode()).hexdigest() == entry.content
        if entry.file.partition("!")[0] != manifests.STDIN and not no_file:
            found.setdefault(_on_disk(entry), []).append(entry)
    return found


def _on_disk(entry: FileEntry) -> Path:
    member = entry.content[64:]  # what stands behind the hash of the archive
    if member and entry.file.endswith(member):
        return Path(entry.file.removesuffix(member))
    return Path(entry.file)


def _export(path: Path, entries: list[FileEntry], bar: tqdm) -> _Row:
    """Say whether an export is still what was read; the history does not need it any more."""
    records = sum(entry.records for entry in entries)
    bar.set_description(path.name[-30:], refresh=False)
    try:
        now = sha256(path) if path.is_file() else None
    except OSError as error:
        return _Row(str(path), EXPORT, records, None, "missing", f"cannot be read any more ({error.strerror})")
    finally:
        bar.update(_size(path))
    if now is None:
        return _Row(str(path), EXPORT, records, None, "missing", "no longer there; the history does not need it")
    same = sum(entry.records for entry in entries if entry.content[:64] == now)
    if any(entry.content[:64] == now for entry in entries):
        return _Row(str(path), EXPORT, same, same)
    message = "changed since it was read; ingest it again to add what is new"
    return _Row(str(path), EXPORT, records, None, "changed", message)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
