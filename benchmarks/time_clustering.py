"""HDBSCAN over time alone: `TimeClusterer` at 10,000 to 1,000,000 alerts, beside hdbscan and scikit-learn in one run.

Times are incidents of about fifteen alerts within minutes, among alerts that belong to none. All run plain HDBSCAN with
the same parameters. Each fit runs in a program of its own that has fitted a few alerts before, so imports and compiling
do not count; seconds are the best of three. Memory is the most that the fit added to what the program held before.

``python -m benchmarks.time_clustering``; ``--agreement`` instead prints how far labels agree with hdbscan's, and
hdbscan's with its own after shuffling the rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import psutil

MIN_ALERTS = 5
NEIGHBOURS = 5
OURS, TABLE, PEER, SCIKIT = "TimeClusterer, array", "TimeClusterer, table", "hdbscan.HDBSCAN", "sklearn HDBSCAN"
RUNS = ((OURS, 10_000), (OURS, 100_000), (OURS, 1_000_000), (TABLE, 1_000_000), (PEER, 100_000), (SCIKIT, 10_000))


def table() -> pd.DataFrame:
    """Return seconds, alerts/s, speed per alert beside hdbscan at 100,000, and peak memory."""
    rows = [(call, n, *_measured(call, n)) for call, n in RUNS]
    found = pd.DataFrame(rows, columns=["call", "alerts", "seconds", "added MB"])
    found["alerts/s"] = (found["alerts"] / found["seconds"]).round()
    peer = found.loc[found["call"] == PEER, "alerts/s"].iloc[0]
    return found.assign(**{"times hdbscan": found["alerts/s"] / peer})


def agreement(alerts: int = 2_000, draws: int = 8) -> pd.DataFrame:
    """Return the mean adjusted Rand index of labels, by how coarse the stamps are (noise counts as one class)."""
    from sklearn.metrics import adjusted_rand_score

    rows = []
    for stamp_s in (0.0, 0.001, 1.0, 60.0):
        ours, itself = [], []
        for seed in range(draws):
            times = _times(alerts, seed)
            if stamp_s:
                times = np.floor(times / stamp_s) * stamp_s
            order = np.random.default_rng(seed).permutation(alerts)
            peer, shuffled = _fit(PEER, times).labels_, _fit(PEER, times[order]).labels_
            ours.append(adjusted_rand_score(peer, _fit(OURS, times).labels_))
            itself.append(adjusted_rand_score(peer[order], shuffled))
        rows.append((stamp_s, np.mean(ours), np.mean(itself)))
    return pd.DataFrame(rows, columns=["stamps of s", "TimeClusterer ~ hdbscan", "hdbscan ~ hdbscan shuffled"])


def _times(n: int, seed: int = 0) -> np.ndarray:
    """Return seconds: an hour apart on average, fifteen alerts within minutes of each start, a quarter at random."""
    rng = np.random.default_rng(seed)
    incidents = n // 20
    start = rng.random(incidents) * incidents * 3600
    alone = rng.random(n - 15 * incidents) * incidents * 3600
    return np.concatenate([np.repeat(start, 15) + rng.exponential(180, 15 * incidents), alone])


def _fit(call: str, times: np.ndarray) -> Any:
    numbers = times[:, None]
    if call == PEER:
        from hdbscan import HDBSCAN

        return HDBSCAN(min_cluster_size=MIN_ALERTS, min_samples=NEIGHBOURS, core_dist_n_jobs=1).fit(numbers)
    if call == SCIKIT:
        from sklearn import cluster

        return cluster.HDBSCAN(min_cluster_size=MIN_ALERTS, min_samples=NEIGHBOURS + 1, copy=True).fit(numbers)
    from stanza_lab import TimeClusterer

    alerts: Any = numbers
    if call == TABLE:
        alerts = pd.DataFrame({"starts_at": pd.to_datetime((times * 1e6).astype("int64"), unit="us", utc=True)})
    model = TimeClusterer(min_alerts=MIN_ALERTS, min_neighbours=NEIGHBOURS, max_gap=None, resolution="0s")
    return model.fit(alerts)


def _measured(call: str, n: int) -> tuple[float, float]:
    program = [sys.executable, "-m", "benchmarks.time_clustering", "--call", call, str(n)]
    found = subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()
    return float(found[-2]), float(found[-1])


def _timed(call: str, n: int) -> None:
    times = _times(n)
    _fit(call, times[:1_000])
    added = _added(lambda: _fit(call, times))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        _fit(call, times)
        seconds.append(time.perf_counter() - start)
    print(min(seconds), added)


def _added(work: Callable[[], Any]) -> float:
    """Return the MB that `work` held at most beyond what was held before."""
    process, done = psutil.Process(), threading.Event()
    before = highest = process.memory_info().rss

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.002):
            highest = max(highest, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return float(highest - before) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agreement", action="store_true", help="labels beside hdbscan's, by coarseness of the stamps")
    parser.add_argument("--call", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.call:
        _timed(given.call[0], int(given.call[1]))
        return
    found = agreement() if given.agreement else table()
    whole = {name: "{:,.0f}".format for name in ("alerts", "alerts/s", "added MB") if name in found}
    print(found.to_string(index=False, formatters=whole, float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
