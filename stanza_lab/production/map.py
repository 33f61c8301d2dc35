"""The production map: a graph of services, cut down to what is somebody's concern."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import networkx as nx
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import UnknownNameError
from stanza_lab.production import display, links, neighbours, tables, words

Direction = Literal["upstream", "downstream", "both"]
DIRECTIONS = ("upstream", "downstream", "both")


@dataclass(frozen=True)
class Focus:
    """What a view was cut to, and how much of the map it was cut from it leaves out."""

    kind: Literal["service", "team"]
    name: str
    hops: int | None
    direction: Direction
    min_confidence: float
    services_cut: int
    links_cut: int

    @property
    def where(self) -> str:
        """Which services, as it follows "26 services ..."."""
        if self.kind == "team":
            return self.name if words.cluster(self.name) != self.name else f"of {self.name}"
        way = {"both": "", "upstream": ", upstream (its callers)", "downstream": ", downstream (what it calls)"}
        return f"within {words.count(self.hops or 0, 'hop')} of {self.name}{way[self.direction]}"

    @property
    def words(self) -> str:
        """The cut in words."""
        left = f"{words.count(self.services_cut, 'service')} and {words.count(self.links_cut, 'link')} left out"
        if self.kind == "team":
            return f"the services {self.where}; {left}"
        way = ", either way" if self.direction == "both" else ""
        sure = f" over links of at least {self.min_confidence:g}" if self.min_confidence else ""
        return f"{self.where}{way}{sure}; {left}"


class ProductionMap:
    """Hold services and their dependencies as one map, and cut it down to what concerns somebody.

    An edge says that `src` depends on `dst`: it calls it, and trouble travels from `dst` to `src`. Seen from a
    service, **downstream** is what it depends on (along the edges), **upstream** is who depends on it (against the
    edges, its callers). A *link* is a pair of services, whichever way: alerts tell that two are linked much sooner than
    which depends on which, so links are what is counted, filtered (`min_confidence`) and drawn. A map never changes:
    every verb returns a new one.

    Parameters
    ----------
    edges : DataFrame
        One row per directed pair, `schema.EDGES`; `src`, `dst` and `confidence` must be there. Where a pair has no
        `link_confidence` it becomes 1 - (1 - c)(1 - c'), with c and c' the confidences of its two directions.
    alerts : DataFrame, optional
        `schema.ALERTS`; `service` and `starts_at` must be there, `team`, `environment` and `incident_id` are used
        when they are. Services that alert and have no edge are on the map too. Default: only what edges say.
    ownership : DataFrame, optional
        `schema.OWNERSHIP`; `service` and `team` must be there. It wins over the team that alerts name most often.

    Raises
    ------
    SchemaError
        A column is missing or malformed, or a pair of services has more than one row.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import ProductionMap
    >>> edges = pd.DataFrame(
    ...     {"src": ["shop", "orders"], "dst": ["orders", "orders-db"], "confidence": [0.9, 0.8], "lag_s": [20, 40]}
    ... )
    >>> teams = pd.DataFrame({"service": ["shop", "orders", "orders-db"], "team": ["web", "orders", "storage"]})
    >>> production = ProductionMap(edges, ownership=teams)
    >>> production
    ProductionMap(3 services, 3 teams, 2 links)
    >>> production.near("shop", hops=1)
    ProductionMap(2 services, 2 teams, 1 link; within 1 hop of shop, either way over links of at least 0.5; ...)
    >>> production.next_clusters("orders")["words"][1]
    'the next cluster over is storage, 1 service, through orders-db, usually 40 s before you, ...'
    """

    def __init__(
        self, edges: pd.DataFrame, alerts: pd.DataFrame | None = None, *, ownership: pd.DataFrame | None = None
    ) -> None:
        self._edges = tables.complete(edges)
        if alerts is not None:
            alerts = schema.check(alerts, schema.ALERTS, need=["service", "starts_at"])
        if ownership is not None:
            ownership = schema.check(ownership, schema.OWNERSHIP, need=["service", "team"])
        self._services = tables.describe(self._edges, alerts, ownership)
        self._unmapped = sorted(set(() if ownership is None else ownership["service"]) - set(self._services["service"]))
        self.focus: Focus | None = None
        self._parent: ProductionMap | None = None

    @classmethod
    def from_tables(cls, edges: pd.DataFrame, *, services: pd.DataFrame) -> ProductionMap:
        """Return the map that had these `edges` and `services`: what a bundle keeps is enough to restore it."""
        restored = cls(edges)
        known = services.astype({name: restored._services[name].dtype for name in restored._services.columns})
        restored._services = known.sort_values("service", ignore_index=True)
        return restored

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
    def whole(self) -> ProductionMap:
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
        gaps: list[tuple[str, str, Collection[str]]] = [
            ("alerts", "any alert of {}: what happens there shows only in others", names[table["alerts"] == 0]),
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

    def near(
        self, service: str, *, hops: int = 2, direction: Direction = "both", min_confidence: float | None = None
    ) -> ProductionMap:
        """Return the part of the map around a service.

        Parameters
        ----------
        service : str
            Where to start.
        hops : int, default 2
            How many links to walk; a larger value shows more.
        direction : {"both", "upstream", "downstream"}, default "both"
            "downstream" walks to what it depends on, "upstream" to who depends on it (its callers), "both" walks
            either way at every step, and so also reaches services that share a dependency. A link is followed unless
            it is known to point the opposite way.
        min_confidence : float, optional
            From 0 to 1: probability that there is a dependency, whichever way (`link_confidence`). Inferred links below
            are neither walked nor kept; traced and declared ones always are. Default: `usual_confidence`.

        Returns
        -------
        ProductionMap
            A view; its `focus` says what was cut, its `whole` is the map it came from.

        Raises
        ------
        UnknownNameError
            There is no such service.

        Examples
        --------
        >>> import pandas as pd
        >>> from stanza_lab import ProductionMap
        >>> edges = pd.DataFrame({"src": ["a", "b", "c"], "dst": ["b", "c", "d"], "confidence": [0.9, 0.9, 0.2]})
        >>> list(ProductionMap(edges).near("b", direction="downstream", min_confidence=0.5).services["service"])
        ['b', 'c']
        """
        self._known(service)
        _params.at_least(hops, "hops", 0)
        _params.choice(direction, "direction", DIRECTIONS)
        least = self._least(min_confidence)
        walked = self._links[self._links["strength"] >= least]
        found = neighbours.hops_from(walked, service, hops=hops, direction=direction)
        kept = self._edges[links.strength(self._edges) >= least]
        view = self._cut(set(found), kept)
        view._services = view._services.assign(hops=view._services["service"].map(found).astype("int64"))
        view.focus = self._focus(view, "service", service, hops, direction, least)
        return view

    def team(self, name: str) -> ProductionMap:
        """Return the sub-graph of a team, with its neighbours behind its `border`.

        Parameters
        ----------
        name : str
            A team, or a cluster of services without one (see `clusters`).

        Returns
        -------
        ProductionMap
            A view of its services and the links between them. `sl.plot.production_map` draws each neighbouring
            cluster as one collapsed node; `next_clusters` puts them in words.

        Raises
        ------
        UnknownNameError
            There is no such team.
        """
        view = self._cut(set(self._members(name)), self._edges)
        view.focus = self._focus(view, "team", name, None, "both", 0.0)
        return view

    def next_clusters(self, name: str, *, min_confidence: float | None = None) -> pd.DataFrame:
        """Return who comes next at the edges of a team.

        Parameters
        ----------
        name : str
            A team, or a cluster of services without one (see `clusters`).
        min_confidence : float, optional
            From 0 to 1: probability that there is a dependency, whichever way (`link_confidence`). Inferred links below
            do not count; a larger value names fewer neighbours. Default: `usual_confidence`.

        Returns
        -------
        DataFrame
            One row per neighbouring cluster, the surest first: `cluster`, `kind` ("team", or "community" where teams
            are unknown), `services` (how many it has), `through` (its services at the border, list of str), `ours`
            (yours), `direction` ("downstream": you depend on it, at least twice as likely as the other way; "upstream";
            "both": each way is likelier than not; "unknown"), `links`, `lag_s` (seconds from its alerts to yours,
            median by co-firings; negative when you fire first), `confidence` (of the surest link; 1 when traced or
            declared), `words`.

        Raises
        ------
        UnknownNameError
            There is no such team.
        """
        across = neighbours.border(self._links, set(self._members(name)), self.clusters)
        across = across[across["strength"] >= self._least(min_confidence)]
        return neighbours.summarize(across, self.clusters, set(self.teams))

    def explain(self, src: str, dst: str) -> str:
        """Return the evidence for one link in words.

        Parameters
        ----------
        src, dst : str
            Its two services, in any order: the words say which depends on which, as far as that is known.

        Returns
        -------
        str
            One sentence.

        Raises
        ------
        UnknownNameError
            There is no such service, or no link between the two.
        """
        for service in (src, dst):
            self._known(service)
        ends = self._links[["src", "dst"]]
        rows = self._links[(ends == [src, dst]).all(axis=1) | (ends == [dst, src]).all(axis=1)]
        if rows.empty:
            linked = ends.to_numpy()[(ends == src).any(axis=1)].ravel()
            raise UnknownNameError(
                f"link between {src!r} and {dst!r} not found; {src!r} is linked with {sorted({*linked} - {src})}"
            )
        return words.link(rows.iloc[0].to_dict())

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

    def _members(self, name: str) -> pd.Index:
        members = self.clusters.index[self.clusters == name]
        if members.empty:
            if self.teams:
                raise UnknownNameError.among("team", name, self.teams)
            known = words.listing(map(repr, sorted(set(self.clusters))), top=8)
            raise UnknownNameError(f"team {name!r} not found; no team is known here, only communities: {known}")
        return members

    def _cut(self, inside: set[str], edges: pd.DataFrame) -> ProductionMap:
        view = object.__new__(ProductionMap)
        within = edges["src"].isin(inside) & edges["dst"].isin(inside)
        view._edges = edges[within].reset_index(drop=True)
        rows = self._services[self._services["service"].isin(inside)]
        view._services = rows[list(tables.COLUMNS)].reset_index(drop=True)
        view._unmapped = []
        view._parent = self
        view.focus = None
        return view

    def _focus(
        self,
        view: ProductionMap,
        kind: Literal["service", "team"],
        name: str,
        hops: int | None,
        direction: Direction,
        min_confidence: float,
    ) -> Focus:
        cut = len(self._services) - len(view._services), len(self._links) - len(view._links)
        return Focus(kind, name, hops, direction, min_confidence, *cut)
