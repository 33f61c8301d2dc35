"""Columns as numbers: what is grouped, sorted and searched in one go, however many alerts there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
US = 1_000_000  # microseconds in a second


def codes(values: pd.Series) -> tuple[Ints, pd.Index]:
    """Return the number of each value (-1: null) and the values in order of their numbers."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return np.asarray(values.cat.codes, dtype="int64"), pd.Index(values.cat.categories)
    found, names = pd.factorize(values, use_na_sentinel=True)
    return np.asarray(found, dtype="int64"), pd.Index(names)


def micros(times: pd.Series) -> Ints:
    """Return times in microseconds; the least number there is for null."""
    return times.to_numpy(dtype="datetime64[us]").astype("int64")


def times(values: Ints) -> pd.Series:
    """Return microseconds as times; the least number there is as null."""
    return pd.Series(values.astype("datetime64[us]")).dt.tz_localize("UTC")


def within(group: Ints, at: Ints, window: int) -> Ints:
    """Return numbers, ascending by group, then time, that are at most `window` apart only inside a group.

    Each group takes as much room as it lasts: one stray time in a long history must not make all of them overflow.
    """
    if not len(group):
        return at
    size = int(group.max()) + 1
    low, high = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(low, group, at)
    np.maximum.at(high, group, at)
    room = np.where(high >= low, high - low, 0) + window + 1
    begins = np.cumsum(room) - room
    return np.asarray(begins[group] + (at - low[group]), dtype=np.int64)


def starts(sorted_groups: Ints) -> Ints:
    """Return where each run of equal numbers begins."""
    return np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]]) if len(sorted_groups) else _NONE


def once_per(group: Ints, at: Ints, window: int) -> Bools:
    """Return what counts when everything of a group within `window` after what counted counts once.

    `group` and `at` must be sorted by group, then time.
    """
    key = within(group, at, window)
    counts = np.r_[True, np.diff(key) >= window] if len(key) else np.zeros(0, dtype=bool)
    following = np.searchsorted(key, key + window, side="left")
    ahead = following[counts]
    while len(ahead):  # a round per page of the longest run: all runs take a step at once
        ahead = np.unique(ahead[ahead < len(key)])
        ahead = ahead[~counts[ahead]]
        counts[ahead] = True
        ahead = following[ahead]
    return counts


_NONE = np.zeros(0, dtype=np.int64)
