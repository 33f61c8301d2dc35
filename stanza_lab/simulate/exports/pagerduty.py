"""PagerDuty: the log of v3 webhooks for the pages raised on top of some alerts (each page copies one alert).

Pages go to whoever is on call; who acknowledged one, resolved it by hand or wrote what was done is in `responders`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.simulate.exports import responders
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
        people = [responders.reference(person) for person in responders.staff(production).itertuples()]
        yield FILE, lines(_webhook(row, people) for row in rows.itertuples())


def webhooks(production: Production) -> pd.DataFrame:
    """Return one row per webhook, oldest first.

    Columns native_id, at_ms, iso, event_type, those of the page, incident_id, assignee and agent (rows of
    `responders.staff`, -1: nobody), note and note_id (of what was written, else null).
    """
    rng = np.random.default_rng([production.parameters["random_state"], 15])
    pages = responders.answered(production, _pages(rng, production))
    rows = pages.melt(
        id_vars=[name for name in pages.columns if name not in _EVENTS],
        value_vars=list(_EVENTS),
        var_name="event_type",
        value_name="at_ms",
    ).dropna(subset="at_ms")
    rows = rows.assign(at_ms=rows["at_ms"].astype("int64"), event_type=rows["event_type"].map(_EVENTS))
    rows = rows.sort_values(["at_ms", "page_id"], kind="stable", ignore_index=True)
    rows = rows.assign(
        native_id=np.char.add("01", codes(rng, len(rows), 24, UPPER)),
        assignee=rows["on_call"].where(rows["event_type"] == "incident.triggered", rows["acked_by"]),
        agent=rows["acked_by"].where(rows["event_type"] == "incident.acknowledged", -1),
    )
    by_hand = (rows["event_type"] == "incident.resolved") & rows["by_hand"]
    rows["agent"] = rows["agent"].mask(by_hand, rows["acked_by"])
    rows = pd.concat([rows, responders.notes(production, pages)], ignore_index=True)
    rows = rows.sort_values(["at_ms", "page_id"], kind="stable", ignore_index=True)
    return rows.assign(iso=iso(rows["at_ms"]))


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
            "by_hand": alerts["ends_at"].isna().to_numpy(),
        }
    )


def _webhook(row: Any, people: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "event": {
            "id": row.native_id,
            "event_type": row.event_type,
            "resource_type": "incident",
            "occurred_at": row.iso,
            "agent": people[row.agent] if row.agent >= 0 else None,
            "client": {"name": {"datadog": "Datadog", "cloudwatch": "AWS CloudWatch"}[row.origin]},
            "data": _note(row) if row.event_type == responders.NOTED else _incident(row, people),
        }
    }


def _incident(row: Any, people: list[dict[str, str]]) -> dict[str, Any]:
    team = row.team.title()
    return {
        "id": row.page_id,
        "type": "incident",
        "self": f"https://api.pagerduty.example/incidents/{row.page_id}",
        "number": row.number,
        "status": row.event_type.partition(".")[2],
        "incident_key": row.rule_key,
        "title": row.title,
        "service": {"id": f"PSVC{row.service_row:03d}", "summary": row.service, "type": "service_reference"},
        "assignees": [people[row.assignee]],
        "escalation_policy": {"summary": f"{team} on call", "type": "escalation_policy_reference"},
        "teams": [{"summary": team, "type": "team_reference"}],
        "priority": None,
        "urgency": "high",
    }


def _note(row: Any) -> dict[str, Any]:
    """Return what a webhook about a note says: of its incident only what it is called."""
    return {
        "incident": {
            "id": row.page_id,
            "type": "incident_reference",
            "self": f"https://api.pagerduty.example/incidents/{row.page_id}",
            "summary": row.title,
        },
        "id": row.note_id,
        "type": "incident_note",
        "content": row.note,
        "trimmed": False,
    }
