"""Names of services taken apart, and words that may stand for each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.entities.identity.parts import align, likeness, parts_of


@pytest.mark.parametrize(
    ("name", "core", "soft", "environment", "region"),
    [
        ("checkout", "checkout", "", None, None),
        ("prod-checkout-api", "checkout", "api", None, None),
        ("web-checkout", "checkout", "web", None, None),
        ("Checkout (P1)", "checkout", "", None, None),
        ("Checkout DB (Staging)", "checkout db", "", "staging", None),
        ("GiftCardService", "gift card", "service", None, None),
        ("stg_orders_db", "orders db", "", "staging", None),
        ("checkout-eu-west-1", "checkout", "", None, "eu-west-1"),
        ("euw1-orders", "orders", "", None, "euw1"),
        ("travel2", "travel 2", "", None, None),
        ("web-api", "web api", "", None, None),  # nothing but soft words: they are its name
        ("test-runner", "test runner", "", None, None),
        ("stage-lights", "stage lights", "", None, None),
        ("prod", "prod", "", None, None),
        ("PetSearch [AWS::ECS::Fargate]", "pet search", "", None, None),
        ("checkout-fn-9KQ2ZP4XJ1R7", "checkout", "fn", None, None),
    ],
)
def test_parts(name, core, soft, environment, region):
    parts = parts_of(name)
    assert (" ".join(parts.core), " ".join(sorted(parts.soft))) == (core, soft)
    assert (parts.environment, parts.region) == (environment, region)


def test_a_convention_is_no_part_of_the_name():
    assert parts_of("acme-orders-db", frozenset({"acme"})).core == ("orders", "db")


@pytest.mark.parametrize(
    ("a", "b", "at_least", "at_most"),
    [
        ("orders", "orders", 1, 1),
        ("order", "orders", 0.9, 0.9),
        ("notif", "notification", 0.6, 0.8),
        ("pmt", "payment", 0.5, 0.7),
        ("catalog", "catalogue", 0.6, 0.8),
        ("db", "database", 0.1, 0.4),
        ("db", "cache", 0, 0),
        ("orders", "borders", 0, 0),
        ("worker", "writer", 0, 0),
        ("1", "12", 0, 0),
    ],
)
def test_likeness(a, b, at_least, at_most):
    assert at_least <= likeness(a, b) <= at_most
    assert likeness(a, b) == likeness(b, a)


@pytest.mark.parametrize(
    ("a", "b", "likes"),
    [
        (("gift", "card"), ("giftcard",), True),
        (("checkout", "db"), ("db", "checkout"), True),
        (("payment", "gateway"), ("pmt", "gateway"), True),
        (("orders",), ("orders", "db"), False),
        (("orders", "api2"), ("orders", "api3"), False),
    ],
)
def test_align(a, b, likes):
    assert (align(a, b)[0] > 0) == likes


@given(st.text(max_size=40).filter(str.strip))
def test_every_name_has_a_core(name):
    assert parts_of(name).core
