"""Datadog: events of the API v2 (monitor alerts); what is no alert is counted as ignored.

Webhooks, CSV rows and other forms of the same facts are in `datadog_forms`.

https://docs.datadoghq.com/api/latest/events/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import orjson

from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    Shape,
    Told,
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
# How a release is told from the other events that people and tools post.
_RELEASES = {"deploy", "deployment", "deployments", "release", "codedeploy", "argocd", "spinnaker", "octopus"}
_RELEASED = re.compile(r"\s*(?:deploy(?:ed|ing|ment)|released|rolled back|rollback of)\b", re.IGNORECASE)
_ENVIRONMENT = ("env", "environment")
_TEAM = ("team", "owner", "squad")
_RESOURCES = frozenset(
    (
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
)


def _is_event(record: Record) -> bool:
    attributes = record.get("attributes")
    return isinstance(attributes, dict) and (
        record.get("type") == "event" or isinstance(attributes.get("attributes"), dict)
    )


# What an event says of its monitor and group; the other events of both say the same again. The rest is its own.
_REPEATED = (
    *("title", "status", "monitor_id", "monitor_groups", "tags", "hostname", "service", "aggregation_key"),
    "monitor_priority",
)


def _read_event(record: Record, envelope: Envelope) -> Told | Ignored:
    outer, inner, monitor = _layers(record)
    repeated = monitor.copy()
    repeated.pop("result", None)
    repeated.pop("message", None)
    about = _said(orjson.dumps([outer.get("tags"), repeated, *map(inner.get, _REPEATED)]))
    if isinstance(about, Ignored):
        return about
    at = _at(outer, inner, envelope)
    # Webhooks, API v1 and CSV rows know an event's number, which API v2 keeps beside an id of its own.
    number = name(mapping(inner.get("evt")).get("id"))
    native_id = need(name(record.get("id")) or number, "id")
    own = _texts(outer, inner, monitor)
    own["event_id"] = fact_id(number or native_id, about["kind"])
    own["native_ids"] = [native_id]
    own["at"] = at
    return Told(about, own)


@lru_cache(2**14)
def _said(repeated: bytes) -> Event | Ignored:
    """Return what an event says of its alert, and its kind, from the part of it that repeats, as JSON."""
    tags, monitor, *values = orjson.loads(repeated)
    inner = {**dict(zip(_REPEATED, values, strict=True)), "monitor": monitor}
    if (name(inner.get("monitor_id")) or name(monitor.get("id"))) is None:
        return _changed(inner, _tags(tags, inner.get("tags"))) or Ignored(_NO_MONITOR)
    prefix = _prefix(text(inner.get("title")) or text(monitor.get("templated_name")) or "")
    kind = _kind(inner, monitor, prefix)
    if kind is None:
        return Ignored("datadog change of a monitor")
    return {**_about({"attributes": {"tags": tags, "attributes": inner}}, prefix), "kind": kind}


def _changed(inner: Record, tags: _Tags) -> Event | None:
    """Return what an event says of a release, by its tags or its title; None of one that tells of something else."""
    first: dict[str, str] = {}
    for key, value in (*tags.values(), ("service", name(inner.get("service")))):
        if value is not None and key not in first:
            first[key] = value
    title = text(inner.get("title"))
    said = {first.get("source"), first.get("event_type"), *tags}
    if title is None or not (_RELEASES & {(word or "").lower() for word in said} or _RELEASED.match(title)):
        return None
    return {
        "kind": "changed",
        "has_recovery": False,
        "alertname": title,
        "summary": title,
        "service": first.get("service"),
        "environment": next((first[key] for key in _ENVIRONMENT if key in first), None),
        "team": next((first[key] for key in _TEAM if key in first), None),
        "labels": canonical({"tags": sorted(tags), "version": first.get("version")}),
    }


def fact_id(number: str, kind: str) -> str:
    """Return what identifies a change of a monitor in every shape: number (or id) and kind.

    The number alone does not: an event that sums up others may carry the number of one of them.
    """
    return f"{number}|{kind}"


def _layers(record: Record) -> tuple[Record, Record, Record]:
    """Return the attributes of an event, those within them, and its monitor."""
    outer = mapping(record.get("attributes"))
    inner = mapping(outer.get("attributes"))
    return outer, inner, mapping(inner.get("monitor"))


def _about(record: Record, prefix: Mapping[str, str | None], labels: Record | None = None) -> Event:
    """Return what an event says of its alert: everything but identity, kind and time."""
    outer, inner, monitor = _layers(record)
    monitor_id = name(inner.get("monitor_id")) or name(monitor.get("id"))
    groups = _tags(inner.get("monitor_groups")) or _tags(monitor.get("groups")) or _scope(prefix["scope"])
    tags = _tags(groups, outer.get("tags"), inner.get("tags"))
    own = _tags(monitor.get("tags"))
    first: dict[str, str] = {}  # of each key the value that stands first
    for key, value in (*tags.values(), ("service", name(inner.get("service"))), *own.values()):
        if value is not None and key not in first:
            first[key] = value
    priority = _priority(monitor, inner, prefix["priority"])
    word = priority or name(inner.get("status"))
    level = severity(word)
    alertname = name(monitor.get("name")) or text(prefix["rest"])
    return {
        # A webhook or CSV row that states no monitor has its name alone.
        "rule_key": f"{monitor_id or need(alertname, 'title')}|{','.join(sorted(groups))}",
        "has_recovery": True,
        "alertname": alertname or f"monitor {monitor_id}",
        "severity": level,
        "severity_raw": word if level else None,
        "summary": text(prefix["rest"]) or alertname,
        **_texts(outer, inner, monitor),
        "service": first.get("service"),
        "environment": next((first[key] for key in _ENVIRONMENT if key in first), None),
        "team": next((first[key] for key in _TEAM if key in first), None),
        "resources": _resources(tags, name(inner.get("hostname"))),
        "labels": canonical(
            {
                "aggregation_key": name(inner.get("aggregation_key")),
                "groups": sorted(groups),
                "monitor_id": monitor_id,
                "monitor_type": name(monitor.get("type")),
                "query": text(monitor.get("query")),
                "tags": sorted({**tags, **own}),
                **(labels or {}),
            }
        ),
    }


def _texts(outer: Record, inner: Record, monitor: Record) -> Event:
    """Return the text of an event's own."""
    return {
        "description": _message(outer.get("message")) or _message(monitor.get("message")),
        "url": text(inner.get("url")) or text(mapping(monitor.get("result")).get("alert_url")),
    }


