from __future__ import annotations

import math

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.reliability.objectives.measured import percent
from tests.reliability.objectives.tables_of import START, counts, promised


def month(bad: float, **more: object) -> pd.DataFrame:
    return counts([bad] * 720, step="1h", **more)


def test_attained_budget_burn_and_exhaustion_by_hand() -> None:
    # 720 h of 1,000 requests, 0.5 failures an hour for 29 days, 4 for the last day: 720000, 348 + 96 = 444 failed
    table = counts([0.5] * 696 + [4.0] * 24, step="1h")
    row = sl.measure_objectives(table, objectives=promised()).objectives.loc[0]
    assert (row["total"], row["bad"], row["allowed"]) == (720_000, 444, pytest.approx(720))
    assert row["attained"] == pytest.approx(100 * (1 - 444 / 720_000))
    assert (row["spent"], row["left"]) == (pytest.approx(444 / 720), pytest.approx(276 / 720))
    assert row["burn_day"] == pytest.approx(4.0)  # 0.004 / 0.001
    # left * P / b = 276 / 720 * 720 h / 4 = 69 h
    assert row["exhausted_at"] == row["at"] + pd.Timedelta("69h")


def test_spent_is_burn_times_counted_time_over_the_window() -> None:
    # 72 h of a 720 h window at burn 2: 2 * 72 / 720
    row = sl.measure_objectives(counts([2] * 72, step="1h"), objectives=promised()).objectives.loc[0]
    assert row["spent"] == pytest.approx(0.2)
    assert "counted for 3 d of it" in row["words"]


def test_burn_rates_of_windows() -> None:
    table = counts([0] * 708 + [10.0] * 12, step="1h")
    burn = sl.measure_objectives(table, objectives=promised()).burn.set_index("window")
    assert burn.loc["6h", "burn"] == pytest.approx(10.0)
    assert burn.loc["6h", "spent"] == pytest.approx(10 * 6 / 720)
    assert burn.loc["24h", "burn"] == pytest.approx(5.0)
    assert burn.loc["24h", "lasts_s"] == pytest.approx(720 * 3600 / 5)
    assert not burn.loc["5m", "judged"]
    assert burn.loc["5m", "words"] == "5m: not judged, counts come every 60 min, too rarely for it"


@pytest.mark.parametrize(
    ("bad", "verdict"),
    [
        ([0.5] * 720, "ship"),
        ([0.8] * 720, "slow down"),
        ([1.2] * 720, "freeze"),
        ([0] * 714 + [20] * 6, "freeze"),  # a page fires now
    ],
)
def test_ship_slow_down_or_freeze(bad: list[float], verdict: str) -> None:
    found = sl.measure_objectives(counts(bad, step="1h"), objectives=promised())
    assert found.statements["verdict"].tolist() == [verdict]
    assert "freeze: all of the error budget is spent" in found.definition


def test_too_few_requests_are_not_judged_and_the_arithmetic_is_said() -> None:
    # 10 an hour, 7,200 in the window, 10,000 needed; one failure is a burn rate of 1 / 7200 / 0.001 and 13.9 %
    found = sl.measure_objectives(month(0, total=10), objectives=promised())
    assert found.statements["verdict"].tolist() == ["cannot judge"]
    said = found.objectives.loc[0, "words"]
    assert "7,200 requests are too few to judge, at least 10,000 are needed" in said
    assert "spend 13.9% of the error budget" in said
    assert sl.measure_objectives(month(0, total=10), objectives=promised(), min_total=100).objectives["judged"].all()


def test_what_was_not_seen_is_no_success() -> None:
    table = month(0.5).drop(index=range(100, 172))
    found = sl.measure_objectives(table, objectives=promised())
    row = found.objectives.loc[0]
    assert row["seen"] == pytest.approx(0.9)
    assert row["worst"] == pytest.approx(row["attained"] * 0.9)
    assert "Answers: shop was seen for 90.0% of the time" in found.unseen


def test_failures_in_bursts_make_the_interval_wider() -> None:
    even = sl.measure_objectives(month(1), objectives=promised()).objectives.loc[0]
    burst = sl.measure_objectives(counts([0] * 696 + [30] * 24, step="1h"), objectives=promised()).objectives.loc[0]
    assert even["attained"] == pytest.approx(burst["attained"])
    assert burst["high"] - burst["low"] > 3 * (even["high"] - even["low"])


def test_an_instant_before_sees_nothing_of_what_comes() -> None:
    table = counts([0.5] * 720 + [50] * 24, step="1h")
    then = sl.measure_objectives(table, objectives=promised(), at=START + pd.Timedelta("720h"))
    pd.testing.assert_frame_equal(then.objectives, sl.measure_objectives(table[:720], objectives=promised()).objectives)
    with pytest.raises(ParameterError, match="nothing was counted before"):
        sl.measure_objectives(table, objectives=promised(), at="2020-01-01")


