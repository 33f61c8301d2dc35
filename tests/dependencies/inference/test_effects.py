"""Direct effects: a chain and a fork are told from direct links, from pair counts alone."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.dependencies.inference.effects import CAUSES, direct_effects
from stanza_lab.dependencies.inference.pairs import PairCounts
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting, Firings

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
START = pd.Timestamp("2026-03-01", tz="UTC")
rows = st.lists(st.tuples(st.integers(0, 24 * 60), st.sampled_from("abcde")), max_size=80)


def effects(table: list[tuple[float, str]]) -> dict[tuple[str, str], float]:
    """By cause and effect: how many firings of the effect each of the cause brings."""
    at = pd.Series(START + pd.to_timedelta([minute for minute, _ in table], unit="min"), dtype="datetime64[us, UTC]")
    firings = Firings.of(at, pd.Series([name for _, name in table], dtype="str"))
    counts = PairCounts.of(CoFiringStatistics.count(firings, COUNTING))
    onto_b, onto_a = direct_effects(counts)
    names = counts.nodes.tolist()
    pairs = [(names[a], names[b]) for a, b in zip(counts.a, counts.b, strict=True)]
    return dict(zip(pairs, onto_b, strict=True)) | {(b, a): value for (a, b), value in zip(pairs, onto_a, strict=True)}


def planted(calls: dict[str, str], *, root: str, seed: int, share: float = 0.6) -> list[tuple[float, str]]:
    """Trouble of `root` travels along calls (effect: cause), each time with a chance; every node also fires alone."""
    rng = np.random.default_rng(seed)
    month = 60 * 24 * 60
    table = []
    for start in rng.uniform(0, month, 150):
        fired = {root: start}
        for effect, cause in calls.items():
            if cause in fired and rng.random() < share:
                fired[effect] = fired[cause] + rng.exponential(1.5)
        table += [(at, name) for name, at in fired.items()]
    names = [root, *calls]
    return table + [(at, name) for name in names for at in rng.uniform(0, month, 60)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("names", ["abc", "cab", "bca"])
def test_a_chain_is_no_link_between_its_ends(names: str, seed: int) -> None:
    first, middle, last = names
    found = effects(planted({middle: first, last: middle}, root=first, seed=seed))
    assert found[first, last] < 0.75 * min(found[first, middle], found[middle, last])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("names", ["abc", "cab", "bca"])
def test_a_fork_is_no_link_between_its_tines(names: str, seed: int) -> None:
    root, one, other = names
    found = effects(planted({one: root, other: root}, root=root, seed=seed))
    assert max(found[one, other], found[other, one]) < min(found[root, one], found[root, other]) / 2


def test_an_effect_is_about_the_share_of_causes_that_had_one() -> None:
    found = effects(planted({"b": "a"}, root="a", seed=0))
    assert found["a", "b"] == pytest.approx(0.6 * 150 / 210, abs=0.15)  # 60 firings of a are none of its trouble
    assert found["b", "a"] < 0.1


def test_more_nodes_than_are_weighed_at_once() -> None:
    rng = np.random.default_rng(99)
    loud = [(at, f"n{k:02}") for k in range(CAUSES + 10) for at in rng.uniform(0, 60 * 24 * 60, 100)]
    found = effects([*planted({"b": "a"}, root="a", seed=0), *loud])
    assert found["a", "b"] > 5 * max(value for pair, value in found.items() if not {"a", "b"} & {*pair})


def test_nothing_has_no_effects() -> None:
    assert effects([]) == effects([(0, "a"), (500, "b")]) == {}


@given(rows)
@settings(max_examples=40)
def test_effects_are_not_below_nothing(table: list[tuple[int, str]]) -> None:
    assert all(np.isfinite(value) and value >= 0 for value in effects(table).values())


@given(rows, st.permutations("abcde"))
@settings(max_examples=30)
def test_names_do_not_matter(table: list[tuple[int, str]], other: list[str]) -> None:
    renamed = dict(zip("abcde", other, strict=True))
    one, two = effects(table), effects([(minute, renamed[name]) for minute, name in table])
    assert {(renamed[a], renamed[b]) for a, b in one} == {*two}
    for (a, b), value in one.items():
        assert two[renamed[a], renamed[b]] == pytest.approx(value, abs=1e-6)


def test_the_strongest_causes_are_kept() -> None:
    # Many that fire with b by chance, one that brings it: it must be among those weighed.
    table = planted({"b": "z"}, root="z", seed=1)
    near = [(minute + 4, f"n{k:02}") for k, (minute, _) in zip(itertools.cycle(range(60)), table[:120], strict=False)]
    found = effects([*table, *near])
    assert found["z", "b"] > 0.2
