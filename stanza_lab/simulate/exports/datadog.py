"""Datadog: pages of ``GET /api/v2/events``, newest first, one page per line; monitor transitions and deploy markers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.simulate.exports.joined import by_month, joined, lines, months
from stanza_lab.simulate.naming import DIGITS, LETTERS, POD, codes, iso

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

_PAGE = 200
_TRANSITION = {
    "firing": ("Triggered", "alert", "error"),
    "renotification": ("Re-Triggered", "alert renotification", "error"),
    "recovery": ("Recovered", "alert recovery", "success"),
}


def file_name(month: str) -> str:
    """Return the file the events of a month stand in."""
    return f"datadog_events_{month}.ndjson"


def render(production: Production) -> Iterator[tuple[str, str]]:
    """Yield path and text per month."""
    rng = np.random.default_rng([production.parameters["random_state"], 10])
    alerts = joined(production, "datadog")
    fired = alerts["at_ms"].where(alerts["kind"] == "firing").groupby(alerts["monitor"]).ffill()
    alerts = alerts.assign(
        duration_ns=(alerts["at_ms"] - fired).fillna(0).astype("int64") * 1_000_000,
        value=alerts["threshold"]
        * np.where(alerts["kind"] == "recovery", 0.6, 1.0 + rng.exponential(0.5, len(alerts))),
        pod=pods(production)[alerts["service_row"], rng.integers(0, 3, size=len(alerts))],
    )
    deploys = deploy_markers(production)
    told = [_transition(row) for row in alerts.itertuples()] + [_deploy(row) for row in deploys.itertuples()]
    events = pd.concat([alerts[["at_ms", "month"]], deploys[["at_ms", "month"]]], ignore_index=True)
    events = events.assign(event=pd.Series(told, dtype=object))
    for month, part in by_month(events.sort_values("at_ms", kind="stable", ascending=False)):
        yield f"exports/{file_name(month)}", lines(_pages(part["event"].tolist()))


def pods(production: Production) -> np.ndarray:
    """Return three pod names per service, the same for every caller."""
    rng = np.random.default_rng([production.parameters["random_state"], 11])
    services = production.services["service"].to_numpy(dtype=str)
    replica = codes(rng, len(services), 10, POD)
    ends = codes(rng, 3 * len(services), 5, POD).reshape(-1, 3)
    return np.char.add(np.char.add(np.char.add(services, "-"), np.char.add(replica, "-"))[:, None], ends)


def deploy_markers(production: Production) -> pd.DataFrame:
    """Return the deploys with the ids of their events and their service's columns."""
    rng = np.random.default_rng([production.parameters["random_state"], 12])
    deploys = production.deploys.merge(production.services, on="service", how="left")
    at_ms = deploys["at"].astype("int64") // 1_000
    return deploys.assign(
        native_id=np.char.add("AgAAAZ", codes(rng, len(deploys), 26, LETTERS)),
        event_id=codes(rng, len(deploys), 19, DIGITS[:8]),
        at_ms=at_ms,
        iso=iso(at_ms),
        month=months(at_ms),
    )


def _pages(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(events), _PAGE):
        page: dict[str, Any] = {"data": events[start : start + _PAGE], "meta": {"page": {}, "status": "done"}}
        if start + _PAGE < len(events):
            cursor = base64.b64encode(f'{{"after":"{page["data"][-1]["id"]}"}}'.encode()).decode()
            page["meta"]["page"]["after"] = cursor
            page["links"] = {"next": f"https://api.datadoghq.example/api/v2/events?page%5Bcursor%5D={cursor}"}
        yield page


def _transition(row: Any) -> dict[str, Any]:
    name, kind, status = _TRANSITION[row.kind]
    group = f"service:{row.service}"
    title = f"{f'[P{row.priority}] ' if row.priority else ''}[{name} on {{{group}}}] {row.alertname}"
    tags = ["env:prod", f"kube_deployment:{row.service}", "monitor", group, f"team:{row.team}"]
    number = int(row.vendor_id)
    attributes = {
        "aggregation_key": f"{number}-{row.service}",
        "evt": {"id": row.event_id, "type": "query_alert_monitor", "source_id": 36},
        "title": title,
        "status": status,
        "timestamp": row.at_ms,
        "service": row.service,
        "hostname": row.pod,
        "priority": "normal",
        "sourcecategory": "monitor_alert",
        "source_type_name": "Monitor Alert",
        "monitor_id": number,
        "monitor_groups": [group],
        "monitor": {
            "id": number,
            "name": row.alertname,
            "type": "query alert",
            "query": f"avg(last_5m):avg:{row.metric}{{env:prod}} by {{service}} > {row.threshold}",
            "priority": row.priority or None,
            "tags": ["env:prod", f"team:{row.team}"],
            "groups": [group],
            "transition": {"trans_name": name, "trans_type": kind},
            "result": {"result_ts": row.at_ms // 1000, "metric_value": round(row.value, 4)},
        },
    }
    if row.kind == "recovery":
        attributes["duration"] = row.duration_ns
    message = f"%%%\n{row.alertname} on {row.service}. @slack-{row.team}-alerts\n%%%"
    return _event(row, message, tags, attributes)


def _deploy(row: Any) -> dict[str, Any]:
    tags = ["env:prod", f"service:{row.service}", "source:deploy", f"team:{row.team}", f"version:{row.version}"]
    attributes = {
        "aggregation_key": f"deploy-{row.service}",
        "evt": {"id": row.event_id, "type": "api", "source_id": 100},
        "title": f"Deployed {row.service} {row.version}",
        "status": "info",
        "timestamp": row.at_ms,
        "service": row.service,
        "priority": "low",
    }
    return _event(row, f"{row.repository} {row.version} is live", tags, attributes)


def _event(row: Any, message: str, tags: list[str], attributes: dict[str, Any]) -> dict[str, Any]:
    outer = {"timestamp": row.iso, "message": message, "tags": tags, "attributes": attributes}
    return {"id": row.native_id, "type": "event", "attributes": outer}
