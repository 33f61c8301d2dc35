"""Finding one's place in a real JupyterLab: type, pick, take a proposal, save, and go on from what was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stanza_lab as sl
from tests.browser.lab import keep_time
from tests.browser.test_explorer_in_the_browser import MADE

if TYPE_CHECKING:
    from tests.browser.lab import Lab, Notebook


@pytest.fixture
def notebook(lab: Lab, desk: Notebook) -> Notebook:
    (lab.folder / "mine.yaml").unlink(missing_ok=True)
    known = desk.ask("print('made' in vars())") == "True"
    desk.show("" if known else MADE, "finder = sl.PlaceFinder(production, path='mine.yaml')\nfinder")
    desk.page.locator(".stanza-suggested button").first.wait_for()
    return desk


def test_from_the_first_letter_to_a_profile(lab: Lab, notebook: Notebook) -> None:
    page, service = notebook.page, notebook.ask("print(link['src'])")
    field = page.get_by_role("combobox", name="What is yours?")
    field.scroll_into_view_if_needed()
    field.press_sequentially(service[:4])
    options = page.locator(".stanza-option")
    assert options.count() > 1
    assert options.first.get_attribute("aria-selected") == "true"
    notebook.picture("finder-search")
    field.fill(service)
    wanted = next(i for i, text in enumerate(options.all_inner_texts()) if text.split("\n")[:2][0] == service)
    for _ in range(wanted):
        field.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == options.nth(wanted).get_attribute("id")
    field.press("Enter")
    notebook.until("[name for _, name in finder.picked]", f"['{service}']")
    page.locator(".stanza-chip", has_text=service).first.wait_for()

    page.locator(".stanza-proposal").first.wait_for()
    proposed = page.locator(".stanza-proposal .stanza-name").first.inner_text()
    page.get_by_role("button", name=f"Mine: {proposed}", exact=True).click()
    notebook.until(f"{proposed!r} in finder.profile.accepted", "True")
    other = notebook.ask("print(finder.proposed['service'].iloc[0])")
    page.get_by_role("button", name=f"Not mine: {other}", exact=True).click()
    notebook.until(f"{other!r} in finder.profile.declined", "True")

    page.get_by_placeholder("what to call it").fill("my corner")
    page.get_by_placeholder("what to call it").press("Enter")
    notebook.until("finder.profile.name", "my corner")
    page.locator(".widget-button", has_text="Save").click()
    page.get_by_text("Saved to").first.wait_for()
    notebook.page.wait_for_timeout(300)
    notebook.picture("finder-place")
    kept = sl.read_profile(lab.folder / "mine.yaml")
    assert {service, proposed} <= set(kept.services)
    assert (kept.name, kept.declined) == ("my corner", (other,))
    assert notebook.state()["errors"] == []


def test_backspace_takes_the_last_pick_back(notebook: Notebook) -> None:
    notebook.page.locator(".stanza-suggested button").first.click()
    notebook.until("len(finder.picked)", "1")
    notebook.page.get_by_role("combobox", name="What is yours?").press("Backspace")
    notebook.until("(finder.picked, finder.place)", "([], None)")


def test_two_thousand_choices_stay_quick(desk: Notebook) -> None:
    desk.show(
        """
import pandas as pd

edges = pd.DataFrame({"src": [f"service-{i:04d}" for i in range(2000)], "dst": "hub", "confidence": 0.9})
finder = sl.PlaceFinder(sl.ProductionMap(edges))
finder
"""
    )
    field = desk.page.get_by_role("combobox", name="What is yours?")
    field.press_sequentially("serv")
    desk.page.get_by_text("2000 found, the first 30 shown").wait_for()
    assert desk.page.locator(".stanza-option").count() == 30
    worst = desk.page.evaluate(
        """() => {
          const input = document.querySelector('.stanza-box input');
          const took = ['s', 'se', '9', '19', '1999', 'ervice 7'].map(typed => {
            const began = performance.now();
            input.value = typed;
            input.dispatchEvent(new Event('input'));
            return performance.now() - began;
          });
          return Math.max(...took) / 1000;
        }"""
    )
    keep_time(choices_2000_letter=worst)
