"""Sentry: issue alerts from webhooks, and events of the API, the SDK and tables. Sentry never reports that they end.

Issues and metric alerts are in `_sentry_issues`.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders import _sentry_issues, _sentry_tables, _times
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    Shape,
    canonical,
    dated,
    ignore,
    listing,
    mapping,
    moment,
    name,
    need,
    severity,
    text,
)

_PROJECT = re.compile(r"/projects/[^/]+/([^/]+)/")
_ISSUE = re.compile(r"/issues/(\d+)")
_ACTIONS = ("created", "resolved", "assigned", "archived", "ignored", "unresolved", "triggered")
_URLS = ("url", "web_url", "issue_url", "permalink")


def _read_alert(record: Record, envelope: Envelope) -> Event:
    """Read the webhook of an issue alert."""
    data = mapping(record.get("data"))
    return _event(mapping(data.get("event")), envelope, rule=text(data.get("triggered_rule")))


def _read_error(record: Record, envelope: Envelope) -> Event:
    """Read the webhook of a single error."""
    return _event(mapping(mapping(record.get("data")).get("error")), envelope)


def _read_legacy(record: Record, envelope: Envelope) -> Event:
    """Read what the webhook plugin sends: the issue flat, its event within, which may lack id and time."""
    event = mapping(record.get("event"))
    rules = [found for rule in listing(record.get("triggering_rules")) if (found := text(rule))]
    url = text(record.get("url"))
    whole = {
        **{key: record.get(key) for key in ("project_slug", "level", "culprit", "message", "logger")},
        **{key: value for key, value in event.items() if value not in (None, "")},
        "issue_id": record.get("id") or event.get("issue_id"),
        "web_url": event.get("web_url") or url,
    }
    return _event(whole, envelope, rule=", ".join(rules) or None, loose=True)


def _read_row(record: Record, envelope: Envelope) -> Event | Ignored:
    event = _sentry_tables.event(record)
    return (
        Ignored("sentry table row that is no event of an issue")
        if event is None
        else _event(event, envelope, loose=True)
    )


def _event(event: Record, envelope: Envelope, *, rule: str | None = None, loose: bool = False) -> Event:
    """Return the event; a `loose` one (an old webhook, a row without that column) may lack its id and time."""
    tags = dict(_tags(event.get("tags")))
    urls = [url for key in _URLS if (url := text(event.get(key)))]
    event_id = name(event.get("event_id")) or name(event.get("eventID"))
    issue = name(event.get("issue_id")) or name(event.get("groupID")) or _in_urls(_ISSUE, urls)
    level = name(event.get("level")) or tags.get("level")
    trace = name(mapping(mapping(event.get("contexts")).get("trace")).get("trace_id")) or tags.get("trace.id")
    server = name(event.get("server_name")) or tags.get("server_name")
    project = mapping(event.get("project"))
    service = _in_urls(_PROJECT, urls) or name(event.get("project_slug")) or name(project.get("slug"))
    title = text(event.get("title")) or text(event.get("message")) or text(event.get("culprit"))
    message = text(event.get("message"))
    rule_key = need(issue, "issue_id")
    told = _at(event, envelope, loose=loose)
    if event_id is None and loose:
        timed = told["time_source"] == "event"
        event_id = f"{rule_key}|fired|{_times.iso_ms(told['at'])}" if timed else envelope.delivery_id
    event_id = need(event_id, "event_id")
    return {
        **told,
        "event_id": event_id,
        "native_ids": [event_id],
        "rule_key": rule_key,
        "kind": "fired",
        "has_recovery": False,
        "alertname": title or f"issue {issue}",
        "severity": severity(level),
        "severity_raw": level,
        "summary": title,
        "description": message if message and message != title else text(event.get("culprit")),
        "url": text(event.get("web_url")) or text(event.get("permalink")),
        "service": service or tags.get("service"),
        "environment": name(event.get("environment")) or tags.get("environment"),
        "resources": [server] if server else [],
        "trace_ids": [trace.lower()] if trace else [],
        "labels": canonical(
            {
                "culprit": text(event.get("culprit")),
                "issue": issue,
                "logger": name(event.get("logger")),
                "platform": name(event.get("platform")),
                "project": name(event.get("project")) or name(event.get("projectID")) or name(project.get("id")),
                "release": name(event.get("release")),
                "rule": rule,
                "tags": sorted(f"{key}:{value}" for key, value in tags.items()),
            }
        ),
    }


def _at(event: Record, envelope: Envelope, *, loose: bool) -> Event:
    """Return when the event happened; when Sentry received it is another time."""
    key = next((key for key in ("datetime", "timestamp", "dateCreated") if event.get(key)), "datetime")
    if loose:
        return dated(event.get(key), key, envelope)
    return {"at": moment(event.get(key), key, envelope)}


def _tags(tags: Any) -> Iterator[tuple[str, str]]:
    """Yield tags as (key, value): a map, a list of {key, value}, or a list of [key, value]."""
    for tag in tags.items() if isinstance(tags, dict) else listing(tags):
        pair = (tag.get("key"), tag.get("value")) if isinstance(tag, dict) else tag
        if isinstance(pair, (list, tuple)) and len(pair) == 2:
            key, value = name(pair[0]), name(pair[1])
            if key and value:
                yield key, value


def _in_urls(pattern: re.Pattern[str], urls: list[str]) -> str | None:
    return next((found[1] for url in urls if (found := pattern.search(url))), None)


def _is_sdk_event(record: Record) -> bool:
    return any(key.startswith("sentry.interfaces.") for key in record) or (
        "event_id" in record and "platform" in record and ("datetime" in record or "timestamp" in record)
    )


def _webhook(record: Record, key: str) -> bool:
    return "action" in record and isinstance(mapping(record.get("data")).get(key), dict)


def _is_issue_webhook(record: Record) -> bool:
    return _webhook(record, "issue") and name(record.get("action")) in _ACTIONS


def _is_legacy(record: Record) -> bool:
    return "project_slug" in record and "culprit" in record and isinstance(record.get("event"), dict)


def _is_activity(record: Record) -> bool:
    return "shortId" in mapping(record.get("issue")) and "type" in record and "dateCreated" in record


def _is_other_webhook(record: Record) -> bool:
    return "action" in record and isinstance(record.get("data"), dict) and "uuid" in mapping(record.get("installation"))


SHAPES = (
    Shape("sentry", "issue alert", lambda r: _webhook(r, "event"), _read_alert),
    Shape("sentry", "metric alert", lambda r: _webhook(r, "metric_alert"), _sentry_issues.read_metric),
    Shape("sentry", "issue webhook", _is_issue_webhook, _sentry_issues.read_webhook),
    Shape("sentry", "error webhook", lambda r: _webhook(r, "error"), _read_error),
    ignore("sentry", "webhook that is no alert", _is_other_webhook),
    Shape("sentry", "plugin webhook", _is_legacy, _read_legacy),
    Shape("sentry", "event", lambda r: "eventID" in r and "groupID" in r, _event),
    Shape("sentry", "SDK event", _is_sdk_event, _event),
    Shape(
        "sentry",
        "issue",
        lambda r: "shortId" in r and ("firstSeen" in r or "lastSeen" in r),
        _sentry_issues.read,
        _sentry_issues.parts,
    ),
    Shape("sentry", "issue activity", _is_activity, _sentry_issues.read_activity),
    ignore(
        "sentry",
        "issue activity that names no issue (export the issue)",
        lambda r: isinstance(r.get("activity"), list) and len(r) == 1,
    ),
    ignore("sentry", "monitor definition", lambda r: "workflowIds" in r and "dataSources" in r),
    Shape(
        "sentry",
        "table",
        lambda r: isinstance(r.get("data"), list) and isinstance(mapping(r.get("meta")).get("fields"), dict),
        _read_row,
        _sentry_tables.rows,
    ),
    Shape("sentry", "table row", _sentry_tables.is_row, _read_row),
)
PAGES = ()
