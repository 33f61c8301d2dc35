"""What Kibana writes about its alerts: alerts as data, the alert history of the index connector, the event log.

https://www.elastic.co/guide/en/kibana/current/alert-schema.html
"""

from __future__ import annotations

from typing import Any

from stanza_lab.loaders import _elastic_document as doc
from stanza_lab.loaders import _times
from stanza_lab.loaders._elastic_document import lookup, opened
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    RecordError,
    canonical,
    mapping,
    need,
    severity,
)

_RULE = ("kibana.alert.rule.uuid", "signal.rule.id", "kibana.alert.rule.rule_id", "signal.rule.rule_id")
_RULE_NAME = ("kibana.alert.rule.name", "signal.rule.name")
_INSTANCE = ("kibana.alert.instance.id", "kibana.alert.id")
_TAGS = ("tags", "kibana.alert.rule.tags", "signal.rule.tags")
# 7.x wrote open and closed, of the alert itself.
_STATES = {"open": "active", "closed": "recovered"}
# What of an alert is kept beside its columns.
_KEPT = {
    "category": ("kibana.alert.rule.category",),
    "consumer": ("kibana.alert.rule.consumer",),
    "container": ("container.name", "container.id"),
    "flapping": ("kibana.alert.flapping",),
    "instance": _INSTANCE,
    "namespace": ("kubernetes.namespace", "k8s.namespace.name"),
    "rule_type": ("kibana.alert.rule.rule_type_id", "signal.rule.type"),
    "space": ("kibana.space_ids",),
    "workflow_status": ("kibana.alert.workflow_status", "signal.status"),
}


def is_alert(record: Record) -> bool:
    """Return whether a record is an alert as data: it has a rule, and a state, a reason or a key of its own."""
    document = opened(record)
    if lookup(document, "signal.rule") is not None or doc.name(document, *_RULE[1::2]):
        return True
    told = ("kibana.alert.uuid", "kibana.alert.status", "kibana.alert.start", "kibana.alert.reason")
    ruled = any(lookup(document, path) is not None for path in (_RULE[0], _RULE_NAME[0]))
    return ruled and any(lookup(document, path) is not None for path in told)


