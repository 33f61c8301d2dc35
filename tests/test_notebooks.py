"""Every notebook runs from a fresh history, its two files agree, and it is committed without outputs."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
import pytest

import stanza_lab as sl
from stanza_lab.cli import demo

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("script", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_two_files_agree(script: Path) -> None:
    reviewed = jupytext.read(script)
    opened = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    assert [(c.cell_type, c.source) for c in opened.cells] == [(c.cell_type, c.source) for c in reviewed.cells]
    assert [c.metadata.get("tags") for c in opened.cells] == [c.metadata.get("tags") for c in reviewed.cells]


@pytest.mark.parametrize("script", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(script: Path) -> None:
    opened = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in opened.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1


def test_the_demonstration_runs_and_leaves_what_it_promises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo.run(tmp_path / "demo")
    made = tmp_path / "demo"
    assert {path.name for path in made.iterdir()} == {
        "history",
        "bundle",
        "bundle_summer",
        "exports",
        "report.html",
        "review.html",
        "corrections.yaml",
        "parameters.yaml",
        "profile.yaml",
        *(path.with_suffix(".ipynb").name for path in NOTEBOOKS),
    }
    for path in made.glob("*.ipynb"):
        outputs = [o for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code" for o in c.outputs]
        assert outputs
        assert [o for o in outputs if o.output_type == "error"] == []
        assert [o for o in outputs if o.get("name") == "stderr"] == []
    printed = capsys.readouterr().out
    assert f"{len(sl.History(made / 'history').alerts()):,}" in printed
    assert "report.html" in printed
