"""Azure Monitor: the common alert schema, the Alerts Management list and rows of Resource Graph; older metric alerts.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema
https://learn.microsoft.com/rest/api/monitor/alertsmanagement/alerts/get-all
"""

from __future__ import annotations

from stanza_lab.loaders import _times
from stanza_lab.loaders._azure_alerts import about, alert_event, essentials, lowercase, summary
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Record,
    RecordError,
    Shape,
    embedded,
    ignore,
    instant,
    mapping,
    moment,
    name,
    need,
    text,
)

_SCHEMA = "azuremonitorcommonalertschema"
_METRIC_ALERT = "azuremonitormetricalert"
_RULES = frozenset(
    (
        *("microsoft.insights/metricalerts", "microsoft.insights/scheduledqueryrules"),
        *("microsoft.insights/activitylogalerts", "microsoft.alertsmanagement/smartdetectoralertrules"),
        "microsoft.alertsmanagement/prometheusrulegroups",
    )
)
_OTHER = ("microsoft.alertsmanagement/", "microsoft.insights/actiongroups")
_ENDED = ("resolved", "rca", "completed", "canceled")


def _is_common(record: Record) -> bool:
    """Return whether a record is a notification of the common schema, or its ``data`` alone (as Logic Apps pass it)."""
    found = essentials(record)
    if lowercase(record.get("schemaId")) == _SCHEMA:
        return True
    return "properties" not in record and "alertId" in found and "monitorCondition" in found


def _is_listed(record: Record) -> bool:
    found = essentials(record)
    return "properties" in record and ("monitorCondition" in found or "alertState" in found)


def _is_metric_alert(record: Record) -> bool:
    return lowercase(record.get("schemaId")) == _METRIC_ALERT and isinstance(record.get("data"), dict)


def _of_type(record: Record, types: frozenset[str]) -> bool:
    return lowercase(record.get("type")) in types and "id" in record


def _is_other(record: Record) -> bool:
    return (lowercase(record.get("type")) or "").startswith(_OTHER) and "id" in record


def _read_common(record: Record, envelope: Envelope) -> Event:
    """Read a notification: fired or resolved, with the same alert id."""
    data = mapping(embedded(record.get("data"))) or record
    context = mapping(data.get("alertContext"))
    found = essentials(record)
    state = need(lowercase(found.get("monitorCondition")), "monitorCondition")
    alert = need(name(found.get("alertId")), "alertId")
    starts = instant(found.get("firedDateTime"), "firedDateTime", envelope)
    if state not in ("fired", "resolved"):
        raise RecordError("bad_state", f"{state!r} is no condition of an alert; they are Fired, Resolved")
    field = "firedDateTime" if state == "fired" else "resolvedDateTime"
    at = moment(found.get(field), field, envelope)
    custom = mapping(data.get("customProperties"))
    event = alert_event(found, alert, state, at, starts=starts, context=context, custom=custom)
    event["ends_at"] = at if state == "resolved" else None
    return {**event, **_health(context, envelope)}


def _health(context: Record, envelope: Envelope) -> Event:
    """Return what an activity log alert about Azure's own health states: its incident, and whether that has ended."""
    properties = mapping(context.get("properties"))
    tracking = name(properties.get("trackingId"))
    if tracking is None:
        return {}
    stage = lowercase(properties.get("stage")) or lowercase(context.get("status"))
    ended = stage in _ENDED
    planned = lowercase(properties.get("incidentType")) in ("maintenance", "informational")
    return {
        "occurrence_key": f"health|{tracking}",
        "kind": "changed" if planned else "resolved" if ended else "fired",
        "has_recovery": True,
        "starts_at": instant(properties.get("impactStartTime"), "impactStartTime", envelope),
        "ends_at": instant(properties.get("impactMitigationTime"), "impactMitigationTime", envelope) if ended else None,
    }


def _read_listed(record: Record, envelope: Envelope) -> Event:
    """Read an alert of the Alerts Management list or a row of Resource Graph: one record for the whole alert."""
    found = essentials(record)
    alert = need(name(record.get("id")) or name(found.get("alertId")) or name(record.get("name")), "id")
    condition, human = lowercase(found.get("monitorCondition")), lowercase(found.get("alertState"))
    begun = found.get("startDateTime") or found.get("firedDateTime")
    starts = instant(begun, "startDateTime", envelope)
    changed = found.get("lastModifiedDateTime")
    context = mapping(mapping(embedded(record.get("properties"))).get("context"))
    if condition == "resolved":
        over = found.get("monitorConditionResolvedDateTime") or found.get("resolvedDateTime") or changed
        at = moment(over, "monitorConditionResolvedDateTime", envelope)
        ends: int | None = at
        state = "resolved"
    elif human == "closed":  # a person closed what Azure never resolved: log alerts often are ended so
        at = moment(changed, "lastModifiedDateTime", envelope)
        ends, state = at, "closed"
    elif human == "acknowledged":
        at = moment(changed, "lastModifiedDateTime", envelope)
        ends, state = None, "acknowledged"
    else:
        at = moment(begun, "startDateTime", envelope)
        ends, state = None, "fired"
    return {**alert_event(found, alert, state, at, starts=starts, context=context, custom={}), "ends_at": ends}


def _read_metric_alert(record: Record, envelope: Envelope) -> Event:
    """Read a metric alert as it was sent before the common schema: activated or deactivated, without an alert id."""
    data = mapping(record.get("data"))
    context = mapping(data.get("context"))
    rule = need(name(context.get("id")), "context.id")
    kind = {"activated": "fired", "deactivated": "resolved"}.get(lowercase(data.get("status")) or "")
    if kind is None:
        raise RecordError("bad_state", f"{data.get('status')!r} is no status; they are Activated, Deactivated")
    at = moment(context.get("timestamp"), "context.timestamp", envelope)
    target = lowercase(context.get("resourceId"))
    alertname = name(context.get("name")) or rule.rpartition("/")[2]
    level = name(context.get("severity"))
    event_id = f"{rule.lower()}|{target or ''}|{_times.iso_ms(at)}|{kind}"
    return {
        "event_id": event_id,
        "native_ids": [envelope.delivery_id or event_id],
        "rule_key": f"{alertname.lower()}|{target or rule.lower()}",
        "at": at,
        "kind": kind,
        "has_recovery": True,
        "summary": summary(alertname, kind, name(context.get("resourceName"))),
        **about(
            alertname,
            level=f"Sev{level}" if level and level.isdecimal() else level,
            targets=[target] if target else [],
            items=[],
            context=context,
            stated=(mapping(data.get("properties")),),
            labels={
                "signal_type": "Metric",
                "target_type": name(context.get("resourceType")),
                "resource_group": name(context.get("resourceGroupName")),
                "alert_rule_id": rule,
            },
        ),
        "severity_raw": level,
        "description": text(context.get("description")),
        "url": text(context.get("portalLink")),
    }


SHAPES = (
    Shape("azure", "alert notification", _is_common, _read_common),
    Shape("azure", "alert", _is_listed, _read_listed),
    Shape("azure", "metric alert", _is_metric_alert, _read_metric_alert),
    ignore("azure", "alert rule", lambda r: _of_type(r, _RULES)),
    ignore("azure", "object that is no alert", _is_other),
)
PAGES = ("value",)