def test_the_zone_is_checked_and_named() -> None:
    assert "Asia/Tokyo" in sl.measure_objectives(month(1), objectives=promised(), tz="Asia/Tokyo").definition
    with pytest.raises(ParameterError, match="no time zone"):
        sl.measure_objectives(month(1), objectives=promised(), tz="Mars/Base")


def test_shown_in_a_notebook_everything_is_escaped_and_small() -> None:
    hostile = "<script>alert(1)</script>"
    table = pd.concat([counts([1] * 3, total=1e6, step="10D", service=f"{hostile}{n}") for n in range(31)])
    found = sl.measure_objectives(table, objectives=promised(service="*", name=hostile))
    shown = found._repr_html_()
    assert "<script" not in shown
    assert len(shown) < 50_000
    assert repr(found) == "Reliability(31 objectives, 31 ship)"


ALERTS = pd.DataFrame(
    {
        "service": ["shop"] * 5 + ["db"],
        "rule_key": ["a", "b", "a", "c", "c", "d"],
        "severity": ["error", "critical", "error", "error", "warning", "info"],
        "starts_at": [START + pd.Timedelta(hours=h) for h in (0, 0.5, 4, 6, 8, 0)],
        "ends_at": [START + pd.Timedelta(hours=h) if h else None for h in (1, 2, 5, None, None, 100)],
    }
)


def test_alert_time_is_the_union_of_grave_alerts() -> None:
    # 0 to 2 h and 4 to 5 h of 100 h: 3 h bad; with c, open from 6 h to the end (100 h) at most, 97 h
    found = sl.objectives_from_alerts(ALERTS, objective=99)
    row = found.objectives.set_index("service").loc["shop"]
    assert (row["bad"], row["total"], row["kind"]) == (3 * 3600, 100 * 3600, "alert time")
    assert (row["attained"], row["high"], row["low"]) == (pytest.approx(97), pytest.approx(97), pytest.approx(3))
    assert any("a proxy" in said for said in found.unseen)
    assert any(said.startswith("shop: 1 alert without an end excluded") for said in found.unseen)


def test_an_open_alert_lasted_at_most_until_its_rule_fired_again() -> None:
    again = ALERTS.assign(severity="error")
    row = sl.objectives_from_alerts(again[again["service"] == "shop"], at=START + pd.Timedelta("10h")).objectives.loc[0]
    # c from 6 to 8 h, again from 8 h to 10 h: 3 h + 4 h of 10 h
    assert row["low"] == pytest.approx(30)


def test_a_service_without_grave_alerts_kept_everything() -> None:
    row = sl.objectives_from_alerts(ALERTS).objectives.set_index("service").loc["db"]
    assert (row["bad"], row["attained"], math.isnan(row["burn_day"])) == (0, 100, False)


def test_where_no_severity_is_stated_every_alert_counts_and_that_is_said() -> None:
    plain, grave = (ALERTS.assign(severity=word) for word in (None, "error"))
    found = sl.objectives_from_alerts(plain, objective=99)
    assert found.objectives["bad"].tolist() == sl.objectives_from_alerts(grave, objective=99).objectives["bad"].tolist()
    assert found.objectives["bad"].max() > 0
    assert any("no severity is stated, so every alert counts" in said for said in found.unseen)


def test_objectives_of_teams_apply_to_alert_time_too() -> None:
    found = sl.objectives_from_alerts(ALERTS, objectives=promised(95, window="7D"))
    assert found.objectives[["service", "objective"]].to_numpy().tolist() == [["shop", 95.0]]


def test_sessions_are_called_sessions_wherever_they_are_counted() -> None:
    both = pd.concat([month(1, indicator="sessions"), month(1, service="api")])
    wanted = [promised(99.9, kind="session"), promised(service="api", name="Api")]
    found = sl.measure_objectives(both, objectives=wanted)
    assert found.objectives.set_index("service")["unit"].to_dict() == {"shop": "session", "api": "request"}
    said = found.statements.set_index("service")["words"]
    assert "720,000 sessions" in said["shop"]
    assert "720,000 requests" in said["api"]
    assert "n = 720,000 sessions of 1 service and 720,000 requests of 1 service" in found.definition
    assert found.burn.set_index("service").loc["shop", "words"].str.contains("sessions|not judged").all()
    assert sl.measure_objectives(month(1, indicator="sessions"), objectives=wanted[0]).unit == "session"
    few = sl.measure_objectives(month(0, total=10, indicator="sessions"), objectives=wanted[0])
    assert "7,200 sessions are too few to judge" in few.statements.loc[0, "words"]


