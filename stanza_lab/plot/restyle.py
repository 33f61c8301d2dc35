"""Any figure of the package for a dark page."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.plot import _theme

Theme = Literal["light", "dark"]
THEMES = ("light", "dark")

# What says something, untrusted text included: kept as it is, but for the colours of our own markup.
_SAID = {"text", "hovertext", "hovertemplate", "ticktext", "customdata", "name", "meta", "ids", "labels", "parents"}
_SPAN = re.compile(r'(?<=<span style="color:)#[0-9A-Fa-f]{6}(?=">)')


def restyle(figure: go.Figure, *, theme: Theme = "dark") -> go.Figure:
    """Return a figure of this package in light or dark colours.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        From any function of `sl.plot`, as it came, light or dark. It is not changed.
    theme : {"light", "dark"}, default "dark"
        What the page around the figure is.

    Returns
    -------
    plotly.graph_objects.Figure
        The same figure: its data, places and words are kept, only colours are others.

    Raises
    ------
    ParameterError
        There is no such theme.

    Notes
    -----
    Colours of the package are swapped one for one; text keeps a contrast of at least 4.5 to 1 to the page. Colours
    that somebody else set stay. A figure that is turned dark and back is the figure it was.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> sl.plot.restyle(sl.plot.production_map(sl.ProductionMap(edges))).layout.paper_bgcolor
    '#16191D'
    """
    _params.choice(theme, "theme", THEMES)
    is_dark = figure.layout.paper_bgcolor == _theme.DARK[_theme.PAPER]
    if is_dark == (theme == "dark"):
        return go.Figure(figure)
    colours = dict(_theme.DARK) if theme == "dark" else {new: old for old, new in reversed(_theme.DARK.items())}
    return go.Figure(_swapped(figure.to_dict(), "", colours))


def _swapped(value: Any, key: str, colours: dict[str, str]) -> Any:
    """Return a part of a figure with its colours swapped; text that is shown is no colour, whatever it says."""
    if isinstance(value, dict):
        return {name: _swapped(inner, name, colours) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_swapped(inner, key, colours) for inner in value]
    if isinstance(value, np.ndarray):
        return value if value.dtype != object else np.array([_swapped(v, key, colours) for v in value], dtype=object)
    if not isinstance(value, str):
        return value
    if key in _SAID:
        return _SPAN.sub(lambda found: colours.get(found[0], found[0]), value) if key == "text" else value
    if key == "shadow":
        first, second = ("white", _theme.DARK["white"]) if "white" in value else (_theme.DARK["white"], "white")
        return value.replace(first, second)
    return colours.get(value, value)
