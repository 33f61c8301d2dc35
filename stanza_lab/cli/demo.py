"""The demonstration: every notebook run on the bundled history, and a summary of what they found."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from traitlets.config import Config

import stanza_lab as sl
from stanza_lab.cli.output import stderr
from stanza_lab.errors import LoadError


def checkout() -> Path:
    """Return the checkout this package runs from; it holds the notebooks and the bundled history."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "notebooks").is_dir() or not (root / "data").is_dir():
        raise LoadError(
            f"no notebooks/ and data/ in {root}; the demonstration and the lab run from a checkout of the repository"
        )
    return root


def run(out: Path) -> None:
    """Execute the notebooks into `out`, which is emptied first, and print what they found."""
    root = checkout()
    shutil.rmtree(out, ignore_errors=True)  # what an earlier run left; the notebooks show a first import
    out.mkdir(parents=True)
    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype+notebook"  # for JupyterLab, and for HTML made of the notebook
    notebooks = sorted((root / "notebooks").glob("[0-9]*.ipynb"))
    for number, notebook in enumerate(notebooks, start=1):
        stderr.print(Text(f"[{number}/{len(notebooks)}] running {notebook.name}"))
        _execute(notebook, out / notebook.name, {"data": str(root / "data"), "out": str(out)})
    _summary(out)


def _execute(notebook: Path, target: Path, parameters: dict[str, str]) -> None:
    """Run one notebook with `parameters` instead of its own; what it got to is written even when it fails."""
    document = nbformat.read(notebook, as_version=4)
    own = next(i for i, cell in enumerate(document.cells) if "parameters" in cell.metadata.get("tags", ()))
    given = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    cell = nbformat.v4.new_code_cell(given, id="injected", metadata={"tags": ["injected-parameters"]})
    document.cells.insert(own + 1, cell)
    with tempfile.TemporaryDirectory() as sockets:  # files, not ports: nothing of the run is on the network
        config = Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"})
        where = {"metadata": {"path": str(notebook.parent)}}
        client = NotebookClient(document, config=config, kernel_name="python3", resources=where)
        try:
            client.execute()
        finally:
            nbformat.write(document, target)


def _summary(out: Path) -> None:
    history, bundle = sl.History(out / "history"), sl.load_bundle(out / "bundle")
    console, alerts = Console(), history.alerts()
    table = Table(show_header=False, box=box.SIMPLE, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    by_source = alerts["source"].value_counts()
    production = bundle.production
    links = production.links[production.links["strength"] >= production.usual_confidence]
    verdicts = links["verdict"].astype("str").fillna("not judged by traces").value_counts()
    table.add_row("alerts", f"{len(alerts):,} ({', '.join(f'{n:,} {name}' for name, n in by_source.items())})")
    copies = alerts["origin"].isin(alerts["source"].unique()).sum()
    table.add_row("copies", f"{copies:,} of these, pages of alerts that are here as well; what follows leaves them out")
    table.add_row("incidents", f"{bundle.manifest['counts']['incidents']:,}")
    table.add_row("services", f"{len(bundle.services):,}")
    told = ", ".join(f"{n:,} {name}" for name, n in verdicts.items())
    sure = f"probability {production.usual_confidence:g} or more"
    table.add_row("edges", f"{len(links):,} dependencies of {sure}: {told}")
    table.add_row("teams", f"{len(production.teams)} ({', '.join(production.teams)})")
    load = sl.pager_load(alerts)
    broken = int(load.teams["sleep_hours"].sum())
    table.add_row("on call", f"{load.known['pages']:,} pages, {broken:,} interruptions between 22 and 08 (UTC)")
    console.print("What the bundled history tells", style="bold")
    console.print(table)
    pages = (
        ("report for a browser", "report.html"),
        ("review of its largest recent incident", "review.html"),
        ("what the model is and is not for", "bundle/model_card.md"),
        ("the model for other tools, a guide beside each", "exports"),
    )
    for name, path in (("notebooks, executed", out), *((name, out / page) for name, page in pages)):
        console.print(f"{name}: {path.as_uri()}", soft_wrap=True)
    console.print("'make lab' opens the notebooks in JupyterLab.")
