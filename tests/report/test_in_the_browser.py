"""Pages opened from the disk in a real browser: hostile text stays text, figures draw, the keyboard gets everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
import pytest

import stanza_lab as sl
from tests.payloads import PAYLOADS
from tests.report.page import alerts, hostile_report

if TYPE_CHECKING:
    from tests.report.conftest import Opened

pytestmark = pytest.mark.browser

HEARD = "() => document.getElementById('heard').textContent"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_report(tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A page of a small map, with a table of enough rows to filter."""
    edges = pd.DataFrame({"src": ["shop", "shop"], "dst": ["orders", "orders-db"], "confidence": [0.9, 0.8]})
    table = pd.DataFrame({"service": [f"service {i}" for i in range(120)], "alerts": range(120)})
    figure = sl.plot.production_map(sl.ProductionMap(edges))
    return sl.write_figure(tmp_path / "shop.html", figure, title="Shop", table=table)


def test_no_payload_runs_and_each_shows_as_text(opened: Opened, hostile: Path) -> None:
    page = opened(hostile)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    plots = page.locator(".plot")
    for i in range(plots.count()):
        plots.nth(i).scroll_into_view_if_needed()
        plots.nth(i).locator(".main-svg").first.wait_for()
    page.evaluate("""() => document.querySelectorAll('.plot').forEach((plot) => plot.data.forEach((trace, curve) => {
        if (trace.hoverinfo !== 'skip' && !trace.z) Plotly.Fx.hover(plot, [{ curveNumber: curve, pointNumber: 0 }]);
    }))""")
    for name in ("section", "summary", "td", "li"):
        page.locator(name).first.hover()
    said = " ".join(page.evaluate("document.body.textContent").split())
    assert [payload for payload in PAYLOADS if " ".join(payload.split()) not in said] == []
    assert page.evaluate("window.__pwned") is None
    assert (
        page.evaluate("document.querySelectorAll('[href^=\"javascript\" i], iframe, img, object, embed').length") == 0
    )
    assert page.url == hostile.as_uri()


def test_a_script_that_is_not_ours_cannot_run(opened: Opened, hostile: Path, tmp_path: Path) -> None:
    """The second lock: where escaping failed the policy would still hold."""
    text = hostile.read_text("utf-8")
    for i, hole in enumerate(("<script>window.__pwned = 1</script>", "<svg onload='window.__pwned = 1'></svg>")):
        broken = tmp_path / f"{i}.html"
        broken.write_text(text.replace("<main", f"{hole}<main", 1), "utf-8")
        page = opened(broken)
        page.locator(".filter").first.wait_for(state="attached")  # our own script ran
        assert page.evaluate("window.__pwned") is None
    assert len(opened.told) >= 2
    assert [said for said in opened.told if "Content Security Policy" not in said] == []
    opened.told.clear()


def test_figures_are_drawn_as_they_come_into_sight(opened: Opened, hostile: Path) -> None:
    page = opened(hostile)
    page.locator("#map").scroll_into_view_if_needed()
    page.locator("#map .main-svg").first.wait_for()
    assert page.locator(".plot").count() > page.locator(".plot.js-plotly-plot").count()
    assert page.locator("#team-1-map .main-svg").count() == 0
    page.evaluate("location.hash = '#team-1'")
    page.locator("#team-1-map .main-svg").first.wait_for()


def test_the_keyboard_walks_a_figure_and_is_told_what_it_meets(opened: Opened, shop: Path) -> None:
    page = opened(shop)
    page.locator("#figure .main-svg").first.wait_for()
    page.locator("#figure").focus()
    heard: list[str] = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home"):
        page.keyboard.press(key)
        page.wait_for_function(f"told => ({HEARD})() !== told", arg=heard[-1] if heard else "")
        heard.append(page.evaluate(HEARD))
    assert heard[0].startswith("shop. ")
    assert heard[0].endswith("(1 of 5)")
    assert {said.split(". ")[0] for said in heard[1:3]} == {"orders", "orders-db"}
    assert heard[3].startswith("shop → orders")
    assert heard[4] == heard[2]
    assert heard[5] == heard[0]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "figure"  # no trap


