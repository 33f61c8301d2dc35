"""Significant events: stretches of time that consumed a large part of an error budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.reliability.objectives import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stanza_lab.reliability.objectives.counts import Counts

EVENTS: dict[str, Any] = {
    "service": "str",
    "objective": "str",
    "starts_at": "datetime64[us, UTC]",
    "ends_at": "datetime64[us, UTC]",
    "bad": "float64",
    "total": "float64",
    "spent": "float64",  # share of the error budget of a whole window
    "significant": "bool",
}


def events_of(found: Sequence[Counts], *, significant: float, quiet: pd.Timedelta) -> pd.DataFrame:
    """Return the stretches with more failures than the objective allows, those of a pause `quiet` joined.

    An interval belongs to one when it has more than allowed by more than chance and one failure explain: more than
    m + 2 sqrt(m) + 1 of m allowed. What one spent is its failures over those that a whole window allows at the mean
    traffic.
    """
    rows: list[dict[str, Any]] = []
    for one in found:
        allowed = one.objective.budget
        mean = allowed * one.total
        chance = 0.0 if one.exact else 2.0 * np.sqrt(mean) + 1.0
        over = np.flatnonzero(one.bad > mean + chance)
        if not len(over):
            continue
        breaks = (one.start[over][1:] - one.end[over][:-1]) > quiet.total_seconds() * 1e6
        firsts, lasts = over[np.r_[True, breaks]], over[np.r_[breaks, True]]
        seen_s = float((one.end - one.start).sum()) / 1e6
        whole = allowed * float(one.total.sum()) * (one.objective.period.total_seconds() / seen_s)
        bad, total = np.r_[0.0, np.cumsum(one.bad)], np.r_[0.0, np.cumsum(one.total)]
        for first, last in zip(firsts, lasts, strict=True):
            failed = float(bad[last + 1] - bad[first])
            rows.append(
                {
                    "service": one.service,
                    "objective": one.objective.name,
                    "starts_at": pd.Timestamp(int(one.start[first]), unit="us", tz="UTC"),
                    "ends_at": pd.Timestamp(int(one.end[last]), unit="us", tz="UTC"),
                    "bad": failed,
                    "total": float(total[last + 1] - total[first]),
                    "spent": failed / whole,
                    "significant": failed / whole >= significant,
                }
            )
    rows.sort(key=lambda row: (row["starts_at"], row["service"], row["objective"]))
    return tables.framed(rows, EVENTS)
