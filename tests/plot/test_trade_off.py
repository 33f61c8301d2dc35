from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab import plot
from stanza_lab.errors import SchemaError, UnknownNameError

TRIALS = pd.DataFrame(
    {
        "compression": [0.9, 0.7, 0.6, None, 0.8],
        "recall": [0.5, 0.8, 0.7, 0.9, 0.4],
        "<b>max_gap": ["<img src=x>", "5min", "2min", "1min", None],
        "method": [None, None, None, None, "<i>gap 300 s"],
    }
)
not_beaten = importlib.import_module("stanza_lab.plot.trade_off").not_beaten
some = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=25)


@given(some)
def test_the_front_is_what_no_other_trial_beats(points: list[tuple[int, int]]) -> None:
    expected = [
        not any(a >= x and b >= y and (a, b) != (x, y) for a, b in points) for x, y in points
    ]  # as good in both, better in one
    x, y = (np.array([point[axis] for point in points], dtype=float) for axis in (0, 1))
    assert not_beaten(x, y).tolist() == expected


def test_the_front_is_joined_from_left_to_right() -> None:
    _, line, best, _ = plot.trade_off(TRIALS).data
    assert list(zip(line.x, line.y, strict=True)) == [(0.7, 0.8), (0.9, 0.5)]
    assert set(best.x) == {0.7, 0.9}


def test_a_given_front_is_believed() -> None:
    figure = plot.trade_off(TRIALS.assign(front=[True, False, True, False, False]))
    assert set(figure.data[2].x) == {0.6, 0.9}


def test_baselines_are_named_stars_outside_the_front() -> None:
    better = TRIALS.assign(recall=[0.5, 0.8, 0.7, 0.9, 1.0])
    stars = plot.trade_off(better).data[3]
    assert (stars.text, stars.marker.symbol) == (("&lt;i&gt;gap 300 s",), "star")
    assert len(plot.trade_off(better).data[2].x) == 2


def test_trials_without_a_value_are_counted() -> None:
    figure = plot.trade_off(TRIALS)
    assert figure.layout.annotations[0].text == "not shown: 1 row without a value (pruned or failed)"
    assert figure.layout.title.text == "recall against compression: 3 trials, 2 of them beaten by no other"


def test_hovering_shows_parameters_escaped() -> None:
    shown = str(plot.trade_off(TRIALS, title="<img>").to_dict())
    assert "<img" not in shown
    assert "&lt;b&gt;max_gap: &lt;img src=x&gt;" in shown


def test_names_of_near_stars_take_different_sides() -> None:
    near = pd.DataFrame({"compression": [0.5, 0.505, 0.0, 1.0], "recall": [0.5, 0.5, 0.0, 1.0]})
    stars = plot.trade_off(near.assign(method=["a long name", "another name", "low", "high"])).data[3]
    assert stars.textposition[0] != stars.textposition[1]


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_trial_is_a_figure_too(rows: int) -> None:
    assert len(plot.trade_off(TRIALS.head(rows)).data[2].x) == rows


def test_unknown_measures_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="column 'recal' not found; did you mean 'recall'"):
        plot.trade_off(TRIALS, y="recal")
    with pytest.raises(SchemaError, match="column 'method'"):
        plot.trade_off(TRIALS, x="method")


def test_the_argument_is_not_changed() -> None:
    before = TRIALS.copy()
    plot.trade_off(TRIALS)
    pd.testing.assert_frame_equal(TRIALS, before)
