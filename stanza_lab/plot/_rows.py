"""Which rows a figure over time has: the busiest values of one column, and words for the rest."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd

from stanza_lab.plot import _theme
from stanza_lab.production import words

NOT_KNOWN = "not known"
STEPS = ("1min", "5min", "15min", "1h", "3h", "6h", "12h", "1D", "7D", "28D")  # of bins and ticks
_TICKS = 10
_QUIET, _QUIET_LEAST = 0.3, pd.Timedelta("1D")  # of the whole span: longer without alerts is cut out of the axis


def busiest(alerts: pd.DataFrame, by: str, *, top: int) -> tuple[pd.Series, list[str], list[str]]:
    """Return the row number of each alert (-1: not shown), the names of the rows, and notes on what is left out.

    Rows are ordered by number of alerts, then by name; alerts without a value of `by` share a row.
    """
    values = alerts[by].astype(object).where(alerts[by].notna(), NOT_KNOWN).astype(str)
    counts = values.value_counts().rename_axis("name").reset_index(name="n")
    counts = counts.sort_values(["n", "name"], ascending=[False, True], ignore_index=True)
    names, rest = list(counts["name"][:top]), counts.iloc[top:]
    notes = []
    if len(rest):
        listed = _theme.safe(words.listing(rest["name"], top=6), limit=200)
        alerts_left = words.count(int(rest["n"].sum()), "alert")
        notes.append(f"not shown: {words.count(len(rest), by)} with {alerts_left} ({listed})")
    rows = values.map({name: row for row, name in enumerate(names)}).fillna(-1).astype("int64")
    return rows, names, notes


def timed(alerts: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the alerts whose time is known, and a note on the others."""
    known = alerts[alerts["starts_at"].notna()].reset_index(drop=True)
    missing = len(alerts) - len(known)
    return known, [f"not shown: {words.count(missing, 'alert')} without a time"] if missing else []


def axis(names: list[str]) -> dict[str, Any]:
    """Return a y axis with one named row each, the first on top; positions are numbers, so equal labels stay apart."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [_theme.safe(name, limit=34) for name in names],
        "range": [len(names) - 0.4, -0.6],
        "automargin": True,
        "gridcolor": _theme.GRID,
        "zeroline": False,
        "ticklen": 0,
    }


def active(times: pd.Series) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Return the spans in which something fired: from the first to the last time, without very long quiet ones."""
    moments = times.dropna().drop_duplicates().sort_values(ignore_index=True)
    if moments.empty:
        return []
    quiet = moments.index[moments.diff() > max(_QUIET * (moments.iloc[-1] - moments.iloc[0]), _QUIET_LEAST)]
    starts, ends = [0, *quiet], [*(quiet - 1), len(moments) - 1]
    return [(moments[start], moments[end]) for start, end in zip(starts, ends, strict=True)]


def cut(spans: list[tuple[pd.Timestamp, pd.Timestamp]]) -> list[str]:
    """Return a note on the quiet time between `spans`."""
    pairs = itertools.pairwise(spans)
    said = [f"{before[1]:%Y-%m-%d %H:%M} to {after[0]:%Y-%m-%d %H:%M} UTC" for before, after in pairs]
    return [f"left out, nothing fired: {', '.join(said)}"] if said else []


def time_axis(spans: list[tuple[pd.Timestamp, pd.Timestamp]]) -> dict[str, Any]:
    """Return an x axis in UTC that leaves out the quiet time between `spans`."""
    axis = TIME | {"type": "date"}
    if len(spans) < 2:
        return axis
    length = sum((end - start for start, end in spans), pd.Timedelta(0))
    room = length / 30 + pd.Timedelta("1min")
    step = next((s for s in map(pd.Timedelta, STEPS) if length / s < _TICKS), pd.Timedelta(STEPS[-1]))
    ticks = [pd.date_range(start.floor(step), end + room, freq=step) for start, end in spans]
    shown = pd.DatetimeIndex(
        [tick for span, at in zip(spans, ticks, strict=True) for tick in at if tick > span[0] - room]
    )
    breaks = [
        {"bounds": [f"{before[1] + room:%Y-%m-%d %H:%M}", f"{after[0] - room:%Y-%m-%d %H:%M}"]}
        for before, after in itertools.pairwise(spans)
    ]
    return axis | {"rangebreaks": breaks, "tickvals": shown, "ticktext": tick_labels(shown)}


def tick_labels(times: pd.DatetimeIndex) -> list[str]:
    """Return a label per time; the date stands under the first of each day."""
    dates = [f"{time:%Y-%m-%d}" for time in times]
    if (times == times.normalize()).all():
        return dates
    new = [i == 0 or dates[i] != dates[i - 1] for i in range(len(dates))]
    return [
        f"{time:%H:%M}" + (f"<br>{date}" if first else "") for time, date, first in zip(times, dates, new, strict=True)
    ]


TIME = {"title": {"text": "time (UTC)"}, "gridcolor": _theme.GRID, "zeroline": False, "ticks": "outside"}
