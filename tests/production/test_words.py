from __future__ import annotations

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
    assert words.link(LINK) == (
        "shop and db, a dependency in either direction: 0.90; shop depends on db: 0.80, the other way: 0.10; their "
        "alerts fired together 14 times, 6.2 times as often as chance (p 1e-06, q 2e-05); shop usually fires 3 min "
        "before db; known as inferred and traced; traces confirm it."
    )


def test_each_on_the_other_and_direction_not_known_are_told_apart() -> None:
    ways = "(shop depends on db: 0.80, the other way: 0.70)"
    assert f"; each depends on the other {ways};" in words.link(LINK | {"direction": "both", "back": 0.7})
    assert f"; which way is not known {ways};" in words.link(LINK | {"direction": "unknown", "back": 0.7})


def test_what_was_only_declared_needs_no_numbers() -> None:
    declared = LINK | {"confidence": float("nan"), "link_confidence": float("nan"), "provenance": ["declared"]}
    assert words.link(declared).startswith("shop and db; shop depends on db; their")


def test_a_link_only_traced_says_so() -> None:
    none = float("nan")
    link = LINK | {"support": 0, "lag_s": none, "verdict": "trace-only", "provenance": ["traced"]}
    assert (
        "their alerts were never seen together; known as traced; traces show it, alerts alone did not."
        in words.link(link)
    )


def test_long_lists_are_shortened() -> None:
    assert words.listing(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
