"""One incident beside the past ones most like it: which kinds of alert each had, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _lengths, _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROW, _HEAD = 24, 44  # px per kind, for the names of the incidents
_BOTH, _THERE, _HERE = ("#0072B2", "circle"), ("#E69F00", "circle-open"), ("#7F0000", "diamond")
_FAINT = 0.05  # similarity that is none
_NEED = ("incident_id", "similarity", "starts_at", "words")
_ABOUT = ("incident", "starts_at", "alerts", "fired")


def look_alikes(
    found: pd.DataFrame, *, rows: int = 30, title: str | None = None, height: int | None = None
) -> go.Figure:
    """Draw an incident and its look-alikes side by side: a column each, a row per kind of alert, the delay in the cell.

    Blue is shared with the incident in question; an orange ring was there then and is not here (while the incident
    lasts: what may come); a dark diamond is here and was not there. Rows stand in the order in which the kinds came
    here, then those that only look-alikes had, the most frequent first.

    Parameters
    ----------
    found : DataFrame
        What ``sl.look_alikes`` returns.
    rows : int, default 30
        Most kinds shown; larger makes the figure higher.
    title : str, optional
        Default: how alike the nearest is.
    height : int, optional
        Of the figure, in pixels.

    Returns
    -------
    plotly.graph_objects.Figure
        The incident in question is the first column.

    Raises
    ------
    SchemaError
        `found` is not what ``sl.look_alikes`` returns.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": pd.to_datetime(["2026-03-01T02:00Z", "2026-03-01T02:01Z", "2026-03-08T02:00Z"]),
    ...     "service": ["orders-db", "orders", "orders-db"],
    ...     "alertname": ["High latency", "Error rate", "High latency"],
    ...     "incident_id": [0, 0, 1],
    ... })
    >>> found = sl.look_alikes(alerts, incident=1)
    >>> sl.plot.look_alikes(found).layout.yaxis.ticktext
    ('orders-db: latency', 'orders: errors')
    """
    _params.at_least(rows, "rows", 1)
    first = _checked(found)
    incident = found.attrs["incident"]
    columns = [incident, *found["incident_id"].tolist()]
    kinds = _order(first, incident)
    shown = kinds[:rows]
    cells = first[first["kind"].isin(shown)]
    cells = cells.assign(
        x=cells["incident_id"].map({one: place for place, one in enumerate(columns)}),
        y=cells["kind"].map({kind: place for place, kind in enumerate(shown)}),
    )
    rest = len(kinds) - len(shown)
    notes = [f"not shown: {words.count(rest, 'kind')} that came later or more seldom"] if rest else []
    notes += ["times are UTC; in a cell: how long after the incident's first alert"]
    notes += ["alike: share of what is unusual about both, 0 to 1; no probability"]
    notes += [_theme.safe(line, limit=160) for line in found.attrs.get("unseen", [])]
    figure = _theme.figure(
        list(_traces(cells, incident)),
        title=_theme.safe(title, limit=120) if title else _verdict(found, incident),
        subtitle=_theme.safe(found.attrs.get("words", ""), limit=160),
        plot_height=max(90, _ROW * len(shown)),
        height=height,
        notes=notes,
        axis=28,
        xaxis={
            "side": "top",
            "tickvals": list(range(len(columns))),
            "ticktext": list(_heads(found)),
            "range": [-0.35, len(columns) - 0.35],
            "tickfont": {"size": 11},
            "tickangle": 0,
            "gridcolor": _theme.GRID,
            "zeroline": False,
            "ticklen": 0,
            "fixedrange": True,
        },
        yaxis={
            "tickvals": list(range(len(shown))),
            "ticktext": [_theme.safe(kind, limit=44) for kind in shown],
            "range": [max(len(shown), 1) - 0.4, -0.6],
            "automargin": True,
            "gridcolor": _theme.GRID,
            "zeroline": False,
            "ticklen": 0,
            "fixedrange": True,
        },
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "top", "itemclick": False, "itemdoubleclick": False},
        description=_theme.as_plain([_verdict(found, incident), *map(_theme.escaped, found["words"].tolist())]),
    )
    figure.layout.margin.t += _HEAD
    if height is None:
        figure.layout.height += _HEAD
    return figure


def _checked(found: pd.DataFrame) -> pd.DataFrame:
    """Return when each kind fired first in each incident, in order of time; refuse what look_alikes did not return."""
    given, about = getattr(found, "columns", ()), getattr(found, "attrs", {})
    if any(name not in given for name in _NEED) or any(name not in about for name in _ABOUT):
        raise SchemaError("found is not what sl.look_alikes returns; pass sl.look_alikes(alerts, incident=...)")
    told = pd.DataFrame(about["fired"], columns=["incident_id", "kind", "after_s"])
    return told.sort_values(["incident_id", "after_s", "kind"], kind="stable")


def _order(first: pd.DataFrame, incident: int) -> list[str]:
    """Return the kinds of the incident as they came, then the others, the most frequent first, then the earliest."""
    mine = first.loc[first["incident_id"] == incident, "kind"].tolist()
    others = first[~first["kind"].isin(mine)].groupby("kind")["after_s"].agg(["size", "median"]).reset_index()
    others = others.sort_values(["size", "median", "kind"], ascending=[False, True, True])
    return [*mine, *others["kind"].tolist()]


def _traces(cells: pd.DataFrame, incident: int) -> Iterator[go.Scatter]:
    here = cells["incident_id"] == incident
    shared_with = set(cells.loc[~here, "kind"])
    mine = set(cells.loc[here, "kind"])
    groups = (
        ("shared", _BOTH, cells["kind"].isin(mine & shared_with)),
        ("there only", _THERE, ~cells["kind"].isin(mine)),
        ("here only", _HERE, cells["kind"].isin(mine - shared_with)),
    )
    for name, (colour, symbol), which in groups:
        some = cells[which]
        if some.empty:
            continue
        yield go.Scatter(
            x=some["x"],
            y=some["y"],
            mode="markers+text",
            name=name,
            text=[_lengths.signed(seconds) for seconds in some["after_s"]],
            textposition="middle right",
            textfont={"size": 11, "color": _theme.INK},
            marker={"size": 12, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}},
            hovertext=[
                _theme.hover(
                    row["kind"], [("incident", row["incident_id"]), ("after", _lengths.length(row["after_s"]))]
                )
                for row in some.to_dict("records")
            ],
            hoverinfo="text",
            cliponaxis=False,
        )


def _heads(found: pd.DataFrame) -> Iterator[str]:
    """Yield the name of each column: the incident, when it began, how alike it is."""
    about = found.attrs
    began = pd.Timestamp(about["starts_at"])
    yield f"<b>this: {about['incident']}</b><br>{began:%Y-%m-%d<br>%H:%M}<br>{words.count(about['alerts'], 'alert')}"
    for row in found.to_dict("records"):
        past: dict[Any, Any] = row
        yield f"<b>{past['incident_id']}</b><br>{past['starts_at']:%Y-%m-%d<br>%H:%M}<br>{past['similarity']:.2f} alike"


def _verdict(found: pd.DataFrame, incident: int) -> str:
    if found.empty or found["similarity"].iloc[0] < _FAINT:
        return f"Incident {incident}: nothing alike is known"
    best = found.iloc[0]
    return f"Incident {incident} is most like {best['incident_id']} ({best['similarity']:.2f} of 1)"
