"""What a record of PagerDuty tells about people: who was asked, who took a page, who wrote what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders._records import Record, listing, mapping, text
from stanza_lab.reliability.load.persons import Said

# The words of log entries, webhooks v1 and v2, and webhooks v3, as ours.
_KINDS = {
    **dict.fromkeys(("trigger", "triggered", "assign", "reassign", "reassigned", "delegate", "delegated"), "assigned"),
    "notify": "notified",
    **dict.fromkeys(("escalate", "escalated"), "escalated"),
    **dict.fromkeys(("acknowledge", "acknowledged"), "acknowledged"),
    **dict.fromkeys(("resolve", "resolved"), "resolved"),
    **dict.fromkeys(("annotate", "annotated", "status_update_published", "status_update"), "noted"),
    **dict.fromkeys(("responder.added", "responder_request"), "asked"),
    "responder_accept": "joined",
    "responder_decline": "declined",
    "responder.replied": "joined",
    **dict.fromkeys(("snooze", "snoozed"), "snoozed"),
}
_TO_OTHERS = ("assigned", "escalated")  # whom it concerns is not who did it


def said(record: Record) -> Iterator[Said]:
    """Yield what one record tells; a time of its own only where it tells several."""
    if "occurred_at" in record:
        yield from _webhook(record)
    elif str(record.get("type", "")).endswith("_log_entry") or ("channel" in record and "agent" in record):
        yield from _logged(record)
    elif "event" in record or "log_entries" in record or "data" in record:
        yield from _message(record)
    else:
        yield from _listed(record)


def _webhook(record: Record) -> Iterator[Said]:
    data = mapping(record.get("data"))
    word = str(record.get("event_type", "")).partition(".")[2]
    kind = _KINDS.get(word)
    if kind is None:
        return
    if word == "responder.replied" and str(data.get("state", "")).startswith("declin"):
        kind = "declined"
    written = text(data.get("content")) or text(data.get("message")) if kind in ("noted", "asked") else None
    if kind in ("asked", "joined", "declined"):
        yield Said(kind, data.get("user") or record.get("agent"), written)
    elif kind in _TO_OTHERS:
        yield from _each(kind, data.get("assignees"))
    else:
        done = _automatic(record["agent"]) if "agent" in record else None
        yield Said(kind, record.get("agent"), written, automatic=done if kind == "resolved" or not done else None)


def _logged(record: Record) -> Iterator[Said]:
    word = str(record.get("type")).removesuffix("_reference").removesuffix("_log_entry")
    kind = _KINDS.get(word)
    if kind is None:
        return
    agent, channel = record.get("agent"), mapping(record.get("channel"))
    if kind in _TO_OTHERS:
        yield from _each(kind, record.get("assignees") or mapping(record.get("incident")).get("assignees"))
    elif kind in ("notified", "asked", "joined", "declined"):
        yield Said(kind, record.get("user") or agent)
    else:
        written = text(channel.get("content")) or text(channel.get("summary")) if kind == "noted" else None
        yield Said(kind, agent, written, automatic=_automatic(agent))


def _message(record: Record) -> Iterator[Said]:
    """Yield what a webhook v1 or v2 tells: an incident and the entries of its log that led to it."""
    entries = [mapping(entry) for entry in listing(record.get("log_entries"))]
    if entries:
        yield from _logged(entries[0])
        return
    word = str(record.get("event") or record.get("type") or "").removeprefix("incident.")
    incident = mapping(record.get("incident")) or mapping(mapping(record.get("data")).get("incident"))
    kind = _KINDS.get(word)
    if kind in _TO_OTHERS:
        given = [mapping(item).get("assignee") or mapping(item).get("object") for item in _assigned(incident)]
        yield from _each(kind, given)
    elif kind is not None:
        by = incident.get("last_status_change_by") if kind in ("acknowledged", "resolved") else None
        by = by or incident.get("resolved_by_user")
        yield Said(kind, by, automatic=_automatic(by) if by else None)


def _listed(record: Record) -> Iterator[Said]:
    """Yield what an incident as it stands tells: each of these has its own time."""
    for item in map(mapping, listing(record.get("assignments"))):
        yield Said("assigned", item.get("assignee"), at=item.get("at"))
    for item in map(mapping, listing(record.get("acknowledgements"))):
        if _automatic(item.get("acknowledger")) is False:
            yield Said("acknowledged", item.get("acknowledger"), at=item.get("at"), automatic=False)
    for item in map(mapping, listing(record.get("incidents_responders"))):
        kind = {"joined": "joined", "accepted": "joined", "declined": "declined"}.get(str(item.get("state")), "asked")
        yield Said(kind, item.get("user"), text(item.get("message")), at=item.get("updated_at"))
    if record.get("status") == "resolved":
        by, told = record.get("last_status_change_by"), record.get("auto_resolved")
        automatic = _automatic(by) if by else told if isinstance(told, bool) else None
        yield Said("resolved", by, at=record.get("resolved_at"), automatic=automatic)


def _each(kind: str, people: Any) -> Iterator[Said]:
    for person in listing(people):
        yield Said(kind, person)


def _assigned(incident: Record) -> list[Any]:
    return listing(incident.get("assigned_to")) or listing(incident.get("assignments"))


def _automatic(agent: Any) -> bool:
    """Return whether a machine did it: nobody, the service itself or an integration of it."""
    kind = mapping(agent).get("type")
    return not (isinstance(kind, str) and "user" in kind.lower())
