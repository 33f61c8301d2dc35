"""How long an incident lasted: when half of its alerts had recovered, beside the last of them.

The last recovery is that of the one monitor which nobody looks at: it can come days after the trouble. Half of the
alerts recovered is what people would call over.
"""

from __future__ import annotations

import pandas as pd

from stanza_lab.production import words

_LINGERS = 2.0  # times as long as half of the alerts: from there on both are said


def half_recovered(ends_at: pd.Series, *, of: pd.Series) -> pd.Series:
    """Return per group when half of its alerts had recovered (of 5 the third); null while fewer have.

    Parameters
    ----------
    ends_at : Series of datetime64
        Recovery of each alert; null: open.
    of : Series
        The group of each, on the same index.

    Returns
    -------
    Series
        Times, indexed by group.
    """
    told = pd.DataFrame({"of": of, "at": ends_at}).sort_values("at", kind="stable", na_position="last")
    groups = told.groupby("of", sort=False)["at"]
    middle = groups.cumcount() == (groups.transform("size") + 1) // 2 - 1
    return told[middle].set_index("of")["at"].sort_index()


def over(starts_at: pd.Timestamp, half_at: pd.Timestamp, ends_at: pd.Timestamp) -> str:
    """Say how long it took: "over after 20 min", "half over after 15 min, the last after 19 d"; nothing if unknown."""
    half, last = ((at - starts_at).total_seconds() for at in (half_at, ends_at))  # not a number where not known
    if half != half:
        return "" if last != last else f"over after {words.span(last)}"
    if last != last:
        return f"half over after {words.span(half)}, the last not known"
    if last <= _LINGERS * max(half, 1.0):
        return f"over after {words.span(last)}"
    return f"half over after {words.span(half)}, the last after {words.span(last)}"
