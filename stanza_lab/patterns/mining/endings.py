"""What became of each incident: when somebody was paged, when it was over, and how it ended."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.incidents.paging import paged_at, taken_at
from stanza_lab.patterns.found import ENDINGS
from stanza_lab.patterns.lasting import half_recovered

_USED = ("source", "starts_at", "ends_at", "incident_id")
BY_ITSELF, TAKEN, OPEN, NOT_KNOWN = ENDINGS


def endings(alerts: pd.DataFrame, *, pages: pd.DataFrame | None) -> pd.DataFrame:
    """Return per incident starts_at, ends_at, half_at, page_at and ended; `attrs["definition"]` says what a page is.

    Only alerts whose source reports recoveries tell of the end: an incident is open while one of them is, and without
    any its end is not known. Somebody took it when an alert of it, or its page, was acknowledged.
    """
    table = schema.check(
        alerts.assign(**{name: None for name in _USED if name not in alerts.columns})[list(_USED)],
        schema.ALERTS,
        need=["starts_at", "incident_id"],
    ).reset_index(drop=True)
    paged = paged_at(alerts, pages=pages)
    definition = str(paged.attrs["definition"])
    source = table["source"].astype("str").fillna("")
    tells = source.isin(source[table["ends_at"].notna()].unique())
    table = table.assign(
        page_at=pd.Series(paged.array, index=table.index),
        taken=taken_at(alerts, pages=pages).notna().to_numpy(),
        tells=tells,
        open=tells & table["ends_at"].isna(),
    )
    found = (
        table[table["incident_id"] != schema.NOISE]
        .groupby("incident_id", sort=True)
        .agg(
            starts_at=("starts_at", "min"),
            ends_at=("ends_at", "max"),
            page_at=("page_at", "min"),
            taken=("taken", "any"),
            tells=("tells", "any"),
            open=("open", "any"),
        )
    )
    ended = np.select([found["open"], ~found["tells"], found["taken"]], [OPEN, NOT_KNOWN, TAKEN], default=BY_ITSELF)
    telling = table[table["tells"] & (table["incident_id"] != schema.NOISE)]
    half = half_recovered(telling["ends_at"], of=telling["incident_id"]).reindex(found.index)
    found = found.assign(
        half_at=half.astype(schema.TIME_DTYPE),
        ends_at=found["ends_at"].where(~found["open"]),
        ended=pd.Series(ended, index=found.index, dtype="str"),
    )[["starts_at", "ends_at", "half_at", "page_at", "ended"]]
    found.attrs = {"definition": definition}
    return found
