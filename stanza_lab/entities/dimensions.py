"""CloudWatch dimensions -> resources, also where Datadog carries them as lower-cased tags.

One table: which dimensions together name what. Those that say more come first, and what they use is used up: an
ECS service is named by its cluster and itself, a cluster alone is a cluster's alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stanza_lab.entities.arns import Resource, parse_arn


class _Rule(NamedTuple):
    needs: tuple[str, ...]  # folded dimension names, all present
    type: str
    name: str  # template over the dimensions
    tail: str = ""  # template of the ARN's resource part; empty: no ARN is built
    named: bool = True


def fold(name: str) -> str:
    """Return a dimension or tag name as the table spells it: DBInstanceIdentifier, db_instance_identifier."""
    return name.lower().replace("_", "").replace("-", "")


_RULES = (
    _Rule(
        ("clustername", "servicename"),
        "ecs:service",
        "{clustername}/{servicename}",
        "service/{clustername}/{servicename}",
    ),
    _Rule(
        ("ecscluster", "servicename"), "ecs:service", "{ecscluster}/{servicename}", "service/{ecscluster}/{servicename}"
    ),
    _Rule(("clustername", "namespace", "service"), "k8s:service", "{service}"),
    _Rule(("clustername", "namespace", "podname"), "k8s:workload", "{podname}"),  # Container Insights: without hash
    _Rule(("servicename",), "service", "{servicename}"),  # X-Ray, custom metrics: a service by name
    _Rule(("functionname",), "lambda:function", "{functionname}", "function:{functionname}"),
    _Rule(("dbinstanceidentifier",), "rds:db", "{dbinstanceidentifier}", "db:{dbinstanceidentifier}"),
    _Rule(("dbclusteridentifier",), "rds:cluster", "{dbclusteridentifier}", "cluster:{dbclusteridentifier}"),
    _Rule(("queuename",), "sqs:queue", "{queuename}", "{queuename}"),
    _Rule(("topicname",), "sns:topic", "{topicname}", "{topicname}"),
    _Rule(("tablename",), "dynamodb:table", "{tablename}", "table/{tablename}"),
    _Rule(
        ("deliverystreamname",),
        "firehose:deliverystream",
        "{deliverystreamname}",
        "deliverystream/{deliverystreamname}",
    ),
    _Rule(("streamname",), "kinesis:stream", "{streamname}", "stream/{streamname}"),
    _Rule(
        ("replicationgroupid",),
        "elasticache:replicationgroup",
        "{replicationgroupid}",
        "replicationgroup:{replicationgroupid}",
    ),
    _Rule(("cacheclusterid",), "elasticache:cluster", "{cacheclusterid}", "cluster:{cacheclusterid}"),
    _Rule(("apiname",), "apigateway:api", "{apiname}"),
    _Rule(("apiid",), "apigateway:api", "{apiid}", named=False),
    _Rule(("cluster name", "topic"), "kafka:topic", "{topic}"),
    _Rule(("cluster name",), "kafka:cluster", "{cluster name}"),
    _Rule(("domainname", "clientid"), "es:domain", "{domainname}", "domain/{domainname}"),
    _Rule(("bucketname",), "s3:bucket", "{bucketname}"),
    _Rule(("rulename",), "events:rule", "{rulename}", "rule/{rulename}"),
    _Rule(("targetgroup",), "elasticloadbalancing:targetgroup", "{targetgroup}", "{targetgroup}"),
    _Rule(("loadbalancer",), "elasticloadbalancing:loadbalancer", "{loadbalancer}", "loadbalancer/{loadbalancer}"),
    _Rule(
        ("loadbalancername",),
        "elasticloadbalancing:loadbalancer",
        "{loadbalancername}",
        "loadbalancer/{loadbalancername}",
    ),
    _Rule(("autoscalinggroupname",), "autoscaling:autoScalingGroup", "{autoscalinggroupname}"),
    _Rule(("autoscalinggroup",), "autoscaling:autoScalingGroup", "{autoscalinggroup}"),
    _Rule(("clustername",), "ecs:cluster", "{clustername}", "cluster/{clustername}"),
    _Rule(("instanceid",), "ec2:instance", "{instanceid}", "instance/{instanceid}", named=False),
    _Rule(("natgatewayid",), "ec2:natgateway", "{natgatewayid}", "natgateway/{natgatewayid}", named=False),
    _Rule(("filesystemid",), "efs:file-system", "{filesystemid}", named=False),
    _Rule(("vpnid",), "ec2:vpn-connection", "{vpnid}", "vpn-connection/{vpnid}", named=False),
    _Rule(("distributionid",), "cloudfront:distribution", "{distributionid}", named=False),
    _Rule(("healthcheckid",), "route53:healthcheck", "{healthcheckid}", named=False),
    _Rule(("webacl",), "wafv2:webacl", "{webacl}"),
    _Rule(("userpoolid",), "cognito:userpool", "{userpoolid}", named=False),
)
NAMES = frozenset(name for rule in _RULES for name in rule.needs)
_GENERIC = {"service", "namespace", "topic"}  # too common as tags to be a dimension on their own


def is_dimension(name: str) -> bool:
    """Return whether a tag of this name carries a CloudWatch dimension."""
    folded = fold(name)
    return folded in NAMES and folded not in _GENERIC


def read_dimensions(
    dimensions: Mapping[str, str],
    *,
    namespace: str | None = None,
    region: str | None = None,
    account: str | None = None,
) -> list[tuple[str, Resource]]:
    """Return the resources that a set of dimensions names, the most telling first, each with its dimension.

    Parameters
    ----------
    dimensions : mapping of str to str
        Dimension names (any case) and values.
    namespace : str, optional
        Metric namespace; tells EKS from ECS clusters.
    region, account : str, optional
        With both, the ARN is built where the dimension determines it.

    Examples
    --------
    >>> from stanza_lab.entities.dimensions import read_dimensions
    >>> read_dimensions({"ClusterName": "prod", "ServiceName": "checkout"})[0][1][:2]
    ('ecs:service', 'prod/checkout')
    """
    spelled = {fold(name): name for name in dimensions}
    values = {fold(name): value for name, value in dimensions.items()}
    found: list[tuple[str, Resource]] = []
    used: set[str] = set()
    if arn := values.get("statemachinearn"):
        machine = parse_arn(arn)
        found += [(spelled["statemachinearn"], machine)] if machine else []
    for rule in _RULES:
        if not all(name in values and name not in used for name in rule.needs):
            continue
        used.update(rule.needs)
        found.append((spelled[rule.needs[-1]], _resource(rule, values, namespace, region, account)))
    return found


def _resource(
    rule: _Rule, values: Mapping[str, str], namespace: str | None, region: str | None, account: str | None
) -> Resource:
    kind, name = rule.type, rule.name.format_map(values)
    if kind == "ecs:cluster" and (namespace or "").lower().startswith(("containerinsights", "aws/eks")):
        kind = "eks:cluster"
    system = kind.partition(":")[0]
    if system == "elasticloadbalancing":  # app/NAME/ID and targetgroup/NAME/ID
        parts = name.split("/")
        name = parts[1] if len(parts) > 1 else name
    arn = None
    if rule.tail and region and account:
        partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
        arn = f"arn:{partition}:{system}:{region}:{account}:{rule.tail.format_map(values)}"
    return Resource(kind, name, arn, rule.named)
