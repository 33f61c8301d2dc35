"""Every notebook runs in a real JupyterLab: no error output, nothing leaves the machine, figures are there."""

from __future__ import annotations

import pytest

from tests.browser.lab import ROOT, Lab

NOTEBOOKS = [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs_in_jupyterlab(lab: Lab, name: str) -> None:
    """In their order: each works on what those before it left in ../build/demo."""
    with lab.open(f"notebooks/{name}") as notebook:
        state = notebook.run()
        assert state["errors"] == []
        assert state["warned"] == []
        if "application/vnd.plotly.v1+json" in state["kinds"]:
            notebook.page.locator(".js-plotly-plot").first.wait_for(state="attached")
        notebook.picture(f"notebook-{name.removesuffix('.ipynb')}")
