"""A bundle in which three alerts of Alertmanager recur together, one after the other; made from a literal table."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

import stanza_lab as sl

STEPS = (("orders-db", "DiskFull"), ("orders", "SlowQueries"), ("shop", "HighErrorRate"))
MEASURE = "share of pairs of alerts that are rightly together"
START = pd.Timestamp("2026-03-01", tz="UTC")


def alerts_of(steps: tuple[tuple[str, str], ...] = STEPS, *, times: int = 8, team: str = "pay") -> pd.DataFrame:
    """Return alerts: each step 20 seconds after the one before, `times` times at odd hours; and one that is alone."""
    rows = []
    for time in range(times):
        at = START + pd.Timedelta(hours=50 * time + (time * time * 7) % 13)
        lone = at + pd.Timedelta(hours=5)
        fired = [(place, *step, at + pd.Timedelta(seconds=20 * place)) for place, step in enumerate(steps)]
        for place, service, name, when in [*fired, (len(steps), "mail", "QueueLong", lone)]:
            labels = {"alertname": name, "service": service, "cluster": "eu"}
            rows.append(
                {
                    "alert_id": f"{time}-{place}",
                    "source": "alertmanager",
                    "rule_key": f"{name}|{service}",
                    "alertname": name,
                    "starts_at": when,
                    "ends_at": when + pd.Timedelta(minutes=30),
                    "severity": "error",
                    "service": service,
                    "team": team,
                    "labels": json.dumps(labels),
                }
            )
    return pd.DataFrame(rows)


def save(path: Path, alerts: pd.DataFrame, *, metrics: pd.DataFrame | None = None) -> Path:
    """Learn from alerts and save the bundle."""
    clusterer = sl.IncidentClusterer(max_chronic=1.0).fit(alerts)  # so few alerts prove of no rule that it means much
    grouped = alerts.assign(incident_id=clusterer.labels_)
    model = sl.DependencyModel().fit(grouped)
    return sl.save_bundle(
        path,
        clusterer=clusterer,
        dependencies=model,
        production=sl.ProductionMap(model.edges_, grouped),
        alerts=alerts,
        patterns=sl.mine_patterns(grouped),
        metrics=metrics,
    )


def metric(name: str, value: float, definition: str, n: int = 10) -> pd.DataFrame:
    """Return a table of one measure."""
    return pd.DataFrame({"metric": [name], "value": [value], "n": [n], "definition": [definition]})


def saved(path: Path) -> Path:
    """Save the bundle of the three steps, with a measure."""
    return save(path, alerts_of(), metrics=metric("pairs", 0.8, MEASURE))
