"""Time and memory against events and services: ``python -m benchmarks.edges.scale``.

Every size runs in a process of its own; memory is the most that process ever held, imports and alerts included. The
largest history never exists as a whole: it is made and learnt month by month (`partial_fit`). The last row learns on
a local Dask cluster and compares the edges with those learnt without. Time against size is drawn to ``build/``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
from plotly.subplots import make_subplots

import stanza_lab as sl
from benchmarks.edges.measuring import peak_mb

if TYPE_CHECKING:
    import plotly.graph_objects as go

SIZES = tuple((events, services) for services in (50, 200, 1000) for events in (10_000, 100_000, 1_000_000))
IN_MONTHS = (10_000_000, 2000)
ON_DASK = (100_000, 200)
ASKED = {(1_000_000, 200): "5 s, 2 GB"}
MONTHS = 12
MONTH_DAYS = 30.0
CALLS_PER_SERVICE = 2
SPREAD = 0.35  # probability that trouble reaches a caller
HOPS = 4
DELAY_S = 60.0
BACKGROUND = 0.3  # share of alerts that belong to nothing
TIMEOUT_S = 3600
FIGURE = Path("build") / "edges_scale.html"


def table() -> pd.DataFrame:
    """Return one row per size and way of learning."""
    jobs = [("fit", size) for size in SIZES] + [("partial_fit, months", IN_MONTHS), ("fit, dask", ON_DASK)]
    rows = []
    for way, (events, services) in jobs:
        sys.stderr.write(f"{way}: {events:,} events, {services:,} services\n")
        command = [sys.executable, "-m", "benchmarks.edges.scale", way, str(events), str(services)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        told = json.loads(done.stdout) if done.returncode == 0 else {"note": done.stderr.strip().splitlines()[-1]}
        asked = ASKED.get((events, services), "") if way == "fit" else ""
        rows.append({"way": way, "events": events, "services": services, "asked": asked, **told})
    return pd.DataFrame(rows)


def history(
    events: int, services: int, *, seed: int = 7000, start: str = "2026-01-01", days: float = 365.0
) -> pd.DataFrame:
    """Return about so many alerts: incidents that travel to callers, and alerts for no reason."""
    calls = np.random.default_rng(services)  # the same production for every seed
    order = calls.permutation(services)
    src, dst = calls.integers(0, services, (2, CALLS_PER_SERVICE * services))
    callee, caller = order[np.minimum(src, dst)[src != dst]], order[np.maximum(src, dst)[src != dst]]
    callers = np.argsort(callee, kind="stable")
    first = np.searchsorted(callee[callers], np.arange(services + 1))
    rng = np.random.default_rng(seed)
    span = days * 86_400
    mean = sum((SPREAD * CALLS_PER_SERVICE) ** hop for hop in range(HOPS))
    at = rng.uniform(0, span, int(events * (1 - BACKGROUND) / mean))
    who = rng.integers(0, services, len(at))
    times, nodes = [at, rng.uniform(0, span, int(events * BACKGROUND))], [who]
    nodes.append(rng.integers(0, services, len(times[1])))
    for _ in range(HOPS - 1):
        many = first[who + 1] - first[who]
        which = np.repeat(first[who] - np.cumsum(many) + many, many) + np.arange(many.sum())
        at, who = np.repeat(at, many), caller[callers[which]]
        reached = rng.random(len(at)) < SPREAD
        at, who = at[reached] + rng.exponential(DELAY_S, reached.sum()), who[reached]
        times.append(at)
        nodes.append(who)
    seconds = np.concatenate(times)
    inside = seconds < span
    micros, nodes_inside = (seconds[inside] * 1e6).astype(np.int64), np.concatenate(nodes)[inside]
    by_time = np.argsort(micros, kind="stable")
    stamps = pd.to_datetime(micros[by_time] + pd.Timestamp(start, tz="UTC").value // 1000, unit="us", utc=True)
    names = [f"s{k:04d}" for k in range(services)]
    return pd.DataFrame(
        {"starts_at": stamps, "service": pd.Categorical.from_codes(nodes_inside[by_time], pd.Index(names))}
    )


def figure(found: pd.DataFrame) -> go.Figure:
    """Draw seconds against events, a line per number of services, and against services, a line per number of events."""
    drawn = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.04)
    known = found.dropna(subset=["seconds"])
    fits, months = known[known["way"] == "fit"], known[known["way"].str.startswith("partial_fit")]
    for column, (across, of) in enumerate((("events", "services"), ("services", "events")), start=1):
        for number, rows in fits.groupby(of):
            line = {"x": rows[across], "y": rows["seconds"], "name": f"{number:,} {of}", "mode": "lines+markers"}
            drawn.add_scatter(**line, row=1, col=column)
        if len(months):
            name = f"{IN_MONTHS[0]:,} events x {IN_MONTHS[1]:,} services, month by month"
            point = {"x": months[across], "y": months["seconds"], "name": name, "mode": "markers"}
            look = {"marker": {"symbol": "diamond", "size": 10, "color": "#444444"}, "showlegend": column == 1}
            drawn.add_scatter(**point, **look, row=1, col=column)
        drawn.update_xaxes(type="log", dtick=1, title=across, row=1, col=column)
    drawn.update_yaxes(type="log", dtick=1)
    drawn.update_yaxes(title="seconds to learn", col=1)
    return drawn.update_layout(title="Learning the edges: time against size", template="plotly_white", width=1100)


def one(way: str, events: int, services: int) -> dict[str, Any]:
    """Learn one history in this process; return what it took."""
    if way.startswith("partial_fit"):
        return _in_months(events, services)
    alerts = history(events, services)
    before = peak_mb()
    sl.DependencyModel().fit(alerts.head(1000))  # imports and compiled code are not what is measured
    began = time.perf_counter()
    model = sl.DependencyModel().fit(alerts)
    seconds = time.perf_counter() - began
    told = {"seconds": seconds, "peak_mb": peak_mb(), "before_mb": before, "edges": len(model.edges_)}
    return {**told, **_on_dask(alerts, model.edges_)} if way.endswith("dask") else told


def _in_months(events: int, services: int) -> dict[str, Any]:
    model, seconds, peaks = sl.DependencyModel(), 0.0, []
    before = peak_mb()
    for month in range(MONTHS):
        start = pd.Timestamp("2026-01-01") + month * pd.Timedelta(days=MONTH_DAYS)
        alerts = history(events // MONTHS, services, seed=7000 + month, start=str(start), days=MONTH_DAYS)
        began = time.perf_counter()
        model.partial_fit(alerts)
        seconds += time.perf_counter() - began
        peaks.append(peak_mb())
        sys.stderr.write(f"month {month}: {seconds:.0f} s, {peaks[-1]:.0f} MB\n")
    note = f"peak after month 1, 6, 12: {peaks[0]:,.0f}, {peaks[5]:,.0f}, {peaks[-1]:,.0f} MB"
    return {"seconds": seconds, "peak_mb": peaks[-1], "before_mb": before, "edges": len(model.edges_), "note": note}


def _on_dask(alerts: pd.DataFrame, expected: pd.DataFrame) -> dict[str, Any]:
    from dask.distributed import Client, LocalCluster

    size = {"n_workers": 2, "threads_per_worker": 1}
    with (
        LocalCluster(dashboard_address=None, **size) as cluster,  # type: ignore[no-untyped-call]
        Client(cluster),  # type: ignore[no-untyped-call]
        joblib.parallel_config(backend="dask"),
    ):
        began = time.perf_counter()
        edges = sl.DependencyModel(n_jobs=2).fit(alerts).edges_
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "note": f"edges identical: {edges.equals(expected)}"}


def main() -> None:
    if len(sys.argv) == 4:
        way, events, services = sys.argv[1:]
        print(json.dumps(one(way, int(events), int(services))))
        return
    found = table()
    print(found.to_string(index=False, float_format=lambda value: f"{value:,.2f}", na_rep=""))
    FIGURE.parent.mkdir(exist_ok=True)
    figure(found).write_html(FIGURE)


if __name__ == "__main__":
    main()
