"""Productions with sequences of alerts planted among their own incidents and noise: what should be found is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import stanza_lab as sl

STEPS, GAP_S, JITTER = (3, 7), (20.0, 240.0), 0.4  # kinds of a sequence; usual seconds between two; of their logarithm
SUPPORT, SEQUENCES = (4, 13), (4, 10)
OPTIONAL, THERE, LOST = 0.6, 0.5, 0.05  # share of steps beyond the third that are optional, how often; lost core ones
_HOPS = 3


@dataclass(frozen=True)
class Planted:
    """Alerts with `true` (the incident or planted occurrence each is of, null for noise), and what recurs in them."""

    alerts: pd.DataFrame
    pattern: dict[str, str]  # of each true incident: the planted sequence, or the simulator's own pattern
    root: dict[str, str]

    def truly(self) -> pd.DataFrame:
        """Return the alerts in their true incidents."""
        return self.alerts.assign(incident_id=pd.factorize(self.alerts["true"])[0].astype("int64"))

    def clustered(self) -> pd.DataFrame:
        """Return the alerts in the incidents that `cluster_incidents` finds."""
        return sl.cluster_incidents(self.alerts.drop(columns="true")).assign(true=self.alerts["true"])


def planted(seed: int, *, recurring: bool) -> Planted:
    """Draw a production and plant sequences; without `recurring` each root of its own incidents fails only once."""
    rng = np.random.default_rng([seed, 77])
    services = int(np.exp(rng.uniform(np.log(30), np.log(150))))
    made = sl.simulate_production(
        services=services,
        teams=max(3, services // 6),
        days=int(rng.integers(30, 120)),
        incidents=int(rng.integers(30, 120)),
        noise=float(np.exp(rng.uniform(np.log(0.1), np.log(2)))),
        random_state=seed,
    )
    own = made.incidents.assign(root=made.incidents["root_service"].fillna(made.incidents["pattern_id"]))
    if not recurring:
        own = own.drop_duplicates("root")
    label = made.labels.set_index("alert_id")["incident_id"].reindex(made.alerts["alert_id"])
    kept = (label.isna() | label.isin(own["incident_id"])).to_numpy()
    alerts = made.alerts[kept].assign(true=label[kept].astype("str").to_numpy()).reset_index(drop=True)
    rows = _sequences(rng, alerts, made.call_graph)
    names = {str(true): str(pattern) for true, pattern in zip(rows["true"], rows["pattern"], strict=True)}
    categories = {name: alerts[name].dtype for name in alerts.columns}
    whole = pd.concat([alerts.astype({"true": "str"}), rows[alerts.columns].astype(categories)], ignore_index=True)
    return Planted(
        whole.sort_values("starts_at", kind="stable", ignore_index=True),
        names | dict(zip(own["incident_id"], own["pattern_id"], strict=True)),
        names | dict(zip(own["incident_id"], own["root"], strict=True)),
    )


def _sequences(rng: np.random.Generator, alerts: pd.DataFrame, calls: pd.DataFrame) -> pd.DataFrame:
    """Return the alerts of planted sequences, each copied from an alert of its kind, at random times."""
    models = alerts.drop_duplicates(["service", "alertname"]).reset_index(drop=True)
    loud = sorted(models["service"].astype("str").dropna().unique())
    first, last = alerts["starts_at"].min(), alerts["starts_at"].max()
    parts, wanted, number = [], int(rng.integers(*SEQUENCES)), 0
    for _ in range(50 * wanted):
        if number == wanted:
            break
        root = str(rng.choice(loud))
        near = models[models["service"].astype("str").isin(_callers(root, calls))]
        size = int(rng.integers(*STEPS))
        if len(near) < size or near["service"].nunique() < 2:
            continue
        start = rng.choice(near.index[near["service"] == root])
        chosen = models.loc[[start, *rng.choice(near.index.drop(start), size - 1, replace=False)]]
        parts.append(_occurrences(rng, chosen, f"planted {number}", first, last))
        number += 1
    return pd.concat(parts, ignore_index=True)


def _occurrences(
    rng: np.random.Generator, chosen: pd.DataFrame, name: str, first: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    size = len(chosen)
    optional = np.r_[np.zeros(3, bool), rng.random(size - 3) < OPTIONAL]
    gaps = np.r_[0.0, rng.uniform(*GAP_S, size - 1)]
    parts = []
    for i in range(int(rng.integers(*SUPPORT))):
        after = np.cumsum(gaps * rng.lognormal(0.0, JITTER, size))
        there = np.where(optional, rng.random(size) < THERE, (rng.random(size) > LOST) | (np.arange(size) < 2))
        begin = first + (last - first) * float(rng.random())
        starts = (begin + pd.to_timedelta(after, unit="s")).floor("us")
        ends = starts + pd.to_timedelta(rng.lognormal(np.log(900), 0.6, size), unit="s").floor("us")
        ids = [f"{name}/{i}/{j}" for j in range(size)]
        rows = chosen.assign(starts_at=starts, ends_at=ends, alert_id=ids, true=f"{name}/{i}", pattern=name)
        parts.append(rows[there])
    return pd.concat(parts)


def _callers(root: str, calls: pd.DataFrame) -> set[str]:
    """Return a service and those that its trouble may reach."""
    found = {root}
    for _ in range(_HOPS):
        found |= set(calls.loc[calls["callee"].isin(found), "caller"])
    return found


def shifted(alerts: pd.DataFrame, rng: np.random.Generator, *, whole_days: bool) -> pd.DataFrame:
    """Return alerts whose kinds are shifted around the history, each by its own time, no two by the same.

    By whole days, give or take up to three hours, the hours of the day are kept too.
    """
    kind = alerts["service"].astype("str") + alerts["alertname"].astype("str")
    code, names = pd.factorize(kind)
    at = alerts["starts_at"].astype("int64").to_numpy()
    low, day, hour = int(at.min()), 86_400_000_000, 3_600_000_000
    days = -(-(int(at.max()) + 1 - low) // day)
    shift = rng.integers(0, days * day, len(names))
    if whole_days and 7 * days >= len(names):
        slots = rng.permutation(7 * days)[: len(names)]
        shift = slots // 7 * day + (slots % 7 - 3) * hour
    moved = pd.to_timedelta((at - low + shift[code]) % (days * day) - (at - low), unit="us")
    times: dict[str, Any] = {name: alerts[name] + moved for name in ("starts_at", "ends_at", "acked_at")}
    return alerts.assign(**times).sort_values("starts_at", kind="stable", ignore_index=True)
