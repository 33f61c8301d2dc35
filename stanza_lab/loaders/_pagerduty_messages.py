"""PagerDuty: what tells one change of an incident (log entries, webhooks) and what is sent to its Events API.

Every shape has its own word for a change; `_CHANGES` knows them all. The changes that say nothing of the alert's state
but tell what people did, or who was woken (notes, priorities, responders, notifications) are notes of the incident.

https://developer.pagerduty.com/docs/webhooks-overview
"""

from __future__ import annotations

from typing import Any

from stanza_lab.loaders._keys import fact, is_random, rule
from stanza_lab.loaders._origins import origin
from stanza_lab.loaders._pagerduty_incident import about
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
    text,
)

# The words of log entries, webhooks v1 and v2 ("trigger") and v3 ("triggered"), as one.
_CHANGES = {
    **dict.fromkeys(("trigger", "triggered"), "trigger"),
    **dict.fromkeys(("reopen", "reopened"), "reopen"),
    **dict.fromkeys(("escalate", "escalated"), "escalate"),
    **dict.fromkeys(("unacknowledge", "unacknowledged"), "unacknowledge"),
    **dict.fromkeys(("acknowledge", "acknowledged"), "acknowledge"),
    **dict.fromkeys(("resolve", "resolved"), "resolve"),
    **dict.fromkeys(("annotate", "annotated"), "annotate"),
    **dict.fromkeys(("merge", "merged"), "merge"),
    **dict.fromkeys(("reassign", "reassigned", "assign"), "assign"),
    **dict.fromkeys(("delegate", "delegated"), "delegate"),
    **dict.fromkeys(("snooze", "snoozed"), "snooze"),
    **dict.fromkeys(("priority_updated", "priority_change"), "priority"),
    **dict.fromkeys(("urgency_change",), "urgency"),
    **dict.fromkeys(("status_update_published", "status_update"), "status update"),
    **dict.fromkeys(("responder.added", "responder_request"), "responder"),
    **dict.fromkeys(("notify",), "notify"),
    **dict.fromkeys(("responder.replied", "responder_accept", "responder_decline"), "reply"),
}
# Whom nobody answered, or who is woken next: the open incident pages again.
_KINDS = {
    "trigger": "fired",
    "reopen": "fired",
    "escalate": "renotified",
    "unacknowledge": "renotified",
    "acknowledge": "acknowledged",
    "resolve": "resolved",
}
_ACTIONS = ("trigger", "acknowledge", "resolve")


def _read_log_entry(record: Record, envelope: Envelope) -> Event | Ignored:
    change = _CHANGES.get(_logged(record))
    if change is None:
        return Ignored("pagerduty log entry that changes nothing")
    agent, channel = mapping(record.get("agent")), mapping(record.get("channel"))
    incident = dict(mapping(record.get("incident")))
    if not incident.get("service"):  # an agent may be the service, its integration or a person
        incident["service"] = record.get("service") or (agent if agent.get("type") == "service_reference" else None)
    incident["teams"] = incident.get("teams") or record.get("teams")
    return _change(
        change,
        incident,
        moment(record.get("created_at"), "created_at", envelope),
        envelope,
        own_id=name(record.get("id")),
        told=[channel, agent, record.get("event_details")],
        fields={"channel": name(channel.get("type")), "log": text(record.get("summary"))},
        opening=False,
    )


def _read_v3(record: Record, envelope: Envelope) -> Event | Ignored:
    data = mapping(record.get("data"))
    resource, _, word = (name(record.get("event_type")) or "").partition(".")
    change = _CHANGES.get(word)
    if resource != "incident" or change is None:
        return Ignored("pagerduty webhook that tells no change of state")
    incident = mapping(data.get("incident")) or data  # a note or a responder, with its incident
    return _change(
        change,
        incident,
        moment(record.get("occurred_at"), "occurred_at", envelope),
        envelope,
        own_id=name(record.get("id")),
        told=[record.get("client"), record.get("agent"), {"notes": data.get("content") or data.get("message")}],
    )


