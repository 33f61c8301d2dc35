"""Google Cloud Monitoring: incidents as webhooks and Pub/Sub send them, and alerts of the API.

https://cloud.google.com/monitoring/support/notification-options#webhooks
https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alerts
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

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
    ignore,
    instant,
    mapping,
    name,
    need,
    severity,
    text,
)

_ALERT = re.compile(r"projects/[^/]+/alerts/[^/]+")
_POLICY = re.compile(r"projects/[^/]+/alertPolicies/[^/]+(/conditions/[^/]+)?")
_SERVICE = ("service", "app", "application", "service_name", "k8s-app", "app.kubernetes.io/name")
_SERVICE_LABELS = ("service_name", "service", "service_id", "module_id")
_ENVIRONMENT = ("environment", "env", "stage")
_TEAM = ("team", "owner", "squad")
# Labels of a monitored resource that name it (the others say where it is: project, zone, location).
_RESOURCES = (
    *("instance_id", "pod_name", "node_name", "database_id", "subscription_id", "topic_id", "function_name"),
    *(
        "bucket_name",
        "queue_id",
        "backend_service_name",
        "forwarding_rule_name",
        "url_map_name",
        "host",
        "revision_name",
    ),
    *("job_name", "volume_id", "disk_name", "table_id"),
)
_CLUSTER = "cluster_name"


def _is_incident(record: Record) -> bool:
    """Return whether a record is an incident; New Relic has incidents with the same keys, but without such times."""
    return (
        "incident_id" in record and "started_at" in record and ("policy_name" in record or "condition_name" in record)
    )


def _is_webhook(record: Record) -> bool:
    return _is_incident(mapping(embedded(record.get("incident"))))


def _is_alert(record: Record) -> bool:
    said = record.get("name")
    return isinstance(said, str) and _ALERT.fullmatch(said) is not None and ("state" in record or "openTime" in record)


def _is_policy(record: Record) -> bool:
    said = record.get("name")
    return isinstance(said, str) and _POLICY.fullmatch(said) is not None


def _published(record: Record) -> Any:
    """Return what a Pub/Sub message carries, base64 or already decoded; None when that is no JSON."""
    data = record.get("data")
    if not isinstance(data, str) or not any(key in record for key in ("messageId", "message_id", "publishTime")):
        return None
    try:
        held = embedded(base64.b64decode(data, validate=True).decode())
    except (binascii.Error, ValueError):
        return None
    return held if isinstance(held, dict) else None


def _is_published(record: Record) -> bool:
    held = _published(record)
    return held is not None and (_is_webhook(held) or _is_incident(held))


def _read_published(record: Record) -> Iterator[tuple[str, Record]]:
    yield ".data", _published(record)


def _read_incident(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an incident of a webhook, version 1.2 and before."""
    if name(record.get("version")) == "test":
        return Ignored("gcp test notification")
    incident = mapping(embedded(record.get("incident"))) or record
    policy_labels = mapping(incident.get("policy_user_labels"))
    resource = mapping(incident.get("resource"))
    metric = mapping(incident.get("metric"))
    metadata = mapping(incident.get("metadata"))
    documentation = incident.get("documentation")
    word = name(incident.get("severity")) or name(policy_labels.get("severity"))
    return _event(
        need(name(incident.get("incident_id")), "incident_id"),
        native_id=name(incident.get("incident_id")),
        state=incident.get("state"),
        times=(incident.get("started_at"), incident.get("ended_at")),
        fields=("started_at", "ended_at"),
        envelope=envelope,
        policy=text(incident.get("policy_name")),
        condition=text(incident.get("condition_name")),
        project=name(incident.get("scoping_project_id")),
        word=word,
        resource=resource,
        metric=metric,
        labels=[policy_labels, mapping(metadata.get("user_labels")), mapping(metadata.get("system_labels"))],
        shown=text(incident.get("resource_display_name")),
        more={
            "summary": text(incident.get("summary")),
            # Written once for the policy: it explains the alert, and knows nothing of this incident.
            "description": text(mapping(documentation).get("content")) or text(documentation),
            "url": text(incident.get("url")),
        },
        values={
            "observed_value": name(incident.get("observed_value")),
            "threshold_value": name(incident.get("threshold_value")),
            "condition_id": name(mapping(incident.get("condition")).get("name")),
        },
    )


