"""What a reading is, and how sure each way of reading is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from stanza_lab.entities import naming
from stanza_lab.entities.extraction import arns
from stanza_lab.entities.extraction.arns import Resource

Kind = Literal["service", "environment", "team", "resource", "url", "image", "repository", "trace", "on_call"]

# How sure a reading is: a rule, not a fit. What a person or system stated about this very alert comes first, a name
# inside an identifier next, a name that merely occurs in a text last.
CONFIDENCE: Mapping[str, float] = {
    "field": 0.95,  # a column: the export has a field for it
    "tag": 0.95,  # a tag or label with a key for it
    "dimension": 0.9,  # a CloudWatch dimension
    "arn": 0.98,  # the resource of an ARN
    "arn-name": 0.7,  # the node named by an ARN, a dimension or an AWS host taken for the service
    "id": 0.98,  # an instance id
    "trace": 0.98,  # a trace id after a key for it
    "host": 0.9,  # a host name that carries the name of a resource (AWS) or of a service (Kubernetes)
    "pod": 0.9,  # a pod, and its workload
    "log-group": 0.9,  # a CloudWatch log group, and the resource that writes it
    "image": 0.9,  # a container image
    "repository": 0.9,  # owner and name of a repository in its address
    "key-value": 0.85,  # service:x inside a text
    "url": 0.8,  # an address that is no tool's
    "callee": 0.75,  # what an error text says was called: never the alert's own service
    "text-host": 0.7,  # a full host name in a text: of the affected machine, or of another
    "text": 0.6,  # a known name in a text
    "weak-text": 0.4,  # the same, and the name is one plain word
}


# Agents and exporters as releases and charts name them: shop-kube-state-metrics, datadog-cluster-agent.
_AGENT = re.compile(
    r"(?:.+-)?(?:kube-state-metrics|[a-z]*-?exporter|blackbox(?:-exporter)?|cadvisor)|(?:datadog|dd|newrelic|grafana|elastic|otel"
    r"|opentelemetry|cloudwatch)(?:-cluster|-node)?-(?:agent|collector)(?:-.+)?|prometheus(?:-server|-k8s|-operator)?|kubelet"
)


def service_name(value: object) -> str | None:
    """Return the service that `value` names, or None: an exporter, an agent, residue of a template."""
    name = naming.clean_service(value)
    return None if name is None or _AGENT.fullmatch(naming.key(name)) else name


_HASHES = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}")


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


def of_resource(resource: Resource, method: str) -> list[Reading]:
    """Return the resource, and the service its name may stand for."""
    if not arns.affected(resource):
        return []
    if resource.type in ("service", "k8s:service", "k8s:workload"):  # the dimension is the service's own name
        name = service_name(resource.name)
        return [Reading("service", name, method)] if name else []
    found = [Reading("resource", resource.name, method, resource=resource)]
    if not resource.named:
        return found
    name = resource.name
    if resource.type == "ecs:service":
        name = name.rpartition("/")[2]  # the cluster says where it runs, not what it is
    elif resource.type == "logs:log-group":
        writer = arns.read_log_group(name)
        if writer is None or not writer.named or writer.type == "logs:log-group":
            return found
        name = writer.name
    return [*found, Reading("service", name, "arn-name", resource=resource)]


def method_of(resource: Resource) -> str:
    """Return how a value named `resource`."""
    return "arn" if resource.arn else "host" if resource.named else "id"


def of_pod(pod: str, *, sure: bool, method: str = "pod", if_seen: bool = False) -> list[Reading]:
    """Return the pod and the service of its workload; `sure` = the value stood where only pods stand."""
    name = naming.clean(pod.rpartition("/")[2])  # some tools put the namespace before it
    if name is None:
        return []
    found = [Reading("resource", name, method, resource=Resource("pod", name, named=False))]
    workload = _workload(name) or naming.workload_of(name, sure=sure)
    service = workload and service_name(workload)
    return [*found, Reading("service", service, "pod", if_seen=if_seen)] if service else found


def _workload(pod: str) -> str | None:
    """Return the workload before a Deployment's two hashes, as `naming.workload_of` does: most pods end so."""
    head, *hashes = pod.rsplit("-", 2)
    return head if head and len(hashes) == 2 and _HASHES.fullmatch("-".join(hashes)) else None


def of_host(host: str, method: str) -> Reading:
    """Return the machine called `host`."""
    return Reading("resource", host, method, resource=Resource("host", host, named=False))
