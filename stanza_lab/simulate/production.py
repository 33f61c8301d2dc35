"""A production with known truth: simulate it, look at its tables, export it in vendor shapes."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import ParameterError
from stanza_lab.simulate.alerts import make_alerts
from stanza_lab.simulate.deploys import make_deploys
from stanza_lab.simulate.faults import Faults, make_faults
from stanza_lab.simulate.firings import make_firings
from stanza_lab.simulate.indicators import make_indicators
from stanza_lab.simulate.monitors import make_monitors
from stanza_lab.simulate.naming import iso, name_monitors, name_records
from stanza_lab.simulate.records import make_records
from stanza_lab.simulate.topology import Topology, make_topology
from stanza_lab.simulate.writing import write_export


@dataclass(frozen=True, eq=False, repr=False)
class Production:
    """A simulated production and the truth about it, as `simulate_production` returns it.

    Attributes
    ----------
    services : DataFrame
        service, tier (edge, api, core, data), kind (web, service, lambda, rds, dynamodb, elasticache, sqs), domain,
        team, repository, resource (ARN, null for what is no AWS resource), alias (its spelling in CloudWatch and
        Sentry); callers before callees.
    call_graph : DataFrame
        caller, callee: the true dependencies, sorted.
    incidents : DataFrame
        incident_id, start, end, root_service (null for a shared cause), fault_type, pattern_id (equal = it recurred).
    alerts : DataFrame
        `schema.ALERTS` without incident_id, sorted by starts_at: what an import of the exports gives, with every
        service under its canonical name, without the pages that copy some. `team` and `environment` stand where the
        monitor states them.
    labels : DataFrame
        alert_id, incident_id (null = belongs to none), in the order of `alerts`.
    deploys : DataFrame
        service, at, version, sorted by time; one stands before every incident of type deploy regression.
    parameters : dict
        What `simulate_production` was called with; durations in seconds.
    indicators : DataFrame
        What the front ends count: service, indicator (requests every 5 minutes, sessions of one every hour), at,
        covers_s, good, total, le and below (buckets of latencies); as `read_indicators` returns it.
    topology, faults, monitors, records
        What the exports are written from.
    """

    incidents: pd.DataFrame
    alerts: pd.DataFrame
    labels: pd.DataFrame
    deploys: pd.DataFrame
    parameters: Mapping[str, Any]
    topology: Topology
    faults: Faults
    monitors: pd.DataFrame
    records: pd.DataFrame

    @property
    def services(self) -> pd.DataFrame:
        """Return the services."""
        return self.topology.services

    @property
    def call_graph(self) -> pd.DataFrame:
        """Return the true dependencies."""
        return self.topology.call_graph

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """Return what the front ends count; made when it is first asked for, from random numbers of its own."""
        rng = np.random.default_rng([self.parameters["random_state"], 40])
        start_ms = pd.Timestamp(self.parameters["start"]).value // 1_000_000
        return make_indicators(rng, self.topology, self.faults, start_ms=start_ms, days=self.parameters["days"])

    def __repr__(self) -> str:
        """Count what is there."""
        counts = {name: len(getattr(self, name)) for name in ("services", "call_graph", "incidents", "alerts")}
        return "Production(" + ", ".join(f"{count:,} {name}" for name, count in counts.items()) + ")"

    def export(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Write the production as the vendors would export it, with the truth beside.

        Parameters
        ----------
        path : path
            Directory to write: a new or empty one, or with `overwrite` a former export.
        overwrite : bool, default False
            Replace a former export that is there, file by file. Anything else that is there is never written to.

        Returns
        -------
        list of Path
            The files written, sorted: ``exports/`` (what `read_alerts` reads), ``traces/``,
            ``indicators/``, ``truth/``, ``ownership.csv``, ``README.md`` and ``meta.json``.

        Raises
        ------
        ParameterError
            `path` is a file, a directory that holds other things, or a former export and `overwrite` is off.

        Examples
        --------
        >>> import tempfile
        >>> import stanza_lab as sl
        >>> production = sl.simulate_production(services=12, teams=3, days=7, incidents=4)
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     files = production.export(directory)
        >>> files[0].name
        'README.md'
        """
        return write_export(self, Path(path), overwrite=overwrite)


