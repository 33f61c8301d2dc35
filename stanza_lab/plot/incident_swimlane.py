"""One incident as lanes: what fired where and when, and what fired nearby and was left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params, schema
from stanza_lab.errors import UnknownNameError
from stanza_lab.plot import _lanes, _marks, _rows, _theme
from stanza_lab.plot._window import BLURRED, Window
from stanza_lab.production import words

MOST_MARKS = 5_000  # above, marks are drawn by WebGL
_MOST_OTHERS = 2_000  # alerts of others, the nearest in time
_NAMED = 8  # other incidents named in the note
_OTHER = "#6B7280"


def incident_swimlane(
    alerts: pd.DataFrame,
    *,
    incident: int | None = None,
    around: _params.Duration = "10min",
    marks: pd.DataFrame | None = None,
    title: str | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw one incident with a lane per service, and in grey what else fired around it.

    The services stand in the order in which they fired. A mark is where an alert fires, the bar behind it lasts until
    it recovers; dotted to the right edge where no end is known. Grey marks are alerts that were left out: hollow where
    they belong to no incident, filled and numbered where they belong to another one.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with `incident_id`; `starts_at` must be there, the rest is used when it is there.
    incident : int, optional
        Which one. Default: the one with most alerts, of equals the lowest number.
    around : duration, default "10min"
        How long before its first alert and after its last recovery the figure looks, zero or longer. Larger: more of
        what was left out, and a smaller incident.
    marks : DataFrame, optional
        What else happened, above the alerts, as `Review.timeline` has it: `at`, `kind` (deploy, page, acknowledged,
        joined, action, note, chat; others are left out), `service` and `words` where they are there. Default: nothing.
    title : str, optional
        Default: the incident with its alerts and services.
    height : int, optional
        Pixels. Default: as much as the lanes need.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are UTC. Lanes beyond 30 share one that says how many they are.

    Raises
    ------
    SchemaError
        A column is missing or malformed.
    UnknownNameError
        There is no such incident.
    ParameterError
        `around` is no duration.

    See Also
    --------
    why_together : Why one alert is in it.
    timeline : All alerts.

    Notes
    -----
    What fired first is ringed. Monitors look about once a minute, so that the order within a minute means little: it
    says which monitor looked first, not what broke first.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z", "2026-03-01T14:05Z"],
    ...     "service": ["orders-db", "orders", "search"],
    ...     "incident_id": [0, 0, -1],
    ... })
    >>> sl.plot.incident_swimlane(alerts).layout.title.text
    'Incident 0: 2 alerts of 2 services'
    """
    alerts = schema.check(alerts, schema.ALERTS, need=["starts_at", "incident_id"])
    reach = _params.duration(around, "around", zero=True)
    number = _chosen(alerts["incident_id"], incident)
    if number is None:
        return _theme.figure([], title=_said(title, "No incident"), subtitle="", plot_height=120, height=height)
    missing = alerts["starts_at"].isna() & (alerts["incident_id"] == number)
    whole = _filled(alerts[alerts["starts_at"].notna()])
    mine = whole[whole["incident_id"] == number]
    if mine.empty:
        text = f"Incident {number}: {words.count(int(missing.sum()), 'alert')} without a time"
        return _theme.figure([], title=_said(title, text), subtitle="", plot_height=120, height=height)
    window = Window.of(mine, reach)
    others, notes = _others(whole, number, window)
    told = _marks.known(marks)
    window = window.wider(told["at"])
    lanes = _lanes.arrange(mine, others, end=window.end, width=window.end - window.start)
    late = int((mine["ends_at"] > window.end).sum())
    if late:
        notes.append(f"{words.count(late, 'alert')} of this incident recovered later than the figure shows")
    if missing.any():
        notes.append(f"not shown: {words.count(int(missing.sum()), 'alert')} of this incident without a time")
    services = mine["service"].nunique()
    return _theme.figure(
        [*_grey(lanes.others, window), *_coloured(lanes.mine, window), *_marks.traces(told, window.start, window.end)],
        title=_said(title, f"Incident {number}: {words.count(len(mine), 'alert')} of {_services(services)}"),
        subtitle=f"{_theme.period(mine['starts_at'])}<br>{_first(mine)}",
        plot_height=max(100, lanes.pixels) + _marks.HEIGHT * len(_marks.names(told)),
        height=height,
        notes=[*notes, *lanes.notes, *_marks.said(told)],
        axis=62,
        xaxis=_rows.TIME | {"type": "date", "range": [window.start, window.end], "showgrid": False},
        yaxis=_marks.axis(told, lanes.axis),
        shapes=[*lanes.shapes, *_marks.shapes(told)],
        showlegend=True,
        legend={"itemsizing": "constant", "traceorder": "reversed"},
    )


