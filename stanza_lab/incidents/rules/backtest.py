"""The same history through any grouping rule: what it would have joined, split, and kept from people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.history.selecting import span
from stanza_lab.incidents.rules import _damage
from stanza_lab.incidents.rules._rule import GroupingRule, in_time_order
from stanza_lab.incidents.rules._truth import UNKNOWN, true_incidents
from stanza_lab.incidents.rules.reading import default_rules, parse_rule
from stanza_lab.incidents.rules.result import GroupingBacktest
from stanza_lab.schema import NOISE


def backtest_grouping(
    alerts: pd.DataFrame,
    rules: Mapping[str, Any] | Iterable[Any] | None = None,
    *,
    truth: pd.Series | pd.DataFrame | None = None,
    since: _params.Instant | None = None,
    until: _params.Instant | None = None,
) -> GroupingBacktest:
    """Replay grouping rules over a history and say what each would have done.

    An alert *pages* when it is the first of its group or on its own; the others join silently. A rule *hides* a true
    incident when none of its alerts pages: whoever was woken was woken for something else.

    Parameters
    ----------
    alerts : DataFrame
        An alerts table; needs `starts_at` and what the rules compare. Alerts without a start are left out.
    rules : mapping of str to grouper, or iterable, optional
        What to replay: any object with ``fit_predict(alerts)`` by name, or several of them, or texts such as
        "gap:5min", "group_by:alertname,service", "attribute:service", "similarity:0.8", "model"; also what
        `read_rules` returns. Each is copied before it is fitted. Default: one of each kind.
    truth : Series or DataFrame, optional
        The true incident of each alert, as in `score_incidents`; alerts of which it says nothing are unknown and count
        neither way. Without it nobody can tell what a rule splits, merges or hides: these figures are null.
    since, until : time, optional
        Half-open span that is scored, UTC where no zone is stated. A rule sees everything before `until`; one that
        learns (it has ``predict``) is fitted on what lies before `since` and predicts the span.

    Returns
    -------
    GroupingBacktest
        `table` with one row per rule, `summary` in sentences, and the tables `splits`, `merges` and `hidden`.

    Raises
    ------
    SchemaError
        A column is missing, or `truth` cannot be matched.
    ParameterError
        A rule or a time is not understood, or two rules have one name.

    See Also
    --------
    read_rules : Rules from YAML or an `alertmanager.yml`.
    score_incidents : More measures of one grouping.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "alert_id": ["a", "b", "c", "d"],
    ...     "starts_at": ["2026-03-01T14:00Z", "2026-03-01T14:02Z", "2026-03-01T14:03Z", "2026-03-01T19:00Z"],
    ...     "service": ["orders", "orders", "search", "orders"],
    ... })
    >>> truth = pd.DataFrame({"alert_id": ["a", "b", "c"], "incident_id": ["INC-1", "INC-1", "INC-2"]})
    >>> tried = sl.backtest_grouping(alerts, {"quiet": "gap:5min", "attribute": "attribute:service"}, truth=truth)
    >>> print(tried.summary[0])
    quiet turns 4 alerts into 1 incident and 1 alert on its own (2 pages, 50% fewer); finds 100% of the pairs that
    belong together, 33% of its own pairs are right; of 2 real incidents it splits 0, merges 2, and hides 1 alert of 1
    incident that nobody else saw.
    >>> tried.table[["rule", "pages", "recall", "precision", "hidden_alerts"]]
            rule  pages  recall  precision  hidden_alerts
    0      quiet      2     1.0   0.333333              1
    1  attribute      3     1.0   1.000000              0
    """
    groupers = _named(rules, alerts)
    start, end = span(since, until)
    given = schema.check(alerts, schema.ALERTS, need=["starts_at"])
    true, names = true_incidents(given, truth) if truth is not None else (None, [])
    seen = given["starts_at"].notna()
    timeless = int((~seen).sum())
    if end is not None:
        seen &= given["starts_at"] < end
    places = np.flatnonzero(seen.to_numpy())
    given = given.iloc[places].reset_index(drop=True).drop(columns="incident_id", errors="ignore")
    true = None if true is None else true[places]
    inside = np.ones(len(given), dtype=bool) if start is None else (given["starts_at"] >= start).to_numpy()
    ids = (given["alert_id"] if "alert_id" in given.columns else pd.Series(places, index=given.index)).astype("str")

    order = in_time_order(given)
    rows: list[dict[str, Any]] = []
    damage: list[_damage.Damage] = []
    groupings = {"alert_id": ids[inside].reset_index(drop=True)}
    for name, grouper in groupers.items():
        labels, model = _grouped(name, grouper, given, inside)
        pages = np.zeros(len(given), dtype=bool)
        pages[order] = _first_of_group(labels[order])
        row = _counts(labels, pages, inside)
        row["notifications"] = _notifications(model, start)
        if true is not None:
            score = _scores(labels, true, inside)
            harm = _damage.damage(labels, true, inside, pages, names=names, ids=ids, order=order)
            damage.append(harm.of_rule(name))
            row |= score | harm.counts()
        rows.append({"rule": name, **row})
        groupings[name] = pd.Series(labels[inside])
    return GroupingBacktest.of(
        rows,
        damage,
        pd.DataFrame(groupings),
        incidents=None if true is None else len(np.unique(true[inside & (true >= 0)])),
        unknown=0 if true is None else int((true[inside] == UNKNOWN).sum()),
        copies=_copies(given[inside]),
        timeless=timeless,
    )


def _named(rules: Mapping[str, Any] | Iterable[Any] | None, alerts: pd.DataFrame) -> dict[str, Any]:
    """Return the groupers by name."""
    if rules is None:
        return default_rules(alerts)
    if isinstance(rules, str) or hasattr(rules, "fit_predict"):
        rules = [rules]
    pairs = list(rules.items()) if isinstance(rules, Mapping) else [(_name(rule), rule) for rule in rules]
    found: dict[str, Any] = {}
    for name, rule in pairs:
        if str(name) in (*found, "alert_id"):
            raise ParameterError(f"rules: two are called {name!r}; pass a mapping with a name for each")
        found[str(name)] = parse_rule(rule) if isinstance(rule, str) else rule
        if not hasattr(found[str(name)], "fit_predict"):
            raise ParameterError(
                f"rules: {name!r} is {type(rule).__name__} and groups nothing; pass an object with fit_predict(alerts)"
            )
    if not found:
        raise ParameterError("rules: there are none; pass for example ['gap:5min'], or nothing for one of each kind")
    return found


def _name(rule: Any) -> str:
    return rule if isinstance(rule, str) else " ".join(repr(rule).split())


def _grouped(name: str, grouper: Any, alerts: pd.DataFrame, inside: np.ndarray) -> tuple[np.ndarray, Any]:
    """Return the group of each alert, and the fitted copy."""
    model = clone(grouper, safe=False)
    learns = not isinstance(model, GroupingRule) and hasattr(model, "predict")
    if learns and 0 < inside.sum() < len(inside):
        labels = np.full(len(alerts), NOISE, dtype=np.int64)
        labels[~inside] = np.asarray(model.fit_predict(alerts[~inside].reset_index(drop=True)))
        labels[inside] = np.asarray(model.predict(alerts[inside].reset_index(drop=True)))
        return labels, model
    labels = np.asarray(model.fit_predict(alerts))
    if labels.shape != (len(alerts),):
        raise SchemaError(f"rules: {name!r} returned labels of shape {labels.shape} for {len(alerts)} alerts")
    return labels.astype(np.int64), model


def _first_of_group(labels: np.ndarray) -> np.ndarray:
    """Return which alerts page, given their labels in order of time."""
    return (labels < 0) | ~pd.Series(labels).duplicated().to_numpy()


def _counts(labels: np.ndarray, pages: np.ndarray, inside: np.ndarray) -> dict[str, Any]:
    n, paging = int(inside.sum()), int((pages & inside).sum())
    return {
        "alerts": n,
        "groups": len(np.unique(labels[inside & (labels >= 0)])),
        "alone": int((inside & (labels < 0)).sum()),
        "pages": paging,
        "compression": 1 - paging / n if n else np.nan,
    }


def _notifications(model: Any, start: pd.Timestamp | None) -> int | None:
    """Return how many notifications a rule that plans them would have sent; None for another."""
    told = getattr(model, "notifications_", None)
    if told is None:
        return None
    return len(told) if start is None or not len(told) else int((told["at"] >= start).sum())


def _scores(labels: np.ndarray, true: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    """Return the agreement with the truth, over the alerts of the span of which it speaks."""
    from stanza_lab.incidents import score_incidents

    rows = inside & (true != UNKNOWN)
    table = score_incidents(
        pd.DataFrame({"incident_id": labels[rows]}), truth=pd.Series(true[rows]).astype("Int64").where(true[rows] >= 0)
    )
    every, among = table.loc["all alerts"].to_dict(), table.loc["incident alerts"].to_dict()
    return {
        "recall": float(every["pairwise_recall"]),
        "precision": float(every["pairwise_precision"]),
        "ari": float(among["ari"]),
        "ari_all": float(every["ari"]),
    }


def _copies(alerts: pd.DataFrame) -> dict[str, int]:
    """Return how many alerts of each source copy one of a source that is itself there."""
    if not {"origin", "source"} <= set(alerts.columns):
        return {}
    origin, source = alerts["origin"].astype("str"), alerts["source"].astype("str")
    copied = source[origin.isin(source.dropna().unique()) & (origin != source)]
    return {str(name): int(n) for name, n in copied.value_counts().sort_index().items()}
