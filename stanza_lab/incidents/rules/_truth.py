"""Which true incident each alert belongs to, in the shapes that `score_incidents` takes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import SchemaError
from stanza_lab.schema import NOISE

UNKNOWN = -2  # nothing is said of the alert; -1: it belongs to none


def true_incidents(alerts: pd.DataFrame, truth: pd.Series | pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return for each alert the number of its true incident (-1 none, -2 unknown) and their names."""
    if isinstance(truth, pd.Series):
        if not truth.index.equals(alerts.index):
            raise SchemaError("truth: its index is not that of alerts; pass truth.set_axis(alerts.index) if rows align")
        return _numbered(truth)
    if "incident_id" not in truth.columns or not {"alert_id", "native_id"} & set(truth.columns):
        raise SchemaError(
            f"truth: columns are {list(truth.columns)[:30]}; pass incident_id with alert_id or native_id, "
            "or a Series with the index of alerts"
        )
    code, names = _numbered(truth["incident_id"])
    labels = truth.assign(incident_id=code)
    if "alert_id" in labels.columns:
        ids = schema.check(alerts, schema.ALERTS, need=["alert_id"])["alert_id"].reset_index(drop=True)
        group = labels.drop_duplicates("alert_id").set_index("alert_id")["incident_id"]
    else:  # records: an alert belongs where the first of its firing records does
        ids = schema.check(alerts, schema.ALERTS, need=["event_ids"])["event_ids"].reset_index(drop=True).explode()
        firing = labels[labels["kind"] == "firing"] if "kind" in labels.columns else labels
        group = firing.drop_duplicates("native_id").set_index("native_id")["incident_id"]
    said = ids.astype(object).map(group).dropna()
    said = said[~said.index.duplicated()].astype("int64")
    found = np.full(len(alerts), UNKNOWN, dtype=np.int64)
    found[said.index.to_numpy()] = said.to_numpy()
    return found, names


def _numbered(truth: pd.Series) -> tuple[np.ndarray, list[str]]:
    none = truth.isna() | truth.isin(["", NOISE, str(NOISE)])
    code, names = pd.factorize(truth.astype(object).mask(none))
    return np.asarray(code, dtype=np.int64), [str(name) for name in names]
