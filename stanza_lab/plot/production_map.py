"""The production map as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _labels, _map_traces, _map_words, _scene, _sheet, _theme
from stanza_lab.plot.restyle import THEMES, Theme, restyle
from stanza_lab.production import ProductionMap, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

_ROW, _TALL = 42.0, 54.0  # px per row; squares need more
_MOST_TALL = 2_400.0  # px


def production_map(
    production: ProductionMap,
    *,
    color: str = "team",
    min_confidence: float | None = None,
    limit: int = 150,
    expand: Iterable[str] = (),
    theme: Theme = "light",
    title: str | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw a production map: services, what they depend on, and how sure that is.

    Each pair of services is one line: solid where a dependency was traced or declared, dashed where it was only
    inferred, and the thicker the surer that there is one, whichever way. An arrow points from a service to what it
    depends on; a line without arrowhead says that the direction is not known (neither way is at least twice as likely
    as the other). Hovering the middle of a line shows its evidence.
    Nodes grow with their alerts. In the view of a team each neighbouring cluster is one square.

    Parameters
    ----------
    production : ProductionMap
        The map, or a view of it (`near`, `team`).
    color : {"team", "environment"}, default "team"
        What the colour and the legend tell apart; the same team has the same colour in every view of a map.
    min_confidence : float, optional
        From 0 to 1: probability that there is a dependency, whichever way (`link_confidence`). Inferred links below
        are not drawn, and the figure says how many. Default: the map's `usual_confidence`; where that is below 0.5 the
        first line under the title says so, and what does not reach 0.5 is drawn faint.
    limit : int, default 150
        Most linked services drawn one by one. A larger map is drawn as clusters (teams; communities where teams are
        unknown), and says so. More than about 300 are points more than names.
    expand : iterable of str, default ()
        Clusters to draw open, as their services in a box: neighbours in the view of a team, squares of a large map.
        One that would not fit the `limit` stays closed, and the figure says so.
    theme : {"light", "dark"}, default "light"
        What the page around the figure is; `restyle` turns a figure that is there.
    title : str, optional
        Default: what the view is, with its size.
    height : int, optional
        Pixels. Default: as much as the names need.

    Returns
    -------
    plotly.graph_objects.Figure
        The same figure for the same map, whatever the order of its rows. What can be clicked carries `customdata`:
        `["service", name]`, `["cluster", name]`, `["link", src, dst]`, or `["links", a, b]` for several in one line.
        `layout.meta["description"]` is the picture in words, plain text of at most 1,000 characters.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    UnknownNameError
        `expand` names a cluster that is not on the map.
    SchemaError
        `production` is no map.

    Notes
    -----
    Up to 24 nodes are layered, callers left; more are placed by force, those few links apart near each other. Names are
    laid out for a figure 1,100 px wide: none overlaps another, some are shortened or left out, and the figure says how
    many.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> figure = sl.plot.production_map(sl.ProductionMap(edges))
    >>> figure.layout.title.text
    'Production map: 2 services, 1 dependency'
    >>> figure.layout.meta["description"]
    'Production map: 2 services, 1 dependency. The surest links: shop → orders-db (0.90). Most linked: ...'
    """
    if not isinstance(production, ProductionMap):
        raise SchemaError(
            f"production must be a ProductionMap, not {type(production).__name__}; pass sl.ProductionMap(edges)"
        )
    _params.choice(color, "color", ("team", "environment"))
    _params.choice(theme, "theme", THEMES)
    if min_confidence is not None:
        _params.fraction(min_confidence, "min_confidence")
    _params.at_least(limit, "limit", 1)
    scene = _scene.build(production, color=color, min_confidence=min_confidence, limit=limit, expand=expand)
    figure = _drawn(production, scene, color, title, height)
    return figure if theme == "light" else restyle(figure, theme=theme)


