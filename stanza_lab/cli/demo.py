"""The demonstration: every notebook run on the bundled history, and a summary of what they found."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

import stanza_lab as sl
from stanza_lab._optional import require
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
    papermill = require("papermill", extra="notebooks", purpose="running the notebooks")
    root = checkout()
    shutil.rmtree(out, ignore_errors=True)  # what an earlier run left; the notebooks show a first import
    out.mkdir(parents=True)
    # A figure is kept in the notebook file with its script, so that it shows without a network.
    os.environ.setdefault("PLOTLY_RENDERER", "notebook_connected+plotly_mimetype")
    notebooks = sorted((root / "notebooks").glob("[0-9]*.ipynb"))
    for number, notebook in enumerate(notebooks, start=1):
        stderr.print(Text(f"[{number}/{len(notebooks)}] running {notebook.name}"))
        papermill.execute_notebook(
            str(notebook),
            str(out / notebook.name),
            parameters={"data": str(root / "data"), "out": str(out)},
            kernel_name="python3",
            progress_bar=False,
            cwd=str(root / "notebooks"),
        )
    _summary(out)


def _summary(out: Path) -> None:
    history, bundle = sl.History(out / "history"), sl.load_bundle(out / "bundle")
    console, alerts = Console(), history.alerts()
    table = Table(title=Text("What the bundled history tells"), title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    by_source = alerts["source"].value_counts()
    verdicts = bundle.edges["verdict"].astype("str").fillna("not judged by traces").value_counts()
    table.add_row("alerts", f"{len(alerts):,} ({', '.join(f'{n:,} {name}' for name, n in by_source.items())})")
    table.add_row("incidents", f"{bundle.manifest['counts']['incidents']:,}")
    table.add_row("services", f"{len(bundle.services):,}")
    table.add_row("edges", ", ".join(f"{n:,} {name}" for name, n in verdicts.items()))
    teams = sorted(bundle.services["team"].dropna().astype(str).unique())
    table.add_row("teams", f"{len(teams)} ({', '.join(teams)})")
    table.add_row("notebooks", str(out))
    table.add_row("report", (out / "report.html").as_uri())
    console.print(table)
    console.print("Open the report in a browser, or type 'make lab' to go on in JupyterLab.")
