"""Where the nodes of a scene stand: what is linked, what is not, and clusters that are drawn open in a box of theirs.

An open cluster is first placed as if it were one node. Then its box is put there and all others are pushed aside, each
the way it already lies: what was apart stays apart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.plot import _labels, layout
from stanza_lab.plot._sheet import LEGEND, WIDE

_ALONE_PER_ROW = 8
_MOST_NAMES = 0.8  # of the names have room in full
_NODE = 22.0  # px: half a node and what is free beside it
_UNORDERED = 0.05  # weight of links of unknown direction: too light to turn one that is known
_ASIDE, _OVER = 2.6, 1.2  # rows from the middle of a box's outermost nodes to its rim: names stand between


_BAND = 0.8  # rows, at most, that stay empty around boxes
Ends = tuple[layout.Ints, layout.Ints, layout.Floats]  # src, dst, and how surely src stands left of dst
Box = tuple[float, float, float, float]  # left, right, bottom, top


def place(nodes: pd.DataFrame, links: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `nodes` with linked, x and y; and the boxes: cluster, left, right, bottom, top.

    Nodes without a link stand in rows below the rest, and both parts are as wide.
    """
    src, dst = links["src"].to_numpy("int64"), links["dst"].to_numpy("int64")
    weight = links["strength"].to_numpy("float64") + 0.01
    pull = np.where((links["direction"] == "forward").to_numpy(bool), weight, _UNORDERED * weight)
    box = nodes["box"].to_numpy(object)
    linked = (box != "").astype(bool)
    linked[src] = linked[dst] = True
    x, y = np.zeros(len(nodes)), np.zeros(len(nodes))
    boxes: dict[str, Box] = {}
    if not len(nodes):
        return nodes.assign(linked=linked, x=x, y=y), _table(boxes)
    if linked.any():
        row = np.cumsum(linked) - 1
        side = nodes["side"].to_numpy("int64")[linked]
        x[linked], y[linked], boxes = _linked(box[linked], side, (row[src], row[dst], pull), _columns(nodes))
    alone, across = np.flatnonzero(~linked), max(_ALONE_PER_ROW, int(np.ptp(x) / layout.GAP) + 1)
    if not boxes and linked.any():
        x = x * max(1.0, (min(across, len(alone)) - 1) * layout.GAP / max(np.ptp(x[linked]), layout.GAP))
    lowest = min([y[linked].min(initial=0.0), *(rim[2] for rim in boxes.values())])
    x[alone] = x[linked].min(initial=0.0) + np.arange(len(alone)) % across * layout.GAP
    y[alone] = lowest - 2.5 - np.arange(len(alone)) // across * 1.5
    return nodes.assign(linked=linked, x=x, y=y), _table(boxes)


def _table(boxes: dict[str, Box]) -> pd.DataFrame:
    rows = [(name, *rim) for name, rim in boxes.items()]
    return pd.DataFrame(rows, columns=["cluster", "left", "right", "bottom", "top"])


def _columns(nodes: pd.DataFrame) -> int:
    """Return how many columns side by side leave room for most names, each beside the nodes left and right of it."""
    bold = nodes["what"] == "cluster"
    widths = [_labels.width(name, bold=b) for name, b in zip(nodes["said"], bold, strict=True)]
    wide = float(np.quantile(widths, _MOST_NAMES))
    return int(min(12.0, max(4.0, (WIDE - LEGEND) / (wide / 2 + _NODE))))


def _linked(
    box: np.ndarray, side: layout.Ints, ends: Ends, most: int
) -> tuple[layout.Floats, layout.Floats, dict[str, Box]]:
    """Return x and y of each node, and the rim of each box."""
    names = list(dict.fromkeys(box[box != ""]))
    unit = np.arange(len(box))  # what is placed as one
    for name in names:
        unit[box == name] = unit[box == name].min()
    unit = np.unique(unit, return_inverse=True)[1]
    n, place_of = int(unit.max()) + 1, np.zeros(int(unit.max()) + 1, dtype=np.int64)
    place_of[unit] = side
    at_x, at_y = layout.place(n, *_merged(unit[ends[0]], unit[ends[1]], ends[2]), place_of, most=most)
    inner_x, inner_y, rims = np.zeros(len(box)), np.zeros(len(box)), {}
    for name in names:
        members = np.flatnonzero(box == name)
        square = min(most, max(3, int(np.sqrt(len(members)))))  # columns: a wide box would squeeze all others
        inner_x[members], inner_y[members] = _inside(members, ends, square)
        half = np.ptp(inner_x[members]) / 2 + _ASIDE, np.ptp(inner_y[members]) / 2 + _OVER
        rims[name] = (int(unit[members[0]]), *half)
        at_x, at_y = _pushed(at_x, at_y, *rims[name])
    if names:
        half_x, half_y = np.full(n, layout.GAP / 2), np.full(n, 0.5)
        for u, w, h in rims.values():
            half_x[u], half_y[u] = w, h
        at_x, at_y = _closed(at_x, half_x, _BAND), _closed(at_y, half_y, _BAND)
    boxes = {
        name: (float(at_x[u] - w), float(at_x[u] + w), float(at_y[u] - h), float(at_y[u] + h))
        for name, (u, w, h) in rims.items()
    }
    return at_x[unit] + inner_x, at_y[unit] + inner_y, boxes


def _closed(at: layout.Floats, half: layout.Floats, most: float) -> layout.Floats:
    """Return the middles of units moved together, so that no band without any of them is wider than `most`."""
    order = np.argsort(at - half, kind="stable")
    low, high = (at - half)[order], np.maximum.accumulate((at + half)[order])
    empty = np.maximum(low[1:] - high[:-1] - most, 0.0)
    moved = np.zeros(len(at))
    moved[order[1:]] = np.cumsum(empty)
    return at - moved


def _merged(src: layout.Ints, dst: layout.Ints, pull: layout.Floats) -> Ends:
    """Return one row per pair of units, in the direction in which more pulls."""
    apart = src != dst
    first, second = np.minimum(src, dst)[apart], np.maximum(src, dst)[apart]
    signed = np.where(src < dst, pull, -pull)[apart]
    pairs, which = np.unique(np.column_stack([first, second]), axis=0, return_inverse=True)
    net = np.bincount(which.reshape(-1), weights=signed, minlength=len(pairs))
    pairs[net < 0] = pairs[net < 0][:, ::-1]
    return pairs[:, 0], pairs[:, 1], np.maximum(np.abs(net), 1e-6)


def _inside(members: layout.Ints, ends: Ends, most: int) -> tuple[layout.Floats, layout.Floats]:
    """Return where the services of a box stand, from its middle."""
    src, dst, pull = ends
    inner = np.isin(src, members) & np.isin(dst, members)
    row = np.searchsorted(members, src[inner]), np.searchsorted(members, dst[inner])
    x, y = layout.place(len(members), *row, pull[inner], np.zeros(len(members), dtype=np.int64), most=most)
    return x - (x.max() + x.min()) / 2, y - (y.max() + y.min()) / 2


def _pushed(
    x: layout.Floats, y: layout.Floats, at: int, wide: float, high: float
) -> tuple[layout.Floats, layout.Floats]:
    """Return the places of all units, those beside unit `at` pushed aside by `wide`, those over or under by `high`."""
    right, up = x - x[at], y - y[at]
    beside = np.abs(right) * 2 > np.abs(up) * layout.GAP
    return x + np.where(beside, np.sign(right) * wide, 0.0), y + np.where(beside, 0.0, np.sign(up) * high)
