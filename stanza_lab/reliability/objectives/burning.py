"""Burn rates over long and short windows, and the alerts they would raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.reliability.objectives import budget, tables
from stanza_lab.reliability.objectives.counts import LEAST_SEEN, Counts, select
from stanza_lab.reliability.objectives.objective import Objective, objectives_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanza_lab.production.door.contributed import Contributed

RATES: dict[str, Any] = {
    "service": "str",
    "objective": "str",
    "rule": "str",
    "severity": "str",
    "at": "datetime64[us, UTC]",
    "long_burn": "float64",
    "short_burn": "float64",
    "rate": "float64",
    "total": "float64",
    "judged": "bool",
    "firing": "bool",
}
ALERTS: dict[str, Any] = {
    "service": "str",
    "objective": "str",
    "rule": "str",
    "severity": "str",
    "starts_at": "datetime64[us, UTC]",
    "ends_at": "datetime64[us, UTC]",
    "peak_burn": "float64",
    "spent": "float64",
    "total": "float64",
    "words": "str",
}


def burn_rates(
    indicators: pd.DataFrame,
    *,
    objectives: Contributed | Objective | Iterable[Objective],
    min_total: int | None = None,
) -> pd.DataFrame:
    """Compute the burn rates that multi-window alerts look at, whenever counts came.

    Parameters
    ----------
    indicators : DataFrame
        As `read_indicators` returns it.
    objectives : Objective, list of Objective or Contributed
        What is promised; a glob of services is judged service by service.
    min_total : int, optional
        Fewest requests in the long window to judge it; more ignores more. Default: so many that one failure alone does
        not reach the rate of the rule, n > 1 / (b (1 - s)).

    Returns
    -------
    DataFrame
        A row per service, objective, rule and time: ``service``, ``objective``, ``rule``, ``severity`` (str), ``at``
        (datetime64[us, UTC]), ``long_burn``, ``short_burn``, ``rate`` (float64; the rule fires while both exceed the
        rate), ``total`` (float64, requests in the long window), ``judged``, ``firing`` (bool). In this order.
        ``attrs["definition"]`` says what is computed, ``attrs["unseen"]`` what could not be.

    Raises
    ------
    UnknownNameError
        No objective fits a service of the table.

    Notes
    -----
    Rules are the workbook's, scaled to the objective's window: b = f P / w with f of 2 % in 1 h, 5 % in 6 h (pages),
    10 % in 24 h and in 3 d (tickets); the short window is a twelfth of the long one. Left out are rules below 1, which
    would fire while the objective is kept, and rules that would need more than 100 % errors. A window of which less
    than half was seen is not judged; a short window shorter than one interval is one interval.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> at = pd.date_range("2026-03-01 00:05", periods=24, freq="5min", tz="UTC")
    >>> counts = pd.DataFrame({"service": "shop", "indicator": "requests", "at": at, "covers_s": 300.0,
    ...                        "good": [100.0] * 12 + [90.0] * 12, "total": 100.0})
    >>> promised = sl.Objective(name="Answers", service="shop", objective=99.9)
    >>> found = sl.burn_rates(counts, objectives=promised)
    >>> found.loc[found["firing"], ["rule", "at", "long_burn", "short_burn"]].head(1)
          rule                        at  long_burn  short_burn
    13  page 1h 2026-03-01 01:10:00+00:00  16.666667       100.0
    """
    wanted = objectives_of(objectives)
    found, unseen = select(tables.checked(indicators), wanted)
    parts = [_rates(one, rule, min_total=min_total) for one in found for rule in one.objective.rules]
    table = pd.concat(parts, ignore_index=True).astype(RATES) if parts else tables.framed([], RATES)
    idle = table.groupby(["service", "objective", "rule"], sort=False)["judged"].mean()
    unseen = unseen + [
        f"{name} of {service}: {rule} could be judged {share:.0%} of the time (else too few requests, too little seen)"
        for (service, name, rule), share in zip(idle.index, idle, strict=True)
        if share < 0.995
    ]
    unseen += [note for one in found for note in one.notes] + [
        f"{one.name}: {said}" for one in wanted for said in _left_out(one)
    ]
    table.attrs = {"definition": definition(), "unseen": list(dict.fromkeys(unseen))}
    return table


def burn_alerts(
    indicators: pd.DataFrame,
    *,
    objectives: Contributed | Objective | Iterable[Objective],
    min_total: int | None = None,
) -> pd.DataFrame:
    """Find when multi-window burn-rate alerts would have fired, and for how long.

    Parameters
    ----------
    indicators : DataFrame
        As `read_indicators` returns it.
    objectives : Objective, list of Objective or Contributed
        What is promised.
    min_total : int, optional
        See `burn_rates`.

    Returns
    -------
    DataFrame
        A row per alert, sorted by start: ``service``, ``objective``, ``rule``, ``severity`` (str), ``starts_at``,
        ``ends_at`` (datetime64[us, UTC]; null: still firing at the last count), ``peak_burn`` (float64, highest of the
        long window), ``spent`` (float64, share of the error budget the long window had spent when it fired, b w / P),
        ``total`` (requests in the long window then), ``words``. ``attrs["definition"]``, ``attrs["unseen"]``.

    Raises
    ------
    UnknownNameError
        No objective fits a service of the table.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> at = pd.date_range("2026-03-01 00:05", periods=36, freq="5min", tz="UTC")
    >>> counts = pd.DataFrame({"service": "shop", "indicator": "requests", "at": at, "covers_s": 300.0,
    ...                        "good": [100.0] * 12 + [90.0] * 12 + [100.0] * 12, "total": 100.0})
    >>> promised = sl.Objective(name="Answers", service="shop", objective=99.9)
    >>> sl.burn_alerts(counts, objectives=promised).loc[0, ["rule", "starts_at", "ends_at"]].tolist()
    ['page 1h', Timestamp('2026-03-01 01:10:00+0000', tz='UTC'), Timestamp('2026-03-01 02:05:00+0000', tz='UTC')]
    """
    rates = burn_rates(indicators, objectives=objectives, min_total=min_total)
    periods = {(one.name, rule.name): (rule, one.period) for one in objectives_of(objectives) for rule in one.rules}
    rows: list[dict[str, Any]] = []
    for (service, name, rule_name), own in rates.groupby(["service", "objective", "rule"], sort=False):
        rows += _runs(own, service, name, *periods[str(name), str(rule_name)])
    table = tables.framed(rows, ALERTS)
    table = table.sort_values(["starts_at", "service", "objective", "rule"], ignore_index=True)
    table.attrs = dict(rates.attrs)
    return table


def definition() -> str:
    """Return what fires."""
    return (
        "burn rate = error ratio / (1 - objective); a rule fires while the burn rates over its long and its short "
        "window (a twelfth of it) both exceed its rate, f P / w; evaluated when counts come, at their times (UTC)"
    )


def firing_now(one: Counts, rule: budget.BurnRule, *, at_us: int, min_total: int | None) -> tuple[bool, bool, float]:
    """Return whether a rule fires at an instant, whether that could be judged, and the burn rate of its long window."""
    found = _rates(one, rule, min_total=min_total, at=np.array([at_us], dtype=np.int64))
    return bool(found["firing"].iloc[0]), bool(found["judged"].iloc[0]), float(found["long_burn"].iloc[0])


def _rates(one: Counts, rule: budget.BurnRule, *, min_total: int | None, at: np.ndarray | None = None) -> pd.DataFrame:
    times = one.end if at is None else at
    long_us, short_us = (int(window.total_seconds() * 1e6) for window in (rule.long, rule.short))
    length = int(one.step_us) if at is not None and len(one.end) else one.end - one.start
    short = short_us if one.exact else np.maximum(short_us, length)
    over_long, over_short = one.over(times, long_us), one.over(times, short)
    allowed = one.objective.budget
    least = budget.least_total(one.objective.target, rule.rate) if min_total is None else min_total
    enough = over_long.total >= (0 if one.exact and min_total is None else least)
    judged = enough & (over_long.seen >= LEAST_SEEN) & over_long.fine & (over_short.total > 0)
    long_burn, short_burn = over_long.ratio / allowed, over_short.ratio / allowed
    with np.errstate(invalid="ignore"):
        above = rule.rate * (1 + budget.NOISE)  # what burns exactly as fast as the rule's rate does not exceed it
        firing = judged & (long_burn > above) & (short_burn > above)
    return pd.DataFrame(
        {
            "service": one.service,
            "objective": one.objective.name,
            "rule": rule.name,
            "severity": rule.severity,
            "at": pd.to_datetime(times, unit="us", utc=True),
            "long_burn": long_burn,
            "short_burn": short_burn,
            "rate": rule.rate,
            "total": over_long.total,
            "judged": judged,
            "firing": firing,
        },
        index=range(len(times)),
    )


def _runs(
    own: pd.DataFrame, service: object, name: object, rule: budget.BurnRule, period: pd.Timedelta
) -> list[dict[str, Any]]:
    """Return the stretches in which a rule fires."""
    firing = own["firing"].to_numpy()
    turns = np.diff(np.r_[False, firing].astype(np.int8))
    rows = []
    for start in np.flatnonzero(turns == 1):
        later = np.flatnonzero(~firing[start:])
        end = int(start + later[0]) if len(later) else None
        first, burnt = own.iloc[int(start)], float(own["long_burn"].iloc[start:end].max())
        used = budget.spent(float(first["long_burn"]), rule.long, period)
        rows.append(
            {
                "service": service,
                "objective": name,
                "rule": rule.name,
                "severity": rule.severity,
                "starts_at": first["at"],
                "ends_at": pd.NaT if end is None else own["at"].iloc[end],
                "peak_burn": burnt,
                "spent": used,
                "total": first["total"],
                "words": f"{service}, {name}: the error budget burnt {first['long_burn']:.1f} times as fast as "
                f"allowed over {budget.length(rule.long)} ({used:.1%} of it, {round(first['total']):,} counted), "
                f"above {rule.rate:g}; still so over the last {budget.length(rule.short)}",
            }
        )
    return rows


def _left_out(objective: Objective) -> list[str]:
    kept = [rule.name for rule in objective.rules]
    scaled = budget.rules_for(objective.period)
    said = [
        f"{rule.name} is left out: a burn rate of {rule.rate:g} would need {rule.rate * objective.budget:.0%} errors"
        for rule in scaled
        if rule.name not in kept
    ]
    low = [
        f"{severity} {long} is left out: over {budget.length(objective.period)} it would fire while all is well"
        for severity, long, fraction in budget.WORKBOOK
        if budget.threshold(fraction, objective.period, pd.Timedelta(long)) < 1 - 1e-9
    ]
    return said + low
