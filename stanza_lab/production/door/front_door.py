"""The front door of a service or team: whose it is, whom it hits and what hits it, what it says, what helps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import UnknownNameError
from stanza_lab.incidents.summaries import summarize_incidents
from stanza_lab.production import words
from stanza_lab.production.door import door_words
from stanza_lab.production.door import page as door_page
from stanza_lab.production.door.pattern import Around, team_of
from stanza_lab.production.place import pager
from stanza_lab.production.place.profile import Profile
from stanza_lab.production.reading import globbed

if TYPE_CHECKING:
    from stanza_lab.production.contents import MapContents
    from stanza_lab.production.door.contributed import Contributed

LINKED = ("service", "team", "through", "probability", "strength", "seen", "lag_s", "support", "words")
INCIDENTS = ("incident_id", "starts_at", "title", "severity", "alerts", "services", "first")
RUNBOOKS, SLOS = ("name", "service", "url", "team"), ("name", "service", "objective", "window", "team")
ACTIONS = ("kind", "name", "risk", "services", "why", "command", "owner", "team")
_RISKS = {"low": 0, "medium": 1, "high": 2}


@dataclass(frozen=True, eq=False, repr=False)
class FrontDoor:
    """All there is to know at the door of a service, a team or what is of a profile.

    Attributes
    ----------
    name, kind, title : str
        What it is of; kind is service, team, cluster (of services without a team, see `clusters`) or profile.
    services : list of str
        The service, or those of the team.
    owner, on_call, tier, repository : str
        As the catalogue and contributed files say; empty when nobody does.
    contacts : list of str
        From the contributed file of the owner.
    does, suffers, linked : DataFrame
        Who depends on it; what it depends on; what is linked with it, which way is not known. Surest first: service,
        team, through (which of its services), probability (of the dependency that way), strength (of the link whichever
        way), seen ("traced", "declared" or empty), lag_s (seconds: in `does` from its alert to theirs, else from theirs
        to its; median), support (times that their alerts fired together), words.
    alerts : DataFrame
        A row per rule and service, the most frequent first: rule, service, severity, count, days, days_share, chronic,
        open, auto_resolved, refired, first, last, rule_key; see `pager.rules`.
    incidents : DataFrame
        The last first: incident_id, starts_at, title, severity, alerts, services (how many), first (whether it alerted
        before all others; within a minute this means little).
    runbooks, actions, slos : DataFrame
        Contributed. Of `actions`: kind (diagnostic, mitigation), name, risk, services (where it applies), why, command
        (text; never run), owner, team; low risk first.
    cautions, noise, unseen, words : list of str
        What to know before trusting contributed things; its chronic noise; what could not be seen; the door in short.
    """

    name: str
    kind: str
    services: list[str]
    owner: str
    on_call: str
    tier: str
    repository: str
    contacts: list[str]
    does: pd.DataFrame
    suffers: pd.DataFrame
    linked: pd.DataFrame
    alerts: pd.DataFrame
    incidents: pd.DataFrame
    runbooks: pd.DataFrame
    actions: pd.DataFrame
    slos: pd.DataFrame
    cautions: list[str]
    noise: list[str]
    unseen: list[str]
    words: list[str]

    @property
    def title(self) -> str:
        """The name, and what it is the name of."""
        return f"{self.name} ({self.kind})"

    def html(self) -> str:
        """Return the door as HTML without a heading, to put into a page; all text escaped, no script.

        Returns
        -------
        str
            Under 50 KB.
        """
        return door_page.body(self)

    def __repr__(self) -> str:
        """Say in one line whose door it is and what stands there."""
        sizes = [
            words.count(len(table), thing)
            for table, thing in ((self.does, "dependant"), (self.alerts, "rule"), (self.incidents, "incident"))
        ]
        return f"FrontDoor({self.title}: {', '.join(sizes)})"

    def __str__(self) -> str:
        """Return the door as text for a terminal."""
        return door_page.text(self)

    def _repr_html_(self) -> str:
        return door_page.page(self)


def front_door(production: MapContents, name: str | Profile, *, contributed: Contributed | None = None) -> FrontDoor:
    """Return the front door of a service or team; see `ProductionMap.front_door`."""
    whole = production.whole
    kind, members = _members(whole, name)
    called = name if isinstance(name, str) else name.name
    view = whole._cut(set(members), whole._edges)
    known = _owned(whole, members)
    alerts, incidents = pager.rules(whole, members), _incidents(whole, members)
    does, suffers, linked = _around(whole, members, view.border)
    given = _contributed(whole, members, called if kind == "team" else known["owner"], contributed)
    noise = door_words.noise(whole, alerts, many=kind != "service")
    facts = known | {key: given[key] for key in ("on_call", "contacts") if given[key]}
    door: dict[str, Any] = {
        "does": does,
        "suffers": suffers,
        "linked": linked,
        "alerts": alerts,
        "incidents": incidents,
    }
    door |= {key: given[key] for key in ("runbooks", "actions", "slos", "cautions")}
    return FrontDoor(
        name=called,
        kind=kind,
        services=members,
        **(facts | ({"owner": called} if kind == "team" else {})),
        **door,
        noise=noise,
        unseen=door_words.unseen(whole, view, members, contributed=contributed is not None, linked=linked),
        words=door_words.words(whole, called, kind, members, facts, door),
    )


def _members(production: MapContents, name: str | Profile) -> tuple[str, list[str]]:
    """Return the kind of thing that `name` names, and its services."""
    if isinstance(name, Profile):
        return "profile", list(production._members(name))
    services = set(production.services["service"])
    if name in services or name in production._unmapped:
        return "service", [name]
    if (production.clusters == name).any():
        return "team" if name in production.teams else "cluster", sorted(production._members(name))
    raise UnknownNameError.among("service or team", name, [*services, *production._unmapped, *production.teams])


def _owned(production: MapContents, members: Collection[str]) -> dict[str, Any]:
    """Return what teams, catalogue and map say of whose the services are."""
    owners = sorted({team for team in (team_of(production, service) for service in members) if team})
    owned = production.ownership
    rows = None if owned is None else owned[owned["service"].isin(list(members))]

    def said(column: str) -> str:
        if rows is None or column not in rows.columns:
            return ""
        counted = rows[column].dropna().astype("str").value_counts()
        return words.listing(sorted(counted.index), top=4)

    return {
        "owner": ", ".join(owners),
        "on_call": said("on_call"),
        "tier": said("tier"),
        "repository": said("repository"),
        "contacts": [],
    }


def _around(
    production: MapContents, members: Collection[str], border: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return who depends on the services, what they depend on, and what is linked either way."""
    near = border[border["strength"] >= production.usual_confidence]
    one = len(members) == 1
    near = near.assign(
        service=near["theirs"],
        through=near["ours"],
        team=near["theirs"].map(production.services.set_index("service")["team"]),
        seen=[words.seen(provenance) for provenance in near["provenance"]],
    )
    wanted = {"does": ("upstream", "both"), "suffers": ("downstream", "both"), "linked": ("unknown",)}
    found = []
    for way, directions in wanted.items():
        rows = near[near["direction"].isin(directions)]
        sure = rows["up"] if way == "does" else rows["down"] if way == "suffers" else rows["strength"]
        rows = rows.assign(probability=sure, lag_s=-rows["lead_s"] if way == "does" else rows["lead_s"])
        rows = rows.sort_values(["probability", "support"], ascending=False, kind="stable").reset_index(drop=True)
        rows["words"] = [door_words.linked(row, way, named=not one) for row in rows.to_dict("records")]
        found.append(rows[list(LINKED)].astype({"words": "str", "seen": "str", "service": "str"}))
    return found[0], found[1], found[2]


