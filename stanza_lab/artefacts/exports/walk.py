"""One walk of a bundle: what every target carries over, as plain things in a fixed order."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import UnknownNameError
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.artefacts.bundle import Bundle
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.catalogue import Reactions


@dataclass(frozen=True)
class Service:
    """A service of the map; what is not known is None."""

    name: str
    team: str | None
    environment: str | None
    alerts: int
    first_seen: pd.Timestamp | None
    last_seen: pd.Timestamp | None


@dataclass(frozen=True)
class Link:
    """A dependency between two services, in its likelier direction: `src` depends on `dst`.

    `confidence` is the probability of this direction, `link_confidence` that of either; both are 1 where it was seen.
    """

    src: str
    dst: str
    confidence: float
    link_confidence: float
    support: float
    lag_s: float | None
    provenance: tuple[str, ...]
    verdict: str | None


@dataclass(frozen=True)
class Rule:
    """A recurring alert: what it is called where, its habit, and the labels that are the same on all its alerts."""

    rule: str
    alertname: str | None
    service: str | None
    team: str | None
    environment: str | None
    source: str
    severity: str | None
    habit: str
    chronic: float
    alerts: int
    incidents: int
    labels: dict[str, str]


@dataclass(frozen=True)
class Walk:
    """What a bundle holds, in a fixed order: the same bundle and options, the same walk.

    `unseen` are sentences on what was left out of it, and what the bundle could not say.
    """

    bundle: Bundle
    bundle_id: str
    since: pd.Timestamp | None
    until: pd.Timestamp | None
    services: tuple[Service, ...]
    links: tuple[Link, ...]
    rules: tuple[Rule, ...]
    labels: pd.DataFrame
    propagation: pd.DataFrame
    patterns: Patterns | None
    reactions: Reactions | None
    settings: dict[str, float]
    min_confidence: float
    unseen: tuple[str, ...]

    @classmethod
    def of(cls, bundle: Bundle, *, min_confidence: float = 0.5, services: Collection[str] | None = None) -> Walk:
        """Walk a bundle.

        Parameters
        ----------
        bundle : Bundle
            What was loaded.
        min_confidence : float, 0 to 1, default 0.5
            Links less likely than this are left out, and counted in `unseen`. Larger: fewer, surer links.
        services : collection of str, optional
            Only these, their rules, and the links between them. Default: all.

        Returns
        -------
        Walk
            Services by name, links by their ends, rules the most alerts first.

        Raises
        ------
        UnknownNameError
            A service is not on the map.
        ParameterError
            `min_confidence` is outside its range.
        """
        least = _params.fraction(min_confidence, "min_confidence")
        every = _services(bundle.services)
        names = _among(every, services)
        inside = _links(bundle.production.links, names)
        links = tuple(link for link in inside if link.link_confidence >= least)
        rules = tuple(rule for rule in _rules(bundle.rules) if services is None or rule.service in names)
        data = bundle.manifest["data"]
        return cls(
            bundle=bundle,
            bundle_id=bundle.id,
            since=_time(data.get("since")),
            until=_time(data.get("until")),
            services=tuple(one for one in every if one.name in names),
            links=links,
            rules=rules,
            labels=bundle.labels,
            propagation=bundle.propagation,
            patterns=bundle.patterns,
            reactions=bundle.reactions,
            settings=_settings(bundle),
            min_confidence=least,
            unseen=tuple(_unseen(bundle, left=len(inside) - len(links), least=least, others=len(every) - len(names))),
        )

    def team_of(self, service: str) -> str | None:
        """Return whose a service is, if that is known."""
        return next((one.team for one in self.services if one.name == service), None)

    @property
    def teams(self) -> tuple[str, ...]:
        """The teams of the services, sorted."""
        return tuple(sorted({one.team for one in self.services if one.team is not None}))


def _among(every: tuple[Service, ...], wanted: Collection[str] | None) -> set[str]:
    known = {one.name for one in every}
    if wanted is None:
        return known
    for name in wanted:
        if name not in known:
            raise UnknownNameError.among("service", name, known)
    return set(wanted)


def _services(table: pd.DataFrame) -> tuple[Service, ...]:
    rows = table.sort_values("service").to_dict("records")
    return tuple(
        Service(
            name=row["service"],
            team=_text(row["team"]),
            environment=_text(row["environment"]),
            alerts=int(row["alerts"]),
            first_seen=_time(row["first_seen"]),
            last_seen=_time(row["last_seen"]),
        )
        for row in rows
    )


def _links(table: pd.DataFrame, names: set[str]) -> list[Link]:
    inside = table[table["src"].isin(names) & table["dst"].isin(names)].sort_values(["src", "dst"])
    return [
        Link(
            src=row["src"],
            dst=row["dst"],
            confidence=1.0 if row["seen"] else float(row["confidence"]),
            link_confidence=float(row["strength"]),
            support=float(row["support"]),
            lag_s=None if pd.isna(row["lag_s"]) else float(row["lag_s"]),
            provenance=_parts(row["provenance"]),
            verdict=_text(row["verdict"]),
        )
        for row in inside.to_dict("records")
    ]


def _rules(table: pd.DataFrame) -> list[Rule]:
    return [
        Rule(
            rule=row["rule"],
            alertname=_text(row["alertname"]),
            service=_text(row["service"]),
            team=_text(row["team"]),
            environment=_text(row["environment"]),
            source=str(row["source"]),
            severity=_text(row["severity"]),
            habit=str(row["habit"]),
            chronic=float(row["chronic"]),
            alerts=int(row["alerts"]),
            incidents=int(row["incidents"]),
            labels={str(name): str(value) for name, value in json.loads(row["labels"]).items()},
        )
        for row in table.to_dict("records")
    ]


def _settings(bundle: Bundle) -> dict[str, float]:
    """Return the parameters of the incidents model that are numbers; durations in seconds."""
    found = {}
    for name, value in sorted(bundle.manifest["parameters"]["incidents"].items()):
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = value
        elif isinstance(value, str) and name != "edges":
            found[name] = _params.duration(value, name, zero=True).total_seconds()
    return found


def _unseen(bundle: Bundle, *, left: int, least: float, others: int) -> list[str]:
    said = []
    if left:
        links = words.count(left, "link")
        said.append(f"{links} less likely than {words.probability(least)} {'is' if left == 1 else 'are'} left out")
    if others:
        said.append(f"{words.count(others, 'other service')} of the map {'is' if others == 1 else 'are'} left out")
    if bundle.rules.empty:
        said.append("the bundle was saved without its alerts' rules: nothing is known of labels; save it with alerts=")
    if bundle.patterns is None:
        said.append("the bundle holds no patterns; save it with patterns=")
    return said


def _parts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(sorted(map(str, value))) if value is not None else ()


def _text(value: Any) -> str | None:
    return None if pd.isna(value) or value == "" else str(value)


def _time(value: Any) -> pd.Timestamp | None:
    if value is None or pd.isna(value):
        return None
    at = pd.Timestamp(value)
    return at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
