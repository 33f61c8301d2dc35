"""What the clusterer computes, from the definitions: every pair, every alert, in words of plain Python."""

from __future__ import annotations

from math import exp, factorial, log, log1p
from typing import Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.incidents import IncidentClusterer
from stanza_lab.incidents.correlation.features import Features, Vocabulary, from_alerts
from tests.incidents.density import plain

START = pd.Timestamp("2026-03-01T14:00Z")
GAPS = (
    "service",
    "call",
    "team",
    "environment",
    "trace",
    "kind",
    "recovery",
    "recurrence",
    "chronic",
    "company",
    "crowd",
)
TIME_ALONE = {
    **{f"{name}_gap": "0s" for name in GAPS},
    "max_gap": "20min",
    "resolution": "2min",
    "min_alerts": 2,
    "min_rules": 2,
    "min_neighbours": 2,
    "max_chronic": 1.0,
    "passes": 1,
}


def alerts_at(*minutes: float | None, **columns: Any) -> pd.DataFrame:
    """Return alerts that start so many minutes after two o'clock."""
    times = [None if m is None else START + pd.Timedelta(minutes=m) for m in minutes]
    return pd.DataFrame({"starts_at": pd.to_datetime(pd.Series(times, dtype=object), utc=True), **columns})


def clusterer(**changed: Any) -> IncidentClusterer:
    """Return one that looks at time alone, but for what is `changed`."""
    return IncidentClusterer(**{**TIME_ALONE, **changed})


def apart(alerts: pd.DataFrame, **gaps: Any) -> float:
    """Return the distance of two alerts, in seconds."""
    model = clusterer(**{"max_gap": "100h", "min_neighbours": 1, **gaps}).fit(alerts)
    first, second = model.distances_
    assert first == second
    return float(first)


def read(alerts: pd.DataFrame, vocabulary: Vocabulary | None = None) -> tuple[Features, Vocabulary]:
    """Return features and names of alerts that are not checked yet."""
    return from_alerts(schema.check(alerts, schema.ALERTS, need=["starts_at"]), vocabulary)


def distances(
    alerts: pd.DataFrame,
    *,
    gaps: dict[str, float],
    near: dict[frozenset[str], float],
    first: list[int] | None,
    family: list[int],
) -> np.ndarray:
    """Return the distance of every two alerts; `first`: labels after the first of two passes; `family` of each rule."""
    rows = alerts.astype(object).where(alerts.notna(), None).to_dict("records")
    for i, row in enumerate(rows):
        row["at"] = row["starts_at"].value / 1e9
        row["alone"] = first is not None and first[i] == -1
        row["incident"] = None if first is None else first[i]
        row["family"] = family[i]
    for row in rows:
        bouts = [o for o in rows if _begins(o, rows, "family") and abs(o["at"] - row["at"]) <= 3 * 3600]
        others = [o for o in bouts if o["family"] != row["family"]]
        found, usual = sum(abs(o["at"] - row["at"]) <= 300 for o in others), len(others) * 300 / (3 * 3600)
        row["company"] = max(log((1 + found) / (1 + usual)), 0.0)
        row["luck"] = (poisson_up_to(found, usual) + poisson_up_to(found - 1, usual)) / 2
        around = [o for o in rows if _begins(o, rows, "rule_key") and abs(o["at"] - row["at"]) <= 3 * 3600]
        row["crowd"] = log1p(len(around) / 6)
    for row in rows:
        fellows = [o["luck"] for o in rows if o is not row and o["family"] == row["family"]]
        mean = (sum(fellows) + 2 * 0.75) / (len(fellows) + 2)
        row["habit"] = min(max(2 * (1 - mean), 0.0), 1.0)
    return np.array([[_distance(a, b, rows, gaps, near, first) for b in rows] for a in rows]).reshape(len(rows), -1)


def poisson_up_to(most: int, mean: float) -> float:
    """Return how often a Poisson count of this mean is `most` or lower."""
    return sum(exp(-mean) * mean**k / factorial(k) for k in range(most + 1))


