"""Lengths of time as labels and ticks of an axis: 40 s, 1.5 min, 4 min, 2.5 h."""

from __future__ import annotations

import math

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))  # in seconds
_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_ROUND = (  # places of a logarithmic axis in seconds, coarse and fine
    (1, 60, 3600, 86_400, 2_592_000),
    (1, 10, 60, 300, 1200, 3600, 21_600, 86_400, 604_800, 2_592_000),
    (
        *(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200),
        *(86_400, 172_800, 259_200, 604_800, 1_209_600, 2_592_000),
    ),
)
_MOST_TICKS = 9


def length(seconds: float) -> str:
    """Return a length of time with at most one decimal: 40 s, 1.7 min, 4 min, 2.5 h; "for ever" when infinite."""
    size = abs(seconds)
    if math.isinf(size):
        return "for ever"
    unit, name = next(((unit, name) for unit, name in _UNITS if size >= 1.5 * unit or size == unit), (1, "s"))
    value = size / unit
    shown = f"{value:.1f}" if value < 10 and (unit > 1 or value < 2) else f"{value:,.0f}"
    return f"{shown.removesuffix('.0')} {name}"


def signed(seconds: float) -> str:
    """Return a length of time with its sign: +4 min, −30 s, 0 s."""
    said = length(seconds)
    return said if said == "0 s" else f"{'+' if seconds > 0 else '−'}{said}"


def ticks(low: float, high: float, *, wanted: int = 6) -> tuple[list[float], list[str]]:
    """Return round places between two lengths, in seconds, and their labels."""
    step = next((s for s in _STEPS if (high - low) / s <= wanted), None)
    if step is None:
        step = 86_400 * math.ceil((high - low) / wanted / 86_400)
    places = [float(i * step) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return places, [f"{'−' if place < 0 else ''}{length(place)}" for place in places]


def log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Return round places between two lengths above zero for a logarithmic axis, and their labels."""
    choices = ([float(place) for place in places if low <= place <= high] for places in reversed(_ROUND))
    places = next((inside for inside in choices if len(inside) <= _MOST_TICKS), [])
    if len(places) < 2:
        places = sorted({low, high, *places})
    return places, [length(place) for place in places]
