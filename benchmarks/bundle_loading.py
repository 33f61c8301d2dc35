"""How long a bundle takes to load, beside reading its Parquet files with pandas alone in the same run.

``python -m benchmarks.bundle_loading`` prints the table. A load hashes every file, checks it against the manifest and
builds the models and the map; the first in a process also compiles and imports what the models need.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

import pandas as pd

import stanza_lab as sl

SIZES = (50, 500)
SEED = 907
REPEATED = 9
_FIRST = """
import sys, time
from stanza_lab import load_bundle
began = time.perf_counter()
load_bundle(sys.argv[1])
print(time.perf_counter() - began)
"""


def saved(services: int, folder: Path) -> Path:
    """Save a bundle with all that one can hold, of a production of so many services."""
    made = sl.simulate_production(
        services=services, teams=max(services // 10, 2), days=30, incidents=services, random_state=SEED
    )
    clusterer = sl.IncidentClusterer(edges=made.call_graph).fit(made.alerts)
    alerts = made.alerts.assign(incident_id=clusterer.labels_)
    model = sl.DependencyModel().fit(alerts)
    owners = alerts.dropna(subset=["service", "team"]).drop_duplicates("service")[["service", "team"]].astype("str")
    return sl.save_bundle(
        folder / str(services),
        clusterer=clusterer,
        dependencies=model,
        production=sl.ProductionMap(model.edges_, alerts, ownership=owners),
        alerts=alerts,
        patterns=sl.mine_patterns(alerts),
    )


def table(sizes: Iterable[int] = SIZES) -> pd.DataFrame:
    """Return milliseconds per way of reading a bundle, best and median of several, and what was read."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for services in sizes:
            path = saved(services, Path(folder))
            files = sorted(path.glob("*.parquet"))
            ways: dict[str, Callable[[], float]] = {
                "load_bundle, first in a process": lambda path=path: _first(path),  # type: ignore[misc]
                "load_bundle, again": lambda path=path: _took(lambda: sl.load_bundle(path)),  # type: ignore[misc]
                "pandas, its Parquet files": lambda files=files: _took(  # type: ignore[misc]
                    lambda: [pd.read_parquet(file) for file in files]
                ),
            }
            loaded = sl.load_bundle(path)
            size = sum(file.stat().st_size for file in path.iterdir()) / 1e6
            for how, once in ways.items():
                took = [once() * 1e3 for _ in range(REPEATED)]
                about = {"services": len(loaded.services), "edges": len(loaded.edges), "MB": size}
                rows.append({"how": how, **about, "best ms": min(took), "median ms": median(took)})
    return pd.DataFrame(rows)


def _took(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _first(path: Path) -> float:
    told = subprocess.run([sys.executable, "-c", _FIRST, str(path)], check=True, capture_output=True, text=True)
    return float(told.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="numbers of services")
    print(table(parser.parse_args().sizes).to_string(index=False, float_format=lambda value: f"{value:.1f}"))


if __name__ == "__main__":
    main()