def _begins(row: dict, rows: list[dict], of: str) -> bool:
    same = [o for o in rows if o[of] == row[of]]
    before = [o for o in same if o["at"] < row["at"] or (o["at"] == row["at"] and same.index(o) < same.index(row))]
    return all(row["at"] - o["at"] > 1800 for o in before)


def _distance(a: dict, b: dict, rows: list, gaps: dict, near: dict, first: list[int] | None) -> float:
    total = abs(a["at"] - b["at"])
    if a["service"] != b["service"] and not set(a["resources"] or []) & set(b["resources"] or []):
        total -= gaps["kind"] * (a["alertname"] is not None and a["alertname"] == b["alertname"])
        total += gaps["service"] - gaps["call"] * near.get(frozenset([a["service"], b["service"]]), 0.0)
    if a["team"] != b["team"]:
        total += gaps["team"]
    if set(a["trace_ids"] or []) & set(b["trace_ids"] or []):
        total -= gaps["trace"]
    if a.get("ends_at") is not None and b.get("ends_at") is not None:
        total -= gaps["recovery"] * (abs((a["ends_at"] - b["ends_at"]).total_seconds()) <= 120)
    if first is not None and a["rule_key"] != b["rule_key"]:
        total -= gaps["recurrence"] * min(max(_lift(a, b, rows), -3.0), 3.0)
    total += gaps["chronic"] * (a["habit"] + b["habit"] - 1)
    total -= gaps["company"] * min(a["company"], b["company"])
    total += gaps["crowd"] * (a["crowd"] + b["crowd"]) / 2
    return max(total, 0.0)


def _lift(a: dict, b: dict, rows: list[dict]) -> float:
    def took_part(rule: str) -> set[int]:
        return {o["incident"] for o in rows if o["rule_key"] == rule and not o["alone"]}

    def other_occasions(rule: str) -> int:
        return len(took_part(rule)) + sum(o["alone"] for o in rows if o["rule_key"] == rule) - 1

    occasions = len({o["incident"] for o in rows if not o["alone"]}) + sum(o["alone"] for o in rows)
    together = len(took_part(a["rule_key"]) & took_part(b["rule_key"]))
    together -= a["incident"] == b["incident"] and not a["alone"]
    chance = other_occasions(a["rule_key"]) * other_occasions(b["rule_key"]) / occasions
    return log((together + 0.5) / (chance + 0.5))


def labels(
    apart_s: np.ndarray, rules: list[Any], *, max_gap: float, resolution: float, min_alerts: int, min_rules: int,
    min_neighbours: int,
) -> list[int] | None:  # fmt: skip
    """Return the labels of alerts in order of time, from all their distances; None where rounding would decide."""
    n = len(apart_s)
    if n < 2:
        return [-1] * n
    others = np.sort(apart_s[~np.eye(n, dtype=bool)].reshape(n, n - 1), axis=1)
    core = others[:, min_neighbours - 1] if min_neighbours < n else np.full(n, np.inf)
    reach = np.maximum.reduce([apart_s, np.maximum.outer(core, core), np.full((n, n), resolution)])
    reach = np.where(apart_s <= resolution, np.minimum(reach, max_gap), reach)
    reach = np.where(apart_s > max_gap, 1e12, np.minimum(reach, 1e12))
    np.fill_diagonal(reach, 0.0)
    everything = plain.Cluster(frozenset(range(n)), plain.INF)
    for block in plain._components(reach, everything.members, lambda level: level <= max_gap):
        if len(block) >= min_alerts:
            plain._open(everything, block, plain.INF, reach, min_alerts)
    if _rounding_decides(everything):
        return None
    found = plain.labels(everything, [float(i) for i in range(n)])
    few = {i for i in {*found} if len({r for r, label in zip(rules, found, strict=True) if label == i}) < min_rules}
    kept = [i for i in dict.fromkeys(found) if i != -1 and i not in few]
    return [kept.index(i) if i in kept else -1 for i in found]


def _rounding_decides(cluster: plain.Cluster) -> bool:
    def close(c: plain.Cluster) -> bool:
        below = sum(plain._best(child)[0] for child in c.inside)
        return bool(c.inside) and abs(float(below) - float(c.stability)) <= 1e-9 * abs(float(c.stability))

    return any(close(child) or _rounding_decides(child) for child in cluster.inside)
