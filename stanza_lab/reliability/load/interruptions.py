"""Interruptions: when pages met people, at work, off work or asleep; what rings again within a window counts once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.production import hours
from stanza_lab.reliability.load import arrays
from stanza_lab.reliability.load.shifts import NOT_KNOWN

INTERRUPTIONS: dict[str, Any] = {
    "who": "str",  # a person (pseudonym), or the rotation where nobody is told
    "team": "str",
    "at": schema.TIME_DTYPE,
    "local": "datetime64[us]",  # the same on the wall of `tz`
    "tz": "str",
    "kind": pd.CategoricalDtype(list(hours.KINDS)),
    "night": "datetime64[us]",  # evening of the night it broke; null by day
    "pages": "int64",  # that rang within the window
}
PEOPLE: dict[str, Any] = {
    "person": "str",
    "team": "str",  # the one whose pages reached them most
    "pages": "int64",
    "interruptions": "int64",
    "business": "int64",
    "off_hours": "int64",
    "sleep_hours": "int64",
    "off_hours_share": "float64",
    "nights": "int64",  # broken at least once
    "acknowledged": "int64",  # pages they took
    "engaged_h": "float64",  # from taking a page or joining until it was resolved; null: not told of anybody
    "weeks": "int64",  # in which they were interrupted
    "tz": "str",
}
# What says best that somebody was interrupted: a phone that rang, a page given to them, what they did about it.
_RANK = {"notified": 0, "assigned": 1, "escalated": 1, "asked": 2, "joined": 2, "acknowledged": 2}
_SAID = ("notifications", "pages given to a person", "what people did about pages")


def calls(engagements: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return whom each page called (who, team, at, page), by the best that is told of it, and what that was."""
    known = engagements[engagements["kind"].isin(list(_RANK)) & engagements["person"].notna()]
    rank = known["kind"].map(_RANK)
    best = rank.groupby(known["page"]).transform("min")
    chosen = known[rank == best]
    said = [text for number, text in enumerate(_SAID) if (best == number).any()]
    called = chosen.rename(columns={"person": "who"})[["who", "team", "at", "page"]]
    return called.drop_duplicates(["who", "at", "page"]), " and ".join(said) or "nothing"


def table(called: pd.DataFrame, *, window: pd.Timedelta, zones: dict[Any, str]) -> pd.DataFrame:
    """Return `INTERRUPTIONS` in order of time: what calls somebody within `window` after what counted counts once."""
    rows = called.assign(team=called["team"].fillna(NOT_KNOWN), who=called["who"].fillna(NOT_KNOWN))
    who, _ = arrays.codes(rows["who"])
    order = np.lexsort((arrays.micros(rows["at"]), who))
    rows, who = rows.take(order).reset_index(drop=True), who[order]
    counts = arrays.once_per(who, arrays.micros(rows["at"]), window // pd.Timedelta("1us"))
    first = np.flatnonzero(counts)
    found = rows.take(first).reset_index(drop=True)
    found = found.assign(pages=np.diff(np.r_[first, len(rows)]), **_on_the_wall(found, zones))
    found = found.sort_values(["at", "who"], kind="stable", ignore_index=True)
    return found[list(INTERRUPTIONS)].astype(INTERRUPTIONS)


def people(interruptions: pd.DataFrame, called: pd.DataFrame, engagements: pd.DataFrame) -> pd.DataFrame:
    """Return `PEOPLE`, those with most interruptions first. `engagements` need ended_at of their page."""
    sums = counted(interruptions, "who").rename_axis("person").reset_index()
    mine = called.groupby("who")
    took = engagements[engagements["kind"].isin(["acknowledged", "joined"]) & engagements["person"].notna()]
    engaged = engaged_seconds(took)
    week = interruptions["local"] - pd.to_timedelta(interruptions["local"].dt.day_of_week, unit="D")
    weeks = week.dt.normalize().groupby(interruptions["who"]).nunique()
    engaged_h = engaged.groupby("person")["engaged_s"].sum() / 3600
    acked = took[took["kind"] == "acknowledged"].groupby("person")["page"].nunique()
    table = sums.assign(
        team=sums["person"].map(_most(interruptions)),
        pages=sums["person"].map(mine["page"].nunique()),
        acknowledged=sums["person"].map(acked).fillna(0),
        engaged_h=sums["person"].map(engaged_h).fillna(np.nan if engaged.empty else 0.0),
        weeks=sums["person"].map(weeks),
        tz=sums["person"].map(interruptions.groupby("who")["tz"].first()),
    )
    table = table.sort_values(["interruptions", "person"], ascending=[False, True], ignore_index=True)
    return table[list(PEOPLE)].astype(PEOPLE)


def counted(interruptions: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return interruptions, `hours.KINDS` that sum up to them, off_hours_share and nights by `by`."""
    kinds = {name: interruptions["kind"] == name for name in hours.KINDS}
    flags = pd.DataFrame(kinds, index=interruptions.index).astype("int64")
    sums = flags.groupby(interruptions[by]).sum()
    total = sums.sum(axis=1)
    broken = interruptions.dropna(subset=["night"]).drop_duplicates(["who", "night"]).groupby(by).size()
    return sums.assign(
        interruptions=total,
        off_hours_share=(sums["off_hours"] + sums["sleep_hours"]) / total,
        nights=broken.reindex(sums.index, fill_value=0),
    )


def _most(interruptions: pd.DataFrame) -> pd.Series:
    """Return the team whose pages reached each person most."""
    counts = interruptions.groupby(["who", "team"]).size().rename("n").reset_index()
    counts = counts.sort_values(["n", "team"], ascending=[False, True])
    return counts.drop_duplicates("who").set_index("who")["team"]


def engaged_seconds(took: pd.DataFrame) -> pd.DataFrame:
    """Return page, person, team, engaged_s: from the first time a person took a page or joined until it was resolved.

    Snoozes count; a page that is open, or was resolved before, has none.
    """
    first = took.sort_values("at", kind="stable").drop_duplicates(["page", "person"])
    seconds = (first["ended_at"] - first["at"]).dt.total_seconds()
    return first.assign(engaged_s=seconds)[seconds >= 0][["page", "person", "team", "engaged_s"]]


def _on_the_wall(found: pd.DataFrame, zones: dict[Any, str]) -> dict[str, Any]:
    tz = found["who"].map(zones).fillna(found["team"].map(zones)).fillna(zones[None]).astype("str")
    local = pd.Series(pd.NaT, index=found.index, dtype="datetime64[us]")
    for name in sorted(set(tz)):
        there = tz == name
        local[there] = hours.local(found.loc[there, "at"], name).astype("datetime64[us]")
    kind = hours.split(local)
    named = np.select([kind[name].to_numpy() for name in hours.KINDS], list(hours.KINDS), default="")
    return {"local": local, "tz": tz, "kind": named, "night": hours.night(local)}
