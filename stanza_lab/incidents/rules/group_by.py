"""Alertmanager's `group_by`: alerts of equal labels are one group while one of them is active."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.incidents.rules import _values
from stanza_lab.incidents.rules._rule import GroupingRule, microseconds, whole_microseconds
from stanza_lab.schema import NOISE


class GroupByRule(GroupingRule):
    """Group as one route of Prometheus Alertmanager does.

    Alerts with the same values under `by` are one group. The group flushes `group_wait` after its first alert and
    then every `group_interval`. It lasts until a flush at which all its alerts have ended; a later alert starts a new
    one. A flush sends a notification when an alert fires that the last one did not have.

    Parameters
    ----------
    by : sequence of str, default ("alertname", "cluster", "service")
        Labels or, where an alert has no such label, columns; a label nobody has is empty everywhere. ``["..."]`` is
        all labels (every alert its own group), empty one group for all. More: smaller groups.
    group_wait : duration, default "30s"
        Time from the first alert of a group to its first flush, zero or longer. Larger: fuller first notifications.
    group_interval : duration, default "5min"
        Time between flushes. Larger: fewer notifications, groups that last longer.
    repeat_interval : duration, default "4h"
        Time after which an unchanged group is sent again, at the next flush. Larger: fewer repeats. Does not change
        the groups.
    resolve_timeout : duration, default "5min"
        How long an alert counts as active when no end is known. Larger: longer groups. Alertmanager uses it for
        alerts that came without an end and are not sent again.
    min_alerts : int, default 2
        Fewest alerts of a group; fewer are on their own (-1). Alertmanager has no such limit: a group of one is sent.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Group of each alert in the order of the rows, numbered by the time of its first alert; -1 is on its own.
    announced_ : ndarray of bool, shape (n,)
        Whether the alert was still active at its first flush, and so in a notification at all.
    notifications_ : DataFrame
        One row per notification that an alert of its own caused, in order of time: `at` (time), `incident_id` (its
        label; -1 where the group is one alert), `alerts` (int64, new ones in it), `repeats` (int64, how often it was
        sent again before the next).

    See Also
    --------
    AlertmanagerRoute : A whole tree of routes.

    Notes
    -----
    Kept: grouping by labels, the timing of flushes, life and death of groups, first notifications, repeats. Not kept:
    routing (see `AlertmanagerRoute`), silences, inhibition, mute times, notifications that only say "resolved",
    restarts, failed deliveries. When the alert reached Alertmanager is taken to be when it started; one that arrives
    late (older than `group_wait`) flushes at once in Alertmanager, here it waits. An alert that starts at the very
    moment of a group's last flush is taken to join it.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:00:00Z", "2026-03-01T14:08:00Z", "2026-03-01T14:20:00Z"],
    ...     "ends_at": ["2026-03-01T14:09:00Z", "2026-03-01T14:09:00Z", "2026-03-01T14:30:00Z"],
    ...     "alertname": ["HighLatency"] * 3,
    ... })
    >>> rule = sl.GroupByRule(by=["alertname"]).fit(alerts)
    >>> rule.labels_.tolist()
    [0, 0, -1]

    The second alert ended before the flush at 14:10:30, so nobody was told of it:

    >>> rule.announced_.tolist()
    [True, False, True]
    >>> rule.notifications_["at"].dt.strftime("%H:%M:%S").tolist()
    ['14:00:30', '14:20:30']
    """

    def __init__(
        self,
        *,
        by: Sequence[str] = ("alertname", "cluster", "service"),
        group_wait: _params.Duration = "30s",
        group_interval: _params.Duration = "5min",
        repeat_interval: _params.Duration = "4h",
        resolve_timeout: _params.Duration = "5min",
        min_alerts: int = 2,
    ) -> None:
        self.by = by
        self.group_wait = group_wait
        self.group_interval = group_interval
        self.repeat_interval = repeat_interval
        self.resolve_timeout = resolve_timeout
        self.min_alerts = min_alerts

    def _groups(self, alerts: pd.DataFrame) -> np.ndarray:
        wait = whole_microseconds(self.group_wait, "group_wait", zero=True)
        interval = whole_microseconds(self.group_interval, "group_interval")
        repeat = whole_microseconds(self.repeat_interval, "repeat_interval")
        start = microseconds(alerts["starts_at"])
        end = start + whole_microseconds(self.resolve_timeout, "resolve_timeout")
        if "ends_at" in alerts.columns:
            end = np.where(alerts["ends_at"].notna(), np.maximum(microseconds(alerts["ends_at"]), start), end)
        if list(self.by) == [_values.ALL_LABELS]:
            keys = _values.fingerprints(alerts)
        else:
            keys = _values.codes(alerts, self.by, labels_first=True, need=False)
        groups, first, last = _lives(keys, start, end, wait=wait, interval=interval)
        flush = _flush(start, first + wait, interval)
        self._sent = end > flush
        self._told = _notifications(groups, flush, last, self._sent, step=(repeat // interval + 1) * interval)
        self._of_group = groups
        return groups

    def _finish(self, rows: np.ndarray) -> None:
        self.announced_ = np.zeros(len(self.labels_), dtype=bool)
        self.announced_[rows] = self._sent
        label = np.full(self._of_group.max(initial=-1) + 1, NOISE, dtype=np.int64)
        label[self._of_group] = self.labels_[rows]
        told = self._told
        at = pd.Series(told["at"].to_numpy().view("datetime64[us]")).dt.tz_localize("UTC").astype(schema.TIME_DTYPE)
        columns = {"at": at, "incident_id": label[told["group"]], "alerts": told["alerts"], "repeats": told["repeats"]}
        self.notifications_ = pd.DataFrame(columns)
        del self._sent, self._told, self._of_group


def _lives(
    keys: np.ndarray, start: np.ndarray, end: np.ndarray, *, wait: int, interval: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each alert its group, when that began, and the flush at which it was over; `start` ascends."""
    # The flushes of a group depend on when it began, and that on the flushes before: one plain pass.
    order = np.argsort(keys, kind="stable")
    group, last, began, active, over = -1, -1, 0, 0, 0
    groups, starts, overs = [], [], []
    for key, at, until in zip(keys[order].tolist(), start[order].tolist(), end[order].tolist(), strict=True):
        if key != last or at > over:
            group, last, began, active = group + 1, key, at, until
            overs.append(0)
        active = max(active, until)
        over = began + wait + max(0, -(-(active - began - wait) // interval)) * interval
        groups.append(group)
        starts.append(began)
        overs[group] = over
    of_group, first = np.empty(len(keys), dtype=np.int64), np.empty(len(keys), dtype=np.int64)
    of_group[order], first[order] = groups, starts
    return of_group, first, np.array(overs, dtype=np.int64)


def _flush(start: np.ndarray, first: np.ndarray, interval: int) -> np.ndarray:
    """Return the first flush at or after each start, given the first one of its group."""
    return np.asarray(first + np.maximum(0, -((first - start) // interval)) * interval)


def _notifications(
    groups: np.ndarray, flush: np.ndarray, last: np.ndarray, sent: np.ndarray, *, step: int
) -> pd.DataFrame:
    """Return the notifications, in order of time: group, at, alerts, repeats until the next or the group's end."""
    told = pd.DataFrame({"group": groups[sent], "at": flush[sent]}).value_counts(sort=False).rename("alerts")
    table = told.reset_index().sort_values(["group", "at"], ignore_index=True)
    same = table["group"].eq(table["group"].shift(-1))
    until = table["at"].shift(-1, fill_value=0).where(same, last[table["group"].to_numpy()])
    table["repeats"] = (-((table["at"] - until) // step) - 1).clip(lower=0)
    return table.sort_values(["at", "group"], ignore_index=True)
