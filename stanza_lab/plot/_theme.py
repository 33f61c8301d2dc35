"""Colours, symbols and text shared by all figures."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from stanza_lab.schema import SEVERITIES

# Okabe and Ito's palette, told apart with every kind of colour blindness; yellow last, it is weak on white.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "pentagon", "hexagon")
UNKNOWN = "#9AA0A6"
INK, FAINT, GRID, PAPER = "#22272E", "#6B7280", "#EEF0F2", "#FFFFFF"

# Severity is colour and shape at once, so that a grey print still says which is which.
_SEVERITY_COLOURS = ("#56B4E9", "#E69F00", "#D55E00", "#7F0000")
_SEVERITY_SYMBOLS = ("circle", "triangle-up", "square", "diamond")
SEVERITY = dict(zip(SEVERITIES, zip(_SEVERITY_COLOURS, _SEVERITY_SYMBOLS, strict=True), strict=True))

_TOP, _LINE = 92, 16  # px for title, subtitle and the legend of lines; for each more line of the subtitle
COUNTS = [(0.0, "#DCE9F5"), (0.35, "#7FB2D9"), (0.7, "#0072B2"), (1.0, "#08264A")]  # few to many, one hue


def style(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return a colour and a symbol for each name, the same for the same list of names."""
    ordered = list(dict.fromkeys(names))
    return {
        name: (PALETTE[i % len(PALETTE)], SYMBOLS[i // len(PALETTE) % len(SYMBOLS)]) for i, name in enumerate(ordered)
    }


def safe(text: object, *, limit: int = 80) -> str:
    """Return `text` on one line, shortened in its middle and escaped: plotly reads a part of HTML everywhere."""
    said = " ".join(str(text).split())
    if len(said) > limit:
        tail = limit // 3
        said = f"{said[: limit - tail - 1]}…{said[-tail:]}"
    return html.escape(said, quote=False)


def hover(title: object, lines: Iterable[tuple[str, object]]) -> str:
    """Return a hover text: a bold title, then one line per thing that is known."""
    known = [f"{name}: {safe(value, limit=100)}" for name, value in lines if not _null(value)]
    return "<br>".join([f"<b>{safe(title, limit=100)}</b>", *known])


def utc(time: Any) -> str | None:
    """Return a time as text, or None."""
    return None if time is None or pd.isna(time) else f"{time:%Y-%m-%d %H:%M:%S} UTC"


def period(times: pd.Series) -> str:
    """Return from when to when `times` go."""
    known = times.dropna()
    if known.empty:
        return "no time known"
    first, last = f"{known.min():%Y-%m-%d %H:%M}", f"{known.max():%Y-%m-%d %H:%M}"
    return f"{first} to {last[11:] if last[:10] == first[:10] else last} UTC"


def figure(
    traces: Sequence[go.Scatter | go.Scattergl | go.Heatmap],
    *,
    title: str,
    subtitle: str,
    plot_height: float,
    height: int | None = None,
    notes: Sequence[str] = (),
    axis: int = 0,
    **layout: object,
) -> go.Figure:
    """Return a figure in the package's look.

    `title`, `subtitle` and `notes` are markup, escaped by the caller; notes go below, under an x axis `axis` px high.
    The figure is `height` px high, by default as high as the plot needs to be `plot_height`.
    """
    room = axis + 16 * len(notes) + 16
    top = _TOP + _LINE * subtitle.count("<br>")
    note = {
        "text": "<br>".join(notes),
        "align": "left",
        "font": {"size": 11, "color": FAINT},
        "showarrow": False,
        "x": 0,
        "xanchor": "left",
        "xref": "paper",
        "y": 0,
        "yanchor": "top",
        "yref": "paper",
        "yshift": -axis - 4,
    }
    heading = {"text": title, "subtitle": {"text": subtitle}, "x": 0, "xref": "container", "xanchor": "left"}
    return go.Figure(
        traces,
        {
            "template": "none",
            "title": heading | {"y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 14, "l": 20}},
            "height": height or int(plot_height) + top + room,
            "margin": {"l": 20, "r": 20, "t": top, "b": room},
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "font": {"family": "system-ui, sans-serif", "size": 12, "color": INK},
            "hoverlabel": {"align": "left", "bgcolor": PAPER, "font": {"color": INK}},
            "hovermode": "closest",
            "annotations": [note] if notes else [],
            **layout,
        },
    )


def _null(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value or value == ""
