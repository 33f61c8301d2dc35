"""Honeycomb: webhooks of triggers and burn alerts. They carry no time: that of their receipt stands in.

https://docs.honeycomb.io/notify/webhooks/variables
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from stanza_lab.loaders import _times
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
    listing,
    mapping,
    name,
    need,
    severity,
    text,
)

_KINDS = {
    **dict.fromkeys(("triggered", "alert", "alerting", "firing"), "fired"),
    **dict.fromkeys(("ok", "resolved"), "resolved"),
}
# Fields by what the default body calls them, then the template variables a body of the user's own may be made of.
_FIELDS = {
    "id": ("id", "triggerid", "sloid"),
    "name": ("name", "triggername", "sloname", "alertname", "slo"),
    "status": ("status", "alertstatus", "state"),
    "summary": ("summary", "alertsummary"),
    "description": ("description", "alertdescription"),
    "about": ("triggerdescription", "slodescription"),
    "trigger_url": ("triggerurl", "slourl", "url", "link", "honeycomburl"),
    "result_url": ("resulturl", "sliurl"),
    "environment": ("environment", "env"),
    "dataset": ("dataset", "datasets", "datasetslug"),
    "operator": ("operator",),
    "threshold": ("threshold",),
    "groups": ("resultgroups", "groups"),
    "triggered": ("resultgroupstriggered", "groupstriggered"),
    "type": ("alerttype",),
    "test": ("istest", "alertistest"),
    "severity": ("severity", "priority", "alertseverity"),
    "at": ("timestamp", "alerttimestamp", "time"),
    "service": ("service", "servicename"),
    "team": ("team",),
    "version": ("version", "alertversion"),
}
_BURN = ("exhaustion_time", "budget_rate")
_SERVICE = ("service.name", "service_name", "service")
_RESOURCES = ("k8s.pod.name", "host.name", "k8s.node.name", "container.id", "host.id", "hostname", "host", "pod")
_PATH = re.compile(
    r"/(?P<team>[^/]+)(?:/environments/(?P<environment>[^/]+))?(?:/datasets/(?P<dataset>[^/]+))?"
    r"/(?P<what>triggers|slo|schema|result|board)s?\b"
)
# A description that states its keys: lines of nothing but key=value.
_STATED = re.compile(r"\s*[A-Za-z_.]+=[^\s,=]+(?:[\s,]+[A-Za-z_.]+=[^\s,=]+)*\s*")


def _read(record: Record, envelope: Envelope) -> Event | Ignored:
    said = _fields(record)
    if said.get("test") in (True, "true", "True"):
        return Ignored("honeycomb test notification")
    word = need(name(said.get("status")), "status")
    kind = _KINDS.get(word.lower())
    if kind is None:
        raise RecordError("bad_state", f"{word!r} is no state of a Honeycomb alert; they are TRIGGERED and OK")
    url, result_url = text(said.get("trigger_url")), text(said.get("result_url"))
    path = address(url) or address(result_url) or {}
    # The address has the dataset's slug, a template its name: what stands in every body makes the key.
    dataset = path.get("dataset") or next(_names(said.get("dataset")), None)
    environment = name(said.get("environment")) or path.get("environment")
    groups, triggered = list(_groups(said.get("groups"))), list(_groups(said.get("triggered")))
    about = text(said.get("about"))
    stated = _stated(about)
    alertname = name(said.get("name"))
    # The id of an alert has its meaning in its dataset. Burn alerts of two types on one SLO share the id of the SLO.
    burn = name(said.get("type")) if said.get("type") in _BURN else None
    identity = need(name(said.get("id")) or url or alertname, "id")
    rule = "|".join(filter(None, (dataset, identity, burn)))
    when = dated(said.get("at"), "timestamp", envelope)
    event_id = _event_id(record, envelope, f"{rule}|{kind}", when["at"])
    word_of_severity = name(said.get("severity")) or stated.get("severity")
    return {
        **when,
        "event_id": event_id,
        "native_ids": [envelope.delivery_id or event_id],
        "rule_key": rule,
        "kind": kind,
        "has_recovery": True,
        "alertname": alertname or identity,
        "severity": severity(word_of_severity),
        "severity_raw": word_of_severity,
        "summary": text(said.get("summary")) or alertname,
        "description": text(said.get("description")) or about,
        "url": url or result_url,
        "service": _service(groups, triggered, name(said.get("service")) or stated.get("service"), path),
        "environment": environment or stated.get("environment") or stated.get("env"),
        "team": name(said.get("team")) or stated.get("team"),
        "resources": list(dict.fromkeys(v for group in triggered for k, v in group.items() if k in _RESOURCES)),
        "labels": canonical(
            {
                "about": about if said.get("description") else None,
                "alert_type": name(said.get("type")),
                "dataset": dataset,
                "groups_triggered": triggered,
                "honeycomb_team": path.get("team"),
                "id": name(said.get("id")),
                "operator": name(said.get("operator")),
                "result_url": result_url if url else None,
                "threshold": said.get("threshold") if said.get("operator") else None,
            }
        ),
    }


def _event_id(record: Record, envelope: Envelope, fact: str, at: int | None) -> str:
    """Return what the fact is called: by its delivery, which a retry repeats, else by its time.

    Without either nothing tells a second notification from a second copy of the first: equal bodies are one fact.
    """
    if envelope.delivery_id is not None:
        return f"{fact}|{envelope.delivery_id}"
    if at is not None:
        return f"{fact}|{_times.iso_ms(at)}"
    digest = hashlib.blake2b(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
    return f"{fact}|{digest}"


def _fields(record: Record) -> Record:
    """Return the fields of a body, whatever its template calls them: ``Alert.Status``, ``{"alert": {"status"}}``..."""
    written = dict(_flat(record))
    return {
        field: next((written[key] for key in keys if written.get(key) not in (None, "")), None)
        for field, keys in _FIELDS.items()
    }


def _flat(record: Record) -> Iterator[tuple[str, Any]]:
    """Yield each field by the letters of its path, those of a variable's object inside too."""
    for key, value in record.items():
        letters = _letters(key)
        yield letters, embedded(value)
        if letters in ("alert", "result", "trigger", "slo", "vars") and isinstance(value, dict):
            for inner, held in value.items():
                if letters == "vars":
                    yield _letters(inner), embedded(held)
                else:
                    yield letters + _letters(inner), embedded(held)


