"""Plain cascades: times and names only, for what a production with monitors and tiers cannot isolate.

Services call each other at random, without circles. Now and then one fails; each of its callers then fails with a
probability of that call, after a delay. Nuisances are laid over the times, one at a time.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.edges.cases import Case, known_part

if TYPE_CHECKING:
    from collections.abc import Iterator
from typing import Any

SERVICES = 50
EVENTS = 50_000
CALLS_PER_SERVICE = 2.0
SPREADS = (0.15, 0.6)  # lowest and highest probability that a failure reaches a caller
DELAY_S = 60.0  # mean delay from failure to the caller's failure
GAP_S = 1800.0  # mean time between incidents
SHOCK_SIZE = 0.2  # of all services, hit at once by one cause from outside
FLAP_DELAY_S = 300.0

NUISANCES: dict[str, dict[str, Any]] = {
    "clean": {},
    "30 % common shocks": {"shocks": 0.3},
    "latency to 120 s": {"latency_s": 120.0},
    "minute stamps": {"grid_s": 60.0},
    "flapping .3": {"flapping": 0.3},
    "30 % missing": {"missing": 0.3},
    "all of them": {"latency_s": 120.0, "grid_s": 60.0, "flapping": 0.3, "shocks": 0.3, "missing": 0.3},
}


def cases(seeds: range, *, nuisances: tuple[str, ...] = tuple(NUISANCES), only: str = "") -> Iterator[Case]:
    """Yield every nuisance for every seed."""
    for name in nuisances:
        title = f"cascades of {SERVICES}: {name}"
        for seed in seeds if only in title else ():
            alerts, call_graph = cascade(seed=seed, **NUISANCES[name])
            yield Case(
                name=title,
                alerts=alerts,
                call_graph=call_graph,
                seed=seed,
                given=known_part(call_graph, seed=seed) if "latency_s" in NUISANCES[name] else None,
            )


def cascade(
    *,
    seed: int,
    latency_s: float = 0.0,
    grid_s: float = 0.0,
    flapping: float = 0.0,
    shocks: float = 0.0,
    missing: float = 0.0,
    services: int = SERVICES,
    events: int = EVENTS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return alerts (`starts_at`, `service`) and the true calls (`caller`, `callee`).

    `latency_s`: each service is seen late by its own constant, at most this. `grid_s`: times are cut down to this grid.
    `flapping`: share of alerts that fire once more some minutes later. `shocks`: share of alerts that come from common
    causes. `missing`: share of alerts never written down.
    """
    rng = np.random.default_rng(seed)
    reaches = _reaches(rng, services)
    times, nodes = _failures(rng, reaches, events=events, shocks=shocks)
    times = times + (rng.uniform(0, latency_s, services) if latency_s else np.zeros(services))[nodes]
    kept = rng.random(len(times)) >= missing
    times, nodes = times[kept], nodes[kept]
    again = rng.random(len(times)) < flapping
    times = np.concatenate([times, times[again] + rng.exponential(FLAP_DELAY_S, again.sum())])
    nodes = np.concatenate([nodes, nodes[again]])
    if grid_s:
        times = times // grid_s * grid_s
    order = np.argsort(times, kind="stable")
    names = np.array([f"s{k:02d}" for k in range(services)])
    callee, caller = np.nonzero(reaches)
    start = pd.Timestamp("2026-01-01", tz="UTC")
    stamps = (start + pd.to_timedelta(np.round(times[order] * 1e3), unit="ms")).as_unit("us")
    return (
        pd.DataFrame({"starts_at": stamps, "service": names[nodes[order]]}),
        pd.DataFrame({"caller": names[caller], "callee": names[callee]}),
    )


def _reaches(rng: np.random.Generator, services: int) -> npt.NDArray[np.float64]:
    """Draw with which probability a failure of the row reaches the column, its caller; 0 where nobody calls."""
    order = rng.permutation(services)
    above = np.flatnonzero(np.triu(np.ones((services, services)), 1))
    chosen = rng.choice(above, size=min(len(above), int(CALLS_PER_SERVICE * services)), replace=False)
    first, second = np.unravel_index(chosen, (services, services))
    reaches = np.zeros((services, services))
    reaches[order[first], order[second]] = rng.uniform(*SPREADS, len(chosen))
    return reaches


def _failures(
    rng: np.random.Generator, reaches: npt.NDArray[np.float64], *, events: int, shocks: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Let incidents happen until there are enough failures; return when which service failed."""
    services = len(reaches)
    callers = [np.flatnonzero(row) for row in reaches]
    hit = max(2, int(SHOCK_SIZE * services))
    # A shock makes `hit` cascades and an incident one: so often must it be a shock for `shocks` of all alerts.
    often = shocks / (shocks + (1 - shocks) * hit) if shocks else 0.0
    times: list[float] = []
    nodes: list[int] = []
    now = 0.0
    while len(times) < events:
        now += rng.exponential(GAP_S)
        shocked = rng.random() < often
        roots = rng.choice(services, hit, replace=False) if shocked else rng.integers(0, services, 1)
        delays = rng.exponential(DELAY_S, len(roots)) if shocked else np.zeros(1)
        waiting = sorted((now + float(delay), int(root)) for delay, root in zip(delays, roots, strict=True))
        seen: set[int] = set()
        while waiting:
            at, node = heapq.heappop(waiting)
            if node in seen:
                continue
            seen.add(node)
            times.append(at)
            nodes.append(node)
            spread = callers[node][rng.random(len(callers[node])) < reaches[node, callers[node]]]
            for caller in spread:
                heapq.heappush(waiting, (at + float(rng.exponential(DELAY_S)), int(caller)))
    return np.array(times), np.array(nodes, np.int64)
