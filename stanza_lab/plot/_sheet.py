"""The sheet a map is drawn on at the first zoom: from rows to pixels and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stanza_lab.plot.layout import Floats

WIDE = 1_100  # px: the figure at the first zoom
MARGIN = 20  # px
LEGEND = 150.0  # px, at most, beside the plot
CHAR = 6.2  # px a character takes in a name of 11 px
_ABOVE, _BELOW = 40.0, 48.0  # px over the topmost and under the lowest node


@dataclass(frozen=True)
class Sheet:
    """How many pixels a unit of x and of y is, and which part of both the plot shows."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    width: float
    height: float

    @classmethod
    def of(cls, x: Floats, y: Floats, *, beside: float, legend: float, row: float, height: float | None) -> Sheet:
        """Return the sheet for nodes at `x` and `y` with `beside` px for names left and right, `row` px per row.

        `height` (px) is what is asked for; default: what the rows need.
        """
        width = WIDE - 2 * MARGIN - legend
        low, high = (float(f(x)) for f in (np.min, np.max)) if len(x) else (0.0, 0.0)
        bottom, top = (float(f(y)) for f in (np.min, np.max)) if len(y) else (0.0, 0.0)
        tall = max(row * (top - bottom) + _ABOVE + _BELOW, 240.0) if height is None else max(height, 120.0)
        return cls(
            x_range=_range(low, high, width, beside, beside),
            y_range=_range(bottom, top, tall, _BELOW, _ABOVE),
            width=width,
            height=tall,
        )

    def px(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return places in px, from the left and from the top."""
        (left, right), (bottom, top) = self.x_range, self.y_range
        return (x - left) / (right - left) * self.width, (top - y) / (top - bottom) * self.height

    def back(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return places in rows, from px."""
        (left, right), (bottom, top) = self.x_range, self.y_range
        return left + x / self.width * (right - left), top - y / self.height * (top - bottom)


def _range(low: float, high: float, px: float, before: float, after: float) -> tuple[float, float]:
    """Return the range of an axis of `px`, with so many of them free before `low` and after `high`."""
    if high - low < 1e-9:
        return low - 1.0, high + 1.0
    unit = (high - low) / max(px - before - after, px / 2)
    return low - before * unit, high + after * unit
