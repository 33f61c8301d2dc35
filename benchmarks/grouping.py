"""Accuracy of grouping alerts into incidents, beside what everybody has.

``python -m benchmarks.grouping ../shared`` measures the defaults on real recordings and on simulated productions that
were not used to choose them; ``--choose`` is how the defaults were chosen, on other simulated productions.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hdbscan import HDBSCAN
from joblib import Parallel, delayed
from sklearn.cluster import DBSCAN

import stanza_lab as sl
from stanza_lab.incidents.rules import GapRule, GroupByRule

RECORDINGS = ("petshop_low", "nezha_tt_0129")
# Kinds that keep one name: from one incident in 36 hours to one in a quarter of an hour, with little and much noise.
PRODUCTIONS: dict[str, dict[str, Any]] = {
    "quiet": {},
    "large": {"services": 150, "teams": 25, "days": 30, "incidents": 150},
    "slow": {"days": 30, "evaluation_period": "5min", "detection_latency": "4min"},
    "busy": {"days": 7, "noise": 1},
    "drill": {"days": 2, "incidents": 40, "noise": 5},
    "crowded": {"services": 200, "teams": 30, "days": 2, "incidents": 120, "noise": 2},
    "dense": {"days": 1, "incidents": 100, "noise": 5},
}
KIND_SEEDS = range(3)
CHOOSE_SEEDS = range(48)
MEASURE_SEEDS = range(1000, 1010)
MOST_ALERTS = 3_000  # of a production to choose on: larger ones are left out
GAPS_S = (60, 120, 180, 300, 450, 600, 900, 1200, 1800)
GRID: dict[str, tuple[Any, ...]] = {
    "max_gap": ("4min", "6min", "8min", "10min", "12min", "15min", "18min", "22min", "30min"),
    "resolution": ("30s", "1min", "2min", "3min", "4min", "5min"),
    "min_neighbours": (1, 2, 3),
    "min_rules": (1, 2),
    "max_chronic": (0.6, 0.7, 0.8, 0.9, 0.95, 1.0),
    "service_gap": ("0s", "1min", "2min", "3min", "4min", "5min", "6min", "7min", "8min"),
    "call_gap": ("0s", "30s", "1min", "2min", "3min"),
    "team_gap": ("0s", "30s", "1min", "2min", "3min"),
    "kind_gap": ("0s", "30s", "1min", "2min"),
    "recovery_gap": ("0s", "1min", "2min", "3min"),
    "recurrence_gap": ("0s", "30s", "1min", "90s", "2min"),
    "chronic_gap": ("0s", "1min", "2min", "3min", "4min", "6min", "8min"),
    "company_gap": ("0s", "30s", "1min", "90s", "2min", "3min"),
    "crowd_gap": ("0s", "30s", "1min", "2min", "3min", "4min", "5min"),
}
WORTH_IT = 0.001  # a gain below this is not followed


@dataclass(frozen=True)
class Case:
    """A history with its truth and, where traces tell it, what depends on what."""

    name: str
    alerts: pd.DataFrame
    truth: pd.DataFrame
    edges: pd.DataFrame | None = None


def drawn(seed: int) -> Case:
    """Draw a production of any size, pace and noise; half of them have traces of some services."""
    rng = np.random.default_rng([seed, 5])

    def between(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    services, days = int(between(12, 200)), max(1, int(between(1, 60)))
    incidents = int(np.clip(between(0.5, 60) * days, 8, 150))
    noise = min(between(0.1, 80), 3_000 / (2.2 * services * days / 7))
    production = sl.simulate_production(
        services=services,
        teams=max(1, min(services // 3, int(services / rng.uniform(4, 10)))),
        days=days,
        incidents=incidents,
        noise=noise,
        evaluation_period=str(rng.choice(["30s", "1min", "1min", "1min", "5min"])),
        detection_latency=f"{between(20, 240):.0f}s",
        flapping=between(0.02, 0.3),
        shared_causes=float(rng.uniform(0, 0.25)),
        coverage=float(rng.uniform(0.5, 1)),
        clock_skew=f"{between(0.5, 20):.1f}s",
        random_state=seed,
    )
    traced = production.call_graph.sample(frac=float(rng.uniform(0.3, 1)), random_state=seed)
    edges = traced if rng.random() < 0.5 else None
    return Case(f"drawn {seed}", production.alerts, production.labels, edges)


def recording(shared: Path, name: str) -> Case:
    """Return a recording; its truth only measures."""
    alerts = sl.resolve_entities(sl.read_alerts(shared / "data" / name / "alerts"))
    return Case(name, alerts, pd.read_csv(shared / "data" / name / "truth" / "alert_labels.csv", dtype="str"))


def in_time(clusterer: Any) -> Callable[[Case], np.ndarray]:
    """Return a method that clusters the seconds of `starts_at` alone."""

    def group(case: Case) -> np.ndarray:
        at = case.alerts["starts_at"]
        return np.asarray(clusterer.fit((at - at.min()).dt.total_seconds().to_numpy(copy=True)[:, None]).labels_)

    return group


def best_gap(case: Case) -> np.ndarray:
    """Return the gap rule whose gap suits this very truth best: a bound no honest rule can know."""
    tried = [GapRule(gap=f"{gap}s").fit(case.alerts).labels_ for gap in GAPS_S]
    return tried[int(np.argmax([score(case, labels) for labels in tried]))]


def ours(case: Case, **parameters: Any) -> np.ndarray:
    """Return what `IncidentClusterer` finds."""
    return sl.IncidentClusterer(edges=case.edges, **parameters).fit(case.alerts).labels_


METHODS: dict[str, Callable[[Case], np.ndarray]] = {
    "gap 300 s": lambda case: GapRule(gap="300s").fit(case.alerts).labels_,
    "best gap (fitted to the truth)": best_gap,
    "HDBSCAN(t)": in_time(HDBSCAN(min_cluster_size=2, core_dist_n_jobs=1)),
    "DBSCAN(t), 300 s": in_time(DBSCAN(eps=300, min_samples=2)),
    "Alertmanager group_by": lambda case: GroupByRule(by=["alertname", "service"]).fit(case.alerts).labels_,
    "TimeClusterer": lambda case: sl.TimeClusterer().fit(case.alerts).labels_,
    "IncidentClusterer": ours,
}


def score(case: Case, labels: np.ndarray) -> float:
    """Return the mean of ARI over incident alerts and over all."""
    return float(sl.score_incidents(case.alerts.assign(incident_id=labels), truth=case.truth)["ari"].mean())


def measures(case: Case, labels: np.ndarray) -> dict[str, float]:
    """Return what is printed of one method on one history."""
    scores = sl.score_incidents(case.alerts.assign(incident_id=labels), truth=case.truth).to_dict("index")
    inside, everything = scores["incident alerts"], scores["all alerts"]
    return {
        "alerts": everything["n"],
        "true": everything["incidents_true"],
        "found": everything["incidents_found"],
        "ari": inside["ari"],
        "ari_all": everything["ari"],
        "ami_all": everything["ami"],
        "precision_all": everything["pairwise_precision"],
        "recall_all": everything["pairwise_recall"],
        "f1_all": everything["pairwise_f1"],
        "b_cubed_f1": everything["b_cubed_f1"],
        "coverage": inside["coverage"],
        "over": everything["over_grouped"],
        "under": everything["under_grouped"],
        "compression": everything["compression"],
    }


def table(shared: Path) -> pd.DataFrame:
    """Return one row per history, or mean over histories of a kind, and method."""
    cases = [(name, recording(shared, name)) for name in RECORDINGS]
    cases += [("ten drawn productions", drawn(seed)) for seed in MEASURE_SEEDS]
    for kind, parameters in PRODUCTIONS.items():
        for seed in KIND_SEEDS:
            made = sl.simulate_production(random_state=seed, **parameters)
            cases.append((f"simulated: {kind}", Case(kind, made.alerts, made.labels)))
    rows = [
        {"data": name, "method": method, **measures(case, group(case))}
        for name, case in cases
        for method, group in METHODS.items()
    ]
    return pd.DataFrame(rows).groupby(["data", "method"], sort=False).mean().reset_index()


def choose(seeds: Iterable[int] = CHOOSE_SEEDS) -> pd.DataFrame:
    """Climb from the present defaults, one parameter at a time by one or two steps, while the score gains.

    The score is the mean of ARI over incident alerts and over all alerts, over productions. Returns every setting
    tried, in order; the last one marked `taken` is where the climb ended.
    """
    cases = [case for case in map(drawn, seeds) if len(case.alerts) <= MOST_ALERTS]
    work = Parallel(n_jobs=-1)

    def scored(settings: list[dict[str, Any]]) -> list[float]:
        found = work(delayed(_scored)(case, setting) for setting in settings for case in cases)
        return [float(mean) for mean in np.reshape(found, (len(settings), len(cases))).mean(axis=1)]

    defaults = sl.IncidentClusterer().get_params()
    best = {name: defaults[name] for name in GRID}
    top = scored([best])[0]
    rows, moved = [{**best, "score": top, "taken": True}], True
    while moved:
        moved = False
        for name, values in GRID.items():
            here = values.index(best[name])
            near = [values[i] for i in (here - 2, here - 1, here + 1, here + 2) if 0 <= i < len(values)]
            tried = [{**best, name: value} for value in near]
            scores = scored(tried)
            rows += [{**setting, "score": found, "taken": False} for setting, found in zip(tried, scores, strict=True)]
            if max(scores) > top + WORTH_IT:
                top, best, moved = max(scores), tried[int(np.argmax(scores))], True
                rows.append({**best, "score": top, "taken": True})
                print(f"{top:.4f} {name}={best[name]}", flush=True)
    return pd.DataFrame(rows)


def _scored(case: Case, parameters: dict[str, Any]) -> float:
    return score(case, ours(case, **parameters))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path, nargs="?", default=Path("../shared"))
    parser.add_argument("--choose", action="store_true", help="choose the defaults again (a quarter of an hour)")
    arguments = parser.parse_args()
    found = choose() if arguments.choose else table(arguments.shared)
    print(found.to_string(index=False, float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
