"""The production map: what one may ask of a graph of services, and the views cut from it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.production import (
    blast_radius,
    front_door,
    links,
    neighbours,
    onboarding,
    paths,
    picking,
    responsible,
    tables,
    words,
)
from stanza_lab.production.contents import MapContents
from stanza_lab.production.contributed import Contributed, read_contributed
from stanza_lab.production.focus import DIRECTIONS, Direction, Focus
from stanza_lab.production.profile import Profile, read_profile

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import pandas as pd

    from stanza_lab.dependencies import DependencyModel
    from stanza_lab.production.front_door import FrontDoor
    from stanza_lab.production.onboarding import Place


class ProductionMap(MapContents):
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
    model : DependencyModel, optional
        The fitted model that `edges` came from: what `as_of` and `changes` ask for the map of another day. Default:
        these two are not available.

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
        self,
        edges: pd.DataFrame,
        alerts: pd.DataFrame | None = None,
        *,
        ownership: pd.DataFrame | None = None,
        model: DependencyModel | None = None,
    ) -> None:
        self._edges = tables.complete(edges)
        if alerts is not None:
            alerts = schema.check(alerts, schema.ALERTS, need=["service", "starts_at"])
        if ownership is not None:
            ownership = schema.check(ownership, schema.OWNERSHIP, need=["service", "team"])
        self._services = tables.describe(self._edges, alerts, ownership)
        self._unmapped = sorted(set(() if ownership is None else ownership["service"]) - set(self._services["service"]))
        self._alerts, self._ownership, self._model = alerts, ownership, model
        self.focus = None
        self._parent = None

    @classmethod
    def from_tables(cls, edges: pd.DataFrame, *, services: pd.DataFrame) -> ProductionMap:
        """Return the map that had these `edges` and `services`: what a bundle keeps is enough to restore it."""
        restored = cls(edges)
        known = services.astype({name: restored._services[name].dtype for name in restored._services.columns})
        restored._services = known.sort_values("service", ignore_index=True)
        return restored

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

    def team(self, name: str | Profile) -> ProductionMap:
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
            `words`.

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
        where the links are worth ten of them. Alerts after `at` are not looked at.

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
            team, else "let sleep". `attrs["words"]` says what it is known from and what could not be seen.

        Raises
        ------
        UnknownNameError
            There is no such service.
        ParameterError
            `at` was passed and the map has no alerts.

        Notes
        -----
        Measured by ``benchmarks/blast.py``: on simulated productions with weeks of history its probabilities hold, and
        it names the right team first in 85 of 100 cases (most alerts, or the own team: 70). On two recordings of about
        a day, with little to learn links from, counting alerts did better and its probabilities were too high.

        Examples
        --------
        >>> import pandas as pd
        >>> from stanza_lab import ProductionMap
        >>> edges = pd.DataFrame({"src": ["shop", "cart"], "dst": ["cart", "cart-db"], "confidence": [0.9, 0.6]})
        >>> teams = pd.DataFrame({"service": ["shop", "cart", "cart-db"], "team": ["web", "web", "storage"]})
        >>> ProductionMap(edges, ownership=teams).whom_to_wake("shop")[["team", "suspects", "wake"]]
              team      suspects       wake
        0      web  [shop, cart]   wake now
        1  storage     [cart-db]  let sleep
        """
        self._known(service)
        _params.at_least(hops, "hops", 1)
        least = 0.0 if min_confidence is None else _params.fraction(min_confidence, "min_confidence")
        moment = None if at is None else _params.instant(at, "at")
        return responsible.whom_to_wake(self, service, at=moment, hops=hops, min_confidence=least)

    @property
    def choices(self) -> pd.DataFrame:
        """What `onboard` can be told: services, teams, repositories and hosts seen in the data, most alerts first.

        Columns `kind` (service, team, repository, host), `name`, `services` (what it stands for, list of str), `alerts`
        (of these services; of a host: those that name it), `why` (what says that it stands for them).
        """
        return self._choices.copy(deep=False)

    @cached_property
    def _choices(self) -> pd.DataFrame:
        return picking.choices(self)

    def onboard(
        self,
        *,
        repos: Iterable[str] = (),
        hosts: Iterable[str] = (),
        services: Iterable[str] = (),
        teams: Iterable[str] = (),
        profile: Profile | str | os.PathLike[str] | None = None,
        tz: str = "UTC",
    ) -> Place:
        """Return the place on the map of somebody who names a few things, and what else is probably theirs.

        Parameters
        ----------
        repos, hosts, services, teams : iterable of str, optional
            What is known to be theirs, as `choices` lists it; the last part of a name is enough where it is the only
            one ("payments-api" of "acme/payments-api", the name in an ARN). More of it makes better proposals.
        profile : Profile or path, optional
            What `Place.save` wrote before: what was picked is asked of this map anew, what was accepted and declined
            holds, what this map does not know is kept and said.
        tz : str, default "UTC"
            Time zone of the hours of the pager load, as "Europe/Berlin".

        Returns
        -------
        Place
            `picked`, `proposed`, `pager_load`, `neighbours` (tables), `view` (a map), `words`, `profile`; `accept`,
            `decline` and `named` return a new one, `save` keeps it.

        Raises
        ------
        UnknownNameError
            There is no such thing in the data, or a short name means several.
        ParameterError
            Nothing was picked, or the time zone is not known.
        SchemaError
            The profile cannot be read.

        Notes
        -----
        The probability that a service is theirs adds up, as log odds, the share of its links that go to what they
        picked, repositories, team and hosts in common. The weights come from simulated productions
        with a spoiled catalogue (`benchmarks/onboarding.py`). Services under 0.1 are not proposed.

        Examples
        --------
        >>> import pandas as pd
        >>> import stanza_lab as sl
        >>> edges = pd.DataFrame({"src": ["shop", "orders"], "dst": ["orders", "orders-db"], "confidence": [0.9, 0.9]})
        >>> owned = pd.DataFrame({
        ...     "service": ["shop", "orders", "orders-db"], "team": ["web", None, None],
        ...     "repository": ["acme/shop", "acme/orders", "acme/orders"],
        ... })
        >>> place = sl.ProductionMap(edges, ownership=owned).onboard(services=["orders"])
        >>> place.proposed["service"].tolist()[0]
        'orders-db'
        >>> place.accept("orders-db").profile.services
        ('orders', 'orders-db')
        """
        if profile is not None and not isinstance(profile, Profile):
            profile = read_profile(profile)
        return onboarding.onboard(
            self, repos=repos, hosts=hosts, services=services, teams=teams, profile=profile, tz=tz
        )

    def front_door(
        self, name: str | Profile, *, contributed: Contributed | str | os.PathLike[str] | None = None
    ) -> FrontDoor:
        """Return all there is to know at the door of a service or team: whose, what it does to whom, what helps.

        Parameters
        ----------
        name : str or Profile
            A service, a team, a cluster of services without one (see `clusters`), or what somebody said is theirs
            (`onboard`). Where a service and a team have the same name, the service.
        contributed : Contributed or path, optional
            What teams wrote down, a file or a folder for `read_contributed`: runbooks, diagnostics and mitigations that
            apply here and why, SLOs. Default: none.

        Returns
        -------
        FrontDoor
            Tables `does` (who depends on it), `suffers` (what it depends on), `alerts`, `incidents`, `runbooks`,
            `actions`, `slos`; `words`, `noise`, `cautions` and `unseen` (sentences); a card in a notebook,
            ``print(door)`` in a terminal, `sl.write_front_door` for a page.

        Raises
        ------
        UnknownNameError
            There is no such service or team.
        SchemaError
            A contributed file cannot be read.

        Examples
        --------
        >>> import pandas as pd
        >>> import stanza_lab as sl
        >>> edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9], "lag_s": [40]})
        >>> door = sl.ProductionMap(edges).front_door("orders-db")
        >>> door.does["words"].tolist()
        ['shop depends on it (0.90)']
        """
        if contributed is not None and not isinstance(contributed, Contributed):
            contributed = read_contributed(contributed)
        return front_door.front_door(self, name, contributed=contributed)

    def as_of(self, at: _params.Instant) -> ProductionMap:
        """Return the map as it was at a time.

        Needs the map's `model`: it takes the days since then out of its counts and infers the edges again. A view comes
        back as the same view of the older map: what is near a service is found anew, the services of a team are those
        of today (who owned what then is not known), and what was not there yet is missing.

        Parameters
        ----------
        at : str or Timestamp
            The time; a date means its start, a value without a zone is UTC. Of alerts all before it are known; to
            dependencies they speak once their day (the model's `slice`) was over.

        Returns
        -------
        ProductionMap
            Its edges, services and alerts are those of then; alerts that ended or were acknowledged later are open.
            Traced and declared edges carry no date and stay; `unseen` says so. Before the first alert only these are
            there.

        Raises
        ------
        ParameterError
            The map has no model, or `at` is no time.

        Examples
        --------
        >>> import pandas as pd
        >>> import stanza_lab as sl
        >>> days = pd.date_range("2026-03-01T14:00Z", periods=12, freq="37h")
        >>> times = [*days, *(days + pd.Timedelta("70s"))]
        >>> alerts = pd.DataFrame({"starts_at": times, "service": ["orders-db"] * 12 + ["orders"] * 12})
        >>> model = sl.DependencyModel().fit(alerts)
        >>> production = sl.ProductionMap(model.edges_, alerts, model=model)
        >>> production.as_of("2026-03-05")
        ProductionMap(2 services, 0 teams, 1 link; as of 2026-03-05)
        >>> production.as_of("2026-03-01")
        ProductionMap(0 services, 0 teams, 0 links; as of 2026-03-01)
        """
        from stanza_lab.production import past

        return past.as_of(self, _params.instant(at, "at"))

    def changes(self, since: _params.Instant, *, until: _params.Instant | None = None) -> pd.DataFrame:
        """Return what appeared on the map and what vanished since a time.

        A dependency is on the map from probability 0.5, or where it is traced or declared. That something was seen is
        a fact; that it is new or gone is a claim, made only where the silence before or since would be unlikely: with
        nothing changed, each kind of claim comes up in at most one call in 20.

        Parameters
        ----------
        since : str or Timestamp
            The time, rounded down to the start of its day (the model's `slice`); without a zone it is UTC.
        until : str or Timestamp, optional
            Where to stop looking, rounded down likewise. Default: the end of the model's history.

        Returns
        -------
        DataFrame
            One row per change: `what` ("service gone", "dependency gone", "service appeared", "dependency appeared",
            "became surer", "became less sure", "not judged", in this order), `service` or `src` and `dst`, `before` and
            `after` (link confidence then and now), `at` (last seen when gone, first seen when new), `expected` (days
            with an alert, or with both alerting together, that would have been seen in the silence), `probability` (of
            such a silence if nothing had changed; null where no silence is claimed), `words`. Rows "not judged" count
            what alerts too rarely to tell. Of a view: what touches its services.

        Raises
        ------
        ParameterError
            The map has no model, or the times are not in its history.

        Notes
        -----
        Of a service: given the first, its other n days with an alert may be any of the T days until now if nothing
        changed. That none is among the last L, those of its silence since `since`, has the probability
        C(T - L, n) / C(T, n), with n, T and L divided by D, at least 1: how bursty it is, the squared coefficient of
        variation of its gaps, drawn to that of all services.

        Of a dependency: the same, with the days on which both alert together among those on which one of them does; of
        the two the less convincing one counts, so a service that merely became noisy, quiet or gone loses none. New:
        the same, the other way round in time; a service is never called new, its odds are given.

        Kinds are judged apart. A claim stands below 0.05 / k, with k the number that could get so low, which is known
        before looking at what happened since (Tarone, 1990). What is inferred now and was not then without such proof
        only "became surer": it may have been there all along.

        A service whose monitors were removed, or tuned down, is as silent as one that is gone.

        References
        ----------
        Tarone (1990). A modified Bonferroni method for discrete data. Biometrics 46(2).

        Examples
        --------
        >>> import pandas as pd
        >>> import stanza_lab as sl
        >>> days = pd.date_range("2026-03-01T14:00Z", periods=40, freq="37h")
        >>> times = [*days, *(days[:20] + pd.Timedelta("70s"))]
        >>> alerts = pd.DataFrame({"starts_at": times, "service": ["orders-db"] * 40 + ["orders"] * 20})
        >>> model = sl.DependencyModel().fit(alerts)
        >>> production = sl.ProductionMap(model.edges_, alerts, model=model)
        >>> found = production.changes("2026-04-01")
        >>> found[["what", "service"]].to_numpy().tolist()[0]
        ['service gone', 'orders']
        """
        from stanza_lab.production import changes

        until = None if until is None else _params.instant(until, "until")
        return changes.between(self, _params.instant(since, "since"), until)

    def replay(
        self,
        incident: int | None = None,
        *,
        since: _params.Instant | None = None,
        until: _params.Instant | None = None,
        step: _params.Duration | None = None,
    ) -> pd.DataFrame:
        """Return what each service did while an incident, or a period, went on, step by step.

        Parameters
        ----------
        incident : int, optional
            An `incident_id` of the alerts. Default: what fired in the period from `since` to `until`.
        since, until : str or Timestamp, optional
            The period, instead of an incident; a date means its start, without a zone it is UTC. Default of `until`:
            the last alert.
        step : duration, optional
            Length of a step; longer: fewer steps. Default: the shortest round one that makes at most 60.

        Returns
        -------
        DataFrame
            One row per step and service that has alerted by then, sorted by `frame` (int64, from 0) and `service`:
            `at` (start of the step), `state` ("firing": an alert was open in the step; "acknowledged": all that
            were open are; "recovered"; "end not known": an alert without an end, 30 min after it fired), `alerts` (open
            in the step), `severity` (the worst of these), `since_s` (seconds from its first alert to the end of the
            step), `first` (nothing it depends on, or may depend on, alerted over a minute before it, within two links:
            the first of its path), `title` (of its latest alert). Services that have not alerted yet are left out.

        Raises
        ------
        UnknownNameError
            There is no such incident.
        ParameterError
            Neither or both of an incident and a period are given, the period is empty, or there are over 1,000 steps.
        SchemaError
            The map has no alerts.

        Notes
        -----
        The end is cut where one late recovery would squeeze the rest: after the last alert it looks as long again as
        it took until then, at least 30 min.

        Examples
        --------
        >>> import pandas as pd
        >>> import stanza_lab as sl
        >>> alerts = pd.DataFrame({
        ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z"],
        ...     "ends_at": ["2026-03-01T14:05Z", "2026-03-01T14:06Z"],
        ...     "service": ["orders-db", "orders"],
        ...     "incident_id": [7, 7],
        ... })
        >>> edges = pd.DataFrame({"src": ["orders"], "dst": ["orders-db"], "confidence": [0.9]})
        >>> sl.ProductionMap(edges, alerts).replay(7, step="2min")[["frame", "service", "state", "first"]]
           frame    service      state  first
        0      0  orders-db     firing   True
        1      1     orders     firing  False
        2      1  orders-db     firing   True
        3      2     orders  recovered  False
        4      2  orders-db  recovered   True
        """
        from stanza_lab.production import replay

        return replay.states(replay.choose(self, incident, since=since, until=until, step=step))

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
