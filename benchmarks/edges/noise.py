"""How often a pair is believed where nothing depends on anything: ``python -m benchmarks.edges.noise``.

Fifty services fire at random, each at its own rate, more by day than by night. Asked: fewer than one pair in a thousand
reaches confidence 0.5. Two harder histories beside it: hours in which one service fires much more than usual, each
service its own; and hours in which all of production does (a release night), still without one causing another.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

import stanza_lab as sl

SERVICES = 50
DAYS = 60
SEEDS = range(7000, 7100)
PER_DAY = (0.2, 10.0)  # lowest and highest rate of a service
BELIEVED = 0.5
ASKED = 1e-3
BURST = 20.0  # times the usual rate
BURST_HOURS = 0.01  # share of all hours
HISTORIES = ("a shared day", "bursts of one service", "bursts of all services")


def table(seeds: range = SEEDS) -> pd.DataFrame:
    """Return one row per history: the share of pairs that are believed, linked and directed, over all seeds."""
    rows = []
    for history in HISTORIES:
        for seed in seeds:
            sys.stderr.write(f"{history}, seed {seed}\n")
            alerts = independent(seed=seed, history=history)
            edges = sl.DependencyModel().fit(alerts).edges_
            rows.append(
                {
                    "history": history,
                    "alerts": len(alerts),
                    "linked": (edges["link_confidence"] >= BELIEVED).sum() / 2,  # each pair is listed both ways
                    "directed": (edges["confidence"] >= BELIEVED).sum(),
                    "surest": edges["link_confidence"].max() if len(edges) else 0.0,
                }
            )
    grouped = pd.DataFrame(rows).groupby("history", sort=False)
    pairs = SERVICES * (SERVICES - 1) // 2
    found = pd.DataFrame(
        {
            "alerts": grouped["alerts"].mean(),
            "seeds": grouped.size(),
            "linked": grouped["linked"].sum(),
            "linked_share": grouped["linked"].mean() / pairs,
            "directed_share": grouped["directed"].mean() / (2 * pairs),
            "surest": grouped["surest"].max(),
        }
    )
    return found.assign(asked=ASKED).reset_index()


def independent(*, seed: int, history: str, services: int = SERVICES, days: int = DAYS) -> pd.DataFrame:
    """Return alerts of services that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    hours = 24 * days
    per_hour = np.exp(rng.uniform(np.log(PER_DAY[0]), np.log(PER_DAY[1]), services)) / 24
    by_day = 1 + 0.8 * np.sin(2 * np.pi * (np.arange(hours) / 24 - 0.25))
    rate = np.outer(by_day, per_hour)
    if history == "bursts of one service":
        rate = rate * np.where(rng.random((hours, services)) < BURST_HOURS, BURST, 1.0)
    elif history == "bursts of all services":
        rate = rate * np.where(rng.random((hours, 1)) < BURST_HOURS, BURST, 1.0)
    hour, service = np.nonzero(fired := rng.poisson(rate))
    often = fired[hour, service]
    seconds = np.repeat(hour * 3600.0, often) + rng.uniform(0, 3600, often.sum())
    names = np.array([f"s{k:02d}" for k in range(services)])[np.repeat(service, often)]
    start = pd.Timestamp("2026-01-01", tz="UTC")
    stamps = (start + pd.to_timedelta(np.round(seconds), unit="s")).as_unit("us")
    return pd.DataFrame({"starts_at": stamps, "service": names}).sort_values("starts_at", ignore_index=True)


def main() -> None:
    print(table().to_string(index=False, float_format=lambda value: f"{value:.5f}"))


if __name__ == "__main__":
    main()
