"""Run the program as a person types it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import stanza_lab as sl
from stanza_lab.cli import main


class Run(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def run_(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["stanza-lab", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
        return Run(code, *capfd.readouterr())

    return run_


@pytest.fixture(scope="session")
def shop_on_call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two weeks of a small production that pages people: history, ownership.csv, indicators."""
    folder = tmp_path_factory.mktemp("on_call")
    made = sl.simulate_production(services=8, teams=2, days=14, incidents=8, random_state=3)
    made.export(folder, overwrite=True)
    sl.History(folder / "history").ingest(folder / "exports")
    return folder
