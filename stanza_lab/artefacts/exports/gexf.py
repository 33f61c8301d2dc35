"""GEXF: the map as Gephi reads it, the surer a link the heavier."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from stanza_lab.artefacts.exports._graph import for_xml, no_place
from stanza_lab.artefacts.exports.registry import Option, Written

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

WHAT = "the map of services as GEXF 1.2, for Gephi; the weight of a link is how likely there is one"
PROVEN_BY = "networkx.read_gexf gives back the same graph"
OPTIONS: dict[str, Option] = {}
_META = re.compile(rb"<meta [^>]*>.*?</meta>", re.DOTALL)


def write(walk: Walk) -> Written:
    """Return the map as `dependencies.gexf`."""
    import networkx as nx

    graph, replaced = for_xml(walk)
    for _, _, link in graph.edges(data=True):
        link["weight"] = link["link_confidence"]
    nx.write_gexf(graph, text := io.BytesIO(), prettyprint=True)
    # the day of writing and a version do not belong into what is the same for the same bundle; the first is theirs
    same = _META.sub(b"<meta><creator>stanza_lab</creator></meta>", text.getvalue(), count=1)
    return Written({"dependencies.gexf": same}, [*replaced, *no_place(walk)])
