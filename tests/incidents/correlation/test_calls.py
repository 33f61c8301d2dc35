from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.errors import SchemaError
from stanza_lab.incidents.correlation.calls import closeness

SERVICES = pd.Index(["web", "api", "db"], dtype="str")


def near(edges) -> list[list[float]]:
    return closeness(edges, SERVICES).toarray().tolist()


def test_without_edges_nothing_is_near():
    assert near(None) == [[0, 0, 0]] * 3
    assert near(pd.DataFrame({"src": [], "dst": []})) == [[0, 0, 0]] * 3


def test_direction_does_not_matter_and_two_hops_are_half():
    edges = pd.DataFrame({"src": ["web", "db"], "dst": ["api", "api"]})
    assert near(edges) == [[0, 1, 0.5], [1, 0, 1], [0.5, 1, 0]]


def test_the_service_between_two_need_not_fire():
    edges = pd.DataFrame({"src": ["web", "gateway"], "dst": ["gateway", "db"]})
    assert near(edges) == [[0, 0, 0.5], [0, 0, 0], [0.5, 0, 0]]


def test_how_sure_an_edge_is_counts():
    edges = pd.DataFrame({"src": ["web", "api"], "dst": ["api", "db"], "link_confidence": [0.8, 0.5]})
    assert np.allclose(near(edges), [[0, 0.8, 0.2], [0.8, 0, 0.5], [0.2, 0.5, 0]])
    renamed = edges.rename(columns={"link_confidence": "confidence"})
    assert near(renamed) == near(edges)
    assert near(edges.assign(link_confidence=[np.nan, 0.5]))[0] == [0, 0, 0]


def test_an_edge_told_twice_is_no_nearer():
    edges = pd.DataFrame({"caller": ["web", "web", "api"], "callee": ["api", "api", "web"]})
    assert near(edges)[0] == [0, 1, 0]
    weighed = edges.assign(confidence=[0.2, 0.7, 0.4])
    assert near(weighed)[0] == [0, 0.7, 0]


def test_a_service_is_not_near_itself():
    assert near(pd.DataFrame({"src": ["web", "web"], "dst": ["web", "api"]})) == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_a_graph_is_edges():
    graph = nx.DiGraph()
    graph.add_edge("web", "api", link_confidence=0.8, confidence=0.3)
    graph.add_edge("api", "db", confidence=None)
    assert near(graph)[0] == [0, 0.8, 0.4]
    assert near(nx.Graph([("db", "web")]))[0] == [0, 0, 1]


@pytest.mark.parametrize("edges", [pd.DataFrame({"a": ["web"], "b": ["api"]}), ["web"], {"web": "api"}])
def test_what_is_no_edges(edges):
    with pytest.raises(SchemaError, match="edges"):
        near(edges)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.floats(0, 1)), max_size=12))
def test_closeness_is_symmetric_and_at_most_one(rows):
    edges = pd.DataFrame(rows, columns=["src", "dst", "link_confidence"])
    found = closeness(edges, pd.Index([*"abcd"], dtype="str")).toarray()
    assert (found == found.T).all()
    assert (np.diag(found) == 0).all()
    assert (found >= 0).all()
    assert (found <= 1).all()
