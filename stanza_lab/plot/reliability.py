"""Reliability: how sure the edges were said to be, beside how often they are real."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab.errors import SchemaError
from stanza_lab.plot import _theme
from stanza_lab.production import words

_HEIGHT = 460  # px
_SPLIT = (0.22, 0.28)  # of the height: where the counts end, where the diagram begins
_SMALL, _LARGE = 7.0, 22.0  # px of a point
_SAID, _LOW, _HIGH = "#0072B2", "#D55E00", "#009E73"
_ENOUGH = 20  # pairs below which nothing is claimed
_COLUMNS = ("from", "to", "pairs", "confidence", "real", "low", "high")


def reliability(table: pd.DataFrame, *, title: str | None = None, height: int | None = None) -> go.Figure:
    """Draw confidence against frequency: points on the diagonal mean what they say.

    Below the diagonal edges were said to be surer than they are, above it they are real more often than was said. A
    bar is the range the true share lies in, 95 times of 100; where it meets the diagonal, the bin may be right.

    Parameters
    ----------
    table : DataFrame
        What ``sl.edge_reliability`` returns: a row per bin with `from`, `to`, `pairs`, `confidence`, `real`, `low`,
        `high`.
        ``attrs["unjudged"]``, if it is there, is counted in a note.
    title : str, optional
        Default: what the diagram says.
    height : int, optional
        Of the figure, in pixels. Larger: more room for the diagram.

    Returns
    -------
    plotly.graph_objects.Figure
        The diagram above, how many pairs were said to be how sure below.

    Raises
    ------
    SchemaError
        A column is missing or holds no numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> table = pd.DataFrame({
    ...     "from": [0.1, 0.8], "to": [0.2, 0.9], "pairs": [40, 30], "confidence": [0.15, 0.85], "real": [0.15, 0.5],
    ...     "low": [0.07, 0.33], "high": [0.29, 0.67],
    ... })
    >>> sl.plot.reliability(table).layout.title.text
    'Confidence is too high: 45% on average, and 30% of 70 pairs are real'
    """
    rows = _checked(table)
    shown = rows[rows["pairs"] > 0]
    unjudged = int(getattr(table, "attrs", {}).get("unjudged", 0))
    notes = [f"not shown: {words.count(unjudged, 'pair')} that nothing can judge; they may differ"] if unjudged else []
    axis: dict[str, Any] = {"gridcolor": _theme.GRID, "zeroline": False, "automargin": True, "fixedrange": True}
    share = {"range": [-0.03, 1.03], "tickvals": np.linspace(0, 1, 6), "tickformat": ".0%"}
    what = "confidence" if getattr(table, "attrs", {}).get("directed") else "link confidence"
    figure = _theme.figure(
        [_diagonal(), _points(shown), _counts(shown)] if len(shown) else [_diagonal()],
        title=_theme.safe(title, limit=120) if title else _verdict(shown),
        subtitle=_subtitle(shown),
        plot_height=_HEIGHT,
        height=height,
        notes=notes,
        axis=56,
        xaxis=axis | share | {"title": {"text": f"{what} that was said"}, "anchor": "y2" if len(shown) else "y"},
        yaxis=axis | share | {"title": {"text": "share that is real"}, "domain": [_SPLIT[1], 1]},
        showlegend=False,
    )
    if len(shown):
        count = axis | {"title": {"text": "pairs"}, "domain": [0, _SPLIT[0]], "nticks": 4, "rangemode": "tozero"}
        figure.update_layout(yaxis2=count, bargap=0)
    else:
        figure.update_layout(yaxis={"domain": [0, 1]})
    return figure


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(table, pd.DataFrame):
        raise SchemaError(
            f"table must be a pandas DataFrame, not {type(table).__name__}; pass sl.edge_reliability(...)"
        )
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise SchemaError(
            f"table: column {missing[0]!r} is missing; columns are {list(map(str, table.columns))}; "
            "pass what sl.edge_reliability returns"
        )
    try:
        return pd.DataFrame({name: pd.to_numeric(table[name]).to_numpy("float64") for name in _COLUMNS})
    except (ValueError, TypeError) as error:
        raise SchemaError(f"table: not all values are numbers: {error}") from None


def _diagonal() -> go.Scatter:
    line = {"color": _theme.FAINT, "dash": "dash", "width": 1.5}
    return go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, hoverinfo="skip")


def _points(shown: pd.DataFrame) -> go.Scatter:
    root = np.sqrt(shown["pairs"] / shown["pairs"].max())
    return go.Scatter(
        x=shown["confidence"],
        y=shown["real"],
        mode="lines+markers" if len(shown) > 1 else "markers",
        line={"color": _SAID, "width": 1},
        marker={
            "size": _SMALL + (_LARGE - _SMALL) * root,
            "color": [_colour(row) for row in shown.to_dict("records")],
            "line": {"width": 1, "color": _theme.PAPER},
            "opacity": 1,
        },
        error_y={
            "type": "data",
            "array": (shown["high"] - shown["real"]).clip(lower=0),
            "arrayminus": (shown["real"] - shown["low"]).clip(lower=0),
            "color": _theme.INK,
            "thickness": 1.2,
            "width": 4,
        },
        hovertext=[_hover(row) for row in shown.to_dict("records")],
        hoverinfo="text",
        cliponaxis=False,
    )


def _counts(shown: pd.DataFrame) -> go.Bar:
    return go.Bar(
        x=(shown["from"] + shown["to"]) / 2,
        y=shown["pairs"],
        width=shown["to"] - shown["from"],
        yaxis="y2",
        marker={"color": _SAID, "opacity": 0.55, "line": {"width": 1, "color": _theme.PAPER}},
        text=[f"{int(pairs):,}" for pairs in shown["pairs"]],
        textposition="outside",
        textfont={"size": 10},
        cliponaxis=False,
        hovertext=[_hover(row) for row in shown.to_dict("records")],
        hoverinfo="text",
    )


def _colour(row: dict[Any, Any]) -> str:
    """Return the colour of a bin: surer than it should be, less sure, or right as far as one can tell."""
    if row["confidence"] > row["high"]:
        return _LOW
    return _HIGH if row["confidence"] < row["low"] else _SAID


def _hover(row: dict[Any, Any]) -> str:
    return _theme.hover(
        f"{row['from']:.0%} to {row['to']:.0%}",
        [
            ("pairs", f"{row['pairs']:,.0f}"),
            ("said", f"{row['confidence']:.1%}"),
            ("real", f"{row['real']:.1%} (from {row['low']:.0%} to {row['high']:.0%})"),
        ],
    )


def _verdict(shown: pd.DataFrame) -> str:
    """Say whether confidence means frequency: too high, too low, bent, or right as far as chance lets one tell."""
    pairs = shown["pairs"].sum()
    if not pairs:
        return "No pair can be judged"
    number = words.count(int(pairs), "pair")
    said, real = ((shown[name] * shown["pairs"]).sum() / pairs for name in ("confidence", "real"))
    if pairs < _ENOUGH:
        return f"{number}: too few to tell what confidence means"
    chance = (shown["confidence"] * (1 - shown["confidence"])).clip(lower=1e-4) * shown["pairs"]
    off = (shown["real"] - shown["confidence"]) * shown["pairs"]
    if abs(off.sum()) > 2 * np.sqrt(chance.sum()):
        way = "low" if off.sum() > 0 else "high"
        return f"Confidence is too {way}: {said:.0%} on average, and {real:.0%} of {number} are real"
    if (off**2 / chance).sum() > len(shown) + 2 * np.sqrt(2 * len(shown)):
        return f"Confidence is right on average only: see the bins off the diagonal ({number})"
    return f"Confidence means frequency, as far as {number} tell"


def _subtitle(shown: pd.DataFrame) -> str:
    if not len(shown):
        return "Confidence beside frequency needs pairs whose truth is known: traces, calls, a call graph."
    error = ((shown["real"] - shown["confidence"]).abs() * shown["pairs"]).sum() / shown["pairs"].sum()
    legend = (
        f'<span style="color:{_LOW}">said too much</span>, '
        f'<span style="color:{_HIGH}">said too little</span>, '
        f'<span style="color:{_SAID}">right as far as its pairs tell</span>'
    )
    return f"Off by {error:.3f} on average over bins. Larger: more pairs. {legend}"
