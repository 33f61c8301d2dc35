from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import plot, schema
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.plot import _lanes, _marks

if TYPE_CHECKING:
    import plotly.graph_objects as go

ALERTS = pd.DataFrame(
    {
        "starts_at": [f"2026-03-01T10:{m}Z" for m in ("00:00", "00:30", "04:00", "05:00", "06:00", "07:00")],
        "ends_at": ["2026-03-01T10:03Z", None, "2026-03-01T10:09Z", None, None, "2026-03-01T10:08Z"],
        "service": ["db", "shop", None, "db", "mail", "mail"],
        "severity": ["critical", "warning", None, "info", "info", "info"],
        "alertname": "<b>slow</b>",
        "summary": "<a href='javascript:1'>x</a>",
        "incident_id": [3, 3, 3, 8, 8, schema.NOISE],
    }
)


def note(figure: go.Figure) -> str:
    return "".join(annotation.text for annotation in figure.layout.annotations)


def named(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.mode == "markers"}


def test_the_largest_incident_is_drawn_with_its_services_in_the_order_in_which_they_fired() -> None:
    figure = plot.incident_swimlane(ALERTS)
    assert figure.layout.title.text == "Incident 3: 3 alerts of 2 services"
    assert figure.layout.yaxis.ticktext == ("db", "shop", "not known", "<i>mail</i>")
    assert set(named(figure)) >= {"critical", "warning", "severity not known", "fired first"}


def test_the_order_of_the_rows_does_not_matter() -> None:
    assert plot.incident_swimlane(ALERTS[::-1]).to_json() == plot.incident_swimlane(ALERTS).to_json()


def test_what_fired_first_is_ringed_and_the_minute_is_no_order() -> None:
    figure = plot.incident_swimlane(ALERTS)
    ring = named(figure)["fired first"]
    assert [str(at)[11:19] for at in ring.x] == ["10:00:00"]
    assert "First: db, 10:00:00; 1 more service within a minute. Order within a minute means little." in (
        figure.layout.title.subtitle.text
    )


def test_what_was_left_out_is_grey_hollow_without_an_incident_and_numbered_with_one() -> None:
    figure = plot.incident_swimlane(ALERTS)
    marks = named(figure)
    assert marks["left out: no incident"].marker.symbol == "circle-open"
    assert len(marks["left out: another incident"].x) == 2
    numbers = next(trace for trace in figure.data if trace.mode == "text")
    assert [text.strip() for text in numbers.text] == ["8", "8"]
    assert "grey, left out of this incident: 2 alerts of incident 8, 1 alert of no incident" in note(figure)


def test_a_shorter_reach_shows_less_of_the_others() -> None:
    late = ALERTS.assign(ends_at="2026-03-01T10:04:30Z")
    figure = plot.incident_swimlane(late, incident=3, around="0s")
    assert "nothing else fired around it" in note(figure)


def test_a_bar_lasts_until_the_recovery_and_an_unknown_end_is_dotted_to_the_edge() -> None:
    lines = [trace for trace in plot.incident_swimlane(ALERTS).data if trace.mode == "lines" and trace.x[0] is not None]
    ends = {(trace.legendgroup, trace.line.dash): str(trace.x[1])[11:16] for trace in lines}
    assert ends["critical", None] == "10:03"
    assert ends["warning", "dot"] == "10:19"  # ten minutes after the last recovery


def test_one_alert_that_recovers_days_later_does_not_squeeze_the_rest() -> None:
    figure = plot.incident_swimlane(ALERTS.assign(ends_at="2026-03-09T10:00Z"))
    assert str(figure.layout.xaxis.range[1])[:16] == "2026-03-01 10:24"
    assert "3 alerts of this incident recovered later than the figure shows" in note(figure)


def test_alerts_of_a_lane_stand_under_each_other_while_they_overlap() -> None:
    starts = pd.to_datetime(["2026-03-01T10:00Z", "2026-03-01T10:01Z", "2026-03-01T10:20Z"])
    ends = pd.to_datetime(["2026-03-01T10:10Z", "2026-03-01T10:11Z", "2026-03-01T10:30Z"])
    mine = pd.DataFrame({"starts_at": starts, "ends_at": ends, "service": "db"})
    found = _lanes.arrange(mine, mine.head(0), end=ends[-1], width=pd.Timedelta("30min"))
    assert found.mine["track"].tolist() == [0, 1, 0]
    assert found.mine["y"].nunique() == 2


def test_alerts_that_never_end_share_the_tracks_evenly() -> None:
    mine = pd.DataFrame({"starts_at": pd.date_range("2026-03-01T10:00Z", periods=12, freq="1min"), "service": "db"})
    mine["ends_at"] = pd.Series(pd.NaT, index=mine.index, dtype="datetime64[us, UTC]")
    end = pd.Timestamp("2026-03-01T10:30Z")
    found = _lanes.arrange(mine, mine.head(0), end=end, width=pd.Timedelta("30min"))
    assert found.mine["track"].value_counts().tolist() == [3, 3, 3, 3]


def test_lanes_beyond_thirty_share_one_that_says_so() -> None:
    many = pd.DataFrame(
        {
            "starts_at": pd.date_range("2026-03-01T10:00Z", periods=50, freq="10s"),
            "service": [f"<s{k:02d}>" for k in range(50)],
            "incident_id": 0,
        }
    )
    figure = plot.incident_swimlane(many)
    assert len(figure.layout.yaxis.ticktext) == 30
    assert figure.layout.yaxis.ticktext[-1] == "21 services"
    assert "the lane “21 services” holds &lt;s29&gt;, &lt;s30&gt;" in note(figure)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3000), st.sampled_from(["a", "b", None]), st.integers(-1, 2)), min_size=1))
