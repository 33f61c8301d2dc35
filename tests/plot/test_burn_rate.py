from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab import plot
from stanza_lab.errors import SchemaError, UnknownNameError
from tests.reliability.objectives.tables_of import counts, promised


@pytest.fixture(scope="module")
def rates():
    table = pd.concat([counts([0] * 144 + [100] * 12 + [0] * 12), counts([0] * 168, service="<b>db")])
    return sl.burn_rates(table, objectives=promised(service="*"))


def test_a_row_per_rule_and_a_shade_where_it_fired(rates) -> None:
    figure = plot.burn_rate(rates)
    assert figure.layout.title.text == "shop, Answers: burn-rate rules fired 3 times"
    shades = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    limits = [shape.y0 for shape in figure.layout.shapes if shape.type == "line"]
    assert (len(shades), limits) == (3, [14.4, 6, 3, 1])
    assert figure.layout.xaxis.title.text == "time (UTC)"


def test_what_was_not_judged_is_a_gap(rates) -> None:
    figure = plot.burn_rate(rates)
    assert pd.isna(figure.data[0].y[0])
    assert "gaps: not judged" in figure.layout.annotations[0].text


def test_one_can_be_chosen_and_unknown_ones_are_named(rates) -> None:
    assert plot.burn_rate(rates, service="<b>db").layout.title.text.startswith("&lt;b&gt;db, Answers")
    with pytest.raises(UnknownNameError, match="did you mean 'shop'"):
        plot.burn_rate(rates, service="shp")
    with pytest.raises(SchemaError, match="burn_rates"):
        plot.burn_rate(rates.drop(columns="rate"))


def test_no_rows_and_one_row_are_figures(rates) -> None:
    assert plot.burn_rate(rates[:0]).layout.title.text == "No burn rates"
    assert len(plot.burn_rate(rates[:1]).data) == 2


def test_the_table_is_not_changed(rates) -> None:
    before = rates.copy()
    plot.burn_rate(rates)
    pd.testing.assert_frame_equal(rates, before)