def _incidents(production: MapContents, members: Collection[str]) -> pd.DataFrame:
    """Return the incidents that services were in, the last first."""
    alerts = production.alerts
    if alerts is None or "incident_id" not in alerts.columns:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in INCIDENTS})
    ours = alerts["service"].isin(list(members)) & (alerts["incident_id"] != schema.NOISE)
    known = alerts[alerts["incident_id"].isin(alerts.loc[ours, "incident_id"].unique())]
    table = summarize_incidents(known)
    table = table.assign(
        services=table["services"].str.len().astype("int64"),
        first=table["first_service"].astype("str").isin(list(members)),
    )
    return table.sort_values("starts_at", ascending=False, kind="stable", ignore_index=True)[list(INCIDENTS)]


def _contributed(
    production: MapContents, members: Collection[str], team: str, contributed: Contributed | None
) -> Mapping[str, Any]:
    """Return what files of teams say of the services."""
    tables = {"runbooks": RUNBOOKS, "actions": ACTIONS, "slos": SLOS}
    if contributed is None:
        nothing = {key: pd.DataFrame({name: [] for name in names}, dtype="str") for key, names in tables.items()}
        return {**nothing, "on_call": "", "contacts": [], "cautions": []}
    about = contributed.teams[contributed.teams["team"] == team]
    found: dict[str, Any] = {"actions": _actions(production, members, contributed)}
    for key in ("runbooks", "slos"):
        rows = getattr(contributed, key)
        like = [any(globbed(service, [glob]) for service in members) for glob in rows["service"]]
        found[key] = rows[pd.Series(like, rows.index, dtype=bool)][list(tables[key])].reset_index(drop=True)
    used = {team, *(name for table in found.values() for name in table["team"])}
    last = None if production.alerts is None else production.alerts["starts_at"].max()
    cautions = contributed.cautions(at=None if last is None or pd.isna(last) else last)
    return found | {
        "on_call": words.listing(dict.fromkeys(name for name in about["on_call"] if name)),
        "contacts": [name for names in about["contacts"] for name in names],
        "cautions": [words.sentence(said) for name, said in cautions.items() if name in used],
    }


def _actions(production: MapContents, members: Collection[str], contributed: Contributed) -> pd.DataFrame:
    """Return the diagnostics and mitigations that apply at any of the services, low risk first."""
    where: dict[int, list[str]] = {}
    why: dict[int, str] = {}
    around = Around(production)
    for service in members:
        for row, fit in contributed.applying(around, service=service):
            where.setdefault(row, []).append(service)
            why.setdefault(row, fit.words)
    rows = contributed.actions.iloc[list(where)].assign(
        services=pd.Series(list(where.values()), contributed.actions.index[list(where)], dtype=object),
        why=[why[row] for row in where],
    )
    rows = rows.assign(order=rows["risk"].map(_RISKS)).sort_values(["kind", "order", "name"], kind="stable")
    return rows[list(ACTIONS)].reset_index(drop=True)
