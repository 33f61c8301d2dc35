from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.errors import SchemaError
from stanza_lab.production.place.profile import Profile, read_profile

NAMES = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1), max_size=3)
LISTS = NAMES.map(lambda names: tuple(dict.fromkeys(names)))


@given(services=LISTS, teams=LISTS, hosts=LISTS, declined=LISTS)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    services: tuple[str, ...],
    teams: tuple[str, ...],
    hosts: tuple[str, ...],
    declined: tuple[str, ...],
) -> None:
    path = tmp_path_factory.mktemp("profiles") / "mine.yaml"
    mine = Profile(
        name="on call: #1", services=services, teams=teams, hosts=hosts, declined=declined, seen_until="2026-09-29"
    )
    mine.save(path)
    assert read_profile(path) == mine


def test_the_file_is_small_and_says_what_it_is(tmp_path: Path) -> None:
    path = Profile(name="shop", services=("checkout",), repos=("acme/checkout",)).save(tmp_path / "shop.yaml")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# What somebody said is theirs")
    assert [line for line in lines if not line.startswith("#")] == [
        "name: shop", "services:", "- checkout", "repos:", "- acme/checkout",
    ]  # fmt: skip


def test_one_written_by_hand_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: me\nservices: checkout\nhosts: [12, null]\nseen_until: 2026-09-29\n", encoding="utf-8")
    assert read_profile(path) == Profile(
        name="me", services=("checkout",), hosts=("12", "null"), seen_until="2026-09-29"
    )


def test_all_that_is_wrong_is_said_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("service: [a]\nteams: {a: b}\n", encoding="utf-8")
    with pytest.raises(SchemaError) as error:
        read_profile(path)
    said = str(error.value).splitlines()
    assert said == [
        f"{path}, line 1: 'service' is not known in the profile; did you mean 'services'?",
        f"{path}, line 1: the profile has no name; add 'name: ...'",
        f"{path}, line 2: teams is keys and values, where a list belongs: '- ...'",
    ]


def test_services_that_a_map_does_not_know_are_kept_and_told() -> None:
    mine = Profile(name="shop", services=("checkout", "gone"))
    assert mine.on(["orders", "checkout"]) == ["checkout"]
    assert mine.missing(["orders", "checkout"]) == ["gone"]
