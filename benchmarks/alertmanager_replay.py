"""What a real Alertmanager does with our rules on alerts they were not learned from, beside what was predicted.

    python -m benchmarks.alertmanager_replay

Simulated productions: the rules are learned from the first two thirds, the last third is sent through Alertmanager.
Told are alerts sent, rules, alerts hidden, what was not as predicted, hidden alerts that belong to no incident, and
incidents of which every alert was hidden: their number must be 0. Incidents are those of the simulation.

The rules that are exported are few (max_q 0.05) and hide little. So that the prediction is put to a test, the same is
done with a rule for every pair that came together on a link, however little speaks for it (max_q 1).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

import stanza_lab as sl

SEEDS = tuple(range(4300, 4306))
LABELS = "alertname=alertname,service=service,severity=severity"
EXPORTED = 0.05  # max_q as it is unless one says otherwise


def table(seeds: tuple[int, ...] = SEEDS) -> pd.DataFrame:
    """Return two rows per production, by max_q, and those of all."""
    found = pd.DataFrame([row for seed in seeds for row in _rows(seed)])
    counts = [name for name in found.columns if name not in ("seed", "max_q")]
    total = found.groupby("max_q", as_index=False)[counts].sum().assign(seed="all")
    return pd.concat([found, total[found.columns]], ignore_index=True)


def _rows(seed: int) -> list[dict[str, object]]:
    made = sl.simulate_production(services=40, teams=8, days=180, incidents=120, random_state=seed)
    alerts = made.alerts.sort_values("starts_at", ignore_index=True)
    cut = 2 * len(alerts) // 3
    past, future = alerts.iloc[:cut], alerts.iloc[cut:]
    future = future.assign(incident_id=_true_incidents(made, future))
    clusterer = sl.IncidentClusterer().fit(past)
    past = past.assign(incident_id=clusterer.labels_)
    model = sl.DependencyModel().fit(past)
    with tempfile.TemporaryDirectory() as folder:
        path = sl.save_bundle(
            Path(folder) / "bundle",
            clusterer=clusterer,
            dependencies=model,
            production=sl.ProductionMap(model.edges_, past),
            alerts=past,
        )
        bundle = sl.load_bundle(path)
        return [
            {"seed": seed, "max_q": max_q} | _replayed(bundle, future, Path(folder) / str(max_q), max_q)
            for max_q in (EXPORTED, 1.0)
        ]


def _replayed(bundle: sl.Bundle, future: pd.DataFrame, out: Path, max_q: float) -> dict[str, object]:
    sl.export(bundle, "alertmanager", out, labels=LABELS, max_q=max_q)
    told = sl.replay_alertmanager(future, config=out / "alertmanager.yml", labels=LABELS).alerts
    inside = told[told["incident_id"] >= 0].groupby("incident_id")["inhibited"]
    return {
        "sent": len(told),
        "rules": (out / "inhibit_rules.yml").read_text().count("- source_matchers"),
        "hidden": int(told["inhibited"].sum()),
        "not as predicted": int((~told["agrees"]).sum()),
        "hidden outside incidents": int((told["inhibited"] & (told["incident_id"] < 0)).sum()),
        "incidents": int(inside.ngroups),
        "incidents hidden whole": int(inside.all().sum()),
    }


def _true_incidents(made: sl.Production, alerts: pd.DataFrame) -> pd.Series:
    """Return the true incident of each alert, as numbers; -1: none."""
    truth = made.labels.set_index("alert_id")["incident_id"]
    codes = pd.factorize(alerts["alert_id"].map(truth))[0]
    return pd.Series(codes, index=alerts.index, dtype="int64")


if __name__ == "__main__":
    print(table().to_string(index=False))
