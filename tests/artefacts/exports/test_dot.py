"""DOT: graphviz draws what was written, and shows every name as it is."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from stanza_lab.artefacts.exports._graph import shown
from stanza_lab.artefacts.exports.dot import quoted, write
from tests.artefacts.exports.walks import hostile, link, service, small, walk

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

SVG = "{http://www.w3.org/2000/svg}"


def drawn(dot: str, given: Walk, form: str) -> str:
    text = write(given).files["dependencies.dot"]
    done = subprocess.run([dot, f"-T{form}"], input=text, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"syntax error" not in done.stderr
    return done.stdout.decode()


@pytest.mark.parametrize("given", [small(), hostile()], ids=["small", "hostile"])
def test_graphviz_shows_every_name_as_it_is(dot: str, given: Walk) -> None:
    picture = ET.fromstring(drawn(dot, given, "svg"))
    labels = {}
    for group in picture.iter(f"{SVG}g"):
        if group.get("class") == "node":
            labels[group.findtext(f"{SVG}title")] = "".join(group.find(f".//{SVG}text").itertext())  # type: ignore[union-attr]
    expected = {f"s{i}": shown(one.name) for i, one in enumerate(given.services)}
    assert {key: value.replace("\xa0", " ").strip() for key, value in labels.items()} == {
        key: value.strip() for key, value in expected.items()
    }


@pytest.mark.parametrize("given", [small(), hostile()], ids=["small", "hostile"])
def test_graphviz_reads_the_same_links(dot: str, given: Walk) -> None:
    told = json.loads(drawn(dot, given, "json"))
    names = {one["_gvid"]: one["name"] for one in told["objects"]}
    index = {one.name: f"s{i}" for i, one in enumerate(given.services)}
    back = {
        (names[e["tail"]], names[e["head"]]): (float(e["confidence"]), float(e["link_confidence"]), float(e["support"]))
        for e in told["edges"]
    }
    assert back == {
        (index[one.src], index[one.dst]): (one.confidence, one.link_confidence, one.support) for one in given.links
    }


def test_a_team_is_a_box_and_inferred_links_are_dashed(dot: str) -> None:
    told = json.loads(drawn(dot, small(), "json"))
    boxes = {one["label"] for one in told["objects"] if one["name"].startswith("cluster")}
    assert boxes == {"pay", "web"}
    assert [one["style"] for one in sorted(told["edges"], key=lambda e: e["label"])] == ["dashed", "solid"]
    assert [one["label"] for one in sorted(told["edges"], key=lambda e: e["label"])] == ["0.80", "traced"]


def test_a_crowded_picture_has_no_numbers() -> None:
    services = [service(f"s{i:03}") for i in range(70)]
    chain = [link(a.name, b.name) for a, b in itertools.pairwise(services)]
    text = write(walk(services, chain)).files["dependencies.dot"].decode()
    assert not re.search(r" label=\"0\.", text.split("s0 -> ", 1)[1])


def test_says_how_many_names_are_shortened() -> None:
    assert "1 name is shown shortened or without control characters" in write(walk([service("x" * 99)], [])).lost


def test_html_like_labels_and_escapes_are_text() -> None:
    assert quoted("<b>\\N</b>") == '"&lt;b&gt;\\\\N&lt;/b&gt;"'
