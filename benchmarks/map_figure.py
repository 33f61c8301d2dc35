"""The map figure: what it costs and how it reads, beside a spring layout drawn the way one draws a graph in plotly.

The peer is ``networkx.spring_layout`` with one plotly line per link and a name beside each node, as in the examples of
both. It is left out where it takes minutes. ``python -m benchmarks.map_figure`` prints both tables. Crossings are pairs
of links that cross without sharing a node; through: links that run over a node they do not join; overlaps: pairs of
names on top of each other on a figure 1,100 px wide.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

import networkx as nx
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

import stanza_lab as sl

SIZES = {5: 6, 50: 75, 500: 2_500, 2_000: 10_000}  # services: links
READ = (6, 20, 50, 150)  # services
MOST_OF_PEER = 500
TEAMS = 60
_CHAR, _HIGH, _WIDE, _EDGE = 6.2, 14.0, 1_100, 20  # px: a character, a name, the figure, its margin

Floats = NDArray[np.float64]


class Picture(NamedTuple):
    """A drawn map in px: places and sizes of nodes, boxes of names, and paths of links with the nodes they join."""

    x: Floats
    y: Floats
    radius: Floats
    names: Floats
    paths: list[tuple[Floats, frozenset[int]]]


def map_of(services: int, links: int, *, seed: int = 0) -> sl.ProductionMap:
    """Return a map of random links, half of them within a team."""
    rng = np.random.default_rng(seed)
    teams = max(1, min(TEAMS, services // 5))
    src, dst = rng.integers(0, services, (2, links * 3))
    near = (src + teams * rng.integers(1, max(2, services // teams), links * 3)) % services
    dst = np.where(rng.random(links * 3) < 0.5, near, dst)
    pairs = pd.DataFrame({"src": src, "dst": dst})[src != dst]
    twice = pd.DataFrame(np.sort(pairs, axis=1)).duplicated().to_numpy()
    pairs = pairs[~twice].head(links).map("service-{}".format)
    owners = pd.DataFrame({"service": [f"service-{i}" for i in range(services)]})
    owners["team"] = [f"team-{i % teams}" for i in range(services)]
    return sl.ProductionMap(pairs.assign(confidence=rng.uniform(0.5, 1.0, len(pairs))), ownership=owners)


def simulated(services: int, *, seed: int = 0) -> sl.ProductionMap:
    """Return the map of a simulated production, as surely as if all calls had been traced."""
    drawn = sl.simulate_production(services=services, teams=max(2, services // 6), incidents=5, random_state=seed)
    calls = drawn.call_graph.set_axis(["src", "dst"], axis=1).drop_duplicates()
    return sl.ProductionMap(calls.assign(confidence=0.9), ownership=drawn.services[["service", "team"]])


def naive(production: sl.ProductionMap) -> go.Figure:
    """Return the peer's figure."""
    pairs = production.links
    graph = nx.Graph(zip(pairs["src"], pairs["dst"], strict=True))
    graph.add_nodes_from(production.services["service"])
    at = nx.spring_layout(graph, seed=0)
    lines = [
        go.Scatter(x=[at[src][0], at[dst][0]], y=[at[src][1], at[dst][1]], mode="lines", hoverinfo="skip")
        for src, dst in graph.edges
    ]
    x, y = zip(*at.values(), strict=True)
    nodes = go.Scatter(x=x, y=y, mode="markers+text", text=list(at), marker={"size": 12}, textposition="bottom center")
    return go.Figure([*lines, nodes], {"showlegend": False, "height": 900, "template": "none"})


def table(sizes: Iterable[int] = tuple(SIZES)) -> pd.DataFrame:
    """Return seconds and size of the figure for maps of so many services, beside the peer's on the same map."""
    rows = []
    sl.plot.production_map(map_of(5, 6))  # loads what is loaded once
    for services in sizes:
        production = map_of(services, SIZES[services])
        seconds, figure = _timed(sl.plot.production_map, production)
        row = {"services": services, "links": len(production.links), "seconds": seconds, "MB": _megabytes(figure)}
        if services <= MOST_OF_PEER:
            peer_seconds, peer = _timed(naive, production)
            row |= {"peer seconds": peer_seconds, "peer MB": _megabytes(peer), "ratio": peer_seconds / seconds}
        rows.append(row)
    return pd.DataFrame(rows)


def readability(sizes: Iterable[int] = READ) -> pd.DataFrame:
    """Return how the figures read, on simulated productions of so many services."""
    rows = []
    for services in sizes:
        production = simulated(services)
        for name, draw in (("stanza_lab", sl.plot.production_map), ("spring layout", naive)):
            picture = picture_of(draw(production))
            measures = {
                "crossings": crossings(picture),
                "through": through(picture),
                "overlaps": overlaps(picture.names),
                "names": len(picture.names),
                "link px": np.mean([np.hypot(*np.diff(path, axis=0).T).sum() for path, _ in picture.paths]),
            }
            rows.append({"services": services, "figure": name, "links": len(picture.paths)} | measures)
    return pd.DataFrame(rows)


