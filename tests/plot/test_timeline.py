from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from stanza_lab import plot, schema
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.plot import _theme

ALERTS = pd.DataFrame(
    {
        "service": ["shop", "shop", "db", None],
        "starts_at": ["2026-03-01T10:00Z", "2026-03-01T10:05Z", "2026-03-01T10:01Z", "2026-03-01T10:02Z"],
        "ends_at": ["2026-03-01T10:02Z", None, None, None],
        "severity": ["warning", "critical", "critical", None],
        "summary": ["<a href='javascript:1'>x</a>", "", None, None],
    }
)


def marks(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.mode == "markers"}


def note(figure: go.Figure) -> str:
    return figure.layout.annotations[0].text if figure.layout.annotations else ""


def test_a_row_per_service_the_busiest_on_top() -> None:
    figure = plot.timeline(ALERTS)
    assert figure.layout.yaxis.ticktext == ("shop", "db", "not known")
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert marks(figure)["critical"].y.tolist() == [0, 1]


def test_severity_has_its_colour_and_the_gravest_lies_on_top() -> None:
    found = marks(plot.timeline(ALERTS))
    assert list(found) == ["not known", "warning", "critical"]
    assert found["critical"].marker.color == _theme.SEVERITY["critical"][0]


def test_a_bar_lasts_as_long_as_the_alert() -> None:
    bar = next(trace for trace in plot.timeline(ALERTS).data if trace.mode == "lines")
    assert [str(at)[11:16] for at in bar.x[:2]] == ["10:00", "10:02"]


def test_times_are_utc_and_the_figure_says_so() -> None:
    shifted = ALERTS.assign(starts_at=pd.to_datetime(ALERTS["starts_at"]).dt.tz_convert("Asia/Tokyo"))
    figure = plot.timeline(shifted)
    assert figure.layout.xaxis.title.text == "time (UTC)"
    assert figure.to_json() == plot.timeline(ALERTS).to_json()


def test_text_of_alerts_is_escaped() -> None:
    hover = "".join(marks(plot.timeline(ALERTS))["warning"].hovertext)
    assert "&lt;a href" in hover
    assert "<a" not in hover


def test_services_beyond_the_top_are_named_in_a_note() -> None:
    figure = plot.timeline(ALERTS, top=1)
    assert figure.layout.yaxis.ticktext == ("shop",)
    assert note(figure) == "not shown: 2 services with 2 alerts (db, not known)"


def test_alerts_without_a_time_are_counted() -> None:
    assert "1 alert without a time" in note(plot.timeline(ALERTS.assign(starts_at=[*ALERTS["starts_at"][:3], None])))


def test_incidents_are_shaded() -> None:
    figure = plot.timeline(ALERTS.assign(incident_id=[4, 4, schema.NOISE, 4]))
    assert [(str(s.x0)[11:16], str(s.x1)[11:16]) for s in figure.layout.shapes] == [("10:00", "10:05")]
    assert note(figure) == "shaded: 1 incident"


def test_a_very_long_quiet_time_is_cut_out_and_named() -> None:
    late = ALERTS.assign(starts_at=["2026-03-01T10:00Z", "2026-03-01T10:05Z", "2026-08-01T10:01Z", "2026-08-01T10:02Z"])
    figure = plot.timeline(late)
    assert len(figure.layout.xaxis.rangebreaks) == 1
    assert note(figure) == "left out, nothing fired: 2026-03-01 10:05 to 2026-08-01 10:01 UTC"


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_alert_is_a_figure_too(rows: int) -> None:
    assert isinstance(plot.timeline(ALERTS.head(rows)), go.Figure)
    assert isinstance(plot.timeline(schema.empty(schema.ALERTS)), go.Figure)


def test_many_alerts_are_counted_per_bin() -> None:
    times = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(np.arange(20_000) * 60, unit="s")
    many = pd.DataFrame({"service": "shop", "starts_at": times, "severity": "info"})
    figure = plot.timeline(many)
    drawn = sum(len(trace.x) for trace in figure.data)
    assert drawn < 300
    assert "each mark counts the alerts of" in note(figure)


def test_more_marks_than_svg_can_bear_are_drawn_by_webgl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("stanza_lab.plot.timeline"), "MOST_MARKS", 1)
    assert {type(trace) for trace in plot.timeline(ALERTS).data} == {go.Scattergl}


def test_another_column_colours_its_most_frequent_values() -> None:
    many = pd.DataFrame({"service": "s", "starts_at": "2026-03-01T10:00Z", "team": [f"t{i:02d}" for i in range(20)]})
    assert set(marks(plot.timeline(many, color="team"))) == {*(f"t{i:02d}" for i in range(7)), "other"}


def test_neither_template_nor_argument_is_changed() -> None:
    before, template = ALERTS.copy(), pio.templates.default
    plot.timeline(ALERTS)
    pd.testing.assert_frame_equal(ALERTS, before)
    assert pio.templates.default == template


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(SchemaError, match="'starts_at' is missing"):
        plot.timeline(ALERTS.drop(columns="starts_at"))
    with pytest.raises(UnknownNameError, match="column 'sevrity' not found; did you mean 'severity'"):
        plot.timeline(ALERTS, color="sevrity")
    with pytest.raises(ParameterError, match="top=0"):
        plot.timeline(ALERTS, top=0)
