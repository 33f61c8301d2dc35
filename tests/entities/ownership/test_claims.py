"""What each vendor's catalogue says of a service. Payloads follow the vendors' documentation."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab import read_ownership, schema
from stanza_lab.entities.ownership._claims import Entries, repository

BACKSTAGE = """\
# Everything the shop owns
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: all}
spec: {targets: [./*/catalog-info.yaml]}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, profile: {displayName: Payments, email: payments@acme.test}, children: [], members: [jdoe]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: jdoe}
spec: {profile: {displayName: Jane Doe}, memberOf: [payments]}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: Shop}
spec: {owner: team-shop}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: orders-api}
spec: {type: openapi, lifecycle: production, owner: payments, definition: "openapi: 3.0"}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: orders
  annotations: {gitlab.com/project-slug: acme/shop/orders, opsgenie.com/team: Orders night shift}
  tags: [go, "tier:gold"]
spec: {type: service, lifecycle: production, owner: "Group:default/fulfilment", system: shop}
---
apiVersion: backstage.io/v1beta1
kind: Component
metadata:
  name: web
  annotations: {backstage.io/source-location: "url:https://x:token@git.acme.test/shop/web/-/tree/main/", tier: 3}
spec: {type: website, lifecycle: experimental, owner: "user:default/jdoe"}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: search, tags: [tier-1]}
spec: {type: service, lifecycle: production, system: "system:default/shop"}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: mail}
spec: {type: service, owner: jane@acme.test}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: "${{ values.name }}"}
spec: {type: service, owner: x}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: logging}
spec: {type: library, owner: platform}
"""
DATADOG_V1 = """\
schema-version: v1
info: {dd-service: basket, display-name: Basket, description: x, service-tier: "2"}
org: {team: shop, application: web}
contact: {email: shop@acme.test, slack: "https://acme.slack.com/archives/C1"}
external-resources:
  - {name: Source, type: repo, url: "https://github.com/acme/basket"}
integrations: {pagerduty: "https://acme.pagerduty.com/service-directory/PBASKET"}
"""
DATADOG_V2 = """\
schema-version: v2
dd-service: delivery-api
team: distribution-management
contacts:
  - {type: slack, contact: "https://acme.slack.com/archives/C01EWN6319S"}
links:
  - {name: Dashboard, type: dashboard, url: "https://app.datadoghq.com/dashboard/krp-bq6-362"}
repos:
  - {name: Source, provider: github, url: "https://github.com/acme/shopist/tree/prod/rails-storefront"}
tags: ["tier:2"]
integrations:
  pagerduty: https://acme.pagerduty.com/service-directory/PXZNFXP
"""
DATADOG_V22 = """\
schema-version: v2.2
dd-service: shopping-cart
team: e-commerce-team
contacts:
  - {name: Support Email, type: email, contact: team@shopping.test}
tier: high
lifecycle: production
application: e-commerce
languages: [go, python]
type: web
links:
  - {name: runbook, type: runbook, url: "https://runbook/shopping-cart"}
  - {name: source code, type: repo, provider: github, url: "git@github.com:acme/shopping-cart.git"}
integrations:
  opsgenie: {service-url: "https://acme.app.opsgenie.com/service/123e4567-e89b", region: US}
"""
DATADOG_V3 = """\
apiVersion: v3
kind: service
metadata:
  name: shopping-checkout
  displayName: Shopping Checkout
  owner: team-checkout
  additionalOwners: [{name: sre, type: operator}]
  links:
    - {name: repo, type: repo, provider: GitHub, url: "https://github.com/acme/checkout"}
  contacts: [{name: Jane Doe, type: email, contact: jane@acme.test}]
  tags: [env:prod]
spec: {lifecycle: production, tier: critical, type: web, languages: [java], dependsOn: ["datastore:orders-db"]}
integrations:
  pagerduty: {serviceURL: "https://acme.pagerduty.com/service-directory/PCHECK1"}
---
apiVersion: v3
kind: system
metadata: {name: shop, owner: team-shop}
spec: {components: ["service:shopping-checkout"]}
"""
DATADOG_PAGE = {
    "data": [
        {
            "type": "service-definition",
            "id": "abc",
            "attributes": {
                "meta": {"last-modified-time": "2026-01-01T00:00:00Z", "ingestion-source": "api"},
                "schema": {"schema-version": "v2.1", "dd-service": "ledger", "team": "finance", "tier": "1"},
            },
        },
        {
            "type": "entity",
            "id": "def",
            "attributes": {"apiVersion": "v3", "kind": "service", "name": "fraud", "owner": "risk", "tags": ["tier:1"]},
        },
    ]
}
POLICIES = {
    "escalation_policies": [
        {
            "id": "PEP1",
            "type": "escalation_policy",
            "name": "Payments on-call",
            "escalation_rules": [
                {
                    "escalation_delay_in_minutes": 30,
                    "targets": [
                        {"id": "PU1", "type": "user_reference", "summary": "Jane Doe"},
                        {"id": "PS1", "type": "schedule_reference", "summary": "Payments primary"},
                    ],
                }
            ],
            "services": [{"id": "PSVC1", "type": "service_reference", "summary": "Checkout"}],
            "teams": [{"id": "PT1", "type": "team_reference"}],
        },
        {
            "id": "PEP2",
            "type": "escalation_policy",
            "escalation_rules": [
                {
                    "targets": [
                        {"id": "PU1", "type": "user_reference", "summary": "Jane Doe"},
                        {"id": "PS2", "type": "schedule_reference", "summary": "Search weekly"},
                    ]
                }
            ],
        },
    ],
    "more": False,
}
SERVICES = {
    "services": [
        {
            "id": "PSVC1",
            "type": "service",
            "name": "Checkout",
            "summary": "Checkout",
            "escalation_policy": {"id": "PEP1", "type": "escalation_policy_reference"},
            "integrations": [{"id": "PI1", "integration_key": "k"}],
            "teams": [],
        },
        {
            "id": "PSVC2",
            "type": "service",
            "name": "Search",
            "escalation_policy": {"id": "PEP2", "type": "escalation_policy_reference"},
            "teams": [{"id": "PT2", "type": "team_reference", "summary": "Discovery"}],
        },
        {"id": "PSVC3", "type": "service", "name": "Mail", "escalation_policy": {"id": "PEP9"}, "teams": None},
    ],
    "limit": 25,
}
TEAMS = {"teams": [{"id": "PT1", "type": "team", "name": "Payments", "summary": "Payments"}]}


def read(tmp_path, name: str, *contents: object) -> list[list[str | None]]:
    path = tmp_path / name
    path.write_text("\n".join(c if isinstance(c, str) else json.dumps(c) for c in contents))
    table = read_ownership(path)
    assert table.columns.tolist() == schema.OWNERSHIP.names
    return table.astype(object).where(table.notna(), None).values.tolist()


def test_backstage_components(tmp_path) -> None:
    assert read(tmp_path, "catalog-info.yaml", BACKSTAGE) == [
        ["orders", "fulfilment", "acme/shop/orders", "Orders night shift", "gold"],
        ["web", None, "shop/web", None, "3"],
        ["search", "team-shop", None, None, "tier-1"],
        ["mail", None, None, None, None],
    ]


def test_backstage_page_of_the_api(tmp_path) -> None:
    entity = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "orders", "namespace": "default", "uid": "1"},
        "spec": {"type": "service", "owner": "fulfilment"},
        "relations": [{"type": "ownedBy", "targetRef": "group:default/fulfilment"}],
    }
    expected = [["orders", "fulfilment", None, None, None]]
    assert read(tmp_path, "a.json", [entity]) == expected
    assert read(tmp_path, "a.json", {"items": [entity], "totalItems": 1}) == expected


@pytest.mark.parametrize(
    ("definition", "row"),
    [
        (DATADOG_V1, ["basket", "shop", "acme/basket", "pagerduty:PBASKET", "2"]),
        (DATADOG_V2, ["delivery-api", "distribution-management", "acme/shopist", "pagerduty:PXZNFXP", "2"]),
        (
            DATADOG_V22,
            ["shopping-cart", "e-commerce-team", "acme/shopping-cart", "opsgenie:123e4567-e89b", "high"],
        ),
        (DATADOG_V3, ["shopping-checkout", "team-checkout", "acme/checkout", "pagerduty:PCHECK1", "critical"]),
    ],
    ids=["v1", "v2", "v2.2", "v3"],
)
def test_datadog_definitions(tmp_path, definition, row) -> None:
    assert read(tmp_path, "service.datadog.yaml", definition) == [row]


def test_datadog_pages_of_the_api(tmp_path) -> None:
    expected = [["ledger", "finance", None, None, "1"], ["fraud", "risk", None, None, "1"]]
    assert read(tmp_path, "a.json", DATADOG_PAGE) == expected
    assert read(tmp_path, "a.json", *({"data": each} for each in DATADOG_PAGE["data"])) == expected


def test_pagerduty_pages_complete_each_other_in_any_order(tmp_path) -> None:
    expected = [
        ["Checkout", "Payments", None, "Payments on-call", None],
        ["Search", "Discovery", None, "Search weekly", None],
        ["Mail", None, None, "pagerduty:PSVC3", None],
    ]
    for pages in ((TEAMS, POLICIES, SERVICES), (SERVICES, TEAMS, POLICIES), ([SERVICES, POLICIES, TEAMS],)):
        assert read(tmp_path, "pages.json", *pages) == expected


def test_pagerduty_policies_alone_name_services(tmp_path) -> None:
    assert read(tmp_path, "pages.json", POLICIES) == [["Checkout", None, None, "Payments on-call", None]]


def test_catalogue_without_services_is_empty(tmp_path) -> None:
    assert read(tmp_path, "pages.json", TEAMS) == []
    assert read(tmp_path, "pages.json", {"services": [], "more": False}) == []


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("https://github.com/acme/checkout", "acme/checkout"),
        ("https://github.com/acme/checkout.git", "acme/checkout"),
        ("https://jane:token@github.com/acme/checkout/blob/main/x.md?raw=1#top", "acme/checkout"),
        ("url:https://gitlab.com/a/b/c/-/tree/main/", "a/b/c"),
        ("git@github.com:acme/checkout.git", "acme/checkout"),
        ("ssh://git@github.com:22/acme/checkout.git", "acme/checkout"),
        ("acme/checkout", None),
        ("https://", None),
        ("https://[x", None),
        (None, None),
        ({"url": "x"}, None),
    ],
)
def test_repository_is_the_path_of_a_link(link, path) -> None:
    assert repository(link) == path


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
WORDS = st.sampled_from(
    [
        "apiVersion", "kind", "metadata", "spec", "annotations", "labels", "owner", "name", "tags", "type", "system",
        "dd-service", "schema-version", "team", "links", "repos", "integrations", "pagerduty", "url", "attributes",
        "schema", "data", "services", "id", "escalation_policy", "teams", "escalation_rules", "targets", "info", "org",
        "backstage.io/source-location",
    ]
)  # fmt: skip
HINTS = st.sampled_from(["backstage.io/v1", "v3", "v2", "Component", "System", "service", "escalation_policy", "team"])


@given(
    st.recursive(
        SCALARS | HINTS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.integers(), inner, max_size=6),
    )
)
def test_no_value_raises(value) -> None:
    entries = Entries("file")
    entries.add(value)
    assert all(isinstance(claim.service, str) for claim in entries.claims)
