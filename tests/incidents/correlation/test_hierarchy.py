from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree

from stanza_lab.incidents.correlation import hierarchy
from stanza_lab.incidents.correlation.hierarchy import Pairs

if TYPE_CHECKING:
    import pandas as pd


def pairs_of(*rows: tuple[int, int, float]) -> Pairs:
    left, right, distance = zip(*rows, strict=True) if rows else ((), (), ())
    return Pairs(np.array(left, np.int32), np.array(right, np.int32), np.array(distance, float))


def cut(n: int, *rows: tuple[int, int, float], min_alerts: int = 2, max_gap_s: float = 1200.0) -> list[int]:
    forest = hierarchy.spanning_forest(n, pairs_of(*rows))
    return hierarchy.cut(n, forest, min_alerts=min_alerts, max_gap_s=max_gap_s)[0].tolist()


PAIRS = st.integers(2, 9).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.dictionaries(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1]),
            st.integers(0, 20).map(float),
            max_size=30,
        ),
    )
)


@settings(max_examples=60)
@given(PAIRS, st.integers(1, 4))
def test_a_core_distance_is_that_to_the_kth_neighbour(given_pairs, k):
    n, apart = given_pairs
    core = hierarchy.core_distances(n, pairs_of(*[(a, b, d) for (a, b), d in apart.items()]), k=k)
    for i in range(n):
        mine = sorted(d for pair, d in apart.items() if i in pair)
        assert core[i] == (mine[k - 1] if len(mine) >= k else np.inf)


def test_reachability_is_mutual_and_no_finer_than_the_resolution():
    pairs, core = pairs_of((0, 1, 30.0), (1, 2, 200.0), (2, 3, 200.0)), np.array([30.0, 100.0, 700.0, np.inf])
    found = hierarchy.reachability(pairs, core, resolution_s=0, max_gap_s=1000)
    assert found.distance.tolist() == [100, 700]
    found = hierarchy.reachability(pairs, core, resolution_s=150, max_gap_s=1000)
    assert found.distance.tolist() == [150, 700]


def test_alerts_within_the_resolution_link_whatever_is_around_them():
    pairs, core = pairs_of((0, 1, 30.0), (2, 3, 90.0)), np.array([np.inf, np.inf, np.inf, np.inf])
    assert hierarchy.reachability(pairs, core, resolution_s=60, max_gap_s=1000).distance.tolist() == [1000]


@settings(max_examples=60)
@given(PAIRS)
def test_the_forest_has_the_weights_of_a_minimum_spanning_forest(given_pairs):
    n, apart = given_pairs
    rows = [(a, b, d) for (a, b), d in apart.items()]
    found = hierarchy.spanning_forest(n, pairs_of(*rows))
    matrix = np.zeros((n, n))
    for a, b, d in rows:
        matrix[a, b] = d + 1  # scipy takes 0 for no edge
    expected = np.sort(minimum_spanning_tree(matrix).data) - 1
    assert found.distance == pytest.approx(expected, abs=1e-5)
    assert (np.diff(found.distance) >= 0).all()


def test_blocks_do_not_see_each_other():
    links = [(0, 1, 5.0), (1, 2, 5.0), (3, 4, 900.0)]
    assert cut(6, *links) == [0, 0, 0, 1, 1, -1]
    assert cut(6, *links, min_alerts=3) == [0, 0, 0, -1, -1, -1]
    assert cut(9, *links, (6, 7, 1.0), (7, 8, 1000.0))[:6] == [0, 0, 0, 1, 1, -1]


def test_a_denser_part_becomes_an_incident_of_its_own():
    assert cut(6, (0, 1, 10), (1, 2, 10), (2, 3, 600), (3, 4, 10), (4, 5, 10)) == [0, 0, 0, 1, 1, 1]


def test_what_is_evenly_dense_stays_one():
    assert cut(6, *[(i, i + 1, 500.0) for i in range(5)]) == [0] * 6


def test_nothing_to_cut():
    assert cut(0) == []
    assert cut(1) == [-1]
    assert cut(3) == [-1, -1, -1]


def test_labels_are_numbered_as_they_appear():
    assert hierarchy.number_by_first(np.array([7, -1, 3, 7, 5])).tolist() == [0, -1, 1, 0, 2]
    assert hierarchy.number_by_first(np.zeros(0, dtype=int)).tolist() == []


def members(table: pd.DataFrame, cluster: int, n: int) -> set[int]:
    inside = table[table["parent"] == cluster]["child"].tolist()
    return {child for child in inside if child < n}.union(*(members(table, c, n) for c in inside if c >= n))


LINKS = st.lists(st.sampled_from([1.0, 7.0, 60.0, 300.0, 900.0, 2000.0]), min_size=1, max_size=14)


@settings(max_examples=60)
@given(LINKS, st.integers(2, 3))
def test_a_chosen_cluster_of_the_condensed_tree_holds_its_incident(gaps, min_alerts):
    n = len(gaps) + 1
    linked = pairs_of(*[(i, i + 1, gap) for i, gap in enumerate(gaps) if gap <= 1200])
    labels, _, clusters = hierarchy.cut(n, hierarchy.spanning_forest(n, linked), min_alerts=min_alerts, max_gap_s=1200)
    table = hierarchy.condensed_tree(clusters, labels)
    named = table[table["incident_id"] >= 0]
    assert sorted(named["incident_id"]) == sorted({*labels.tolist()} - {-1})
    for child, incident in zip(named["child"], named["incident_id"], strict=True):
        assert members(table, child, n) == {*np.flatnonzero(labels == incident).tolist()}


@pytest.mark.parametrize(
    ("links", "labels", "expected"),
    [
        ([(0, 1, 100.0), (1, 2, 100.0)], [0, 0, 0], 1 - 100 / 1000),  # nothing else within the limit of 1,000
        ([(0, 1, 100.0), (1, 2, 400.0)], [0, 0, -1], (1 - 100 / 400) * 2 / 3),
        ([(0, 1, 100.0), (1, 2, 400.0), (2, 3, 200.0)], [0, 0, 1, 1], ((1 - 1 / 4) + (1 - 1 / 2)) / 2),
        ([(0, 1, 400.0), (1, 2, 100.0)], [0, 0, -1], (100 / 400 - 1) * 2 / 3),
        ([(0, 1, 100.0)], [-1, -1], 0.0),
        ([], [], 0.0),
    ],
)
def test_validity_is_separation_against_width(links, labels, expected):
    labels = np.array(labels, dtype=np.int64)
    assert hierarchy.validity(pairs_of(*links), labels, max_gap_s=1000) == pytest.approx(expected)
