"""Cytoscape JSON: cytoscape.js and networkx read what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from hypothesis import given

from stanza_lab.artefacts.exports import cytoscape
from tests.artefacts.exports.walks import hostile, small, walks

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk


def written(given: Walk) -> bytes:
    return cytoscape.write(given).files["dependencies.cyjs"]


@pytest.mark.parametrize("given", [small(), hostile()], ids=["small", "hostile"])
def test_cytoscape_loads_every_service_and_link(node: Callable[[str, str], str], given: Walk, tmp_path: Path) -> None:
    (tmp_path / "map.cyjs").write_bytes(written(given))
    held = json.loads(node("cytoscape.mjs", str(tmp_path / "map.cyjs")))
    assert held["services"] == [one.name for one in given.services]
    assert held["links"] == [[one.src, one.dst, one.confidence, one.link_confidence] for one in given.links]


def test_cytoscape_refuses_a_link_to_nowhere(node: Callable[[str, str], str], tmp_path: Path) -> None:
    told = json.loads(written(small()))
    told["elements"]["edges"][0]["data"]["target"] = "nowhere"
    (tmp_path / "map.cyjs").write_text(json.dumps(told))
    with pytest.raises(AssertionError, match="nowhere"):
        node("cytoscape.mjs", str(tmp_path / "map.cyjs"))


@given(walks())
def test_any_map_comes_back_exactly(drawn: Walk) -> None:
    graph = nx.cytoscape_graph(json.loads(written(drawn)))
    assert set(graph) == {one.name for one in drawn.services}
    back = {(a, b): (d["confidence"], d["link_confidence"], d.get("lag_s")) for a, b, d in graph.edges(data=True)}
    assert back == {(one.src, one.dst): (one.confidence, one.link_confidence, one.lag_s) for one in drawn.links}


@given(walks())
def test_ids_are_never_shared(drawn: Walk) -> None:
    elements = json.loads(written(drawn))["elements"]
    ids = [one["data"]["id"] for one in elements["nodes"] + elements["edges"]]
    assert len(ids) == len(set(ids))


def test_may_stand_in_a_page() -> None:
    assert b"<" not in written(hostile())
