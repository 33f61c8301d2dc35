from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from stanza_lab.errors import ParameterError
from stanza_lab.incidents.paging import NO_PAGER
from stanza_lab.patterns.seen_before import occurrence_of
from tests.patterns.unfolded import HISTORY, STEPS_TABLE, alerts, cascade, known

NOW = alerts(cascade(9, "04-01", "db", "api"))


def test_it_says_how_often_when_last_and_what_happened_each_time() -> None:
    found = known().seen_before(NOW)
    row = found.iloc[0]
    assert (row["pattern"], row["times"], row["last"]) == ("P-1", 4, pd.Timestamp("2026-03-07T02:00Z"))
    assert row["match"] == pytest.approx(2 / 3)
    assert row["next"] == ["web: latency"]
    assert row["words"].split("; ") == [
        "seen before: 4 times (incidents 0, 1, 2, 3), last on 2026-03-07 02:00 UTC",
        "each time somebody was paged, about 4 min after its first alert",
        "it ended: by itself (2 of 4), after somebody took it (1 of 4), open (1 of 4)",
        "half of its alerts had recovered after 10 min (median, known of 3)",
        "2 of its 3 core members are here, too few to call it the same",
        "web: latency came in 100% of all times, 4 min after the first alert",
    ]


def test_without_a_pager_nobody_is_said_to_have_been_paged() -> None:
    ruled = replace(
        known(), known={**known().known, "page": f"{NO_PAGER}: a page is an alert of severity error or worse"}
    )
    assert "each time an alert came that would page, about 4 min" in ruled.seen_before(NOW)["words"].iloc[0]
    never = replace(ruled, occurrences=ruled.occurrences.assign(lead_s=float("nan")))
    assert "each time nothing came that would page" in never.seen_before(NOW)["words"].iloc[0]


def test_with_less_than_half_of_the_core_here_it_is_another_thing() -> None:
    assert known().seen_before(NOW.head(1)).empty  # one of three
    two = replace(known(), steps=STEPS_TABLE.assign(core=[True, True, False]))
    found = two.seen_before(NOW.head(1))  # one of two
    assert "1 of its 2 core members is here, too few to call it the same" in found["words"].iloc[0]
    only_optional = replace(known(), steps=STEPS_TABLE.assign(core=[False, True, True]))
    assert only_optional.seen_before(NOW.head(1)).empty


def test_only_what_happened_before_the_incident_counts() -> None:
    third = HISTORY[HISTORY["incident_id"] == 2]
    found = known().seen_before(third)
    assert found[["times", "last"]].values.tolist() == [[2, pd.Timestamp("2026-03-03T02:00Z")]]
    assert known().seen_before(HISTORY[HISTORY["incident_id"] == 0]).empty


def test_alerts_may_come_without_a_number_but_not_of_several_incidents() -> None:
    pd.testing.assert_frame_equal(known().seen_before(NOW.drop(columns="incident_id")), known().seen_before(NOW))
    with pytest.raises(ParameterError, match="alerts are of 6 incidents"):
        known().seen_before(HISTORY)


def test_nothing_known_of_it_is_no_row() -> None:
    assert known().seen_before(alerts(cascade(9, "04-01", "search"))).empty
    assert known().seen_before(NOW.head(0)).empty


def test_an_incident_that_is_itself_an_occurrence_says_which() -> None:
    (said,) = occurrence_of(known(), 0)
    assert said == (
        "it is an occurrence of P-1 (db latency, then api latency), the first of 4 times; it came again later "
        "(incidents 1, 2, 3)"
    )
    assert occurrence_of(known(), 3) == ["it is an occurrence of P-1 (db latency, then api latency), time 4 of 4"]
    assert occurrence_of(known(), 5) == []
