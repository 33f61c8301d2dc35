"""CloudWatch dimension sets -> resources."""

from __future__ import annotations

import pytest

from stanza_lab.entities.extraction.dimensions import is_dimension, read_dimensions

SETS = [
    ({"InstanceId": "i-0abc1234def567890"}, "ec2:instance", "i-0abc1234def567890"),
    ({"AutoScalingGroupName": "web-asg"}, "autoscaling:autoScalingGroup", "web-asg"),
    ({"LoadBalancer": "app/web/50dc6c495c0c9188"}, "elasticloadbalancing:loadbalancer", "web"),
    ({"LoadBalancerName": "classic", "AvailabilityZone": "eu-west-1a"}, "elasticloadbalancing:loadbalancer", "classic"),
    (
        {"LoadBalancer": "app/web/50dc6c495c0c9188", "TargetGroup": "targetgroup/pay/6d0ecf831eec9f09"},
        "elasticloadbalancing:targetgroup",
        "pay",
    ),
    ({"DBInstanceIdentifier": "orders-db"}, "rds:db", "orders-db"),
    ({"DBClusterIdentifier": "orders", "Role": "WRITER"}, "rds:cluster", "orders"),
    ({"CacheClusterId": "sessions-001", "CacheNodeId": "0001"}, "elasticache:cluster", "sessions-001"),
    ({"ReplicationGroupId": "sessions"}, "elasticache:replicationgroup", "sessions"),
    ({"FunctionName": "resize", "Resource": "resize:live"}, "lambda:function", "resize"),
    ({"QueueName": "jobs"}, "sqs:queue", "jobs"),
    ({"TopicName": "events"}, "sns:topic", "events"),
    ({"TableName": "orders", "GlobalSecondaryIndexName": "by-date"}, "dynamodb:table", "orders"),
    ({"StreamName": "clicks"}, "kinesis:stream", "clicks"),
    ({"DeliveryStreamName": "clicks"}, "firehose:deliverystream", "clicks"),
    ({"ClusterName": "prod", "ServiceName": "checkout"}, "ecs:service", "prod/checkout"),
    ({"ClusterName": "prod"}, "ecs:cluster", "prod"),
    ({"ClusterName": "prod", "Namespace": "shop", "PodName": "checkout"}, "k8s:workload", "checkout"),
    ({"ClusterName": "prod", "Namespace": "shop", "Service": "checkout"}, "k8s:service", "checkout"),
    ({"ApiName": "pets", "Stage": "prod"}, "apigateway:api", "pets"),
    ({"StateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:refund"}, "states:stateMachine", "refund"),
    ({"Cluster Name": "bus", "Broker ID": "1"}, "kafka:cluster", "bus"),
    ({"Cluster Name": "bus", "Topic": "orders", "Consumer Group": "g"}, "kafka:topic", "orders"),
    ({"DomainName": "search", "ClientId": "123456789012"}, "es:domain", "search"),
    ({"BucketName": "invoices", "StorageType": "StandardStorage"}, "s3:bucket", "invoices"),
    ({"RuleName": "nightly"}, "events:rule", "nightly"),
    ({"ServiceName": "PetSite", "ServiceType": "service"}, "service", "PetSite"),
    (
        {"ClusterName": "p", "Namespace": "s", "FullPodName": "checkout-7d9f8b6c5d-x2x4k"},
        "pod",
        "checkout-7d9f8b6c5d-x2x4k",
    ),
    (
        {"ClusterName": "p", "NodeName": "ip-10-1-2-3.ec2.internal", "InstanceId": "i-0"},
        "host",
        "ip-10-1-2-3.ec2.internal",
    ),
    ({"VolumeId": "vol-0abc1234"}, "ec2:volume", "vol-0abc1234"),
    ({"FileSystemId": "fs-0abc1234"}, "elasticfilesystem:file-system", "fs-0abc1234"),
    ({"ClusterIdentifier": "dw", "NodeID": "Leader"}, "redshift:cluster", "dw"),
    ({"EventBusName": "shop", "RuleName": "nightly"}, "events:rule", "nightly"),
    ({"LogGroupName": "/aws/lambda/resize"}, "lambda:function", "resize"),
    ({"LambdaFunctionArn": "arn:aws:lambda:eu-west-1:1:function:resize:live"}, "lambda:function", "resize"),
]


@pytest.mark.parametrize(("dimensions", "kind", "name"), SETS)
def test_usual_sets_name_a_node(dimensions, kind, name):
    assert read_dimensions(dimensions)[0][1][:2] == (kind, name)
    lowered = {key.lower(): value for key, value in dimensions.items()}  # as Datadog tags
    assert read_dimensions(lowered)[0][1][:2] == (kind, name)


@pytest.mark.parametrize("dimensions", [{}, {"AvailabilityZone": "a"}, {"path": "/", "fstype": "xfs"}, {"Topic": "x"}])
def test_sets_that_name_no_resource(dimensions):
    assert read_dimensions(dimensions) == []


def test_arn_is_built_from_account_and_region():
    found = read_dimensions({"LoadBalancer": "app/web/50dc6c495c0c9188"}, region="eu-west-1", account="123456789012")
    assert found[0][1].arn == (
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
    )
    assert read_dimensions({"QueueName": "jobs"}, region="eu-west-1")[0][1].arn is None
    china = read_dimensions({"QueueName": "jobs"}, region="cn-north-1", account="123456789012")
    assert china[0][1].arn == "arn:aws-cn:sqs:cn-north-1:123456789012:jobs"


def test_namespace_tells_eks_from_ecs():
    assert read_dimensions({"ClusterName": "prod"}, namespace="ContainerInsights")[0][1].type == "eks:cluster"


@pytest.mark.parametrize(
    ("namespace", "dimensions", "kind"),
    [
        ("AWS/AmazonMQ", {"Broker": "bus", "Queue": "jobs"}, "mq:broker"),
        ("AWS/MemoryDB", {"ClusterName": "cache", "NodeName": "cache-1"}, "memorydb:cluster"),
        ("Glue", {"JobName": "load", "JobRunId": "ALL", "Type": "gauge"}, "glue:job"),
        ("AWS/CodeBuild", {"ProjectName": "build"}, "codebuild:project"),
        ("AWS/AppRunner", {"ServiceName": "web", "ServiceID": "0"}, "apprunner:service"),
        ("ApplicationSignals", {"Service": "web", "Operation": "GET /"}, "service"),
        ("CWAgent", {"host": "web-1", "path": "/"}, "host"),
        ("AWS/ES", {"DomainName": "search"}, "es:domain"),
        ("Custom", {"JobName": "load"}, None),
        ("AWS/Usage", {"Service": "EC2", "Resource": "vCPU", "FunctionName": "x"}, None),
    ],
)
def test_names_that_many_share_count_in_their_namespace(namespace, dimensions, kind):
    found = read_dimensions(dimensions, namespace=namespace)
    assert (found[0][1].type if found else None) == kind


def test_common_tag_names_are_no_dimensions():
    assert is_dimension("dbinstanceidentifier")
    assert is_dimension("instance_id")
    assert not is_dimension("service")
    assert not is_dimension("availability-zone")
