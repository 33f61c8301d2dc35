from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.errors import ParameterError
from tests.patterns.unfolded import alerts, cascade, known

NOW = alerts(cascade(9, "04-01", "db", "api", "web"))


def test_prefixes_count_what_began_so_and_what_of_it_was_the_pattern() -> None:
    learned = known().prefixes
    assert learned is not None
    assert learned[["kinds", "whole", "showed", "were"]].values.tolist() == [
        [[], False, 6, 4],
        [["db: latency"], False, 6, 4],
        [["db: latency", "api: latency"], False, 5, 4],
        [["db: latency", "api: latency", "web: latency"], False, 4, 4],
        [[], True, 4, 4],
    ]


def test_probability_is_the_count_drawn_towards_what_was_known_one_member_earlier() -> None:
    found = known().recognise(NOW, min_confidence=0.7)
    at_first = (4 + 4 * 4 / 6) / (6 + 4)
    row = found.iloc[0]
    assert row["confidence"] == pytest.approx((4 + 4 * at_first) / (5 + 4))
    assert row["at"] == pd.Timestamp("2026-04-01T02:02Z")
    assert row["seen"] == ["db: latency", "api: latency"]
    assert not row["whole"]


def test_once_whole_it_is_counted_how_many_that_were_whole_were_the_pattern() -> None:
    row = known().recognise(NOW, min_confidence=0.8).iloc[0]
    at_second = (4 + 4 * 2 / 3) / (5 + 4)
    assert row["whole"]
    assert row["confidence"] == pytest.approx(max(5 / 6, (4 + 4 * at_second) / (4 + 4)))


def test_it_is_recognised_as_soon_as_it_is_sure_enough_and_says_how_long_before_the_page() -> None:
    found = known().recognise(NOW, min_confidence=0.6)
    row = found.iloc[0]
    assert row["at"] == pd.Timestamp("2026-04-01T02:00Z")
    assert row["confidence"] == pytest.approx(2 / 3)
    assert row["lead_s"] == 240.0
    assert row["words"] == (
        "db latency, then api latency: 0.67 at 2026-04-01 02:00:00 UTC; after db: latency; of 6 past incidents that "
        "began so, 4 were it; 4 min before the first page"
    )
    assert "severity error or worse" in found.attrs["definition"]


def test_nothing_that_fires_later_changes_what_was_said() -> None:
    early, late = (known().recognise(table, min_confidence=0.6) for table in (NOW.head(1), NOW))
    assert late[["at", "confidence"]].equals(early[["at", "confidence"]])
    assert early["page_at"].isna().all()
    assert early["lead_s"].isna().all()


def test_what_never_gets_sure_enough_is_not_told() -> None:
    assert known().recognise(NOW, min_confidence=0.99).empty
    other = alerts(cascade(9, "04-01", "search", "mail"))
    assert known().recognise(other, min_confidence=0.0).empty


def test_a_beginning_never_seen_leaves_what_was_known() -> None:
    found = known().recognise(alerts(cascade(9, "04-01", "web")), min_confidence=0.5)
    assert found["confidence"].tolist() == [pytest.approx(4 / 6)]
    assert "no past incident began just so" in found["words"].iloc[0]


def test_patterns_without_prefixes_are_recognised_when_they_are_whole() -> None:
    found = known(learned=False).recognise(NOW)
    assert found["at"].tolist() == [pd.Timestamp("2026-04-01T02:04Z")]
    assert found["confidence"].tolist() == [pytest.approx(5 / 6)]  # 4 of 4, and one more of each kind


def test_the_order_of_rows_and_alerts_on_their_own_do_not_matter() -> None:
    noise = alerts(cascade(-1, "04-01", "db", "api", "web"))
    shuffled = pd.concat([NOW, noise]).sample(frac=1, random_state=1)
    plain = known().recognise(NOW, min_confidence=0.6)
    pd.testing.assert_frame_equal(known().recognise(shuffled, min_confidence=0.6), plain)


def test_no_alert_is_no_row_and_arguments_stay_as_they_are() -> None:
    empty = known().recognise(NOW.head(0))
    assert len(empty) == 0
    before = NOW.copy()
    known().recognise(NOW)
    pd.testing.assert_frame_equal(NOW, before)
    assert str(empty.dtypes["at"]) == "datetime64[us, UTC]"
    with pytest.raises(ParameterError, match="min_confidence"):
        known().recognise(NOW, min_confidence=2)


def test_the_pager_says_when_somebody_was_paged() -> None:
    now = alerts(cascade(9, "04-01", "db", "api")).assign(source="datadog", rule_key=["r1", "r2"])
    pages = now.head(1).assign(source="pagerduty", origin="datadog", labels='{"key":"r1"}')
    pages["starts_at"] += pd.Timedelta("3min")
    found = known().recognise(now, pages=pages)
    assert found["page_at"].tolist() == [pd.Timestamp("2026-04-01T02:03Z")]
    assert found.attrs["definition"] == "a page is an alert of pagerduty"
    assert known().recognise(now)["page_at"].isna().all()