def _read_alert(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an alert of ``projects.alerts.list``: one record, with both its ends."""
    said = need(name(record.get("name")), "name")
    policy = mapping(record.get("policy"))
    policy_labels = mapping(policy.get("userLabels"))
    metadata = mapping(record.get("metadata"))
    _, project, _, alert = said.split("/")
    return _event(
        alert,
        native_id=said,
        state=record.get("state"),
        times=(record.get("openTime"), record.get("closeTime")),
        fields=("openTime", "closeTime"),
        envelope=envelope,
        policy=text(policy.get("displayName")),
        condition=None,
        project=project,
        word=name(policy.get("severity")) or name(policy_labels.get("severity")),
        resource=mapping(record.get("resource")),
        metric=mapping(record.get("metric")),
        labels=[policy_labels, mapping(metadata.get("userLabels")), mapping(metadata.get("systemLabels"))],
        shown=None,
        more={"description": text(mapping(policy.get("documentation")).get("content"))},
        values={
            "policy_id": name(policy.get("name")),
            "log": mapping(mapping(record.get("log")).get("extractedLabels")),
        },
    )


def _event(
    incident: str,
    *,
    native_id: str | None,
    state: Any,
    times: tuple[Any, Any],
    fields: tuple[str, str],
    envelope: Envelope,
    policy: str | None,
    condition: str | None,
    project: str | None,
    word: str | None,
    resource: Record,
    metric: Record,
    labels: list[Record],
    shown: str | None,
    more: Event,
    values: dict[str, Any],
) -> Event:
    """Return the event of an incident in its state; the webhook and the API write the case of it as they like."""
    starts, ends = (instant(value, field, envelope) for value, field in zip(times, fields, strict=True))
    known = (name(state) or "").lower()
    if known not in ("open", "closed"):
        raise RecordError("bad_state", f"{state!r} is no state of an incident; they are open, closed")
    closed = known == "closed"
    about = {key: said for key, value in mapping(resource.get("labels")).items() if (said := name(value))}
    series = {key: said for key, value in mapping(metric.get("labels")).items() if (said := name(value))}
    group = ",".join(sorted(f"{key}={value}" for key, value in {**series, **about}.items()))
    alertname = policy or condition
    named = [about[key] for key in _RESOURCES if key in about]
    if shown is not None and shown not in (project, about.get("project_id")):
        named.insert(0, shown)
    if not named and _CLUSTER in about:
        named = [about[_CLUSTER]]
    return {
        "event_id": f"{incident}|{known}",
        "native_ids": [native_id or incident],
        "occurrence_key": incident,
        "rule_key": f"{alertname or incident}|{group or project or ''}",
        **dated(times[closed], fields[closed], envelope),
        "kind": "resolved" if closed else "fired",
        "has_recovery": True,
        "alertname": alertname,
        "starts_at": starts,
        "ends_at": ends if closed else None,
        "severity": severity(word),
        "severity_raw": word if severity(word) else None,
        "service": _first(labels, _SERVICE) or _first([about], _SERVICE_LABELS),
        "environment": _first(labels, _ENVIRONMENT),
        "team": _first(labels, _TEAM),
        "resources": list(dict.fromkeys(named)),
        **more,
        "summary": more.get("summary") or f"{alertname or incident} {known}" + (f": {named[0]}" if named else ""),
        "labels": canonical(
            {
                "project": about.get("project_id") or project,
                "condition": condition,
                "resource_type": name(resource.get("type")),
                "resource": about,
                "metric": name(metric.get("type")),
                "metric_labels": series,
                "user_labels": {k: said for held in reversed(labels[:2]) for k, v in held.items() if (said := name(v))},
                **values,
            }
        ),
    }


def _first(held: list[Record], keys: tuple[str, ...]) -> str | None:
    """Return the first of `keys` that a set of labels states; the labels of the policy come before the resource's."""
    return next((found for labels in held for key in keys if (found := name(labels.get(key)))), None)


SHAPES = (
    Shape("gcp", "webhook", _is_webhook, _read_incident),
    Shape("gcp", "incident", _is_incident, _read_incident),
    Shape("gcp", "Pub/Sub message", _is_published, _read_incident, _read_published),
    Shape("gcp", "alert", _is_alert, _read_alert),
    ignore("gcp", "alert policy", _is_policy),
)
PAGES = ("alerts", "alertPolicies", "receivedMessages")
