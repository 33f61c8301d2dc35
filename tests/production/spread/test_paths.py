"""Paths between two services: exact, simple, the surest first."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.production import ProductionMap

# shop -> cart -> cart-db <- reports, and a surer way round from shop to cart-db
EDGES = pd.DataFrame(
    [
        ("shop", "cart", 0.9, 20.0),
        ("cart", "cart-db", 0.5, 40.0),
        ("shop", "orders", 0.9, 5.0),
        ("orders", "cart-db", 0.9, 6.0),
        ("reports", "cart-db", 0.8, 1.0),
    ],
    columns=["src", "dst", "confidence", "lag_s"],
)


def test_the_surest_path_comes_first_with_its_weakest_link() -> None:
    found = ProductionMap(EDGES).paths("shop", "cart-db")
    assert found["services"].tolist() == [["shop", "orders", "cart-db"], ["shop", "cart", "cart-db"]]
    assert found["rank"].tolist() == [1, 2]
    assert found["confidence"].tolist() == pytest.approx([0.81, 0.45])
    assert found["weakest"].tolist() == ["shop -> orders", "cart -> cart-db"]
    assert found["lag_s"].tolist() == [11.0, 60.0]
    assert found["words"][1] == (
        "shop - cart - cart-db, 2 hops; weakest link cart - cart-db (0.50, known from alerts only); "
        "shop depends on cart-db"
    )


def test_of_equally_sure_paths_the_one_that_means_a_dependency_comes_first() -> None:
    ends = [("a-both", "shop"), ("a-both", "db"), ("shop", "z-api"), ("z-api", "db")]  # a-both only calls the two
    edges = pd.DataFrame(ends, columns=["src", "dst"]).assign(confidence=0.9)
    found = ProductionMap(edges).paths("shop", "db")
    assert found["services"].tolist() == [["shop", "z-api", "db"], ["shop", "a-both", "db"]]
    assert found["direction"].tolist() == ["forward", "mixed"]


def test_direction_says_who_depends_on_whom_through_it() -> None:
    production = ProductionMap(EDGES)
    assert production.paths("shop", "cart-db")["direction"].tolist() == ["forward", "forward"]
    back = production.paths("cart-db", "shop", top=1)
    assert back["direction"].tolist() == ["back"]
    assert back["lag_s"].tolist() == [-11.0]
    assert production.paths("shop", "reports", top=1)["direction"].tolist() == ["mixed"]


def test_where_no_way_is_known_the_direction_is_unknown() -> None:
    edges = pd.DataFrame(
        {"src": ["a", "b"], "dst": ["b", "a"], "confidence": [0.4, 0.4], "link_confidence": [0.8, 0.8]}
    )
    found = ProductionMap(edges).paths("a", "b")
    assert found["direction"].tolist() == ["unknown"]
    assert "which way trouble travels is not known" in found["words"][0]


def test_of_equally_sure_paths_the_shorter_comes_first() -> None:
    seen = EDGES.assign(provenance=[["traced"]] * len(EDGES))
    more = pd.concat([seen, seen.tail(1).assign(src="shop", dst="cart-db")], ignore_index=True)
    found = ProductionMap(more).paths("shop", "cart-db")
    assert found["hops"].tolist() == [1, 2, 2]
    assert found["services"].tolist()[1] == ["shop", "cart", "cart-db"]
    assert "its link was seen, known from traces only" in found["words"][0]


def test_faint_links_are_not_walked_and_nothing_left_is_an_empty_table() -> None:
    production = ProductionMap(EDGES)
    assert len(production.paths("shop", "cart-db", min_confidence=0.6)) == 1
    none = production.paths("shop", "cart-db", min_confidence=0.95)
    assert none.empty
    assert none["confidence"].dtype == "float64"
    assert production.paths("shop", "cart-db", hops=1).empty


def test_unknown_and_equal_services_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean"):
        ProductionMap(EDGES).paths("shop", "cart-bd")
    with pytest.raises(ParameterError, match="pass two services"):
        ProductionMap(EDGES).paths("shop", "shop")


@settings(max_examples=40, deadline=None)
@given(
    pairs=st.lists(st.tuples(*[st.integers(0, 5)] * 2), min_size=1, max_size=12),
    seed=st.integers(0, 99),
    hops=st.integers(1, 4),
)
def test_finds_what_trying_all_paths_finds(pairs: list[tuple[int, int]], seed: int, hops: int) -> None:
    ends = sorted({tuple(sorted(pair)) for pair in pairs if pair[0] != pair[1]} | {(0, 1)})
    sure = np.random.default_rng(seed).uniform(0.1, 0.9, len(ends)).tolist()
    edges = pd.DataFrame([(f"s{a}", f"s{b}", c) for (a, b), c in zip(ends, sure, strict=True)])
    edges.columns = ["src", "dst", "confidence"]
    strength = dict(zip(ends, sure, strict=True))
    best = []
    for size in range(hops):
        for between in permutations(range(1, 5), size):
            path = (0, *between, 5)
            steps = [tuple(sorted(step)) for step in pairwise(path)]
            if all(step in strength for step in steps):
                best.append(float(np.prod([strength[step] for step in steps])))
    production = ProductionMap(edges)
    if "s5" not in set(production.services["service"]):
        return
    found = production.paths("s0", "s5", hops=hops, top=100, min_confidence=0.0)
    assert found["confidence"].tolist() == pytest.approx(sorted(best, reverse=True))
    assert all(len(set(path)) == len(path) <= hops + 1 for path in found["services"])


def test_a_search_for_more_paths_than_there_are_ends() -> None:
    names = [f"s{i}" for i in range(16)]
    rows = [(a, b, 0.9) for a in names for b in names if a < b]
    # behind a bridge, and behind one that is no bridge: the way round is longer than the hops
    around = [("s0", "db", 0.9), ("s0", "far", 0.9)]
    chain = [("far", "c0", 0.9), *[(f"c{i}", f"c{i + 1}", 0.9) for i in range(12)], ("c12", "s1", 0.9)]
    edges = pd.DataFrame([*rows, *around, *chain], columns=["src", "dst", "confidence"])
    production = ProductionMap(edges)
    assert production.paths("s0", "db", hops=1000)["services"].tolist() == [["s0", "db"]]
    found = production.paths("s5", "far", hops=11, top=10**9)
    assert found.attrs["words"][0].startswith("the search was given up after 100,000 beginnings of paths")
    assert found["services"].tolist()[0] == ["s5", "s0", "far"]
    assert production.paths("s0", "db", hops=2).attrs == {}
