"""Which reaction applies to a growing incident is what `propose` puts first for the same alerts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.patterns.reactions.writing import Tried
from stanza_lab.patterns.streaming import PatternTeller, ReactionTeller, kind_of
from stanza_lab.patterns.streaming import reactions as module
from tests.patterns.reactions.test_propose import FIRING, PRODUCTION, read
from tests.patterns.reactions.test_writing import PAST
from tests.patterns.streaming.streams import rows
from tests.patterns.unfolded import alerts, cascade, known

_NEAR = "[{service: db, hops: 2, alerting: true}]"
WHENS = (
    "name: A, action: restart, risk: low, when: {service: db}, guardrails: {min_confidence: 0.9}",
    "name: B, action: page_team, params: {team: ops}, risk: medium, when: {service: db, symptom: latency}",
    "name: C, action: restart, risk: low, when: {severity: error, service: '*'}, for: ['*']",
    f"name: D, action: restart, risk: low, when: {{service: web, near: {_NEAR}}}, target: origin",
    "name: E, action: restart, risk: low, when: {service: 'a*', alert: '*down*'}, target: first mover",
)
KNOWN = known()
KNOWN = replace(
    KNOWN, table=KNOWN.table.assign(family=""), families=pd.DataFrame(columns=["family", "name"], dtype="str")
)
ALERT = st.tuples(
    st.sampled_from(["db", "api", "web", "elsewhere", None]),
    st.sampled_from(["High latency", "Host down", None]),
    st.sampled_from(["info", "critical", None]),
    st.integers(0, 3000),
    st.sampled_from([None, 30, 1200, 200_000]),
)


def first(path: Path, table: pd.DataFrame, **more: object) -> str | None:
    found = sl.propose(path, PRODUCTION, alerts=table, **more)
    return found[0].words if len(found) else None


def fired(*given: tuple[str | None, str | None, str | None, int, int | None]) -> pd.DataFrame:
    table = pd.DataFrame(given, columns=["service", "alertname", "severity", "second", "lasts"])
    at = pd.Timestamp("2026-03-01T14:00Z") + pd.to_timedelta(table.pop("second"), unit="s")
    return table.assign(starts_at=at, ends_at=at + pd.to_timedelta(table.pop("lasts").astype("float"), unit="s"))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_alerts=st.lists(ALERT, min_size=1, max_size=5))
def test_what_is_told_is_what_is_proposed_first(
    tmp_path: Path, given_alerts: list[tuple[str | None, str | None, str | None, int, int | None]]
) -> None:
    path, table = read(tmp_path, *WHENS), fired(*given_alerts)
    teller = ReactionTeller(sl.read_reactions(path), PRODUCTION, None, None)
    there = table[table["service"].notna()]
    origin = None if there.empty else sl.rank_origins(PRODUCTION, alerts=there, top=1)["service"].iloc[0]
    assert teller.tell(rows(table), origin=origin) == first(path, table)


@pytest.mark.parametrize("whole", [True, False])
def test_how_it_did_in_history_counts_and_is_said(tmp_path: Path, whole: bool) -> None:
    path = read(tmp_path, *WHENS)
    history = sl.backtest(path, PAST)
    teller = ReactionTeller(sl.read_reactions(path), PRODUCTION, None, history if whole else Tried.of(history))
    told = teller.tell(rows(FIRING.assign(alertname="High latency", severity="critical")))
    assert told == first(path, FIRING.assign(alertname="High latency", severity="critical"), history=history)
    assert told is not None
    assert "in history somebody was paged" in told


def test_a_pattern_that_is_begun_is_answered_as_proposed_at_that_moment(tmp_path: Path) -> None:
    path = read(tmp_path, "name: P, action: restart, risk: low, pattern: P-1, guardrails: {min_confidence: 0.6}")
    patterns, table = KNOWN, alerts(cascade(9, "04-01", "db", "api")).head(1)
    begun = PatternTeller(patterns).tell([(kind_of(one), one["starts_at"]) for one in rows(table)])
    teller = ReactionTeller(sl.read_reactions(path), PRODUCTION, patterns, None)
    told = teller.tell(rows(table), pattern=begun)
    assert told == first(path, table, patterns=patterns)
    assert told is not None
    assert "restart db" in told
    assert "db: latency came, as in 'db latency, then api latency'" in told
    assert teller.tell(rows(table)) is None
    assert ReactionTeller(sl.read_reactions(path), PRODUCTION, None, None).tell(rows(table), pattern=begun) is None


def test_two_sure_to_the_same_digits_are_not_taken_for_each_other(tmp_path: Path) -> None:
    path = read(tmp_path, "name: P, action: restart, risk: low, pattern: P-1, guardrails: {min_confidence: 0.7}")
    patterns, table = KNOWN, alerts(cascade(9, "04-01", "db"))
    begun = PatternTeller(patterns).tell([("db: latency", 0)])
    assert begun is not None
    teller = ReactionTeller(sl.read_reactions(path), PRODUCTION, patterns, None)
    above, below = (teller.tell(rows(table), pattern=begun._replace(confidence=sure)) for sure in (0.701, 0.699))
    assert above is not None
    assert below is not None
    assert "blocked by" not in above
    assert "blocked by confidence" in below


def test_nothing_applies_and_nothing_is_told(tmp_path: Path) -> None:
    teller = ReactionTeller(sl.read_reactions(read(tmp_path, WHENS[0])), PRODUCTION, None, None)
    assert teller.tell([]) is None
    assert teller.tell([{"service": "api", "starts_at": 0}]) is None
    assert teller.tell([{"service": "db", "starts_at": None}]) is None
    assert teller.tell([{"service": None, "starts_at": 0}]) is None


def test_a_stream_of_new_names_fills_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 8)
    every = "name: A, action: restart, risk: low, when: {service: '*', team: '*'}, for: ['*']"
    teller = ReactionTeller(sl.read_reactions(read(tmp_path, every)), PRODUCTION, None, None)
    for number in range(30):
        assert teller.tell([{"service": f"new-{number}", "starts_at": 0}]) is not None
    places = teller._places
    assert max(map(len, (teller._here, teller._tried, teller._words))) <= 8
    assert max(map(len, (places._touched, places._teams))) <= 4
