"""Where an incident that grows likely began: what `rank_origins` says, asked again with every few alerts.

What the map says of each service (what it depends on, whom its failure reaches in each draw of the map) is found once
and remembered; what is usual is that of the whole history, which was over before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from stanza_lab.entities.symptoms import symptom_of
from stanza_lab.production.spread import causes, reach
from stanza_lab.production.spread.origins import NOWHERE, probabilities
from stanza_lab.production.spread.suspects import (
    HOPS,
    LEAST,
    MOST_ALERTING,
    Suspects,
    by_chance,
    of_map,
    silent,
    weighed,
)
from stanza_lab.production.spread.usual import QUIET_US, Usual

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.production import ProductionMap

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_REMEMBERED = 8_000_000  # numbers per kind of answer that are kept, however many services a map has
_NOBODY = (np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32))


@dataclass(frozen=True)
class Told:
    """Where an incident likely began: the service (None: no alert says its service), how likely, and whose it is."""

    origin: str | None
    probability: float
    team: str | None


@dataclass(slots=True)
class _Seen:
    """The alerts of one service."""

    first: int
    last: int
    alerts: int = 0
    what: set[str] = field(default_factory=set)


class OriginTeller:
    """Tell where incidents on a map likely began, as their alerts come in.

    Parameters
    ----------
    production : ProductionMap
        Its alerts, or the sums of them that a bundle keeps, say what is usual.
    """

    def __init__(self, production: ProductionMap) -> None:
        self._usual = Usual.of(production)
        self._names = self._usual.names.tolist()
        self._place = {name: place for place, name in enumerate(self._names)}
        self._rates = self._usual.around(0, 0, until=None)
        self._notice = causes.noticed(self._rates.alerts)
        down = self._usual.down
        likely = down.probability * causes.TRAVELS * self._notice[down.dst]
        worth = likely >= LEAST
        self._callers = (down.src[worth], down.dst[worth], likely[worth])
        teams = production.services.dropna(subset=["team"])
        self._teams = dict(zip(teams["service"], teams["team"].astype("str"), strict=True))
        self._most = max(_REMEMBERED // max(len(self._names), 1), 64)
        self._needs: dict[int, Floats] = {}
        self._reached: dict[int, tuple[Ints, NDArray[np.float32]]] = {}

    def tell(self, alerts: Sequence[Mapping[str, Any]]) -> Told:
        """Tell of the alerts of one incident so far.

        Parameters
        ----------
        alerts : sequence of mapping
            Columns of `schema.ALERTS`, `starts_at` in microseconds since 1970.

        Returns
        -------
        Told
            The likeliest origin, as `rank_origins` ranks first.
        """
        seen = _by_service(alerts)
        if not seen:
            return Told(None, 0.0, None)
        found = self._suspects(seen)
        share, _ = probabilities(found)
        names = found.names.tolist()
        best = min(range(len(share)), key=lambda one: (-share[one], names[one]))
        name = str(names[best])
        return Told(name, float(share[best]), self._teams.get(name))

    def _suspects(self, seen: Mapping[str, _Seen]) -> Suspects:
        own = sorted(seen)
        of = [seen[name] for name in own]
        place = np.array([self._place.get(name, -1) for name in own], dtype=np.int64)
        many = np.array([one.alerts for one in of], dtype=np.int64)
        first = np.array([one.first for one in of], dtype=np.int64)
        needed = np.zeros((len(own), len(self._names)))
        for row in np.argsort(-many, kind="stable")[:MOST_ALERTING].tolist():
            if place[row] >= 0:
                needed[row] = self._needed(int(place[row]))
        quiet = silent(needed, place)
        number = np.concatenate([place, quiet])
        needs = of_map(needed, number, 0.0)
        needs[np.arange(len(own)), np.arange(len(own))] = 0.0
        length = max(one.last for one in of) - int(first.min())
        chance = self._rates.chance(float(length + QUIET_US))
        nothing = np.zeros(len(quiet), dtype=np.int64)
        found = Suspects(
            names=np.array([*own, *(self._names[one] for one in quiet.tolist())], dtype=object),
            alerting=len(own),
            features=np.empty((0, 0)),
            outside=np.empty(0),
            alerts=np.concatenate([many, nothing]),
            first_us=np.concatenate([first, nothing - 1]),
            needs=needs,
            chance=by_chance(chance, number),
            episodes=of_map(self._rates.episodes, number, 0.0),
            callers=self._missing(number, place),
            deployed=[None] * len(number),
            what=[sorted(one.what) for one in of],
        )
        return weighed(found, notice=of_map(self._notice, number, 0.0), fit=self._fit(number, place, chance))

    def _needed(self, place: int) -> Floats:
        """Return how likely a service depends on each of the map."""
        known = self._needs.get(place)
        if known is None:
            known = self._usual.down.spread(place, hops=HOPS)
            known[place] = 0.0
            _keep(self._needs, place, known, self._most)
        return known

    def _missing(self, number: Ints, place: Ints) -> list[list[tuple[str, float]]]:
        """Return for each suspect how likely those who depend on it would have alerted and did not, all in one."""
        needed, by, likely = self._callers
        alerted = np.zeros(len(self._names) + 1, dtype=bool)  # the last one is that of services not on the map
        alerted[place] = True
        alerted[-1] = False
        missed = np.bincount(needed, likely * ~alerted[by], minlength=len(self._names) + 1)
        return [[("", float(one))] for one in missed[number].tolist()]

    def _fit(self, number: Ints, place: Ints, chance: Floats) -> Floats:
        """Return what `suspects` says of how well each suspect explains who alerted and who did not."""
        likely = np.clip(chance, 1e-3, 0.95)
        alerted = np.zeros(len(self._names), dtype=bool)
        alerted[place[place >= 0]] = True
        notice = self._notice
        gain = np.where(alerted, np.log((1 - (1 - notice) * (1 - likely)) / likely), np.log(1 - notice))
        gain = gain.astype(np.float32)
        found = np.zeros(len(number))
        sums, columns = [], []
        for column, one in enumerate(number.tolist()):
            care, drawn = self._reaches(one) if one >= 0 else _NOBODY
            if len(care):
                sums.append(gain[care] @ drawn)
                columns.append(column)
        if sums:
            each = np.array(sums)
            most = each.max(axis=1)
            found[columns] = most + np.log(np.exp(each - most[:, None]).mean(axis=1))
        return found

    def _reaches(self, place: int) -> tuple[Ints, NDArray[np.float32]]:
        """Return whom the failure of a service reaches likely enough to look at, and in which draws of the map."""
        known = self._reached.get(place)
        if known is None:
            drawn = self._usual.up.reached(place, hops=HOPS)
            drawn[place] = 0
            care = np.flatnonzero(reach.share(drawn) > causes.LEAST).astype(np.int64)
            known = (care, reach.unpacked(drawn[care]).astype(np.float32))
            _keep(self._reached, place, known, self._most)
        return known


def _keep(known: dict[int, Any], key: int, value: Any, most: int) -> None:
    """Remember a value; when there are too many, all are found anew."""
    if len(known) >= most:
        known.clear()
    known[key] = value


def _by_service(alerts: Sequence[Mapping[str, Any]]) -> dict[str, _Seen]:
    """Return the alerts service by service; those that say none, or no time, are left out."""
    found: dict[str, _Seen] = {}
    for alert in alerts:
        service, at = alert.get("service"), alert.get("starts_at")
        if at is None or not isinstance(service, str) or service.strip().lower() in NOWHERE:
            continue
        one = found.get(service)
        if one is None:
            one = found[service] = _Seen(at, at)
        one.first, one.last, one.alerts = min(one.first, at), max(one.last, at), one.alerts + 1
        word = symptom_of(alert)
        if word is not None:
            one.what.add(word)
    return found
