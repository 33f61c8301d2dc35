from __future__ import annotations

import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, UnknownNameError
from tests.patterns.mining.histories import history


@pytest.fixture(scope="module")
def found() -> sl.Patterns:
    return sl.mine_patterns(history().replace({"orders-db": "<b>db</b>"}))


def test_steps_in_order_with_what_is_optional_apart(found: sl.Patterns) -> None:
    figure = sl.plot.pattern_steps(found, pattern=found.table["pattern"][0])
    assert figure.layout.yaxis.ticktext[1:] == ("orders-api: errors", "checkout: errors")
    marks = {trace.name: trace for trace in figure.data if trace.mode == "markers"}
    assert list(marks["core member"].x) == [0.0, 60.0]
    assert list(marks["optional member"].x) == [200.0]
    assert [trace.text for trace in figure.data if trace.mode == "text"] == [("6 of 6", "6 of 6", "3 of 6")]
    assert "orders-api: errors after 60 s, 6 of 6 times" in figure.layout.meta["description"]


def test_names_are_escaped(found: sl.Patterns) -> None:
    figure = sl.plot.pattern_steps(found, pattern=found.table["pattern"][0])
    assert "<b>db" not in figure.layout.title.text
    assert "<b>db" not in figure.layout.yaxis.ticktext[0]
    assert "<b>db" not in sl.plot.pattern_calendar(found).layout.yaxis.ticktext[0]


def test_a_pattern_that_is_not_there_is_told(found: sl.Patterns) -> None:
    with pytest.raises(UnknownNameError, match="pattern"):
        sl.plot.pattern_steps(found, pattern="P-0")


def test_a_mark_per_occurrence(found: sl.Patterns) -> None:
    figure = sl.plot.pattern_calendar(found)
    assert figure.layout.title.text == "6 occurrences of 1 pattern"
    assert [trace.name for trace in figure.data] == ["by itself"]
    assert len(figure.data[0].x) == 6
    assert "UTC" in figure.layout.xaxis.title.text


def test_a_calendar_of_nothing_says_so() -> None:
    figure = sl.plot.pattern_calendar(sl.mine_patterns(history(times=0, others=3)))
    assert figure.layout.title.text == "No pattern was found"
    with pytest.raises(ParameterError, match="top"):
        sl.plot.pattern_calendar(sl.mine_patterns(history(times=0, others=3)), top=0)
