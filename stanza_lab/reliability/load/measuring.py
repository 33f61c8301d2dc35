"""All of the pager load, from checked tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.incidents.paging import PAGERS
from stanza_lab.production import hours
from stanza_lab.reliability.load import (
    actions,
    duplicates,
    interruptions,
    limits,
    pages,
    response,
    rules,
    sentences,
    shifts,
    stages,
    storms,
    teams,
)
from stanza_lab.reliability.load.engagements import ENGAGEMENTS

_WEEK = pd.Timedelta("7D")
_NEED = ("at", "kind", "person", "page")


@dataclass(frozen=True)
class Settings:
    """How to measure; see `pager_load`. `zones` holds the zone of all others under None."""

    shift: pd.Timedelta
    handover: pd.Timedelta
    zones: dict[Any, str]
    definition: str
    dedupe: pd.Timedelta
    delay: pd.Timedelta
    storm_bin: pd.Timedelta


def zones_of(tz: str | Mapping[str, str]) -> dict[Any, str]:
    """Return the time zone of each name, under None that of all others.

    Raises
    ------
    ParameterError
        A zone is none.
    """
    if isinstance(tz, str):
        return {None: hours.zone(tz)}
    if not isinstance(tz, Mapping):
        raise ParameterError(
            f"tz={tz!r} is no time zone; pass 'Europe/Berlin', or a mapping of teams or people to zones"
        )
    return {None: "UTC"} | {name: hours.zone(zone) for name, zone in tz.items()}


def did(engagements: pd.DataFrame | None) -> pd.DataFrame:
    """Return what people did, in order of time, with all columns.

    Raises
    ------
    SchemaError
        A column is missing.
    """
    given = pd.DataFrame(columns=list(ENGAGEMENTS)) if engagements is None else engagements
    missing = [name for name in _NEED if name not in given.columns]
    if missing:
        raise SchemaError(f"engagements: columns {missing} are missing; pass what read_engagements(events) returns")
    given = given.assign(**{name: None for name in ENGAGEMENTS if name not in given.columns})
    times = pd.to_datetime(given["at"], utc=True, format="ISO8601")
    given = given.assign(at=times).astype(ENGAGEMENTS).dropna(subset=["at", "page"])
    return given.sort_values("at", kind="stable", ignore_index=True)[list(ENGAGEMENTS)]


def read_checks(checks: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the checks of monitors.

    Raises
    ------
    SchemaError
        A column is missing.
    """
    if checks is None:
        return None
    missing = [name for name in ("rule_key", "at", "state") if name not in checks.columns]
    if missing:
        raise SchemaError(f"checks: columns {missing} are missing; pass rule_key, at and state, a row per check")
    return checks.assign(at=pd.to_datetime(checks["at"], utc=True, format="ISO8601"))


