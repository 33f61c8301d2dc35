"""PagerDuty: the log of v3 webhooks for the pages raised on top of some alerts (each page copies one alert)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.simulate.exports.joined import lines
from stanza_lab.simulate.naming import UPPER, codes, iso

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

FILE = "exports/pagerduty_webhooks_v3.ndjson"
_PAGING_SHARE = 0.4  # of the CloudWatch alarms; of Datadog's monitors those with P1 or P2
_EVENTS = {"triggered_ms": "incident.triggered", "acked_ms": "incident.acknowledged", "ended_ms": "incident.resolved"}


def render(production: Production) -> Iterator[tuple[str, str]]:
    """Yield path and text, oldest first."""
    rows = webhooks(production)
    if len(rows):
        yield FILE, lines(_webhook(row) for row in rows.itertuples())


def webhooks(production: Production) -> pd.DataFrame:
    """Return one row per webhook, oldest first: native_id, at_ms, event_type, page columns and incident_id."""
    rng = np.random.default_rng([production.parameters["random_state"], 15])
    pages = _pages(rng, production)
    rows = pages.melt(
        id_vars=[name for name in pages.columns if name not in _EVENTS],
        value_vars=list(_EVENTS),
        var_name="event_type",
        value_name="at_ms",
    ).dropna(subset="at_ms")
    rows = rows.assign(at_ms=rows["at_ms"].astype("int64"), event_type=rows["event_type"].map(_EVENTS))
    rows = rows.sort_values(["at_ms", "page_id"], kind="stable", ignore_index=True)
    return rows.assign(native_id=np.char.add("01", codes(rng, len(rows), 24, UPPER)), iso=iso(rows["at_ms"]))


def _pages(rng: np.random.Generator, production: Production) -> pd.DataFrame:
    """Draw which alerts page, who answers when, and when the page ends (with its alert, or by hand)."""
    alerts = production.alerts.assign(incident_id=production.labels["incident_id"])
    rules = pd.Index(production.monitors["rule_key"].unique())
    paging_rule = rules[rng.random(len(rules)) < _PAGING_SHARE]
    urgent = (alerts["source"] == "datadog") & alerts["severity_raw"].isin(["P1", "P2"])
    alarm = (alerts["source"] == "cloudwatch") & alerts["rule_key"].isin(paging_rule)
    alerts = alerts[(urgent | alarm) & alerts["starts_at"].notna()]
    count = len(alerts)
    triggered = alerts["starts_at"].astype("int64").to_numpy() // 1_000 + rng.integers(2_000, 30_000, size=count)
    by_alert = alerts["ends_at"].astype("int64").to_numpy() // 1_000 + rng.integers(2_000, 60_000, size=count)
    by_hand = triggered + (rng.lognormal(np.log(5_400), 0.8, size=count) * 1e3).astype(np.int64)
    ended = np.where(alerts["ends_at"].notna(), by_alert, by_hand)
    acked = triggered + (rng.lognormal(np.log(240), 0.9, size=count) * 1e3).astype(np.int64)
    answered = (acked < ended) & (rng.random(count) < 0.9)
    owner = production.services.set_index("service")["team"]
    service = alerts["service"].astype("str")
    row_of = {name: number for number, name in enumerate(production.services["service"])}
    return pd.DataFrame(
        {
            "page_id": np.char.add("Q", codes(rng, count, 13, UPPER)),
            "number": np.arange(count) + 1001,
            "title": alerts["summary"],
            "service": service,
            "service_row": service.map(row_of),
            "team": service.map(owner),
            "origin": alerts["source"].astype("str"),
            "rule_key": alerts["rule_key"].astype("str"),
            "incident_id": alerts["incident_id"],
            "triggered_ms": triggered,
            "acked_ms": np.where(answered, acked, np.nan),
            "ended_ms": ended,
        }
    )


def _webhook(row: Any) -> dict[str, Any]:
    status = row.event_type.partition(".")[2]
    team = row.team.title()
    return {
        "event": {
            "id": row.native_id,
            "event_type": row.event_type,
            "resource_type": "incident",
            "occurred_at": row.iso,
            "agent": None,
            "client": {"name": {"datadog": "Datadog", "cloudwatch": "AWS CloudWatch"}[row.origin]},
            "data": {
                "id": row.page_id,
                "type": "incident",
                "self": f"https://api.pagerduty.example/incidents/{row.page_id}",
                "number": row.number,
                "status": status,
                "incident_key": row.rule_key,
                "title": row.title,
                "service": {"id": f"PSVC{row.service_row:03d}", "summary": row.service, "type": "service_reference"},
                "escalation_policy": {"summary": f"{team} on call", "type": "escalation_policy_reference"},
                "teams": [{"summary": team, "type": "team_reference"}],
                "priority": None,
                "urgency": "high",
            },
        }
    }
