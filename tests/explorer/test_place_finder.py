from __future__ import annotations

from pathlib import Path

import orjson
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, UnknownNameError


@pytest.fixture
def finder(production: sl.ProductionMap, tmp_path: Path) -> sl.PlaceFinder:
    return sl.PlaceFinder(production, path=tmp_path / "profile.yaml")


def test_offers_what_is_seen_in_the_data_the_largest_first(finder: sl.PlaceFinder) -> None:
    offered = orjson.loads(finder._chips.choices)
    assert offered == [
        [row["kind"], row["name"], len(row["services"]), row["alerts"]]
        for row in finder.production.choices.to_dict("records")
    ]
    assert ["repository", "acme/shop", 1, 1] in offered


def test_a_pick_shows_the_place_and_proposes_more(finder: sl.PlaceFinder) -> None:
    finder.picked = [("service", "orders")]
    expected = finder.production.onboard(services=["orders"])
    assert finder.profile == expected.profile
    assert finder.proposed.equals(expected.proposed)
    assert "orders" in finder._card.value
    shown = [row[0] for row in orjson.loads(finder._proposals.proposed)]
    assert shown == list(expected.proposed["service"])[: len(shown)]
    assert shown


def test_a_pick_in_the_browser_is_the_same(finder: sl.PlaceFinder) -> None:
    finder._chips.picked = [["repository", "acme/shop"]]
    assert finder.picked == [("repository", "acme/shop")]
    assert finder.profile is not None
    assert finder.profile.services == ("shop",)


def test_a_name_that_is_several_things_means_all(finder: sl.PlaceFinder) -> None:
    finder.picked = ["orders"]
    assert set(finder.picked) == {("team", "orders"), ("service", "orders")}


def test_an_answer_holds_over_further_picks(finder: sl.PlaceFinder) -> None:
    finder.picked = [("service", "orders")]
    yes, no = finder.proposed["service"][:2]
    finder.accept(yes)
    finder._proposals.answer = [no, "decline", "1"]
    assert finder.picked == [("service", "orders"), ("service", yes)]
    finder.picked = [*finder.picked, ("team", "front")]
    assert finder.profile is not None
    assert set(finder.profile.services) == {"orders", "shop", "web", yes} - {no}
    assert (finder.profile.accepted, finder.profile.declined) == ((yes,), (no,))
    assert no not in set(finder.proposed["service"])


def test_a_chip_taken_back_is_no_longer_accepted_and_a_pick_no_longer_declined(finder: sl.PlaceFinder) -> None:
    finder.picked = [("service", "orders")]
    finder.accept("shop")
    finder.decline("queue")
    finder._chips.picked = [["service", "orders"], ["service", "queue"]]
    assert finder.profile is not None
    assert finder.profile.services == ("orders", "queue")
    assert (finder.profile.accepted, finder.profile.declined) == ((), ())


def test_what_is_declined_is_no_pick(finder: sl.PlaceFinder) -> None:
    finder.picked = [("service", "orders"), ("service", "shop")]
    finder.decline("shop")
    assert finder.picked == [("service", "orders")]
    with pytest.raises(UnknownNameError, match="did you mean 'queue'"):
        finder.decline("queu")


def test_without_picks_nothing_is_left(finder: sl.PlaceFinder) -> None:
    finder.picked = ["web"]
    finder.picked = []
    assert (finder.place, finder.profile, finder.picked) == (None, None, [])
    assert finder._save.disabled
    with pytest.raises(ParameterError, match="pick something"):
        finder.save()
    with pytest.raises(ParameterError, match="picked"):
        finder.accept("web")


def test_what_is_saved_is_gone_on_with(finder: sl.PlaceFinder) -> None:
    finder.picked = [("repository", "acme/shop"), ("service", "orders")]
    finder.accept("web")
    finder._name.value = "the shop"
    finder._save.click()
    assert "Saved to" in finder._said.value
    kept = sl.read_profile(finder.path)
    assert kept.name == "the shop"
    again = sl.PlaceFinder(finder.production, path=finder.path)
    assert again.profile == kept
    assert set(again.picked) == {("repository", "acme/shop"), ("service", "orders"), ("service", "web")}


def test_an_unknown_name_changes_nothing(finder: sl.PlaceFinder) -> None:
    finder.picked = ["web"]
    with pytest.raises(UnknownNameError, match="did you mean 'shop'"):
        finder.picked = ["shopp"]
    assert finder.picked == [("service", "web")]


def test_what_goes_wrong_in_the_browser_is_said(finder: sl.PlaceFinder) -> None:
    finder._chips.picked = [["service", "web"]]
    finder._chips.picked = [["service", "web"], ["service", "gone"]]
    assert "This did not work" in finder._said.value
    assert finder.picked == [("service", "web")]


def test_a_broken_profile_is_said_and_not_overwritten(production: sl.ProductionMap, tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text("name: [")
    finder = sl.PlaceFinder(production, path=path)
    assert "profile.yaml" in finder._said.value
    assert finder.place is None
    assert path.read_text() == "name: ["
