"""What the vendors write down: one record per state change or repetition."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.simulate.rhythm import DAY_MS

KINDS = ("firing", "renotification", "recovery")


def make_records(
    rng: np.random.Generator,
    monitors: pd.DataFrame,
    firings: pd.DataFrame,
    *,
    missing_recovery: float,
    start_ms: int,
    days: int,
) -> pd.DataFrame:
    """Return one row per exported record: monitor, at_ms (by the monitor's clock), kind, incident; sorted by time.

    Datadog and CloudWatch write both ends of a firing, some Datadog monitors repeat themselves, Sentry tells of an
    issue again every few minutes and never of its end. Some recoveries are lost, and so is what lies beyond the export.
    """
    vendor = monitors["vendor"].to_numpy()[firings["monitor"]]
    start, end = firings["start_ms"].to_numpy(), firings["end_ms"].to_numpy()
    sentry = vendor == "sentry"
    recovers = ~sentry & (rng.random(len(firings)) >= missing_recovery)

    every = np.where(sentry, 600_000, monitors["renotify_ms"].to_numpy()[firings["monitor"]])
    repeats = np.where(every > 0, (end - start - 1) // np.maximum(every, 1), 0)
    repeats = np.minimum(repeats, np.where(sentry, 8, 24))
    again = firings.loc[firings.index.repeat(repeats)]
    step = np.arange(len(again)) - np.repeat(np.cumsum(repeats) - repeats, repeats) + 1
    wobble = np.where(np.repeat(sentry, repeats), rng.integers(0, 500_000, size=len(again)), 0)
    again_at = again["start_ms"].to_numpy() + step * np.repeat(every, repeats) + wobble

    def rows(part: pd.DataFrame, at: np.ndarray, kind: int) -> pd.DataFrame:
        return pd.DataFrame({"monitor": part["monitor"], "at_ms": at, "kind": kind, "incident": part["incident"]})

    parts = [rows(firings, start, 0), rows(again, again_at, 1), rows(firings[recovers], end[recovers], 2)]
    records = pd.concat(parts, ignore_index=True).astype("int64")
    records = records[records["at_ms"] < start_ms + days * DAY_MS]
    skewed = records["at_ms"] + monitors["skew_ms"].to_numpy()[records["monitor"]]
    records = records.assign(at_ms=skewed).drop_duplicates(["monitor", "at_ms"])
    # Sentry has no word for a repetition: each of its records says that the issue was seen.
    is_sentry = monitors["vendor"].to_numpy()[records["monitor"]] == "sentry"
    records = records.assign(kind=np.where(is_sentry, 0, records["kind"]))
    return records.sort_values(["at_ms", "monitor"], kind="stable", ignore_index=True)
