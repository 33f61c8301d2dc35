from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.production import ProductionMap
from stanza_lab.production.place.profile import Profile

# web -> cart -> cart-db; cart -> mail; far -> away
EDGES = pd.DataFrame(
    {
        "src": ["web", "cart", "cart", "far"],
        "dst": ["cart", "cart-db", "mail", "away"],
        "confidence": [0.6, 0.9, 0.3, 0.9],
        "support": [4, 9, 1, 0],
        "lift": [2.0, 5.5, None, None],
        "lag_s": [20.0, 40.0, None, None],
    }
)
OWNERS = pd.DataFrame(
    {
        "service": ["web", "cart", "cart-db", "mail", "far", "away", "asleep"],
        "team": ["front", "cart", None, "post", "far", None, "cart"],
        "repository": ["acme/web", "acme/cart", "acme/cart", "acme/mail", "other/cart", None, None],
    }
)
ALERTS = pd.DataFrame(
    {
        "service": ["cart", "cart", "web", "mail"],
        "starts_at": pd.to_datetime(
            ["2026-07-01T03:00Z", "2026-07-01T12:00Z", "2026-07-08T12:00Z", "2026-07-08T13:00Z"], utc=True
        ),
        "resources": [["arn:aws:ecs:eu-west-1:1:service/prod-cart", "host-1"], ["host-1"], ["host-2"], ["host-1"]],
        "labels": ['{"host":"host-1","tags":["pod:cart-abc"]}', None, "not json", '["host"]'],
    }
)


@pytest.fixture
def production() -> ProductionMap:
    return ProductionMap(EDGES, ALERTS, ownership=OWNERS)


def services(table: pd.DataFrame) -> list[str]:
    return list(table["service"])


def test_choices_are_all_kinds_with_what_they_stand_for_most_alerts_first(production: ProductionMap) -> None:
    table = production.choices
    assert table["alerts"].is_monotonic_decreasing
    rows = {(kind, name): (of, n) for kind, name, of, n, _ in table.itertuples(index=False)}
    assert rows["service", "cart"] == (["cart"], 2)
    assert rows["service", "asleep"] == (["asleep"], 0)  # only the catalogue knows it
    assert rows["team", "cart"] == (["cart"], 2)
    assert rows["repository", "acme/cart"] == (["cart", "cart-db"], 2)
    assert rows["host", "host-1"] == (["cart", "mail"], 3)  # named twice by one alert, counted once
    assert rows["host", "cart-abc"] == (["cart"], 1)
    assert rows["host", "arn:aws:ecs:eu-west-1:1:service/prod-cart"] == (["cart"], 1)


def test_picks_stand_for_services_and_say_why(production: ProductionMap) -> None:
    place = production.onboard(repos=["acme/cart"], hosts=["host-2"])
    assert place.picked[["name", "kind", "services"]].to_numpy().tolist() == [
        ["acme/cart", "repository", ["cart", "cart-db"]],
        ["host-2", "host", ["web"]],
    ]
    assert place.picked["why"].tolist() == ["the ownership catalogue says so", "their alerts name it"]
    assert services(place.view.services) == ["cart", "cart-db", "web"]
    assert place.profile == Profile(
        name="my services", services=("cart", "cart-db", "web"), repos=("acme/cart",), hosts=("host-2",),
        seen_until="2026-07-08",
    )  # fmt: skip


