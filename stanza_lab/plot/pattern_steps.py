"""One recurring sequence: which alert comes when, how sure its time is, and how often it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from stanza_lab.errors import UnknownNameError
from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.patterns.found import Patterns

_ROW, _MOST = 30, 24  # px; steps shown
_MEMBERS = {True: ("core", _theme.PALETTE[0], "circle"), False: ("optional", _theme.PALETTE[1], "diamond-open")}
_FEW = 5


def pattern_steps(
    patterns: Patterns, *, pattern: str, title: str | None = None, height: int | None = None
) -> go.Figure:
    """Draw the steps of one pattern in their usual order, with the time after its first alert.

    A dot is the median, the bar behind it holds eight of ten occurrences; what is there in most occurrences is core and
    filled, the rest optional and hollow. How often a step took part stands at its right.

    Parameters
    ----------
    patterns : Patterns
        What `mine_patterns` found.
    pattern : str
        Its name, as in the column `pattern`.
    title : str, optional
        Default: the pattern in words.
    height : int, optional
        Pixels. Default: as much as the steps need.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are relative, in seconds or minutes; those of occurrences in the subtitle are UTC.

    Raises
    ------
    UnknownNameError
        There is no such pattern.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> times = pd.date_range("2026-03-01T10:00Z", periods=24, freq="31h")
    >>> pairs = [("orders-db", 0), ("orders-api", 90)] * 6 + [(f"s{i % 5}", 0) for i in range(18)]
    >>> starts = [times[i // 2] for i in range(12)] + list(times[6:])
    >>> alerts = pd.DataFrame(
    ...     {"service": [name for name, _ in pairs], "alertname": "errors", "incident_id": [t.day * 24 for t in starts],
    ...      "starts_at": [t + pd.Timedelta(seconds=s) for t, (_, s) in zip(starts, pairs)]}
    ... )
    >>> found = sl.mine_patterns(alerts)
    >>> sl.plot.pattern_steps(found, pattern=found.table["pattern"][0]).layout.title.text
    'orders-db errors, then orders-api errors'
    """
    rows = patterns.table[patterns.table["pattern"] == pattern]
    if rows.empty:
        raise UnknownNameError.among("pattern", pattern, patterns.table["pattern"])
    row = rows.iloc[0]
    steps = patterns.steps[patterns.steps["pattern"] == pattern].sort_values("position", ignore_index=True)
    more, steps = len(steps) - _MOST, steps.head(_MOST)
    unit, name = (60.0, "minutes") if float(steps["high_s"].max()) > 300 else (1.0, "seconds")
    notes = ["dot: median, bar: eight of ten occurrences; right: in how many of them the step took part"]
    if row["support"] < _FEW:
        notes.append(f"only {words.count(int(row['support']), 'occurrence')}: times and shares are rough")
    if more > 0:
        notes.append(f"not shown: {words.count(more, 'later step')}")
    last = f"last on {row['last']:%Y-%m-%d %H:%M} UTC"
    subtitle = f"{words.count(int(row['support']), 'time')}, {last}, q {words.rate(float(row['q_value']))}"
    longest = max(float(steps["high_s"].max()) / unit, 1.0)
    return _theme.figure(
        _traces(steps, unit, int(row["support"])),
        title=_theme.safe(title or row["name"], limit=110 if title else 72),
        subtitle=subtitle,
        plot_height=max(90, len(steps) * _ROW),
        height=height,
        notes=notes,
        axis=62,
        description=_said(row, steps, subtitle),
        xaxis={
            "title": {"text": f"{name} after the first alert of an occurrence"},
            "range": [-0.04 * longest, 1.16 * longest],
            "gridcolor": _theme.GRID,
            "zeroline": True,
            "ticks": "outside",
        },
        yaxis=_rows.axis(steps["kind"].tolist()),
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
        showlegend=True,
    )


def _traces(steps: pd.DataFrame, unit: float, support: int) -> list[go.Scatter]:
    traces = []
    for core, (name, colour, symbol) in _MEMBERS.items():
        mine = steps[steps["core"] == core]
        if mine.empty:
            continue
        bars: dict[str, list[Any]] = {"x": [], "y": []}
        for low, high, row in zip(mine["low_s"] / unit, mine["high_s"] / unit, mine.index, strict=True):
            bars["x"] += [low, high, None]
            bars["y"] += [row, row, None]
        line = {"width": 9, "color": colour}
        traces.append(go.Scatter(**bars, mode="lines", line=line, opacity=0.3, hoverinfo="skip", showlegend=False))
        traces.append(
            go.Scatter(
                x=mine["after_s"] / unit,
                y=mine.index,
                mode="markers",
                name=f"{name} member",
                marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 1.5, "color": colour}},
                hovertext=[_hover(step, support) for step in mine.to_dict("records")],
                hoverinfo="text",
            )
        )
    shares = [f"{count} of {support}" for count in steps["count"]]
    edge = 1.14 * max(float(steps["high_s"].max()) / unit, 1.0)
    traces.append(
        go.Scatter(
            x=[edge] * len(steps),
            y=list(steps.index),
            mode="text",
            text=shares,
            textposition="middle left",
            textfont={"color": _theme.FAINT, "size": 11},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    return traces


def _hover(step: dict[Any, Any], support: int) -> str:
    span = f"{words.span(step['low_s'])} to {words.span(step['high_s'])}"
    lines = [
        ("member", "core" if step["core"] else "optional"),
        ("took part", f"{step['count']} of {support} times"),
        ("median", f"{words.span(step['after_s'])} after the first alert"),
        ("eight of ten", span),
    ]
    return _theme.hover(step["kind"], lines)


def _said(row: pd.Series, steps: pd.DataFrame, subtitle: str) -> str:
    parts = [
        f"{step['kind']} after {words.span(step['after_s'])}, {step['count']} of {row['support']} times"
        for step in steps.to_dict("records")
    ]
    said = [_theme.escaped(part) for part in (f"Steps of {row['name']}", subtitle, *parts)]
    return _theme.as_plain(said)
