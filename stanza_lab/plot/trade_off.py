"""What tuning can have: the trials of a study, and those that nothing beats in both measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab.errors import SchemaError, UnknownNameError
from stanza_lab.plot import _theme
from stanza_lab.production import words

_HEIGHT = 460  # px
_WIDTH = 620  # px that the plot has at least, to tell which names overlap
_MOST_SHOWN = 14  # values when hovering
_CHARACTER, _LINE = 6.5, 15  # px
_PLACES = ("top center", "bottom center", "middle right", "middle left")
_TRIAL, _FRONT, _BASELINE = "#9AA0A6", "#0072B2", "#D55E00"


def trade_off(
    trials: pd.DataFrame, *, x: str = "compression", y: str = "recall", front: str = "front", title: str | None = None
) -> go.Figure:
    """Draw each trial of a study by two measures, and join those that no other trial beats in both.

    Of both measures more is better. What lies on the line is a choice: more of the one costs some of the other. What
    lies below and left of it is a worse choice in both. Stars are what the trials are compared with.

    Parameters
    ----------
    trials : DataFrame
        A row per trial with the columns of `x` and `y`; all other columns (its parameters) are shown when hovering.
        `method` (str, null for a trial), if it is there, names a baseline, which is a star and not part of the front.
    x, y : str, default "compression" and "recall"
        Columns of the two measures.
    front : str, default "front"
        Column (bool) that marks the trials to join. Default where there is none: found here.
    title : str, optional
        Default: the two measures and how many trials there are.

    Returns
    -------
    plotly.graph_objects.Figure
        Trials without a value (pruned or failed ones) are counted in a note.

    Raises
    ------
    UnknownNameError
        There is no column called `x` or `y`.
    SchemaError
        A measure holds no numbers.

    See Also
    --------
    parameter_importance : Which parameters make the difference.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> trials = pd.DataFrame({
    ...     "compression": [0.9, 0.7, 0.6], "recall": [0.5, 0.8, 0.7], "max_gap": ["20min", "5min", "2min"],
    ... })
    >>> sl.plot.trade_off(trials).layout.title.text
    'recall against compression: 3 trials, 2 of them beaten by no other'
    """
    if not isinstance(trials, pd.DataFrame):
        raise SchemaError(f"trials must be a pandas DataFrame, not {type(trials).__name__}")
    rows = trials.reset_index(drop=True).assign(_x=_numbers(trials, x), _y=_numbers(trials, y))
    named = rows["method"].notna() if "method" in rows.columns else np.zeros(len(rows), dtype=bool)
    known = np.isfinite(rows["_x"]) & np.isfinite(rows["_y"])
    tried, baselines = rows[known & ~named], rows[known & named]
    if front in rows.columns:
        best = tried[front].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    else:
        best = not_beaten(tried["_x"].to_numpy(), tried["_y"].to_numpy())
    left = int((~known).sum())
    hidden = (x, y, front, "method", "_x", "_y")
    shown = [column for column in rows.columns if column not in hidden][:_MOST_SHOWN]
    text = f"{_theme.safe(y)} against {_theme.safe(x)}: {words.count(len(tried), 'trial')}"
    text += f", {int(best.sum()):,} of them beaten by no other" if len(tried) else ""
    axes: dict[str, Any] = {"gridcolor": _theme.GRID, "zeroline": False, "automargin": True}
    return _theme.figure(
        [
            _points(tried[~best], (x, y), shown, name="trial", colour=_TRIAL, size=7),
            _line(tried[best]),
            _points(tried[best], (x, y), shown, name="beaten by no other", colour=_FRONT, size=10),
            _stars(baselines, tried, (x, y), shown),
        ],
        title=_theme.safe(title, limit=120) if title else text,
        subtitle="Right and up is better. On the line, more of one costs some of the other.",
        plot_height=_HEIGHT,
        notes=[f"not shown: {words.count(left, 'row')} without a value (pruned or failed)"] if left else [],
        axis=56,
        xaxis=axes | {"title": {"text": f"{_theme.safe(x)}, more is better →"}},
        yaxis=axes | {"title": {"text": f"{_theme.safe(y)}, more is better →"}},
        showlegend=True,
    )


def not_beaten(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Tell which points no other beats: as good in both and better in one. Equal points do not beat each other."""
    order = np.lexsort((-y, -x))
    kept = np.zeros(len(x), dtype=bool)
    best, at = -np.inf, np.nan
    for i in order:
        if y[i] > best or (y[i] == best and x[i] == at):
            kept[i], best, at = True, y[i], x[i]
    return kept