@pytest.mark.parametrize("given", [{"repos": ["web"]}, {"repos": ["ACME/web"]}, {"hosts": ["prod-cart"]}])
def test_the_last_part_of_a_name_is_enough(production: ProductionMap, given: dict[str, list[str]]) -> None:
    assert len(production.onboard(**given).picked) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"services": ["crat"]}, "service 'crat' not found; did you mean 'cart'"),
        ({"teams": ["frnt"]}, "team 'frnt' not found; did you mean 'front'"),
        ({"repos": ["acme/carts"]}, "repository 'acme/carts' not found; did you mean 'acme/cart'"),
        ({"repos": ["cart"]}, "repository 'cart' means 2 of them: 'acme/cart', 'other/cart'; write the whole name"),
        ({"hosts": ["host-3"]}, "host 'host-3' not found; did you mean"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    production: ProductionMap, given: dict[str, list[str]], said: str
) -> None:
    with pytest.raises(UnknownNameError, match=said):
        production.onboard(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "nothing was picked"), ({"services": "cart"}, "pass a list"), ({"services": ["cart"], "tz": "Moon"}, "zone")],
)
def test_picks_that_make_no_sense_are_said(production: ProductionMap, given: dict[str, str], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        production.onboard(**given)  # type: ignore[arg-type]


def test_what_is_linked_and_of_the_same_repository_is_proposed_with_reasons(production: ProductionMap) -> None:
    proposed = production.onboard(services=["cart"]).proposed
    first = proposed.iloc[0]
    assert first["service"] == "cart-db"
    code, linked = first["reasons"]
    assert code == "its code is in acme/cart, as of yours"
    assert linked.startswith(
        "linked with cart (0.90; their alerts fired together 9 times, 5.5 times as often as chance)"
    )
    assert first["words"].startswith("cart-db is probably yours: 0.9")
    assert proposed["probability"].is_monotonic_decreasing
    assert not {"cart", "far", "away"} & set(proposed["service"])


def test_another_team_speaks_against(production: ProductionMap) -> None:
    mixed = EDGES.assign(confidence=0.9)
    owned = OWNERS.assign(repository=None)
    proposed = ProductionMap(mixed, ownership=owned).onboard(services=["cart"]).proposed.set_index("service")
    assert proposed.loc["mail", "probability"] < proposed.loc["cart-db", "probability"]  # linked as surely, of no team
    assert proposed.loc["mail", "reasons"][-1] == "but it is of team post"


def test_a_repository_of_everybody_is_nobodys() -> None:
    owned = pd.DataFrame({"service": [f"s{n}" for n in range(30)], "team": None, "repository": "acme/mono"})
    edges = pd.DataFrame({"src": [f"s{n}" for n in range(29)], "dst": [f"s{n + 1}" for n in range(29)]})
    place = ProductionMap(edges.assign(confidence=0.01), ownership=owned).onboard(services=["s1"])
    assert not any("acme/mono" in reason for reasons in place.proposed["reasons"] for reason in reasons)


def test_accepting_and_declining_make_a_new_place(production: ProductionMap) -> None:
    place = production.onboard(services=["cart"])
    more = place.accept("cart-db").decline("web")
    assert place.profile.services == ("cart",)
    assert more.profile.services == ("cart", "cart-db")
    assert (more.profile.accepted, more.profile.declined) == (("cart-db",), ("web",))
    assert not {"cart-db", "web"} & set(more.proposed["service"])
    back = more.decline("cart-db")
    assert (back.profile.services, back.profile.accepted) == (("cart",), ())
    assert back.accept("web").profile.declined == ("cart-db",)
    with pytest.raises(UnknownNameError, match="did you mean 'cart-db'"):
        place.accept("cart-dbs")


def test_declining_what_a_repository_brought_leaves_it_out(production: ProductionMap) -> None:
    place = production.onboard(repos=["acme/cart"]).decline("cart-db")
    assert services(place.view.services) == ["cart"]
    assert place.profile.repos == ("acme/cart",)


def test_a_saved_place_comes_back(production: ProductionMap, tmp_path: Path) -> None:
    place = production.onboard(repos=["acme/cart"], teams=["front"]).accept("mail").named("night shift")
    path = place.save(tmp_path / "mine.yaml")
    again = production.onboard(profile=path)
    assert again.profile == place.profile == sl.read_profile(path)
    assert again.profile.name == "night shift"
    assert set(again.picked["name"]) == {"acme/cart", "front", "mail"}
    assert again.words == place.words


def test_a_newer_map_adds_what_picks_gained_and_keeps_what_it_lost(production: ProductionMap) -> None:
    old = Profile(name="me", services=("cart", "gone"), repos=("acme/cart", "acme/gone"), hosts=("host-9",))
    place = production.onboard(profile=old)
    assert place.profile.services == ("cart", "cart-db", "gone")
    assert place.profile.repos == ("acme/cart", "acme/gone")
    assert place.words[-1] == ("Kept in the profile, but not on this map: repository acme/gone, host host-9, gone.")


def test_picks_are_added_to_a_profile(production: ProductionMap) -> None:
    place = production.onboard(profile=Profile(name="me", services=("cart",)), services=["web"])
    assert place.profile == Profile(name="me", services=("cart", "web"), seen_until="2026-07-08")


def test_a_broken_profile_is_said(production: ProductionMap, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("nme: x\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="did you mean 'name'"):
        production.onboard(profile=tmp_path / "x.yaml")


def test_words_say_how_many_over_how_long(production: ProductionMap) -> None:
    place = production.onboard(services=["cart", "cart-db"])
    assert place.words[0] == "Yours: 2 services on this map, cart, cart-db."
    assert "2 alerts in 8 days, 1.8 a week; 1 while people sleep and 0 in other off hours (UTC)" in " ".join(
        place.words
    )
    assert place.pager_load["pages"].tolist() == [2, 0]


def test_a_map_of_edges_alone_still_works() -> None:
    place = ProductionMap(EDGES).onboard(services=["cart"])
    assert services(place.proposed)[0] == "cart-db"
    assert place.pager_load.empty
    assert any("made without alerts" in said for said in place.words)
    with pytest.raises(UnknownNameError, match="knows of no host: make it with alerts"):
        ProductionMap(EDGES).onboard(hosts=["host-1"])
    with pytest.raises(UnknownNameError, match="knows of no repository"):
        ProductionMap(EDGES).onboard(repos=["acme/cart"])


def test_a_profile_of_services_that_are_all_gone_is_an_empty_place(production: ProductionMap) -> None:
    place = production.onboard(profile=Profile(name="me", services=("gone",)))
    assert place.view.services.empty
    assert place.profile.services == ("gone",)
    assert place._repr_html_()


def test_hostile_names_show_as_text() -> None:
    bad = "<img src=x onerror=alert(1)>"
    edges = EDGES.replace({"cart-db": bad})
    owned = OWNERS.replace({"cart-db": bad, "post": "<script>x</script>"})
    alerts = ALERTS.assign(service=[bad, "cart", "web", "mail"])
    place = ProductionMap(edges, alerts, ownership=owned).onboard(services=["cart"])
    page = place._repr_html_()
    assert "<img" not in page
    assert "<script" not in page
    assert "&lt;img" in page


def test_the_page_is_small_however_much_there_is() -> None:
    names = [f"service-with-a-long-name-{n:04}" for n in range(600)]
    edges = pd.DataFrame({"src": names[:-1], "dst": names[1:], "confidence": 0.9})
    place = ProductionMap(edges, ownership=pd.DataFrame({"service": names, "team": "one"})).onboard(
        services=names[:300]
    )
    assert len(place._repr_html_()) < 50_000
    assert repr(place).startswith("Place(my services: 300 services")


def test_the_map_and_its_tables_are_not_changed(production: ProductionMap) -> None:
    before = production.choices.copy()
    production.onboard(services=["cart"]).accept("web")
    pd.testing.assert_frame_equal(production.choices, before)


def test_most_of_yours_is_said_only_where_it_is_most() -> None:
    edges = pd.DataFrame({"src": ["a", "b", "c"], "dst": ["d", "d", "d"], "confidence": 0.9})
    owned = pd.DataFrame({"service": ["a", "d"], "team": ["shop", "shop"]})
    production = ProductionMap(edges, ownership=owned)
    few = production.onboard(services=["a", "b", "c"]).proposed["reasons"][0]
    assert few[0] == "it is of team shop, as half or more of yours whose team is known"
    most = production.onboard(services=["a"]).proposed.set_index("service")["reasons"]["d"]
    assert most[0] == "it is of team shop, as most of yours"
