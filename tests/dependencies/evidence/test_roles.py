"""A name tells what kind of thing a node is, or nothing."""

from __future__ import annotations

import pytest

from stanza_lab.dependencies.evidence import role_of_name


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("orders-db-primary-2", "store"),
        ("prod-orders-db", "store"),
        ("OrdersTable", "store"),
        ("redis-cart", "store"),
        ("redis-exporter", "service"),
        ("cache-warmer", "service"),
        ("cartservice", "service"),
        ("orders-events-dlq", "queue"),
        ("kafka", "queue"),
        ("api-gateway", "edge"),
        ("storefront-web", "edge"),
        ("api.stripe.com", "managed"),
        ("orders-db.shop.internal", "store"),
        ("orders.c1a2b3.eu-west-1.rds.amazonaws.com", "store"),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/orders", "queue"),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/orders", "store"),
        ("orders_AWS::DynamoDB::Table", "store"),
        ("internal-orders-alb", None),
        ("orders", None),
        ("", None),
        ("12", None),
        ("((\x00", None),
    ],
)
def test_role_of_name(name: str, role: str | None) -> None:
    assert role_of_name(name) == role
