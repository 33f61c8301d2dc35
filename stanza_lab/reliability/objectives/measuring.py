"""Measure objectives: what was attained, what is left of the error budget, how fast it burns, and what follows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import LoadError, ParameterError
from stanza_lab.production import words
from stanza_lab.reliability.objectives import budget, burning, sureness, tables
from stanza_lab.reliability.objectives.counts import LEAST_SEEN, Counts, select
from stanza_lab.reliability.objectives.golden import SIGNALS, golden_signals
from stanza_lab.reliability.objectives.measured import BURN, OBJECTIVES, OVER_TIME, STATEMENTS, Reliability
from stanza_lab.reliability.objectives.objective import Objective, objectives_of
from stanza_lab.reliability.objectives.proxy import counts_of_alerts
from stanza_lab.reliability.objectives.statements import POLICY, SLOW, ordered, statement

if TYPE_CHECKING:
    from stanza_lab.production.door.contributed import Contributed

FAILURES = 10  # that the budget of a whole window must allow: then one failure spends at most a tenth of it
_WINDOWS = ("5min", "30min", "1h", "2h", "6h", "24h", "72h")
_POINTS = 360  # of the budget over time, per objective
_FAR = 10  # windows: what lasts longer is no date to plan with
_DAY = pd.Timedelta("1D")


def measure_objectives(
    indicators: pd.DataFrame,
    *,
    objectives: Contributed | Objective | Iterable[Objective],
    alerts: pd.DataFrame | None = None,
    at: _params.Instant | None = None,
    tz: str = "UTC",
    min_total: int | None = None,
) -> Reliability:
    """Measure how services keep their objectives: attained, error budget, burn rates, ship or freeze.

    Parameters
    ----------
    indicators : DataFrame
        As `read_indicators` returns it.
    objectives : Objective, list of Objective or Contributed
        What is promised: ``sl.Objective(...)``, `read_objectives`, or what `read_contributed` read. A glob of services
        is judged service by service.
    alerts : DataFrame, optional
        `schema.ALERTS`, for saturation in the golden signals.
    at : str or Timestamp, optional
        The instant it is about. Default: the end of the last interval.
    tz : str, default "UTC"
        Zone whose days are the blocks in which failures come together, and of times in sentences.
    min_total : int, optional
        Fewest requests in a window to judge it; more judges less. Default: for the whole window so many that the
        budget allows 10 failures, n >= 10 / (1 - s); for a burn rate so many that one failure alone does not fire its
        rule, n > 1 / (b (1 - s)).

    Returns
    -------
    Reliability
        Tables `objectives`, `burn`, `statements`, `golden`, `over_time`; `words`, `definition`, `unseen`.

    Raises
    ------
    UnknownNameError
        No objective fits a service of the table.
    ParameterError
        `tz` is unknown, or nothing was counted before `at`.

    Notes
    -----
    Objective s, period P: the error budget is 1 - s, the burn rate b = e / (1 - s), the budget spent b w / P with w the
    part of the window that was counted (from the first interval on). Time inside it that was not seen is taken to be
    like what was seen; `worst` says what if it had all failed. `low` and `high` hold the share behind the failures 95
    times in 100 (Wilson's interval of the requests they are worth; those of one day, or hour, fail together).

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> at = pd.date_range("2026-03-01 01:00", periods=240, freq="1h", tz="UTC")
    >>> counts = pd.DataFrame({"service": "shop", "indicator": "requests", "at": at, "covers_s": 3600.0,
    ...                        "good": [9_990.0] * 200 + [9_950.0] * 40, "total": 10_000.0})
    >>> promised = sl.Objective(name="Answers", service="shop", objective=99.9, window="30D")
    >>> found = sl.measure_objectives(counts, objectives=promised)
    >>> found.objectives[["attained", "spent", "burn_day"]].round(3)
       attained  spent  burn_day
    0    99.833  0.556       5.0
    >>> found.statements["verdict"].tolist()
    ['slow down']
    """
    known = tables.checked(indicators)
    instant = known["at"].max() if at is None else _params.instant(at, "at")
    found, unseen = select(known, objectives_of(objectives))
    found = [one.before(instant.value // 1000) for one in found]
    if not any(len(one.end) for one in found):
        raise ParameterError(f"at={at!r}: nothing was counted before; the first interval ends at {known['at'].min()}")
    longest = max(one.objective.period for one in found)
    golden = golden_signals(
        known[known["at"] > instant - longest], alerts=alerts, every=longest, since=instant - longest, until=instant
    )
    return _measured(
        found,
        instant,
        tz=tz,
        min_total=min_total,
        unit="request",
        golden=golden,
        unseen=unseen + golden.attrs["unseen"],
    )


def objectives_from_alerts(
    alerts: pd.DataFrame,
    *,
    objectives: Contributed | Objective | Iterable[Objective] | None = None,
    objective: float = 99.9,
    window: _params.Duration = "30D",
    severity: str = "error",
    since: _params.Instant | None = None,
    at: _params.Instant | None = None,
    tz: str = "UTC",
) -> Reliability:
    """Measure objectives by alert time: a proxy, where nobody counts requests.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with service, starts_at, ends_at and severity.
    objectives : Objective, list of Objective or Contributed, optional
        What is promised; of each only share and window are used. Default: `objective` over `window` at every service.
    objective : float, default 99.9
        Percent of the time without a grave alert.
    window : duration, default "30D"
        Rolling period.
    severity : {"info", "warning", "error", "critical"}, default "error"
        From which severity on an alert makes its time bad; graver counts less.
    since : str or Timestamp, optional
        When the history begins. Default: the first alert of any service.
    at : str or Timestamp, optional
        The instant it is about. Default: the last time in the alerts.
    tz : str, default "UTC"
        Zone of the days in which trouble comes together, and of times in sentences.

    Returns
    -------
    Reliability
        As `measure_objectives`, in seconds. Bad is the union of the time in which such alerts of a service were open;
        alerts whose end is not known are excluded and counted: `high` is without them, `low` as if each had lasted
        until its rule fired again (or until `at`). `golden` is empty.

    Raises
    ------
    LoadError
        No alert has a time.
    SchemaError
        No severity is stated.

    Notes
    -----
    Alert time is neither what users saw nor as exact: alerts begin late, end late, and fire for what nobody notices.
    A service that never alerts is not there.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "service": ["shop", "shop", "db"], "rule_key": ["a", "b", "c"], "severity": ["error", "critical", "info"],
    ...     "starts_at": pd.to_datetime(["2026-03-01T00:00Z", "2026-03-01T00:30Z", "2026-03-01T00:00Z"]),
    ...     "ends_at": pd.to_datetime(["2026-03-01T01:00Z", "2026-03-01T01:12Z", "2026-03-11T00:00Z"])})
    >>> found = sl.objectives_from_alerts(alerts, objective=99)
    >>> found.objectives[["service", "bad", "attained"]]
      service     bad  attained
    0      db     0.0     100.0
    1    shop  4320.0      99.5
    """
    _params.choice(severity, "severity", schema.SEVERITIES)
    known = schema.check(alerts, schema.ALERTS, need=["service", "starts_at", "ends_at", "severity", "rule_key"])
    if known["starts_at"].notna().sum() == 0:
        raise LoadError("alerts: none has a time, so nothing is known of how long they lasted")
    first = known["starts_at"].min() if since is None else _params.instant(since, "since")
    last = (
        max(known["starts_at"].max(), known["ends_at"].max())
        if known["ends_at"].notna().any()
        else known["starts_at"].max()
    )
    instant = last if at is None else _params.instant(at, "at")
    if not first < instant:
        raise ParameterError(
            f"at={instant} must lie after the first alert ({first}); pass since= if alerts began earlier"
        )
    if objectives is None:
        wanted = [
            Objective(name="Without grave alerts", service=name, objective=objective, window=window)
            for name in sorted(known["service"].dropna().astype("str").unique())
        ]
    else:
        wanted = objectives_of(objectives)
    found, notes = counts_of_alerts(known, wanted, severity=severity, since=first, until=instant)
    notes.append(
        f"a proxy: alert time (severity {severity} or worse) is not what users saw; who never alerts is not here"
    )
    nothing = tables.framed([], SIGNALS)
    return _measured(found, instant, tz=tz, min_total=None, unit="second", golden=nothing, unseen=notes)


def _measured(
    found: Sequence[Counts],
    instant: pd.Timestamp,
    *,
    tz: str,
    min_total: int | None,
    unit: str,
    golden: pd.DataFrame,
    unseen: list[str],
) -> Reliability:
    try:
        local = instant.tz_convert(tz)
    except (KeyError, ValueError, TypeError) as error:
        raise ParameterError(f"tz={tz!r} is no time zone; pass a name such as 'Europe/Berlin'") from error
    rows = [_objective(one, instant, tz=tz, min_total=min_total, unit=unit) for one in found if len(one.end)]
    used = [one for one in found if len(one.end)]
    burns = [
        row for one, whole in zip(used, rows, strict=True) for row in _burns(one, whole, min_total=min_total, unit=unit)
    ]
    firing = [_firing(one, instant, min_total=min_total) for one in used]
    said = []
    for service in dict.fromkeys(one.service for one in used):
        mine = [place for place, one in enumerate(used) if one.service == service]
        said.append(statement(service, [rows[p] for p in mine], [fact for p in mine for fact in firing[p]], unit=unit))
    notes = [*unseen, *dict.fromkeys(note for one in used for note in one.notes)]
    notes += [
        f"{row['name']}: {row['service']} was seen for {row['seen']:.1%} of the time"
        for row in rows
        if row["seen"] < 0.9995
    ]
    return Reliability(
        objectives=tables.framed(rows, OBJECTIVES),
        burn=tables.framed(burns, BURN),
        statements=tables.framed(ordered(said), STATEMENTS),
        golden=golden,
        over_time=_over_time(used, instant),
        at=instant,
        unit=unit,
        definition=_definition(used, rows, local, tz, unit),
        unseen=notes,
    )


def _objective(one: Counts, instant: pd.Timestamp, *, tz: str, min_total: int | None, unit: str) -> dict[str, Any]:
    """Return one row of `Reliability.objectives`."""
    promised, period = one.objective, one.objective.period
    at = np.array([instant.value // 1000], dtype=np.int64)
    since_us = max(int(one.start[0]), int(at[0] - period.total_seconds() * 1e6))
    counted = pd.Timedelta(int(at[0]) - since_us, unit="us")
    sums = one.over(at, int(at[0]) - since_us)
    bad, total, seen = float(sums.bad[0]), float(sums.total[0]), float(sums.seen[0])
    ratio = bad / total if total > 0 else math.nan
    rate = budget.burn(ratio, promised.target)
    used = budget.spent(rate, counted, period)
    inside = one.end > since_us
    behind = sureness.share(one.bad[inside], one.total[inside], _blocks(one.end[inside], tz, counted))
    low, high = behind.interval()
    if unit == "second":
        low, high = (float(part[0]) / total if total else math.nan for part in (sums.least, sums.most))
    day = one.over(at, int(_DAY.total_seconds() * 1e6))
    burn_day = float(day.ratio[0]) / promised.budget if day.seen[0] >= LEAST_SEEN else math.nan
    least = math.ceil(FAILURES / promised.budget - 1e-9) if min_total is None else min_total
    whole = total * (period / counted)
    judged = total > 0 and (unit == "second" or total >= least)
    share = period / counted  # spent < x is the same as a share of failures < x (1 - s) P / w
    row: dict[str, Any] = {
        "service": one.service,
        "name": promised.name,
        "team": promised.team,
        "kind": promised.kind if unit == "request" else "alert time",
        "objective": promised.objective,
        "window_s": period.total_seconds(),
        "since": pd.Timestamp(since_us, unit="us", tz="UTC"),
        "at": instant,
        "total": total,
        "bad": bad,
        "attained": 100 * (1 - ratio),
        "low": 100 * (1 - high),
        "high": 100 * (1 - low),
        "worst": 100 * (1 - ratio) * seen,
        "seen": seen,
        "allowed": promised.budget * whole,
        "spent": used,
        "left": 1 - used,
        "burn": rate,
        "burn_day": burn_day,
        "exhausted_at": _gone(instant, period, 1 - used, burn_day),
        "kept": behind.at_most(min(1.0, promised.budget * share)),
        "easy": behind.at_most(min(1.0, SLOW * promised.budget * share)),
        "judged": judged,
    }
    row["words"] = _words(row, promised, counted, unit, least)
    return row


def _blocks(end: np.ndarray, tz: str, counted: pd.Timedelta) -> np.ndarray:
    """Return in which block of time each interval lies: days of the zone; hours, where there are few days."""
    local = pd.DatetimeIndex(pd.to_datetime(end - 1, unit="us", utc=True)).tz_convert(tz).tz_localize(None)
    width = 86_400_000_000 if counted >= 5 * _DAY else 3_600_000_000
    return np.asarray(local.as_unit("us").asi8 // width, dtype=np.int64)


def _gone(instant: pd.Timestamp, period: pd.Timedelta, left: float, rate: float) -> pd.Timestamp | None:
    """Return when what is left of the budget is gone at a burn rate; null: not within ten windows, or already."""
    lasts = budget.exhaustion(period, rate)
    if lasts is None or not left > 0 or left * lasts > _FAR * period:
        return None
    return instant + (left * lasts).round("s")


def _words(row: dict[str, Any], promised: Objective, counted: pd.Timedelta, unit: str, least: int) -> str:
    name = f"{row['service']}, {row['name']} ({promised.objective:g} % over {budget.length(promised.period)})"
    n = f"{row['total']:,.0f} {unit}s"
    if not row["judged"]:
        if row["total"] <= 0:
            return f"{name}: nothing was counted in the window, so it is not judged"
        one, spends = budget.one_failure(row["total"], promised.target, counted, promised.period)
        return (
            f"{name}: {n} are too few to judge, at least {least:,} are needed: one failure alone would burn {one:.1f} "
            f"times as fast as allowed and spend {spends:.1%} of the error budget"
        )
    said = [
        f"{name}: {row['attained']:.3f} % of {n} ({row['low']:.3f} to {row['high']:.3f} %)",
        f"{row['spent']:.0%} of the error budget spent",
    ]
    if counted < promised.period * 0.999:
        said.append(f"counted for {words.span(counted.total_seconds())} of it, what was before is taken as unspent")
    if pd.notna(row["exhausted_at"]):
        lasts = (row["exhausted_at"] - row["at"]).total_seconds()
        said.append(f"at the rate of the last day ({row['burn_day']:.1f}) the rest lasts {words.span(lasts)}")
    return "; ".join(said)


def _burns(one: Counts, whole: dict[str, Any], *, min_total: int | None, unit: str) -> list[dict[str, Any]]:
    """Return a row per window of `Reliability.burn`."""
    promised, period = one.objective, one.objective.period
    at = np.array([whole["at"].value // 1000], dtype=np.int64)
    rates = {rule.long: rule.rate for rule in promised.rules} | {rule.short: rule.rate for rule in promised.rules}
    rows = []
    for window in [*(w for w in map(pd.Timedelta, _WINDOWS) if w < period), period]:
        sums = one.over(at, int(window.total_seconds() * 1e6))
        ratio, total, seen = float(sums.ratio[0]), float(sums.total[0]), float(sums.seen[0])
        rate = budget.burn(ratio, promised.target)
        least = budget.least_total(promised.target, rates.get(window, 1.0)) if min_total is None else min_total
        why = ""
        if not bool(sums.fine[0]):
            why = f"counts come every {words.span(one.step_us / 1e6)}, too rarely for it"
        elif seen < LEAST_SEEN and window != period:
            why = f"only {seen:.0%} of it were seen"
        elif unit == "request" and total < least:
            why = f"{total:,.0f} requests are too few, at least {least:,} are needed, else one failure says too much"
        name = budget.length(window)
        lasts = budget.exhaustion(period, rate)
        lasts_s = math.nan if lasts is None else lasts.total_seconds()
        used = budget.spent(rate, window, period)
        rows.append(
            {
                "service": one.service,
                "name": promised.name,
                "window": name,
                "total": total,
                "bad": float(sums.bad[0]),
                "error_ratio": ratio,
                "burn": rate,
                "spent": used,
                "lasts_s": lasts_s,
                "left_lasts_s": max(0.0, whole["left"]) * lasts_s,
                "seen": seen,
                "judged": not why,
                "words": f"{name}: not judged, {why}"
                if why
                else f"{name}: burn rate {rate:.2f}, {used:.1%} of the error budget, {total:,.0f} {unit}s",
            }
        )
    return rows


def _firing(one: Counts, instant: pd.Timestamp, *, min_total: int | None) -> list[tuple[str, str, float]]:
    at = instant.value // 1000
    found = ((rule, burning.firing_now(one, rule, at_us=at, min_total=min_total)) for rule in one.objective.rules)
    return [(one.objective.name, rule.name, rate) for rule, (fires, _, rate) in found if fires]


def _over_time(found: Sequence[Counts], instant: pd.Timestamp) -> pd.DataFrame:
    """Return what was left of each budget at times of the window before."""
    parts = []
    for one in found:
        period = one.objective.period
        period_us = int(period.total_seconds() * 1e6)
        last = instant.value // 1000
        first = max(int(one.start[0]), last - period_us)
        at = np.unique(np.linspace(first, last, _POINTS + 1).astype(np.int64))[1:]
        counted = np.minimum(at - int(one.start[0]), period_us)
        sums = one.over(at, counted)
        left = 1 - sums.ratio / one.objective.budget * (counted / period_us)
        times = pd.to_datetime(at, unit="us", utc=True)
        parts.append(
            pd.DataFrame(
                {"service": one.service, "name": one.objective.name, "at": times, "left": left}, index=range(len(at))
            )
        )
    return (
        pd.concat(parts, ignore_index=True).astype(OVER_TIME)
        if parts
        else pd.DataFrame(columns=list(OVER_TIME)).astype(OVER_TIME)
    )


def _definition(found: Sequence[Counts], rows: list[dict[str, Any]], local: pd.Timestamp, tz: str, unit: str) -> str:
    n = sum(max(row["total"] for row in rows if row["service"] == name) for name in {row["service"] for row in rows})
    services = words.count(len({one.service for one in found}), "service")
    judged = sum(row["judged"] for row in rows)
    what = "good / all requests" if unit == "request" else "time without an open grave alert / all time (a proxy)"
    between = (
        "in brackets the share behind it, 95 %, failures of a day (or hour) coming together"
        if unit == "request"
        else "in brackets without, and with, alerts whose end is not known"
    )
    return (
        f"attained = {what} in the rolling window up to {local:%Y-%m-%d %H:%M} {tz}, {between}; error budget = 1 - "
        f"objective, burn rate = error ratio / error budget, spent = burn rate x counted time / window; "
        f"n = {n:,.0f} {unit}s of {services}; {judged} of {words.count(len(rows), 'objective')} judged; "
        f"excluded: what was not seen. {POLICY}"
    )
