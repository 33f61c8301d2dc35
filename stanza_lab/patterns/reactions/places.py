"""Where a reaction would act and whom that touches, asked of the map as it was known at the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab.errors import UnknownNameError
from stanza_lab.patterns.reactions.guardrails import TOUCHED, Touched
from stanza_lab.patterns.reactions.vocabulary import ACTIONS, FIRST_MOVER, ORIGIN
from stanza_lab.production import ProductionMap
from stanza_lab.production.door.pattern import Around, team_of

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.reaction import Reaction

_EDGES = {"src": "str", "dst": "str", "confidence": "float64"}


class Places:
    """The map in time: as of the start of the month where it can be, else as it is today.

    Parameters
    ----------
    production : ProductionMap, optional
        None: services and teams are those of the alerts, nothing is linked, and whom an action touches is not known.
    alerts : DataFrame
        For a map where none is given.
    hindsight : bool
        Ask today's map, whatever the time.
    """

    def __init__(self, production: ProductionMap | None, alerts: pd.DataFrame, *, hindsight: bool) -> None:
        self.given = production is not None
        nothing = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in _EDGES.items()})
        self._today: ProductionMap = production.whole if production is not None else ProductionMap(nothing, alerts)
        self.in_time = self.given and not hindsight and self._today._model is not None
        self._maps: dict[pd.Timestamp | None, tuple[ProductionMap, Around]] = {}
        self._touched: dict[tuple[pd.Timestamp | None, str], Touched] = {}
        owned = self._today.services.dropna(subset=["team"])
        self._teams = dict(zip(owned["service"].astype("str"), owned["team"].astype("str"), strict=True))

    @property
    def words(self) -> str:
        """Which map was asked."""
        if not self.given:
            return "no map was given: nothing is near anything, and whom an action touches is not known"
        if self.in_time:
            return "the map asked is that of the start of the month; traced and declared links carry no date"
        return "the map asked is today's, so links and blast radii were not all known then"

    def around(self, at: pd.Timestamp) -> Around:
        """Return what surrounds services, as known at a time."""
        return self._map(at)[1]

    def team(self, service: str) -> str:
        """Return the team of a service; empty when unknown."""
        if service not in self._teams:
            self._teams[service] = team_of(self._today, service)
        return self._teams[service]

    def touched(self, reaction: Reaction, target: str, at: pd.Timestamp) -> Touched:
        """Return who would be hit if the action failed its target."""
        if not ACTIONS[reaction.action].touches:
            return Touched()
        if not self.given or not target:
            return Touched(known=False)
        key = (self._month(at), target)
        if key not in self._touched:
            self._touched[key] = self._hit(target, at)
        return self._touched[key]

    def target(
        self,
        reaction: Reaction,
        *,
        service: str,
        seen: pd.DataFrame,
        at: pd.Timestamp,
        patterns: Patterns | None,
        pattern: str,
    ) -> str:
        """Return the service to act on; empty where none can be named.

        Parameters
        ----------
        reaction : Reaction
            What would be done.
        service : str
            Where its `when` fits; empty for a pattern.
        seen : DataFrame
            The alerts of the incident by then.
        at : Timestamp
            Now.
        patterns : Patterns, optional
            What was mined.
        pattern : str
            The id of the one recognised; empty for a `when`.
        """
        wanted = reaction.target or (FIRST_MOVER if reaction.pattern else "")
        if wanted == ORIGIN:
            return self._origin(seen, at)
        if wanted == FIRST_MOVER:
            return _first_mover(seen, patterns, pattern)
        return wanted or service

    def _origin(self, seen: pd.DataFrame, at: pd.Timestamp) -> str:
        from stanza_lab.production.spread.origins import rank_origins

        if not self.given:
            return ""
        ranked = rank_origins(self._map(at)[0], alerts=seen, at=at, top=1)
        return "" if ranked.empty or pd.isna(ranked["service"].iloc[0]) else str(ranked["service"].iloc[0])

    def _hit(self, target: str, at: pd.Timestamp) -> Touched:
        try:
            found = self._map(at)[0].blast_radius(target)
        except UnknownNameError:
            return Touched(known=False)
        services = tuple(found.loc[found["hit"] >= TOUCHED, "service"])
        teams = {self.team(name) for name in services} - {"", self.team(target)}
        return Touched(services, tuple(sorted(teams)))

    def _map(self, at: pd.Timestamp) -> tuple[ProductionMap, Around]:
        key = self._month(at)
        if key not in self._maps:
            production = self._today if key is None else self._today.as_of(key)
            self._maps[key] = production, Around(production)
        return self._maps[key]

    def _month(self, at: pd.Timestamp) -> pd.Timestamp | None:
        return at.normalize().replace(day=1) if self.in_time else None


def _first_mover(seen: pd.DataFrame, patterns: Patterns | None, pattern: str) -> str:
    """Return the service that the pattern begins with; without one, whose alert came first."""
    if patterns is not None and pattern:
        steps = patterns.steps[(patterns.steps["pattern"] == pattern) & patterns.steps["service"].notna()]
        if len(steps):
            return str(steps.sort_values("position")["service"].iloc[0])
    named = seen[seen["service"].notna()].sort_values("starts_at", kind="stable")
    return "" if named.empty else str(named["service"].iloc[0])
