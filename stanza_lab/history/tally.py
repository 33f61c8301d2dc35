"""The accounting of an ingest: records = events + duplicates + ignored + rejected, by file and by source."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab import schema
from stanza_lab.history.manifest import FileEntry, sha256
from stanza_lab.history.report import IngestReport

if TYPE_CHECKING:
    from stanza_lab.history.folding import Mask
    from stanza_lab.loaders import Batch


@dataclass
class _File:
    """What was counted of one file so far."""

    content: str
    events: int = 0
    duplicates: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    rejected: list[pd.DataFrame] = field(default_factory=list)
    records: int = 0


class Tally:
    """Count what becomes of the records while the batches pass."""

    def __init__(self) -> None:
        self.facts: Counter[str] = Counter()  # new events by source
        self.times: list[str] = []  # first and last of each batch, ISO
        self._told: Counter[str] = Counter()  # events and duplicates by source
        self._files: dict[str, _File] = {}
        self._contents: dict[Path, str] = {}

    def count(self, batch: Batch, new: Mask) -> None:
        """Count a batch whose events are facts not known before where `new`."""
        if batch.file not in self._files:
            self._files[batch.file] = _File(self._content(batch.file))
        file = self._files[batch.file]
        file.records += batch.records
        file.events += int(new.sum())
        file.duplicates += int((~new).sum())
        file.ignored += batch.ignored
        file.rejected.append(batch.rejected)
        source = batch.events["source"]
        self._told.update(source.tolist())
        self.facts.update(source[new].tolist())
        times = batch.events["at"].dropna()
        if len(times):
            self.times += [f"{at:%Y-%m-%dT%H:%M:%S.%fZ}" for at in (times.min(), times.max())]

    @property
    def contents(self) -> list[str]:
        """Return the content of every file read."""
        return [file.content for file in self._files.values()]

    @property
    def rejected(self) -> dict[str, pd.DataFrame]:
        """Return the rejected rows by content of the file, each once; a copy of a file has the rows of the first."""
        found: dict[str, pd.DataFrame] = {}
        for file in self._files.values():
            found.setdefault(file.content, _rows(file.rejected).drop_duplicates().assign(content=file.content))
        return found

    def entries(self) -> list[FileEntry]:
        """Return a ledger entry per file, in the order they were read."""
        return [
            FileEntry(
                file=name,
                content=file.content,
                records=file.records,
                events=file.events,
                duplicates=file.duplicates,
                ignored=dict(sorted(file.ignored.items())),
                rejected=sum(map(len, file.rejected)),
            )
            for name, file in self._files.items()
        ]

    def report(self, alerts_before: int, alerts_after: int) -> IngestReport:
        """Return the sums."""
        entries = self.entries()
        sources = pd.DataFrame({"source": sorted(self._told)}).astype({"source": "str"})
        told, new = (sources["source"].map(counts).fillna(0).astype("int64") for counts in (self._told, self.facts))
        ignored = sum((file.ignored for file in self._files.values()), Counter[str]())
        return IngestReport(
            records=sum(entry.records for entry in entries),
            events=sum(entry.events for entry in entries),
            duplicates=sum(entry.duplicates for entry in entries),
            ignored=dict(sorted(ignored.items())),
            rejected=_rows([rows for file in self._files.values() for rows in file.rejected]),
            by_source=sources.assign(records=told, events=new, duplicates=told - new),
            by_file=by_file(entries),
            alerts_before=alerts_before,
            alerts_after=alerts_after,
        )

    def _content(self, name: str) -> str:
        """Return what identifies the content of a file, or of an archive's member, whatever it is called now."""
        for end in [i for i, sign in enumerate(name) if sign == "!"] + [len(name)]:
            path = Path(name[:end])
            if path.is_file():
                if path not in self._contents:
                    self._contents[path] = sha256(path)
                return self._contents[path] + name[end:]
        return hashlib.sha256(name.encode()).hexdigest()  # a folder without files


def by_file(entries: Iterable[FileEntry]) -> pd.DataFrame:
    """Return the entries as a table, one row each."""
    rows = [(e.file, e.records, e.events, e.duplicates, sum(e.ignored.values()), e.rejected) for e in entries]
    return pd.DataFrame(rows, columns=["file", "records", "events", "duplicates", "ignored", "rejected"])


def _rows(rejected: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([schema.empty(schema.REJECTED), *rejected], ignore_index=True)
