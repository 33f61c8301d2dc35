"""What a real Alertmanager does with our rules on alerts they were not learned from, beside what was predicted.

    python -m benchmarks.alertmanager_replay

Simulated productions: the rules are learned from the first two thirds, the last third is sent through Alertmanager.
Told are alerts sent, rules, alerts hidden, what was not as predicted, hidden alerts that belong to no incident, and
incidents of which every alert was hidden: their number must be 0. Incidents are those of the simulation.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

import stanza_lab as sl

SEEDS = tuple(range(4300, 4306))
LABELS = "alertname=alertname,service=service,severity=severity"


def table(seeds: tuple[int, ...] = SEEDS) -> pd.DataFrame:
    """Return a row per production, and one of all."""
    rows = [_row(seed) for seed in seeds]
    found = pd.DataFrame(rows)
    total = {"seed": "all"} | {name: int(found[name].sum()) for name in found.columns if name != "seed"}
    return pd.DataFrame([*rows, total])


def _row(seed: int) -> dict[str, object]:
    made = sl.simulate_production(services=40, teams=8, days=180, incidents=120, random_state=seed)
    alerts = made.alerts.sort_values("starts_at", ignore_index=True)
    cut = 2 * len(alerts) // 3
    past, future = alerts.iloc[:cut], alerts.iloc[cut:]
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
        out = sl.export(sl.load_bundle(path), "alertmanager", Path(folder) / "out", labels=LABELS).path
        found = sl.replay_alertmanager(
            future.assign(incident_id=_true_incidents(made, future)), config=out / "alertmanager.yml", labels=LABELS
        )
        rules = (out / "inhibit_rules.yml").read_text().count("- source_matchers")
    told = found.alerts
    inside = told[told["incident_id"] >= 0].groupby("incident_id")["inhibited"]
    return {
        "seed": seed,
        "sent": len(told),
        "rules": rules,
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
