from __future__ import annotations

from typing import Literal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import schema
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.production import ProductionMap

# shop -> checkout -> orders -> orders-db <- reports; checkout -> mail (weak)
EDGES = schema.build(
    [
        {"src": "shop", "dst": "checkout", "confidence": 0.9, "support": 9, "lag_s": 20, "provenance": ["inferred"]},
        {"src": "checkout", "dst": "orders", "confidence": 0.7, "support": 5, "lag_s": 10, "provenance": ["inferred"]},
        {"src": "orders", "dst": "orders-db", "confidence": 0.8, "support": 4, "lag_s": 40, "provenance": ["inferred"]},
        {
            "src": "reports",
            "dst": "orders-db",
            "confidence": 0.6,
            "support": 2,
            "lag_s": -5,
            "provenance": ["inferred"],
        },
        {"src": "checkout", "dst": "mail", "confidence": 0.1, "support": 1, "lag_s": None, "provenance": ["inferred"]},
    ],
    schema.EDGES,
)
OWNERS = pd.DataFrame(
    {
        "service": ["shop", "checkout", "orders", "orders-db", "reports", "mail"],
        "team": ["web", "web", "orders", "storage", "storage", "mailing"],
    }
)


@pytest.fixture
def production() -> ProductionMap:
    return ProductionMap(EDGES, ownership=OWNERS)


def names(view: ProductionMap) -> list[str]:
    return list(view.services["service"])


def test_near_walks_either_way_by_default(production: ProductionMap) -> None:
    assert names(production.near("orders", hops=1)) == ["checkout", "orders", "orders-db"]


def test_downstream_is_what_it_depends_on(production: ProductionMap) -> None:
    assert names(production.near("checkout", direction="downstream")) == ["checkout", "mail", "orders", "orders-db"]


def test_upstream_is_who_depends_on_it(production: ProductionMap) -> None:
    assert names(production.near("orders", direction="upstream")) == ["checkout", "orders", "shop"]


def test_both_ways_reaches_those_who_share_a_dependency(production: ProductionMap) -> None:
    assert "reports" in names(production.near("orders", hops=2))
    assert "reports" not in names(production.near("orders", hops=2, direction="downstream"))


def test_weak_edges_are_neither_walked_nor_kept(production: ProductionMap) -> None:
    view = production.near("checkout", hops=1, min_confidence=0.5)
    assert names(view) == ["checkout", "orders", "shop"]
    assert view.edges["confidence"].min() >= 0.5


def test_a_traced_edge_is_walked_whatever_alerts_say() -> None:
    edges = EDGES.assign(provenance=[["inferred", "traced"]] * len(EDGES))
    assert "mail" in names(ProductionMap(edges).near("checkout", hops=1, min_confidence=0.9))


def test_near_says_how_far_each_is(production: ProductionMap) -> None:
    hops = production.near("shop", hops=2).services.set_index("service")["hops"].to_dict()
    assert hops == {"shop": 0, "checkout": 1, "orders": 2, "mail": 2}


def test_no_hops_leaves_the_service_alone(production: ProductionMap) -> None:
    view = production.near("shop", hops=0)
    assert names(view) == ["shop"]
    assert view.edges.empty


def test_a_view_remembers_its_focus_and_what_was_cut(production: ProductionMap) -> None:
    view = production.near("shop", hops=1)
    assert view.focus is not None
    assert (view.focus.name, view.focus.services_cut, view.focus.links_cut) == ("shop", 4, 4)
    assert view.whole is production
    assert view.near("shop").whole is production
    assert production.focus is None


def test_unknown_service_suggests_a_close_one(production: ProductionMap) -> None:
    with pytest.raises(UnknownNameError, match="service 'chekout' not found; did you mean 'checkout'"):
        production.near("chekout")


