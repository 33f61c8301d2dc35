"""Documents of Elasticsearch: one way to ask for a field, however it was encoded.

The same field comes as a dotted key, inside nested objects, in a mix of both, or (``fields`` of a search, CSV of
Discover) as an array or a text. A hit is opened here: its ``_source`` and its ``fields`` are one document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders import _records
from stanza_lab.loaders._records import Envelope, Event, Record, embedded, listing, mapping

_SERVICE = ("service.name", "labels.service", "labels.service_name")
_ENVIRONMENT = ("service.environment", "deployment.environment", "labels.environment", "labels.env")
_RESOURCES = (
    *("host.name", "host.hostname", "cloud.instance.id", "kubernetes.pod.name", "k8s.pod.name"),
    *("kubernetes.node.name", "k8s.node.name"),
)
# How Discover writes times by default, in the zone of the browser: May 14, 2024 @ 14:02:11.000
_SHOWN = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) @ (\d\d:\d\d:\d\d(?:\.\d+)?)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MAX_DEPTH = 20  # deeper lies no field we ask for
_DASH = ("-", "(empty)", "__missing__")  # what Kibana shows for "no value"


def opened(record: Record) -> Record:
    """Return the document of a hit, or `record` itself when it is none."""
    source = embedded(record.get("_source"))
    fields = mapping(record.get("fields")) if "_id" in record or "_index" in record else {}
    if isinstance(source, dict):
        return {**fields, **source} if fields else source
    return fields or record


class Flat(Record):
    """A document with every field under its dotted key: a field is asked for often, most are not there."""


def flat(record: Record) -> Flat:
    """Return the document of a hit (or `record` itself) with its fields under dotted keys."""
    document = Flat()
    _flatten(opened(record), "", document, 0)
    return document


def _flatten(value: Record, prefix: str, document: Flat, depth: int) -> None:
    for key, inner in value.items():
        if isinstance(inner, dict) and depth < _MAX_DEPTH:
            _flatten(inner, f"{prefix}{key}.", document, depth + 1)
        elif document.get(prefix + key) is None:
            document[prefix + key] = inner


def lookup(document: Record, path: str) -> Any:
    """Return what stands under a dotted `path`, None when nothing does."""
    if isinstance(document, Flat):
        return document.get(path)
    if document.get(path) is not None:
        return document[path]
    at = path.find(".")
    while at >= 0:
        inner = document.get(path[:at])
        if isinstance(inner, dict) and (found := lookup(inner, path[at + 1 :])) is not None:
            return found
        at = path.find(".", at + 1)
    return None


def name(document: Record, *paths: str) -> str | None:
    """Return the first identifier found under `paths`."""
    return next((value for path in paths for value in names(document, path)), None)


def names(document: Record, path: str) -> Iterator[str]:
    """Yield every identifier under `path`, out of its array."""
    found = lookup(document, path)
    for value in found if isinstance(found, list) else [found]:
        if (given := _records.name(value)) and given not in _DASH:
            yield given


def text(document: Record, *paths: str) -> str | None:
    """Return the first text found under `paths`."""
    for path in paths:
        found = lookup(document, path)
        for value in found if isinstance(found, list) else [found]:
            if (prose := _records.text(value)) and prose not in _DASH:
                return prose
    return None


def number(document: Record, *paths: str) -> float | str | None:
    """Return the first number found under `paths`; a CSV writes it as text."""
    for path in paths:
        found = lookup(document, path)
        value = (found or [None])[0] if isinstance(found, list) else found
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value not in ("", *_DASH):
            return value
    return None


def moment(document: Record, envelope: Envelope, *paths: str) -> int:
    """Return the first time found under `paths`, or refuse the record."""
    return _records.moment(*_time(document, paths), envelope)


def instant(document: Record, envelope: Envelope, *paths: str) -> int | None:
    """Return the first time found under `paths`, None when there is none."""
    return _records.instant(*_time(document, paths), envelope)


def tags(document: Record, *paths: str) -> dict[str, str]:
    """Return the ``key:value`` tags under `paths`, keys in lower case; of two with one key the first counts."""
    found: dict[str, str] = {}
    for tag in all_tags(document, *paths):
        key, _, value = tag.partition(":")
        if given := _records.name(value):
            found.setdefault(key.strip().lower(), given)
    return found


def all_tags(document: Record, *paths: str) -> list[str]:
    """Return the tags under `paths`, each once."""
    return list(dict.fromkeys(tag for path in paths for tag in _listed(document, path)))


def _listed(document: Record, path: str) -> Iterator[str]:
    """Yield the values of an array, also of one that a CSV wrote into one text."""
    for written in names(document, path):
        yield from written.split(", ")


def groups(document: Record) -> Iterator[tuple[str, str]]:
    """Yield what a Kibana rule is grouped by, as (field, value); written as pairs, or as two lists."""
    pairs = listing(lookup(document, "kibana.alert.group"))
    for pair in map(mapping, pairs):
        if (field := name(pair, "field")) and (value := name(pair, "value")):
            yield field, value
    if not pairs:
        fields, values = (list(_listed(document, f"kibana.alert.group.{part}")) for part in ("field", "value"))
        if len(fields) == len(values):
            yield from zip(fields, values, strict=True)


def about(document: Record, said: dict[str, str]) -> Event:
    """Return whom and what a document is about: by its own fields, what its rule groups by, then its tags `said`."""
    grouped = dict(reversed(list(groups(document))))
    hosts = [value for path in _RESOURCES for value in (*names(document, path), grouped.get(path)) if value]
    return {
        "service": name(document, *_SERVICE) or grouped.get("service.name") or said.get("service"),
        "environment": name(document, *_ENVIRONMENT)
        or grouped.get("service.environment")
        or said.get("env")
        or said.get("environment"),
        "team": name(document, "labels.team") or said.get("team") or said.get("owner"),
        "resources": list(dict.fromkeys(hosts or filter(None, [said.get("host")]))),
        "trace_ids": [trace.lower() for trace in names(document, "trace.id")],
    }


def _time(document: Record, paths: tuple[str, ...]) -> tuple[Any, str]:
    for path in paths:
        found = lookup(document, path)
        value = next(iter(found), None) if isinstance(found, list) else found
        if value in (None, "", *_DASH):
            continue
        shown = _SHOWN.fullmatch(value.strip()) if isinstance(value, str) else None
        if shown and shown[1] in _MONTHS:
            value = f"{shown[3]}-{_MONTHS.index(shown[1]) + 1:02}-{int(shown[2]):02}T{shown[4]}"
        return value, path
    return None, paths[0]
