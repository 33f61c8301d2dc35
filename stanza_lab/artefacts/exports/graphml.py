"""GraphML: the map as yEd, Gephi, igraph and networkx read it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from stanza_lab.artefacts.exports._graph import for_xml, no_place
from stanza_lab.artefacts.exports.registry import Option, Written

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

WHAT = "the map of services as GraphML, for yEd, Gephi, igraph, networkx"
PROVEN_BY = "networkx.read_graphml gives back the same graph"
OPTIONS: dict[str, Option] = {}


def write(walk: Walk) -> Written:
    """Return the map as `dependencies.graphml`."""
    import networkx as nx

    graph, replaced = for_xml(walk)
    # of its two writers always the same one, whether lxml is installed or not
    nx.write_graphml_xml(graph, text := io.BytesIO(), prettyprint=True)
    return Written({"dependencies.graphml": text.getvalue()}, [*replaced, *no_place(walk)])
