"""PagerDuty: alert grouping settings, with the time windows that the incidents model learned."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stanza_lab.artefacts.exports._graph import dumped
from stanza_lab.artefacts.exports.quoting import cell, one_line
from stanza_lab.artefacts.exports.registry import Option, Written
from stanza_lab.errors import ParameterError
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

WHAT = "alert grouping settings for PagerDuty: which services, within which time"
PROVEN_BY = "a JSON Schema of ours, from PagerDuty's documentation"
OPTIONS = {
    "ids": Option("services.csv of an earlier export, its column pagerduty_id filled in", None, "path"),
    "fields": Option("group by equal fields of your alerts instead, as source,custom_details.service"),
}
TIMEOUT = (60, 86_400)  # seconds that time-based grouping takes
WINDOW = (300, 3600)  # seconds that the others take, counted from the last alert
_ID = re.compile(r"[A-Z0-9]{5,20}")
_FIELD = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*", re.ASCII)
_LARGEST = 5_000_000  # bytes of a file of ids
_SERVICE_GAP, _CALL_GAP = 480.0, 120.0  # seconds, where the bundle does not say: the model's own


@dataclass(frozen=True)
class Setting:
    """One grouping setting: of which services, why these, and within how long."""

    services: tuple[str, ...]
    why: str
    kind: str
    config: dict[str, Any]


def write(walk: Walk, *, ids: str | None, fields: str | None) -> Written:
    """Return a request per setting, and the table in which you say what our services are called there."""
    chosen = _fields(fields)
    known = {} if ids is None else _read_ids(ids)
    groups, lost = _groups(walk)
    settings = [_setting(walk, group, chosen) for group in groups]
    places = {name: known.get(name) or f"REPLACE_{number:04}" for number, name in _numbered(walk)}
    kept = [one for one in settings if ids is None or all(name in known for name in one.services)]
    rows = [(cell(name), known.get(name, ""), places[name]) for _, name in _numbered(walk)]
    lost += _windows(walk, settings)
    if ids is None:
        lost.append(f"PagerDuty's ids of {words.count(len(places), 'service')}: fill in services.csv, pass it as ids=")
    elif left := len(settings) - len(kept):
        lost.append(f"{words.count(left, 'setting')} with a service that has no id in services.csv")
    lost.append("links between teams: a page goes to one team, so services of two teams are never grouped")
    lost.append("how sure a link is, the direction of it, and which alert is the cause")
    lost.append("alerts that fire whatever happens: an event orchestration could suppress them; none is written")
    for what, there in (("patterns", walk.patterns), ("reactions", walk.reactions)):
        if there is not None:
            lost.append(f"{what}: a grouping setting has no place for them")
    bodies = [_request(one, places) for one in kept]
    return Written({"settings.json": dumped(bodies), "services.csv": _table(rows)}, lost)


def _groups(walk: Walk) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return services of one team that links tie together; each service stands in one group, as PagerDuty wants it."""
    import networkx as nx

    teams = {one.name: one.team for one in walk.services}
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(teams)
    ties = [(one.src, one.dst) for one in walk.links if teams[one.src] is not None and teams[one.src] == teams[one.dst]]
    graph.add_edges_from(ties)
    found = sorted(tuple(sorted(group)) for group in nx.connected_components(graph))
    apart = len(walk.links) - len(ties)
    return found, [f"{words.count(apart, 'link')} between services of different or unknown teams"] if apart else []


def _setting(walk: Walk, group: tuple[str, ...], fields: list[str]) -> Setting:
    own = walk.settings.get("service_gap", _SERVICE_GAP)
    if len(group) == 1:
        gap, why = own, f"alerts of one service come within {words.span(own)} of each other"
    else:
        gap = max(own, walk.settings.get("call_gap", _CALL_GAP))
        why = f"{len(group)} services of one team, tied by dependencies; their alerts come within {words.span(gap)}"
    if fields:
        return Setting(
            group, why, "content_based", {"aggregate": "all", "fields": fields, "time_window": _in(gap, WINDOW)}
        )
    if len(group) == 1:
        return Setting(group, why, "time", {"timeout": _in(gap, TIMEOUT)})
    return Setting(group, why, "intelligent", {"time_window": _in(gap, WINDOW)})


def _request(one: Setting, places: dict[str, str]) -> dict[str, Any]:
    shown = [one_line(name, longest=60) for name in one.services]
    return {
        "alert_grouping_setting": {
            "name": f"stanza_lab: {words.listing(shown)}",
            "description": f"Learned from alerts: {one.why}.",
            "type": one.kind,
            "config": one.config,
            "services": [{"id": places[name], "type": "service_reference"} for name in one.services],
        }
    }


def _in(seconds: float, limits: tuple[int, int]) -> int:
    return min(max(math.ceil(seconds), limits[0]), limits[1])


def _windows(walk: Walk, settings: list[Setting]) -> list[str]:
    gap = walk.settings.get("service_gap", _SERVICE_GAP)
    moved = sum(
        next(v for k, v in one.config.items() if k in ("timeout", "time_window")) != math.ceil(gap) for one in settings
    )
    said = []
    if moved:
        said.append(
            f"the learned {words.span(gap)} in {words.count(moved, 'setting')}: PagerDuty takes the nearest it has"
        )
    if any(len(one.services) > 1 for one in settings):
        call = walk.settings.get("call_gap", _CALL_GAP)
        said.append(
            f"that alerts of linked services come within {words.span(call)}: a setting has one time for all it groups"
        )
        if any(one.kind == "intelligent" for one in settings):
            said.append("which alerts of linked services belong together: PagerDuty's own model decides that")
    return said


def _numbered(walk: Walk) -> list[tuple[int, str]]:
    return list(enumerate((one.name for one in walk.services), start=1))


def _fields(fields: str | None) -> list[str]:
    found = [one.strip() for one in (fields or "").split(",") if one.strip()]
    for one in found:
        if not _FIELD.fullmatch(one):
            raise ParameterError(
                f"fields: {one[:60]!r} must be a field of PagerDuty's alerts, as custom_details.service"
            )
    return found


def _read_ids(path: str) -> dict[str, str]:
    """Return service -> id from a filled-in services.csv."""
    try:
        if Path(path).stat().st_size > _LARGEST:
            raise ParameterError(f"ids={path}: is too large for a table of services")
        text = Path(path).read_bytes().decode("utf-8-sig")  # as it is: a name may hold a return
        table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        columns, rows = table.fieldnames or (), list(table)
    except (OSError, ValueError, csv.Error) as error:
        raise ParameterError(f"ids={path} cannot be read as the services.csv of an export: {error}") from error
    if not {"service", "pagerduty_id"} <= set(columns):
        raise ParameterError(f"ids={path} must have the columns service and pagerduty_id")
    found = {}
    for row in rows:
        name, given = row["service"] or "", (row["pagerduty_id"] or "").strip()
        if not given:
            continue
        if not _ID.fullmatch(given):
            raise ParameterError(f"ids={path}: {given[:40]!r} is no id of PagerDuty; it looks like PSVC123")
        found[name.removeprefix("'") if cell(name.removeprefix("'")) == name else name] = given
    return found


def _table(rows: list[tuple[str, str, str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
        [("service", "pagerduty_id", "written_as"), *rows]
    )
    return text.getvalue().encode()
