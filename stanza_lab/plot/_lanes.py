"""Lanes of a swimlane figure: which service gets one, how high it is, where in it each alert stands."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

MOST = 30  # lanes of the incident
_MOST_OTHERS = 8  # lanes of services that are not in it
_TRACKS, _FEW_TRACKS = 4, 2  # alerts of a lane drawn under each other before they overlap; where lanes are many
_MANY = 14  # lanes
_TRACK, _BORDER = 14, 10  # px
_MARK = 0.012  # of the time axis: how wide a mark is
_SHADE = "#F6F7F9"


@dataclass(frozen=True)
class Lanes:
    """Both tables with `lane` and `y` (px from the top), and what the figure needs for its lanes."""

    mine: pd.DataFrame
    others: pd.DataFrame
    axis: dict[str, Any]
    shapes: list[dict[str, Any]]
    notes: list[str]
    pixels: float


def arrange(mine: pd.DataFrame, others: pd.DataFrame, *, end: pd.Timestamp, width: pd.Timedelta) -> Lanes:
    """Give each service of the incident a lane, in the order of its first alert, then those that only others name.

    Both tables are in the order of time. In a lane, alerts that overlap stand under each other, others lowest.
    """
    own = _names(mine)
    lane, names, notes = _lanes(own, MOST, "service")
    theirs = _names(others)
    outside = ~theirs.isin(own)
    more, more_names, more_notes = _lanes(theirs[outside], _MOST_OTHERS, "other service")
    where = theirs.map(dict(zip(own, lane, strict=True))).astype("float64")
    where[outside] = more + len(names)
    mine, others = mine.assign(lane=lane), others.assign(lane=where.astype("int64"))

    lanes = len(names) + len(more_names)
    most = _FEW_TRACKS if lanes > _MANY else _TRACKS
    mine, high = _stack(mine, lanes, end=end, width=width, most=most)
    others, low = _stack(others, lanes, end=end, width=width, most=most // 2)
    heights = (high + low) * _TRACK + _BORDER
    tops = np.concatenate([[0], np.cumsum(heights)])

    def placed(part: pd.DataFrame, above: np.ndarray) -> pd.DataFrame:
        row = part["lane"].to_numpy()
        return part.assign(y=tops[row] + _BORDER / 2 + _TRACK * (part["track"].to_numpy() + above[row] + 0.5))

    labels = [_theme.safe(name, limit=34) for name in names] + [
        f"<i>{_theme.safe(n, limit=34)}</i>" for n in more_names
    ]
    axis = _rows.axis(labels) | {
        "tickvals": list((tops[:-1] + tops[1:]) / 2),
        "ticktext": labels,
        "range": [float(tops[-1]), 0.0],
        "showgrid": False,
    }
    if more_names:
        notes.append("lanes in italics: services that are not in this incident")
    return Lanes(
        mine=placed(mine, np.zeros_like(high)),
        others=placed(others, high),
        axis=axis,
        shapes=_shapes(tops, len(names)),
        notes=notes + more_notes,
        pixels=float(tops[-1]),
    )


def _names(alerts: pd.DataFrame) -> pd.Series:
    return alerts["service"].astype(object).where(alerts["service"].notna(), _rows.NOT_KNOWN).astype("str")


def _lanes(services: pd.Series, most: int, thing: str) -> tuple[np.ndarray, list[str], list[str]]:
    """Return the lane of each alert, the names of the lanes, and a note when the last lane holds several services."""
    lane, found = pd.factorize(services)
    names = [str(name) for name in found]
    if len(names) <= most:
        return lane, names, []
    rest = names[most - 1 :]
    many = words.count(len(rest), thing)
    note = f"the lane “{many}” holds {_theme.safe(words.listing(rest, top=6), limit=200)}"
    return np.minimum(lane, most - 1), [*names[: most - 1], many], [note]


def _stack(
    alerts: pd.DataFrame, lanes: int, *, end: pd.Timestamp, width: pd.Timedelta, most: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return `alerts` with the track in which each stands, and how many tracks each lane has.

    An alert takes the track that has been free for longest; when none is free and all may not be more, it overlaps.
    """
    starts = alerts["starts_at"]
    until = alerts["ends_at"].where(alerts["ends_at"] < end, end)
    until = until.where(until > starts + _MARK * width, starts + _MARK * width)
    free: list[list[tuple[pd.Timestamp, pd.Timestamp, int]]] = [[] for _ in range(lanes)]
    tracks = []
    for lane, begins, ends in zip(alerts["lane"], starts, until, strict=True):
        mine = free[lane]
        if mine and (mine[0][0] <= begins or len(mine) == most):
            track = mine[0][2]
            heapq.heapreplace(mine, (ends, begins, track))
        else:
            track = len(mine)
            heapq.heappush(mine, (ends, begins, track))
        tracks.append(track)
    return alerts.assign(track=np.array(tracks, dtype=np.int64)), np.array([len(lane) for lane in free])


def _shapes(tops: np.ndarray, own: int) -> list[dict[str, Any]]:
    """Return a shade for every second lane, and a line between the incident's lanes and the others."""
    across: dict[str, Any] = {"xref": "paper", "x0": 0, "x1": 1, "layer": "below"}
    shapes = [
        {**across, "type": "rect", "y0": float(tops[i]), "y1": float(tops[i + 1]), "fillcolor": _SHADE, "line_width": 0}
        for i in range(0, len(tops) - 1, 2)
    ]
    if own < len(tops) - 1:
        line = {"width": 1, "color": _theme.FAINT, "dash": "dash"}
        shapes.append({**across, "type": "line", "y0": float(tops[own]), "y1": float(tops[own]), "line": line})
    return shapes
