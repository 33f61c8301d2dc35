"""When somebody was paged for an alert: told by the pager where one was exported, else by a rule that is said."""

from __future__ import annotations

import json

import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.incidents.quality.pages import copies_of

PAGERS = ("pagerduty", "opsgenie", "grafana_oncall", "oncall", "victorops")
PAGES_FROM = "error"  # severity that would page where no pager is in the history
_USED = ("alert_id", "source", "origin", "rule_key", "alertname", "summary", "service", "starts_at", "severity")


def paged_at(alerts: pd.DataFrame, *, pages: pd.DataFrame | None = None, delay: _params.Duration = "5min") -> pd.Series:
    """Return when somebody was paged for each alert.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; `starts_at` must be there.
    pages : DataFrame, optional
        `schema.ALERTS` of paging systems, or a whole history: its alerts of paging systems are used. They copy alerts
        of others, so what groups alerts leaves them out. Default: those among `alerts`.
    delay : duration, default "5min"
        How long after an alert its page may be raised; larger finds more copies, and more wrong ones.

    Returns
    -------
    Series of datetime64[us, UTC]
        Aligned with `alerts`; null: nobody was paged for it. ``attrs["definition"]`` says in words what counted as a
        page: alerts of a paging system; without any, alerts of severity error or worse; without severities, all.
    """
    known = schema.check(_filled(alerts), schema.ALERTS, need=["starts_at"])
    own = known["source"].astype("str").isin(PAGERS)
    given = _filled(alerts if pages is None else pages)
    given = schema.check(given, schema.ALERTS, need=["starts_at"])
    given = given[given["source"].astype("str").isin(PAGERS) & given["starts_at"].notna()]
    at = known["starts_at"].where(own)
    if len(given):
        at = at.fillna(_told(known, given, _params.duration(delay, "delay")))
        systems = ", ".join(sorted(given["source"].astype("str").unique()))
        said = f"a page is an alert of {systems}"
    elif known["severity"].notna().any():
        at = known["starts_at"].where(known["severity"] >= PAGES_FROM)
        said = f"no pager was exported: a page is an alert of severity {PAGES_FROM} or worse"
    else:
        at = known["starts_at"]
        said = "no pager was exported and no severity is stated: every alert counts as a page"
    at.index = alerts.index
    at.attrs = {"definition": said}
    return at.rename("paged_at")


def _filled(alerts: pd.DataFrame) -> pd.DataFrame:
    return alerts.assign(**{name: None for name in _USED if name not in alerts.columns}).reset_index(drop=True)


def _told(alerts: pd.DataFrame, pages: pd.DataFrame, within: pd.Timedelta) -> pd.Series:
    """Return the time of the first page that copies each alert."""
    pages = pages.set_index(pd.RangeIndex(len(alerts), len(alerts) + len(pages)))
    said = pages["labels"] if "labels" in pages.columns else pd.Series(None, index=pages.index, dtype="str")
    pairs = copies_of(pages.assign(key=said.map(_key)), alerts, within)
    times = pages["starts_at"].reindex(pairs["page"]).groupby(pairs["of"].to_numpy()).min()
    return times.reindex(alerts.index)


def _key(labels: object) -> str | None:
    try:
        found = json.loads(labels) if isinstance(labels, str) else None
    except (ValueError, RecursionError):
        return None
    key = found.get("key") if isinstance(found, dict) else None
    return key if isinstance(key, str) else None
