"""Names beside nodes, without one on top of another: shortened where there is little room, left out where none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stanza_lab.plot import _theme
from stanza_lab.plot._sheet import CHAR

if TYPE_CHECKING:
    from stanza_lab.plot.layout import Floats

_HIGH, _GAP, _APART = 14.0, 2.0, 4.0  # px: a name, from its node, from the next name
_FEWEST = 7  # characters; a shorter rest of a name says nothing
_BOLD = 1.1  # times as wide


@dataclass(frozen=True)
class Label:
    """A name as it is shown: its text (empty: left out), above its node or below, and where."""

    text: str
    above: bool
    box: tuple[float, float, float, float]  # left, top, right, bottom, in px

    @property
    def position(self) -> str:
        """Where plotly puts it."""
        return "top center" if self.above else "bottom center"


def width(text: str, *, bold: bool) -> float:
    """Return about how many px a name takes."""
    return len(text) * CHAR * (_BOLD if bold else 1.0)


def fit(
    names: list[str],
    *,
    x: Floats,
    y: Floats,
    radius: Floats,
    bold: list[bool],
    first: list[int],
    room: float,
) -> list[Label]:
    """Return the label of each node, those of `first` rows served first.

    Each stands below its node, or above where only there it has room in full; else it is shortened below.

    Parameters
    ----------
    names : list of str
        As they are: no markup.
    x, y, radius : array
        Of the nodes, in px.
    bold : list of bool
        Bold names are wider.
    first : list of int
        Row numbers in order of importance.
    room : float
        The width of the plot in px; names stay inside.
    """
    taken = np.column_stack([x - radius, y - radius, x + radius, y + radius])
    found: list[Label | None] = [None] * len(names)
    for i in first:
        wide = width(names[i], bold=bold[i])
        sides = [
            _side(taken, i, float(x[i]), float(y[i]), float(radius[i]), room, above=above) for above in (False, True)
        ]
        span, top, above = next((side for side in sides if side[0] >= wide), sides[0])
        text = names[i] if span >= wide else _shorter(names[i], int(span / width("x", bold=bold[i])))
        half = width(text, bold=bold[i]) / 2
        box = (float(x[i]) - half, top, float(x[i]) + half, top + _HIGH)
        found[i] = Label(text, above, box)
        if text:
            taken = np.vstack([taken, box])
    return [label for label in found if label is not None]


def _shorter(name: str, characters: int) -> str:
    """Return a name with its middle left out, the number behind it kept; nothing where too little would be left."""
    head, _, number = name.rpartition(" (")
    if head and characters - len(number) - 2 >= _FEWEST:
        return f"{_theme.short(head, limit=characters - len(number) - 2)} ({number}"
    return _theme.short(head or name, limit=characters) if characters >= _FEWEST else ""


def _side(
    taken: Floats, own: int, x: float, y: float, radius: float, room: float, *, above: bool
) -> tuple[float, float, bool]:
    """Return how wide a name may be above or below a node, the top of its box, and which of both this is."""
    top = y - radius - _GAP - _HIGH if above else y + radius + _GAP
    beside = (taken[:, 1] < top + _HIGH) & (taken[:, 3] > top)
    beside[own] = False
    near = np.maximum(taken[beside, 0] - x, x - taken[beside, 2]) - _APART
    return 2 * max(0.0, min(x, room - x, float(near.min(initial=np.inf)))), top, above
