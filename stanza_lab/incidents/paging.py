"""When somebody was paged for an alert: told by the pager where one was exported, else by a rule that is said."""

from __future__ import annotations

import json

import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.incidents.quality.pages import copies_of

PAGERS = ("pagerduty", "opsgenie", "grafana_oncall", "oncall", "victorops")
NO_PAGER = "no pager was exported"  # so begins the definition of a page that rests on a rule
PAGES_FROM = "error"  # severity that would page where no pager is in the history
_TIMES = ("starts_at", "acked_at")
_USED = ("alert_id", "source", "origin", "rule_key", "alertname", "summary", "service", "severity", *_TIMES)


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
    known, own, given = _read(alerts, pages)
    at = known["starts_at"].where(own)
    if len(given):
        at = at.fillna(_told(known, given, _params.duration(delay, "delay"))["starts_at"])
        systems = ", ".join(sorted(given["source"].astype("str").unique()))
        said = f"a page is an alert of {systems}"
    elif known["severity"].notna().any():
        at = known["starts_at"].where(known["severity"] >= PAGES_FROM)
        said = f"{NO_PAGER}: a page is an alert of severity {PAGES_FROM} or worse"
    else:
        at = known["starts_at"]
        said = f"{NO_PAGER} and no severity is stated: every alert counts as a page"
    at.index = alerts.index
    at.attrs = {"definition": said}
    return at.rename("paged_at")


def taken_at(alerts: pd.DataFrame, *, pages: pd.DataFrame | None = None, delay: _params.Duration = "5min") -> pd.Series:
    """Return when somebody took each alert: acknowledged it, or the page that copies it; parameters as of `paged_at`.

    Returns
    -------
    Series of datetime64[us, UTC]
        Aligned with `alerts`; null: nobody acknowledged it, or it is not known.
    """
    known, _, given = _read(alerts, pages)
    at = known["acked_at"]
    if len(given):
        told = _told(known, given, _params.duration(delay, "delay"))["acked_at"]
        at = pd.concat([at, told], axis=1).min(axis=1).astype(schema.TIME_DTYPE)
    at.index = alerts.index
    return at.rename("taken_at")


def _read(alerts: pd.DataFrame, pages: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """Return the alerts, which of them a paging system raised, and the alerts of paging systems with a time."""
    known = schema.check(_filled(alerts), schema.ALERTS, need=["starts_at"])
    own = known["source"].astype("str").isin(PAGERS)
    given = known if pages is None else schema.check(_filled(pages), schema.ALERTS, need=["starts_at"])
    return known, own, given[given["source"].astype("str").isin(PAGERS) & given["starts_at"].notna()]


def _filled(alerts: pd.DataFrame) -> pd.DataFrame:
    return alerts.assign(**{name: None for name in _USED if name not in alerts.columns}).reset_index(drop=True)


def _told(alerts: pd.DataFrame, pages: pd.DataFrame, within: pd.Timedelta) -> pd.DataFrame:
    """Return `starts_at` of the first page that copies each alert, and when one of its pages was first acknowledged."""
    pages = pages.set_index(pd.RangeIndex(len(alerts), len(alerts) + len(pages)))
    said = pages["labels"] if "labels" in pages.columns else pd.Series(None, index=pages.index, dtype="str")
    pairs = copies_of(pages.assign(key=said.map(_key)), alerts, within)
    times = pages[list(_TIMES)].reindex(pairs["page"]).groupby(pairs["of"].to_numpy()).min()
    return times.reindex(alerts.index)


def _key(labels: object) -> str | None:
    try:
        found = json.loads(labels) if isinstance(labels, str) else None
    except (ValueError, RecursionError):
        return None
    key = found.get("key") if isinstance(found, dict) else None
    return key if isinstance(key, str) else None
