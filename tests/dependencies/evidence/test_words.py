"""Each source says in a sentence what it knows of a pair."""

from __future__ import annotations

import pandas as pd

from stanza_lab.dependencies.evidence import count_claims, count_traits, words_for

ROWS = [
    {
        "service": "orders-api",
        "team": "orders",
        "summary": "connection refused to orders-db",
        "trace_ids": ["4b38a6ad69"],
    },
    {"service": "orders-api", "team": "orders", "summary": "connection refused to orders-db", "trace_ids": []},
    {"service": "orders-db", "team": "orders", "summary": "CPU high, says orders-api", "trace_ids": ["4b38a6ad69"]},
    {"service": "mail", "team": "post", "summary": "down", "trace_ids": []},
]
ALERTS = pd.DataFrame(ROWS).assign(starts_at=pd.date_range("2026-03-01T14:00Z", periods=4, freq="1s"))
SOURCES = count_claims(ALERTS), count_traits(ALERTS)


def test_all_sources_for_and_against() -> None:
    told = words_for(*SOURCES, src="orders-api", dst="orders-db")
    assert told.speaks == (
        "2 alerts of orders-api say that orders-db was called, the last on 2026-03-01",
        "1 trace raised alerts in both, on 2026-03-01",
        "both page orders",
        "orders-db is a store, which calls no one",
        "their names share order",
    )
    assert told.against == ("1 alert of orders-db names orders-api, on 2026-03-01",)


def test_the_other_way_round() -> None:
    told = words_for(*SOURCES, src="orders-db", dst="orders-api")
    assert told.against == (
        "2 alerts of orders-api say that orders-db was called, the last on 2026-03-01",
        "orders-db is a store, which calls no one",
    )


def test_two_teams_speak_against_and_silence_says_nothing() -> None:
    assert words_for(*SOURCES, src="mail", dst="orders-api") == ((), ("mail pages post and orders-api orders",))
    assert words_for(*SOURCES, src="x", dst="y") == ((), ())