def _drawn(
    production: ProductionMap, scene: _scene.Scene, color: str, title: str | None, height: int | None
) -> go.Figure:
    nodes = scene.nodes
    legend = not scene.collapsed and nodes["group"].nunique() > 1
    heading, reading = (
        _theme.safe(title, limit=120) if title else _map_words.title(production, scene),
        _map_words.how(scene, legend=color if legend else ""),
    )
    focus = [_theme.safe(production.focus.words, limit=200)] if production.focus else []
    boxed = _map_words.in_boxes(scene)
    if focus and boxed and not scene.collapsed:
        focus.append(f"{words.count(boxed, 'service')} of these drawn in boxes")
    notes = [*focus, *map(_theme.escaped, scene.notes)]
    most_notes = len(notes) + 1
    sheet = _sheet_for(scene, legend=legend, height=height and height - _theme.around(reading, most_notes))
    labels = _named(scene, sheet)
    notes += _map_words.names_note(scene, labels)
    # The legend shows every team of the whole map in the colour it has in every view.
    groups = sorted(production.whole.services[color].dropna().unique())
    traces = [
        *_map_traces.links(scene, sheet, labels),
        *_map_traces.nodes(scene, labels, groups, legend=legend),
    ]
    figure = _theme.figure(
        traces,
        title=heading,
        subtitle=reading,
        plot_height=sheet.height,
        height=height,
        notes=notes,
        description=_map_words.description(scene, f"{heading}.", notes),
        xaxis={"visible": False, "range": list(sheet.x_range)},
        yaxis={"visible": False, "range": list(sheet.y_range)},
        legend={"title": {"text": color}, "itemsizing": "constant", "x": 1.01, "y": 1, "tracegroupgap": 0},
        legend2={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemsizing": "trace"},
        shapes=_map_traces.boxes(scene),
    )
    alone = nodes[~nodes["linked"]]
    if len(alone):
        at = {"x": 0, "xref": "paper", "xanchor": "left", "y": alone["y"].max() + 0.9, "yref": "y", "showarrow": False}
        figure.add_annotation(text="no dependency shown", font={"size": 11, "color": _theme.FAINT}, **at)
    return figure


def _sheet_for(scene: _scene.Scene, *, legend: bool, height: float | None) -> _sheet.Sheet:
    """Return the sheet on which the names at the left and right edge have room."""
    nodes = scene.nodes
    x, y = nodes["x"].to_numpy("float64"), nodes["y"].to_numpy("float64")
    bold = _map_traces.bold_ones(nodes)
    wide = [_labels.width(text, bold=b) for text, b in zip(nodes["said"], bold, strict=True)]
    outer = [w for w, at in zip(wide, x, strict=True) if at in (x.min(), x.max())]
    rims = scene.boxes[["left", "right", "bottom", "top"]].to_numpy("float64")
    x, y = (np.concatenate([v, rims[:, part].ravel()]) for v, part in ((x, [0, 1]), (y, [2, 3])))
    longest = max((len(_theme.short(group, limit=30)) for group in nodes["group"]), default=0)
    row = _TALL if (nodes["what"] == "cluster").any() else _ROW
    row = min(row, _MOST_TALL / max(float(np.ptp(y)), 1.0)) if len(y) else row
    return _sheet.Sheet.of(
        x,
        y,
        beside=min(max(outer, default=0.0) / 2 + 6, 110.0),
        legend=50 + 7.0 * longest if legend else 0.0,
        row=row,
        height=height,
    )


def _named(scene: _scene.Scene, sheet: _sheet.Sheet) -> list[_labels.Label]:
    """Return the label of each node: where a view starts first, then clusters, then who alerts most."""
    nodes = scene.nodes
    x, y = sheet.px(nodes["x"].to_numpy("float64"), nodes["y"].to_numpy("float64"))
    order = nodes.assign(service=nodes["what"] == "service").sort_values(
        ["focus", "service", "weight"], ascending=[False, True, False], kind="stable"
    )
    return _labels.fit(
        list(nodes["said"]),
        x=x,
        y=y,
        radius=_map_traces.sizes(nodes) / 2,
        bold=_map_traces.bold_ones(nodes),
        first=list(order.index),
        room=sheet.width,
    )
