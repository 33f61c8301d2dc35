"""The verbs that ask the map, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import stanza_lab as sl


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the arguments that every verb over this map takes."""
    folder = tmp_path_factory.mktemp("shop")
    sl.simulate_production(services=12, teams=3, days=40, incidents=40, random_state=5).export(folder, overwrite=True)
    sl.History(folder / "history").ingest(folder / "exports")
    return [str(folder / "history"), "--ownership", str(folder / "ownership.csv"), "--traces", str(folder / "traces")]


@pytest.fixture(scope="module")
def services(shop: list[str]) -> list[str]:
    """Return the services, those with the most alerts first."""
    alerts = sl.resolve_entities(sl.History(shop[0]).alerts(), catalog=sl.read_ownership(shop[2]))
    return list(alerts["service"].value_counts().index.astype("str"))


def test_every_verb_takes_the_history_first_and_the_shared_options_last(run) -> None:
    said = run("blast", "--help").out
    words = ["HISTORY", "SERVICE", "--window", "--since", "--traces", "--keep-copies"]
    places = {word: said.find(f" {word} ") for word in words}
    assert -1 not in places.values(), said
    assert sorted(words, key=lambda word: places[word]) == words


def test_blast_lists_who_is_hit_and_draws_it(run, shop: list[str], services: list[str], tmp_path: Path) -> None:
    found = run("blast", shop[0], services[0], *shop[1:], "--format", "json", "--html", tmp_path / "b.html")
    rows = json.loads(found.out)
    assert found.code == 0
    assert services[0] not in [row["service"] for row in rows]
    assert all(0 <= row["hit"] <= 1 for row in rows)
    page = (tmp_path / "b.html").read_text()
    assert all(row["service"] in page for row in rows)
    assert 'src="http' not in page


def test_wake_ranks_teams_with_a_verdict(run, shop: list[str], services: list[str]) -> None:
    found = run("wake", shop[0], services[0], *shop[1:], "--format", "json")
    rows = json.loads(found.out)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0]["reasons"]


def test_paths_between_neighbours_are_one_link_long(run, shop: list[str]) -> None:
    link = json.loads(run("map", *shop, "--format", "json").out)[0]
    found = run("paths", shop[0], link["src"], link["dst"], *shop[1:], "--format", "json")
    assert json.loads(found.out)[0]["hops"] == 1


def test_onboarding_saves_a_profile_that_later_verbs_take(run, shop: list[str], services: list[str], tmp_path) -> None:
    profile = tmp_path / "me.yaml"
    first = run("onboard", *shop, "--service", services[0], "--save", profile)
    assert (first.code, profile.is_file()) == (0, True)
    shown = run("map", *shop, "--profile", profile, "--html", tmp_path / "mine.html")
    assert shown.code == 0
    assert services[0] in (tmp_path / "mine.html").read_text()
    assert run("door", *shop, "--profile", profile).code == 0


def test_door_of_a_service_names_its_owner_and_writes_a_page(
    run, shop: list[str], services: list[str], tmp_path: Path
) -> None:
    team = sl.read_ownership(shop[2]).set_index("service")["team"][services[0]]
    found = run("door", shop[0], services[0], *shop[1:], "--html", tmp_path / "door.html")
    assert found.code == 0
    assert team in found.out
    assert services[0] in (tmp_path / "door.html").read_text()


def test_changes_since_before_the_history_are_no_claim_of_loss(run, shop: list[str]) -> None:
    found = run("changes", shop[0], "2000-01-01", *shop[1:], "--format", "json")
    assert found.code == 0
    assert "gone" not in {row["what"].split()[-1] for row in json.loads(found.out)}


def test_replay_of_an_incident_is_a_page_with_frames(run, shop: list[str], tmp_path: Path) -> None:
    incidents = json.loads(run("incidents", *shop, "--format", "json").out)
    largest = max(incidents, key=lambda row: row["alerts"])
    found = run("replay", shop[0], largest["incident_id"], *shop[1:], "--html", tmp_path / "r.html", "--format", "json")
    assert found.code == 0
    assert {row["service"] for row in json.loads(found.out)} >= set(largest["services"][:1])
    assert "sliders" in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["blast", "no-such-thing"], "no-such-thing"),
        (["wake", "no-such-thing"], "no-such-thing"),
        (["paths", "no-such-thing", "neither"], "no-such-thing"),
        (["door", "no-such-thing"], "no-such-thing"),
        (["replay", "99999"], "99999"),
    ],
)
def test_an_unknown_name_is_one_line_and_exit_1(run, shop: list[str], arguments: list[str], says: str) -> None:
    found = run(arguments[0], shop[0], *arguments[1:], *shop[1:])
    last = found.err.strip().splitlines()[-1]
    assert found.code == 1
    assert last.startswith("error: ")
    assert says in last


def test_two_views_at_once_are_wrong_usage(run, shop: list[str]) -> None:
    found = run("map", *shop, "--service", "a", "--team", "b")
    assert (found.code, "pass one of them" in found.err) == (2, True)


def test_an_incident_may_be_named_by_a_time_it_was_on(run, shop: list[str]) -> None:
    incidents = json.loads(run("incidents", *shop, "--format", "json").out)
    largest = max(incidents, key=lambda row: row["alerts"])
    at = largest["starts_at"][:16]
    found = run("replay", shop[0], at, *shop[1:])
    assert found.code == 0
    assert found.out.startswith(f"Incident {largest['incident_id']}, {at.replace('T', ' ')} UTC")
    never = run("replay", shop[0], "2001-01-01T00:00", *shop[1:])
    assert (never.code, "the nearest began" in never.err) == (1, True)


def test_a_profile_of_elsewhere_is_refused_and_one_that_is_there_kept(run, shop: list[str], tmp_path: Path) -> None:
    elsewhere = tmp_path / "other.yaml"
    elsewhere.write_text("name: others\nservices: [nothing-here]\n")
    shown = run("map", *shop, "--profile", elsewhere)
    assert (shown.code, "none of the services of profile 'others' is on this map" in shown.err) == (1, True)
    kept = run("onboard", *shop, "--team", "any", "--save", elsewhere)
    assert (kept.code, "--force" in kept.err) == (2, True)
    assert "nothing-here" in elsewhere.read_text()


def test_what_is_contributed_for_nobody_is_said(run, shop: list[str], services: list[str], tmp_path: Path) -> None:
    told = "team: nobody\nrunbooks:\n  - {name: Slow, service: chekout, url: https://x.example}\n"
    (tmp_path / "told.yaml").write_text(told)
    found = run("door", shop[0], services[0], *shop[1:], "--contributed", tmp_path)
    assert found.code == 0
    assert "told.yaml, line 3: Slow names service chekout, and none is so called" in found.err
