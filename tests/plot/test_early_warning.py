from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError
from tests.patterns.unfolded import ALL, SPLIT, known

if TYPE_CHECKING:
    from stanza_lab.patterns.warned import EarlyWarnings


@pytest.fixture(scope="module")
def found():
    """Return six warnings of eight that came true."""
    return sl.early_warnings(ALL, split=SPLIT, patterns=known(), min_confidence=0.7)


def test_a_share_is_a_point_with_its_interval(found: EarlyWarnings) -> None:
    figure = sl.plot.early_warning(found)
    point = next(trace for trace in figure.data if trace.name == "warnings that came true")
    assert list(point.x) == [0.75]
    row = found.table.iloc[0]
    assert list(point.error_x.array) == pytest.approx([row["precision_high"] - 0.75])
    assert figure.layout.title.text == "6 of 8 warnings came true"
    assert "judged on 9 after 2026-03-20 00:00 UTC" in figure.layout.title.subtitle.text
    assert "severity error or worse" in figure.layout.meta["description"]


def test_the_lead_stands_beside_the_first_page(found: EarlyWarnings) -> None:
    figure = sl.plot.early_warning(found)
    ends = {trace.name: list(trace.x) for trace in figure.data if trace.xaxis == "x2" and trace.name}
    assert ends == {"pattern whole (10 to 90 %)": [120.0], "first page (median)": [120.0]}


def test_what_is_not_judged_has_counts_and_no_point(found: EarlyWarnings) -> None:
    thin = found.table.assign(precision=np.nan, precision_low=np.nan, precision_high=np.nan)
    figure = sl.plot.early_warning(replace(found, table=thin))
    assert "warnings that came true: 6 of 8" in [text for trace in figure.data for text in trace.text or ()]
    assert len(next(trace for trace in figure.data if trace.name == "warnings that came true").x) == 0


def test_no_pattern_is_a_figure_too(found: EarlyWarnings) -> None:
    none = sl.plot.early_warning(replace(found, table=found.table.head(0)))
    assert none.layout.title.text == "No pattern recurs often enough to warn of"


def test_names_are_escaped_and_what_is_left_out_is_counted(found: EarlyWarnings) -> None:
    twice = found.table.loc[[0, 0]].assign(name=["<img src=x>", "other"])
    figure = sl.plot.early_warning(replace(found, table=twice), top=1)
    assert figure.layout.yaxis.ticktext[0].startswith("&lt;img src=x&gt;<br>")
    assert "not shown: 1 pattern" in figure.layout.annotations[0].text
    with pytest.raises(ParameterError, match=r"pass sl.early_warnings"):
        sl.plot.early_warning(found.table)
