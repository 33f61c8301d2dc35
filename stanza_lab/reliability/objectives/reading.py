"""Read indicators from CSV, Parquet and Prometheus into one table; what cannot be trusted is refused in words."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import LoadError, SchemaError
from stanza_lab.production import words
from stanza_lab.reliability.objectives import _flat, _matrix, tables

if TYPE_CHECKING:
    import os

SUFFIXES = (".csv", ".json", ".parquet")
_LARGEST = 512 * 2**20  # bytes of a file
_MOST_ROWS = 20_000_000


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
            part, said = _flat.read(raw, name=file.name, asked=asked, columns=columns or {}, stamp=stamp, tz=tz)
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
