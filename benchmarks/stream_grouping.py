"""Grouping one alert at a time: does it agree with grouping all at once, how long does an alert take, how much stays.

``python -m benchmarks.stream_grouping`` prints three tables: agreement on simulated productions of held-out seeds, the
time of one `StreamGrouper.push` beside `IncidentClusterer.predict` in the same run, and the memory of the process over
two million alerts (``--alerts`` for another number).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

import stanza_lab as sl
from benchmarks.correlation_speed import alerts_of
from stanza_lab.incidents.quality.agreement import ari, pairwise_f1
from stanza_lab.incidents.stream import StreamGrouper

SEEDS = range(900, 906)
LATE_SHARE, LATE_S = 0.05, 1_200.0  # of the alerts, and at most
LEARNED = 2 / 3  # of the time: the rest is streamed
AWAY = "8h"  # between the two, so that no alert of the first is near one of the second
ASKED = 300  # alerts that `predict` is asked for one by one
REPEATED = 5_000  # different alerts of the two millions
NOTES = 10  # times that memory is looked at


def records(alerts: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of an alerts table as the stream takes them."""
    known = alerts.astype(object).where(alerts.notna(), None)
    rows: list[dict[str, Any]] = [{str(name): value for name, value in row.items()} for row in known.to_dict("records")]
    for row in rows:
        for column in ("starts_at", "ends_at"):
            if row.get(column) is not None:
                row[column] = row[column].value // 1000  # .value counts nanoseconds
    return rows


def streamed(model: sl.IncidentClusterer, alerts: pd.DataFrame, *, late: np.random.Generator | None) -> np.ndarray:
    """Return the incident of each alert at the end of a stream of them, some `late` or all in order of time."""
    rows = records(alerts)
    arrival = np.array([row["starts_at"] for row in rows], dtype=float)
    if late is not None:
        some = late.random(len(rows)) < LATE_SHARE
        arrival[some] += late.random(int(some.sum())) * LATE_S * 1e6
    grouper, found = StreamGrouper(model), {}
    for place in np.argsort(arrival, kind="stable"):
        placed = grouper.push(rows[place])
        found[rows[place]["alert_id"]] = placed.incident_id
        found |= dict(placed.moved)
    return np.array([found[row["alert_id"]] for row in rows])


def agreement(seeds: Iterable[int] = SEEDS) -> pd.DataFrame:
    """Return how far a stream agrees with `predict` of the same alerts in one batch, and each with the truth."""
    rows = []
    for seed in seeds:
        made = sl.simulate_production(services=40, teams=6, days=45, incidents=120, random_state=seed)
        alerts = made.alerts.sort_values("starts_at", kind="stable", ignore_index=True)
        begin, end = alerts["starts_at"].min(), alerts["starts_at"].max()
        then = begin + (end - begin) * LEARNED
        fitted = sl.IncidentClusterer(edges=made.call_graph).fit(alerts[alerts["starts_at"] < then])
        model = sl.IncidentClusterer.from_frames(fitted.to_frames(), edges=made.call_graph)
        later = alerts[alerts["starts_at"] >= then + pd.Timedelta(AWAY)].reset_index(drop=True)
        truth = later.merge(made.labels, on="alert_id", how="left", suffixes=("_", ""))["incident_id"]
        known = pd.factorize(truth)[0]  # -1: of no incident
        batch = model.predict(later)
        for order, random in (("in time", None), ("5 % late", np.random.default_rng(seed))):
            found = streamed(model, later, late=random)
            rows.append(
                {
                    "seed": seed,
                    "order": order,
                    "alerts": len(later),
                    "ari with batch": ari(batch, found),
                    "f1 with batch": pairwise_f1(batch, found),
                    "stream f1 with truth": pairwise_f1(known, found),
                    "batch f1 with truth": pairwise_f1(known, batch),
                }
            )
    return pd.DataFrame(rows)


def _model(n: int) -> tuple[sl.IncidentClusterer, pd.DataFrame]:
    alerts, calls = alerts_of(2 * n)
    alerts = alerts.sort_values("starts_at", ignore_index=True)
    fitted = sl.IncidentClusterer(edges=calls).fit(alerts.iloc[:n])
    return sl.IncidentClusterer.from_frames(fitted.to_frames(), edges=calls), alerts.iloc[n:].reset_index(drop=True)


def speed(n: int = 20_000) -> pd.DataFrame:
    """Return how many microseconds one alert takes: in the stream, and by `predict` one at a time and in a batch."""
    model, later = _model(n)
    rows = records(later)
    StreamGrouper(model).push(rows[0])  # compiles
    grouper = StreamGrouper(model)
    took = {"stream, one at a time": _took(grouper.push, rows)}
    took["predict, one at a time"] = _took(model.predict, [later.iloc[i : i + 1] for i in range(ASKED)])
    batch = float(_took(model.predict, [later])[0]) / len(later)
    table = [
        {"how": how, "alerts": len(us), "mean us": us.mean()}
        | dict(zip(("p50 us", "p99 us", "p99.9 us"), np.quantile(us, [0.5, 0.99, 0.999]), strict=True))
        for how, us in took.items()
    ]
    return pd.DataFrame([*table, {"how": "predict, in one batch", "alerts": len(later), "mean us": batch}])


def _took(ask: Any, things: list[Any]) -> np.ndarray:
    """Return microseconds of the processor, so that what else the machine does counts for nothing."""
    took = np.empty(len(things))
    for i, thing in enumerate(things):
        began = time.thread_time_ns()
        ask(thing)
        took[i] = (time.thread_time_ns() - began) / 1e3
    return took


def memory(alerts: int = 2_000_000) -> pd.DataFrame:
    """Return the memory of the process along so many alerts: a few thousand different ones again and again, later."""
    import psutil

    model, later = _model(REPEATED)
    rows = records(later)
    span = rows[-1]["starts_at"] - rows[0]["starts_at"] + 60_000_000
    StreamGrouper(model).push(rows[0])  # compiles
    grouper, process, table = StreamGrouper(model), psutil.Process(), []
    step, began = max(alerts // NOTES, 1), time.thread_time_ns()
    for i in range(alerts):
        again, place = divmod(i, len(rows))
        one = rows[place]
        shift = again * span
        ends = one["ends_at"]
        grouper.push(
            one
            | {
                "alert_id": f"{one['alert_id']}-{again}",
                "starts_at": one["starts_at"] + shift,
                "ends_at": None if ends is None else ends + shift,
            }
        )
        if (i + 1) % step == 0:
            now = time.thread_time_ns()
            table.append(
                {"alerts": i + 1, "MB": process.memory_info().rss / 1e6, "us each": (now - began) / 1e3 / step}
            )
            began = now
    return pd.DataFrame(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=2_000_000, help="alerts over which memory is looked at")
    arguments = parser.parse_args()
    for found in (agreement(), speed(), memory(arguments.alerts)):
        print(found.to_string(index=False, float_format=lambda value: f"{value:,.3f}"), flush=True)


if __name__ == "__main__":
    main()
