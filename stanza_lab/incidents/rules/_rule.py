"""What all grouping rules share: reading the table, the order in time, numbering the groups."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClusterMixin

from stanza_lab import _params, schema
from stanza_lab.schema import NOISE


class GroupingRule(ClusterMixin, BaseEstimator):
    """Base of the rules: `_groups` says which group each alert is in, the rest is done here."""

    min_alerts: int

    def fit(self, alerts: Any, y: object = None) -> Self:  # noqa: ARG002 (scikit-learn passes it)
        """Group `alerts`.

        Parameters
        ----------
        alerts : DataFrame
            An alerts table; needs `starts_at` and what the rule compares.
        y : object, optional
            Not used.

        Returns
        -------
        GroupingRule
            Itself, with `labels_`: int64, in the order of the rows, numbered by the time of the first alert; -1 is an
            alert on its own, or one without `starts_at`.

        Raises
        ------
        SchemaError
            A column is missing or does not fit.
        ParameterError
            A parameter is outside its range.
        """
        least = _params.at_least(self.min_alerts, "min_alerts", 1)
        alerts = schema.check(alerts, schema.ALERTS, need=["starts_at"])
        rows = in_time_order(alerts)
        groups = self._groups(alerts.iloc[rows].reset_index(drop=True))
        self.labels_ = np.full(len(alerts), NOISE, dtype=np.int64)
        self.labels_[rows] = number(groups, least=max(least, 2))
        self._finish(rows)
        return self

    def _groups(self, alerts: pd.DataFrame) -> np.ndarray:
        """Return the group of each of the alerts, which come in order of time; -1 = in none."""
        raise NotImplementedError

    def _finish(self, rows: np.ndarray) -> None:
        """Say more about the fitted rule; `rows` are the places of the alerts in order of time."""


def in_time_order(alerts: pd.DataFrame) -> np.ndarray:
    """Return the places of the alerts that have a start, earliest first; of equals the lesser `alert_id` first."""
    start = microseconds(alerts["starts_at"])
    known = np.flatnonzero(alerts["starts_at"].notna().to_numpy())
    order = known[np.argsort(start[known], kind="stable")]
    if "alert_id" not in alerts.columns:
        return order
    same = np.flatnonzero(np.diff(start[order]) == 0)
    tied = np.union1d(same, same + 1)  # few, as a rule: only they are sorted by text
    ids = alerts["alert_id"].iloc[order[tied]].fillna("").to_numpy(dtype=object)
    ranks = np.unique(ids, return_inverse=True)[1] if len(ids) else ids
    order[tied] = order[tied][np.lexsort((ranks, start[order[tied]]))] if len(tied) else order[tied]
    return order


def microseconds(times: pd.Series) -> np.ndarray:
    """Return times as whole microseconds since 1970; null is the least number there is."""
    return times.astype(schema.TIME_DTYPE).to_numpy(dtype="datetime64[us]").astype(np.int64)


def number(groups: np.ndarray, *, least: int) -> np.ndarray:
    """Return `groups` numbered by where they first appear; those of fewer than `least` alerts are -1."""
    inside = groups >= 0
    size = np.bincount(groups[inside]) if inside.any() else np.zeros(0, dtype=np.int64)
    kept = inside.copy()
    kept[inside] = size[groups[inside]] >= least
    labels = np.full(len(groups), NOISE, dtype=np.int64)
    labels[kept] = pd.factorize(groups[kept])[0]
    return labels


def quiet_gaps(keys: np.ndarray, at: np.ndarray, gap: int) -> np.ndarray:
    """Return groups of alerts of one key that follow each other within `gap`; `at` ascends."""
    order = np.argsort(keys, kind="stable")
    apart = (np.diff(keys[order]) != 0) | (np.diff(at[order]) > gap)
    groups = np.empty(len(keys), dtype=np.int64)
    groups[order] = np.concatenate([[0], np.cumsum(apart)])[: len(keys)]
    return groups


def windows(keys: np.ndarray, at: np.ndarray, length: int) -> np.ndarray:
    """Return groups of alerts of one key within `length` of the first of the group; `at` ascends."""
    # Where a window ends decides where the next begins: no column operation says that, so one plain pass.
    order = np.argsort(keys, kind="stable")
    found, group, last, until = [], -1, -1, 0
    for key, moment in zip(keys[order].tolist(), at[order].tolist(), strict=True):
        if key != last or moment > until:
            group, last, until = group + 1, key, moment + length
        found.append(group)
    groups = np.empty(len(keys), dtype=np.int64)
    groups[order] = found
    return groups


def whole_microseconds(value: _params.Duration, name: str, *, zero: bool = False) -> int:
    """Return a duration in whole microseconds."""
    return int(_params.duration(value, name, zero=zero) // pd.Timedelta(1, "us"))
