"""PagerDuty: incidents and their alerts, log entries, webhooks of every version, tables, what is sent to its API.

An incident is the alert here: pages, log entries and webhooks of one fold into one by its id. An alert that PagerDuty
bundled into an incident is told as a renotification of it: it adds its severity, resources and ids and is not counted
twice, whether the incidents, their alerts or both were exported. An alert without incident (suppressed) is its own.

https://developer.pagerduty.com/api-reference/
"""

from __future__ import annotations

from typing import Any

from stanza_lab.loaders import _pagerduty_messages, _pagerduty_tables
from stanza_lab.loaders._keys import fact
from stanza_lab.loaders._pagerduty_incident import about
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Record,
    RecordError,
    Shape,
    ignore,
    instant,
    listing,
    mapping,
    moment,
    name,
    need,
)

_STATES = {"triggered": "trigger", "acknowledged": "acknowledge", "resolved": "resolve"}
_KINDS = {"trigger": "fired", "acknowledge": "acknowledged", "resolve": "resolved"}
_LAST_CHANGE = ("last_status_change_at", "last_status_change_on")
_CREATED = ("created_at", "created_on")
# Objects that say who is asked, not what happened.
_OBJECTS = frozenset(
    [
        *("service", "team", "user", "escalation_policy", "schedule", "vendor", "priority", "business_service"),
        *("maintenance_window", "integration", "extension", "extension_schema", "tag", "webhook_subscription"),
        *("incident_note", "incident_workflow", "ruleset", "orchestration", "response_play", "status_update"),
        "webhook_extension",
    ]
)


def _read_incident(record: Record, envelope: Envelope) -> Event:
    """Read an incident as it stands: one event, of its state, with the times it states."""
    key = need(name(record.get("id")), "id")
    created = moment(_first(record, _CREATED), "created_at", envelope)
    changed = _time(record, _LAST_CHANGE, envelope)
    taken = _acknowledged(record, envelope)
    ended = _time(record, ("resolved_at",), envelope)
    state = _state(record)
    if state == "resolve":
        at = ended = ended or changed
    elif state == "acknowledge":
        at = changed or max(taken, default=None)
        taken = taken or [at for at in (changed,) if at is not None]
    else:
        at, ended = changed or created, None
    if at is None:  # ended or taken, but not known when: that it fired is all there is to say
        state, at = "trigger", created
    return {
        "event_id": fact(key, state, at),
        "native_ids": [key],
        "occurrence_key": key,
        "at": at,
        "kind": _KINDS[state],
        "has_recovery": True,
        "starts_at": created,
        "acked_at": min(taken, default=None),
        "ends_at": ended,
        **about(record),
    }


def _read_alert(record: Record, envelope: Envelope) -> Event:
    """Read an alert: of its incident where it has one, else of its own."""
    key = need(name(record.get("id")), "id")
    created = moment(record.get("created_at"), "created_at", envelope)
    state = _state(record)
    ended = _time(record, ("resolved_at", *_LAST_CHANGE), envelope) if state == "resolve" else None
    incident = name(mapping(record.get("incident")).get("id"))
    told = about(
        {**record, "first_trigger_log_entry": None},
        record.get("integration"),
        fields={
            "alert": key,
            "contexts": [href for item in listing(record.get("contexts")) if (href := name(mapping(item).get("href")))],
            "incident": incident,
            "suppressed": True if record.get("suppressed") is True else None,
        },
    )
    common: Event = {"native_ids": [key], "has_recovery": True, "ends_at": ended, **told}
    if incident is not None:
        return {
            "event_id": fact(key, "alert", created),
            "occurrence_key": incident,
            "at": created,
            "kind": "renotified",
            **common,
        }
    change, at = ("resolve", ended) if ended is not None else ("trigger", created)
    return {
        "event_id": fact(key, change, at),
        "occurrence_key": key,
        "at": at,
        "kind": _KINDS[change],
        "starts_at": created,
        **common,
    }


def _state(record: Record) -> str:
    status = (name(record.get("status")) or "").lower()
    if status not in _STATES:
        message = f"{record.get('status')!r} is no status of an incident; they are {', '.join(_STATES)}"
        raise RecordError("bad_state", message)
    return _STATES[status]


def _acknowledged(record: Record, envelope: Envelope) -> list[int]:
    """Return when people took it; PagerDuty keeps that only until it is resolved."""
    given = (mapping(item).get("at") for item in listing(record.get("acknowledgements")))
    times = [instant(at, "acknowledgements.at", envelope) for at in given]
    return [at for at in times if at is not None]


def _time(record: Record, keys: tuple[str, ...], envelope: Envelope) -> int | None:
    return instant(_first(record, keys), keys[0], envelope)


def _first(record: Record, keys: tuple[str, ...]) -> Any:
    return next((record[key] for key in keys if record.get(key)), None)


def _is_incident(record: Record) -> bool:
    dated = any(key in record for key in _CREATED)
    told = record.get("type") == "incident" or "incident_number" in record
    return told and dated and "status" in record and isinstance(record.get("service"), dict)


def _is_alert(record: Record) -> bool:
    return "created_at" in record and "status" in record and (record.get("type") == "alert" or "alert_key" in record)


def _is_object(record: Record) -> bool:
    if len(record) == 1:  # {"service": {...}}
        record = mapping(next(iter(record.values())))
    kind = record.get("type")
    if not isinstance(kind, str) or not isinstance(record.get("id"), str):
        return False
    return ("self" in record or "summary" in record) and (
        kind in _OBJECTS or kind.endswith(("_reference", "_integration", "_contact_method", "_notification_rule"))
    )


SHAPES = (
    *_pagerduty_messages.SHAPES,
    Shape("pagerduty", "incident", _is_incident, _read_incident),
    Shape("pagerduty", "alert", _is_alert, _read_alert),
    *_pagerduty_tables.SHAPES,
    ignore("pagerduty", "object (service, team, user ...)", _is_object, kind="pagerduty service, team, user ..."),
    ignore("pagerduty", "on call", lambda r: "escalation_policy" in r and "escalation_level" in r),
)
PAGES = (
    *("incidents", "incident", "alerts", "alert", "log_entries", "log_entry", "messages"),
    *("change_events", "change_event", "oncalls", "services", "teams", "users", "escalation_policies", "schedules"),
    *("priorities", "business_services", "vendors", "notes", "maintenance_windows"),
)
