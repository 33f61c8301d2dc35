"""What a map figure shows: which nodes and lines, where they stand, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab.errors import UnknownNameError
from stanza_lab.plot import _placing, _scene_links, _scene_nodes
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanza_lab.plot._scene_links import Line
    from stanza_lab.production import ProductionMap

MOST_LINKS = 400  # more lines than this are a hairball, unless so many services were asked for
MOST_CLUSTERS = 60
MOST_ALONE = 24  # services without a drawn link that are still drawn


@dataclass(frozen=True)
class Scene:
    """What to draw.

    `nodes`: key, what (service | cluster), name, said (its name as shown), hover, group, weight, focus, side, box (the
    cluster it is drawn inside of, or ""), linked, x, y. `links`: src, dst (row numbers of nodes), strength, direction,
    seen, hover, picked, said; one row per pair of nodes, the strongest first. `boxes`: cluster, left, right, bottom,
    top. `lines`: how links are drawn. `collapsed`: clusters are drawn, for want of room.
    """

    nodes: pd.DataFrame
    links: pd.DataFrame
    boxes: pd.DataFrame
    lines: tuple[Line, ...]
    collapsed: bool
    caution: str
    notes: list[str]


def build(
    production: ProductionMap,
    *,
    color: str,
    min_confidence: float | None,
    limit: int,
    expand: Iterable[str] = (),
) -> Scene:
    """Choose what to draw of `production`: its services, or when more than `limit` are linked its clusters."""
    pairs, caution = production.links, ""
    notes: list[str] = []
    if min_confidence is None:
        min_confidence, caution = production.usual_confidence, production.caution
    shown = pairs[pairs["strength"] >= min_confidence]
    if len(pairs) > len(shown):
        notes.append(f"{words.count(len(pairs) - len(shown), 'link')} below {min_confidence:g} not shown")
    linked = {*shown["src"], *shown["dst"]}
    asked = _asked(production, expand)
    collapsed = len(linked) > limit
    if collapsed:
        nodes, links, lines = _as_clusters(production, shown, asked, limit, notes)
    else:
        nodes, links = _as_services(production, shown, asked, limit, color, min_confidence, notes)
        lines = _scene_links.BY_CONFIDENCE
    placed, boxes = _placing.place(nodes, links)
    return Scene(placed, links, boxes, lines, collapsed, caution, notes)


def _asked(production: ProductionMap, expand: Iterable[str]) -> list[str]:
    """Return the clusters to draw open, each once."""
    names = list(dict.fromkeys([expand] if isinstance(expand, str) else expand))
    known = set(production.whole.clusters)
    for name in names:
        if name not in known:
            raise UnknownNameError.among("cluster", name, known)
    return names


def _as_services(
    production: ProductionMap,
    shown: pd.DataFrame,
    asked: list[str],
    limit: int,
    color: str,
    min_confidence: float,
    notes: list[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return all services of a view, and in the view of a team its neighbours, closed unless `asked` for."""
    boxes = dict.fromkeys(_drawn(production, shown, notes), "")
    is_team = production.focus is not None and production.focus.kind == "team"
    if not is_team:
        return _nodes_and_lines(production, shown, _scene_nodes.services(production, shown, boxes, color=color), notes)
    across = production.border[production.border["strength"] >= min_confidence]
    near = {*across["cluster"]}
    pairs = production.whole.links
    pairs = pairs[pairs["strength"] >= min_confidence]
    opened = _opened(production.whole, [name for name in asked if name in near], limit - len(boxes), notes)
    boxes = opened | boxes
    own = production.services["service"]
    counted = pairs[pairs["src"].isin(boxes) | pairs["dst"].isin(boxes)]
    nodes = pd.concat(
        [
            _scene_nodes.services(production, counted, boxes, color=color),
            _scene_nodes.next_over(production, near - set(boxes.values()), min_confidence),
        ],
        ignore_index=True,
    )
    inside = pairs["src"].isin(own) | pairs["dst"].isin(own)
    open_ones = pairs["src"].isin(boxes) & pairs["dst"].isin(boxes)
    return _nodes_and_lines(production, pairs[inside | open_ones], nodes, notes)


