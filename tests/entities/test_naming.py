"""Names: residue, folding, pods, known names in text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.entities import naming
from stanza_lab.entities.naming import NameFinder, Names


@pytest.mark.parametrize(
    "value",
    ["", " ", "{{host.name}}", "web-{{ default }}", "<no value>", "undefined", "null", "None", "N/A", "*", "-", "%s",
     "${SERVICE}", "@slack-oncall", "#team-payments", "@SYNTHETICS_OVERALL@", "x" * 600, None, 7, float("nan")],
)  # fmt: skip
def test_residue_is_no_name(value):
    assert naming.clean(value) is None


@pytest.mark.parametrize("value", ["checkout", "PGSQL Query", "AWS::SSM", "adoptions@db.us-west-2.rds.amazonaws.com"])
def test_odd_names_are_names(value):
    assert naming.clean(f" {value} ") == value


def test_people_are_no_team_and_exporters_no_service():
    assert naming.clean_team("jane@example.com") is None
    assert naming.clean_team("payments") == "payments"
    assert naming.clean_service("kube-state-metrics") is None
    assert naming.clean_service("node_exporter") is None
    assert naming.clean_service("invoice-export") == "invoice-export"


@pytest.mark.parametrize(
    ("pod", "sure", "workload"),
    [
        ("checkout-7f8d7d756d-k7b9j", False, "checkout"),
        ("ts-order-service-5b67c48447-mv5hb", False, "ts-order-service"),
        ("checkout-7f8d7d756d-k7b9j", True, "checkout"),
        ("backup-28512345-x7k2p", True, "backup"),
        ("fluent-bit-x7k2p", True, "fluent-bit"),
        ("orders-db-0", True, "orders-db"),
        ("gateway-https", False, None),
        ("web-1", False, None),
        ("node-3", False, None),
        ("checkout", True, None),
        ("checkout-7f8d7d756a-k7b9j", False, None),  # no vowels in a pod's hash
    ],
)
def test_workload_of_a_pod(pod, sure, workload):
    assert naming.workload_of(pod, sure=sure) == workload


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("prod-orders-db", "production"),
        ("orders_db_stg", "staging"),
        ("checkout-dev", "development"),
        ("product-api", None),
        ("latest", None),
        ("prod", None),
    ],
)
def test_environment_word_at_an_end(name, environment):
    assert naming.environment_of(name) == environment


@pytest.mark.parametrize(
    ("alertname", "environment"),
    [("prod-checkout-p1-5xx", "production"), ("[staging] High CPU", "staging"), ("prod/checkout", "production"),
     ("Production down", "production"), ("Products slow", None), ("Test alarm", None), ("", None)],
)  # fmt: skip
def test_environment_an_alert_name_begins_with(alertname, environment):
    assert naming.environment_in(alertname) == environment


def test_spellings_of_one_name_get_the_most_frequent():
    names = Names({"Checkout": 3, "checkout": 5, "order_db": 2, "order-db": 1})
    assert names.canonical("Checkout") == "checkout"
    assert names.canonical("CHECKOUT") == "checkout"
    assert names.canonical("order-db") == "order_db"
    assert names.canonical("never seen") == "never seen"


def test_catalogue_decides_the_spelling():
    assert Names({"checkout": 9}, listed=["Checkout"]).canonical("checkout") == "Checkout"


def test_case_is_part_of_an_aws_name():
    names = Names({"PetSite": 1, "petsite": 9}, exact={"PetSite"})
    assert names.canonical("petsite") == "PetSite"
    both = Names({"Fn": 2, "fn": 1, "FN": 1}, exact={"Fn", "fn"})
    assert [both.canonical(name) for name in ("Fn", "fn", "FN")] == ["Fn", "fn", "fn"]


def test_affixes_go_only_where_the_rest_is_seen():
    names = Names({"orders-db": 1, "prod-orders-db": 1, "prod-orders-api": 1, "staging-orders-db": 1})
    assert names.canonical("prod-orders-db") == "orders-db"
    assert names.canonical("orders-db-production") == "orders-db"
    assert names.canonical("prod-orders-api") == "prod-orders-api"
    assert names.canonical("staging-orders-db") == "staging-orders-db"
    assert names.canonical("orders-db-5c66d57d58-6mp2b") == "orders-db"
    assert names.canonical("orders-db-0") == "orders-db-0"


def test_team_words_go_only_where_the_rest_is_seen():
    teams = Names({"payments": 1, "Payments Team": 5, "team-search": 1}, bare=naming.bare_team)
    assert teams.canonical("Payments Team") == "payments"
    assert teams.canonical("team-search") == "team-search"


FIND = [
    ("checkout is slow", ["checkout"]),
    ("petadoptions/checkout [service] AvailabilityLow", ["checkout"]),
    ("errors in orders-db and orders", ["orders-db", "orders"]),
    ("ORDERS_DB failed", ["orders-db"]),
    ("PGSQL Query [remote]", ["pgsql-query"]),
    ("prod-orders-db down", ["orders-db"]),
    ("pod orders-5c66d57d58-6mp2b restarted", ["orders"]),
    ("orders-api is down", []),  # a sibling
    ("staging-orders is down", []),
    ("checkouts", []),
    ("GET /checkout 500", []),
    ("https://shop.example.com/checkout/orders", []),
    ("@slack-checkout #checkout @checkout", []),
    ("orders.internal AWS::checkout::x", []),
    ("mail orders@example.com", []),
    ("checkout.", ["checkout"]),
    ("(checkout)", ["checkout"]),
]


@pytest.mark.parametrize(("text", "names"), FIND)
def test_known_names_are_found_as_whole_tokens(text, names):
    finder = NameFinder({"checkout", "orders", "orders-db", "pgsql-query", "x"})
    hits = finder.find(text)
    assert [hit.folded for hit in hits] == names
    assert all(naming.key(text[hit.start : hit.end]).startswith(hit.folded) for hit in hits)


@pytest.mark.parametrize(
    ("alertname", "names"),
    [
        ("prod-checkout-p1-5xx", ["checkout"]),
        ("orders-db-CPUUtilization-High", ["orders-db"]),
        ("prod-orders-db-read-latency-high", ["orders-db"]),
        ("orders-read", []),
        ("orders-api-5xx", []),
        ("orders-http-errors", []),
    ],
)
def test_alert_names_may_go_on_with_symptoms(alertname, names):
    finder = NameFinder({"checkout", "orders", "orders-db"})
    assert [hit.folded for hit in finder.find(alertname, alert_name=True)] == names


@given(
    st.text(alphabet="ab-_/ .:@#1", max_size=40), st.sets(st.text(alphabet="ab-1", min_size=3, max_size=6), max_size=6)
)
def test_every_hit_is_a_known_name_in_its_place(text, names):
    for hit in NameFinder(names).find(text):
        assert hit.folded in names
        assert naming.key(text)[hit.start :].startswith(hit.folded)


@given(st.dictionaries(st.from_regex(r"(prod-)?[abAB]{1,2}(_prd|-prod)?", fullmatch=True), st.integers(1, 5)))
def test_canonical_names_stay(counts):
    names = Names(counts)
    once = {name: names.canonical(name) for name in counts}
    assert all(names.canonical(name) == name for name in once.values())


@pytest.mark.parametrize("bomb", ["a-" * 100_000, "prod-" * 60_000, "A_" * 100_000, "://" * 80_000, "-bcdfg" * 50_000])
def test_long_texts_take_linear_time(bomb):
    finder = NameFinder({"a", "a-a-a", "prod-a", "bcdfg"})
    began = time.process_time()
    finder.find(bomb, alert_name=True)
    naming.environment_in(bomb)
    naming.is_exception(bomb)
    assert time.process_time() - began < 3
