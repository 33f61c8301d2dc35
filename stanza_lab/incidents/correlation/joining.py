"""New alerts against a fitted grouping: which of its incidents they join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stanza_lab.incidents.correlation import evidence, features, grouping
from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    from stanza_lab.incidents.correlation.evidence import Evidence
    from stanza_lab.incidents.correlation.features import Features
    from stanza_lab.incidents.correlation.recurrence import Recurrence

LINKS = 2  # how many reaches around a new alert the fitted ones are grouped again


@dataclass(frozen=True)
class Joined:
    """Incident, membership strength and distance of new alerts, in the order of their features."""

    labels: np.ndarray
    probabilities: np.ndarray
    core: np.ndarray


def join(
    known: Evidence,
    labels: np.ndarray,
    new: Features,
    settings: grouping.Settings,
    recurrence: Recurrence,
    *,
    count: int,
) -> Joined:
    """Group `new` alerts together with those of `known` around them.

    A found group that holds alerts of fitted incidents is the one of which it holds most; any other is a new incident,
    numbered from `count` on in the order of time.
    """
    if not len(new):
        return Joined(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
    old = known.features
    new = features.shifted(new, old.origin_us)
    around = _within(old, new, evidence.CROWD_S)
    both, order = features.joined(old.take(around), new)
    whole = grouping.evidence_of(both, settings, known.calls, recurrence)
    # what is usual takes hours to know; what an alert may belong to lies nearer
    reach_s = LINKS * float(whole.reach_s(settings.max_gap_s).max())
    kept = np.flatnonzero(
        (both.seconds >= new.seconds[0] - reach_s) & (both.seconds <= new.seconds[-1] + reach_s)
        | (order >= len(around))
    )
    found = grouping.group(whole.take(kept), settings)
    told = order[kept]  # the place of each among those around, then the new ones
    is_new = told >= len(around)
    place = np.empty(len(new), dtype=np.int64)
    place[told[is_new] - len(around)] = np.flatnonzero(is_new)
    was, fitted = found.labels[~is_new], labels[around[told[~is_new]]]
    return Joined(_named(found.labels[place], was, fitted, count=count), found.probabilities[place], found.core[place])


def _within(old: Features, new: Features, around_s: float) -> np.ndarray:
    """Return the places of fitted alerts that lie around the new ones."""
    low = np.searchsorted(old.seconds, new.seconds[0] - around_s)
    high = np.searchsorted(old.seconds, new.seconds[-1] + around_s, side="right")
    return np.arange(low, high)


def _named(now: np.ndarray, was: np.ndarray, fitted: np.ndarray, *, count: int) -> np.ndarray:
    """Return for found groups `now` of new alerts the fitted incident that most alerts of the group are of."""
    held = (was != NOISE) & (fitted != NOISE)
    pairs, sizes = np.unique(np.column_stack([was[held], fitted[held]]), axis=0, return_counts=True)
    names = {NOISE: NOISE}
    for (group, incident), _ in sorted(zip(pairs.tolist(), sizes.tolist(), strict=True), key=lambda held: -held[1]):
        names.setdefault(group, incident)
    for group in now.tolist():
        if group not in names:
            names[group], count = count, count + 1
    return np.array([names[group] for group in now.tolist()], dtype=np.int64)
