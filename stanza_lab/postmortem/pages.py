"""The pages of an incident: those that copy one of its alerts, and those that fit it by service and time."""

from __future__ import annotations

import json

import pandas as pd

from stanza_lab.incidents.quality.pages import copies_of
from stanza_lab.postmortem.spelling import spelled

DELAY = pd.Timedelta("5min")  # how long after an alert its page may come (`paged_at`)


def of_pager(mine: pd.DataFrame, *, alerts: pd.DataFrame, pages: pd.DataFrame) -> pd.DataFrame:
    """Return the pages for the alerts `mine`: at, acked_at, ends_at, service, team, title, ids, source, sure.

    `sure` says that a page copies an alert of the incident; else it is about one of its services, began with it, and
    copies none of the other `alerts`.
    """
    begin, last = mine["starts_at"].iloc[0], mine["starts_at"].iloc[-1] + DELAY
    pages = pages[pages["starts_at"].between(begin, last)]
    near = alerts[alerts["starts_at"].between(begin - DELAY, last)].reset_index(drop=True)
    numbered = pages.set_index(pd.RangeIndex(len(near), len(near) + len(pages)))
    keyed = numbered.assign(key=numbered["labels"].map(_key, na_action="ignore").astype("str"))
    pairs = copies_of(keyed, near, DELAY).drop_duplicates("page").set_index("page")["of"]
    copied = pairs.reindex(numbered.index)
    ours = near.index[near["incident_id"] == mine["incident_id"].iloc[0]]
    services = mine["service"].dropna().astype("str").unique()
    fits = copied.isna() & spelled(numbered["service"], services).isin(services)
    return _rows(numbered[copied.isin(ours) | fits], sure=copied[copied.isin(ours) | fits].notna())


def _rows(pages: pd.DataFrame, *, sure: pd.Series) -> pd.DataFrame:
    known = zip(pages["event_ids"], pages["alert_id"], strict=True)
    ids = [[*(listed if isinstance(listed, list) else []), own] for listed, own in known]
    found = pages[["acked_at", "ends_at", "service", "team", "source"]].assign(
        at=pages["starts_at"],
        title=pages["summary"].fillna(pages["alertname"].astype("str")).fillna(""),
        sure=sure.to_numpy(dtype=bool),
        ids=pd.Series(ids, index=pages.index, dtype=object),
    )
    return found.sort_values(["at", "title"], kind="stable", ignore_index=True)


def _key(labels: object) -> str | None:
    """Return the deduplication key that a page keeps of what it copies."""
    try:
        found = json.loads(labels) if isinstance(labels, str) else None
    except (ValueError, RecursionError):
        return None
    key = found.get("key") if isinstance(found, dict) else None
    return key if isinstance(key, str) else None
