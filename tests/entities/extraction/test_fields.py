"""Readings of single values: fields, labels, text."""

from __future__ import annotations

import json
import time

import pytest

from stanza_lab.entities.extraction.fields import (
    CONFIDENCE,
    read_field,
    read_labels,
    read_resource,
    read_text,
    read_trace,
)


def said(readings):
    return [(r.kind, r.name, r.method) for r in readings]


def test_what_is_stated_counts_more_than_what_is_read_out_of_a_text():
    read = CONFIDENCE["weak-text"], CONFIDENCE["text"], CONFIDENCE["key-value"], CONFIDENCE["dimension"]
    assert 0 < read[0] < read[1] < read[2] < read[3] < CONFIDENCE["field"] < 1


def test_field_is_read_unless_it_is_residue():
    assert said(read_field("team", "payments")) == [("team", "payments", "field")]
    assert read_field("service", "undefined") == []
    assert read_field("team", "jane@example.com") == []


@pytest.mark.parametrize(
    ("value", "readings"),
    [
        ("i-0abc1234def567890", [("resource", "i-0abc1234def567890", "id")]),
        ("web-1", [("resource", "web-1", "field")]),
        ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:High CPU", []),
        ("{{host.name}}", []),
        (
            "arn:aws:rds:eu-west-1:123456789012:db:orders-db",
            [("resource", "orders-db", "arn"), ("service", "orders-db", "arn-name")],
        ),
        (
            "checkout-7f8d7d756d-k7b9j",
            [("resource", "checkout-7f8d7d756d-k7b9j", "field"), ("service", "checkout", "pod")],
        ),
    ],
)
def test_resources_column(value, readings):
    assert said(read_resource(value)) == readings


@pytest.mark.parametrize(
    ("value", "kind", "name"),
    [
        ("/subscriptions/0/resourcegroups/shop/providers/microsoft.compute/virtualmachines/web-1",
         "microsoft.compute:virtualmachines", "web-1"),
        ("projects/shop/zones/europe-west1-b/instances/web-1", "gcp:instances", "web-1"),
        ("//compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/web-1", "compute:instances", "web-1"),
        ("/aws/rds/instance/orders/error", "rds:db", "orders"),
        ("web-1.example.com:9100", "host", "web-1.example.com"),
    ],
)  # fmt: skip
def test_type_of_resources(value, kind, name):
    assert read_resource(value)[0].resource[:2] == (kind, name)


