from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.errors import ParameterError, SchemaError

RULES = pd.DataFrame(
    {
        "rule": ["<i>Errors", "Disk full", "Slow"],
        "service": ["shop", "db", None],
        "count": [2, 7, 1],
        "pages": [2, 0, 1],
        "chronic": [False, True, False],
        "flapping": [False, True, True],
    }
)


def test_bars_are_sorted_and_say_their_share_and_that_of_all_above() -> None:
    figure = plot.noisiest(RULES)
    assert figure.layout.yaxis.ticktext == ("Disk full · db", "&lt;i&gt;Errors · shop", "Slow")
    ends = dict(
        zip([y for bar in figure.data for y in bar.y], [t for bar in figure.data for t in bar.text], strict=True)
    )
    assert ends == {0: "7  70%  70%", 1: "2  20%  90%", 2: "1  10%  100%"}
    assert figure.layout.title.text == "Half of 10 alerts come from 1 of 3 rules"


def test_colour_and_pattern_say_what_a_rule_is() -> None:
    bars = {bar.name: bar for bar in plot.noisiest(RULES).data}
    assert list(bars) == ["chronic and flapping", "flapping", "neither"]
    assert len({bar.marker.pattern.shape for bar in bars.values()}) == 3


def test_pages_may_be_counted_and_rules_without_are_not_drawn() -> None:
    figure = plot.noisiest(RULES, by="pages", top=1)
    assert figure.layout.title.text == "Half of 3 pages come from 1 of 3 rules"
    assert "not shown: 1 rule with 1 page (33%)" in figure.layout.annotations[0].text


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_rule_is_a_figure_too(rows: int) -> None:
    assert len(plot.noisiest(RULES.head(rows)).data) == rows


def test_what_is_no_table_of_rules_is_refused() -> None:
    with pytest.raises(SchemaError, match="pass PagerLoad"):
        plot.noisiest(RULES.drop(columns="pages"))
    with pytest.raises(ParameterError, match="by='days'"):
        plot.noisiest(RULES, by="days")
