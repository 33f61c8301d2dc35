"""Group alerts into incidents by density in time, service and team."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.utils.validation import validate_data

from stanza_lab import _params, schema
from stanza_lab.incidents import features, hierarchy


class IncidentClusterer(ClusterMixin, BaseEstimator):
    """Group alerts into incidents.

    The distance between two alerts is a time: how far apart they fired, plus `service_gap` if they are about different
    services, plus `team_gap` if they page different teams (unknown is a value of its own). HDBSCAN finds the dense
    groups among the alerts that such distances hold together; every other alert is noise. The hierarchy is exactly
    that of the full matrix of distances, found through sorted neighbours (see `stanza_lab.incidents.hierarchy`).

    Parameters
    ----------
    max_gap : duration, default "20min"
        Largest distance to its `min_neighbours`-nearest alert at which an alert can belong to an incident. Larger:
        fewer, longer incidents, less noise.
    service_gap : duration, default "30s"
        Added between alerts of different services, zero or longer. Larger: incidents stay within a service.
    team_gap : duration, default "1min"
        Added between alerts of different teams, zero or longer. Larger: incidents stay within a team.
    resolution : duration, default "2min"
        Alerts no further apart than this always hold together, even two alone, and how near they are makes no
        difference (monitors check once a minute: the order within a minute means nothing). Larger: incidents are split
        less, two alerts make an incident more often. "0s" turns it off.
    min_alerts : int, default 2
        Fewest alerts of an incident, at least 2. Larger: more noise.
    min_rules : int, default 2
        Fewest different rules of an incident, at least 1: one rule that fires again and again is flapping. Larger: more
        noise. Has no effect where neither `rule_key` nor `alertname` is known.
    min_neighbours : int, default 2
        How many other alerts must be near for an alert to hold others together, at least 1. Larger: a chain of single
        alerts no longer makes an incident.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Incident of each alert in the order of the rows, numbered by the time of its first alert; -1 is noise. Alerts
        without `starts_at` are noise.
    probabilities_ : ndarray of float64, shape (n,)
        How firmly an alert belongs to its incident, 0 (noise) to 1.
    distances_ : ndarray of float64, shape (n,)
        Distance in seconds to the `min_neighbours`-nearest alert; infinite when there are fewer. Above `max_gap`, this
        is why an alert is noise.

    See Also
    --------
    cluster_incidents : The same as a verb over tables.
    summarize_incidents : One row per incident.

    Notes
    -----
    The defaults were chosen on simulated productions only, by ``python -m benchmarks.grouping --choose``.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import IncidentClusterer
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z", "2026-03-01T14:05Z", "2026-03-01T19:30Z"],
    ...     "service": ["orders-db", "orders", "checkout", "search"],
    ... })
    >>> IncidentClusterer().fit(alerts).labels_.tolist()
    [0, 0, 0, -1]

    With a shorter reach, only what lies within the resolution of two minutes still holds together:

    >>> IncidentClusterer(max_gap="3min").fit(alerts).labels_.tolist()
    [-1, 0, 0, -1]
    """

    def __init__(
        self,
        *,
        max_gap: _params.Duration = "20min",
        service_gap: _params.Duration = "30s",
        team_gap: _params.Duration = "1min",
        resolution: _params.Duration = "2min",
        min_alerts: int = 2,
        min_rules: int = 2,
        min_neighbours: int = 2,
    ) -> None:
        self.max_gap = max_gap
        self.service_gap = service_gap
        self.team_gap = team_gap
        self.resolution = resolution
        self.min_alerts = min_alerts
        self.min_rules = min_rules
        self.min_neighbours = min_neighbours

    def fit(self, alerts: Any, y: object = None) -> Self:  # noqa: ARG002 (scikit-learn passes it)
        """Group `alerts`.

        Parameters
        ----------
        alerts : DataFrame or array-like of shape (n, k)
            An alerts table; needs `starts_at` and uses `service`, `team`, `rule_key` or `alertname`, and `alert_id`
            (to decide between equals) when they are there. Of an array of numbers, the first column is the time in
            seconds; the second and third, if any, are codes of service and team; more are not used.
        y : object, optional
            Not used.

        Returns
        -------
        IncidentClusterer
            Itself, fitted.

        Raises
        ------
        SchemaError
            The table has no `starts_at`, or a column does not fit.
        ParameterError
            A parameter is outside its range.
        """
        max_gap_s = _params.duration(self.max_gap, "max_gap").total_seconds()
        service_gap_s = _params.duration(self.service_gap, "service_gap", zero=True).total_seconds()
        team_gap_s = _params.duration(self.team_gap, "team_gap", zero=True).total_seconds()
        resolution_s = _params.duration(self.resolution, "resolution", zero=True).total_seconds()
        min_alerts = _params.at_least(self.min_alerts, "min_alerts", 2)
        min_rules = _params.at_least(self.min_rules, "min_rules", 1)
        k = _params.at_least(self.min_neighbours, "min_neighbours", 1)

        if isinstance(alerts, pd.DataFrame):
            alerts = schema.check(alerts, schema.ALERTS, need=["starts_at"])
            validate_data(self, alerts, skip_check_array=True)
            found = features.from_alerts(alerts)
        else:
            alerts = validate_data(self, alerts, dtype=np.float64)
            found = features.from_numbers(alerts)

        n = len(found)
        left, right = hierarchy.neighbour_pairs(found, k=k)
        apart = hierarchy.pair_distances(found, left, right, service_gap_s=service_gap_s, team_gap_s=team_gap_s)
        core = hierarchy.core_distances(n, left, right, apart, k=k)
        reach = hierarchy.reachability(apart, core[left], core[right], resolution_s=resolution_s, max_gap_s=max_gap_s)
        near = reach <= max_gap_s
        forest = hierarchy.spanning_forest(n, left[near], right[near], reach[near])
        labels, probabilities = hierarchy.cut(n, forest, min_alerts=min_alerts)
        of_few_rules = pd.Series(found.rules).groupby(labels).transform("nunique").to_numpy() < min_rules
        labels = hierarchy.number_by_first(np.where(of_few_rules, schema.NOISE, labels))

        self.labels_ = np.full(len(alerts), schema.NOISE, dtype=np.int64)
        self.probabilities_, self.distances_ = np.zeros(len(alerts)), np.full(len(alerts), np.inf)
        self.labels_[found.rows] = labels
        self.probabilities_[found.rows] = np.where(labels == schema.NOISE, 0.0, probabilities)
        self.distances_[found.rows] = core
        return self


def cluster_incidents(alerts: pd.DataFrame, *, clusterer: ClusterMixin | None = None) -> pd.DataFrame:
    """Add to each alert the incident it belongs to.

    Parameters
    ----------
    alerts : DataFrame
        An alerts table; needs `starts_at` and uses more when it is there (see `IncidentClusterer.fit`).
    clusterer : estimator, optional
        Whatever groups alerts: fitted to a copy through ``fit_predict(alerts)``. Default: ``IncidentClusterer()``.

    Returns
    -------
    DataFrame
        The rows of `alerts` in their order, with the column `incident_id` (int64; -1 = on its own).

    Raises
    ------
    SchemaError
        The table has no `starts_at`, or a column does not fit.

    See Also
    --------
    summarize_incidents : One row per incident.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import cluster_incidents
    >>> alerts = pd.DataFrame({"starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z", "2026-03-01T19:30Z"]})
    >>> cluster_incidents(alerts)["incident_id"].tolist()
    [0, 0, -1]
    """
    alerts = schema.check(alerts, schema.ALERTS, need=["starts_at"])
    model = IncidentClusterer() if clusterer is None else clone(clusterer)
    return alerts.assign(incident_id=np.asarray(model.fit_predict(alerts), dtype=np.int64))
