"""New Relic: NrAiIncident and NrAiIssue rows (NRQL, CSV), NerdGraph, workflow webhooks, webhooks of the old alerts.

An incident is one breach of a condition; an issue groups incidents, and is what workflows send. Both are alerts of
their own, for neither says all of the other.
https://docs.newrelic.com/docs/alerts/create-alert/condition-details/alert-event-attributes/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders._newrelic_fields import fields_of, first, guid_parts, instant_of, keys_of, names
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    RecordError,
    Shape,
    canonical,
    dated,
    embedded,
    mapping,
    name,
    need,
    severity,
    text,
)

# What happened to an incident or issue -> the fact (part of its id, so the same in every shape) and our kind.
_FACTS = {
    **dict.fromkeys(("open", "opened", "create", "created"), ("open", "fired")),
    **dict.fromkeys(("activate", "activated"), ("activated", "fired")),
    **dict.fromkeys(("acknowledge", "acknowledged", "ack", "acked"), ("acknowledged", "acknowledged")),
    **dict.fromkeys(("close", "closed", "resolve", "resolved"), ("closed", "resolved")),
}
_CHANGES = ("deactivate", "update", "unack", "priority", "merge", "incident", "mut", "unmut", "reopen")
_OPENED = ("createdat", "createtime", "opentime", "openedat", "opentimestamp")
_ACTIVATED = ("activatedat", "activatetime", "activatedtime")
_ACKNOWLEDGED = ("acknowledgedat", "acknowledgetime", "acknowledgedtime")
_CLOSED = ("closedat", "closetime", "closedtime")
_CONDITIONS = ("alertconditionnames", "conditionnames", "conditionname", "condition")
_POLICIES = ("alertpolicynames", "policynames", "policyname", "policy")
_ENTITIES = ("impactedentities", "entity.name", "entitynames", "entity.names", "targetname", "targetnames")
_GUIDS = ("entity.guid", "entityguids", "entity.guids", "entityguid")
_ENTITY_TYPES = ("entity.type", "entitytypes", "entity.types", "entitytype", "targettype")
_SERVICES = frozenset(("APPLICATION", "SERVICE", "KEY_TRANSACTION", "WORKLOAD", "LAMBDA", "AWSLAMBDAFUNCTION"))
_NO_RESOURCES = frozenset(("MONITOR", "DASHBOARD", "ACCOUNT", "SERVICE_LEVEL", "CONDITION"))
_TEAM = ("tags.team", "tags.owner", "tags.squad", "labels.team", "team")
_ENVIRONMENT = ("tags.environment", "tags.env", "labels.environment", "labels.env", "environment")
_SERVICE = ("tags.service", "tags.servicename", "tags.service.name", "tags.app", "labels.service", "service")
_RESOURCES = ("tags.aws.arn", "tags.host", "tags.hostname", "tags.fullhostname", "tags.instanceid", "tags.podname")
_MAX_DEPTH = 8


def _read_incident(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read a row of NrAiIncident or an incident of NerdGraph."""
    return _read(fields_of(record), "incidentid", "incident", envelope)


