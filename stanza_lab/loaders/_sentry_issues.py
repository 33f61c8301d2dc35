"""Sentry issues (groups of events), what happened to them, and metric alerts.

An issue says when it was first and last seen, over its whole life: those are moments, not the ends of one alert.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders import _times
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
    moment,
    name,
    need,
    severity,
    text,
)

# What may happen to an issue: seen again or worse is firing; Sentry calls every way of resolving set_resolved...
_FIRED = ("first_seen", "last_seen", "set_regression", "set_escalating")
_RESOLVED = "set_resolved"
_AGAIN = ("regressed", "escalating")
_STATUS = {"1": "open", "2": "resolved", "10": "warning", "20": "critical"}  # of a metric alert


def parts(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield what an issue tells, each as the issue and one activity: first and last seen, regressed, resolved."""
    issue = {key: value for key, value in record.items() if key not in ("activity", "stats")}
    seen = {"first_seen": record.get("firstSeen"), "last_seen": record.get("lastSeen")}
    for index, found in enumerate(listing(record.get("activity"))):
        kind = name(mapping(found).get("type")) or ""
        if kind == "first_seen" and seen["first_seen"]:
            continue
        if kind in _FIRED or kind.startswith(_RESOLVED):
            yield f".activity[{index}]", {"issue": issue, "activity": found}
    for kind, at in seen.items():
        if at and (kind == "first_seen" or at != seen["first_seen"]):
            where = ".firstSeen" if kind == "first_seen" else ".lastSeen"
            yield where, {"issue": issue, "activity": {"type": kind, "dateCreated": at}}


