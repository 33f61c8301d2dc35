"""Likely origins as a figure: the likeliest on top, the silent ones told apart, nothing in a name is markup."""

from __future__ import annotations

import html

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError

EDGES = pd.DataFrame([("shop", "cart", 0.9), ("cart", "cart-db", 0.8)], columns=["src", "dst", "confidence"])


def origins(*services: str, edges: pd.DataFrame = EDGES) -> pd.DataFrame:
    times = pd.date_range("2026-03-01T14:02Z", periods=len(services), freq="5min")
    alerts = pd.DataFrame({"starts_at": times, "service": pd.Series(list(services), dtype="str")})
    return sl.rank_origins(sl.ProductionMap(edges, alerts), alerts=alerts)


def test_a_bar_per_suspect_and_one_for_none_of_them() -> None:
    found = origins("cart", "shop")
    figure = sl.plot.likely_origins(found)
    names = [name.split(". ")[-1] for name in figure.layout.yaxis.ticktext]
    assert names == [*found["service"], "none of these"]
    assert sum(figure.data[0].x) == pytest.approx(1.0)


def test_the_silent_are_hatched_and_no_other() -> None:
    found = origins("cart", "shop")
    shapes = sl.plot.likely_origins(found).data[0].marker.pattern.shape
    assert [shape == "/" for shape in shapes] == [*found["silent"], False]


def test_a_reader_who_cannot_see_it_hears_it() -> None:
    found = origins("cart", "shop")
    said = sl.plot.likely_origins(found).layout.meta["description"]
    assert found["service"].iloc[0] in said
    assert "none of these: 0." in said


def test_all_reasons_show_on_hover() -> None:
    found = origins("cart", "shop")
    hover = sl.plot.likely_origins(found).data[0].hovertext[0]
    assert all(html.escape(reason, quote=False) in hover for reason in found["reasons"].iloc[0])


def test_no_row_and_one_row_are_figures_too() -> None:
    assert sl.plot.likely_origins(origins()).layout.title.text.startswith("No service can be suspected")
    one = sl.plot.likely_origins(origins("lone"))
    assert one.layout.yaxis.ticktext[0] == "1. lone"


def test_many_are_cut_and_it_says_so() -> None:
    figure = sl.plot.likely_origins(origins(*(f"s{k}" for k in range(14))), limit=10)
    assert "4 suspects less likely not drawn" in figure.layout.annotations[0].text


def test_names_are_text_and_not_markup() -> None:
    bad = "<img src=x onerror=alert(1)>"
    edges = pd.DataFrame({"src": [bad], "dst": ["<script>db</script>"], "confidence": [0.9]})
    figure = sl.plot.likely_origins(origins(bad, edges=edges), title="<b>what")
    shown = [
        *figure.layout.yaxis.ticktext,
        *(text for trace in figure.data for text in (*(trace.text or ()), *(trace.hovertext or ()))),
        figure.layout.title.text,
        figure.layout.annotations[0].text,
        figure.layout.meta["description"],
    ]
    assert not [text for text in shown if "<img" in text or "<script" in text or "<b>what" in text]


def test_what_is_no_ranking_is_refused() -> None:
    with pytest.raises(SchemaError, match="pass what sl"):
        sl.plot.likely_origins(EDGES)
    with pytest.raises(ParameterError, match="limit"):
        sl.plot.likely_origins(origins("shop"), limit=0)


def test_what_is_next_to_impossible_is_counted_and_not_drawn() -> None:
    rows = [
        {
            "service": f"s{i}",
            "probability": p,
            "alerts": 1,
            "first_at": None,
            "silent": False,
            "reasons": ["r"],
            "words": "",
        }
        for i, p in enumerate([0.9, 0.02, 0.001, 0.001, 0.001])
    ]
    figure = sl.plot.likely_origins(pd.DataFrame(rows))
    assert len(figure.layout.yaxis.ticktext) == 3
    assert "2 suspects less likely not drawn." in figure.layout.annotations[0].text
