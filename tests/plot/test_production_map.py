from __future__ import annotations

import html

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from stanza_lab import plot, schema
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.production import ProductionMap
from stanza_lab.production.place.profile import Profile

EDGES = schema.build(
    [
        {"src": "shop", "dst": "orders", "confidence": 0.9, "support": 9, "lag_s": 20, "provenance": ["inferred"]},
        {"src": "orders", "dst": "db", "confidence": 0.7, "support": 5, "provenance": ["inferred", "traced"]},
        {"src": "shop", "dst": "mail", "confidence": 0.1, "support": 1, "provenance": ["inferred"]},
    ],
    schema.EDGES,
)
OWNERS = pd.DataFrame({"service": ["shop", "orders", "db", "mail"], "team": ["web", "orders", "storage", "mailing"]})


@pytest.fixture
def production() -> ProductionMap:
    return ProductionMap(EDGES, ownership=OWNERS)


def many(services: int, edges: int, teams: int) -> ProductionMap:
    random = np.random.default_rng(0)
    pairs = pd.DataFrame(random.integers(0, services, (edges * 2, 2)), columns=["src", "dst"]).drop_duplicates()
    pairs = pairs[pairs["src"] != pairs["dst"]].head(edges).map(lambda i: f"service-{i}")
    owners = pd.DataFrame({"service": [f"service-{i}" for i in range(services)]})
    owners["team"] = [f"team-{i % teams}" if teams else None for i in range(services)]
    return ProductionMap(pairs.assign(confidence=random.uniform(0.3, 1, len(pairs))), ownership=owners)


def named(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.name}


def texts(figure: go.Figure) -> list[str]:
    return [text for trace in figure.data if trace.text is not None for text in trace.text]


def notes(figure: go.Figure) -> str:
    return "".join(annotation.text for annotation in figure.layout.annotations)


def test_what_was_traced_is_solid_and_what_was_inferred_is_dashed(production: ProductionMap) -> None:
    lines = named(plot.production_map(production))
    assert lines["traced or declared"].line.dash == "solid"
    assert lines["inferred, probability 0.8 or more"].line.dash == "8px,4px"


def test_callers_stand_left_of_what_they_depend_on(production: ProductionMap) -> None:
    nodes = {
        text: x
        for trace in plot.production_map(production).data
        if trace.text is not None
        for text, x in zip(trace.text, trace.x, strict=True)
    }
    assert nodes["shop"] < nodes["orders"] < nodes["db"]


def test_edges_not_shown_are_counted(production: ProductionMap) -> None:
    figure = plot.production_map(production, min_confidence=0.3)
    assert figure.layout.title.text == "Production map: 4 services, 2 dependencies"
    assert "1 link below 0.3 not shown" in notes(figure)
    assert "no dependency shown" in notes(figure)


def test_where_few_edges_are_sure_the_surest_are_shown_and_said_to_be_shaky(production: ProductionMap) -> None:
    figure = plot.production_map(production)
    assert figure.layout.title.text == "Production map: 4 services, 3 dependencies"
    first, *_ = figure.layout.title.subtitle.text.split("<br>")
    assert first == "<b>Only 2 of 3 reached 0.5; the others are the surest guesses, down to 0.10.</b>"
    lines = named(figure)
    assert lines["guessed, below 0.5"].line.color not in {
        lines[name].line.color for name in lines if name.startswith(("inferred", "traced"))
    }


def test_a_bar_that_was_asked_for_needs_no_caution(production: ProductionMap) -> None:
    assert "reached" not in plot.production_map(production, min_confidence=0.1).layout.title.subtitle.text


def test_sizes_and_squares_are_explained(production: ProductionMap) -> None:
    whole = plot.production_map(production).layout.title.subtitle.text
    assert "The larger a service, the more alerts." in whole
    assert "square" not in whole
    assert "Square frame: a cluster" in plot.production_map(production.team("orders")).layout.title.subtitle.text


def test_what_is_no_map_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"not DataFrame; pass sl\.ProductionMap\(edges\)"):
        plot.production_map(EDGES)  # type: ignore[arg-type]


