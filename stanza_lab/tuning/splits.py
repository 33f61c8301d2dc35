"""Splits in time: train on what came before, test on what came after, and cut no incident in two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError

ALONE = -1


class TimeSplits:
    """Split alerts by time, for ``cv=`` of scikit-learn's searches and of `tune`.

    The history is cut into ``n_splits + 1`` stretches of about as many alerts each. Split k tests on stretch k + 1 and
    trains on everything before it, so nothing is learned from the future. A cut is placed at the longest pause within a
    quarter of a stretch around its place, and where incidents are known at a pause inside none of them. An incident
    that lies across a cut nevertheless (there may be no other place) is left out of that split: none of its alerts
    are trained on or tested with there.

    Parameters
    ----------
    n_splits : int, default 3
        Number of splits, at least 1. Larger: shorter tests, more of them.
    embargo : duration, default "0s"
        How long before a test nothing is trained on, zero or longer. Larger: less can leak from what was still going on
        when the test began; an incident that reaches into it is not trained on at all.

    See Also
    --------
    tune : Uses them.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import TimeSplits
    >>> alerts = pd.DataFrame({"starts_at": pd.to_datetime(["2026-03-01T10:00Z", "2026-03-01T10:01Z",
    ...     "2026-03-02T07:00Z", "2026-03-02T07:01Z", "2026-03-03T09:00Z", "2026-03-03T09:02Z"])})
    >>> for train, test in TimeSplits(n_splits=2).split(alerts):
    ...     print(train, test)
    [0 1] [2 3]
    [0 1 2 3] [4 5]
    """

    def __init__(self, *, n_splits: int = 3, embargo: _params.Duration = "0s") -> None:
        self.n_splits = _params.at_least(n_splits, "n_splits", 1)
        self.embargo = embargo
        self._embargo_us = _embargo(embargo)

    def __repr__(self) -> str:
        """Return how to make it."""
        return f"TimeSplits(n_splits={self.n_splits}, embargo={str(self.embargo)!r})"

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002, N803 (scikit-learn)
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object, optional
            Not used.

        Returns
        -------
        int
            `n_splits`.
        """
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:  # noqa: ARG002, N803
        """Give the rows to train on and the rows to test on.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, k)
            Alerts with `starts_at`; of an array of numbers the first column is the time in seconds. In any order.
            Alerts without a time are in no split.
        y : array-like of shape (n,), optional
            Name of the incident of each alert; null, empty or -1 = none.
        groups : object, optional
            Not used.

        Returns
        -------
        iterator of (train, test)
            Two arrays of int64 per split: positions of rows, rising.

        Raises
        ------
        ParameterError
            There are too few alerts, or too few different times, for so many splits.
        """
        times, codes = _times(X), incident_codes(y, len(X))
        rows = np.flatnonzero(times != _NO_TIME)
        stretches = self.n_splits + 1
        places = [len(rows) * k // stretches for k in range(1, stretches)]
        begins = quiet_cuts(times[rows], codes[rows], places, reach=len(rows) // stretches // 4)
        for begin, end in zip(begins, [*begins[1:], _LATEST], strict=True):
            yield whole(times, codes, begin=begin, end=end, embargo_us=self._embargo_us)


def hold_out(
    alerts: pd.DataFrame, y: Any, *, share: float, embargo: _params.Duration = "0s"
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the first part of a history and of the last, `share` of the alerts; cut as in `TimeSplits`."""
    times, codes = _times(alerts), incident_codes(y, len(alerts))
    rows = np.flatnonzero(times != _NO_TIME)
    reach = int(len(rows) * min(share, 1 - share)) // 4
    (begin,) = quiet_cuts(times[rows], codes[rows], [round(len(rows) * (1 - share))], reach=reach)
    return whole(times, codes, begin=begin, end=_LATEST, embargo_us=_embargo(embargo))


_NO_TIME = np.iinfo(np.int64).min
_LATEST = np.iinfo(np.int64).max


def quiet_cuts(times: np.ndarray, codes: np.ndarray, places: list[int], *, reach: int) -> list[int]:
    """Return the instants at which to cut, each near one of `places` (how many alerts came before)."""
    order = np.argsort(times, kind="stable")
    times, codes = times[order], codes[order]
    pause = np.diff(times, prepend=times[:1])
    inside = _inside_incidents(codes)
    found = []
    for place in places:
        near = np.arange(max(place - reach, 1), min(place + reach, len(times) - 1) + 1)
        near = near[pause[near] > 0]
        if len(near) == 0:
            raise ParameterError(
                f"{len(times):,} alerts are too few, or too many of them begin at one instant, to be cut into "
                f"{len(places) + 1} stretches of time; pass fewer splits or a longer history"
            )
        best = np.lexsort((near, abs(near - place), -pause[near], inside[near]))[0]
        found.append(int(times[near[best]]))
    return found


def _inside_incidents(codes: np.ndarray) -> np.ndarray:
    """Return for each place in time order whether an incident has alerts both before it and from it on."""
    known = np.flatnonzero(codes != ALONE)
    steps = np.zeros(len(codes) + 1, dtype=np.int64)
    if len(known):
        of = pd.Series(known).groupby(codes[known])
        np.add.at(steps, of.min().to_numpy() + 1, 1)
        np.add.at(steps, of.max().to_numpy() + 1, -1)
    return np.cumsum(steps)[: len(codes)] > 0


def whole(
    times: np.ndarray, codes: np.ndarray, *, begin: int, end: int, embargo_us: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows before `begin`, and those from it to before `end`, without incidents only partly there."""
    known = times != _NO_TIME
    sides = []
    for here in (known & (times < begin - embargo_us), known & (times >= begin) & (times < end)):
        torn = np.intersect1d(codes[here], codes[known & ~here])
        rows = np.flatnonzero(here & ~(np.isin(codes, torn) & (codes != ALONE)))
        if len(rows) == 0:
            raise ParameterError(
                "a split would have no alerts to train on or to test with; "
                "pass fewer splits, a shorter embargo or a longer history"
            )
        sides.append(rows)
    return sides[0], sides[1]


def incident_codes(y: Any, n: int) -> np.ndarray:
    """Return a number for the incident of each alert, -1 where none is known."""
    if y is None:
        return np.full(n, ALONE)
    names = pd.Series(np.asarray(y, dtype=object))
    if len(names) != n:
        raise ParameterError(f"y: {len(names):,} names of incidents for {n:,} alerts")
    nothing = names.isna() | names.isin(["", ALONE, str(ALONE)])
    return np.asarray(pd.factorize(names.astype("str").mask(nothing))[0], dtype=np.int64)


def _embargo(value: _params.Duration) -> int:
    return int(_params.duration(value, "embargo", zero=True) / pd.Timedelta("1us"))


def _times(alerts: Any) -> np.ndarray:
    """Return microseconds; the smallest number stands for no time."""
    if isinstance(alerts, pd.DataFrame):
        starts = schema.check(alerts, schema.ALERTS, need=["starts_at"])["starts_at"]
        return np.where(starts.isna(), _NO_TIME, starts.astype("int64").to_numpy())
    seconds = np.asarray(alerts, dtype=np.float64)
    seconds = seconds[:, 0] if seconds.ndim > 1 else seconds
    finite = np.isfinite(seconds)
    return np.where(finite, np.round(np.where(finite, seconds, 0) * 1e6), _NO_TIME).astype(np.int64)
