"""Accuracy and speed of grouping alerts into incidents, beside what everybody has.

``python -m benchmarks.grouping ../shared`` measures the defaults on real recordings and on simulated productions that
were not used to choose them; ``--speed`` shows how time grows; ``--choose`` is how the defaults were chosen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hdbscan import HDBSCAN

import stanza_lab as sl

RECORDINGS = ("petshop_low", "nezha_tt_0129")
# From one incident in 36 hours to one in a quarter of an hour, with little and with much noise.
PRODUCTIONS: dict[str, dict[str, Any]] = {
    "quiet": {},
    "large": {"services": 150, "teams": 25, "days": 30, "incidents": 150},
    "slow": {"days": 30, "evaluation_period": "5min", "detection_latency": "4min"},
    "busy": {"days": 7, "noise": 1},
    "drill": {"days": 2, "incidents": 40, "noise": 5},
    "crowded": {"services": 200, "teams": 30, "days": 2, "incidents": 120, "noise": 2},
    "dense": {"days": 1, "incidents": 100, "noise": 5},
}
CHOOSE_SEEDS = range(100, 106)
MEASURE_SEEDS = range(10)
GRID: dict[str, tuple[Any, ...]] = {
    "max_gap": ("5min", "10min", "15min", "20min", "30min"),
    "min_neighbours": (1, 2),  # 3 and 4 gain 0.007, but then three alerts within minutes are no incident
    "service_gap": ("0s", "30s", "1min", "2min", "3min"),
    "team_gap": ("0s", "30s", "1min", "2min"),
    "resolution": ("1min", "2min", "3min", "4min", "5min"),
    "min_alerts": (2, 3),
    "min_rules": (1, 2),  # 3 gains nothing
}
START = {
    "max_gap": "10min",
    "min_neighbours": 2,
    "service_gap": "1min",
    "team_gap": "1min",
    "resolution": "2min",
    "min_alerts": 2,
    "min_rules": 1,
}
WORTH_IT = 0.002  # a gain below this is not told apart from luck


def gap_rule(alerts: pd.DataFrame, gap_s: float = 300.0) -> pd.DataFrame:
    """Start a new incident after `gap_s` without an alert; one alert alone is noise."""
    at = alerts["starts_at"].sort_values()
    run = (at.diff().dt.total_seconds() > gap_s).cumsum()
    incident = run.where(run.groupby(run).transform("size") > 1, sl.schema.NOISE)
    return alerts.assign(incident_id=incident.astype("int64"))


def hdbscan_in_time(alerts: pd.DataFrame) -> pd.DataFrame:
    """Run plain HDBSCAN over `starts_at` alone."""
    seconds = (alerts["starts_at"] - alerts["starts_at"].min()).dt.total_seconds().to_numpy(copy=True)
    labels = HDBSCAN(min_cluster_size=2, core_dist_n_jobs=1).fit(seconds[:, None]).labels_
    return alerts.assign(incident_id=np.asarray(labels, dtype=np.int64))


METHODS = {"gap 300 s": gap_rule, "HDBSCAN(t)": hdbscan_in_time, "IncidentClusterer": sl.cluster_incidents}


def table(shared: Path, *, seeds: Iterable[int] = MEASURE_SEEDS) -> pd.DataFrame:
    """Return one row per data set and method; a kind of simulated production is the mean over `seeds`."""
    rows = []
    for name in RECORDINGS:
        alerts = sl.resolve_entities(sl.read_alerts(shared / "data" / name / "alerts"))
        truth = pd.read_csv(shared / "data" / name / "truth" / "alert_labels.csv", dtype="str")
        rows += [(name, method, _scores(group(alerts), truth)) for method, group in METHODS.items()]
    for kind, production in _productions(seeds):
        alerts, truth = production.alerts, production.labels
        rows += [(f"simulated: {kind}", method, _scores(group(alerts), truth)) for method, group in METHODS.items()]
    scores = pd.DataFrame([{"data": data, "method": method, **found} for data, method, found in rows])
    return scores.groupby(["data", "method"], sort=False).mean().reset_index()


def speed(sizes: Iterable[int] = (1_000, 10_000, 100_000)) -> pd.DataFrame:
    """Return the seconds to group `sizes` alerts of 200 services, spread out (one in 10 min) or in half an hour."""
    rng, rows = np.random.default_rng(0), []
    for n in sizes:
        for shape, span_s in (("spread", n * 600.0), ("storm", 1_800.0)):
            alerts = pd.DataFrame(
                {
                    "starts_at": pd.to_datetime((rng.random(n) * span_s * 1e6).astype("int64"), unit="us", utc=True),
                    "service": rng.choice([f"service-{i}" for i in range(200)], n),
                    "team": rng.choice([f"team-{i}" for i in range(20)], n),
                    "alertname": rng.choice([f"rule {i}" for i in range(20)], n),
                }
            )
            began = time.perf_counter()
            sl.IncidentClusterer().fit(alerts)
            rows.append((n, shape, time.perf_counter() - began))
    return pd.DataFrame(rows, columns=["alerts", "shape", "seconds"])


def choose(seeds: Iterable[int] = CHOOSE_SEEDS) -> pd.DataFrame:
    """Climb from `START`, one parameter at a time, while the score over simulated productions gains `WORTH_IT`.

    The score is the mean of ARI over incident alerts and over all alerts, over kinds and seeds. Returns every setting
    tried, in order; the last one marked `taken` is where the climb ended.
    """
    productions = list(_productions(seeds))
    best: dict[str, Any] = dict(START)
    rows = [{**best, "score": _score(best, productions), "taken": True}]
    top, moved = rows[0]["score"], True
    while moved:
        moved = False
        for name, values in GRID.items():
            tried = [{**best, name: value} for value in values if value != best[name]]
            scores = [_score(setting, productions) for setting in tried]
            rows += [{**setting, "score": score, "taken": False} for setting, score in zip(tried, scores, strict=True)]
            if max(scores) > top + WORTH_IT:
                top, best, moved = max(scores), tried[int(np.argmax(scores))], True
                rows[len(rows) - len(tried) + int(np.argmax(scores))]["taken"] = True
    return pd.DataFrame(rows)


def _productions(seeds: Iterable[int]) -> Iterable[tuple[str, sl.Production]]:
    for kind, parameters in PRODUCTIONS.items():
        for seed in seeds:
            yield kind, sl.simulate_production(random_state=seed, **parameters)


def _scores(alerts: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    scores = sl.score_incidents(alerts, truth=truth).to_dict("index")
    inside, everything = scores["incident alerts"], scores["all alerts"]
    return {
        "alerts": everything["n"],
        "true": everything["incidents_true"],
        "found": everything["incidents_found"],
        "ari": inside["ari"],
        "ari_all": everything["ari"],
        "ami": inside["ami"],
        "ami_all": everything["ami"],
        "precision": inside["pairwise_precision"],
        "precision_all": everything["pairwise_precision"],
        "recall": everything["pairwise_recall"],
        "f1_all": everything["pairwise_f1"],
        "coverage": inside["coverage"],
    }


def _score(parameters: dict[str, Any], productions: Iterable[tuple[str, sl.Production]]) -> float:
    model = sl.IncidentClusterer(**parameters)
    found = [_scores(sl.cluster_incidents(p.alerts, clusterer=model), p.labels) for _, p in productions]
    return float(np.mean([(scores["ari"] + scores["ari_all"]) / 2 for scores in found]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path, nargs="?", default=Path("../shared"))
    parser.add_argument("--choose", action="store_true", help="choose the defaults again (minutes)")
    parser.add_argument("--speed", action="store_true", help="seconds for 1,000 to 100,000 alerts")
    arguments = parser.parse_args()
    found = choose() if arguments.choose else speed() if arguments.speed else table(arguments.shared)
    print(found.to_string(index=False, float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
