"""Names that AWS gives away: host names and log groups that carry the name of a resource."""

from __future__ import annotations

import re

_REGION = r"[a-z]{2}(?:-[a-z]+){1,3}-\d"
_AWS = r"amazonaws\.com(?:\.cn)?"
_HOSTS: tuple[tuple[str, str], ...] = (
    ("rds:cluster", rf"(?P<name>[\w-]+)\.cluster-(?:ro-|custom-)?\w+\.{_REGION}\.(?:rds|docdb|neptune)\.{_AWS}"),
    ("rds:db-proxy", rf"(?P<name>[\w-]+)\.proxy-\w+\.{_REGION}\.rds\.{_AWS}"),
    ("rds:db", rf"(?P<name>[\w-]+)\.\w+\.{_REGION}\.(?:rds|docdb|neptune)\.{_AWS}"),
    ("redshift:cluster", rf"(?P<name>[\w-]+)\.\w+\.{_REGION}\.redshift\.{_AWS}"),
    ("elasticloadbalancing:loadbalancer", rf"(?:internal-|dualstack\.)*(?P<name>[\w-]+)-\d+\.{_REGION}\.elb\.{_AWS}"),
    ("elasticloadbalancing:loadbalancer", rf"(?P<name>[\w-]+)-[0-9a-f]{{16}}\.elb\.{_REGION}\.{_AWS}"),
    ("sqs:queue", rf"sqs\.{_REGION}\.{_AWS}/\d{{10,12}}/(?P<name>[\w.-]+)"),
    ("sqs:queue", rf"(?:{_REGION}\.)?queue\.{_AWS}/\d{{10,12}}/(?P<name>[\w.-]+)"),
    ("s3:bucket", rf"(?P<name>[\w.-]+)\.s3(?:-website)?(?:[.-](?:dualstack\.)?{_REGION})?\.{_AWS}"),
    ("s3:bucket", rf"s3[.-]{_REGION}\.{_AWS}/(?P<name>[\w.-]+)"),
    (
        "elasticache:cluster",
        rf"(?:master\.|replica\.|clustercfg\.)?(?P<name>[\w-]+)\.\w+(?:\.\w+)?\.\w+\.cache\.{_AWS}",
    ),
    ("memorydb:cluster", rf"clustercfg\.(?P<name>[\w-]+)\.\w+\.memorydb\.{_REGION}\.{_AWS}"),
    ("es:domain", rf"(?:vpc-|search-)?(?P<name>[\w-]+)-\w{{20,30}}\.{_REGION}\.es\.{_AWS}"),
    ("kafka:cluster", rf"b-\d+\.(?P<name>[\w-]+)\.\w+\.c\d+\.kafka\.{_REGION}\.{_AWS}"),
    ("apigateway:api", rf"(?P<name>[a-z0-9]{{10}})\.execute-api\.{_REGION}\.{_AWS}"),
    ("eks:cluster", rf"(?P<name>[0-9A-F]{{32}})\.\w{{2,4}}\.{_REGION}\.eks\.{_AWS}"),
    ("mq:broker", rf"(?P<name>b-[0-9a-f-]{{36}})(?:-\d)?\.mq\.{_REGION}\.{_AWS}"),
    ("elasticfilesystem:file-system", rf"(?:{_REGION}\w\.)?(?P<name>fs-[0-9a-f]{{8,17}})\.efs\.{_REGION}\.{_AWS}"),
    ("lambda:function-url", rf"(?P<name>[a-z0-9]{{20,40}})\.lambda-url\.{_REGION}\.on\.aws"),
    ("cloudfront:distribution", r"(?P<name>d[a-z0-9]{12,14})\.cloudfront\.net"),
)
_HOST_PATTERNS = tuple((kind, re.compile(pattern, re.I)) for kind, pattern in _HOSTS)
_DRAWN = {  # names that AWS drew, not people
    *(
        "apigateway:api",
        "eks:cluster",
        "mq:broker",
        "elasticfilesystem:file-system",
        "lambda:function-url",
        "cloudfront:distribution",
    ),
}
_GROUP = "logs:log-group"
_LOG_GROUPS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("lambda:function", r"/aws/lambda/(?:[a-z]{2}-[a-z-]+-\d\.)?(?P<name>[\w-]+)"),
        ("rds:db", r"/aws/rds/instance/(?P<name>[\w-]+)(?:/\w+)?"),
        ("rds:cluster", r"/aws/(?:rds|docdb|neptune)/(?:cluster/)?(?P<name>[\w-]+)(?:/\w+)?"),
        ("ecs:cluster", r"/aws/ecs/containerinsights/(?P<name>[\w-]+)/\w+"),
        ("eks:cluster", r"/aws/(?:eks|containerinsights)/(?P<name>[\w-]+)/\w+"),
        ("states:stateMachine", r"/aws/(?:vendedlogs/)?states/(?P<name>[\w-]+)"),
        ("codebuild:project", r"/aws/codebuild/(?P<name>[\w-]+)"),
        ("apigateway:api", r"API-Gateway-Execution-Logs_(?P<name>[a-z0-9]{4,16}(?:/[\w-]+)?)"),
        (_GROUP, r"(?P<name>/(?:aws|ecs)/[\w./#-]+)"),
    )
)
MOST = 512  # characters of a name that is looked at


def match_host(value: str) -> tuple[str, str, bool] | None:
    """Return type and name of the resource behind a host or URL, and whether people chose the name; None if none."""
    if len(value) > MOST:
        return None
    bare = value.rpartition("://")[2].rpartition("@")[2]
    for kind, pattern in _HOST_PATTERNS:
        match = pattern.match(bare)
        if match:
            return kind, match["name"], kind not in _DRAWN
    return None


def match_log_group(value: str) -> tuple[str, str, bool] | None:
    """Return what writes to a log group, by AWS's names for log groups, and whether people chose the name."""
    if len(value) > MOST:
        return None
    for kind, pattern in _LOG_GROUPS:
        match = pattern.fullmatch(value)
        if match:
            return kind, match["name"], kind not in _DRAWN
    return None
