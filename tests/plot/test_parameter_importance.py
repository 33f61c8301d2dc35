from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.errors import SchemaError

IMPORTANCE = pd.DataFrame({"parameter": ["a", "<b>", "c", "d"], "importance": [0.1, 0.7, 0.002, None]})


def test_the_most_important_stands_on_top() -> None:
    figure = plot.parameter_importance(IMPORTANCE)
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;", "a", "c")
    assert figure.data[0].text == ("0.70", "0.10", "<0.01")
    assert figure.layout.title.text == "What matters most: &lt;b&gt;"


def test_what_is_not_known_or_not_shown_is_counted() -> None:
    many = pd.DataFrame({"parameter": [f"p{k}" for k in range(25)], "importance": range(25)})
    assert plot.parameter_importance(many).layout.annotations[0].text == "not shown: 5 parameters of 4 or less"
    assert "1 parameter of unknown importance" in plot.parameter_importance(IMPORTANCE).layout.annotations[0].text


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_parameter_is_a_figure_too(rows: int) -> None:
    assert len(plot.parameter_importance(IMPORTANCE.head(rows)).data) == rows


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(SchemaError, match="column 'importance' is missing"):
        plot.parameter_importance(IMPORTANCE[["parameter"]])
    with pytest.raises(SchemaError, match="pass numbers"):
        plot.parameter_importance(IMPORTANCE.assign(importance="much"))