def _numbers(trials: pd.DataFrame, name: str) -> np.ndarray:
    if name not in trials.columns:
        raise UnknownNameError.among("column", name, map(str, trials.columns))
    try:
        return pd.to_numeric(trials[name]).to_numpy(dtype="float64", na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise SchemaError(f"trials: column {name!r}: {error}; pass numbers") from None


def _points(
    part: pd.DataFrame, measures: tuple[str, str], shown: list[str], *, name: str, colour: str, size: int
) -> go.Scatter:
    marker = {"size": size, "color": colour, "opacity": 0.75, "line": {"width": 0.5, "color": _theme.PAPER}}
    hovers = [_hover(name, row, measures, shown) for row in part.to_dict("records")]
    place = {"x": part["_x"], "y": part["_y"], "hovertext": hovers, "hoverinfo": "text"}
    return go.Scatter(**place, mode="markers", marker=marker, name=name, showlegend=len(part) > 0)


def _line(best: pd.DataFrame) -> go.Scatter:
    """Return what the front can have, as steps: between two trials there is only the worse value of each."""
    ordered = best.sort_values(["_x", "_y"], ascending=[True, False])
    line = {"color": _FRONT, "width": 1.6, "shape": "vh"}
    return go.Scatter(x=ordered["_x"], y=ordered["_y"], mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _stars(baselines: pd.DataFrame, tried: pd.DataFrame, measures: tuple[str, str], shown: list[str]) -> go.Scatter:
    names = [_theme.safe(name, limit=36) for name in baselines["method"]] if len(baselines) else []
    hovers = [_hover(row["method"], row, measures, shown) for row in baselines.to_dict("records")]
    marker = {"size": 14, "symbol": "star", "color": _BASELINE, "line": {"width": 0.8, "color": _theme.PAPER}}
    return go.Scatter(
        x=baselines["_x"],
        y=baselines["_y"],
        mode="markers+text",
        text=names,
        textposition=_places(baselines, pd.concat([baselines, tried]), names),
        textfont={"size": 11, "color": _theme.INK},
        marker=marker,
        hovertext=hovers,
        hoverinfo="text",
        name="baseline",
        showlegend=len(baselines) > 0,
        cliponaxis=False,
    )


def _places(baselines: pd.DataFrame, every: pd.DataFrame, names: list[str]) -> list[str]:
    """Return for each name the side of its star where it covers least of the other names and stars."""
    low, size = every[["_x", "_y"]].min(), np.ptp(every[["_x", "_y"]].to_numpy(), axis=0) if len(every) else None
    if size is None or not names:
        return []
    points = (baselines[["_x", "_y"]] - low).to_numpy() / np.where(size > 0, size, 1) * [_WIDTH, _HEIGHT]
    boxes = [(px - 8, py - 8, px + 8, py + 8) for px, py in points]
    places = []
    for (px, py), name in zip(points, names, strict=True):
        wide, high = len(name) * _CHARACTER, _LINE
        options = {
            "top center": (px - wide / 2, py + 9, px + wide / 2, py + 9 + high),
            "bottom center": (px - wide / 2, py - 9 - high, px + wide / 2, py - 9),
            "middle right": (px + 10, py - high / 2, px + 10 + wide, py + high / 2),
            "middle left": (px - 10 - wide, py - high / 2, px - 10, py + high / 2),
        }
        place = min(_PLACES, key=lambda side: _covered(options[side], boxes))
        boxes.append(options[place])
        places.append(place)
    return places


def _covered(box: tuple[float, ...], boxes: Sequence[tuple[float, ...]]) -> float:
    """Return how much of the others `box` covers, and of what lies outside the plot left and right."""
    out = max(0.0, -box[0] - 40) + max(0.0, box[2] - _WIDTH - 40)
    return out * _LINE + sum(
        max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
        * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
        for other in boxes
    )


def _hover(title: object, row: dict[Any, Any], measures: tuple[str, str], shown: list[str]) -> str:
    lines: list[tuple[str, Any]] = [(name, f"{row[name]:.4g}") for name in measures]
    for name in shown:
        value = row[name]
        if not isinstance(value, (list, dict, tuple, np.ndarray)):
            known = pd.notna(value)
            lines.append((name, f"{value:.4g}" if known and isinstance(value, float) else value))
    return _theme.hover(title, [(_theme.safe(name), said) for name, said in lines])
