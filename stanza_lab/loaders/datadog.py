"""Datadog: events of the API v2 (monitor alerts); what is no alert is counted as ignored.

Webhooks, CSV rows and other forms of the same facts are in `datadog_forms`.

https://docs.datadoghq.com/api/latest/events/
"""

from __future__ import annotations

import re
from functools import lru_cache

from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    Shape,
    canonical,
    ignore,
    mapping,
    moment,
    name,
    need,
    severity,
    text,
)

# The states a title or a transition may name. Warn and No Data page people as well, so they are firing.
_STATES = {
    **dict.fromkeys(("triggered", "alert", "warn", "warning", "no data", "missing data"), "fired"),
    **dict.fromkeys(
        ("re triggered", "re alert", "renotify", "renotified", "re warn", "re no data", "re notify"), "renotified"
    ),
    **dict.fromkeys(("recovered", "ok", "resolved", "no data recovered", "warn recovered"), "resolved"),
}
_STATUS = {"error": "fired", "failure": "fired", "warning": "fired", "success": "resolved"}
_TITLE = re.compile(
    r"""
    \s* (?: \[ (?P<priority>P[1-5]) \] \s* )?
    (?: \[ (?P<state>[A-Za-z -]{2,20}?) (?: [ ]on[ ] (?P<scope>[^\]]*) )? \] \s* )?
    (?P<rest>.*)
    """,
    re.DOTALL | re.VERBOSE,
)
_ENVIRONMENT = ("env", "environment")
_TEAM = ("team", "owner", "squad")
_RESOURCES = (
    "host",
    "pod_name",
    "instance_id",
    "instance-id",
    "dbinstanceidentifier",
    "dbclusteridentifier",
    "cacheclusterid",
    "queuename",
    "topicname",
    "tablename",
    "functionname",
    "loadbalancer",
    "targetgroup",
    "autoscaling_group",
    "arn",
)


def _is_event(record: Record) -> bool:
    attributes = record.get("attributes")
    return isinstance(attributes, dict) and (
        record.get("type") == "event" or isinstance(attributes.get("attributes"), dict)
    )


def _read_event(record: Record, envelope: Envelope) -> Event | Ignored:
    outer, inner, monitor = _layers(record)
    if (name(inner.get("monitor_id")) or name(monitor.get("id"))) is None:
        return Ignored(_NO_MONITOR)
    title = text(inner.get("title")) or text(monitor.get("templated_name")) or ""
    prefix = _prefix(title)
    kind = _kind(inner, monitor, prefix)
    if kind is None:
        return Ignored("datadog change of a monitor")
    at = _at(outer, inner, envelope)
    about = _about(record, prefix)
    event_id = need(name(record.get("id")), "id")
    return {**about, "event_id": event_id, "native_ids": [event_id], "at": at, "kind": kind}


def _layers(record: Record) -> tuple[Record, Record, Record]:
    """Return the attributes of an event, those within them, and its monitor."""
    outer = mapping(record.get("attributes"))
    inner = mapping(outer.get("attributes"))
    return outer, inner, mapping(inner.get("monitor"))


def _about(record: Record, prefix: dict[str, str | None], labels: Record | None = None) -> Event:
    """Return what an event says of its alert: everything but identity, kind and time."""
    outer, inner, monitor = _layers(record)
    monitor_id = name(inner.get("monitor_id")) or name(monitor.get("id"))
    groups = _tags(inner.get("monitor_groups")) or _tags(monitor.get("groups")) or _scope(prefix["scope"])
    tags = _tags(groups, outer.get("tags"), inner.get("tags"))
    said = _pairs(tags)
    attribute = f"service:{name(inner.get('service')) or ''}"
    first = dict(reversed([*said, *_pairs((attribute, *_tags(monitor.get("tags"))))]))  # what stands first counts
    priority = _priority(monitor, inner, prefix["priority"])
    word = priority or name(inner.get("status"))
    alertname = name(monitor.get("name")) or text(prefix["rest"])
    return {
        # A webhook or CSV row that states no monitor has its name alone.
        "rule_key": f"{monitor_id or need(alertname, 'title')}|{','.join(sorted(groups))}",
        "has_recovery": True,
        "alertname": alertname or f"monitor {monitor_id}",
        "severity": severity(word),
        "severity_raw": word if severity(word) else None,
        "summary": text(prefix["rest"]) or alertname,
        "description": _message(outer.get("message")) or _message(monitor.get("message")),
        "url": text(inner.get("url")) or text(mapping(monitor.get("result")).get("alert_url")),
        "service": first.get("service"),
        "environment": next((first[key] for key in _ENVIRONMENT if key in first), None),
        "team": next((first[key] for key in _TEAM if key in first), None),
        "resources": _resources(said, name(inner.get("hostname"))),
        "labels": canonical(
            {
                "aggregation_key": name(inner.get("aggregation_key")),
                "groups": sorted(groups),
                "monitor_id": monitor_id,
                "monitor_type": name(monitor.get("type")),
                "query": text(monitor.get("query")),
                "tags": sorted(_tags(tags, monitor.get("tags"))),
                **(labels or {}),
            }
        ),
    }


