"""AWS resources in values and text: ARNs, instance ids, host names that carry a resource's name.

`arnmatch` knows the shapes of ARNs; `parse_arn` falls back to the ARN grammar for what it misses and picks the name
a person would use for the node: the function of an alias, the cluster and service of an ECS service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from arnmatch import ARNError, arnmatch

from stanza_lab.entities.extraction._aws_names import match_host, match_log_group


class Resource(NamedTuple):
    """One resource as a value names it.

    Attributes
    ----------
    type : str
        System and type: ``rds:db``, ``ec2:instance``, ``host``, ``pod``.
    name : str
        Short name, used as the node.
    arn : str or None
        Full ARN when it is stated, or follows from account and region.
    named : bool
        Whether people chose the name; ids such as ``i-0abc...`` never name a service.
    """

    type: str
    name: str
    arn: str | None = None
    named: bool = True


# In text an ARN ends at blanks, quotes and brackets; as a whole value it may hold blanks (alarm names do).
_ARN = re.compile(
    r"(?<![\w-])arn:aws[a-z-]{0,12}:[a-z0-9-]{1,40}:[a-z0-9-]{0,25}:[A-Za-z0-9]{0,20}:[^\s\"'`<>|,;)\]}]{1,1024}"
)
_WHOLE_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\w*):(\S.{0,1500})", re.S)
_ID = re.compile(
    r"(?<![\w-])(i|vol|snap|ami|eni|sg|subnet|vpc|vpce|rtb|igw|nat|tgw|lt|eipalloc|fs)-(?:[0-9a-f]{17}|[0-9a-f]{8})(?![\w-])"
)
_ID_TYPES = {"i": "ec2:instance", "vol": "ec2:volume", "nat": "ec2:natgateway", "fs": "elasticfilesystem:file-system"}
_DRAWN = re.compile(
    rf"{_ID.pattern}|(?:[\w-]+/)?(?:[0-9a-f]{{32}}|[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})|\w-\d+"
)
_AWS_HOST = re.compile(
    r"(?<![\w.@/-])(?:https?://)?([\w.@-]{1,253}\.(?:amazonaws\.com(?:\.cn)?|on\.aws|cloudfront\.net)(?![\w-])"
    r"(?:/[\w./-]{1,200})?)"
)
_AWS_ENDS = ("amazonaws.com", ".on.aws", "cloudfront.net")
_LOG_GROUP = re.compile(r"(?<![\w./-])(?:/(?:aws|ecs)/[\w./#-]{1,500}|API-Gateway-Execution-Logs_[\w/-]{1,60})")
# Nothing that breaks: the alarm itself, roles and users, what an alarm does and whom it calls.
_NOT_AFFECTED = {
    *("cloudwatch:alarm", "cloudwatch:dashboard", "iam", "sts", "health", "automate", "ssm-incidents", "ssm-contacts"),
    *("autoscaling:scalingPolicy", "ssm:opsitem", "guardduty", "securityhub"),
}


@lru_cache(maxsize=65_536)
def parse_arn(value: str) -> Resource | None:
    """Return the resource an ARN names, or None when `value` is no ARN.

    Examples
    --------
    >>> from stanza_lab.entities.extraction.arns import parse_arn
    >>> parse_arn("arn:aws:ecs:eu-west-1:123456789012:service/prod/checkout")[:2]
    ('ecs:service', 'prod/checkout')
    >>> parse_arn("arn:aws:lambda:eu-west-1:123456789012:function:resize:live")[:2]
    ('lambda:function', 'resize')
    """
    match = _WHOLE_ARN.fullmatch(value)
    if match is None:
        return None
    system, rest = match[2], match[5]
    kind, name = _by_library(value) or _by_grammar(rest)
    kind, name = _node(system, kind, name, rest)
    named = system not in ("ec2", "apigateway", "execute-api") and not _DRAWN.fullmatch(name)
    return Resource(f"{system}:{kind}" if kind else system, name, value, named)


def affected(resource: Resource) -> bool:
    """Return whether `resource` is something that can break: not an alarm's own ARN, not a role."""
    return resource.type not in _NOT_AFFECTED and resource.type.partition(":")[0] not in _NOT_AFFECTED


def find_arns(text: str) -> Iterator[tuple[int, int, Resource]]:
    """Yield start, end and resource of every ARN in `text`."""
    if "arn:aws" not in text:
        return
    for match in _ARN.finditer(text):
        value = match.group().rstrip(".:")
        if text[match.start() - 1 : match.start()] == "*":
            value = value.rstrip("*")  # bold in Slack or Markdown
        resource = parse_arn(value)
        if resource is not None:
            yield match.start(), match.start() + len(value), resource


