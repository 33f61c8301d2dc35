"""Measures of a grouping (`stanza_lab.metrics`): plain functions over two label arrays, and verbs over tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.incidents.quality._contingency import Ints, contingency
from stanza_lab.incidents.quality.agreement import (
    Agreement,
    ami,
    ari,
    b_cubed,
    b_cubed_f1,
    completeness,
    coverage,
    homogeneity,
    mutual_information,
    of_alerts,
    of_information,
    of_pairs,
    pairwise,
    pairwise_f1,
    rand,
    v_measure,
)
from stanza_lab.incidents.quality.compressing import compress, compression
from stanza_lab.incidents.quality.labels import needed, true_groups
from stanza_lab.incidents.quality.mistakes import count_mistakes, grouping_errors
from stanza_lab.schema import NOISE

__all__ = [
    "Agreement",
    "ami",
    "ari",
    "b_cubed",
    "b_cubed_f1",
    "completeness",
    "compression",
    "coverage",
    "grouping_errors",
    "homogeneity",
    "pairwise",
    "pairwise_f1",
    "score_incidents",
    "v_measure",
]


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
        - homogeneity, completeness, v_measure (float64): how far found incidents are of one true one, true ones in one
          found one; their harmonic mean (high for many small groups whatever their quality)
        - b_cubed_precision, b_cubed_recall, b_cubed_f1 (float64): as pairwise, with every alert of the same weight
        - over_grouped (int64): found incidents that hold alerts of more than one true incident
        - over_grouped_noise (int64): found incidents that hold alerts of no true incident
        - under_grouped (int64): true incidents whose alerts lie in more than one found incident
        - under_grouped_alone (int64): true incidents of more than one alert of which some were left on their own
        - compression (float64): 1 - pages / alerts, where each found incident and each alert on its own is a page;
          means nothing without the recall beside it

    Raises
    ------
    SchemaError
        A column is missing, or the index of `truth` is not that of `alerts`.

    See Also
    --------
    metrics.grouping_errors : Which incidents are wrong, one row each.

    References
    ----------
    Hubert, Arabie (1985), Comparing partitions, doi:10.1007/BF01908075. Vinh, Epps, Bailey (2010), Information
    theoretic measures for clusterings comparison, JMLR 11. Amigó et al. (2009), A comparison of extrinsic clustering
    evaluation metrics, doi:10.1007/s10791-008-9066-8.

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
    known, true = true_groups(alerts, truth)
    found = needed(alerts, ["incident_id"])["incident_id"].to_numpy()[known]
    inside = true != NOISE
    rows = {"incident alerts": _measures(true[inside], found[inside]), "all alerts": _measures(true, found)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("over")


def _measures(true: Ints, found: Ints) -> dict[str, float]:
    """Return the measures of two groupings, of which -1 says: on its own."""
    table = contingency(true, found)
    pairs, alerts = of_pairs(table), of_alerts(table)
    return {
        "n": table.n,
        "incidents_true": len(np.unique(true[true != NOISE])),
        "incidents_found": len(np.unique(found[found != NOISE])),
        "ari": rand(table),
        "ami": mutual_information(table),
        "pairwise_precision": pairs.precision,
        "pairwise_recall": pairs.recall,
        "pairwise_f1": pairs.f1,
        "coverage": coverage(found),
        **of_information(table)._asdict(),
        "b_cubed_precision": alerts.precision,
        "b_cubed_recall": alerts.recall,
        "b_cubed_f1": alerts.f1,
        **count_mistakes(true, found),
        "compression": compress(table.n, len(table.found_sizes)),
    }
