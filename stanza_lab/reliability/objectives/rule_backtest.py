"""What alert rules would have found of the events that mattered, and of the rest: burn rates beside thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.production import words
from stanza_lab.reliability.objectives import tables
from stanza_lab.reliability.objectives.burning import burn_alerts
from stanza_lab.reliability.objectives.counts import select
from stanza_lab.reliability.objectives.events import events_of
from stanza_lab.reliability.objectives.objective import Objective, objectives_of
from stanza_lab.reliability.objectives.sureness import Share

if TYPE_CHECKING:
    from stanza_lab.production.door.contributed import Contributed

RULES: dict[str, Any] = {
    "rule": "str",
    "kind": "str",  # burn rate, threshold
    "alerts": "int64",  # in the time that was counted
    "significant_alerts": "int64",  # of them during a significant event
    "precision": "float64",
    "precision_low": "float64",
    "precision_high": "float64",
    "events": "int64",  # significant ones it could have found
    "detected": "int64",
    "recall": "float64",
    "recall_low": "float64",
    "recall_high": "float64",
    "detection_s": "float64",  # median from the begin of the event to the first alert
    "detection_p90_s": "float64",
    "reset_s": "float64",  # median from the end of the event to the end of the last alert
    "resets": "int64",  # events of which that is known
    "words": "str",
}
LEAST = 5  # alerts, or events, below which a share is not given
_SHOWN = 40


@dataclass(frozen=True, eq=False, repr=False)
class RuleBacktest:
    """What alert rules would have found, as `backtest_alert_rules` returns it.

    Attributes
    ----------
    rules : DataFrame
        A row per rule and for all rules of a kind together: alerts, precision, recall, detection and reset time.
    events : DataFrame
        What mattered and what did not: service, objective, starts_at, ends_at, bad, total, spent, significant.
    alerts : DataFrame
        Every alert that was judged: rule, kind, service, starts_at, ends_at, significant (during such an event).
    definition : str
        What counts as what, in words.
    unseen : list of str
        What could not be judged.
    """

    rules: pd.DataFrame
    events: pd.DataFrame
    alerts: pd.DataFrame
    definition: str
    unseen: list[str]

    def __repr__(self) -> str:
        """Count what is there."""
        significant = int(self.events["significant"].sum())
        return (
            f"RuleBacktest({words.count(len(self.rules), 'row')}, {words.count(len(self.alerts), 'alert')}, "
            f"{significant} of {words.count(len(self.events), 'event')} significant)"
        )

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{escape(said[:400])}</li>" for said in self.rules["words"].head(_SHOWN))
        unseen = "".join(f"<li>{escape(said[:300])}</li>" for said in self.unseen[:_SHOWN])
        return (
            f"<div><p><b>{escape(repr(self))}</b></p><ul>{lines}</ul><p><small>{escape(self.definition)}</small></p>"
            f"<ul>{unseen}</ul></div>"
        )


def backtest_alert_rules(
    indicators: pd.DataFrame,
    *,
    objectives: Contributed | Objective | Iterable[Objective],
    alerts: pd.DataFrame | None = None,
    significant: float = 0.02,
    quiet: _params.Duration = "30min",
    grace: _params.Duration = "10min",
    min_total: int | None = None,
) -> RuleBacktest:
    """Compare burn-rate alerts and the alerts there are by what they find of the events that matter.

    Parameters
    ----------
    indicators : DataFrame
        As `read_indicators` returns it. They say what really happened.
    objectives : Objective, list of Objective or Contributed
        What is promised: an event matters when it consumes a large part of an error budget.
    alerts : DataFrame, optional
        `schema.ALERTS` as they really fired, judged by rule (`alertname`) at the service of the indicators.
    significant : float, default 0.02
        Share of the error budget from which on an event is significant; larger has fewer. 0.02 is what the workbook's
        fastest page waits for.
    quiet : duration, default "30min"
        Pause up to which two stretches of failures are one event; larger joins more.
    grace : duration, default "10min"
        How long after the end of an event an alert still counts as having found it.
    min_total : int, optional
        See `burn_rates`.

    Returns
    -------
    RuleBacktest
        Tables `rules` (burn rates first, then thresholds, the busiest first; of each kind first all together), `events`
        and `alerts`; `definition`, `unseen`.

    Raises
    ------
    UnknownNameError
        No objective fits a service of the table.
    ParameterError
        `significant` is no share.

    Notes
    -----
    Precision: alerts that were open during a significant event of their service / all alerts. Recall: significant
    events during which an alert was open / all significant events. Detection time: from the begin of the event (its
    first interval with more failures than the objective allows and chance explains: more than m + 2 sqrt(m) + 1 of m
    allowed) to its first alert; an alert that was open before is
    0. Reset time: from the end of the event to the end of its last alert; earlier ends count as 0. Intervals are
    Wilson's (95 %). A burn so slow that no interval stands out is no event, so what finds it counts against precision.
    Below 5 alerts, or 5 events, a share is not given.

    References
    ----------
    Beyer et al., The Site Reliability Workbook, chapter 5, Alerting on SLOs (2018).

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> at = pd.date_range("2026-03-01 00:05", periods=48, freq="5min", tz="UTC")
    >>> counts = pd.DataFrame({"service": "shop", "indicator": "requests", "at": at, "covers_s": 300.0,
    ...                        "good": [100.0] * 12 + [50.0] * 6 + [100.0] * 30, "total": 100.0})
    >>> promised = sl.Objective(name="Answers", service="shop", objective=99.9)
    >>> found = sl.backtest_alert_rules(counts, objectives=promised)
    >>> found.rules.loc[found.rules["rule"] == "page 1h", ["alerts", "detected", "detection_s", "reset_s"]]
       alerts  detected  detection_s  reset_s
    2       1         1        300.0    300.0
    """
    share = _params.fraction(significant, "significant")
    pause, late = _params.duration(quiet, "quiet"), _params.duration(grace, "grace", zero=True)
    wanted = objectives_of(objectives)
    known = tables.checked(indicators)
    counted, unseen = select(known, wanted)
    events = events_of(counted, significant=share, quiet=pause)
    fired = burn_alerts(known, objectives=wanted, min_total=min_total)
    judged = fired.assign(kind="burn rate")[
        ["rule", "kind", "severity", "service", "objective", "starts_at", "ends_at"]
    ]
    unseen += fired.attrs["unseen"]
    if alerts is not None:
        spans = known.groupby("service")["at"].agg(["min", "max"])
        mine, said = _thresholds(alerts, spans)
        judged = pd.concat([judged, mine], ignore_index=True)
        unseen += said
    judged = _during(judged, events[events["significant"]], late)
    rows = _rows(
        judged, events[events["significant"]], late, kinds=["burn rate", *(["threshold"] if alerts is not None else [])]
    )
    names = [rule.name for one in wanted for rule in one.rules]
    silent = [name for name in dict.fromkeys(names) if name not in set(judged["rule"])]
    unseen += [f"{name} never fired" for name in silent]
    return RuleBacktest(
        rules=tables.framed(rows, RULES),
        events=events,
        alerts=judged,
        definition=_definition(share, pause, late, events, known),
        unseen=list(dict.fromkeys(unseen)),
    )


def _thresholds(alerts: pd.DataFrame, spans: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the alerts of services that were counted, in the time in which they were."""
    known = schema.check(alerts, schema.ALERTS, need=["service", "alertname", "starts_at", "ends_at"])
    service = known["service"].astype("str")
    first, last = service.map(spans["min"]), service.map(spans["max"])
    inside = known["starts_at"].between(first, last)
    other = int((~service.isin(spans.index)).sum())
    outside = int((service.isin(spans.index) & ~inside).sum())
    said = []
    if other:
        said.append(f"{words.count(other, 'alert')} of services without indicators: whether they mattered is not known")
    if outside:
        said.append(f"{words.count(outside, 'alert')} outside the time that was counted")
    kept = known[inside]
    severity = kept["severity"].astype("str") if "severity" in kept.columns else None
    table = pd.DataFrame(
        {
            "rule": kept["alertname"].astype("str").fillna("no name"),
            "kind": "threshold",
            "severity": severity,
            "service": service[inside],
            "objective": None,
            "starts_at": kept["starts_at"],
            "ends_at": kept["ends_at"],
        }
    )
    return table.reset_index(drop=True), said


