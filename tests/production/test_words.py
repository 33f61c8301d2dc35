from __future__ import annotations

import pytest

from stanza_lab.production import words

EDGE = {
    "src": "shop",
    "dst": "db",
    "confidence": 0.8,
    "link_confidence": 0.9,
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


def test_an_edge_tells_all_its_evidence() -> None:
    assert words.edge(EDGE) == (
        "shop depends on db, confidence 0.80 (0.90 that the two are linked in either direction); their alerts fired "
        "together 14 times, 6.2 times as often as chance (p 1e-06, q 2e-05); shop usually fires 3 min before db; "
        "known as inferred and traced; traces confirm it."
    )


def test_an_edge_only_traced_says_so() -> None:
    none = float("nan")
    edge = EDGE | {"support": 0, "lag_s": none, "verdict": "trace-only", "provenance": ["traced"]}
    assert (
        "their alerts were never seen together; known as traced; traces show it, alerts alone did not."
        in words.edge(edge)
    )


def test_long_lists_are_shortened() -> None:
    assert words.listing(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
