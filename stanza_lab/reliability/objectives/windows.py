"""Burn rates of one objective at one service over the windows that alerts look at, up to an instant."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from stanza_lab.production import words
from stanza_lab.reliability.objectives import budget, burning
from stanza_lab.reliability.objectives.counts import LEAST_SEEN, Counts

_WINDOWS = ("5min", "30min", "1h", "2h", "6h", "24h", "72h")


def burns(one: Counts, whole: dict[str, Any], *, min_total: int | None) -> list[dict[str, Any]]:
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
        elif one.unit != "second" and total < least:
            why = f"{total:,.0f} {one.unit}s are too few, at least {least:,} are needed, else one failure says too much"
        name = budget.length(window)
        lasts = budget.exhaustion(period, rate)
        lasts_s = math.nan if lasts is None else lasts.total_seconds()
        # Of the whole window only what was counted: what was before is taken as unspent, as in `attained.row`.
        used = whole["spent"] if window == period else budget.spent(rate, window, period)
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
                else f"{name}: burn rate {rate:.2f}, {used:.1%} of the error budget, {total:,.0f} {one.unit}s",
            }
        )
    return rows


def firing(one: Counts, instant: pd.Timestamp, *, min_total: int | None) -> list[tuple[str, str, float]]:
    """Return the rules that fire at an instant: objective, rule, burn rate of the long window."""
    at = instant.value // 1000
    found = ((rule, burning.firing_now(one, rule, at_us=at, min_total=min_total)) for rule in one.objective.rules)
    return [(one.objective.name, rule.name, rate) for rule, (fires, _, rate) in found if fires]
