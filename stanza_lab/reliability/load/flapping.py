"""Flapping: a state that changes too often, by Nagios where checks are known, else by changes in a stretch of time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.reliability.load import arrays

if TYPE_CHECKING:
    from stanza_lab.reliability.load.arrays import Ints

STATES = 21  # checks that are looked back on
HIGH, LOW = 20.0, 5.0  # percent at which flapping starts and below which it stops; defaults of Nagios for services
CHANGES, SPAN = 6, pd.Timedelta("1h")  # without checks: so many changes in so long; three alerts an hour
_WEIGHTS = 0.80 + 0.02 * np.arange(STATES - 1)  # the newest change counts most


def percent(states: Sequence[object]) -> float:
    """Return how much a state flaps, from its last 21 checks, the newest last.

    It is 100 / 20 times the sum over the changes between neighbours of 0.80 for the oldest to 1.18 for the newest, as
    Nagios, Naemon and Sensu have it. Null with fewer checks: then nothing can be said.
    """
    if len(states) < STATES:
        return float("nan")
    last = list(states)[-STATES:]
    changed = np.array([before != after for before, after in itertools.pairwise(last)])
    return float(100 / (STATES - 1) * (_WEIGHTS * changed).sum())


def flaps(percents: Sequence[float], *, high: float = HIGH, low: float = LOW) -> list[bool]:
    """Return after each check whether it flaps: it starts at `high` or more and stops below `low`."""
    found, now = [], False
    for value in percents:
        now = value >= high or (now and not value < low)
        found.append(now)
    return found


def of_checks(checks: pd.DataFrame) -> pd.DataFrame:
    """Return rule_key, flap_percent (of its last 21 checks) and flaps (bool, at its last check).

    `checks` has rule_key, at and state, a row per check.
    """
    ordered = checks.dropna(subset=["rule_key", "at"]).sort_values("at", kind="stable")
    rows = []
    for rule, states in ordered.groupby(ordered["rule_key"].astype("str"), sort=True)["state"]:
        codes = pd.factorize(states)[0]
        if len(codes) < STATES:
            rows.append((rule, np.nan, False))
            continue
        changed = codes[1:] != codes[:-1]
        windows = np.lib.stride_tricks.sliding_window_view(changed, STATES - 1)
        percents = 100 / (STATES - 1) * (windows @ _WEIGHTS)
        rows.append((rule, float(percents[-1]), flaps(percents.tolist())[-1]))
    return pd.DataFrame(rows, columns=["rule_key", "flap_percent", "flaps"])


def most_changes(group: Ints, at: Ints, *, groups: int, span: pd.Timedelta = SPAN) -> Ints:
    """Return for each of `groups` the most changes of state that lie within one `span`, both its ends included."""
    window = span // pd.Timedelta("1us")
    key = arrays.within(group, at, window)
    key = np.sort(key)
    order = np.sort(group)
    reached = np.searchsorted(key, key + window, side="right") - np.arange(len(key))
    most = np.zeros(groups, dtype=np.int64)
    first = arrays.starts(order)
    if len(first):
        most[order[first]] = np.maximum.reduceat(reached, first)
    return most
