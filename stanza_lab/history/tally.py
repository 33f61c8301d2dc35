"""The accounting of an ingest: records = events + duplicates + ignored + rejected, by file and by source."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab import schema
from stanza_lab.history.manifest import EXPIRED, STDIN, FileEntry, sha256
from stanza_lab.history.report import IngestReport

if TYPE_CHECKING:
    import pyarrow as pa

    from stanza_lab.history.folding import Mask
    from stanza_lab.history.pieces import FileRead, Reading

_LINE = re.compile(r"^line (\d+)")


@dataclass
class _File:
    """What was counted of one file so far."""

    content: str
    events: int = 0
    duplicates: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    rejected: list[pd.DataFrame] = field(default_factory=list)
    records: int = 0
    lines: int = 0  # of the parts counted


class Tally:
    """Count what becomes of the records while the pieces pass.

    Parameters
    ----------
    content : callable
        Returns what identifies the content of a file.
    """

    def __init__(self, content: Callable[[Path], str] = sha256) -> None:
        self.facts: Counter[str] = Counter()  # new events by source
        self.times: list[str] = []  # first and last of the new events of each piece, ISO
        self.redacted: Counter[str] = Counter()
        self.tables: list[str] = []
        self._told: Counter[str] = Counter()  # events and duplicates by source
        self._files: dict[str, _File] = {}
        self._contents: dict[Path, str] = {}
        self._content_of = content

    def count(self, reading: Reading, new: Mask, expired: Mask) -> None:
        """Count a piece whose events are facts not known before where `new`, too old to be kept where `expired`."""
        start = 0
        for told in reading.files:
            if told.file not in self._files:
                self._files[told.file] = _File(self._content(told.file, reading.digest))
            file = self._files[told.file]
            rows = slice(start, start + told.events)
            old = int(expired[rows].sum())
            file.records += told.records
            file.events += int(new[rows].sum())
            file.duplicates += told.events - int(new[rows].sum()) - old
            file.ignored += told.ignored + (Counter({EXPIRED: old}) if old else Counter())
            file.rejected.append(_rejected(told, file.lines))
            file.lines += reading.lines
            self.redacted += told.redacted
            self.tables += [words for words in told.tables if words not in self.tables]
            start = rows.stop

    def count_sources(self, keys: pa.Table, new: Mask) -> None:
        """Count the events of a piece by their source, and note when the new ones were."""
        source = keys["source"].to_pandas()
        self._told.update(source.value_counts().to_dict())
        self.facts.update(source[new].value_counts().to_dict())
        at = keys["at"].to_pandas()[new].dropna()
        self.times += [f"{time:%Y-%m-%dT%H:%M:%S.%fZ}" for time in ((at.min(), at.max()) if len(at) else ())]

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

    def report(self, alerts: Callable[[], tuple[int, int]]) -> IngestReport:
        """Return the sums; `alerts` counts those before and after when somebody asks."""
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
            redacted=dict(sorted(self.redacted.items())),
            tables=tuple(self.tables),
            by_source=sources.assign(records=told, events=new, duplicates=told - new),
            by_file=by_file(entries),
            count_alerts=alerts,
        )

    def _content(self, name: str, digest: str) -> str:
        """Return what identifies the content of a file, or of an archive's member, whatever it is called now."""
        if name.partition("!")[0] == STDIN:
            return digest + name.removeprefix(STDIN)
        for end in [i for i, sign in enumerate(name) if sign == "!"] + [len(name)]:
            path = Path(name[:end])
            if path.is_file():
                if path not in self._contents:
                    self._contents[path] = self._content_of(path)
                return self._contents[path] + name[end:]
        return hashlib.sha256(name.encode()).hexdigest()  # a folder without files


def by_file(entries: Iterable[FileEntry]) -> pd.DataFrame:
    """Return the entries as a table, one row each."""
    rows = [(e.file, e.records, e.events, e.duplicates, sum(e.ignored.values()), e.rejected) for e in entries]
    return pd.DataFrame(rows, columns=["file", "records", "events", "duplicates", "ignored", "rejected"])


def _rejected(told: FileRead, lines: int) -> pd.DataFrame:
    """Return the rejected rows of a file, of its later parts with the numbers of their lines in the whole."""
    rows = schema.build(told.rejected, schema.REJECTED)
    if lines:
        rows = rows.assign(
            locator=rows["locator"].str.replace(_LINE, lambda found: f"line {int(found[1]) + lines}", regex=True)
        )
    return rows


def _rows(rejected: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([schema.empty(schema.REJECTED), *rejected], ignore_index=True)
