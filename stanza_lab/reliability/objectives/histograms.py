"""Quantiles from the cumulative buckets of a histogram, and between which bounds they lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Quantile(NamedTuple):
    """A quantile in seconds: the estimate, and the bounds of the bucket it lies in (`high` may be infinite)."""

    value: float
    low: float
    high: float


def quantile(le: Sequence[float], below: Sequence[float], q: float) -> Quantile:
    """Return the `q`-quantile of cumulative counts, as Prometheus does: evenly spread inside a bucket.

    In the last bucket, which has no end, it is the bound before: at least so much. Null without any count.
    """
    total = below[-1] if len(below) else 0.0
    if not total > 0:
        return Quantile(math.nan, math.nan, math.nan)
    rank = q * total
    place = next(i for i, count in enumerate(below) if count >= rank - 1e-12)
    low = le[place - 1] if place else 0.0
    before = below[place - 1] if place else 0.0
    high, inside = le[place], below[place] - before
    if math.isinf(high):
        return Quantile(low, low, high)
    share = (rank - before) / inside if inside > 0 else 1.0
    return Quantile(low + (high - low) * min(1.0, max(0.0, share)), low, high)
