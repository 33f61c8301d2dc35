"""The golden signals of services over time: traffic, errors, latency, saturation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.entities import classify_symptoms
from stanza_lab.errors import ParameterError
from stanza_lab.production import words
from stanza_lab.reliability.objectives import histograms, proxy, tables

SIGNALS: dict[str, Any] = {
    "service": "str",
    "at": "datetime64[us, UTC]",
    "covers_s": "float64",
    "seen": "float64",
    "requests": "float64",
    "traffic_per_s": "float64",
    "error_ratio": "float64",
    "p50_s": "float64",
    "p90_s": "float64",
    "p99_s": "float64",
    "p99_low_s": "float64",
    "p99_high_s": "float64",
    "saturation": "float64",
    "saturation_alerts": "Int64",
}
_QUANTILES = (("p50_s", 0.5), ("p90_s", 0.9), ("p99_s", 0.99))
_MOST_INTERVALS = 200_000


def golden_signals(
    indicators: pd.DataFrame,
    *,
    alerts: pd.DataFrame | None = None,
    every: _params.Duration = "1h",
    since: _params.Instant | None = None,
    until: _params.Instant | None = None,
) -> pd.DataFrame:
    """Compute traffic, errors, latency and saturation of each service over time.

    Parameters
    ----------
    indicators : DataFrame
        As `read_indicators` returns it. Sessions are not requests and are left out.
    alerts : DataFrame, optional
        `schema.ALERTS`: where nothing else measures saturation, alerts of that symptom (`classify_symptoms`) do.
    every : duration, default "1h"
        Length of an interval; larger smooths more.
    since, until : str or Timestamp, optional
        From when to when. Default: all that was counted.

    Returns
    -------
    DataFrame
        A row per service and interval, in that order: ``service`` (str), ``at`` (datetime64[us, UTC], its end),
        ``covers_s``, ``seen`` (share of it that was seen), ``requests`` and ``traffic_per_s`` (of what was seen),
        ``error_ratio``, ``p50_s``, ``p90_s``, ``p99_s`` (from buckets, evenly spread inside one; above the last bound:
        that bound), ``p99_low_s``, ``p99_high_s`` (bounds of its bucket), ``saturation`` (share of the interval in
        which a saturation alert was open; null without `alerts`), ``saturation_alerts`` (Int64, alerts that began in
        it). Null: not known. ``attrs["definition"]``, ``attrs["unseen"]``.

    Raises
    ------
    ParameterError
        `every` makes more than 200,000 intervals, or `since` is not before `until`.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> counts = pd.DataFrame({"service": "shop", "indicator": "requests", "at": ["2026-03-01T01:00Z"],
    ...                        "covers_s": 3600.0, "good": 3500.0, "total": 3600.0,
    ...                        "le": [[0.1, 0.5, float("inf")]], "below": [[1800.0, 3600.0, 3600.0]]})
    >>> sl.golden_signals(counts)[["traffic_per_s", "error_ratio", "p50_s", "p99_s"]].round(3)
       traffic_per_s  error_ratio  p50_s  p99_s
    0            1.0        0.028    0.1  0.492
    """
    known = tables.checked(indicators)
    known = known[~known["indicator"].isin([tables.SESSIONS, tables.ALERT_TIME])].reset_index(drop=True)
    step = _params.duration(every, "every")
    ends = known["at"]
    starts = ends - pd.to_timedelta(known["covers_s"], unit="s").astype("timedelta64[us]")
    first = starts.min() if since is None else _params.instant(since, "since")
    last = ends.max() if until is None else _params.instant(until, "until")
    if known.empty:
        return _labelled(tables.framed([], SIGNALS), [], alerts)
    if not first < last:
        raise ParameterError(f"since={first} must lie before until={last}")
    origin = first.floor(step) if since is None else first
    if (last - origin) / step > _MOST_INTERVALS:
        raise ParameterError(f"every={every!r} makes more than {_MOST_INTERVALS:,} intervals; pass a longer one")
    edges = pd.date_range(origin, periods=math.ceil((last - origin) / step) + 1, freq=step).as_unit("us")
    inside = (ends > edges[0]) & (ends <= edges[-1])
    slot = np.searchsorted(edges.asi8, tables.micros(ends), side="left") - 1
    placed = known.assign(slot=slot)[inside.to_numpy()]
    rows = [
        _interval(str(name), int(str(place)), own)
        for (name, place), own in placed.groupby(["service", "slot"], sort=True)
    ]
    table = pd.DataFrame(rows)
    seconds = step.total_seconds()
    table["at"] = edges[1:][table["slot"].to_numpy()]
    table["covers_s"] = seconds
    table["seen"] = np.minimum(1.0, table["covered_s"] / seconds)
    table["traffic_per_s"] = table["requests"] / table["covered_s"]
    table["saturation"], table["saturation_alerts"], notes = _saturation(table, alerts, seconds)
    return _labelled(table[list(SIGNALS)].astype(SIGNALS), notes, alerts)


def _labelled(table: pd.DataFrame, notes: list[str], alerts: pd.DataFrame | None) -> pd.DataFrame:
    table.attrs = {
        "definition": (
            "traffic: requests per second of the time seen; errors: failed / all; latency: quantiles of the histogram, "
            "evenly spread inside a bucket; saturation: share of the time in which a saturation alert was open; UTC"
        ),
        "unseen": [*notes, *([] if alerts is not None else ["no alerts were given: nothing is known of saturation"])],
    }
    return table


def _interval(service: str, slot: int, own: pd.DataFrame) -> dict[str, Any]:
    """Return the signals of one service in one interval."""
    counted = own[own["good"].notna()]
    timed = own[own["le"].map(len) > 0]
    main = counted if len(counted) else timed
    main = main[main["indicator"] == _busiest(main)] if len(main) else own
    total = float(main["total"].sum())
    failed = float((counted["total"] - counted["good"]).sum())
    row: dict[str, Any] = {
        "service": service,
        "slot": slot,
        "requests": total,
        "covered_s": float(main["covers_s"].sum()),
    }
    row["error_ratio"] = failed / float(counted["total"].sum()) if counted["total"].sum() > 0 else np.nan
    shapes = tables.shapes(timed)
    if len(shapes) == 1:  # buckets of two shapes do not add up
        ((bounds, places),) = shapes.items()
        below = tables.matrix(timed, places).sum(axis=0)
        found = {name: histograms.quantile(bounds, below, q) for name, q in _QUANTILES}
        row |= {name: one.value for name, one in found.items()}
        row |= {"p99_low_s": found["p99_s"].low, "p99_high_s": found["p99_s"].high}
    else:
        row |= dict.fromkeys(("p50_s", "p90_s", "p99_s", "p99_low_s", "p99_high_s"), np.nan)
    return row


def _busiest(rows: pd.DataFrame) -> str:
    """Return the indicator that counts all requests: the one with most of them."""
    sums = rows.groupby("indicator", sort=True)["total"].sum()
    return tables.REQUESTS if tables.REQUESTS in sums.index else str(sums.idxmax())


def _saturation(
    table: pd.DataFrame, alerts: pd.DataFrame | None, seconds: float
) -> tuple[pd.Series, pd.Series, list[str]]:
    """Return the share of each interval in which a saturation alert was open, and how many began in it."""
    nothing = pd.Series(np.nan, index=table.index)
    if alerts is None:
        return nothing, pd.Series(pd.NA, index=table.index, dtype="Int64"), []
    known = schema.check(alerts, schema.ALERTS, need=["service", "starts_at", "ends_at"])
    full = known[(classify_symptoms(known) == "saturation").to_numpy() & known["starts_at"].notna().to_numpy()]
    open_ended = int(full["ends_at"].isna().sum())
    share, began = nothing.copy(), pd.Series(0, index=table.index, dtype="Int64")
    for service, rows in table.groupby("service", sort=False):
        own = full[full["service"].astype("str") == service]
        starts, ends = proxy.union(own)
        edge = tables.micros(rows["at"])
        before = edge - int(seconds * 1e6)
        share.loc[rows.index] = (proxy.open_until(starts, ends, edge) - proxy.open_until(starts, ends, before)) / (
            seconds * 1e6
        )
        fired = np.sort(tables.micros(own["starts_at"]))
        began.loc[rows.index] = np.searchsorted(fired, edge, "right") - np.searchsorted(fired, before, "right")
    said = f"{words.count(open_ended, 'saturation alert')} without an end count as begun, not as open"
    return share, began, [said] if open_ended else []
