"""The production map as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _scene, _theme, layout
from stanza_lab.production import ProductionMap, words

if TYPE_CHECKING:
    import pandas as pd

_LIGHTEST, _HEAVIEST = 10.0, 26.0  # px across: a node without alerts, the one with most
_SMALLEST, _LARGEST = 18.0, 34.0  # px across: clusters, by their services
_ROW, _TALL = 42, 54  # px per row; squares need more
_HALO = ", ".join(["1px 1px 1px white", "-1px 1px 1px white", "1px -1px 1px white", "-1px -1px 1px white"] * 2)
_SEEN, _INFERRED, _GUESSED = "#7C8794", "#9BA5B1", "#BAC2CB"  # lighter than names, which lie on top


def production_map(
    production: ProductionMap,
    *,
    color: str = "team",
    min_confidence: float | None = None,
    limit: int = 150,
    title: str | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw a production map: callers left, what they depend on right.

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
        unknown), and says so.
    title : str, optional
        Default: what the view is, with its size.
    height : int, optional
        Pixels. Default: as much as the names need.

    Returns
    -------
    plotly.graph_objects.Figure
        The same figure for the same map, on every machine.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    SchemaError
        `production` is no map.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> figure = sl.plot.production_map(sl.ProductionMap(edges))
    >>> figure.layout.title.text
    'Production map: 2 services, 1 dependency'
    """
    if not isinstance(production, ProductionMap):
        raise SchemaError(
            f"production must be a ProductionMap, not {type(production).__name__}; pass sl.ProductionMap(edges)"
        )
    _params.choice(color, "color", ("team", "environment"))
    if min_confidence is not None:
        _params.fraction(min_confidence, "min_confidence")
    _params.at_least(limit, "limit", 1)
    scene = _scene.build(production, color=color, min_confidence=min_confidence, limit=limit)
    nodes = scene.nodes
    traces = [
        *_link_traces(scene),
        *_node_traces(nodes, _groups(production, color), legend=not scene.collapsed and len(set(nodes["group"])) > 1),
    ]
    rows = float(np.ptp(nodes["y"])) + 2.5 if len(nodes) else 2.0
    figure = _theme.figure(
        traces,
        title=_theme.safe(title, limit=120) if title else _title(production, scene),
        subtitle=_how(scene),
        plot_height=max(240.0, rows * (_TALL if (nodes["kind"] == "cluster").any() else _ROW)),
        height=height,
        notes=[*([_theme.safe(production.focus.words, limit=200)] if production.focus else []), *scene.notes],
        xaxis={"visible": False, "range": _range(nodes["x"], 2.2)},
        yaxis={"visible": False, "range": _range(nodes["y"], 1.2)},
        legend={"title": {"text": color}, "itemsizing": "constant", "x": 1.01, "y": 1, "tracegroupgap": 0},
        legend2={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemsizing": "trace"},
    )
    alone = nodes[~nodes["linked"]]
    if len(alone):
        at = {"x": 0, "xref": "paper", "xanchor": "left", "y": alone["y"].max() + 0.9, "yref": "y", "showarrow": False}
        figure.add_annotation(text="no dependency shown", font={"size": 11, "color": _theme.FAINT}, **at)
    return figure


def _title(production: ProductionMap, scene: _scene.Scene) -> str:
    size = words.count(len(production.services), "service")
    if scene.collapsed:
        size += f" as {words.count(len(scene.nodes), 'cluster')}"
    else:
        size += f", {words.count(len(scene.links), 'dependency')}"
    focus = production.focus
    if focus is None:
        name = "Production map"
    elif words.cluster(focus.name) != focus.name:
        name = words.sentence(words.cluster(focus.name))[:-1]
    else:
        name = f"{'Team' if focus.kind == 'team' else 'Around'} {focus.name}"
    return f"{_theme.safe(name)}: {size}"


def _how(scene: _scene.Scene) -> str:
    """Say what to be wary of, and how to read the lines and nodes that are there."""
    links, x, kinds = scene.links, scene.nodes["x"].to_numpy(), set(scene.nodes["kind"])
    ways, one_way = set(links["direction"]), links[links["direction"] == "forward"]
    said = ["Too many services to draw one by one: clusters, with how many each has."] if scene.collapsed else []
    if ways != {"unknown"}:
        said.append("An arrow points to what a service depends on.")
    if "unknown" in ways:
        said.append("No arrowhead: direction not known.")
    if len(one_way):
        mostly = "" if (x[one_way["src"]] < x[one_way["dst"]]).all() else "mostly "
        said.append(f"Callers {mostly}left, dependencies right{' where it is known' if 'unknown' in ways else ''}.")
    lines = [" ".join(said)]
    if scene.caution:
        lines.insert(0, f"<b>{words.sentence(scene.caution)}</b>")
    sizes = [] if scene.collapsed else ["The larger a service, the more alerts."]
    if "cluster" in kinds:
        sizes.append("Hollow square: a cluster, all its services in one; the larger, the more of them.")
    return "<br>".join([*filter(None, lines), " ".join(sizes)])


def _groups(production: ProductionMap, color: str) -> list[str]:
    """Return all teams (or environments) of the whole map, so that each keeps its colour in every view."""
    return sorted(production.whole.services[color].dropna().unique())


def _range(values: pd.Series, room: float) -> list[float]:
    return [values.min() - room, values.max() + room] if len(values) else [-1.0, 1.0]


def _sizes(nodes: pd.DataFrame) -> layout.Floats:
    """Return the size of each node in px."""
    cluster = nodes["kind"] == "cluster"
    most = nodes["weight"].groupby(cluster).transform("max").clip(lower=1.0)
    share = np.sqrt((nodes["weight"] / most).to_numpy("float64"))
    services, clusters = _LIGHTEST + share * (_HEAVIEST - _LIGHTEST), _SMALLEST + share * (_LARGEST - _SMALLEST)
    sizes: layout.Floats = np.where(cluster.to_numpy(), clusters, services)
    return sizes


def _link_traces(scene: _scene.Scene) -> list[go.Scatter]:
    """Return one trace per kind of line, and one of invisible points that carry the evidence.

    A pair where each depends on the other is one line too, with an arrowhead at each end.
    """
    nodes, links = scene.nodes, scene.links
    src, dst = links["src"].to_numpy("int64"), links["dst"].to_numpy("int64")
    xs, ys = layout.curves(nodes["x"].to_numpy(), nodes["y"].to_numpy(), src, dst)
    radius = _sizes(nodes) / 2 + 1
    seen, strength = links["seen"].to_numpy(bool), links["strength"].to_numpy("float64")
    pointed, mutual = (links["direction"] != "unknown").to_numpy(), (links["direction"] == "both").to_numpy()
    traces, rest = [], np.ones(len(links), dtype=bool)
    for line in scene.lines:
        here = rest & (seen == line.seen) & (strength >= line.least)
        rest = rest & ~here
        if here.any():
            back = here & mutual
            ends = np.concatenate([dst[here], src[back]])
            arrow = np.concatenate([pointed[here], pointed[back]])
            paths = [np.vstack([path[here], _tail(path[back][:, ::-1])]) for path in (xs, ys)]
            traces.append(_line_trace(line, paths[0], paths[1], radius[ends], arrow))
    middle = xs.shape[1] // 2
    points = {"x": xs[:, middle], "y": ys[:, middle], "hovertext": links["hover"], "hoverinfo": "text"}
    traces.append(go.Scatter(**points, mode="markers", marker={"size": 14, "opacity": 0}, showlegend=False))
    return traces


def _tail(path: np.ndarray) -> np.ndarray:
    """Return only the end of each path, enough for its arrowhead: a line drawn twice would lose its dashes."""
    return np.where(np.arange(path.shape[1]) < path.shape[1] - 2, np.nan, path)


def _line_trace(
    line: _scene.Line, xs: np.ndarray, ys: np.ndarray, radius: np.ndarray, pointed: np.ndarray
) -> go.Scatter:
    """Return all links of one kind as a single path with gaps; those that point end in an arrow at the node's rim."""
    gap = np.full((len(xs), 1), np.nan)
    at_end = np.zeros((len(xs), xs.shape[1] + 1))
    at_end[:, -2] = pointed
    return go.Scatter(
        x=np.hstack([xs, gap]).ravel().astype("float32"),
        y=np.hstack([ys, gap]).ravel().astype("float32"),
        mode="lines+markers",
        line={
            "width": line.width,
            "dash": line.dash,
            "color": _SEEN if line.seen else _GUESSED if line.faint else _INFERRED,
        },
        marker={
            "symbol": "arrow",
            "angleref": "previous",
            "size": (at_end * (7 + 1.5 * line.width)).ravel().astype("float32"),
            "standoff": (at_end * radius[:, None]).ravel().astype("float32"),
            "opacity": 1,
            "line": {"width": 0},
        },
        name=line.name,
        legend="legend2",
        hoverinfo="skip",
    )


def _node_traces(nodes: pd.DataFrame, groups: list[str], *, legend: bool) -> list[go.Scatter]:
    """Return one trace per group, so that the legend filters; clusters are hollow squares, the focus has a ring."""
    styles = _theme.style(groups) | {"": (_theme.UNKNOWN, "circle")}
    nodes = nodes.assign(size=_sizes(nodes))
    traces = []
    for group, mine in sorted(nodes.groupby("group"), key=lambda pair: (pair[0] == "", pair[0])):
        colour, symbol = styles[str(group)]
        mine = mine.sort_values("kind", key=lambda kind: kind == "focus", kind="stable")  # the legend shows the first
        hollow, focus = (mine["kind"] == "cluster").to_numpy(), (mine["kind"] == "focus").to_numpy()
        marker: dict[str, Any] = {
            "size": mine["size"],
            "symbol": np.where(hollow, "square", symbol),
            "color": np.where(hollow, _theme.PAPER, colour),
            "opacity": 1,
            "line": {
                "width": np.select([hollow, focus], [4.0, 3.0], 1.0),
                "color": np.select([hollow, focus], [colour, _theme.INK], _theme.PAPER),
            },
        }
        traces.append(
            go.Scatter(
                x=mine["x"],
                y=mine["y"],
                mode="markers+text",
                marker=marker,
                text=mine["label"],
                textposition="bottom center",
                textfont={"size": 11, "shadow": _HALO},
                hovertext=mine["hover"],
                hoverinfo="text",
                name=_theme.safe(group, limit=30) or "not known",
                showlegend=legend,
            )
        )
    return traces
