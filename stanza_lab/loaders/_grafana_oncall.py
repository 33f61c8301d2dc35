"""Grafana OnCall: alert groups of its API, its export and its outgoing webhooks; it pages for what others raised.

https://grafana.com/docs/oncall/latest/oncall-api-reference/alertgroups/
"""

from __future__ import annotations

from stanza_lab.loaders import _prometheus
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    canonical,
    dated,
    instant,
    listing,
    mapping,
    name,
    need,
    text,
)

# The states of an alert group: words of the public API, numbers of the internal one.
_STATES = {
    **dict.fromkeys(("0", "new", "firing", "alerting", "silenced", "3"), "fired"),
    **dict.fromkeys(("1", "acknowledged"), "acknowledged"),
    **dict.fromkeys(("2", "resolved"), "resolved"),
}
_ORIGINS = {
    "alertmanager": "alertmanager",
    "grafana": "grafana",
    "grafana_alerting": "grafana",
    "legacy_alertmanager": "alertmanager",
    "legacy_grafana_alerting": "grafana",
}


def matches(record: Record) -> bool:
    """Return whether a record is an alert group, or a webhook about one."""
    group = mapping(record.get("alert_group")) or record
    rendered = "render_for_web" in group or "last_alert" in group or "permalinks" in group
    source = any(key in group for key in ("integration", "integration_id", "alert_receive_channel"))
    started = "started_at" in group or "created_at" in group
    return started and (rendered or "alerts_count" in group) and (source or "integration" in record)


def read(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an alert group: one record with both ends."""
    group = mapping(record.get("alert_group")) or record
    group_id = need(name(group.get("id")) or name(group.get("pk")) or name(record.get("alert_group_id")), "id")
    start = instant(group.get("started_at") or group.get("created_at"), "started_at", envelope)
    acknowledged = instant(group.get("acknowledged_at"), "acknowledged_at", envelope)
    end = instant(group.get("resolved_at"), "resolved_at", envelope)
    stated = _STATES.get((name(group.get("state")) or name(group.get("status")) or "").lower())
    kind = stated or ("resolved" if end else "acknowledged" if acknowledged else "fired")
    at = {"fired": start, "acknowledged": acknowledged, "resolved": end}[kind]
    web = mapping(group.get("render_for_web"))
    title = text(web.get("title")) or text(group.get("title"))
    payload = mapping(mapping(group.get("last_alert")).get("payload")) or mapping(record.get("alert_payload"))
    alerts = [mapping(mapping(alert).get("labels")) for alert in listing(payload.get("alerts"))[:1]]
    labels = _prometheus.identity(payload.get("labels") or payload.get("commonLabels") or next(iter(alerts), None))
    labels = {**_own_labels(group), **labels}
    channel = mapping(group.get("integration")) or mapping(group.get("alert_receive_channel"))
    channel = channel or mapping(record.get("integration"))
    integration = name(channel.get("id")) or name(group.get("integration_id")) or name(group.get("integration"))
    kind_of_channel = name(channel.get("type")) or name(channel.get("integration"))
    team = name(channel.get("team")) or name(mapping(group.get("team")).get("name")) or name(group.get("team"))
    alertname = labels.get("alertname") or title or f"alert group {group_id}"
    about = _prometheus.about(labels)
    return {
        "event_id": f"oncall|{group_id}|{kind}",
        "native_ids": [group_id],
        "occurrence_key": f"oncall|{group_id}",
        "origin": _ORIGINS.get(kind_of_channel or ""),
        "rule_key": _prometheus.rule_key(labels)
        if "alertname" in labels
        else "|".join(filter(None, (integration, title))) or group_id,
        **dated(at, f"{kind}_at", envelope),
        "kind": kind,
        "has_recovery": True,
        "alertname": alertname,
        "starts_at": start,
        "acked_at": acknowledged,
        "ends_at": end if kind == "resolved" else None,
        "summary": title or alertname,
        "description": text(web.get("message")),
        "url": text(mapping(group.get("permalinks")).get("web")),
        **about,
        "team": about["team"] or team,
        "labels": canonical(
            {
                "alerts": name(group.get("alerts_count")),
                "integration": integration,
                "integration_name": name(channel.get("name")) or name(channel.get("verbal_name")),
                "integration_type": kind_of_channel,
                "route": name(group.get("route_id")),
                "state": name(group.get("state")) or name(group.get("status")),
                **labels,
            }
        ),
    }


def _own_labels(group: Record) -> _prometheus.Labels:
    """Return the labels of the group itself: a list of {key: {name}, value: {name}}."""
    own = {}
    for label in map(mapping, listing(group.get("labels"))):
        key, value = (name(mapping(label.get(part)).get("name")) for part in ("key", "value"))
        if key and value:
            own[key] = value
    return own
