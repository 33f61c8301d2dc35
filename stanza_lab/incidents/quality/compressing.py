"""How much less there is to look at after each stage, never without what it cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab import _params
from stanza_lab.incidents.quality._contingency import contingency
from stanza_lab.incidents.quality.agreement import of_pairs, share
from stanza_lab.incidents.quality.labels import needed, true_groups
from stanza_lab.schema import NOISE


def compression(
    alerts: pd.DataFrame,
    *,
    events: pd.DataFrame | int | None = None,
    truth: pd.Series | pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return by how much each stage leaves less to look at, and beside it what was kept together rightly.

    Compression is 1 - n_out / n_in. An alert on its own still is a page: what comes out of grouping is the incidents
    and the alerts on their own. Putting everything into one incident compresses best, so it means nothing without the
    recall and the precision in the same row.

    Parameters
    ----------
    alerts : DataFrame
        Alerts with `incident_id`; also `alert_id` or `event_ids` when `truth` is a table of such ids.
    events : DataFrame or int, optional
        The events the alerts were folded from (see `History.events`), or how many there were. Adds the first stage.
    truth : Series or DataFrame, optional
        The true incident of each alert, as in `score_incidents`; with native ids it also says which records must be
        found in an alert.

    Returns
    -------
    DataFrame
        Indexed by `stage` ("events to alerts" where events are given, "alerts to incidents"):

        - n_in, n_out (int64): how many go in, how many come out
        - compression (float64): null when nothing goes in
        - recall (float64): of incidents, the pairwise recall; of alerts, the share of the labelled firing records that
          some alert holds. Null where `why` says so
        - precision (float64): of incidents, the pairwise precision; null for alerts
        - why (str): over what recall was taken, or why it is not known

    Raises
    ------
    SchemaError
        A column is missing, or the index of `truth` is not that of `alerts`.
    ParameterError
        `events` is not a table nor a number from 0.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab.incidents.quality import metrics
    >>> alerts = pd.DataFrame({"incident_id": [0, 0, 0, -1]})
    >>> table = metrics.compression(alerts, events=10, truth=pd.Series(["A", "A", None, None]))
    >>> table[["n_in", "n_out", "compression", "recall"]]
                         n_in  n_out  compression  recall
    stage
    events to alerts       10      4          0.6     NaN
    alerts to incidents     4      2          0.5     1.0
    >>> metrics.compression(alerts)["why"].tolist()
    ['no truth was given: compression alone says nothing']
    """
    rows = {}
    if events is not None:
        total = len(events) if isinstance(events, pd.DataFrame) else _params.at_least(events, "events", 0)
        rows["events to alerts"] = _folding(alerts, total, truth)
    rows["alerts to incidents"] = _grouping(alerts, truth)
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("stage")
    return table.astype({"recall": "float64", "precision": "float64", "why": "str"})


def compress(n_in: int, n_out: int) -> float:
    """Return 1 - n_out / n_in, null when nothing goes in."""
    return 1 - n_out / n_in if n_in else np.nan


def _folding(alerts: pd.DataFrame, events: int, truth: pd.Series | pd.DataFrame | None) -> dict[str, object]:
    recall, why = np.nan, "no truth about single records was given; folding drops none, see the ingest report"
    if isinstance(truth, pd.DataFrame) and "native_id" in truth.columns and "event_ids" in alerts.columns:
        firing = truth[truth["kind"] == "firing"] if "kind" in truth.columns else truth
        wanted = firing["native_id"].dropna().astype("str").drop_duplicates()
        held = needed(alerts, ["event_ids"])["event_ids"].explode()
        recall = share(int(wanted.isin(held).sum()), len(wanted))
        why = f"over {len(wanted):,} labelled records"
    return _stage(events, len(alerts), recall, np.nan, why)


def _grouping(alerts: pd.DataFrame, truth: pd.Series | pd.DataFrame | None) -> dict[str, object]:
    found = needed(alerts, ["incident_id"])["incident_id"].to_numpy()
    alone = int((found == NOISE).sum())
    pages = alone + len(np.unique(found[found != NOISE]))
    if truth is None:
        return _stage(len(found), pages, np.nan, np.nan, "no truth was given: compression alone says nothing")
    at, true = true_groups(alerts, truth)
    pairs = of_pairs(contingency(true, found[at]))
    together = contingency(true, true).pairs[0]
    why = f"over {len(at):,} of {len(found):,} alerts, those whose incident is known"
    if not together:
        why = f"no two of the {len(at):,} alerts whose incident is known belong together"
    return _stage(len(found), pages, pairs.recall, pairs.precision, why)


def _stage(n_in: int, n_out: int, recall: float, precision: float, why: str) -> dict[str, object]:
    return {
        "n_in": n_in,
        "n_out": n_out,
        "compression": compress(n_in, n_out),
        "recall": recall,
        "precision": precision,
        "why": why,
    }
