"""A browser that opens pages from the disk, and minds what they do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Iterator[Any]:
    """Return Chromium, or skip: it belongs to the machine and is not installed by `make setup`."""
    found = shutil.which("chromium")
    if found is None:
        absent = "needs a browser, there is no chromium on this machine; apt-get install chromium"
        (pytest.fail if pytestconfig.getoption("--require-browser") else pytest.skip)(absent)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=found, args=_FLAGS)
        yield started
        started.close()


_EXPECTED = (
    "WARN: MathJax is not loaded",  # plotly.js, of a text in dollars: it stays text
    "WARN: API call to Plotly.animate rejected",  # plotly.js, of what a pause broke off
    "[.WebGL",  # the driver, of its own speed
)


class Opened:
    """Pages that were opened, and what they said or asked for in the meantime."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.told: list[str] = []
        self.contexts: list[Any] = []

    def __call__(self, path: Path, **settings: Any) -> Page:
        context = self.browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **settings})
        self.contexts.append(context)
        page: Page = context.new_page()
        page.on(
            "console", lambda said: said.text.startswith(_EXPECTED) or self.told.append(f"{said.type}: {said.text}")
        )
        page.on("pageerror", lambda error: self.told.append(f"error: {error}"))
        page.on("request", lambda asked: asked.url == path.as_uri() or self.told.append(f"request: {asked.url}"))
        page.on("dialog", lambda dialog: self.told.append(f"dialog: {dialog.message}"))
        page.goto(path.as_uri())
        return page


@pytest.fixture
def opened(browser: Any) -> Iterator[Opened]:
    """Return how to open a page; after the test hold that none complained, asked for anything or opened a dialog."""
    pages = Opened(browser)
    yield pages
    for context in pages.contexts:
        context.close()
    assert pages.told == []