def test_every_alert_of_the_incident_is_drawn_once(rows: list[tuple[int, str | None, int]]) -> None:
    start = pd.Timestamp("2026-03-01T10:00Z")
    alerts = pd.DataFrame(rows, columns=["s", "service", "incident_id"])
    alerts["starts_at"] = start + pd.to_timedelta(alerts["s"], unit="s")
    figure = plot.incident_swimlane(alerts)
    sizes = alerts.loc[alerts["incident_id"] >= 0, "incident_id"].value_counts()
    drawn = len(named(figure)["severity not known"].x) if len(sizes) else 0
    assert drawn == (sizes.max() if len(sizes) else 0)


def test_text_of_alerts_is_escaped_everywhere() -> None:
    hostile = ALERTS.assign(service="<img src=x>", team="<img src=x>")
    shown = str(plot.incident_swimlane(hostile, title="<img>").to_dict())
    assert "<img" not in shown
    assert "<a href" not in shown
    assert "&lt;a href" in shown


@pytest.mark.parametrize("alerts", [ALERTS.head(0), ALERTS.assign(incident_id=-1), schema.empty(schema.ALERTS)])
def test_no_incident_is_a_figure_that_says_so(alerts: pd.DataFrame) -> None:
    assert plot.incident_swimlane(alerts).layout.title.text == "No incident"


def test_alerts_without_a_time_are_counted() -> None:
    known = ALERTS.assign(starts_at=[None, *ALERTS["starts_at"][1:]])
    assert "1 alert of this incident without a time" in note(plot.incident_swimlane(known, incident=3))
    none = ALERTS.head(1).assign(starts_at=None)
    assert plot.incident_swimlane(none).layout.title.text == "Incident 3: 1 alert without a time"


def test_one_alert_is_an_incident_too() -> None:
    figure = plot.incident_swimlane(ALERTS.head(1)[["starts_at", "incident_id"]])
    assert figure.layout.title.text == "Incident 3: 1 alert of no known service"


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="incident '5' not found; 2 known: '3', '8'"):
        plot.incident_swimlane(ALERTS, incident=5)
    with pytest.raises(SchemaError, match="'incident_id' is missing"):
        plot.incident_swimlane(ALERTS.drop(columns="incident_id"))
    with pytest.raises(ParameterError, match="around='soon' is not a duration"):
        plot.incident_swimlane(ALERTS, around="soon")


def test_the_argument_is_not_changed() -> None:
    before = ALERTS.copy()
    plot.incident_swimlane(ALERTS)
    pd.testing.assert_frame_equal(ALERTS, before)


def test_marks_stand_above_the_alerts_and_widen_the_time() -> None:
    told = pd.DataFrame(
        {
            "at": ["2026-03-01T13:30Z", "2026-03-01T14:03Z", "2026-03-01T14:20Z", "2026-03-01T14:05Z", None],
            "kind": ["deploy", "page", "note", "recovery", "page"],
            "what": ["<b>2.1</b> deployed", "slow", "rolled back", "gone", "lost"],
            "words": ["<i>", "x", "y", "z", "w"],
        }
    )
    figure = plot.incident_swimlane(_two_alerts(), marks=told)
    drawn = {trace.name: trace for trace in figure.data if trace.name in ("deploy", "page", "note", "recovery")}
    assert set(drawn) == {"deploy", "page", "note"}
    assert all(y < 0 for trace in drawn.values() for y in trace.y)
    assert drawn["deploy"].text == ("\u2002&lt;b&gt;2.1&lt;/b&gt; deployed",)
    assert figure.layout.yaxis.ticktext[:3] == ("<b>releases</b>", "<b>pages</b>", "<b>actions, notes</b>")
    assert pd.Timestamp(figure.layout.xaxis.range[0]) < pd.Timestamp("2026-03-01T13:30Z")
    assert "releases 1, pages 1, actions, notes 1" in figure.layout.meta["description"]


def test_marks_of_another_table_are_refused() -> None:
    with pytest.raises(SchemaError, match=r"marks lacks columns \['kind'\]"):
        plot.incident_swimlane(_two_alerts(), marks=pd.DataFrame({"at": []}))


def test_without_marks_nothing_changes() -> None:
    plain = plot.incident_swimlane(_two_alerts())
    empty = plot.incident_swimlane(_two_alerts(), marks=pd.DataFrame({"at": [], "kind": []}))
    assert plain.to_json() == empty.to_json()


def _two_alerts() -> pd.DataFrame:
    starts = ["2026-03-01T14:02Z", "2026-03-01T14:04Z"]
    return pd.DataFrame({"starts_at": starts, "service": ["orders-db", "orders"], "incident_id": 0})


def test_words_beside_marks_do_not_run_into_the_next_mark() -> None:
    times = pd.to_datetime(["2026-03-01T14:00Z", "2026-03-01T14:01Z", "2026-03-01T14:40Z"])
    marks = pd.DataFrame({"at": times, "kind": "deploy", "what": ["orders 1 deployed", "shop 2 deployed", "late 3"]})
    first, second, last = _marks._beside(marks, times[0], times[0] + pd.Timedelta("1h"))
    assert first == ""  # a minute of an hour is no room
    assert second.endswith("shop 2 deployed")
    assert last.endswith("late 3")