def _letters(key: str) -> str:
    return "".join(filter(str.isalnum, key)).lower()


def _names(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if found := name(mapping(item).get("slug") or mapping(item).get("name") if isinstance(item, dict) else item):
            yield found


def _groups(groups: Any) -> Iterator[dict[str, str]]:
    """Yield the groups of a result as {column: value}; a column without a value is left out."""
    for row in listing(groups):
        group = mapping(row).get("Group", mapping(row).get("group"))
        pairs = [mapping(pair) for pair in listing(group)]
        columns = {str(p.get("Key", p.get("key"))): p.get("Value", p.get("value")) for p in pairs} or mapping(group)
        yield {key: found for key, value in columns.items() if (found := name(value))}


def _service(
    groups: list[dict[str, str]], triggered: list[dict[str, str]], stated: str | None, path: dict[str, str]
) -> str | None:
    """Return the service the groups are about, of several none: the alert is about all of them.

    Groups without one leave what the body states, or else the dataset: in an environment Honeycomb names it after
    `service.name`. A classic one has any name.
    """
    for rows in (triggered, groups):
        named = {row[key] for row in rows for key in _SERVICE if key in row}
        if named:
            return named.pop() if len(named) == 1 else None
    dataset = path.get("dataset", "__") if "environment" in path else "__"
    return stated or (None if dataset.startswith("__") else dataset)


def address(url: str | None) -> dict[str, str]:
    """Return team, environment and dataset as the address of a trigger, an SLO or a result states them."""
    try:
        match = _PATH.match(urlsplit(url or "").path)
    except ValueError:
        return {}
    return {k: unquote(v) for k, v in match.groupdict().items() if v and k != "what"} if match else {}


def _stated(about: str | None) -> dict[str, str]:
    """Return what the lines of a description state as key=value; prose states nothing."""
    lines = [line for line in (about or "").splitlines() if _STATED.fullmatch(line)]
    pairs = [pair.partition("=") for line in lines for pair in re.split(r"[\s,]+", line.strip())]
    return {key.lower(): found for key, _, value in pairs if (found := name(value))}


def _is_default(record: Record) -> bool:
    """Tell the default body; its version is that of the body alone, other systems have numbers there."""
    return (
        "status" in record
        and "name" in record
        and str(record.get("version")).startswith("v0.")
        and any(key in record for key in ("result_groups", "result_groups_triggered", "operator", "trigger_url"))
    )


def _is_custom(record: Record) -> bool:
    """Tell the body of a user's own template: name and state, and something only Honeycomb writes."""
    said = _fields(record)
    word, called = said.get("status"), name(said.get("name"))
    if not isinstance(word, str) or word.lower() not in _KINDS or not (called or name(said.get("id"))):
        return False
    if any(key.startswith("Alert.") or _letters(key) in _MARKS for key in record):
        return True
    values = [value for value in (*record.values(), *mapping(record.get("Alert")).values()) if isinstance(value, str)]
    summaries = (f"Triggered: {called}", f"Resolved: {called}")
    return any(_ADDRESS.match(value) or (called and value.startswith(summaries)) for value in values)


_MARKS = frozenset(("resultgroups", "resultgroupstriggered", "alertistest", "triggerurl"))
_ADDRESS = re.compile(r"https://ui\.(?:[a-z0-9]+\.)?honeycomb\.io/")


def _is_trigger_definition(record: Record) -> bool:
    return (
        isinstance(record.get("threshold"), dict)
        and "op" in record["threshold"]
        and "frequency" in record
        and ("query" in record or "query_id" in record)
    )


def _is_burn_definition(record: Record) -> bool:
    return "slo" in record and ("exhaustion_minutes" in record or "budget_rate_window_minutes" in record)


SHAPES = (
    Shape("honeycomb", "webhook", _is_default, _read),
    ignore("honeycomb", "trigger definition", _is_trigger_definition),
    ignore("honeycomb", "burn alert definition", _is_burn_definition),
    ignore("honeycomb", "SLO definition", lambda r: "target_per_million" in r and "sli" in r),
    Shape("honeycomb", "webhook of a template", _is_custom, _read),
)
PAGES: tuple[str, ...] = ()
