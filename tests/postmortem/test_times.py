"""Every time that a review gives, against the same by hand."""

from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from tests.postmortem import scenes
from tests.postmortem.scenes import at


def _times(made: sl.Review) -> dict[str, float]:
    return dict(zip(made.times["what"], made.times["seconds"], strict=True))


def test_times_are_those_counted_by_hand(found: sl.Review) -> None:
    assert _times(found) == {
        "first alert": 0,
        "first page": 3 * 60,  # 14:03 - 14:00
        "acknowledged": 2 * 60,  # TTA: 14:05 - 14:03
        "mitigated": 30 * 60,  # the database at 14:30; what sentry says has no end
        "recovered": 30 * 60,
        "pages resolved": 30 * 60,  # the later one: 14:35 - 14:05
    }
    assert found.times["at"].tolist() == [at(f"14:{minute}") for minute in ("00", "03", "05", "30", "30", "35")]


def test_each_time_says_how_it_is_counted(found: sl.Review) -> None:
    told = found.times.set_index("what")
    assert told.loc["acknowledged", "definition"].startswith("TTA = first acknowledgement")
    assert told.loc["recovered", "definition"].startswith("TTR (ours) = last recovery")
    assert told.loc["pages resolved", "definition"].startswith("TTR (PagerDuty) = resolved - triggered")
    assert told.loc["first page", "definition"].endswith("a page is an alert of pagerduty")
    assert "of 2 pages 1 without an acknowledgement" in told.loc["acknowledged", "words"]
    assert told.loc["recovered", "words"].endswith("not counted: 1 alert, its source never reports an end")


def test_mitigated_waits_for_what_is_severe_only(pinned: None) -> None:
    alerts = scenes.history()
    late = alerts["alertname"] == "Slow pages"
    made = sl.review(alerts.assign(ends_at=alerts["ends_at"].mask(late, at("15:00"))), incident=7)
    assert (_times(made)["mitigated"], _times(made)["recovered"]) == (30 * 60, 60 * 60)


def test_while_one_is_open_there_is_no_recovery(pinned: None) -> None:
    alerts = scenes.history()
    still = (alerts["alertname"] == "Slow queries") & (alerts["incident_id"] == 7)
    made = sl.review(alerts.assign(ends_at=alerts["ends_at"].mask(still)), incident=7)
    told = made.times.set_index("what")
    assert pd.isna(told.loc["recovered", "seconds"])
    assert told.loc["recovered", "words"].startswith("not known: of 3 alerts 1 never recovered")
    assert "Is it over? Which alerts are still right?" in made.questions["question"].tolist()


def test_without_a_pager_a_page_is_what_is_severe_and_nobody_knows_who(pinned: None) -> None:
    made = sl.review(scenes.history(), incident=7, production=scenes.production())
    told = made.times.set_index("what")
    assert told.loc["first page", "seconds"] == 0
    assert "no pager was exported" in told.loc["first page", "definition"]
    assert told.loc["pages resolved", "words"] == "not known: no pager was exported"
    assert "page" not in set(made.timeline["kind"])
    assert made.paged["team"].tolist() == ["storage", "orders"]
    assert made.paged["pages"].tolist() == [0, 0]
    assert set(made.paged["verdict"]) == {"not known"}
    assert "page" not in set(made.questions["topic"])


def test_nobody_paged_is_said_and_asked(pinned: None) -> None:
    quiet = scenes.pages().assign(starts_at=at("20:00"))
    made = sl.review(scenes.history(), incident=7, production=scenes.production(), pages=quiet)
    assert made.times.set_index("what").loc["first page", "words"].startswith("nobody was paged")
    assert "Should somebody have been paged?" in made.questions["question"].tolist()


@pytest.mark.parametrize("shift", ["1D", "400D"])
def test_durations_do_not_depend_on_the_date(found: sl.Review, shift: str) -> None:
    def later(table: pd.DataFrame) -> pd.DataFrame:
        times = [name for name in ("starts_at", "acked_at", "ends_at", "at") if name in table.columns]
        return table.assign(**{name: pd.to_datetime(table[name], utc=True) + pd.Timedelta(shift) for name in times})

    alerts = later(scenes.history())
    made = sl.review(alerts, incident=7, production=scenes.production(alerts), pages=later(scenes.pages()))
    assert _times(made) == _times(found)


def _recovering(minutes: list[int]) -> sl.Review:
    """Return the review of an incident of one rule whose alerts began at 14:00 and were over after so many minutes."""
    begin = at("14:00")
    table = pd.DataFrame({"ends_at": [begin + pd.Timedelta(minutes=lasted) for lasted in minutes]})
    names = [f"disk {number}" for number in range(len(minutes))]
    about = {"starts_at": begin, "service": "db", "severity": "error", "source": "datadog", "incident_id": 1}
    return sl.review(table.assign(alertname=names, **about), incident=1)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        ([30], "30 min, 1 alert: db: disk 0"),
        ([30, 30, 30], "of 3 alerts all over after 30 min; the last was db: disk 2"),
        ([20, 30, 40], "of 3 alerts half over after 30 min, all after 40 min; the last was db: disk 2"),
        # of ten the fifth and the ninth
        (
            [*range(5, 50, 5), 48],
            "of 10 alerts half over after 25 min, nine in ten after 45 min, all after 48 min; the last was db: disk 9",
        ),
        (
            [15, 15, 23, 60 * 24 * 19],
            "of 4 alerts half over after 15 min, all but 1 after 23 min; one alert lingered: db: disk 3, 19 d",
        ),
        (
            [10, 10, 10, 10, 600, 700],
            "of 6 alerts all but 2 over after 10 min; 2 alerts lingered, the last db: disk 5, 12 h",
        ),
        # ten times as long, and less than an hour longer; one of two cannot be told to linger
        ([2, 2, 61], "of 3 alerts half over after 2 min, all after 61 min; the last was db: disk 2"),
        ([15, 60 * 24 * 19], "of 2 alerts half over after 15 min, all after 19 d; the last was db: disk 1"),
    ],
)
def test_one_alert_that_lingers_does_not_stand_for_the_others(minutes: list[int], said: str) -> None:
    made = _recovering(minutes)
    told = made.times.set_index("what").loc["recovered"]
    assert told["words"] == said
    assert told["seconds"] == 60 * max(minutes)  # the definition stays: the last recovery
    assert any(sentence.startswith(said[0].upper() + said[1:]) for sentence in made.words)


def test_what_lingers_is_no_reason_to_call_the_incident_severe_for_weeks() -> None:
    assert any(said.endswith("nothing severe on after 23 min apart from what lingered.")
               for said in _recovering([15, 15, 23, 60 * 24 * 19]).words)  # fmt: skip


def test_nobody_paged_is_no_page_that_is_not_known(pinned: None) -> None:
    quiet = scenes.pages().assign(starts_at=at("20:00"))
    made = sl.review(scenes.history(), incident=7, production=scenes.production(), pages=quiet)
    assert "Nobody was paged, as far as this history tells." in made.words
    assert not any("irst page: not known" in said for said in made.words)
    asked = made.questions[made.questions["topic"] == "page"]
    assert asked["question"].tolist() == ["Should somebody have been paged?"]
    assert asked["because"].iloc[0].endswith("; the origin is probably of storage (0.70)")
