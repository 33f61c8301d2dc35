"""The search: planted causes are found, known ones are kept, and what is independent is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from stanza_lab.dependencies.hawkes import process
from stanza_lab.dependencies.hawkes.process import blocks, fit_influence, median_lags
from stanza_lab.errors import ParameterError


def itself(places: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.arange(places + 1), np.arange(places))]


def chain(places: int = 20, alarms: int = 800) -> dict[str, np.ndarray]:
    """Alarms of node 0, of which most lead to node 1 20 s later and these to node 2; node 3 goes its own way."""
    rng = np.random.default_rng(0)
    at, place = rng.uniform(0, 4e6, alarms), rng.integers(places, size=alarms)
    nodes, where, times = [np.zeros(alarms)], [place], [at]
    for node in (1, 2):
        follows = rng.random(len(times[-1])) < 0.7
        times.append(times[-1][follows] + rng.exponential(20, follows.sum()))
        where.append(where[-1][follows])
        nodes.append(np.full(follows.sum(), node))
    nodes.append(np.full(alarms, 3))
    where.append(rng.integers(places, size=alarms))
    times.append(rng.uniform(0, 4e6, alarms))
    return {"nodes": np.concatenate(nodes).astype(int), "places": np.concatenate(where), "times": np.concatenate(times)}


def fitted(history: dict[str, np.ndarray], places: int = 20, **more) -> process.Influence:
    nodes = history["nodes"]
    more = {"count": 4, "near": itself(places), "replicates": 12} | more
    return fit_influence(nodes, places=history["places"], times=history["times"], **more)


def test_a_chain_is_found_without_its_short_cut() -> None:
    found = fitted(chain())
    assert found.share[0, 1] == found.share[1, 2] == 1
    assert found.share[0, 2] <= 0.5
    assert found.effect[0, 1] == pytest.approx(0.7, abs=0.1)
    assert found.share[3].sum() + found.share[:, 3].sum() <= 0.5


def test_nothing_goes_in_a_circle() -> None:
    found = fitted(chain(), replicates=1)
    assert np.trace(np.linalg.matrix_power(found.share + 0.0, 2)) == 0


def test_the_order_of_rows_and_the_first_instant_change_nothing() -> None:
    history = chain()
    order = np.random.default_rng(1).permutation(len(history["nodes"]))
    again = fitted(
        {name: values[order] for name, values in history.items()} | {"times": history["times"][order] + 4096.0}
    )
    assert again.share == pytest.approx(fitted(history).share)


def test_known_causes_are_kept_and_impossible_ones_are_not() -> None:
    required, forbidden = np.zeros((2, 4, 4), dtype=bool)
    required[3, 0] = forbidden[0, 1] = True
    found = fitted(chain(), required=required, forbidden=forbidden)
    assert found.share[3, 0] == 1
    assert found.share[0, 3] == found.share[0, 1] == 0


def test_only_candidates_are_considered() -> None:
    candidates = np.zeros((4, 4), dtype=bool)
    candidates[1, 2] = True
    share = fitted(chain(), candidates=candidates).share
    assert share[1, 2] == 1
    assert share.sum() == 1


def test_few_places_are_drawn_as_stretches_of_time() -> None:
    history = chain(places=2)
    share = fitted(history, places=2).share
    assert share[0, 1] == share[1, 2] == 1
    assert 0 < fitted(history, places=2, replicates=1).effect[0, 1] < 1


def test_an_effect_next_door_needs_the_hop() -> None:
    history = chain()
    moved = history | {"places": np.where(history["nodes"] == 1, (history["places"] + 1) % 20, history["places"])}
    next_door = np.arange(21), (np.arange(20) - 1) % 20
    assert fitted(moved).share[0, 1] == 0
    assert fitted(moved, near=[*itself(20), next_door]).share[0, 1] == 1


def test_all_in_one_second_is_no_error() -> None:
    for nodes in (np.zeros(500, dtype=int), np.arange(500) % 4):
        found = fitted({"nodes": nodes, "places": np.zeros(500, dtype=int), "times": np.full(500, 9.0)}, places=1)
        assert np.isfinite(found.effect).all()


def test_no_alarms_tell_nothing() -> None:
    empty = {"nodes": np.zeros(0, dtype=int), "places": np.zeros(0, dtype=int), "times": np.zeros(0)}
    assert fitted(empty).share.sum() == 0


def test_too_much_to_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MOST_ENTRIES", 100)
    with pytest.raises(ParameterError, match="pass fewer candidates"):
        fitted(chain())


def test_blocks_are_cut_where_it_is_quiet() -> None:
    bursts = np.repeat(np.arange(40) * 86_400.0, 25) + np.tile(np.arange(25.0), 40)
    block, seconds = blocks(bursts)
    assert len(seconds) >= 30
    assert seconds.sum() == pytest.approx(bursts[-1], rel=1e-6)
    assert all(len(set(block[burst * 25 : burst * 25 + 25])) == 1 for burst in range(40))


def test_one_burst_is_one_block() -> None:
    assert len(blocks(np.arange(1000.0))[1]) == 1


def test_lag_is_the_median_beyond_chance() -> None:
    history = chain()
    lags = median_lags(history["nodes"], places=history["places"], times=history["times"], count=4)
    assert lags[0, 1] == pytest.approx(14, abs=4)  # of an exponential with mean 20 s
    assert np.isnan(lags[0, 0])
