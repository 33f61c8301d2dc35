"""Reachability over probable links: shared links count once, both ways of a link exclude each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab.production import ProductionMap
from stanza_lab.production.spread.reach import Arcs, packed, share, unpacked


def arcs(rows: list[tuple[str, str, float]], **more: object) -> Arcs:
    edges = pd.DataFrame(rows, columns=["src", "dst", "confidence"]).assign(**more)
    production = ProductionMap(edges)
    return Arcs.of(production.links, pd.Index(production.services["service"]), draws=64 * 256)


def reached(found: Arcs, start: str, *, hops: int = 3) -> dict[str, float]:
    said = found.spread(int(found.names.get_loc(start)), hops=hops)
    return {str(name): round(float(value), 2) for name, value in zip(found.names, said, strict=True)}


def test_trouble_goes_from_a_dependency_to_who_depends_on_it() -> None:
    found = arcs([("shop", "cart", 0.5), ("cart", "cart-db", 0.5)])
    said = reached(found, "cart-db")
    assert said["cart"] == pytest.approx(0.5, abs=0.02)
    assert said["shop"] == pytest.approx(0.25, abs=0.02)
    assert reached(found, "shop") == {"cart": 0.0, "cart-db": 0.0, "shop": 1.0}
    assert reached(found.turned(), "shop")["cart-db"] == said["shop"]


def test_a_link_that_two_paths_share_counts_once() -> None:
    found = arcs(
        [("a", "shared", 1.0), ("b", "shared", 1.0), ("shared", "db", 0.5), ("top", "a", 1.0), ("top", "b", 1.0)]
    )
    assert reached(found, "db")["top"] == pytest.approx(0.5, abs=0.02)  # adding up paths would say 0.75


def test_separate_paths_add_up() -> None:
    found = arcs([("a", "db", 0.5), ("b", "db", 0.5), ("top", "a", 1.0), ("top", "b", 1.0)])
    assert reached(found, "db")["top"] == pytest.approx(0.75, abs=0.02)


def test_hops_bound_how_far_it_goes() -> None:
    found = arcs([("c", "b", 1.0), ("b", "a", 1.0)])
    assert reached(found, "a", hops=1) == {"a": 1.0, "b": 1.0, "c": 0.0}


def test_the_two_ways_of_a_link_exclude_each_other() -> None:
    found = arcs([("a", "b", 0.4), ("b", "a", 0.4)], link_confidence=0.8)
    both = found.drawn[0] & found.drawn[1]
    assert not both.any()
    assert reached(found, "a")["b"] == pytest.approx(0.4, abs=0.02)


def test_thinning_keeps_a_share_of_each_link() -> None:
    found = arcs([("a", "b", 0.8)]).thinned(0.5)
    assert reached(found, "b")["a"] == pytest.approx(0.4, abs=0.02)


def test_the_likeliest_way_prefers_sure_links_to_few() -> None:
    found = arcs([("top", "db", 0.3), ("top", "mid", 0.9), ("mid", "db", 0.9)])
    ways = found.ways(int(found.names.get_loc("db")), hops=2)
    visited = found.names[found.src[ways[int(found.names.get_loc("top"))]]]
    assert visited.tolist() == ["mid", "top"]
    short = found.ways(int(found.names.get_loc("db")), hops=1)
    assert found.names[found.src[short[int(found.names.get_loc("top"))]]].tolist() == ["top"]


def test_a_map_without_links_reaches_nobody() -> None:
    names = pd.Index(["a", "b"])
    found = Arcs.of(ProductionMap(pd.DataFrame({"src": ["a"], "dst": ["a"], "confidence": [1.0]})).links, names)
    assert np.array_equal(found.spread(0, hops=3), [1.0, 0.0])
    assert found.ways(0, hops=3) == [[], []]
    assert np.array_equal(found.turned().thinned(0.5).spread(1, hops=1), [0.0, 1.0])


def test_more_hops_than_there_are_services_cost_nothing() -> None:
    found = arcs([("shop", "cart", 0.5), ("cart", "cart-db", 0.5)])
    assert reached(found, "cart-db", hops=10**9) == reached(found, "cart-db", hops=2)
    start = int(found.names.get_loc("cart-db"))
    assert found.ways(start, hops=10**9) == found.ways(start, hops=2)


def test_bits_come_back_as_they_were_packed() -> None:
    bits = np.random.default_rng(5).random((3, 128)) < 0.3
    assert np.array_equal(unpacked(packed(bits)), bits)
    assert share(packed(bits)).tolist() == bits.mean(axis=1).tolist()


def test_what_is_reached_through_one_service_is_reached_together() -> None:
    found = arcs([("api", "db", 0.5), ("a", "api", 1.0), ("b", "api", 1.0)])
    bits = found.reached(int(found.names.get_loc("db")), hops=2)
    one, other = (unpacked(bits)[found.names.get_loc(name)] for name in ("a", "b"))
    assert np.array_equal(one, other)
    assert 0.4 < one.mean() < 0.6
