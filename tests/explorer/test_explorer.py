from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, UnknownNameError


def _services(explorer: sl.Explorer) -> list[str]:
    return list(explorer.view.services["service"])


def test_starts_with_the_whole_map(explorer: sl.Explorer) -> None:
    assert _services(explorer) == ["orders", "orders-db", "queue", "shop", "web"]
    assert explorer.code == "sl.plot.production_map(production)"
    assert repr(explorer) == "Explorer(5 services, 3 teams); sl.plot.production_map(production)"


def test_an_attribute_changes_the_picture(explorer: sl.Explorer) -> None:
    before = explorer.figure
    explorer.team = "front"
    assert _services(explorer) == ["shop", "web"]
    assert explorer.figure != before
    assert explorer._canvas.figure != ""


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"team": "orders"},
        {"team": "orders", "expand": ("front",)},
        {"service": "shop", "hops": 1, "direction": "downstream"},
        {"service": "orders", "min_confidence": 0.85},
        {"color": "environment", "theme": "dark"},
        {"incident": 0},
    ],
)
def test_the_call_gives_the_same_figure(explorer: sl.Explorer, change: dict) -> None:
    for name, value in change.items():
        setattr(explorer, name, value)
    again = eval(explorer.code, {"sl": sl, "production": explorer.production})
    assert again.to_json() == explorer.figure.to_json()


def test_a_service_takes_the_place_of_a_team(explorer: sl.Explorer) -> None:
    explorer.team = "front"
    explorer.service = "orders-db"
    assert explorer.team is None
    assert (explorer.service, explorer.hops) == ("orders-db", 2)


def test_back_leads_over_all_pictures_to_the_first(explorer: sl.Explorer) -> None:
    explorer.team = "front"
    explorer.service = "orders"
    explorer.hops = 1
    codes = []
    for _ in range(4):
        explorer.back()
        codes.append(explorer.code)
    assert codes == [
        "sl.plot.production_map(production.near('orders'))",
        "sl.plot.production_map(production.team('front'))",
        "sl.plot.production_map(production)",
        "sl.plot.production_map(production)",
    ]


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("team", "fronts", UnknownNameError, "did you mean 'front'"),
        ("service", "shopp", UnknownNameError, "did you mean 'shop'"),
        ("hops", -1, ParameterError, "hops=-1"),
        ("direction", "left", ParameterError, "direction='left'"),
        ("min_confidence", 2, ParameterError, "min_confidence=2"),
        ("color", "red", ParameterError, "color='red'"),
        ("theme", "sepia", ParameterError, "theme='sepia'"),
        ("expand", ["nobody"], UnknownNameError, "nobody"),
        ("at", "yesterday-ish", ParameterError, "at='yesterday-ish'"),
        ("selected", "shopp", UnknownNameError, "did you mean 'shop'"),
        ("selected", ("web", "orders"), UnknownNameError, "link between 'web' and 'orders' not found"),
    ],
)
def test_a_wrong_value_changes_nothing(
    explorer: sl.Explorer, name: str, value: object, error: type[Exception], message: str
) -> None:
    explorer.team = "front"
    with pytest.raises(error, match=message):
        setattr(explorer, name, value)
    assert explorer.code == "sl.plot.production_map(production.team('front'))"
    assert explorer.selected is None
    explorer.back()
    assert explorer.team is None


def test_what_a_person_does_wrong_is_said_in_the_panel(explorer: sl.Explorer) -> None:
    explorer._controls.service.value = "shopp"
    assert "did you mean &#x27;shop&#x27;" in explorer._panel.value
    assert explorer._controls.service.value == ""
    assert explorer.service is None


def test_controls_and_attributes_agree(explorer: sl.Explorer) -> None:
    controls = explorer._controls
    controls.show.value = ("team", "orders")
    assert explorer.team == "orders"
    controls.service.value = "shop"
    controls.hops.value = 1
    controls.direction.value = "upstream"
    controls.confidence.value = 0.5
    assert explorer.code == (
        "sl.plot.production_map(production.near('shop', hops=1, direction='upstream', min_confidence=0.5), "
        "min_confidence=0.5)"
    )
    assert controls.show.label == "Around a service"
    explorer.team = None
    assert (controls.show.label, controls.service.value, controls.hops.disabled) == ("The whole map", "", True)


def test_a_click_on_a_service_shows_its_front_door(explorer: sl.Explorer) -> None:
    explorer._canvas.clicked = ["service", "orders", "1"]
    assert explorer.selected == "orders"
    assert explorer._panel.value.startswith(explorer.production.front_door("orders")._repr_html_())
    assert "production.front_door(&#x27;orders&#x27;)" in explorer._panel.value


def test_what_teams_wrote_down_stands_in_the_front_door(production: sl.ProductionMap, tmp_path) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text(
        "team: orders\nreviewed: {by: ann, on: 2026-03-01}\nrunbooks:\n"
        "  - {name: Drain the queue, service: orders, url: 'https://wiki.example.org/drain'}\n"
    )
    explorer = sl.Explorer(production, contributed=path)
    explorer.selected = "orders"
    assert "Drain the queue" in explorer._panel.value
    assert f"contributed={str(path)!r}".replace("'", "&#x27;") in explorer._panel.value


def test_a_click_on_a_link_shows_its_evidence(explorer: sl.Explorer) -> None:
    explorer._canvas.clicked = ["link", "shop", "orders", "1"]
    assert explorer.selected == ("shop", "orders")
    assert "shop depends on orders: 0.90" in explorer._panel.value


