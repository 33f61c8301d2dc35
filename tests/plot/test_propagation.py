from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.errors import ParameterError, SchemaError

TABLE = pd.DataFrame(
    {
        "callee_kind": ["saturation", "saturation", "latency"],
        "caller_kind": ["errors", "latency", "latency"],
        "callee_firings": [120, 90, 8],
        "followed": [80, 4, 2],
        "probability": [0.62, 0.01, None],
        "low": [0.5, 0.0, None],
        "high": [0.7, 0.05, None],
        "lag_s": [40.0, 300.0, 20.0],
        "q_value": [0.0001, 0.6, None],
    }
)


def _many(count: int) -> pd.DataFrame:
    kinds = [f"kind {i:02d}" for i in range(count)]
    return pd.DataFrame(
        [(a, b, 100 - i, 50, 0.5, 60.0, 0.001) for i, a in enumerate(kinds) for b in kinds],
        columns=["callee_kind", "caller_kind", "callee_firings", "followed", "probability", "lag_s", "q_value"],
    )


def test_only_what_chance_does_not_explain_is_shaded() -> None:
    grey, shades = plot.propagation(TABLE).data
    assert np.isnan(shades.z).tolist() == [[True, True], [True, False]]
    assert shades.z[1, 1] == pytest.approx(0.62)
    assert shades.text[1][1] == "<b>62%</b><br>40 s<br>n = 120"
    assert [list(row) for row in grey.text] == [["too few", ""], ["chance", ""]]
    assert np.isnan(grey.z).tolist() == [[False, True], [False, False]]


def test_golden_signals_keep_their_order() -> None:
    figure = plot.propagation(TABLE)
    assert figure.layout.yaxis.ticktext == ("latency", "saturation")
    assert figure.layout.xaxis.ticktext == ("latency", "errors")


def test_hover_says_interval_lag_and_counts() -> None:
    shades = plot.propagation(TABLE).data[1]
    assert shades.hovertext[1][1] == (
        "<b>saturation → errors</b><br>followed beyond chance: 62% (50% to 70%)<br>later: 40 s"
        "<br>firings of the callee: 120, 80 followed<br>q: 0.0001"
    )
    assert "too few occasions to tell" in plot.propagation(TABLE).data[0].hovertext[0][0]


def test_many_kinds_say_less_in_their_cells_and_the_rarest_are_left_out() -> None:
    assert plot.propagation(_many(20)).data[1].text[0][0] == "50%"
    figure = plot.propagation(_many(70), top=60)
    assert figure.data[1].text is None
    assert figure.data[1].z.shape == (60, 60)
    assert figure.layout.yaxis.ticktext[0] == "kind 00"
    assert "20 kinds with fewer firings" in figure.layout.annotations[0].text


def test_kinds_are_escaped() -> None:
    figure = plot.propagation(TABLE.assign(callee_kind=["<b>x</b>", "y", "z"]))
    assert "&lt;b&gt;x&lt;/b&gt;" in figure.layout.yaxis.ticktext
    assert "<b>x</b>" not in str(figure.data[1].hovertext)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_row_is_a_figure_too(rows: int) -> None:
    assert len(plot.propagation(TABLE.head(rows)).data) == 2 * rows


def test_rows_of_several_edges_and_missing_columns_are_refused() -> None:
    with pytest.raises(ParameterError, match="several rows; pass a table made without by="):
        plot.propagation(pd.concat([TABLE, TABLE]))
    with pytest.raises(SchemaError, match="column 'q_value' is missing"):
        plot.propagation(TABLE.drop(columns="q_value"))
