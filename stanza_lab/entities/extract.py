"""Readings: what one distinct value says about services, environments, teams and resources.

Nothing here looks at more than one value, so the work is done once per distinct value, however many rows carry it.
What needs the other alerts (is this name seen elsewhere?) happens in `resolve`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import orjson

from stanza_lab.entities import arns, naming
from stanza_lab.entities.arns import Resource
from stanza_lab.entities.dimensions import is_dimension, read_dimensions

Kind = Literal["service", "environment", "team", "resource"]

# How sure a reading is: a rule, not a fit. What a person or system stated about this very alert comes first, a name
# inside an identifier next, a name that merely occurs in a text last.
CONFIDENCE: Mapping[str, float] = {
    "field": 0.95,  # a column: the export has a field for it
    "tag": 0.95,  # a tag or label with a key for it
    "dimension": 0.9,  # a CloudWatch dimension
    "arn": 0.98,  # the resource of an ARN
    "arn-name": 0.7,  # the node named by an ARN, a dimension or an AWS host taken for the service
    "id": 0.98,  # an instance id
    "host": 0.9,  # an AWS host name that carries the resource's name
    "pod": 0.9,  # the workload of a pod
    "key-value": 0.85,  # service:x inside a text
    "text": 0.6,  # a known name in a text
    "weak-text": 0.4,  # the same, and the name is one plain word
}


class Reading(NamedTuple):
    """One thing a value says."""

    kind: Kind
    name: str
    method: str
    start: int = -1  # place in the text; -1 = the whole value
    end: int = -1
    at: str = ""  # key inside the labels
    resource: Resource | None = None  # what a resource is, or what named the service
    if_seen: bool = False  # counts only when another value says this name too


_TAG_KEYS: Mapping[Kind, tuple[str, ...]] = {
    "service": (
        "service",
        "service_name",
        "service.name",
        "kube_service",
        "kube_deployment",
        "kube_stateful_set",
        "kube_daemon_set",
        "deployment",
        "statefulset",
        "daemonset",
        "k8s.deployment.name",
        "k8s.statefulset.name",
        "k8s.daemonset.name",
        "workload",
        "app.kubernetes.io/name",
        "app",
    ),
    "environment": ("env", "environment", "deployment.environment", "deployment_environment", "stage"),
    "team": ("team", "owner", "squad", "owning_team"),
}
_POD_KEYS = ("pod", "pod_name", "kube_pod_name", "k8s.pod.name", "fullpodname")
_HOST_KEYS = ("host", "hostname", "server_name", "k8s.node.name")
_RANK = {name: rank for names in _TAG_KEYS.values() for rank, name in enumerate(names)}
_KIND_OF = {name: kind for kind, names in _TAG_KEYS.items() for name in names}
_CLEAN: Mapping[Kind, Callable[[object], str | None]] = {
    "service": naming.clean_service,
    "environment": naming.clean,
    "team": naming.clean_team,
}
# Where a label says whom to tell, not what broke.
_TARGET_KEY = re.compile(r"action|notif|contact|webhook|channel|recipient|subscri|topicarn|alarm_?arn|monitor", re.I)

_KEY_VALUE = re.compile(
    r"(?<![\w.-])(?P<key>service|env|environment|team|squad)[:=](?!arn:)(?P<value>[A-Za-z0-9][\w./-]{0,199})", re.I
)


def read_field(kind: Kind, value: str) -> list[Reading]:
    """Read a value of the column service, environment or team."""
    name = _CLEAN[kind](value)
    return [Reading(kind, name, "field")] if name else []


def read_resource(value: str) -> list[Reading]:
    """Read one value of the column resources."""
    name = naming.clean(value)
    if name is None:
        return []
    resource = arns.read_value(name)
    if resource is not None:
        return _of_resource(resource, _method(resource))
    workload = naming.workload_of(name, sure=False)
    if workload:
        pod = Reading("resource", name, "field", resource=Resource("pod", name, named=False))
        return [pod, Reading("service", workload, "pod", if_seen=True)]
    return [Reading("resource", name, "field", resource=Resource("host", name, named=False))]


def read_text(text: str) -> list[Reading]:
    """Read a free text: ARNs, ids, AWS hosts and ``service:x`` pairs, with their places."""
    found = [
        (start, end, _of_resource(resource, _method(resource)))
        for start, end, resource in (*arns.find_arns(text), *arns.find_hosts(text), *arns.find_ids(text))
        if resource.type != "sns:topic"  # a topic in a text is where a notification went
    ]
    for match in _KEY_VALUE.finditer(text):
        kind = _KIND_OF[match["key"].lower()]
        value = match["value"].rstrip(".-/")
        name = _CLEAN[kind](value)
        if name:
            start = match.start("value")
            found.append((start, start + len(value), [Reading(kind, name, "key-value")]))
    found.sort(key=lambda place: (place[0], -place[1]))
    readings: list[Reading] = []
    done = 0
    for start, end, said in found:
        if start >= done:  # what stands inside an ARN is told by the ARN
            readings += [reading._replace(start=start, end=end) for reading in said]
            done = end
    return readings


def read_labels(labels: str) -> list[Reading]:
    """Read the labels of an alert: tags first, then dimensions, pods and hosts; the most telling key first."""
    try:
        content = orjson.loads(labels)
    except orjson.JSONDecodeError:
        return []
    if not isinstance(content, dict):
        return []
    dimensions = _pairs(content.pop("dimensions", None))
    tags = [(key, value, "tags") for key, value in _tags(content.pop("tags", None))]
    tags += [(key, value, key) for key, value in _strings(content)]
    carried = {key: value for key, value, _ in tags if is_dimension(key)}
    where = {name: content.get(name) if isinstance(content.get(name), str) else None for name in _ENVELOPE}
    found = sorted(_of_tags(tags), key=lambda pair: pair[0])
    readings = [reading for _, reading in found]
    for pairs, at in ((dimensions, "dimensions"), (carried, "tags")):
        readings += _of_dimensions({k: v for k, v in pairs.items() if naming.clean(v)}, at, where)
    return readings + [reading for key, value, at in tags for reading in _of_host(key, value, at)]


_ENVELOPE = ("namespace", "region", "account")


def _of_tags(tags: Iterable[tuple[str, str, str]]) -> Iterator[tuple[int, Reading]]:
    for key, value, at in tags:
        folded = key.lower()
        kind = _KIND_OF.get(folded)
        if kind:
            name = _CLEAN[kind](value)
            if name:
                yield _RANK[folded], Reading(kind, name, "tag", at=at)
        elif folded in _POD_KEYS:
            pod, workload = naming.clean(value), naming.workload_of(value, sure=True)
            if pod:
                yield len(_RANK), Reading("resource", pod, "pod", at=at, resource=Resource("pod", pod, named=False))
            if workload and naming.clean_service(workload):
                yield len(_RANK), Reading("service", workload, "pod", at=at)


def _of_dimensions(dimensions: Mapping[str, str], at: str, where: Mapping[str, str | None]) -> list[Reading]:
    found: list[Reading] = []
    for dimension, resource in read_dimensions(dimensions, **where):
        place = at if at == "tags" else f"{at}.{dimension}"
        found += [r._replace(at=place) for r in _of_resource(resource, "dimension")]
    # AWS calls them Environment (Application Signals) and Stage (API Gateway).
    for key, value in dimensions.items():
        if _KIND_OF.get(key.lower()) == "environment" and (name := naming.clean(value)):
            found.append(Reading("environment", name, "dimension", at=f"{at}.{key}"))
    return found


def _of_host(key: str, value: str, at: str) -> list[Reading]:
    """Read a label that is a host, or that holds an ARN, an id or an AWS host name as a whole."""
    if key.lower() in _HOST_KEYS:
        return [reading._replace(at=at) for reading in read_resource(value)]
    if _TARGET_KEY.search(key) or naming.clean(value) is None:
        return []
    resource = arns.read_value(value)
    return [reading._replace(at=at) for reading in _of_resource(resource, _method(resource))] if resource else []


def _of_resource(resource: Resource, method: str) -> list[Reading]:
    """Return the resource, and the service its name may stand for."""
    if not arns.affected(resource):
        return []
    if resource.type in ("service", "k8s:service", "k8s:workload"):  # the dimension is the service's own name
        name = naming.clean_service(resource.name)
        return [Reading("service", name, method)] if name else []
    found = [Reading("resource", resource.name, method, resource=resource)]
    if resource.named:
        found.append(Reading("service", resource.name, "arn-name", resource=resource))
    return found


def _method(resource: Resource) -> str:
    return "arn" if resource.arn else "host" if resource.named else "id"


def _pairs(value: Any) -> dict[str, str]:
    """Return dimensions spelled as a map, as [{"name": ..., "value": ...}] or as [{"Name": ..., "Value": ...}]."""
    if isinstance(value, dict):
        return {str(key): v for key, v in value.items() if isinstance(v, str)}
    if not isinstance(value, list):
        return {}
    items = [{str(key).lower(): v for key, v in item.items()} for item in value if isinstance(item, dict)]
    return {str(i["name"]): i["value"] for i in items if "name" in i and isinstance(i.get("value"), str)}


def _tags(value: Any) -> list[tuple[str, str]]:
    """Return tags spelled as ["k:v"], [["k", "v"]], [{"key": ..., "value": ...}] or a map."""
    if isinstance(value, dict):
        return [(str(key), v) for key, v in value.items() if isinstance(v, str)]
    found: list[tuple[str, str]] = []
    for tag in value if isinstance(value, list) else ():
        if isinstance(tag, str):
            key, colon, rest = tag.partition(":")
            found += [(key, rest)] if colon else []
        elif isinstance(tag, list) and len(tag) == 2 and all(isinstance(part, str) for part in tag):
            found.append((tag[0], tag[1]))
        elif isinstance(tag, dict) and isinstance(tag.get("key"), str) and isinstance(tag.get("value"), str):
            found.append((tag["key"], tag["value"]))
    return found


def _strings(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the labels that are text, those one level down too (a block of labels or annotations)."""
    for key, value in content.items():
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, dict) and not _TARGET_KEY.search(key):
            yield from ((inner, v) for inner, v in value.items() if isinstance(v, str))
