from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.errors import SchemaError

if TYPE_CHECKING:
    import plotly.graph_objects as go

Share = tuple[str, str, float, float]
SHARES: list[Share] = [
    ("prior", "one pair in 40 is linked", -3.6, math.nan),
    ("co-firing", "40 times together", 3.9, 0.7),
    ("traces", "no trace shows <b>it</b>", -0.6, 0.3),
]


class Explained:
    """Stands for what ``DependencyModel.explain`` returns."""

    def __init__(self, shares: list[Share] = SHARES, **given: Any) -> None:
        self.src = given.get("src", "orders")
        self.dst = given.get("dst", "orders-db")
        self.confidence = 0.3
        self.link_confidence = given.get("link", 1 / (1 + math.exp(0.3)))
        lags = given.get("lags", [(-60, -30, 1, 0.5), (-30, 0, 2, 0.5), (0, 30, 6, 0.5), (30, 120, 9, 1.5)])
        self.lags = pd.DataFrame(lags, columns=["from_s", "to_s", "cofirings", "expected"])
        self.shares = pd.DataFrame(shares, columns=["source", "says", "log_odds", "share"])
        occasions = given.get("occasions", [(pd.Timestamp("2026-03-01T10:00Z"), 42.0, "late <i>", "db cpu")])
        self.occasions_table = pd.DataFrame(occasions, columns=["at", "lag_s", "src_alert", "dst_alert"])
        self.reasons_against = given.get("against", ("no trace shows the call",))


def bars(figure: go.Figure) -> list[go.Bar]:
    """Return the bars of lags and of evidence."""
    return [trace for trace in figure.data if trace.type == "bar"]


def said(figure: go.Figure) -> str:
    return "\n".join(str(annotation.text) for annotation in figure.layout.annotations)


def test_the_title_says_what_depends_on_what_and_how_sure() -> None:
    title = plot.why_dependency(Explained()).layout.title.text
    assert title == "orders depends on orders-db: confidence 0.30 (0.43 that they are linked)"


def test_bars_of_lags_are_rates_so_that_bins_compare() -> None:
    lags, _ = bars(plot.why_dependency(Explained()))
    assert list(lags.y) == [2, 4, 12, 6]
    assert list(lags.width) == [30, 30, 30, 90]
    assert len(set(lags.marker.color[:2])) == len(set(lags.marker.color[2:])) == 1
    assert lags.marker.color[0] != lags.marker.color[3]


def test_chance_is_a_line_over_the_same_bins() -> None:
    line = next(
        trace for trace in plot.why_dependency(Explained()).data if trace.type == "scatter" and trace.mode == "lines"
    )
    assert list(line.y) == [1] * 8
    assert list(line.x) == [-60, -30, -30, 0, 0, 30, 30, 120]


def test_a_bin_of_the_same_moment_is_as_wide_as_the_narrowest() -> None:
    lags, _ = bars(plot.why_dependency(Explained(lags=[(-60, 0, 1, 1), (0, 0, 5, 0.1), (0, 30, 1, 1)])))
    assert list(lags.width) == [60, 30, 30]
    assert np.isfinite(lags.y).all()
    assert "same moment" in lags.hovertext[1]


def test_each_piece_of_evidence_starts_where_the_one_above_ends() -> None:
    _, steps = bars(plot.why_dependency(Explained()))
    assert np.allclose(steps.base, [-3.6, -3.6, -0.3, -0.3])
    assert np.allclose(steps.x, [0, 3.9, 0.6, 0])
    assert steps.marker.color[1] != steps.marker.color[2]


def test_without_a_prior_it_starts_where_the_evidence_must_have() -> None:
    _, steps = bars(plot.why_dependency(Explained(SHARES[1:])))
    assert np.allclose(steps.base[0], -3.6)


def test_what_the_rows_do_not_add_up_to_is_a_row_of_its_own() -> None:
    figure = plot.why_dependency(Explained(link=0.25))
    assert "<b>the rest</b>" in said(figure)
    _, steps = bars(figure)
    assert np.allclose(steps.x[3], math.log(3) - 0.3)
    assert "the rest" not in said(plot.why_dependency(Explained()))


def test_probabilities_stand_above_the_log_odds_at_their_places() -> None:
    axis = plot.why_dependency(Explained()).layout.xaxis3
    assert "50%" in axis.ticktext
    for place, text in zip(axis.tickvals, axis.ticktext, strict=True):
        assert 100 / (1 + math.exp(-place)) == pytest.approx(float(text.removesuffix("%")))
    assert axis.range == plot.why_dependency(Explained()).layout.xaxis2.range


def test_occasions_are_ticks_that_tell_which_alerts() -> None:
    figure = plot.why_dependency(Explained())
    ticks = next(trace for trace in figure.data if trace.type == "scatter" and trace.marker.symbol == "line-ns")
    assert list(ticks.x) == [42.0]
    assert "2026-03-01 10:00:00 UTC" in ticks.hovertext[0]
    assert "late &lt;i&gt;" in ticks.hovertext[0]


def test_words_are_escaped_everywhere() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    shares: list[Share] = [(hostile, hostile * 9, 2.0, 0.5), ("traces", hostile, -1.0, 0.5)]
    occasions = [(pd.Timestamp("2026-03-01T10:00Z"), 4.0, hostile, hostile)]
    explained = Explained(shares, src=hostile, dst=hostile, against=(hostile,) * 9, occasions=occasions)
    assert "<img" not in str(plot.why_dependency(explained, title=hostile).to_dict())
    assert "<img" not in str(plot.why_dependency(explained).to_dict())


def test_of_many_pieces_the_smallest_share_a_row() -> None:
    shares: list[Share] = [(f"s{k}", "", float(30 - k) / 10, 0.04) for k in range(25)]
    figure = plot.why_dependency(Explained(shares, link=0.5))
    _, steps = bars(figure)
    assert len(steps.x) == 12
    assert "16 smaller pieces" in said(figure)
    assert steps.x[10] == pytest.approx(sum(float(30 - k) / 10 for k in range(9, 25)))


def test_what_speaks_against_stands_below_but_not_without_end() -> None:
    text = said(plot.why_dependency(Explained(against=[f"reason {k}" for k in range(9)])))
    assert "Against: reason 0" in text
    assert "reason 4" not in text


@pytest.mark.parametrize("link", [0.0, 1.0])
def test_nothing_known_and_certainty_are_figures_too(link: float) -> None:
    empty = plot.why_dependency(Explained([], lags=[], occasions=[], link=link))
    assert "they never fired near each other" in said(empty)
    assert "no evidence to add up" in said(empty)
    _, steps = bars(plot.why_dependency(Explained(link=link)))
    assert np.isfinite(steps.x).all()


def test_a_missing_column_is_named() -> None:
    explained = Explained()
    explained.shares = explained.shares.drop(columns="log_odds")
    with pytest.raises(SchemaError, match=r"explanation.shares: column 'log_odds' is missing"):
        plot.why_dependency(explained)


def test_the_explanation_is_not_changed() -> None:
    explained = Explained()
    kept = [table.copy(deep=True) for table in (explained.lags, explained.shares, explained.occasions_table)]
    plot.why_dependency(explained)
    for table, before in zip((explained.lags, explained.shares, explained.occasions_table), kept, strict=True):
        pd.testing.assert_frame_equal(table, before)
