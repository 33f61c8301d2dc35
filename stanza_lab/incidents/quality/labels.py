"""Labels: which incident an alert truly belongs to. Alerts that a table of labels does not list are unknown."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import SchemaError
from stanza_lab.incidents.quality._contingency import ALONE, Ints, numbered

Truth = pd.Series | pd.DataFrame


def read_labels(source: str | PathLike[str] | pd.DataFrame | pd.Series, *, alerts: pd.DataFrame) -> pd.DataFrame:
    """Read labels as others keep them and say them of `alerts`.

    It takes for granted that the one who labelled looked at every record that is listed: an empty incident means "of
    none", not "not looked at". An alert of many records belongs where the first of its firing records belongs.

    Parameters
    ----------
    source : path, DataFrame or Series
        A CSV file or a table with `incident_id` (null, empty or -1 = known to belong to none) and either `alert_id`, or
        `native_id` with one row per exported record, as in ``truth/alert_labels.csv`` (`kind` firing counts, if that
        column is there). A Series has the index of `alerts`. Where a table lists an id twice its first row counts.
    alerts : DataFrame
        The alerts; needs `alert_id`, and `event_ids` where `source` has native ids.

    Returns
    -------
    DataFrame
        One row per alert of which `source` speaks, in the order of `alerts`:

        - alert_id (str)
        - incident_id (str): null = known to belong to none

    Raises
    ------
    SchemaError
        The file cannot be read, a column is missing, or the index of a Series is not that of `alerts`.

    See Also
    --------
    labels_from_pages, labels_from_spans, Corrections : Labels from elsewhere.
    score_incidents : Compare a grouping with labels.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import read_labels
    >>> alerts = pd.DataFrame({"alert_id": ["x", "y", "z"], "event_ids": [["1", "2"], ["3"], ["9"]]})
    >>> truth = pd.DataFrame({"native_id": ["1", "2", "3"], "incident_id": ["INC-1", "INC-1", None]})
    >>> read_labels(truth, alerts=alerts)
      alert_id incident_id
    0        x       INC-1
    1        y         NaN
    """
    truth = _read(Path(source)) if isinstance(source, (str, PathLike)) else source
    ids = needed(alerts, ["alert_id"])["alert_id"].to_numpy()
    at, names = said_of(alerts, truth)
    return labels_table(ids[at], names)


def labels_table(ids: object, names: object) -> pd.DataFrame:
    """Return the table of labels: ids of alerts, names of incidents (null = of none)."""
    return pd.DataFrame({"alert_id": pd.Series(ids, dtype="str"), "incident_id": pd.Series(names, dtype="str")})


def said_of(alerts: pd.DataFrame, truth: Truth) -> tuple[Ints, pd.Series]:
    """Return the positions of alerts of which `truth` speaks, and the names of their true incidents, null = none."""
    if isinstance(truth, pd.Series):
        if not truth.index.equals(alerts.index):
            raise SchemaError("truth: its index is not that of alerts; pass truth.set_axis(alerts.index) if rows align")
        return np.arange(len(alerts)), _names(truth).reset_index(drop=True)
    if not isinstance(truth, pd.DataFrame):
        raise SchemaError(f"truth must be a DataFrame or a Series, not {type(truth).__name__}; read_labels reads files")
    if "incident_id" not in truth.columns or not {"alert_id", "native_id"} & set(truth.columns):
        raise SchemaError(
            f"truth: columns are {list(truth.columns)[:30]}; pass incident_id with alert_id or native_id, "
            "or a Series with the index of alerts"
        )
    if "alert_id" in truth.columns:
        key, rows = "alert_id", truth
        ids = needed(alerts, ["alert_id"])["alert_id"].reset_index(drop=True)
    else:
        key, rows = "native_id", truth[truth["kind"] == "firing"] if "kind" in truth.columns else truth
        ids = needed(alerts, ["event_ids"])["event_ids"].reset_index(drop=True).explode()
    rows = rows.drop_duplicates(key)
    row = pd.Index(rows[key].astype("str")).get_indexer(pd.Index(ids.astype("str")))
    at, first = np.unique(ids.index.to_numpy()[row >= 0], return_index=True)
    said = rows["incident_id"].iloc[row[row >= 0][first]]
    return at.astype(np.int64), _names(said).reset_index(drop=True)


def true_groups(alerts: pd.DataFrame, truth: Truth) -> tuple[Ints, Ints]:
    """Return the positions of alerts of which `truth` speaks, and their true incident as a number, -1 = none."""
    at, names = said_of(alerts, truth)
    return at, numbered(names)


def needed(alerts: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return these columns of the alerts, checked: a million alerts have others that take seconds."""
    here = alerts[[name for name in columns if name in alerts.columns]] if isinstance(alerts, pd.DataFrame) else alerts
    if isinstance(alerts, pd.DataFrame) and len(here.columns) < len(columns):
        here = alerts  # the message should list all columns
    return schema.check(here, schema.ALERTS, need=columns)


def _names(incidents: pd.Series) -> pd.Series:
    return incidents.astype("str").mask(incidents.isin(ALONE))


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SchemaError(f"{path}: cannot be read as a CSV file of labels: {error}") from error