def _during(alerts: pd.DataFrame, events: pd.DataFrame, late: pd.Timedelta) -> pd.DataFrame:
    """Return the alerts with whether each was open during an event of its service."""
    hit = np.zeros(len(alerts), dtype=bool)
    ends = alerts["ends_at"].fillna(alerts["starts_at"])
    for event in events.to_dict("records"):
        same = _same(alerts, event)
        hit |= (same & (alerts["starts_at"] <= event["ends_at"] + late) & (ends >= event["starts_at"])).to_numpy()
    return alerts.assign(significant=hit)


def _same(alerts: pd.DataFrame, event: dict[Any, Any]) -> pd.Series:
    """Tell which alerts are about what an event is about: its service, and of burn rates its objective."""
    about = alerts["objective"].isna() | (alerts["objective"] == event["objective"])
    return pd.Series((alerts["service"] == event["service"]) & about)


def _rows(alerts: pd.DataFrame, events: pd.DataFrame, late: pd.Timedelta, *, kinds: list[str]) -> list[dict[str, Any]]:
    rows = []
    for kind in kinds:
        own = alerts[alerts["kind"] == kind]
        rows.append(_row(f"all {kind} rules", kind, own, events, late))
        pages = own[own["severity"] == "page"]
        if kind == "burn rate" and len(pages):
            rows.append(_row("all page rules", kind, pages, events, late))
        counts = own["rule"].value_counts()
        names = sorted(counts.index, key=lambda name: (-int(counts[name]), str(name)))
        rows += [_row(str(name), kind, own[own["rule"] == name], events, late) for name in names]
    return rows


