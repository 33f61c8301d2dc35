from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError
from tests.payloads import PAYLOADS
from tests.report.page import Page

SECTIONS = (
    "In short", "Detection and recovery", "Where it probably began", "How it spread", "Timeline",
    "Who was paged, and who should have been", "Incidents like it", "Questions for the meeting",
    "What could not be seen",
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Return the page of a review in which all that comes from outside is a payload."""
    names = list(PAYLOADS)
    times = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(range(len(names)), unit="s")
    alerts = pd.DataFrame(
        {
            "source": names, "alertname": names, "rule_key": names, "service": names, "team": names, "summary": names,
            "starts_at": times, "severity": "error", "incident_id": 0,
        }
    )  # fmt: skip
    edges = pd.DataFrame({"src": names[:-1], "dst": names[1:], "confidence": 0.9})
    moved = pd.DataFrame({"at": times[0], "kind": "changed", "service": names, "summary": names})
    said = pd.DataFrame({"at": times, "kind": "said", "page": None, "service": names, "text": names, "person": names})
    made = sl.review(
        alerts,
        incident=0,
        production=sl.ProductionMap(edges, alerts),
        events=moved,
        engagements=said,
        people=True,
    )
    return Page(sl.write_review(tmp_path_factory.mktemp("review") / "review.html", made, title=names[0]))


def test_every_section_and_both_figures_are_there(hostile: Page) -> None:
    text = hostile.text
    assert all(section in text for section in SECTIONS)
    plots = [attrs["id"] for attrs in hostile.of("div") if attrs.get("class") == "plot"]
    assert plots == ["what-happened", "over-the-map"]
    assert all(attrs.get("aria-label") for attrs in hostile.of("figure"))


def test_hostile_text_comes_out_as_text(hostile: Page) -> None:
    said = hostile.text.replace("\ufffd", "")
    for payload in PAYLOADS[:24]:
        assert " ".join(payload.replace("\x0b", "").split())[:50] in said
    assert not [name for _, attrs in hostile.tags for name in attrs if name.startswith("on")]
    known = {
        "a", "article", "body", "details", "div", "figcaption", "figure", "h1", "h2", "head", "html", "li", "main",
        "meta", "nav", "p", "script", "section", "span", "style", "summary", "table", "tbody", "td", "th", "thead",
        "title", "tr", "ul",
    }  # fmt: skip
    assert {tag for tag, _ in hostile.tags} <= known


def test_nothing_is_asked_for_and_only_our_scripts_run(hostile: Page) -> None:
    asking = {"src", "data", "srcset", "action", "formaction", "poster", "background", "ping", "xlink:href"}
    assert not [(tag, attrs) for tag, attrs in hostile.tags if asking & set(attrs)]
    assert all((attrs["href"] or "").startswith("#") for attrs in hostile.of("a"))
    assert hostile.policy.startswith("default-src 'none'")
    data = [text for text, attrs in zip(hostile.scripts, hostile.of("script"), strict=True) if attrs.get("type")]
    assert len(data) == 3
    assert not [sign for sign in "<>&\u2028\u2029" if any(sign in text for text in data)]


def test_links_within_the_page_lead_somewhere(hostile: Page) -> None:
    ids = [attrs["id"] for _, attrs in hostile.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {(attrs["href"] or "")[1:] for attrs in hostile.of("a")} <= set(ids)


def test_one_alert_without_map_or_service_makes_a_page(tmp_path: Path) -> None:
    alone = pd.DataFrame({"starts_at": ["2026-03-01T14:02Z"], "incident_id": [0]})
    page = Page(sl.write_review(tmp_path / "one.html", sl.review(alone, incident=0)))
    assert [attrs["id"] for attrs in page.of("div") if attrs.get("class") == "plot"] == ["what-happened"]
    assert "Not known: no alert of this incident names a service." in page.text


def test_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="review must be a Review, not DataFrame"):
        sl.write_review(tmp_path / "x.html", pd.DataFrame())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
