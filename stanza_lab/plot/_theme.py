"""Colours, symbols and text shared by all figures."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from stanza_lab.schema import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
_SUBTITLE, _NOTE = 112, 96  # characters of a line that a notebook's narrow column, 760 px, has room for
COUNTS = [(0.0, "#DCE9F5"), (0.35, "#7FB2D9"), (0.7, "#0072B2"), (1.0, "#08264A")]  # few to many, one hue
LINE = "#444444"  # of axes: plotly's own, said so that it can turn
SEEN, INFERRED, GUESSED = "#7C8794", "#9BA5B1", "#BAC2CB"  # links: lighter than names, which lie on top
SHADE = "#F6F7F9"  # behind what belongs together
HALO = ", ".join(["1px 1px 1px white", "-1px 1px 1px white", "1px -1px 1px white", "-1px -1px 1px white"] * 2)

# Every colour that means another one on a dark page; all others do on both. `restyle` and the pages swap by it.
DARK = {
    PAPER: "#16191D", "white": "#16191D", INK: "#E6E8EB", FAINT: "#9AA4B1", GRID: "#2A3037", UNKNOWN: "#8B929A",
    SEEN: "#8994A1", INFERRED: "#6F7A87", GUESSED: "#525C68",
    "#0072B2": "#3D9BDC", "#009E73": "#1DB88A", "#CC79A7": "#D98BB5", "#56B4E9": "#9AD7F7", "#D55E00": "#F07A2B",
    "#7F0000": "#FF9C9C",  # critical: the lightest here as it is the darkest there
    "#A84600": "#FF9A57", "#5F6670": "#A3ABB5", LINE: "#7A838E",
    "#DCE9F5": "#1D2B38", "#7FB2D9": "#33668F", "#08264A": "#D6ECFC",  # counts: many is far from the paper on both
    "#E8905A": "#9C4A1B", "#F8E3D3": "#4A3325", "#E4EEF7": "#22354A", "#9CC3E2": "#2F6690",  # shares
    SHADE: "#1E2227", "#D3D9E0": "#3A424B", "#C5CAD0": "#4A525B", "#FFE8B3": "#4A3D1A",  # shades and thin lines
    "#FCEFE6": "#38261A", "#EAF3F9": "#1A2A36", "rgba(255,255,255,0.85)": "rgba(22,25,29,0.85)",
}  # fmt: skip
_AXIS_LINES = {"linecolor": LINE, "tickcolor": LINE, "zerolinecolor": LINE}
_MARKUP = re.compile(r"</?(?:b|i|em|sub|sup|span|a)\b[^>]*>")
_SPACE = re.compile(r" (?![^<>]*>)")  # between words, not within a tag
_OPENS_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_MOST_SAID = 1_000  # characters of a picture in words


def style(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return a colour and a symbol for each name, the same for the same list of names."""
    ordered = list(dict.fromkeys(names))
    return {
        name: (PALETTE[i % len(PALETTE)], SYMBOLS[i // len(PALETTE) % len(SYMBOLS)]) for i, name in enumerate(ordered)
    }


def safe(text: object, *, limit: int = 80) -> str:
    """Return `text` on one line, shortened in its middle and escaped: plotly reads a part of HTML everywhere."""
    return html.escape(short(text, limit=limit), quote=False)


def short(text: object, *, limit: int) -> str:
    """Return `text` on one line, of at most `limit` characters, its middle left out; not escaped."""
    said = " ".join(str(text).split())
    if len(said) <= limit:
        return said
    tail = limit // 3
    return f"{said[: limit - tail - 1]}…{said[-tail:]}"


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
    description: str | None = None,
    **layout: object,
) -> go.Figure:
    """Return a figure in the package's look.

    `title`, `subtitle` and `notes` are markup, escaped by the caller; notes go below, under an x axis `axis` px high.
    The figure is `height` px high, by default as high as the plot needs to be `plot_height`. `layout.meta` holds the
    picture in words for a screen reader, as plain text; default: what title, subtitle and notes say.
    """
    said = as_plain([title, subtitle, *notes])
    subtitle = "<br>".join(broken(subtitle, _SUBTITLE))
    notes = [line for note in notes for line in broken(note, _NOTE)]
    top = _top(subtitle)
    room = around(subtitle, len(notes), axis=axis) - top
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
            "meta": {"description": said if description is None else description},
            **layout,
            **{
                name: _AXIS_LINES | look
                for name, look in layout.items()
                if isinstance(look, dict) and name[1:5] == "axis"
            },
        },
    )


def broken(markup: str, most: int) -> list[str]:
    """Return the lines of `markup`, those broken at a space that have more than `most` characters to be seen."""
    lines: list[str] = []
    for line in markup.split("<br>"):
        seen, start = 0, len(lines)
        for word in _SPACE.split(line):
            length = len(html.unescape(_MARKUP.sub("", word)))
            if len(lines) > start and seen + 1 + length <= most:
                lines[-1] += f" {word}"
                seen += 1 + length
            else:
                lines.append(word)
                seen = length
    return lines


def around(subtitle: str, notes: int, *, axis: int = 0) -> int:
    """Return how many px of a figure are not plot: title, subtitle and so many notes."""
    return _top(subtitle) + axis + 16 * notes + 16


def _top(subtitle: str) -> int:
    return _TOP + _LINE * (len(broken(subtitle, _SUBTITLE)) - 1)


def escaped(text: str) -> str:
    """Return `text` in full so that it shows as it is."""
    return html.escape(text, quote=False)


def as_plain(parts: Iterable[str]) -> str:
    """Return markup as the plain text of a screen reader: sentences, no longer than it has patience for.

    What would open a tag becomes ‹: harmless even where somebody shows the text as markup.
    """
    lines = [_MARKUP.sub("", line).strip() for part in parts for line in part.split("<br>")]
    said = html.unescape(" ".join(line if line.endswith((".", ":", "?")) else f"{line}." for line in lines if line))
    said = _OPENS_TAG.sub("‹", said)
    return said if len(said) <= _MOST_SAID else f"{said[: _MOST_SAID - 1]}…"


def _null(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value or value == ""
