"""Delays: some known directions tell whose alerts come late, and so the other directions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab.dependencies.inference.delays import CLEAR, lag_log_odds
from stanza_lab.dependencies.inference.pairs import PairCounts
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting, Firings

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
START = pd.Timestamp("2026-03-01", tz="UTC")
NODES, TRAVEL_S, SPREAD_S = 14, 60, 30


def counts(table: list[tuple[float, str]]) -> PairCounts:
    """Seconds since the start and names."""
    at = pd.Series(START + pd.to_timedelta([second for second, _ in table], unit="s"), dtype="datetime64[us, UTC]")
    firings = Firings.of(at, pd.Series([name for _, name in table], dtype="str"))
    return PairCounts.of(CoFiringStatistics.count(firings, COUNTING))


def late(seed: int, *, delay_s: float) -> tuple[PairCounts, np.ndarray, np.ndarray]:
    """Half of all pairs are linked, each fires on its own days; alerts of some nodes come late. With what is true."""
    rng = np.random.default_rng(seed)
    delays = rng.uniform(0, delay_s, NODES)
    table, leads, day = [], {}, 0
    for a in range(NODES):
        for b in range(a + 1, NODES):
            if rng.random() < 0.5:
                continue
            first, second = rng.permutation([a, b])
            leads[a, b] = first == a
            for _ in range(40):
                day += 1
                at = day * 7200.0
                table.append((at + delays[first] + rng.normal(0, SPREAD_S), f"n{first:02}"))
                table.append((at + TRAVEL_S + delays[second] + rng.normal(0, SPREAD_S), f"n{second:02}"))
    found = counts(table)
    truth = np.array([leads[a, b] for a, b in zip(found.a, found.b, strict=True)])
    return found, truth, delays


@pytest.mark.parametrize("seed", range(4))
def test_known_directions_tell_the_others(seed: int) -> None:
    pairs, truth, delays = late(seed, delay_s=120)
    given = np.random.default_rng(seed).random(len(pairs)) < 0.2
    known = np.where(given, np.where(truth, 8.0, -8.0), 0.0)
    log_odds, found = lag_log_odds(pairs, weight=np.ones(len(pairs)), known=known)
    right = ((log_odds > 0) == truth)[~given].mean()
    raw = ((pairs.lag_quantile(0.5) > 0) == truth)[~given].mean()
    assert right > max(0.85, raw)
    assert np.corrcoef(found, delays)[0, 1] > 0.9


def test_without_delays_the_order_tells() -> None:
    pairs, truth, _ = late(0, delay_s=0)
    log_odds, delays = lag_log_odds(pairs, weight=np.ones(len(pairs)), known=np.zeros(len(pairs)))
    assert ((log_odds > 0) == truth).mean() > 0.9
    assert np.abs(delays).max() < TRAVEL_S


def test_lags_never_say_more_than_their_bound() -> None:
    pairs, truth, _ = late(0, delay_s=120)
    log_odds, _ = lag_log_odds(pairs, weight=np.ones(len(pairs)), known=np.where(truth, 8.0, -8.0))
    assert np.abs(log_odds).max() <= CLEAR


def test_pairs_that_are_not_linked_teach_nothing() -> None:
    pairs, _, _ = late(0, delay_s=120)
    log_odds, delays = lag_log_odds(pairs, weight=np.zeros(len(pairs)), known=np.zeros(len(pairs)))
    assert not log_odds.any()
    assert not delays.any()


def test_no_pairs_no_answer() -> None:
    log_odds, delays = lag_log_odds(counts([(0, "a")]), weight=np.zeros(0), known=np.zeros(0))
    assert (log_odds.tolist(), delays.tolist()) == ([], [0.0])


def test_other_names_mirror_the_answer() -> None:
    table = [(7200 * k + at, name) for k in range(9) for at, name in ((0, "a"), (20 + k, "b"))]
    table += [(10**6 + 7200 * k + at, name) for k in range(9) for at, name in ((0, "b"), (45 + k, "c"))]
    swapped = [(at, {"a": "c", "b": "b", "c": "a"}[name]) for at, name in table]
    (one, delays), (two, swapped_delays) = (
        lag_log_odds(counts(rows), weight=np.ones(2), known=np.zeros(2)) for rows in (table, swapped)
    )
    np.testing.assert_allclose(one, -two[::-1])
    np.testing.assert_allclose(delays, swapped_delays[::-1], atol=1e-9)
