"""Speed and memory of the whole clusterer: growth from 10,000 to 1,000,000 alerts, and one new alert at a time.

``python -m benchmarks.correlation_speed`` prints both tables. Each size runs in a process of its own, for its peak.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterable

import numpy as np
import pandas as pd

import stanza_lab as sl

SIZES = (10_000, 100_000, 1_000_000)
SERVICES, TEAMS, KINDS = 1_000, 60, 8
PER_HOUR = 120.0  # alerts of the whole production: a million of them fill a year
BURST = 12  # alerts of an incident, on services that call each other
ASKED = 2_000  # alerts that are predicted one by one


def alerts_of(n: int, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `n` alerts, half of them in bursts on neighbouring services, and the calls between services."""
    rng = np.random.default_rng(seed)
    calls = pd.DataFrame(
        {
            "caller": np.repeat(np.arange(SERVICES), 5),
            "callee": (np.repeat(np.arange(SERVICES), 5) + rng.integers(1, 40, 5 * SERVICES)) % SERVICES,
        }
    )
    bursts = n // 2 // BURST
    root = np.repeat(rng.integers(0, SERVICES, bursts), BURST)
    span_s = n / PER_HOUR * 3600
    at = np.repeat(rng.random(bursts) * span_s, BURST) + rng.exponential(200.0, bursts * BURST)
    service = (root + rng.integers(0, 40, len(root)) * (rng.random(len(root)) < 0.8)) % SERVICES
    rest = n - len(at)
    at = np.concatenate([at, rng.random(rest) * span_s])
    service = np.concatenate([service, (SERVICES * rng.random(rest) ** 3).astype(int)])
    kind = rng.integers(0, KINDS, n)

    def named(codes: np.ndarray, names: list[str]) -> pd.Series:
        return pd.Series(names, dtype="category").take(codes).reset_index(drop=True)

    start = pd.to_datetime((at * 1e6).astype("int64") + 1_767_225_600_000_000, unit="us", utc=True)
    alerts = pd.DataFrame(
        {
            "alert_id": [f"a{i:07d}" for i in range(n)],
            "source": named(kind % 3, ["datadog", "cloudwatch", "sentry"]),
            "starts_at": start,
            "ends_at": start + pd.to_timedelta(rng.exponential(600.0, n), unit="s").round("us"),
            "service": named(service, [f"service-{i}" for i in range(SERVICES)]),
            "team": named(service * TEAMS // SERVICES, [f"team-{i}" for i in range(TEAMS)]),
            "alertname": named(kind, [f"kind {i}" for i in range(KINDS)]),
            "rule_key": [f"{k}|{s}" for k, s in zip(kind, service, strict=True)],
        }
    )
    return alerts, calls.map("service-{}".format)


def measure(n: int, *, traced: bool) -> dict[str, float]:
    """Return seconds and peak memory of one fit; `traced` gives it the dependency graph as well."""
    alerts, calls = alerts_of(n)
    began = time.perf_counter()
    model = sl.IncidentClusterer(edges=calls if traced else None).fit(alerts)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = int(model.labels_.max()) + 1
    return {"alerts": n, "graph": traced, "seconds": seconds, "alerts/s": n / seconds, "peak MB": peak, "found": found}


def table(sizes: Iterable[int] = SIZES) -> pd.DataFrame:
    """Return one row per size, without and with the dependency graph."""
    rows = []
    context = multiprocessing.get_context("spawn")
    for n in sizes:
        for traced in (False, True):
            with context.Pool(1) as pool:  # a process of its own: its peak is its own
                rows.append(pool.apply(measure, (n,), {"traced": traced}))
    return pd.DataFrame(rows)


def one_by_one(n: int = 100_000, asked: int = ASKED) -> pd.DataFrame:
    """Return how long `predict` takes for one new alert against a model of `n`, in milliseconds."""
    alerts, calls = alerts_of(n + asked)
    alerts = alerts.sort_values("starts_at", ignore_index=True)
    model = sl.IncidentClusterer(edges=calls).fit(alerts.iloc[:n])
    took = []
    for i in range(n, n + asked):
        one = alerts.iloc[i : i + 1]
        began = time.perf_counter()
        model.predict(one)
        took.append(1e3 * (time.perf_counter() - began))
    quantiles = np.quantile(took, [0.5, 0.9, 0.99])
    named = dict(zip(("p50 ms", "p90 ms", "p99 ms"), quantiles, strict=True))
    return pd.DataFrame([{"fitted": n, "asked": asked, **named}])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest number of alerts")
    arguments = parser.parse_args()
    for found in (one_by_one(), table([n for n in SIZES if n <= arguments.most])):
        print(found.to_string(index=False, float_format=lambda value: f"{value:,.2f}"), flush=True)


if __name__ == "__main__":
    main()
