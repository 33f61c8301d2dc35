"""Results of runs too long to repeat each time: written once with their circumstances, printed as recorded."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.edges import peers, sets
from benchmarks.edges.measuring import Row, score

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.edges.cases import Case

FOLDER = Path(__file__).parents[1] / "records"
SLOW = ("gcastle_18V", "petshop_low")
PACKAGES = ("gcastle", "numpy", "pandas", "networkx")


def rows() -> Iterator[Row]:
    """Yield what was recorded, as rows of the table."""
    for path in sorted(FOLDER.glob("edges_*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        yield {**kept["row"], "seed": None, "note": f"recorded {kept['date']}"}


def filled(found: Iterable[Row]) -> list[Row]:
    """Put what was recorded in the place of rows that were not run; what was run just now stays."""
    kept = {(row["set"], row["method"]): row for row in rows()}
    return [row if "auprc" in row else kept.get((row["set"], row["method"]), row) for row in found]


def record_ttpm(shared: Path, *, python: Path) -> None:
    """Run TTPM until it converges on the recordings it is slow on, and keep its scores and its edges."""
    for case in sets.recordings(shared):
        if case.name in SLOW:
            keep_ttpm(case, peers.ttpm(case, python=python, limited=False), python=python)


def keep_ttpm(case: Case, ran: peers.Ran, *, python: Path) -> None:
    """Write one result with its circumstances."""
    row = {"set": case.name, "method": "TTPM (gcastle)", **score(case, ran.edges, counted=True)}
    figures = {**row, "seconds": ran.seconds, "peak_mb": ran.peak_mb}
    kept = {
        "command": "python -m benchmarks.edges ../shared --record --peers PYTHON",
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "settings": {"delta": peers.TTPM_DELTA, "max_hop": 0, "max_iter": peers.TTPM_ITERATIONS, "penalty": "BIC"},
        "versions": _versions(python),
        "machine": {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)},  # a busy one: divide the seconds
        "row": {name: _plain(value) for name, value in figures.items()},
        "edges": ran.edges.loc[ran.edges["confidence"] > 0, ["src", "dst"]].to_numpy().tolist(),
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"edges_{case.name}_ttpm.json"
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _versions(python: Path) -> dict[str, str]:
    asked = f"import importlib.metadata as m; print(*(m.version(p) for p in {PACKAGES}))"
    told = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    ours = {"stanza_lab": importlib.metadata.version("stanza_lab"), "python": platform.python_version()}
    return {**ours, **dict(zip(PACKAGES, told, strict=True))}


def _plain(value: object) -> object:
    """Return a number JSON has: none for what is not one."""
    if isinstance(value, str):
        return value
    number = round(float(value), 4)  # type: ignore[arg-type]
    return None if number != number else number
