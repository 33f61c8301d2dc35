"""What an ingest did with every record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from stanza_lab.errors import HistoryError

_LINES = 12  # rejections a report spells out


@dataclass(frozen=True, eq=False)
class IngestReport:
    """Tell what became of the records of one ingest: ``records == events + duplicates + ignored + rejected``.

    Attributes
    ----------
    records : int
        Records read.
    events : int
        Facts the history did not know before.
    duplicates : int
        Facts it knew, told again or in another shape of the vendor (whose ids are kept).
    ignored : dict of str to int
        Records of known kinds that hold no alert, by kind.
    rejected : DataFrame
        Records that could not be used (`schema.REJECTED`): where, why, what to do.
    redacted : dict of str to int
        Secrets, addresses and names that were replaced before anything was kept, by kind.
    tables : tuple of str
        How the columns of tables were understood, a line each.
    by_source : DataFrame
        source, records, events, duplicates; ignored and rejected records have no source.
    by_file : DataFrame
        file, records, events, duplicates, ignored, rejected, in the order they were read.
    alerts_before, alerts_after : int
        Alerts in the history, counted when first asked for: the events are folded then.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from stanza_lab import History
    >>> alarm = '{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "alarms.json").write_text(alarm)
    ...     history = History(Path(folder, "history"))
    ...     print(history.ingest(Path(folder, "alarms.json")))
    ...     print(history.ingest(Path(folder, "alarms.json")))
    1 record in 1 file = 1 event + 0 duplicates + 0 ignored + 0 rejected
    alerts: 1 (1 new)
    1 record in 1 file = 0 events + 1 duplicate + 0 ignored + 0 rejected
    alerts: 1 (0 new)
    """

    records: int
    events: int
    duplicates: int
    ignored: dict[str, int]
    rejected: pd.DataFrame
    redacted: dict[str, int]
    tables: tuple[str, ...]
    by_source: pd.DataFrame
    by_file: pd.DataFrame
    count_alerts: Callable[[], tuple[int, int]] = field(repr=False)

    def __post_init__(self) -> None:
        """Hold the promise that nothing is lost."""
        ends = self.events + self.duplicates + sum(self.ignored.values()) + len(self.rejected)
        if self.records != ends:
            raise HistoryError(f"{self.records} records read, {ends} accounted for; this is a defect")

    @cached_property
    def _alerts(self) -> tuple[int, int]:
        return self.count_alerts()

    @property
    def alerts_before(self) -> int:
        """Return how many alerts there were."""
        return self._alerts[0]

    @property
    def alerts_after(self) -> int:
        """Return how many alerts there are."""
        return self._alerts[1]

    @property
    def new_alerts(self) -> int:
        """Return how many alerts the history gained; below zero when new events join alerts into one."""
        return self.alerts_after - self.alerts_before

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON.

        Returns
        -------
        dict
            The attributes; tables as lists of rows.
        """
        return {
            "records": self.records,
            "events": self.events,
            "duplicates": self.duplicates,
            "ignored": dict(self.ignored),
            "rejected": _rows(self.rejected),
            "redacted": dict(self.redacted),
            "tables": list(self.tables),
            "by_source": _rows(self.by_source),
            "by_file": _rows(self.by_file),
            "alerts_before": self.alerts_before,
            "alerts_after": self.alerts_after,
        }

    def __str__(self) -> str:
        return f"{self.sums()}\n{self.alerts()}"

    def alerts(self) -> str:
        """Return in words how many alerts there are, for which the events are folded.

        Returns
        -------
        str
            One line.
        """
        return f"alerts: {self.alerts_after:,} ({self.new_alerts:,} new)"

    def sums(self) -> str:
        """Return what became of the records in words, without the alerts, which take longer to count.

        Returns
        -------
        str
            Some lines.
        """
        sums = " + ".join(
            [
                count(self.events, "event"),
                count(self.duplicates, "duplicate"),
                f"{sum(self.ignored.values()):,} ignored",
                f"{len(self.rejected):,} rejected",
            ]
        )
        lines = [f"{count(self.records, 'record')} in {count(len(self.by_file), 'file')} = {sums}"]
        lines += [f"ignored: {number:,} x {kind}" for kind, number in self.ignored.items()]
        lines += rejections(self.rejected)
        lines += list(self.tables[:_LINES])
        if self.redacted:
            lines.append("redacted: " + ", ".join(count(number, kind) for kind, number in self.redacted.items()))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"IngestReport(records={self.records}, events={self.events}, duplicates={self.duplicates}, "
            f"ignored={sum(self.ignored.values())}, rejected={len(self.rejected)})"
        )

    def _repr_html_(self) -> str:
        total = self.by_file.select_dtypes("number").sum().to_frame().T.assign(file="all files")
        table = pd.concat([self.by_file.head(40), total[self.by_file.columns]])
        return str(table.to_html(index=False, border=0, escape=True))


def rejections(rejected: pd.DataFrame, *, lines: int = _LINES) -> list[str]:
    """Return a line per file and reason with the first message; at most `lines`, then how many more."""
    told = []
    for (file, reason), rows in rejected.groupby(["file", "reason"], sort=False, dropna=False):
        locator, message = rows["locator"].iloc[0], rows["message"].iloc[0]
        where = f"{file}, {locator}" if isinstance(locator, str) and locator else file
        told.append(f"rejected: {len(rows):,} x {reason} in {where}: {message}")
    return told[:lines] + ([f"rejected: {len(told) - lines:,} more files or reasons"] if len(told) > lines else [])


def count(number: int, word: str) -> str:
    """Return the number with its word: 1 file, 2 files."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.astype(object)
    return [
        {str(name): value for name, value in row.items()} for row in plain.where(plain.notna(), None).to_dict("records")
    ]
