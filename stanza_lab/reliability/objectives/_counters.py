"""Counters and rates of a monitoring system as counts per interval: resets, gaps, samples that are not there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_GAP = 1.5  # steps from which a sample was missed


@dataclass(frozen=True)
class Counted:
    """What one series counted: `at` (seconds since 1970, the end of each interval), `covers_s`, `count`; resets."""

    at: np.ndarray
    covers_s: np.ndarray
    count: np.ndarray
    resets: int = 0
    missing: int = 0


def seen(at: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the samples that are numbers, and how many are not (NaN: a failed scrape, the end of a series)."""
    known = np.isfinite(values)
    return at[known], values[known], int((~known).sum())


def increases(at: np.ndarray, values: np.ndarray, *, step_s: float, born: bool = False) -> Counted:
    """Return what a counter counted between its samples.

    A fall is a reset: the counter began again at 0, so what it shows was counted since; what it counted before it fell
    is lost. Over missed samples the difference is still what was counted, so it covers them; with a reset in between it
    covers one step only, the rest was not seen. `born`: the series began while others were watched, so at 0.
    """
    at, values, missing = seen(at, values)
    if born and len(at):
        at, values = np.r_[at[0] - step_s, at], np.r_[0.0, values]
    change = np.diff(values)
    fell = change < 0
    covers = np.diff(at)
    covers = np.where(fell & (covers > _GAP * step_s), step_s, covers)
    return Counted(at[1:], covers, np.where(fell, values[1:], change), int(fell.sum()), missing)


def rates(at: np.ndarray, values: np.ndarray, *, step_s: float) -> Counted:
    """Return counts of a gauge that says how many per second: each sample stands for one step."""
    at, values, missing = seen(at, values)
    return Counted(at, np.full(len(at), step_s), values * step_s, missing=missing)


def amounts(at: np.ndarray, values: np.ndarray, *, step_s: float) -> Counted:
    """Return counts of a series that already says how many since the last sample."""
    at, values, missing = seen(at, values)
    return Counted(at, np.full(len(at), step_s), values, missing=missing)


def usual_step(times: list[np.ndarray]) -> float:
    """Return the most frequent distance of samples in seconds; NaN when no series has two."""
    steps = np.concatenate([np.round(np.diff(at), 3) for at in times] or [np.array([])])
    if not len(steps):
        return float("nan")
    values, counts = np.unique(steps, return_counts=True)
    return float(values[np.argmax(counts)])
