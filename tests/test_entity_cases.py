"""The labelled table of entities says what it must: `benchmarks/entity_cases`."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from benchmarks.entities import FOLDER, NEGATIVES, SHAPES, Case, Found, fold, read_cases, score

CASES = read_cases()
KINDS = {"resource", "service", "team", "on_call", "environment", "url", "image", "repository", "trace"}
COLUMNS = {"alertname", "summary", "description", "service", "environment", "team", "resources", "trace_ids", "labels"}
MENTION = {"kind", "type", "name", "also", "arn", "method", "surface"}


def mentions(case: Case) -> list[dict[str, Any]]:
    return [*case.expect, *case.allow]


def test_every_file_is_a_shape() -> None:
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == set(SHAPES)


def test_ids_are_unique_and_count_up_in_their_shape() -> None:
    assert max(Counter(case.id for case in CASES).values()) == 1
    for shape in SHAPES:
        numbers = [case.id.rpartition("-")[2] for case in CASES if case.shape == shape]
        assert numbers == [f"{number:03d}" for number in range(1, len(numbers) + 1)], shape


def test_there_are_enough_cases() -> None:
    per_shape = Counter(case.shape for case in CASES)
    assert len(CASES) >= 520
    assert per_shape[NEGATIVES] >= 60
    assert min(per_shape.values()) >= 15


def test_about_half_is_held_out() -> None:
    held_out = sum(case.held_out for case in CASES) / len(CASES)
    assert 0.4 < held_out < 0.6


def test_no_two_cases_are_the_same_alert() -> None:
    assert max(Counter(json.dumps([case.alert, case.known], sort_keys=True) for case in CASES).values()) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_a_case_is_whole(shape: str) -> None:
    for case in (case for case in CASES if case.shape == shape):
        assert len(case.origin) > 2, case.id
        assert set(case.alert) <= COLUMNS, case.id
        for mention in mentions(case):
            assert set(mention) <= MENTION, case.id
            assert mention["kind"] in KINDS, case.id
            assert ("type" in mention) == (mention["kind"] == "resource"), case.id


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_expected_stands_there(shape: str) -> None:
    for case in (case for case in CASES if case.shape == shape):
        everything = json.dumps(case.alert, ensure_ascii=False).lower()
        for mention in mentions(case):
            if "surface" in mention:
                assert mention["surface"] in case.text, (case.id, mention["surface"])
            elif "also" not in mention:
                # CLUSTER/SERVICE of ECS stands there in two fields.
                assert all(part.lower() in everything for part in mention["name"].split("/")), (
                    case.id,
                    mention["name"],
                )


def test_negatives_expect_nothing() -> None:
    assert [case.id for case in CASES if case.shape == NEGATIVES and case.expect] == []


def test_nothing_is_expected_and_allowed_alike() -> None:
    for case in CASES:
        wanted = {(mention["kind"], fold(mention["name"]), mention.get("method")) for mention in case.expect}
        arguable = {(mention["kind"], fold(mention["name"]), mention.get("method")) for mention in case.allow}
        assert not wanted & arguable, case.id


def found(name: str, *methods: str, kind: str = "service") -> Found:
    return Found(kind, frozenset([fold(name)]), frozenset(methods), f"{kind}:{name}", in_text=True, said=frozenset())


CALLED = {"kind": "service", "name": "orders_db", "method": "callee", "surface": "orders_db"}
PAGE = {"kind": "url", "name": "https://shop.acme.net/cart", "surface": "https://shop.acme.net/cart"}
NAMED = {"kind": "service", "name": "cart", "surface": "cart"}


@pytest.mark.parametrize(
    ("expect", "seen", "counts"),
    [
        ([CALLED], [found("orders-db", "callee")], (1, 0, 0)),
        ([CALLED], [found("orders-db", "text")], (0, 1, 0)),  # there, but not seen to be called
        ([NAMED], [found("cart", "text")], (1, 0, 0)),
        ([NAMED], [found("cart", "callee")], (0, 1, 1)),  # it is named, nobody calls it
        ([], [found("cart", "text")], (0, 0, 1)),
        ([], [found("orders", "arn-name")], (0, 0, 0)),
        ([NAMED], [], (0, 1, 0)),
        ([NAMED], [found("cart", "field", kind="team")], (0, 1, 1)),
        ([CALLED], [found("orders-db", "callee"), found("http://orders_db:80/x", "url", kind="url")], (1, 0, 0)),
        (
            [PAGE],
            [found(PAGE["name"], "url", kind="url"), found("shop.acme.net", "callee", kind="resource")],
            (1, 0, 0),
        ),
        ([PAGE], [found(PAGE["name"], "url", kind="url"), found("shop.acme.net", "host", kind="resource")], (1, 0, 1)),
        ([NAMED], [found("cart", "text"), found("https://shop.example/x", "url", kind="url")], (1, 0, 1)),
    ],
)
def test_scores_count_right_missed_and_false(
    expect: list[dict[str, Any]], seen: list[Found], counts: tuple[int, int, int]
) -> None:
    result = score(Case("case-001", "service_text", "here", {"summary": "cart"}, expect), seen)
    assert (len(result.right), len(result.missed), len(result.false)) == counts


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Order_Hub (EU)", "order-hub-(eu)"),
        ("web-1.acme.net:9100", "web-1.acme.net"),
        ("[2001:db8::9]:9100", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("arn:aws:sqs:eu-west-1:1234567890:jobs", "arn:aws:sqs:eu-west-1:1234567890:jobs"),
        ("http://a.net:80/x", "http://a.net:80/x"),
    ],
)
def test_names_are_folded(name: str, folded: str) -> None:
    assert fold(name) == folded