# Alerts alone: surely linked, which way is not known. Traces: each calls the other.
UNSURE = schema.build(
    [
        {"src": "a", "dst": "b", "confidence": 0.45, "link_confidence": 0.76, "support": 5},
        {"src": "b", "dst": "a", "confidence": 0.32, "link_confidence": 0.76, "support": 5},
    ],
    schema.EDGES,
)


def arrows(figure: go.Figure, name: str) -> int:
    return int((np.asarray(named(figure)[name].marker.size) > 0).sum())


def test_a_pair_of_unknown_direction_is_one_line_without_arrowhead() -> None:
    figure = plot.production_map(ProductionMap(UNSURE), min_confidence=0.7)
    assert figure.layout.title.text == "Production map: 2 services, 1 dependency"
    assert figure.layout.title.subtitle.text.startswith("No arrowhead: direction not known.<br>")
    assert arrows(figure, "inferred, 0.5 to 0.8") == 0
    hover = named(figure)["links"].hovertext[0]
    assert hover.startswith("<b>a – b</b><br>dependency: 0.76<br>a depends on b: 0.45<br>the other way: 0.32<br>")


def test_what_traces_tell_is_one_arrow_and_both_ways_is_a_line_with_two() -> None:
    one = UNSURE.assign(provenance=[["inferred"], ["inferred", "traced"]], confidence=[0.05, 0.99])
    figure = plot.production_map(ProductionMap(one))
    assert figure.layout.title.text == "Production map: 2 services, 1 dependency"
    assert arrows(figure, "traced or declared") == 1
    two = plot.production_map(ProductionMap(one.assign(provenance=[["traced"], ["traced"]])))
    assert two.layout.title.text == "Production map: 2 services, 1 dependency"
    assert arrows(two, "traced or declared") == 2


def test_unknown_directions_do_not_turn_known_ones() -> None:
    known = [("a", "b", 0.6, 0.6), ("b", "c", 0.6, 0.6)]
    unknown = [("c", "a", 0.5, 0.95), ("a", "c", 0.45, 0.95)]
    edges = pd.DataFrame([*known, *unknown], columns=["src", "dst", "confidence", "link_confidence"])
    figure = plot.production_map(ProductionMap(edges))
    nodes = next(trace for trace in figure.data if trace.text is not None)
    at = dict(zip(nodes.text, nodes.x, strict=True))
    assert at["a"] < at["b"] < at["c"]
    said = figure.layout.title.subtitle.text.replace("<br>", " ")
    assert "Callers left, dependencies right where it is known." in said


def test_a_team_view_joins_a_neighbour_of_unknown_direction_without_arrowhead() -> None:
    owners = pd.DataFrame({"service": ["a", "b"], "team": ["us", "them"]})
    figure = plot.production_map(ProductionMap(UNSURE, ownership=owners).team("us"), min_confidence=0.7)
    assert set(texts(figure)) == {"a", "<b>them</b> (1 service)"}
    assert arrows(figure, "inferred, 0.5 to 0.8") == 0


def test_services_without_a_link_do_not_squeeze_the_rest() -> None:
    alone = pd.DataFrame({"service": [f"s{i}" for i in range(12)], "starts_at": "2026-03-01T00:00Z"})
    figure = plot.production_map(ProductionMap(EDGES, alone))
    nodes = [trace for trace in figure.data if trace.text is not None]
    at = {text: x for trace in nodes for text, x in zip(trace.text, trace.x, strict=True)}
    assert at["db"] == max(at.values())


def test_hovering_an_edge_shows_its_evidence(production: ProductionMap) -> None:
    assert named(plot.production_map(production))["links"].hovertext[1] == (
        "<b>shop → orders</b><br>dependency: 0.90<br>shop depends on orders: 0.90<br>the other way: &lt;0.01"
        "<br>fired together: 9 times<br>lag: orders fires 20 s earlier<br>known from: alerts only"
    )


def test_hovering_a_traced_edge_shows_no_certain_number() -> None:
    edges = EDGES.assign(provenance=[["traced"]] * 3, confidence=0.9998)
    hovers = named(plot.production_map(ProductionMap(edges)))["links"].hovertext
    assert "<br>dependency: traced<br>orders depends on db: traced<br>" in "".join(hovers)
    assert "known from: traces only" in hovers[0]


