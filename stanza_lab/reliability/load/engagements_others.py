"""What records of Opsgenie and Grafana OnCall tell about people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders._records import Record, listing, mapping, text
from stanza_lab.reliability.load.persons import Said

_OPSGENIE = {
    "acknowledge": "acknowledged",
    "close": "resolved",
    "addnote": "noted",
    "addresponder": "asked",
    "assignownership": "assigned",
    "takeownership": "acknowledged",
    "escalate": "escalated",
    "escalatenext": "escalated",
    "snooze": "snoozed",
}
_ONCALL = {"acknowledge": "acknowledged", "resolve": "resolved", "escalation": "escalated", "silence": "snoozed"}
_SYSTEM = "system"


def opsgenie(record: Record) -> Iterator[Said]:
    """Yield what a webhook, or an alert as it stands, tells."""
    alert = mapping(record.get("alert"))
    if isinstance(record.get("action"), str):
        kind = _OPSGENIE.get(re.sub(r"[\W_]", "", record["action"]).lower())
        if kind is not None:
            by = alert.get("owner") if kind == "assigned" else alert.get("username")
            written = text(alert.get("note")) if kind in ("noted", "acknowledged", "resolved") else None
            yield Said(kind, by, written, automatic=_by_machine(by))
        return
    report = mapping(record.get("report"))
    created = record.get("createdAt")
    if report.get("acknowledgedBy"):
        yield Said("acknowledged", report["acknowledgedBy"], at=_after(created, report.get("ackTime")), automatic=False)
    if report.get("closedBy"):
        closed = report["closedBy"]
        yield Said("resolved", closed, at=_after(created, report.get("closeTime")), automatic=_by_machine(closed))


def oncall(record: Record) -> Iterator[Said]:
    """Yield what an alert group, or a webhook about one, tells."""
    group = mapping(record.get("alert_group")) or record
    done = _ONCALL.get(str(mapping(record.get("event")).get("type")))
    if done is not None:
        by = record.get("user")
        yield Said(done, by, at=mapping(record["event"]).get("time"), automatic=by is None)
    for person in listing(record.get("notified_users")):
        yield Said("notified", person)
    if done != "acknowledged" and group.get("acknowledged_by"):
        yield Said("acknowledged", group["acknowledged_by"], at=group.get("acknowledged_at"), automatic=False)
    if done != "resolved" and group.get("resolved_at"):
        by = group.get("resolved_by")
        yield Said("resolved", by, at=group.get("resolved_at"), automatic=by is None)


def _by_machine(by: Any) -> bool | None:
    return by.strip().lower() == _SYSTEM if isinstance(by, str) and by.strip() else None


def _after(created: Any, milliseconds: Any) -> Any:
    """Return the creation and how long after it, to be added once both are read."""
    known = isinstance(milliseconds, (int, float)) and not isinstance(milliseconds, bool) and milliseconds > 0
    return (created, milliseconds) if known else None
