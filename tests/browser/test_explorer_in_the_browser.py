"""The explorer in a real JupyterLab, used as a person uses it: clicks, sliders, keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import SIZE, keep_time

if TYPE_CHECKING:
    from tests.browser.lab import Notebook

MADE = """
made = sl.simulate_production(services=24, teams=5, days=14, incidents=40, random_state=1)
alerts = sl.cluster_incidents(made.alerts)
model = sl.DependencyModel(sources=["times"]).fit(alerts)
owned = made.services[["service", "team", "repository"]]
production = sl.ProductionMap(model.edges_, alerts, ownership=owned, model=model)
link = production.links.iloc[0]
"""

_SIZED = """
import numpy as np, pandas as pd

names = np.array([f"team{i % max(2, SERVICES // 40):02d}-service{i:04d}" for i in range(SERVICES)])
draw = np.random.default_rng(0).integers(0, SERVICES, (2, SERVICES * 6))
pairs = pd.DataFrame({"src": names[draw.min(axis=0)], "dst": names[draw.max(axis=0)]})
pairs = pairs[pairs["src"] != pairs["dst"]].drop_duplicates().head(SERVICES * 5)
edges = pairs.assign(confidence=np.random.default_rng(1).uniform(0.4, 1, len(pairs)))
owned = pd.DataFrame({"service": names, "team": [name.partition("-")[0] for name in names]})
explorer = sl.Explorer(sl.ProductionMap(edges, ownership=owned))
explorer
"""


@pytest.fixture(scope="module")
def notebook(desk: Notebook) -> Notebook:
    desk.show(MADE, "explorer = sl.Explorer(production)\nexplorer")
    desk.drawn("Production map")
    return desk


@pytest.fixture
def whole(notebook: Notebook) -> Notebook:
    """Start from the whole map."""
    notebook.ask("explorer.incident = explorer.at = explorer.min_confidence = None; explorer.theme = 'auto'")
    notebook.ask("explorer.team = explorer.service = None")
    notebook.drawn("Production map")
    return notebook


def test_clicking_a_service_shows_its_front_door(whole: Notebook) -> None:
    service = whole.ask("print(link['src'])")
    whole.click("service", service)
    whole.until("explorer.selected", service)
    whole.page.locator(".sl-card", has_text=service).first.wait_for()
    whole.picture("explorer-front-door")


def test_clicking_a_link_shows_its_evidence(whole: Notebook) -> None:
    src, dst = whole.ask("print(*next(p.ends for p in explorer._pickable if p.kind == 'link'))").split()
    whole.click("link", src, dst)
    whole.until("explorer.selected", f"({src!r}, {dst!r})")
    whole.page.get_by_text("their alerts fired together").first.wait_for()
    whole.picture("explorer-evidence")


def test_hops_and_confidence_change_the_picture(whole: Notebook) -> None:
    service = whole.ask("print(link['src'])")
    field = whole.page.get_by_placeholder("Type to search")
    field.fill(service)
    field.press("Enter")
    whole.drawn(f"Around {service}")
    before = whole.ask("print(len(explorer.view.services))")
    began = time.monotonic()
    whole.slide("Hops", "ArrowLeft")
    whole.page.get_by_text("hops=1").first.wait_for()
    keep_time(hops=time.monotonic() - began)
    assert int(whole.ask("print(len(explorer.view.services))")) <= int(before)
    whole.slide("At least", "End")
    whole.until("explorer.min_confidence", "1.0")
    whole.page.get_by_text("min_confidence=1.0").first.wait_for()
    whole.page.get_by_role("button", name="Back").click()
    whole.until("explorer.min_confidence", "None")
    whole.picture("explorer-hops")


def test_a_square_opens_and_closes(whole: Notebook) -> None:
    team = whole.ask("print(production.teams[0])")
    whole.page.locator(".widget-dropdown", has_text="Show").locator("select").first.select_option(label=team)
    whole.drawn(f"Team {team}")
    cluster = whole.ask("print(next(p.ends[0] for p in explorer._pickable if p.kind == 'cluster'))")
    whole.click("cluster", cluster)
    whole.until("explorer.expand", f"({cluster!r},)")
    whole.picture("explorer-team-opened")
    whole.page.get_by_role("button", name="Close neighbours").click()
    whole.until("explorer.expand", "()")


def test_the_map_of_another_day(whole: Notebook) -> None:
    whole.slide("As of", "ArrowLeft")
    day = whole.ask('print(f\'{alerts["starts_at"].max().floor("D"):%Y-%m-%d}\')')
    whole.until("f'{explorer.at:%Y-%m-%d}'", day)
    whole.page.get_by_text(f"production.as_of('{day}')").first.wait_for()


def test_an_incident_is_replayed_step_by_step(whole: Notebook) -> None:
    chosen = whole.page.locator(".widget-dropdown", has_text="Replay").locator("select").first
    chosen.select_option(index=1)
    whole.page.get_by_text("sl.plot.replay(").first.wait_for()
    whole.slide("Step", "ArrowRight")
    whole.slide("Step", "ArrowRight")
    whole.until("explorer.frame", "2")
    whole.until("explorer._canvas.frame == explorer.figure.frames[2].name", "True")
    whole.picture("explorer-replay")


def test_the_picture_can_be_walked_with_keys(whole: Notebook) -> None:
    plot = whole.page.locator(".stanza-canvas").first
    plot.focus()
    plot.press("Home")
    plot.press("Enter")
    first = whole.page.evaluate(
        "() => document.querySelector('.stanza-canvas').getAttribute('aria-label')",
    )
    assert "Production map" in first or "services" in first
    whole.until("explorer.selected in set(production.services['service'])", "True")


def test_the_list_offers_all_that_can_be_clicked(whole: Notebook) -> None:
    shown = whole.page.locator(".widget-select", has_text="Shown").locator("option").all_text_contents()
    shown = [text.replace("\xa0", " ") for text in shown]
    assert shown[1:] == whole.ask("print(*(p.words for p in explorer._pickable), sep='\\n')").split("\n")
    whole.page.locator(".widget-select", has_text="Shown").locator("select").first.select_option(shown[-1])
    whole.until("explorer.selected is not None", "True")


def test_dark_follows_jupyterlab(whole: Notebook) -> None:
    change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
    whole.page.evaluate(change, "JupyterLab Dark")
    whole.until("explorer._canvas.dark", "True")
    whole.until("'dark' in explorer.code", "True")
    whole.page.wait_for_timeout(500)
    whole.picture("explorer-dark")
    whole.page.evaluate(change, "JupyterLab Light")
    whole.until("explorer._canvas.dark", "False")


def test_on_a_narrow_page_the_panel_goes_below(whole: Notebook) -> None:
    page = whole.page
    page.set_viewport_size({"width": 1100, "height": 1000})
    page.wait_for_function(
        """() => document.querySelector('.stanza-panel').getBoundingClientRect().top
             >= document.querySelector('.stanza-canvas').getBoundingClientRect().bottom - 1"""
    )
    page.wait_for_timeout(300)
    whole.picture("explorer-narrow")
    page.set_viewport_size(SIZE)


def test_a_trouble_is_said_in_the_panel(whole: Notebook) -> None:
    field = whole.page.get_by_placeholder("Type to search")
    field.fill("no-such-service")
    field.press("Enter")
    whole.page.get_by_text("'no-such-service' not found").first.wait_for()
    assert whole.state()["errors"] == []


@pytest.mark.parametrize("services", [5, 50, 500, 2000])
def test_maps_of_all_sizes_respond(desk: Notebook, services: int) -> None:
    """At 2,000 services and 10,000 edges too: how long a picture takes, and how smoothly the mouse moves over it."""
    desk.show(_SIZED.replace("SERVICES", str(services)))
    desk.drawn("Production map")
    desk.page.locator(".stanza-canvas").first.scroll_into_view_if_needed()
    desk.until("explorer._canvas.drawn_ms > 0", "True")
    first = float(desk.ask("print(explorer._canvas.drawn_ms)")) / 1000
    desk.picture(f"explorer-{services}")
    frames = sorted(_over(desk))
    taken = {}
    if services >= 500:
        began = time.monotonic()
        desk.click("cluster", "team01")
        desk.page.get_by_text("expand=['team01']").first.wait_for()
        taken[f"services_{services}_open_square"] = time.monotonic() - began
        desk.picture(f"explorer-{services}-opened")
    began = time.monotonic()
    desk.ask("explorer.selected = names[0]")
    desk.page.locator(".sl-card").first.wait_for()
    taken[f"services_{services}_front_door"] = time.monotonic() - began
    began = time.monotonic()
    desk.ask("explorer.team = 'team00'")
    desk.drawn("Team team00")
    keep_time(
        **taken,
        **{
            f"services_{services}_first_draw": first,
            f"services_{services}_team_view": time.monotonic() - began,
            f"services_{services}_frame_median": frames[len(frames) // 2],
            f"services_{services}_frame_worst": frames[-1],
        },
    )
    desk.picture(f"explorer-{services}-team")


def _over(notebook: Notebook) -> list[float]:
    """Return the seconds between frames while the mouse moves over the picture."""
    notebook.page.evaluate(
        """() => {
          window.stanzaFrames = [];
          let last = performance.now();
          const tick = now => {
            window.stanzaFrames.push((now - last) / 1000);
            last = now;
            requestAnimationFrame(tick);
          };
          requestAnimationFrame(tick);
        }"""
    )
    box = notebook.page.locator(".stanza-canvas").first.bounding_box()
    assert box is not None
    for step in range(40):
        notebook.page.mouse.move(box["x"] + box["width"] * step / 40, box["y"] + min(box["height"], 700) * step / 40)
    return notebook.page.evaluate("window.stanzaFrames")
