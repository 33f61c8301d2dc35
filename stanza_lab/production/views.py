"""What one sees on the map from a service or a team: its surroundings, ways between two, who is hit, whom to wake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from stanza_lab import _params
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.production import links, neighbours, words
from stanza_lab.production.contents import MapContents
from stanza_lab.production.focus import DIRECTIONS, Direction, Focus
from stanza_lab.production.spread import blast_radius, paths, responsible

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.production.place.profile import Profile


class MapViews(MapContents):
    """The verbs that need the graph and its alerts, nothing else; all of them see only the view they are asked on."""

    def near(
        self, service: str, *, hops: int = 2, direction: Direction = "both", min_confidence: float | None = None
    ) -> Self:
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

    def team(self, name: str | Profile) -> Self:
        """Return the sub-graph of a team, with its neighbours behind its `border`.

        Parameters
        ----------
        name : str or Profile
            A team, a cluster of services without one (see `clusters`), or what somebody said is theirs (`onboard`).

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
        called = name if isinstance(name, str) else name.name
        view.focus = self._focus(view, "team", called, None, "both", 0.0)
        return view

    def next_clusters(self, name: str | Profile, *, min_confidence: float | None = None) -> pd.DataFrame:
        """Return who comes next at the edges of a team.

        Parameters
        ----------
        name : str or Profile
            A team, a cluster of services without one (see `clusters`), or what somebody said is theirs (`onboard`).
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
        return self.team(name).neighbours(min_confidence=min_confidence)

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

    def paths(
        self, src: str, dst: str, *, hops: int = 5, top: int = 5, min_confidence: float | None = None
    ) -> pd.DataFrame:
        """Return how two services hang together: the surest paths between them, each with its weakest link.

        Links are walked either way at every step, so a path may also lead through a dependency that both share;
        `direction` says what it comes to. On a view only what is in the view is walked.

        Parameters
        ----------
        src, dst : str
            The two services, in any order.
        hops : int, default 5
            Most links of a path; a larger value finds longer detours.
        top : int, default 5
            Most paths.
        min_confidence : float, optional
            From 0 to 1: probability that there is a dependency, whichever way (`link_confidence`). Inferred links below
            are not walked; traced and declared ones always are. Default: `usual_confidence`.

        Returns
        -------
        DataFrame
            One row per path that visits no service twice, the surest first; empty when no path of so many hops is left.
            `rank` (from 1), `services` (list of str, from `src` to `dst`), `hops`, `confidence` (that all its links are
            there: the product of their `strength`), `weakest` ("a -> b"), `weakest_confidence`, `direction`
            ("forward": `src` depends on `dst` through it; "back"; "both"; "mixed": its links point both ways;
            "unknown"), `lag_s` (seconds from the alert of `dst` to that of `src`; null where a link has none),
            `words`. `attrs["words"]` says so where there are too many detours to look at all of them.

        Raises
        ------
        UnknownNameError
            There is no such service.
        ParameterError
            `src` and `dst` are the same, or a parameter is outside its range.

        Examples
        --------
        >>> import pandas as pd
        >>> from stanza_lab import ProductionMap
        >>> edges = pd.DataFrame({"src": ["shop", "cart"], "dst": ["cart", "cart-db"], "confidence": [0.9, 0.6]})
        >>> ProductionMap(edges).paths("shop", "cart-db")["words"][0]
        'shop - cart - cart-db, 2 hops; weakest link cart - cart-db (0.60, known from alerts only); shop depends ...'
        """
        for service in (src, dst):
            self._known(service)
        if src == dst:
            raise ParameterError(f"src and dst are both {src!r}; pass two services")
        _params.at_least(hops, "hops", 1)
        _params.at_least(top, "top", 1)
        pairs = self._links[self._links["strength"] >= self._least(min_confidence)]
        return paths.surest(pairs, src, dst, hops=hops, top=top)

    def blast_radius(
        self, service: str, *, hops: int = 3, window: _params.Duration = "15min", min_confidence: float | None = None
    ) -> pd.DataFrame:
        """Return who is hit if a service fails or changes, how likely, how much later, and which alerts would fire.

        Links say how likely each service depends on it, over all paths, a link that two paths share counted once.
        Trouble travels a link seven times in ten and is noticed as often, less at services that rarely alert. History
        says more: around each firing of `service` it is weighed, by who else fired, whether `service` itself failed; in
        those firings it counts who followed, less what they do by chance. The links are worth eight failures; the
        more there were, the more history decides. On a view only what is in the view is asked.

        Parameters
        ----------
        service : str
            What fails or changes.
        hops : int, default 3
            Most links that trouble travels; a larger value reaches further.
        window : str or Timedelta, default "15min"
            How soon an alert must come to count as following. Longer finds slower effects and more of what is chance.
        min_confidence : float, optional
            From 0 to 1: probability that there is a dependency, whichever way (`link_confidence`). Inferred links below
            are not walked. Default: all are walked, a faint link carries faint probability, and many add up.

        Returns
        -------
        DataFrame
            One row per service with `depends` or `hit` of 0.05 or more, the likeliest hit first: `service`, `team`
            (null when unknown), `hops` (Int64, of the likeliest path; null without one), `depends` (probability that it
            depends on `service`, directly or through others: whom to tell of a change), `hit` (probability that it
            alerts within `window` when `service` fails), `low` and `high` (nine tenths interval of `hit`), `followed`
            and `firings` (around how many firings of `service` it fired too, of how many), `lag_s` (seconds from the
            first alert of `service` to its own, median; negative when it fires first; from the links where it rarely
            followed), `lag_low_s` and `lag_high_s` (tenth and nine tenths; null where it rarely followed), `alerts`
            (list of str, what it would likely raise, with in which share of its alarms), `via` (list of str, the
            likeliest path from `service`), `basis` ("edges", "history" or "both"), `words`.
            `attrs["unseen"]` lists the services among them that never alert and so may be hit unseen,
            `attrs["words"]` says what it all comes to and what it is known from.

        Raises
        ------
        UnknownNameError
            There is no such service.

        Examples
        --------
        >>> import pandas as pd
        >>> from stanza_lab import ProductionMap
        >>> edges = pd.DataFrame({"src": ["shop", "cart"], "dst": ["cart", "cart-db"], "confidence": [0.9, 0.6]})
        >>> ProductionMap(edges).blast_radius("cart-db")[["service", "hops", "depends", "hit", "via", "basis"]].round(1)
          service  hops  depends  hit                    via  basis
        0    cart     1      0.6  0.3        [cart-db, cart]  edges
        1    shop     2      0.5  0.2  [cart-db, cart, shop]  edges
        """
        self._known(service)
        _params.at_least(hops, "hops", 1)
        least = 0.0 if min_confidence is None else _params.fraction(min_confidence, "min_confidence")
        span = _params.duration(window, "window")
        return blast_radius.blast_radius(self, service, hops=hops, window=span, min_confidence=least)

    def whom_to_wake(
        self, service: str, *, at: str | pd.Timestamp | None = None, hops: int = 3, min_confidence: float | None = None
    ) -> pd.DataFrame:
        """Return whose a service in trouble is likely to be, team by team, with reasons.

        Suspects are the service itself and what it depends on. Each is weighed by how well its failure explains who
        fired and who stayed silent: in the 15 minutes before `at`, or without it in the past firings of the service,
        where the links are worth ten of them. Those reached through the same service count together: if many callers
        of an API fire, that is no more against its database than against itself. Alerts after `at` are not looked at,
        but the links are the map's, learnt from all of its alerts: ``as_of(at).whom_to_wake(service, at=at)`` asks with
        the links of then.

        Parameters
        ----------
        service : str
            The service in trouble.
        at : str or Timestamp, optional
            The moment; without a zone it is UTC. Default: no moment, what is usually behind it.
        hops : int, default 3
            Most links from the service to a suspect.
        min_confidence : float, optional
            From 0 to 1: probability that there is a dependency, whichever way (`link_confidence`). Inferred links below
            are not walked. Default: all are, as far as they are likely.

        Returns
        -------
        DataFrame
            One row per team, the likeliest first; the team of `service` always among them. `rank` (from 1), `team` (a
            service whose team is unknown stands for its own: "team not known (service x)"), `probability` (that the
            cause is a service of theirs, given that it is one of the suspects), `suspects` (list of str, the likeliest
            first), `on_call` (of the ownership catalogue, null when not known), `wake`, `reasons` (list of str) and
            `words`.
            `wake` is "wake now" from 0.5 (likelier theirs than not), "ask first" from 0.2 and for the service's own
            team, else "let sleep". It is never more than "ask first" where no team and no on-call is known, or where no
            alert speaks for it: with `at`, the service, a suspect or one whom the suspect would hit (0.2 or more) must
            have fired in these 15 minutes; without, the service must have fired before. `attrs["words"]` says what it
            is known from and what could not be seen.

        Raises
        ------
        UnknownNameError
            There is no such service.
        ParameterError
            `at` was passed and the map has no alerts, or it lies before the first or more than a day after the last.

        Notes
        -----
        Measured by ``benchmarks/blast.py``: on simulated productions with weeks of history its probabilities hold, and
        it names the right team first in 83 of 100 cases, among the first three in 96 (most alerts: 70 and 89). On two
        recordings of about a day, with little to learn links from, counting alerts did better and its probabilities
        were too high.

        Examples
        --------
        >>> import pandas as pd
        >>> from stanza_lab import ProductionMap
        >>> edges = pd.DataFrame({"src": ["shop", "cart"], "dst": ["cart", "cart-db"], "confidence": [0.9, 0.6]})
        >>> teams = pd.DataFrame({"service": ["shop", "cart", "cart-db"], "team": ["web", "web", "storage"]})
        >>> ProductionMap(edges, ownership=teams).whom_to_wake("shop")[["team", "suspects", "wake"]]
              team      suspects       wake
        0      web  [shop, cart]  ask first
        1  storage     [cart-db]  let sleep
        """
        self._known(service)
        _params.at_least(hops, "hops", 1)
        least = 0.0 if min_confidence is None else _params.fraction(min_confidence, "min_confidence")
        moment = None if at is None else _params.instant(at, "at")
        return responsible.whom_to_wake(self, service, at=moment, hops=hops, min_confidence=least)

    def _focus(
        self,
        view: MapContents,
        kind: Literal["service", "team"],
        name: str,
        hops: int | None,
        direction: Direction,
        min_confidence: float,
    ) -> Focus:
        cut = len(self._services) - len(view._services), len(self._links) - len(view._links)
        return Focus(kind, name, hops, direction, min_confidence, *cut)
