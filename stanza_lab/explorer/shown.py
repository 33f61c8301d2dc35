"""What a figure of the map shows that can be picked, what it says in words, and its frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stanza_lab.errors import UnknownNameError
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from stanza_lab.production import ProductionMap

_KINDS = ("service", "cluster", "link", "links")


@dataclass(frozen=True)
class Picked:
    """Something on the map: a service, a cluster, a link, or the links between two clusters."""

    kind: str
    ends: tuple[str, ...]

    @classmethod
    def of(cls, customdata: Sequence[Any]) -> Picked:
        """Return what the `customdata` of a point names: its kind, then one name or two."""
        kind, *ends = map(str, customdata)
        if kind not in _KINDS or len(ends) != (2 if kind.startswith("link") else 1):
            raise UnknownNameError(f"{list(customdata)} names nothing on the map")
        return cls(kind, tuple(ends))

    @classmethod
    def named(cls, production: ProductionMap, what: str | tuple[str, str]) -> Picked:
        """Return what somebody names: a service, a cluster, or the two ends of a link."""
        services = production.whole.services["service"]
        if not isinstance(what, str):
            return cls("link", tuple(what))
        if (services == what).any():
            return cls("service", (what,))
        clusters = set(production.whole.clusters)
        if what in clusters:
            return cls("cluster", (what,))
        raise UnknownNameError.among("service or team", what, {*services, *clusters})

    @property
    def name(self) -> str | tuple[str, str]:
        """The name, or the two ends."""
        return self.ends[0] if len(self.ends) == 1 else (self.ends[0], self.ends[1])

    @property
    def words(self) -> str:
        """What to call it in a list."""
        if self.kind == "service":
            return self.ends[0]
        if self.kind == "cluster":
            return f"{words.cluster(self.ends[0])} (several services)"
        return f"{'link' if self.kind == 'link' else 'links'}: {' – '.join(self.ends)}"


def pickable(figure: go.Figure) -> list[Picked]:
    """Return all that can be picked in `figure`: services, clusters, then links, each by name."""
    found = {
        Picked.of(point)
        for trace in figure.data
        if trace.customdata is not None
        for point in trace.customdata
        if not isinstance(point, str) and len(point) > 1 and point[0] in _KINDS
    }
    return sorted(found, key=lambda picked: (_KINDS.index(picked.kind), picked.ends))


def described(figure: go.Figure, production: ProductionMap) -> str:
    """Return the picture in words."""
    meta = figure.layout.meta
    return str(meta["description"]) if isinstance(meta, dict) and "description" in meta else production.heading


def frames_of(figure: go.Figure) -> list[str]:
    """Return the names of the steps of a replay."""
    return [str(frame.name) for frame in figure.frames]
