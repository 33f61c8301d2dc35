"""Pager load of each team in one row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stanza_lab.production import hours
from stanza_lab.reliability.load import interruptions as interrupting
from stanza_lab.reliability.load.shifts import NOT_KNOWN

TEAMS: dict[str, Any] = {
    "team": "str",
    "rotations": "int64",
    "people": "Int64",  # that pages reached; null: not told
    "pages": "int64",
    "incidents": "int64",  # different ones that paged
    "shifts": "int64",  # whole ones
    "per_shift": "float64",  # mean of incidents that paged, per whole shift
    "p90_per_shift": "float64",
    "over": "int64",  # whole shifts above the limit
    "interruptions": "int64",
    "business": "int64",
    "off_hours": "int64",
    "sleep_hours": "int64",
    "off_hours_share": "float64",
    "nights": "int64",  # broken, one per person and night
    "resolved": "int64",  # pages
    "auto_resolved": "float64",  # of them
    "never_acknowledged": "float64",  # of all pages; null: no acknowledgement in all of the history
    "engaged_h": "float64",  # null: not told
}


def table(
    pages: pd.DataFrame, shifts: pd.DataFrame, found: pd.DataFrame, engaged: pd.DataFrame, *, people: bool
) -> pd.DataFrame:
    """Return `TEAMS`, most interruptions first. `pages` need automatic; `found` is `interruptions.INTERRUPTIONS`."""
    if pages.empty:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in TEAMS.items()})
    own = pages.assign(team=pages["team"].fillna(NOT_KNOWN), rotation=pages["rotation"].fillna(NOT_KNOWN))
    own = own.assign(ended=own["ended_at"].notna(), ignored=own["acked_at"].isna())
    groups = own.groupby("team", sort=True)
    sums = groups.agg(
        rotations=("rotation", "nunique"), pages=("at", "size"), incidents=("incident", "nunique"),
        resolved=("ended", "sum"), auto_resolved=("automatic", "mean"), never_acknowledged=("ignored", "mean"),
    )  # fmt: skip
    whole = shifts[shifts["whole"]].groupby("team")["incidents"]
    met = interrupting.counted(found, "team").reindex(sums.index)
    names = ["interruptions", *hours.KINDS, "nights"]
    reached = found.groupby("team")["who"].nunique().astype("Int64") if people else pd.Series(dtype="Int64")
    hours_engaged = engaged.groupby("team")["engaged_s"].sum().div(3600)
    if not pages["acked_at"].notna().any():
        sums["never_acknowledged"] = np.nan  # nobody's answer was recorded: no sign that nobody answered
    table = sums.assign(
        people=reached.reindex(sums.index),
        shifts=whole.size().reindex(sums.index, fill_value=0),
        per_shift=whole.mean().reindex(sums.index),
        p90_per_shift=whole.quantile(0.9).reindex(sums.index),
        over=shifts[shifts["whole"] & shifts["over"]].groupby("team").size().reindex(sums.index, fill_value=0),
        off_hours_share=met["off_hours_share"],
        engaged_h=hours_engaged.reindex(sums.index, fill_value=np.nan if engaged.empty else 0.0),
        **{name: met[name].fillna(0) for name in names},
    )
    table = table.reset_index().sort_values(["interruptions", "team"], ascending=[False, True], ignore_index=True)
    return table[list(TEAMS)].astype(TEAMS)


def automatic(pages: pd.DataFrame, engagements: pd.DataFrame) -> tuple[pd.Series, str]:
    """Return for each resolved page whether a machine resolved it (null: open, or not told), and what tells so.

    Without a pager that says who resolved a page, one that nobody acknowledged stands for one that resolved itself.
    """
    told = engagements[(engagements["kind"] == "resolved") & engagements["automatic"].notna()]
    by = told.groupby("row")["automatic"].last().astype("boolean")
    ended = pages["ended_at"].notna()
    if len(by):
        return by.reindex(pages.index).where(ended).astype("Float64"), "the pager says that no person resolved it"
    if not pages["acked_at"].notna().any():
        return pd.Series(pd.NA, index=pages.index, dtype="Float64"), "not told: no page was acknowledged at all"
    return pages["acked_at"].isna().where(ended).astype("Float64"), "resolved and never acknowledged (a proxy)"
