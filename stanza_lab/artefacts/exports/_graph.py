"""The walk as a graph, and what all pictures share: which links are strongest, how sure one looks, what is lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from stanza_lab.artefacts.exports.quoting import one_line
from stanza_lab.production import words

if TYPE_CHECKING:
    import networkx as nx

    from stanza_lab.artefacts.exports.walk import Link, Service, Walk

# as the figures of the package have them
TEAMS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
NOBODY = "#9AA0A6"
SEVERITIES = {"critical": "#7F0000", "error": "#D55E00", "warning": "#E69F00", "info": "#56B4E9", "unknown": NOBODY}
LINE = "#7C8794"
SHOWN = 60  # characters of a name in a picture
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # \r too: reading turns it into \n


def node(service: Service) -> dict[str, Any]:
    """Return what a graph file says of a service; what is not known is absent."""
    told = {
        "team": service.team,
        "environment": service.environment,
        "alerts": service.alerts,
        "first_seen": None if service.first_seen is None else service.first_seen.isoformat(),
        "last_seen": None if service.last_seen is None else service.last_seen.isoformat(),
    }
    return {name: value for name, value in told.items() if value is not None}


def edge(link: Link) -> dict[str, Any]:
    """Return what a graph file says of a link; what is not known is absent."""
    told = {
        "confidence": link.confidence,
        "link_confidence": link.link_confidence,
        "support": link.support,
        "lag_s": link.lag_s,
        "provenance": ", ".join(link.provenance),
        "verdict": link.verdict,
    }
    return {name: value for name, value in told.items() if value is not None}


def graph_of(walk: Walk) -> nx.DiGraph[str]:
    """Return the services and links of a walk as a graph; an edge goes from a service to what it depends on."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from((one.name, node(one)) for one in walk.services)
    graph.add_edges_from((one.src, one.dst, edge(one)) for one in walk.links)
    return graph


def for_xml(walk: Walk) -> tuple[nx.DiGraph[str], list[str]]:
    """Return the graph with names that XML can carry, and what was replaced for that; no two services become one."""
    names = distinct({one.name: _NOT_XML.sub("�", one.name) for one in walk.services})
    said = [*names.items(), *((team, _clean(team)) for team in walk.teams)]
    changed = sum(name != other for name, other in said)
    services = tuple(
        replace(one, name=names[one.name], team=_clean(one.team), environment=_clean(one.environment))
        for one in walk.services
    )
    links = tuple(replace(one, src=names[one.src], dst=names[one.dst]) for one in walk.links)
    lost = f"{words.count(changed, 'name')} had characters that XML cannot carry; they are replaced by �"
    return graph_of(replace(walk, services=services, links=links)), [lost] if changed else []


def distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Return the same names, those that would be equal numbered; what is as it was keeps its name."""
    taken = {name for name, other in names.items() if name == other}
    found = {name: name for name in taken}
    for name in sorted(names.keys() - taken):
        other, number = names[name], 1
        while other in taken:
            number += 1
            other = f"{names[name]} ({number})"
        taken.add(other)
        found[name] = other
    return found


def strongest(links: Iterable[Link]) -> list[Link]:
    """Return links, the surest first; among equals by their ends."""
    return sorted(links, key=lambda one: (-one.link_confidence, -one.confidence, one.src, one.dst))


def most_linked(walk: Walk, top: int) -> tuple[list[Service], list[Link]]:
    """Return the `top` services that the surest links speak for, then by alerts, and the links among them."""
    weight = dict.fromkeys((one.name for one in walk.services), 0.0)
    for link in walk.links:
        weight[link.src] += link.link_confidence
        weight[link.dst] += link.link_confidence
    chosen = sorted(walk.services, key=lambda one: (-weight[one.name], -one.alerts, one.name))[:top]
    names = {one.name for one in chosen}
    return sorted(chosen, key=lambda one: one.name), [
        one for one in walk.links if one.src in names and one.dst in names
    ]


def seen(link: Link) -> bool:
    """Return whether a link was seen, in traces or a declaration: it is drawn solid, an inferred one dashed."""
    return bool(words.seen(link.provenance))


def how_sure(link: Link) -> str:
    """Return what stands at a link: traced, declared, or the probability of its direction."""
    return words.seen(link.provenance) or words.probability(link.confidence)


def shown(name: str) -> str:
    """Return a name as a picture shows it: on one line, not longer than is read."""
    return one_line(name, longest=SHOWN)


def colour_of(teams: Sequence[str]) -> dict[str | None, str]:
    """Return a colour per team; services of no known team are grey."""
    return {None: NOBODY} | {team: TEAMS[i % len(TEAMS)] for i, team in enumerate(teams)}


def dumped(content: Any) -> bytes:
    """Return JSON that may stand in a page: no text in it can end a script."""
    text = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return text.replace(b"<", b"\\u003c").replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")


def no_place(walk: Walk) -> list[str]:
    """Return what a graph of services has no place for, counted."""
    held = [words.count(len(walk.rules), "recurring alert")]
    if walk.patterns is not None:
        held.append(words.count(len(walk.patterns.table), "pattern"))
    if walk.reactions is not None:
        held.append(words.count(len(walk.reactions), "reaction"))
    return [
        f"a graph of services has no place for {', '.join(held)}, nor for what groups alerts into incidents",
        "each pair of services has one link, in its likelier direction; the other one stays in the bundle",
    ]


def names_changed(names: Iterable[str | None]) -> list[str]:
    """Return how many names a picture shows otherwise than they are, if any."""
    changed = sum(name is not None and shown(name) != name for name in names)
    return (
        [
            f"{words.count(changed, 'name')} {'is' if changed == 1 else 'are'} shown shortened or without \
control characters"
        ]
        if changed
        else []
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else _NOT_XML.sub("�", text)
