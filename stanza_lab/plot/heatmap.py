"""How many alerts fire when: counts per time bin."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

_WANTED = 120  # bins, when the width is chosen here
_MOST = 5_000  # bins
_TICKS = 8
_ROW = 24  # px


def firing_heatmap(
    alerts: pd.DataFrame, *, by: str = "service", every: _params.Duration | None = None, top: int = 30
) -> go.Figure:
    """Draw how many alerts fired when, a row per service and a cell per time bin.

    The shades are logarithmic, so that one noisy rule does not hide the others; empty cells stay white.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; `starts_at` and the column of `by` must be there.
    by : str, default "service"
        Column whose values are the rows, the busiest on top.
    every : duration, optional
        Width of a bin, aligned to UTC; wider bins show the trend, narrower ones the bursts. Default: the shortest of
        1, 5, 15 min, 1, 3, 6, 12 h, 1, 7, 28 days that needs at most 120 bins.
    top : int, default 30
        Most rows; the values beyond are counted in a note below.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are UTC.

    Raises
    ------
    SchemaError
        A column is missing or malformed.
    UnknownNameError
        There is no column called `by`.
    ParameterError
        `every` is no duration, or so short that more than 5,000 bins would be needed.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({"service": ["shop", "shop"], "starts_at": ["2026-03-01T14:02Z", "2026-03-02T09:00Z"]})
    >>> sl.plot.firing_heatmap(alerts, every="1D").layout.title.text
    'Alerts per service and day'
    """
    alerts = schema.check(alerts, schema.ALERTS, need=["starts_at"])
    if by not in alerts.columns:
        raise UnknownNameError.among("column", by, map(str, alerts.columns))
    _params.at_least(top, "top", 1)
    known, notes = _rows.timed(alerts)
    spans = _rows.active(known["starts_at"])
    width = _width(spans) if every is None else _params.duration(every, "every")
    rows, names, unshown = _rows.busiest(known, by, top=top)
    times, counts = _count(known["starts_at"], rows, len(names), width, spans)
    ticks = np.unique(np.linspace(0, len(times) - 1, _TICKS).astype(int)) if len(times) else np.zeros(0, dtype=int)
    unit = {pd.Timedelta("1h"): "hour", pd.Timedelta("1D"): "day", pd.Timedelta("7D"): "week"}
    per = unit.get(width, words.span(width.total_seconds()))
    return _theme.figure(
        [_cells(times, counts, names)] if counts.size else [],
        title=f"Alerts per {_theme.safe(by)} and {per}",
        subtitle=f"{words.count(len(known), 'alert')}, {_theme.period(known['starts_at'])}",
        plot_height=max(120, len(names) * _ROW),
        notes=[*notes, *unshown, *_rows.cut(spans)],
        axis=62,
        xaxis=_rows.TIME | {"tickvals": ticks - 0.5, "ticktext": _rows.tick_labels(times[ticks])},
        yaxis=_rows.axis(names),
    )


def _width(spans: list[tuple[pd.Timestamp, pd.Timestamp]]) -> pd.Timedelta:
    steps = [pd.Timedelta(step) for step in _rows.STEPS]
    length = sum((end - start for start, end in spans), pd.Timedelta(0))
    return next((step for step in steps if length / step < _WANTED), steps[-1])


def _count(
    times: pd.Series, rows: pd.Series, n: int, width: pd.Timedelta, spans: list[tuple[pd.Timestamp, pd.Timestamp]]
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Return the start of each bin, and counts with a row per name and a column per bin; one empty bin is a gap."""
    epoch = pd.Timestamp(0, tz="UTC")
    ends = [((start - epoch) // width, (end - epoch) // width) for start, end in spans]
    bins = sum(last - first + 1 for first, last in ends)
    if bins > _MOST:
        raise ParameterError(
            f"every={str(width)!r} makes {bins:,} bins from {times.min():%Y-%m-%d} to {times.max():%Y-%m-%d}; "
            f"at most {_MOST:,} can be drawn: pass a longer one, or fewer days"
        )
    kept = sorted({b for first, last in ends for b in range(first, last + 1)} | {last + 1 for _, last in ends[:-1]})
    column = {b: i for i, b in enumerate(kept)}
    counts = np.zeros((n, len(kept)), dtype=np.int64)
    shown = (rows >= 0).to_numpy()
    np.add.at(counts, (rows.to_numpy()[shown], ((times - epoch) // width).map(column).to_numpy("int64")[shown]), 1)
    return pd.DatetimeIndex([epoch + width * b for b in kept], tz="UTC"), counts


def _cells(times: pd.DatetimeIndex, counts: np.ndarray, names: list[str]) -> go.Heatmap:
    most = int(counts.max())
    shade = np.where(counts > 0, np.log10(np.maximum(counts, 1)), np.nan)
    ticks = sorted({n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000) if n < most} | {most})
    labels = [_theme.safe(name) for name in names]
    hovers = [
        [
            f"<b>{label}</b><br>{words.count(n, 'alert')}<br>from {_theme.utc(at)}" if n else ""
            for n, at in zip(row.tolist(), times, strict=True)
        ]
        for label, row in zip(labels, counts, strict=True)
    ]
    return go.Heatmap(
        x=list(range(len(times))),
        y=list(range(len(names))),
        z=shade.astype("float32"),
        zmin=0,
        zmax=max(float(np.log10(most)), 0.3),
        hovertext=hovers,
        hoverinfo="text",
        hoverongaps=False,
        colorscale=_theme.COUNTS,
        xgap=1 if len(times) < 200 else 0,
        ygap=2,
        colorbar={
            "title": {"text": "alerts"},
            "tickvals": np.log10(ticks),
            "ticktext": [f"{n:,}" for n in ticks],
            "thickness": 12,
        },
    )
