"""When each pattern happened, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.patterns.found import ENDINGS
from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.patterns.found import Patterns

_ROW = 26
_LOOKS = dict(
    zip(
        ENDINGS,
        (
            (_theme.PALETTE[2], "circle"),
            (_theme.PALETTE[0], "square"),
            (_theme.PALETTE[5], "triangle-up"),
            (_theme.UNKNOWN, "x"),
        ),
        strict=True,
    )
)


def pattern_calendar(
    patterns: Patterns, *, top: int = 30, title: str | None = None, height: int | None = None
) -> go.Figure:
    """Draw when each pattern happened, a row per pattern, the most frequent on top; a mark's look says how it ended.

    Parameters
    ----------
    patterns : Patterns
        What `mine_patterns` found.
    top : int, default 30
        Most rows; the patterns beyond are counted in a note below.
    title : str, optional
        Default: how many occurrences of how many patterns.
    height : int, optional
        Pixels. Default: as much as the rows need.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are UTC.

    Raises
    ------
    ParameterError
        `top` is below 1.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame(
    ...     {"service": ["orders-db"], "starts_at": ["2026-03-01T10:00Z"], "incident_id": [0]}
    ... )
    >>> sl.plot.pattern_calendar(sl.mine_patterns(alerts)).layout.title.text
    'No pattern was found'
    """
    _params.at_least(top, "top", 1)
    table = patterns.table
    shown = table.head(top)
    times = patterns.occurrences[patterns.occurrences["pattern"].isin(shown["pattern"])]
    marks = times.assign(row=times["pattern"].map(dict(zip(shown["pattern"], range(len(shown)), strict=True))))
    spans = _rows.active(marks["starts_at"])
    notes = ["named by the first step; the whole name is in the hover text", *_rows.cut(spans)] if len(table) else []
    if len(table) > top:
        notes.append(f"not shown: {words.count(len(table) - top, 'less frequent pattern')}")
    if not len(table):
        notes += [_theme.safe(said, limit=160) for said in patterns.unseen[:4]]
    counted = f"{words.count(len(marks), 'occurrence')} of {words.count(len(shown), 'pattern')}"
    subtitle = _theme.period(marks["starts_at"]) if len(marks) else "chance could explain all that recurs here"
    heading = title or (counted if len(table) else "No pattern was found")
    return _theme.figure(
        _traces(marks, dict(zip(shown["pattern"], shown["name"], strict=True))),
        title=_theme.safe(heading, limit=120),
        subtitle=subtitle,
        plot_height=max(90, len(shown) * _ROW),
        height=height,
        notes=notes,
        axis=62,
        description=_said(shown, _theme.escaped(heading), subtitle),
        xaxis=_rows.time_axis(spans),
        yaxis=_rows.axis([f"{name.split(', then ')[0]} …" for name in shown["name"]]),
        legend={"title": {"text": "ended"}},
        showlegend=True,
    )


def _traces(marks: pd.DataFrame, names: dict[str, str]) -> list[go.Scatter]:
    traces = []
    for ending, (colour, symbol) in _LOOKS.items():
        mine = marks[marks["ended"] == ending]
        if mine.empty:
            continue
        hovers = [
            _theme.hover(
                names[one["pattern"]],
                [
                    ("began", _theme.utc(one["starts_at"])),
                    ("ended", ending),
                    ("recovered", _theme.utc(one["ends_at"])),
                    ("paged", _theme.utc(one["page_at"])),
                    ("incident", one["incident_id"]),
                    ("of it there", "all" if one["match"] >= 1 else words.probability(one["match"])),
                ],
            )
            for one in mine.to_dict("records")
        ]
        traces.append(
            go.Scatter(
                x=mine["starts_at"],
                y=mine["row"],
                mode="markers",
                name=ending,
                marker={"size": 10, "color": colour, "symbol": symbol, "opacity": 0.9},
                hovertext=hovers,
                hoverinfo="text",
            )
        )
    return traces


def _said(shown: pd.DataFrame, heading: str, subtitle: str) -> str:
    rows = [
        f"{row['name']}: {words.count(int(row['support']), 'time')}, last on {row['last']:%Y-%m-%d}"
        for row in shown.to_dict("records")
    ]
    return _theme.as_plain([heading, subtitle, *(_theme.escaped(row) for row in rows)])