def read(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read one activity of an issue."""
    activity = mapping(record.get("activity"))
    issue = mapping(record.get("issue")) or record  # an issue that tells nothing has no parts
    kind = name(activity.get("type")) or "first_seen"
    at = moment(activity.get("dateCreated") or activity.get("date_created"), "dateCreated", envelope)
    return _fact(issue, "resolved" if kind.startswith(_RESOLVED) else "fired", at, name(activity.get("id")))


def read_activity(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an item of an organization's activity, which holds its issue."""
    kind = name(record.get("type")) or ""
    if kind not in _FIRED and not kind.startswith(_RESOLVED):
        return Ignored("sentry issue activity that is no change of state")
    issue = {"project": record.get("project"), **mapping(record.get("issue"))}
    return read({"issue": issue, "activity": record}, envelope)


def read_webhook(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read the webhook of an issue: only "created" has a time. Who got the issue, or shelved it, is a note."""
    data = mapping(record.get("data"))
    issue, activity = mapping(data.get("issue")), mapping(data.get("activity"))
    if activity.get("type") and (activity.get("dateCreated") or activity.get("date_created")):
        return read_activity({**activity, "issue": issue}, envelope)
    action = name(record.get("action")) or ""
    if action == "created":
        return _fact(issue, "fired", moment(issue.get("firstSeen"), "firstSeen", envelope), None)
    again = action == "unresolved" and name(issue.get("substatus")) in _AGAIN
    kind = "resolved" if action == "resolved" else "fired" if again else "note"
    told = dated(None, "timestamp", envelope)
    # A delivery that is repeated says the same of the issue; resolved anew, the issue was seen since.
    state = text(issue.get("lastSeen")) or name(issue.get("count")) or envelope.delivery_id or ""
    key = need(name(issue.get("id")), "issue.id")
    native_id = envelope.delivery_id or key
    return {**_about(issue), **told, "event_id": f"{key}|{action}|{state}", "native_ids": [native_id], "kind": kind}


def _fact(issue: Record, kind: str, at: int, activity: str | None) -> Event:
    key = need(name(issue.get("id")), "id")
    native_id = activity if activity not in (None, "0") else key
    event_id = f"{key}|{kind}|{_times.iso_ms(at)}"
    return {**_about(issue), "event_id": event_id, "native_ids": [native_id], "at": at, "kind": kind}


def _about(issue: Record) -> Event:
    key = need(name(issue.get("id")), "id")
    project = mapping(issue.get("project"))
    level, title = name(issue.get("level")), text(issue.get("title"))
    about = mapping(issue.get("metadata"))
    value = text(about.get("value"))
    return {
        "rule_key": key,
        "has_recovery": False,  # as of the events of an issue: that it is resolved ends no interval
        "alertname": title or f"issue {key}",
        "severity": severity(level),
        "severity_raw": level,
        "summary": title,
        "description": value if value and value not in (title or "") else text(issue.get("culprit")),
        "url": text(issue.get("web_url")) or text(issue.get("permalink")),
        "service": name(project.get("slug")) or name(issue.get("project_slug")),
        "team": next((found for owner in _owners(issue) if (found := team(owner))), None),
        "labels": canonical(
            {
                "category": name(issue.get("issueCategory")),
                "culprit": text(issue.get("culprit")),
                "issue": key,
                "logger": name(issue.get("logger")),
                "platform": name(issue.get("platform")) or name(project.get("platform")),
                "priority": name(issue.get("priority")),
                "project": name(project.get("id")),
                "short_id": name(issue.get("shortId")),
                "status": name(issue.get("status")),
                "substatus": name(issue.get("substatus")),
                "type": name(about.get("type")),
            }
        ),
    }


def _owners(issue: Record) -> Iterator[Any]:
    yield issue.get("assignedTo")
    for key in ("owners", "ownership", "owner"):
        held = issue.get(key)
        yield from held if isinstance(held, list) else [held]


def team(owner: Any) -> str | None:
    """Return the team of an assignment or an ownership: {"type": "team", "name"} or "team:name", never a user."""
    if isinstance(owner, dict):
        if name(owner.get("type")) == "team":
            return _named(owner.get("slug")) or _named(owner.get("name")) or _named(owner.get("owner"))
        return team(owner.get("owner"))
    called = name(owner)
    return _named(called) if called and called.startswith(("team:", "#")) else None


def _named(value: Any) -> str | None:
    called = (name(value) or "").removeprefix("team:").removeprefix("#")
    return None if called.isdecimal() else name(called)  # an id of Sentry's own


def read_metric(record: Record, envelope: Envelope) -> Event:
    """Read the webhook of a metric alert; from opening to closing it has one identifier."""
    data = mapping(record.get("data"))
    alert = mapping(data.get("metric_alert"))
    rule = mapping(alert.get("alert_rule"))
    action = name(record.get("action"))
    if action not in ("critical", "warning", "resolved"):
        action = _STATUS.get(name(alert.get("status")) or "")
    kind = "resolved" if need(action, "action") == "resolved" else "fired"
    rule_id = need(name(rule.get("id")) or name(rule.get("name")), "alert_rule.id")
    identifier = need(name(alert.get("identifier")) or name(alert.get("id")), "identifier")
    occurrence = "|".join(filter(None, ("metric", name(alert.get("organization_id")), identifier)))
    began, ended = (instant(alert.get(key), key, envelope) for key in ("date_started", "date_closed"))
    if kind == "resolved":
        told = dated(alert.get("date_closed"), "date_closed", envelope)
    else:
        told = dated(alert.get("date_detected") or alert.get("date_started"), "date_detected", envelope)
    projects = [found for project in listing(rule.get("projects")) if (found := name(project))]
    projects = projects or [found for project in listing(alert.get("projects")) if (found := name(project))]
    title = text(data.get("description_title"))
    alertname = text(rule.get("name")) or text(alert.get("title"))
    return {
        **told,
        "event_id": f"{occurrence}|{action}",
        "native_ids": [name(alert.get("id")) or identifier],
        "occurrence_key": occurrence,
        "rule_key": f"metric|{rule_id}",
        "kind": kind,
        "has_recovery": True,
        "starts_at": began,
        "ends_at": ended if kind == "resolved" else None,
        "alertname": alertname or f"metric alert {rule_id}",
        "severity": severity(action),
        "severity_raw": action if severity(action) else None,
        "summary": title or alertname,
        "description": text(data.get("description_text")),
        "url": text(data.get("web_url")),
        "service": projects[0] if len(projects) == 1 else None,
        "environment": name(rule.get("environment")),
        "team": team(rule.get("owner")),
        "labels": canonical(
            {
                "aggregate": text(rule.get("aggregate")),
                "dataset": name(rule.get("dataset")),
                "identifier": identifier,
                "projects": projects,
                "query": text(rule.get("query")),
                "rule": rule_id,
                "window_minutes": rule.get("time_window"),
            }
        ),
    }
