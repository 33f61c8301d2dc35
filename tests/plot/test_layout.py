from __future__ import annotations

import random as python_random

import igraph
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.plot import layout

CHAIN = np.array([0, 1, 2]), np.array([1, 2, 3])
NO_NAMES = np.zeros((0, 4))


def placed(n: int, src: np.ndarray, dst: np.ndarray, side: list[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    sides = np.array(side or [0] * n)
    return layout.place(n, src, dst, np.ones(len(src)), sides, most=8)


def ring(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(n), (np.arange(n) + 1) % n


def test_dependencies_stand_right_of_their_callers() -> None:
    x, _ = placed(4, *CHAIN)
    assert (np.diff(x) == layout.GAP).all()


def test_a_light_edge_does_not_turn_heavy_ones() -> None:
    src, dst = np.array([0, 1, 2]), np.array([1, 2, 0])
    x, _ = layout.place(3, src, dst, np.array([1.0, 1.0, 0.05]), np.zeros(3, dtype=np.int64), most=8)
    assert x[0] < x[1] < x[2]


def test_neighbours_stand_left_and_right_of_all_others() -> None:
    src, dst = np.array([0, 1, 3, 2]), np.array([1, 2, 0, 4])
    x, _ = placed(5, src, dst, [0, 0, 0, -1, 1])
    assert x[3] < x[:3].min()
    assert x[4] > x[:3].max()


def test_larger_pictures_put_near_what_few_links_part() -> None:
    src, dst = ring(60)
    x, y = placed(60, src, dst)
    linked = np.hypot(x[src] - x[dst], y[src] - y[dst])
    assert linked.mean() < np.hypot(x - x[::-1], y - y[::-1]).mean() / 2


def test_larger_pictures_are_turned_so_that_most_dependencies_point_right() -> None:
    src, dst = np.arange(59), np.arange(1, 60)
    x, _ = placed(60, src, dst)
    assert (x[src] <= x[dst]).mean() > 0.9


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 80), st.integers(0, 99))
def test_no_two_nodes_share_a_place(n: int, m: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    pairs = np.unique(random.integers(0, n, (m, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    x, y = placed(n, pairs[:, 0], pairs[:, 1])
    assert len(set(zip(x, y, strict=True))) == n


@pytest.mark.parametrize("n", [12, 60, 400])
def test_places_do_not_depend_on_chance(n: int) -> None:
    python_random.seed(1)
    first = placed(n, *ring(n))
    python_random.seed(2)
    again = placed(n, *ring(n))
    assert np.array_equal(first, again)


def test_rows_keep_to_the_height_they_were_drawn_at() -> None:
    y = layout.settle(np.array([0, 0, 0, 1]), np.array([0.0, 0.1, 1.0, 0.5]), rows=8)
    assert y.tolist() == [0, 1, 8, 4.5]


def curve(x: np.ndarray, y: np.ndarray, names: np.ndarray = NO_NAMES) -> tuple[np.ndarray, np.ndarray]:
    names = names if len(names) else np.zeros((len(x), 4))
    ends = np.array([0]), np.array([2])
    xs, ys = layout.curves(x, y, *ends, radius=np.full(len(x), 6.0), names=names, height=400.0)
    return xs[0], ys[0]


def test_a_link_is_straight_where_nothing_is_in_its_way() -> None:
    _, ys = curve(np.array([0.0, 200, 400]), np.array([200.0, 50, 200]))
    assert np.ptp(ys) == 0


def test_a_link_bows_around_a_node_and_around_a_name() -> None:
    xs, ys = curve(np.array([0.0, 200, 400]), np.array([200.0, 200, 200]))
    assert np.hypot(xs - 200, ys - 200).min() > 8
    name = np.array([[0, 0, 0, 0], [150, 190, 250, 210], [0, 0, 0, 0]], dtype=float)
    xs, ys = curve(np.array([0.0, 200, 400]), np.array([200.0, 100, 200]), name)
    assert not ((xs > 150) & (xs < 250) & (ys > 192) & (ys < 208)).any()


def test_links_run_from_node_to_node_inside_the_picture() -> None:
    x, y = np.array([0.0, 200, 400]), np.array([4.0, 4, 4])
    xs, ys = curve(x, y)
    assert (xs[0], ys[0], xs[-1], ys[-1]) == (0, 4, 400, 4)
    assert ys.min() >= 0


def test_layered_edges_point_right_and_circles_are_broken_where_lightest() -> None:
    src, dst = np.array([0, 1, 2, 0]), np.array([1, 2, 0, 3])
    column, _ = layout._layers(5, src, dst, np.array([0.9, 0.8, 0.1, 0.5]), np.zeros(5, dtype=np.int64))
    assert column.tolist() == [0, 1, 2, 1, 0]


def test_igraph_is_only_given_edges_one_column_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """On longer ones igraph 1.0.0 reads memory that is not its own."""
    asked: list[tuple[int, int]] = []
    really = igraph.Graph.layout_sugiyama

    def watched(graph: igraph.Graph, layers: list[int]) -> igraph.Layout:
        asked.extend((layers[a], layers[b]) for a, b in graph.get_edgelist())
        return really(graph, layers=layers)

    monkeypatch.setattr(igraph.Graph, "layout_sugiyama", watched)
    src, dst = np.array([0, 1, 2, 3, 0, 4]), np.array([1, 2, 3, 0, 3, 3])
    for side in ([0, 0, 0, 0, 0], [0, -1, 0, 1, 1]):
        layout._layers(5, src, dst, np.ones(6), np.array(side))
    assert asked
    assert {b - a for a, b in asked} == {1}
