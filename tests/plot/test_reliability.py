from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.errors import SchemaError

Row = tuple[float, float, int, float, float, float, float]
COLUMNS = ["from", "to", "pairs", "confidence", "real", "low", "high"]
RIGHT: list[Row] = [(0.0, 0.1, 90, 0.05, 0.05, 0.02, 0.12), (0.8, 0.9, 30, 0.85, 0.83, 0.66, 0.93)]
HIGH: list[Row] = [(0.1, 0.2, 40, 0.15, 0.15, 0.07, 0.29), (0.8, 0.9, 30, 0.85, 0.5, 0.33, 0.67)]


def table(rows: list[Row], **attrs: object) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame.attrs.update(attrs)
    return frame


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        (RIGHT, "Confidence means frequency, as far as 120 pairs tell"),
        (HIGH, "Confidence is too high: 45% on average, and 30% of 70 pairs are real"),
        ([(0.1, 0.2, 100, 0.15, 0.6, 0.5, 0.7)],
         "Confidence is too low: 15% on average, and 60% of 100 pairs are real"),
        ([(0.2, 0.3, 100, 0.25, 0.05, 0.0, 0.1), (0.7, 0.8, 100, 0.75, 0.95, 0.9, 1.0)],
         "Confidence is right on average only: see the bins off the diagonal (200 pairs)"),
        ([(0.8, 0.9, 3, 0.85, 0.0, 0.0, 0.56)], "3 pairs: too few to tell what confidence means"),
        ([(0.8, 0.9, 1, 0.85, 1.0, 0.21, 1.0)], "1 pair: too few to tell what confidence means"),
        ([], "No pair can be judged"),
    ],
)  # fmt: skip
def test_the_title_says_what_it_shows(rows: list[Row], title: str) -> None:
    assert plot.reliability(table(rows)).layout.title.text == title


def test_points_stand_at_said_and_real_with_their_interval_and_size() -> None:
    points = plot.reliability(table(HIGH)).data[1]
    assert list(points.x) == [0.15, 0.85]
    assert list(points.y) == [0.15, 0.5]
    assert np.allclose(points.error_y.array, [0.14, 0.17])
    assert np.allclose(points.error_y.arrayminus, [0.08, 0.17])
    assert points.marker.size[0] > points.marker.size[1]


def test_a_bin_surely_off_has_another_colour_on_each_side() -> None:
    colours = plot.reliability(table([*HIGH, (0.3, 0.4, 50, 0.35, 0.9, 0.8, 0.95)])).data[1].marker.color
    assert len(set(colours)) == 3


def test_counts_stand_below() -> None:
    bars = plot.reliability(table(HIGH)).data[2]
    assert list(bars.y) == [40, 30]
    assert np.allclose(bars.width, 0.1)
    assert bars.yaxis == "y2"


def test_pairs_nothing_can_judge_are_counted_and_the_axis_says_which_confidence() -> None:
    figure = plot.reliability(table(HIGH, unjudged=12, directed=True))
    assert "12 pairs that nothing can judge" in figure.layout.annotations[0].text
    assert figure.layout.xaxis.title.text == "confidence that was said"
    assert plot.reliability(table(HIGH)).layout.xaxis.title.text == "link confidence that was said"


def test_no_rows_draw_the_diagonal_alone() -> None:
    assert len(plot.reliability(table([])).data) == 1


def test_a_title_is_escaped() -> None:
    assert "<img" not in str(plot.reliability(table(HIGH), title="<img src=x>").layout.title.text)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(SchemaError, match="column 'real' is missing"):
        plot.reliability(table(HIGH).drop(columns="real"))
    with pytest.raises(SchemaError, match="not all values are numbers"):
        plot.reliability(table(HIGH).assign(real="often"))
    with pytest.raises(SchemaError, match="must be a pandas DataFrame"):
        plot.reliability([1, 2])  # type: ignore[arg-type]


def test_the_table_is_not_changed() -> None:
    frame = table(HIGH)
    kept = frame.copy(deep=True)
    plot.reliability(frame)
    pd.testing.assert_frame_equal(frame, kept)
