"""Exports straight to alerts, without a store."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import LoadError, StanzaWarning
from stanza_lab.history.folding import fold_events
from stanza_lab.history.report import count, rejections
from stanza_lab.loaders import Redaction, read_files


class RejectedRecordsWarning(StanzaWarning):
    """Say that some records could not be used."""


def read_alerts(
    paths: str | Path | Iterable[str | Path],
    *,
    source: str = "auto",
    tz: str | None = None,
    columns: Mapping[str, str] | None = None,
    dayfirst: bool | None = None,
    keep_personal_data: bool = False,
    redact_ips: bool = False,
    pseudonym_key: str | None = None,
) -> pd.DataFrame:
    """Read alert exports of any mix of systems into alerts, in memory.

    Use `History` to keep them, to add a new export to those read before, or when they do not fit into memory.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files, folders (searched through), patterns, archives (zip, tar), packed files (gz, bz2, xz, zst), "-" for
        standard input.
    source : str, default "auto"
        System the exports come from; "auto" tells it record by record.
    tz : str, optional
        Zone of times that name none, for example "Europe/Berlin". Without it such records are rejected.
    columns : mapping of str to str, optional
        What the columns of a table mean: theirs and ours, ``{"startsAt": "starts_at"}``. Everything is then read as
        rows of such tables. Without it a table's columns are guessed.
    dayfirst : bool, optional
        How dates such as 05/06/2024 in a table are read. Default: by the other dates of the column.
    keep_personal_data : bool, default False
        Keep records as they came. By default secrets, e-mail addresses and names of people are replaced, the same by
        the same pseudonym.
    redact_ips : bool, default False
        Replace IP addresses too.
    pseudonym_key : str, optional
        Makes the pseudonyms. Without one of your own, who guesses a name can tell its pseudonym.

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
    ParameterError
        An option is not known or out of its range.

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
    redaction = Redaction(keep_personal_data, redact_ips, pseudonym_key)
    batches = list(read_files(paths, source=source, tz=tz, columns=columns, dayfirst=dayfirst, redaction=redaction))
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
