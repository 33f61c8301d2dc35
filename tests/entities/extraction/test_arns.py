"""ARNs, ids and AWS host names -> resources; the cases follow formats/entities.md."""

from __future__ import annotations

import time

import pytest

from stanza_lab.entities.extraction.arns import (
    affected,
    find_arns,
    find_hosts,
    find_ids,
    parse_arn,
    read_host,
    read_value,
)

BASE = "arn:aws:{}:eu-west-1:123456789012:{}"
ARNS = [
    ("ec2", "instance/i-0abc1234def567890", "ec2:instance", "i-0abc1234def567890"),
    ("ec2", "volume/vol-0abc1234def567890", "ec2:volume", "vol-0abc1234def567890"),
    ("elasticloadbalancing", "loadbalancer/app/web/50dc6c495c0c9188", "elasticloadbalancing:loadbalancer", "web"),
    ("elasticloadbalancing", "loadbalancer/net/web/50dc6c495c0c9188", "elasticloadbalancing:loadbalancer", "web"),
    ("elasticloadbalancing", "loadbalancer/classic", "elasticloadbalancing:loadbalancer", "classic"),
    ("elasticloadbalancing", "targetgroup/pay/50dc6c495c0c9188", "elasticloadbalancing:targetgroup", "pay"),
    (
        "elasticloadbalancing",
        "listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2",
        "elasticloadbalancing:listener",
        "web",
    ),
    ("rds", "db:orders-db", "rds:db", "orders-db"),
    ("rds", "cluster:orders", "rds:cluster", "orders"),
    ("lambda", "function:resize", "lambda:function", "resize"),
    ("lambda", "function:resize:$LATEST", "lambda:function", "resize"),
    ("sqs", "jobs.fifo", "sqs:queue", "jobs.fifo"),
    ("sns", "pages:6b0e71bd-7e97-4d97-80ce-4a0994e55286", "sns:topic", "pages"),
    ("ecs", "service/prod/checkout", "ecs:service", "prod/checkout"),
    ("ecs", "service/checkout", "ecs:service", "checkout"),
    ("ecs", "cluster/prod", "ecs:cluster", "prod"),
    ("ecs", "task-definition/checkout:7", "ecs:task-definition", "checkout"),
    ("eks", "nodegroup/prod/blue/0a0a0a0a-0000-0000-0000-0a0a0a0a0a0a", "eks:cluster", "prod"),
    ("dynamodb", "table/orders/index/by-date", "dynamodb:table", "orders"),
    ("dynamodb", "table/orders/stream/2026-01-01T00:00:00.000", "dynamodb:table", "orders"),
    ("elasticache", "cluster:sessions-001", "elasticache:cluster", "sessions-001"),
    ("kinesis", "stream/clicks", "kinesis:stream", "clicks"),
    ("kafka", "cluster/bus/0a0a0a0a-0000-0000-0000-0a0a0a0a0a0a-1", "kafka:cluster", "bus"),
    ("kafka", "topic/bus/0a0a0a0a-0000-0000-0000-0a0a0a0a0a0a-1/orders", "kafka:topic", "orders"),
    ("states", "stateMachine:refund", "states:stateMachine", "refund"),
    ("states", "execution:refund:run-1", "states:stateMachine", "refund"),
    ("execute-api", "a1b2c3d4e5/prod/GET/pets", "execute-api:api", "a1b2c3d4e5/prod"),
    ("logs", "log-group:/aws/lambda/resize:*", "logs:log-group", "/aws/lambda/resize"),
    ("secretsmanager", "secret:db-pass-AbCdEf", "secretsmanager:secret", "db-pass"),
    ("cloudwatch", "alarm:High CPU on web: prod", "cloudwatch:alarm", "High CPU on web: prod"),
    ("events", "rule/shop/nightly", "events:rule", "nightly"),
    (
        "autoscaling",
        "autoScalingGroup:0a0a0a0a-0000-0000-0000-0a0a0a0a0a0a:autoScalingGroupName/web",
        "autoscaling:autoScalingGroup",
        "web",
    ),
    ("elasticache", "replicationgroup:sessions", "elasticache:replicationgroup", "sessions"),
    ("firehose", "deliverystream/clicks", "firehose:deliverystream", "clicks"),
    ("apigateway", "/apis/a1b2c3/stages/prod", "apigateway:api", "a1b2c3/prod"),
    (
        "ecs",
        "container-instance/prod/0123456789abcdef0123456789abcdef",
        "ecs:container-instance",
        "prod/0123456789abcdef0123456789abcdef",
    ),
    ("brandnew", "thing/x/y", "brandnew:thing", "x/y"),
    ("brandnew", "thing", "brandnew", "thing"),
]


@pytest.mark.parametrize(("system", "rest", "kind", "name"), ARNS)
def test_arn_gives_type_and_short_name(system, rest, kind, name):
    arn = BASE.format(system, rest)
    assert parse_arn(arn)[:3] == (kind, name, arn)