@lru_cache(2**12)
def _prefix(title: str) -> Mapping[str, str | None]:
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


def _kind(inner: Record, monitor: Record, prefix: Mapping[str, str | None]) -> str | None:
    """Return what happened: by the transition, else by the title, else by the status of the event."""
    transition = mapping(monitor.get("transition"))
    for said in (transition.get("trans_name"), prefix["state"]):
        if (word := _word(said)) in _STATES:
            return _STATES[word]
    if "recover" in _word(transition.get("trans_type")):
        return "resolved"
    return _STATUS.get(_word(inner.get("status")))


def _at(outer: Record, inner: Record, envelope: Envelope) -> int:
    at = outer.get("timestamp") or inner.get("timestamp")
    if not at and (happened := inner.get("date_happened")):
        return moment(happened, "attributes.date_happened", envelope)
    return moment(at or None, "attributes.timestamp", envelope)


def _priority(monitor: Record, inner: Record, titled: str | None) -> str | None:
    """Return the monitor's priority as P1 to P5; `priority` of the event itself is "normal" or "low", no severity."""
    stated = name(monitor.get("priority")) or name(mapping(monitor.get("options")).get("priority"))
    stated = stated or name(inner.get("monitor_priority")) or titled
    if stated is None or stated.upper().removeprefix("P") not in ("1", "2", "3", "4", "5"):
        return None
    return "P" + stated.upper().removeprefix("P")


_Tags = dict[str, tuple[str, str | None]]  # each once, in order, with its key and its value


def _tags(*values: object) -> _Tags:
    """Return the tags of lists, of texts with commas and of tags told before; sentinels such as ``*`` left out."""
    found: _Tags = {}
    for value in values:
        if isinstance(value, dict):
            found.update(value)
            continue
        for tag in value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else ():
            if isinstance(tag, str) and (told := _tag(tag)) is not None and told[0] not in found:
                found[told[0]] = told[1:]
    return found


@lru_cache(2**16)  # the events of a monitor carry the same tags again and again
def _tag(tag: str) -> tuple[str, str, str | None] | None:
    """Return a tag with its key and value, split at the first colon; None for one that says nothing."""
    kept = name(tag)
    if kept is None or kept[0] in "@*":
        return None
    key, _, value = kept.partition(":")
    return kept, key.lower(), name(value)


def _scope(scope: str | None) -> _Tags:
    return _tags(scope.strip("{} ")) if scope else {}


def _resources(tags: _Tags, hostname: str | None) -> list[str]:
    """Return the hosts, pods, queues ... that tags name; never the @-handles that are notified."""
    named = [hostname, *[value for key, value in tags.values() if key in _RESOURCES]]
    return list(dict.fromkeys([value for value in named if value and value[0] not in "@*"]))


def _message(value: object) -> str | None:
    return text((text(value) or "").removeprefix("%%%").removesuffix("%%%"))


_NO_MONITOR = "datadog event that is no monitor alert"
SHAPES = (
    Shape("datadog", "event", _is_event, _read_event),
    # Declared by people about alerts, which their own events tell; what it holds of them are links.
    ignore("datadog", "incident", lambda r: r.get("type") == "incidents" and "attributes" in r),
)
PAGES = ("data", "groups", "monitors")