def test_enter_on_a_service_of_the_map_opens_its_front_door(opened: Opened, tmp_path: Path) -> None:
    table = alerts(["shop", "orders"])
    edges = pd.DataFrame({"src": ["shop"], "dst": ["orders"], "confidence": [0.9]})
    page = opened(
        sl.write_report(tmp_path / "r.html", alerts=table, production=sl.ProductionMap(edges, table)),
    )
    page.evaluate("location.hash = '#the-map'")
    page.locator("#map .main-svg").first.wait_for()
    door = page.locator('[data-about="service shop"]')
    assert door.get_attribute("open") is None
    page.locator("#map").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.locator('[data-about="service shop"][open]').wait_for(state="attached")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_and_page_are_light_or_dark_together(opened: Opened, shop: Path, scheme: str) -> None:
    page = opened(shop, color_scheme="dark" if scheme == "light" else "light")
    page.locator("#figure .main-svg").first.wait_for()
    page.emulate_media(color_scheme=scheme)  # the reader changes it while the page is open
    # A function, for an expression would be evaluated anew each time, which the page's policy forbids.
    paper = "document.getElementById('figure').layout.paper_bgcolor.toUpperCase()"
    page.wait_for_function(f"light => ({paper} === '#FFFFFF') === light", arg=scheme == "light")
    assert page.evaluate("document.getElementById('figure').data.at(-1).hovertext[0]").startswith("<b>")


def test_paper_is_light(opened: Opened, shop: Path) -> None:
    page = opened(shop, color_scheme="dark")
    page.locator("#figure .main-svg").first.wait_for()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.getElementById('figure').layout.paper_bgcolor").upper() == "#FFFFFF"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.getElementById('figure').layout.paper_bgcolor").upper() != "#FFFFFF"


def test_a_table_is_filtered_by_all_words_and_shows_the_rest_when_asked(opened: Opened, shop: Path) -> None:
    page = opened(shop)
    rows = page.locator("tbody tr:visible")
    assert rows.count() == 50
    page.get_by_label("Filter rows").fill("SERVICE 11")
    assert rows.all_inner_texts() == [f"service {i}\t{i}" for i in (11, *range(110, 120))]
    page.get_by_label("Filter rows").fill("")
    page.get_by_role("button", name="Show all 120").click()
    assert rows.count() == 120


def test_the_slider_of_a_figure_follows_the_arrow_keys(opened: Opened, tmp_path: Path) -> None:
    frames = [go.Frame(data=[{"y": [i, i]}], name=str(i)) for i in range(3)]
    steps = [{"method": "animate", "label": f"14:0{i}", "args": [[str(i)], {"mode": "immediate"}]} for i in range(3)]
    figure = go.Figure([{"x": [0, 1], "y": [0, 0]}], {"sliders": [{"steps": steps}]}, frames)
    page = opened(sl.write_figure(tmp_path / "replay.html", figure, title="Replay"))
    page.locator("#figure .main-svg").first.wait_for()
    page.locator("#figure").focus()
    for told in ("14:01", "14:02", "14:02"):
        page.keyboard.press("ArrowRight")
        page.wait_for_function("told => document.getElementById('heard').textContent.startsWith(told)", arg=told)
    assert page.evaluate("Array.from(document.getElementById('figure').data[0].y)") == [2, 2]


def test_a_pause_of_what_plays_is_no_error_of_the_page(opened: Opened, tmp_path: Path) -> None:
    frames = [go.Frame(data=[{"y": [i, i]}], name=str(i)) for i in range(50)]
    still = {"mode": "immediate", "frame": {"duration": 0}}
    buttons = [
        {"label": "Play", "method": "animate", "args": [None, {"frame": {"duration": 100}}]},
        {"label": "Pause", "method": "animate", "args": [[None], still]},
    ]
    figure = go.Figure([{"x": [0, 1], "y": [0, 0]}], {"updatemenus": [{"type": "buttons", "buttons": buttons}]}, frames)
    page = opened(sl.write_figure(tmp_path / "replay.html", figure, title="Replay"))
    page.locator(".updatemenu-button").first.wait_for()
    page.evaluate("addEventListener('unhandledrejection', (e) => { document.title = String(e.defaultPrevented); })")
    page.locator(".updatemenu-button").nth(0).click()
    page.wait_for_function("() => document.getElementById('figure').data[0].y[0] > 0")
    page.locator(".updatemenu-button").nth(1).click()
    page.wait_for_function("() => document.title === 'true'")


def test_a_figure_of_many_marks_needs_no_eval(opened: Opened, tmp_path: Path) -> None:
    figure = go.Figure(go.Scattergl(x=list(range(200)), y=[0, 1] * 100, mode="markers"))
    page = opened(sl.write_figure(tmp_path / "many.html", figure, title="Many"))
    page.locator("#figure .gl-canvas").first.wait_for()


def test_a_phone_shows_a_page_that_scrolls_one_way(opened: Opened, hostile: Path) -> None:
    page = opened(hostile, viewport={"width": 400, "height": 800})
    page.locator("#map").scroll_into_view_if_needed()
    page.locator("#map .main-svg").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
