from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from stanza_lab import plot, schema
from stanza_lab.errors import SchemaError
from stanza_lab.production import ProductionMap

if TYPE_CHECKING:
    import plotly.graph_objects as go

EDGES = schema.build(
    [
        {"src": "shop", "dst": "orders", "confidence": 0.9, "support": 9, "lag_s": 60, "provenance": ["inferred"]},
        {"src": "orders", "dst": "db", "confidence": 0.8, "support": 9, "lag_s": 60, "provenance": ["traced"]},
        {"src": "shop", "dst": "mail", "confidence": 0.8, "support": 9, "lag_s": 60, "provenance": ["inferred"]},
        {"src": "mail", "dst": "db", "confidence": 0.8, "support": 9, "lag_s": 60, "provenance": ["inferred"]},
        {"src": "far", "dst": "away", "confidence": 0.8, "support": 9, "lag_s": 60, "provenance": ["inferred"]},
    ],
    schema.EDGES,
)


def alerts(title: str = "slow") -> pd.DataFrame:
    rows = [("db", "14:02", "14:20", "critical"), ("orders", "14:04", "14:18", None), ("shop", "14:06", None, "error")]
    return schema.build(
        [
            {"service": s, "starts_at": f"2026-03-01T{a}Z", "ends_at": b and f"2026-03-01T{b}Z", "severity": severity,
             "summary": title, "incident_id": 3}
            for s, a, b, severity in rows
        ],
        schema.ALERTS,
    )[["service", "starts_at", "ends_at", "severity", "summary", "incident_id"]]  # fmt: skip


@pytest.fixture
def figure() -> go.Figure:
    return plot.replay(ProductionMap(EDGES, alerts()), incident=3, step="1min")


def shown(figure: go.Figure, name: str, frame: int) -> go.Scatter:
    place = [trace.name for trace in figure.data].index(name)
    step = figure.frames[frame]
    return step.data[list(step.traces).index(place)]


def test_it_draws_who_alerted_and_silent_ones_between_and_nobody_else(figure: go.Figure) -> None:
    names = next(trace for trace in figure.data if trace.name == "names")
    assert sorted(names.text) == ["db", "mail", "orders", "shop"]


def test_a_frame_per_step_and_the_figure_starts_as_the_first(figure: go.Figure) -> None:
    steps = figure.layout.sliders[0].steps
    assert [step.args[0][0] for step in steps] == [frame.name for frame in figure.frames]
    assert [step.label for step in steps][:3] == ["14:02", "14:03", "14:04"]
    assert figure.layout.sliders[0].active == 0
    first = figure.frames[0]
    for place, trace in zip(first.traces, first.data, strict=True):
        if trace.text is not None:
            assert figure.data[place].text == trace.text


def test_a_frame_sends_only_what_changes(figure: go.Figure) -> None:
    for frame in figure.frames:
        for trace in frame.data:
            assert not {"hovertext", "name", "mode"} & set(trace.to_plotly_json())


def test_shape_and_colour_say_the_state(figure: go.Figure) -> None:
    names = [pick[1] for pick in next(t for t in figure.data if t.name == "services").customdata]
    db, mail = names.index("db"), names.index("mail")
    early, late = shown(figure, "services", 0).marker, shown(figure, "services", 25).marker
    assert (early.symbol[db], late.symbol[db], late.symbol[mail]) == ("diamond", "circle", "circle")
    assert early.color[db] != late.color[db]
    assert early.color[mail] == late.color[mail]


def test_links_light_up_when_both_ends_alert(figure: go.Figure) -> None:
    lit = [np.isnan(shown(figure, "lit", frame).x).sum() for frame in (0, 2, 4, 20)]
    assert lit == [0, 1, 2, 0]


def test_only_first_movers_are_ringed_and_not_before_they_alert(figure: go.Figure) -> None:
    assert [len(shown(figure, "first", frame).x) for frame in (0, 10)] == [1, 1]


def test_the_line_in_the_lanes_moves_with_the_time(figure: go.Figure) -> None:
    assert [pd.Timestamp(shown(figure, "now", frame).x[0]) for frame in (0, 5)] == [
        pd.Timestamp("2026-03-01T14:03Z"),
        pd.Timestamp("2026-03-01T14:08Z"),
    ]


