"""How alike incidents are: a number between 0 and 1 with its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.patterns.kinds import BY
from stanza_lab.patterns.lookalikes.views import Views, agreement

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# What each part is worth, chosen on simulated productions (benchmarks/look_alikes.py): the weaker the agreement, the
# less. How long incidents took is shown and counts for nothing: it made the ranking worse.
PARTS = {"kinds": 0.35, "services": 0.25, "rules": 0.2, "order": 0.1, "symptoms": 0.1}
_BLOCK = 256  # incidents at a time, so that what is worked on stays near the processor
_NOTHING = 1e-9
MOST = 20_000  # incidents compared all with all: 3.2 GB
_USED = ("alert_id", "alertname", "rule_key", "ends_at", "service", "labels", "summary", "description")


def checked(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return `alerts` with all columns that similarity reads."""
    given = alerts.assign(**{name: None for name in _USED if name not in alerts.columns})
    return schema.check(given, schema.ALERTS, need=["starts_at", "incident_id"])


def incident_similarity(
    alerts: pd.DataFrame, *, of: Collection[int] | None = None, by: str = "symptom"
) -> pd.DataFrame:
    """Return how alike incidents are, each with each.

    Parameters
    ----------
    alerts : DataFrame
        Alerts with `starts_at` and `incident_id` (see `cluster_incidents`); alerts on their own (-1) say what is usual.
        More history makes it better known which kinds say little because they are always there.
    of : collection of int, optional
        Incidents to compare with all. Default: all of them, at most 20,000.
    by : {"symptom", "rule", "service"}, default "symptom"
        What makes two alerts the same kind, see `Notes`.

    Returns
    -------
    DataFrame of float64
        A row per incident of `of` (in that order), a column per incident, both named by incident_id: 0, nothing
        shared, to 1, all. ``attrs["parts"]`` says what each part is worth.

    Raises
    ------
    SchemaError
        `starts_at` or `incident_id` is missing.
    UnknownNameError
        One of `of` is not among the incidents.
    ParameterError
        There are more than 20,000 incidents and `of` is not given.

    Notes
    -----
    Each part is Dice's coefficient over things weighed by how unusual they are: 2 * shared / (mine + yours). Parts:
    kinds 0.35, services 0.25, rules 0.2, order 0.1 (kinds; the one that came n-th counts 1/n) and symptoms 0.1. The
    weight of a thing is the square of log(usual), where usual is the share of incidents that had it plus the chance
    that it fires within an hour on its own. A similarity is no probability. Time and memory grow with the square of the
    number of incidents: 5,000 take a few seconds and 0.3 GB.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": pd.to_datetime(["2026-03-01T02:00Z", "2026-03-01T02:01Z", "2026-03-08T02:00Z",
    ...                                  "2026-03-08T02:02Z", "2026-03-09T09:00Z"]),
    ...     "service": ["orders-db", "orders", "orders-db", "web", "search"],
    ...     "alertname": ["High latency", "Error rate", "High latency", "Error rate", "High latency"],
    ...     "incident_id": [0, 0, 1, 1, 2],
    ... })
    >>> sl.incident_similarity(alerts).round(2).loc[0].tolist()
    [1.0, 0.32, 0.02]
    """
    _params.choice(by, "by", BY)
    views = Views.of(checked(alerts), by=by)
    ids = pd.Index(views.incidents["incident_id"], name="incident_id")
    if of is None:
        if len(ids) > MOST:
            raise ParameterError(
                f"{len(ids):,} incidents are too many to compare all with all; pass at most {MOST:,}, or of=[...]"
            )
        return _framed(similarity(views, np.arange(len(ids))), ids, ids)
    rows = pd.Index(list(of), name="incident_id")
    missing = rows[~rows.isin(ids)]
    if len(missing):
        raise UnknownNameError.among("incident", str(missing[0]), map(str, ids))
    return _framed(similarity(views, ids.get_indexer(rows)), rows, ids)


def _framed(found: Floats, rows: pd.Index, columns: pd.Index) -> pd.DataFrame:
    table = pd.DataFrame(found, index=rows, columns=columns)
    table.attrs = {"parts": dict(PARTS)}
    return table


def similarity(views: Views, rows: Ints) -> Floats:
    """Return how alike the incidents at `rows` are to all; a part of which neither knows anything does not count."""
    found = np.zeros((len(rows), len(views.incidents)))
    for start in range(0, len(rows), _BLOCK):
        found[start : start + _BLOCK] = _block(views, rows[start : start + _BLOCK])
    return found


def _block(views: Views, rows: Ints) -> Floats:
    shared, worth = np.zeros((len(rows), len(views.incidents))), np.zeros((len(rows), len(views.incidents)))
    for part, share in PARTS.items():
        alike, blank = agreement(views.parts[part], rows)
        alike *= share
        shared += alike
        worth += share
        lacking = np.flatnonzero(blank[rows])
        worth[lacking] -= share * blank
    told: Floats = np.clip(shared / np.where(worth > _NOTHING, worth, 1.0), 0.0, 1.0)
    return told
