from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab import plot
from stanza_lab.errors import ParameterError
from stanza_lab.plot import _theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

TEXT = [_theme.INK, _theme.FAINT, "#A84600", "#0072B2"]
MARKS = [*_theme.PALETTE, *(colour for colour, _ in _theme.SEVERITY.values()), _theme.UNKNOWN, _theme.SEEN]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def dark(colour: str) -> str:
    return _theme.DARK.get(colour, colour)


def figure(name: str = "shop") -> go.Figure:
    edges = pd.DataFrame({"src": [name], "dst": ["db"], "confidence": [0.9]})
    owners = pd.DataFrame({"service": [name, "db"], "team": ["web", "storage"]})
    return plot.production_map(sl.ProductionMap(edges, ownership=owners).team("web"))


@pytest.mark.parametrize("colour", TEXT)
def test_text_is_readable_on_a_light_and_on_a_dark_page(colour: str) -> None:
    assert contrast(colour, _theme.PAPER) >= 4.5
    assert contrast(dark(colour), dark(_theme.PAPER)) >= 4.5


@pytest.mark.parametrize("colour", MARKS)
def test_marks_stand_out_on_a_dark_page(colour: str) -> None:
    assert contrast(dark(colour), dark(_theme.PAPER)) >= 3


def test_colours_that_differ_still_differ_in_the_dark() -> None:
    for colours in (_theme.PALETTE, [colour for colour, _ in _theme.SEVERITY.values()]):
        assert all(dark(a) != dark(b) for a, b in itertools.combinations(colours, 2))


def test_a_dark_map_has_no_colour_of_a_light_one() -> None:
    drawn = plot.restyle(figure()).to_json()
    assert not [colour for colour in _theme.DARK if colour.startswith("#") and f'"{colour}"' in drawn]
    assert "white" not in drawn


def test_dark_and_back_is_the_figure_it_was() -> None:
    light = figure()
    assert plot.restyle(plot.restyle(light), theme="light").to_json() == light.to_json()


def test_asking_for_the_theme_that_is_there_changes_nothing() -> None:
    light = figure()
    assert plot.restyle(light, theme="light").to_json() == light.to_json()
    assert plot.restyle(plot.restyle(light), theme="dark").to_json() == plot.restyle(light).to_json()


def test_the_figure_passed_in_stays_as_it_is() -> None:
    light = figure()
    before = light.to_json()
    plot.restyle(light)
    assert light.to_json() == before


def test_a_name_that_is_a_colour_stays_a_name() -> None:
    texts = [
        text
        for trace in plot.restyle(figure("#FFFFFF")).data
        for text in (trace.text if trace.text is not None else ())
    ]
    assert "#FFFFFF" in texts


def test_other_figures_turn_dark_too() -> None:
    alerts = pd.DataFrame({"service": ["shop", "db"], "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:01Z"]})
    for light in (plot.timeline(alerts), plot.firing_heatmap(alerts, every="1D")):
        turned = plot.restyle(light)
        assert turned.layout.paper_bgcolor == _theme.DARK[_theme.PAPER]
        assert turned.layout.xaxis.gridcolor in {_theme.DARK[_theme.GRID], None}
        assert plot.restyle(turned, theme="light").to_json() == light.to_json()


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(ParameterError, match="theme"):
        plot.restyle(figure(), theme="sepia")  # type: ignore[arg-type]