def test_words_say_what_just_happened(figure: go.Figure) -> None:
    assert shown(figure, "words", 0).text[0] == "<b>14:02 UTC</b>  1 firing<br>14:02:00 <b>db</b>: slow (critical)"
    assert shown(figure, "words", 1).text[0] == "<b>14:03 UTC</b>  1 firing"


def test_the_description_is_the_incident_in_plain_words(figure: go.Figure) -> None:
    assert figure.layout.meta["description"] == (
        "Replay of incident 3: 3 alerts of 3 services, 2026-03-01 14:02 to 14:06 UTC. First of their path: db. "
        "14:02:00 db: slow (critical). 14:04:00 orders: slow. 14:06:00 shop: slow (error)."
    )


def test_what_could_not_be_seen_is_said(figure: go.Figure) -> None:
    said = "".join(annotation.text for annotation in figure.layout.annotations)
    assert "1 alert without a known end: taken as open for 30 min" in said


def test_untrusted_text_is_escaped() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    edges = EDGES.replace({"db": hostile})
    table = alerts(hostile)
    table["service"] = table["service"].astype("str").replace({"db": hostile})
    drawn = plot.replay(ProductionMap(edges, table), incident=3).to_plotly_json()
    for trace in drawn["data"]:
        trace.pop("customdata", None)  # names as they are, for who listens to clicks
    drawn["layout"].pop("meta")  # plain text
    text = json.dumps(drawn, default=str)
    assert "&lt;img" in text
    assert "<img" not in text


def test_dark_frames_are_dark(figure: go.Figure) -> None:
    dark = plot.replay(ProductionMap(EDGES, alerts()), incident=3, step="1min", theme="dark")
    assert shown(dark, "services", 0).marker.color != shown(figure, "services", 0).marker.color


def test_sixty_services_and_frames_stay_below_two_megabytes() -> None:
    random = np.random.default_rng(0)
    services = [f"a-service-with-a-long-name-{i}" for i in range(60)]
    pairs = pd.DataFrame(random.choice(services, (200, 2)), columns=["src", "dst"]).drop_duplicates()
    edges = pairs[pairs["src"] < pairs["dst"]].assign(confidence=0.9, lag_s=30.0)
    times = pd.Timestamp("2026-03-01T14:00Z") + pd.to_timedelta(random.uniform(0, 3600, 600), unit="s")
    table = pd.DataFrame({"service": random.choice(services, 600), "starts_at": times, "incident_id": 1})
    table["summary"] = "the error rate is above two percent, look at the dashboard for the reasons"
    table["ends_at"] = table["starts_at"] + pd.Timedelta("20min")
    drawn = plot.replay(ProductionMap(edges, table), incident=1)
    assert len(drawn.frames) >= 40
    assert len(drawn.to_json()) < 2_000_000
    more = "".join(annotation.text for annotation in drawn.layout.annotations)
    assert "the last lane holds the 45 services that fired last" in more


def test_of_many_services_those_with_most_alerts_are_drawn() -> None:
    services = [f"service-{i}" for i in range(90)]
    table = pd.DataFrame({"service": services, "starts_at": pd.Timestamp("2026-03-01T14:00Z"), "incident_id": 1})
    table = pd.concat([table, table.tail(5)], ignore_index=True)
    edges = pd.DataFrame({"src": services[:-1], "dst": services[1:], "confidence": 0.9})
    drawn = plot.replay(ProductionMap(edges, table), incident=1)
    assert "the 60 services with most alerts drawn, of 90" in "".join(a.text for a in drawn.layout.annotations)


def test_one_alert_and_no_link_at_all() -> None:
    table = alerts().head(1).assign(service="lonely")
    drawn = plot.replay(ProductionMap(EDGES, table), incident=3)
    assert drawn.layout.title.text == "Replay of incident 3: 1 alert of 1 service"


def test_only_maps_are_drawn() -> None:
    with pytest.raises(SchemaError, match="production must be a ProductionMap, not DataFrame"):
        plot.replay(EDGES, incident=3)


def test_the_kinds_of_lines_stand_beside_the_map_and_not_over_the_lanes(figure: go.Figure) -> None:
    kinds = [trace for trace in figure.data if trace.name in {"traced or declared", "inferred, 0.8 or more"}]
    assert len(kinds) == 2
    assert {trace.legend for trace in kinds} == {"legend"}
    assert figure.layout.updatemenus[0].direction == "down"
