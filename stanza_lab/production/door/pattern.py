"""When something applies: a pattern on a service, its alerts and the sub-graph around it, and why it fits or not.

A contributed diagnostic says with `when` at which service, with which alerts, next to which other service it helps.
The graph is asked first; what alerts must say is judged on the alerts at hand, or told as the condition it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from stanza_lab import schema
from stanza_lab.entities.symptoms import SYMPTOMS, classify_symptoms
from stanza_lab.production import neighbours, tables, words
from stanza_lab.production.focus import DIRECTIONS
from stanza_lab.production.reading import globbed

if TYPE_CHECKING:
    import yaml

    from stanza_lab.production.contents import MapContents
    from stanza_lab.production.reading import Problems

KEYS = ("service", "team", "alert", "severity", "symptom", "near")
_NEAR = ("service", "direction", "hops", "alerting")
_MOST_HOPS = 10
_READ = ("alertname", "rule_key", "severity", "source", "acked_at", "ends_at", "environment")


class Fit(NamedTuple):
    """Whether something applies at a service, and why: every condition in words."""

    holds: bool
    words: str


class Around:
    """What surrounds the services of a map, remembered between many questions: who is near, what they fired."""

    def __init__(self, production: MapContents) -> None:
        self._production = production
        pairs = production.whole.links
        self._pairs = pairs[pairs["strength"] >= production.usual_confidence]
        self._within: dict[tuple[str, int, str], dict[str, int]] = {}
        self._alerts: dict[str, pd.DataFrame] = {}
        self._teams: dict[str, str] = {}
        self._history = production.whole.alerts
        self.days = span_days(self._history)

    def within(self, service: str, hops: int, direction: str) -> dict[str, int]:
        """Return service -> hops away."""
        key = (service, hops, direction)
        if key not in self._within:
            self._within[key] = neighbours.hops_from(self._pairs, service, hops=hops, direction=direction)
        return self._within[key]

    def alerts(self, service: str) -> pd.DataFrame | None:
        """Return the history of a service; None where the map has none."""
        if self._history is not None and service not in self._alerts:
            self._alerts[service] = of(self._history, [service])
        return self._alerts.get(service)

    def team(self, service: str) -> str:
        """Return the team of a service; empty when unknown."""
        if service not in self._teams:
            self._teams[service] = team_of(self._production, service)
        return self._teams[service]


@dataclass(frozen=True)
class Near:
    """Another service that must be close by: its name as globs, which way, how many hops, whether it must alert."""

    service: tuple[str, ...]
    direction: str = "both"
    hops: int = 1
    alerting: bool = False

    def fit(self, around: Around, service: str, alerting: set[str] | None) -> Fit:
        """Tell whether one is there; `alerting` are the services in trouble, None when that is not asked now."""
        within = around.within(service, self.hops, self.direction)
        like = sorted((hops, name) for name, hops in within.items() if name != service and globbed(name, self.service))
        way = "" if self.direction == "both" else f" {self.direction}"
        where = f"{words.count(self.hops, 'hop')}{way} of {service}"
        if not like:
            return Fit(holds=False, words=f"nothing like {' or '.join(self.service)} is known within {where}")
        loud = [name for _, name in like if alerting is not None and name in alerting]
        named = words.listing(loud or [name for _, name in like])
        if not self.alerting:
            return Fit(holds=True, words=f"{named} is within {where}")
        if alerting is None:
            return Fit(
                holds=True,
                words=f"once {' or '.join(dict.fromkeys(name for _, name in like[:3]))}, within {where}, alerts",
            )
        return Fit(holds=bool(loud), words=f"{named}, within {where}, {'alerts' if loud else 'does not alert'}")


@dataclass(frozen=True)
class Pattern:
    """When something applies; every condition that is given must hold, each list holds when one of it does."""

    service: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    alert: tuple[str, ...] = ()
    severity: str = ""
    symptom: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()

    @classmethod
    def read(cls, node: yaml.Node | None, problems: Problems, *, team: str) -> Pattern:
        """Return what a `when` says; one that names neither service nor team is about the services of `team`."""
        if node is None:
            return cls(team=(team,))
        keys = problems.keys(node, KEYS, what="when")
        symptoms = problems.texts(keys.get("symptom"), "symptom")
        for name in symptoms:
            if name not in SYMPTOMS:
                problems.say(keys["symptom"], f"symptom {name[:60]!r} is not known; write one of {', '.join(SYMPTOMS)}")
        service, owned = problems.texts(keys.get("service"), "service"), problems.texts(keys.get("team"), "team")
        near = [_near(item, problems) for item in problems.items(keys.get("near"), "near")]
        return cls(
            service=service,
            team=owned if owned or service else (team,),
            alert=problems.texts(keys.get("alert"), "alert"),
            severity=problems.choice(keys.get("severity"), "severity", schema.SEVERITIES),
            symptom=symptoms,
            near=tuple(near),
        )

    def of(self, service: str, team: str) -> bool:
        """Tell whether the pattern is about a service of a team, whatever happens there."""
        return (not self.service or globbed(service, self.service)) and (not self.team or globbed(team, self.team))

    def select(self, alerts: pd.DataFrame) -> pd.DataFrame:
        """Return those of some alerts that the pattern asks for."""
        found = alerts
        if self.alert:
            names = found["alertname"].astype("str").fillna("")
            like = {name: globbed(name, self.alert) for name in names.unique()}
            found = found[names.map(like).astype(bool)]
        if self.severity:
            found = found[found["severity"] >= self.severity]
        if self.symptom and len(found):
            found = found[classify_symptoms(found).isin(self.symptom)]
        return found

    @property
    def asks_alerts(self) -> bool:
        """Whether it says what must alert at the service itself."""
        return bool(self.alert or self.severity or self.symptom)

    @property
    def words(self) -> str:
        """What must alert, in words."""
        parts = [f"an alert like {' or '.join(self.alert)}" if self.alert else "an alert"]
        parts += [f"of severity {self.severity} or worse"] if self.severity else []
        parts += [f"about {' or '.join(self.symptom)}"] if self.symptom else []
        return " ".join(parts)


def applies(around: Around, pattern: Pattern, *, service: str, alerts: pd.DataFrame | None = None) -> Fit:
    """Tell whether a pattern fits at a service, and why.

    Parameters
    ----------
    around : Around
        What surrounds the services of a map; keep it for many questions.
    pattern : Pattern
        The conditions.
    service : str
        Where something is to be done.
    alerts : DataFrame, optional
        `schema.ALERTS`: what fires now, all of it. Then every condition must hold on them. Default: only the service
        and what is near it must fit; what must alert is told as a condition, with how often the history had it.

    Returns
    -------
    Fit
        `holds`, and the conditions in `words`: of one that does not fit, those that fail.
    """
    if not pattern.of(service, around.team(service)):
        like = " or ".join((*pattern.service, *(f"team {name}" for name in pattern.team)))
        return Fit(holds=False, words=f"it is for {like}")
    now = None if alerts is None else set(alerts["service"].dropna().astype("str"))
    fits = [near.fit(around, service, now) for near in pattern.near]
    if pattern.asks_alerts:
        fits.insert(0, _fires(around, pattern, service, alerts))
    failed = [fit.words for fit in fits if not fit.holds]
    if failed:
        return Fit(holds=False, words="; ".join(failed))
    return Fit(holds=True, words="; ".join(fit.words for fit in fits) or f"it is for {service} whatever happens")


def team_of(production: MapContents, service: str) -> str:
    """Return the team of a service, on the map or only in the ownership catalogue; empty when unknown."""
    table, owned = production.services, production.ownership
    named = table.loc[table["service"] == service, "team"].dropna()
    if named.empty and owned is not None:
        named = owned.loc[owned["service"] == service, "team"].dropna()
    return "" if named.empty else str(named.iloc[0])


def _fires(around: Around, pattern: Pattern, service: str, alerts: pd.DataFrame | None) -> Fit:
    if alerts is not None:
        fires = pattern.select(schema.check(of(alerts, [service]), schema.ALERTS, need=[]))
        said = f"{service} has {pattern.words}" if len(fires) else f"{service} has not {pattern.words} now"
        return Fit(holds=len(fires) > 0, words=said)
    condition, history = f"when {service} has {pattern.words}", around.alerts(service)
    if history is None:
        return Fit(holds=True, words=condition)
    past, days = pattern.select(history), around.days
    times = words.count(len(past), "time") if len(past) else "never"
    return Fit(holds=True, words=f"{condition} ({times} in {words.count(days, 'day')})")


def of(alerts: pd.DataFrame, services: Iterable[str]) -> pd.DataFrame:
    """Return the alerts of some services, with every column that rules and patterns read (null where missing)."""
    return tables.filled(alerts[alerts["service"].isin(list(services))], _READ)


def span_days(alerts: pd.DataFrame | None) -> int:
    """Return how many days a history covers, from its first to its last alert; 0 without any."""
    times = pd.Series(dtype=schema.TIME_DTYPE) if alerts is None else alerts["starts_at"].dropna()
    return 0 if times.empty else int((times.max().normalize() - times.min().normalize()).days) + 1


def _near(node: yaml.Node, problems: Problems) -> Near:
    keys = problems.keys(node, _NEAR, need=["service"], what="near")
    hops = problems.number(keys.get("hops"), "hops", low=1, high=_MOST_HOPS)
    if hops is not None and hops != int(hops):
        problems.say(keys["hops"], f"hops is {hops:g}, where a whole number belongs")
    return Near(
        service=problems.texts(keys.get("service"), "service"),
        direction=problems.choice(keys.get("direction"), "direction", DIRECTIONS) or "both",
        hops=int(hops or 1),
        alerting=problems.choice(keys.get("alerting"), "alerting", ("true", "false")) == "true",
    )
