"""A table of counts, or of buckets, as CSV and Parquet hold it: its columns by our names, numbers and times checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.production import words
from stanza_lab.reliability.objectives import _counters, _matrix, tables

_OURS = {
    "at": ("at", "time", "timestamp", "date", "ts"),
    "service": ("service", "service_name", "job", "app"),
    "indicator": ("indicator", "sli", "metric"),
    "covers_s": ("covers_s", "step_s", "interval_s"),
    "good": ("good", "ok", "success", "successes", "good_count"),
    "bad": ("bad", "failed", "failures", "errors", "error_count"),
    "total": ("total", "requests", "all", "total_count"),
    "le": ("le",),
    "below": ("below", "cumulative"),
}
_WIDE = re.compile(r"^le_(\d+(?:\.\d+)?|inf)$", re.I)


def read(
    raw: pd.DataFrame, *, name: str, asked: _matrix.Asked, columns: Mapping[str, str], stamp: str, tz: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return `tables.INDICATORS` of a flat table called `name`, and what to know about it."""
    frame = _named(raw, name, asked, columns)
    notes = [f"{name}: {words.count(len(frame), 'row')}"]
    frame["at"] = _times(frame["at"], name, tz)
    for column in ("covers_s", "good", "bad", "total", *[c for c in frame.columns if _WIDE.match(c)]):
        if column in frame.columns:
            frame[column] = _numbers(frame[column], f"{name}: column {column!r}")
    frame["service"] = frame["service"].astype("str").replace(dict(asked.services))
    frame["indicator"] = asked.indicator or frame.get("indicator", tables.REQUESTS)
    if "le" in frame.columns and len(frame) and not isinstance(frame["le"].iloc[0], (list, np.ndarray)):
        frame = _long(frame, name)
    frame = _widened(frame)
    frame["total"] = _total(frame, name)
    if "good" not in frame.columns:
        frame["good"] = frame["total"] - frame["bad"] if "bad" in frame.columns else np.nan
    known = frame["total"].notna()
    if not known.all():
        notes.append(f"{name}: {int((~known).sum()):,} rows without a count: not seen, so neither good nor bad")
    frame = frame[known].reset_index(drop=True)
    if "covers_s" not in frame.columns:
        frame["covers_s"] = _covers(frame, name, asked.step_s)
    if stamp == "start":
        frame["at"] = frame["at"] + pd.to_timedelta(frame["covers_s"], unit="s").astype("timedelta64[us]")
    kept = [c for c in (*tables.INDICATORS.names, *tables.BUCKETS) if c in frame.columns]
    return tables.build({c: frame[c] for c in kept} | {"at": frame["at"]}), notes


