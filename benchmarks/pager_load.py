"""Speed and memory of the pager load: 10,000 to 1,000,000 alerts, a tenth as many pages, and who took them.

``python -m benchmarks.pager_load`` prints one row per size. Each runs in a process of its own, for its peak.
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
from benchmarks.correlation_speed import alerts_of

SIZES = (10_000, 100_000, 1_000_000)
PAGED, TAKEN, PEOPLE = 0.1, 0.6, 300  # pages per alert, share of them somebody takes, people
ALERTS_PER_INCIDENT = 6


def history_of(n: int, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return `n` alerts in incidents, the pages that copy some of them, and what people did about these."""
    rng = np.random.default_rng(seed)
    alerts, _calls = alerts_of(n, seed=seed)
    alerts = alerts.sort_values("starts_at", ignore_index=True)
    alerts["incident_id"] = np.arange(n) // ALERTS_PER_INCIDENT
    copied = alerts.take(np.sort(rng.choice(n, int(n * PAGED), replace=False))).reset_index(drop=True)
    ids = [f"Q{number:07d}" for number in range(len(copied))]
    at = copied["starts_at"] + pd.to_timedelta(rng.integers(2, 30, len(copied)), unit="s")
    acked = at + pd.to_timedelta(rng.integers(60, 900, len(copied)), unit="s")
    pages = copied.assign(
        alert_id=ids,
        origin=copied["source"],
        source=pd.Series(["pagerduty"] * len(copied), dtype="category"),
        event_ids=pd.Series([[one] for one in ids], dtype=object),
        starts_at=at,
        acked_at=acked.where(rng.random(len(copied)) < TAKEN),
        labels=[f'{{"escalation_policy":"{team}","key":"{key}"}}' for team, key in zip(
            copied["team"], copied["rule_key"], strict=True
        )],
        incident_id=-1,
    )  # fmt: skip
    person = pd.Series([f"person {number:06x}" for number in range(PEOPLE)]).take(rng.integers(0, PEOPLE, len(ids)))
    given = pd.DataFrame({"at": at, "kind": "assigned", "person": person.to_numpy(), "page": ids})
    took = given.assign(at=pages["acked_at"], kind="acknowledged").dropna(subset=["at"])
    return alerts, pages, pd.concat([given, took], ignore_index=True).assign(team=None)


def measure(n: int) -> dict[str, float]:
    """Return seconds and peak memory of one pager load."""
    alerts, pages, engagements = history_of(n)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pager_load = sl.pager_load  # imports on first use: not what is measured
    began, worked = time.perf_counter(), time.process_time()
    load = pager_load(alerts, pages=pages, engagements=engagements)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "alerts": n, "pages": len(pages), "seconds": seconds, "cpu s": cpu, "alerts/s": n / seconds,
        "before MB": before, "peak MB": peak, "interruptions": len(load.interruptions), "rules": len(load.rules),
    }  # fmt: skip


def table(sizes: Iterable[int] = SIZES) -> pd.DataFrame:
    """Return one row per size."""
    rows = []
    context = multiprocessing.get_context("spawn")
    for n in sizes:
        with context.Pool(1) as pool:  # a process of its own: its peak is its own
            rows.append(pool.apply(measure, (n,)))
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest number of alerts")
    arguments = parser.parse_args()
    sizes = [n for n in SIZES if n <= arguments.most]
    print(table(sizes).to_string(index=False, float_format=lambda value: f"{value:,.2f}"), flush=True)


if __name__ == "__main__":
    main()