def _prefix(title: str) -> dict[str, str | None]:
    """Return priority, state, scope and the rest of ``[P2] [Triggered on {env:prod}] name``."""
    match = _TITLE.fullmatch(title)
    if match is None:
        return {"priority": None, "state": None, "scope": None, "rest": title}
    found = match.groupdict()
    if found["state"] and _word(found["state"]) not in _STATES:  # a bracket that belongs to the name
        return {**found, "state": None, "scope": None, "rest": title[match.start("state") - 1 :]}
    return found


def _word(value: object) -> str:
    return (name(value) or "").lower().replace("-", " ").replace("_", " ")


def _kind(inner: Record, monitor: Record, prefix: dict[str, str | None]) -> str | None:
    """Return what happened: by the transition, else by the title, else by the status of the event."""
    transition = mapping(monitor.get("transition"))
    for word in (_word(transition.get("trans_name")), _word(prefix["state"])):
        if word in _STATES:
            return _STATES[word]
    if "recover" in _word(transition.get("trans_type")):
        return "resolved"
    return _STATUS.get(_word(inner.get("status")))


def _at(outer: Record, inner: Record, envelope: Envelope) -> int:
    for fields, key in ((outer, "timestamp"), (inner, "timestamp"), (inner, "date_happened")):
        if fields.get(key):
            return moment(fields[key], f"attributes.{key}", envelope)
    return moment(None, "attributes.timestamp", envelope)


def _priority(monitor: Record, inner: Record, titled: str | None) -> str | None:
    """Return the monitor's priority as P1 to P5; `priority` of the event itself is "normal" or "low", no severity."""
    stated = name(monitor.get("priority")) or name(mapping(monitor.get("options")).get("priority"))
    stated = stated or name(inner.get("monitor_priority")) or titled
    if stated is None or stated.upper().removeprefix("P") not in ("1", "2", "3", "4", "5"):
        return None
    return "P" + stated.upper().removeprefix("P")


def _tags(*values: object) -> tuple[str, ...]:
    """Return the tags of lists, or of texts with commas, each once, sentinels such as ``*`` left out."""
    split = [value.split(",") if isinstance(value, str) else value for value in values]
    lists = [tags for tags in split if isinstance(tags, (list, tuple))]
    return _cleaned(tuple([tag for tags in lists for tag in tags if isinstance(tag, str)]))


# The events of a monitor carry the same tags again and again: what was told of a list is kept for the next ones.
_LISTS = 2**13


@lru_cache(_LISTS)
def _cleaned(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([tag for given in dict.fromkeys(tags) if (tag := name(given)) and tag[0] not in "@*"])


def _scope(scope: str | None) -> tuple[str, ...]:
    return _tags(scope.strip("{} ")) if scope else ()


@lru_cache(_LISTS)
def _pairs(tags: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return tags as (key, value), split at the first colon; those without a value left out."""
    split = (tag.partition(":") for tag in tags)
    return tuple([(key.lower(), found) for key, _, value in split if (found := name(value))])


def _resources(tags: tuple[tuple[str, str], ...], hostname: str | None) -> list[str]:
    """Return the hosts, pods, queues ... that tags name; never the @-handles that are notified."""
    named = [hostname, *(value for key, value in tags if key in _RESOURCES)]
    return list(dict.fromkeys(value for value in named if value and value[0] not in "@*"))


def _message(value: object) -> str | None:
    return text((text(value) or "").removeprefix("%%%").removesuffix("%%%"))


_NO_MONITOR = "datadog event that is no monitor alert"
SHAPES = (
    Shape("datadog", "event", _is_event, _read_event),
    # Declared by people about alerts, which their own events tell; what it holds of them are links.
    ignore("datadog", "incident", lambda r: r.get("type") == "incidents" and "attributes" in r),
)
PAGES = ("data", "groups", "monitors")
