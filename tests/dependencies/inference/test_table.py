"""The evidence on pairs: other names mirror it, what is known teaches the rest, claims can be left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stanza_lab.dependencies.evidence import FEATURES
from stanza_lab.dependencies.inference.table import Evidence, evidence_table
from stanza_lab.dependencies.known import Known
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting, Firings
from stanza_lab.dependencies.sums import DependencyStatistics

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
START = pd.Timestamp("2026-03-01", tz="UTC")
NAMES = ("badger", "heron", "kestrel", "otter")  # no word in common
rows = st.lists(st.tuples(st.integers(0, 2 * 24 * 60), st.sampled_from(NAMES)), max_size=60)


def evidence(
    table: list[tuple[float, str]], *, required: set[tuple[str, str]] = frozenset(), **how: object
) -> Evidence:
    at = pd.Series(START + pd.to_timedelta([minute for minute, _ in table], unit="min"), dtype="datetime64[us, UTC]")
    firings = CoFiringStatistics.count(Firings.of(at, pd.Series([n for _, n in table], dtype="str")), COUNTING)
    statistics = DependencyStatistics.of(firings)
    return evidence_table(statistics, known=Known({*required}, set()), min_support=3, max_q=0.05, **how)


def by_pair(found: Evidence, column: str, *, signed: bool = False) -> dict[tuple[str, str], float]:
    pairs = found.pairs
    told = dict(zip(zip(pairs["a"], pairs["b"], strict=True), pairs[column], strict=True))
    back = {(b, a): 1 - value if signed else value for (a, b), value in told.items()}
    return told | back


def test_nothing_is_an_empty_table() -> None:
    found = evidence([])
    assert found.pairs.empty
    assert {"link_confidence", "b_depends", "prior"} <= {*found.pairs.columns}
    assert found.delay_s.empty


@given(rows, st.permutations(NAMES))
@example([(0, "badger"), (0, "kestrel"), (0, "otter")], ["badger", "heron", "otter", "kestrel"])
@settings(max_examples=30)
def test_names_without_words_do_not_matter(table: list[tuple[int, str]], other: list[str]) -> None:
    new = dict(zip(NAMES, other, strict=True))
    one, two = evidence(table), evidence([(minute, new[name]) for minute, name in table])
    for column, signed in (("link_confidence", False), ("b_depends", True)):
        there = by_pair(two, column, signed=signed)
        for (a, b), value in by_pair(one, column, signed=signed).items():
            assert there[new[a], new[b]] == pytest.approx(value, abs=1e-6), (column, a, b)


@given(rows)
@settings(max_examples=20)
def test_confidence_is_a_probability(table: list[tuple[int, str]]) -> None:
    pairs = evidence(table).pairs
    for column in ("link_confidence", "b_depends"):
        assert pairs[column].between(0, 1).all()


def test_directions_that_are_known_teach_the_others() -> None:
    # Otter's alerts come two minutes late, so it seems to depend on all of the others; in fact they depend on it.
    lags = {"heron": (-0.5, 1.5), "kestrel": (-0.5, 1.5), "badger": (-0.5, 1.5)}
    rng = np.random.default_rng(0)
    table, day = [], 0
    for name, (mine, late) in lags.items():
        for _ in range(40):
            day += 1
            table += [(day * 120 + mine + rng.normal(0, 0.3), name), (day * 120 + late + rng.normal(0, 0.3), "otter")]
    unknown = by_pair(evidence(table), "b_depends", signed=True)
    known = by_pair(evidence(table, required={("heron", "otter"), ("kestrel", "otter")}), "b_depends", signed=True)
    assert unknown["badger", "otter"] > 0.5
    assert known["badger", "otter"] < unknown["badger", "otter"]


def test_without_claims_names_say_nothing() -> None:
    table = [(37 * 60 * k + lag, name) for k in range(9) for lag, name in ((0, "orders-db"), (1, "orders"))]
    told, silent = evidence(table).pairs, evidence(table, claims=False).pairs
    assert (told[[*FEATURES]].to_numpy() != 0).any()
    assert (silent[[*FEATURES]].to_numpy() == 0).all()
    spoken = {name for name in silent.columns if ":" in name and (silent[name] != 0).any()}
    assert spoken <= {"says:co-firing", "says:direct effect", "way:order", "way:who fires more"}


def test_required_pairs_are_looked_at_among_many() -> None:
    table = [(100 * k, f"n{k:03}") for k in range(301)]
    pairs = evidence(table, required={("n009", "n005"), ("n009", "ghost")}).pairs
    assert pairs[["a", "b"]].to_numpy().tolist() == [["n005", "n009"]]
    assert pairs["b_depends"].iloc[0] > 0.99
