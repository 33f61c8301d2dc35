from __future__ import annotations

import math

import pytest

from stanza_lab.production import words

LINK = {
    "src": "shop",
    "dst": "db",
    "confidence": 0.8,
    "link_confidence": 0.9,
    "back": 0.1,
    "direction": "forward",
    "support": 14,
    "lift": 6.24,
    "lag_s": -200.0,
    "p_value": 1e-6,
    "q_value": 2e-5,
    "provenance": ["inferred", "traced"],
    "verdict": "confirmed",
}
GUESS = LINK | {"provenance": ["inferred"], "verdict": None}


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (40, "40 s"), (-40, "40 s"), (180, "3 min"), (7200, "2 h"), (259_200, "3 d")]
)
def test_lengths_of_time_are_said_as_a_person_would(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (40, "usually 40 s before you"),
        (-40, "usually 40 s after you"),
        (0.2, "usually at the same moment as you"),
        (float("nan"), "no usual delay known"),
    ],
)
def test_a_lead_says_who_fires_first(seconds: float, said: str) -> None:
    assert words.lead(seconds) == said


def test_a_link_tells_all_its_evidence() -> None:
    assert words.link(GUESS) == (
        "shop and db, a dependency in either direction: 0.90; shop depends on db: 0.80, the other way: 0.10; their "
        "alerts fired together 14 times, 6.2 times as often as chance (p 1e-06, q 2e-05); shop usually fires 3 min "
        "before db; known from alerts only."
    )


def test_what_was_traced_is_said_to_be_and_shows_no_certain_number() -> None:
    said = words.link(LINK | {"confidence": 0.9998, "link_confidence": 1.0})
    assert said.startswith("shop and db; shop depends on db: traced, the other way: 0.10; their alerts")
    assert said.endswith("known from alerts and traces; traces confirm it.")
    both = words.link(LINK | {"direction": "both", "back": 1.0})
    assert "(shop depends on db: traced, the other way: traced)" in both


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.9998, ">0.99"), (1.0, ">0.99"), (0.99, "0.99"), (0.5, "0.50"), (0.01, "0.01"), (0.0, "<0.01"), (math.nan, "")],
)
def test_a_probability_is_never_rounded_to_certainty(value: float, said: str) -> None:
    assert words.probability(value) == said


@pytest.mark.parametrize(("value", "said"), [(2e-5, "2e-05"), (0.0, "<0.01"), (0.25, "0.25"), (0.9998, ">0.99")])
def test_a_rate_shows_how_small_it_is(value: float, said: str) -> None:
    assert words.rate(value) == said


@pytest.mark.parametrize(
    ("provenance", "said"),
    [
        (["inferred"], "alerts only"),
        (["inferred", "traced"], "alerts and traces"),
        (["traced"], "traces only"),
        (["declared"], "declaration only"),
        ([], "alerts only"),
    ],
)
def test_where_a_link_is_known_from(provenance: list[str], said: str) -> None:
    assert words.known_from(provenance) == said


@pytest.mark.parametrize(
    ("number", "thing", "said"),
    [(1, "service", "1 service"), (3, "service", "3 services"), (1, "dependency", "1 dependency")],
)
def test_counts_have_their_plural(number: int, thing: str, said: str) -> None:
    assert words.count(number, thing) == said
    assert words.count(2, "dependency") == "2 dependencies"


def test_a_community_is_called_what_it_is() -> None:
    said = words.neighbour("around db", 3, ["db"], 40.0, "confidence 0.31", "downstream")
    assert said == (
        "the services around db come next, 3 services, through db, usually 40 s before you, confidence 0.31; "
        "you depend on them"
    )


def test_each_on_the_other_and_direction_not_known_are_told_apart() -> None:
    ways = "(shop depends on db: 0.80, the other way: 0.70)"
    assert f"; each depends on the other {ways};" in words.link(GUESS | {"direction": "both", "back": 0.7})
    assert f"; which way is not known {ways};" in words.link(GUESS | {"direction": "unknown", "back": 0.7})


def test_what_was_only_declared_needs_no_numbers() -> None:
    declared = LINK | {"confidence": float("nan"), "link_confidence": float("nan"), "provenance": ["declared"]}
    assert words.link(declared).startswith("shop and db; shop depends on db: declared, the other way: 0.10; their")


def test_a_link_only_traced_says_so() -> None:
    none = float("nan")
    link = LINK | {"support": 0, "lag_s": none, "verdict": "trace-only", "provenance": ["traced"]}
    assert (
        "their alerts were never seen together; known from traces only; traces show it, alerts alone did not."
        in words.link(link)
    )


def test_long_lists_are_shortened() -> None:
    assert words.listing(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
