"""The production map: what is made of edges and alerts, somebody's place on it, front doors, and the map in time."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from stanza_lab import _params, schema
from stanza_lab.production import tables
from stanza_lab.production.door import front_door
from stanza_lab.production.door.contributed import Contributed, read_contributed
from stanza_lab.production.place import onboarding, picking
from stanza_lab.production.place.profile import Profile, read_profile
from stanza_lab.production.views import MapViews

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import pandas as pd

    from stanza_lab.dependencies import DependencyModel
    from stanza_lab.production.door.front_door import FrontDoor
    from stanza_lab.production.place.onboarding import Place


class ProductionMap(MapViews):
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
        listed = set() if ownership is None else set(ownership["service"].dropna())
        self._unmapped = sorted(listed - set(self._services["service"]))
        self._alerts, self._ownership, self._model = alerts, ownership, model
        self.focus = None
        self._parent = None

    @classmethod
    def from_tables(
        cls,
        edges: pd.DataFrame,
        *,
        services: pd.DataFrame,
        ownership: pd.DataFrame | None = None,
        usual: pd.DataFrame | None = None,
    ) -> ProductionMap:
        """Return the map that had these `edges` and `services`: what a bundle keeps is enough to restore it.

        `usual` are sums of its alerts per service, as `Usual` tells them: what `rank_origins` takes for usual.
        """
        restored = cls(edges, ownership=ownership)
        restored._usual = usual
        known = services.astype({name: restored._services[name].dtype for name in restored._services.columns})
        restored._services = known.sort_values("service", ignore_index=True)
        return restored

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
        from stanza_lab.production.past import past_map as past

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
        from stanza_lab.production.past import changes

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
        from stanza_lab.production.past import replay

        return replay.states(replay.choose(self, incident, since=since, until=until, step=step))
