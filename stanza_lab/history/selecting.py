"""A part of the alerts: by time, and by any SQL condition."""

from __future__ import annotations

import re

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError
from stanza_lab.history.parts import to_arrow

_WORD = re.compile(rf"(?<!')'({'|'.join(schema.SEVERITIES)})'(?!')")
_COMPARED = re.compile(r"\bseverity\s*[<>=!]+\s*'((?:[^']|'')*)'", re.IGNORECASE)


def select_alerts(
    alerts: pd.DataFrame,
    *,
    since: _params.Instant | None = None,
    until: _params.Instant | None = None,
    where: str | None = None,
) -> pd.DataFrame:
    """Keep the alerts of a span of time that meet a condition.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; `starts_at` must be there, `ends_at` stands in where it is null.
    since, until : time, optional
        Half-open span, UTC where no zone is stated. An alert without any time lies in no span.
    where : str, optional
        SQL condition over the columns of `schema.ALERTS` that are there. Severities compare by their order.

    Returns
    -------
    DataFrame
        The rows that meet it, same columns and order; a new index.

    Raises
    ------
    ParameterError
        A time or the condition is not understood.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> times = pd.to_datetime(["2026-03-01T14:02Z", "2026-03-02T09:00Z"])
    >>> alerts = pd.DataFrame({"starts_at": times, "service": ["checkout", "orders-db"]})
    >>> sl.select_alerts(alerts, since="2026-03-02")["service"].tolist()
    ['orders-db']
    >>> sl.select_alerts(alerts, where="service like 'check%'")["service"].tolist()
    ['checkout']
    """
    start, end = span(since, until)
    checked = schema.check(alerts, schema.ALERTS, need=["starts_at"])
    when = checked["starts_at"].fillna(checked["ends_at"]) if "ends_at" in checked else checked["starts_at"]
    keep = pd.Series(True, index=alerts.index)  # noqa: FBT003 (a value, not a switch)
    if start is not None:
        keep &= when >= start
    if end is not None:
        keep &= when < end
    rows = np.flatnonzero(keep.to_numpy())
    if where is not None:
        rows = rows[_matching(checked.iloc[rows], where)]
    return alerts.iloc[rows].reset_index(drop=True)


def span(
    since: _params.Instant | None, until: _params.Instant | None
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Return the two times as they are meant; the first lies before the second."""
    start = None if since is None else _params.instant(since, "since")
    end = None if until is None else _params.instant(until, "until")
    if start is not None and end is not None and start >= end:
        raise ParameterError(f"since={since!r} is not before until={until!r}; swap them")
    return start, end


def _matching(alerts: pd.DataFrame, where: str) -> np.ndarray:
    """Return the numbers of the rows that meet an SQL condition, evaluated where no file can be reached."""
    for word in _COMPARED.findall(where):
        if word not in schema.SEVERITIES:
            raise ParameterError(
                f"where={where!r}: severity {word!r} is not known; use one of {list(schema.SEVERITIES)}"
            )
    columns = [field for field in schema.arrow(schema.ALERTS) if field.name in alerts.columns]
    table = to_arrow(alerts[[field.name for field in columns]], pa.schema(columns))
    table = table.append_column("_row", [np.arange(len(alerts))])
    leveled = "REPLACE (severity::severity_level AS severity) " if "severity" in alerts.columns else ""
    levels = ", ".join(f"'{word}'" for word in schema.SEVERITIES)
    connection = duckdb.connect()
    try:
        connection.register("given", table)
        connection.execute(f"CREATE TYPE severity_level AS ENUM ({levels})")
        connection.execute(f"CREATE TABLE alerts AS SELECT * {leveled}FROM given ORDER BY _row")
        connection.unregister("given")
        for setting in (
            "TimeZone='UTC'",
            "enable_progress_bar=false",
            "enable_external_access=false",
            "python_enable_replacements=false",
            "lock_configuration=true",
        ):
            connection.execute(f"SET {setting}")
        # DuckDB compares a level with a plain text by the alphabet; with a level by the order of the levels.
        condition = _WORD.sub(r"'\1'::severity_level", where)
        rows = connection.table("alerts").filter(condition).project("_row").fetchnumpy()["_row"]
    except duckdb.Error as error:
        raise ParameterError(
            f"where={where!r} is not a condition over the alerts ({str(error).splitlines()[0]}); pass SQL such as "
            f"\"service = 'checkout' and severity >= 'error'\"; columns are {[field.name for field in columns]}"
        ) from error
    finally:
        connection.close()
    return np.sort(np.asarray(rows))
