"""What is known of each incident of a stream as it grows: its alerts, likely origin, team, pattern, reaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stanza_lab.patterns.streaming import PatternTeller, ReactionTeller, kind_of
from stanza_lab.production.spread.streaming import OriginTeller

if TYPE_CHECKING:
    from stanza_lab.artefacts.bundle import Bundle
    from stanza_lab.patterns.streaming.patterns import Recognised

FEW = 64  # alerts of an incident that are looked at: the first half and the latest half of so many
_KEPT = (
    "alert_id", "starts_at", "service", "team", "alertname", "rule_key", "summary", "description", "severity", "labels",
    "source", "environment", "ends_at",
)  # fmt: skip
_WHOLE = ("labels", "alert_id")
GROWN = 0.25
_LONGEST = 500  # characters of a text that are kept
_LABELS = 10_000  # characters of labels: longer ones are left out, half a JSON is none


@dataclass(slots=True)
class Case:
    """One incident: its alerts (those of `FEW`), how many there were, and what was last told of it."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0
    told_at: int = 0  # alerts when its origin was last told
    services: list[str] = field(default_factory=list)  # it had then, sorted
    kinds: list[str] = field(default_factory=list)  # when the rest was last told
    told: dict[str, Any] = field(default_factory=dict)

    def add(self, alert: dict[str, Any]) -> None:
        """Take an alert in; in a long incident the first and the latest are kept."""
        self.count += 1
        self.alerts.append(alert)
        if len(self.alerts) > FEW:
            del self.alerts[FEW // 2]

    def remove(self, alert_id: str) -> None:
        """Give an alert up that went to another incident."""
        before = len(self.alerts)
        self.alerts = [alert for alert in self.alerts if alert["alert_id"] != alert_id]
        self.count -= before != len(self.alerts)


class Teller:
    """Tell what is known of an incident, from what a bundle holds.

    The origin is told anew when alerts brought a service that the incident did not have and it has grown by a quarter
    since, and whenever it has doubled; the pattern and the reaction then, and when an alert brings another kind.
    """

    def __init__(self, bundle: Bundle) -> None:
        teams = bundle.services.dropna(subset=["team"])
        self._teams = dict(zip(teams["service"], teams["team"], strict=True))
        self._by = "symptom" if bundle.patterns is None else bundle.patterns.by
        self._origin = OriginTeller(bundle.production)
        self._pattern = None if bundle.patterns is None else PatternTeller(bundle.patterns)
        self._reaction = (
            None
            if bundle.reactions is None or not len(bundle.reactions)
            else ReactionTeller(bundle.reactions, bundle.production, bundle.patterns, bundle.backtest)
        )

    def kept(self, alert: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is remembered of an alert, with its kind."""
        kept = {}
        for name in _KEPT:
            value = alert.get(name)
            kept[name] = value[:_LONGEST] if isinstance(value, str) and name not in _WHOLE else value
        if len(kept["labels"] or "") > _LABELS:
            kept["labels"] = None
        return kept | {"kind": kind_of(kept, by=self._by)}

    def alone(self, alert: dict[str, Any]) -> dict[str, Any]:
        """Return what is known of an alert on its own: whose it is, what could be done."""
        service = alert["service"]
        team = self._teams.get(service) or alert["team"]
        return _told(team=team, reaction=self._react([alert], pattern=None, origin=None))

    def of(self, case: Case) -> dict[str, Any]:
        """Return what is known of an incident."""
        services = sorted({alert["service"] or "" for alert in case.alerts})
        kinds = sorted({alert["kind"] for alert in case.alerts})
        grown = case.count >= (1 + GROWN) * case.told_at
        moved = (grown and services != case.services) or case.count >= 2 * case.told_at
        if moved:
            found = self._origin.tell(case.alerts)
            case.services, case.told_at = services, case.count
            likely = None if found.origin is None else round(found.probability, 4)
            team = found.team or next((alert["team"] for alert in case.alerts if alert["team"]), None)
            case.told = case.told | {"origin": found.origin, "origin_probability": likely, "team": team}
        if moved or kinds != case.kinds:
            pattern = None
            if self._pattern is not None:
                pattern = self._pattern.tell([(alert["kind"], alert["starts_at"]) for alert in case.alerts])
            case.kinds = kinds
            case.told = case.told | {
                "pattern": None if pattern is None else pattern.name,
                "pattern_confidence": None if pattern is None else round(pattern.confidence, 4),
                "reaction": self._react(case.alerts, pattern=pattern, origin=case.told["origin"]),
            }
        return case.told

    def _react(self, alerts: list[dict[str, Any]], *, pattern: Recognised | None, origin: str | None) -> str | None:
        return None if self._reaction is None else self._reaction.tell(alerts, pattern=pattern, origin=origin)


def _told(**known: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("origin", "origin_probability", "team", "pattern", "pattern_confidence", "reaction"))
    return nothing | known
