"""The blast radius as a figure: everybody is there, says how likely, and nothing in a name is markup."""

from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError

EDGES = pd.DataFrame(
    [("shop", "cart", 0.9), ("cart", "cart-db", 0.8), ("reports", "cart-db", 0.6)], columns=["src", "dst", "confidence"]
)


def labels(figure: object) -> str:
    return " ".join(text for trace in figure.data for text in (trace.text if trace.text is not None else ()))  # type: ignore[attr-defined]


def test_columns_are_hops_and_labels_say_how_likely() -> None:
    figure = sl.plot.blast_radius(sl.ProductionMap(EDGES), service="cart-db")
    at = {
        name: x for trace in figure.data if trace.text is not None for name, x in zip(trace.text, trace.x, strict=True)
    }
    place = {name.replace("<b>", "").replace("</b>", "").split()[0]: int(x) for name, x in at.items()}
    assert place == {"cart-db": 0, "cart": 1, "reports": 1, "shop": 2}
    assert "%" in labels(figure)
    assert figure.layout.title.text == "If cart-db fails: 3 services could be hit"


def test_a_reader_who_cannot_see_it_hears_it() -> None:
    said = sl.plot.blast_radius(sl.ProductionMap(EDGES), service="cart-db").layout.meta["description"]
    assert said.startswith("If cart-db fails: 3 services could be hit. Likeliest to alert within 15 min: cart ")
    assert "<" not in said.replace("<1 %", "")


def test_nobody_hit_is_a_figure_too() -> None:
    figure = sl.plot.blast_radius(sl.ProductionMap(EDGES), service="shop")
    assert "0 services could be hit" in figure.layout.title.text
    assert "Nobody is known to depend on it" in figure.layout.title.subtitle.text


def test_no_two_services_of_a_column_share_a_place_and_many_are_cut() -> None:
    edges = pd.DataFrame({"src": [f"s{k:03d}" for k in range(80)], "dst": "db", "confidence": 0.9})
    figure = sl.plot.blast_radius(sl.ProductionMap(edges), service="db", limit=60)
    nodes = [trace for trace in figure.data if trace.text is not None]
    places = [(x, y) for trace in nodes for x, y in zip(trace.x, trace.y, strict=True)]
    assert len(places) == len(set(places)) == 61
    assert "20 services less likely hit not drawn" in figure.layout.annotations[0].text


def test_names_are_text_and_not_markup() -> None:
    bad = "<img src=x onerror=alert(1)>"
    edges = pd.DataFrame({"src": [bad], "dst": ["<script>db</script>"], "confidence": [0.9]})
    teams = pd.DataFrame({"service": [bad], "team": ["<b onclick=x>"]})
    shown = sl.plot.blast_radius(sl.ProductionMap(edges, ownership=teams), service="<script>db</script>")
    text = [
        shown.layout.title.text,
        shown.layout.title.subtitle.text,
        *(note.text for note in shown.layout.annotations),
    ]
    text += [str(line) for trace in shown.data for line in (*(trace.text or ()), *(trace.hovertext or ()))]
    assert not any(mark in " ".join(text) for mark in ("<img", "<script", "<b onclick"))


def test_what_never_alerts_is_hollow() -> None:
    alerts = pd.DataFrame({"service": ["cart"], "starts_at": [pd.Timestamp("2026-03-01", tz="UTC")]})
    figure = sl.plot.blast_radius(sl.ProductionMap(EDGES, alerts), service="cart-db")
    assert "reports, never alerts" in labels(figure)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(UnknownNameError):
        sl.plot.blast_radius(sl.ProductionMap(EDGES), service="crat")
    with pytest.raises(ParameterError, match="limit"):
        sl.plot.blast_radius(sl.ProductionMap(EDGES), service="cart", limit=0)
    with pytest.raises(SchemaError, match="must be a ProductionMap"):
        sl.plot.blast_radius(EDGES, service="cart")  # type: ignore[arg-type]
