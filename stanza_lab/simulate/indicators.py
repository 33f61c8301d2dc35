"""What front ends count: requests, failures, latencies and sessions, worse while a fault reaches them.

Columns are those of `stanza_lab.reliability.objectives.INDICATORS`: what `sl.read_indicators` reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.simulate.faults import SHOWS_AS, Faults

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.simulate.topology import Topology

    Floats = NDArray[np.float64]

STEP_S = 300
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, float("inf"))  # seconds
MOST_SERVICES = 3
_REQUESTS_PER_S, _REQUESTS_PER_SESSION = 2.0, 8
_FAILS, _SLOWER = 0.25, 6.0  # of a fault of intensity 1: share of requests; how many times longer they take
_SIGMA = 0.7  # of the logarithm of latencies
_HOUR = 3600 // STEP_S


def make_indicators(
    rng: np.random.Generator, topology: Topology, faults: Faults, *, start_ms: int, days: int
) -> pd.DataFrame:
    """Return requests and latencies of the first front ends every 5 minutes, and sessions of the first every hour."""
    edge = np.flatnonzero(topology.services["tier"] == "edge")[:MOST_SERVICES]
    at_s = start_ms // 1000 + STEP_S * np.arange(1, days * 86_400 // STEP_S + 1, dtype=np.int64)
    parts = []
    for number, row in enumerate(edge):
        service = str(topology.services["service"].iloc[int(row)])
        failing, slow = _reached(rng, faults.reached[faults.reached["service"] == row], at_s)
        total = rng.poisson(_REQUESTS_PER_S * rng.lognormal(0.0, 0.5) * STEP_S * _rhythm(at_s))
        usual = 10 ** rng.uniform(-4.3, -3.6)
        bad = rng.binomial(total, np.round(np.clip(usual + failing, 0.0, 0.95), 9))
        below = np.cumsum(rng.multinomial(total, _latencies(rng.uniform(0.08, 0.2), slow)), axis=1)
        counts = {"good": total - bad, "total": total, "below": below.astype("float64").tolist()}
        parts.append(_table(service, "requests", at_s, STEP_S, counts | {"le": [list(BOUNDS)] * len(at_s)}))
        if number == 0:
            parts.append(_sessions(rng, service, at_s, total, bad))
    found = pd.concat(parts, ignore_index=True)
    return found.sort_values(["service", "indicator", "at"], ignore_index=True)


def _reached(rng: np.random.Generator, rows: pd.DataFrame, at_s: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return for each step the share of requests that faults make fail, and how many times slower they make them."""
    failing, slow = np.zeros(len(at_s)), np.zeros(len(at_s))
    for row in rows.itertuples():
        latency, errors, *_ = SHOWS_AS[str(row.shows_as)]
        fails, slows = rng.random() < errors, rng.random() < latency
        strength = float(str(row.intensity)) ** 2 * rng.uniform(0.5, 1.5)
        begin, end = (float(str(edge)) / 1e3 for edge in (row.start_ms, row.end_ms))
        inside = np.clip(np.minimum(at_s, end) - np.maximum(at_s - STEP_S, begin), 0.0, STEP_S) / STEP_S
        failing += inside * _FAILS * strength * fails
        slow += inside * _SLOWER * strength * slows
    return failing, slow


def _rhythm(at_s: NDArray[np.int64]) -> Floats:
    """Return the traffic relative to the mean: most at 14:00, least at 2:00, less at weekends."""
    of_day = (at_s % 86_400) / 86_400
    weekday = (at_s // 86_400 + 3) % 7  # 1970-01-01 was a Thursday
    level = 1.0 - 0.7 * np.cos(2 * np.pi * (of_day - 2 / 24))
    return np.asarray(level * np.where(weekday >= 5, 0.7, 1.0), dtype=np.float64)


def _latencies(median: float, slow: Floats) -> Floats:
    """Return the probability of each bucket, a row per step."""
    from scipy.special import ndtr

    longer = np.log(median * (1.0 + slow))[:, None]
    level = ndtr((np.log(BOUNDS)[None, :] - longer) / _SIGMA)
    shares = np.round(np.diff(level, axis=1, prepend=0.0), 9)
    shares[:, -1] = 0.0  # the rest: multinomial gives it to the last
    return np.asarray(shares, dtype=np.float64)


def _sessions(
    rng: np.random.Generator, service: str, at_s: NDArray[np.int64], total: NDArray[Any], bad: NDArray[Any]
) -> pd.DataFrame:
    """Return sessions of one front end per hour: one without a failed step is good."""
    asked, failed = (values.reshape(-1, _HOUR).sum(axis=1) for values in (total, bad))
    sessions = asked // _REQUESTS_PER_SESSION
    fine = (1.0 - failed / np.maximum(asked, 1)) ** _REQUESTS_PER_SESSION
    counts = {"good": rng.binomial(sessions, np.round(fine, 9)), "total": sessions}
    return _table(service, "sessions", at_s[_HOUR - 1 :: _HOUR], STEP_S * _HOUR, counts)


def _table(
    service: str, indicator: str, at_s: NDArray[np.int64], covers_s: int, counts: dict[str, Any]
) -> pd.DataFrame:
    lists = {name: pd.Series(counts.get(name, [[] for _ in at_s]), dtype=object) for name in ("le", "below")}
    return pd.DataFrame(
        {
            "service": pd.Series([service] * len(at_s), dtype="str"),
            "indicator": pd.Series([indicator] * len(at_s), dtype="str"),
            "at": pd.to_datetime(pd.Series(at_s * 1_000_000), unit="us", utc=True).astype(schema.TIME_DTYPE),
            "covers_s": float(covers_s),
            "good": counts["good"].astype("float64"),
            "total": counts["total"].astype("float64"),
            **lists,
        }
    )
