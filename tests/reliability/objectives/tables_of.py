"""Small tables of counts for the tests of objectives."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

import stanza_lab as sl

START = pd.Timestamp("2026-03-01T00:00Z")


def counts(
    bad: Sequence[float],
    *,
    total: float = 1000.0,
    step: str = "5min",
    service: str = "shop",
    indicator: str = "requests",
) -> pd.DataFrame:
    """Return counts with so many failures in each interval."""
    width = pd.Timedelta(step)
    at = [START + width * (i + 1) for i in range(len(bad))]
    return pd.DataFrame(
        {
            "service": service,
            "indicator": indicator,
            "at": at,
            "covers_s": width.total_seconds(),
            "good": [total - b for b in bad],
            "total": float(total),
        }
    )


def promised(objective: float = 99.9, **more: object) -> sl.Objective:
    """Return an objective of the shop."""
    return sl.Objective(**({"name": "Answers", "service": "shop", "objective": objective} | more))
