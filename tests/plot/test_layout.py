from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.plot import layout

CHAIN = np.array([0, 1, 2]), np.array([1, 2, 3])


def test_ranks_go_down_along_the_edges() -> None:
    rank = layout.ranks(4, *CHAIN, np.ones(3))
    assert (np.diff(rank) > 0.8).all()


def test_a_cycle_shares_the_blame() -> None:
    rank = layout.ranks(3, np.array([0, 1, 2]), np.array([1, 2, 0]), np.ones(3))
    assert np.allclose(rank, 0)


def test_dependencies_stand_right_of_their_callers() -> None:
    rank = layout.ranks(4, *CHAIN, np.ones(3))
    assert layout.columns(rank, *CHAIN, most=9).tolist() == [0, 1, 2, 3]


def test_a_full_column_is_split() -> None:
    src, dst = np.zeros(10, dtype=np.int64), np.arange(1, 11)
    column = layout.columns(layout.ranks(11, src, dst, np.ones(10)), src, dst, most=4)
    assert np.bincount(column).max() <= 4


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(0, 80), st.integers(0, 99))
def test_no_two_nodes_share_a_place(n: int, m: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    src, dst = random.integers(0, n, m), random.integers(0, n, m)
    weight = random.random(m) + 0.1
    column = layout.columns(layout.ranks(n, src, dst, weight), src, dst, most=6)
    x, y = layout.place(column, src, dst, weight)
    assert len(set(zip(x, y, strict=True))) == n


def test_a_curve_bows_around_the_node_it_would_cross() -> None:
    x, y = np.array([0.0, 4.0, 8.0]), np.array([0.0, -0.5, 0.0])  # the usual bow ends up on the node in the middle
    xs, ys = layout.curves(x, y, np.array([0]), np.array([2]))
    near = np.abs(xs[0] - 4.0) < 1.0
    assert (np.abs(ys[0][near] + 0.5) > 0.35).all()


def test_curves_run_from_node_to_node_and_two_directions_bow_apart() -> None:
    x, y = np.array([0.0, 4.0]), np.array([0.0, 1.0])
    xs, ys = layout.curves(x, y, np.array([0, 1]), np.array([1, 0]))
    assert (xs[0, 0], ys[0, 0], xs[0, -1], ys[0, -1]) == (0, 0, 4, 1)
    middle = xs.shape[1] // 2
    assert abs(ys[0, middle] - ys[1, middle]) > 0.3
