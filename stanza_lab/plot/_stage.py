"""A part of a map laid out once, for figures that draw something of their own on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from stanza_lab.plot import _labels, _map_traces, _scene, _sheet, _theme, layout

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.production import ProductionMap

_ROW, _NAME = 42.0, 23.0  # px: a row at least; beside a node for its name
_PALE = 0.55  # opacity of what is only there to find one's way


@dataclass(frozen=True)
class Stage:
    """Where the services of a scene stand and its links run, with names that do not overlap.

    `xs`, `ys`: the path of each link of the scene, a row of points each.
    """

    scene: _scene.Scene
    sheet: _sheet.Sheet
    labels: list[_labels.Label]
    radius: layout.Floats
    xs: layout.Floats
    ys: layout.Floats

    @property
    def nodes(self) -> pd.DataFrame:
        """The nodes, one row each."""
        return self.scene.nodes

    def names(self, *, size: float) -> go.Scatter:
        """Return the names, clear of nodes that are `size` px across whatever they look like now."""
        return go.Scatter(
            x=self.nodes["x"].to_numpy("float32"),
            y=self.nodes["y"].to_numpy("float32"),
            mode="markers+text",
            marker={"size": size, "opacity": 0},
            text=[_theme.safe(label.text, limit=200) for label in self.labels],
            textposition=[label.position for label in self.labels],
            textfont={"size": 11, "shadow": _theme.HALO},
            hoverinfo="skip",
            cliponaxis=False,
            name="names",
            showlegend=False,
        )

    def backdrop(self) -> list[go.Scatter]:
        """Return all links, pale, and the points that carry their evidence."""
        traces = _map_traces.links(self.scene, self.sheet, self.labels)
        return [trace.update(opacity=_PALE) if trace.name != "links" else trace for trace in traces]

    def links_between(self, pairs: Iterable[tuple[str, str]]) -> list[int]:
        """Return the rows of the scene's links that join these pairs of services, where they are drawn."""
        names = self.nodes["name"].to_numpy(object)
        ends = zip(names[self.scene.links["src"]], names[self.scene.links["dst"]], strict=True)
        rows = {frozenset(pair): i for i, pair in enumerate(ends)}
        return [rows[frozenset(pair)] for pair in pairs if frozenset(pair) in rows]

    def path(self, rows: list[int], *, every: int = 1) -> tuple[layout.Floats, layout.Floats]:
        """Return some links as one path with gaps; `every` second point is enough where size counts."""
        gap = np.full((len(rows), 1), np.nan)
        x, y = (np.hstack([part[rows][:, ::every], gap]).ravel().astype("float32") for part in (self.xs, self.ys))
        return x, y


def build(
    production: ProductionMap,
    services: Iterable[str],
    *,
    size: float,
    first: Iterable[str],
    height: float | None,
    also: Iterable[tuple[str, str]] = (),
) -> Stage:
    """Lay out some services of a map with the links between them that are worth a look, and those of `also`.

    Nodes are `size` px across; names of `first` come first; the plot is `height` px high, or as the rows need.
    """
    whole = production.whole
    drawn = whole._links[whole._links["strength"] >= whole.usual_confidence]
    pairs = {*zip(drawn["src"], drawn["dst"], strict=True), *also}
    ends = zip(whole._edges["src"], whole._edges["dst"], strict=True)
    kept = [(src, dst) in pairs or (dst, src) in pairs for src, dst in ends]
    view = whole._cut(set(services), whole._edges[kept])
    scene = _scene.build(view, color="team", min_confidence=0.0, limit=len(whole._services) + 1)
    nodes, links = scene.nodes, scene.links
    wide = [_labels.width(text, bold=True) for text in nodes["said"]]
    x, y = nodes["x"].to_numpy("float64"), nodes["y"].to_numpy("float64")
    beside = min(max(wide, default=0.0) / 2 + 6, 110.0)
    sheet = _sheet.Sheet.of(x, y, beside=beside, legend=_sheet.LEGEND, row=max(_ROW, size + _NAME), height=height)
    at_x, at_y = sheet.px(x, y)
    radius = np.full(len(nodes), size / 2)
    strong = nodes["name"].isin(set(first))
    order = nodes.assign(strong=strong).sort_values(["strong", "weight"], ascending=False, kind="stable").index
    labels = _labels.fit(
        list(nodes["said"]), x=at_x, y=at_y, radius=radius, bold=list(strong), first=list(order), room=sheet.width
    )
    names = np.array([label.box if label.text else (0.0, 0.0, 0.0, 0.0) for label in labels]).reshape(-1, 4)
    src, dst = links["src"].to_numpy("int64"), links["dst"].to_numpy("int64")
    xs, ys = layout.curves(at_x, at_y, src, dst, radius=radius, names=names, height=sheet.height)
    return Stage(scene, sheet, labels, radius, *sheet.back(xs, ys))
