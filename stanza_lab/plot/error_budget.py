"""Error budgets over time: what is left of each, down to where releases freeze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words
from stanza_lab.reliability.objectives.statements import ASSUMED, SLOW

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.reliability.objectives import Reliability

_HEIGHT, _NAME = 360, 31  # px of the plot, and of a name of two lines
_LOWEST = -1.0  # of a budget: what is spent beyond twice is drawn here
_DASHES = ("solid", "dash", "dot")
_FREEZE, _SLOW = "#A84600", "#E69F00"


def error_budget(
    reliability: Reliability, *, top: int = 7, title: str | None = None, height: int | None = None
) -> go.Figure:
    """Draw what was left of each error budget over time, a line per objective.

    Parameters
    ----------
    reliability : Reliability
        What `measure_objectives` or `objectives_from_alerts` returns.
    top : int, default 7
        Most lines; those with the least left come first, the others are counted in a note below.
    title : str, optional
        Default: how many budgets are spent.
    height : int, optional
        Pixels.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are UTC. Marked: nothing left (freeze), and a quarter left (slow down).

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> at = pd.date_range("2026-03-01 01:00", periods=240, freq="1h", tz="UTC")
    >>> counts = pd.DataFrame({"service": "shop", "indicator": "requests", "at": at, "covers_s": 3600.0,
    ...                        "good": [9_990.0] * 200 + [9_900.0] * 40, "total": 10_000.0})
    >>> promised = sl.Objective(name="Answers", service="shop", objective=99.9)
    >>> found = sl.measure_objectives(counts, objectives=promised)
    >>> sl.plot.error_budget(found).layout.title.text
    '1 error budget, 0 spent, 1 nearly'
    """
    _params.at_least(top, "top", 1)
    judged = reliability.objectives[reliability.objectives["judged"]]
    judged = judged.sort_values(["left", "service", "name"], ignore_index=True)
    shown = judged.head(top)
    notes = _notes(reliability, judged, shown)
    assumed = bool((reliability.statements["verdict"] == ASSUMED).any())
    spent = int((judged["left"] <= 0).sum())
    nearly = int(((judged["left"] > 0) & (judged["left"] <= 1 - SLOW)).sum())
    lines = reliability.over_time.merge(shown[["service", "name"]], on=["service", "name"])
    low = max(_LOWEST, min(-0.08, float(lines["left"].min()) - 0.05)) if len(lines) else -0.08
    traces, labels = _lines(reliability, shown, apart=_NAME * (1.1 - low) / _HEIGHT)
    figure = _theme.figure(
        traces,
        title=_theme.safe(title, limit=120)
        if title
        else f"{words.count(len(judged), 'error budget')}, {spent} spent, {nearly} nearly",
        subtitle=_subtitle(reliability, assumed=assumed),
        plot_height=_HEIGHT,
        height=height,
        notes=notes,
        axis=62,
        xaxis=_rows.TIME | {"type": "date"},
        yaxis={
            "title": {"text": "error budget left"},
            "tickformat": ".0%",
            "range": [low - 0.04, 1.06],
            "gridcolor": _theme.GRID,
            "zeroline": False,
            "automargin": True,
        },
        shapes=_levels(),
        showlegend=False,
    )
    figure.update_layout(
        annotations=[*figure.layout.annotations, *_marks(assumed=assumed), *labels], margin={"r": 230 if labels else 20}
    )
    return figure


def _lines(
    reliability: Reliability, shown: pd.DataFrame, *, apart: float
) -> tuple[list[go.Scatter], list[dict[str, Any]]]:
    """Return a line per objective, the least left first, and its name where it ends, `apart` from the others."""
    traces, labels = [], []
    heights: list[float] = []
    for number, row in enumerate(shown.to_dict("records")):
        over = reliability.over_time
        own = over[(over["service"] == row["service"]) & (over["name"] == row["name"])]
        colour = _theme.PALETTE[number % (len(_theme.PALETTE) - 1)]
        dash = _DASHES[number // (len(_theme.PALETTE) - 1) % len(_DASHES)]
        name = f"{row['service']}: {row['name']}"
        hovers = [
            _theme.hover(name, [("left", f"{left:.1%}"), ("at", _theme.utc(at))])
            for left, at in zip(own["left"], own["at"], strict=True)
        ]
        traces.append(
            go.Scatter(
                x=own["at"],
                y=own["left"].clip(lower=_LOWEST),
                mode="lines" if len(own) > 1 else "markers",
                line={"color": colour, "width": 2, "dash": dash},
                marker={"color": colour},
                name=_theme.safe(name, limit=60),
                hovertext=hovers,
                hoverinfo="text",
            )
        )
        if len(own):
            place = float(max(_LOWEST, own["left"].iloc[-1]))
            place = max(place, *(height + apart for height in heights[-1:])) if heights else place
            heights.append(place)
            labels.append(
                {
                    "x": 1.0,
                    "xref": "paper",
                    "xanchor": "left",
                    "xshift": 8,
                    "y": place,
                    "align": "left",
                    "showarrow": False,
                    "font": {"color": colour if colour != "#56B4E9" else "#2A7FB0", "size": 11},
                    "text": f"<b>{row['left']:.0%}</b> {_theme.safe(row['service'], limit=24)}<br>"
                    f"{_theme.safe(row['name'], limit=32)}",
                }
            )
    return traces, labels


def _levels() -> list[dict[str, Any]]:
    base = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "layer": "above"}
    return [
        base | {"y0": 0, "y1": 0, "line": {"color": _FREEZE, "width": 1.5}},
        base | {"y0": 1 - SLOW, "y1": 1 - SLOW, "line": {"color": _SLOW, "width": 1.5, "dash": "dash"}},
    ]


def _marks(*, assumed: bool) -> list[dict[str, Any]]:
    base = {"xref": "paper", "x": 0, "xanchor": "left", "showarrow": False, "xshift": 4, "yshift": 8}
    freeze, slow = ("", "") if assumed else (": freeze", ": slow down")  # nothing follows from no promise
    return [
        base | {"y": 0, "text": f"nothing left{freeze}", "font": {"size": 10, "color": _FREEZE}},
        base | {"y": 1 - SLOW, "text": f"{1 - SLOW:.0%} left{slow}", "font": {"size": 10, "color": _theme.FAINT}},
    ]


def _subtitle(reliability: Reliability, *, assumed: bool) -> str:
    units = reliability.objectives["unit"].unique().tolist() or [reliability.unit]
    nobody = ", and nobody promised: the objective is assumed" if assumed else ""
    what = (
        f"alert time, a proxy{nobody}" if "second" in units else f"{' and '.join(f'{unit}s' for unit in units)} counted"
    )
    return (
        f"Rolling windows up to {_theme.utc(reliability.at)}; {what}; before counting began nothing is taken as spent"
    )


def _notes(reliability: Reliability, judged: pd.DataFrame, shown: pd.DataFrame) -> list[str]:
    notes = []
    rest = judged.iloc[len(shown) :]
    if len(rest):
        least = f"each with {rest['left'].min():.0%} left or more"
        notes.append(f"not shown: {words.count(len(rest), 'objective')}, {least}")
    silent = len(reliability.objectives) - len(judged)
    if silent:
        notes.append(f"not judged: {words.count(silent, 'objective')} of which too little is known")
    if (shown["left"] < _LOWEST).any():
        notes.append(f"what is overspent by more than {-_LOWEST:.0%} is drawn at {_LOWEST:.0%}")
    return notes
