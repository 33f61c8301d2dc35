"""Group alerts into incidents by density, under a distance that people can read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError
from stanza_lab.incidents.correlation import features as reading
from stanza_lab.incidents.correlation import grouping, hierarchy, joining, learned
from stanza_lab.incidents.correlation.calls import closeness
from stanza_lab.incidents.correlation.evidence import Gaps
from stanza_lab.incidents.correlation.explanation import Explanation, explain
from stanza_lab.incidents.correlation.habits import rule_habits
from stanza_lab.incidents.quality.metrics import score_incidents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scipy.sparse import csr_array

    from stanza_lab.incidents.correlation.evidence import Evidence
    from stanza_lab.incidents.correlation.features import Features
    from stanza_lab.incidents.correlation.recurrence import Recurrence

_USED = frozenset(
    ("starts_at", "ends_at", "alert_id", "rule_key", "alertname", "summary", *reading.NAMED, *reading.LISTED)
)


class IncidentClusterer(ClusterMixin, BaseEstimator):
    """Group alerts into incidents.

    The distance between two alerts is a time: how far apart they fired, plus what pushes them apart (another service,
    another team, rules that fire as by chance, a crowded hour), minus what draws them together (services that call each
    other, a shared trace, rules that came together before, more company of other rules than usual). HDBSCAN finds what
    is dense under this distance; every other alert is noise. `explain` shows the sum for any alert.

    Parameters
    ----------
    max_gap : duration, default "18min"
        Largest distance to its `min_neighbours`-nearest alert at which an alert can belong to an incident. Larger:
        fewer, longer incidents, less noise.
    resolution : duration, default "4min"
        Alerts no further apart than this always hold together, even two alone, and how near they are makes no
        difference (monitors check once a minute: the order within a minute means nothing), but for chronic alerts (see
        `max_chronic`). Larger: incidents are split less, two alerts make an incident more often. "0s" turns it off.
    min_alerts : int, default 2
        Fewest alerts of an incident, at least 2. Larger: more noise.
    min_rules : int, default 1
        Fewest different rules of an incident, at least 1: one rule that fires again and again is flapping. Larger: more
        noise. An alert of which neither `rule_key` nor `alertname` is known counts as a rule of its own.
    min_neighbours : int, default 2
        How many other alerts must be near for an alert to hold others together, at least 1. Larger: a chain of single
        alerts no longer makes an incident.
    max_chronic : float, default 0.9
        From 0 to 1: alerts of rules that are all more chronic than this are no incident, however near; among others,
        such an alert joins the nearest that is less chronic, and holds nothing together. A rule is chronic as far as
        its other alerts, and those of rules that hardly fire without it, have no more company than by chance. Smaller:
        more noise; 1 turns it off.
    service_gap : duration, default "8min"
        Added between alerts of different services (unknown is a value of its own) that share no resource.
    call_gap : duration, default "2min"
        Taken off between services that depend on each other in `edges`, times how sure that is; half of it at two hops.
    team_gap : duration, default "30s"
        Added between alerts of different teams (unknown is a value of its own).
    environment_gap : duration, default "1h"
        Added between environments, where one source tells the two apart.
    trace_gap : duration, default "5min"
        Taken off between alerts that share a trace id.
    kind_gap : duration, default "2min"
        Taken off between alerts of one kind on different services: the same name, or without names the same summary,
        but for numbers.
    recovery_gap : duration, default "0s"
        Taken off between alerts that recovered within two minutes of each other. Where an end is not known yet, it
        tells nothing.
    recurrence_gap : duration, default "90s"
        Taken off for every factor of e by which two rules came together more often than by chance on other occasions,
        up to three; added where they came together less often.
    chronic_gap : duration, default "3min"
        Half of it is added for each of the two alerts whose rule has company as by chance only, and taken off where it
        always has more; in between, in proportion. Judged by the other alerts of the rule, also those of the same
        incident.
    company_gap : duration, default "1min"
        Taken off times log((1 + bouts of other rules that begin within five minutes) / (1 + what is usual in the hours
        around)), never less than 0, of the alert with less of it. A bout of a rule are alerts each within half an hour
        of the one before; rules that hardly fire without each other count as one.
    crowd_gap : duration, default "3min"
        Added times log(1 + bouts of alerts an hour), within three hours before and after, the mean of the two alerts:
        where much happens, less belongs together.
    edges : DataFrame or Graph, optional
        What depends on what: `src`, `dst` and, if known, `link_confidence` (see `DependencyModel`, `call_edges`), or
        `caller` and `callee`. Without it no service is near another.
    passes : int, default 2
        How often the alerts are grouped, at least 1; each grouping after the first knows which rules came together in
        the one before. 1 turns recurrence off. How chronic a rule is needs no grouping.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Incident of each alert in the order of the rows, numbered by the time of its first alert; -1 is noise. Alerts
        without `starts_at` are noise.
    probabilities_ : ndarray of float64, shape (n,)
        How firmly an alert belongs to its incident, 0 (noise) to 1: HDBSCAN's membership strength, no frequency.
    distances_ : ndarray of float64, shape (n,)
        Distance in seconds to the `min_neighbours`-nearest alert; infinite when it is beyond `max_gap`, which makes
        most noise. Too few alerts or rules, or `max_chronic`, can do so too.
    condensed_tree_ : DataFrame
        parent, child (int64), distance_s (float64), size (int64), incident_id (int64, -1 = not chosen) of hdbscan's
        condensed tree: how the incidents split as the distance shrinks. Children below n are alerts in order of time.
    relative_validity_ : float
        From -1 to 1: how much further apart incidents are than they are wide, weighed by size (DBCV, from the links of
        the hierarchy alone). Nothing is taken to be further apart than `max_gap`: compare settings of one `max_gap`
        only, for a longer one raises it even where it joins what does not belong together.
    rules_ : DataFrame
        What was learned of each rule (see `Notes`).
    n_features_in_ : int
        Columns seen in `fit`.

    See Also
    --------
    cluster_incidents : The same as a verb over tables.
    summarize_incidents : One row per incident.
    TimeClusterer : HDBSCAN over time alone.

    Notes
    -----
    All gaps are zero or longer. They and the other defaults are where ``python -m benchmarks.grouping --choose``, a
    climb over simulated productions only, ends; `min_alerts` and `passes` were not varied, and those of environments
    and traces, which the simulation does not vary, are set by rule: environments never mix, a shared trace is worth
    five minutes.

    `rules_` has one row per rule: rule (str), alerts, incidents (int64), alone_share (float64: of its alerts, outside
    every incident), chronic (float64, 0 to 1: how far it fires as by chance, the mean over its alerts), per_day
    (float64) and habit (category): *periodic* (at its hour of the day, on five days or more, and not telling),
    *flapping* (half of its alerts or more within half an hour of the one before, five alerts or more), *chronic* (.9 or
    more, ten alerts or more), *telling* (.5 or less, in two incidents or more) or *unclear*.

    How chronic a rule is: for each of its alerts, the bouts of other rules that begin within five minutes are compared
    with their number in the three hours before and after, as if those were spread evenly; the rank of what was found
    among Poisson counts is .5 on average for a rule that fires whenever it likes, and near 1 for one that fires when
    things break. Rules that came together in three of five times, on four occasions or more, are no company to each
    other: several alarms on one thing are one alarm.

    Alerts meet the 32 that follow within reach; in a storm of more, also the next three of the same service, team,
    rule, trace or resource and the next of a service that is near on the graph. Other pairs are not compared.

    References
    ----------
    Campello, Moulavi, Sander (2013), Density-based clustering based on hierarchical density estimates,
    doi:10.1007/978-3-642-37456-2_14. Moulavi et al. (2014), Density-based clustering validation,
    doi:10.1137/1.9781611973440.96.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import IncidentClusterer
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z", "2026-03-01T14:05Z", "2026-03-01T19:30Z"],
    ...     "service": ["orders-db", "orders", "checkout", "search"],
    ... })
    >>> model = IncidentClusterer().fit(alerts)
    >>> model.labels_.tolist()
    [0, 0, 0, -1]

    A later alert joins, or does not:

    >>> model.predict(pd.DataFrame({"starts_at": ["2026-03-01T14:07Z", "2026-03-02T03:00Z"], "service": "orders"}))
    array([ 0, -1])
    """

    def __init__(
        self,
        *,
        max_gap: _params.Duration = "18min",
        resolution: _params.Duration = "4min",
        min_alerts: int = 2,
        min_rules: int = 1,
        min_neighbours: int = 2,
        max_chronic: float = 0.9,
        service_gap: _params.Duration = "8min",
        call_gap: _params.Duration = "2min",
        team_gap: _params.Duration = "30s",
        environment_gap: _params.Duration = "1h",
        trace_gap: _params.Duration = "5min",
        kind_gap: _params.Duration = "2min",
        recovery_gap: _params.Duration = "0s",
        recurrence_gap: _params.Duration = "90s",
        chronic_gap: _params.Duration = "3min",
        company_gap: _params.Duration = "1min",
        crowd_gap: _params.Duration = "3min",
        edges: Any = None,
        passes: int = 2,
    ) -> None:
        self.max_gap = max_gap
        self.resolution = resolution
        self.min_alerts = min_alerts
        self.min_rules = min_rules
        self.min_neighbours = min_neighbours
        self.max_chronic = max_chronic
        self.service_gap = service_gap
        self.call_gap = call_gap
        self.team_gap = team_gap
        self.environment_gap = environment_gap
        self.trace_gap = trace_gap
        self.kind_gap = kind_gap
        self.recovery_gap = recovery_gap
        self.recurrence_gap = recurrence_gap
        self.chronic_gap = chronic_gap
        self.company_gap = company_gap
        self.crowd_gap = crowd_gap
        self.edges = edges
        self.passes = passes

    def fit(self, alerts: Any, y: object = None) -> Self:  # noqa: ARG002 (scikit-learn passes it)
        """Group `alerts`, and learn the habits of their rules.

        Parameters
        ----------
        alerts : DataFrame or array-like of shape (n, k)
            An alerts table; needs `starts_at` and uses `ends_at`, `service`, `team`, `environment`, `source`,
            `rule_key` or `alertname`, `summary`, `trace_ids`, `resources`, and `alert_id` (to decide between equals,
            and to ask `explain`) when they are there. Of an array of numbers, the first column is the time in seconds;
            the second and third, if any, are codes of service and team; more are not used.
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
        settings, passes = self._settings(), _params.at_least(self.passes, "passes", 1)
        features, vocabulary, ids = self._read(alerts, reset=True)
        services = vocabulary.names.get("service", pd.Index([], dtype="str"))
        calls = closeness(self.edges, services)
        known = grouping.evidence_of(features, settings, calls)
        found = grouping.group(known, settings)
        for _ in range(passes - 1):
            known = grouping.taught(known, found.labels)
            found = grouping.group(known, settings)
        self._vocabulary, self._known, self._found, self._ids = vocabulary, known, found, ids
        self._recurrence = self._learn(known, found.labels)
        self._told: learned.Learned | None = None  # what came from `from_frames`
        self._keep(found.labels, found.probabilities, found.core, rows=len(ids))
        return self

    def predict(self, alerts: Any) -> np.ndarray:
        """Say to which incident new alerts belong, without learning from them.

        The alerts are grouped together with those seen in `fit` around them. A group in which an incident of `fit` is
        found again is that incident; another is a new one.

        Parameters
        ----------
        alerts : DataFrame or array-like of shape (n, k)
            As in `fit`. Alerts that were seen in `fit` are new alerts here.

        Returns
        -------
        ndarray of int64, shape (n,)
            Incident of `fit` that it joins; from the number of incidents on, a new one; -1, on its own.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        SchemaError
            As in `fit`.
        """
        check_is_fitted(self)
        features, _, ids = self._read(alerts, reset=False, learn=False)
        known = self._known
        if self.edges is not None and (features.service >= known.calls.shape[0]).any():  # services never seen in fit
            features, vocabulary, ids = self._read(alerts, reset=False)
            known = replace(known, calls=closeness(self.edges, vocabulary.names["service"]))
        labels = np.full(len(ids), schema.NOISE, dtype=np.int64)
        labels[features.rows] = self._join(known, features).labels
        return labels

    def partial_fit(self, alerts: Any, y: object = None) -> Self:  # noqa: ARG002 (scikit-learn passes it)
        """Add new alerts, for example of a day: group them as `predict` does, then learn from them.

        What was grouped before stays as it is. `labels_`, `probabilities_` and `distances_` grow by the new rows.

        Parameters
        ----------
        alerts : DataFrame or array-like of shape (n, k)
            As in `fit`, none of them seen before.
        y : object, optional
            Not used.

        Returns
        -------
        IncidentClusterer
            Itself. The first call is `fit`.

        Raises
        ------
        SchemaError
            As in `fit`.
        ParameterError
            A parameter is outside its range, or the clusterer came from `from_frames`.
        """
        if not hasattr(self, "labels_"):
            return self.fit(alerts)
        if self._told is not None:
            raise ParameterError("the alerts this was fitted to did not come along, so it cannot learn on; fit anew")
        features, vocabulary, ids = self._read(alerts, reset=False)
        calls = closeness(self.edges, vocabulary.names.get("service", pd.Index([], dtype="str")))
        joined = self._join(replace(self._known, calls=calls), features)
        offset = len(self.labels_)
        features = replace(features, rows=features.rows + offset)
        everything, order = reading.joined(self._known.features, features)
        labels = np.r_[self._found.labels, joined.labels][order]
        probabilities = np.r_[self._found.probabilities, joined.probabilities][order]
        core = np.r_[self._found.core, joined.core][order]
        settings = self._settings()
        known = grouping.evidence_of(everything, settings, calls)
        self._known = grouping.taught(known, labels) if self.passes > 1 else known
        self._recurrence = self._known.recurrence
        self._vocabulary, self._ids = vocabulary, np.concatenate([self._ids, ids])
        fresh = grouping.group(self._known, settings)  # the hierarchy of all; the labels stay
        self._found = replace(fresh, labels=labels, probabilities=probabilities, core=core)
        self._keep(labels, probabilities, core, rows=offset + len(ids))
        return self

    def explain(self, alert: Any) -> Explanation:
        """Say why an alert is where it is: the distance to what holds it, part by part, and what would have moved it.

        Parameters
        ----------
        alert : str or int
            An `alert_id`, or the number of the row in the order in which the alerts were given.

        Returns
        -------
        Explanation
            `words`, `evidence` (what, seconds, words; see `sl.plot.why_together`), `neighbours`, `what_if`.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        ParameterError
            There is no such alert.
        """
        check_is_fitted(self)
        if not len(self._ids):
            raise ParameterError("the alerts this was fitted to did not come along; explain them where it was fitted")
        if isinstance(alert, str):
            places = np.flatnonzero(self._ids == alert)
            if not len(places) or not alert:
                raise ParameterError(
                    f"alert={alert!r} is none of the {len(self._ids):,} alerts seen in fit; pass an alert_id or a row"
                )
            row = int(places[0])
        else:
            row = _params.at_least(alert, "alert", 0)
            if row >= len(self._ids):
                raise ParameterError(f"alert={alert!r} is no row of the {len(self._ids):,} alerts seen in fit")
        return explain(self._known, self._found, self._settings(), self._vocabulary, self._ids, row)

    def score(self, alerts: Any, y: Any = None) -> float:
        """Return how well `predict` agrees with known incidents: the mean of two adjusted Rand indices.

        One is over the alerts of incidents, one over all, where an alert in no incident is a group of its own.

        Parameters
        ----------
        alerts : DataFrame or array-like of shape (n, k)
            As in `predict`.
        y : array-like of shape (n,) or DataFrame
            The true incident of each alert; null, empty or -1 = none. Or a table of labels as `score_incidents` takes.

        Returns
        -------
        float
            1 = the same grouping, 0 = as by chance.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        ParameterError
            There is no `y`: without labels a search has nothing to go by; see `tune` for what else it can go by.
        """
        check_is_fitted(self)
        if y is None:
            raise ParameterError("y=None: pass the true incident of each alert; without labels use stanza_lab.tune")
        labels = self.predict(alerts)
        if isinstance(y, pd.DataFrame):
            scores = score_incidents(alerts.assign(incident_id=labels), truth=y)
        else:
            found = pd.DataFrame({"incident_id": labels})
            scores = score_incidents(found, truth=pd.Series(np.asarray(y, dtype=object), index=found.index))
        return float(scores["ari"].fillna(1.0).mean())

    @property
    def condensed_tree_(self) -> pd.DataFrame:
        """The condensed tree, with the incident that each chosen cluster is."""
        check_is_fitted(self)
        return hierarchy.condensed_tree(self._found.clusters, self._found.labels)

    @property
    def relative_validity_(self) -> float:
        """Density-based validity of the grouping, from -1 to 1."""
        check_is_fitted(self)
        return hierarchy.validity(self._found.forest, self._found.labels, max_gap_s=self._settings().max_gap_s)

    @property
    def rules_(self) -> pd.DataFrame:
        """What was learned of each rule."""
        check_is_fitted(self)
        if self._told is not None:
            return self._told.habits.copy(deep=False)
        return rule_habits(self._known, self._found.labels, self._vocabulary)

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return what was learned as tables, for Parquet: of rules and names, without an alert or the time of one.

        Returns
        -------
        dict of DataFrame
            From which `from_frames` makes a clusterer that judges new alerts as this one does.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        """
        check_is_fitted(self)
        return learned.to_frames(self.learned)

    @classmethod
    def from_frames(cls, frames: Mapping[str, pd.DataFrame], **parameters: Any) -> Self:
        """Make a fitted clusterer from what another one learned.

        Parameters
        ----------
        frames : mapping of str to DataFrame
            Tables from `to_frames`.
        **parameters : object
            Those of the clusterer.

        Returns
        -------
        IncidentClusterer
            Fitted, with no alert in it: `predict` groups new alerts among themselves, by all that was learned, and
            numbers them from the number of incidents seen in `fit` on.

        Raises
        ------
        BundleError
            A table or a column is missing, or does not fit the others.
        ParameterError
            A parameter is outside its range.
        """
        model = cls(**parameters)
        told = learned.from_frames(frames)
        settings = model._settings()
        _params.at_least(model.passes, "passes", 1)
        calls = closeness(model.edges, told.vocabulary.names["service"])
        known = grouping.evidence_of(told.nobody(), settings, calls, told.recurrence)
        found = grouping.group(known, settings)
        model._vocabulary, model._known, model._found = told.vocabulary, known, found
        model._ids, model._recurrence, model._told = np.zeros(0, dtype=object), told.recurrence, told
        model._keep(found.labels, found.probabilities, found.core, rows=0)
        model._count = told.incidents
        return model

    @property
    def learned(self) -> learned.Learned:
        """What new alerts are judged by: names, counts per rule, habits."""
        check_is_fitted(self)
        if self._told is not None:
            return self._told
        return learned.Learned(self._vocabulary, self._recurrence, self.rules_, len(self._ids), self._count)

    def _read(self, alerts: Any, *, reset: bool, learn: bool = True) -> tuple[Features, reading.Vocabulary, np.ndarray]:
        """Return features, names and ids of alerts; `learn`: the names of these alerts as well."""
        if isinstance(alerts, pd.DataFrame):
            if reset:
                validate_data(self, alerts, skip_check_array=True)
            if "starts_at" in alerts.columns:  # or else let it say what is missing
                alerts = alerts[[name for name in alerts.columns if name in _USED]]
            alerts = schema.check(alerts, schema.ALERTS, need=["starts_at"])
            features, vocabulary = reading.from_alerts(alerts, None if reset else self._vocabulary, learn=learn)
        else:
            alerts = validate_data(self, alerts, dtype=np.float64, reset=reset)
            features, vocabulary = reading.from_numbers(alerts, None if reset else self._vocabulary)
            return features, vocabulary, np.full(len(alerts), "", dtype=object)
        named = "alert_id" in alerts
        ids = alerts["alert_id"].to_numpy(dtype=object) if named else np.full(len(alerts), "", dtype=object)
        return features, vocabulary, ids

    def _learn(self, known: Evidence, labels: np.ndarray) -> Recurrence:
        """Return what new alerts are judged by."""
        return grouping.taught(known, labels).recurrence if self.passes > 1 else known.recurrence

    def _join(self, known: Evidence, features: Features) -> joining.Joined:
        return joining.join(known, self._found.labels, features, self._settings(), self._recurrence, count=self._count)

    def _keep(self, labels: np.ndarray, probabilities: np.ndarray, core: np.ndarray, *, rows: int) -> None:
        """Hand out what was found in the order of the rows."""
        places = self._known.features.rows
        self._count = int(labels.max(initial=-1)) + 1
        self.labels_ = np.full(rows, schema.NOISE, dtype=np.int64)
        self.probabilities_, self.distances_ = np.zeros(rows), np.full(rows, np.inf)
        self.labels_[places], self.probabilities_[places], self.distances_[places] = labels, probabilities, core

    @property
    def calls(self) -> csr_array:
        """How near the services are that were learned, by `edges`."""
        check_is_fitted(self)
        return closeness(self.edges, self._vocabulary.names.get("service", pd.Index([], dtype="str")))

    @property
    def settings(self) -> grouping.Settings:
        """The checked parameters, durations in seconds."""
        return self._settings()

    def _settings(self) -> grouping.Settings:
        def seconds(name: str, *, zero: bool = True) -> float:
            return float(_params.duration(getattr(self, name), name, zero=zero).total_seconds())

        return grouping.Settings(
            gaps=Gaps(**{name: seconds(f"{name}_gap") for name in Gaps.__dataclass_fields__}),
            max_gap_s=seconds("max_gap", zero=False),
            resolution_s=seconds("resolution"),
            min_alerts=_params.at_least(self.min_alerts, "min_alerts", 2),
            min_rules=_params.at_least(self.min_rules, "min_rules", 1),
            min_neighbours=_params.at_least(self.min_neighbours, "min_neighbours", 1),
            max_chronic=_params.fraction(self.max_chronic, "max_chronic"),
        )


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
