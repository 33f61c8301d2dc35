"""Group alerts by density in time alone."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from stanza_lab import _params, schema
from stanza_lab.incidents.density import tree

MICROSECOND_S = 1e-6


class TimeClusterer(ClusterMixin, BaseEstimator):
    """Group alerts by density in time alone: HDBSCAN, exactly, of a million alerts in a second.

    Alerts that fire close together are an incident, and how close that is follows the history: dense where it is
    busy, sparse where it is quiet. A baseline for `IncidentClusterer`, which knows more than the time, and the means
    to look at a long history quickly.

    Parameters
    ----------
    min_alerts : int, default 3
        Fewest alerts of an incident, at least 2. Larger: fewer and larger incidents, more noise. (`min_cluster_size`
        of hdbscan.)
    min_neighbours : int, optional
        How many other alerts must be near for an alert to hold others together, at least 1. Larger: a chain of single
        alerts no longer makes an incident. Default: one less than `min_alerts`, so that `min_alerts` close together
        are enough. (`min_samples` of hdbscan, which does not count the alert itself and defaults to one more; in
        scikit-learn it does.)
    max_gap : duration or None, default "10min"
        Nothing joins beyond this: largest distance to its `min_neighbours`-nearest alert at which an alert can belong
        to an incident. What holds together within it competes with its parts on equal terms, even if it is all there
        is. Larger: fewer, longer incidents, less noise. None: no limit, and then, as in hdbscan, all alerts together
        are never an incident.
    resolution : duration, default "2min"
        How near alerts are below this makes no difference (monitors check once a minute: the order within a minute
        means nothing). Larger: incidents are split less. "0s": any difference counts, as in hdbscan.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Incident of each alert in the order of the rows, numbered by the time of its first alert; -1 is noise. Alerts
        without `starts_at` are noise.
    probabilities_ : ndarray of float64, shape (n,)
        How firmly an alert belongs to its incident, 0 (noise) to 1: the shortest distance in the incident divided by
        the one at which the alert leaves it. Beside alerts of the very same instant that is 0 if `resolution` is.
    condensed_tree_ : DataFrame
        How incidents fall apart as less and less distance holds them together: one row per alert and per cluster, in
        hdbscan's meaning. Clusters are numbered from n (all alerts) upward, parents before children.

        - `parent` (int64): the cluster that is left
        - `child` (int64): what leaves it: the row of an alert (below n) or a cluster
        - `distance_s` (float64): seconds below which it no longer belongs (hdbscan's lambda is one divided by this);
          infinite for what nothing joins
        - `size` (int64): alerts in the child

        Sorted by parent, furthest first.

    See Also
    --------
    IncidentClusterer : Also looks at what alerts are about.

    Notes
    -----
    The defaults were chosen on simulated productions only. For plain HDBSCAN pass ``max_gap=None, resolution="0s"``.

    On a line, the nearest neighbours of an alert stand beside it, and of all pairs at most 2n can be part of the
    minimum spanning tree of mutual reachability: those between which every alert has a larger core distance. Sorting
    finds both, so no tree is searched. Then the hierarchy is that of ``hdbscan.HDBSCAN(min_cluster_size=min_alerts,
    min_samples=min_neighbours)``: the same alerts are together at every distance.

    Where several merges happen at one distance, hdbscan takes them in an order that depends on the order of the rows,
    and so do its labels. Here all merges at one distance are one node, which falls into all its parts at once, so that
    labels do not depend on the order of the rows. Without ties the labels are hdbscan's, up to their numbers. But with
    `min_neighbours` above 1 one core distance is shared by the merges on both sides, so there are ties even where no
    two gaps are equal: it is another labelling than hdbscan's own, a little on fine stamps and more on coarse ones
    (``python -m benchmarks.time_clustering`` prints by how much, and how much hdbscan differs from itself when the
    rows are shuffled).

    Distances in an alerts table are exact. In an array of seconds, differences that are equal but for rounding are
    not: pass whole numbers, or a table, where ties matter.

    Memory is about 150 bytes per alert. The first fit on a machine compiles, which takes some seconds.

    References
    ----------
    Campello, Moulavi, Sander: Density-Based Clustering Based on Hierarchical Density Estimates, PAKDD 2013,
    doi:10.1007/978-3-642-37456-2_14

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import TimeClusterer
    >>> minutes = [0, 1, 2, 300, 301, 303, 700]
    >>> alerts = pd.DataFrame({"starts_at": pd.Timestamp("2026-03-01T14:00Z") + pd.to_timedelta(minutes, "min")})
    >>> model = TimeClusterer().fit(alerts)
    >>> model.labels_.tolist()
    [0, 0, 0, 1, 1, 1, -1]

    With no limit to the gap, the tree says when what would join: the last alert leaves below 399 minutes (to its
    second nearest), and the rest falls into two clusters of three below 298:

    >>> TimeClusterer(max_gap=None).fit(alerts).condensed_tree_.head(3)
       parent  child  distance_s  size
    0       7      6     23940.0     1
    1       7      8     17880.0     3
    2       7      9     17880.0     3

    As in hdbscan, all alerts together are then never an incident:

    >>> TimeClusterer(max_gap=None).fit(alerts[:3]).labels_.tolist()
    [-1, -1, -1]
    """

    def __init__(
        self,
        *,
        min_alerts: int = 3,
        min_neighbours: int | None = None,
        max_gap: _params.Duration | None = "10min",
        resolution: _params.Duration = "2min",
    ) -> None:
        self.min_alerts = min_alerts
        self.min_neighbours = min_neighbours
        self.max_gap = max_gap
        self.resolution = resolution

    def fit(self, alerts: Any, y: object = None) -> Self:  # noqa: ARG002 (scikit-learn passes it)
        """Group `alerts`.

        Parameters
        ----------
        alerts : DataFrame or array-like of shape (n, 1)
            An alerts table, of which `starts_at` is used, or times in seconds. Further columns of an array are not
            used.
        y : object, optional
            Not used.

        Returns
        -------
        TimeClusterer
            Itself, fitted.

        Raises
        ------
        SchemaError
            The table has no `starts_at`, or it does not hold times.
        ParameterError
            A parameter is outside its range.
        """
        min_alerts = _params.at_least(self.min_alerts, "min_alerts", 2)
        neighbours = min_alerts - 1
        if self.min_neighbours is not None:
            neighbours = _params.at_least(self.min_neighbours, "min_neighbours", 1)
        closest_s = _params.duration(self.resolution, "resolution", zero=True).total_seconds()
        furthest_s = None if self.max_gap is None else _params.duration(self.max_gap, "max_gap").total_seconds()

        times, rows, self._unit_s = self._times(alerts)
        order = np.argsort(times, kind="stable")
        self._rows = rows[order]
        clusters = tree.alone(len(times))
        if len(times) > 1:
            clusters = tree.condense(
                tree.merge(times[order], neighbours=neighbours),
                min_alerts=min_alerts,
                closest=closest_s / self._unit_s,
                furthest=None if furthest_s is None else furthest_s / self._unit_s,
            )
        self._clusters = clusters

        self.labels_ = np.full(len(alerts), schema.NOISE, dtype=np.int64)
        self.probabilities_ = np.zeros(len(alerts))
        if len(times) > 1:
            self.labels_[self._rows], self.probabilities_[self._rows] = tree.flat(clusters)
        return self

    @property
    def condensed_tree_(self) -> pd.DataFrame:
        """Return how incidents fall apart, one row per alert and cluster (see the class)."""
        check_is_fitted(self)
        return tree.table(self._clusters, self._rows, alerts=len(self.labels_), unit_s=self._unit_s)

    def _times(self, alerts: Any) -> tuple[np.ndarray, np.ndarray, float]:
        """Return the known times, the rows they stand in, and how many seconds one step of them is long."""
        if not isinstance(alerts, pd.DataFrame):
            times = validate_data(self, alerts, dtype=np.float64)[:, 0]
            return times, np.arange(len(times)), 1.0
        validate_data(self, alerts, skip_check_array=True)
        # the other columns are not looked at; without starts_at, the message names them
        looked_at = alerts[["starts_at"]] if "starts_at" in alerts else alerts
        starts_at = schema.check(looked_at, schema.ALERTS, need=["starts_at"])["starts_at"]
        rows = np.flatnonzero(starts_at.notna().to_numpy())
        # as whole microseconds: differences are exact, so equal gaps are equal
        return starts_at.iloc[rows].astype("int64").to_numpy(dtype=np.float64), rows, MICROSECOND_S
