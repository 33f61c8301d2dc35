"""At what hours of life pages met people: hour by weekday, as the clock on their wall has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from stanza_lab.errors import SchemaError
from stanza_lab.plot import _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

_NEED = ("local", "tz", "kind")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ROW = 34  # px
_EDGE = {"color": _theme.INK, "width": 1.5}
_KINDS = ("business", "off_hours", "sleep_hours")
_PARTS = ((0, 8, "sleep"), (8, 18, "business"), (18, 22, "off"), (22, 24, "sleep"))  # of a weekday


def interruptions(interruptions: pd.DataFrame, *, title: str | None = None) -> go.Figure:
    """Draw when pages interrupted people, a row per weekday and a cell per hour of their own clock.

    The frame is around business hours; left of 08:00 and right of 22:00 people sleep.

    Parameters
    ----------
    interruptions : DataFrame
        `PagerLoad.interruptions`, or some of its rows.
    title : str, optional
        Default: how many there are, and how many of them in sleep and off hours.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are local; the axis says of which time zone.

    Raises
    ------
    SchemaError
        A column is missing.

    See Also
    --------
    firing_heatmap : Alerts per service along the calendar.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> met = pd.DataFrame({
    ...     "local": pd.to_datetime(["2026-03-02 03:10", "2026-03-02 10:00"]), "tz": "Europe/Berlin",
    ...     "kind": ["sleep_hours", "business"],
    ... })
    >>> sl.plot.interruptions(met).layout.title.text
    '2 interruptions: 1 in sleep hours, 0 in off hours'
    """
    missing = [name for name in _NEED if name not in getattr(interruptions, "columns", ())]
    if missing:
        raise SchemaError(f"interruptions: columns {missing} are missing; pass PagerLoad.interruptions")
    local = interruptions["local"].dropna()
    counts = np.zeros((7, 24), dtype=np.int64)
    np.add.at(counts, (local.dt.day_of_week.to_numpy(), local.dt.hour.to_numpy()), 1)
    kinds = interruptions["kind"].astype("str").value_counts()
    n = {kind: int(kinds.get(kind, 0)) for kind in _KINDS}
    said = (
        f"{words.count(len(interruptions), 'interruption')}: {n['sleep_hours']:,} in sleep hours, "
        f"{n['off_hours']:,} in off hours"
    )
    zones = sorted(set(interruptions["tz"].astype("str")))
    zone = _theme.safe(zones[0]) if len(zones) == 1 else "each one's own clock" if zones else "UTC"
    figure = _theme.figure(
        [_cells(counts)] if counts.sum() else [],
        title=_theme.safe(title, limit=120) if title else said,
        subtitle=_period(local, zone),
        plot_height=7 * _ROW + 22,
        notes=["sleep is 22-08 every day, off 18-22 on weekdays and 08-22 at weekends, business (framed) the rest"],
        axis=54,
        xaxis={
            "title": {"text": f"hour of the day ({zone})"},
            "tickvals": [hour - 0.5 for hour in range(0, 25, 2)],
            "ticktext": [f"{hour:02d}" for hour in range(0, 25, 2)],
            "range": [-0.5, 23.5],
            "showgrid": False,
            "zeroline": False,
            "ticks": "outside",
        },
        yaxis={
            "tickvals": list(range(7)),
            "ticktext": [f"{day}  {int(row.sum()):,}" for day, row in zip(_DAYS, counts, strict=True)],
            "range": [6.5, -1.1],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
            "ticklen": 0,
        },
        shapes=_frames(),
    )
    for left, right, said in _PARTS:
        heading = {"text": said, "x": (left + right) / 2 - 0.5, "y": -0.8}
        figure.add_annotation(heading | {"showarrow": False, "font": {"size": 11, "color": _theme.FAINT}})
    return figure


def _frames() -> list[dict[str, Any]]:
    """Return a frame around business hours and lines where sleep ends and begins."""
    business = {"type": "rect", "x0": 7.5, "x1": 17.5, "y0": -0.5, "y1": 4.5, "line": _EDGE, "layer": "above"}
    lines = [
        {"type": "line", "x0": x, "x1": x, "y0": -0.5, "y1": 6.5, "line": _EDGE | {"dash": "dot"}, "layer": "above"}
        for x in (7.5, 21.5)
    ]
    return [business, *lines]


def _period(local: pd.Series, zone: str) -> str:
    if local.empty:
        return "no time known"
    return f"{local.min():%Y-%m-%d} to {local.max():%Y-%m-%d}, by the clock of {zone}; sums per weekday at the left"


def _cells(counts: np.ndarray) -> go.Heatmap:
    most = int(counts.max())
    hovers = [
        [
            f"<b>{day} {hour:02d}:00-{hour:02d}:59</b><br>{words.count(int(n), 'interruption')}"
            for hour, n in enumerate(row)
        ]
        for day, row in zip(_DAYS, counts, strict=True)
    ]
    return go.Heatmap(
        x=list(range(24)),
        y=list(range(7)),
        z=np.where(counts > 0, counts, np.nan),
        zmin=0,
        zmax=max(most, 2),
        text=[[f"{int(n):,}" if n else "" for n in row] for row in counts],
        texttemplate="%{text}",
        hovertext=hovers,
        hoverinfo="text",
        hoverongaps=False,
        colorscale=_theme.COUNTS,
        xgap=1,
        ygap=2,
        showscale=False,
    )
