"""Sentry: issue alerts from webhooks and events of the API and SDK. Sentry never reports that they end.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Record,
    Shape,
    canonical,
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
_URLS = ("url", "web_url", "issue_url", "permalink")


def _read_alert(record: Record, envelope: Envelope) -> Event:
    """Read the webhook of an issue alert."""
    data = mapping(record.get("data"))
    return _event(mapping(data.get("event")), envelope, rule=text(data.get("triggered_rule")))


def _event(event: Record, envelope: Envelope, *, rule: str | None = None) -> Event:
    tags = dict(_tags(event.get("tags")))
    urls = [url for key in _URLS if (url := text(event.get(key)))]
    event_id = need(name(event.get("event_id")) or name(event.get("eventID")), "event_id")
    issue = name(event.get("issue_id")) or name(event.get("groupID")) or _in_urls(_ISSUE, urls)
    level = name(event.get("level")) or tags.get("level")
    trace = name(mapping(mapping(event.get("contexts")).get("trace")).get("trace_id")) or tags.get("trace.id")
    server = name(event.get("server_name")) or tags.get("server_name")
    project = mapping(event.get("project"))
    service = _in_urls(_PROJECT, urls) or name(event.get("project_slug")) or name(project.get("slug"))
    title = text(event.get("title")) or text(event.get("message")) or text(event.get("culprit"))
    message = text(event.get("message"))
    return {
        "event_id": event_id,
        "native_ids": [event_id],
        "rule_key": need(issue, "issue_id"),
        "at": _at(event, envelope),
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


def _at(event: Record, envelope: Envelope) -> int:
    """Return when the event happened; when Sentry received it is another time."""
    for key in ("datetime", "timestamp", "dateCreated"):
        if event.get(key):
            return moment(event[key], key, envelope)
    return moment(None, "datetime", envelope)


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


SHAPES = (
    Shape("sentry", "issue alert", lambda r: _webhook(r, "event"), _read_alert),
    Shape("sentry", "event", lambda r: "eventID" in r and "groupID" in r, _event),
    Shape("sentry", "SDK event", _is_sdk_event, _event),
    ignore("sentry", "issue webhook (not read yet)", lambda r: _webhook(r, "issue")),
    ignore("sentry", "metric alert (not read yet)", lambda r: _webhook(r, "metric_alert")),
    ignore("sentry", "issue (a group; export its events)", lambda r: "firstSeen" in r and "shortId" in r),
    ignore("sentry", "issue activity", lambda r: isinstance(r.get("activity"), list) and len(r) == 1),
    ignore("sentry", "monitor definition", lambda r: "workflowIds" in r and "dataSources" in r),
    ignore(
        "sentry", "discover table", lambda r: "data" in r and isinstance(mapping(r.get("meta")).get("fields"), dict)
    ),
)
PAGES = ()
