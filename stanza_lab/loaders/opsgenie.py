"""Opsgenie: alerts as the API lists them, and webhooks. An alert goes by its id; its alias comes again after a close.

Times are ISO 8601 in the API, in webhooks milliseconds (`createdAt`) beside nanoseconds (`updatedAt`); the report of a
closed alert counts in milliseconds since its creation.

https://docs.opsgenie.com/docs/alert-api
"""

from __future__ import annotations

import re
from typing import Any

from stanza_lab.loaders._keys import fact, rule
from stanza_lab.loaders._origins import origin
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    Shape,
    canonical,
    dated,
    ignore,
    instant,
    listing,
    mapping,
    moment,
    name,
    need,
    severity,
    text,
)

_ACTIONS = {
    "create": ("create", "fired"),
    "acknowledge": ("acknowledge", "acknowledged"),
    "unacknowledge": ("unacknowledge", "renotified"),
    "escalate": ("escalate", "renotified"),
    "escalatenext": ("escalate", "renotified"),
    "close": ("close", "resolved"),
    **{
        action: (action, "note")
        for action in (
            *("addnote", "addresponder", "addteam", "assignownership", "delete", "snooze", "snoozeended"),
            *("takeownership", "updatepriority"),
        )
    },
}
_ENVIRONMENT = ("env", "environment")
_SERVICE = ("service", "service_name")
_RESOURCES = ("host", "hostname", "instance", "instance_id", "instanceid", "node", "pod", "pod_name", "arn", "server")
_TEAM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _read_alert(record: Record, envelope: Envelope) -> Event:
    """Read an alert as it stands: one event, of its state, with the times it states."""
    key = need(name(record.get("id")) or name(record.get("alertId")), "id")
    created = moment(record.get("createdAt"), "createdAt", envelope)
    report = mapping(record.get("report"))
    acked, ended = _after(created, report.get("ackTime")), None
    change, at = "create", created
    if (name(record.get("status")) or "").lower() == "closed":
        ended = _after(created, report.get("closeTime"))
        ended = instant(record.get("updatedAt"), "updatedAt", envelope) if ended is None else ended
    if ended is not None:
        change, at = "close", ended
    elif acked is not None and _is_true(record.get("acknowledged")):
        change, at = "acknowledge", acked
    return {
        "event_id": fact(key, change, at),
        "native_ids": [key],
        "occurrence_key": key,
        "at": at,
        "kind": _ACTIONS[change][1],
        "has_recovery": True,
        "starts_at": created,
        "acked_at": acked,
        "ends_at": ended,
        **_about(record, key),
    }


def _read_webhook(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read what was done with an alert, and when: that is when it was last updated."""
    change, kind = _ACTIONS.get(re.sub(r"[\W_]", "", str(record.get("action"))).lower(), (None, None))
    if change is None:
        return Ignored("opsgenie webhook that tells no change of state")
    alert = mapping(record.get("alert"))
    key = need(name(alert.get("alertId")) or name(alert.get("id")), "alert.alertId")
    created = instant(alert.get("createdAt"), "alert.createdAt", envelope)
    if change == "create" and created is not None:
        when: Event = {"at": created, "time_source": "event"}
    else:
        when = dated(alert.get("updatedAt"), "alert.updatedAt", envelope)
    unknown = envelope.delivery_id or "" if when["at"] is None else ""  # without a time the delivery tells it apart
    told = {"change": change if kind == "note" else None, "note": text(alert.get("note"))}
    return {
        "event_id": fact(key, change, when["at"]) + unknown,
        "native_ids": [found for found in (envelope.delivery_id, key) if found],
        "occurrence_key": key,
        **when,
        "kind": kind,
        "has_recovery": True,
        "starts_at": created,
        **_about(alert, key, told),
    }


def _about(alert: Record, key: str, told: Record | None = None) -> Event:
    """Return what an alert says of itself, listed or in a webhook."""
    tags = _words(alert.get("tags"))
    details, integration = mapping(alert.get("details")), mapping(alert.get("integration"))
    pairs = [(tag_key, value) for tag_key, _, value in (tag.partition(":") for tag in tags) if value]
    stated = [(str(k).lower(), found) for k, value in (*pairs, *details.items()) if (found := name(value))]
    first = dict(reversed(stated))
    teams = [team for item in _teams(alert) if (team := name(item)) and not _TEAM_ID.fullmatch(team)]
    alias, entity, message = name(alert.get("alias")), name(alert.get("entity")), text(alert.get("message"))
    priority = (name(alert.get("priority")) or "").upper()
    priority = f"P{priority}" if priority in ("1", "2", "3", "4", "5") else priority
    named = [entity if entity and " " not in entity else None, *(value for k, value in stated if k in _RESOURCES)]
    return {
        "origin": origin(name(integration.get("type")), name(integration.get("name")), name(alert.get("source"))),
        "rule_key": rule(None, alias if alias != key else None, message),
        "alertname": message,
        "severity": severity(priority),
        "severity_raw": priority or None,
        "summary": message,
        "description": text(alert.get("description")),
        "service": next((first[k] for k in _SERVICE if k in first), None),
        "environment": next((first[k] for k in _ENVIRONMENT if k in first), None),
        "team": teams[0] if teams else first.get("team"),
        "resources": list(dict.fromkeys(value for value in named if value)),
        "labels": canonical(
            {
                "alias": alias,
                "count": name(alert.get("count")),
                "details": details,
                "entity": entity,
                "integration": name(integration.get("name")),
                "sent_by": name(alert.get("source")),
                "status": name(alert.get("status")),
                "tags": sorted(tags),
                "team_ids": [team for item in listing(alert.get("teams")) if (team := name(mapping(item).get("id")))],
                "teams": teams if len(teams) > 1 else None,
                "tiny_id": name(alert.get("tinyId")),
                **(told or {}),
            }
        ),
    }


def _teams(alert: Record) -> list[Any]:
    """Return what may be names of teams: of `teams` (objects, or text in webhooks), then responders that are teams."""
    given = [item if isinstance(item, str) else mapping(item).get("name") for item in listing(alert.get("teams"))]
    asked = [mapping(item) for item in listing(alert.get("responders"))]
    return [*given, alert.get("team"), *(item.get("name") for item in asked if item.get("type") == "team")]


def _words(value: Any) -> list[str]:
    given = value if isinstance(value, list) else (text(value) or "").split(",")
    return [word for item in given if (word := name(item))]


def _after(created: int, milliseconds: Any) -> int | None:
    """Return the time so long after the creation, None when the report does not say (zero stands for never)."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)) or not 0 < milliseconds < 1e12:
        return None
    return created + round(milliseconds * 1_000)


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _is_alert(record: Record) -> bool:
    return "tinyId" in record and "message" in record and "createdAt" in record and "impactedServices" not in record


def _is_webhook(record: Record) -> bool:
    alert = mapping(record.get("alert"))
    return isinstance(record.get("action"), str) and ("alertId" in alert or "tinyId" in alert)


def _is_log(record: Record) -> bool:
    return {"owner", "createdAt", "offset"} <= record.keys() and ("log" in record or "note" in record)


SHAPES = (
    Shape("opsgenie", "webhook", _is_webhook, _read_webhook),
    Shape("opsgenie", "alert", _is_alert, _read_alert),
    ignore("opsgenie", "incident", lambda r: "tinyId" in r and "impactedServices" in r),
    ignore("opsgenie", "log of an alert", _is_log),
)
PAGES = ("data",)
