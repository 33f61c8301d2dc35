from __future__ import annotations

import numpy as np
import pytest
from hdbscan import HDBSCAN
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree

from stanza_lab.incidents import hierarchy
from stanza_lab.incidents.features import from_numbers

ALERTS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=30
)  # many at the same instant, few services and teams


def full_matrix(found, service_gap_s, team_gap_s):
    n = len(found)
    i, j = (index.ravel() for index in np.indices((n, n)))
    gaps = {"service_gap_s": service_gap_s, "team_gap_s": team_gap_s}
    return hierarchy.pair_distances(found, i, j, **gaps).reshape(n, n)


def tree_weights(full):
    """Sorted edges of the minimum spanning tree; 1 is added on the way because scipy takes 0 for no edge."""
    return np.sort(minimum_spanning_tree(np.triu(full + 1.0, 1)).data) - 1.0


@given(ALERTS, st.integers(1, 4), st.sampled_from([(0.0, 0.0), (30.0, 20.0), (500.0, 7.0)]))
def test_sorted_chains_give_the_tree_of_the_full_matrix(alerts, k, gaps):
    found = from_numbers(np.array(alerts, dtype=float))
    full = full_matrix(found, *gaps)
    n = len(found)
    left, right = hierarchy.neighbour_pairs(found, k=k)
    core = hierarchy.core_distances(n, left, right, full[left, right], k=k)

    off = np.sort(full[~np.eye(n, dtype=bool)].reshape(n, n - 1), axis=1)
    expected_core = off[:, k - 1] if k <= n - 1 else np.full(n, np.inf)
    assert core.tolist() == expected_core.tolist()

    if k <= n - 1:
        reach = np.maximum(full, np.maximum(core[:, None], core[None, :]))
        few = np.full((n, n), 1e9)
        few[left, right] = reach[left, right]
        assert tree_weights(few) == pytest.approx(tree_weights(reach))


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=25, unique=True))
def test_hdbscan_of_the_full_matrix_finds_the_same_incidents(gaps):
    times = np.cumsum([0, *gaps]).astype(float)  # no two gaps are equal: nothing is left to a tie rule
    found = from_numbers(times[:, None])
    left, right = hierarchy.neighbour_pairs(found, k=1)
    apart = hierarchy.pair_distances(found, left, right, service_gap_s=0, team_gap_s=0)
    labels, _ = hierarchy.cut(len(found), hierarchy.spanning_forest(len(found), left, right, apart), min_alerts=2)

    # far away two more, so that the root, which HDBSCAN never selects, is not all there is
    there = np.append(times, [1e12, 1e12 + 1])
    full = np.abs(np.subtract.outer(there, there))
    peer = HDBSCAN(min_cluster_size=2, min_samples=1, metric="precomputed").fit(full).labels_[: len(found)]
    assert hierarchy.number_by_first(labels).tolist() == hierarchy.number_by_first(peer).tolist()


def test_blocks_do_not_see_each_other():
    left, right = np.array([0, 1, 3]), np.array([1, 2, 4])
    forest = hierarchy.spanning_forest(6, left, right, np.array([5.0, 5.0, 900.0]))
    labels, probabilities = hierarchy.cut(6, forest, min_alerts=2)
    assert hierarchy.number_by_first(labels).tolist() == [0, 0, 0, 1, 1, -1]
    assert probabilities[5] == 0
    assert hierarchy.cut(6, forest, min_alerts=3)[0].tolist() == [0, 0, 0, -1, -1, -1]


def test_a_denser_part_becomes_an_incident_of_its_own():
    left, right = np.array([0, 1, 2, 3, 4]), np.array([1, 2, 3, 4, 5])
    forest = hierarchy.spanning_forest(6, left, right, np.array([10.0, 10.0, 600.0, 10.0, 10.0]))
    labels, _ = hierarchy.cut(6, forest, min_alerts=2)
    assert hierarchy.number_by_first(labels).tolist() == [0, 0, 0, 1, 1, 1]


def test_labels_are_numbered_as_they_appear():
    assert hierarchy.number_by_first(np.array([7, -1, 3, 7, 5])).tolist() == [0, -1, 1, 0, 2]
