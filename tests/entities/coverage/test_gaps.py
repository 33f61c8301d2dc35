from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.entities.coverage._gaps import count_days, find_gaps

START = pd.Timestamp("2026-03-01", tz="UTC")


def days(**counts: list[int]) -> pd.DataFrame:
    """Return the alerts per day of sources, day by day from 1 March."""
    rows = [
        (source, START + pd.Timedelta(days=day), number)
        for source, numbers in counts.items()
        for day, number in enumerate(numbers)
        if number
    ]
    return pd.DataFrame(rows, columns=["source", "day", "alerts"])


def told(table: pd.DataFrame) -> list[tuple[str, str, int, str]]:
    found = find_gaps(table)
    return [(row.source, f"{row.first:%m-%d}", row.days, row.place) for row in found.itertuples()]


def test_silence_of_a_busy_source_is_told_wherever_it_is() -> None:
    always = [5] * 60
    table = days(
        inside=[9] * 30 + [0] * 2 + [9] * 28, start=[0] * 20 + [9] * 40, end=[9] * 40 + [0] * 20, always=always
    )
    assert told(table) == [
        ("end", "04-10", 20, "end"),
        ("inside", "03-31", 2, "inside"),
        ("start", "03-01", 20, "start"),
    ]
    words = dict(zip(find_gaps(table)["source"], find_gaps(table)["words"], strict=True))
    usual = "otherwise 9.0 alerts a day"
    assert words == {
        "start": f"start begins 20 days after the first alert of the history (2026-03-01 to 2026-03-20; {usual})",
        "inside": f"inside is silent on 2 days (2026-03-31 to 2026-04-01; {usual})",
        "end": f"end ends 20 days before the last alert of the history (2026-04-10 to 2026-04-29; {usual})",
    }


def test_quiet_weekends_and_rare_sources_are_no_gap() -> None:
    assert told(days(office=[8, 9, 8, 9, 8, 0, 0] * 9)) == []
    assert told(days(rare=[1, 0, 0, 0] * 15)) == []


def test_a_short_history_says_nothing() -> None:
    assert told(days(young=[9] * 10 + [0, 0] + [9] * 3)) == []
    assert told(days()) == []


def test_one_wrong_date_far_away_makes_no_gap_of_its_source() -> None:
    table = days(datadog=[5] * 30)
    table.loc[len(table)] = ["datadog", pd.Timestamp("1970-01-01", tz="UTC"), 1]
    assert told(table) == []


def test_independent_days_are_hardly_ever_called_a_gap() -> None:
    random = np.random.default_rng(0)
    histories = [days(source=random.poisson(rate, size=90).tolist()) for rate in (0.5, 2, 4) for _ in range(60)]
    bursty = [days(source=random.negative_binomial(1, 0.2, size=90).tolist()) for _ in range(120)]
    for made in (histories, bursty):
        inside = [sum(gap[3] == "inside" for gap in told(table)) for table in made]
        assert np.mean(inside) < 0.05


def test_days_are_counted_in_utc_and_alerts_without_a_time_left_out() -> None:
    times = pd.to_datetime(["2026-03-01T23:59Z", "2026-03-02T00:00Z", None])
    alerts = pd.DataFrame({"source": ["a", "a", "a"], "starts_at": times})
    assert count_days(alerts)["alerts"].tolist() == [1, 1]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(-1000, 1000))
def test_shifting_all_days_shifts_the_gaps(counts, shift) -> None:
    table = days(a=counts, b=[3] * len(counts))
    moved = table.assign(day=table["day"] + pd.Timedelta(days=shift))
    found, later = find_gaps(table), find_gaps(moved)
    assert (later["first"] - found["first"] == pd.Timedelta(days=shift)).all()
    assert later["by_chance"].tolist() == pytest.approx(found["by_chance"].tolist())