def test_a_team_keeps_its_colour_in_every_view(production: ProductionMap) -> None:
    whole, near = named(plot.production_map(production)), named(plot.production_map(production.near("db", hops=1)))
    assert set(near) & set(whole) >= {"orders", "storage"}
    assert near["storage"].marker.color[0] == whole["storage"].marker.color[0]


def test_the_focus_is_ringed_and_named_bold(production: ProductionMap) -> None:
    figure = plot.production_map(production.near("orders", hops=1))
    assert "<b>orders</b>" in texts(figure)
    assert figure.layout.title.text == "Around orders: 3 services, 2 dependencies"
    assert "within 1 hop of orders, either way over links of at least 0.1; 1 service and 1 link left out" in notes(
        figure
    )


def test_a_team_view_shows_its_neighbours_as_one_square_each(production: ProductionMap) -> None:
    figure = plot.production_map(production.team("orders"))
    assert set(texts(figure)) == {"orders", "<b>storage</b> (1 service)", "<b>web</b> (1 service)"}
    nodes = {trace.customdata[0][1]: trace for trace in figure.data if trace.text is not None}
    assert nodes["web"].marker.symbol[0] == nodes["storage"].marker.symbol[0] == "square"
    assert nodes["web"].x[0] < nodes["orders"].x[0] < nodes["storage"].x[0]


def test_a_square_holds_the_mark_of_its_team_which_stands_in_the_legend_and_goes_with_it() -> None:
    teams = [f"team-{i}" for i in range(8)]  # the eighth has the colour of the first
    owners = pd.DataFrame({"service": ["a", "b", "c", *"defgh"], "team": [teams[0], teams[1], teams[7], *teams[2:7]]})
    edges = pd.DataFrame({"src": [*"abdefg"], "dst": [*"bcefgh"], "confidence": 0.9})
    figure = plot.production_map(ProductionMap(edges, ownership=owners).team("team-1"))
    listed = {trace.name: trace for trace in figure.data if trace.showlegend}
    first, last = listed["team-0"], listed["team-7"]
    assert first.marker.color == last.marker.color
    assert (first.marker.symbol, last.marker.symbol) == (("circle",), ("square",))
    for name, mark in (("team-0", first), ("team-7", last)):
        around = [trace for trace in figure.data if trace.legendgroup == mark.legendgroup and trace is not mark]
        assert [trace.customdata[0][1] for trace in around] == [name]
        assert mark.hoverinfo == "skip"
    assert "Click a team to hide its services; lines stay." in figure.layout.title.subtitle.text


def test_a_profile_is_no_team(production: ProductionMap) -> None:
    mine = plot.production_map(production.team(Profile(name="mine", services=("shop", "orders"))))
    assert mine.layout.title.text.startswith("Profile mine: 2 services")
    assert plot.production_map(production.team("orders")).layout.title.text.startswith("Team orders: 1 service")


def test_services_in_open_boxes_are_counted_apart(production: ProductionMap) -> None:
    figure = plot.production_map(production.team("orders"), expand=["web"])
    assert figure.layout.title.text == "Team orders: 1 service and 1 in boxes, 2 dependencies"
    assert "1 service of these drawn in boxes" in notes(figure)


def test_a_large_map_is_drawn_as_clusters_and_says_so() -> None:
    production = many(500, 1_500, 20)
    figure = plot.production_map(production)
    assert figure.layout.title.text == f"Production map: {len(production.services)} services as 20 clusters"
    assert "Too many services" in figure.layout.title.subtitle.text
    assert len(texts(figure)) == 20


def test_without_teams_a_large_map_shows_communities() -> None:
    figure = plot.production_map(many(300, 600, 0))
    assert texts(figure)
    assert all(text.startswith("<b>around service-") or "no team" in text for text in texts(figure))


def test_two_thousand_services_make_a_small_figure() -> None:
    figure = plot.production_map(many(2_000, 10_000, 60))
    assert len(texts(figure)) == 60
    assert len(figure.to_json()) < 5_000_000


def test_links_are_a_few_traces() -> None:
    figure = plot.production_map(many(140, 400, 5))
    assert len(figure.data) <= 5 + 5 + 1