def test_what_the_whole_window_spent_is_what_the_objective_says() -> None:
    # 72 h of a 720 h window at burn 2: a fifth of the budget, not twice all of it
    found = sl.measure_objectives(counts([2] * 72, step="1h"), objectives=promised())
    assert found.burn.set_index("window").loc["30d", "spent"] == pytest.approx(0.2)
    assert "20.0% of the error budget" in found.burn.set_index("window").loc["30d", "words"]


@pytest.mark.parametrize(("value", "said"), [(99.9996, "99.999"), (100.0, "100.000"), (99.9, "99.900"), (0.0, "0.000")])
def test_nines_are_cut_and_never_rounded_up(value: float, said: str) -> None:
    assert percent(value) == said


def test_a_service_whose_open_alert_may_have_spent_the_budget_is_not_called_fine() -> None:
    # c of the shop never ended: 97 % without it, 3 % had it lasted
    found = sl.objectives_from_alerts(ALERTS, objective=90)
    said = found.statements.set_index("service").loc["shop"]
    assert said["verdict"] == "cannot judge"
    assert "had each lasted as long as can be, only 3.000 % was attained" in said["words"]
    ended = sl.objectives_from_alerts(ALERTS.dropna(subset="ends_at"), objectives=promised(90))
    assert ended.statements.set_index("service").loc["shop", "verdict"] == "ship"


def test_seconds_of_alert_time_do_not_say_how_sure_they_are() -> None:
    found = sl.objectives_from_alerts(ALERTS, objectives=promised(99, service="*"))
    assert found.objectives["kept"].isna().all()
    assert not found.statements["words"].str.contains("how sure").any()
    assert found.statements.set_index("service").loc["db", "words"].endswith("(from 4 d; known for 4 d of 30 d only).")


def test_promises_to_services_that_never_alert_are_said() -> None:
    found = sl.objectives_from_alerts(ALERTS, objectives=[promised(95), promised(95, service="nowhere")])
    assert any("no alert is of nowhere, so nothing is known" in said for said in found.unseen)
    with pytest.raises(UnknownNameError, match="nowhere"):
        sl.objectives_from_alerts(ALERTS, objectives=promised(95, service="nowhere"))
    assert any("states a service" in said for said in sl.objectives_from_alerts(ALERTS.assign(service=None)).unseen)


def test_where_nobody_promised_there_is_no_verdict_but_the_time_under_alerts() -> None:
    ended = ALERTS.dropna(subset="ends_at")
    found = sl.objectives_from_alerts(ended)  # 3 h of 100 h; 99.9 % of 30 d would allow 43 min
    assert found.statements["verdict"].tolist() == ["nobody promised"] * 2
    assert found.statements["service"].tolist() == ["shop", "db"]  # the longest under alerts first
    said = found.words[0]
    assert said.startswith("shop: under alerts 3 h of 4 d. Nobody promised anything: 99.9 % over 30 d is assumed")
    assert "would allow 43 min; no more than 4 d is known" in said
    assert "freeze" not in found.definition
    assert repr(found) == "Reliability(2 objectives, 2 nobody promised)"


def test_alert_time_of_less_than_the_window_freezes_nothing() -> None:
    ended = ALERTS.dropna(subset="ends_at")
    short = sl.objectives_from_alerts(ended, objectives=promised(99.9)).statements.loc[0]
    assert short["verdict"] == "slow down"
    assert "too short for a freeze by alert time" in short["words"]
    whole = sl.objectives_from_alerts(ended, objectives=promised(99.9), since=START - pd.Timedelta("30D")).statements
    assert whole["verdict"].tolist() == ["freeze"]


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        ("2030-01-01", "cannot judge"),
        (START + pd.Timedelta("28D"), "cannot judge"),
        (START + pd.Timedelta("6D"), "ship"),
    ],
)
def test_long_after_the_last_alert_nothing_can_be_judged(at: object, verdict: str) -> None:
    ended = ALERTS.dropna(subset="ends_at")
    found = sl.objectives_from_alerts(ended, objectives=promised(95), at=at)
    assert found.statements["verdict"].tolist() == [verdict]
    assert any(said.startswith("no alert is known in the last") for said in found.unseen)


def test_a_budget_that_is_spent_to_the_last_is_spent_and_not_overspent() -> None:
    found = sl.measure_objectives(month(1), objectives=promised())  # 1 of 1,000 of 99.9 %: burn rate 1
    assert found.statements["verdict"].tolist() == ["freeze"]
    assert "all of the error budget is spent" in found.words[0]
