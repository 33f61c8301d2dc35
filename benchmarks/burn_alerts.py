"""What would burn-rate alerts have found, beside the alerts there were? On simulated productions.

``python -m benchmarks.burn_alerts`` prints a table per kind of rule; ``--seeds 900 912`` says which productions.

Rules stated beforehand. Rules and windows are the workbook's, nothing is fitted. Every front end promises 99.9 % over
30 days. Significant is an event that spends 2 % of an error budget or more; an event is what
`stanza_lab.reliability.objectives.events` says, from the requests alone. A threshold alert is judged at its own
service. Nobody looked at seeds 900 to 911 before the first printing. The recordings have no counts of requests and are
not used.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

import stanza_lab as sl

SEEDS = range(900, 912)
PROMISED = 99.9


def judged(seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows of one production's backtest, and how long it took."""
    rng = np.random.default_rng([8, seed])
    made = sl.simulate_production(
        services=int(rng.choice([20, 40, 80])),
        teams=5,
        days=91,
        incidents=int(rng.choice([60, 120])),
        noise=float(rng.choice([0.1, 0.3])),
        random_state=seed,
    )
    promised = sl.Objective(name="Requests succeed", service="*", objective=PROMISED)
    began = time.perf_counter()
    found = sl.backtest_alert_rules(made.indicators, objectives=promised, alerts=made.alerts)
    took = {"seconds": time.perf_counter() - began, "intervals": len(made.indicators)}
    return found.rules, took


def table(seeds: range) -> pd.DataFrame:
    """Return sums over the productions per rule: the workbook's, all of them, all thresholds."""
    rows = pd.concat([judged(seed)[0] for seed in seeds], ignore_index=True)
    kept = rows[(rows["kind"] == "burn rate") | rows["rule"].str.startswith("all ")]
    sums = kept.groupby("rule", sort=False)[["alerts", "significant_alerts", "events", "detected"]].sum()
    medians = kept.groupby("rule", sort=False)[["detection_s", "reset_s"]].median()
    return sums.assign(
        precision=sums["significant_alerts"] / sums["alerts"],
        recall=sums["detected"] / sums["events"],
        detection_min=medians["detection_s"] / 60,
        reset_min=medians["reset_s"] / 60,
    ).round(3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs=2, type=int, default=(SEEDS.start, SEEDS.stop))
    asked = parser.parse_args()
    print(table(range(*asked.seeds)).to_string())
    _, took = judged(asked.seeds[0])
    print(f"one production: {took['intervals']:,} intervals in {took['seconds']:.1f} s")


if __name__ == "__main__":
    main()
