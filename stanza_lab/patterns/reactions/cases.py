"""What a backtest goes through: every incident, and every alert on its own, in the order of time.

Lone alerts count: a reaction that fires on each of them is wrong as often, and leaving them out flatters it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.incidents.paging import paged_at
from stanza_lab.production import tables, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_USED = (
    "alert_id", "source", "origin", "rule_key", "alertname", "summary", "description", "labels", "service", "team",
    "environment", "severity", "acked_at", "ends_at",
)  # fmt: skip
OPEN_AT_MOST = pd.Timedelta("1D")  # an alert open for longer says nothing about what goes on now
_TICK = np.timedelta64(1, "us")
END_UNKNOWN = pd.Timedelta("30min")  # an alert whose end nobody reports counts as open for so long


@dataclass(frozen=True)
class Cases:
    """Alerts sorted by time with `case` (whole numbers; a lone alert has its own) and `until` (open until then).

    Attributes
    ----------
    alerts : DataFrame
        `schema.ALERTS` with `case`, `until`.
    table : DataFrame
        Indexed by case: incident_id (-1: a lone alert), starts_at, page_at (null: nobody was paged), recovered_at
        (null: open, or its end is not known).
    page : str
        What counted as a page.
    unseen : tuple of str
        What was left out, and what ends are not known.
    """

    alerts: pd.DataFrame
    table: pd.DataFrame
    page: str
    unseen: tuple[str, ...]

    @classmethod
    def of(cls, alerts: pd.DataFrame, *, pages: pd.DataFrame | None) -> Cases:
        """Return the cases of a history; `alerts` must have `starts_at`, `service` and `incident_id`."""
        checked = schema.check(alerts, schema.ALERTS, need=["starts_at", "service", "incident_id"])
        known = tables.filled(checked, _USED).reset_index(drop=True)
        timed = known[known["starts_at"].notna()].sort_values("starts_at", kind="stable", ignore_index=True)
        paged = paged_at(timed, pages=pages)
        lone = timed["incident_id"] == schema.NOISE
        first = int(timed["incident_id"].max()) + 1 if len(timed) else 0
        case = timed["incident_id"].where(~lone, first + lone.cumsum() - 1).astype("int64")
        reports = _reports_ends(timed)
        open_for = timed["ends_at"].fillna(timed["starts_at"] + END_UNKNOWN.to_pytimedelta())
        timed = timed.assign(case=case, until=open_for.clip(upper=timed["starts_at"] + OPEN_AT_MOST))
        counted = timed[reports]
        ends = counted.groupby("case")["ends_at"].max()
        still = counted["ends_at"].isna().groupby(counted["case"]).any()
        table = timed.groupby("case").agg(incident_id=("incident_id", "first"), starts_at=("starts_at", "min"))
        table = table.assign(
            page_at=paged.groupby(timed["case"].to_numpy()).min().reindex(table.index),
            recovered_at=ends.where(~still).reindex(table.index),
        ).astype({"page_at": schema.TIME_DTYPE, "recovered_at": schema.TIME_DTYPE})
        return cls(timed, table, str(paged.attrs["definition"]), tuple(_unseen(known, timed, reports, table)))

    def upto(self, case: int, at: pd.Timestamp) -> pd.DataFrame:
        """Return the alerts of a case that had fired by a time."""
        found: pd.DataFrame = self.alerts.iloc[self._rows[case]]
        shown: pd.DataFrame = found[found["starts_at"] <= at]
        return shown

    def firing(self, at: pd.Timestamp) -> pd.DataFrame:
        """Return all alerts open at a time, of whatever incident; those that fired long ago are left out."""
        times = self.alerts["starts_at"]
        since, now = times.searchsorted(at - OPEN_AT_MOST), times.searchsorted(at, side="right")
        near = self.alerts.iloc[int(since) : int(now)]
        return _as_of(near[near["until"] > at], at)

    def loud(self, at: pd.Timestamp) -> set[str]:
        """Return the services with an open alert at a time."""
        starts, until, names = self._arrays
        now = at.to_datetime64()
        since, to = np.searchsorted(starts, [now - OPEN_AT_MOST.to_timedelta64(), now + _TICK])
        return set(names[since:to][until[since:to] > now]) - {""}

    def mute_at(self, service: str) -> list[str]:
        """Return the tools with an alert of a service that never report an end."""
        there = self.alerts[(self.alerts["service"].astype("str") == service) & ~_reports_ends(self.alerts)]
        return sorted(there["source"].astype("str").fillna("a tool that is not named").unique())

    @cached_property
    def _rows(self) -> Mapping[Any, Any]:
        """Places of the alerts of each case, in order of time."""
        return self.alerts.groupby("case", sort=False).indices

    @cached_property
    def _arrays(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Starts, when they no longer count as open, and services."""
        times = [self.alerts[name].dt.tz_localize(None).to_numpy() for name in ("starts_at", "until")]
        return times[0], times[1], self.alerts["service"].astype(object).fillna("").to_numpy()

    @property
    def incidents(self) -> int:
        """How many are incidents, not lone alerts."""
        return int((self.table["incident_id"] != schema.NOISE).sum())


def _as_of(alerts: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """Return alerts without what came later: who took them, when they ended."""
    later = {name: alerts[name].where(alerts[name] <= at) for name in ("acked_at", "ends_at")}
    return alerts.assign(**later)


def _reports_ends(alerts: pd.DataFrame) -> pd.Series:
    """Tell of each alert whether its source ever reports an end; where none does, an open alert says nothing."""
    source = alerts["source"].astype("str").fillna("")
    reporting: Collection[str] = source[alerts["ends_at"].notna()].unique()
    return source.isin(list(reporting))


def _unseen(given: pd.DataFrame, timed: pd.DataFrame, reports: pd.Series, table: pd.DataFrame) -> list[str]:
    said = []
    if missing := len(given) - len(timed):
        said.append(f"{words.count(missing, 'alert')} without a time left out")
    if mute := sorted(timed.loc[~reports, "source"].dropna().astype("str").unique()):
        said.append(f"{words.listing(mute)} never reports an end: recovery is that of the other alerts of an incident")
    if unended := int(table["recovered_at"].isna().sum()):
        said.append(
            f"{words.count(unended, 'incident or lone alert')} without a known recovery: no trouble is counted there"
        )
    return said