def measure(
    alerts: pd.DataFrame,
    rung: pd.DataFrame | None,
    engagements: pd.DataFrame,
    tags: pd.DataFrame | None,
    checks: pd.DataFrame | None,
    settings: Settings,
) -> dict[str, Any]:
    """Return the fields of `PagerLoad`."""
    paged = pages.read(alerts, rung, settings.delay)
    told = _at_hand(_about_pages(engagements, paged), alerts, paged, settings.delay)
    automatic, basis = teams.automatic(paged.pages, told)
    called, called_by = interruptions.calls(told)
    nobody = called.empty
    asked = paged.pages.assign(who=paged.pages["rotation"])[["who", "team", "at", "page"]] if nobody else called
    broken = interruptions.table(asked, window=settings.dedupe, zones=settings.zones)
    span = _span(alerts, paged.pages)
    shifted = shifts.table(
        paged.pages, span=span, shift=settings.shift, handover=settings.handover, zones=settings.zones
    )
    persons = interruptions.people(broken.head(0) if nobody else broken, called, told)
    took = told[told["kind"].isin(["acknowledged", "joined"]) & told["person"].notna()]
    rung_alerts = int((paged.alerts["page"] >= 0).sum())
    from_tools = [alerts] if rung is None else [paged.alerts, rung[rung["source"].isin(PAGERS)]]
    tables = {
        "teams": teams.table(
            paged.pages.assign(automatic=automatic),
            shifted,
            broken,
            interruptions.engaged_seconds(took),
            people=not nobody,
        ),
        "shifts": shifted,
        "people": persons,
        "interruptions": broken,
        "response": response.table(paged.pages, told, definition=settings.definition),
        "rules": rules.table(paged.alerts, paged.pages, checks=checks),
        "storms": storms.table(paged.alerts, width=settings.storm_bin),
        "duplicates": duplicates.table(paged.alerts, from_tools, delay=settings.delay),
        "stages": stages.table(paged.alerts, paged.pages, paged=rung_alerts),
        "actions": _tagged(paged, tags),
        "limits": limits.table(shifted, persons, called, weeks=(span[1] - span[0]) / _WEEK),
    }
    known = {
        "first": span[0],
        "last": span[1],
        "alerts": len(paged.alerts),
        "pages": len(paged.pages),
        "page": paged.definition,
        "tz": settings.zones[None] if len(settings.zones) == 1 else dict(settings.zones),
        "shift": settings.shift,
        "dedupe": settings.dedupe,
        "definition": settings.definition,
    }
    more = sentences.Seen(
        untimed=int(alerts["starts_at"].isna().sum()),
        by_pager=paged.by_pager,
        called_by="" if nobody else called_by,
        automatic=automatic,
        automatic_by=basis,
        unmatched=int((told["row"] < 0).sum()),
        elsewhere=len(engagements) - len(told),
        quiet=_quiet(pd.concat([alerts["starts_at"], paged.pages["at"]])),
        settings=settings,
    )
    return tables | sentences.said(tables, known, more) | {"known": known}


def _about_pages(engagements: pd.DataFrame, paged: pages.Paged) -> pd.DataFrame:
    """Return what people did with `row` of its page (-1: that page is not there) and when that page ended."""
    row = engagements["page"].map(paged.ids).fillna(-1).astype("int64")
    there = row >= 0
    about = paged.pages.reindex(row.where(there)).reset_index(drop=True)
    return engagements.assign(
        row=row, ended_at=about["ended_at"], team=about["team"].fillna(engagements["team"]).astype("str")
    )


def _at_hand(told: pd.DataFrame, alerts: pd.DataFrame, paged: pages.Paged, delay: pd.Timedelta) -> pd.DataFrame:
    """Return what people did about the pages that are here; where no page can be told by its id, what they did then."""
    matched = told["row"] >= 0
    if matched.any():
        return told[matched].reset_index(drop=True)
    times = pd.concat([alerts["starts_at"], alerts["ends_at"], paged.pages["at"], paged.pages["ended_at"]])
    return told[told["at"].between(times.min(), times.max() + delay)].reset_index(drop=True)


def _quiet(times: pd.Series) -> tuple[int, int, float]:
    """Return how many days (UTC) had no alert at all, of how many, and the longest time between two (seconds)."""
    known = times.dropna().sort_values()
    if known.empty:
        return 0, 0, 0.0
    days = known.dt.floor("D")
    of = (days.iloc[-1] - days.iloc[0]).days + 1
    return of - days.nunique(), of, float(known.diff().dt.total_seconds().fillna(0.0).max())


def _span(alerts: pd.DataFrame, found: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and last time of the history; of none both are null."""
    times = pd.concat([alerts["starts_at"], found["at"]])
    return times.min(), times.max()


def _tagged(paged: pages.Paged, tags: pd.DataFrame | None) -> pd.DataFrame:
    """Return how much there was to do about pages, or about alerts where these are what people tagged."""
    if tags is None:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in actions.ACTIONS.items()})
    rung = paged.pages.rename(columns={"page": "alert_id"})
    about = rung if 2 * tags["alert_id"].isin(rung["alert_id"]).sum() >= len(tags) else paged.alerts
    return actions.table(about, tags)