@pytest.mark.parametrize(("services", "limit"), [(15, 150), (60, 150), (60, 20), (400, 400)])
def test_same_map_same_figure_whatever_the_order_of_its_rows(services: int, limit: int) -> None:
    production = many(services, services * 2, 4)
    turned = ProductionMap(
        production.edges.sample(frac=1.0, random_state=1),
        ownership=production.services[["service", "team"]].sample(frac=1.0, random_state=2),
    )
    first, second = (plot.production_map(view, limit=limit).to_json() for view in (production, turned))
    assert first == second


def boxes(figure: go.Figure) -> list[tuple[float, float, float, float]]:
    """Return left, top, right, bottom in px of each name, as a browser draws it on 1,100 px."""
    layout, found = figure.layout, []
    width = 1_100 - layout.margin.l - layout.margin.r - legend_px(figure)
    height = layout.height - layout.margin.t - layout.margin.b
    (left, right), (bottom, top) = layout.xaxis.range, layout.yaxis.range
    for trace in figure.data:
        for i, text in enumerate(trace.text if trace.text is not None else ()):
            plain = html.unescape(text.replace("<b>", "").replace("</b>", ""))
            x = (trace.x[i] - left) / (right - left) * width
            y = (top - trace.y[i]) / (top - bottom) * height
            half = trace.marker.size[i] / 2
            over = trace.textposition[i] == "top center"
            edge = y - half - 16 if over else y + half + 2
            if plain:
                found.append((x - 3.1 * len(plain), edge, x + 3.1 * len(plain), edge + 14))
    return found


def legend_px(figure: go.Figure) -> float:
    names = [trace.name for trace in figure.data if trace.legend != "legend2" and trace.showlegend]
    return 50 + 7 * max(map(len, names)) if names else 0


VIEWS = {
    "5 services": lambda: plot.production_map(many(5, 4, 2)),
    "20 services": lambda: plot.production_map(many(20, 30, 4)),
    "50 services": lambda: plot.production_map(many(50, 80, 8)),
    "150 services": lambda: plot.production_map(many(150, 300, 20)),
    "clusters": lambda: plot.production_map(many(900, 3_000, 60)),
    "an open cluster": lambda: plot.production_map(many(900, 3_000, 60), expand=["team-3"]),
    "a team": lambda: plot.production_map(many(150, 300, 20).team("team-3")),
    "an open neighbour": lambda: plot.production_map(many(150, 300, 20).team("team-3"), expand=["team-4", "team-7"]),
}


