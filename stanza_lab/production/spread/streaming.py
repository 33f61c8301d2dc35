"""PLACEHOLDER by the lead until helper D's own arrives: the batch function, alert by alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.production.spread.origins import rank_origins

if TYPE_CHECKING:
    from stanza_lab.production import ProductionMap


@dataclass(frozen=True)
class Told:
    """Where an incident likely began."""

    origin: str | None
    probability: float
    reasons: tuple[str, ...]
    team: str | None


class OriginTeller:
    """Tell where an incident that grows likely began."""

    def __init__(self, production: ProductionMap) -> None:
        self._production = production
        teams = production.services.dropna(subset=["team"])
        self._teams = dict(zip(teams["service"], teams["team"], strict=True))

    def tell(self, alerts: Sequence[Mapping[str, Any]]) -> Told:
        """Return the likeliest origin of alerts of one incident."""
        columns = ("starts_at", "service", "alertname", "rule_key", "summary", "description", "severity", "labels")
        table = schema.build([{**{k: a.get(k) for k in columns}, "incident_id": 0} for a in alerts], schema.ALERTS)
        found = rank_origins(self._production, alerts=table, top=1)
        if found.empty:
            return Told(None, 0.0, (), None)
        first = found.iloc[0]
        return Told(
            first["service"], float(first["probability"]), tuple(first["reasons"]), self._teams.get(first["service"])
        )


__all__ = ["OriginTeller", "Told", "pd"]
