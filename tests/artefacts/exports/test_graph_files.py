"""GraphML and GEXF: what networkx reads back is what was written."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
from hypothesis import given

from stanza_lab.artefacts.exports import gexf, graphml
from stanza_lab.artefacts.exports._graph import for_xml, graph_of
from tests.artefacts.exports.walks import HOSTILE, hostile, service, small, walk, walks

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

FORMATS = pytest.mark.parametrize("name", ["graphml", "gexf"])


def read(name: str, given: Walk) -> nx.DiGraph[str]:
    if name == "graphml":
        graph = nx.read_graphml(io.BytesIO(graphml.write(given).files["dependencies.graphml"]))
    else:
        graph = nx.read_gexf(io.BytesIO(gexf.write(given).files["dependencies.gexf"]))
    own = ("label", "id", "weight")  # what GEXF has besides
    for data in [*(d for _, d in graph.nodes(data=True)), *(d for *_, d in graph.edges(data=True))]:
        for key in own:
            data.pop(key, None)
    return graph


def plain(graph: nx.DiGraph[Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    return dict(graph.nodes(data=True)), {(a, b): d for a, b, d in graph.edges(data=True)}


@FORMATS
def test_comes_back_with_every_attribute(name: str) -> None:
    nodes, edges = plain(read(name, small()))
    assert nodes["shop"] == {
        "team": "web",
        "environment": "prod",
        "alerts": 4,
        "last_seen": "2026-03-01T00:00:00+00:00",
    }
    assert "team" not in nodes["orders-db"]
    assert edges["shop", "orders"] == {
        "confidence": 0.8,
        "link_confidence": 0.9,
        "support": 3.5,
        "provenance": "inferred",
    }
    assert edges["orders", "orders-db"]["lag_s"] == 12.5
    assert edges["orders", "orders-db"]["provenance"] == "inferred, traced"


@FORMATS
@given(walks())
def test_any_map_comes_back_exactly(name: str, drawn: Walk) -> None:
    assert plain(read(name, drawn)) == plain(for_xml(drawn)[0])


@FORMATS
def test_hostile_names_stay_themselves_and_apart(name: str) -> None:
    graph = read(name, hostile())
    assert len(graph) == len(HOSTILE)
    assert graph.number_of_edges() == len(HOSTILE) - 1
    kept = {one for one in HOSTILE if not {"\x01", "\x02", "\r"} & set(one)}
    assert kept <= set(graph)
    assert {"a�b (2)", "a�b (3)"} <= set(graph)


@pytest.mark.parametrize("module", [graphml, gexf])
def test_counts_what_xml_cannot_carry(module: Any) -> None:
    said = module.write(walk([service("a\x00"), service("b")], [])).lost
    assert said[0] == "1 name had characters that XML cannot carry; they are replaced by �"
    assert not any("XML" in one for one in module.write(small()).lost)


def test_gexf_says_neither_day_nor_version() -> None:
    text = gexf.write(small()).files["dependencies.gexf"].decode()
    assert "<meta><creator>stanza_lab</creator></meta>" in text
    assert "lastmodified" not in text
    assert nx.__version__ not in text


def test_gexf_weighs_a_link_by_how_likely_it_is() -> None:
    graph = nx.read_gexf(io.BytesIO(gexf.write(small()).files["dependencies.gexf"]))
    assert graph.edges["shop", "orders"]["weight"] == 0.9


def test_graph_leaves_out_what_is_not_known() -> None:
    assert "lag_s" not in graph_of(small()).edges["shop", "orders"]
