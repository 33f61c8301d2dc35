from __future__ import annotations

import math

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab import plot
from stanza_lab.errors import SchemaError
from tests.reliability.objectives.tables_of import counts


@pytest.fixture(scope="module")
def signals():
    timed = counts([1] * 24)
    timed["le"], timed["below"] = [[0.1, math.inf]] * 24, [[900.0, 1000.0]] * 24
    more = [counts([0] * 24, service=name, total=10) for name in ("<i>db", "c", "d")]
    return sl.golden_signals(pd.concat([timed, *more]), every="10min")


def test_a_column_per_service_the_busiest_first(signals) -> None:
    figure = plot.golden_signals(signals)
    heads = [a.text for a in figure.layout.annotations if a.text.startswith("<b>")]
    assert heads == ["<b>shop</b>", "<b>&lt;i&gt;db</b>", "<b>c</b>"]
    assert "not shown: 1 service (d)" in figure.layout.annotations[0].text


def test_what_nothing_measures_says_so(signals) -> None:
    said = [a.text for a in plot.golden_signals(signals, top=1).layout.annotations]
    assert said.count("not measured") == 1  # saturation
    assert {trace.name for trace in plot.golden_signals(signals, top=1).data} == {
        "traffic",
        "errors",
        "p50",
        "p90",
        "p99",
    }


def test_time_is_utc_and_services_share_a_scale(signals) -> None:
    layout = plot.golden_signals(signals).layout
    assert layout.xaxis10.title.text == "time (UTC)"
    assert (layout.yaxis2.matches, layout.xaxis2.matches) == ("y", "x")


def test_a_line_does_not_bridge_what_was_not_seen(signals) -> None:
    holed = signals[signals["at"] != signals["at"].unique()[5]]
    line = plot.golden_signals(holed, top=1).data[0]
    assert sum(pd.isna(value) for value in line.y) == 1


def test_no_rows_and_one_row_are_figures(signals) -> None:
    assert len(plot.golden_signals(signals[:0]).data) == 0
    assert len(plot.golden_signals(signals[:1]).data) > 0
    with pytest.raises(SchemaError, match="golden_signals"):
        plot.golden_signals(signals.drop(columns="p50_s"))
