"""How good a grouping is when nobody knows the truth: three views, none of which a trivial grouping wins.

Everything in one incident and everything on its own both score 0 in each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from stanza_lab import _params, schema

DROPPED = (0.1, 0.15, 0.2)  # shares of the alerts left out, one after the other
LEAST_GROUPED = 0.2  # a grouping that puts fewer alerts into incidents is close to "everything alone"
MOST_TIME = 0.5  # one whose incidents go on for more of the time is close to "everything one incident"
NEIGHBOURS = 50  # later alerts each alert is paired with at most: a storm has no more say than that

Regroup = Callable[[pd.DataFrame], np.ndarray]


def density_validity(alerts: pd.DataFrame) -> float:
    """Return how clearly incidents stand apart in time, from -1 to 1.

    As in DBCV, each incident has a sparseness, its longest pause between two alerts, and a separation, the shortest
    time from one of its alerts to an alert of another incident; its validity is their difference by the larger of the
    two, and the mean is weighted by alerts, those on their own weighing with 0. In one dimension the longest pause is
    the longest edge of the spanning tree, so nothing is approximated; DBCV's core distances are left out, since they
    make alerts of one instant infinitely dense. A lone incident has nothing to be separate from: 0.

    Incidents that overlap in time cost, whether or not they should be two: time alone cannot tell.

    Parameters
    ----------
    alerts : DataFrame
        With `starts_at` and `incident_id`; alerts without a time are left out.

    Returns
    -------
    float
        0 too when there are no alerts.

    References
    ----------
    Moulavi and others (2014), Density-based clustering validation, doi:10.1137/1.9781611973440.96.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab.tuning.unlabelled import density_validity
    >>> at = pd.to_datetime(["2026-03-01T10:00Z", "2026-03-01T10:01Z", "2026-03-01T11:00Z", "2026-03-01T11:02Z"])
    >>> round(density_validity(pd.DataFrame({"starts_at": at, "incident_id": [0, 0, 1, 1]})), 3)
    0.975
    >>> density_validity(pd.DataFrame({"starts_at": at, "incident_id": 0}))
    0.0
    """
    seconds, labels = _in_time_order(alerts)
    grouped = labels != schema.NOISE
    if len(np.unique(labels[grouped])) < 2:
        return 0.0
    total = len(labels)
    seconds, labels = seconds[grouped], labels[grouped]
    pauses = pd.Series(seconds).groupby(labels).agg(lambda at: np.diff(at).max(initial=0.0))
    # the nearest alert of another incident is a neighbour in time
    border = labels[1:] != labels[:-1]
    sides = pd.Series(np.tile(np.diff(seconds)[border], 2), index=np.r_[labels[:-1][border], labels[1:][border]])
    apart = sides.groupby(level=0).min()
    larger = apart.where(apart > pauses, pauses)
    validity = (apart - pauses) / larger.where(larger > 0, 1.0)
    return float((validity * pd.Series(labels).value_counts()).sum() / total)


def stability(alerts: pd.DataFrame, *, regroup: Regroup, random_state: int = 0) -> float:
    """Return how well a grouping survives when some alerts are missing, from about 0 to 1.

    The alerts are grouped again with 10, 15 and 20 % of them left out at random. Of each, the adjusted Rand index
    between the first grouping and the new one over the alerts kept (an alert on its own is a group of its own); the
    mean of the three.

    Nothing is as stable as no grouping at all, so the mean is scaled down towards 0 where less than 20 % of the alerts
    are in incidents, or where incidents go on for more than half of the time.

    Parameters
    ----------
    alerts : DataFrame
        With `starts_at`, and `incident_id` as grouped.
    regroup : callable
        Takes some of the rows (without `incident_id`), returns their incidents.
    random_state : int, default 0
        Decides which alerts are left out.

    Returns
    -------
    float
        0 when there are fewer than 2 alerts.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import IncidentClusterer
    >>> from stanza_lab.tuning.unlabelled import stability
    >>> at = pd.to_datetime([0, 60, 120, 90000, 90060, 180000, 180060], unit="s", utc=True)
    >>> alerts = pd.DataFrame({"starts_at": at, "service": "orders"})
    >>> group = IncidentClusterer().fit_predict
    >>> stability(alerts.assign(incident_id=group(alerts)), regroup=group)
    1.0
    """
    if len(alerts) < 2:
        return 0.0
    labels = alerts["incident_id"].to_numpy()
    rest = alerts.drop(columns="incident_id")
    random = np.random.default_rng(random_state)
    scores = []
    for share in DROPPED:
        kept = np.flatnonzero(random.random(len(alerts)) >= share)
        if len(kept) > 1:
            again = np.asarray(regroup(rest.iloc[kept]))
            scores.append(adjusted_rand_score(singled(labels[kept]), singled(again)))
    return _substance(alerts) * float(np.mean(scores)) if scores else 0.0


def _substance(alerts: pd.DataFrame) -> float:
    """Return 1 for a grouping that says something, falling to 0 towards all alone and towards all in one."""
    seconds, labels = _in_time_order(alerts)
    of = pd.Series(seconds)[labels != schema.NOISE].groupby(labels[labels != schema.NOISE])
    spans = pd.DataFrame({"first": of.min(), "last": of.max()}).sort_values("first")
    # what an incident adds to the time during which some incident goes on
    seen = spans["last"].cummax().shift(fill_value=-np.inf)
    busy = (spans["last"] - np.maximum(spans["first"], seen)).clip(lower=0).sum()
    whole = np.ptp(seconds) if len(seconds) else 0.0
    quiet = 1 - busy / whole if whole > 0 else 0.0
    grouped = float((labels != schema.NOISE).mean()) if len(labels) else 0.0
    return float(min(1.0, grouped / LEAST_GROUPED) * min(1.0, quiet / (1 - MOST_TIME)))


def trace_agreement(
    alerts: pd.DataFrame, *, edges: pd.DataFrame | None = None, window: _params.Duration = "10min"
) -> float:
    """Return how much rather than others alerts are together that traces connect, from -1 to 1; null if unknown.

    Looked at are pairs of alerts that began within `window` of each other. A pair is connected when both name one
    trace, or when one's service calls the other's. A pair is not connected when `edges` knows both services, they
    differ, and neither calls the other. Every other pair says nothing. The result is the share of the connected pairs
    that are in one incident, less that share of the pairs that are not connected: what being together owes to chance,
    to the hour or to large incidents is in both shares. Each alert is paired with the next 50 at most.

    Parameters
    ----------
    alerts : DataFrame
        With `starts_at` and `incident_id`, and `service` or `trace_ids`.
    edges : DataFrame, optional
        `src`, `dst`: who calls whom, for example from `call_edges`. Without it all pairs of known, different services
        that share no trace count as not connected.
    window : duration, default "10min"
        How near in time two alerts must begin to be looked at. Larger: more pairs, fainter evidence.

    Returns
    -------
    float
        Null when there is no connected pair, or none that is not.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab.tuning.unlabelled import trace_agreement
    >>> at = pd.to_datetime([0, 30, 60], unit="s", utc=True)
    >>> alerts = pd.DataFrame({"starts_at": at, "service": ["web", "db", "mail"], "incident_id": [0, 0, -1]})
    >>> edges = pd.DataFrame({"src": ["web", "mail"], "dst": ["db", "smtp"]})
    >>> trace_agreement(alerts, edges=edges)
    1.0
    >>> trace_agreement(alerts.assign(incident_id=0), edges=edges)
    0.0
    """
    limit = _params.duration(window, "window").total_seconds()
    known = alerts[alerts["starts_at"].notna()].sort_values("starts_at", kind="stable", ignore_index=True)
    seconds, labels = _in_time_order(known)
    service, calls, judged = _calls(known, edges)
    shared = _shared_traces(known)
    together = np.zeros(2, dtype=np.int64)
    pairs = np.zeros(2, dtype=np.int64)
    for step in range(1, min(NEIGHBOURS, len(known) - 1) + 1):
        left = np.flatnonzero(seconds[step:] - seconds[:-step] <= limit)
        if len(left) == 0:
            break
        right = left + step
        connected = np.isin(left, shared.get(step, ())) | _called(service, calls, left, right)
        separate = ~connected & judged[left] & judged[right] & (service[left] != service[right])
        same = (labels[left] == labels[right]) & (labels[left] != schema.NOISE)
        for kind, chosen in enumerate((connected, separate)):
            pairs[kind] += chosen.sum()
            together[kind] += (chosen & same).sum()
    if not pairs.all():
        return float("nan")
    return float(together[0] / pairs[0] - together[1] / pairs[1])


def _calls(alerts: pd.DataFrame, edges: pd.DataFrame | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the code of each alert's service, the calls as sorted pairs of codes, and whether a service is judged."""
    nowhere = np.full(len(alerts), -1)
    if "service" not in alerts:
        return nowhere, np.zeros((0,), dtype=np.int64), np.zeros(len(alerts), dtype=bool)
    service, names = pd.factorize(alerts["service"].astype("str"))
    if edges is None:
        return service, np.zeros((0,), dtype=np.int64), service >= 0
    ends = [names.get_indexer(pd.Index(edges[side].astype("str"))) for side in ("src", "dst")]
    both = (ends[0] >= 0) & (ends[1] >= 0)
    low, high = np.minimum(*ends)[both], np.maximum(*ends)[both]
    seen = np.unique(np.concatenate(ends))
    return service, np.unique(low * len(names) + high), np.isin(service, seen[seen >= 0])


