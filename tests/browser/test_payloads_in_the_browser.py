"""Sixty names and titles that try to run as script, in every view of a map in a real JupyterLab: none ever does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import ROOT
from tests.payloads import PAYLOADS

if TYPE_CHECKING:
    from tests.browser.lab import Notebook

_EVIL = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import pandas as pd
from tests.payloads import PAYLOADS

evil = list(PAYLOADS)
n = len(evil)
edges = pd.DataFrame({{
    "src": evil, "dst": evil[1:] + evil[:1], "confidence": 0.9, "support": 3, "lift": 9.0, "lag_s": 30.0,
}})
at = pd.date_range("2026-03-02", periods=n, freq="10s", tz="UTC", unit="us")
alerts = pd.DataFrame({{
    "alert_id": [f"a{{i}}" for i in range(n)], "source": "datadog", "rule_key": [f"r{{i}}" for i in range(n)],
    "alertname": evil[7:] + evil[:7], "summary": evil[11:] + evil[:11], "description": evil[13:] + evil[:13],
    "url": evil[17:] + evil[:17], "service": evil, "severity": "error", "environment": evil[19:] + evil[:19],
    "starts_at": at, "ends_at": at + pd.Timedelta("20min"), "incident_id": 0,
    "resources": [[name] for name in evil[23:] + evil[:23]],
}})
owned = pd.DataFrame({{
    "service": evil, "team": [evil[i // 6] for i in range(n)], "repository": evil[29:] + evil[:29], "on_call": evil,
}})
hostile = sl.ProductionMap(edges, alerts, ownership=owned)
"""
_VIEWS = (
    "explorer = sl.Explorer(hostile)\nexplorer",
    "finder = sl.PlaceFinder(hostile)\nfinder",
    "hostile",
    "hostile.front_door(evil[8])",
    "hostile.front_door(evil[0])",
    "hostile.onboard(services=evil[:3])",
    "sl.summarize_incidents(alerts)",
    "hostile.links",
    "sl.plot.production_map(hostile)",
    "sl.plot.replay(hostile, incident=0)",
    "sl.plot.incident_swimlane(alerts)",
    "sl.plot.timeline(alerts)",
    "sl.plot.blast_radius(hostile, service=evil[8])",
)
# Where something would run if it were clicked, sent or loaded.
_LIVE = """() => Array.from(document.querySelectorAll('*')).flatMap(one =>
  Array.from(one.attributes).filter(attribute =>
    (/^(href|xlink:href|src|action|formaction|data|srcdoc|background)$/i.test(attribute.name)
      && /^(javascript|data:text\\/html|vbscript)/i.test(attribute.value.replace(/[\\u0000-\\u0020]/g, '')))
    || (/^on/i.test(attribute.name) && attribute.value.includes('__pwned')))
  .map(attribute => `${one.tagName} ${attribute.name}=${attribute.value}`))"""


@pytest.fixture(scope="module")
def notebook(desk: Notebook) -> Notebook:
    desk.show(_EVIL, *_VIEWS)
    desk.drawn("Production map")
    return desk


@pytest.fixture(autouse=True)
def nothing_ran(notebook: Notebook) -> Iterator[None]:
    yield
    notebook.page.wait_for_timeout(200)
    assert notebook.page.evaluate("window.__pwned") is None
    assert notebook.page.evaluate(_LIVE) == []


def test_this_page_would_tell(notebook: Notebook) -> None:
    """What runs is seen: a payload set as markup does set the mark."""
    page = notebook.page
    page.evaluate(
        """() => { const probe = document.createElement('div'); probe.id = 'probe'; document.body.append(probe);
          probe.innerHTML = '<img src="data:," onerror="window.__pwned=1"><a href="java\\tscript:0">x</a>'; }"""
    )
    page.wait_for_function("() => window.__pwned === 1")
    assert len(page.evaluate(_LIVE)) == 2
    page.evaluate("() => { document.getElementById('probe').remove(); delete window.__pwned; }")


def test_all_views_of_the_notebook(notebook: Notebook) -> None:
    """Scroll through all of it, so that every output is drawn."""
    cells = notebook.page.locator(".jp-CodeCell")
    for number in range(cells.count()):
        cells.nth(number).scroll_into_view_if_needed()
        notebook.page.wait_for_timeout(150)
    notebook.picture("payloads-views")


def test_every_name_in_the_explorer(notebook: Notebook) -> None:
    notebook.page.locator(".stanza-canvas").first.scroll_into_view_if_needed()
    notebook.ask("for name in evil: explorer.selected = name")
    for number in range(0, len(PAYLOADS), 6):
        notebook.ask(f"explorer.team = evil[{number // 6}]; explorer.selected = (evil[{number}], evil[{number + 1}])")
    notebook.ask("explorer.service = explorer.selected = evil[20]")
    shown = notebook.page.locator(".widget-select", has_text="Shown").locator("option").all_text_contents()
    assert any("<svg onload" in text.replace("\xa0", " ") for text in shown)
    notebook.picture("payloads-explorer")


def test_hovering_over_every_name(notebook: Notebook) -> None:
    notebook.ask("explorer.team = explorer.service = None")
    notebook.drawn("Production map")
    said = notebook.page.evaluate(
        """async () => {
          const plot = document.querySelector('.stanza-canvas');
          plot.focus();
          const said = new Set();
          for (const key of ['Home', ...Array(40).fill('ArrowRight'), ...Array(40).fill('ArrowDown')]) {
            plot.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
            await new Promise(requestAnimationFrame);
            said.add(document.querySelector('.stanza-spoken').textContent);
          }
          return Array.from(said);
        }"""
    )
    assert len(said) > 3


def test_every_step_of_the_replay(notebook: Notebook) -> None:
    notebook.ask("explorer.incident = 0")
    for step in range(0, int(notebook.ask("print(len(explorer.figure.frames))")), 5):
        notebook.ask(f"explorer.frame = {step}")
        notebook.page.wait_for_timeout(30)
    notebook.picture("payloads-replay")
    notebook.ask("explorer.incident = None")


def test_every_name_in_the_place_finder(notebook: Notebook) -> None:
    field = notebook.page.get_by_role("combobox", name="What is yours?")
    field.scroll_into_view_if_needed()
    found = set()
    for typed in ("<", "javascript", "{{", "[", "$", "__pwned"):
        field.fill(typed)
        found.update(notebook.page.locator(".stanza-option .stanza-name").all_text_contents())
    assert len(found & set(PAYLOADS)) > 20
    notebook.picture("payloads-finder")
    for number in (8, 20, 30):
        notebook.ask(f"finder.picked = [('service', evil[{number}])]")
        notebook.page.locator(".stanza-proposal").first.wait_for()
    notebook.ask(
        "finder.accept(finder.proposed['service'].iloc[0]); finder.decline(finder.proposed['service'].iloc[0])"
    )


def test_a_trouble_that_names_it(notebook: Notebook) -> None:
    field = notebook.page.get_by_placeholder("Type to search")
    field.fill("<img src=x onerror=window.__pwned=1>!")
    field.press("Enter")
    notebook.page.get_by_text("This did not work").first.wait_for()
