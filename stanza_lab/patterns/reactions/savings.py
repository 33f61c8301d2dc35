"""What acting could have saved, at most: trouble after the stated effect time, and the error budget of that time.

What would have happened is not in any history, so nothing here is one number: it goes from nothing (the action does not
help) to the time left once the action helps as soon as its team states (it always helps, at once).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.production.reading import globbed

if TYPE_CHECKING:
    from collections.abc import Mapping

_NEED = ("service", "objective", "window")


@dataclass(frozen=True)
class Budget:
    """Service glob -> seconds of a full outage that its error budget pays for, in one window."""

    seconds: Mapping[str, float]

    @classmethod
    def of(cls, objectives: pd.DataFrame | None) -> Budget:
        """Return the budgets of objectives: `service` (a glob), `objective` (percent), `window` ("30d"), maybe `kind`.

        Of several objectives of a service the strictest counts; only those of kind "availability", where it is said.
        """
        if objectives is None:
            return cls({})
        absent = [name for name in _NEED if name not in objectives.columns]
        if absent:
            raise SchemaError(f"objectives: no column {absent[0]!r}; needed are {', '.join(_NEED)}")
        found: dict[str, float] = {}
        for row in objectives.to_dict("records"):
            if "kind" in row and str(row["kind"]) != "availability":
                continue
            percent = float(row["objective"])
            if not 1 <= percent < 100:
                raise SchemaError(f"objectives: {percent:g} is no objective in percent; write 99.9, not 0.999")
            window = row["window"]
            if isinstance(window, str):
                window = re.sub(r"(?<=\d)\s*d$", "D", window)  # pandas has no small d
            seconds = (1 - percent / 100) * _params.duration(window, "window").total_seconds()
            glob = str(row["service"])
            found[glob] = min(seconds, found.get(glob, seconds))
        return cls(found)

    def share(self, service: str, seconds: float) -> float:
        """Return the share of one window's budget that so many seconds of full outage spend; NaN: no objective."""
        known = [budget for glob, budget in self.seconds.items() if globbed(service, [glob])]
        return seconds / min(known) if known else float("nan")


def at_most(
    at: pd.Timestamp, recovered_at: pd.Timestamp | None, soonest: pd.Timedelta | None, longest: pd.Timedelta
) -> float:
    """Return the seconds saved if it helped as soon as stated, of trouble until `longest` after; NaN: not known."""
    if soonest is None or recovered_at is None or pd.isna(recovered_at):
        return float("nan")
    return max(0.0, float((min(recovered_at - at, longest) - soonest).total_seconds()))
