"""The incident as it lay: its alerts, the pages for them, the map around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.incidents.paging import PAGERS, paged_at
from stanza_lab.postmortem.pages import DELAY, of_pager
from stanza_lab.postmortem.spelling import spelled
from stanza_lab.production import ProductionMap, neighbours, tables

HOPS = 2  # links from the incident's services within which a deploy is worth a look
_COLUMNS = (
    "alert_id", "source", "origin", "event_ids", "rule_key", "alertname", "starts_at", "acked_at", "ends_at",
    "severity", "summary", "service", "team", "labels",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Scene:
    """What a review is made from.

    `alerts` is the whole history without what pagers only copied. `mine` are those of the incident, in order, with
    `name` and `paged_at`. `pages` has a row per page (see `of_pager`); `page` says what counts as one.
    """

    incident: int
    alerts: pd.DataFrame
    mine: pd.DataFrame
    pages: pd.DataFrame
    page: str
    production: ProductionMap
    mapped: bool  # whether a map was given
    by_pager: bool  # whether a pager's own alerts say who was paged
    before: pd.Timedelta

    @property
    def begin(self) -> pd.Timestamp:
        """The first alert."""
        return pd.Timestamp(self.mine["starts_at"].iloc[0])

    @property
    def last(self) -> pd.Timestamp:
        """The last alert's start."""
        return pd.Timestamp(self.mine["starts_at"].iloc[-1])

    @cached_property
    def end(self) -> pd.Timestamp:
        """The last thing that was seen of it: a start or a recovery."""
        return max(self.last, self.mine["ends_at"].max()) if self.mine["ends_at"].notna().any() else self.last

    @cached_property
    def services(self) -> list[str]:
        """Its services, in the order in which they fired."""
        return list(dict.fromkeys(self.mine["service"].dropna().astype("str")))

    @cached_property
    def reporting(self) -> set[str]:
        """The sources that report ends: those of which some alert of the history has one."""
        return set(self.alerts.loc[self.alerts["ends_at"].notna(), "source"].astype("str").fillna(""))

    @cached_property
    def first(self) -> pd.Series:
        """When each of its services alerted first."""
        return self.mine.dropna(subset=["service"]).groupby("service", sort=False, observed=True)["starts_at"].min()

    @cached_property
    def teams(self) -> dict[str, str]:
        """Service -> team, of the services whose team is known."""
        table = self.production.whole.services
        known: dict[Any, Any] = dict(table.dropna(subset=["team"])[["service", "team"]].itertuples(index=False))
        owned = self.production.ownership
        if owned is not None:
            known |= dict(owned.dropna(subset=["service", "team"])[["service", "team"]].itertuples(index=False))
        return {str(service): str(team) for service, team in known.items()}

    @cached_property
    def near(self) -> dict[str, int]:
        """Service -> links away from the nearest service of the incident, up to `HOPS`."""
        links = self.production.whole.links
        worth = links[links["strength"] >= self.production.usual_confidence]
        found: dict[str, int] = {}
        for service in self.services:
            for name, hops in neighbours.hops_from(worth, service, hops=HOPS, direction="both").items():
                found[name] = min(hops, found.get(name, hops))
        return found


def look(
    alerts: pd.DataFrame,
    incident: int,
    *,
    production: ProductionMap | None,
    pages: pd.DataFrame | None,
    before: pd.Timedelta,
) -> Scene:
    """Return the scene; refuse an incident that is not there."""
    table = schema.check(alerts, schema.ALERTS, need=["starts_at", "incident_id"])
    table = tables.filled(table, _COLUMNS).reset_index(drop=True)
    mine = _members(table, incident)
    said = table if pages is None else schema.check(tables.filled(pages, _COLUMNS), schema.ALERTS, need=["starts_at"])
    said = said[said["source"].astype("str").isin(PAGERS) & said["starts_at"].notna()].reset_index(drop=True)
    copied = mine["source"].astype("str").isin(PAGERS)
    if copied.any() and not copied.all():  # the pages of it; what they copy is there as well
        mine = mine[~copied].reset_index(drop=True)
        table = table[~table["source"].astype("str").isin(PAGERS)].reset_index(drop=True)
    told = paged_at(mine, pages=said if len(said) else None, delay=DELAY)
    definition = str(told.attrs["definition"])
    mine = mine.assign(paged_at=told.to_numpy())
    scene = Scene(
        incident=incident,
        alerts=table,
        mine=mine,
        pages=mine.iloc[:0],
        page=definition,
        production=_map(production, table, mine),
        mapped=production is not None,
        by_pager=len(said) > 0,
        before=before,
    )
    found = of_pager(mine, alerts=table, pages=said)
    teams = sorted({*scene.teams.values()})
    found = found.assign(
        service=spelled(found["service"], scene.production.whole.services["service"]),
        team=spelled(found["team"], teams),
    )
    return replace(scene, pages=found)


def _members(table: pd.DataFrame, incident: int) -> pd.DataFrame:
    if isinstance(incident, bool) or not hasattr(incident, "__index__"):
        raise ParameterError(f"incident={incident!r} must be a whole number, as incident_id has them")
    numbers = table.loc[table["incident_id"] != schema.NOISE, "incident_id"].unique()
    if incident not in numbers.tolist():
        raise UnknownNameError.among("incident", str(incident), map(str, sorted(numbers)))
    mine = table[(table["incident_id"] == incident) & table["starts_at"].notna()]
    if mine.empty:
        raise UnknownNameError(
            f"incident {incident}: none of its alerts has a time, so there is no order to look back on"
        )
    title = mine["summary"].fillna(mine["alertname"].astype("str")).fillna(mine["rule_key"].astype("str"))
    named = mine["alertname"].astype("str").fillna(title).fillna("an alert without a name")
    return mine.assign(title=title.fillna(named), name=named).sort_values(
        ["starts_at", "name"], kind="stable", ignore_index=True
    )


def _map(production: ProductionMap | None, table: pd.DataFrame, mine: pd.DataFrame) -> ProductionMap:
    """Return the map over these very alerts; one without links where none was given."""
    known = table.dropna(subset=["service"])
    if production is None:
        return ProductionMap(pd.DataFrame({"src": [], "dst": [], "confidence": []}), known)
    whole = production.whole
    theirs = whole.alerts
    if theirs is not None and "incident_id" in theirs.columns:
        same = theirs[theirs["incident_id"] == mine["incident_id"].iloc[0]]
        named = mine["service"].notna()
        if len(same) == int(named.sum()) and same["starts_at"].min() == mine.loc[named, "starts_at"].min():
            return whole
    return ProductionMap(whole.edges, known, ownership=whole.ownership, model=whole._model)
