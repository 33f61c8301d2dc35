from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab import plot

START = pd.Timestamp("2026-03-01T10:00Z")


def alerts(days: int, *, without: tuple[int, ...] = (), source: str = "datadog") -> pd.DataFrame:
    times = [START + pd.Timedelta(days=day, minutes=k) for day in range(days) if day not in without for k in range(6)]
    return pd.DataFrame({"source": source, "service": "web", "starts_at": times})


def test_shares_and_days_have_a_row_per_source_and_one_for_all() -> None:
    both = pd.concat([alerts(3), alerts(2, source="<i>slack").assign(service=None)])
    figure = plot.coverage(sl.coverage(both))
    shares, days = figure.data
    assert [list(row) for row in shares.text] == [
        ["100%", "100%", "0%", "0%"], ["100%", "0%", "0%", "0%"], ["100%", "60%", "0%", "0%"],
    ]  # fmt: skip
    assert figure.layout.yaxis.ticktext == ("datadog (18)", "&lt;i&gt;slack (12)", "all (30)")
    assert days.z.shape == (3, 3)
    assert days.hovertext[2][0] == "<b>all (30)</b><br>2026-03-01: 12 alerts"
    assert figure.layout.title.text == "Coverage 36 of 100"


def test_silence_is_a_bar_and_fixes_are_notes() -> None:
    figure = plot.coverage(sl.coverage(alerts(60, without=(30, 31, 32))))
    gap = figure.data[2]
    assert [str(x)[:10] for x in gap.x[:2]] == ["2026-03-31", "2026-04-03"]
    assert "is silent on 3 days" in gap.hovertext[0]
    assert figure.layout.annotations[0].text.startswith("to fix, 1: 342 alerts of 1 service name no team (web)")


def test_very_long_histories_share_cells() -> None:
    times = ["1970-01-01T00:00Z", "2026-03-01T00:00Z"]
    figure = plot.coverage(sl.coverage(pd.DataFrame({"source": "datadog", "starts_at": times})))
    assert figure.data[1].z.shape[1] <= 400


def test_sources_beyond_the_top_are_counted_in_a_note_and_in_all() -> None:
    many = pd.concat([alerts(1, source=f"s{k}") for k in range(4)])
    figure = plot.coverage(sl.coverage(many), top=2)
    assert figure.layout.yaxis.ticktext == ("s0 (6)", "s1 (6)", "all (24)")
    assert figure.layout.annotations[0].text.endswith("not shown: 2 sources with fewer alerts")


def test_what_only_copies_says_so() -> None:
    copies = alerts(1, source="pagerduty").assign(origin="datadog")
    figure = plot.coverage(sl.coverage(pd.concat([alerts(1), copies])))
    assert figure.layout.yaxis.ticktext == ("datadog (6)", "pagerduty (6 copies)", "all (12)")


@pytest.mark.parametrize(("rows", "traces"), [(0, 0), (1, 2)])
def test_no_or_one_alert_is_a_figure_too(rows: int, traces: int) -> None:
    assert len(plot.coverage(sl.coverage(alerts(1).head(rows))).data) == traces


def test_no_times_leave_the_shares() -> None:
    figure = plot.coverage(sl.coverage(pd.DataFrame({"source": ["a"], "starts_at": [None]})))
    assert len(figure.data) == 1
    assert figure.layout.xaxis.domain == (0, 1)