def read_alert(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an alert as data: one document per alert, updated in place."""
    document = doc.flat(record)
    status = doc.name(document, "kibana.alert.status") or "active"
    status = _STATES.get(status.lower(), status.lower())
    if status == "delayed":
        return Ignored("elastic alert that is delayed, not fired yet")
    if status not in ("active", "recovered", "untracked"):
        message = f"{status!r} is no state of an alert; they are active, recovered, untracked and delayed"
        raise RecordError("bad_state", message)
    security = _is_security(record, document)
    recovered = status == "recovered" and not security
    start = doc.instant(document, envelope, "kibana.alert.start", "kibana.alert.time_range.gte")
    end = doc.instant(document, envelope, "kibana.alert.end", "kibana.alert.time_range.lte") if recovered else None
    at = (end if recovered else start) or doc.moment(document, envelope, "@timestamp", "signal.original_time")
    alertname = doc.name(document, *_RULE_NAME)
    rule = need(doc.name(document, *_RULE) or alertname, "kibana.alert.rule.uuid")
    action_group = doc.name(document, "kibana.alert.action_group")
    tags = doc.tags(document, *_TAGS)
    words = [
        doc.name(document, "kibana.alert.severity", "signal.rule.severity"),
        *(
            _in_action_group(group)
            for group in (action_group, doc.name(document, "kibana.alert.previous_action_group"))
        ),
        tags.get("severity"),
    ]
    word = next(filter(None, words), None)
    acknowledged = doc.name(document, "kibana.alert.workflow_status") == "acknowledged"
    return {
        **_identity(
            record,
            rule="|".join(filter(None, (rule, doc.name(document, *_INSTANCE)))),
            uuid=doc.name(document, "kibana.alert.uuid") or (doc.name(record, "_id") if security else None),
            start=start or at,
            state=status if not security else "active",
        ),
        "at": at,
        "kind": "resolved" if recovered else "fired",
        "has_recovery": not security,
        "alertname": alertname or rule,
        "starts_at": start,
        "ends_at": end,
        "acked_at": doc.instant(document, envelope, "kibana.alert.workflow_status_updated_at")
        if acknowledged
        else None,
        "severity": severity(word),
        "severity_raw": word,
        "summary": doc.text(document, "kibana.alert.reason", "signal.reason") or alertname,
        "description": doc.text(document, "kibana.alert.rule.description", "signal.rule.description"),
        "url": doc.text(document, "kibana.alert.url"),
        **doc.about(document, tags),
        "labels": canonical(
            {
                **_kept(document),
                "action_group": action_group,
                "evaluation_threshold": doc.number(document, "kibana.alert.evaluation.threshold"),
                "evaluation_value": doc.number(
                    document, "kibana.alert.evaluation.value", "kibana.alert.evaluation.values"
                ),
                "group": dict(doc.groups(document)),
                "maintenance_windows": sorted(doc.names(document, "kibana.alert.maintenance_window_ids")),
                "risk_score": doc.number(document, "kibana.alert.risk_score", "signal.rule.risk_score"),
                "status": status,
                "tags": sorted(doc.all_tags(document, *_TAGS)),
                "untracked_at": _untracked(document, envelope) if status == "untracked" else None,
            }
        ),
    }


def is_history(record: Record) -> bool:
    """Return whether a record is one action run as the index connector writes it to ``kibana-alert-history-*``."""
    document = opened(record)
    return lookup(document, "kibana.alert.actionGroup") is not None and lookup(document, "rule.id") is not None


def read_history(record: Record, envelope: Envelope) -> Event:
    """Read what the index connector wrote when an action ran."""
    document = opened(record)
    group = doc.name(document, "kibana.alert.actionGroup")
    resolved = group == "recovered"
    rule = need(doc.name(document, "rule.id"), "rule.id")
    key = "|".join(filter(None, (rule, doc.name(document, "kibana.alert.id"))))
    at = doc.moment(document, envelope, "@timestamp")
    alertname = doc.name(document, "rule.name") or rule
    tags = doc.tags(document, "tags")
    word = _in_action_group(group) or tags.get("severity")
    contexts = [mapping(context) for context in mapping(lookup(document, "kibana.alert.context")).values()]
    reason = _first(contexts, "reason", "message") or doc.text(document, "message")
    event_id = f"{key}|{_times.iso_ms(at)}|{'resolved' if resolved else 'fired'}"
    return {
        "event_id": event_id,
        "native_ids": [doc.name(record, "_id") or envelope.delivery_id or event_id],
        "rule_key": key,
        "at": at,
        "kind": "resolved" if resolved else "fired",
        "has_recovery": True,
        "alertname": alertname,
        "severity": severity(word),
        "severity_raw": word,
        "summary": reason or alertname,
        "url": _first(contexts, "alertDetailsUrl", "viewInAppUrl", "link"),
        **doc.about(document, tags),
        "labels": canonical(
            {
                "action_group": group,
                "instance": doc.name(document, "kibana.alert.id"),
                "rule_type": doc.name(document, "rule.type"),
                "space": doc.name(document, "rule.space"),
                "tags": sorted(doc.all_tags(document, "tags")),
            }
        ),
    }


_LOGGED = {"new-instance": "active", "active-instance": "active", "recovered-instance": "recovered"}


def is_logged(record: Record) -> bool:
    """Return whether a record is an entry of Kibana's event log."""
    document = opened(record)
    provider = doc.name(document, "event.provider")
    return "kibana-event-log" in str(record.get("_index")) or (
        provider in ("alerting", "actions", "eventLog") and any(key.partition(".")[0] == "kibana" for key in document)
    )


def read_logged(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an entry of the event log: an alert began, goes on or recovered; runs of rules and actions are ignored.

    Going on says again that the alert began when it did: the same fact.
    """
    document = doc.flat(record)
    action = doc.name(document, "event.action")
    state = _LOGGED.get(action or "")
    if state is None:
        return Ignored("kibana event log entry that is no alert")
    start = doc.instant(document, envelope, "event.start")
    end = doc.instant(document, envelope, "event.end") if state == "recovered" else None
    at = (end if state == "recovered" else start) or doc.moment(document, envelope, "@timestamp")
    rule = need(doc.name(document, "rule.id"), "rule.id")
    instance = doc.name(document, "kibana.alerting.instance_id", "kibana.alert.instance.id")
    alertname = doc.name(document, "rule.name") or rule
    group = doc.name(document, "kibana.alerting.action_group_id")
    word = _in_action_group(group)
    return {
        **_identity(
            record,
            rule="|".join(filter(None, (rule, instance))),
            uuid=doc.name(document, "kibana.alert.uuid"),
            start=start or at,
            state=state,
        ),
        "at": at,
        "kind": "fired" if state == "active" else "resolved",
        "has_recovery": True,
        "alertname": alertname,
        "starts_at": start,
        "ends_at": end,
        "severity": severity(word),
        "severity_raw": word,
        "summary": doc.text(document, "message") or alertname,
        **doc.about(document, {}),
        "labels": canonical(
            {
                "action": action,
                "action_group": group,
                "category": doc.name(document, "rule.category"),
                "instance": instance,
            }
        ),
    }


def _identity(record: Record, *, rule: str, uuid: str | None, start: int, state: str) -> Event:
    """Return the keys of a state of an alert, the same in its document and in the event log."""
    occurrence = uuid or f"{rule}|{_times.iso_ms(start)}"
    return {
        "event_id": f"{occurrence}|{state}",
        "native_ids": [doc.name(record, "_id") or uuid or f"{occurrence}|{state}"],
        "occurrence_key": uuid,
        "rule_key": rule,
    }


def _is_security(record: Record, document: Record) -> bool:
    """Return whether an alert is one of the security solution, which knows no recovery."""
    kind = doc.name(document, "kibana.alert.rule.rule_type_id") or ""
    consumer = doc.name(document, "kibana.alert.rule.consumer")
    index = str(record.get("_index"))
    security = kind.startswith("siem.") or consumer == "siem" or "alerts-security" in index or "siem-signals" in index
    return security or doc.name(document, *_RULE[1::2]) is not None


def _in_action_group(group: str | None) -> str | None:
    """Return the severity an action group names: ``metrics.threshold.warning``, ``slo.burnRate.high``, ``critical``."""
    word = (group or "").rpartition(".")[2]
    return word if severity(word) else None


def _untracked(document: Record, envelope: Envelope) -> str | None:
    """Return since when nobody looks: the rule was disabled or deleted, which is no recovery."""
    at = doc.instant(document, envelope, "kibana.alert.end", "@timestamp")
    return None if at is None else _times.iso_ms(at)


def _kept(document: Record) -> dict[str, Any]:
    kept: dict[str, Any] = {key: doc.name(document, *paths) for key, paths in _KEPT.items()}
    flapping = lookup(document, "kibana.alert.flapping")
    kept["flapping"] = True if flapping in (True, [True], "true") else None
    return kept


def _first(contexts: list[Record], *keys: str) -> str | None:
    return next((found for context in contexts for key in keys if (found := doc.text(context, key))), None)
