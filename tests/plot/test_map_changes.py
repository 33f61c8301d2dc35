from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.dependencies import DependencyModel
from stanza_lab.errors import SchemaError
from stanza_lab.production import ProductionMap

if TYPE_CHECKING:
    import plotly.graph_objects as go

START = pd.Timestamp("2026-03-01T03:00Z")


@functools.cache
def made(search: str = "search", alone: int = 0) -> ProductionMap:
    """db and orders alert together until day 50, search until day 60; ads comes on day 70."""
    fired = [
        ("db", range(0, 90, 2), 0), ("orders", range(0, 50, 2), 70), ("orders", range(50, 90, 2), 18_000),
        (search, range(0, 60, 3), 40_000), ("ads", range(70, 90, 3), 7_000),
        *((f"other-{i}", range(i % 5, 90, 5), 50_000 + 1_000 * (i // 2) + 40 * (i % 2)) for i in range(alone)),
    ]  # fmt: skip
    rows = [
        {"service": name, "starts_at": START + pd.Timedelta(days=day, seconds=late)}
        for name, days, late in fired
        for day in days
    ]
    alerts = pd.DataFrame(rows).sort_values("starts_at", ignore_index=True)
    model = DependencyModel().fit(alerts)
    return ProductionMap(model.edges_, alerts, model=model)


def named(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.name}


def test_each_kind_of_change_has_its_own_colour_and_its_own_dash_or_shape() -> None:
    traces = named(plot.map_changes(made(), since="2026-04-15"))
    assert traces["dependency gone"].line.dash == "2px,5px"
    assert [pick[1] for pick in traces["service gone"].customdata] == ["search"]
    assert [pick[1] for pick in traces["service appeared"].customdata] == ["ads"]
    assert traces["service gone"].marker.symbol != traces["service appeared"].marker.symbol
    assert traces["service gone"].marker.color != traces["service appeared"].marker.color


def test_what_changed_says_why() -> None:
    traces = named(plot.map_changes(made(), since="2026-04-15"))
    assert "both still alert" in traces["why"].hovertext[0].replace("<br>", " ")
    assert traces["why"].customdata[0] == ("link", "db", "orders") or list(traces["why"].customdata[0]) == [
        "link", "db", "orders",
    ]  # fmt: skip
    assert "chance of such a silence" in traces["service gone"].hovertext[0]


def test_the_title_counts_and_the_description_tells() -> None:
    figure = plot.map_changes(made(), since="2026-04-15")
    assert figure.layout.title.text == (
        "Changes since 2026-04-15: 1 service gone, 1 dependency gone, 1 service appeared"
    )
    assert "search alerted on 20 days" in figure.layout.meta["description"]


def test_nothing_new_is_said_to_be_nothing() -> None:
    figure = plot.map_changes(made(), since="2026-05-25")
    assert figure.layout.title.text == "Changes since 2026-05-25: nothing appeared or vanished that shows"


def test_of_a_large_map_only_what_changed_and_its_neighbours_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["stanza_lab.plot.map_changes"], "MOST", 5)
    figure = plot.map_changes(made(alone=8), since="2026-04-15")
    names = [text for text in named(figure)["names"].text if text]
    assert {"search", "ads"} <= set(names)
    assert len(names) <= 5
    said = "".join(annotation.text for annotation in figure.layout.annotations)
    assert "linked services drawn: what changed, and who is next to it" in said


def test_untrusted_names_are_escaped() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    drawn = plot.map_changes(made(hostile), since="2026-04-15").to_plotly_json()
    for trace in drawn["data"]:
        trace.pop("customdata", None)
    drawn["layout"].pop("meta")
    text = json.dumps(drawn, default=str)
    assert "&lt;img" in text
    assert "<img" not in text


def test_only_maps_are_drawn() -> None:
    with pytest.raises(SchemaError, match="production must be a ProductionMap, not dict"):
        plot.map_changes({}, since="2026-04-15")
