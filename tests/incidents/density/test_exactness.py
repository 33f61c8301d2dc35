"""The hierarchy is hdbscan's, and labels follow from it by the rule that merges at one distance are one node."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hdbscan import HDBSCAN
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cophenet

from stanza_lab.incidents import TimeClusterer
from stanza_lab.incidents.density import tree
from tests.incidents.density import plain

KINDS = ("spread", "coarse", "evenly spaced", "heavy tail", "bursts", "few values", "fractions")


def times_of(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    if kind == "spread":
        return rng.permutation(rng.choice(100 * n, n, replace=False)).astype(float)
    if kind == "coarse":
        return rng.integers(0, 2 * n, n).astype(float)
    if kind == "evenly spaced":
        return rng.permutation(n) * 60.0
    if kind == "heavy tail":
        return rng.permutation(np.cumsum(np.ceil(rng.pareto(0.7, n) * 10).clip(0, 1e9)))
    if kind == "bursts":
        return np.round(rng.integers(0, 5, n) * 1_000 + rng.exponential(20, n))
    if kind == "few values":
        return rng.integers(0, 4, n) * 7.0
    return rng.random(n) * 1_000


def cases(count: int, largest: int) -> Iterator[tuple[str, np.ndarray, int, int]]:
    rng = np.random.default_rng(20260301)
    for i in range(count):
        kind = KINDS[i % len(KINDS)]
        n = int(rng.integers(2, largest))
        yield kind, times_of(kind, n, rng), int(rng.integers(2, 8)), int(rng.integers(1, rng.integers(2, n + 3)))


def hdbscan(times: np.ndarray, min_alerts: int, neighbours: int, algorithm: str = "prims_kdtree") -> HDBSCAN:
    peer = HDBSCAN(
        min_cluster_size=min_alerts,
        min_samples=neighbours,
        algorithm=algorithm,
        approx_min_span_tree=False,
        core_dist_n_jobs=1,
    )
    return peer.fit(times[:, None])


def joined_at(times: np.ndarray, neighbours: int) -> np.ndarray:
    """Return the distance at which each pair of rows is first together: all there is to a hierarchy, ties included."""
    order = np.argsort(times)
    merges = tree.merge(times[order], neighbours=neighbours)
    found = np.empty(len(times), dtype=np.int64)
    found[order] = np.arange(len(times))
    linkage = np.column_stack([merges.first, merges.second, merges.distance, merges.size[len(times) :]])
    pairs = np.triu_indices(len(times), 1)
    left, right = np.sort([found[pairs[0]], found[pairs[1]]], axis=0)
    square = np.zeros((len(times), len(times)))
    square[pairs] = cophenet(linkage.astype(float))
    return square[left, right]


def test_hierarchy_is_that_of_hdbscan_on_thousands_of_inputs():
    seen = set()
    for kind, times, _, neighbours in cases(6_000, 40):
        peer = cophenet(hdbscan(times, 2, neighbours).single_linkage_tree_.to_numpy())
        assert np.allclose(joined_at(times, neighbours), peer, rtol=1e-12, atol=1e-9), (kind, times, neighbours)
        seen.add((len(times), min(neighbours, len(times))))
    assert {(n, k) for n in range(2, 12) for k in range(1, n)} <= seen


@pytest.mark.parametrize("algorithm", ["boruvka_kdtree", "prims_kdtree"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("neighbours", [1, 5, 40])
def test_hierarchy_of_more_times(kind, neighbours, algorithm):
    times = times_of(kind, 500, np.random.default_rng(neighbours))
    peer = hdbscan(times, 5, neighbours, algorithm).single_linkage_tree_.to_numpy()
    assert np.allclose(joined_at(times, neighbours), cophenet(peer), rtol=1e-12, atol=1e-9)


def test_labels_and_strengths_are_those_of_hdbscan_where_ties_do_not_matter():
    compared = dict.fromkeys(KINDS, 0)
    with_neighbours = 0
    for kind, times, min_alerts, neighbours in cases(2_800, 30):
        neighbours = 1 + neighbours % 3  # with more, few inputs hold clusters and no ties
        if plain.ties_matter(plain.hierarchy(times.tolist(), min_alerts=min_alerts, neighbours=neighbours)):
            continue
        peer = hdbscan(times, min_alerts, neighbours)
        ours = TimeClusterer(min_alerts=min_alerts, min_neighbours=neighbours, max_gap=None, resolution="0s")
        model = ours.fit(times[:, None])
        assert same_partition(model.labels_, peer.labels_), (kind, times, min_alerts, neighbours)
        assert np.allclose(model.probabilities_, peer.probabilities_, atol=1e-9)
        clusters = model.labels_.max() + 1
        compared[kind] += clusters > 0
        with_neighbours += neighbours > 1 and clusters > 0
    assert compared["spread"] > 50
    assert compared["heavy tail"] > 50
    assert with_neighbours > 100, compared


def same_partition(ours: np.ndarray, theirs: np.ndarray) -> bool:
    pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
    one_to_one = len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    return one_to_one and all((a == -1) == (b == -1) for a, b in pairs)


TIMES = st.lists(st.integers(0, 60), max_size=24) | st.lists(st.integers(0, 10**6), max_size=24)
PARAMETERS = st.fixed_dictionaries(
    {
        "min_alerts": st.integers(2, 6),
        "neighbours": st.integers(1, 26),
        "max_gap": st.none() | st.integers(1, 40) | st.just(10**5),
        "resolution": st.integers(0, 5),
    }
)


def fitted(times: list[int], parameters: dict) -> TimeClusterer:
    gap = parameters["max_gap"]
    return TimeClusterer(
        min_alerts=parameters["min_alerts"],
        min_neighbours=parameters["neighbours"],
        max_gap=None if gap is None else f"{gap}s",
        resolution=f"{parameters['resolution']}s",
    ).fit(alerts_at(times))


def alerts_at(seconds: list[int]) -> pd.DataFrame:
    start = pd.Timestamp("2026-03-01T14:00Z")
    return pd.DataFrame({"starts_at": start + pd.to_timedelta(np.array(seconds, dtype=np.int64), unit="s")})


@settings(max_examples=300)
@given(TIMES, PARAMETERS)
def test_labels_and_tree_follow_from_the_definition(times, parameters):
    expected = plain.hierarchy(times, **parameters)
    model = fitted(times, parameters)
    assert model.labels_.tolist() == plain.labels(expected, times)
    found = model.condensed_tree_
    assert {(p, c, round(at, 9)) for p, c, at in members(found, len(times))} == plain.rows(expected)
    assert len(found) == len(plain.rows(expected))


def members(found: pd.DataFrame, n: int) -> Iterator[tuple[frozenset[int], frozenset[int], float]]:
    inside: dict[int, frozenset[int]] = {i: frozenset([i]) for i in range(n)}
    for parent in sorted(set(found["parent"]), reverse=True):  # children come after their parents
        inside[parent] = frozenset().union(*(inside[child] for child in found.loc[found["parent"] == parent, "child"]))
    for row in found.itertuples():
        assert row.size == len(inside[row.child])
        yield inside[row.parent], inside[row.child], row.distance_s


@settings(max_examples=200)
@given(TIMES, PARAMETERS, st.randoms())
def test_row_order_does_not_matter(times, parameters, random):
    order = list(range(len(times)))
    random.shuffle(order)
    before, after = fitted(times, parameters), fitted([times[i] for i in order], parameters)
    assert after.labels_.tolist() == before.labels_[order].tolist()
    assert after.probabilities_.tolist() == before.probabilities_[order].tolist()


@settings(max_examples=100)
@given(TIMES, PARAMETERS, st.integers(-(10**9), 10**9))
def test_shifting_all_times_does_not_matter(times, parameters, seconds):
    moved = fitted([t + seconds for t in times], parameters)
    assert moved.labels_.tolist() == fitted(times, parameters).labels_.tolist()


@settings(max_examples=100)
@given(TIMES, TIMES, PARAMETERS.filter(lambda p: p["max_gap"]))
def test_alerts_beyond_the_gap_do_not_matter(times, others, parameters):
    if min(len(times), len(others)) <= parameters["neighbours"]:
        return  # the furthest alert is the nearest there is
    both = fitted([*times, *(t + 10**7 for t in others)], parameters)
    assert both.labels_[: len(times)].tolist() == fitted(times, parameters).labels_.tolist()


def test_compiled_loops_do_what_their_text_says():
    from stanza_lab.incidents.density import _kernels

    for _, times, min_alerts, neighbours in cases(70, 30):
        ordered = np.sort(times)
        neighbours = min(neighbours, len(times) - 1)
        core = _kernels.core_distances.py_func(ordered, neighbours)
        assert core.tolist() == _kernels.core_distances(ordered, neighbours).tolist()
        left, right, distance = _kernels.links.py_func(ordered, core)
        for text, compiled in zip((left, right, distance), _kernels.links(ordered, core), strict=True):
            assert text.tolist() == compiled.tolist()
        order = np.argsort(distance, kind="stable")
        merges = _kernels.merges.py_func(left[order], right[order], len(times))
        for text, compiled in zip(merges, _kernels.merges(left[order], right[order], len(times)), strict=True):
            assert text.tolist() == compiled.tolist()
        arguments = (merges[0], merges[1], distance[order], merges[2], min_alerts, False)
        clusters = _kernels.condense.py_func(*arguments)
        for text, compiled in zip(clusters, _kernels.condense(*arguments), strict=True):
            assert text.tolist() == compiled.tolist()
        chosen = _kernels.choose.py_func(clusters[2], clusters[6])
        assert chosen.tolist() == _kernels.choose(clusters[2], clusters[6]).tolist()
        assert _kernels.number.py_func(chosen).tolist() == _kernels.number(chosen).tolist()


def test_core_distance_does_not_count_the_alert_itself():
    """As hdbscan's min_samples; scikit-learn's counts it."""
    joined = hdbscan(np.array([0.0, 1.0, 3.0, 7.0]), 2, 2).single_linkage_tree_.to_numpy()[:, 2]
    assert joined.tolist() == [3.0, 3.0, 6.0]
    assert tree.merge(np.array([0.0, 1.0, 3.0, 7.0]), neighbours=2).distance.tolist() == [3.0, 3.0, 6.0]
