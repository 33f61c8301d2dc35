"""Readings: what one distinct value says: of the columns service, environment, team, resources, trace_ids, and labels.

Nothing here looks at more than one value, so the work is done once per distinct value, however many rows carry it.
What needs the other alerts (is this name seen elsewhere?) happens in `resolve`. Free text is read by `texts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import orjson

from stanza_lab.entities import naming
from stanza_lab.entities.extraction import arns, hosts
from stanza_lab.entities.extraction._cloud_ids import read_cloud_id
from stanza_lab.entities.extraction._label_keys import (
    CALLEES,
    ENVELOPE,
    EXPORTED,
    HOSTS,
    IMAGES,
    INSTANCES,
    KIND_OF,
    LOG_GROUPS,
    PODS,
    RANK,
    TARGET,
    TRACES,
    URLS,
    is_person,
    pairs,
    scraped,
    strings,
    tags,
)
from stanza_lab.entities.extraction._traces import read_trace_id
from stanza_lab.entities.extraction.dimensions import is_dimension, read_dimensions
from stanza_lab.entities.extraction.readings import (
    CONFIDENCE,
    Kind,
    Reading,
    method_of,
    of_host,
    of_pod,
    of_resource,
    service_name,
)
from stanza_lab.entities.extraction.scan import read_text, read_texts
from stanza_lab.entities.extraction.urls import find_urls, read_image, read_repository

if TYPE_CHECKING:
    from stanza_lab.entities.extraction.arns import Resource

__all__ = [
    "CONFIDENCE",
    "Kind",
    "Reading",
    "read_field",
    "read_labels",
    "read_resource",
    "read_text",
    "read_texts",
    "read_trace",
]


_REMOTE = ("RemoteService", "TargetDiscoveryName")  # Application Signals, Service Connect: who is called


def read_field(kind: Kind, value: str) -> list[Reading]:
    """Read a value of the column service, environment or team."""
    name = _clean(kind, value)
    return [Reading(kind, name, "field")] if name else []


def read_trace(value: str) -> list[Reading]:
    """Read one value of the column trace_ids."""
    name = naming.clean(value)
    trace = name and (read_trace_id(name) or name.lower())
    return [Reading("trace", trace, "field")] if trace and trace.strip("0-") else []


def read_resource(value: str) -> list[Reading]:
    """Read one value of the column resources."""
    name = naming.clean(value)
    if name is None:
        return []
    resource = _whole(name)
    if resource is not None:
        return of_resource(resource, "log-group" if resource.type == "logs:log-group" else method_of(resource))
    if naming.workload_of(name, sure=False):
        pod, *workload = of_pod(name, sure=False, method="field")
        return [pod, *(reading._replace(if_seen=True) for reading in workload)]
    service = hosts.service_of(name)
    if service and service_name(service):
        return [Reading("service", service, "host")]
    if "://" in name:
        return [Reading("url", url.name, "field") for url in find_urls(name) if url.web and not url.tool]
    host = hosts.without_port(name)
    return [] if hosts.is_loopback(host) else [of_host(host, "field")]


def read_labels(labels: str) -> list[Reading]:
    """Read the labels of an alert: tags first, then dimensions, then hosts and the rest; the most telling key first."""
    try:
        content = orjson.loads(labels)
    except orjson.JSONDecodeError:
        return []
    if not isinstance(content, dict):
        return []
    dimensions = pairs(content.pop("dimensions", None))
    said = [(key, value, name) for name in ("tags", "groups") for key, value in tags(content.pop(name, None))]
    said += [(key, value, key) for key, value in strings(content)]
    said = scraped(said)
    carried = {key: value for key, value, _ in said if is_dimension(key)}
    where = {name: content.get(name) if isinstance(content.get(name), str) else None for name in ENVELOPE}
    found = sorted((pair for tag in said for pair in _of_tag(*tag)), key=lambda pair: pair[0])
    readings = [reading for _, reading in found]
    for values, at in ((dimensions, "dimensions"), (carried, "tags")):
        readings += _of_dimensions({k: v for k, v in values.items() if naming.clean(v)}, at, where)
    return [*dict.fromkeys([*readings, *(reading for tag in said for reading in _of_place(*tag))])]


def _of_tag(key: str, value: str, at: str) -> Iterable[tuple[int, Reading]]:
    """Yield what a tag says by its key, with the rank of the key."""
    folded = EXPORTED.get(key.lower(), key.lower())
    kind = KIND_OF.get(folded)
    if kind == "repository":
        name = read_repository(value)
    elif kind:
        name = _clean_environment(folded, value) if kind == "environment" else _clean(kind, value)
        if kind == "on_call" and name and is_person(folded, name):
            name = None
    elif folded in PODS:
        for reading in of_pod(value, sure=True):
            yield len(RANK), reading._replace(at=at)
        return
    else:
        return
    if kind and name:
        yield RANK[folded], Reading(kind, name, "tag", at=at)


def _of_dimensions(dimensions: Mapping[str, str], at: str, where: Mapping[str, str | None]) -> list[Reading]:
    found: list[Reading] = []
    for dimension, resource in read_dimensions(dimensions, **where):
        place = at if at == "tags" else f"{at}.{dimension}"
        said = of_pod(resource.name, sure=True) if resource.type == "pod" else of_resource(resource, "dimension")
        found += [reading._replace(at=place) for reading in said]
    told = {reading.name for reading in found}
    for key, value in dimensions.items():
        place = f"{at}.{key}"
        if key in _REMOTE and "::" not in value and "unknown" not in value.lower():
            found += [reading._replace(at=place) for reading in _called(value)]
        # AWS calls them Environment (Application Signals) and Stage (API Gateway).
        elif (
            KIND_OF.get(key.lower()) == "environment" and (name := _clean_environment(key, value)) and name not in told
        ):
            found.append(Reading("environment", name, "dimension", at=place))
    return found


def _of_place(key: str, value: str, at: str) -> list[Reading]:
    """Read a label by its key: host, address, image, trace, callee; else as an ARN, an id or an AWS host."""
    folded = EXPORTED.get(key.lower(), key.lower())
    value = value.strip()
    found: list[Reading] = []
    if naming.clean(value) is None:
        return found
    if folded in HOSTS or (folded in INSTANCES and " " not in value):
        found = read_resource(value)
    elif folded in TRACES:
        trace = read_trace_id(value)
        found = [Reading("trace", trace, "tag")] if trace else []
    elif folded in IMAGES:
        image = read_image(value)
        found = [Reading("image", image, "tag")] if image else []
    elif folded in URLS:
        found = [Reading("url", url.name, "tag") for url in find_urls(value) if url.web and not url.tool]
    elif folded in CALLEES:
        found = _called(value)
    elif not TARGET.search(key):
        resource = arns.read_log_group(value) if folded in LOG_GROUPS else _whole(value)
        found = of_resource(resource, "log-group" if folded in LOG_GROUPS else method_of(resource)) if resource else []
    return [reading._replace(at=at) for reading in found]


def _called(value: str) -> list[Reading]:
    """Read a label that names what was called: peer.service, upstream_cluster."""
    host = hosts.without_port(value)
    if hosts.is_loopback(host):
        return []
    service = hosts.service_of(host.rpartition("|")[2]) or (None if "." in host or "|" in host else host)
    if service:
        name = service_name(service)
        return [Reading("service", name, "callee")] if name else []
    return [of_host(host, "callee")] if hosts.is_host(host) or hosts.IP.fullmatch(host) else []


def _whole(value: str) -> Resource | None:
    """Return the resource that the whole of `value` is."""
    return (
        arns.read_value(value)
        or read_cloud_id(value)
        or (arns.read_log_group(value) if value.startswith("/aws/") else None)
    )


def _clean_environment(key: str, value: str) -> str | None:
    """Return the environment that `value` is; a stage is one only by a usual name: those of pipelines are none."""
    name = naming.clean(value)
    return name if name and (key.lower() != "stage" or name.lower() in naming.ENVIRONMENTS) else None


def _clean(kind: Kind, value: str) -> str | None:
    """Return the name of that kind which `value` is, or None."""
    clean = {"service": service_name, "team": naming.clean_team, "on_call": naming.clean_team}
    return clean.get(kind, naming.clean)(value)
