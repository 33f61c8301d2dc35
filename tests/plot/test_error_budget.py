from __future__ import annotations

import itertools

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab import plot
from stanza_lab.errors import ParameterError
from tests.reliability.objectives.tables_of import counts, promised

HOSTILE = "<a href='javascript:1'>x</a>"


@pytest.fixture(scope="module")
def reliability():
    tables = [
        counts([bad] * 720, step="1h", service=name) for name, bad in (("calm", 0.1), ("busy", 3.0), (HOSTILE, 0.9))
    ]
    few = counts([0] * 720, step="1h", service="few", total=1)
    return sl.measure_objectives(pd.concat([*tables, few]), objectives=promised(service="*"))


def test_a_line_per_budget_the_least_left_first(reliability) -> None:
    figure = plot.error_budget(reliability)
    assert figure.data[0].name == "busy: Answers"
    assert figure.layout.title.text == "3 error budgets, 1 spent, 1 nearly"
    assert min(min(trace.y) for trace in figure.data) >= -1  # overspent three times, drawn at the edge and said
    assert "drawn at -100%" in figure.layout.annotations[0].text


def test_times_are_utc_and_levels_are_marked(reliability) -> None:
    figure = plot.error_budget(reliability)
    assert figure.layout.xaxis.title.text == "time (UTC)"
    assert [shape.y0 for shape in figure.layout.shapes] == [0, 0.25]


def test_text_is_escaped(reliability) -> None:
    assert "<a" not in plot.error_budget(reliability).to_json()


def test_what_is_not_shown_is_counted(reliability) -> None:
    figure = plot.error_budget(reliability, top=1)
    assert len(figure.data) == 1
    note = figure.layout.annotations[0].text
    assert "not shown: 2 objectives" in note
    assert "not judged: 1 objective of which too little is known" in note
    with pytest.raises(ParameterError):
        plot.error_budget(reliability, top=0)


def test_nothing_to_judge_is_a_figure_too() -> None:
    few = sl.measure_objectives(counts([0]), objectives=promised())
    figure = plot.error_budget(few)
    assert len(figure.data) == 0
    assert figure.layout.title.text == "0 error budgets, 0 spent, 0 nearly"


def test_names_at_the_end_do_not_lie_on_each_other(reliability) -> None:
    names = [a for a in plot.error_budget(reliability).layout.annotations if a.xshift == 8]
    heights = sorted(a.y for a in names)
    assert all(b - a > 0.15 for a, b in itertools.pairwise(heights))