@pytest.mark.parametrize("view", VIEWS)
def test_no_name_lies_on_another_at_the_first_zoom(view: str) -> None:
    figure = VIEWS[view]()
    names = boxes(figure)
    assert len(names) >= 0.9 * len(texts(figure))
    on_top = [
        (a, b)
        for i, a in enumerate(names)
        for b in names[i + 1 :]
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
    assert on_top == []


def test_names_without_room_are_counted() -> None:
    figure = plot.production_map(many(400, 900, 4), limit=400)
    left_out = sum(not text for text in texts(figure))
    assert left_out > 0
    assert f"{left_out} names left out for want of room" in notes(figure)


def picked(figure: go.Figure) -> list[list[str]]:
    return [list(point) for trace in figure.data if trace.customdata is not None for point in trace.customdata]


def test_what_is_clicked_is_named(production: ProductionMap) -> None:
    found = picked(plot.production_map(production.team("orders")))
    assert ["service", "orders"] in found
    assert ["cluster", "storage"] in found
    assert ["links", "orders", "storage"] in found
    assert ["link", "shop", "orders"] in picked(plot.production_map(production))


def test_an_open_neighbour_shows_its_services_and_their_links(production: ProductionMap) -> None:
    figure = plot.production_map(production.team("orders"), expand=["storage"])
    assert set(texts(figure)) == {"orders", "db", "<b>web</b> (1 service)"}
    assert ["link", "orders", "db"] in picked(figure)
    assert [shape.label.text for shape in figure.layout.shapes] == ["<b>storage</b>"]
    assert "Box: a cluster drawn open." in figure.layout.title.subtitle.text


def test_an_open_cluster_of_a_large_map_stands_among_the_squares() -> None:
    production = many(500, 1_500, 20)
    figure = plot.production_map(production, expand=["team-3"])
    services = set(production.services.query("team == 'team-3'")["service"])
    assert {name for kind, name, *_ in picked(figure) if kind == "service"} == services
    assert ["cluster", "team-4"] in picked(figure)
    assert ["cluster", "team-3"] not in picked(figure)
    assert figure.layout.title.text.endswith("as 20 clusters")


def test_what_would_not_fit_stays_closed_and_says_so() -> None:
    figure = plot.production_map(many(500, 1_500, 20), expand=["team-3"], limit=20)
    assert ["cluster", "team-3"] in picked(figure)
    assert "team-3 stays closed: its 25 services are more than the limit leaves room for" in notes(figure)


def test_an_unknown_cluster_is_refused(production: ProductionMap) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'storage'"):
        plot.production_map(production, expand=["storages"])


def test_a_dark_map_is_the_light_one_in_other_colours(production: ProductionMap) -> None:
    light, dark = (plot.production_map(production, theme=theme) for theme in ("light", "dark"))
    assert dark.to_json() == plot.restyle(light).to_json()
    assert dark.layout.paper_bgcolor != light.layout.paper_bgcolor


def test_the_picture_is_told_in_words(production: ProductionMap) -> None:
    said = plot.production_map(production.team("orders"), min_confidence=0.3).layout.meta["description"]
    assert said.startswith("Team orders: 1 service, 2 dependencies. Next over the border: storage, web. ")
    assert "The surest links: orders → storage (1 link, surest traced); web → orders (1 link, surest 0.90). " in said
    assert "Most linked: orders (2), " in said
    assert said.endswith("the services of orders; 3 services and 3 links left out.")


@pytest.mark.parametrize("limit", [150, 2_000])
def test_the_picture_in_words_has_an_end(limit: int) -> None:
    said = plot.production_map(many(600, 1_500, 60), limit=limit).layout.meta["description"]
    assert len(said) <= 1_000


def test_as_many_services_as_asked_for_stay_one_line_per_kind_of_link() -> None:
    figure = plot.production_map(many(2_000, 10_000, 60), limit=2_000)
    assert len(figure.to_json()) < 5_000_000
    assert len(figure.data) <= 60 + 4 + 1
    assert "of 7,145 links shown" in notes(figure)
    assert "Too many dependencies for arrowheads" in figure.layout.title.subtitle.text


def test_hiding_a_team_hides_its_names_with_it(production: ProductionMap) -> None:
    nodes = named(plot.production_map(production))["storage"]
    assert (nodes.mode, list(nodes.text), nodes.showlegend) == ("markers+text", ["db"], True)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_edge_is_a_figure_too(rows: int) -> None:
    assert isinstance(plot.production_map(ProductionMap(EDGES.head(rows))), go.Figure)


def test_an_edge_to_itself_is_not_drawn() -> None:
    figure = plot.production_map(ProductionMap(pd.DataFrame({"src": ["a"], "dst": ["a"], "confidence": [0.9]})))
    assert figure.layout.title.text == "Production map: 1 service, 0 dependencies"


def test_names_are_escaped_everywhere() -> None:
    payload = "<img src=x onerror=alert(1)>"
    edges = pd.DataFrame({"src": [payload], "dst": ["db"], "confidence": [0.9]})
    owners = pd.DataFrame({"service": [payload, "db"], "team": [payload, "b"]})
    production = ProductionMap(edges, ownership=owners)
    views = [production, production.near(payload), production.team("b")]
    figures = [*(plot.production_map(view, title=payload) for view in views)]
    figures += [plot.production_map(production.team("b"), expand=[payload]), plot.production_map(production, limit=1)]
    for figure in figures:
        drawn = figure.to_dict()
        for trace in drawn["data"]:
            trace.pop("customdata", None)  # names things to programs; nobody shows it
        assert "<img" not in str(drawn)


def test_environment_may_give_the_colour() -> None:
    alerts = pd.DataFrame({"service": ["shop"], "starts_at": ["2026-03-01T00:00Z"], "environment": ["prod"]})
    assert {"prod", "not known"} <= set(named(plot.production_map(ProductionMap(EDGES, alerts), color="environment")))


@pytest.mark.parametrize("wrong", [{"color": "age"}, {"min_confidence": 2}, {"limit": 0}, {"theme": "sepia"}])
def test_parameters_outside_their_range_are_refused(production: ProductionMap, wrong: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        plot.production_map(production, **wrong)