@pytest.mark.parametrize("wrong", [{"hops": -1}, {"direction": "up"}, {"min_confidence": 2}])
def test_parameters_outside_their_range_are_refused(production: ProductionMap, wrong: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        production.near("shop", **wrong)


def test_team_view_has_its_services_and_its_border(production: ProductionMap) -> None:
    view = production.team("web")
    assert names(view) == ["checkout", "shop"]
    assert view.edges[["src", "dst"]].to_numpy().tolist() == [["shop", "checkout"]]
    assert view.border[["ours", "theirs", "cluster", "direction"]].to_numpy().tolist() == [
        ["checkout", "orders", "orders", "downstream"],
        ["checkout", "mail", "mailing", "downstream"],
    ]


def test_unknown_team_is_named(production: ProductionMap) -> None:
    with pytest.raises(UnknownNameError, match="team 'storaje' not found; did you mean 'storage'"):
        production.team("storaje")


def test_among_teams_only_teams_are_named_and_without_any_the_communities() -> None:
    owners = OWNERS.assign(team=["web", "web", None, None, None, None])
    with pytest.raises(UnknownNameError, match=r"^team 'nosuch' not found; 1 known: 'web'$"):
        ProductionMap(EDGES, ownership=owners).team("nosuch")
    with pytest.raises(UnknownNameError, match=r"no team is known here, only communities: 'around [a-z-]*'"):
        ProductionMap(EDGES).team("nosuch")


def test_a_heading_is_in_words(production: ProductionMap) -> None:
    assert production.heading == "6 services, 4 teams"
    assert production.near("orders", hops=1).heading == "3 services within 1 hop of orders"
    up = production.near("orders", hops=1, direction="upstream")
    assert up.heading == "2 services within 1 hop of orders, upstream (its callers)"
    assert production.team("web").heading == "2 services of web"
    community = ProductionMap(EDGES.head(1)).team("around checkout")
    assert community.heading == "2 services around checkout"
    assert community.focus is not None
    assert community.focus.words.startswith("the services around checkout; ")


def test_caution_is_said_where_the_bar_was_lowered(production: ProductionMap) -> None:
    assert production.caution == "only 4 of 5 reached 0.5; the others are the surest guesses, down to 0.10"
    faint = ProductionMap(EDGES.assign(confidence=0.169))
    assert faint.caution == "nothing reached 0.5; these are the surest guesses, down to 0.16"
    assert ProductionMap(EDGES.assign(confidence=0.9)).caution == ""
    assert production.team("orders").caution == ""  # both of its links over the border are sure


def test_a_traced_neighbour_shows_no_certain_number() -> None:
    traced = EDGES.assign(confidence=0.9998, provenance=[["traced"]] * len(EDGES))
    said = ProductionMap(traced, ownership=OWNERS).next_clusters("orders")["words"]
    assert said[0].endswith("before you, traced; you depend on it")


def test_next_clusters_say_who_comes_next(production: ProductionMap) -> None:
    table = production.next_clusters("orders")
    assert table["cluster"].tolist() == ["storage", "web"]
    assert table["direction"].tolist() == ["downstream", "upstream"]
    assert table["lag_s"].tolist() == [40.0, -10.0]
    assert table["through"].tolist() == [["orders-db"], ["checkout"]]
    assert table["words"][0] == (
        "the next cluster over is storage, 2 services, through orders-db, usually 40 s before you, confidence 0.80; "
        "you depend on it"
    )
    assert table["words"][1].endswith("through checkout, usually 10 s after you, confidence 0.70; it depends on you")


def test_weak_edges_make_no_neighbours(production: ProductionMap) -> None:
    assert production.next_clusters("web", min_confidence=0.5)["cluster"].tolist() == ["orders"]


def test_without_teams_the_communities_of_the_graph_are_the_clusters() -> None:
    ring = [("a1", "a2"), ("a2", "a3"), ("a3", "a1"), ("b1", "b2"), ("b2", "b3"), ("b3", "b1"), ("a1", "b1")]
    edges = pd.DataFrame(ring, columns=["src", "dst"]).assign(confidence=0.9)
    production = ProductionMap(edges)
    assert production.clusters.to_dict() == {
        **dict.fromkeys(["a1", "a2", "a3"], "around a1"),
        **dict.fromkeys(["b1", "b2", "b3"], "around b1"),
    }
    row = production.next_clusters("around a1").iloc[0]
    assert (row["cluster"], row["kind"], row["services"]) == ("around b1", "community", 3)


def test_usual_confidence_is_lowered_where_few_edges_are_sure(production: ProductionMap) -> None:
    assert production.usual_confidence == 0.1
    assert production.near("shop").usual_confidence == 0.1
    sure = pd.DataFrame({"src": [f"s{i}" for i in range(20)], "dst": "db", "confidence": [0.9] * 12 + [0.1] * 8})
    assert ProductionMap(sure).usual_confidence == 0.1
    assert ProductionMap(sure.assign(confidence=0.9)).usual_confidence == 0.5


# a and b are surely linked, which way is not known; b surely calls c.
UNSURE = schema.build(
    [
        {"src": "a", "dst": "b", "confidence": 0.45, "link_confidence": 0.76, "support": 5},
        {"src": "b", "dst": "a", "confidence": 0.32, "link_confidence": 0.76, "support": 5},
        {"src": "b", "dst": "c", "confidence": 0.7, "link_confidence": 0.8, "support": 5},
        {"src": "c", "dst": "b", "confidence": 0.1, "link_confidence": 0.8, "support": 5},
    ],
    schema.EDGES,
)


def test_a_threshold_asks_how_sure_the_link_is_not_its_direction() -> None:
    view = ProductionMap(UNSURE).near("a", hops=1, min_confidence=0.7)
    assert names(view) == ["a", "b"]
    assert len(view.edges) == 2
    assert len(view.links) == 1


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_a_link_of_unknown_direction_is_followed_both_ways(direction: Literal["upstream", "downstream"]) -> None:
    assert {"a", "b"} <= set(names(ProductionMap(UNSURE).near("a", direction=direction)))
    assert {"a", "b"} <= set(names(ProductionMap(UNSURE).near("b", direction=direction)))


def test_a_link_known_to_point_the_opposite_way_is_not_followed() -> None:
    assert names(ProductionMap(UNSURE).near("c", direction="downstream")) == ["c"]
    assert names(ProductionMap(UNSURE).near("b", direction="upstream")) == ["a", "b"]


def test_neighbours_of_unknown_direction_are_said_to_be() -> None:
    owners = pd.DataFrame({"service": ["a", "b", "c"], "team": ["us", "them", "them"]})
    row = ProductionMap(UNSURE, ownership=owners).next_clusters("us").iloc[0]
    assert (row["direction"], row["links"], row["confidence"]) == ("unknown", 1, 0.76)
    assert row["words"].endswith("confidence 0.76; which way is not known")


def test_faint_links_make_no_neighbours_unless_asked_for() -> None:
    sure = pd.DataFrame({"src": [f"s{i}" for i in range(30)], "dst": "db", "confidence": [0.9] * 29 + [0.1]})
    owners = pd.DataFrame({"service": [*sure["src"], "db"], "team": [*["web"] * 29, "odd", "storage"]})
    production = ProductionMap(sure, ownership=owners)
    assert production.next_clusters("storage")["cluster"].tolist() == ["web", "odd"]  # 31 services, 29 sure links
    more = pd.DataFrame({"src": "s0", "dst": ["s1", "s2"], "confidence": 0.9})
    production = ProductionMap(pd.concat([sure, more]), ownership=owners)
    assert production.next_clusters("storage")["cluster"].tolist() == ["web"]
    assert production.next_clusters("storage", min_confidence=0.0)["cluster"].tolist() == ["web", "odd"]


def test_graph_carries_the_evidence_and_cannot_be_changed(production: ProductionMap) -> None:
    assert production.graph.edges["shop", "checkout"]["confidence"] == 0.9
    assert production.graph.nodes["shop"]["team"] == "web"
    with pytest.raises(Exception, match="Frozen"):
        production.graph.add_edge("shop", "mail")


def test_arguments_and_tables_handed_out_are_not_shared() -> None:
    edges = EDGES.copy()
    production = ProductionMap(edges)
    handed = production.edges
    handed["confidence"] = 0.0
    edges["confidence"] = 0.0
    assert production.edges["confidence"].tolist() == EDGES["confidence"].tolist()


def test_a_repeated_pair_is_refused() -> None:
    twice = pd.concat([EDGES, EDGES.head(1)])
    with pytest.raises(SchemaError, match="1 of 6 rows repeat a pair, first 'shop' -> 'checkout'"):
        ProductionMap(twice)


def test_nothing_is_a_map_too() -> None:
    production = ProductionMap(schema.empty(schema.EDGES), schema.empty(schema.ALERTS))
    assert repr(production) == "ProductionMap(0 services, 0 teams, 0 links)"
    assert production._repr_html_()
    assert production.unseen.empty
    assert production.graph.number_of_nodes() == 0


def test_explain_puts_the_evidence_in_words(production: ProductionMap) -> None:
    assert production.explain("orders", "orders-db") == (
        "orders and orders-db, a dependency in either direction: 0.80; orders depends on orders-db: 0.80, the other "
        "way: <0.01; their alerts fired together 4 times; orders-db usually fires 40 s before orders; known from "
        "alerts only."
    )


def test_explain_takes_the_two_services_in_any_order(production: ProductionMap) -> None:
    assert production.explain("orders-db", "orders") == production.explain("orders", "orders-db")


def test_explain_says_when_the_direction_is_not_known() -> None:
    said = ProductionMap(UNSURE).explain("b", "a")
    assert said.startswith(
        "a and b, a dependency in either direction: 0.76; which way is not known (a depends on b: 0.45"
    )


def test_explaining_what_is_not_linked_names_what_is(production: ProductionMap) -> None:
    with pytest.raises(UnknownNameError, match=r"'shop' and 'mail' not found; 'shop' is linked with \['checkout'\]"):
        production.explain("shop", "mail")


def test_unseen_lists_the_gaps() -> None:
    alerts = pd.DataFrame({"service": ["shop", "alone"], "starts_at": ["2026-03-01T00:00Z"] * 2, "team": ["web", None]})
    catalogue = pd.DataFrame({"service": ["ghost"], "team": ["web"]})
    unseen = ProductionMap(EDGES.head(1), alerts, ownership=catalogue).unseen
    assert unseen["services"].tolist() == [["checkout"], ["alone", "checkout"], ["alone"], ["ghost"]]
    assert unseen["words"].iloc[1] == "the team of 2 services"


def test_unseen_passes_over_faint_links_and_names_unknown_directions() -> None:
    sure = [{"src": "c", "dst": f"x{i}", "confidence": 0.9, "support": 1} for i in range(12)]
    faint = [{"src": "a", "dst": "lonely", "confidence": 0.1, "support": 1}]
    more = [{"src": "x0", "dst": f"x{i}", "confidence": 0.9, "support": 1} for i in range(1, 3)]
    production = ProductionMap(pd.concat([UNSURE, schema.build([*sure, *faint, *more], schema.EDGES)]))
    unseen = production.unseen.set_index("what")["services"]
    assert unseen["dependency"] == ["lonely"]
    assert unseen["direction"] == ["a", "b"]


def test_from_tables_restores_a_map() -> None:
    alerts = pd.DataFrame({"service": ["shop"], "starts_at": ["2026-03-01T00:00Z"], "incident_id": [3]})
    production = ProductionMap(EDGES, alerts, ownership=OWNERS)
    restored = ProductionMap.from_tables(production.edges, services=production.services)
    pd.testing.assert_frame_equal(restored.services, production.services)
    pd.testing.assert_frame_equal(restored.edges, production.edges)


def test_display_is_small_and_escaped() -> None:
    payload = "<script>alert(1)</script>" + "x" * 500
    edges = pd.DataFrame({"src": [f"{payload}{i}" for i in range(500)], "dst": "db", "confidence": 0.5})
    shown = ProductionMap(edges)._repr_html_()
    assert "<script" not in shown
    assert len(shown) < 50_000


@settings(max_examples=20)
@given(st.permutations(range(len(EDGES))))
def test_order_of_edges_does_not_matter(order: list[int]) -> None:
    shuffled = ProductionMap(EDGES.iloc[list(order)], ownership=OWNERS)
    straight = ProductionMap(EDGES, ownership=OWNERS)
    pd.testing.assert_frame_equal(shuffled.services, straight.services)
    assert names(shuffled.near("orders")) == names(straight.near("orders"))
    pd.testing.assert_frame_equal(shuffled.next_clusters("web"), straight.next_clusters("web"))
    pd.testing.assert_series_equal(ProductionMap(shuffled.edges).clusters, ProductionMap(EDGES).clusters)
