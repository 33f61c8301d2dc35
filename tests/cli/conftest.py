"""Run the program as a person types it."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

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
