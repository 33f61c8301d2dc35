"""The histories edges are measured on: three recordings, and simulated productions with one nuisance at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

import stanza_lab as sl
from benchmarks.edges.cases import Case, known_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEEDS = range(7000, 7005)  # nobody may tune on these
SIZES = (20, 60, 200, 500)
DAYS = 365
INCIDENTS_PER_SERVICE = 40
LATENCY = "60s"  # the median; 120 s is the 92nd of 100 monitors (log-normal), and 60 s the middle of an even 0 to 120 s

CLEAN: dict[str, Any] = {
    "coverage": 1.0,
    "noise": 0.0,
    "flapping": 0.0,
    "shared_causes": 0.0,
    "missing_recovery": 0.0,
    "detection_latency": "0s",
    "evaluation_period": "0s",
    "clock_skew": "0s",
}
NUISANCES: dict[str, dict[str, Any]] = {
    "clean": {},
    "30 % common shocks": {"shared_causes": 0.3},
    "latency to 120 s": {"detection_latency": LATENCY},
    "minute phases": {"evaluation_period": "1min"},
    "flapping .3": {"flapping": 0.3},
    "half the monitors": {"coverage": 0.5},
    "a tool missing": {},
    "all of them": {
        "shared_causes": 0.3,
        "detection_latency": LATENCY,
        "evaluation_period": "1min",
        "flapping": 0.3,
    },
    "as simulated by default": {
        "coverage": 0.8,
        "noise": 0.3,
        "flapping": 0.08,
        "shared_causes": 0.1,
        "missing_recovery": 0.03,
        "detection_latency": "90s",
        "evaluation_period": "1min",
        "clock_skew": "2s",
    },
}
LATE = ("latency to 120 s", "all of them")  # what comes late shows no direction: methods may be told some
A_TOOL_MISSING = ("a tool missing", "all of them")
AT_EVERY_SIZE = ("clean", "all of them")
EVERY_NUISANCE_AT = (20, 60)


def recordings(shared: Path) -> Iterator[Case]:
    """Yield the three recordings with a known graph."""
    folder = shared / "data" / "gcastle_18V"
    alarms = sl.read_alerts(folder / "alerts")
    causes = pd.read_csv(folder / "truth" / "alarm_type_dag.csv")
    yield Case(
        name="gcastle_18V",
        alerts=alarms.assign(service=alarms["resources"].str[0].astype("str")),  # the device an alarm was raised on
        call_graph=causes.rename(columns={"effect": "caller", "cause": "callee"}),  # the effect depends on its cause
        node="alertname",
        place="service",
        acyclic=True,
        slow_peers=True,
    )
    for name in ("petshop_low", "nezha_tt_0129"):
        folder = shared / "data" / name
        traces = folder / "traces"
        yield Case(
            name=name,
            alerts=sl.resolve_entities(sl.read_alerts(folder / "alerts")),
            call_graph=pd.read_csv(folder / "truth" / "call_graph.csv"),
            spans=sl.read_traces(traces) if traces.is_dir() else None,
            slow_peers=True,
        )


def productions(
    seeds: range, *, sizes: tuple[int, ...] = SIZES, nuisances: tuple[str, ...] = tuple(NUISANCES), only: str = ""
) -> Iterator[Case]:
    """Yield simulated productions: every nuisance where they are small, the two ends where they are large."""
    for services in sizes:
        for name in nuisances:
            wanted = only in _name(services, name)  # asked before it is made: a large one takes its time
            if wanted and (services in EVERY_NUISANCE_AT or name in AT_EVERY_SIZE):
                for seed in seeds:
                    yield production(services=services, nuisance=name, seed=seed)


def production(*, services: int, nuisance: str, seed: int) -> Case:
    """Simulate a year of one production."""
    made = sl.simulate_production(
        services=services,
        teams=max(1, min(services // 4, 12)),
        days=DAYS,
        incidents=INCIDENTS_PER_SERVICE * services,
        random_state=seed,
        **{**CLEAN, **NUISANCES[nuisance]},
    )
    alerts = made.alerts
    if nuisance in A_TOOL_MISSING:
        tools = sorted(alerts["source"].dropna().astype(str).unique())
        alerts = alerts[alerts["source"].astype(str) != tools[seed % len(tools)]].reset_index(drop=True)
    return Case(
        name=_name(services, nuisance),
        alerts=alerts,
        call_graph=made.call_graph,
        seed=seed,
        slow_peers=nuisance in AT_EVERY_SIZE,
        given=known_part(made.call_graph, seed=seed) if nuisance in LATE else None,
    )


def _name(services: int, nuisance: str) -> str:
    return f"{services} services: {nuisance}"
