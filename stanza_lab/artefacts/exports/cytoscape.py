"""Cytoscape JSON: the map as Cytoscape, cytoscape.js and networkx read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stanza_lab.artefacts.exports._graph import dumped, edge, no_place, node, shown
from stanza_lab.artefacts.exports.registry import Option, Written

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Link, Service, Walk

WHAT = "the map of services as Cytoscape JSON, for cytoscape.js and Cytoscape Desktop"
PROVEN_BY = "cytoscape.js without a screen loads it; networkx.cytoscape_graph gives back the same graph"
OPTIONS: dict[str, Option] = {}


def write(walk: Walk) -> Written:
    """Return the map as `dependencies.cyjs`."""
    prefix = "link"
    while any(one.name.startswith(prefix) for one in walk.services):  # no link may be called as a service is
        prefix += "-"
    content = {
        "data": [["name", "stanza_lab dependencies"], ["bundle", walk.bundle_id]],
        "directed": True,
        "multigraph": False,
        "elements": {
            "nodes": [{"data": _node(one)} for one in walk.services],
            "edges": [{"data": _edge(f"{prefix}{i}", one)} for i, one in enumerate(walk.links)],
        },
    }
    return Written({"dependencies.cyjs": dumped(content)}, no_place(walk))


def _node(one: Service) -> dict[str, Any]:
    return {"id": one.name, "value": one.name, "name": one.name, "label": shown(one.name), **node(one)}


def _edge(name: str, one: Link) -> dict[str, Any]:
    told = {"id": name, "source": one.src, "target": one.dst, "interaction": "depends on"}
    return {**told, **edge(one), "provenance": list(one.provenance)}
