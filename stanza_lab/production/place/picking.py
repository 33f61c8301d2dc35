"""What one may pick to find one's place: services, teams, repositories and hosts, and the services each stands for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.entities.ownership.repositories import map_repositories
from stanza_lab.errors import UnknownNameError

if TYPE_CHECKING:
    from stanza_lab.production.contents import MapContents

KINDS = ("service", "team", "repository", "host")
COLUMNS = ("kind", "name", "services", "alerts", "why")
_HOST_LABELS = ("host", "hostname", "instance", "node", "pod", "server")
_OWN = 0.5  # of a service's alerts name a repository: its own, not one that is named in passing
_NAMED = 8  # services named in a message


def choices(production: MapContents) -> pd.DataFrame:
    """Return all that may be picked, most alerts first.

    Columns `kind` (service, team, repository, host), `name`, `services` (what it stands for, list of str), `alerts` (of
    these services; of a host: those that name it), `why` (str, what says that it stands for them).
    """
    rows = [*_services(production), *_teams(production), *_repositories(production), *_hosts(production.alerts)]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"alerts": "int64"})
    table["kind"] = pd.Categorical(table["kind"], KINDS)
    order = ["alerts", "kind", "name"]
    table = table.sort_values(order, ascending=[False, True, True], ignore_index=True)
    return table.astype({"kind": "str", "name": "str", "why": "str"})


def pick(known: pd.DataFrame, kind: str, names: Iterable[str]) -> pd.DataFrame:
    """Return the rows of `known` of one kind that `names` mean: as written, or by the last part of the name.

    Raises
    ------
    UnknownNameError
        There is no such thing, or what is given means several.
    """
    rows = known[known["kind"] == kind]
    by_name = dict(zip(rows["name"], rows.index, strict=True))
    found = []
    for name in dict.fromkeys(map(str, names)):
        like = (
            [by_name[name]] if name in by_name else [at for long, at in by_name.items() if _last(long) == _last(name)]
        )
        if len(like) > 1:
            shown = ", ".join(repr(long) for long in rows.loc[like, "name"].head(_NAMED))
            raise UnknownNameError(f"{kind} {name!r} means {len(like)} of them: {shown}; write the whole name")
        if not like and rows.empty and kind in {"repository", "host"}:
            need = "alerts" if kind == "host" else "alerts or an ownership catalogue with repositories"
            raise UnknownNameError(f"{kind} {name!r} not found; this map knows of no {kind}: make it with {need}")
        if not like:
            raise UnknownNameError.among(kind, name, by_name)
        found += like
    return rows.loc[list(dict.fromkeys(found))].reset_index(drop=True)


def _services(production: MapContents) -> Iterator[tuple[Any, ...]]:
    table = production.services
    for name, alerts in zip(table["service"], table["alerts"], strict=True):
        yield "service", name, [name], alerts, "it is a service on the map"
    for name in production._unmapped:
        yield "service", name, [name], 0, "the ownership catalogue names it; it never alerted and is not on the map"


def _teams(production: MapContents) -> Iterator[tuple[Any, ...]]:
    known = production.services.dropna(subset=["team"]).sort_values("service")
    for team, rows in known.groupby("team"):
        yield "team", str(team), list(rows["service"]), rows["alerts"].sum(), "its services on the map"


def _repositories(production: MapContents) -> Iterator[tuple[Any, ...]]:
    alerts, owned = production.alerts, production.ownership
    if owned is not None and "repository" not in owned.columns:
        owned = None
    if alerts is None and owned is None:
        return
    if alerts is None:
        alerts = pd.DataFrame({"service": pd.Series(dtype="str")})
    table = map_repositories(alerts, catalog=owned)
    known = {*production.services["service"], *production._unmapped}
    own = (table["basis"] != "mentioned") | (table["mentions"] >= _OWN * table["alerts"])
    for name, rows in table[own & table["service"].isin(known)].groupby("repository"):
        declared = (rows["basis"] != "mentioned").any()
        said = "the ownership catalogue says so" if declared else "most of their alerts name it"
        yield "repository", str(name), list(rows["service"]), rows["alerts"].sum(), said


def _hosts(alerts: pd.DataFrame | None) -> Iterator[tuple[Any, ...]]:
    if alerts is None:
        return
    named = pd.concat(
        [
            pd.DataFrame({"service": alerts["service"].astype("str"), "host": hosts})
            for hosts in (alerts.get("resources"), _labelled(alerts.get("labels")))
            if hosts is not None
        ]
        or [pd.DataFrame({"service": [], "host": []})]
    )
    named = named.explode("host").dropna().rename_axis("alert").reset_index().drop_duplicates()  # once per alert
    counted = named.value_counts(["host", "service"]).reset_index()
    counted = counted.sort_values(["host", "count", "service"], ascending=[True, False, True])
    total = counted.groupby("host")["count"].sum()
    on_it: dict[str, list[str]] = {}
    for host, service in zip(counted["host"], counted["service"], strict=True):
        on_it.setdefault(host, []).append(service)
    for host, services in on_it.items():
        yield "host", host, services, total[host], "their alerts name it"


def _labelled(labels: pd.Series | None) -> pd.Series | None:
    """Return the hosts that labels name, a list per alert; every different text is read once."""
    if labels is None:
        return None
    read = {text: _hosts_in(text) for text in labels.dropna().unique()}
    return labels.map(read)


def _hosts_in(text: str) -> list[str]:
    try:
        said = json.loads(text)
    except ValueError:
        return []
    if not isinstance(said, dict):
        return []
    found = [said[key] for key in _HOST_LABELS if isinstance(said.get(key), str)]
    tags = said.get("tags")
    for tag in tags if isinstance(tags, list) else []:
        key, _, value = str(tag).partition(":")
        found += [value] if key in _HOST_LABELS else []
    return sorted({host for host in found if host})


def _last(name: str) -> str:
    """Return the last part of a name in small letters: payments-api of acme/payments-api, of an ARN the resource."""
    return name.replace(":", "/").rstrip("/").rsplit("/", 1)[-1].lower()
