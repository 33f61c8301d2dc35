"""Grafana: the map in a node graph panel, its data in the dashboard itself."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from stanza_lab.artefacts.exports._graph import (
    LINE,
    SEVERITIES,
    colour_of,
    dumped,
    how_sure,
    most_linked,
    names_changed,
    no_place,
    seen,
    shown,
)
from stanza_lab.artefacts.exports.quoting import cell
from stanza_lab.artefacts.exports.registry import Option, Written
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Link, Service, Walk

WHAT = "the map of services as a Grafana dashboard with a node graph that holds its own data, and as frames"
PROVEN_BY = "a check of the fields that Grafana documents; no Grafana is started"
OPTIONS: dict[str, Option] = {}
NODES = 1500  # Grafana shows no more at once
_TESTDATA = "grafana-testdata-datasource"  # comes with Grafana; returns the frames that a panel holds
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
Field = tuple[str, str, list[Any], Mapping[str, Any]]  # name, type, values, config


def write(walk: Walk) -> Written:
    """Return `dashboard.json`, its frames as `frames.json`, and each as a table, `nodes.csv` and `edges.csv`."""
    services, links = most_linked(walk, NODES)
    ids = {one.name: f"s{i}" for i, one in enumerate(services)}  # not the names: __proto__ is one, too
    nodes, edges = _nodes(walk, services, ids), _edges(links, ids)
    frames = [_frame("nodes", nodes), _frame("edges", edges)]
    lost = names_changed([one.name for one in services])
    if left := len(walk.services) - len(services):
        gone = len(walk.links) - len(links)
        lost.append(
            f"Grafana shows {NODES:,} services at once: the {words.count(left, 'least linked service')} \
and their {words.count(gone, 'link')} are left out"
        )
    if risky := sum(cell(shown(one.name)) != shown(one.name) for one in services):
        lost.append(
            f"{words.count(risky, 'name')} could be taken for a formula; in the tables an apostrophe is before it"
        )
    files = {
        "dashboard.json": dumped(_dashboard(walk, frames)),
        "frames.json": dumped(frames),
        "nodes.csv": _table(nodes),
        "edges.csv": _table(edges),
    }
    still = "the dashboard shows what was learned until the bundle was saved; it does not follow what happens after"
    return Written(files, [*lost, still, *no_place(walk)])


def _nodes(walk: Walk, services: Sequence[Service], ids: Mapping[str, str]) -> list[Field]:
    fields: list[Field] = [
        ("id", "string", [ids[one.name] for one in services], {}),
        ("title", "string", [shown(one.name) for one in services], {"displayName": "Service"}),
        ("subtitle", "string", [shown(one.team or "no team known") for one in services], {"displayName": "Team"}),
        ("mainstat", "number", [one.alerts for one in services], {"displayName": "Alerts", "unit": "short"}),
        (
            "detail__environment",
            "string",
            [shown(one.environment or "unknown") for one in services],
            _named("Environment"),
        ),
    ]
    if not walk.rules:  # then the circle says whose it is
        colour = colour_of(walk.teams)
        return [*fields, ("color", "string", [colour[one.team] for one in services], {})]
    shares = _severities(walk)
    for name, hue in SEVERITIES.items():
        share = [shares.get(one.name, {"unknown": 1.0}).get(name, 0.0) for one in services]
        config = {"displayName": f"Alerts: {name}", "color": {"mode": "fixed", "fixedColor": hue}}
        fields.append((f"arc__{name}", "number", share, config))
    return fields


def _severities(walk: Walk) -> dict[str, dict[str, float]]:
    """Return per service what share of its recurring alerts has which severity; together 1."""
    counts: dict[str, dict[str, int]] = {}
    for rule in walk.rules:
        if rule.service is not None and rule.alerts > 0:
            of = counts.setdefault(rule.service, {})
            name = rule.severity if rule.severity in SEVERITIES else "unknown"
            of[str(name)] = of.get(str(name), 0) + rule.alerts
    return {service: {name: n / sum(of.values()) for name, n in of.items()} for service, of in counts.items()}


def _edges(links: Sequence[Link], ids: Mapping[str, str]) -> list[Field]:
    lags = ["" if one.lag_s is None else words.span(one.lag_s) for one in links]
    return [
        ("id", "string", [f"{ids[one.src]}-{ids[one.dst]}" for one in links], {}),
        ("source", "string", [ids[one.src] for one in links], {}),
        ("target", "string", [ids[one.dst] for one in links], {}),
        ("mainstat", "string", [how_sure(one) for one in links], _named("Depends on it")),
        ("secondarystat", "string", lags, _named("Lag")),
        ("thickness", "number", [round(0.5 + 2.5 * one.link_confidence, 3) for one in links], {}),
        ("color", "string", [LINE] * len(links), {}),
        ("strokeDasharray", "string", ["" if seen(one) else "5 5" for one in links], {}),
        ("detail__confidence", "number", [one.confidence for one in links], _named("Probability of this direction")),
        ("detail__link_confidence", "number", [one.link_confidence for one in links], _named("Probability of a link")),
        ("detail__support", "number", [one.support for one in links], _named("Support")),
        ("detail__lag_s", "number", [one.lag_s for one in links], {"displayName": "Lag", "unit": "s"}),
        ("detail__provenance", "string", [words.known_from(one.provenance) for one in links], _named("Known from")),
        (
            "detail__verdict",
            "string",
            [shown(one.verdict or "no traces to compare") for one in links],
            _named("Traces"),
        ),
    ]


def _named(name: str) -> dict[str, Any]:
    return {"displayName": name}


def _frame(name: str, fields: Sequence[Field]) -> dict[str, Any]:
    told = [{"name": field, "type": kind, "config": config, "values": values} for field, kind, values, config in fields]
    return {"name": name, "meta": {"preferredVisualisationType": "nodeGraph"}, "fields": told}


def _dashboard(walk: Walk, frames: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    source = {"type": _TESTDATA, "uid": "${DS_TESTDATA}"}
    query = {"refId": "A", "datasource": source, "scenarioId": "raw_frame", "rawFrameContent": _literal(frames)}
    panel = {
        "id": 1,
        "type": "nodeGraph",
        "title": "What depends on what",
        "description": "An arrow goes from a service to what it depends on. Solid: seen in traces or declared. "
        "Dashed: inferred from alerts.",
        "datasource": source,
        "gridPos": {"h": 24, "w": 24, "x": 0, "y": 0},
        "targets": [query],
    }
    asked = {"name": "DS_TESTDATA", "label": "TestData", "type": "datasource", "pluginId": _TESTDATA}
    return {
        "__inputs": [{**asked, "pluginName": "TestData", "description": "holds the map; asks no server"}],
        "title": "Service dependencies",
        "uid": f"stanza-{walk.bundle_id[:16]}",
        "tags": ["stanza_lab"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "panels": [panel],
    }


def _literal(frames: Sequence[Mapping[str, Any]]) -> str:
    """Return frames as JSON in which Grafana finds no variable to fill in: names may look like $x or [[x]]."""
    text = orjson.dumps(frames).decode()
    return _STRING.sub(lambda found: found[0].replace("$", "\\u0024").replace("[", "\\u005b"), text)


def _table(fields: Sequence[Field]) -> bytes:
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    table.writerow([name for name, *_ in fields])
    for row in zip(*(values for _, _, values, _ in fields), strict=True):
        table.writerow([cell(value) if isinstance(value, str) else value for value in row])
    return out.getvalue().encode()
