"""Alert time as a proxy for failures, where nobody counts requests: bad is while a grave alert was open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stanza_lab import schema
from stanza_lab.production import words
from stanza_lab.production.reading import globbed
from stanza_lab.reliability.objectives import tables
from stanza_lab.reliability.objectives.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from stanza_lab.reliability.objectives.objective import Objective

    Ints = NDArray[np.int64]


def union(alerts: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return starts and ends (microseconds) of the time in which an alert was open; of those whose end is known."""
    known = alerts[alerts["starts_at"].notna() & alerts["ends_at"].notna()]
    return _merged(tables.micros(known["starts_at"]), tables.micros(known["ends_at"]))


def open_until(starts: Ints, ends: Ints, at: Ints) -> NDArray[np.float64]:
    """Return how many microseconds of the intervals lie before each instant."""
    if not len(starts):
        return np.zeros(len(at))
    edges = np.ravel(np.column_stack([starts, ends])).astype(np.float64)
    level = np.cumsum(ends - starts).astype(np.float64)
    return np.asarray(
        np.interp(at, edges, np.ravel(np.column_stack([np.r_[0.0, level[:-1]], level]))), dtype=np.float64
    )


def _merged(starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum(ends, starts)[order]
    if not len(starts):
        return starts, ends
    reach = np.maximum.accumulate(ends)
    first = np.r_[True, starts[1:] > reach[:-1]]
    return starts[first], reach[np.r_[first[1:], True]]


def counts_of_alerts(
    alerts: pd.DataFrame,
    objectives: Sequence[Objective],
    *,
    severity: str,
    since: pd.Timestamp,
    until: pd.Timestamp,
    last: pd.Timestamp,
) -> tuple[list[Counts], list[str]]:
    """Return seconds (bad and all) of each objective at each service it fits, from alerts of `severity` or worse.

    An alert whose end is not known is not counted; at most it lasted until its rule fired again, or until the end.
    Of more than half a window after the `last` time in the alerts nothing is known: only up to there is counted.
    """
    known = schema.check(alerts, schema.ALERTS, need=["service", "starts_at", "ends_at", "severity", "rule_key"])
    stated = bool(known["severity"].notna().any())
    services = sorted(known["service"].dropna().astype("str").unique())
    counts = known["severity"] >= severity if stated else known["severity"].isna()
    grave = known[counts & known["starts_at"].notna() & known["service"].notna()]
    silent = int(known["severity"].isna().sum())
    notes = [f"{words.count(silent, 'alert')} without a severity were left out"] if silent and stated else []
    which = f"severity {severity} or worse" if stated else "no severity is stated, so every alert counts"
    notes.append(f"a proxy: alert time ({which}) is not what users saw; who never alerts is not here")
    grave = grave[(grave["starts_at"] < until)].sort_values("starts_at")
    again = grave.groupby(grave["rule_key"].astype("str"), sort=False)["starts_at"].shift(-1)
    longest = grave["ends_at"].fillna(again).fillna(until)
    unknown = grave["ends_at"].isna()
    found = []
    for objective in objectives:
        end = until if until - last <= objective.period / 2 else last
        for service in (name for name in services if globbed(name, [objective.service])):
            mine = grave["service"].astype("str") == service
            least = union(grave[mine & ~unknown])
            most = union(grave[mine].assign(ends_at=longest[mine]))
            open_ended = int((mine & unknown).sum())
            said = (
                f"{service}: {words.count(open_ended, 'alert')} without an end excluded; had each lasted until its "
                "rule fired again, the lower bound would hold"
            )
            found.append(_seconds(objective, service, least, most, since, end, (said,) if open_ended else ()))
    return found, notes


def _seconds(
    objective: Objective,
    service: str,
    least: tuple[Ints, Ints],
    most: tuple[Ints, Ints],
    since: pd.Timestamp,
    until: pd.Timestamp,
    notes: tuple[str, ...],
) -> Counts:
    """Return the time from `since` to `until` cut wherever an alert began or ended."""
    low, high = since.value // 1000, until.value // 1000
    edges = np.unique(np.clip(np.concatenate([[low, high], *least, *most]), low, high)).astype(np.int64)
    start, end = edges[:-1], edges[1:]
    lasted = (end - start) / 1e6

    def within(spans: tuple[Ints, Ints]) -> NDArray[np.float64]:
        return np.asarray((open_until(*spans, end) - open_until(*spans, start)) / 1e6, dtype=np.float64)

    bad = within(least)
    return Counts(objective, service, start, end, bad, bad, within(most), lasted, exact=True, notes=notes)
