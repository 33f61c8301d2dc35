"""Services, environments, teams and resources of whole tables."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import EntityResolver, read_ownership, resolve_entities, schema
from stanza_lab.errors import SchemaError


def resolved(rows, column="service", **kwargs):
    """Resolve rows given as dicts (labels as objects) and return one column, null as None."""
    rows = [{**row, "labels": json.dumps(row["labels"]) if "labels" in row else None} for row in rows]
    columns = dict.fromkeys(key for row in rows for key in row)
    alerts = resolve_entities(pd.DataFrame({c: pd.Series([r.get(c) for r in rows]) for c in columns}), **kwargs)
    return alerts[column].astype(object).where(alerts[column].notna(), None).tolist()


def dimensions(**values):
    return {"labels": {"dimensions": values}}


CATALOG = pd.DataFrame({"service": ["orders-db", "checkout-web"], "team": ["orders", "shop"]})


@pytest.mark.parametrize(
    ("rows", "services"),
    [
        # what stands there, cleaned
        ([{"service": "checkout"}], ["checkout"]),
        ([{"service": "undefined"}, {"service": "{{service}}"}, {"service": None}], [None, None, None]),
        # labels, the most telling key first
        ([{"labels": {"tags": ["kube_deployment:a", "service:b"]}}], ["b"]),
        ([dimensions(FunctionName="resize")], ["resize"]),
        ([dimensions(ServiceName="PetSite", ServiceType="service")], ["PetSite"]),
        ([dimensions(InstanceId="i-0abc1234def567890")], [None]),
        # one spelling for one name
        ([{"service": "Checkout"}, {"service": "checkout"}, {"service": "checkout"}], ["checkout"] * 3),
        ([{"service": "prod-orders-db"}, {"service": "orders-db"}], ["orders-db"] * 2),
        ([{"service": "orders-5c66d57d58-6mp2b"}, {"service": "orders"}], ["orders"] * 2),
        # without evidence names stay apart
        ([{"service": "prod-orders-db"}], ["prod-orders-db"]),
        ([{"service": "orders-db"}, {"service": "orders-api"}], ["orders-db", "orders-api"]),
        ([{"service": "staging-orders"}, {"service": "orders"}], ["staging-orders", "orders"]),
        ([{"service": "gateway-https"}, {"service": "gateway"}], ["gateway-https", "gateway"]),
        ([{"service": "web-1"}, {"service": "web"}], ["web-1", "web"]),
        # an ECS service loses its cluster where it runs in one and is seen without
        ([dimensions(ClusterName="main", ServiceName="web-api"), {"service": "web-api"}], ["web-api"] * 2),
        ([dimensions(ClusterName="main", ServiceName="web-api")], ["main/web-api"]),
        (
            [*(dimensions(ClusterName=c, ServiceName="web-api") for c in ("prod", "staging")), {"service": "web-api"}],
            ["web-api", "staging/web-api", "web-api"],
        ),
        # text, last
        ([{"summary": "slow {service:a-b,env:prod}"}], ["a-b"]),
        ([{"alertname": "app/PetSite [service] Low"}, dimensions(ServiceName="PetSite")], ["PetSite"] * 2),
        ([{"alertname": "orders-db to web-api"}, {"service": "orders-db"}, {"service": "web-api"}],
         [None, "orders-db", "web-api"]),
        ([{"alertname": "orders-db-v2 slow"}, {"service": "orders-db"}], [None, "orders-db"]),
        ([{"summary": "StateException: nobody answers at orders-db"}, {"service": "orders-db"}], [None, "orders-db"]),
        ([{"resources": ["orders-5c66d57d58-6mp2b"]}, {"service": "orders"}], ["orders"] * 2),
        ([{"resources": ["orders-5c66d57d58-6mp2b"]}], [None]),
    ],
)  # fmt: skip
def test_service(rows, services):
    assert resolved(rows) == services


def test_catalogue_names_services():
    rows = [
        {"service": "prod-orders-db"},
        {"service": "Orders_DB"},
        {"service": "web-checkout"},
        {"alertname": "prod-orders-db-cpu-high"},
    ]
    assert resolved(rows, catalog=CATALOG) == ["orders-db", "orders-db", "checkout-web", "orders-db"]
    assert resolved(rows, "team", catalog=CATALOG) == ["orders", "orders", "shop", "orders"]


def test_aws_names_keep_their_case():
    rows = [{"service": name, "source": "cloudwatch"} for name in ("Fn-search", "fn-search")]
    assert resolved(rows) == ["Fn-search", "fn-search"]
    rows = [{"service": "PetSite", "source": "cloudwatch"}] + [{"service": "petsite", "source": "datadog"}] * 3
    assert resolved(rows) == ["PetSite"] * 4


@pytest.mark.parametrize(
    ("rows", "environments"),
    [
        ([{"environment": "prod"}, {"environment": "PRD"}, {"environment": "production"}], ["production"] * 3),
        ([{"environment": "stg"}, {"environment": "trainticket"}, {"environment": "<no value>"}],
         ["staging", "trainticket", None]),
        ([{"labels": {"tags": ["env:dev"]}}], ["development"]),
        ([{"service": "prod-orders-db"}, {"service": "orders-db"}], ["production", None]),
        ([{"alertname": "staging-checkout-5xx"}], ["staging"]),
        ([{"summary": "slow {service:a,env:prod}"}], ["production"]),
    ],
)  # fmt: skip
def test_environment(rows, environments):
    assert resolved(rows, "environment") == environments


@pytest.mark.parametrize(
    ("rows", "teams"),
    [
        ([{"team": "payments"}, {"labels": {"tags": ["team:Payments"]}}, {"team": "payments"}], ["payments"] * 3),
        ([{"team": "@slack-payments"}, {"labels": {"owner": "jane@example.com"}}], [None, None]),
        ([{"service": "orders-db"}, {"service": "orders-db", "team": "sre"}], [None, "sre"]),
    ],
)
def test_team(rows, teams):
    assert resolved(rows, "team") == teams


def test_resources_are_united_and_cleaned():
    arn = "arn:aws:rds:eu-west-1:123456789012:db:orders-db"
    rows = [
        {"resources": ["web-1", "{{host}}", ""], "summary": "on i-0abc1234def567890"},
        {"resources": ["orders-db"], "labels": {
            "dimensions": {"DBInstanceIdentifier": "orders-db"}, "region": "eu-west-1", "account": "123456789012"}},
        {"resources": [], "summary": "told arn:aws:sns:eu-west-1:123456789012:pages"},
    ]  # fmt: skip
    assert resolved(rows, "resources") == [["web-1", "i-0abc1234def567890"], [arn], []]


def test_argument_index_and_other_columns_stay():
    alerts = pd.DataFrame({"service": ["Orders", None], "extra": [1, 2]}, index=[7, 3])
    before = alerts.copy()
    after = resolve_entities(alerts)
    pd.testing.assert_frame_equal(alerts, before)
    assert after.index.tolist() == [7, 3]
    assert after["extra"].tolist() == [1, 2]
    assert {after[name].dtype.name for name in ("service", "environment", "team")} == {"category"}


def test_empty_table():
    alerts = resolve_entities(schema.empty(schema.ALERTS))
    assert alerts.empty
    schema.check(alerts, schema.ALERTS)


def test_catalogue_without_service_is_refused():
    with pytest.raises(SchemaError, match="catalog: column 'service' is missing"):
        resolve_entities(pd.DataFrame({"service": ["a"]}), catalog=pd.DataFrame({"name": ["a"]}))


def test_catalogue_may_be_a_file(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("name,owner\norders-db,orders\n")
    alerts = pd.DataFrame({"service": ["orders-db"]})
    expected = resolve_entities(alerts, catalog=read_ownership(path))
    pd.testing.assert_frame_equal(resolve_entities(alerts, catalog=str(path)), expected)
    assert expected["team"].tolist() == ["orders"]


NAMES = st.sampled_from(
    ["orders", "Orders", "orders-db", "orders_db", "prod-orders", "prod-orders-db", "orders-prod", "staging-orders",
     "web-checkout", "checkout-web", "Checkout_Web", "orders-5c66d57d58-6mp2b", "prd-orders-5c66d57d58-6mp2b",
     "main/orders", "undefined"]
)  # fmt: skip
ARN = "arn:aws:rds:eu-west-1:123456789012:db:"
TEXT = st.lists(st.one_of(NAMES, NAMES.map("service:{}".format), NAMES.map((ARN + "{}").format)), max_size=3).map(
    " ".join
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["cloudwatch", "datadog"]),
            "service": st.none() | NAMES,
            "environment": st.sampled_from([None, "prod", "staging"]),
            "team": st.sampled_from([None, "shop", "team-shop", "Shop"]),
            "resources": st.lists(NAMES | NAMES.map((ARN + "{}").format), max_size=2),
            "alertname": TEXT,
            "summary": TEXT,
            "labels": st.none()
            | st.builds(lambda name: json.dumps({"tags": [f"service:{name}"]}), NAMES)
            | st.builds(lambda name: json.dumps({"dimensions": {"ClusterName": "main", "ServiceName": name}}), NAMES)
            | st.builds(
                lambda name: json.dumps(
                    {"dimensions": {"DBInstanceIdentifier": name}, "region": "eu-west-1", "account": "123456789012"}
                ),
                NAMES,
            ),
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=100)
@given(ROWS, st.booleans())
def test_rules_of_spelling_are_the_same_twice_and_row_order_does_not_matter(rows, catalogued):
    catalog = CATALOG if catalogued else None
    alerts = pd.DataFrame(rows)
    by_rule = EntityResolver(catalog=catalog, min_confidence=1)
    ruled = by_rule.fit_transform(alerts)
    pd.testing.assert_frame_equal(by_rule.fit_transform(ruled), ruled)
    once = resolve_entities(alerts, catalog=catalog)
    backwards = resolve_entities(alerts[::-1], catalog=catalog)[::-1]
    pd.testing.assert_frame_equal(backwards, once)


@pytest.mark.shared
def test_petshop_services_come_from_dimensions(shared):
    truth = pd.read_csv(shared / "data" / "petshop_low" / "truth" / "services.csv")["service"].unique()
    records = (shared / "data" / "petshop_low" / "alerts" / "cloudwatch_eventbridge.ndjson").read_text().splitlines()
    metrics = [json.loads(r)["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"] for r in records]
    alerts = pd.DataFrame(
        {"source": "cloudwatch", "labels": [json.dumps({"dimensions": m["dimensions"]}) for m in metrics]}
    )
    services = resolve_entities(alerts)["service"]
    assert services.tolist() == [m["dimensions"]["ServiceName"] for m in metrics]
    assert set(services) <= set(truth)