def find_ids(text: str) -> Iterator[tuple[int, int, Resource]]:
    """Yield start, end and resource of every EC2-like id in `text`."""
    if "-" not in text:
        return
    for match in _ID.finditer(text):
        yield match.start(), match.end(), _by_id(match)


def find_hosts(text: str) -> Iterator[tuple[int, int, Resource]]:
    """Yield start, end and resource of every AWS host name or queue URL in `text` that names one."""
    if not any(end in text for end in _AWS_ENDS):
        return
    for match in _AWS_HOST.finditer(text):
        resource = read_host(match[1])
        if resource is not None:
            yield match.start(), match.end(), resource


def read_value(value: str) -> Resource | None:
    """Return the resource that the whole of `value` names, or None: an ARN, an id, an AWS host name."""
    if value.startswith("arn:"):
        return parse_arn(value)
    match = _ID.fullmatch(value)
    return _by_id(match) if match else read_host(value)


def read_host(value: str) -> Resource | None:
    """Return the AWS resource behind a host name or URL, or None."""
    if not any(end in value for end in _AWS_ENDS):
        return None
    found = match_host(value)
    return Resource(found[0], found[1].rstrip("."), named=found[2]) if found else None


def find_log_groups(text: str) -> Iterator[tuple[int, int, Resource]]:
    """Yield start, end and resource of every CloudWatch log group in `text`."""
    if "/aws/" not in text and "/ecs/" not in text and "API-Gateway-Execution-Logs_" not in text:
        return
    for match in _LOG_GROUP.finditer(text):
        name = match.group().rstrip("./#-")
        resource = read_log_group(name)
        if resource is not None:
            yield match.start(), match.start() + len(name), resource


def read_log_group(name: str) -> Resource | None:
    """Return what writes to the log group `name`, the log group itself where its name does not tell; else None."""
    found = match_log_group(name)
    return Resource(found[0], found[1], named=found[2]) if found else None


def _by_id(match: re.Match[str]) -> Resource:
    return Resource(_ID_TYPES.get(match[1], f"ec2:{match[1]}"), match.group(), named=False)


def _by_library(value: str) -> tuple[str, str] | None:
    try:
        found = arnmatch(value)
    except ARNError:
        return None
    return found.resource_type, found.resource_name


def _by_grammar(rest: str) -> tuple[str, str]:
    """Split ``type/name``, ``type:name`` or ``name``, whichever separator comes first."""
    match = re.match(r"([\w-]+)[/:](.+)", rest, re.S)
    return (match[1], match[2]) if match else ("", rest)


def _node(system: str, kind: str, name: str, rest: str) -> tuple[str, str]:
    """Return type and short name as people use them, where the library's differ."""
    parts = re.split("[/:]", rest)
    if system == "elasticloadbalancing":
        name = (
            parts[2] if len(parts) > 3 and parts[1] in ("app", "net", "gwy") else parts[1] if len(parts) > 1 else name
        )
        return parts[0], name
    if system == "lambda" and parts[0] == "function" and len(parts) > 1:
        return "function", parts[1]
    if system == "ecs" and parts[0] in ("service", "task", "container-instance"):
        return parts[0], "/".join(parts[1:])
    if system == "ecs" and parts[0] == "task-definition" and len(parts) > 1:
        return parts[0], parts[1]
    if system == "eks" and len(parts) > 1:
        return "cluster", parts[1]
    if system in ("dynamodb", "kafka", "states") and len(parts) > 1:
        last = parts[3] if parts[0] == "topic" and len(parts) > 3 else parts[1]
        return ("stateMachine" if parts[0] == "execution" else parts[0]), last
    if system == "sns":
        return "topic", parts[0]
    if system == "sqs":
        return "queue", parts[0]
    if system == "s3":
        return "bucket", parts[0]
    if system == "logs" and parts[0] == "log-group":
        return "log-group", re.sub(r":(?:\*|log-stream:.*)?$", "", rest.partition(":")[2], flags=re.S)
    if system in ("apigateway", "execute-api"):
        path = [part for part in parts if part not in ("", "restapis", "apis", "stages")]
        return "api", "/".join(path[:2])
    if system == "secretsmanager":
        return "secret", re.sub(r"-\w{6}$", "", name)
    # The ARN's own word for the type: the library's are of its making (rule-on-custom-event-bus).
    return (parts[0] if len(parts) > 1 and parts[0] not in ("", "regional", "global", "apis") else kind), name
