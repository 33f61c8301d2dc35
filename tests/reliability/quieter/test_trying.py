from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stanza_lab.reliability.quieter.record import NEVER, SECOND
from stanza_lab.reliability.quieter.record import Record as Record_
from stanza_lab.reliability.quieter.trying import Change, State
from tests.reliability.quieter.histories import table

MINUTE = 60 * SECOND


def history(rows: list[tuple[int, int, int, int | None, bool]], *, service: list[int] | None = None) -> Any:
    """Return alerts of (rule, unit, start, end, pages) with times in minutes; all real, all on the earlier part."""
    rule, unit, start, end, pages = zip(*rows, strict=True)
    begin = np.array(start, dtype=np.int64) * MINUTE
    units = max(unit) + 1
    places = np.zeros(len(rows), dtype=np.int64) if service is None else np.array(service)
    names = [{"rule_key": f"r{k}", "incident_id": 0} for k in range(max(rule) + 1)]
    return Record_(
        alerts=table([{"incident_id": of} for of in unit]),
        rules=table(names),
        rule=np.array(rule),
        series=np.array(rule),
        unit=np.array(unit),
        start=begin,
        end=np.array([NEVER if at is None else at * MINUTE for at in end]),
        page=np.where(pages, begin, NEVER),
        keys={"service": places, "alertname": np.arange(len(rows)), "team": np.full(len(rows), -1)},
        real=np.ones(units, dtype=bool),
        why=np.full(units, "said", dtype=object),
        earlier=np.ones(units, dtype=bool),
    )


def effect(record: Any, rule: int, change: Change, *, limit_s: int = 300) -> Any:
    return State(record, max_later=limit_s).effect(rule, change).earlier


def test_delete_takes_alerts_and_pages_and_notify_pages_only() -> None:
    record = history([(0, 0, 0, 9, True), (1, 0, 3, 9, True), (0, 1, 60, 69, False), (0, 2, 90, 99, True)])
    gone, told = effect(record, 0, Change("delete")), effect(record, 0, Change("notify"))
    assert (gone.pages_saved, gone.alerts_saved, told.pages_saved, told.alerts_saved) == (2, 3, 2, 0)
    # unit 0 is caught 3 min later; of unit 1 nothing is left; of unit 2 nobody is paged
    assert (gone.missed, gone.late, gone.later_s) == (2, 1, 180.0)
    assert (told.missed, told.late, told.occasions) == (1, 1, 2)


def test_caught_later_than_the_limit_is_missed() -> None:
    record = history([(0, 0, 0, 9, True), (1, 0, 3, 9, True)])
    assert effect(record, 0, Change("notify"), limit_s=180).missed == 0
    assert effect(record, 0, Change("notify"), limit_s=179).missed == 1


def test_hold_spares_what_is_over_sooner_and_delays_the_rest() -> None:
    # 4 min: spared; exactly 5 min: still there when the wait is over; no end known: lasts
    record = history([(0, 0, 0, 4, True), (0, 1, 100, 105, True), (0, 2, 200, None, True)])
    held = effect(record, 0, Change("hold", 300))
    assert (held.pages_saved, held.alerts_saved, held.missed, held.late, held.later_max_s) == (1, 1, 1, 2, 300.0)


def test_debounce_keeps_the_first_page_of_a_run() -> None:
    # ends at 4, again at 9 (5 min later), over at 20, again at 21; then a quiet hour
    record = history(
        [(0, 0, 0, 4, False), (0, 0, 9, 20, True), (0, 0, 21, 22, True), (0, 1, 90, 95, True), (1, 0, 9, 9, True)]
    )
    state = State(record, max_later=300)
    found = state.effect(0, Change("debounce", 300))
    assert (found.earlier.pages_saved, found.earlier.alerts_saved, found.earlier.missed) == (1, 1, 0)
    assert found.page[:2].tolist() == [NEVER, 9 * MINUTE]
    apart = state.effect(0, Change("debounce", 240)).earlier
    assert (apart.pages_saved, apart.alerts_saved) == (1, 1)  # 21 follows 20; 9 begins anew


def test_group_joins_a_page_of_another_rule_within_the_time() -> None:
    record = history(
        [(1, 0, 0, 9, True), (0, 0, 5, 9, True), (0, 1, 50, 59, True), (1, 1, 51, 59, True), (0, 2, 56, 60, True)],
    )
    # 5 follows 0; 50 leads; 56 follows 51, but is an incident of its own, now hidden behind it
    joined = effect(record, 0, Change("group", 300, "service"))
    assert (joined.pages_saved, joined.alerts_saved, joined.missed) == (2, 0, 1)
    assert effect(record, 0, Change("group", 299, "service")).pages_saved == 0
    apart = history([(1, 0, 0, 9, True), (0, 0, 5, 9, True)], service=[0, 1])
    assert effect(apart, 0, Change("group", 300, "service")).pages_saved == 0
    assert effect(record, 0, Change("group", 300, "team")).pages_saved == 0  # nobody's team is known


def test_what_joined_a_page_rings_again_when_that_page_goes() -> None:
    record = history([(0, 0, 0, 9, True), (1, 0, 4, 9, True)])
    state = State(record, max_later=300)
    group = Change("group", 300, "service")
    state.take(1, group, state.effect(1, group))
    assert state.page.tolist() == [0, NEVER]
    gone = state.effect(0, Change("notify"))
    state.take(0, Change("notify"), gone)
    assert state.page.tolist() == [NEVER, 4 * MINUTE]
    assert (gone.earlier.pages_saved, gone.earlier.missed, gone.earlier.late) == (0, 0, 1)


def test_two_that_join_each_other_do_not_both_fall_silent() -> None:
    record = history([(0, 0, 0, 9, True), (1, 0, 0, 9, True)])
    state, group = State(record, max_later=300), Change("group", 300, "service")
    state.take(0, group, state.effect(0, group))
    assert state.effect(1, group).earlier.missed == 0
    state.take(1, group, state.effect(1, group))
    assert (state.page < NEVER).any()


@pytest.mark.parametrize("kind", ["delete", "notify"])
def test_trying_changes_nothing(kind: str) -> None:
    record = history([(0, 0, 0, 9, True), (1, 0, 3, 9, True)])
    state = State(record, max_later=300)
    state.effect(0, Change(kind))
    assert state.alive.all()
    assert (state.page == record.page).all()
