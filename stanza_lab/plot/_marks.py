"""What people and releases did during an incident, as lanes above those of its alerts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from stanza_lab import schema
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _theme

HEIGHT = 26  # px of a lane
_NEEDED = ("at", "kind")
_LANES = {
    "deploy": ("releases", "#CC79A7", "triangle-up"),
    "page": ("pages", "#0072B2", "square"),
    "acknowledged": ("acknowledged", "#009E73", "circle"),
    "joined": ("acknowledged", "#009E73", "circle-open"),
    "action": ("actions, notes", "#D55E00", "star"),
    "note": ("actions, notes", "#E69F00", "diamond"),
    "chat": ("actions, notes", "#E69F00", "diamond-open"),
}  # kind -> its lane, colour, symbol
_RELEASES = 5  # lines down through all lanes; more would hide the alerts
_LETTERS, _LEAST, _MOST = 75, 16, 46  # that fit in a narrow page's lane; of the words beside a mark
_SPOKEN = ("deploy", "action", "note")


def known(marks: pd.DataFrame | None) -> pd.DataFrame:
    """Return the marks that have a lane and a time, in order, with what they need; refuse a table of something else."""
    if marks is None:
        return pd.DataFrame(
            {"at": pd.Series([], dtype=schema.TIME_DTYPE), "kind": [], "service": [], "what": [], "words": []}
        )
    missing = [name for name in _NEEDED if name not in marks.columns]
    if missing:
        raise SchemaError(f"marks lacks columns {missing}; columns are {list(marks.columns)[:12]}")
    given = marks.assign(**{name: None for name in ("service", "what", "words") if name not in marks.columns})
    times = pd.to_datetime(given["at"], utc=True).astype(schema.TIME_DTYPE)
    given = given.assign(at=times)[given["kind"].isin(list(_LANES)) & times.notna()]
    return given[["at", "kind", "service", "what", "words"]].sort_values("at", kind="stable", ignore_index=True)


def names(marks: pd.DataFrame) -> list[str]:
    """Return the lanes that marks need, the highest first."""
    used = {_LANES[kind][0] for kind in marks["kind"]}
    return [name for name in dict.fromkeys(lane for lane, _, _ in _LANES.values()) if name in used]


def traces(marks: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> list[go.Scatter]:
    """Return a trace per kind, on an axis of `start` to `end`; above zero, which is at the top of the alerts' lanes."""
    lanes = names(marks)
    marks = marks.assign(beside=_beside(marks, start, end))
    middle = {name: -HEIGHT * (len(lanes) - i - 0.5) for i, name in enumerate(lanes)}
    found = []
    for kind, (lane, colour, symbol) in _LANES.items():
        mine = marks[marks["kind"] == kind]
        if mine.empty:
            continue
        hovers = [_hover(row) for row in mine.to_dict("records")]
        beside = bool((mine["beside"] != "").any())
        found.append(
            go.Scatter(
                x=mine["at"],
                y=[middle[lane]] * len(mine),
                mode="markers+text" if beside else "markers",
                marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 1.2, "color": colour}},
                text=mine["beside"] if beside else None,
                textposition="middle right",
                textfont={"size": 10, "color": _theme.FAINT},
                hovertext=hovers,
                hoverinfo="text",
                name=kind,
                showlegend=False,
            )
        )
    return found


def _beside(marks: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> list[str]:
    """Return the words beside each mark, as many as have room before the next one of its lane, or none."""
    lane = marks["kind"].map(lambda kind: _LANES[kind][0])
    free = (marks.groupby(lane)["at"].shift(-1).fillna(end) - marks["at"]).dt.total_seconds()
    room = free / (end - start).total_seconds() * _LETTERS
    said = []
    for kind, what, letters in zip(marks["kind"], marks["what"].fillna(""), room, strict=True):
        fits = kind in _SPOKEN and letters >= min(len(str(what)) + 2, _LEAST)
        said.append(f"\u2002{_theme.safe(what, limit=max(2, min(int(letters) - 2, _MOST)))}" if fits else "")
    return said


def axis(marks: pd.DataFrame, below: dict[str, Any]) -> dict[str, Any]:
    """Return the axis of the lanes `below` with those of the marks on top."""
    lanes = names(marks)
    middles = [-HEIGHT * (len(lanes) - i - 0.5) for i in range(len(lanes))]
    return below | {
        "tickvals": [*middles, *below["tickvals"]],
        "ticktext": [*(f"<b>{name}</b>" for name in lanes), *below["ticktext"]],
        "range": [below["range"][0], float(-HEIGHT * len(lanes))],
    }


def shapes(marks: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a line below the lanes, and one down through all of them for each release."""
    if marks.empty:
        return []
    border = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below"}
    released = marks.loc[marks["kind"] == "deploy", "at"].iloc[-_RELEASES:]
    down = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    dashed = {"width": 1.2, "color": "#CC79A7", "dash": "dash"}
    return [
        border | {"line": {"width": 1, "color": _theme.FAINT}},
        *(down | {"x0": at, "x1": at, "line": dashed} for at in released),
    ]


def said(marks: pd.DataFrame) -> list[str]:
    """Return how many marks of each lane there are, in words."""
    if marks.empty:
        return []
    counts = marks["kind"].map(lambda kind: _LANES[kind][0]).value_counts(sort=False)
    return [f"above: {', '.join(f'{name} {counts[name]:,}' for name in names(marks))}"]


def _hover(row: dict[Any, Any]) -> str:
    return _theme.hover(
        row["kind"], [("at", _theme.utc(row["at"])), ("service", row["service"]), ("what", row["words"])]
    )
