"""How long a bundle takes to load, beside pandas reading the same Parquet files.

    python -m benchmarks.bundle_loading

A simulated production of some 500 services, saved with all that a bundle holds. After the import of the package it is
loaded ten times; told are the best and the median. Loading checks the hash of every file and restores the models.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

import stanza_lab as sl

SERVICES = 580  # of which some never alert: 500 are on the map
TIMES = 10
_SEED = 4200


def table(services: int = SERVICES) -> pd.DataFrame:
    """Return a row for each of the two: best and median of ten."""
    made = sl.simulate_production(services=services, teams=40, days=90, incidents=400, random_state=_SEED)
    clusterer = sl.IncidentClusterer().fit(made.alerts)
    alerts = made.alerts.assign(incident_id=clusterer.labels_)
    model = sl.DependencyModel().fit(alerts)
    with tempfile.TemporaryDirectory() as folder:
        path = sl.save_bundle(
            Path(folder) / "bundle",
            clusterer=clusterer,
            dependencies=model,
            production=sl.ProductionMap(model.edges_, alerts),
            alerts=alerts,
            patterns=sl.mine_patterns(alerts),
        )
        known = len(sl.load_bundle(path).services)
        megabytes = sum(file.stat().st_size for file in path.iterdir()) / 1e6
        tables = sorted(path.glob("*.parquet"))
        rows = [
            ("load_bundle", known, megabytes, *_took(lambda: sl.load_bundle(path))),
            ("pandas.read_parquet", known, megabytes, *_took(lambda: [pd.read_parquet(one) for one in tables])),
        ]
    return pd.DataFrame(rows, columns=["what", "services", "MB", "best ms", "median ms"])


def _took(load: Callable[[], object]) -> tuple[float, float]:
    took = []
    for _ in range(TIMES):
        start = time.perf_counter()
        load()
        took.append(1e3 * (time.perf_counter() - start))
    return min(took), statistics.median(took)


if __name__ == "__main__":
    print(table().round(1).to_string(index=False))
