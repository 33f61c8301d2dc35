"""Strengths: shares beyond chance, what is left of them beside all others, and whether a third explains more."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.dependencies.inference.pairs import PairCounts
from stanza_lab.dependencies.inference.strengths import Strengths, strengths
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting, Firings

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
START = pd.Timestamp("2026-03-01", tz="UTC")
rows = st.lists(st.tuples(st.integers(0, 24 * 60), st.sampled_from("abcde")), max_size=80)


def weighed(table: list[tuple[float, str]]) -> tuple[list[str], Strengths]:
    at = pd.Series(START + pd.to_timedelta([minute for minute, _ in table], unit="min"), dtype="datetime64[us, UTC]")
    firings = Firings.of(at, pd.Series([name for _, name in table], dtype="str"))
    counts = PairCounts.of(CoFiringStatistics.count(firings, COUNTING))
    return [counts.nodes[a] + counts.nodes[b] for a, b in zip(counts.a, counts.b, strict=True)], strengths(counts)


def incidents(times: int, *, apart: int = 37 * 60, **every: int) -> list[tuple[float, str]]:
    """Every so many incidents, each of these names fires."""
    return [(apart * k, name) for k in range(times) for name, period in every.items() if k % period == 0]


def test_nothing_is_no_strength() -> None:
    assert weighed([])[0] == []
    assert all(len(values) == 0 for values in weighed([])[1])


def test_strength_is_the_share_in_common() -> None:
    _, all_shared = weighed(incidents(40, a=1, b=1))
    _, quarter = weighed(incidents(40, a=1, b=4))
    assert 0.9 < all_shared.strength[0] <= 1
    assert 0.4 < quarter.strength[0] < 0.5  # 10 in common of 40 and 10: 10 / 20, less chance


def test_chance_alone_has_no_strength() -> None:
    hourly = [(61 * k, "a") for k in range(200)] + [(61 * k + 25, "b") for k in range(200)]
    _, found = weighed([*hourly, *((61 * k + 5, "b") for k in range(0, 200, 4))])
    assert found.strength[0] == 0


def test_a_pair_without_a_third_has_no_rival() -> None:
    assert weighed(incidents(20, a=1, b=1))[1].rival[0] > 1


def test_the_ends_of_a_chain_are_explained_by_its_middle() -> None:
    # b fires with a in half of its incidents and with c in the others; a and c only in a few.
    chain = [(37 * 60 * k + at, name) for k in range(60) for at, name in ((0, "b"), (1, "ac"[k % 2]))]
    chain += [(37 * 60 * k + 2, "ca"[k % 2]) for k in range(0, 60, 6)]
    pairs, found = weighed(chain)
    told = dict(zip(pairs, found.rival, strict=True))
    assert told["ac"] < 0 < min(told["ab"], told["bc"])
    partial = dict(zip(pairs, found.partial, strict=True))
    assert partial["ac"] < min(partial["ab"], partial["bc"]) / 2


def test_the_best_partner_of_both_is_best() -> None:
    pairs, found = weighed(incidents(60, a=1, b=1, c=6))
    told = dict(zip(pairs, found.best, strict=True))
    assert told["ab"] == 1
    assert told["ac"] <= 1


@given(rows)
@settings(max_examples=40)
def test_every_number_is_within_its_range(table: list[tuple[int, str]]) -> None:
    _, found = weighed(table)
    for values in (found.strength, found.partial, found.best):
        assert ((values >= 0) & (values <= 1 + 1e-9)).all()
    assert np.isfinite(found.rival).all()
