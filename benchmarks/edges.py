"""Accuracy of inferred edges on recordings and on simulated productions, beside the trivial baseline.

``python -m benchmarks.edges ../shared`` prints it. The baseline counts how often two services raised an alert within
ten minutes of each other; it says nothing about direction and is no probability, so it has no directed row and no
calibration.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import stanza_lab as sl

RECORDED = ("petshop_low", "nezha_tt_0129")
SIMULATED = ((40, 60), (40, 400), (150, 1500))  # services, incidents
SEEDS = range(7000, 7003)
WINDOW_S = 600
COLUMNS = [
    "set",
    "method",
    "rows",
    "auprc",
    "chance",
    "f1_at_budget",
    "precision",
    "recall",
    "brier",
    "ece",
    "true_edges",
]


def table(shared: Path) -> pd.DataFrame:
    """Return one row per set, method and way of counting (directed, undirected); simulated sets: mean over seeds."""
    rows = []
    for name, alerts, call_graph in _sets(shared):
        edges = sl.DependencyModel().fit(alerts).edges_
        services = sorted(alerts["service"].dropna().astype(str).unique())
        for method, found in (("stanza_lab", edges), ("co-occurrence", co_occurrence(alerts))):
            scores = sl.score_edges(found, call_graph=call_graph, services=services)
            rows.append(scores.rename_axis("rows").reset_index().assign(set=name, method=method))
    scores = pd.concat(rows, ignore_index=True)
    counted = scores["method"] == "co-occurrence"
    scores = scores[~counted | (scores["rows"] == "undirected")]
    scores.loc[counted, ["brier", "ece"]] = np.nan
    return scores.groupby(["set", "method", "rows"], sort=False).mean().reset_index()[COLUMNS]


def co_occurrence(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return how often each two services raised an alert within the window, as a share of the most frequent pair."""
    known = alerts.dropna(subset=["service", "starts_at"]).sort_values("starts_at")
    times = known["starts_at"].astype("int64").to_numpy() / 1e6
    codes, names = pd.factorize(known["service"].astype(str), sort=True)
    stop = np.searchsorted(times, times + WINDOW_S, side="right")
    count = np.zeros((len(names), len(names)))
    for i, (code, end) in enumerate(zip(codes, stop, strict=True)):
        np.add.at(count, (code, codes[i + 1 : end]), 1)
    count = count + count.T
    src, dst = np.nonzero(count * ~np.eye(len(names), dtype=bool))
    share = count[src, dst] / max(1.0, count[src, dst].max(initial=0.0))
    return pd.DataFrame({"src": names[src], "dst": names[dst], "confidence": share / 2, "link_confidence": share})


def _sets(shared: Path) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Yield name, alerts and true call graph of each set."""
    for name in RECORDED:
        folder = shared / "data" / name
        alerts = sl.resolve_entities(sl.read_alerts(folder / "alerts"))
        yield name, alerts, pd.read_csv(folder / "truth" / "call_graph.csv")
    for services, incidents in SIMULATED:
        for seed in SEEDS:
            production = sl.simulate_production(services=services, incidents=incidents, random_state=seed)
            yield f"simulated, {services} services, {incidents} incidents", production.alerts, production.call_graph


def main() -> None:
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared")
    print(table(shared).to_string(index=False, float_format=lambda value: f"{value:.2f}"))


if __name__ == "__main__":
    main()
