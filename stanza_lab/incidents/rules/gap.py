"""A new incident after a quiet gap: what everybody has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stanza_lab.incidents.rules import _values
from stanza_lab.incidents.rules._rule import GroupingRule, microseconds, quiet_gaps, whole_microseconds

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from stanza_lab import _params


class GapRule(GroupingRule):
    """Start a new group after a quiet gap.

    Parameters
    ----------
    gap : duration, default "5min"
        Longest time between one alert and the next of the same group. Larger: fewer, longer groups.
    by : sequence of str, default ()
        Columns or keys of `labels` that must be equal within a group; none known is a value of its own. More: smaller
        groups. Empty: all alerts in one row.
    min_alerts : int, default 2
        Fewest alerts of a group; fewer are on their own (-1).

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Group of each alert in the order of the rows, numbered by the time of its first alert; -1 is on its own.

    See Also
    --------
    backtest_grouping : What a rule would have done to a history.

    Notes
    -----
    Only starts count: an alert that still fires does not keep a group open.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z", "2026-03-01T14:06Z", "2026-03-01T19:30Z"],
    ...     "service": ["orders-db", "search", "orders-db", "search"],
    ... })
    >>> sl.GapRule(gap="5min").fit(alerts).labels_.tolist()
    [0, 0, 0, -1]
    >>> sl.GapRule(gap="5min", by=["service"]).fit(alerts).labels_.tolist()
    [0, -1, 0, -1]
    """

    def __init__(self, *, gap: _params.Duration = "5min", by: Sequence[str] = (), min_alerts: int = 2) -> None:
        self.gap = gap
        self.by = by
        self.min_alerts = min_alerts

    def _groups(self, alerts: pd.DataFrame) -> np.ndarray:
        gap = whole_microseconds(self.gap, "gap")
        return quiet_gaps(_values.codes(alerts, self.by), microseconds(alerts["starts_at"]), gap)
