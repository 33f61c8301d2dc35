from __future__ import annotations

import math

import pandas as pd
import pytest

from stanza_lab.reliability.load import limits


def judged(*, incidents: list[int], people: int = 0, weeks: int = 4, engaged_h: float = 0.0) -> pd.DataFrame:
    shifts = pd.DataFrame({"team": "web", "incidents": incidents, "limit": 2.0, "whole": True})
    shifts["over"] = shifts["incidents"] > 2
    who = [f"p{i % max(people, 1)}" for i in range(max(people, weeks) if people else 0)]
    at = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta([7 * (i % weeks) for i in range(len(who))], unit="D")
    called = pd.DataFrame({"who": who, "team": "web", "at": at})
    staff = pd.DataFrame({"team": ["web"], "engaged_h": [engaged_h]})
    return limits.table(shifts, staff, called, weeks=weeks).set_index("limit")


@pytest.mark.parametrize(
    ("incidents", "verdict"), [([0, 2], "within"), ([0, 3], "not always"), ([3, 4], "not within"), ([], "not known")]
)
def test_two_incidents_a_shift_are_allowed(incidents: list[int], verdict: str) -> None:
    if not incidents:
        shifts = pd.DataFrame({"team": ["web"], "incidents": [1], "limit": 2.0, "whole": False, "over": False})
        called = pd.DataFrame({"who": [], "team": [], "at": pd.to_datetime([], utc=True)})
        found = limits.table(shifts, pd.DataFrame({"team": [], "engaged_h": []}), called, weeks=1).set_index("limit")
    else:
        found = judged(incidents=incidents)
    assert found.loc["paging incidents per shift", "verdict"] == verdict


@pytest.mark.parametrize(("people", "verdict"), [(0, "not known"), (3, "not known"), (4, "within"), (5, "within")])
def test_four_who_take_turns_are_on_call_a_quarter_of_the_time(people: int, verdict: str) -> None:
    assert judged(incidents=[0], people=people).loc["share of time on call", "verdict"] == verdict


@pytest.mark.parametrize(
    ("people", "weeks", "verdict"), [(8, 9, "within"), (4, 8, "not within"), (4, 7, "not known"), (0, 8, "not known")]
)
def test_fewer_than_eight_is_said_once_all_would_have_been_seen(people: int, weeks: int, verdict: str) -> None:
    found = judged(incidents=[0], people=people, weeks=weeks)
    assert found.loc["people who take turns", "verdict"] == verdict


def test_toil_is_a_share_of_worked_hours_and_no_verdict() -> None:
    assert limits.toil_share(16, 160) == 0.1
    assert math.isnan(limits.toil_share(16, 0))
    row = judged(incidents=[0], people=4, weeks=4, engaged_h=64.0).loc["share of work on operations"]
    assert row[["value", "verdict", "n"]].tolist() == [0.1, "not known", 640]  # 4 people, 4 weeks, 40 h
    assert "10.0% of 640 worked hours" in row["words"]
