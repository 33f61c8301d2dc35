"""What an incident begins like is what `Patterns.recognise` says of the same alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.patterns.recognising import judged, unfolding
from stanza_lab.patterns.streaming import PatternTeller, kind_of
from tests.patterns.mining.histories import history
from tests.patterns.streaming.streams import rows
from tests.patterns.unfolded import LATER, alerts, cascade, known

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.patterns.found import Patterns

KNOWN = {learned: known(learned=learned) for learned in (True, False)}


def told(patterns: Patterns, table: pd.DataFrame, *, least: float = 0.0) -> tuple[str, float] | None:
    kinds = [(kind_of(row), row["starts_at"]) for row in rows(table)]
    found = PatternTeller(patterns).tell(kinds, least=least)
    return None if found is None else (found.pattern, found.confidence)


def best(patterns: Patterns, table: pd.DataFrame) -> float | None:
    """Return the highest confidence that the table of one incident gives after its last alert."""
    shown = judged(patterns, unfolding(table, steps=patterns.steps, by=patterns.by))
    return None if shown.empty else float(shown.groupby("pattern")["confidence"].last().max())


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("incident", sorted(LATER["incident_id"].unique()))
def test_after_each_alert_it_is_as_sure_as_the_table_up_to_it(incident: int, learned: bool) -> None:
    patterns, whole = KNOWN[learned], LATER[LATER["incident_id"] == incident]
    for seen in range(1, len(whole) + 1):
        sure, found = best(patterns, whole.head(seen)), told(patterns, whole.head(seen))
        assert (None if found is None else found[1]) == (None if sure is None else pytest.approx(sure))


def test_when_it_is_first_told_it_is_what_recognise_finds() -> None:
    whole = alerts(cascade(9, "04-01", "db", "batch", "api", "web"))
    row = KNOWN[True].recognise(whole, min_confidence=0.7).iloc[0]
    first = next(n for n in range(1, 5) if told(KNOWN[True], whole.head(n), least=0.7))
    assert whole["starts_at"].iloc[first - 1] == row["at"]
    kinds = [(kind_of(one), one["starts_at"]) for one in rows(whole.head(first))]
    found = PatternTeller(KNOWN[True]).tell(kinds, least=0.7)
    assert found is not None
    assert (found.pattern, found.name) == ("P-1", "db latency, then api latency")
    assert found.confidence == pytest.approx(row["confidence"])
    assert list(found.seen) == row["seen"]


def test_patterns_mined_from_a_history_are_told_as_their_table_tells() -> None:
    past = history()
    patterns = sl.mine_patterns(past)
    assert len(patterns.table)
    for _, whole in list(past.groupby("incident_id"))[:4]:
        for seen in range(1, min(len(whole), 4) + 1):
            now = whole.sort_values("starts_at", kind="stable").head(seen)
            sure, found = best(patterns, now), told(patterns, now)
            assert (None if found is None else found[1]) == (None if sure is None else pytest.approx(sure))


@settings(max_examples=12)
@given(order=st.permutations(range(3)), twice=st.booleans())
def test_neither_the_order_of_arrival_nor_an_alert_that_comes_again_matters(order: list[int], twice: bool) -> None:
    whole = alerts(cascade(9, "04-01", "db", "api", "web"))
    arrived = whole.iloc[[*order, *(order if twice else [])]]
    assert told(KNOWN[True], arrived) == told(KNOWN[True], whole)


def test_what_is_not_likely_enough_or_has_no_time_is_not_told() -> None:
    teller = PatternTeller(KNOWN[True])
    assert teller.tell([("db: latency", 0)], least=0.99) is None
    assert teller.tell([("db: latency", None)], least=0.0) is None
    assert teller.tell([("search: latency", 0)], least=0.0) is None
    assert teller.tell([]) is None
