"""A real JupyterLab on loopback and pages of it, watched: what they asked of the network, said and asked people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import nbformat

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "browser"
SIZE = {"width": 1500, "height": 1000}
SLOW = 120_000  # ms: a busy machine is no fault
_RESPONSE_S = 10.0  # what anybody would call broken; what it really was stands in build/browser/timings.json
_HERE = ("127.0.0.1", "localhost")

# A server for tests only: no token, on loopback, with its settings in a folder of its own.
_SETTINGS = """
from jupyterlab.galata import configure_jupyter_server
configure_jupyter_server(c)
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = 0
c.ServerApp.root_dir = {root!r}
c.LabApp.workspaces_dir = {workspaces!r}
c.LabApp.user_settings_dir = {settings!r}
c.ServerApp.allow_root = True
c.ServerApp.terminals_enabled = False
"""
# JupyterLab's own messages at the error level that say nothing about us, each word for word and with its reason.
HARMLESS: tuple[str, ...] = ()


@dataclass
class Watched:
    """What pages did that a test must know of."""

    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def on(self, context: BrowserContext, host: str) -> None:
        """Watch every page of `context`; nothing but `host` is let through."""

        def gate(route: Route) -> None:
            parts = urlsplit(route.request.url)
            if parts.scheme in ("data", "blob") or parts.netloc == host:
                route.continue_()
            else:
                self.outside.append(route.request.url)
                route.abort()

        context.route("**/*", gate)
        context.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        def dialog(asked) -> None:
            self.dialogs.append(asked.message)
            asked.dismiss()

        page.on("dialog", dialog)
        page.on("websocket", lambda socket: self._socket(socket.url))

    def _socket(self, url: str) -> None:
        if urlsplit(url).hostname not in _HERE:
            self.outside.append(url)

    def found(self) -> dict[str, list[str]]:
        """Return all that was out of order since the last call, and forget it."""
        errors = [said for said in self.errors if said not in HARMLESS]
        found = {"requests leaving the machine": self.outside[:], "console errors": errors, "dialogs": self.dialogs[:]}
        for told in (self.outside, self.errors, self.dialogs):
            told.clear()
        return {what: said for what, said in found.items() if said}


@dataclass
class Lab:
    """A running JupyterLab, the folder it serves, and a browser that is watched."""

    url: str
    folder: Path
    context: BrowserContext
    watched: Watched

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells and return its name."""
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(book, self.folder / name)
        return name

    @contextmanager
    def open(self, name: str) -> Iterator[Notebook]:
        """Open a notebook in a page of its own; its kernel ends with it."""
        page = self.context.new_page()
        page.set_viewport_size(SIZE)
        page.set_default_timeout(SLOW / 4)
        try:
            page.goto(f"{self.url}/lab/workspaces/{Path(name).stem}/tree/{name}?reset")
            notebook = Notebook(page, name)
            notebook.ready()
            page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
            yield notebook
        finally:
            page.close()
            for session in self._ask("api/sessions"):
                if session["path"] == name:
                    self._ask(f"api/sessions/{session['id']}", "DELETE")

    def _ask(self, path: str, method: str = "GET"):
        request = urllib.request.Request(f"{self.url}/{path}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None


# The notebook in front: is its kernel there and all its cells run?
_STATE = """() => {
  const panel = window.jupyterapp.shell.currentWidget;
  const session = panel && panel.sessionContext;
  if (!session || !panel.content || !panel.content.model) return null;
  const cells = Array.from(panel.content.model.sharedModel.cells);
  const outputs = cells.flatMap((cell, at) => (cell.toJSON().outputs || []).map(output => [at, output]));
  return {
    ready: session.isReady, status: session.session && session.session.kernel && session.session.kernel.status,
    errors: outputs.filter(([, o]) => o.output_type === 'error')
      .map(([at, o]) => `cell ${at}: ${o.ename}: ${o.evalue}`),
    warned: outputs.filter(([, o]) => o.name === 'stderr').map(([at, o]) => `cell ${at}: ${o.text}`),
    kinds: outputs.map(([, o]) => Object.keys(o.data || {})).flat(),
  };
}"""

_SPOT = """what => {
  const plot = document.querySelector('.stanza-canvas');
  for (const [curve, trace] of plot.data.entries()) {
    const at = (trace.customdata || []).findIndex(one => JSON.stringify(one) === JSON.stringify(what));
    if (at < 0) continue;
    const full = plot._fullData[curve], layout = plot._fullLayout;
    const box = () => plot.querySelector('.nsewdrag').getBoundingClientRect();
    const low = box().top + layout.yaxis.d2p(full.y[at]) - 0.6 * window.innerHeight;
    if (Math.abs(low) > 0.3 * window.innerHeight) plot.closest('.jp-WindowedPanel-outer').scrollBy(0, low);
    const inside = box();
    return { x: inside.left + layout.xaxis.d2p(full.x[at]), y: inside.top + layout.yaxis.d2p(full.y[at]) };
  }
  return null;
}"""


@dataclass
class Notebook:
    """One notebook, open in JupyterLab."""

    page: Page
    name: str

    def ready(self) -> None:
        """Wait until its kernel can be asked."""
        self._until(lambda state: state and state["ready"] and state["status"] in ("idle", "busy"), "a kernel")

    def run(self) -> dict:
        """Run all cells; return what became of them (`errors`, `warned`, `kinds` of outputs)."""
        ended = self.page.evaluate(
            """limit => Promise.race([
                 window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true),
                 new Promise(resolve => setTimeout(() => resolve(false), limit)),
               ])""",
            SLOW,
        )
        assert ended, f"{self.name}: still running after {SLOW / 1000:.0f} s"
        return self.state()

    def show(self, *cells: str) -> None:
        """Put other cells into the notebook, and run them; the kernel keeps what it knows."""
        self.page.evaluate(
            """sources => {
              const shared = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
              shared.deleteCellRange(0, shared.cells.length);
              shared.insertCells(0, sources.map(source => ({ cell_type: 'code', source, metadata: {}, outputs: [] })));
            }""",
            list(cells),
        )
        state = self.run()
        assert not state["errors"] + state["warned"], state["errors"] + state["warned"]

    def state(self) -> dict:
        """Return what there is to say about its kernel and outputs."""
        return self.page.evaluate(_STATE)

    def ask(self, code: str) -> str:
        """Return what `code`, run in its kernel, prints; an error there is one here."""
        said, wrong = self.page.evaluate(
            """async code => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const future = kernel.requestExecute({code, store_history: false});
              let said = '', wrong = '';
              future.onIOPub = message => {
                if (message.header.msg_type === 'stream') said += message.content.text;
                if (message.header.msg_type === 'error') wrong = `${message.content.ename}: ${message.content.evalue}`;
              };
              await future.done;
              return [said, wrong];
            }""",
            code,
        )
        assert not wrong, f"{code}\n{wrong}"
        return said.strip()

    def until(self, code: str, expected: str) -> None:
        """Wait until what the expression `code` comes to in the kernel is `expected`."""
        end = time.monotonic() + SLOW / 1000
        said = ""
        while time.monotonic() < end:
            said = self.ask(f"print({code})")
            if said == expected:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{code} is {said!r}, not {expected!r}")

    def drawn(self, title: str) -> None:
        """Wait until the picture of the explorer has this in its title."""
        self.page.wait_for_function(
            """title => {
              const plot = document.querySelector('.stanza-canvas');
              return plot && plot._fullLayout && (plot._fullLayout.title.text || '').includes(title);
            }""",
            arg=title,
        )

    def click(self, *what: str) -> None:
        """Click what carries this customdata in the picture of the explorer, where it stands on the screen."""
        self.page.locator(".stanza-canvas").first.scroll_into_view_if_needed()
        spot = self.page.evaluate(_SPOT, list(what))
        assert spot is not None, f"{what} is not drawn"
        self.page.mouse.move(spot["x"] - 3, spot["y"] - 3)
        self.page.mouse.move(spot["x"], spot["y"])
        self.page.wait_for_timeout(150)  # plotly clicks what it hovers over
        self.page.mouse.click(spot["x"], spot["y"])

    def slide(self, name: str, key: str) -> None:
        """Press a key on the handle of the slider of this name."""
        handle = self.page.locator(".widget-hslider", has_text=name).locator(".noUi-handle").first
        handle.scroll_into_view_if_needed()
        handle.focus()
        handle.press(key)

    def picture(self, name: str, *, of: str | None = None) -> Path:
        """Keep a picture of the page, or of the first element that `of` selects, under build/browser."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        if of is None:
            self.page.screenshot(path=path)
        else:
            self.page.locator(of).first.screenshot(path=path)
        return path

    def _until(self, done, what: str) -> dict:
        end = time.monotonic() + SLOW / 1000
        while time.monotonic() < end:
            state = self.state() if self.page.evaluate("'jupyterapp' in window") else None
            if state is not None and done(state):
                return state
            self.page.wait_for_timeout(150)
        raise AssertionError(f"{self.name}: waited in vain for {what}; it is at {state}")


@contextmanager
def serve(folder: Path, home: Path) -> Iterator[str]:
    """Run JupyterLab over `folder` with all its settings in `home`, and return its address."""
    home.mkdir(parents=True, exist_ok=True)
    where = {name: str(home / name) for name in ("config", "data", "runtime", "ipython", "workspaces", "settings")}
    quiet = Path(where["settings"], "@jupyterlab", "apputils-extension", "notification.jupyterlab-settings")
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')  # it would ask about news in a corner
    settings = home / "server.py"
    settings.write_text(_SETTINGS.format(root=str(folder), workspaces=where["workspaces"], settings=where["settings"]))
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": where["config"],
        "JUPYTER_DATA_DIR": where["data"],
        "JUPYTER_RUNTIME_DIR": where["runtime"],
        "IPYTHONDIR": where["ipython"],
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONWARNINGS": "default",
    }
    command = [sys.executable, "-m", "jupyterlab", f"--config={settings}"]
    log = home / "server.log"
    with log.open("w") as file, subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file) as run:
        try:
            yield _address(Path(where["runtime"]), run, log)
        finally:
            run.terminate()
            try:
                run.wait(20)
            except subprocess.TimeoutExpired:
                run.kill()


def _address(runtime: Path, run: subprocess.Popen, log: Path) -> str:
    """Return where the server listens, as soon as it says so."""
    end = time.monotonic() + SLOW / 1000
    while time.monotonic() < end and run.poll() is None:
        for said in runtime.glob("jpserver-*.json"):
            try:
                return json.loads(said.read_text())["url"].rstrip("/")
            except ValueError:
                continue  # half written
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def keep_time(**seconds: float) -> None:
    """Note how long something took, and hold it against a limit that only something broken reaches."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / "timings.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(known | {name: round(value, 3) for name, value in seconds.items()}, indent=1))
    assert all(value < _RESPONSE_S for value in seconds.values()), seconds
