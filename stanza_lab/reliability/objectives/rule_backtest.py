"""What alert rules would have found of the events that mattered, and of the rest: burn rates beside thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.production import words
from stanza_lab.reliability.objectives import rule_scores, tables
from stanza_lab.reliability.objectives.burning import burn_alerts
from stanza_lab.reliability.objectives.counts import select
from stanza_lab.reliability.objectives.events import events_of
from stanza_lab.reliability.objectives.objective import Objective, objectives_of

if TYPE_CHECKING:
    from stanza_lab.production.door.contributed import Contributed

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
    judged = rule_scores.during(judged, events[events["significant"]], late)
    rows = rule_scores.rows(
        judged, events[events["significant"]], late, kinds=["burn rate", *(["threshold"] if alerts is not None else [])]
    )
    names = [rule.name for one in wanted for rule in one.rules]
    silent = [name for name in dict.fromkeys(names) if name not in set(judged["rule"])]
    unseen += [f"{name} never fired" for name in silent]
    return RuleBacktest(
        rules=tables.framed(rows, rule_scores.RULES),
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