def test_arns_without_region_or_account_and_of_other_partitions():
    assert parse_arn("arn:aws:s3:::invoices/2026/a.pdf")[:2] == ("s3:bucket", "invoices")
    assert parse_arn("arn:aws:apigateway:eu-west-1::/restapis/a1b2c3/stages/prod")[:2] == (
        "apigateway:api",
        "a1b2c3/prod",
    )
    assert parse_arn("arn:aws-us-gov:sqs:us-gov-west-1:123456789012:jobs").name == "jobs"
    assert parse_arn("arn:aws:sqs:us-east-1:1234567890:jobs").name == "jobs"  # sample accounts have ten digits


@pytest.mark.parametrize("text", ["", "arn:", "arn:aws:s3", "arn:aws:s3:::", "checkout", "arn:gcp:x:y:z:w"])
def test_what_is_no_arn(text):
    assert parse_arn(text) is None


def test_ids_never_name_a_service_and_alarms_are_not_affected():
    assert not parse_arn(BASE.format("ec2", "instance/i-0abc1234def567890")).named
    assert parse_arn(BASE.format("rds", "db:orders")).named
    assert not affected(parse_arn(BASE.format("cloudwatch", "alarm:x")))
    assert not affected(parse_arn("arn:aws:iam::123456789012:role/deploy"))
    assert affected(parse_arn(BASE.format("rds", "db:orders")))


def test_arns_in_text_end_where_prose_goes_on():
    text = "see (arn:aws:sqs:eu-west-1:123456789012:jobs), 'arn:aws:rds:eu-west-1:123456789012:db:orders'. done"
    spans = [(text[start:end], resource.name) for start, end, resource in find_arns(text)]
    assert spans == [
        ("arn:aws:sqs:eu-west-1:123456789012:jobs", "jobs"),
        ("arn:aws:rds:eu-west-1:123456789012:db:orders", "orders"),
    ]


def test_ids_in_text():
    text = "i-0abc1234def567890 and (vol-0abc1234) but not xi-0abc1234, i-0abc1234-b, i-0abc123 or i-0ABC1234"
    assert [text[start:end] for start, end, _ in find_ids(text)] == ["i-0abc1234def567890", "vol-0abc1234"]


HOSTS = [
    ("orders.c9akciq32.us-east-1.rds.amazonaws.com", "rds:db", "orders"),
    ("orders.cluster-ro-c9akciq32.us-east-1.rds.amazonaws.com", "rds:cluster", "orders"),
    ("internal-web-123456789.us-east-1.elb.amazonaws.com", "elasticloadbalancing:loadbalancer", "web"),
    ("dualstack.web-123456789.us-east-1.elb.amazonaws.com", "elasticloadbalancing:loadbalancer", "web"),
    ("net-0123456789abcdef.elb.eu-west-1.amazonaws.com", "elasticloadbalancing:loadbalancer", "net"),
    ("https://sqs.eu-west-1.amazonaws.com/123456789012/jobs", "sqs:queue", "jobs"),
    ("invoices.s3.eu-west-1.amazonaws.com", "s3:bucket", "invoices"),
    ("invoices.s3.amazonaws.com", "s3:bucket", "invoices"),
    ("master.sessions.abc123.use1.cache.amazonaws.com", "elasticache:cluster", "sessions"),
    ("orders.proxy-abc123.eu-west-1.rds.amazonaws.com", "rds:db-proxy", "orders"),
    ("clustercfg.cart.abc123.memorydb.eu-west-1.amazonaws.com", "memorydb:cluster", "cart"),
    ("dw.abc123.eu-west-1.redshift.amazonaws.com", "redshift:cluster", "dw"),
    ("a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", "apigateway:api", "a1b2c3d4e5"),
    (
        "0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
        "eks:cluster",
        "0123456789ABCDEF0123456789ABCDEF",
    ),
    ("b-1.bus.abc123.c2.kafka.us-east-1.amazonaws.com", "kafka:cluster", "bus"),
]


@pytest.mark.parametrize(("host", "kind", "name"), HOSTS)
def test_aws_host_names_carry_a_resource(host, kind, name):
    assert read_host(host)[:2] == (kind, name)
    text = f"no answer from {host}: timeout"
    assert [(text[s:e], r.name) for s, e, r in find_hosts(text)] == [(host, name)]


@pytest.mark.parametrize(
    "host", ["app.datadoghq.com", "console.aws.amazon.com", "sts.amazonaws.com", "web-1", "10.0.0.1"]
)
def test_other_hosts_carry_none(host):
    assert read_value(host) is None


@pytest.mark.parametrize(
    "bomb",
    [
        "arn:aws:" * 40_000,
        "arn:aws:s3:::" + "a:" * 100_000,
        "a" * 300_000 + ".amazonaws.com",
        "a." * 150_000 + "amazonaws.com",
        "i-" * 150_000,
        "i-0abc1234" * 30_000,
    ],
)
def test_long_texts_take_linear_time(bomb):
    began = time.process_time()
    for find in (find_arns, find_hosts, find_ids):
        list(find(bomb))
    read_value(bomb)
    assert time.process_time() - began < 3