def test_a_click_on_a_square_opens_it_and_its_button_closes_it(explorer: sl.Explorer) -> None:
    explorer.team = "front"
    explorer._canvas.clicked = ["cluster", "orders", "1"]
    assert explorer.expand == ("orders",)
    go, close = explorer._buttons.children
    assert (go.description, close.description) == ("Go there", "Close it")
    close.click()
    assert explorer.expand == ()
    explorer._buttons.children[0].click()
    assert explorer.team == "orders"


def test_a_click_that_names_nothing_is_said(explorer: sl.Explorer) -> None:
    explorer._canvas.clicked = ["service", "gone", "1"]
    assert "This did not work" in explorer._panel.value


def test_the_panel_leads_on_from_a_service(explorer: sl.Explorer) -> None:
    explorer.selected = "orders-db"
    around, fails = explorer._buttons.children
    fails.click()
    assert "If orders-db fails" in explorer._panel.value
    assert "orders" in explorer._panel.value
    around.click()
    assert explorer.service == "orders-db"


def test_all_that_can_be_clicked_is_in_the_list(explorer: sl.Explorer) -> None:
    explorer.team = "orders"
    labels = [label for label, _ in explorer._list.options]
    assert labels[:3] == ["choose one", "orders", "front (several services)"]
    assert "link: shop – orders" in labels or any("orders" in label and "link" in label for label in labels)
    explorer._list.value = next(picked for label, picked in explorer._list.options if label == "orders")
    assert explorer.selected == "orders"


def test_neighbours_open_all_at_once(explorer: sl.Explorer) -> None:
    explorer.team = "orders"
    explorer._controls.open.click()
    assert set(explorer.expand) == {"front", "storage"}
    assert explorer._controls.open.description == "Close neighbours"
    explorer._controls.open.click()
    assert explorer.expand == ()


def test_other_days_need_the_model_and_the_slider_says_so(explorer: sl.Explorer) -> None:
    assert explorer._controls.at.disabled
    assert "model=model" in explorer._controls.why_not
    with pytest.raises(sl.errors.StanzaError, match="model"):
        explorer.at = "2026-03-03"
    bare = sl.Explorer(sl.ProductionMap(explorer.production.edges))
    assert "need the alerts" in bare._controls.why_not


def test_another_day_is_asked_of_the_model(production: sl.ProductionMap) -> None:
    alerts = production.alerts
    model = sl.DependencyModel(sources=["times"], min_support=1).fit(alerts)
    explorer = sl.Explorer(sl.ProductionMap(production.edges, alerts, model=model))
    assert [label for label, _ in explorer._controls.at.options] == ["2026-03-03", "2026-03-04", "now"]
    explorer._controls.at.index = 1
    assert explorer.at == pd.Timestamp("2026-03-04", tz="UTC")
    assert "web" not in set(explorer.view.alerts["service"])
    assert explorer.code == "sl.plot.production_map(production.as_of('2026-03-04'))"


def test_an_incident_is_replayed(explorer: sl.Explorer) -> None:
    controls = explorer._controls
    assert [label for label, _ in controls.incident.options] == [
        "none",
        "2026-03-02 10:00: 3 alerts, 3 services, orders-db first",
    ]
    controls.incident.value = 0
    names = [frame.name for frame in explorer.figure.frames]
    assert controls.frame.max == len(names) - 1
    controls.frame.value = 1
    assert (explorer.frame, explorer._canvas.frame) == (1, names[1])
    explorer.incident = None
    assert controls.frame.disabled


def test_the_picture_is_described_for_those_who_do_not_see_it(explorer: sl.Explorer) -> None:
    assert explorer._canvas.description == explorer.words == explorer.figure.layout.meta["description"]
    explorer.selected = "orders"
    assert explorer._canvas.said == "orders"


def test_a_profile_is_shown_first(production: sl.ProductionMap, tmp_path) -> None:
    path = production.onboard(repos=["acme/shop"]).save(tmp_path / "mine.yaml")
    explorer = sl.Explorer(production, profile=path)
    assert _services(explorer) == ["shop"]
    assert explorer.code == f"sl.plot.production_map(production.team(sl.read_profile({str(path)!r})))"
    assert explorer._controls.show.label.startswith("My place: ")
    explorer.team = None
    explorer._controls.show.value = ("profile", "")
    assert _services(explorer) == ["shop"]


def test_a_profile_may_be_set_as_the_team(explorer: sl.Explorer) -> None:
    explorer.team = sl.Profile(name="mine", services=("web", "orders"))
    assert _services(explorer) == ["orders", "web"]
    assert explorer._controls.show.label == "My place: mine"
    assert explorer.code == "sl.plot.production_map(production.team(profile))"


def test_shows_in_a_notebook_and_says_itself_in_text(explorer: sl.Explorer) -> None:
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    assert "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.parametrize("edges", [0, 1])
def test_a_map_with_next_to_nothing_on_it(edges: int) -> None:
    table = pd.DataFrame({"src": ["a"], "dst": ["b"], "confidence": [0.9]}).head(edges)
    explorer = sl.Explorer(sl.ProductionMap(table))
    assert len(explorer.view.services) == 2 * edges
    assert explorer._controls.incident.disabled


def test_text_from_alerts_is_never_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    edges = pd.DataFrame({"src": [evil], "dst": ["db"], "confidence": [0.9]})
    explorer = sl.Explorer(sl.ProductionMap(edges))
    for what in (evil, (evil, "db")):
        explorer.selected = what
        assert "<img" not in explorer._panel.value
    explorer.service = evil
    assert "<img" not in explorer._call.value
