"""The search for patterns among incidents, and how many of them chance offers.

Two kinds of chance must both be unlikely: that kinds of alert meet in time though none knows of the others
(`chance.odds`), and that they fall into the same incidents because some incidents are large and some kinds are in many
(`chance.over_incidents`: the same search where kinds change places between incidents, again and again).

Where a pattern is in all incidents but a few, there is nothing for its kinds to change places with: every shuffled
history is the same again. Then time alone judges (`compared`), which is a bound of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_array

from stanza_lab.patterns.mining import alike, chance
from stanza_lab.patterns.mining.members import Member, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.patterns.mining.sequences import Sequences

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MOST_TRIALS, LEAST_TRIALS = 39, 3  # 39: what none of them offers comes by chance less than once in 39
_WORK = 1_000_000  # pairs of incident and kind that all trials together may have


def search(
    sequences: Sequences, *, least: int, random_state: int, n_jobs: int | None, progress: bool
) -> tuple[list[Member], chance.Odds]:
    """Return the patterns of some incidents, and what chance makes of each."""
    has = _matrix(sequences, sequences.kind)
    usual = chance.usual(sequences)
    found = _patterns(has, sequences, least, usual)
    odds = chance.odds(found, sequences, least=least)
    beside = compared(np.array([len(one.incidents) for one in found]), sequences.n_incidents, least=least)
    if not beside.any():
        return found, odds
    many = trials(sequences)
    seeds = np.random.SeedSequence(random_state).spawn(many)
    work = Parallel(n_jobs=n_jobs)(
        delayed(_trial)(sequences, least, usual, seed) for seed in _shown(seeds, show=progress)
    )
    q = chance.q_values(chance.over_incidents(found, has), list(work))
    return found, odds._replace(q_value=np.maximum(odds.q_value, np.where(beside, q, 0.0)))


def compared(support: Ints, n_incidents: int, *, least: int) -> NDArray[np.bool_]:
    """Tell of each pattern whether there are so many other incidents that shuffling kinds can tell anything of it."""
    return np.asarray(n_incidents - support >= least)


def trials(sequences: Sequences) -> int:
    """Return how many shuffled histories are searched: fewer of a large one, which has more to learn from in each."""
    return int(np.clip(_WORK // max(1, len(sequences.kind)), LEAST_TRIALS, MOST_TRIALS))


def _patterns(has: csr_array, sequences: Sequences, least: int, usual: Floats) -> list[Member]:
    counts = np.bincount(has.indices, minlength=has.shape[1]).astype(np.int64)
    weight = alike.weights(counts, sequences.alone, sequences.n_incidents)
    return settle(has, weight, alike.groups(has, weight, least=least), least=least, usual=usual)


def _trial(sequences: Sequences, least: int, usual: Floats, seed: np.random.SeedSequence) -> Floats:
    """Return the p values of what is found where each incident is as large and each kind as frequent, but no more."""
    has = _matrix(sequences, np.random.default_rng(seed).permutation(sequences.kind))
    return chance.over_incidents(_patterns(has, sequences, least, usual), has)


def _matrix(sequences: Sequences, kind: Ints) -> csr_array:
    """Return incidents x kinds, one where the incident has the kind."""
    shape = sequences.n_incidents, sequences.n_kinds
    table = csr_array((np.ones(len(kind)), (sequences.incident, kind)), shape=shape)
    table.sum_duplicates()
    table.data = np.ones(len(table.data))
    return table


def _shown(seeds: list[np.random.SeedSequence], *, show: bool) -> Iterable[np.random.SeedSequence]:
    """Return the seeds behind a progress bar, where one is wanted."""
    if not show:
        return seeds
    from tqdm.auto import tqdm

    return tqdm(seeds, desc="shuffled histories", unit="history")