def picture_of(figure: go.Figure) -> Picture:
    """Return a figure as it is drawn on 1,100 px."""
    layout, nodes = figure.layout, [trace for trace in figure.data if trace.mode == "markers+text"]
    listed = [trace.name for trace in figure.data if trace.showlegend]
    margin = layout.margin.to_plotly_json() or {"l": 80, "r": 80, "t": 100, "b": 80}  # plotly's own
    width = _WIDE - margin["l"] - margin["r"] - (50 + 7 * max(map(len, listed)) if listed else 0)
    height = layout.height - margin["t"] - margin["b"]
    every = [np.concatenate([np.asarray(trace[axis], dtype="float64") for trace in nodes]) for axis in "xy"]
    left, right = layout.xaxis.range or _around(every[0])
    bottom, top = layout.yaxis.range or _around(every[1])

    def px(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return (x - left) / (right - left) * width, (top - y) / (top - bottom) * height

    x, y = px(*every)
    size = np.concatenate(
        [np.broadcast_to(np.asarray(trace.marker.size, dtype="float64"), len(trace.x)) for trace in nodes]
    )
    texts = [text.replace("<b>", "").replace("</b>", "") for trace in nodes for text in trace.text]
    over = [place == "top center" for trace in nodes for place in np.broadcast_to(trace.textposition, len(trace.x))]
    edge = np.where(over, y - size / 2 - 2 - _HIGH, y + size / 2 + 2)
    half = np.array([len(text) for text in texts]) * _CHAR / 2
    names = np.column_stack([x - half, edge, x + half, edge + _HIGH])[half > 0]
    lines = [trace for trace in figure.data if (trace.mode or "").startswith("lines")]
    paths = [path for trace in lines for path in _split(*px(*(np.asarray(trace[axis], "float64") for axis in "xy")))]
    return Picture(x, y, size / 2, names, [(path, _ends(path, x, y)) for path in paths])


def crossings(picture: Picture) -> int:
    """Return how many pairs of links cross that have no node in common."""
    starts = np.concatenate([path[:-1] for path, _ in picture.paths])
    steps = np.concatenate([np.diff(path, axis=0) for path, _ in picture.paths])
    of = np.repeat(np.arange(len(picture.paths)), [len(path) - 1 for path, _ in picture.paths])
    found: set[tuple[int, int]] = set()
    for i in range(len(starts)):
        rest = slice(i + 1, None)
        away, turn = starts[rest] - starts[i], _cross(steps[i], steps[rest])
        with np.errstate(divide="ignore", invalid="ignore"):
            mine, other = _cross(away, steps[rest]) / turn, _cross(away, steps[i]) / turn
        hit = (mine > 0) & (mine < 1) & (other > 0) & (other < 1)
        found |= {(int(of[i]), int(j)) for j in of[rest][hit]}
    return sum(i != j and not picture.paths[i][1] & picture.paths[j][1] for i, j in found)


def through(picture: Picture) -> int:
    """Return how often a link runs over a node that it does not join."""
    count = 0
    steps = np.linspace(0.0, 1.0, 40)[:, None]
    for path, ends in picture.paths:
        at = np.concatenate([a + (b - a) * steps for a, b in pairwise(path)])
        near = np.hypot(at[:, :1] - picture.x, at[:, 1:] - picture.y) < picture.radius + 1
        count += len(set(np.flatnonzero(near.any(axis=0)).tolist()) - ends)
    return count


def overlaps(names: Floats) -> int:
    """Return how many pairs of names lie on each other."""
    left, top, right, bottom = names.T
    beside = (left[:, None] < right) & (left < right[:, None]) & (top[:, None] < bottom) & (top < bottom[:, None])
    return int(np.triu(beside, 1).sum())


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], dtype=np.float64)


def _split(x: Floats, y: Floats) -> list[Floats]:
    """Return the paths of a line with gaps; what is only the end of one, for its arrowhead, is none."""
    path = np.column_stack([x, y])
    parts = np.split(path, np.flatnonzero(np.isnan(x)))
    whole = [part[~np.isnan(part[:, 0])] for part in parts]
    most = max((len(part) for part in whole), default=0)
    return [part for part in whole if len(part) == most and most > 1]


def _ends(path: Floats, x: Floats, y: Floats) -> frozenset[int]:
    return frozenset(int(np.hypot(x - at[0], y - at[1]).argmin()) for at in (path[0], path[-1]))


def _around(values: Floats) -> tuple[float, float]:
    room = float(np.ptp(values)) * 0.05  # plotly's own is about this
    return float(values.min()) - room, float(values.max()) + room


def _timed(draw: Callable[..., go.Figure], production: sl.ProductionMap) -> tuple[float, go.Figure]:
    began = time.perf_counter()
    figure = draw(production)
    return time.perf_counter() - began, figure


def _megabytes(figure: go.Figure) -> float:
    return len(figure.to_json()) / 1e6


def main() -> None:
    """Print both tables."""
    for found in (table(), readability()):
        print(found.to_string(index=False, float_format=lambda value: f"{value:.2f}"))
        print()


if __name__ == "__main__":
    main()
