"""Read indicators from CSV, Parquet and Prometheus into one table; what cannot be trusted is refused in words."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import LoadError, ParameterError, SchemaError, UnknownNameError
from stanza_lab.production import words
from stanza_lab.reliability.objectives import _counters, _matrix, tables

if TYPE_CHECKING:
    import os

SUFFIXES = (".csv", ".json", ".parquet")
_LARGEST = 512 * 2**20  # bytes of a file
_MOST_ROWS = 20_000_000
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


def read_indicators(
    path: str | os.PathLike[str],
    *,
    indicator: str | None = None,
    service: str | None = None,
    services: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
    kind: str | None = None,
    step: _params.Duration | None = None,
    stamp: str = "end",
    tz: str | None = None,
) -> pd.DataFrame:
    """Read how many requests were good, of how many, and how long they took.

    Parameters
    ----------
    path : path
        A file or a folder of them: CSV or Parquet with `service`, `at`, `total` and `good` or `bad`; buckets of
        latencies as `le` and `below` (a row each) or as columns ``le_0.1`` ... ``le_inf``; or what Prometheus answers
        to ``/api/v1/query_range`` (``.json``): counters, rates and classic histograms. A file of at most 512 MB.
    indicator : str, optional
        What to call them. Default: the file's own column, else "requests", of histograms of Prometheus "latency".
    service : str, optional
        Label of Prometheus, or column, that names the service. Default: the first there is of service, service_name,
        job, app. In a file without: the service itself, where no column is so called.
    services : mapping of str to str, optional
        Their name of a service -> ours.
    columns : mapping of str to str, optional
        Their column -> ours, for CSV and Parquet.
    roles : mapping of str to str, optional
        Metric of Prometheus -> good, bad, total or bucket. Default: told by its name and its labels; a label of status
        codes makes 5xx bad and all else good. A metric without a name is called like its file.
    kind : {"counter", "rate", "increase"}, optional
        What the series of Prometheus are: counting up, per second, or per step. Default: told by their names
        (``_total``, ``rate``), else refused.
    step : duration, optional
        Length of an interval. Default: the most frequent distance between two.
    stamp : {"end", "start"}, default "end"
        Whether `at` of a CSV or Parquet is the end or the start of its interval.
    tz : str, optional
        Zone of times that name none, for example "UTC". Default: such times are refused.

    Returns
    -------
    DataFrame
        ``service`` and ``indicator`` (str), ``at`` (datetime64[us, UTC], end of the interval), ``covers_s`` (float64,
        its length; what no row covers was not seen), ``good`` and ``total`` (float64; good is null where only latencies
        are known), ``le`` and ``below`` (lists: bounds in seconds, the last infinite, and how many took at most so
        long). Sorted by service, indicator, at. ``attrs["read"]`` says what was assumed and what was not seen.

    Raises
    ------
    LoadError
        Nothing there can be read.
    SchemaError
        A count is negative or larger than its total, a time is none, a series is neither counter nor rate by its name
        ...; with what to do.
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import stanza_lab as sl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "shop.csv")
    ...     _ = file.write_text('''at,service,good,total
    ... 2026-03-01T10:05Z,shop,99,100
    ... 2026-03-01T10:10Z,shop,90,90
    ... ''')
    ...     sl.read_indicators(file)[["service", "indicator", "covers_s", "good", "total"]]
      service indicator  covers_s  good  total
    0    shop  requests     300.0  99.0  100.0
    1    shop  requests     300.0  90.0   90.0
    """
    asked = _matrix.Asked(
        service=service,
        services=dict(services or {}),
        roles=dict(roles or {}),
        kind=None if kind is None else _params.choice(kind, "kind", _matrix.KINDS),
        step_s=None if step is None else _params.duration(step, "step").total_seconds(),
        indicator=indicator,
    )
    for role in asked.roles.values():
        _params.choice(role, "roles", _matrix.ROLES)
    _params.choice(stamp, "stamp", ("end", "start"))
    found, notes = [], []
    for file in _files(Path(path)):
        if file.suffix == ".json":
            part, said = _matrix.read(_json(file), name=file.name, asked=asked)
        else:
            raw = _csv(file) if file.suffix == ".csv" else _parquet(file)
            part, said = _flat(raw, name=file.name, asked=asked, columns=columns or {}, stamp=stamp, tz=tz)
        found.append(part)
        notes += said
    whole = tables.checked(pd.concat(found, ignore_index=True), what=str(path))
    if whole.empty:
        raise LoadError(f"{path}: no interval with counts; {'; '.join(notes)[:300]}")
    whole.attrs["read"] = notes + unseen(whole)
    return whole


def unseen(indicators: pd.DataFrame) -> list[str]:
    """Say of each service and indicator how much of the time no interval covers."""
    said = []
    for (service, name), own in indicators.groupby(["service", "indicator"], sort=True):
        first = own["at"].iloc[0] - pd.Timedelta(seconds=float(own["covers_s"].iloc[0]))
        whole = (own["at"].iloc[-1] - first).total_seconds()
        missing = max(0.0, whole - float(own["covers_s"].sum()))
        if missing > 1:
            said.append(f"{name} of {service}: {words.span(missing)} of {words.span(whole)} were not seen")
    return said


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
        if not files:
            raise LoadError(f"{path}: no file of {', '.join(SUFFIXES)} in this folder")
        return files
    if not path.is_file():
        raise LoadError(f"{path}: there is no such file")
    if path.suffix not in SUFFIXES:
        raise LoadError(f"{path}: files of {', '.join(SUFFIXES)} are read, told by their ending")
    return [path]


def _small(file: Path) -> None:
    if (size := file.stat().st_size) > _LARGEST:
        raise LoadError(f"{file}: {size:,} bytes; at most {_LARGEST:,} are read, split it by time")


def _json(file: Path) -> Any:
    import orjson

    _small(file)
    try:
        return orjson.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{file}: is no JSON: {str(error)[:120]}") from error


def _csv(file: Path) -> pd.DataFrame:
    _small(file)
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            header = next(csv.reader(opened), [])
        if len(set(header)) < len(header):
            raise SchemaError(f"{file.name}: a column stands there twice; columns are {header[:20]}")
        return pd.read_csv(file, encoding="utf-8-sig", dtype="str", keep_default_na=False, nrows=_MOST_ROWS)
    except (OSError, ValueError, csv.Error) as error:
        if isinstance(error, SchemaError):
            raise
        raise LoadError(f"{file}: is no CSV: {str(error)[:120]}") from error


def _parquet(file: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    _small(file)
    try:
        opened = pq.ParquetFile(file)
        if opened.metadata.num_rows > _MOST_ROWS:
            raise LoadError(f"{file}: {opened.metadata.num_rows:,} rows; at most {_MOST_ROWS:,} are read")
        found = opened.read().to_pandas(ignore_metadata=True)
    except (OSError, pa.ArrowException) as error:
        raise LoadError(f"{file}: is no Parquet: {str(error)[:120]}") from error
    return pd.DataFrame(found)


def _flat(
    raw: pd.DataFrame, *, name: str, asked: _matrix.Asked, columns: Mapping[str, str], stamp: str, tz: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return the indicators of a flat table."""
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
