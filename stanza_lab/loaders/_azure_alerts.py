"""What the shapes of Azure alerts have in common: essentials, targets, dimensions, and what a rule's owner states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders._records import Event, Record, canonical, embedded, listing, mapping, name, severity, text

# What the custom properties of a rule, or the labels of a Prometheus rule, may state.
_STATED = {
    "service": ("service", "app", "application"),
    "environment": ("environment", "env", "stage"),
    "team": ("team", "owner", "squad"),
}
# Dimensions of a log or metric alert whose value is a resource.
_HOSTS = ("computer", "host", "hostname", "vmname", "node", "nodename", "pod", "podname", "_resourceid")
_LINKS = (
    *("linkToFilteredSearchResultsUI", "linkToSearchResultsUI"),
    *("LinkToFilteredSearchResultsUI", "LinkToSearchResults"),
)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def essentials(record: Record) -> Record:
    """Return the essentials of an alert, of the common schema or of a listed one; empty if it is neither."""
    held = mapping(embedded(record.get("data"))) or mapping(embedded(record.get("properties"))) or record
    return mapping(embedded(held.get("essentials")))


def lowercase(value: Any) -> str | None:
    """Return a name in lower case: Azure writes its own words, names of rules and ids of resources in any."""
    said = name(value)
    return said.lower() if said else None


def alert_event(
    found: Record, alert: str, state: str, at: int, *, starts: int | None, context: Record, custom: Record
) -> Event:
    """Return the event of an alert in a state, from its essentials: the same from a notification and from a list."""
    guid = alert.rstrip("/").rpartition("/")[2].lower()
    rule = name(found.get("alertRule")) or name(found.get("alertRuleID"))
    alertname = rule.rstrip("/").rpartition("/")[2] if rule else None
    targets = _targets(found)
    origin_id = name(found.get("originAlertId")) or name(found.get("sourceCreatedId"))
    group = targets[0] if targets else (origin_id or guid).lower()
    item = next(iter(_items(found)), None)
    where = name(found.get("targetResourceName")) or item or (targets[0].rpartition("/")[2] if targets else None)
    properties = mapping(context.get("properties"))
    ended = state in ("resolved", "closed")
    return {
        "event_id": f"{guid}|{state}",
        "native_ids": [alert],
        "occurrence_key": guid,
        "rule_key": f"{alertname.lower()}|{group}" if alertname else group,
        "at": at,
        "kind": "resolved" if ended else state,
        # Azure never says that what an activity log alert told of has ended.
        "has_recovery": ended or lowercase(found.get("signalType")) != "activity log",
        "starts_at": starts,
        "summary": text(properties.get("title")) or summary(alertname or guid, state, where),
        **about(
            alertname,
            level=name(found.get("severity")),
            targets=targets,
            items=_items(found),
            context=context,
            stated=(mapping(context.get("labels")), properties, custom),
            labels={
                "signal_type": name(found.get("signalType")),
                "monitoring_service": name(found.get("monitoringService")) or name(found.get("monitorService")),
                "target_type": name(found.get("targetResourceType")),
                "resource_group": name(found.get("targetResourceGroup")),
                "alert_rule_id": rule if rule and "/" in rule else name(found.get("alertRuleID")),
                "origin_alert_id": origin_id,
                "alert_state": name(found.get("alertState")),
                "operation": name(context.get("operationName")),
            },
        ),
        "description": text(found.get("description")),
        "url": text(found.get("investigationLink")) or _link(context),
    }


def about(
    alertname: str | None,
    *,
    level: str | None,
    targets: list[str],
    items: list[str],
    context: Record,
    stated: tuple[Record, ...],
    labels: dict[str, Any],
) -> Event:
    """Return the columns that say what an alert is about, of the common schema or of the one before."""
    dimensions = list(_dimensions(context))
    own = {key.lower(): said for held in stated for key, value in held.items() if (said := name(value))}
    known = {target.rpartition("/")[2] for target in targets}
    hosts = [value for key, value in dimensions if key.lower() in _HOSTS]
    hosts += [item for item in items if item.lower() not in known]
    return {
        "alertname": alertname,
        "severity": severity(level),
        "severity_raw": level if severity(level) else None,
        **{column: next((own[key] for key in keys if key in own), None) for column, keys in _STATED.items()},
        "resources": list(dict.fromkeys([*targets, *hosts])),
        "labels": canonical(
            {
                **labels,
                "metric": next((metric for c in _criteria(context) if (metric := name(c.get("metricName")))), None),
                "dimensions": dict(dimensions),
                "properties": own,
            }
        ),
    }


def summary(alertname: str, state: str, where: str | None) -> str:
    """Return one line for an alert: Azure writes none."""
    return f"{alertname} {state}" + (f" on {where}" if where else "")


def _targets(found: Record) -> list[str]:
    """Return the ARM ids of what an alert is about, in lower case; a whole subscription is no resource."""
    written = [*listing(found.get("alertTargetIDs")), found.get("targetResource")]
    ids = [said.rstrip("/") for value in written if (said := lowercase(value))]
    return list(dict.fromkeys(arm for arm in ids if "/providers/" in arm or not arm.startswith("/")))


def _items(found: Record) -> list[str]:
    """Return the configuration items that name something: a host or a resource, not an id of Azure's own."""
    items = [said for value in listing(found.get("configurationItems")) if (said := name(value))]
    return [item for item in items if not _GUID.fullmatch(item) and "/" not in item]


def _criteria(context: Record) -> list[Record]:
    return [mapping(one) for one in listing(mapping(context.get("condition")).get("allOf"))]


def _dimensions(context: Record) -> Iterator[tuple[str, str]]:
    """Yield the dimensions of a metric or log alert as (name, value)."""
    criteria = (one for c in _criteria(context) for one in listing(c.get("dimensions")))
    for one in map(mapping, (*listing(context.get("Dimensions")), *criteria)):
        key, value = name(one.get("name")), name(one.get("value"))
        if key and value:
            yield key, value


def _link(context: Record) -> str | None:
    held = (*_criteria(context), context)
    return next((url for one in held for key in _LINKS if (url := text(one.get(key)))), None)
