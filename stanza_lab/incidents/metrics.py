"""How well a grouping agrees with the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from sklearn.metrics.cluster import pair_confusion_matrix

from stanza_lab import schema
from stanza_lab.errors import SchemaError
from stanza_lab.schema import NOISE


def score_incidents(alerts: pd.DataFrame, *, truth: pd.Series | pd.DataFrame) -> pd.DataFrame:
    """Compare the incidents found with the true ones.

    An alert that was left on its own (-1) and an alert that truly belongs to no incident (null) are each a group of
    their own: grouping noise costs, and so does leaving out an alert of an incident. Each measure is given twice: over
    the alerts of true incidents only, and over all.

    Parameters
    ----------
    alerts : DataFrame
        Alerts with `incident_id`; also `alert_id` or `event_ids` when `truth` is a table of such ids.
    truth : Series or DataFrame
        The true incident of each alert; null, empty or -1 = none. A Series has the index of `alerts`. A DataFrame has
        `incident_id` and either `alert_id`, or `native_id` as in ``truth/alert_labels.csv``, one row per record: an
        alert then belongs where the first of its `event_ids` (of `kind` firing, if that column is there) belongs.
        Alerts of which a table says nothing are left out.

    Returns
    -------
    DataFrame
        Indexed by `over`, with the rows "incident alerts" and "all alerts" and the columns:

        - n, incidents_true, incidents_found (int64): alerts compared, true incidents, incidents found among them
        - ari, ami (float64): adjusted Rand index, adjusted mutual information; 1 = the same grouping, 0 = by chance
        - pairwise_precision, pairwise_recall, pairwise_f1 (float64): of the pairs of alerts put together, the share
          that belongs together; of the pairs that belong together, the share put together; their harmonic mean. Null
          when there is no such pair
        - coverage (float64): share of the alerts that were put into an incident; null without alerts

    Raises
    ------
    SchemaError
        A column is missing, or the index of `truth` is not that of `alerts`.

    References
    ----------
    Hubert, Arabie (1985), Comparing partitions, doi:10.1007/BF01908075. Vinh, Epps, Bailey (2010), Information
    theoretic measures for clusterings comparison, JMLR 11.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import score_incidents
    >>> alerts = pd.DataFrame({"incident_id": [0, 0, 0, -1]})
    >>> truth = pd.Series(["INC-1", "INC-1", None, None])
    >>> score_incidents(alerts, truth=truth)[["n", "ari", "pairwise_precision", "pairwise_recall"]].round(2).T
    over                incident alerts  all alerts
    n                               2.0        4.00
    ari                             1.0        0.33
    pairwise_precision              1.0        0.33
    pairwise_recall                 1.0        1.00
    """
    alerts = schema.check(alerts, schema.ALERTS, need=["incident_id"])
    known, true = _true_groups(alerts, truth)
    found = alerts["incident_id"].to_numpy()[known]
    inside = true != NOISE
    rows = {"incident alerts": _measures(true[inside], found[inside]), "all alerts": _measures(true, found)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("over")


def _true_groups(alerts: pd.DataFrame, truth: pd.Series | pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of alerts of which `truth` speaks, and their true incident as a number, -1 = none."""
    if isinstance(truth, pd.Series):
        if not truth.index.equals(alerts.index):
            raise SchemaError("truth: its index is not that of alerts; pass truth.set_axis(alerts.index) if rows align")
        return np.arange(len(alerts)), _numbered(truth)
    if "incident_id" not in truth.columns or not {"alert_id", "native_id"} & set(truth.columns):
        raise SchemaError(
            f"truth: columns are {list(truth.columns)[:30]}; pass incident_id with alert_id or native_id, "
            "or a Series with the index of alerts"
        )
    labels = truth.assign(incident_id=_numbered(truth["incident_id"]))
    if "alert_id" in labels:
        ids = schema.check(alerts, schema.ALERTS, need=["alert_id"])["alert_id"].reset_index(drop=True)
        group = labels.drop_duplicates("alert_id").set_index("alert_id")["incident_id"]
    else:
        ids = schema.check(alerts, schema.ALERTS, need=["event_ids"])["event_ids"].reset_index(drop=True).explode()
        firing = labels[labels["kind"] == "firing"] if "kind" in labels else labels
        group = firing.drop_duplicates("native_id").set_index("native_id")["incident_id"]
    said = ids.map(group).dropna()
    said = said[~said.index.duplicated()].astype("int64")
    return said.index.to_numpy(), said.to_numpy()


def _numbered(truth: pd.Series) -> np.ndarray:
    """Return numbers for the names of incidents, -1 for none."""
    none = truth.isna() | truth.isin(["", NOISE])
    return np.asarray(pd.factorize(truth.mask(none))[0])


def _measures(true: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """Return the measures of two groupings, of which -1 says: on its own."""
    alone = -2 - np.arange(len(true))  # a name for each alert on its own
    a, b = np.where(true == NOISE, alone, true), np.where(found == NOISE, alone, found)
    some = len(true) > 0
    (_, wrong), (missed, right) = pair_confusion_matrix(a, b) if some else np.zeros((2, 2), dtype=np.int64)
    return {
        "n": len(true),
        "incidents_true": len(np.unique(true[true != NOISE])),
        "incidents_found": len(np.unique(found[found != NOISE])),
        "ari": adjusted_rand_score(a, b) if some else np.nan,
        "ami": adjusted_mutual_info_score(a, b) if some else np.nan,
        "pairwise_precision": _share(right, right + wrong),
        "pairwise_recall": _share(right, right + missed),
        "pairwise_f1": _share(2 * right, 2 * right + wrong + missed),
        "coverage": _share(int((found != NOISE).sum()), len(found)),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else np.nan
