"""TTPM of gcastle on one event log: ``python ttpm.py IN.npz OUT.npz``, run by an interpreter that has gcastle.

Stands alone: nothing of this project is imported. IN holds `times` (seconds), `types` and `places` (whole numbers), `n`
(number of types), `max_iter` and `delta` (the decay per second). OUT holds `score` (n x n, 1 where the row causes the
column), `iterations` it was allowed, `seconds` and `peak_mb` (resident, the whole process).

gcastle imports torch for its neural methods; TTPM uses none of it, so an empty module stands in where torch is absent.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import time
import types
from pathlib import Path

import numpy as np
import pandas as pd


def main(source: str, target: str) -> None:
    given = np.load(source)
    learner_class = _ttpm()
    events = pd.DataFrame({"event": given["types"], "timestamp": given["times"], "node": given["places"]})
    places = int(given["places"].max()) + 1
    began = time.perf_counter()
    learner = learner_class(
        np.zeros((places, places)), delta=float(given["delta"]), max_hop=0, max_iter=int(given["max_iter"])
    )
    learner.learn(events)
    found = np.asarray(learner.causal_matrix, float)
    score = np.zeros((int(given["n"]),) * 2)
    seen = np.asarray(learner._event_names, int)  # the types that occur, sorted; there is no public name for it
    score[np.ix_(seen, seen)] = found
    np.fill_diagonal(score, 0)
    np.savez(target, score=score, seconds=time.perf_counter() - began, peak_mb=_peak_mb())


def _ttpm() -> type:
    """Import TTPM alone: the package around it would pull every method, and torch."""
    if importlib.util.find_spec("torch") is None:
        sys.modules["torch"] = types.ModuleType("torch")
    import castle  # type: ignore[import-not-found]

    algorithms = types.ModuleType("castle.algorithms")
    algorithms.__path__ = [f"{castle.__path__[0]}/algorithms"]
    sys.modules["castle.algorithms"] = algorithms
    from castle.algorithms.ttpm.ttpm import TTPM  # type: ignore[import-not-found]

    learner: type = TTPM
    return learner


def _peak_mb() -> float:
    """Return the most this process held; getrusage would count the process that started it too."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    main(*sys.argv[1:3])
