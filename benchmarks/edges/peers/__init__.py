"""Published methods, run by an interpreter of their own: what they need must not become what we need."""

from __future__ import annotations

import importlib.resources
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.edges.baselines import binned, edges

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.edges.cases import Case

TIMEOUT_S = 3600
MINUTE_S = 60.0
TAU_MAX = 3  # minutes a cause may come before its effect
PC_ALPHA = 0.01
PCMCI_NODES = 30  # 20 nodes take 9 s, 57 take 130 s, and it grows on
PCMCI_BINS = 5000  # minutes with an alert near; the first so many
TTPM_NODES = 20  # 17 nodes and 300 alerts take 7 s, 26 and 309 take 230 s
TTPM_ALERTS = 1000  # 18 nodes and 35,000 alerts take ten minutes and more: see benchmarks/records
TTPM_DELTA = 0.1  # its default: trouble fades over 10 s
TTPM_ITERATIONS = 200  # more than it needs: it stops where no single change of an edge helps


@dataclass(frozen=True)
class Ran:
    """What a peer found, in how long, with how much memory (its whole process)."""

    edges: pd.DataFrame
    seconds: float
    peak_mb: float


class NotRunError(Exception):
    """The method would take too long here; the message says from where on."""


def pcmci(case: Case, *, python: Path, limited: bool = True) -> Ran:
    """Run PCMCI (tigramite, partial correlation) on alerts counted by the minute; `limited` keeps it to small sets."""
    events = case.events()
    _refuse_slow(case, limited=limited)
    if limited and len(events.names) > PCMCI_NODES:
        raise NotRunError(f"not run above {PCMCI_NODES} nodes")
    counts = binned(events, bin_s=MINUTE_S, gap=2 * TAU_MAX)[:PCMCI_BINS].toarray()
    busy = np.flatnonzero(counts.std(axis=0) > 0)  # a partial correlation with a constant is none
    ran = _run("pcmci.py", python, counts=counts[:, busy], tau_max=TAU_MAX, pc_alpha=PC_ALPHA)
    return _found(ran, [events.names[k] for k in busy])


def ttpm(case: Case, *, python: Path, limited: bool = True) -> Ran:
    """Run TTPM (gcastle), the published method for alarm histories, until it converges."""
    events = case.events()
    _refuse_slow(case, limited=limited)
    if limited and (len(events.names) > TTPM_NODES or len(events.times) > TTPM_ALERTS):
        raise NotRunError(f"not run above {TTPM_NODES} nodes or {TTPM_ALERTS:,} alerts")
    ran = _run(
        "ttpm.py",
        python,
        times=events.times,
        types=events.nodes,
        places=events.places,
        n=len(events.names),
        delta=TTPM_DELTA,
        max_iter=TTPM_ITERATIONS,
    )
    return _found(ran, events.names)


def _refuse_slow(case: Case, *, limited: bool) -> None:
    if limited and not case.slow_peers:
        raise NotRunError("not run on this set: pass --patient")


def _found(ran: dict[str, Any], names: list[str]) -> Ran:
    """Turn `cause -> effect` into `effect depends on cause`."""
    return Ran(edges(ran["score"].T, names), float(ran["seconds"]), float(ran["peak_mb"]))


def _run(script: str, python: Path, **given: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, importlib.resources.path(__name__, script) as path:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, **given)
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        done = subprocess.run(
            [python, "-W", "ignore", path, source, target],
            env={**os.environ, **one_thread},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{script} failed:\n{done.stderr[-2000:]}")
        with np.load(target) as found:
            return dict(found)
