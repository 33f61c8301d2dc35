"""Exports straight to alerts, without a store."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import LoadError, StanzaWarning
from stanza_lab.history.folding import fold_events
from stanza_lab.history.report import count, rejections
from stanza_lab.loaders import read_files


class RejectedRecordsWarning(StanzaWarning):
    """Say that some records could not be used."""


def read_alerts(
    paths: str | Path | Iterable[str | Path], *, source: str = "auto", tz: str | None = None
) -> pd.DataFrame:
    """Read alert exports of any mix of systems into alerts, in memory.

    Use `History` to keep them, to add a new export to those read before, or when they do not fit into memory.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files, folders (searched through), gzip and zip archives.
    source : str, default "auto"
        System the exports come from; "auto" tells it record by record.
    tz : str, optional
        Zone of times that name none, for example "Europe/Berlin". Without it such records are rejected.

    Returns
    -------
    DataFrame
        `schema.ALERTS` without `incident_id`, as `fold_events` returns it.

    Warns
    -----
    RejectedRecordsWarning
        Some records could not be used: how many, and the first reasons.

    Raises
    ------
    LoadError
        A path does not exist, or no file holds a record of a known kind; the message gives each file's reason.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from stanza_lab import read_alerts
    >>> alarm = '{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "alarms.json").write_text(alarm)
    ...     alerts = read_alerts(folder)
    >>> alerts[["source", "alertname", "starts_at"]].values.tolist()
    [['cloudwatch', 'cpu', Timestamp('2026-03-01 14:02:11+0000', tz='UTC')]]
    """
    batches = list(read_files(paths, source=source, tz=tz))
    records = sum(batch.records for batch in batches)
    rejected = pd.concat([schema.empty(schema.REJECTED), *(batch.rejected for batch in batches)], ignore_index=True)
    if len(rejected):
        told = "\n".join([f"{len(rejected):,} of {count(records, 'record')} could not be used", *rejections(rejected)])
        if len(rejected) == records:
            raise LoadError(told)
        warnings.warn(told, RejectedRecordsWarning, stacklevel=2)
    return fold_events(
        pd.concat([schema.empty(schema.EVENTS), *(batch.events for batch in batches)], ignore_index=True)
    )
