from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

import stanza_lab as sl
from stanza_lab.errors import MissingExtraError
from tests.report.page import Page


def test_a_figure_page_has_its_edges_as_a_table(tmp_path: Path) -> None:
    production = sl.ProductionMap(pd.DataFrame({"src": ["<b>"], "dst": ["db"], "confidence": [0.9]}))
    figure = sl.plot.production_map(production)
    page = Page(sl.write_figure(tmp_path / "map.html", figure, title="<Map>", table=production.links))
    assert "<Map>" in page.words
    assert {"<b>", "db", "0.90", "confidence", ": how often both fired together"} <= set(page.words)
    assert re.search(r"Production map: 2 services", "".join(page.scripts[1:]))


def test_a_picture_names_the_extra_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(MissingExtraError, match=r"a figure as \.png needs kaleido: pip install 'stanza_lab\[images\]'"):
        sl.write_figure(tmp_path / "map.png", go.Figure(), title="Map")
    assert list(tmp_path.iterdir()) == []


def test_what_a_figure_says_of_itself_is_its_text(tmp_path: Path) -> None:
    figure = go.Figure(layout={"title": {"text": "<b>Map</b>"}, "meta": {"description": 'three "services"'}})
    page = Page(sl.write_figure(tmp_path / "a.html", figure, title="Map"))
    plot = next(attrs for attrs in page.of("div") if attrs.get("class") == "plot")
    assert plot["aria-label"] == 'three "services"'
    figure = go.Figure(layout={"title": {"text": "<b>Map</b> of a &lt;b&gt;<br>and c"}})
    page = Page(sl.write_figure(tmp_path / "a.html", figure, title="Map"))
    said = [attrs["aria-label"] for attrs in page.of("div") if attrs.get("class") == "plot"]
    assert said == ["Map of a <b>. and c. Hover for details; double-click brings back the whole."]


def test_a_front_door_is_a_page_without_plotly(tmp_path: Path) -> None:
    edges = pd.DataFrame({"src": ["<b>shop"], "dst": ["orders-db"], "confidence": [0.9]})
    path = sl.write_front_door(tmp_path / "shop.html", sl.ProductionMap(edges).front_door("<b>shop"))
    page = Page(path)
    assert "<b>shop (service)" in page.words
    assert path.stat().st_size < 100_000
    assert page.policy.count("sha256-") == 1
