from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.reliability.load import measuring, response


def did(*rows: tuple[str, str, str, int, str]) -> pd.DataFrame:
    """Return engagements from (at, kind, person, row of the page, when that page ended)."""
    table = pd.DataFrame(rows, columns=["at", "kind", "person", "row", "ended_at"])
    table = table.assign(page=table["row"].astype("str"), team="web")
    return table.assign(**{name: pd.to_datetime(table[name], utc=True) for name in ("at", "ended_at")})


def nobody() -> pd.DataFrame:
    return measuring.did(None).assign(row=pd.Series(dtype="int64"), ended_at=pd.Series(dtype="datetime64[us, UTC]"))


def all_teams(pages: pd.DataFrame, engagements: pd.DataFrame, definition: str) -> pd.DataFrame:
    table = response.table(pages, engagements, definition=definition)
    return table[table["team"].isna()].set_index("measure")


def test_pagerduty_measures_pages_that_were_acknowledged_and_resolved(pages: pd.DataFrame) -> None:
    found = all_teams(pages, nobody(), "pagerduty")
    ack = found.loc["time to acknowledge"]  # 2 and 6 min
    assert ack[["mean_s", "median_s", "n", "n_open", "n_excluded"]].tolist() == [240, 240, 2, 1, 0]
    assert ack["p90_s"] == pytest.approx(120 + 0.9 * 240)
    resolve = found.loc["time to resolve"]  # 30 and 60 min
    assert resolve[["mean_s", "n", "n_open", "n_excluded"]].tolist() == [2700, 2, 1, 0]


def test_pagerduty_engagement_counts_people(pages: pd.DataFrame) -> None:
    people = did(
        ("2026-03-02T10:02Z", "acknowledged", "A", 0, "2026-03-02T10:30Z"),
        ("2026-03-02T10:03Z", "asked", "B", 0, "2026-03-02T10:30Z"),
        ("2026-03-02T10:07Z", "joined", "B", 0, "2026-03-02T10:30Z"),
        ("2026-03-02T10:16Z", "acknowledged", "A", 1, "2026-03-02T11:10Z"),
    )
    found = all_teams(pages, people, "pagerduty")
    assert found.loc["time to engage", ["mean_s", "n", "n_excluded"]].tolist() == [300, 1, 2]  # 10:02 to 10:07
    assert found.loc["time to mobilize", ["mean_s", "n"]].tolist() == [420, 1]  # 10:00 to 10:07
    # page 0: 28 + 23 min, page 1: 54 min
    assert found.loc["engaged", ["mean_s", "n", "n_open"]].tolist() == [(51 + 54) * 60 / 2, 2, 1]


def test_moogsoft_begins_with_the_first_alert_and_wants_a_person(pages: pd.DataFrame) -> None:
    people = did(
        ("2026-03-02T10:00Z", "assigned", "A", 0, "2026-03-02T10:30Z"),  # by the pager: not counted
        ("2026-03-02T10:02Z", "acknowledged", "A", 0, "2026-03-02T10:30Z"),
        ("2026-03-02T11:10Z", "resolved", "A", 1, "2026-03-02T11:10Z"),
    )
    found = all_teams(pages, people, "moogsoft")
    assert found.loc["time to acknowledge", ["mean_s", "n", "n_open", "n_excluded"]].tolist() == [180, 1, 1, 0]
    assert found.loc["time to resolve", ["mean_s", "n", "n_open"]].tolist() == [71 * 60, 1, 1]


def test_moogsoft_leaves_out_what_a_machine_resolved(pages: pd.DataFrame) -> None:
    people = did(("2026-03-02T10:30Z", "resolved", None, 0, "2026-03-02T10:30Z"))
    found = all_teams(pages, people, "moogsoft")
    assert found.loc["time to resolve", ["n", "n_open", "n_excluded"]].tolist() == [0, 1, 1]


def test_keep_rounds_means_up_to_a_whole_second(pages: pd.DataFrame) -> None:
    later = pages.assign(ended_at=pages["ended_at"] + pd.Timedelta("100ms"))
    found = all_teams(later, nobody(), "keep")
    assert found.loc["time to detect", ["mean_s", "n"]].tolist() == [90, 2]  # 60 and 120 s
    assert found.loc["time to resolve", ["mean_s", "n", "n_open"]].tolist() == [71 * 60 + 1, 1, 1]


def test_ours_begins_with_the_alert_and_ends_with_its_recovery(pages: pd.DataFrame) -> None:
    found = all_teams(pages, nobody(), "ours")
    assert found.loc["time to acknowledge", ["mean_s", "n", "n_open"]].tolist() == [120, 1, 1]
    assert found.loc["time to resolve", ["mean_s", "n", "n_open"]].tolist() == [70 * 60, 1, 1]


def test_all_definitions_stand_side_by_side_and_per_team(pages: pd.DataFrame) -> None:
    table = response.table(pages.assign(team=["web", "web", "db"]), nobody(), definition="all")
    assert table["definition"].unique().tolist() == list(response.CHOICES)
    teams = table[(table["definition"] == "pagerduty") & (table["measure"] == "time to resolve")]
    assert teams["team"].fillna("all").tolist() == ["all", "db", "web"]
    assert teams["n"].tolist() == [2, 0, 2]


def test_an_end_before_the_start_is_excluded_and_counted(pages: pd.DataFrame) -> None:
    wrong = pages.assign(ended_at=pages["at"] - pd.Timedelta("1min"))
    row = all_teams(wrong, nobody(), "pagerduty").loc["time to resolve"]
    assert row[["n", "n_open", "n_excluded"]].tolist() == [0, 0, 3]
    assert row["words"] == "ended before it began: 3 excluded"
