"""When monitors fire: because a fault reached their service, or for no reason that matters."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.simulate.faults import SHOWS_AS, SYMPTOMS, Faults
from stanza_lab.simulate.monitors import RULES
from stanza_lab.simulate.rhythm import DAY_MS, sample_times

WEEK_MS = 7 * DAY_MS
NO_INCIDENT = -1


def make_firings(
    rng: np.random.Generator,
    monitors: pd.DataFrame,
    faults: Faults,
    *,
    start_ms: int,
    days: int,
    noise: float,
    flapping: float,
) -> pd.DataFrame:
    """Return the firing intervals: monitor and incident (row numbers, -1 = none), start_ms, end_ms.

    No two of one monitor touch; sorted by monitor, then start.
    """
    fault_rng, noise_rng, flap_rng = rng.spawn(3)
    firings = pd.concat(
        [
            _caused(fault_rng, monitors, faults),
            _unrelated(noise_rng, monitors, start_ms=start_ms, days=days, noise=noise),
            _nightly(noise_rng, monitors, start_ms=start_ms, days=days, noise=noise),
        ],
        ignore_index=True,
    )
    firings = _flap(flap_rng, monitors, _on_grid(monitors, firings), flapping)
    return _merge(firings[firings["start_ms"] < start_ms + days * DAY_MS])


def _caused(rng: np.random.Generator, monitors: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    """Let every monitor of a reached service see the fault, or miss it."""
    reached = faults.reached.merge(monitors.reset_index(names="monitor"), on="service", how="inner")
    shows = np.array([SHOWS_AS[kind] for kind in SHOWS_AS])
    kind = reached["shows_as"].map({name: row for row, name in enumerate(SHOWS_AS)}).to_numpy(dtype=np.int64)
    symptom = np.array([SYMPTOMS.index(rule.symptom) for rule in RULES])[reached["rule"].to_numpy(dtype=np.int64)]
    strength = (reached["intensity"] * reached["sensitivity"]).to_numpy(dtype=float)
    chance = shows[kind, symptom] * np.minimum(1.0, strength)
    seen = rng.random(len(reached)) < chance
    late = rng.exponential(0.25, size=(2, len(reached)))
    latency_ms = reached["latency_s"].to_numpy(dtype=float) * 1e3
    start = reached["start_ms"].to_numpy(dtype=np.int64) + ((1.0 + late[0]) * latency_ms).astype(np.int64)
    end = reached["end_ms"].to_numpy(dtype=np.int64) + ((1.0 + late[1]) * latency_ms).astype(np.int64)
    seen &= end > start
    monitor, incident = (reached[name].to_numpy()[seen] for name in ("monitor", "incident"))
    return _frame(monitor, start[seen], end[seen]).assign(incident=incident.astype(np.int64))


def _unrelated(
    rng: np.random.Generator, monitors: pd.DataFrame, *, start_ms: int, days: int, noise: float
) -> pd.DataFrame:
    """Draw false alarms, `noise` per monitor and week on average, most of them from a few monitors."""
    total = int(rng.poisson(noise * monitors["noise"].sum() * days * DAY_MS / WEEK_MS)) if len(monitors) else 0
    start = sample_times(rng, total, start_ms=start_ms, days=days)
    share = monitors["noise"].to_numpy()
    monitor = rng.choice(len(monitors), size=total, p=share / share.sum()) if total else np.zeros(0, dtype=np.int64)
    length = np.clip(rng.lognormal(np.log(300.0), 1.0, size=total), 30.0, 6 * 3600.0)
    return _frame(monitor, start, start + (length * 1e3).astype(np.int64))


def _nightly(
    rng: np.random.Generator, monitors: pd.DataFrame, *, start_ms: int, days: int, noise: float
) -> pd.DataFrame:
    """Let chronic monitors fire at their hour of many nights (a backup, a batch job)."""
    chronic = np.flatnonzero(monitors["nightly_ms"].to_numpy() >= 0)
    monitor = np.repeat(chronic, days)
    day = np.tile(np.arange(days), len(chronic))
    start = start_ms + day * DAY_MS + monitors["nightly_ms"].to_numpy()[monitor]
    start = start + rng.integers(0, 900_000, size=len(day))
    length = rng.integers(300_000, 2_400_000, size=len(day))
    fires = rng.random(len(day)) < min(0.9, 2.0 * noise)
    return _frame(monitor[fires], start[fires], (start + length)[fires])


def _frame(monitor: np.ndarray, start: np.ndarray, end: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"monitor": monitor, "start_ms": start, "end_ms": end, "incident": NO_INCIDENT}).astype("int64")


def _on_grid(monitors: pd.DataFrame, firings: pd.DataFrame) -> pd.DataFrame:
    """Move both ends to the next evaluation of the monitor, at least one evaluation apart."""
    period = monitors["period_ms"].to_numpy()[firings["monitor"]]
    phase = monitors["phase_ms"].to_numpy()[firings["monitor"]]
    start = -((phase - firings["start_ms"].to_numpy()) // period) * period + phase
    end = -((phase - firings["end_ms"].to_numpy()) // period) * period + phase
    return firings.assign(start_ms=start, end_ms=np.maximum(end, start + period))


def _flap(rng: np.random.Generator, monitors: pd.DataFrame, firings: pd.DataFrame, flapping: float) -> pd.DataFrame:
    """Break some firings into a few short ones (a value that dances around its threshold)."""
    vendor = monitors["vendor"].to_numpy()[firings["monitor"]]
    chance = flapping * monitors["flappy"].to_numpy()[firings["monitor"]] * (vendor != "sentry")
    broken = rng.random(len(firings)) < chance
    whole, parts = firings.take(np.flatnonzero(~broken)), firings.take(np.flatnonzero(broken))
    pieces = 2 + rng.poisson(2.0, size=len(parts))
    period = np.repeat(monitors["period_ms"].to_numpy()[parts["monitor"]], pieces)
    minute = -(-60_000 // period) * period  # or the next longer evaluation
    on = minute * rng.integers(1, 4, size=len(minute))
    off = minute * rng.integers(1, 6, size=len(minute))
    first = np.cumsum(pieces) - pieces
    before = np.cumsum(on + off) - (on + off)
    offset = before - np.repeat(before[first], pieces) if len(parts) else before
    parts = parts.loc[parts.index.repeat(pieces)]
    start = parts["start_ms"].to_numpy() + offset
    return pd.concat([whole, parts.assign(start_ms=start, end_ms=start + on)], ignore_index=True)


def _merge(firings: pd.DataFrame) -> pd.DataFrame:
    """Join what overlaps or touches on one monitor; the first cause counts."""
    firings = firings.sort_values(["monitor", "start_ms", "end_ms", "incident"], kind="stable", ignore_index=True)
    monitor, start, end = (firings[name].to_numpy() for name in ("monitor", "start_ms", "end_ms"))
    latest = firings.groupby("monitor")["end_ms"].cummax().to_numpy()
    new = np.ones(len(firings), dtype=bool)
    new[1:] = (monitor[1:] != monitor[:-1]) | (start[1:] > latest[:-1])
    first = np.flatnonzero(new)
    merged = firings.take(first).reset_index(drop=True)
    return merged.assign(end_ms=np.maximum.reduceat(end, first) if len(first) else end)
