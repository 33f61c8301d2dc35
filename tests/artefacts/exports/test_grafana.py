"""Grafana: the documented fields, data in the dashboard itself, nothing Grafana would fill in."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from stanza_lab.artefacts.exports.grafana import NODES, write
from tests.artefacts.exports.walks import hostile, link, rule, service, small, walk, walks

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

# from Grafana's documentation of the node graph panel; name -> types
NODE = {"id": "string", "title": "string", "subtitle": "string", "mainstat": "number", "color": "string"}
EDGE = {"id": "string", "source": "string", "target": "string", "mainstat": "string", "secondarystat": "string"}
EDGE |= {"thickness": "number", "color": "string", "strokeDasharray": "string"}


def frames(given: Walk) -> dict[str, dict[str, Any]]:
    """Return the frames as Grafana gets them: from the dashboard."""
    query = json.loads(write(given).files["dashboard.json"])["panels"][0]["targets"][0]
    assert query["scenarioId"] == "raw_frame"
    told = json.loads(query["rawFrameContent"])
    assert told == json.loads(write(given).files["frames.json"])
    return {frame["name"]: {field["name"]: field for field in frame["fields"]} for frame in told}


@pytest.mark.parametrize("given", [small(), hostile()], ids=["small", "hostile"])
def test_has_only_documented_fields_of_one_length(given: Walk) -> None:
    for name, known in (("nodes", NODE), ("edges", EDGE)):
        fields = frames(given)[name]
        for field, told in fields.items():
            assert known.get(field) == told["type"] or field.startswith(("detail__", "arc__"))
            assert all(v is None or isinstance(v, str) == (told["type"] == "string") for v in told["values"])
        assert len({len(told["values"]) for told in fields.values()}) == 1
    ids = set(frames(given)["nodes"]["id"]["values"])
    edges = frames(given)["edges"]
    assert set(edges["source"]["values"]) | set(edges["target"]["values"]) <= ids
    assert len(ids) == len(given.services)


@given(walks())
def test_confidences_come_back_exactly(drawn: Walk) -> None:
    edges = frames(drawn)["edges"]
    assert edges["detail__confidence"]["values"] == [one.confidence for one in drawn.links]


def test_the_ring_is_the_severities_and_sums_to_one() -> None:
    rules = [rule("shop", "critical", 3), rule("shop", "warning", 1), rule("orders", None, 2)]
    given = small()
    nodes = frames(walk(list(given.services), list(given.links), rules))["nodes"]
    arcs = [told["values"] for field, told in nodes.items() if field.startswith("arc__")]
    assert [sum(one) for one in zip(*arcs, strict=True)] == [1.0, 1.0, 1.0]
    assert nodes["title"]["values"] == ["orders", "orders-db", "shop"]
    assert nodes["arc__critical"]["values"] == [0.0, 0.0, 0.75]
    assert nodes["arc__unknown"]["values"] == [1.0, 1.0, 0.0]


def test_without_recurring_alerts_the_colour_is_the_team() -> None:
    nodes = frames(small())["nodes"]
    assert len(set(nodes["color"]["values"])) == 3
    assert not any(field.startswith("arc__") for field in nodes)


def test_grafana_finds_no_variable_to_fill_in() -> None:
    text = write(hostile()).files["dashboard.json"].decode()
    content = json.loads(text)["panels"][0]["targets"][0]["rawFrameContent"]
    assert "$" not in content
    assert "[[" not in content
    assert any("$__all [[x]] ${y}" in told for told in frames(hostile())["nodes"]["title"]["values"])


def test_tables_have_no_formula_and_say_so() -> None:
    written = write(hostile())
    rows = list(csv.reader(io.StringIO(written.files["nodes.csv"].decode(), newline="")))
    assert "'=cmd()" in [row[1] for row in rows]
    assert not any(one[:1] in ("=", "+", "-", "@") for row in rows for one in row)
    assert any("apostrophe" in one for one in written.lost)


def test_beyond_what_grafana_shows_the_most_linked_stay() -> None:
    services = [service(f"s{i:05}") for i in range(NODES + 2)]
    written = write(walk(services, [link("s01500", "s01501")]))
    nodes = json.loads(written.files["frames.json"])[0]["fields"][1]["values"]
    assert len(nodes) == NODES
    assert {"s01500", "s01501"} <= set(nodes)
    assert "the 2 least linked services and their 0 links are left out" in written.lost[0]
