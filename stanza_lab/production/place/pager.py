"""How loud a few services are: their alerts per week and hour of life, and per rule how often, how chronic, how noisy.

Hours are those of `production.hours`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.production import hours
from stanza_lab.production.door.pattern import of, span_days

if TYPE_CHECKING:
    from collections.abc import Collection

    from stanza_lab.production.contents import MapContents

CHRONIC = 0.25  # of the days: a rule that fires on so many is chronic, whatever it says
_CHRONIC_LEAST = 4  # days it fired on, and more: two of a week's days are no habit
_REFIRE = pd.Timedelta("24h")
WEEKS = (
    "week", "days", "pages", "incidents", "business", "off_hours", "sleep_hours", "off_hours_share", "chronic_share",
)  # fmt: skip
RULES = (
    "rule", "service", "severity", "count", "days", "days_share", "chronic", "open", "auto_resolved", "refired",
    "first", "last", "rule_key",
)  # fmt: skip


def load(production: MapContents, services: Collection[str], *, tz: str) -> pd.DataFrame:
    """Return the pager load of some services, a row per week that the history covers.

    Columns `week` (its Monday in `tz`, datetime64), `days` (of the week that the history covers), `pages` (alerts: a
    history does not say which of them rang somebody), `incidents` (different ones, and alerts on their own),
    `business`, `off_hours`, `sleep_hours` (pages; they sum up), `off_hours_share` (off and sleep hours of all; null
    without pages), `chronic_share` (of pages: of rules that fire on a quarter of the days).
    """
    history = production.whole.alerts
    times = pd.Series(dtype=schema.TIME_DTYPE) if history is None else history["starts_at"].dropna()
    if history is None or times.empty:
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in WEEKS})
    ours = of(history, services).dropna(subset=["starts_at"])
    clock = hours.local(ours["starts_at"], tz)
    when = hours.split(clock).astype("int64")
    table = pd.concat([pd.DataFrame({"week": _monday(clock), "pages": 1}, index=ours.index), when], axis=1)
    chronic = rules(production, services)
    loud = set(chronic.loc[chronic["chronic"], "rule_key"])
    table["chronic"] = _rule(ours).isin(loud).astype("int64")
    covered = pd.Series(pd.date_range(*_days(times, tz), freq="D"))
    days = _monday(covered).value_counts().sort_index()
    sums = table.groupby("week").sum().reindex(days.index, fill_value=0)
    events = pd.DataFrame({"week": table["week"], "event": _events(ours)})
    weeks = sums.assign(
        days=days,
        incidents=events.groupby("week")["event"].nunique().reindex(days.index, fill_value=0),
        off_hours_share=(sums["off_hours"] + sums["sleep_hours"]) / sums["pages"].where(sums["pages"] > 0),
        chronic_share=sums["chronic"] / sums["pages"].where(sums["pages"] > 0),
    )
    return weeks.rename_axis("week").reset_index()[list(WEEKS)]


def rules(production: MapContents, services: Collection[str]) -> pd.DataFrame:
    """Return the recurring alerts of some services, the most frequent first, a row per rule and service.

    Columns `rule` (name; untrusted text), `service`, `severity` (the worst), `count`, `days` (on which it fired),
    `days_share` (of all days of the history), `chronic` (bool: a quarter of the days and 4 at least), `open` (Int64:
    not recovered; null where its source reports no recoveries), `auto_resolved` (share of the recovered that nobody
    acknowledged; null where no alert of the history was acknowledged: then nobody can tell), `refired` (share of
    recoveries that the same rule followed within 24 h), `first`, `last`, `rule_key`.
    """
    history = production.whole.alerts
    if history is None:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in RULES})
    ours = of(history, services).dropna(subset=["starts_at"]).sort_values("starts_at", kind="stable")
    reporting = _reporting(history)
    rule, service = _rule(ours), ours["service"].astype("str")
    ended = ours["ends_at"].notna()
    following = ours["starts_at"].groupby([rule, service]).shift(-1)
    soon = (following - ours["ends_at"]) <= _REFIRE
    rows = pd.DataFrame(
        {
            "rule_key": rule,
            "service": service,
            "at": ours["starts_at"],
            "day": ours["starts_at"].dt.normalize(),
            "code": ours["severity"].cat.codes,
            "ended": ended,
            "open": ~ended,
            "reporting": ours["source"].astype("str").isin(reporting),
            "alone": ended & ours["acked_at"].isna(),
            "soon": soon & ended,
            "rule": ours["alertname"].astype("str").fillna(rule),
        }
    )
    groups = rows.groupby(["rule_key", "service"], sort=True)
    table = groups.agg(
        rule=("rule", "last"), count=("at", "size"), days=("day", "nunique"), open=("open", "sum"),
        reporting=("reporting", "all"), ended=("ended", "sum"), alone=("alone", "sum"), soon=("soon", "sum"),
        first=("at", "min"), last=("at", "max"), code=("code", "max"),
    ).reset_index()  # fmt: skip
    ends = table["ended"].where(table["ended"] > 0)
    share = table["days"] / max(span_days(history), 1)
    table = table.assign(
        severity=pd.Categorical.from_codes(table["code"], dtype=schema.SEVERITY_DTYPE),
        days_share=share,
        chronic=(share >= CHRONIC) & (table["days"] >= _CHRONIC_LEAST),
        open=table["open"].astype("Int64").where(table["reporting"]),
        auto_resolved=(table["alone"] / ends) if _acknowledged(history) else np.nan,
        refired=table["soon"] / ends,
    )
    return table.sort_values(["count", "rule", "service"], ascending=[False, True, True], ignore_index=True)[
        list(RULES)
    ]


def _reporting(history: pd.DataFrame) -> set[str]:
    """Return the sources of which any alert recovered: of the others nobody can tell what is still open."""
    if not {"ends_at", "source"} <= set(history.columns):
        return set()
    return set(history.loc[history["ends_at"].notna(), "source"].dropna().astype("str"))


def _acknowledged(history: pd.DataFrame) -> bool:
    return "acked_at" in history.columns and bool(history["acked_at"].notna().any())


def _rule(alerts: pd.DataFrame) -> pd.Series:
    """Return what recurs: the rule, or where none is stated its name."""
    return alerts["rule_key"].astype("str").fillna(alerts["alertname"].astype("str")).fillna("without a name")


def _events(alerts: pd.DataFrame) -> pd.Series:
    """Return what counts as one interruption: an incident, or an alert on its own."""
    alone = pd.Series([f"alone {at}" for at in range(len(alerts))], index=alerts.index)
    if "incident_id" not in alerts.columns:
        return alone
    return alone.where(alerts["incident_id"] == schema.NOISE, alerts["incident_id"].astype("str"))


def _monday(clock: pd.Series) -> pd.Series:
    day = clock.dt.normalize()
    monday: pd.Series = day - pd.to_timedelta(day.dt.day_of_week, unit="D")
    return monday


def _days(times: pd.Series, tz: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and the last day of a history."""
    first, last = (at.tz_convert(tz).tz_localize(None).normalize() for at in (times.min(), times.max()))
    return first, last