def _said(title: str | None, otherwise: str) -> str:
    return _theme.safe(title, limit=120) if title else otherwise


def _services(number: int) -> str:
    return words.count(number, "service") if number else "no known service"


def _chosen(numbers: pd.Series, incident: int | None) -> int | None:
    """Return the number of the incident to draw; None when there is none and none was asked for."""
    sizes = numbers[numbers != schema.NOISE].value_counts()
    if incident is None:
        return int(sizes.index[sizes == sizes.max()].min()) if len(sizes) else None
    if incident not in sizes.index:
        raise UnknownNameError.among("incident", str(incident), map(str, sorted(sizes.index)))
    return int(incident)


def _filled(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return `alerts` in the order in which they fired, with the columns a lane needs even where they were missing."""
    absent = {
        column.name: schema.convert(pd.Series(None, index=alerts.index, dtype=object), column)
        for column in schema.ALERTS.columns
        if column.name in ("ends_at", "service", "severity") and column.name not in alerts.columns
    }
    return alerts.assign(**absent).sort_values("starts_at", kind="stable", ignore_index=True)


def _others(whole: pd.DataFrame, number: int, window: Window) -> tuple[pd.DataFrame, list[str]]:
    """Return the alerts that fired in the window and belong elsewhere, and notes about them."""
    inside = whole["starts_at"].between(window.start, window.end) & (whole["incident_id"] != number)
    others = whole[inside]
    if others.empty:
        return others, ["nothing else fired around it"]
    left, notes = len(others) - _MOST_OTHERS, []
    if left > 0:
        near = (others["starts_at"] - window.first).abs().sort_values(kind="stable").index[:_MOST_OTHERS]
        notes.append(f"not shown: {words.count(left, 'alert')} of others, later or earlier than those in grey")
        others = others.loc[sorted(near)]
    sizes = others.loc[others["incident_id"] != schema.NOISE, "incident_id"].value_counts(sort=False).sort_index()
    parts = [f"{words.count(n, 'alert')} of incident {other}" for other, n in list(sizes.items())[:_NAMED]]
    if len(sizes) > _NAMED:
        parts.append(f"{words.count(int(sizes.iloc[_NAMED:].sum()), 'alert')} of {len(sizes) - _NAMED} more incidents")
    alone = int((others["incident_id"] == schema.NOISE).sum())
    parts += [f"{words.count(alone, 'alert')} of no incident"] if alone else []
    return others, [f"grey, left out of this incident: {', '.join(parts)}", *notes]


def _first(mine: pd.DataFrame) -> str:
    """Say what fired first, and what of that is chance."""
    first = mine.iloc[0]
    soon = mine[mine["starts_at"] <= first["starts_at"] + BLURRED]
    name = _theme.safe(_service(first), limit=40)
    more = soon["service"].astype("str").fillna(_rows.NOT_KNOWN).nunique() - 1
    also = f"; {words.count(more, 'more service')} within a minute" if more else ""
    return f"First: {name}, {first['starts_at']:%H:%M:%S}{also}. Order within a minute means little."


def _service(alert: Any) -> object:
    return alert["service"] if pd.notna(alert["service"]) else "service not known"


def _coloured(mine: pd.DataFrame, window: Window) -> list[Any]:
    """Return the incident itself: bars, dots for ends nobody knows, marks by severity, a ring around the first."""
    kind = go.Scattergl if len(mine) > MOST_MARKS else go.Scatter
    dotted = {"color": _theme.FAINT, "width": 1.6, "dash": "dot"}
    grade = mine["severity"].astype("str").fillna(_rows.NOT_KNOWN)
    first = mine[mine["starts_at"] == window.first]
    ring = {"size": 19, "symbol": "circle-open", "color": _theme.INK, "line": {"width": 2}}
    traces = [
        go.Scatter(
            x=first["starts_at"], y=first["y"], mode="markers", marker=ring, name="fired first", hoverinfo="skip"
        )
    ]
    if mine["ends_at"].isna().any():
        traces.append(go.Scatter(x=[None], y=[None], mode="lines", line=dotted, name="end not known"))
    for name, (colour, symbol) in ({_rows.NOT_KNOWN: (_theme.UNKNOWN, "circle")} | _theme.SEVERITY).items():
        graded = mine[grade == name]
        if graded.empty:
            continue
        label = "severity not known" if name == _rows.NOT_KNOWN else name
        traces += _lasting(graded, window, colour=colour, group=label, kind=kind)
        marker = {"size": 10, "color": colour, "symbol": symbol, "line": {"width": 0.7, "color": _theme.PAPER}}
        traces.append(kind(**_points(graded, window), mode="markers", marker=marker, name=label, legendgroup=label))
    return traces


def _grey(others: pd.DataFrame, window: Window) -> list[Any]:
    """Return what was left out: hollow where it belongs to no incident, else filled, with the incident's number."""
    kind = go.Scattergl if len(others) > MOST_MARKS else go.Scatter
    alone = others["incident_id"] == schema.NOISE
    traces = []
    for name, part, symbol in (
        ("left out: no incident", others[alone], "circle-open"),
        ("left out: another incident", others[~alone], "circle"),
    ):
        if part.empty:
            continue
        traces += _lasting(part, window, colour=_OTHER, group=name, kind=kind)
        marker = {"size": 8, "color": _OTHER, "symbol": symbol, "line": {"width": 1.4}}
        traces.append(kind(**_points(part, window), mode="markers", marker=marker, name=name, legendgroup=name))
    numbered = others[~alone].drop_duplicates(["lane", "incident_id"])
    if len(numbered):
        style = {"size": 10, "color": _OTHER}
        text = [f"\u2002{number}" for number in numbered["incident_id"]]
        place = {"x": numbered["starts_at"], "y": numbered["y"], "text": text, "textposition": "middle right"}
        group = {"legendgroup": "left out: another incident", "showlegend": False}
        traces.append(go.Scatter(**place, mode="text", textfont=style, hoverinfo="skip", cliponaxis=True, **group))
    return traces


def _lasting(part: pd.DataFrame, window: Window, *, colour: str, group: str, kind: type) -> list[Any]:
    """Return the bars of what recovered, and dotted lines to the edge for what did not or nobody knows."""
    look = {"mode": "lines", "hoverinfo": "skip", "showlegend": False, "legendgroup": group, "name": group}
    known = part[part["ends_at"].notna()]
    still = part[part["ends_at"].isna()].assign(ends_at=window.end)
    traces = []
    if len(known):
        line = {"width": 7, "color": colour}
        traces.append(kind(**_paths(known, window), line=line, opacity=0.35, **look))
    if len(still):
        line = {"width": 1.6, "color": colour, "dash": "dot"}
        traces.append(kind(**_paths(still, window), line=line, opacity=0.8, **look))
    return traces


def _paths(part: pd.DataFrame, window: Window) -> dict[str, Any]:
    """Return one path with gaps over all firing intervals, cut at the right edge."""
    until = part["ends_at"].where(part["ends_at"] < window.end, window.end)
    ends = pd.DataFrame({"a": part["starts_at"], "b": until, "c": pd.NaT})
    rows = np.column_stack([part["y"], part["y"], np.full(len(part), np.nan)])
    return {"x": ends.to_numpy().ravel(), "y": rows.ravel()}


def _points(part: pd.DataFrame, window: Window) -> dict[str, Any]:
    hovers = [_hover(alert, window) for alert in part.to_dict("records")]
    return {"x": part["starts_at"], "y": part["y"], "hovertext": hovers, "hoverinfo": "text"}


def _hover(alert: dict[Any, Any], window: Window) -> str:
    name = alert.get("alertname")
    title = name if pd.notna(name) else _service(alert)
    ends, starts, number = alert["ends_at"], alert["starts_at"], alert["incident_id"]
    later = (starts - window.first).total_seconds()
    lines = [(column, alert.get(column)) for column in ("service", "severity", "team", "environment", "source")]
    lines += [
        ("incident", "none" if number == schema.NOISE else number),
        ("fired", _theme.utc(starts)),
        ("after the first", words.span(later) if later > 0 else None),
        ("lasted", "end not known" if pd.isna(ends) else words.span((ends - starts).total_seconds())),
        ("summary", alert.get("summary")),
    ]
    return _theme.hover(title, lines)
