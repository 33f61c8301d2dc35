"""Pages: what rang, whom it was for, which alerts and incident it was about, how long it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.incidents.paging import PAGERS, paged_at
from stanza_lab.incidents.quality.pages import copies_of
from stanza_lab.reliability.load import arrays
from stanza_lab.reliability.load.labels import stated

if TYPE_CHECKING:
    from stanza_lab.reliability.load.arrays import Bools, Ints

USED = (
    "alert_id", "source", "origin", "event_ids", "rule_key", "alertname", "summary", "description", "service", "team",
    "starts_at", "acked_at", "ends_at", "severity", "labels", "incident_id",
)  # fmt: skip
_COPIED = ["source", "rule_key", "alertname", "summary", "service", "starts_at"]


class Paged(NamedTuple):
    """The pages, the alerts without them, and what a page is."""

    # page, at, acked_at, ended_at, team, rotation, service, source, incident, alert_at, recovered_at
    pages: pd.DataFrame
    alerts: pd.DataFrame  # USED, and `page` (row of pages; -1: none), `taken` (somebody acknowledged it or its page)
    ids: pd.Series  # row of pages by the pager's own id
    definition: str
    by_pager: bool


def filled(alerts: pd.DataFrame, *, what: str = "alerts") -> pd.DataFrame:
    """Return the columns that are used, those that are missing as nulls."""
    there = [name for name in USED if name in alerts.columns]
    given = schema.check(alerts[there].reset_index(drop=True), schema.ALERTS, need=["starts_at"], what=what)
    blank = schema.empty(schema.ALERTS)
    for name in USED:
        if name not in there:
            none = schema.NOISE if name == "incident_id" else None
            given[name] = none if name == "incident_id" else blank[name].reindex(given.index)
    return given[list(USED)]


def read(alerts: pd.DataFrame, pages: pd.DataFrame | None, delay: pd.Timedelta) -> Paged:
    """Return the pages among `alerts` or `pages`; without a pager the alerts that would page."""
    own = alerts["source"].isin(PAGERS).to_numpy(dtype=bool)
    rung = alerts[own] if pages is None else pages[pages["source"].isin(PAGERS)]
    rung = rung[rung["starts_at"].notna()].reset_index(drop=True)
    others = _timed_others(alerts, own)
    if len(rung):
        definition = str(paged_at(rung.drop_duplicates("source")).attrs["definition"])
        rung = rung.join(stated(rung["labels"], "key", "escalation_policy"))
        page, first = _linked(rung, others, delay)
        ids = rung["event_ids"].explode().dropna().astype("str")
        known = pd.Series(ids.index.to_numpy(), index=ids.to_numpy(), dtype="int64")
    else:
        at = paged_at(others.drop(columns="event_ids"))  # lists, slow to check, and no part of the question
        definition = str(at.attrs["definition"])
        chosen = at.notna().to_numpy()
        page = np.where(chosen, np.cumsum(chosen) - 1, -1).astype("int64")
        first = np.flatnonzero(chosen).astype("int64")
        known = pd.Series(dtype="int64")
    by_pager = bool(len(rung))
    table = _about(rung if by_pager else others.take(first).reset_index(drop=True), others, first, by_pager=by_pager)
    acked = table["acked_at"].notna().to_numpy()
    taken = others["acked_at"].notna().to_numpy() | ((page >= 0) & np.r_[acked, False][page])
    known = known[~known.index.duplicated()]
    return Paged(table, others.assign(page=page, taken=taken), known, definition, by_pager)


def _timed_others(alerts: pd.DataFrame, own: Bools) -> pd.DataFrame:
    """Return the alerts that are no page and whose time is known."""
    kept = ~own & alerts["starts_at"].notna().to_numpy()
    return alerts if kept.all() else alerts[kept].reset_index(drop=True)


def _linked(rung: pd.DataFrame, alerts: pd.DataFrame, delay: pd.Timedelta) -> tuple[Ints, Ints]:
    """Return the page that copies each alert, and the alert that each page copies (-1: none).

    Most pages carry the key of their alert's rule; only those that do not are compared by names and titles.
    """
    page, first = np.full(len(alerts), -1, dtype=np.int64), _by_key(rung, alerts, delay)
    left = np.flatnonzero(first < 0)
    near = np.flatnonzero(_before_a_page(rung.take(left), alerts, delay)) if len(left) else left
    if len(near):
        waiting = rung[[*_COPIED, "origin"]].assign(key=rung["key"]).take(left)
        waiting = waiting.set_axis(pd.RangeIndex(len(near), len(near) + len(left)))
        pairs = copies_of(waiting, alerts[_COPIED].take(near).reset_index(drop=True), delay)
        pairs = pairs.sort_values(["page", "of"], ascending=False)
        first[left[pairs["page"].to_numpy(dtype="int64") - len(near)]] = near[pairs["of"].to_numpy(dtype="int64")]
    rows = np.flatnonzero(first >= 0)[::-1]
    page[first[rows]] = rows
    return page, first


def _by_key(rung: pd.DataFrame, alerts: pd.DataFrame, delay: pd.Timedelta) -> Ints:
    """Return the last alert before each page of the rule whose key it carries, in the tool it is from (-1: none)."""
    if not len(alerts):
        return np.full(len(rung), -1, dtype=np.int64)
    rule, rules = arrays.codes(alerts["rule_key"])
    system, systems = arrays.codes(alerts["source"])
    asked = rules.get_indexer(pd.Index(rung["key"].astype(object)))
    of = systems.get_indexer(pd.Index(rung["origin"].astype(object)))
    group = np.r_[rule * len(systems) + system, asked * len(systems) + of].astype(np.int64)
    window = delay // pd.Timedelta("1us")
    at = np.r_[arrays.micros(alerts["starts_at"]), arrays.micros(rung["starts_at"])]
    numbers = arrays.within(np.maximum(group, 0), at, window)
    raised = np.where((rule >= 0) & (system >= 0), numbers[: len(alerts)], -1)
    order = np.argsort(raised, kind="stable")
    place = np.searchsorted(raised[order], numbers[len(alerts) :], side="right") - 1
    last = order[np.maximum(place, 0)]
    fits = (place >= 0) & (asked >= 0) & (of >= 0) & (numbers[len(alerts) :] - raised[last] <= window)
    return np.where(fits & (raised[last] >= 0), last, -1).astype(np.int64)


def _before_a_page(rung: pd.DataFrame, alerts: pd.DataFrame, delay: pd.Timedelta) -> Bools:
    """Return which alerts are followed in time by a page about their source: the others need not be compared."""
    near = np.zeros(len(alerts), dtype=bool)
    at, source = arrays.micros(alerts["starts_at"]), alerts["source"].astype("str").to_numpy()
    for system, rows in rung.groupby(rung["origin"].astype("str"))["starts_at"]:
        raised = np.sort(arrays.micros(rows))
        mine = np.flatnonzero(source == system)
        after = np.searchsorted(raised, at[mine], side="left")
        soon = np.r_[raised, np.iinfo(np.int64).max][after] - at[mine] <= delay // pd.Timedelta("1us")
        near[mine] = soon & (after < len(raised))
    return near


def _about(rung: pd.DataFrame, alerts: pd.DataFrame, first: Ints, *, by_pager: bool) -> pd.DataFrame:
    """Return the table of the pages."""
    known = ["incident_id", "starts_at", "team", "service"]
    of, rows = (alerts, np.maximum(first, 0)) if len(alerts) else (rung, np.arange(len(rung)))  # where none, not used
    copied = of[known].take(rows).reset_index(drop=True)
    none = pd.Series(first < 0)
    incident = rung["incident_id"].mask(rung["incident_id"] < 0, copied["incident_id"].mask(none, schema.NOISE))
    alone = -2 - np.arange(len(rung))  # of no incident that is known: one of its own
    incident = incident.where(incident >= 0, alone)
    team = rung["team"].astype("str").fillna(copied["team"].astype("str").mask(none))
    policy = rung["escalation_policy"] if by_pager else team
    table = pd.DataFrame(
        {
            "page": rung["alert_id"].astype("str"),
            "at": rung["starts_at"],
            "acked_at": rung["acked_at"],
            "ended_at": rung["ends_at"],
            "team": team,
            "rotation": policy.fillna(team).astype("str"),
            "service": rung["service"].astype("str").fillna(copied["service"].astype("str").mask(none)),
            "source": rung["source"].astype("str"),
            "incident": incident.astype("int64"),
        }
    )
    spans = _spans(alerts, incident)
    own_start = rung["starts_at"].where(none, copied["starts_at"].where(copied["starts_at"] < rung["starts_at"]))
    times = {"began": schema.TIME_DTYPE, "ended": schema.TIME_DTYPE}  # lost where no incident is known
    of = spans.reindex(incident).set_axis(incident.index).astype(times)
    began, ended = of["began"].fillna(own_start).fillna(rung["starts_at"]), of["ended"]
    return table.assign(alert_at=began, recovered_at=ended.where(incident.isin(spans.index), rung["ends_at"]))


def _spans(alerts: pd.DataFrame, incident: pd.Series) -> pd.DataFrame:
    """Return when the first alert of each incident began and the last recovered; null when one is still open.

    Alerts of sources that report no recovery have no end to wait for.
    """
    wanted = alerts["incident_id"].to_numpy()
    chosen = np.isin(wanted, np.unique(incident[incident >= 0].to_numpy()))
    reporting = alerts.loc[alerts["ends_at"].notna(), "source"].unique()
    mine = alerts.loc[chosen, ["incident_id", "starts_at", "ends_at", "source"]]
    open_ones = mine["ends_at"].isna() & mine["source"].isin(reporting)
    groups = mine.assign(open=open_ones).groupby("incident_id")
    found = groups.agg(began=("starts_at", "min"), ended=("ends_at", "max"), open=("open", "any"))
    return found.assign(ended=found["ended"].mask(found["open"].astype(bool)))[["began", "ended"]]
