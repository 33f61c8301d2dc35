"""The traces of a map figure: lines by how sure they are, points to hover, nodes by group."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from stanza_lab.plot import _theme, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from stanza_lab.plot._labels import Label
    from stanza_lab.plot._scene import Scene
    from stanza_lab.plot._scene_links import Line
    from stanza_lab.plot._sheet import Sheet

MOST_CURVED = 1_000  # lines; more are straight and without arrowheads
_MANY, _THIN = 150, 0.65  # lines; of the width of so many, so that nodes stay in sight
_LIGHTEST, _HEAVIEST = 10.0, 26.0  # px across: a node without alerts, the one with most
_SMALLEST, _LARGEST = 18.0, 34.0  # px across: clusters, by their services
_INNER = 0.4  # of a cluster: the mark of its team inside
_ALONG = np.array([8, 6, 10, 5, 11, 4, 12])  # points of a path where its evidence may be hovered, the best first


def sizes(nodes: pd.DataFrame) -> layout.Floats:
    """Return the size of each node in px."""
    cluster = nodes["what"] == "cluster"
    most = nodes["weight"].groupby(cluster).transform("max").clip(lower=1.0)
    share = np.sqrt((nodes["weight"] / most).to_numpy("float64"))
    services, clusters = _LIGHTEST + share * (_HEAVIEST - _LIGHTEST), _SMALLEST + share * (_LARGEST - _SMALLEST)
    found: layout.Floats = np.where(cluster.to_numpy(), clusters, services)
    return found


def links(scene: Scene, sheet: Sheet, labels: list[Label]) -> list[go.Scatter]:
    """Return one trace per kind of line, and one of invisible points that carry the evidence, named "links".

    A pair where each depends on the other is one line too, with an arrowhead at each end.
    """
    table, radius = scene.links, sizes(scene.nodes) / 2 + 1
    src, dst = table["src"].to_numpy("int64"), table["dst"].to_numpy("int64")
    x, y = sheet.px(scene.nodes["x"].to_numpy("float64"), scene.nodes["y"].to_numpy("float64"))
    many = len(table) > MOST_CURVED
    if many:
        xs, ys = layout.straight(x, y, src, dst)
        at = np.ones(len(table), dtype=np.int64)
    else:
        names = np.array([label.box if label.text else (0.0, 0.0, 0.0, 0.0) for label in labels]).reshape(-1, 4)
        xs, ys = layout.curves(x, y, src, dst, radius=radius, names=names, height=sheet.height)
        at = _apart(xs, ys)
    xs, ys = sheet.back(xs, ys)
    traces = _lines(scene, xs, ys, radius, arrows=not many)
    every = np.arange(len(table))
    traces.append(
        go.Scatter(
            x=xs[every, at].astype("float32"),
            y=ys[every, at].astype("float32"),
            mode="markers",
            marker={"size": 14, "opacity": 0},
            hovertext=list(table["hover"]),
            hoverinfo="text",
            customdata=list(table["picked"]),
            name="links",
            showlegend=False,
        )
    )
    return traces


def _lines(scene: Scene, xs: layout.Floats, ys: layout.Floats, radius: layout.Floats, *, arrows: bool) -> list[Any]:
    table = scene.links
    src, dst = table["src"].to_numpy("int64"), table["dst"].to_numpy("int64")
    seen, strength = table["seen"].to_numpy(bool), table["strength"].to_numpy("float64")
    pointed, mutual = (table["direction"] != "unknown").to_numpy(), (table["direction"] == "both").to_numpy()
    traces, rest = [], np.ones(len(table), dtype=bool)
    thin = 1.0 if len(table) <= _MANY else _THIN
    for line in scene.lines:
        line = replace(line, width=line.width * thin)
        here = rest & (seen == line.seen) & (strength >= line.least)
        rest = rest & ~here
        if not here.any():
            continue
        if not arrows:
            traces.append(_line(line, xs[here], ys[here]))
            continue
        back = here & mutual
        ends, arrow = np.concatenate([dst[here], src[back]]), np.concatenate([pointed[here], pointed[back]])
        path_x, path_y = (np.vstack([path[here], _tail(path[back][:, ::-1])]) for path in (xs, ys))
        traces.append(_line(line, path_x, path_y, _heads(line, path_x.shape, radius[ends], arrow)))
    return traces


def _apart(xs: layout.Floats, ys: layout.Floats) -> layout.Ints:
    """Return the point of each path that is hovered: near its middle, and not on one that is taken."""
    taken = np.zeros((0, 2))
    found = np.full(len(xs), _ALONG[0], dtype=np.int64)
    for i in range(len(xs)):
        spots = np.column_stack([xs[i, _ALONG], ys[i, _ALONG]])
        away = np.hypot(*(spots[:, None] - taken).transpose(2, 0, 1)).min(axis=1, initial=99.0)
        best = int(np.argmax(np.minimum(away, 14.0)))  # the first that is far enough
        found[i] = _ALONG[best]
        taken = np.vstack([taken, spots[best]])
    return found


def _tail(path: layout.Floats) -> layout.Floats:
    """Return only the end of each path, enough for its arrowhead: a line drawn twice would lose its dashes."""
    return np.where(np.arange(path.shape[1]) < path.shape[1] - 2, np.nan, path)


def _heads(line: Line, shape: tuple[int, ...], radius: layout.Floats, pointed: np.ndarray) -> dict[str, Any]:
    """Return the arrowheads of paths as markers: one at the rim of the node a path ends in, where it points."""
    at_end = np.zeros((shape[0], shape[1] + 1))
    at_end[:, -2] = pointed
    return {
        "symbol": "arrow",
        "angleref": "previous",
        "size": (at_end * (7 + 1.5 * line.width)).ravel().astype("float32"),
        "standoff": (at_end * radius[:, None]).ravel().astype("float32"),
        "opacity": 1,
        "line": {"width": 0},
    }


def _line(line: Line, xs: layout.Floats, ys: layout.Floats, heads: dict[str, Any] | None = None) -> go.Scatter:
    """Return all links of one kind as a single path with gaps."""
    gap = np.full((len(xs), 1), np.nan)
    colour = _theme.SEEN if line.seen else _theme.GUESSED if line.faint else _theme.INFERRED
    return go.Scatter(
        x=np.hstack([xs, gap]).ravel().astype("float32"),
        y=np.hstack([ys, gap]).ravel().astype("float32"),
        mode="lines" if heads is None else "lines+markers",
        line={"width": line.width if heads else min(line.width, 1.0), "dash": line.dash, "color": colour},
        marker=heads or {},
        name=line.name,
        legend="legend2",
        hoverinfo="skip",
    )


def nodes(scene: Scene, labels: list[Label], groups: list[str], *, legend: bool) -> list[go.Scatter]:
    """Return one trace per group, so that the legend filters; without a legend one trace named "nodes".

    Clusters are square frames around the mark of their team, a trace of its own; the focus has a ring.
    """
    styles = _theme.style(groups) | {"": (_theme.UNKNOWN, "circle")}
    texts = [_markup(label.text, bold=bold) for label, bold in zip(labels, bold_ones(scene.nodes), strict=True)]
    table = scene.nodes.assign(size=sizes(scene.nodes), text=texts, position=[label.position for label in labels])
    if not legend:
        return list(_group(table, styles, "nodes", listed=False)) if len(table) else []
    parts = sorted(table.groupby("group"), key=lambda pair: (pair[0] == "", pair[0]))
    named = [(_theme.safe(group, limit=30) or "not known", mine) for group, mine in parts]
    return [trace for name, mine in named for trace in _group(mine, styles, name, listed=True)]


def _group(mine: pd.DataFrame, styles: dict[str, tuple[str, str]], name: str, *, listed: bool) -> Iterator[go.Scatter]:
    """Yield the nodes of a group, and the marks inside its clusters; one of both stands in the legend, filled."""
    mine = mine.sort_values(["what", "focus"], ascending=[False, True], kind="stable")  # the legend shows the first
    clusters = mine[mine["what"] == "cluster"]
    yield _nodes(mine, styles, name, listed=listed and len(clusters) < len(mine))
    known = clusters[clusters["group"] != ""]
    if len(known):
        yield _inside(known, styles, name, listed=listed and len(clusters) == len(mine))


def _inside(clusters: pd.DataFrame, styles: dict[str, tuple[str, str]], name: str, *, listed: bool) -> go.Scatter:
    """Return the mark of its team inside each cluster: a colour alone is shared by several teams."""
    looks = [styles[group] for group in clusters["group"]]
    return go.Scatter(
        x=clusters["x"].to_numpy(),
        y=clusters["y"].to_numpy(),
        mode="markers",
        marker={
            "size": clusters["size"].to_numpy() * _INNER,
            "symbol": [symbol for _, symbol in looks],
            "color": [colour for colour, _ in looks],
            "opacity": 1,
            "line": {"width": 0},
        },
        hoverinfo="skip",
        name=name if listed else "marks",
        legendgroup=f"group {name}",
        showlegend=listed,
    )


def _nodes(mine: pd.DataFrame, styles: dict[str, tuple[str, str]], name: str, *, listed: bool) -> go.Scatter:
    hollow, focus = (mine["what"] == "cluster").to_numpy(), mine["focus"].to_numpy(bool)
    colour, symbol = (np.array([styles[group][i] for group in mine["group"]], dtype=object) for i in (0, 1))
    marker: dict[str, Any] = {
        "size": mine["size"].to_numpy(),
        "symbol": np.where(hollow, "square", symbol),
        "color": np.where(hollow, _theme.PAPER, colour),
        "opacity": 1,
        "line": {
            "width": np.select([hollow, focus], [4.0, 3.0], 1.0),
            "color": np.select([hollow & ~focus, focus], [colour, _theme.INK], _theme.PAPER),
        },
    }
    return go.Scatter(
        x=mine["x"].to_numpy(),
        y=mine["y"].to_numpy(),
        mode="markers+text",
        marker=marker,
        text=list(mine["text"]),
        textposition=list(mine["position"]),
        textfont={"size": 11, "shadow": _theme.HALO},
        hovertext=list(mine["hover"]),
        hoverinfo="text",
        customdata=[[what, name] for what, name in zip(mine["what"], mine["name"], strict=True)],
        cliponaxis=False,  # on a narrow page a name reaches into the margin
        name=name,
        legendgroup=f"group {name}",
        showlegend=listed,
    )


def bold_ones(table: pd.DataFrame) -> list[bool]:
    """Return which names are bold: clusters and where a view starts."""
    return [bool(bold) for bold in (table["what"] == "cluster") | table["focus"].astype(bool)]


def _markup(text: str, *, bold: bool) -> str:
    """Return a name as it is shown; of a cluster not the number behind it is bold."""
    said = _theme.safe(text, limit=200)
    name, open_, number = said.rpartition(" (")
    if not bold or not said:
        return said
    return f"<b>{name}</b>{open_}{number}" if name and number.endswith(")") else f"<b>{said}</b>"


def boxes(scene: Scene) -> list[dict[str, Any]]:
    """Return the box around each cluster that is drawn open, as shapes with its name on top."""
    look = {
        "type": "rect",
        "layer": "below",
        "fillcolor": _theme.SHADE,
        "line": {"width": 1.5, "color": _theme.GUESSED},
    }
    return [
        look
        | {"x0": box["left"], "x1": box["right"], "y0": box["bottom"], "y1": box["top"]}
        | {
            "label": {
                "text": f"<b>{_theme.safe(box['cluster'], limit=40)}</b>",
                "textposition": "top left",
                "font": {"size": 11, "color": _theme.FAINT},
            }
        }
        for box in scene.boxes.to_dict("records")
    ]
