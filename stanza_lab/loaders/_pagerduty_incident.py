"""What every shape of PagerDuty tells about an incident.

An incident goes by its id: that is the occurrence, in every shape. Log entries, pages and older webhooks tell times to
the second, webhooks v3 to the millisecond; a change of state is named by incident, change and second, so that it is
one fact wherever it is told. (Where a webhook falls into the next second there are two facts, of the same occurrence.)

The rule is the service and the key by which the integration deduplicates (`incident_key`, `alert_key`). Keys that
PagerDuty draws at random, and incidents that have none, say nothing about what recurs: there it is the service and
the title, with values, times, ids and the ends of pods' names left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders._keys import rule
from stanza_lab.loaders._origins import origin
from stanza_lab.loaders._records import Event, Record, canonical, listing, mapping, name, severity, text

_NUMBERED = re.compile(r"^\[#\d+\]\s*")
_RESOURCES = frozenset(
    [
        *("host", "hostname", "host_name", "node", "nodename", "server", "device", "instance", "instance_id"),
        *("instanceid", "pod", "pod_name", "podname", "container", "arn", "resource_arn", "dbinstanceidentifier"),
        *("functionname", "queuename", "loadbalancer", "source_origin"),
    ]
)
_SERVICE = ("service", "service_name")
_ENVIRONMENT = ("env", "environment")
_RULES = ("alertname", "alert_name", "monitor", "monitor_name", "rule_name", "alarm_name", "alarmname", "trigger_name")


def about(incident: Record, *told: Any, fields: Record | None = None) -> Event:
    """Return what an incident, or an alert of one, says of itself.

    Parameters
    ----------
    incident : dict
        As a page lists it, a reference to it, or what a webhook of any version keeps of it.
    *told : Any
        What else the record tells: channel and agent of a log entry, client of a webhook, body.
    fields : dict, optional
        More for the labels.
    """
    first = mapping(incident.get("first_trigger_log_entry"))
    holders = [incident.get("body"), *told, first.get("channel"), first.get("event_details")]
    cef, details = _cef(holders), _details(holders)
    stated = {key.lower(): found for key, value in [*details.items(), *_custom(incident)] if (found := name(value))}
    service, summary = mapping(incident.get("service")), mapping(incident.get("trigger_summary_data"))
    written = text(incident.get("title")) or text(summary.get("subject")) or text(incident.get("summary"))
    title = _NUMBERED.sub("", written or text(summary.get("description")) or text(incident.get("description")) or "")
    description = text(incident.get("description"))
    teams = [team for item in listing(incident.get("teams")) if (team := _called(item))]
    service_name = _called(service) or _stated(stated, _SERVICE)
    word = _severity_word(incident, cef, stated)
    reason = incident.get("resolve_reason")
    clients = [_called(holder) for holder in holders if _is_client(holder)]
    return {
        "origin": origin(*clients, *(name(mapping(holder).get("client")) for holder in holders)),
        "rule_key": rule(
            name(service.get("id")) or service_name,
            name(incident.get("incident_key")) or name(incident.get("alert_key")),
            title,
        ),
        "alertname": _stated(stated, _RULES) or text(title),
        "severity": severity(_plain(word)),
        "severity_raw": word,
        "summary": text(title),
        "description": next(_prose(holders), None) or (description if description != written else None),
        "url": text(incident.get("html_url")) or text(incident.get("self")),
        "service": service_name,
        "environment": _stated(stated, _ENVIRONMENT),
        "team": teams[0] if teams else stated.get("team"),
        "resources": list(
            dict.fromkeys(
                found
                for key, value in [("source_origin", cef.get("source_origin")), *details.items()]
                if key.lower() in _RESOURCES and (found := name(value))
            )
        ),
        "labels": canonical(
            {
                "alerts": mapping(incident.get("alert_counts")).get("all"),
                "class": name(cef.get("event_class")),
                "client": next((client for client in clients if client), None),
                "component": name(cef.get("source_component")),
                "details": details,
                "escalation_policy": _called(incident.get("escalation_policy")),
                "fields": dict(_custom(incident)),
                "group": name(cef.get("service_group")),
                "incident_number": name(incident.get("incident_number")) or name(incident.get("number")),
                "key": name(incident.get("incident_key")) or name(incident.get("alert_key")),
                "merged_into": merged_into(reason),
                "priority": _called(incident.get("priority")),
                "resolve_reason": name(mapping(reason).get("type")) or name(reason),
                "status": name(incident.get("status")),
                "teams": teams if len(teams) > 1 else None,
                "urgency": name(incident.get("urgency")),
                **(fields or {}),
            }
        ),
    }


def merged_into(reason: Any) -> str | None:
    """Return the incident that this one was merged into, by its reason to be resolved."""
    return name(mapping(mapping(reason).get("incident")).get("id"))


def _called(thing: Any) -> str | None:
    """Return what a referenced object is called; older APIs give it a name instead of a summary."""
    return name(mapping(thing).get("summary")) or name(mapping(thing).get("name"))


def _is_client(holder: Any) -> bool:
    """Return whether this is the client of a webhook or the integration of an event; an agent may be a person."""
    kind = text(mapping(holder).get("type"))
    return "integration" in kind if kind else "name" in mapping(holder)


def _severity_word(incident: Record, cef: Record, stated: dict[str, str]) -> str | None:
    """Return the vendor's word: a priority, else the severity of an alert. Urgency decides who is woken, not why."""
    words = (_called(incident.get("priority")), name(incident.get("severity")), name(cef.get("severity")))
    detail = stated.get("severity")
    return next(filter(None, words), None) or (detail if severity(_plain(detail)) else None)


def _plain(word: str | None) -> str | None:
    return re.sub(r"[\s_-]", "", word) if word else None


def _cef(holders: list[Any]) -> Record:
    """Return the fields of PagerDuty's common event format."""
    return next((cef for holder in holders if (cef := mapping(mapping(holder).get("cef_details")))), {})


def _details(holders: list[Any]) -> Record:
    """Return the free fields an integration sent, the first of a name."""
    found: Record = {}
    for holder in map(mapping, holders):
        for details in (holder.get("details"), mapping(holder.get("cef_details")).get("details")):
            found = {**mapping(details), **found}
    return found


def _prose(holders: list[Any]) -> Iterator[str]:
    """Yield what was written for people: a note, details that are no fields."""
    for holder in map(mapping, holders):
        for key in ("details", "content", "notes", "description"):
            if said := text(holder.get(key)):
                yield said


def _custom(incident: Record) -> list[tuple[str, Any]]:
    """Return custom fields that have a value, as (name, value)."""
    fields = map(mapping, listing(incident.get("custom_fields")))
    return [(key, field["value"]) for field in fields if (key := name(field.get("name"))) and name(field.get("value"))]


def _stated(stated: dict[str, str], keys: tuple[str, ...]) -> str | None:
    return next((stated[key] for key in keys if key in stated), None)
