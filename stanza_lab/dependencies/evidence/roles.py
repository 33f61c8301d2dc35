"""Roles: what kind of thing a node is, by its name and by the resources its alerts are about.

A rule, not a fit. ``edge`` is where requests come in, ``service`` computes, ``store``, ``queue`` and ``managed`` only
answer: they call no one. What nothing tells has no role; nor has a load balancer, which may stand before the edge or
between any two services.
"""

from __future__ import annotations

import re

from stanza_lab.entities import naming
from stanza_lab.entities.extraction import hosts
from stanza_lab.entities.extraction.arns import parse_arn

ROLES = ("edge", "managed", "queue", "service", "store")
PASSIVE = frozenset(("managed", "queue", "store"))


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# The last word of a name says what the thing is: orders-db, cache-warmer, api-gateway.
_LAST_WORDS: dict[str, frozenset[str]] = {
    "store": _words(
        """db database dbs cache caches table tables bucket datastore warehouse rds aurora postgres postgresql pgsql
        mysql mariadb mssql sqlserver oracle mongo mongodb redis valkey memcache memcached dynamodb
        dynamo cassandra scylla cockroachdb clickhouse elasticsearch opensearch solr etcd redshift
        bigquery bigtable firestore neo4j influxdb timescaledb minio s3 efs elasticache docdb documentdb
        neptune couchbase couchdb zookeeper"""
    ),
    "queue": _words(
        """queue queues dlq sqs sns topic topics kafka msk rabbitmq activemq rabbit broker kinesis eventbridge pubsub
        pulsar nats eventbus firehose"""
    ),
    "edge": _words(
        """web www ui frontend frontends portal gateway ingress cdn edge website
        webapp webui spa storefront console ios android mobile browser synthetic synthetics cloudfront bff homepage"""
    ),
    "service": _words(
        """api apis service services svc worker workers consumer producer scheduler cron cronjob job jobs indexer lambda
        function backend server processor exporter export importer sync syncer daemon proxy agent operator controller
        handler engine client warmer loader publisher subscriber migrator updater"""
    ),
}
# Products that also stand first: redis-cart, mongodb-users; then the last word must not be one of a service.
_PRODUCTS = _words(
    """postgres postgresql pgsql mysql mariadb mongo mongodb redis memcached dynamodb cassandra elasticsearch opensearch
    kafka rabbitmq etcd s3 sqs sns kinesis"""
)
_ROLE_OF_WORD = {word: role for role, words in _LAST_WORDS.items() for word in words}
# Behind the word that counts: which one of several it is.
_NUMBERING = _words(
    """primary replica master slave main standby writer reader ro rw cluster shard node instance read write new old v1
    v2 v3 blue green a b c internal external public private eu us ap east west north south"""
)
KIND_WORDS = frozenset(_ROLE_OF_WORD) | _NUMBERING

# Systems of AWS, as in ARNs, CloudWatch namespaces (AWS/RDS) and types (AWS::RDS::DBInstance), in lower case.
_ROLE_OF_SYSTEM: dict[str, str] = {
    **dict.fromkeys(
        _words(
            """rds dynamodb elasticache s3 redshift redshift-serverless docdb neptune memorydb dax es opensearch aoss
            fsx elasticfilesystem efs timestream cassandra docdb-elastic opensearchservice"""
        ),
        "store",
    ),
    **dict.fromkeys(
        _words("sqs sns kinesis kafka firehose events mq amazonmq eventbridge kinesisvideo pipes kafkaconnect"), "queue"
    ),
    **dict.fromkeys(
        _words(
            """cloudfront apigateway execute-api synthetics cloudwatchsynthetics globalaccelerator wafv2 waf appsync"""
        ),
        "edge",
    ),
    **dict.fromkeys(
        _words(
            """lambda ecs eks ec2 apprunner batch glue states elasticbeanstalk autoscaling k8s containerinsights
            kinesisanalytics airflow codebuild"""
        ),
        "service",
    ),
    **dict.fromkeys(
        _words(
            """kms secretsmanager ses cognito-idp cognito sagemaker bedrock ssm route53 athena connect transfer lex
            rekognition translate textract comprehend polly storagegateway backup network-firewall
            directconnect pinpoint"""
        ),
        "managed",
    ),
}
_TYPED = re.compile(r"(?:^|[^A-Za-z])AWS::(?P<system>[A-Za-z0-9]{1,40})")
_WORD = re.compile(r"[a-z]+\d?(?=[^a-z0-9]|$)|[a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OWN_ENDS = _words("internal local lan corp intranet private home consul localdomain svc test example invalid")


def role_of_name(name: str) -> str | None:
    """Return the role that a node's name tells, or None.

    Examples
    --------
    >>> from stanza_lab.dependencies.evidence.roles import role_of_name
    >>> [role_of_name(name) for name in ("orders-db-primary", "cache-warmer", "redis-cart", "api.stripe.com", "orders")]
    ['store', 'service', 'store', 'managed', None]
    """
    name = name[:512]
    resource = parse_arn(name) if name.startswith("arn:") else None
    if resource:
        return role_of_type(resource.type)
    typed = _TYPED.search(name)
    if typed:
        return role_of_system(typed["system"])
    if ".amazonaws.com" in name:
        return role_of_aws_host(name)
    if hosts.is_host(name):
        last = name.rstrip(".").rpartition(".")[2].lower()
        return "managed" if last not in _OWN_ENDS else role_of_name(name.partition(".")[0])
    words = [word for word in _WORD.findall(_CAMEL.sub("-", name).lower()) if not word.isdecimal()]
    while len(words) > 1 and (words[-1] in _NUMBERING or words[-1] in naming.ENVIRONMENTS):
        words.pop()
    if not words:
        return None
    role = _ROLE_OF_WORD.get(words[-1]) or _joined(words[-1])
    first = next((word for word in words if word not in naming.ENVIRONMENTS), words[-1])
    return _ROLE_OF_WORD[first] if role is None and first in _PRODUCTS else role


def role_of_aws_host(host: str) -> str | None:
    """Return the role of what an AWS host name or queue URL stands for: orders.abc.eu-west-1.rds.amazonaws.com."""
    labels = re.split(r"[./@:]+", host.lower().partition(".amazonaws.com")[0])
    return next((role for role in map(_ROLE_OF_SYSTEM.get, reversed(labels)) if role), None)


def role_of_type(kind: str) -> str | None:
    """Return the role of a resource's type: rds:db, ecs:service, synthetics:canary; a host may be anything."""
    return _ROLE_OF_SYSTEM.get(kind.partition(":")[0])


def role_of_system(system: str) -> str | None:
    """Return the role of a system of AWS: RDS, ApplicationELB."""
    return _ROLE_OF_SYSTEM.get(system.lower())


def _joined(word: str) -> str | None:
    """Return the role of a name written as one word: cartservice, ordersdb."""
    longest = sorted((known for known in _ROLE_OF_WORD if len(known) > 3 and word.endswith(known)), key=len)
    if longest and len(word) > len(longest[-1]) + 1:
        return _ROLE_OF_WORD[longest[-1]]
    return "store" if word.endswith("db") and len(word) > 4 else None