def _named(raw: pd.DataFrame, name: str, asked: _matrix.Asked, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return the table with our names for its columns."""
    for theirs, ours in columns.items():
        if theirs not in raw.columns:
            raise UnknownNameError.among("column", theirs, map(str, raw.columns))
        _params.choice(ours, "columns", _OURS)
    named = dict(columns)
    if asked.service in raw.columns:
        named[str(asked.service)] = "service"
    for ours, usual in _OURS.items():
        if ours not in named.values():
            match = next((c for c in raw.columns if str(c).strip().lower() in usual and c not in named), None)
            if match is not None:
                named[match] = ours
    frame = raw.rename(columns=named)
    if "service" not in frame.columns and asked.service:
        frame = frame.assign(service=asked.service)
    missing = [ours for ours in ("at", "service") if ours not in frame.columns]
    if missing:
        there = [str(c)[:40] for c in raw.columns[:20]]
        raise SchemaError(
            f"{name}: no column {missing[0]!r}; columns are {there}; pass columns={{'theirs': {missing[0]!r}}}"
        )
    return frame.copy()


def _numbers(values: pd.Series, where: str) -> pd.Series:
    """Return numbers; empty, null and NaN are null, anything else that is none is refused."""
    text = values.astype("str").str.strip()
    empty = values.isna() | text.str.lower().isin(["", "nan", "null", "none", "-"])
    numbers = pd.to_numeric(text.where(~empty), errors="coerce").astype("float64")
    wrong = ~empty & ~np.isfinite(numbers)
    if wrong.any():
        raise SchemaError(
            f"{where} holds {str(values[wrong].iloc[0])[:40]!r} (row {int(np.argmax(wrong)) + 1}), no number"
        )
    return numbers


def _times(values: pd.Series, name: str, tz: str | None) -> pd.Series:
    if not pd.api.types.is_datetime64_any_dtype(values):
        number = pd.to_numeric(values, errors="coerce")
        if len(values) and number.notna().all():
            milli = number.abs().max() > 1e11
            return _epoch(number / 1000 if milli else number, name)
        try:
            values = pd.to_datetime(values, format="ISO8601")
        except (ValueError, TypeError) as error:
            raise SchemaError(f"{name}: column 'at' holds what is no time: {str(error)[:120]}") from error
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        if not pd.api.types.is_datetime64_dtype(values.dtype):
            raise SchemaError(f"{name}: column 'at' mixes zones or holds what is no time; write all in UTC")
        if tz is None:
            raise SchemaError(f"{name}: times have no zone; pass tz='UTC', or the zone they are in")
        try:
            values = values.dt.tz_localize(tz)
        except (KeyError, ValueError) as error:  # unknown zone, or an hour that a clock change repeats or leaves out
            raise ParameterError(f"tz={tz!r}: {str(error)[:160]}") from error
    return pd.Series(values.dt.tz_convert("UTC"))


def _epoch(seconds: pd.Series, name: str) -> pd.Series:
    if not seconds.between(0, 9.2e9).all():
        raise SchemaError(f"{name}: column 'at' holds numbers that are no seconds since 1970")
    return pd.to_datetime(pd.Series((seconds * 1e6).round().astype("int64")), unit="us", utc=True)


def _long(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Gather a histogram that has a row per bucket."""
    if "below" not in frame.columns:
        raise SchemaError(f"{name}: a column 'le' needs a column 'below': how many took at most so long")
    bounds = pd.to_numeric(
        frame["le"].astype("str").str.replace("+Inf", "inf", case=False, regex=False), errors="coerce"
    )
    if bounds.isna().any():
        raise SchemaError(
            f"{name}: column 'le' holds {str(frame['le'][bounds.isna()].iloc[0])[:40]!r}, no bound of a bucket"
        )
    ordered = frame.assign(le=bounds, below=_numbers(frame["below"], f"{name}: column 'below'"))
    ordered = ordered.sort_values(["service", "indicator", "at", "le"])
    groups = ordered.groupby(["service", "indicator", "at"], sort=True)
    return groups.agg({"le": list, "below": list}).reset_index()


def _widened(frame: pd.DataFrame) -> pd.DataFrame:
    """Gather a histogram that has a column per bucket."""
    wide = {column: float(match[1]) for column in frame.columns if (match := _WIDE.match(str(column)))}
    if not wide:
        return frame
    ordered = sorted(wide, key=wide.__getitem__)
    below, bounds = frame[ordered].to_numpy("float64"), [wide[column] for column in ordered]
    full = np.isfinite(below).all(axis=1)
    lists = [list(row) if fine else [] for row, fine in zip(below, full, strict=True)]
    return frame.assign(
        le=pd.Series([bounds if fine else [] for fine in full], index=frame.index, dtype=object),
        below=pd.Series(lists, index=frame.index, dtype=object),
    )


def _total(frame: pd.DataFrame, name: str) -> pd.Series:
    if "total" in frame.columns:
        return frame["total"]
    if "below" in frame.columns:
        return pd.Series(
            [row[-1] if len(row) else math.nan for row in frame["below"]], index=frame.index, dtype="float64"
        )
    if {"good", "bad"} <= set(frame.columns):
        return frame["good"] + frame["bad"]
    there = [str(c)[:40] for c in frame.columns[:20]]
    raise SchemaError(f"{name}: no column 'total' (nor good and bad, nor buckets); columns are {there}; pass columns=")


def _covers(frame: pd.DataFrame, name: str, step_s: float | None) -> float:
    if step_s:
        return step_s
    seconds = frame["at"].astype("datetime64[us, UTC]").astype("int64") / 1e6
    times = [np.unique(own) for _, own in seconds.groupby([frame["service"], frame["indicator"]])]
    step = _counters.usual_step(times)
    if math.isnan(step) and len(frame):
        raise SchemaError(f"{name}: no service has two intervals, so their length is not known; pass step='5min'")
    return step
