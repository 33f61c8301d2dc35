"""The arithmetic of error budgets: burn rates, when the budget is gone, thresholds of alerts, too little traffic.

Definitions of the SRE workbook, chapter 5: objective s, period P, window w, error ratio e; the error budget is 1 - s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

SHORT = 12  # the short window is the long one divided by it
NOISE = 1e-9  # relative; ratios of counts are not exact, and equal is not above
_DAY = pd.Timedelta("1D")


def budget(target: float) -> float:
    """Return the share that may fail: 1 - s."""
    return 1.0 - target


def burn(error_ratio: float, target: float) -> float:
    """Return how many times faster than allowed the budget is spent: e / (1 - s)."""
    return error_ratio / budget(target)


def exhaustion(period: pd.Timedelta, rate: float) -> pd.Timedelta | None:
    """Return how long a whole budget lasts at this burn rate: P / b; None when nothing burns."""
    return period / rate if rate > 0 else None


def threshold(fraction: float, period: pd.Timedelta, window: pd.Timedelta) -> float:
    """Return the burn rate that spends `fraction` of the budget in `window`: b = f P / w."""
    return fraction * (period / window)


def detection(error_ratio: float, target: float, window: pd.Timedelta, rate: float) -> pd.Timedelta | None:
    """Return how long after errors begin the mean over `window` reaches burn `rate`: (1 - s) / e * w * b; None: never.

    No errors are taken to have been there before.
    """
    if error_ratio <= 0 or burn(error_ratio, target) < rate:
        return None
    return window * (budget(target) / error_ratio * rate)


def spent(rate: float, window: pd.Timedelta, period: pd.Timedelta) -> float:
    """Return the share of the budget that burn `rate` spends in `window`: b w / P."""
    return rate * (window / period)


def least_total(target: float, rate: float) -> int:
    """Return the fewest requests of which one may fail without reaching burn `rate`: n > 1 / (b (1 - s))."""
    return math.floor(1.0 / (rate * budget(target)) + 1e-9) + 1


def one_failure(total: float, target: float, window: pd.Timedelta, period: pd.Timedelta) -> tuple[float, float]:
    """Return the burn rate of one failure among `total` requests of a window, and the share of the budget it spends.

    Of 10 requests in an hour, promised at 99.9 %, one failure is a ratio of 0.1, a burn rate of 0.1 / 0.001 = 100, and
    spends 100 / 720 = 13.9 % of the budget of 30 days. (The 1000 that one reads for it belongs to 1 request an hour.)
    """
    rate = burn(1.0 / total, target)
    return rate, spent(rate, window, period)


@dataclass(frozen=True)
class BurnRule:
    """Fire while the error ratio over a long and over a short window both exceed ``rate * (1 - s)``.

    Attributes
    ----------
    severity : str
        page (wake somebody) or ticket (for working hours).
    long, short : Timedelta
        The long window says that much was spent, the short one that it still goes on.
    rate : float
        Burn rate.
    fraction : float
        Share of the error budget spent when the long window is full of it.
    """

    severity: str
    long: pd.Timedelta
    short: pd.Timedelta
    rate: float
    fraction: float

    @property
    def name(self) -> str:
        """Return what the rule is called: page 1h."""
        return f"{self.severity} {length(self.long)}"

    def reachable(self, target: float) -> bool:
        """Tell whether so large an error ratio exists: at 90 % a burn rate of 14.4 would need 144 % errors."""
        return self.rate * budget(target) < 1.0


# Severity, long window, share of the budget: the table of the workbook for 30 days.
WORKBOOK = (("page", "1h", 0.02), ("page", "6h", 0.05), ("ticket", "24h", 0.10), ("ticket", "72h", 0.10))


def rules_for(period: pd.Timedelta) -> list[BurnRule]:
    """Return the workbook's rules scaled to a period, f P / w; for 30 days 14.4, 6, 3 and 1.

    Left out is what scales below 1: it would fire while the objective is kept.
    """
    made = []
    for severity, written, fraction in WORKBOOK:
        long = pd.Timedelta(written)
        rate = threshold(fraction, period, long)
        if rate >= 1.0 - 1e-9:
            made.append(BurnRule(severity, long, long / SHORT, round(rate, 9), fraction))
    return made


def length(window: pd.Timedelta) -> str:
    """Return a window as Prometheus writes it: 5m, 6h, 30d."""
    seconds = round(window.total_seconds())
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds % unit == 0 and (name != "d" or seconds > 86_400):
            return f"{seconds // unit}{name}"
    return f"{seconds}s"
