"""Find your place: from a few names somebody knows to what is theirs, how loud it is and who is next to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.production import hours, words
from stanza_lab.production.place import belonging, pager, picking
from stanza_lab.production.place.page import page
from stanza_lab.production.place.profile import Profile

if TYPE_CHECKING:
    import os

    from stanza_lab.production.map import ProductionMap

PICKED = ("name", "kind", "services", "alerts", "why")
_UNNAMED = "my services"


@dataclass(frozen=True, eq=False, repr=False)
class Place:
    """Somebody's place on the map: what they picked, what else is probably theirs, and what follows from it.

    Attributes
    ----------
    picked : DataFrame
        A row per pick: name, kind (service, team, repository, host), services (what it stands for, list of
        str), alerts (int64), why.
    proposed : DataFrame
        What else is probably theirs, the likeliest first: service, team, probability, reasons (list of str), words. See
        Notes of `ProductionMap.onboard`.
    profile : Profile
        All of it to keep: `save` writes it.
    view : ProductionMap
        The services of the profile, with their neighbours behind its border.
    pager_load : DataFrame
        A row per week, oldest first: week (its Monday in `tz`), days (that the history covers), pages (alerts),
        incidents, business, off_hours, sleep_hours, off_hours_share, chronic_share.
    neighbours : DataFrame
        Who comes next, as `ProductionMap.next_clusters` tells.
    words : list of str
        The place in sentences.
    tz : str
        Time zone of `pager_load`.
    production : ProductionMap
        The map it was found on.
    """

    picked: pd.DataFrame
    proposed: pd.DataFrame
    profile: Profile
    view: ProductionMap
    pager_load: pd.DataFrame
    neighbours: pd.DataFrame
    words: list[str]
    tz: str
    production: ProductionMap

    def accept(self, *services: str) -> Place:
        """Return the place with some proposed services, or others of the map, as one's own.

        Parameters
        ----------
        *services : str
            Names of services.

        Returns
        -------
        Place
            A new one, with new proposals.
        """
        self._check(services)
        return self._with(
            accepted=_plus(self.profile.accepted, services), declined=_minus(self.profile.declined, services)
        )

    def decline(self, *services: str) -> Place:
        """Return the place without some services: they are not proposed again, and left out where a pick names them.

        Parameters
        ----------
        *services : str
            Names of services.

        Returns
        -------
        Place
            A new one, with new proposals.
        """
        self._check(services)
        return self._with(
            accepted=_minus(self.profile.accepted, services), declined=_plus(self.profile.declined, services)
        )

    def named(self, name: str) -> Place:
        """Return the place under another name.

        Parameters
        ----------
        name : str
            What views and the profile are to call it.

        Returns
        -------
        Place
            A new one.
        """
        return self._with(name=name)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the profile as a small YAML file; see `Profile.save`.

        Parameters
        ----------
        path : path
            Where to.

        Returns
        -------
        Path
            The file.
        """
        return self.profile.save(path)

    def __repr__(self) -> str:
        """Say in one line how much it is."""
        sizes = [
            words.count(len(self.profile.services), "service"),
            f"{_likely(self.proposed)} more likely",
            words.count(len(self.neighbours), "neighbour"),
        ]
        return f"Place({self.profile.name}: {', '.join(sizes)})"

    def _repr_html_(self) -> str:
        return page(self)

    def _check(self, services: Iterable[str]) -> None:
        for service in services:
            if service not in self.profile.services:
                self.production._known(service)

    def _with(self, **changed: object) -> Place:
        profile = replace(self.profile, **changed)  # type: ignore[arg-type]
        services = [name for name in profile.services if name not in profile.declined]
        kept = replace(profile, services=tuple(_plus(services, profile.accepted)))
        return onboard(self.production, profile=kept, tz=self.tz)


def onboard(
    production: ProductionMap,
    *,
    repos: Iterable[str] = (),
    hosts: Iterable[str] = (),
    services: Iterable[str] = (),
    teams: Iterable[str] = (),
    profile: Profile | None = None,
    tz: str = "UTC",
) -> Place:
    """Return the place on a map of somebody who names a few things; see `ProductionMap.onboard`."""
    hours.zone(tz)
    known = production.choices
    given = {"team": _names(teams, "teams"), "repository": _names(repos, "repos"), "host": _names(hosts, "hosts")}
    rows = [picking.pick(known, kind, names) for kind, names in given.items()]
    rows.append(picking.pick(known, "service", _names(services, "services")))
    before = profile or Profile(name="")
    lost: list[str] = []
    if profile is not None:
        rows, lost = _of_profile(known, profile, rows)
    picked = pd.concat(rows, ignore_index=True).drop_duplicates(["kind", "name"], ignore_index=True)
    mine = [name for some in picked["services"] for name in some]
    ours = [name for name in dict.fromkeys([*mine, *before.services]) if name not in before.declined]
    if not ours and profile is None:
        raise ParameterError(
            "nothing was picked; pass repos=, hosts=, services=, teams= or profile=; production.choices lists what "
            "there is"
        )
    kept = Profile(
        name=before.name or _called(picked),
        services=tuple(sorted(ours)),
        accepted=before.accepted,
        declined=before.declined,
        seen_until=_until(production),
        **{key: _picked(picked, kind, getattr(before, key)) for kind, key in _KEYS.items()},
    )
    return _place(production, picked[list(PICKED)], kept, known, [*lost, *kept.missing(_on(production))], tz)