def _read_issue(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read a row of NrAiIssue, an issue of NerdGraph or what a workflow sends."""
    fields = fields_of(record)
    return _read(fields, "issueid" if "issueid" in fields else "id", "issue", envelope)


def _read(fields: Record, id_field: str, what: str, envelope: Envelope) -> Event | Ignored:
    native = need(name(fields.get(id_field)), id_field)
    word = (name(fields.get("event")) or name(fields.get("state")) or name(fields.get("eventtype")) or "").lower()
    if word not in _FACTS:
        if word.startswith(_CHANGES):
            return Ignored(f"newrelic change of an {what}")
        raise RecordError("bad_state", f"{word!r} is no state of a New Relic {what}")
    fact, kind = _FACTS[word]
    opened, activated, acked, ended = (
        instant_of(fields, keys, envelope) for keys in (_OPENED, _ACTIVATED, _ACKNOWLEDGED, _CLOSED)
    )
    if fact in ("open", "activated") and acked is not None and "event" not in fields:  # a state, not what happened
        fact, kind = "acknowledged", "acknowledged"
    own = {"open": opened, "activated": activated or opened, "acknowledged": acked, "closed": ended}[fact]
    when = own if own is not None else fields.get("timestamp") or fields.get("updatedat")
    at = dated(when, "timestamp", envelope)
    start = opened if opened is not None else at["at"] if fact == "open" else None
    conditions, policies = names(fields, _CONDITIONS), names(fields, _POLICIES)
    entities, guids = names(fields, _ENTITIES), names(fields, _GUIDS)
    title = next(iter(names(fields, ("title", "titles"))), None)
    alertname = ", ".join(conditions) or title
    rule = "|".join(filter(None, (", ".join(policies), ", ".join(conditions) or title, ", ".join(sorted(entities)))))
    priority = next(iter(names(fields, ("priority", "severity"))), None)
    account, domain, kind_of = guid_parts(guids[0]) if guids else (None, None, None)
    types = names(fields, _ENTITY_TYPES) or ([kind_of] if kind_of else [])
    return {
        **at,
        "event_id": f"{native}|{fact}",
        "native_ids": [native],
        "occurrence_key": native,
        "rule_key": rule or native,
        "kind": kind,
        "has_recovery": True,
        "alertname": alertname,
        "starts_at": start,
        "acked_at": acked,
        "ends_at": ended if kind == "resolved" else None,
        "severity": severity(priority),
        "severity_raw": priority,
        "summary": title or alertname,
        "description": next(iter(names(fields, ("description",))), None),
        "url": first(fields, ("issueurl", "incidentlink", "violationcharturl", "issuelink")),
        "environment": first(fields, _ENVIRONMENT),
        "team": first(fields, _TEAM),
        **_affected(fields, entities, types),
        "labels": canonical(
            {
                **{key: value for key, value in fields.items() if key.startswith(("tags.", "labels."))},
                "account": name(fields.get("accountid")) or account,
                "close_cause": name(fields.get("closecause")),
                "condition_id": name(fields.get("conditionid")),
                "entity_domain": domain,
                "entity_guids": guids,
                "entity_types": types,
                "entities": entities,
                "incident_ids": names(fields, ("incidentids",)),
                "issue_id": name(fields.get("issueid")) if what == "incident" else None,
                "nrql_query": text(fields.get("nrqlquery")),
                "policies": policies,
                "runbook_url": text(fields.get("runbookurl")),
                "total_incidents": name(fields.get("totalincidents")),
                "what": what,
                "workflow": name(fields.get("workflowname")),
            }
        ),
    }


def _read_legacy(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read a webhook of the notification channels; `duration` is how long the incident has been open."""
    state = (name(record.get("current_state")) or "").lower()
    if state == "test":
        return Ignored("newrelic test of a channel")
    if state not in _FACTS:
        raise RecordError("bad_state", f"current_state {state!r} is none of open, acknowledged, closed")
    fact, kind = _FACTS[state]
    native = need(name(record.get("incident_id")), "incident_id")
    at = dated(record.get("timestamp"), "timestamp", envelope)
    raw_targets = embedded(record.get("targets"))
    targets = [mapping(target) for target in (raw_targets if isinstance(raw_targets, list) else [raw_targets])]
    labels: Record = {}
    for target in reversed(targets):
        labels |= {f"tags.{key.lower()}": value for key, value in mapping(target.get("labels")).items()}
    duration = name(record.get("duration"))
    start = at["at"] if fact == "open" else None
    if kind == "resolved" and at["time_source"] == "event" and duration and duration.isdecimal():
        start = at["at"] - int(duration) * 1_000
    entities = list(dict.fromkeys(found for target in targets if (found := name(target.get("name")))))
    condition, policy = name(record.get("condition_name")), name(record.get("policy_name"))
    word = name(record.get("severity"))
    return {
        **at,
        "event_id": f"{native}|{fact}",
        "native_ids": [native],
        "occurrence_key": native,
        "rule_key": "|".join(filter(None, (policy, condition, ", ".join(sorted(entities))))) or native,
        "kind": kind,
        "has_recovery": True,
        "alertname": condition or policy,
        "starts_at": start,
        "ends_at": at["at"] if kind == "resolved" else None,
        "severity": severity(word),
        "severity_raw": word,
        "summary": text(record.get("details")) or condition,
        "description": text(record.get("condition_description")),
        "url": text(record.get("incident_url")),
        "environment": first(labels, _ENVIRONMENT),
        "team": first(labels, _TEAM),
        **_affected(labels, entities, [found for target in targets if (found := name(target.get("type")))]),
        "labels": canonical(
            {
                **labels,
                "account": name(record.get("account_id")),
                "condition_id": name(record.get("condition_id")),
                "entities": entities,
                "policies": [policy] if policy else [],
                "runbook_url": text(record.get("runbook_url")),
                "what": "incident",
            }
        ),
    }


def _affected(fields: Record, entities: list[str], types: list[str]) -> Event:
    """Return service and resources: an entity is one or the other, by its type."""
    kinds = [kind.upper().replace(" ", "_") for kind in types] or [""]
    each = [(entity, kinds[i] if i < len(kinds) else kinds[-1]) for i, entity in enumerate(entities)]
    service = first(fields, _SERVICE) or next((entity for entity, kind in each if kind in _SERVICES), None)
    hosts = [entity for entity, kind in each if kind and kind not in _SERVICES and kind not in _NO_RESOURCES]
    named = [found for key in _RESOURCES if (found := first(fields, (key,)))]
    return {"service": service, "resources": list(dict.fromkeys(hosts + named))}


def _is_incident(record: Record) -> bool:
    if not any(key[:1] in "iI" for key in record):
        return False
    keys = keys_of(record)
    return (
        "incidentid" in keys
        and bool(keys & {"event", "state"})
        and bool(keys & {"conditionname", "policyname", "entityguids", "entity.guid", "nrqlquery", "conditionid"})
        and "currentstate" not in keys
        and "startedat" not in keys  # an incident of Google Cloud Monitoring
    )


def _is_issue(record: Record) -> bool:
    if not any(key[:1] in "iI" for key in record):
        return False
    keys = keys_of(record)
    if "incidentid" in keys:
        return False
    if "issueid" in keys:
        return bool(keys & {"event", "state"}) and bool(
            keys & {"priority", "conditionname", "policyname", "entityguids", "entity.guids", "totalincidents"}
        )
    return "id" in keys and "state" in keys and bool(keys & {"alertconditionnames", "alertpolicynames"})


def _is_legacy(record: Record) -> bool:
    return (
        "current_state" in record
        and "incident_id" in record
        and ("condition_name" in record or "policy_name" in record)
    )


def _is_graph(record: Record) -> bool:
    return isinstance(mapping(record.get("data")).get("actor"), dict)


def _graph_parts(record: Record) -> Iterator[tuple[str, Record]]:
    yield from _within(record["data"], ".data", 0)


def _within(value: Any, where: str, depth: int) -> Iterator[tuple[str, Record]]:
    """Yield the issues and incidents anywhere inside an answer of NerdGraph, whatever its query called their lists."""
    if isinstance(value, dict) and (_is_issue(value) or _is_incident(value)):
        yield where, value
    elif depth < _MAX_DEPTH and isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _within(item, f"{where}.{key}" if isinstance(value, dict) else f"{where}[{key}]", depth + 1)


def _read_graph(record: Record, envelope: Envelope) -> Event | Ignored:
    if _is_incident(record):
        return _read_incident(record, envelope)
    if _is_issue(record):
        return _read_issue(record, envelope)
    return Ignored("newrelic answer without alerts")


SHAPES = (
    Shape("newrelic", "webhook of the old alerts", _is_legacy, _read_legacy),
    Shape("newrelic", "incident", _is_incident, _read_incident),
    Shape("newrelic", "issue", _is_issue, _read_issue),
    Shape("newrelic", "NerdGraph answer", _is_graph, _read_graph, _graph_parts),
)
PAGES = ("results", "events", "issues", "incidents")