def _read_v2(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read a message of the webhooks v2 (event, incident) or v1 (type, data.incident)."""
    change = _CHANGES.get(_messaged(record).removeprefix("incident."))
    if change is None:
        return Ignored("pagerduty webhook that tells no change of state")
    entries = [mapping(entry) for entry in listing(record.get("log_entries"))]
    logged = next((entry for entry in entries if _CHANGES.get(_logged(entry)) == change), {})
    return _change(
        change,
        mapping(record.get("incident")) or mapping(mapping(record.get("data")).get("incident")),
        moment(record.get("created_on") or logged.get("created_at"), "created_on", envelope),
        envelope,
        own_id=name(record.get("id")),
        told=[logged.get("channel"), logged.get("agent"), logged.get("event_details")],
    )


def _change(
    change: str,
    incident: Record,
    at: int,
    envelope: Envelope,
    *,
    own_id: str | None,
    told: list[Any],
    fields: Record | None = None,
    opening: bool = True,
) -> Event:
    """Return one change of an incident, the same in every shape that tells it.

    A trigger opens the incident, except in the log, which has one for every alert that joined it (`opening`).
    """
    key = need(name(incident.get("id")), "incident.id")
    kind = _KINDS.get(change, "note")
    starts_at = None
    if change == "reopen" or (change == "trigger" and opening):
        starts_at = at
    elif kind in ("acknowledged", "resolved"):
        created = incident.get("created_at") or incident.get("created_on")
        starts_at = instant(created, "incident.created_at", envelope)
    told_of = f"{change}|{own_id}" if change == "notify" and own_id else change  # several are woken in one second
    return {
        "event_id": fact(key, told_of, at),
        "native_ids": [found for found in (own_id, key) if found],
        "occurrence_key": key,
        "at": at,
        "kind": kind,
        "has_recovery": True,
        "starts_at": starts_at,
        **about(incident, *told, fields={"change": change if kind == "note" else None, **(fields or {})}),
    }


def _read_sent(record: Record, envelope: Envelope) -> Event:
    """Read what was sent to the Events API: v2 (event_action), or v1 (event_type, incident_key)."""
    payload = mapping(record.get("payload"))
    change = name(record.get("event_action")) or name(record.get("event_type")) or ""
    details = mapping(payload.get("custom_details")) or mapping(record.get("details"))
    key = name(record.get("dedup_key")) or name(record.get("incident_key"))
    summary = text(payload.get("summary")) or text(record.get("description"))
    links = [href for item in listing(record.get("links")) if (href := text(mapping(item).get("href")))]
    client = name(record.get("client"))
    when = dated(payload.get("timestamp"), "payload.timestamp", envelope)
    said = about(
        {"title": summary, "severity": payload.get("severity")},
        {"details": details, "cef_details": _cef(payload)},
        fields={"client": client, "links": links},
    )
    # A key that the sender chose comes again with the next alert; one drawn at random is that of this alert only.
    recurring = key if key and not is_random(key) else rule(name(payload.get("source")), None, summary)
    told_by = need(key or (recurring if change == "trigger" else None), "dedup_key")
    delivery = envelope.delivery_id
    return {
        "event_id": fact(told_by, change, when["at"]) + (delivery or "" if when["at"] is None else ""),
        "native_ids": [found for found in (delivery, key) if found],
        "occurrence_key": key if key != recurring else None,
        **when,
        "kind": _KINDS[change],
        "has_recovery": True,
        **said,
        "rule_key": recurring,
        "origin": said["origin"] or origin(client),
        "url": text(record.get("client_url")) or next(iter(links), None),
    }


def _cef(payload: Record) -> Record:
    """Return the payload in the words in which PagerDuty keeps it."""
    return {
        "severity": payload.get("severity"),
        "source_origin": payload.get("source"),
        "source_component": payload.get("component"),
        "service_group": payload.get("group"),
        "event_class": payload.get("class"),
    }


def _read_deploy(record: Record, envelope: Envelope) -> Event:
    """Read a change event, as listed or as sent."""
    change = mapping(record.get("payload")) or record
    when = dated(change.get("timestamp"), "timestamp", envelope)
    summary = text(change.get("summary"))
    services = [called for item in listing(change.get("services")) if (called := name(mapping(item).get("summary")))]
    sender = mapping(change.get("integration"))
    own_id = name(change.get("id")) or envelope.delivery_id
    at = when["at"]
    told = " ".join(filter(None, (name(change.get("source")), summary)))
    return {
        "event_id": fact("change", own_id or need(told or None, "summary"), at),
        "native_ids": [own_id] if own_id else [],
        **when,
        "kind": "changed",
        "has_recovery": False,
        "origin": origin(name(change.get("source")), name(sender.get("summary"))),
        "alertname": summary,
        "summary": summary,
        "url": next((url for item in listing(change.get("links")) if (url := text(mapping(item).get("href")))), None),
        "service": services[0] if services else None,
        "labels": canonical(
            {
                "details": mapping(change.get("custom_details")),
                "integration": name(sender.get("summary")),
                "services": services if len(services) > 1 else None,
                "sent_by": name(change.get("source")),
            }
        ),
    }


def _logged(record: Record) -> str:
    return (name(record.get("type")) or "").removesuffix("_reference").removesuffix("_log_entry")


def _messaged(record: Record) -> str:
    """Return what a message of the webhooks v1 or v2 calls its change, "" when it is none."""
    key = "event" if isinstance(record.get("incident"), dict) else "type"
    held = key == "event" or isinstance(mapping(record.get("data")).get("incident"), dict)
    word = record.get(key)
    return word if held and isinstance(word, str) and word.startswith("incident.") else ""


def _is_log_entry(record: Record) -> bool:
    kind = record.get("type")
    if not isinstance(kind, str) or "created_at" not in record:
        return False
    return kind.endswith("_log_entry") or (kind in _CHANGES and "channel" in record and "agent" in record)


def _is_v3(record: Record) -> bool:
    return (
        "occurred_at" in record and isinstance(record.get("event_type"), str) and isinstance(record.get("data"), dict)
    )


def _is_sent(record: Record) -> bool:
    if "event_action" in record:
        return record["event_action"] in _ACTIONS and ("routing_key" in record or "dedup_key" in record)
    return record.get("event_type") in _ACTIONS and ("service_key" in record or "incident_key" in record)


def _is_deploy(record: Record) -> bool:
    sent = "routing_key" in record and "event_action" not in record and isinstance(record.get("payload"), dict)
    return record.get("type") == "change_event" or sent


SHAPES = (
    Shape("pagerduty", "log entry", _is_log_entry, _read_log_entry),
    Shape("pagerduty", "webhook v3", _is_v3, _read_v3),
    Shape("pagerduty", "webhook v1 or v2", lambda r: _messaged(r) != "", _read_v2),
    Shape("pagerduty", "event as sent", _is_sent, _read_sent),
    Shape("pagerduty", "change event", _is_deploy, _read_deploy),
    ignore("pagerduty", "answer of the Events API", lambda r: "dedup_key" in r and r.get("status") == "success"),
)
