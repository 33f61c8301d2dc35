"""Backstage: its own model takes every entity, and every reference resolves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.artefacts.exports.backstage import valid_names, write
from tests.artefacts.exports.walks import hostile, link, service, small, walk, walks

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

VALID = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")  # and at most 63 characters


def entities(given: Walk) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(write(given).files["catalog-info.yaml"]))


def crowd() -> Walk:
    """Return services and teams that all want the same names."""
    names = ["Orders", "orders", "ORDERS", "a b", "a-b", "a:b", "arn:aws:rds:eu-west-1:1:db/" + "x" * 70]
    return walk(
        [service(name, team) for name, team in zip(names, ["unowned", "Web", "web", *4 * [None]], strict=True)], []
    )


@pytest.mark.parametrize("given", [small(), hostile(), crowd()], ids=["small", "hostile", "crowd"])
def test_backstage_takes_every_entity_and_reference(
    node: Callable[[str, str], str], given: Walk, tmp_path: Path
) -> None:
    (tmp_path / "entities.json").write_text(json.dumps(entities(given)))
    held = json.loads(node("backstage.mjs", str(tmp_path / "entities.json")))
    assert [(one["name"], one["owner"]) for one in held] == [(one.name, one.team) for one in given.services]
    back = {(one["name"], name) for one in held for name in one["dependsOn"]}
    assert back == {(one.src, one.dst) for one in given.links}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metadata": {"name": "a b"}}, "metadata.name"),
        ({"spec": {"type": "service", "lifecycle": "production"}}, "owner"),
        ({"spec": {"type": "service", "lifecycle": "x", "owner": "group:default/nobody"}}, "is no entity here"),
    ],
)
def test_backstage_refuses_what_is_wrong(
    node: Callable[[str, str], str], change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    told = entities(small())
    told[-1] |= change
    (tmp_path / "entities.json").write_text(json.dumps(told))
    with pytest.raises(AssertionError, match=said):
        node("backstage.mjs", str(tmp_path / "entities.json"))


def test_a_component_says_how_sure_its_dependencies_are() -> None:
    shop = entities(small())[-1]
    assert shop["metadata"]["name"] == "shop"
    assert shop["spec"]["dependsOn"] == ["component:default/orders"]
    told = json.loads(shop["metadata"]["annotations"]["stanza-lab.dev/depends-on"])
    assert told == {"orders": {"confidence": 0.8, "how": "inferred", "from": "alerts only", "together": 3.5}}


@pytest.mark.parametrize(
    ("environment", "lifecycle"),
    [("prod", "production"), ("Production", "production"), (None, "production"), ("staging", "experimental")],
)
def test_lifecycle_follows_the_environment(environment: str | None, lifecycle: str) -> None:
    given = walk([replace(service("shop"), environment=environment)], [])
    assert entities(given)[-1]["spec"]["lifecycle"] == lifecycle
    assert any("environment" in one for one in write(given).lost) == (environment is None)


def test_what_is_less_likely_one_way_is_left_out_and_counted() -> None:
    given = walk([service("a"), service("b")], [link("a", "b", 0.4)])
    assert "dependsOn" not in entities(given)[-2]["spec"]
    assert any(one.startswith("1 link less likely than 0.50") for one in write(given).lost)


@given(st.sets(st.text(st.sampled_from("aAbB. :-/é\n"), max_size=4), max_size=12))
def test_any_names_become_valid_and_stay_apart(names: set[str]) -> None:
    found = valid_names(names, otherwise="service", taken=["b"])
    assert all(VALID.fullmatch(one) and len(one) <= 63 for one in found.values())
    assert len({one.lower() for one in found.values()} | {"b"}) == len(names) + 1


def test_a_name_that_is_valid_stays_whoever_comes_besides() -> None:
    alone = valid_names(["a-b"], otherwise="service")
    assert valid_names(["a-b", "a b", "A-B"], otherwise="service")["a-b"] == alone["a-b"] == "a-b"


@given(walks())
def test_any_map_is_written_without_yaml_tags(drawn: Walk) -> None:
    told = entities(drawn)
    assert sum(one["kind"] == "Component" for one in told) == len(drawn.services)
    assert {one["metadata"]["annotations"]["stanza-lab.dev/name"] for one in told if one["kind"] == "Component"} == {
        one.name for one in drawn.services
    }
