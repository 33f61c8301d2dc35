"""Mermaid: only the few forms that are written, within what Mermaid draws."""

from __future__ import annotations

import html
import itertools
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from stanza_lab.artefacts.exports._graph import shown
from stanza_lab.artefacts.exports.mermaid import EDGES, TEXT, label, write
from stanza_lab.errors import ParameterError
from tests.artefacts.exports.walks import HOSTILE, hostile, link, service, small, walk, walks

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

LABEL = r'"(?:[^\x00-\x1f\x7f"#&<>;`\[\]{}()|\\_.:@]|#\d+;)*"'
FORMS = [rf"  (?:  )?s\d+\[{LABEL}\]", rf"  subgraph t\d+\[{LABEL}\]", "  end"]
ARROW = rf"  s(\d+) (-->|-\.->)\|({LABEL})\| s(\d+)"


def parsed(text: str) -> list[tuple[int, str, str, int]]:
    """Return the links of a flowchart; fails on any line that is none of our forms."""
    first, *lines = text.rstrip("\n").split("\n")
    assert first == "flowchart LR"
    links = []
    for line in lines:
        if found := re.fullmatch(ARROW, line):
            links.append((int(found[1]), found[2], decoded(found[3]), int(found[4])))
        else:
            assert any(re.fullmatch(form, line) for form in FORMS), line
    return links


def decoded(text: str) -> str:
    return html.unescape(re.sub(r"#(\d+);", r"&#\1;", text[1:-1]))


def flowchart(given: Walk) -> str:
    return write(given).files["dependencies.mmd"].decode()


def test_draws_teams_services_and_links() -> None:
    assert flowchart(small()) == (
        "flowchart LR\n"
        '  subgraph t0["pay"]\n    s0["orders"]\n  end\n'
        '  subgraph t1["web"]\n    s2["shop"]\n  end\n'
        '  s1["orders-db"]\n'
        '  s0 -->|"traced"| s1\n'
        '  s2 -.->|"0#46;80"| s0\n'
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_label_is_the_name_and_nothing_else(name: str) -> None:
    assert re.fullmatch(LABEL, label(name))
    assert decoded(label(name)) == shown(name)


@given(walks())
def test_any_map_keeps_to_the_grammar(drawn: Walk) -> None:
    assert len(parsed(flowchart(drawn))) == len(drawn.links)


def test_hostile_names_keep_to_the_grammar() -> None:
    assert len(parsed(flowchart(hostile()))) == len(HOSTILE) - 1
    page = write(hostile()).files["dependencies.md"].decode()
    assert page.count("```") == 2


def test_beyond_what_mermaid_draws_the_surest_links_stay() -> None:
    services = [service(f"service-{i:03}") for i in range(40)]
    pairs = [(a.name, b.name) for i, a in enumerate(services) for b in services[i + 1 :]][:600]
    written = write(walk(services, [link(a, b, 0.5 + i / 2000) for i, (a, b) in enumerate(pairs)]))
    links = parsed(written.files["dependencies.mmd"].decode())
    assert len(links) == EDGES
    assert min(float(one[2]) for one in links) == 0.55  # the hundred least sure are gone
    assert "the 100 least sure links are left out" in written.lost[0]


def test_text_is_never_longer_than_mermaid_reads() -> None:
    services = [service(f"{i:04}" + "#" * 50) for i in range(400)]
    chain = [link(a.name, b.name) for a, b in itertools.pairwise(services)]
    written = write(walk(services, chain))
    text = written.files["dependencies.mmd"].decode()
    assert 0.8 * TEXT < len(text) <= TEXT
    drawn = len(parsed(text))
    assert f"the {399 - drawn} least sure links are left out" in " ".join(written.lost)
    assert any("without a link that is drawn" in one for one in written.lost)


@pytest.mark.parametrize("links", [0, 501, 1.5, True])
def test_refuses_what_mermaid_cannot_draw(links: float) -> None:
    with pytest.raises(ParameterError, match="whole number from 1 to 500"):
        write(small(), links=links)