def _called(service: np.ndarray, calls: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    low, high = np.minimum(service[left], service[right]), np.maximum(service[left], service[right])
    known: np.ndarray = np.isin(low * (service.max(initial=0) + 1) + high, calls) & (low >= 0) & (low != high)
    return known


def _shared_traces(alerts: pd.DataFrame) -> dict[int, np.ndarray]:
    """Return, by how many places later the other alert stands, the alerts that share a trace with another."""
    if "trace_ids" not in alerts:
        return {}
    named = alerts["trace_ids"].explode().dropna()
    traces = pd.DataFrame({"at": named.index.to_numpy(), "trace": pd.factorize(named)[0]}).sort_values(["trace", "at"])
    found: dict[int, list[int]] = {}
    for step in range(1, min(NEIGHBOURS, len(traces) - 1) + 1):
        left, right = traces.iloc[:-step], traces.iloc[step:]
        same = left["trace"].to_numpy() == right["trace"].to_numpy()
        if not same.any():
            break
        for at, later in zip(left["at"].to_numpy()[same], right["at"].to_numpy()[same], strict=True):
            found.setdefault(int(later - at), []).append(int(at))
    return {step: np.unique(places) for step, places in found.items()}


def singled(labels: np.ndarray) -> np.ndarray:
    """Return the groups with a name of its own for each alert on its own."""
    return np.where(labels == schema.NOISE, -2 - np.arange(len(labels)), labels)


def _in_time_order(alerts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    known = alerts[alerts["starts_at"].notna()].sort_values("starts_at", kind="stable")
    return known["starts_at"].astype("int64").to_numpy() / 1e6, known["incident_id"].to_numpy()
