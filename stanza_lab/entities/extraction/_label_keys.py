"""Keys of labels and tags: what the value of each is, and how tags are spelled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stanza_lab.entities import naming
from stanza_lab.entities.extraction.readings import Kind, service_name

KEYS: Mapping[Kind, tuple[str, ...]] = {
    "service": (
        *("service", "service_name", "service.name", "dd.service", "servicename", "kube_service", "kube_deployment"),
        *("kube_stateful_set", "kube_daemon_set", "kube_cronjob", "deployment", "statefulset", "daemonset", "cronjob"),
        *("k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.cronjob.name", "workload"),
        *("app.kubernetes.io/name", "app_kubernetes_io_name", "label_app_kubernetes_io_name", "label_app", "app"),
        *("cloud_run_service", "gae_module", "application"),
    ),
    "environment": (
        *("env", "environment", "deployment.environment.name", "deployment.environment", "deployment_environment"),
        *("service.environment", "dd.env", "stage"),
    ),
    "team": ("team", "owner", "squad", "owning_team", "team_name", "responsible_team", "owned_by"),
    "repository": (
        *("repo", "repository", "git.repository", "git.repository_url", "git_repository", "repository_url", "repo_url"),
        *("vcs.repository.url.full", "github_repo", "github.repository", "source_repository"),
    ),
    "on_call": (
        *("escalation_policy", "escalation_policy.name", "schedule", "schedule_name", "on_call", "oncall", "on-call"),
        *("on_call_target", "oncall_target", "rotation", "assigned_to", "assignment_group"),
    ),
}
KIND_OF = {name: kind for kind, names in KEYS.items() for name in names}
RANK = {name: rank for names in KEYS.values() for rank, name in enumerate(names)}

PODS = ("pod", "pod_name", "kube_pod_name", "k8s.pod.name", "kubernetes.pod.name", "kubernetes.pod_name", "fullpodname")
HOSTS = (
    *(
        "host",
        "hostname",
        "host.name",
        "server_name",
        "server",
        "machine",
        "node",
        "nodename",
        "node_name",
        "kube_node",
    ),
    *("kubernetes_node", "k8s.node.name", "kubernetes.node.name", "host_name", "computer", "instance_name"),
)
INSTANCES = ("instance",)
IMAGES = ("image", "container_image", "image_name", "container.image.name", "container_image_name", "docker_image")
TRACES = (
    *(
        "trace_id",
        "traceid",
        "trace.id",
        "dd.trace_id",
        "traceparent",
        "x-amzn-trace-id",
        "xray_trace_id",
        "oteltraceid",
    ),
    *("trace-id", "trace", "otel.trace_id", "x-b3-traceid", "trace.trace_id", "trace_parent", "dd_trace_id"),
    *("otel_trace_id", "x-trace-id", "uber-trace-id", "sentry-trace", "b3", "contexts.trace.trace_id"),
)
URLS = (
    "url",
    "http.url",
    "http_url",
    "url.full",
    "request_url",
    "request.url",
    "target_url",
    "probe_url",
    "target",
    "site",
)
CALLEES = (
    *("peer.service", "peer_service", "upstream_service", "upstream_cluster", "downstream_service", "callee"),
    *("net.peer.name", "dependency", "server.address", "db.host", "upstream_host", "remote_service"),
)
LOG_GROUPS = ("log_group", "loggroup", "log_group_name", "loggroupname", "aws.log_group", "aws_cloudwatch_log_group")
ENVELOPE = ("namespace", "region", "account")

# Where a label says whom to tell, not what broke.
TARGET = re.compile(
    r"action|notif|contact|webhook|channel|recipient|subscri|topicarn|alarm_?arn|monitor|receiver|event_?arn|fingerprint",
    re.I,
)
# Labels of what was scraped, where a scraper keeps its own under the plain key.
EXPORTED: Mapping[str, str] = {
    f"exported_{key}": key for key in ("service", "pod", "instance", "node", "deployment", "statefulset", "daemonset")
}
# An exporter of a machine's own metrics runs there: its instance is the machine.
_OF_ITS_MACHINE = re.compile(r"(?:.*[-_./])?(?:node|windows|wmi|telegraf)(?:[-_].*)?", re.I)
_NOT_A_PERSON = re.compile(
    r"team|on-?call|ops|sre|schedule|rotation|policy|support|escalation|group|desk|squad|platform", re.I
)


def scraped(tags: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Return labels without those of the scraper: its own pod, its address, its job.

    kube-state-metrics speaks of others: with ``exported_pod`` beside it, ``pod`` is the scraper's, and its ``instance``
    is where it runs itself. A probe's ``instance`` is the address it asks, where that is a URL.
    """
    there = {key.lower(): value for key, value, _ in tags}
    jobs = [there[key].rpartition("/")[2] for key in ("job", "service", "container") if there.get(key)]
    scraper = any(service_name(job) is None and not _OF_ITS_MACHINE.fullmatch(job) for job in jobs)
    dropped = {plain for exported, plain in EXPORTED.items() if exported in there}
    if scraper and "://" not in there.get("instance", ""):
        dropped.add("instance")
    for key in PODS:  # the scraper's own pod, where it speaks of something else
        workload = naming.workload_of(there.get(key, ""), sure=True)
        if scraper and workload and service_name(workload) is None:
            dropped.add(key)
    return [tag for tag in tags if tag[0].lower() not in dropped]


def is_person(key: str, name: str) -> bool:
    """Return whether a page was assigned to a person: no on-call target then."""
    return key == "assigned_to" and not _NOT_A_PERSON.search(name)


def pairs(value: Any) -> dict[str, str]:
    """Return dimensions spelled as a map, as [{"name": ..., "value": ...}] or as [{"Name": ..., "Value": ...}]."""
    if isinstance(value, dict):
        return {str(key): v for key, v in value.items() if isinstance(v, str)}
    if not isinstance(value, list):
        return {}
    items = [{str(key).lower(): v for key, v in item.items()} for item in value if isinstance(item, dict)]
    return {str(i["name"]): i["value"] for i in items if "name" in i and isinstance(i.get("value"), str)}


def tags(value: Any) -> list[tuple[str, str]]:
    """Return tags spelled as ["k:v"], [["k", "v"]], [{"key": ..., "value": ...}] or a map."""
    if isinstance(value, dict):
        return [(str(key), v) for key, v in value.items() if isinstance(v, str)]
    found: list[tuple[str, str]] = []
    for tag in value if isinstance(value, list) else ():
        if isinstance(tag, str):
            for part in tag.split(",") if "," in tag and tag.count(":") > 1 else (tag,):
                key, colon, rest = part.strip().partition(":")
                found += [(key, rest)] if colon else []
        elif isinstance(tag, list) and len(tag) == 2 and all(isinstance(part, str) for part in tag):
            found.append((tag[0], tag[1]))
        elif isinstance(tag, dict) and isinstance(tag.get("key"), str) and isinstance(tag.get("value"), str):
            found.append((tag["key"], tag["value"]))
    return found


def strings(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the labels that are text, those one level down too (a block of labels or annotations)."""
    for key, value in content.items():
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, dict) and not TARGET.search(key):
            yield from ((inner, v) for inner, v in value.items() if isinstance(v, str))
        elif key == "groups_triggered" and isinstance(value, list):  # Honeycomb: [{"service.name": "checkout"}]
            groups = [group for group in value if isinstance(group, dict)]
            yield from ((str(name), v) for group in groups for name, v in group.items() if isinstance(v, str))
