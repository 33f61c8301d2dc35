"""Speed and memory of mining a million alerts, beside PrefixSpan of a library on the same sequences.

``python -m benchmarks.patterns_speed`` prints one row per size and method; each runs in a process of its own, for its
peak, which for both includes the table of alerts. PrefixSpan (``pip install prefixspan``) mines all sequences that as
many incidents have as the smallest pattern of ours, of at least two kinds; it is stopped after `--most-seconds`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

import stanza_lab as sl

SIZES = (10_000, 100_000, 1_000_000)
SERVICES, SYMPTOMS = 1_200, ("latency", "errors", "saturation", "availability", "restarts")
PER_INCIDENT, PER_HOUR = 12, 120.0
SEQUENCES, STEPS, SHARE = 300, (3, 8), 0.3  # recurring sequences, their length, share of the incidents that are one
THERE, OTHERS, ALONE = 0.85, 2, 0.25  # share of its steps that fire first, other alerts in it; of alerts, on their own


def alerts_of(n: int, *, seed: int = 0) -> pd.DataFrame:
    """Return `n` alerts with `incident_id`: recurring sequences, incidents that do not recur, alerts on their own."""
    rng = np.random.default_rng(seed)
    kinds = SERVICES * len(SYMPTOMS)
    alone = int(ALONE * n)
    many = (n - alone) // PER_INCIDENT
    incident = np.repeat(np.arange(many), PER_INCIDENT)
    begin = np.sort(rng.random(many)) * n / PER_HOUR * 3600
    kind = (rng.integers(0, kinds, many).repeat(PER_INCIDENT) + rng.integers(0, 150, len(incident))) % kinds
    after = rng.exponential(150.0, len(incident))
    sequences = [rng.choice(kinds, int(rng.integers(*STEPS)), replace=False) for _ in range(SEQUENCES)]
    for number in np.flatnonzero(rng.random(many) < SHARE):
        steps = sequences[int(SEQUENCES * rng.random() ** 2)]
        there = np.flatnonzero(rng.random(len(steps)) < THERE)
        if not len(there):
            continue
        rows = number * PER_INCIDENT + np.arange(PER_INCIDENT - OTHERS)  # what is over are re-fires of its steps
        step = np.concatenate([there, rng.choice(there, len(rows) - len(there))])
        kind[rows], after[rows] = steps[step], 60.0 * step + rng.exponential(15.0, len(rows))
    rest = n - len(incident)
    kind = np.concatenate([kind, (kinds * rng.random(rest) ** 3).astype(np.int64)])
    at = np.concatenate([begin[incident] + after, rng.random(rest) * n / PER_HOUR * 3600])
    services = pd.Series([f"service-{i}" for i in range(SERVICES)], dtype="category").take(kind // len(SYMPTOMS))
    names = pd.Series([f"{symptom} is high" for symptom in SYMPTOMS], dtype="category").take(kind % len(SYMPTOMS))
    starts = pd.to_datetime((at * 1e6).astype("int64") + 1_767_225_600_000_000, unit="us", utc=True)
    return pd.DataFrame(
        {
            "alert_id": [f"a{i:07d}" for i in range(n)],
            "source": pd.Categorical(["datadog"] * n),
            "starts_at": starts,
            "ends_at": starts + pd.Timedelta("10min"),
            "service": services.array,
            "alertname": names.array,
            "incident_id": np.concatenate([incident, np.full(rest, sl.schema.NOISE)]),
        }
    )


def ours(n: int) -> dict[str, float]:
    """Return seconds, peak memory and finds of `mine_patterns`."""
    alerts = alerts_of(n)
    began = time.perf_counter()
    found = sl.mine_patterns(alerts)
    least = found.table["support"].min() if len(found.table) else 3
    return _row(n, "mine_patterns", began, len(found.table)) | {"least": least}


def prefixspan(n: int, *, least: int) -> dict[str, float]:
    """Return the same of PrefixSpan, on the kinds of each incident in the order they first fired."""
    try:
        from prefixspan import PrefixSpan  # type: ignore[import-not-found]  # not locked: only compared with
    except ModuleNotFoundError:
        return {"alerts": n, "method": "PrefixSpan: pip install prefixspan to compare"}  # type: ignore[dict-item]
    alerts = alerts_of(n)
    inside = alerts[alerts["incident_id"] != sl.schema.NOISE].sort_values(["incident_id", "starts_at"])
    code = pd.factorize(inside["service"].astype("str") + inside["alertname"].astype("str"))[0]
    first = inside.assign(code=code).drop_duplicates(["incident_id", "code"])
    sequences = [list(one) for one in np.split(first["code"].to_numpy(), _starts(first["incident_id"]))]
    began = time.perf_counter()
    miner = PrefixSpan([[int(code) for code in one] for one in sequences])
    miner.minlen = 2
    return _row(n, "PrefixSpan", began, len(miner.frequent(least))) | {"least": least}


def _starts(incident: pd.Series) -> np.ndarray:
    return np.flatnonzero(np.diff(incident.to_numpy())) + 1


def _row(n: int, method: str, began: float, found: int) -> dict[str, float]:
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"alerts": n, "method": method, "seconds": seconds, "peak MB": peak, "found": found}  # type: ignore[dict-item]


def alone(method: Callable[..., dict[str, float]], n: int, *, seconds: float, **how: int) -> dict[str, float]:
    """Return what a method says in a process of its own; without a result when it takes longer than `seconds`."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        try:
            return pool.apply_async(method, (n,), how).get(seconds)
        except multiprocessing.TimeoutError:
            return {"alerts": n, "method": f"{method.__name__}, stopped", "seconds": seconds}  # type: ignore[dict-item]


def table(sizes: Iterable[int], *, seconds: float) -> pd.DataFrame:
    """Return one row per size and method."""
    rows = []
    for n in sizes:
        rows.append(alone(ours, n, seconds=10 * seconds))
        rows.append(alone(prefixspan, n, seconds=seconds, least=int(rows[-1].get("least", 3))))
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest number of alerts")
    parser.add_argument("--most-seconds", type=float, default=300.0, help="after which PrefixSpan is stopped")
    arguments = parser.parse_args()
    found = table([n for n in SIZES if n <= arguments.most], seconds=arguments.most_seconds)
    print(found.to_string(index=False, float_format=lambda value: f"{value:,.1f}"))


if __name__ == "__main__":
    main()