@pytest.mark.parametrize(
    ("value", "trace"),
    [
        ("4BF92F3577B34DA6A3CE929D0E0E4736", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", "1-5759e988-bd862e3fe1be46a994272793"),
        ("1234567890123456789", "1234567890123456789"),
        ("00000000000000000000000000000000", None),
        ("{{trace}}", None),
    ],
)
def test_trace_ids_column(value, trace):
    assert said(read_trace(value)) == ([("trace", trace, "field")] if trace else [])


def test_workload_of_a_bare_value_counts_only_if_seen():
    assert [r.if_seen for r in read_resource("checkout-7f8d7d756d-k7b9j")] == [False, True]


LABELS = [
    (
        {"tags": ["env:prod", "service:checkout", "monitor", "team:payments", "service:undefined"]},
        [("environment", "prod", "tag"), ("service", "checkout", "tag"), ("team", "payments", "tag")],
    ),
    ({"tags": [["service", "checkout"]]}, [("service", "checkout", "tag")]),
    ({"tags": [{"key": "service", "value": "checkout"}]}, [("service", "checkout", "tag")]),
    ({"service": "checkout", "team": "@slack-oncall"}, [("service", "checkout", "tag")]),
    ({"app": "web", "kube_deployment": "checkout"}, [("service", "checkout", "tag"), ("service", "web", "tag")]),
    ({"app": "kube-state-metrics", "deployment": "checkout"}, [("service", "checkout", "tag")]),
    (
        {"pod": "fluent-bit-x7k2p"},
        [("resource", "fluent-bit-x7k2p", "pod"), ("service", "fluent-bit", "pod")],
    ),
    ({"host": "web-1"}, [("resource", "web-1", "field")]),
    ({"dimensions": {"ServiceName": "PetSite", "ServiceType": "service"}}, [("service", "PetSite", "dimension")]),
    (
        {"dimensions": [{"name": "FunctionName", "value": "resize"}]},
        [("resource", "resize", "dimension"), ("service", "resize", "arn-name")],
    ),
    (
        {"tags": ["dbinstanceidentifier:orders-db", "region:eu-west-1"]},
        [("resource", "orders-db", "dimension"), ("service", "orders-db", "arn-name")],
    ),
    ({"dimensions": {"InstanceId": "{{InstanceId}}"}}, []),
    ({"dimensions": {"ApiName": "pets", "Stage": "prod"}}, [
        ("resource", "pets", "dimension"), ("service", "pets", "arn-name"), ("environment", "prod", "dimension"),
    ]),
    ({"alarm_actions": "arn:aws:sns:eu-west-1:123456789012:pages"}, []),
    ({"notify": {"target": "arn:aws:sns:eu-west-1:123456789012:pages"}}, []),
    ({"queue": "arn:aws:sqs:eu-west-1:123456789012:jobs"}, [
        ("resource", "jobs", "arn"), ("service", "jobs", "arn-name"),
    ]),
    # ECS: the cluster says where it runs, not what it is
    ({"dimensions": {"ClusterName": "prod", "ServiceName": "web"}}, [
        ("resource", "prod/web", "dimension"), ("service", "web", "arn-name"),
    ]),
    # a scraper's own pod, address and name
    ({"job": "kube-state-metrics", "instance": "10.2.3.4:8080", "service": "shop-kube-state-metrics",
      "pod": "shop-kube-state-metrics-6f8d9b7c5d-x2x4k", "deployment": "checkout"}, [("service", "checkout", "tag")]),
    ({"exported_pod": "orders-db-0", "pod": "ksm-6f8d9b7c5d-x2x4k"}, [
        ("resource", "orders-db-0", "pod"), ("service", "orders-db", "pod"),
    ]),
    ({"job": "node-exporter", "instance": "10.0.0.5:9100"}, [("resource", "10.0.0.5", "field")]),
    ({"job": "blackbox", "instance": "https://shop.example.com/health"}, [
        ("url", "https://shop.example.com/health", "field"),
    ]),
    # the other kinds
    ({"groups": ["service:a,env:prod"]}, [("service", "a", "tag"), ("environment", "prod", "tag")]),
    ({"escalation_policy": "Payments", "assigned_to": "Jane Doe"}, [("on_call", "Payments", "tag")]),
    ({"assigned_to": "payments-oncall", "on_call": "@slack-x"}, [("on_call", "payments-oncall", "tag")]),
    ({"image": "ghcr.io/acme/x:1", "repo": "https://github.com/acme/x.git"}, [
        ("repository", "acme/x", "tag"), ("image", "ghcr.io/acme/x:1", "tag"),
    ]),
    ({"trace_id": "4BF92F3577B34DA6A3CE929D0E0E4736"}, [("trace", "4bf92f3577b34da6a3ce929d0e0e4736", "tag")]),
    ({"url": "https://shop.example.com/x?y=1", "runbook_url": "https://ops.example.com/rb"}, [
        ("url", "https://shop.example.com/x", "tag"),
    ]),
    ({"peer.service": "payments", "upstream_cluster": "outbound|80||cart.shop.svc.cluster.local"}, [
        ("service", "payments", "callee"), ("service", "cart", "callee"),
    ]),
    ({"log_group": "/aws/lambda/resize"}, [("resource", "resize", "log-group"), ("service", "resize", "arn-name")]),
    ({"host": "web-1:9100", "server": "localhost"}, [("resource", "web-1", "field")]),
    ({"tags": "x", "dimensions": 3, "service": None, "n": 1}, []),
]  # fmt: skip


@pytest.mark.parametrize(("labels", "readings"), LABELS)
def test_labels(labels, readings):
    assert said(read_labels(json.dumps(labels))) == readings


@pytest.mark.parametrize("labels", ["", "no json", "[1]", "null", "{" * 5000])
def test_labels_that_are_no_object_say_nothing(labels):
    assert read_labels(labels) == []


def test_arn_is_built_from_the_envelope():
    labels = {"dimensions": {"QueueName": "jobs"}, "region": "eu-west-1", "account": "123456789012"}
    assert read_labels(json.dumps(labels))[0].resource.arn == "arn:aws:sqs:eu-west-1:123456789012:jobs"


def test_text_with_places():
    text = "p99 of {service:checkout,env:prod} up; i-0abc1234def567890 arn:aws:ec2:eu-west-1:1:instance/i-0abc1234."
    found = [(r.kind, text[r.start : r.end], r.method) for r in read_text(text)]
    assert found == [
        ("service", "checkout", "key-value"),
        ("environment", "prod", "key-value"),
        ("resource", "i-0abc1234def567890", "id"),
        ("resource", "arn:aws:ec2:eu-west-1:1:instance/i-0abc1234", "arn"),
    ]


@pytest.mark.parametrize(
    "text",
    ["@slack-oncall", "by {service}", "Service: unavailable", "service:{{service.name}}", "microservice:x", "service:",
     "told arn:aws:sns:eu-west-1:123456789012:pages", "service:undefined", "team:@payments"],
)  # fmt: skip
def test_text_that_says_nothing(text):
    assert read_text(text) == []


@pytest.mark.parametrize(
    "bomb", ["service:" * 50_000, "arn:aws:sqs:eu-west-1:123456789012:jobs " * 5_000, "env=" + "a." * 200_000]
)
def test_long_texts_take_linear_time(bomb):
    began = time.process_time()
    read_text(bomb)
    assert time.process_time() - began < 3