def simulate_production(
    *,
    services: int = 40,
    teams: int = 8,
    days: int = 91,
    incidents: int = 60,
    random_state: int = 0,
    start: _params.Instant = "2026-07-01",
    coverage: float = 0.8,
    noise: float = 0.3,
    flapping: float = 0.08,
    missing_recovery: float = 0.03,
    clock_skew: _params.Duration = "2s",
    shared_causes: float = 0.1,
    trace_coverage: float = 0.6,
    detection_latency: _params.Duration = "90s",
    evaluation_period: _params.Duration = "1min",
) -> Production:
    """Simulate a production whose services, dependencies and incidents are known, with the alerts it would raise.

    Services in four tiers call each other without cycles. A fault at a root travels from callee to caller, with a
    probability and a delay of each call, and fades. Monitors of Datadog, CloudWatch and Sentry see some of it, late,
    each on its own minute; others fire for no reason that matters. A nuisance can be changed alone: the services, calls
    and faults stay the same for one `random_state`.

    Parameters
    ----------
    services : int, default 40
        Number of services, front ends and AWS resources together, at least 6.
    teams : int, default 8
        Number of teams, at least 1 and at most a third of `services`; each owns services near each other.
    days : int, default 91
        Length in days, at least 1.
    incidents : int, default 60
        Number of incidents; some of them raise one alert or none.
    random_state : int, default 0
        Seed; the same seed and parameters give the same bytes.
    start : str or Timestamp, default "2026-07-01"
        First instant; a value without a zone is UTC.
    coverage : float, default 0.8
        Probability from 0 to 1 that a usual monitor exists. More shows more of each incident.
    noise : float, default 0.3
        False alarms per monitor and week on average, 0 or more. Most come from a few chronic monitors.
    flapping : float, default 0.08
        Share from 0 to 1 of firings that break into several short ones.
    missing_recovery : float, default 0.03
        Share from 0 to 1 of recoveries that were never written down; the next firing then repeats the open alert.
    clock_skew : str or Timedelta, default "2s"
        Standard deviation of the monitors' clocks; more blurs the order of alerts. "0s" turns it off.
    shared_causes : float, default 0.1
        Share from 0 to 1 of incidents that hit unrelated services at once (a host, a zone, a base image).
    trace_coverage : float, default 0.6
        Share from 0 to 1 of the services that write traces; used by the export only.
    detection_latency : str or Timedelta, default "90s"
        Median time until a monitor sees a symptom; each monitor has its own. Longer blurs the order of alerts.
    evaluation_period : str or Timedelta, default "1min"
        Grid of the evaluations (some CloudWatch alarms: five times as long), each monitor with its own phase. "0s"
        turns it off.

    Returns
    -------
    Production
        Tables `services`, `call_graph`, `incidents`, `alerts`, `labels`, and `export(path)`.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> production = sl.simulate_production(services=12, teams=3, days=7, incidents=4)
    >>> production.services["tier"].value_counts().sum()
    np.int64(12)
    >>> set(production.call_graph["callee"]) <= set(production.services["service"])
    True
    >>> production.alerts["alert_id"].is_unique
    True
    """
    began = _params.instant(start, "start").floor("ms")
    parameters: dict[str, Any] = {
        "services": _params.at_least(services, "services", 6),
        "teams": _params.at_least(teams, "teams", 1),
        "days": _params.at_least(days, "days", 1),
        "incidents": _params.at_least(incidents, "incidents", 0),
        "random_state": _params.at_least(random_state, "random_state", 0),
        "start": began.isoformat(),
        "coverage": _params.fraction(coverage, "coverage"),
        "noise": _rate(noise),
        "flapping": _params.fraction(flapping, "flapping"),
        "missing_recovery": _params.fraction(missing_recovery, "missing_recovery"),
        "clock_skew": _seconds(clock_skew, "clock_skew"),
        "shared_causes": _params.fraction(shared_causes, "shared_causes"),
        "trace_coverage": _params.fraction(trace_coverage, "trace_coverage"),
        "detection_latency": _seconds(detection_latency, "detection_latency"),
        "evaluation_period": _seconds(evaluation_period, "evaluation_period"),
    }
    if teams > services // 3:
        raise ParameterError(f"teams={teams} is too many for {services} services; pass at most {services // 3}")

    # A stream of random numbers per concern, so that one knob does not shake the others.
    streams = [np.random.default_rng([random_state, concern]) for concern in range(8)]
    when = {"start_ms": began.value // 1_000_000, "days": days}
    topology = make_topology(streams[0], services=services, teams=teams)
    faults = make_faults(streams[1], topology, incidents=incidents, shared_causes=shared_causes, **when)
    monitors = make_monitors(
        streams[2],
        topology,
        coverage=coverage,
        detection_latency_s=parameters["detection_latency"],
        evaluation_ms=round(parameters["evaluation_period"] * 1e3),
        clock_skew_s=parameters["clock_skew"],
    )
    monitors = name_monitors(streams[3], monitors, topology)
    firings = make_firings(streams[4], monitors, faults, noise=noise, flapping=flapping, **when)
    records = make_records(streams[5], monitors, firings, missing_recovery=missing_recovery, **when)
    records = name_records(streams[6], monitors, records)
    alerts, labels = make_alerts(topology, monitors, records, faults.incidents["incident_id"].tolist())
    incident_table = _incident_table(topology, faults.incidents)
    return Production(
        incidents=incident_table,
        alerts=alerts,
        labels=labels,
        deploys=make_deploys(streams[7], topology, incident_table, **when),
        parameters=parameters,
        topology=topology,
        faults=faults,
        monitors=monitors,
        records=records,
    )


def _incident_table(topology: Topology, incidents: pd.DataFrame) -> pd.DataFrame:
    names = np.array([*topology.services["service"], None], dtype=object)
    return pd.DataFrame(
        {
            "incident_id": incidents["incident_id"].astype("str"),
            "start": pd.to_datetime(iso(incidents["start_ms"]), utc=True),
            "end": pd.to_datetime(iso(incidents["end_ms"]), utc=True),
            "root_service": pd.Series(names[incidents["root"].to_numpy(dtype=np.int64)], dtype="str"),
            "fault_type": incidents["fault_type"].astype("str"),
            "pattern_id": incidents["pattern_id"].astype("str"),
        }
    )


def _seconds(value: _params.Duration, name: str) -> float:
    return float(_params.duration(value, name, zero=True).total_seconds())


def _rate(value: float) -> float:
    if not (value >= 0 and math.isfinite(value)):
        raise ParameterError(f"noise={value!r} must be 0 or more false alarms per monitor and week")
    return float(value)
