from __future__ import annotations

import base64
import hashlib

import pytest

from tests.payloads import PAYLOADS
from tests.report.page import Page, hostile_report


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(hostile_report(tmp_path_factory.mktemp("hostile")))


def test_hostile_text_comes_out_as_text(hostile: Page) -> None:
    for payload in PAYLOADS:
        assert " ".join(payload.split()) in hostile.text
    assert not [name for _, attrs in hostile.tags for name in attrs if name.startswith("on")]
    known = {
        "a", "article", "b", "body", "caption", "code", "details", "div", "figcaption", "figure", "h1", "h2", "h3",
        "h4", "head", "html", "li", "main", "meta", "nav", "p", "pre", "script", "section", "small", "span", "style",
        "summary", "table", "tbody", "td", "th", "thead", "title", "tr", "ul",
    }  # fmt: skip
    assert {tag for tag, _ in hostile.tags} <= known


def test_only_the_scripts_that_the_policy_names_can_run(hostile: Page) -> None:
    running = [text for text, attrs in zip(hostile.scripts, hostile.of("script"), strict=True) if not attrs.get("type")]
    assert len(running) == 2
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running]
    scripts = next(part for part in hostile.policy.split("; ") if part.startswith("script-src"))
    assert sorted(scripts.split()[1:]) == sorted(f"'sha256-{said}'" for said in hashes)
    assert hostile.policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in hostile.policy


def test_what_is_from_outside_is_inert_data_in_which_no_tag_can_end(hostile: Page) -> None:
    data = [text for text, attrs in zip(hostile.scripts, hostile.of("script"), strict=True) if attrs.get("type")]
    assert len(data) >= 3
    assert not [sign for sign in "<>&\u2028\u2029" if any(sign in text for text in data)]
    for text in hostile.scripts:
        if text not in data:
            assert not [payload for payload in PAYLOADS if payload in text]


def test_nothing_is_asked_for_from_outside(hostile: Page) -> None:
    asking = {"src", "data", "srcset", "action", "formaction", "poster", "background", "ping", "xlink:href"}
    assert not [(tag, attrs) for tag, attrs in hostile.tags if asking & set(attrs)]
    assert all((attrs["href"] or "").startswith("#") for _, attrs in hostile.tags if "href" in attrs)


def test_links_within_the_page_lead_somewhere(hostile: Page) -> None:
    ids = [attrs["id"] for _, attrs in hostile.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {(attrs["href"] or "")[1:] for attrs in hostile.of("a")} <= set(ids)


def test_figures_have_a_text_alternative(hostile: Page) -> None:
    plots = [attrs for attrs in hostile.of("div") if attrs.get("class") == "plot"]
    assert len(plots) >= 3
    assert all(attrs.get("aria-label") and attrs.get("tabindex") == "0" for attrs in [*plots])
    assert all(attrs.get("aria-label") for attrs in hostile.of("figure"))
