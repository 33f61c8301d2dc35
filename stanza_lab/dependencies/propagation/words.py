"""What leads to what, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_SURE = 0.05  # q-value up to which something is said to follow


def sentences(table: pd.DataFrame) -> list[str]:
    """Return a sentence per row of the table; `src` and `dst` are named where it has them."""
    ends = zip(
        table["dst"] if "dst" in table else [None] * len(table),
        table["src"] if "src" in table else [None] * len(table),
        table["callee_kind"], table["caller_kind"], table["followed"], table["callee_firings"],
        table["probability"], table["low"], table["high"], table["lag_s"], table["lag_low_s"], table["lag_high_s"],
        table["q_value"], strict=True,
    )  # fmt: skip
    return [_sentence(*row) for row in ends]


def _sentence(
    dst: str | None, src: str | None, callee_kind: str, caller_kind: str, followed: int, firings: int,
    probability: float, low: float, high: float, lag: float, soon: float, late: float, q: float,
) -> str:  # fmt: skip
    callee, caller = dst or "a callee", src or "a caller"
    subject, counted = f"{callee_kind} on {callee}", f"{followed} of {firings}"
    if np.isnan(probability):
        return f"{subject}: too few occasions to say whether {caller_kind} on {caller} follows ({counted})"
    if not q <= _SURE:
        why = "no more often than chance or a common cause explains"
        return f"{subject} is followed by {caller_kind} on {caller} {why} ({counted})"
    when = f"{_seconds(lag)} later ({_seconds(soon)} to {_seconds(late)})"
    return (
        f"{subject} is followed by {caller_kind} on {caller} {when} in {probability:.0%} of cases "
        f"({low:.0%} to {high:.0%}; {counted}, chance included)"
    )


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value < 119.5 else f"{value / 60:.0f} min"
