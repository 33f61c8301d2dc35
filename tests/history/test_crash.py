"""Kill an ingest at any step, run it again: the same history as one clean run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stanza_lab import History

# One process imports, then forks a child per step; the child kills itself there. Steps of an ingest: batches learned,
# then before and after the rename of each file (a file is synced before, its directory after); the first file is the
# note that an ingest began.
DRIVER = """
import os, signal, sys
from stanza_lab.history import History, parts
from stanza_lab.loaders import _batches

first, second, target, *steps = sys.argv[1:]
_batches.BATCH_RECORDS = 10

def kill_at(owner, name, number):
    real, calls = getattr(owner, name), []
    def counted(*args):
        calls.append(1)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args)
    setattr(owner, name, counted)

for step in steps:
    child = os.fork()
    if child == 0:
        what, number = step.split("-")
        history = History(f"{target}/{step}")
        if first != "none":
            history.ingest(first)
        kill_at(*((parts.KnownEvents, "add") if what == "batch" else (os, "fsync")), int(number))
        history.ingest(second)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print(step, os.WTERMSIG(status) if os.WIFSIGNALED(status) else "done")
"""
BEGUN, EVENTS, REJECTED, MANIFEST, CACHE = ((f"fsync-{n}", f"fsync-{n + 1}") for n in (1, 3, 5, 7, 9))


@pytest.mark.parametrize(
    ("known", "steps"),
    [
        (False, [BEGUN[1], "batch-1", EVENTS[1], MANIFEST[0]]),
        (True, ["batch-1", BEGUN[0], *EVENTS, REJECTED[1], *MANIFEST, CACHE[0]]),
    ],
)
def test_killed_and_run_again_is_one_clean_run(
    tmp_path: Path, export: Callable[..., Path], sns: Callable, item: Callable, known: bool, steps: list[str]
) -> None:
    first = export("in/first.ndjson", *(item("cpu", "ALARM" if n % 2 else "OK", n) for n in range(40)), "{broken")
    second = export("in/second.ndjson", *(sns("cpu", "ALARM" if n % 2 else "OK", n) for n in range(30, 90)), "{torn")
    (tmp_path / "cut").mkdir()
    arguments = [str(first) if known else "none", str(second), str(tmp_path / "cut"), *steps]
    run = subprocess.run([sys.executable, "-c", DRIVER, *arguments], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [word for step in steps for word in (step, "9")]

    clean = History(tmp_path / "clean")
    for path in [first, second] if known else [second]:
        clean.ingest(path)
    for step in steps:
        again = History(tmp_path / "cut" / step)
        report = again.ingest(second)
        assert report.records == 61
        assert files(again) == files(clean), step


def files(history: History) -> dict[str, bytes]:
    """Return what counts: former parts and folded alerts may wait for the next ingest to be removed."""
    tables = {"alerts": history.alerts(), "rejected": history.rejected()}
    events = {path.name: path.read_bytes() for path in (history.path / "events").iterdir()}
    manifest = {"manifest": (history.path / "manifest.json").read_bytes()}
    return events | manifest | {name: table.to_csv().encode() for name, table in tables.items()}
