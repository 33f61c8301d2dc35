"""A condition, attributes that must be equal, a time frame, a least number of alerts: Keep's rules and their like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stanza_lab import _params
from stanza_lab.history.selecting import select_alerts
from stanza_lab.incidents.rules import _cel, _values
from stanza_lab.incidents.rules._rule import GroupingRule, microseconds, quiet_gaps, whole_microseconds
from stanza_lab.incidents.rules._rule import windows as fixed_windows
from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    import pandas as pd


class AttributeRule(GroupingRule):
    """Group alerts that meet a condition by their attributes, within a time frame.

    Parameters
    ----------
    where : str, optional
        SQL condition over the columns of the alerts, as in `select_alerts`. Alerts that do not meet it are on their
        own.
    cel : str, optional
        The same in CEL, as Keep writes it: ``== != < <= > >= && || ! in``, ``.contains() .startsWith() .endsWith()
        .matches()``, ``has()``; anything else is refused. With `where`, both must be met.
    by : sequence of str, default ()
        Columns or keys of `labels` that must be equal within a group; none known is a value of its own. More: smaller
        groups.
    window : duration, default "10min"
        Time frame. Larger: fewer, longer groups.
    counted_from : {"last", "first"}, default "last"
        Whether an alert joins when the last alert of the group is not older than `window` (a busy group lasts), or
        the first (no group is longer than `window`).
    min_alerts : int, default 2
        The alerts become a group only when there are so many of them; fewer are on their own (-1). Larger: fewer
        groups, more alerts on their own.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Group of each alert in the order of the rows, numbered by the time of its first alert; -1 is on its own.

    Notes
    -----
    Kept of Keep: the condition per alert, grouping by attributes (alerts that lack one are grouped together), the time
    frame since the last alert, the threshold. Not kept: that a resolved or merged incident takes no more alerts, that
    an incident can need each of several conditions to be met (``create_on: all``), manual approval, deduplication by
    fingerprint before rules. Keep's ``(a) && (b)`` between the groups of its rule builder means either: write
    ``(a) || (b)``; here ``&&`` is and.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:00Z", "2026-03-01T14:01Z", "2026-03-01T14:02Z", "2026-03-01T14:09Z"],
    ...     "severity": ["critical", "info", "error", "error"],
    ...     "service": ["orders", "orders", "orders", "orders"],
    ... })
    >>> sl.AttributeRule(where="severity >= 'error'", by=["service"]).fit(alerts).labels_.tolist()
    [0, -1, 0, 0]
    >>> sl.AttributeRule(cel="severity >= 'high'", window="5min", counted_from="first").fit(alerts).labels_.tolist()
    [0, -1, 0, -1]
    """

    def __init__(
        self,
        *,
        where: str | None = None,
        cel: str | None = None,
        by: Sequence[str] = (),
        window: _params.Duration = "10min",
        counted_from: str = "last",
        min_alerts: int = 2,
    ) -> None:
        self.where = where
        self.cel = cel
        self.by = by
        self.window = window
        self.counted_from = counted_from
        self.min_alerts = min_alerts

    def _groups(self, alerts: pd.DataFrame) -> np.ndarray:
        window = whole_microseconds(self.window, "window")
        cut = {"last": quiet_gaps, "first": fixed_windows}[
            _params.choice(self.counted_from, "counted_from", ("last", "first"))
        ]
        keys = _values.codes(alerts, self.by)
        meeting = self._meeting(alerts)
        groups = np.full(len(alerts), NOISE, dtype=np.int64)
        groups[meeting] = cut(keys[meeting], microseconds(alerts["starts_at"])[meeting], window)
        return groups

    def _meeting(self, alerts: pd.DataFrame) -> np.ndarray:
        """Return the places of the alerts that meet the conditions."""
        met = alerts.assign(_place=np.arange(len(alerts)))
        if self.where is not None:
            met = select_alerts(met, where=self.where)
        if self.cel is not None:
            met = select_alerts(met, where=_cel.to_sql(self.cel, [str(column) for column in alerts.columns]))
        return met["_place"].to_numpy()
