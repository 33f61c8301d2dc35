"""What a production map holds: its tables, the graph they make, clusters, and the border of a view."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import networkx as nx
import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import UnknownNameError
from stanza_lab.production import display, links, neighbours, tables, words

if TYPE_CHECKING:
    from collections.abc import Collection

    from stanza_lab.dependencies import DependencyModel
    from stanza_lab.production.focus import Focus
    from stanza_lab.production.place.profile import Profile


class MapContents:
    """The tables of a map or a view of one, and what follows from them; `ProductionMap` adds what one may ask."""

    focus: Focus | None
    _edges: pd.DataFrame
    _services: pd.DataFrame
    _alerts: pd.DataFrame | None
    _ownership: pd.DataFrame | None
    _model: DependencyModel | None
    _unmapped: list[str]
    _usual: pd.DataFrame | None = None  # sums of alerts that did not come along
    _parent: Self | None

    @property
    def services(self) -> pd.DataFrame:
        """One row per service, sorted by name.

        Columns `service`, `team` (null when unknown), `alerts` (int64), `incidents` (Int64, null when the alerts
        carry no `incident_id`), `first_seen`, `last_seen` (null when it never alerts), `environment`. A view made by
        `near` adds `hops`, the distance from where it starts (int64).
        """
        return self._services.copy(deep=False)

    @property
    def edges(self) -> pd.DataFrame:
        """The edges, one row per direction, `schema.EDGES`, in the order given."""
        return self._edges.copy(deep=False)

    @property
    def links(self) -> pd.DataFrame:
        """The links, one row per pair of services, the surest first.

        The columns of `edges`, from the likelier direction, and `back` (probability of the other way), `direction`
        ("forward": `src` depends on `dst`, which is at least twice as likely as the other way, or was seen; "both":
        each way is likelier than not; "unknown"), `seen` (traced or declared), `strength` (`link_confidence`, the
        probability of a dependency whichever way; 1 when seen). Edges of a service to itself are no links.
        """
        return self._links.copy(deep=False)

    @cached_property
    def _links(self) -> pd.DataFrame:
        return links.of(self._edges)

    @property
    def teams(self) -> list[str]:
        """The teams that are known, sorted."""
        return sorted(self._services["team"].dropna().unique())

    @property
    def alerts(self) -> pd.DataFrame | None:
        """The alerts of the services on the map, `schema.ALERTS`; None where the map was made without."""
        table = self.whole._alerts
        if table is None or self._parent is None:
            return None if table is None else table.copy(deep=False)
        return table[table["service"].isin(set(self._services["service"]))]

    @property
    def ownership(self) -> pd.DataFrame | None:
        """The ownership catalogue, `schema.OWNERSHIP`; None where the map was made without."""
        table = self.whole._ownership
        return None if table is None else table.copy(deep=False)

    @property
    def whole(self) -> Self:
        """The map this view was cut from, or itself."""
        return self if self._parent is None else self._parent.whole

    @cached_property
    def graph(self) -> nx.DiGraph:
        """The map as a directed graph; nodes carry the columns of `services`, edges those of `edges`. Read-only."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        rows = self._services.set_index("service")
        known: list[Any] = rows.to_dict("records")
        graph.add_nodes_from(zip(rows.index, known, strict=True))
        rest: list[Any] = self._edges.drop(columns=["src", "dst"]).to_dict("records")
        graph.add_edges_from(zip(self._edges["src"], self._edges["dst"], rest, strict=True))
        frozen: nx.DiGraph[str] = nx.freeze(graph)
        return frozen

    @cached_property
    def clusters(self) -> pd.Series:
        """The cluster of each service: its team, or where that is unknown the community of the graph it sits in."""
        if self._parent is not None:
            return self.whole.clusters[self._services["service"]]
        return neighbours.clusters(self._services, self._links)

    @cached_property
    def usual_confidence(self) -> float:
        """The probability of a dependency, whichever way, from which links are worth a look.

        0.5; where fewer links reach it than the whole map has services (at least 10), that of so many of the surest.
        """
        if self._parent is not None:
            return self.whole.usual_confidence
        return neighbours.usual(self._links, least=max(10, len(self._services)))

    @property
    def caution(self) -> str:
        """What to say first where too few links reach 0.5 and fainter ones are shown for want of them; else empty."""
        team = self.focus is not None and self.focus.kind == "team"
        pairs = [self._links["strength"], self.border["strength"]] if team else [self._links["strength"]]
        return neighbours.caution(pd.concat(pairs).to_frame(), self.usual_confidence)

    @property
    def heading(self) -> str:
        """What is on the map, in words: "26 services within 2 hops of checkout"."""
        size = words.count(len(self._services), "service")
        if self.focus is not None:
            return f"{size} {self.focus.where}"
        return f"{size}, {words.count(len(self.teams), 'team')}" if self.teams else size

    @cached_property
    def border(self) -> pd.DataFrame:
        """The links a view was cut along, seen from inside: `ours`, `theirs`, `cluster`, `direction`, `lead_s` ..."""
        parent = self if self._parent is None else self._parent
        return neighbours.border(parent._links, set(self._services["service"]), self.whole.clusters)

    def neighbours(self, *, min_confidence: float | None = None) -> pd.DataFrame:
        """Return who comes next over the border of this view.

        Parameters
        ----------
        min_confidence : float, optional
            From 0 to 1: probability that there is a dependency, whichever way (`link_confidence`). Inferred links below
            do not count. Default: `usual_confidence`.

        Returns
        -------
        DataFrame
            One row per neighbouring cluster, the surest first, with the columns of `ProductionMap.next_clusters`; empty
            for a whole map, which has no border.
        """
        across = self.border[self.border["strength"] >= self._least(min_confidence)]
        beyond = self.whole.clusters.drop(self._services["service"])  # a profile may take some of a team's services
        return neighbours.summarize(across, beyond, set(self.whole.teams))

    @cached_property
    def unseen(self) -> pd.DataFrame:
        """What could not be seen: one row per kind of gap with `what`, `services` (names), `words` ("the team of ...").

        Links of `usual_confidence` and more count as known.
        """
        table, known = self._services, self.whole._links
        known = known[known["strength"] >= self.usual_confidence]
        unsaid = known[known["direction"] == "unknown"]
        linked, undirected = (table["service"].isin({*rows["src"], *rows["dst"]}) for rows in (known, unsaid))
        only_traced = self._links.loc[self._links["verdict"] == "trace-only", "dst"]
        names, bar = table["service"], f"{self.usual_confidence:g}"
        told = self.whole._alerts is not None or self.whole._services["alerts"].any()
        silent = "what happens there shows only in others" if told else "the map was made without alerts"
        gaps: list[tuple[str, str, Collection[str]]] = [
            ("alerts", f"any alert of {{}}: {silent}", names[table["alerts"] == 0]),
            ("team", "the team of {}", names[table["team"].isna()]),
            ("dependency", f"a dependency of {{}} with probability {bar} or more", names[~linked]),
            ("direction", "which way a dependency of {} points", names[undirected]),
            ("need", "from alerts alone, that others need {}: traces show it", names[names.isin(only_traced)]),
            ("catalogue", "any sign of {} that the ownership catalogue names", self._unmapped),
        ]
        rows = [
            {"what": what, "services": list(some), "words": said.format(words.count(len(some), "service"))}
            for what, said, some in gaps
            if len(some)
        ]
        return pd.DataFrame(rows, columns=["what", "services", "words"])

    def __repr__(self) -> str:
        """Say in one line how much is on the map and what it was cut to."""
        size = ", ".join(
            words.count(number, thing)
            for number, thing in (
                (len(self._services), "service"),
                (len(self.teams), "team"),
                (len(self._links), "link"),
            )
        )
        return f"ProductionMap({size}{'' if self.focus is None else '; ' + self.focus.words})"

    def _repr_html_(self) -> str:
        return display.page(self.heading, self._services, self._links, self.unseen["words"])

    def _known(self, service: str) -> None:
        if not (self._services["service"] == service).any():
            raise UnknownNameError.among("service", service, self._services["service"])

    def _least(self, min_confidence: float | None) -> float:
        return self.usual_confidence if min_confidence is None else _params.fraction(min_confidence, "min_confidence")

    def _members(self, name: str | Profile) -> pd.Index:
        if not isinstance(name, str):
            return pd.Index(name.on(self._services["service"]))
        members = self.clusters.index[self.clusters == name]
        if members.empty:
            if self.teams:
                raise UnknownNameError.among("team", name, self.teams)
            known = words.listing(map(repr, sorted(set(self.clusters))), top=8)
            raise UnknownNameError(f"team {name!r} not found; no team is known here, only communities: {known}")
        return members

    def _cut(self, inside: set[str], edges: pd.DataFrame) -> Self:
        view = object.__new__(type(self))
        within = edges["src"].isin(inside) & edges["dst"].isin(inside)
        view._edges = edges[within].reset_index(drop=True)
        rows = self._services[self._services["service"].isin(inside)]
        view._services = rows[list(tables.COLUMNS)].reset_index(drop=True)
        view._alerts = view._ownership = view._model = None  # these are the whole map's
        view._unmapped = []
        view._parent = self
        view.focus = None
        return view