_KEYS = {"team": "teams", "repository": "repos", "host": "hosts"}


def _place(
    production: ProductionMap,
    picked: pd.DataFrame,
    profile: Profile,
    known: pd.DataFrame,
    lost: Collection[str],
    tz: str,
) -> Place:
    view = production.team(profile)
    mine = set(view.services["service"])
    proposed = belonging.proposals(production, mine, known=known, without=profile.declined)
    weeks = pager.load(production, mine, tz=tz)
    neighbours = view.neighbours()
    said = _words(view, proposed, weeks, neighbours, lost, tz)
    return Place(picked, proposed, profile, view, weeks, neighbours, said, tz, production)


def _of_profile(
    known: pd.DataFrame, profile: Profile, rows: list[pd.DataFrame]
) -> tuple[list[pd.DataFrame], list[str]]:
    """Return the picks of a profile before those in `rows`, and what the map does not know of them."""
    lost, old = [], []
    for kind, key in _KEYS.items():
        for name in getattr(profile, key):
            try:
                old.append(picking.pick(known, kind, [name]))
            except UnknownNameError:
                lost.append(f"{kind} {name}")
    explained = {name for row in (*old, *rows) for some in row["services"] for name in some}
    of_service = known[known["kind"] == "service"].set_index("name")
    for name in profile.services:
        if name in of_service.index and name not in profile.declined and name not in explained:
            row = of_service.loc[[name]].reset_index()
            if name in profile.accepted:
                row = row.assign(why="it was proposed and accepted")
            old.append(row)
    return [*old, *rows], lost


def _words(
    view: ProductionMap,
    proposed: pd.DataFrame,
    weeks: pd.DataFrame,
    neighbours: pd.DataFrame,
    lost: Collection[str],
    tz: str,
) -> list[str]:
    """Return the place in sentences, what matters most first."""
    ours = view.services["service"]
    said = [f"yours: {words.count(len(ours), 'service')} on this map, {words.listing(ours, top=8)}"]
    likely = proposed[proposed["probability"] >= belonging.LIKELY]
    if len(likely):
        said.append(
            f"{words.count(len(likely), 'more service')} probably yours too: {words.listing(likely['service'])}"
        )
    pages, days = int(weeks["pages"].sum()), int(weeks["days"].sum())
    if pages:
        night = int(weeks["sleep_hours"].sum())
        off = int(weeks["off_hours"].sum())
        chronic = float((weeks["chronic_share"].fillna(0) * weeks["pages"]).sum()) / pages
        said.append(
            f"{words.count(pages, 'alert')} in {words.count(days, 'day')}, {pages / days * 7:.1f} a week; {night:,} "
            f"while people sleep and {off:,} in other off hours ({tz}); {100 * chronic:.0f} % are of rules that "
            "fire on a quarter of the days or more"
        )
    elif days:
        said.append(f"no alert in {words.count(days, 'day')}")
    else:
        said.append("how loud it is cannot be seen: the map was made without alerts")
    said += [caution for caution in [view.caution] if caution]
    if len(neighbours):
        said.append(f"next to you: {words.listing(map(words.cluster, neighbours['cluster']))}")
    if lost:
        said.append(f"kept in the profile, but not on this map: {words.listing(dict.fromkeys(lost), top=8)}")
    return [words.sentence(text) for text in said]


def _likely(proposed: pd.DataFrame) -> int:
    return int((proposed["probability"] >= belonging.LIKELY).sum())


def _called(picked: pd.DataFrame) -> str:
    """Return what to call the place of somebody who gave no name: what was picked, when that is one thing."""
    return str(picked["name"].iloc[0]) if len(picked) == 1 else _UNNAMED


def _picked(picked: pd.DataFrame, kind: str, before: Iterable[str]) -> tuple[str, ...]:
    """Return the names picked of one kind, with those of the profile that this map does not know."""
    return tuple(dict.fromkeys([*before, *picked.loc[picked["kind"] == kind, "name"]]))


def _names(given: Iterable[str], what: str) -> list[str]:
    if isinstance(given, str):
        raise ParameterError(f"{what}={given!r} is one text; pass a list: {what}=[{given!r}]")
    return list(given)


def _until(production: ProductionMap) -> str:
    alerts = production.whole.alerts
    last = None if alerts is None else alerts["starts_at"].max()
    return "" if last is None or pd.isna(last) else f"{last:%Y-%m-%d}"


def _on(production: ProductionMap) -> pd.Series:
    return production.services["service"]


def _plus(before: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*before, *more]))


def _minus(before: Iterable[str], less: Iterable[str]) -> tuple[str, ...]:
    gone = set(less)
    return tuple(name for name in before if name not in gone)
