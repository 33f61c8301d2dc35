from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _lengths

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROWS = [("time", 240.0, "4 min later"), ("service", 60.0, "<b>another</b>"), ("calls", -120.0, "shop calls db")]


def evidence(rows: list[tuple[str, float, str]] = ROWS, **attrs: float) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["what", "seconds", "words"])
    frame.attrs.update(attrs)
    return frame


def said(figure: go.Figure) -> list[str]:
    return [annotation.text for annotation in figure.layout.annotations]


def test_each_bar_starts_where_the_one_above_ends_and_the_last_is_the_distance() -> None:
    bars = plot.why_together(evidence(limit_s=1200)).data[0]
    assert list(bars.base) == [0, 240, 180, 0]
    assert list(bars.x) == [240, 60, 120, 180]
    assert bars.marker.color[0] == bars.marker.color[1] != bars.marker.color[2]


def test_the_title_is_the_verdict() -> None:
    titles = {limit: plot.why_together(evidence(limit_s=limit)).layout.title.text for limit in (1200, 180, 120)}
    assert titles == {
        1200: "Together: a distance of 3 min, and the limit is 20 min",
        180: "Together: a distance of 3 min, and the limit is 3 min",
        120: "Apart: a distance of 3 min, but the limit is 2 min",
    }
    assert plot.why_together(evidence()).layout.title.text == "A distance of 3 min"


def test_lengths_stand_beside_the_bars_with_their_sign() -> None:
    texts = said(plot.why_together(evidence(limit_s=1200)))
    assert texts[:3] == ["<b>+4 min</b>", "4 min later", "<b>+1 min</b>"]
    assert "<b>−2 min</b>" in texts
    assert "<b>17 min under the limit</b>" in texts


def test_words_are_escaped() -> None:
    hostile = evidence([("<i>", 5.0, "<img src=x>" * 30)])
    shown = str(plot.why_together(hostile, title="<img>").to_dict())
    assert "<img" not in shown
    assert "<b><i>" not in shown


def test_what_the_rows_do_not_add_up_to_is_a_row_of_its_own() -> None:
    figure = plot.why_together(evidence(distance_s=300.0))
    assert figure.layout.yaxis.ticktext[3] == "<b>the rest</b>"
    assert figure.data[0].x[3] == 120
    assert len(plot.why_together(evidence(distance_s=180.4)).data[0].x) == 4


def test_a_distance_is_never_below_zero() -> None:
    rows = [("calls", -300.0, "")]
    assert plot.why_together(evidence(rows)).layout.title.text == "A distance of 0 s"
    assert "a distance is never below zero" in said(plot.why_together(evidence(rows, distance_s=0)))


def test_what_forbids_is_said_and_drawn_to_the_edge() -> None:
    figure = plot.why_together(evidence([*ROWS, ("environment", math.inf, "prod, staging")], limit_s=1200))
    assert figure.layout.title.text == "Apart, whatever the limit"
    assert "<b>forbids it</b>" in said(figure)
    assert max(figure.data[0].x) < math.inf


def test_far_beyond_the_limit_bars_are_cut_and_the_figure_says_so() -> None:
    figure = plot.why_together(evidence([*ROWS, ("chronic", 86_400.0, "fires all day")], limit_s=1200))
    assert figure.layout.xaxis.range[1] < 4000
    assert "bars are cut at the edge; their lengths are not" in said(figure)
    assert "<b>+1 d</b>" in said(figure)


def test_what_is_not_known_has_no_bar() -> None:
    figure = plot.why_together(evidence([("resource", math.nan, "none known"), *ROWS]))
    assert figure.data[0].x[0] == 0
    assert "<b>not known</b>" in said(figure)


def test_of_many_rows_the_smallest_share_one() -> None:
    rows = [(f"w{k}", float(100 - k), "") for k in range(30)]
    figure = plot.why_together(evidence(rows))
    assert len(figure.data[0].x) == 13
    assert figure.layout.yaxis.ticktext[11] == "<b>the others</b>"
    assert figure.data[0].x[12] == sum(seconds for _, seconds, _ in rows)


def test_no_evidence_is_a_figure_too() -> None:
    assert plot.why_together(evidence([])).layout.title.text == "No evidence"
    assert plot.why_together(evidence([], distance_s=30.0)).layout.title.text == "A distance of 30 s"


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(SchemaError, match="column 'words' is missing"):
        plot.why_together(evidence().drop(columns="words"))
    with pytest.raises(SchemaError, match="column 'seconds'"):
        plot.why_together(evidence().assign(seconds="far"))
    with pytest.raises(SchemaError, match=r"attrs\['limit_s'\]='far'"):
        plot.why_together(evidence(limit_s="far"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.4, "0.4 s"), (40, "40 s"), (60, "1 min"), (100, "1.7 min"), (240, "4 min"), (3600, "1 h"),
     (9000, "2.5 h"), (86_400, "1 d"), (math.inf, "for ever")],
)  # fmt: skip
def test_lengths_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert _lengths.length(seconds) == text


def test_logarithmic_ticks_are_few_and_inside() -> None:
    for low, high in [(1, 86_400), (20_000, 500_000), (50, 59), (1, 1e8)]:
        places, labels = _lengths.log_ticks(low, high)
        assert 2 <= len(places) == len(labels) <= 9
        assert all(low <= place <= high for place in places)