def _row(rule: str, kind: str, alerts: pd.DataFrame, events: pd.DataFrame, late: pd.Timedelta) -> dict[str, Any]:
    if kind == "threshold" and not rule.startswith("all "):
        events = events[events["service"].isin(set(alerts["service"]))]  # a rule finds what happens at its services
    delays, resets = [], []
    ends = alerts["ends_at"].fillna(alerts["starts_at"])
    detected = 0
    for event in events.to_dict("records"):
        near = _same(alerts, event) & (alerts["starts_at"] <= event["ends_at"] + late) & (ends >= event["starts_at"])
        if not near.any():
            continue
        detected += 1
        mine = alerts[near]
        delays.append(max(0.0, (mine["starts_at"].min() - event["starts_at"]).total_seconds()))
        if mine["ends_at"].notna().all():
            resets.append(max(0.0, (mine["ends_at"].max() - event["ends_at"]).total_seconds()))
    good = int(alerts["significant"].sum())
    precision, recall = _shared(good, len(alerts)), _shared(detected, len(events))
    row: dict[str, Any] = {
        "rule": rule,
        "kind": kind,
        "alerts": len(alerts),
        "significant_alerts": good,
        **dict(zip(("precision", "precision_low", "precision_high"), precision, strict=True)),
        "events": len(events),
        "detected": detected,
        **dict(zip(("recall", "recall_low", "recall_high"), recall, strict=True)),
        "detection_s": float(np.median(delays)) if delays else np.nan,
        "detection_p90_s": float(np.quantile(delays, 0.9)) if delays else np.nan,
        "reset_s": float(np.median(resets)) if resets else np.nan,
        "resets": len(resets),
    }
    row["words"] = _words(row)
    return row


def _shared(part: int, whole: int) -> tuple[float, float, float]:
    if whole < LEAST:
        return np.nan, np.nan, np.nan
    low, high = Share(part, whole, whole).interval()
    return part / whole, low, high


def _words(row: dict[str, Any]) -> str:
    alerts = f"{row['significant_alerts']} of {words.count(row['alerts'], 'alert')} during a significant event"
    events = f"{row['detected']} of {words.count(row['events'], 'significant event')} found"
    said = [f"{row['rule']}: {alerts}", events]
    if row["alerts"] < LEAST:
        said[0] += f" (too few for a precision, {LEAST} are needed)"
    if row["events"] < LEAST:
        said[1] += f" (too few for a recall, {LEAST} are needed)"
    if not np.isnan(row["detection_s"]):
        said.append(f"median {words.span(row['detection_s'])} after it began")
    if not np.isnan(row["reset_s"]):
        said.append(f"over {words.span(row['reset_s'])} after it ended ({words.count(row['resets'], 'event')})")
    return "; ".join(said)


def _definition(
    share: float, pause: pd.Timedelta, late: pd.Timedelta, events: pd.DataFrame, known: pd.DataFrame
) -> str:
    n = int(events["significant"].sum())
    first, last = known["at"].min(), known["at"].max()
    pauses, grace = words.span(pause.total_seconds()), words.span(late.total_seconds())
    return (
        f"significant: more failures than the objective allows and chance explains (pauses up to {pauses} joined) "
        f"that spend at least {share:.0%} of the error budget of a window; precision: alerts open during one at their "
        f"service / alerts; recall: of these events, found up to {grace} after their end; n = {n} of "
        f"{words.count(len(events), 'event')}, {first:%Y-%m-%d} to {last:%Y-%m-%d} UTC; excluded: alerts of services "
        "without indicators, or outside their time"
    )
