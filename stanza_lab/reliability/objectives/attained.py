"""What one objective comes to at one service: attained, error budget, how sure, in a row and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.production import words
from stanza_lab.reliability.objectives import budget, sureness
from stanza_lab.reliability.objectives.counts import LEAST_SEEN, Counts
from stanza_lab.reliability.objectives.measured import OVER_TIME, percent
from stanza_lab.reliability.objectives.statements import SLOW

if TYPE_CHECKING:
    from stanza_lab.reliability.objectives.objective import Objective

FAILURES = 10  # that the budget of a whole window must allow: then one failure spends at most a tenth of it
_POINTS = 360  # of the budget over time, per objective
_FAR = 10  # windows: what lasts longer is no date to plan with
_DAY = pd.Timedelta("1D")


def row(one: Counts, instant: pd.Timestamp, *, tz: str, min_total: int | None) -> dict[str, Any]:
    """Return one row of `Reliability.objectives`; `easy`: see `statements.statement`."""
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
    share = period / counted  # spent < x is the same as a share of failures < x (1 - s) P / w
    kept, easy = (behind.at_most(min(1.0, part * promised.budget * share)) for part in (1.0, SLOW))
    doubt = False
    if one.unit == "second":
        low, high = (float(part[0]) / total if total else math.nan for part in (sums.least, sums.most))
        kept = easy = math.nan  # seconds do not fail each on its own: how sure this is, they do not tell
        doubt = used < SLOW <= budget.spent(budget.burn(high, promised.target), counted, period)
    day = one.over(at, int(_DAY.total_seconds() * 1e6))
    burn_day = float(day.ratio[0]) / promised.budget if day.seen[0] >= LEAST_SEEN else math.nan
    least = math.ceil(FAILURES / promised.budget - 1e-9) if min_total is None else min_total
    whole = total * (period / counted)
    enough = seen >= LEAST_SEEN if one.unit == "second" else total >= least
    judged = total > 0 and enough and not doubt
    made: dict[str, Any] = {
        "service": one.service,
        "name": promised.name,
        "team": promised.team,
        "kind": "alert time" if one.unit == "second" else promised.kind,
        "objective": promised.objective,
        "window_s": period.total_seconds(),
        "since": pd.Timestamp(since_us, unit="us", tz="UTC"),
        "at": instant,
        "unit": one.unit,
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
        "kept": kept,
        "easy": easy,
        "judged": judged,
    }
    made["words"] = _words(made, promised, counted, least)
    return made


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


def _words(row: dict[str, Any], promised: Objective, counted: pd.Timedelta, least: int) -> str:
    name = f"{row['service']}, {row['name']} ({promised.objective:g} % over {budget.length(promised.period)})"
    n = f"{row['total']:,.0f} {row['unit']}s"
    if not row["judged"]:
        if row["total"] <= 0:
            if row["unit"] == "second":
                return f"{name}: no alert is known from the window or after it, so it is not judged"
            return f"{name}: nothing was counted in the window, so it is not judged"
        if row["unit"] == "second" and row["seen"] < LEAST_SEEN:
            return f"{name}: alerts are known for {row['seen']:.0%} of the window only, so it is not judged"
        if row["unit"] == "second":
            return (
                f"{name}: {row['spent']:.0%} of the error budget is spent without the alerts whose end is not known; "
                f"had each lasted as long as can be, only {percent(row['low'])} % was attained: so it is not judged"
            )
        one, spends = budget.one_failure(row["total"], promised.target, counted, promised.period)
        return (
            f"{name}: {n} are too few to judge, at least {least:,} are needed: one failure alone would burn {one:.1f} "
            f"times as fast as allowed and spend {spends:.1%} of the error budget"
        )
    said = [
        f"{name}: {percent(row['attained'])} % of {n} ({percent(row['low'])} to {percent(row['high'])} %)",
        f"{row['spent']:.0%} of the error budget spent",
    ]
    if counted < promised.period * 0.999:
        said.append(f"counted for {words.span(counted.total_seconds())} of it, what was before is taken as unspent")
    if pd.notna(row["exhausted_at"]):
        lasts = (row["exhausted_at"] - row["at"]).total_seconds()
        said.append(f"at the rate of the last day ({row['burn_day']:.1f}) the rest lasts {words.span(lasts)}")
    return "; ".join(said)


def over_time(found: Sequence[Counts], instant: pd.Timestamp) -> pd.DataFrame:
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
