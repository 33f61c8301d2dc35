"""Mermaid: the map as a flowchart that GitHub, GitLab and wikis draw in a page."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from stanza_lab.artefacts.exports._graph import how_sure, names_changed, no_place, seen, shown, strongest
from stanza_lab.artefacts.exports.registry import Option, Written
from stanza_lab.errors import ParameterError
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Link, Service, Walk

WHAT = "the map of services as a Mermaid flowchart, for pages of GitHub, GitLab and wikis"
PROVEN_BY = "a grammar of ours of the few forms that are written"
EDGES, TEXT = 500, 50_000  # what Mermaid draws unless it is configured otherwise (maxEdges, maxTextSize)
OPTIONS: dict[str, Option] = {
    "links": Option(f"at most so many links, the surest; 1 to {EDGES} (Mermaid draws no more)", EDGES, "number")
}
_SPECIAL = re.compile(r"[^\w ,/\x80-\U0010ffff-]|_|^-")  # . and : too: a web address or a list would be Markdown


def write(walk: Walk, *, links: float = EDGES) -> Written:
    """Return the map as `dependencies.mmd`, and as a page with it, `dependencies.md`."""
    most = _most(links)
    kept, services = strongest(walk.links)[:most], list(walk.services)
    text = _drawn(walk, services, kept)
    if len(text) > TEXT:
        services = _linked(walk, kept)
        text = _drawn(walk, services, kept)
    while len(text) > TEXT and kept:
        kept = kept[: min(len(kept) - 1, int(len(kept) * 0.95 * TEXT / len(text)) + 1)]
        services = _linked(walk, kept)
        text = _drawn(walk, services, kept)
    lost = names_changed([one.name for one in services])
    if left := len(walk.links) - len(kept):
        lost.append(
            f"Mermaid draws {EDGES} links and {TEXT:,} characters: the {words.count(left, 'least sure link')} \
{'is' if left == 1 else 'are'} left out"
        )
    if left := len(walk.services) - len(services):
        lost.append(
            f"{words.count(left, 'service')} without a link that is drawn {'is' if left == 1 else 'are'} left out"
        )
    lost.append("a link shows one number; its support, its lag and whether traces confirm it have no place")
    page = f"# What depends on what\n\n```mermaid\n{text}```\n"
    return Written({"dependencies.mmd": text.encode(), "dependencies.md": page.encode()}, [*lost, *no_place(walk)])


def label(text: str) -> str:
    """Return text as a quoted label: what Mermaid, Markdown or HTML could take for theirs is written as its number."""
    return '"' + _SPECIAL.sub(lambda found: f"#{ord(found[0])};", shown(text)) + '"'


def _most(links: float) -> int:
    if isinstance(links, bool) or links != int(links) or not 1 <= links <= EDGES:
        raise ParameterError(f"links={links!r} must be a whole number from 1 to {EDGES}; Mermaid draws no more")
    return int(links)


def _linked(walk: Walk, links: Collection[Link]) -> list[Service]:
    names = {end for one in links for end in (one.src, one.dst)}
    return [one for one in walk.services if one.name in names]


def _drawn(walk: Walk, services: list[Service], links: list[Link]) -> str:
    ids = {one.name: f"s{i}" for i, one in enumerate(services)}
    lines = ["flowchart LR"]
    for i, team in enumerate(walk.teams):
        if own := [one for one in services if one.team == team]:
            lines += [f"  subgraph t{i}[{label(team)}]", *(f"    {_node(ids, one)}" for one in own), "  end"]
    lines += [f"  {_node(ids, one)}" for one in services if one.team is None]
    ordered = sorted(links, key=lambda one: (one.src, one.dst))
    lines += [f"  {ids[one.src]} {_arrow(one)} {ids[one.dst]}" for one in ordered]
    return "\n".join([*lines, ""])


def _node(ids: dict[str, str], one: Service) -> str:
    return f"{ids[one.name]}[{label(one.name)}]"


def _arrow(one: Link) -> str:
    return f"{'-->' if seen(one) else '-.->'}|{label(how_sure(one))}|"
