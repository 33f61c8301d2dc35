"""The directory of a history: who may write to it, what in it counts and what is left over, the alerts kept there."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import stanza_lab
from stanza_lab import schema
from stanza_lab.errors import HistoryError
from stanza_lab.history import manifest as manifests
from stanza_lab.history.bins import AT_ONCE, fold_parts
from stanza_lab.history.facts import facts_file
from stanza_lab.history.folding import FOLDING, fold_events
from stanza_lab.history.manifest import FileEntry, Manifest, Part
from stanza_lab.history.parts import ROW_GROUP, PartWriter, check, read, to_arrow
from stanza_lab.history.report import count

if TYPE_CHECKING:
    from stanza_lab.history.tally import Tally

_log = logging.getLogger(__name__)

_OWN = {"events", "rejected", "cache", manifests.NAME}
_FOLDING = "folding-"
_EVENTS = schema.arrow(schema.EVENTS)
_ALERTS = schema.arrow(schema.ALERTS)
_ALERTS = _ALERTS.remove(_ALERTS.get_field_index("incident_id"))
_REJECTED = schema.arrow(schema.REJECTED).append(pa.field("content", pa.string()))


@dataclass(frozen=True)
class Directory:
    """The directory of a history; nothing in it is read or made before it is needed."""

    path: Path

    def size(self, manifest: Manifest) -> int:
        """Return the bytes of the events."""
        return sum((self.path / part.name).stat().st_size for part in manifest.events if part.rows)

    @property
    def spool(self) -> Path:
        """Return where the pieces of an ingest wait."""
        return self.path / ".reading"

    def manifest(self) -> Manifest:
        """Return the manifest; a history must be there."""
        found = manifests.read(self.path)
        if found is None:
            self._refuse_unlisted(Manifest())
            raise HistoryError(
                f"no history at {self.path}; make one with: stanza-lab ingest PATH --history {self.path}"
            )
        return found

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for writing; made if need be."""
        self._refuse_foreign()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("a")
        except OSError as error:
            raise HistoryError(
                f"{self.path} cannot be written to ({error.strerror}); pass another directory"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HistoryError(f"another ingest is writing to {self.path}; run this one when it is done") from error
            yield

    def _refuse_foreign(self) -> None:
        """Leave alone what is neither a history, nor one that was cut off at its first ingest, nor empty."""
        if self.path.exists() and not self.path.is_dir():
            raise HistoryError(f"{self.path} is a file; pass a directory for the history")
        if manifests.read(self.path) is None and self.path.exists():
            names = sorted(path.name for path in self.path.iterdir())
            foreign = [name for name in names if name not in _OWN and not name.startswith(".")]
            if foreign:
                held = ", ".join(foreign[:5])
                raise HistoryError(f"{self.path} is no history and holds other files ({held}); pass a new directory")

    def unlisted(self, manifest: Manifest) -> list[str]:
        """Return the parts that only the manifest can have lost, not a change that was cut off."""
        parts = chain(self.path.glob("events/part-*"), self.path.glob("rejected/part-*"))
        there = {f"{path.parent.name}/{path.name}" for path in parts}
        unlisted = there - {part.name for part in manifest.parts}
        begun = manifests.begun(self.path, manifest)
        return sorted(unlisted if begun is None else unlisted & begun)

    def _refuse_unlisted(self, manifest: Manifest) -> None:
        """Raise when there are parts that only the manifest can have lost."""
        if lost := self.unlisted(manifest):
            held = ", ".join(lost[:3]) + (", ..." if len(lost) > 3 else "")
            raise HistoryError(
                f"{self.path} holds {count(len(lost), 'part')} that {manifests.NAME} does not list ({held}); restore "
                f"{manifests.NAME} from a copy, or ingest the exports into a new directory"
            )

    def clean(self) -> Manifest:
        """Remove what an ingest that was cut off left behind, if all else is whole; return the manifest."""
        found = manifests.read(self.path) or Manifest()
        self._refuse_unlisted(found)
        check(self.path, found.parts)
        self.sweep(found)
        return found

    def sweep(self, manifest: Manifest) -> None:
        """Remove the parts and the folded alerts that do not count."""
        keep = {self.path / part.name for part in manifest.parts} | {
            self._cache(manifest),
            facts_file(self.path, manifest),
        }
        for pattern in ("events/part*", "rejected/part*", "cache/*"):
            for left in self.path.glob(pattern):
                if left not in keep and left.is_file():
                    left.unlink()
        for left in self.path.glob(f"cache/{_FOLDING}*"):
            if _abandoned(left):
                shutil.rmtree(left, ignore_errors=True)

    def rejected(self, manifest: Manifest) -> pd.DataFrame:
        """Return the rejected rows of all files, with the content of each."""
        return read(self.path, manifest.rejected, _REJECTED)

    def still_rejected(self, before: Manifest, tally: Tally) -> pd.DataFrame:
        """Return the rejected rows of all files; of a file read again those that no reading could use."""
        old = self.rejected(before)
        new = pd.concat([old[:0], *tally.rejected.values()])
        again = new["content"].isin([entry.content for entry in before.files])
        was, now = (pd.MultiIndex.from_frame(rows[["content", "locator"]].fillna("")) for rows in (old, new))
        return pd.concat([old[~old["content"].isin(tally.contents)], new[~again | now.isin(was)]])

    def store_rejected(self, rows: pd.DataFrame, ledger: dict[str, FileEntry]) -> tuple[Part, ...]:
        """Write the rejected rows, in the order of the files."""
        place = {content: number for number, content in enumerate(ledger)}
        rows = rows.assign(file=rows["content"].map({key: entry.file for key, entry in ledger.items()}))
        rows = rows.sort_values("content", key=lambda content: content.map(place), kind="stable")
        with PartWriter(self.path / "rejected", _REJECTED) as writer:
            writer.write(to_arrow(rows, _REJECTED))
            return writer.finish()

    def _cache(self, manifest: Manifest) -> Path:
        return self.path / "cache" / f"alerts-{manifest.digest(FOLDING, stanza_lab.__version__)}.parquet"

    def count(self, manifest: Manifest) -> int:
        """Return how many alerts there are."""
        if not manifest.events:
            return 0
        with self.folded(manifest) as file:
            return int(pq.read_metadata(file).num_rows)

    def alerts(self, manifest: Manifest, since: pd.Timestamp | None, until: pd.Timestamp | None) -> pd.DataFrame:
        """Return the alerts of a span of time; no more of the others than some 50,000 are held at once."""
        with self.folded(manifest) as file:
            if since is None and until is None:
                found = pq.read_table(file)
            else:
                batches = pq.ParquetFile(file).iter_batches(ROW_GROUP)
                found = pa.concat_tables(
                    [pq.read_schema(file).empty_table(), *(_within(pa.table(batch), since, until) for batch in batches)]
                )
            return schema.check(found.to_pandas(), schema.ALERTS, need=_ALERTS.names)

    @contextmanager
    def folded(self, manifest: Manifest) -> Iterator[Path]:
        """Provide the file of the alerts, folded if they were not yet; what cannot be kept is gone afterwards."""
        cache = self._cache(manifest)
        with suppress(OSError, pa.ArrowException):  # not there, or damaged: folded again
            pq.read_metadata(cache)
            yield cache
            return
        with TemporaryDirectory(dir=_writable(cache.parent), prefix=f"{_FOLDING}{os.getpid()}-") as place:
            folded = Path(place, cache.name)
            self._fold(manifest, folded)
            try:
                manifests.settle(folded, cache)
            except OSError as error:  # a history that may only be read is folded each time
                _log.debug("alerts of %s not kept: %s", self.path, error)
                yield folded
                return
        yield cache

    def _fold(self, manifest: Manifest, target: Path) -> None:
        if sum(part.rows for part in manifest.events) > 2 * AT_ONCE:
            fold_parts([self.path / part.name for part in manifest.events], target.parent, target)
            return
        columns = _EVENTS.remove(_EVENTS.get_field_index("raw"))
        alerts = fold_events(read(self.path, manifest.events, columns))
        pq.write_table(to_arrow(alerts, _ALERTS), target, compression="zstd")


def _within(alerts: pa.Table, since: pd.Timestamp | None, until: pd.Timestamp | None) -> pa.Table:
    """Return the alerts of a span of time; where the start is not known the end counts."""
    when = pc.coalesce(alerts["starts_at"], alerts["ends_at"])
    if since is not None:
        keep = pc.greater_equal(when, pa.scalar(since, when.type))
        alerts, when = alerts.filter(keep), when.filter(keep)
    return alerts if until is None else alerts.filter(pc.less(when, pa.scalar(until, when.type)))


def _abandoned(place: Path) -> bool:
    """Return whether the process that folded there, by the number in the name, is gone."""
    number = place.name.removeprefix(_FOLDING).partition("-")[0]
    try:
        os.kill(int(number), 0)
    except (ValueError, ProcessLookupError):
        return True
    except PermissionError:  # somebody else's
        return False
    return False


def _writable(directory: Path) -> Path | None:
    """Return a directory that may be written to, made if need be; None for one that may only be read."""
    try:
        directory.mkdir(exist_ok=True)
    except OSError:
        return None
    return directory if os.access(directory, os.W_OK) else None
