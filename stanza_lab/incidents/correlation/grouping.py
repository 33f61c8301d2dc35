"""One grouping of alerts: the pairs within reach, their hierarchy, the incidents in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stanza_lab.incidents.correlation import evidence, hierarchy
from stanza_lab.incidents.correlation.evidence import Evidence, Gaps
from stanza_lab.incidents.correlation.pairs import candidates
from stanza_lab.incidents.correlation.recurrence import Recurrence
from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from stanza_lab.incidents.correlation.features import Features
    from stanza_lab.incidents.density.tree import Clusters


@dataclass(frozen=True)
class Settings:
    """The checked parameters of a clusterer, durations in seconds."""

    gaps: Gaps
    max_gap_s: float
    resolution_s: float
    min_alerts: int
    min_rules: int
    min_neighbours: int
    max_chronic: float


@dataclass(frozen=True)
class Grouping:
    """Labels of alerts in the order of their features, and all that explains them.

    `forest` are the links that hold the alerts together, `clusters` the condensed tree that follows from them.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    core: np.ndarray
    forest: hierarchy.Pairs
    clusters: Clusters


def evidence_of(
    features: Features, settings: Settings, calls: csr_array, recurrence: Recurrence | None = None
) -> Evidence:
    """Return what is known of the alerts; without a `recurrence` of others, they teach the habits of their rules."""
    family = evidence.families(features.seconds, features.rule) if recurrence is None else recurrence.family
    company, luck = evidence.company(features.seconds, Recurrence.family_of(family, features.rule))
    learned = Recurrence.of(features.rule, family, luck) if recurrence is None else recurrence
    return Evidence(
        features=features,
        gaps=settings.gaps,
        calls=calls,
        recurrence=learned,
        habit=learned.habit(features.rule, luck if recurrence is None else None),
        company=company,
        crowd=evidence.crowd(features.seconds, features.rule) if settings.gaps.crowd else np.zeros(len(features)),
        luck=luck,
        first=None,
    )


def taught(known: Evidence, labels: np.ndarray) -> Evidence:
    """Return what is known once a first grouping of the same alerts says which rules came together."""
    learned = Recurrence.of(known.features.rule, known.recurrence.family, known.luck, labels)
    return replace(known, recurrence=learned, first=labels)


def group(known: Evidence, settings: Settings) -> Grouping:
    """Group alerts by what is known of them."""
    return from_pairs(known, near_pairs(known, settings), settings)


def from_pairs(known: Evidence, pairs: hierarchy.Pairs, settings: Settings) -> Grouping:
    """Group alerts by the pairs of them within `max_gap`."""
    n = len(known.features)
    core = hierarchy.core_distances(n, pairs, k=settings.min_neighbours)
    pairs = _held_by_telling(pairs, known.habit > settings.max_chronic)
    reached = hierarchy.reachability(pairs, core, resolution_s=settings.resolution_s, max_gap_s=settings.max_gap_s)
    forest = hierarchy.spanning_forest(n, reached)
    labels, probabilities, clusters = hierarchy.cut(
        n, forest, min_alerts=settings.min_alerts, max_gap_s=settings.max_gap_s
    )
    none = _rules(labels, known.features.rule) < settings.min_rules
    none |= _least_chronic(labels, known.habit) > settings.max_chronic
    labels = hierarchy.number_by_first(np.where(np.r_[none, False][labels], NOISE, labels))
    return Grouping(labels, np.where(labels == NOISE, 0.0, probabilities), core, forest, clusters)


def near_pairs(known: Evidence, settings: Settings) -> hierarchy.Pairs:
    """Return the compared pairs within `max_gap` and their distances."""
    found = []
    for left, right in candidates(known.features, known.calls, reach_s=known.reach_s(settings.max_gap_s)):
        apart = known.distances(left, right)
        near = apart <= settings.max_gap_s
        found.append((left[near].astype(np.int32), right[near].astype(np.int32), apart[near]))
    if not found:
        nobody = np.zeros(0, dtype=np.int32)
        return hierarchy.Pairs(nobody, nobody, np.zeros(0))
    return hierarchy.Pairs(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _rules(labels: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """Return how many different rules each incident has."""
    inside = labels != NOISE
    size = int(rule.max(initial=0)) + 1
    different = np.unique(labels[inside] * size + rule[inside])
    return np.bincount(different // size, minlength=labels.max(initial=NOISE) + 1)


def _least_chronic(labels: np.ndarray, habit: np.ndarray) -> np.ndarray:
    """Return how chronic the least chronic alert of each incident is."""
    least = np.ones(labels.max(initial=NOISE) + 1)
    np.minimum.at(least, labels[labels != NOISE], habit[labels != NOISE])
    return least


def _held_by_telling(pairs: hierarchy.Pairs, chronic: np.ndarray) -> hierarchy.Pairs:
    """Leave a chronic alert one pair only, with the nearest that is not: it may join others, but holds nothing."""
    a, b = chronic[pairs.left], chronic[pairs.right]
    one = np.flatnonzero(a != b)
    end = np.where(a[one], pairs.left[one], pairs.right[one])
    order = one[np.lexsort([np.where(a[one], pairs.right[one], pairs.left[one]), pairs.distance[one], end])]
    end = np.where(a[order], pairs.left[order], pairs.right[order])
    nearest = order[np.r_[True, end[1:] != end[:-1]][: len(order)]]
    kept = ~a & ~b
    kept[nearest] = True
    return pairs.where(kept)
