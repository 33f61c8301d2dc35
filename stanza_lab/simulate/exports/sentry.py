"""Sentry: the webhook log of issue alerts, one record per notification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from stanza_lab.simulate.exports.datadog import pods
from stanza_lab.simulate.exports.joined import by_month, joined, lines
from stanza_lab.simulate.naming import HEX, codes

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production


def file_name(month: str) -> str:
    """Return the file the webhooks of a month stand in."""
    return f"sentry_issue_alerts_{month}.ndjson"


def render(production: Production) -> Iterator[tuple[str, str]]:
    """Yield path and text per month, oldest first."""
    rng = np.random.default_rng([production.parameters["random_state"], 14])
    rows = joined(production, "sentry")
    projects = 4_500_000 + rng.permutation(len(production.services)) * 37
    rows = rows.assign(
        trace=codes(rng, len(rows), 32, HEX),
        project=projects[rows["service_row"]],
        pod=pods(production)[rows["service_row"], rng.integers(0, 3, size=len(rows))],
    )
    for month, part in by_month(rows):
        yield f"exports/{file_name(month)}", lines(_webhook(row) for row in part.itertuples())


def _webhook(row: Any) -> dict[str, Any]:
    web = row.service_kind == "web"
    error, _, text = row.alertname.partition(": ")
    event_path = f"issues/{row.vendor_id}/events/{row.native_id}/"
    tags = [["environment", "production"], ["level", row.level]]
    tags += [["browser.name", "Firefox"], ["transaction", "/"]] if web else [["server_name", row.pod]]
    event = {
        "event_id": row.native_id,
        "project": row.project,
        "platform": "javascript" if web else "python",
        "level": row.level,
        "title": row.alertname,
        "culprit": "app/main" if web else f"{row.domain.replace('-', '_')}.client",
        "type": "error",
        "datetime": f"{row.iso[:-1]}000Z",
        "timestamp": row.at_ms / 1000,
        "received": (row.at_ms + 400) / 1000,
        "metadata": {"type": error, "value": text},
        "issue_id": row.vendor_id,
        "issue_url": f"https://sentry.example.com/api/0/issues/{row.vendor_id}/",
        "url": f"https://sentry.example.com/api/0/projects/acme/{row.alias}/events/{row.native_id}/",
        "web_url": f"https://sentry.example.com/organizations/acme/{event_path}",
        "fingerprint": ["{{ default }}"],
        "contexts": {"trace": {"type": "trace", "trace_id": row.trace}},
        "tags": tags,
    }
    return {
        "action": "triggered",
        "actor": {"id": "sentry", "name": "Sentry", "type": "application"},
        "installation": {"uuid": "7a485448-a9e2-4c85-8a3c-4f44175783c9"},
        "data": {"event": event, "triggered_rule": "Notify the team of every issue"},
    }
