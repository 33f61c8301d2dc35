"""CloudWatch dimensions -> resources, also where Datadog carries them as lower-cased tags.

One table: which dimensions together name what. Those that say more come first, and what they use is used up: an
ECS service is named by its cluster and itself, a cluster alone is a cluster's alarm. Names that many things share
(JobName, Broker, Id) count in their own namespace only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stanza_lab.entities.extraction.arns import Resource, affected, parse_arn, read_log_group


class _Rule(NamedTuple):
    needs: tuple[str, ...]  # folded dimension names, all present
    type: str
    name: str  # template over the dimensions
    tail: str = ""  # template of the ARN's resource part; empty: no ARN is built
    named: bool = True
    within: tuple[str, ...] = ()  # lower-case beginnings of the namespaces where it counts; empty: anywhere


def fold(name: str) -> str:
    """Return a dimension or tag name as the table spells it: DBInstanceIdentifier, db_instance_identifier."""
    return name.lower().replace("_", "").replace("-", "")


def _one(dimension: str, kind: str, tail: str = "", *within: str, named: bool = True) -> _Rule:
    """Return the rule of one dimension that names a resource; ``{}`` in the tail is its value."""
    name = f"{{{dimension}}}"
    return _Rule((dimension,), kind, name, tail.replace("{}", name), named, within)


_LB = "elasticloadbalancing"
_ECS = "service/{%s}/{servicename}"
_INSIGHTS = ("containerinsights", "aws/eks")
_RULES = (
    _Rule(("clustername", "servicename"), "ecs:service", "{clustername}/{servicename}", _ECS % "clustername"),
    _Rule(("ecscluster", "servicename"), "ecs:service", "{ecscluster}/{servicename}", _ECS % "ecscluster"),
    _Rule(("clustername", "namespace", "service"), "k8s:service", "{service}"),
    _Rule(("clustername", "namespace", "fullpodname"), "pod", "{fullpodname}"),
    _Rule(("clustername", "namespace", "podname"), "k8s:workload", "{podname}"),  # Container Insights: without hash
    _Rule(("clustername", "instanceid", "nodename"), "host", "{nodename}"),
    _Rule(("clustername", "taskdefinitionfamily"), "ecs:task-definition", "{taskdefinitionfamily}"),
    _one("servicename", "apprunner:service", "", "aws/apprunner"),
    _one("servicename", "service"),  # X-Ray, custom metrics: a service by name
    _one("service", "service", "", "applicationsignals", "aws/applicationsignals"),
    _one("functionname", "lambda:function", "function:{}"),
    _one("dbinstanceidentifier", "rds:db", "db:{}"),
    _one("dbclusteridentifier", "rds:cluster", "cluster:{}"),
    _Rule(("proxyname", "targetgroup"), "rds:db-proxy", "{proxyname}"),
    _one("proxyname", "rds:db-proxy", "", "aws/rds"),
    _one("queuename", "sqs:queue", "{}"),
    _one("topicname", "sns:topic", "{}"),
    _one("tablename", "dynamodb:table", "table/{}"),
    _one("deliverystreamname", "firehose:deliverystream", "deliverystream/{}"),
    _one("streamname", "kinesisvideo:stream", "", "aws/kinesisvideo"),
    _one("streamname", "kinesis:stream", "stream/{}"),
    _one("application", "kinesisanalytics:application", "application/{}", "aws/kinesisanalytics"),
    _one("replicationgroupid", "elasticache:replicationgroup", "replicationgroup:{}"),
    _one("clusterid", "dax:cache", "cache/{}", "aws/dax"),
    _one("globaltablename", "dynamodb:global-table"),
    _one("cacheclusterid", "elasticache:cluster", "cluster:{}"),
    _one("clusterid", "elasticache:serverlesscache", "", "aws/elasticache"),
    _Rule(("apiname",), "apigateway:api", "{apiname}"),
    _one("apiid", "apigateway:api", named=False),
    _one("graphqlapiid", "appsync:api", named=False),
    _one("topic", "kafka:topic", "", "aws/kafka"),
    _Rule(("cluster name", "topic"), "kafka:topic", "{topic}"),
    _one("connectorname", "kafkaconnect:connector", "", "aws/kafkaconnect"),
    _one("cluster name", "kafka:cluster"),
    _Rule(("domainname", "clientid"), "es:domain", "{domainname}", "domain/{domainname}"),
    _one("domainname", "es:domain", "domain/{}", "aws/es", "aws/opensearch"),
    _one("collectionname", "aoss:collection", "", "aws/aoss"),
    _one("sourcebucket", "s3:bucket", "", "aws/s3"),
    _one("bucketname", "s3:bucket"),
    _Rule(("eventbusname", "rulename"), "events:rule", "{rulename}", "rule/{eventbusname}/{rulename}"),
    _one("rulename", "iot:rule", "rule/{}", "aws/iot"),
    _one("eventbusname", "events:event-bus", "event-bus/{}", "aws/events"),
    _one("rulename", "events:rule", "rule/{}"),
    _one("targetgroup", f"{_LB}:targetgroup", "{}"),
    _one("loadbalancer", f"{_LB}:loadbalancer", "loadbalancer/{}"),
    _one("loadbalancername", f"{_LB}:loadbalancer", "loadbalancer/{}"),
    _one("autoscalinggroupname", "autoscaling:autoScalingGroup"),
    _one("autoscalinggroup", "autoscaling:autoScalingGroup"),
    _one("clustername", "eks:cluster", "cluster/{}", *_INSIGHTS),
    _one("clustername", "memorydb:cluster", "cluster/{}", "aws/memorydb"),
    _one("clustername", "ecs:cluster", "cluster/{}"),
    _one("workgroup", "redshift-serverless:workgroup", "", "aws/redshift-serverless"),
    _one("workgroup", "athena:workgroup", "workgroup/{}", "aws/athena"),
    _one("environment", "airflow:environment", "environment/{}", "amazonmwaa", "aws/mwaa"),
    _one("clusteridentifier", "redshift:cluster", "cluster:{}"),
    _one("instanceid", "connect:instance", "instance/{}", "aws/connect", named=False),
    _one("instanceid", "ec2:instance", "instance/{}", named=False),
    _one("volumeid", "ec2:volume", "volume/{}", named=False),
    _one("natgatewayid", "ec2:natgateway", "natgateway/{}", named=False),
    _one("transitgateway", "ec2:transit-gateway", "transit-gateway/{}", named=False),
    _one("vpc endpoint id", "ec2:vpc-endpoint", "vpc-endpoint/{}", named=False),
    _one("vpnid", "ec2:vpn-connection", "vpn-connection/{}", named=False),
    _one("filesystemid", "fsx:file-system", "file-system/{}", "aws/fsx", named=False),
    _one("filesystemid", "elasticfilesystem:file-system", named=False),
    _one("distributionid", "cloudfront:distribution", named=False),
    _one("healthcheckid", "route53:healthcheck", named=False),
    _one("webacl", "wafv2:webacl"),
    _one("userpoolid", "cognito-idp:userpool", named=False),
    _one("userpool", "cognito-idp:userpool", "", "aws/cognito", named=False),
    _one("replicationinstanceidentifier", "dms:rep"),
    _one("jobflowid", "elasticmapreduce:cluster", "cluster/{}", named=False),
    _one("brokername", "mq:broker"),
    _one("broker", "mq:broker", "", "aws/amazonmq"),
    _one("environmentname", "elasticbeanstalk:environment", "", "aws/elasticbeanstalk"),
    _one("jobname", "glue:job", "job/{}", "glue", "aws/glue"),
    _one("jobqueue", "batch:job-queue", "job-queue/{}", "aws/batch"),
    _one("projectname", "codebuild:project", "project/{}", "aws/codebuild"),
    _one("endpointname", "sagemaker:endpoint", "endpoint/{}", "aws/sagemaker", "/aws/sagemaker"),
    _one("gatewayname", "storagegateway:gateway", "", "aws/storagegateway"),
    _one("backupvaultname", "backup:backup-vault", "backup-vault:{}", "aws/backup"),
    _one("pipelinename", "codepipeline:pipeline", "{}", "aws/codepipeline"),
    _one("accelerator", "globalaccelerator:accelerator", "", "aws/globalaccelerator", named=False),
    _one("canaryname", "synthetics:canary", "canary:{}", "cloudwatchsynthetics"),
    _one("firewallname", "network-firewall:firewall", "firewall/{}", "aws/networkfirewall"),
    _one("serverid", "transfer:server", "server/{}", "aws/transfer", named=False),
    _one("connectionid", "directconnect:dxcon", "dxcon/{}", "aws/dx", named=False),
    _one("pipename", "pipes:pipe", "pipe/{}", "aws/eventbridge/pipes"),
    _one("schedulegroup", "scheduler:schedule-group", "schedule-group/{}", "aws/scheduler"),
    _one("function", "cloudfront:function", "", "aws/cloudfront"),
    _one("host", "host", "", "cwagent", "system/linux", named=False),
)
# What a tag or a key in a text may be without a namespace that says so.
NAMES = frozenset(name for rule in _RULES if not rule.within for name in rule.needs)
_GENERIC = {"service", "namespace", "topic"}  # too common as tags to be a dimension on their own
_ARNS = ("statemachinearn", "lambdafunctionarn", "activityarn", "workgrouparn", "resourcearn")


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
        Metric namespace; tells EKS from ECS clusters, and what names that many services use mean.
    region, account : str, optional
        With both, the ARN is built where the dimension determines it.

    Examples
    --------
    >>> from stanza_lab.entities.extraction.dimensions import read_dimensions
    >>> read_dimensions({"ClusterName": "prod", "ServiceName": "checkout"})[0][1][:2]
    ('ecs:service', 'prod/checkout')
    """
    space = (namespace or "").lower()
    if space == "aws/usage":
        return []  # quotas of an account: its Service and Resource are kinds, not things
    spelled = {fold(name): name for name in dimensions}
    values = {fold(name): value.strip() for name, value in dimensions.items()}
    found: list[tuple[str, Resource]] = []
    used: set[str] = set()
    for name in _ARNS:
        resource = parse_arn(values.get(name, ""))
        if resource and affected(resource):
            found.append((spelled[name], resource))
    if group := values.get("loggroupname"):
        resource = read_log_group(group) or Resource("logs:log-group", group, named=False)
        found.append((spelled["loggroupname"], resource))
    for rule in _RULES:
        if rule.within and not space.startswith(rule.within):
            continue
        if not all(values.get(name) and name not in used for name in rule.needs):
            continue
        used.update(rule.needs)
        found.append((spelled[rule.needs[-1]], _resource(rule, values, region, account)))
    return found


def _resource(rule: _Rule, values: Mapping[str, str], region: str | None, account: str | None) -> Resource:
    kind, name = rule.type, rule.name.format_map(values)
    system = kind.partition(":")[0]
    if system == _LB:  # app/NAME/ID and targetgroup/NAME/ID
        parts = name.split("/")
        name = parts[1] if len(parts) > 1 else name
    if kind == "lambda:function":
        name = name.rpartition(":function:")[2].partition(":")[0]  # an alias or version may stand behind it
    if kind == "wafv2:webacl" or (kind == "events:rule" and "/" in name):
        name = name.rpartition("/")[2]
    arn = None
    if rule.tail and region and account:
        partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
        arn = f"arn:{partition}:{system}:{region}:{account}:{rule.tail.format_map(values)}"
    return Resource(kind, name, arn, rule.named)
