"""DOT: the map as graphviz draws it, services in boxes of their teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stanza_lab.artefacts.exports._graph import LINE, colour_of, how_sure, names_changed, no_place, seen, shown
from stanza_lab.artefacts.exports.registry import Option, Written
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Link, Service, Walk

WHAT = "the map of services as DOT, for graphviz: a box per team, the thicker a line the surer the link"
PROVEN_BY = "graphviz dot draws it, and reads the same services and links from it"
OPTIONS: dict[str, Option] = {}
CROWDED = 60  # links; with more of them what stands at each hides the picture, and so do thick lines
_HEAD = """\
  graph [rankdir=LR, compound=true, newrank=true, fontname="Helvetica", fontsize=11, nodesep=0.2, ranksep=0.7, \
bgcolor="white", labeljust=l];
  node [shape=box, style="rounded,filled", fillcolor="white", color="#444444", fontname="Helvetica", fontsize=11, \
margin="0.12,0.05"];
  edge [fontname="Helvetica", fontsize=9, fontcolor="#444444", arrowsize=0.7];"""


def write(walk: Walk) -> Written:
    """Return the map as `dependencies.dot`."""
    ids = {one.name: f"s{i}" for i, one in enumerate(walk.services)}
    colour = colour_of(walk.teams)
    lines = ["strict digraph dependencies {", _HEAD]
    for i, team in enumerate(walk.teams):
        lines += [
            f"  subgraph cluster_{i} {{",
            f"    label={quoted(team)}; color={quoted(colour[team])}; penwidth=1.5; style=rounded;",
            *(f"    {_node(ids[one.name], one)}" for one in walk.services if one.team == team),
            "  }",
        ]
    lines += [f"  {_node(ids[one.name], one)}" for one in walk.services if one.team is None]
    lines += [f"  {_edge(ids, one, crowded=len(walk.links) > CROWDED)}" for one in walk.links]
    text = "\n".join([*lines, "}", ""])
    changed = names_changed([*ids, *walk.teams])
    return Written({"dependencies.dot": text.encode()}, [*changed, *no_place(walk)])


def quoted(text: str) -> str:
    r"""Return text as a quoted label of DOT that shows it as it is: no escape (\N, \l), no entity, never HTML-like."""
    plain = shown(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}"'


def _node(name: str, one: Service) -> str:
    alerts = words.count(one.alerts, "alert")
    place = "" if one.environment is None else f", {one.environment}"
    return f"{name} [label={quoted(one.name)}, tooltip={quoted(alerts + place)}, alerts={one.alerts}];"


def _edge(ids: dict[str, str], one: Link, *, crowded: bool) -> str:
    drawn = [
        f"penwidth={(0.3 + 1.2 * one.link_confidence) * (1 if crowded else 2):.2f}",
        f"style={'solid' if seen(one) else 'dashed'}",
        f'color="{LINE}"',
        f"tooltip={quoted(_said(one))}",
        *([] if crowded else [f"label={quoted(how_sure(one))}"]),
        f"confidence={one.confidence!r}",
        f"link_confidence={one.link_confidence!r}",
        f"support={one.support!r}",
        *([] if one.lag_s is None else [f"lag_s={one.lag_s!r}"]),
        f"provenance={quoted(', '.join(one.provenance))}",
        *([] if one.verdict is None else [f"verdict={quoted(one.verdict)}"]),
    ]
    return f"{ids[one.src]} -> {ids[one.dst]} [{', '.join(drawn)}];"


def _said(one: Link) -> str:
    return (
        f"known from {words.known_from(one.provenance)}; {words.probability(one.link_confidence)} that there is a link"
    )
