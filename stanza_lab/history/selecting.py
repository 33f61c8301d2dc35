"""A part of the alerts: by time, and by any SQL condition."""

from __future__ import annotations

import re

import duckdb
import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError
from stanza_lab.history.parts import to_arrow

_WORD = re.compile(rf"(?<!')'({'|'.join(schema.SEVERITIES)})'(?!')")
_COMPARED = re.compile(r"\bseverity\s*[<>=!]+\s*'((?:[^']|'')*)'", re.IGNORECASE)


def select(
    alerts: pd.DataFrame, *, since: _params.Instant | None, until: _params.Instant | None, where: str | None
) -> pd.DataFrame:
    """Return the alerts that began (or, where that is unknown, ended) in [since, until) and meet `where`."""
    when = alerts["starts_at"].fillna(alerts["ends_at"])
    keep = pd.Series(True, index=alerts.index)  # noqa: FBT003 (a value, not a switch)
    if since is not None:
        keep &= when >= _params.instant(since, "since")
    if until is not None:
        keep &= when < _params.instant(until, "until")
    alerts = alerts[keep].reset_index(drop=True)
    return alerts if where is None else alerts.iloc[_matching(alerts, where)].reset_index(drop=True)


def _matching(alerts: pd.DataFrame, where: str) -> np.ndarray:
    """Return the numbers of the rows that meet an SQL condition, evaluated where no file can be reached."""
    for word in _COMPARED.findall(where):
        if word not in schema.SEVERITIES:
            raise ParameterError(
                f"where={where!r}: severity {word!r} is not known; use one of {list(schema.SEVERITIES)}"
            )
    columns = schema.arrow(schema.ALERTS)
    table = to_arrow(alerts, columns.remove(columns.get_field_index("incident_id")))
    table = table.append_column("_row", [np.arange(len(alerts))])
    levels = ", ".join(f"'{word}'" for word in schema.SEVERITIES)
    connection = duckdb.connect()
    try:
        connection.register("given", table)
        connection.execute(f"CREATE TYPE severity_level AS ENUM ({levels})")
        connection.execute(
            "CREATE TABLE alerts AS SELECT * REPLACE (severity::severity_level AS severity) FROM given ORDER BY _row"
        )
        connection.unregister("given")
        for setting in (
            "TimeZone='UTC'",
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
            f"\"service = 'checkout' and severity >= 'error'\"; columns are {list(alerts.columns)}"
        ) from error
    finally:
        connection.close()
    return np.sort(np.asarray(rows))
