"""Alerts over time, a row per service."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params, schema
from stanza_lab.errors import UnknownNameError
from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

MOST_MARKS = 10_000  # above, alerts are drawn as counts per time bin
_BINS = 240
_MOST_COLOURS = 7
_MOST_INCIDENTS = 120
_ROW = 24  # px
_OTHER = "other"


def timeline(
    alerts: pd.DataFrame, *, color: str = "severity", top: int = 30, title: str | None = None, height: int | None = None
) -> go.Figure:
    """Draw alerts over time, a row per service, the busiest on top.

    A mark is where an alert fires, the bar behind it lasts until it recovers. Where the alerts carry `incident_id`,
    incidents are shaded. Above 10,000 alerts marks become counts per time bin.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; `service`, `starts_at` and the column of `color` (unless it is severity) must be there.
    color : str, default "severity"
        Column that colours the marks; severity has the same colours and shapes in every figure, of any other column
        the seven most frequent values have their own.
    top : int, default 30
        Most rows; the services beyond are counted in a note below.
    title : str, optional
        Default: how many alerts of how many services, and from when to when.
    height : int, optional
        Pixels. Default: as much as the rows need.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are UTC.

    Raises
    ------
    SchemaError
        A column is missing or malformed.
    UnknownNameError
        There is no column called `color`.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame(
    ...     {"service": ["shop", "orders-db"], "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:01Z"],
    ...      "severity": ["warning", "critical"]}
    ... )
    >>> sl.plot.timeline(alerts).layout.title.text
    '2 alerts of 2 services'
    """
    alerts = schema.check(alerts, schema.ALERTS, need=["service", "starts_at"])
    if color == "severity" and color not in alerts.columns:
        alerts = alerts.assign(severity=pd.Series(index=alerts.index, dtype=schema.SEVERITY_DTYPE))
    if color not in alerts.columns:
        raise UnknownNameError.among("column", color, map(str, alerts.columns))
    _params.at_least(top, "top", 1)
    known, notes = _rows.timed(alerts)
    rows, names, unshown = _rows.busiest(known, "service", top=top)
    marks = known.assign(row=rows, colour=_colours(known[color]))
    marks = marks[marks["row"] >= 0]
    shades, shaded = _incidents(known)
    spans = _rows.active(known["starts_at"])
    notes += unshown + shaded + _rows.cut(spans)
    if len(marks) > MOST_MARKS:
        marks, width = _binned(marks)
        notes.append(f"each mark counts the alerts of {words.span(width.total_seconds())}, larger is more")
    else:
        marks = marks.assign(size=9.0, hover=_hovers(marks))
    services = known["service"].nunique()
    return _theme.figure(
        _traces(marks),
        title=_theme.safe(title, limit=120)
        if title
        else f"{words.count(len(known), 'alert')} of {words.count(services, 'service')}",
        subtitle=_theme.period(known["starts_at"]),
        plot_height=max(120, len(names) * _ROW),
        height=height,
        notes=notes,
        axis=62,
        xaxis=_rows.time_axis(spans),
        yaxis=_rows.axis(names),
        shapes=shades,
        legend={"title": {"text": _theme.safe(color)}, "itemsizing": "constant", "traceorder": "reversed"},
        showlegend=True,
    )


def _colours(values: pd.Series) -> pd.Series:
    """Return the legend entry of each alert: its value, where it is among the most frequent ones."""
    text = values.astype(object).where(values.notna(), _rows.NOT_KNOWN).astype(str)
    if values.dtype == schema.SEVERITY_DTYPE:
        return text
    counts = text[text != _rows.NOT_KNOWN].value_counts().rename_axis("name").reset_index(name="n")
    kept = counts.sort_values(["n", "name"], ascending=[False, True])["name"].head(_MOST_COLOURS)
    return text.where(text.isin([*kept, _rows.NOT_KNOWN]), _OTHER)


def _styles(entries: list[str]) -> dict[str, tuple[str, str]]:
    """Return colour and symbol per legend entry; the gravest severity comes last and so lies on top."""
    unknown = {_rows.NOT_KNOWN: (_theme.UNKNOWN, "circle"), _OTHER: ("#5F6670", "x")}
    if set(entries) <= set(schema.SEVERITIES) | set(unknown):
        return unknown | _theme.SEVERITY
    return unknown | _theme.style(sorted(set(entries) - set(unknown)))


def _traces(marks: pd.DataFrame) -> list[go.Scatter | go.Scattergl]:
    kind = go.Scattergl if len(marks) > MOST_MARKS else go.Scatter
    present = set(marks["colour"])
    traces = []
    for entry, (colour, symbol) in _styles(sorted(present)).items():
        mine = marks[marks["colour"] == entry]
        if mine.empty:
            continue
        group = {"legendgroup": entry, "name": _theme.safe(entry, limit=30)}
        lasting = mine[mine["ends_at"].notna()] if "ends_at" in mine.columns else mine[:0]
        if len(lasting):
            line = {"width": 7, "color": colour}
            traces.append(
                kind(
                    **_bars(lasting), mode="lines", line=line, opacity=0.3, hoverinfo="skip", showlegend=False, **group
                )
            )
        marker = {
            "size": mine["size"],
            "color": colour,
            "symbol": symbol,
            "opacity": 0.9,
            "line": {"width": 0.5, "color": _theme.PAPER},
        }
        points: dict[str, Any] = {
            "x": mine["starts_at"],
            "y": mine["row"],
            "hovertext": mine["hover"],
            "hoverinfo": "text",
        }
        traces.append(kind(**points, mode="markers", marker=marker, **group))
    return traces


def _bars(marks: pd.DataFrame) -> dict[str, Any]:
    """Return one path with gaps over all firing intervals."""
    ends = pd.DataFrame({"a": marks["starts_at"], "b": marks["ends_at"], "c": pd.NaT})
    rows = pd.DataFrame({"a": marks["row"], "b": marks["row"], "c": None}).astype("float64")
    return {"x": ends.to_numpy().ravel(), "y": rows.to_numpy().ravel()}


def _hovers(marks: pd.DataFrame) -> list[str]:
    names = [
        name
        for name in ("service", "severity", "source", "team", "environment", "incident_id")
        if name in marks.columns
    ]
    texts = []
    for alert in marks.to_dict("records"):
        title = alert.get("alertname") or alert["service"]
        lines = [(name.removesuffix("_id"), alert[name]) for name in names if alert[name] != schema.NOISE]
        lasted = None
        if pd.notna(alert.get("ends_at")):
            lasted = words.span((alert["ends_at"] - alert["starts_at"]).total_seconds())
        lines += [("fired", _theme.utc(alert["starts_at"])), ("lasted", lasted), ("summary", alert.get("summary"))]
        texts.append(_theme.hover(title, lines))
    return texts


def _binned(marks: pd.DataFrame) -> tuple[pd.DataFrame, pd.Timedelta]:
    """Return counts per row, colour and time bin, and how long a bin is."""
    first = marks["starts_at"].min()
    width = max((marks["starts_at"].max() - first) / _BINS, pd.Timedelta("1s")).ceil("s")
    bins = (marks["starts_at"] - first) // width
    counts = marks.assign(bin=bins).groupby(["row", "colour", "bin"], observed=True).size().reset_index(name="n")
    starts = first + counts["bin"] * width + width / 2
    share = (counts["n"] / counts["n"].max()) ** 0.5
    hovers = [
        f"{words.count(n, 'alert')}<br>around {_theme.utc(at)}" for n, at in zip(counts["n"], starts, strict=True)
    ]
    return counts.assign(starts_at=starts, size=4 + 14 * share, hover=hovers), width


def _incidents(alerts: pd.DataFrame) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a shade per incident, and a note that says so."""
    if "incident_id" not in alerts.columns:
        return [], []
    clustered = alerts[alerts["incident_id"] != schema.NOISE]
    spans = clustered.groupby("incident_id")["starts_at"].agg(["min", "max"])
    if spans.empty:
        return [], []
    if len(spans) > _MOST_INCIDENTS:
        return [], [f"{len(spans):,} incidents, too many to shade"]
    shade = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "fillcolor": "#FFE8B3"}
    line = {"line": {"width": 1, "color": "#FFE8B3"}}
    rects = [{**shade, **line, "x0": first, "x1": last} for first, last in spans.itertuples(index=False)]
    return rects, [f"shaded: {words.count(len(spans), 'incident')}"]