def _as_clusters(
    production: ProductionMap, shown: pd.DataFrame, asked: list[str], limit: int, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Line, ...]]:
    """Return clusters as nodes, those `asked` for open, and the broadest streams of dependencies between them."""
    sizes = _scene_nodes.sizes(production)
    largest = list(sizes.index[:MOST_CLUSTERS])
    if len(sizes) > MOST_CLUSTERS:
        notes.append(f"the {MOST_CLUSTERS} largest of {len(sizes):,} clusters shown")
    largest += [name for name in asked if name in sizes.index and name not in largest]
    boxes = _opened(production, [name for name in asked if name in largest], limit, notes)
    counted = shown[shown["src"].isin(boxes) | shown["dst"].isin(boxes)]
    nodes = pd.concat(
        [
            _scene_nodes.clusters(production, [name for name in largest if name not in set(boxes.values())]),
            _scene_nodes.services(production, counted, boxes, color="team"),
        ],
        ignore_index=True,
    )
    joined = _scene_links.joined(shown, _keys(production, nodes))
    expected = _scene_links.strengths(joined, add=True)
    kept = _scene_links.backbone(expected, most=2 * len(nodes))
    if len(kept) < len(expected):
        notes.append(f"the {len(kept):,} broadest of {len(expected):,} links between what is drawn shown")
    lines = _scene_links.by_breadth(float(kept.max()) if len(kept) else 1.0)
    return nodes, _scene_links.drawn(joined, kept, nodes), lines


def _nodes_and_lines(
    production: ProductionMap, pairs: pd.DataFrame, nodes: pd.DataFrame, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    joined = _scene_links.joined(pairs, _keys(production, nodes))
    strength = _scene_links.strengths(joined, add=False)
    most = max(MOST_LINKS, 2 * len(nodes))
    if len(strength) > most:
        kept = _scene_links.backbone(strength, most=most)
        notes.append(f"the {len(kept):,} surest of {len(strength):,} links shown")
        strength = kept
    return nodes, _scene_links.drawn(joined, strength, nodes)


def _drawn(production: ProductionMap, shown: pd.DataFrame, notes: list[str]) -> list[str]:
    """Return the services of a view that are drawn: all with a link, and those without that alert most."""
    table, focus = production.services, production.focus
    across = production.border if focus is not None and focus.kind == "team" else None
    linked = {*shown["src"], *shown["dst"], *(() if focus is None else (focus.name,))}
    linked |= set() if across is None else set(across["ours"])
    alone = table[~table["service"].isin(linked)].sort_values("alerts", ascending=False, kind="stable")
    hidden = alone["service"].iloc[MOST_ALONE:]
    if len(hidden):
        notes.append(f"{words.count(len(hidden), 'service')} without a shown link left out")
    return list(table["service"][~table["service"].isin(hidden)])


def _opened(production: ProductionMap, names: list[str], room: int, notes: list[str]) -> dict[str, str]:
    """Return service -> cluster for those of `names` that are drawn open: as many as there is room for."""
    found: dict[str, str] = {}
    for name in names:
        members = production.clusters.index[production.clusters == name]
        if len(found) + len(members) > room:
            said = words.count(len(members), "service")
            notes.append(f"{name} stays closed: its {said} are more than the limit leaves room for")
        else:
            found |= dict.fromkeys(members, name)
    return found


def _keys(production: ProductionMap, nodes: pd.DataFrame) -> pd.Series:
    """Return service -> key of the node it is shown by."""
    of = production.whole.clusters
    closed = set(nodes.loc[nodes["what"] == "cluster", "name"])
    found = ("cluster " + of[of.isin(closed)].astype(object)).to_dict()
    found |= {name: f"service {name}" for name in nodes.loc[nodes["what"] == "service", "name"]}
    return pd.Series(found, dtype=object)
