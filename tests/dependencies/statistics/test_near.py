"""Places a few hops apart are near each other."""

from __future__ import annotations

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.dependencies.statistics import Near, near_places
from stanza_lab.errors import ParameterError, SchemaError

edges = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=12)


def topology(pairs: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["src", "dst"], dtype="str")


@given(edges, st.integers(0, 4))
def test_near_are_those_within_the_hops(pairs: list[tuple[str, str]], hops: int) -> None:
    lengths = dict(nx.all_pairs_shortest_path_length(nx.Graph(pairs), cutoff=hops))
    expected = sorted((a, b) for a, reached in lengths.items() for b in reached if a < b)
    assert list(near_places(topology(pairs), hops=hops).to_frame().itertuples(index=False, name=None)) == expected


def test_places_nobody_named_are_near_themselves() -> None:
    near = near_places(topology([("b", "c")])).among(pd.Index(["a", "b", "c"], dtype="str"))
    assert near.tolist() == [[True, False, False], [False, True, True], [False, True, True]]
    assert Near().among(pd.Index(["a", "b"], dtype="str")).tolist() == [[True, False], [False, True]]


def test_the_same_pairs_are_equal_however_they_came() -> None:
    one = near_places(topology([("a", "b"), ("b", "a"), ("z", "z")]))
    assert one == near_places(topology([("b", "a")]))
    assert hash(one) == hash(near_places(topology([("b", "a")])))
    assert one != near_places(topology([("a", "c")]))
    assert near_places(topology([]), hops=3) == Near()


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"'dst'. are missing"):
        near_places(pd.DataFrame({"src": ["a"], "to": ["b"]}))
    with pytest.raises(ParameterError, match="hops"):
        near_places(topology([]), hops=-1)
