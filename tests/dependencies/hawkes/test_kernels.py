"""The compiled loops, against the plainest way to say the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from stanza_lab.dependencies.hawkes import _kernels, process

ITSELF = [(np.array([0, 1, 2]), np.array([0, 1]))]
NEXT = [*ITSELF, (np.array([0, 1, 2]), np.array([1, 0]))]  # each of two places is next to the other


def history(seed: int, count: int = 3, alarms: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(count, size=alarms), rng.integers(2, size=alarms), np.floor(rng.uniform(0, 900, alarms))


def designed(nodes, places, times, near, paces):
    count = int(nodes.max()) + 1
    story = process._history(nodes, places, times, 2)
    order = np.argsort(story.stream.nodes, kind="stable")
    design = process._design(story, near, np.ones((count, count), dtype=bool), order, paces)
    return story.stream, design, order


def plainly(nodes, places, times, target, source, hop, pace):
    """Return the influence on each alarm of the target, in order of place and time."""
    found = []
    order = np.lexsort((nodes, times, places))
    for n in order[nodes[order] == target]:
        there = (places == places[n]) if hop == 0 else (places != places[n])
        ago = times[n] - times
        before = there & (nodes == source) & (ago > 0)
        tied = (there & (nodes == source) & (ago == 0)).any() and source != target
        found.append(np.exp(-pace * ago[before]).sum() + _kernels.TIED * tied)
    return np.array(found)


@pytest.mark.parametrize("seed", range(4))
def test_influence_is_the_sum_over_what_fired_before(seed: int) -> None:
    nodes, places, times = history(seed)
    paces = np.array([0.1, 0.01])
    _, (columns, _, _, alone), _ = designed(nodes, places, times, NEXT, paces)
    for target in range(3):
        first, last = columns.targets[target], columns.targets[target + 1]
        linked = np.zeros(last - first)
        for source in range(3):
            for hop in range(2):
                for q, pace in enumerate(paces):
                    c = ((target * 3 + source) * 2 + hop) * 2 + q
                    got = np.zeros(last - first)
                    entries = slice(columns.starts[c], columns.starts[c + 1])
                    np.add.at(got, columns.rows[entries] - first, columns.values[entries])
                    linked += got
                    want = plainly(nodes, places, times, target, source, hop, pace)
                    # Only what is nearly forgotten has no entry.
                    assert np.sort(got)[::-1] == pytest.approx(np.sort(want)[::-1][: len(got)], abs=0.02)
        assert (linked > 0).all()
        assert last - first + alone[:, target].sum() == (nodes == target).sum()


def test_exposure_is_the_influence_summed_over_time() -> None:
    nodes, places, times = np.array([0, 1, 0]), np.array([0, 0, 1]), np.array([0.0, 10.0, 100.0])
    _, design, _ = designed(nodes, places, times, ITSELF, np.array([0.05]))
    until = np.array([100.0, 0.0])  # seconds left after each alarm of node 0
    assert design.exposure.sum(axis=0)[0] == pytest.approx(((1 - np.exp(-0.05 * until)) / 0.05).sum())


def test_settling_finds_the_maximum_of_the_likelihood() -> None:
    nodes, places, times = history(7, alarms=200)
    _, (columns, exposure, _, alone), _ = designed(nodes, places, times, ITSELF, np.array([0.05]))
    rows = slice(columns.targets[0], columns.targets[1])
    weights = np.ones(columns.targets[-1])
    sample = _kernels.Sample(weights, alone.sum(axis=0), 1800.0, exposure.sum(axis=0))
    dense = np.zeros((rows.stop - rows.start, 3))
    for source in range(3):
        entries = slice(columns.starts[source], columns.starts[source + 1])
        np.add.at(dense[:, source], columns.rows[entries] - rows.start, columns.values[entries])

    def loss(x: np.ndarray) -> float:
        seen = np.log(x[0] + dense @ x[1:]).sum() + sample.alone[0] * np.log(x[0])
        return -(seen - x[0] * 1800.0 - x[1:] @ sample.exposure)

    best = minimize(loss, np.full(4, 0.01), bounds=[(1e-9, None)] + [(0, None)] * 3, options={"ftol": 1e-13})
    effects, intensity = np.zeros((3, 1)), np.full(len(dense), 0.05)
    rate = _kernels._settle(columns, sample, 0, np.arange(3), 0.05, effects, intensity)
    assert loss(np.r_[rate, effects[:, 0]]) == pytest.approx(best.fun, abs=0.05)
    assert intensity == pytest.approx(rate + dense @ effects[:, 0], rel=1e-6)


def test_a_promise_is_never_more_than_the_gain() -> None:
    nodes, places, times = history(3, alarms=300)
    _, (columns, exposure, _, alone), _ = designed(nodes, places, times, ITSELF, np.array([0.05]))
    sample = _kernels.Sample(np.ones(columns.targets[-1]), alone.sum(axis=0), 1800.0, exposure.sum(axis=0))
    for target in range(3):
        rows = slice(columns.targets[target], columns.targets[target + 1])
        rate = (nodes == target).sum() / 1800.0
        flat = np.full(rows.stop - rows.start, rate)
        promise = np.zeros(3)
        _kernels._promises(columns, sample, target, flat, promise)
        for source in range(3):
            effects, intensity = np.zeros((1, 1)), flat.copy()
            new = _kernels._settle(columns, sample, target, np.array([source]), rate, effects, intensity)
            gain = np.log(intensity / rate).sum() + sample.alone[target] * np.log(new / rate)
            gain -= 1800.0 * (new - rate) + effects[0, 0] * sample.exposure[source]
            assert promise[source] <= gain + 2 * _kernels.SETTLED
    assert promise.max() >= 0


def test_lags_count_from_the_latest_alarm_of_each_cause() -> None:
    stream = _kernels.Stream(np.array([0, 0, 1, 1]), np.array([0.0, 5.0, 7.0, 900.0]), np.array([0, 4]))
    counts = np.zeros((2, 2, 2))
    _kernels.lags(stream, np.array([0.0, 4.0, 600.0]), counts)
    assert counts[0, 1].tolist() == [1, 0]
    assert counts.sum() == 1
