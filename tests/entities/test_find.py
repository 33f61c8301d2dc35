"""Entities and mentions."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import find_entities, resolve_entities, schema
from stanza_lab.errors import SchemaError

ARN = "arn:aws:rds:eu-west-1:123456789012:db:orders-db"


@pytest.fixture
def table():
    rows = [
        {"service": "checkout", "summary": "checkout cannot reach prod-orders-db", "starts_at": 5},
        {"service": "orders-db", "resources": [ARN], "starts_at": 9},
        {"service": "Orders-DB", "environment": "prod", "team": "orders"},
        {"labels": json.dumps({"tags": ["service:checkout", "dbinstanceidentifier:orders-db"]}), "starts_at": 7},
    ]
    rows = [{"alert_id": f"a{number}", "incident_id": -1, **row} for number, row in enumerate(rows)]
    return schema.build(rows, schema.ALERTS).drop(columns="incident_id")


def test_entities(table):
    entities, _ = find_entities(table)
    rows = entities.set_index("entity_id")[["name", "aliases"]].T.to_dict("list")
    assert rows == {
        "environment:production": ["production", ["prod"]],
        f"resource:{ARN}": ["orders-db", [ARN]],
        "service:checkout": ["checkout", []],
        "service:orders-db": ["orders-db", ["Orders-DB", "prod-orders-db"]],
        "team:orders": ["orders", []],
    }
    schema.check(entities, schema.ENTITIES)
    seen = entities.set_index("entity_id").loc["service:checkout", ["first_seen", "last_seen"]]
    assert [time.value // 1000 for time in seen] == [5, 7]


def test_mentions(table):
    _, mentions = find_entities(table)
    schema.check(mentions, schema.MENTIONS)
    rows = mentions[["alert_id", "entity_id", "field", "span", "method"]].astype(object).values.tolist()
    assert rows == [
        ["a0", "service:checkout", "service", [], "field"],
        ["a0", "service:checkout", "summary", [0, 8], "weak-text"],
        ["a0", "service:orders-db", "summary", [22, 36], "callee"],
        ["a1", "service:orders-db", "service", [], "field"],
        ["a1", f"resource:{ARN}", "resources", [], "arn"],
        ["a1", "service:orders-db", "resources", [], "arn-name"],
        ["a2", "service:orders-db", "service", [], "field"],
        ["a2", "environment:production", "environment", [], "field"],
        ["a2", "team:orders", "team", [], "field"],
        ["a3", "service:checkout", "labels.tags", [], "tag"],
        ["a3", f"resource:{ARN}", "labels.tags", [], "dimension"],
        ["a3", "service:orders-db", "labels.tags", [], "arn-name"],
    ]


def test_same_name_in_two_regions_is_two_resources():
    other = ARN.replace("eu-west-1", "us-east-1")
    frame = pd.DataFrame({"alert_id": ["a", "b", "c"], "resources": [[ARN], [other], ["orders-db"]]})
    entities, _ = find_entities(frame)
    resources = entities.loc[entities["kind"] == "resource", "entity_id"].tolist()
    assert resources == [f"resource:{ARN}", f"resource:{other}", "resource:host/orders-db"]


def test_catalogue_gives_the_owner():
    catalog = pd.DataFrame({"service": ["checkout"], "team": ["shop"]})
    frame = pd.DataFrame({"alert_id": ["a"], "summary": ["checkout is slow"]})
    entities, _ = find_entities(frame, catalog=catalog)
    assert entities[["entity_id", "team"]].values.tolist() == [["service:checkout", "shop"]]


def test_a_load_balancer_is_a_service_only_where_nothing_better_names_one():
    labels = json.dumps({"tags": ["service:checkout"], "dimensions": {"LoadBalancerName": "edge"}})
    frame = pd.DataFrame({"alert_id": ["a"], "labels": [labels]})
    entities, _ = find_entities(frame)
    assert entities["entity_id"].tolist() == ["resource:elasticloadbalancing:loadbalancer/edge", "service:checkout"]


def test_resolving_first_finds_the_same_services(table):
    before, _ = find_entities(table)
    after, _ = find_entities(resolve_entities(table))
    services = before["kind"] == "service"
    assert after.loc[after["kind"] == "service", "entity_id"].tolist() == before.loc[services, "entity_id"].tolist()


def test_nothing_to_find():
    for frame in (schema.empty(schema.ALERTS), pd.DataFrame({"alert_id": ["a"]})):
        entities, mentions = find_entities(frame)
        assert entities.columns.tolist() == schema.ENTITIES.names
        assert mentions.columns.tolist() == schema.MENTIONS.names
        assert entities.empty
        assert mentions.empty


def test_alert_id_is_needed():
    with pytest.raises(SchemaError, match="'alert_id' is missing"):
        find_entities(pd.DataFrame({"service": ["a"]}))
