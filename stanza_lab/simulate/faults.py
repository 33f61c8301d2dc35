"""What breaks, and how it spreads: faults at a root, travelling from callee to caller with delays and losses."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from stanza_lab.simulate.rhythm import sample_times

if TYPE_CHECKING:
    from stanza_lab.simulate.topology import Topology

# Probability that a fault shows as this symptom: at its root by fault type, elsewhere as "reached".
SYMPTOMS = ("latency", "errors", "saturation", "restarts")
SHOWS_AS = {
    "saturation": (0.8, 0.4, 0.95, 0.1),
    "errors": (0.3, 0.95, 0.05, 0.1),
    "latency": (0.95, 0.2, 0.25, 0.02),
    "deploy regression": (0.5, 0.85, 0.2, 0.5),
    "node loss": (0.5, 0.6, 0.2, 0.95),
    "host loss": (0.5, 0.6, 0.3, 0.9),
    "zone network loss": (0.9, 0.8, 0.05, 0.1),
    "bad base image": (0.4, 0.7, 0.3, 0.7),
    "reached": (0.7, 0.65, 0.12, 0.03),
}
_TYPES_OF = {
    "web": ("errors", "latency", "deploy regression"),
    "service": ("saturation", "errors", "latency", "deploy regression", "node loss"),
    "lambda": ("errors", "latency", "deploy regression"),
    "rds": ("saturation", "latency", "node loss"),
    "dynamodb": ("saturation", "errors"),
    "elasticache": ("saturation", "node loss"),
    "sqs": ("saturation",),
}
_SHARED_TYPES = ("host loss", "zone network loss", "bad base image")
_FADED = 0.15  # below this intensity nobody notices


class _Pattern(NamedTuple):
    """A fault that may recur: where it starts, how, and under which name."""

    roots: tuple[int, ...]
    fault_type: str
    pattern_id: str


@dataclass(frozen=True)
class Faults:
    """The incidents and, for each, the services it reached.

    Attributes
    ----------
    incidents : DataFrame
        incident_id, start_ms, end_ms, root (row of the services, -1 for a shared cause), fault_type, pattern_id.
    reached : DataFrame
        incident and service (row numbers), start_ms, end_ms, intensity (0 to 1), shows_as (key of SHOWS_AS).
    """

    incidents: pd.DataFrame
    reached: pd.DataFrame


def make_faults(
    rng: np.random.Generator, topology: Topology, *, incidents: int, start_ms: int, days: int, shared_causes: float
) -> Faults:
    """Draw `incidents` incidents; the share `shared_causes` hits services that have nothing to do with each other."""
    starts = sample_times(rng, incidents, start_ms=start_ms, days=days)
    patterns = _patterns(rng, topology, incidents, shared_causes)
    callers = _callers(topology)
    rows, reached = [], []
    for number, (start, pattern) in enumerate(zip(starts, patterns, strict=True)):
        spread = _spread(rng, int(start), pattern, callers)
        reached += [(number, *row) for row in spread]
        rows.append(
            {
                "incident_id": f"INC-{number + 1:03d}",
                "start_ms": int(start),
                "end_ms": max(row[2] for row in spread),
                "root": pattern.roots[0] if pattern.fault_type not in _SHARED_TYPES else -1,
                "fault_type": pattern.fault_type,
                "pattern_id": pattern.pattern_id,
            }
        )
    columns = ["incident", "service", "start_ms", "end_ms", "intensity", "shows_as"]
    names = ["incident_id", "start_ms", "end_ms", "root", "fault_type", "pattern_id"]
    return Faults(pd.DataFrame(rows, columns=names), pd.DataFrame(reached, columns=columns))


def _patterns(rng: np.random.Generator, topology: Topology, incidents: int, shared_causes: float) -> list[_Pattern]:
    """Draw a pattern per incident from a pool in which a few come again and again."""
    services = topology.services
    count = len(services)
    pool_size = max(1, round(incidents / 2.2))
    tier = services["tier"].map({"edge": 0.5, "api": 1.0, "core": 1.2, "data": 1.3}).to_numpy()
    weights = rng.gamma(2.0, size=count) * tier
    own, shared = [], []
    names, kinds = services["service"].to_numpy(), services["kind"].to_numpy()
    for _ in range(pool_size):
        root = int(rng.choice(count, p=weights / weights.sum()))
        kind = str(rng.choice(_TYPES_OF[kinds[root]]))
        own.append(_Pattern((root,), kind, f"{names[root]}: {kind}"))
        kind = str(rng.choice(_SHARED_TYPES))
        hit = min(count, 2 + int(rng.poisson(min(6.0, 0.06 * count))))
        where = f"ip-10-0-{rng.integers(1, 255)}-{rng.integers(1, 255)}"
        roots = tuple(int(k) for k in rng.choice(count, size=hit, replace=False))
        shared.append(_Pattern(roots, kind, f"{where}: {kind}"))
    again = 1.0 / np.arange(1, pool_size + 1) ** 0.6
    chosen = rng.choice(pool_size, size=incidents, p=again / again.sum())
    is_shared = rng.random(incidents) < shared_causes
    return [(shared if common else own)[k] for k, common in zip(chosen, is_shared, strict=True)]


def _callers(topology: Topology) -> list[list[tuple[int, float, float]]]:
    """List for every service who calls it, with the call's transmission and lag."""
    callers: list[list[tuple[int, float, float]]] = [[] for _ in range(len(topology.services))]
    columns = (topology.calls[name].tolist() for name in ("callee", "caller", "transmit", "lag_s"))
    for callee, caller, transmit, lag_s in zip(*columns, strict=True):
        callers[callee].append((caller, transmit, lag_s))
    return callers


def _spread(
    rng: np.random.Generator, start: int, pattern: _Pattern, callers: list[list[tuple[int, float, float]]]
) -> list[tuple[int, int, int, float, str]]:
    """Follow one fault from its roots to their callers, nearest in time first."""
    strength = rng.uniform(0.6, 1.0)
    duration_s = float(np.clip(rng.lognormal(np.log(1500.0), 0.8), 240.0, 8 * 3600.0))
    several = len(pattern.roots) > 1
    waiting = [
        (start / 1e3 + (rng.exponential(25.0) if several else 0.0), root, strength, duration_s, pattern.fault_type)
        for root in pattern.roots
    ]
    heapq.heapify(waiting)
    seen: dict[int, tuple[int, int, int, float, str]] = {}
    while waiting:
        at, service, intensity, length, shows_as = heapq.heappop(waiting)
        if service in seen:
            continue
        seen[service] = (service, int(at * 1e3), int((at + length) * 1e3), intensity, shows_as)
        for caller, transmit, lag_s in callers[service]:
            weaker = intensity * rng.uniform(0.65, 1.0)
            delay = lag_s * rng.lognormal(0.0, 0.5)
            # Callers recover after the callee, some of them early (a retry or a fallback helped).
            longer = length * (rng.uniform(0.2, 0.8) if rng.random() < 0.15 else 1.0) + rng.exponential(40.0)
            if rng.random() < transmit * (0.5 + 0.5 * intensity / strength) and weaker > _FADED:
                heapq.heappush(waiting, (at + delay, caller, weaker, longer, "reached"))
    return list(seen.values())
