"""Silent days of sources that otherwise speak daily: what an export may have left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema
from stanza_lab.history.report import count

Counts = npt.NDArray[np.int64]

COLUMNS = ("source", "first", "last", "days", "place", "usual", "by_chance", "words")
_CHANCE = 0.01  # such gaps to expect by chance in one history: from here on it is told
OBSERVED = 14  # days a source must have been heard over before its silence says anything


def count_days(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return the alerts of each source on each day (UTC) that has any: source, day, alerts."""
    known = pd.DataFrame({"source": alerts["source"].astype("str"), "day": alerts["starts_at"].dt.floor("D")}).dropna()
    counts = known.value_counts(["source", "day"], sort=False).rename("alerts").reset_index()
    return counts.sort_values(["source", "day"], ignore_index=True)


def find_gaps(days: pd.DataFrame) -> pd.DataFrame:
    """Return the runs of silent days that are too long to be chance.

    A source's days are taken to be alike and independent. How likely a silent one is follows from its other days
    between its first and last alert: from their mean and variance (a negative binomial distribution by moments), or
    their share of silent days if that is more, so that quiet weekends are no gap. A run of d days then has that
    probability to the power d, and begins on any day of the history; told is what that makes happen less than once in
    a hundred histories. Before its first and after its last alert a source is silent as long as others speak.
    """
    if days.empty:
        return _table([])
    whole = pd.date_range(days["day"].min(), days["day"].max(), freq="D")
    place = {day: number for number, day in enumerate(whole)}
    rows: list[dict[str, Any]] = []
    for source, own in days.groupby("source"):
        counts = np.zeros(len(whole), dtype=np.int64)
        counts[own["day"].map(place).to_numpy(np.int64)] = own["alerts"].to_numpy(np.int64)
        rows += [{"source": source} | gap for gap in _gaps(counts, whole)]
    return _table(rows)


def _gaps(counts: Counts, whole: pd.DatetimeIndex) -> list[dict[str, Any]]:
    spoke = np.flatnonzero(counts)
    start, stop = int(spoke[0]), int(spoke[-1]) + 1
    edges = np.flatnonzero(np.diff(np.concatenate([[1], (counts > 0).astype(np.int8), [1]])))
    found = []
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        where = "start" if first < start else "end" if first >= stop else "inside"
        others = np.concatenate([counts[start : min(first, stop)], counts[max(end, start) : stop]])
        if len(others) < OBSERVED or (where == "inside" and end - first > len(others)):
            continue
        chance = _silent(others) ** (end - first) * len(whole)
        if chance < _CHANCE:
            gap = {"first": whole[first], "last": whole[end - 1], "days": end - first, "place": where}
            found.append(gap | {"usual": float(others.mean()), "by_chance": chance})
    return found


def _silent(counts: Counts) -> float:
    """Return the probability that a day is silent, from days like it."""
    mean, variance = float(counts.mean()), float(counts.var(ddof=1))
    if variance <= mean:
        chance = math.exp(-mean)
    else:
        size = mean**2 / (variance - mean)
        chance = (size / (size + mean)) ** size
    return max(chance, float((counts == 0).mean()))


def _words(gap: dict[str, Any]) -> str:
    until = f"{gap['first']:%Y-%m-%d}" + (f" to {gap['last']:%Y-%m-%d}" if gap["days"] > 1 else "")
    usual = f"otherwise {gap['usual']:.1f} alerts a day"
    said = {
        "start": f"{gap['source']} begins {count(gap['days'], 'day')} after the first alert of the history",
        "end": f"{gap['source']} ends {count(gap['days'], 'day')} before the last alert of the history",
        "inside": f"{gap['source']} is silent on {count(gap['days'], 'day')}",
    }
    return f"{said[gap['place']]} ({until}; {usual})"


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame([gap | {"words": _words(gap)} for gap in rows], columns=list(COLUMNS))
    times = {name: table[name].astype(schema.TIME_DTYPE) for name in ("first", "last")}
    kinds = {"days": "int64", "usual": "float64", "by_chance": "float64", "source": "category", "words": "str"}
    place = pd.Categorical(table["place"], ["start", "inside", "end"])
    return table.assign(**times, place=place).astype(kinds).sort_values(["source", "first"], ignore_index=True)
