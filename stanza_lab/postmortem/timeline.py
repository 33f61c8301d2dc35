"""The timeline: what fired and recovered, what changed before, who was called, what people noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.postmortem.engagements import engaged
from stanza_lab.postmortem.spelling import spelled, text
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanza_lab.postmortem.scene import Scene

# Of what happened at the same instant.
_ORDER = ("deploy", "alert", "page", "acknowledged", "joined", "action", "note", "chat", "recovery")
_EVENT_COLUMNS = ("event_id", "alertname", "summary", "service", "source")


def timeline(
    scene: Scene,
    *,
    changed: pd.DataFrame,
    engagements: pd.DataFrame | None,
    people: bool,
    columns: dict[str, Any],
) -> pd.DataFrame:
    """Return everything that happened, in order; see `Review.timeline`. `changed` are the `changes`."""
    rows = [*_alerts(scene), *_deploys(scene, changed), *_paging(scene), *engaged(scene, engagements, people=people)]
    table = pd.DataFrame(rows, columns=list(columns))
    table["at"] = pd.to_datetime(table["at"], utc=True).astype(schema.TIME_DTYPE)
    table = table.astype(columns)
    table = table.assign(rank=table["kind"].map(_ORDER.index))
    table = table.sort_values(["at", "rank", "service", "what"], kind="stable", ignore_index=True)
    return table.drop(columns="rank")


def _row(at: Any, kind: str, service: Any, what: Any, said: str, **more: Any) -> dict[str, Any]:
    return {"at": at, "kind": kind, "service": service, "what": what, "words": said} | more


def _alerts(scene: Scene) -> Iterator[dict[str, Any]]:
    for row in scene.mine.to_dict("records"):
        service, name = text(row["service"]), str(row["name"])
        about = {"severity": text(row["severity"]), "source": text(row["source"]), "ref": text(row["alert_id"])}
        about["team"] = scene.teams.get(service or "") or text(row["team"])
        grade = f" ({about['severity']})" if about["severity"] else ""
        where = f"{service}: " if service else "service not known: "
        yield _row(row["starts_at"], "alert", service, name, f"{where}{name}{grade}", **about)
        if pd.notna(row["ends_at"]):
            lasted = words.span((row["ends_at"] - row["starts_at"]).total_seconds())
            said = f"{where}{name} recovered after {lasted}"
            yield _row(row["ends_at"], "recovery", service, name, said, **about)


def changes(scene: Scene, events: pd.DataFrame | None) -> pd.DataFrame:
    """Return what changed at the incident's services and near them, from `before` it to its last alert.

    Columns at, service, what, event_id, source, hops (links from the nearest service of the incident; null for a change
    that names no service).
    """
    names = ["at", "service", "what", "event_id", "source", "hops"]
    if events is None:
        return pd.DataFrame(columns=names)
    inside = (events["kind"] == "changed") & events["at"].between(scene.begin - scene.before, scene.last)
    found = _filled(events[inside])
    service = spelled(found["service"], scene.production.whole.services["service"])
    hops = service.map(lambda name: scene.near.get(name, -1), na_action="ignore").astype("Int64")
    what = found["summary"].fillna(found["alertname"].astype("str")).fillna("a change")
    found = found.assign(service=service, what=what, hops=hops)
    return found.loc[found["hops"].fillna(0) >= 0, names].sort_values(["at", "what"], kind="stable", ignore_index=True)


def _deploys(scene: Scene, changed: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in changed.to_dict("records"):
        service = text(row["service"])
        apart = (scene.begin - row["at"]).total_seconds()
        when = f"{words.span(apart)} {'before' if apart > 0 else 'after'} the first alert"
        if service is None:
            where = "it names no service"
        elif row["hops"] == 0:
            where = "a service of the incident"
        else:
            where = f"{words.count(row['hops'], 'link')} from the incident"
        said = f"{service + ': ' if service else ''}{row['what']}; {when}, {where}"
        team = scene.teams.get(service) if service else None
        about = {"team": team, "source": row["source"], "ref": row["event_id"]}
        yield _row(row["at"], "deploy", service, row["what"], said, **about)


def _paging(scene: Scene) -> Iterator[dict[str, Any]]:
    """Yield the pages and who took them."""
    for row in scene.pages.to_dict("records"):
        team, service = text(row["team"]), text(row["service"])
        about = {"team": team, "source": row["source"], "ref": row["ids"][-1]}
        unsure = "" if row["sure"] else " (which alert raised it is not known)"
        called = team or "a team that is not known"
        yield _row(row["at"], "page", service, row["title"], f"{called} was paged{unsure}: {row['title']}", **about)
        if pd.notna(row["acked_at"]):
            after = words.span((row["acked_at"] - row["at"]).total_seconds())
            said = f"{called} acknowledged {after} after the page: {row['title']}"
            yield _row(row["acked_at"], "acknowledged", service, row["title"], said, **about)


def _filled(events: pd.DataFrame) -> pd.DataFrame:
    return events.assign(**{name: None for name in _EVENT_COLUMNS if name not in events.columns})


def folded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a timeline in which what one rule of one service does again within the incident stands once.

    Alerts and recoveries of the same service, kind and name become the row of the first (of a recovery, of the last),
    with `times`.
    """
    keys = ["kind", "service", "what", "source"]
    again = table["kind"].isin(["alert", "recovery"])
    counted = table.assign(times=1)
    groups = counted[again].groupby(keys, sort=False, dropna=False)
    counted.loc[again, "times"] = groups["times"].transform("size")
    first, last = ~table.duplicated(keys), ~table.duplicated(keys, keep="last")
    kept = ~again | ((table["kind"] == "alert") & first) | ((table["kind"] == "recovery") & last)
    return counted[kept].reset_index(drop=True)
