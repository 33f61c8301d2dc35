"""What the alerts cover: shares known by source, and when each source was silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.entities.coverage.coverage import Coverage

_ASKED = ("time", "service", "team", "resource")
_SHARES = [(0.0, "#E8905A"), (0.5, "#F8E3D3"), (0.9, "#E4EEF7"), (1.0, "#9CC3E2")]  # none known to all known
_GAP = "#D55E00"
_ROW = 34  # px
_BINS = 400  # most cells of time a row has
_ACTIONS = 3  # notes on what to fix
_NOTE = 170  # characters of one


def coverage(coverage: Coverage, *, top: int = 20) -> go.Figure:
    """Draw what is known of the alerts of each source, and beside it on which days it spoke.

    On the left the share of alerts with a time, service, team and resource; on the right the alerts per day, with an
    orange bar where a source was silent for longer than chance explains. Below stands what to fix first.

    Parameters
    ----------
    coverage : Coverage
        From `stanza_lab.coverage`.
    top : int, default 20
        Most sources, those with most alerts first; "all" stands below them and counts every one, without copies.

    Returns
    -------
    plotly.graph_objects.Figure
        Days are UTC.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({"source": ["datadog"], "service": ["web"], "starts_at": ["2026-03-01T10:00Z"]})
    >>> sl.plot.coverage(sl.coverage(alerts)).layout.title.text
    'Coverage 60 of 100'
    """
    shares = coverage.to_frame()
    every, sources = shares.tail(1), shares.iloc[:-1].head(top)
    shown = pd.concat([sources, every])
    names = shown["source"].tolist()
    labels = [_label(*row) for row in zip(names, shown["alerts"], shown["copies"], strict=True)]
    traces = [_shares(shown, labels), *_days(coverage.days, names, labels), *_gaps(coverage.gaps, names)]
    spoken = len(traces) > 1
    left = {"domain": [0, 0.36 if spoken else 1], "tickvals": list(range(len(_ASKED))), "ticktext": list(_ASKED)}
    notes = [f"to fix, {rank}: {_theme.safe(said, limit=_NOTE)}" for rank, said in _first(coverage.actions)]
    hidden = len(shares) - len(shown)
    notes += [f"not shown: {words.count(hidden, 'source')} with fewer alerts"] if hidden else []
    score = "" if np.isnan(coverage.score) else f" {coverage.score * 100:.0f} of 100"
    return _theme.figure(
        traces if coverage.alerts else [],
        title=f"Coverage{score}" if coverage.alerts else "Coverage: no alerts",
        subtitle="left: share of alerts that is known; right: alerts per day, orange where silence is hardly chance",
        plot_height=max(120, len(names) * _ROW),
        notes=notes,
        axis=62,
        xaxis=left | {"range": [-0.5, len(_ASKED) - 0.5], "showgrid": False, "zeroline": False, "ticklen": 0},
        xaxis2=_rows.TIME | {"domain": [0.4, 1], "type": "date", "title": {"text": "day (UTC)"}, "anchor": "y"},
        yaxis=_rows.axis(labels),
        showlegend=False,
    )


def _label(name: str, alerts: int, copies: int) -> str:
    """Return a source with its alerts; what only copies alerts of others counts for nothing and says so."""
    return f"{name} ({copies:,} copies)" if copies == alerts else f"{name} ({alerts:,})"


def _first(actions: pd.DataFrame) -> list[tuple[int, str]]:
    rows = actions.head(_ACTIONS)
    return list(zip(rows["rank"].tolist(), rows["words"].tolist(), strict=True))


def _shares(shown: pd.DataFrame, labels: list[str]) -> go.Heatmap:
    values = shown[list(_ASKED)].to_numpy(np.float64)
    said = [[_percent(value) for value in row] for row in values]
    hovers = [
        [f"<b>{_theme.safe(label)}</b><br>{name} known of {text}" for name, text in zip(_ASKED, row, strict=True)]
        for label, row in zip(labels, said, strict=True)
    ]
    return go.Heatmap(
        x=list(range(len(_ASKED))),
        y=list(range(len(labels))),
        z=values.astype("float32"),
        zmin=0,
        zmax=1,
        text=said,
        texttemplate="%{text}",
        hovertext=hovers,
        hoverinfo="text",
        colorscale=_SHARES,
        showscale=False,
        xgap=2,
        ygap=4,
    )


def _percent(share: float) -> str:
    """Return a share for a cell, never rounded to all or none."""
    if np.isnan(share):
        return "-"
    return "<1%" if 0 < share < 0.01 else ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def _days(days: pd.DataFrame, names: list[str], labels: list[str]) -> list[go.Heatmap]:
    """Return the alerts per day as a strip per source; many days share a cell."""
    if days.empty:
        return []
    first, last = days["day"].min(), days["day"].max()
    width = pd.Timedelta(days=int(np.ceil(((last - first).days + 1) / _BINS)))
    cells = (last - first) // width + 1
    row = days["source"].map({name: number for number, name in enumerate(names)})
    known = row.notna().to_numpy()
    counts = np.zeros((len(names), cells), dtype=np.int64)
    cell = ((days["day"] - first) // width).to_numpy(np.int64)
    number = days["alerts"].to_numpy(np.int64)
    np.add.at(counts, (row[known].to_numpy(np.int64), cell[known]), number[known])
    np.add.at(counts, (np.full(len(days), len(names) - 1), cell), number)  # all
    starts = pd.date_range(first, periods=cells, freq=width)
    span = f" in {width.days} days" if width.days > 1 else ""
    hovers = [
        [
            f"<b>{_theme.safe(label)}</b><br>{start:%Y-%m-%d}: {words.count(n, 'alert')}{span}"
            for n, start in zip(counted.tolist(), starts, strict=True)
        ]
        for label, counted in zip(labels, counts, strict=True)
    ]
    most = max(int(counts.max()), 2)
    return [
        go.Heatmap(
            x=starts + width / 2,
            y=list(range(len(names))),
            z=np.where(counts > 0, np.log10(np.maximum(counts, 1)), np.nan).astype("float32"),
            zmin=0,
            zmax=float(np.log10(most)),
            hovertext=hovers,
            hoverinfo="text",
            hoverongaps=False,
            colorscale=_theme.COUNTS,
            showscale=False,
            ygap=4,
            xaxis="x2",
        )
    ]


def _gaps(gaps: pd.DataFrame, names: list[str]) -> list[go.Scatter]:
    """Return a bar per gap, in one trace."""
    shown = gaps[gaps["source"].astype("str").isin(names)]
    if shown.empty:
        return []
    x: list[Any] = []
    y: list[Any] = []
    said: list[str | None] = []
    for gap in shown.to_dict("records"):
        row = names.index(str(gap["source"]))
        x += [gap["first"], gap["last"] + pd.Timedelta(days=1), None]
        y += [row, row, None]
        said += [_theme.safe(gap["words"], limit=_NOTE)] * 2 + [None]
    line = {"color": _GAP, "width": 9}
    return [go.Scatter(x=x, y=y, mode="lines", line=line, hovertext=said, hoverinfo="text", xaxis="x2")]
