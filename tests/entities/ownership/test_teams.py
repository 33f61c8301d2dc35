from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import ParameterError, SchemaError

START = pd.Timestamp("2026-03-01T00:00Z")


def at(*minutes_and_teams: tuple[float, str | None], service: str | None = None) -> pd.DataFrame:
    times = [START + pd.Timedelta(minutes=minute) for minute, _ in minutes_and_teams]
    teams = [team for _, team in minutes_and_teams]
    return pd.DataFrame({"starts_at": times, "team": teams, "service": service or teams})


def test_each_alert_counts_once_however_many_are_near() -> None:
    alerts = at((0, "shop"), (1, "pay"), (2, "pay"), (3, "pay"), (60, "shop"))
    found = sl.relate_teams(alerts)
    assert found[["team", "other", "together", "of_alerts", "days"]].values.tolist() == [["pay", "shop", 4, 5, 1]]
    assert found["words"][0].startswith("4 of their 5 alerts began within 5 min of an alert of the other, on 1 day, ")
    assert found["words"][0].endswith("too few to tell from chance")


def test_the_window_includes_its_end_and_may_cross_midnight() -> None:
    alerts = at((1437, "shop"), (1442, "pay"))
    assert sl.relate_teams(alerts, within="5min")["together"].tolist() == [2]
    assert sl.relate_teams(alerts, within="299s").empty


def test_expected_is_that_of_alerts_spread_evenly_over_each_day() -> None:
    alerts = at((0, "shop"), (1, "pay"), (600, "pay"), (1440 + 5, "shop"), (2 * 1440, "pay"))
    found = sl.relate_teams(alerts, within="10min").iloc[0]
    reach = 2 * 10 / 1440
    expected = 1 * (1 - math.exp(-2 * reach)) + 2 * (
        1 - math.exp(-1 * reach)
    )  # the first day; the others have one team
    assert found["expected"] == pytest.approx(expected)
    assert found["lift"] == pytest.approx(2 / expected)


def test_independent_teams_have_a_lift_near_one() -> None:
    random = np.random.default_rng(0)
    minutes = random.uniform(0, 60 * 1440, size=4000)
    alerts = at(*zip(minutes, random.choice(["shop", "pay"], size=4000), strict=True), service="web")
    assert sl.relate_teams(alerts)["lift"][0] == pytest.approx(1, abs=0.1)


def test_teams_that_share_a_service_are_a_pair_without_a_time_together() -> None:
    alerts = at((0, "shop"), (600, "pay"), service="web")
    found = sl.relate_teams(alerts).iloc[0]
    assert (found["together"], found["shared_services"]) == (0, ["web"])
    assert found["words"] == "never paged within 5 min of each other; both are paged for web"
    owned = pd.DataFrame({"service": ["web"], "team": ["shop"]})
    declared = sl.relate_teams(at((0, "pay"), service="web"), catalog=owned)
    assert declared[["team", "other", "shared_services"]].values.tolist() == [["pay", "shop", ["web"]]]


def test_the_catalogue_says_whose_alerts_without_a_team_are() -> None:
    alerts = at((0, None), (1, "pay"), service="web").assign(service=["web", "cards"])
    owned = pd.DataFrame({"service": ["web"], "team": ["shop"]})
    assert sl.relate_teams(alerts).empty
    assert sl.relate_teams(alerts, catalog=owned)["together"].tolist() == [2]


def test_a_name_paged_to_very_many_teams_is_no_service_they_share() -> None:
    alerts = at(*((600 * k, f"crew{k:02d}") for k in range(31)), service="default")
    assert sl.relate_teams(alerts).empty


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.sampled_from(["shop", "pay", "ops", None])), max_size=40),
    st.integers(1, 90),
)
def test_counts_are_those_of_looking_at_every_pair(rows, width) -> None:
    found = sl.relate_teams(at(*rows), within=f"{width}min").set_index(["team", "other"])["together"]
    known = [(minute, team) for minute, team in rows if team]
    for team, other in (("pay", "shop"), ("ops", "shop"), ("ops", "pay")):
        mine = {team: other, other: team}
        near = [m for m, t in known if t in mine and any(u == mine[t] and abs(m - n) <= width for n, u in known)]
        assert found.get((team, other), 0) == len(near)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 1439), st.sampled_from(["shop", "pay"])), max_size=20))
def test_counts_of_far_apart_histories_add_up(rows) -> None:
    one, later = at(*rows), at(*((minute + 10 * 1440, team) for minute, team in rows))
    columns = ["together", "of_alerts", "expected", "days"]
    apart = sl.relate_teams(one)[columns].sum() * 2
    both = sl.relate_teams(pd.concat([one, later], ignore_index=True))[columns].sum()
    assert both.tolist() == pytest.approx(apart.tolist())


@pytest.mark.parametrize(
    "alerts",
    [
        schema.empty(schema.ALERTS),
        pd.DataFrame({"starts_at": [None, None], "team": ["a", "b"]}),
        at((0, None), (1, None)),
        at((0, "shop"), (1, "shop")),
    ],
)
def test_nothing_together_is_an_empty_table(alerts: pd.DataFrame) -> None:
    found = sl.relate_teams(alerts)
    assert found.empty
    assert found.columns.tolist() == schema.TEAM_PAIRS.names


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ParameterError, match="within='2D' is longer than a day"):
        sl.relate_teams(at((0, "shop")), within="2D")
    with pytest.raises(SchemaError, match="column 'starts_at' is missing"):
        sl.relate_teams(pd.DataFrame({"team": ["shop"]}))


def test_teams_are_told_with_what_they_own_and_those_that_own_nothing() -> None:
    alerts = pd.DataFrame({"service": ["web", "db", "db"], "team": ["shop", "pay", "pay"]})
    owned = pd.DataFrame({"service": ["web", "db"], "team": ["shop", "shop"], "repository": ["a/web", "a/db"]})
    found = sl.summarize_teams(alerts, catalog=owned).set_index("team")
    assert found["services"].to_dict() == {"pay": [], "shop": ["db", "web"]}
    assert found.loc["shop", "repositories"] == ["a/db", "a/web"]
    assert found["words"].to_dict() == {
        "pay": "owns nothing, and is paged for db",
        "shop": "owns 2 services with 3 alerts",
    }
    assert sl.summarize_teams(pd.DataFrame()).columns.tolist() == schema.TEAMS.names
