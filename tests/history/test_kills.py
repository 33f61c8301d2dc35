"""Kill an ingest at any moment, run it again: the same history as one clean run.

`test_crash.py` kills at the steps that matter; here the moments are drawn over the time that a whole run takes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from stanza_lab import History

KILLS = 50

# One process imports, then forks: first runs that say how long a whole ingest takes, then for every history one that is
# killed, one that goes on from there and is killed, and one that is not.
DRIVER = """
import json, os, random, signal, sys, time
from stanza_lab.history import History
from stanza_lab.loaders import _batches

exports, target, kills, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
_batches.BATCH_RECORDS = 10

def begin(path):
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(told, b"x")
        report = History(path).ingest(exports)
        assert report.records == report.events + report.duplicates + sum(report.ignored.values()) + len(report.rejected)
        os._exit(0)
    os.read(ready, 1)
    os.close(ready)
    os.close(told)
    return child

def finish(child):
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        assert os.waitstatus_to_exitcode(status) == 0
        return 0
    return os.WTERMSIG(status)

whole = []
for run in range(3):
    start = time.monotonic()
    finish(begin(f"{target}/whole-{run}"))
    whole.append(time.monotonic() - start)
drawn = random.Random(seed)
moments = [(number + drawn.random()) / kills * min(whole) for number in range(kills)]
drawn.shuffle(moments)
signals, last = [], None
for number in range(kills // 2):
    path = f"{target}/{number}"
    for moment in moments[2 * number : 2 * number + 2]:
        child = begin(path)
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        signals.append(finish(child))
    if last is not None:
        finish(last)
    last = begin(path)  # goes on beside the next history
finish(last)
print(json.dumps(signals))
"""


def test_killed_at_any_moment_and_run_again_is_one_clean_run(
    tmp_path: Path, export: Callable[..., Path], sns: Callable, item: Callable
) -> None:
    for number in range(6):
        make = item if number % 2 else sns  # two shapes of the same facts
        changes = [(f"alarm-{n % 3}", "ALARM" if n % 2 else "OK", 12 * (number // 2) + n) for n in range(25)]
        export(f"in/{number}.ndjson", *(make(*change) for change in changes), "{broken")
    exports = tmp_path / "in"
    (tmp_path / "out").mkdir()
    arguments = [str(exports), str(tmp_path / "out"), str(KILLS), "7"]
    run = subprocess.run([sys.executable, "-c", DRIVER, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    signals = json.loads(run.stdout)
    assert len(signals) == KILLS
    assert signals.count(9) > KILLS // 2  # of the others the run was over: a busy machine took longer for the first

    clean = History(tmp_path / "clean")
    clean.ingest(exports)
    assert len(clean.files()) == 6
    assert len(clean.alerts()) > 3
    for number in range(KILLS // 2):
        again = History(tmp_path / "out" / str(number))
        assert held(again) == held(clean), number
        if number % 5 == 0:  # what files that are equal hold is equal
            for told in ("alerts", "events", "files", "rejected"):
                pd.testing.assert_frame_equal(getattr(again, told)(), getattr(clean, told)())


def held(history: History) -> dict[str, bytes]:
    """Return every file of a history but the folded alerts, which may wait until they are asked for."""
    files = (path for path in history.path.rglob("*") if path.is_file() and path.parent.name != "cache")
    return {str(path.relative_to(history.path)): path.read_bytes() for path in files}
