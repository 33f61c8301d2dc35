"""One JupyterLab and one browser for all tests here; a machine without Chromium skips them, CI fails."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder and put them last: Playwright's loop would be in the way of other tests."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.path.is_relative_to(here))


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> str:
    """Return where Chromium is, or skip: it belongs to the machine and is not installed by `make setup`."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        absent = f"needs a browser, none of {', '.join(_NAMES)} is on this machine; apt-get install chromium"
        (pytest.fail if pytestconfig.getoption("--require-browser") else pytest.skip)(absent)
    return found


@pytest.fixture(scope="session")
def lab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """Start JupyterLab over a copy of the notebooks and of the data, and a browser beside it."""
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import ROOT, SIZE, Lab, Watched, serve

    folder = tmp_path_factory.mktemp("checkout")
    for name in ("notebooks", "data"):
        shutil.copytree(ROOT / name, folder / name)
    with serve(folder, tmp_path_factory.mktemp("jupyter")) as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=_FLAGS)
        context = browser.new_context(viewport=SIZE)
        watched = Watched()
        watched.on(context, urlsplit(url).netloc)
        yield Lab(url, folder, context, watched)
        browser.close()


@pytest.fixture(scope="session")
def desk(lab) -> Iterator:
    """Open one notebook for all tests that need widgets and not a fresh kernel: starting one takes longest."""
    with lab.open(lab.write("desk.ipynb", "import stanza_lab as sl")) as opened:
        opened.run()
        yield opened


@pytest.fixture(autouse=True)
def nothing_out_of_order(lab) -> Iterator[None]:
    """Hold after every test: no request left the machine, no error on the console, no dialog was opened."""
    lab.watched.found()
    yield
    assert lab.watched.found() == {}
