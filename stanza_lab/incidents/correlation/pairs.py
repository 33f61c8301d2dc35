"""Which alerts are compared with each other: near ones all, in a storm the nearest of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from stanza_lab.incidents.correlation.features import Features

NEXT = 32  # how many following alerts each is compared with, whatever they are about
NEXT_ALIKE = 3  # and how many following alerts of the same service, team, rule, trace, resource or pair of services
BLOCK = 200_000  # alerts whose pairs are held in memory at once


def candidates(
    features: Features, calls: csr_array, *, reach_s: float | np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs (left, right) of positions, left before right, none twice, within `reach_s` of the left one.

    Each alert meets the `NEXT` that follow it. Where more than that follow within reach (a storm), it also meets the
    next few that share something with it.
    """
    n = len(features)
    seconds, reach_s = features.seconds, np.broadcast_to(reach_s, n)
    last = np.searchsorted(seconds, seconds + reach_s, side="right")
    crowded = last - np.arange(n) - 1 > NEXT
    last = np.minimum(last, np.arange(n) + 1 + NEXT)
    for begin in range(0, n, BLOCK):
        here = np.arange(begin, min(begin + BLOCK, n))
        counts = last[here] - here - 1
        left = np.repeat(here, counts)
        step = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
        right = left + 1 + step
        yield left, right
    if crowded.any():
        yield from _alike(features, calls, crowded, reach_s=reach_s)


def _alike(
    features: Features, calls: csr_array, crowded: np.ndarray, *, reach_s: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield what the alerts of a storm share with alerts beyond their nearest, none twice."""
    n = len(features)
    found = []

    def chain(entry: np.ndarray, group: np.ndarray, count: int) -> None:
        sorted_by_entry = (entry[1:] >= entry[:-1]).all()
        order = np.argsort(group, kind="stable") if sorted_by_entry else np.lexsort([entry, group])
        entry, group = entry[order], group[order]
        for step in range(1, count + 1):
            left, right = entry[:-step], entry[step:]
            kept = (group[:-step] == group[step:]) & crowded[left] & (right - left > NEXT)
            kept &= features.seconds[right] - features.seconds[left] <= reach_s[left]
            found.append(left[kept] * n + right[kept])

    everyone = np.arange(n)
    for code in (features.service, features.team, features.rule):
        known = code >= 0
        chain(everyone[known], code[known], NEXT_ALIKE)
    for entry, code in features.lists.values():
        chain(entry, code, NEXT_ALIKE)
    for entry, group in _pairs_of_services(features, calls, _stormy(features.seconds, crowded, float(reach_s.max()))):
        chain(entry, group, 1)
    pairs = np.unique(np.concatenate(found))
    for begin in range(0, len(pairs), BLOCK * NEXT):
        some = pairs[begin : begin + BLOCK * NEXT]
        yield some // n, some % n


def _stormy(seconds: np.ndarray, crowded: np.ndarray, reach_s: float) -> np.ndarray:
    """Return which alerts are crowded or within reach after one that is: the last of a storm have few that follow."""
    before = np.r_[0, np.cumsum(crowded)]
    first = np.searchsorted(seconds, seconds - reach_s)
    return np.asarray(before[1:] > before[first])


def _pairs_of_services(
    features: Features, calls: csr_array, stormy: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the alerts of each two services that call each other, as (entry, number of the two), in portions."""
    if not calls.nnz:
        return
    known = np.flatnonzero((features.service >= 0) & (features.service < calls.shape[0]) & stormy)
    order = known[np.argsort(features.service[known], kind="stable")]
    start = np.searchsorted(features.service[order], np.arange(calls.shape[0] + 1))
    size = np.diff(start)
    links = calls.tocoo()
    first, second = links.coords
    both = (first < second) & (size[first] > 0) & (size[second] > 0)
    first, second = first[both], second[both]
    total = np.cumsum(size[first] + size[second])
    for portion in np.split(
        np.arange(len(first)), np.searchsorted(total, np.arange(BLOCK * 8, total[-1:].sum(), BLOCK * 8))
    ):
        if not len(portion):
            continue
        ends = np.concatenate([first[portion], second[portion]])
        counts = size[ends]
        group = np.repeat(np.tile(portion, 2), counts)
        step = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
        yield order[np.repeat(start[ends], counts) + step], group
