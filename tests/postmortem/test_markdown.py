"""Hostile text in a review must come out as text, whatever reads the Markdown."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser

import mistune
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import stanza_lab as sl
from stanza_lab.postmortem.markdown import text
from tests.payloads import PAYLOADS
from tests.postmortem import scenes

TEASERS = (
    "@channel see #123 and GH-7, acme/orders#9, !42 by ann@example.com",
    "http://evil.example/x www.evil.example mailto:x@example.com",
    "| a | b |\n| --- | --- |\n| c | d |",
    "# heading\n\n- list\n> quote\n---\n1. one\n```\ncode\n```",
    "**bold** _it_ ~~gone~~ `code` [a](b) ![a](b) [^1] <https://evil.example> :tada: $x$ \\(y\\)",
    "- [ ] task",
    "1) one",
    "=cmd()",
)
ALLOWED = {"h1", "h2", "p", "ul", "li", "em", "table", "thead", "tbody", "tr", "th", "td"}
_UNSEEN = re.compile("[\u200b\ufffd]")


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not [name for name, _ in attrs if name not in ("style", "class")], (tag, attrs)
        self.found.add(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def rendered(said: str) -> list[str]:
    """Return a document as two renderers make it: one strict, one that lets HTML through and links what it can."""
    loose = mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "url", "task_lists", "footnotes"])
    return [MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(said), str(loose(said))]


def hostile() -> sl.Review:
    """Return a review in which every name, title and note is a payload."""
    names = [*PAYLOADS, *TEASERS]
    times = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(range(len(names)), unit="s")
    alerts = pd.DataFrame(
        {
            "alert_id": names, "source": "datadog", "alertname": names, "rule_key": names, "service": names,
            "team": names, "summary": names, "starts_at": times, "severity": "error", "incident_id": 0, "labels": "{}",
        }
    )  # fmt: skip
    edges = pd.DataFrame({"src": names[:-1], "dst": names[1:], "confidence": 0.9})
    owners = pd.DataFrame({"service": names, "team": names, "on_call": names})
    pages = alerts.assign(source="pagerduty", origin="datadog", event_ids=[[name] for name in names])
    raw = [
        json.dumps({"occurred_at": "x", "event_type": "incident.annotated", "data": {"content": name}})
        for name in names
    ]
    notes = pd.DataFrame({"source": "pagerduty", "at": times, "kind": "note", "occurrence_key": names, "raw": raw})
    moved = pd.DataFrame({"source": "x", "at": times[0], "kind": "changed", "service": names, "summary": names})
    return sl.review(
        alerts,
        incident=0,
        production=sl.ProductionMap(edges, alerts, ownership=owners),
        events=pd.concat([notes, moved], ignore_index=True),
        pages=pages,
        people=True,
    )


@pytest.fixture(scope="module")
def dangerous() -> sl.Review:
    return hostile()


def test_no_text_becomes_html_link_table_or_heading(dangerous: sl.Review) -> None:
    said = dangerous.to_markdown(rows=1_000)
    lines = [line for line in said.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} <= {
        4,
        5,
        6,
        7,
        8,
        9,
    }  # as many cells as there are heads
    for page in rendered(said):
        tags = Tags(page)
        assert tags.found <= ALLOWED
        assert page.count("<h1>") == 1
        assert page.count("<h2>") == 10
        words = "".join(tags.words)
        assert not re.search(r"https?://|www\.|[@#][\w]|GH-\d|javascript:|\$|\\\(", words)


def test_payloads_can_still_be_read(dangerous: sl.Review) -> None:
    said = dangerous.to_markdown(rows=1_000)
    page = _UNSEEN.sub("", html.unescape(rendered(said)[0])).replace("\uff04", "$")
    for payload in PAYLOADS[:20]:
        assert " ".join(_UNSEEN.sub("", re.sub(r"[\x00-\x1f]", "", payload)).split())[:60] in page


def test_the_notebook_shows_hostile_text_as_text(dangerous: sl.Review) -> None:
    page = dangerous._repr_html_()
    assert len(page) < 50_000
    known = {"article", "details", "h2", "h3", "li", "p", "section", "style", "summary", "table", "tbody", "td", "th"}
    found = set(re.findall(r"<([a-zA-Z]\w*)", page))
    assert found <= known | {"div", "tr", "thead", "ul"}
    assert not re.search(r"<[^>]* on\w+=", page)


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_any_text_stays_one_paragraph_of_text(said: str) -> None:
    for page in rendered(text(said)):
        assert re.fullmatch(r"(<p>[^<]*</p>\n?)?", page), page


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("orders-db: 3.5 % of calls (p99) fail, see a/b.c", "orders-db: 3.5 % of calls (p99) fail, see a/b.c"),
        ("a_b", "a_b"),  # within a word it is no markup
        ("_a_ b_", "\\_a\\_ b\\_"),
        ("- x", "\\- x"),
        ("2. x", "2\\. x"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("a|b", "a\\|b"),
        ("ask @ann", "ask @\u200bann"),
        ("http://x", "http:\u200b//x"),
        ("a\n\nb\x1b[31m", "a b\ufffd\\[31m"),
    ],
)
def test_what_is_harmless_stays_as_it_is(said: str, shown: str) -> None:
    assert text(said) == shown


def test_times_are_shown_in_the_zone_that_is_named(found: sl.Review) -> None:
    made = sl.review(
        scenes.history(), incident=7, production=scenes.production(), pages=scenes.pages(), tz="Asia/Tokyo"
    )
    said = made.to_markdown()
    assert "2026-03-02, alerts from 23:00 to 23:04; times are Asia/Tokyo where no other zone" in said
    assert "| 2026-03-03 00:35:00" not in said
    assert "| pages resolved | 23:35:00 |" in said


def test_a_long_timeline_keeps_what_people_did(found: sl.Review) -> None:
    short = found.to_markdown(rows=6)
    part = short[short.index("## Timeline") : short.index("## Who was paged")]
    assert part.count("\n| ") == 2 + 6  # heads, rule, rows
    assert all(kind in part for kind in ("deploy", "page", "acknowledged", "action"))
    assert "6 more rows left out here" in part


def test_every_section_stands_in_order(found: sl.Review) -> None:
    heads = re.findall(r"^## (.*)$", found.to_markdown(), re.MULTILINE)
    assert heads == [
        "In short", "Detection and recovery", "Where it probably began", "How it spread", "Timeline",
        "Who was paged, and who should have been", "Incidents like it", "Questions for the meeting",
        "What could not be seen", "Agreed",
    ]  # fmt: skip


def test_what_is_left_out_is_found_by_who_reads_it_in_a_shell_and_in_python(found: sl.Review) -> None:
    said = found.to_markdown(rows=6)
    assert "6 more rows left out here, alerts and recoveries; all of them: review --view timeline, in Python" in said
    assert "'stanza-lab reliability' does (in Python measure_objectives)" in said
