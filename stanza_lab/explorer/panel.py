"""The panel beside the map, as HTML with all text escaped: a front door, the evidence of a link, a cluster."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stanza_lab.errors import StanzaError
from stanza_lab.production import words
from stanza_lab.production.door.contributed import Contributed, read_contributed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanza_lab.production import ProductionMap

_TOP = 12

HINT = (
    "<p>Click a service for its front door, a line for its evidence, a square to open it. "
    "Or choose below what is shown; in the picture the arrow keys walk and Enter picks.</p>"
)


@dataclass(frozen=True)
class Written:
    """What teams wrote down, and how to say where it is in a call."""

    what: Contributed | None
    call: str

    @classmethod
    def of(cls, contributed: Contributed | str | os.PathLike[str] | None) -> Written:
        """Read it, where it is a path."""
        if contributed is None:
            return cls(None, "")
        if isinstance(contributed, Contributed):
            return cls(contributed, ", contributed=contributed")
        return cls(read_contributed(contributed), f", contributed={os.fspath(contributed)!r}")


def door(production: ProductionMap, name: str, *, written: Written) -> str:
    """Return the front door of a service as a card."""
    card = production.front_door(name, contributed=written.what)._repr_html_()
    return card + code(f"production.front_door({name!r}{written.call})")


def link(production: ProductionMap, src: str, dst: str) -> str:
    """Return why two services are thought to be linked: in one sentence, and source by source where a model tells."""
    title = f"<h3>{html.escape(src)} and {html.escape(dst)}</h3>"
    return title + f"<p>{html.escape(production.explain(src, dst))}</p>" + _sources(production, src, dst)


def _sources(production: ProductionMap, src: str, dst: str) -> str:
    """Return what each source of evidence says of a link, and the calls that give all of it."""
    call = f"production.explain({src!r}, {dst!r})"
    model = production.whole._model
    if model is None:
        return f"<p>Source by source: pass the model, ProductionMap(..., model=model).</p>{code(call)}"
    try:
        told = model.explain(src, dst)._repr_html_()
    except StanzaError as error:  # traced or declared, and never seen in alerts
        told = f"<p>{html.escape(str(error))}</p>"
    return told + code(f"{call}, model.explain({src!r}, {dst!r})")


def bundle(production: ProductionMap, here: str, there: str) -> str:
    """Return the surest links between two clusters (or a service and a cluster) in words."""
    one, two = (_services(production, name) for name in (here, there))
    links = production.whole.links
    ends = links["src"].isin(one) & links["dst"].isin(two) | links["src"].isin(two) & links["dst"].isin(one)
    said = [words.link(row) for row in links[ends].head(_TOP).to_dict("records")]
    count = words.count(int(ends.sum()), "link")
    first = "" if ends.sum() <= _TOP else f", the surest {_TOP}"
    return f"<h3>{html.escape(here)} and {html.escape(there)}</h3><p>{count}{first}:</p>{_listing(said)}"


def cluster(production: ProductionMap, name: str) -> str:
    """Return what a cluster has, and how it hangs together with the view."""
    members = _services(production, name)
    across = production.neighbours()
    said = list(across.loc[across["cluster"] == name, "words"])
    listed = words.listing(members, top=_TOP)
    return (
        f"<h3>{html.escape(words.cluster(name))}</h3>{_listing(map(words.sentence, said))}"
        f"<p>{words.count(len(members), 'service')}: {html.escape(listed)}.</p>"
    )


def blast(production: ProductionMap, service: str) -> str:
    """Return who is hit if `service` fails."""
    hit = production.blast_radius(service)
    title = f"<h3>If {html.escape(service)} fails</h3>"
    if hit.empty:
        return f"{title}<p>Nobody is known to depend on it.</p>"
    more = f"<p>and {len(hit) - _TOP:,} more</p>" if len(hit) > _TOP else ""
    return title + _listing(hit["words"].head(_TOP)) + more + code(f"production.blast_radius({service!r})")


def told(title: str, text: str) -> str:
    """Return a title and a text."""
    return f"<h3>{html.escape(title)}</h3><p>{html.escape(text)}</p>"


def trouble(error: Exception) -> str:
    """Return an error in words: those of this package say what to do, any other says what it is."""
    said = str(error) if isinstance(error, StanzaError) else f"{type(error).__name__}: {error}"
    return f'<p role="alert"><b>This did not work.</b> {html.escape(said)}</p>'


def code(call: str) -> str:
    """Return a call as text that one click selects."""
    return (
        '<p>The same in one call:</p><pre class="stanza-call" tabindex="0" style="user-select:all;white-space:pre-wrap;'
        f'word-break:break-word">{html.escape(call)}</pre>'
    )


def _services(production: ProductionMap, name: str) -> list[str]:
    clusters = production.whole.clusters
    return list(clusters.index[clusters == name]) or [name]


def _listing(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""
