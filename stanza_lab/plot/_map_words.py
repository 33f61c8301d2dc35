"""What a map figure says of itself: its title, how to read it, and all of it in words for who cannot see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.plot import _map_traces, _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.plot._labels import Label
    from stanza_lab.plot._scene import Scene
    from stanza_lab.production import ProductionMap

_MOSTLY = 0.8  # of the dependencies whose direction is known point right
_SUREST, _CENTRAL = 3, 3  # named in words
_LINE = 150  # characters under the title, on a page 1,100 px wide


def title(production: ProductionMap, scene: Scene) -> str:
    """Return what the view is, with its size; markup."""
    size = words.count(len(production.services), "service")
    boxed = in_boxes(scene)
    if boxed and not scene.collapsed:
        size += f" and {boxed:,} in boxes"
    if scene.collapsed:
        size += f" as {words.count(int((scene.nodes['what'] == 'cluster').sum()) + len(scene.boxes), 'cluster')}"
    else:
        size += f", {words.count(len(scene.links), 'dependency')}"
    focus = production.focus
    if focus is None:
        name = "Production map"
    elif words.cluster(focus.name) != focus.name:
        name = words.sentence(words.cluster(focus.name))[:-1]
    else:
        name = f"{_kind(production)} {focus.name}"
    return f"{_theme.safe(name)}: {size}"


def in_boxes(scene: Scene) -> int:
    """Return how many services of neighbours are drawn one by one."""
    return int(((scene.nodes["what"] == "service") & (scene.nodes["box"] != "")).sum())


def _kind(production: ProductionMap) -> str:
    """Return what a view is of: what somebody said is theirs may be more, or less, than a team."""
    focus = production.focus
    if focus is None or focus.kind != "team":
        return "Around"
    table = production.whole.services
    team = table.loc[table["team"] == focus.name, "service"]
    return "Team" if set(team) == set(production.services["service"]) else "Profile"


def how(scene: Scene, *, legend: str = "") -> str:
    """Say what to be wary of, and how to read the lines, the nodes and the `legend` that are there; markup."""
    lines = [" ".join([*_collapsed(scene), *_directions(scene)])]
    if scene.caution:
        lines.insert(0, f"<b>{words.sentence(scene.caution)}</b>")
    clusters = (scene.nodes["what"] == "cluster").any()
    sizes = ["The larger a service, the more alerts."] if (scene.nodes["what"] == "service").any() else []
    if clusters:
        sizes.append("Square frame: a cluster, all its services in one; the larger, the more of them.")
    if len(scene.boxes):
        sizes.append("Box: a cluster drawn open.")
    last = " ".join(sizes)
    if legend:
        hides = f"Click {'an' if legend[0] in 'aeiou' else 'a'} {legend} to hide its services; lines stay."
        last += f"{' ' if len(last) + len(hides) < _LINE else '<br>'}{hides}"
    return "<br>".join([*filter(None, lines), last])


def _collapsed(scene: Scene) -> list[str]:
    return ["Too many services to draw one by one: clusters, with how many each has."] if scene.collapsed else []


def _directions(scene: Scene) -> list[str]:
    links, x = scene.links, scene.nodes["x"].to_numpy()
    ways, one_way = set(links["direction"]), links[links["direction"] == "forward"]
    if len(links) > _map_traces.MOST_CURVED:
        return ["Too many dependencies for arrowheads: hover a line for its direction."]
    said = [] if ways <= {"unknown"} else ["An arrow points to what a service depends on."]
    if "unknown" in ways:
        said.append("No arrowhead: direction not known.")
    right = float(np.mean(x[one_way["src"]] < x[one_way["dst"]])) if len(one_way) else 0.0
    if right >= _MOSTLY:
        mostly, known = "" if right == 1.0 else "mostly ", " where it is known" if "unknown" in ways else ""
        said.append(f"Callers {mostly}left, dependencies right{known}.")
    return said


def names_note(scene: Scene, labels: list[Label]) -> list[str]:
    """Say how many names are not there in full."""
    out = sum(not label.text for label in labels)
    cut = sum(bool(label.text) and label.text != name for label, name in zip(labels, scene.nodes["said"], strict=True))
    parts = [
        f"{words.count(number, 'name')} {what}" for number, what in ((cut, "shortened"), (out, "left out")) if number
    ]
    return [f"{' and '.join(parts)} for want of room; hovering shows all"] if parts else []


def description(scene: Scene, heading: str, notes: list[str]) -> str:
    """Return the picture in words, as plain text: what it shows, the surest links, who is central, what is left out."""
    nodes, links = scene.nodes, scene.links
    said = [heading]
    if scene.caution:
        said.append(words.sentence(scene.caution))
    said += _collapsed(scene)
    open_ones = words.listing([f"{name}" for name in scene.boxes["cluster"]], top=4)
    if open_ones:
        said.append(f"Drawn open: {open_ones}.")
    squares = list(nodes.loc[nodes["what"] == "cluster", "name"])
    if squares and not scene.collapsed:
        said.append(f"Next over the border: {words.listing(map(_name, squares), top=4)}.")
    if len(links):
        kind = "broadest" if scene.collapsed else "surest"
        said.append(f"The {kind} links: {'; '.join(links['said'].head(_SUREST).map(_name))}.")
        ends = pd.concat([links["src"], links["dst"]]).value_counts(sort=False).sort_index()
        most = ends.sort_values(ascending=False, kind="stable").head(_CENTRAL)
        said.append("Most linked: " + ", ".join(f"{_name(nodes['name'].iloc[i])} ({n})" for i, n in most.items()) + ".")
    known = int((links["direction"] != "unknown").sum())
    said.append(f"The direction of {known} of {words.count(len(links), 'line')} is known.")
    alone = int((~nodes["linked"]).sum())
    if alone:
        said.append(f"{words.count(alone, 'node')} without a shown link.")
    return _theme.as_plain([*map(_theme.escaped, said), *notes])


def _name(name: str) -> str:
    return _theme.short(name, limit=80)
