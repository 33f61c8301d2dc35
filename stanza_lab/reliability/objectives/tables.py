"""The table of indicators: how many requests were good, of how many, how long they took, per service and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import SchemaError
from stanza_lab.schema import Column, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

REQUESTS, LATENCY, SESSIONS, ALERT_TIME = "requests", "latency", "sessions", "alert time"

INDICATORS = Table(
    "indicators",
    (
        Column("service", "str", "whose requests; untrusted text"),
        Column("indicator", "str", "what is counted: requests, latency, sessions ..."),
        Column("at", "time", "end of the interval the counts cover"),
        Column("covers_s", "float64", "length of the interval; what no interval covers was not seen"),
        Column("good", "float64", "good ones; null where only latencies are known"),
        Column("total", "float64", "all of them"),
    ),
)
BUCKETS = ("le", "below")  # lists: upper bounds in seconds, the last infinite; how many took at most so long
_MOST_BUCKETS = 500


def checked(indicators: pd.DataFrame, *, what: str = "indicators") -> pd.DataFrame:
    """Return the table sorted by service, indicator and time, or raise with every problem.

    Raises
    ------
    SchemaError
        A column is missing; a count is negative, infinite or larger than its total; two intervals of one indicator end
        at the same time or overlap by more than a part of them; buckets fall or have no +Inf.
    """
    found = schema.check(indicators, INDICATORS, what=what)
    for name in BUCKETS:
        given = found[name] if name in found.columns else [None] * len(found)
        lists = [list(one) if isinstance(one, (list, tuple, np.ndarray)) else [] for one in given]
        found[name] = pd.Series(lists, index=found.index, dtype=object)
    found = found[[*INDICATORS.names, *BUCKETS]].sort_values(["service", "indicator", "at"], ignore_index=True)
    problems = [f"{n} rows: {said}, first {_row(found, wrong)}" for said, wrong, n in _wrong(found)]
    problems += _wrong_buckets(found)
    if problems:
        raise SchemaError(f"{what}: " + "; ".join(problems))
    return found


def _wrong(found: pd.DataFrame) -> list[tuple[str, np.ndarray, int]]:
    good, total, covers = (found[name].to_numpy("float64") for name in ("good", "total", "covers_s"))
    same = found[["service", "indicator"]].eq(found[["service", "indicator"]].shift()).all(axis=1).to_numpy()
    gap = found["at"].diff().dt.total_seconds().to_numpy()
    with np.errstate(invalid="ignore"):
        tests = [
            ("service, indicator or at is null", found[["service", "indicator", "at"]].isna().any(axis=1).to_numpy()),
            ("total is no count", ~(np.isfinite(total) & (total >= 0))),
            ("good is no count", ~np.isnan(good) & ~(np.isfinite(good) & (good >= 0))),
            ("more good than total", good > total * (1 + 1e-9) + 1e-9),
            ("covers_s is no length of time", ~(np.isfinite(covers) & (covers > 0))),
            ("an interval that ends when another of the same indicator ends: add them up first", same & (gap == 0)),
            ("intervals overlap", same & (gap > 0) & (covers > gap * 1.5 + 1)),
        ]
    return [(said, np.asarray(wrong), int(np.sum(wrong))) for said, wrong in tests if np.any(wrong)]


def _row(found: pd.DataFrame, wrong: np.ndarray) -> str:
    row = found.loc[int(np.flatnonzero(wrong)[0]), INDICATORS.names]
    return ", ".join(f"{name} {str(value)[:60]!r}" for name, value in row.items())


def _wrong_buckets(found: pd.DataFrame) -> list[str]:
    problems = []
    for bounds, rows in shapes(found).items():
        if not bounds:
            continue
        le = np.array(bounds)
        if len(le) > _MOST_BUCKETS:
            problems.append(f"a histogram has {len(le)} buckets; at most {_MOST_BUCKETS} are read")
        elif not (np.diff(le) > 0).all() or not np.isposinf(le[-1]):
            problems.append("the bounds (le) of a histogram must rise and end with +Inf")
        elif any(len(below) != len(le) for below in found["below"].iloc[rows]):
            problems.append("a histogram has not as many counts (below) as bounds (le)")
        else:
            counts = matrix(found, rows)
            fine = np.isfinite(counts) & (counts >= 0)
            if not fine.all() or not (np.diff(counts, axis=1) >= -1e-9).all():
                problems.append("the counts (below) of a histogram must not fall from bucket to bucket")
    return problems


def shapes(indicators: pd.DataFrame) -> dict[tuple[float, ...], np.ndarray]:
    """Return which rows (positions) have which bounds of buckets."""
    keys: dict[tuple[float, ...], list[int]] = {}
    for place, le in enumerate(indicators["le"]):
        keys.setdefault(tuple(le), []).append(place)
    return {bounds: np.array(rows, dtype=np.int64) for bounds, rows in keys.items()}


def matrix(indicators: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    """Return the cumulative counts of rows with equal bounds: a row per interval, a column per bucket."""
    return np.array([list(below) for below in indicators["below"].iloc[rows]], dtype=np.float64)


def micros(times: pd.Series) -> NDArray[np.int64]:
    """Return times as microseconds since 1970."""
    return np.asarray(times.astype(schema.TIME_DTYPE).astype("int64"), dtype=np.int64)


def build(columns: dict[str, Any]) -> pd.DataFrame:
    """Return the table from columns; what is not given is null, or no buckets."""
    size = len(columns["at"])
    made = {name: columns.get(name, np.nan) for name in INDICATORS.names}
    lists = {name: pd.Series(columns.get(name, [[] for _ in range(size)]), dtype=object) for name in BUCKETS}
    return schema.check(pd.DataFrame(made | lists, index=range(size)), INDICATORS)


def framed(rows: list[dict[str, Any]], columns: dict[str, Any]) -> pd.DataFrame:
    """Return rows as a table of the given columns and dtypes, also where all times are null."""
    made = pd.DataFrame(rows, columns=list(columns))
    times = [name for name, dtype in columns.items() if str(dtype).startswith("datetime64")]
    return made.assign(**{name: pd.to_datetime(made[name], utc=True) for name in times}).astype(columns)
