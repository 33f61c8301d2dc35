"""What the clusterer looks at: when an alert fired, for which service and team, by which rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

ATTRIBUTES = ("service", "team")


@dataclass(frozen=True)
class Features:
    """One entry per alert, in canonical order: by time, so that no result depends on the order of the rows.

    `attributes` holds the codes of service and team, one column each; unknown is a value of its own. `rules` holds the
    code of the recurring alert; an unknown one is a rule by itself. `rows` says which row of the input an entry is.
    """

    seconds: np.ndarray
    attributes: np.ndarray
    rules: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.seconds)


def from_alerts(alerts: pd.DataFrame) -> Features:
    """Return the features of checked `alerts`; rows without `starts_at` are left out."""
    rows = np.flatnonzero(alerts["starts_at"].notna().to_numpy())
    known = alerts.iloc[rows]
    # services and teams come last: only alerts that nothing else tells apart are ordered by name
    keys = [name for name in ("starts_at", "rule_key", "alertname", "alert_id", *ATTRIBUTES) if name in known]
    codes = [pd.factorize(known[name], sort=True, use_na_sentinel=False)[0] for name in keys]
    order = np.lexsort(codes[::-1])
    micros = known["starts_at"].astype("int64").to_numpy()[order]
    nothing = np.zeros(len(known), dtype=np.int64)
    attributes = [codes[keys.index(name)] if name in keys else nothing for name in ATTRIBUTES]
    # seconds since the first alert: shifting all times changes nothing, to the bit
    return Features((micros - micros[:1]) / 1e6, np.column_stack(attributes)[order], _rules(known)[order], rows[order])


def from_numbers(numbers: np.ndarray) -> Features:
    """Return the features of columns (seconds, service code, team code); more are not used, fewer are all alike."""
    order = np.lexsort(numbers.T[::-1])
    columns = numbers[order]
    attributes = np.zeros((len(columns), len(ATTRIBUTES)), dtype=np.int64)
    for i, codes in enumerate(columns[:, 1 : 1 + len(ATTRIBUTES)].T):
        attributes[:, i] = np.unique(codes, return_inverse=True)[1]
    return Features(columns[:, 0] - columns[0, 0], attributes, np.arange(len(columns)), order)


def _rules(alerts: pd.DataFrame) -> np.ndarray:
    """Return codes of `rule_key`, or else of alert name and service."""
    unknown = len(alerts) + np.arange(len(alerts))
    name = next((name for name in ("rule_key", "alertname") if name in alerts), None)
    if name is None:
        return unknown
    keys = [name, "service"] if name == "alertname" and "service" in alerts else [name]
    codes = alerts.groupby(keys, observed=True, sort=False, dropna=False).ngroup()
    return np.where(alerts[name].isna(), unknown, codes)
