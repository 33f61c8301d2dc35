from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError

ROWS = (
    ("a", "cart", "10:01", True),
    ("a", "pay", "10:02", True),
    ("b", "cart", "10:05", True),
    ("b", "pay", "10:06", False),
    ("b", "pay", "10:07", True),
    ("a", "cart", "11:10", False),  # the same user an hour later: another session
    ("c", "cart", "12:20", True),  # may still go on
)
STEPS = pd.DataFrame(ROWS, columns=["session", "step", "at", "ok"]).assign(
    at=lambda t: pd.to_datetime("2026-03-01T" + t["at"] + "Z")
)


def counts(**more: object) -> list[list[float]]:
    return sl.session_indicators(STEPS, service="web", **more)[["good", "total"]].to_numpy().tolist()


def test_a_session_is_good_without_a_failed_step() -> None:
    assert counts() == [[1, 2], [0, 1], [0, 0]]


def test_a_retry_may_be_forgiven() -> None:
    assert counts(retries="forgive") == [[2, 2], [0, 1], [0, 0]]


def test_a_longer_pause_keeps_a_session_together() -> None:
    # of a, from 10:01 to 11:10, one step failed; it and c may still go on at 12:20
    assert counts(idle="2h") == [[0, 1], [0, 0], [0, 0]]


def test_what_was_counted_is_said() -> None:
    made = sl.session_indicators(STEPS, service="web")
    assert "n = 3" in made.attrs["definition"]
    assert made.attrs["unseen"] == ["1 session may still go on and is left out"]


def test_counts_per_session() -> None:
    table = pd.DataFrame({"session": ["a", "b"], "at": STEPS["at"][:2], "steps": [3, 2], "failed": [0, 1]})
    made = sl.session_indicators(table, service="web")
    assert made[["good", "total"]].to_numpy().tolist() == [[1, 2]]
    with pytest.raises(SchemaError, match="from 0 to `steps`"):
        sl.session_indicators(table.assign(failed=5), service="web")


def test_sessions_are_measured_like_requests() -> None:
    made = sl.session_indicators(STEPS, service="web")
    promised = sl.Objective(name="Sessions", service="web", objective=50, kind="session")
    row = sl.measure_objectives(made, objectives=promised).objectives.loc[0]
    assert (row["good"] if "good" in row else row["total"] - row["bad"], row["total"]) == (1, 3)


def test_the_order_of_steps_in_the_table_does_not_matter() -> None:
    turned = sl.session_indicators(STEPS.iloc[::-1], service="web")
    pd.testing.assert_frame_equal(turned, sl.session_indicators(STEPS, service="web"))
