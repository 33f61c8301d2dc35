"""Bursts of error logs: minutes in which a kind of line comes often, and oftener than it does on the whole.

Log lines are facts of kind note, each by itself. What they amount to depends on all of them, so it is decided here,
over the whole set: the order of lines and their split over files change nothing.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd

from stanza_lab import schema

BURST_LINES = 5
TIMES_THE_MEAN = 3.0
LEAST_SPAN = pd.Timedelta("1h")
MOST_IDS = 1_000  # of the lines of one burst that are named; labels say how many there were

_MINUTE = 60_000_000  # microseconds
_FIRST = [
    c.name
    for c in schema.EVENTS.columns
    if c.dtype in ("category", "str") and c.name not in ("kind", "labels", "severity_raw", "occurrence_key")
]

Ints = npt.NDArray[np.integer[Any]]


def add_bursts(
    facts: pd.DataFrame,
    gap: pd.Timedelta,
    *,
    burst_lines: int = BURST_LINES,
    times_the_mean: float = TIMES_THE_MEAN,
    least_span: pd.Timedelta = LEAST_SPAN,
) -> pd.DataFrame:
    """Return the facts and, for every burst of error logs among them, one that fired.

    A minute of a rule (one service, one template) is a burst when it holds at least `burst_lines` lines and at least
    `times_the_mean` times as many as the rule has per minute from its first to its last line; where these lie close
    together, or there is one minute only, over `least_span`. Minutes of burst with no more than `gap` from the last
    line of one to the first of the next are one burst.

    Parameters
    ----------
    facts : DataFrame
        `schema.EVENTS`, each fact once, in order of time and event id; categories as text.
    gap : Timedelta
        Quiet time after which a new burst is a new alert.
    burst_lines : int, default 5
        Lines a minute must hold. Larger: fewer bursts.
    times_the_mean : float, default 3
        How far above its own mean a minute must be. Larger: what is always there is a burst less often.
    least_span : Timedelta, default 1 hour
        Time over which the mean is taken at least. Larger: a kind of line that is new is a burst sooner.

    Returns
    -------
    DataFrame
        The facts in order of time and event id; those of bursts have kind fired, `starts_at` of the first line, its
        event id, the native ids of all lines in the minutes of burst (the first 1,000), the worst severity, and in
        their labels ``lines``, ``minutes`` of burst and ``peak_per_minute``. Without bursts the facts as they were.
    """
    found = lines_of_bursts(facts, gap, burst_lines=burst_lines, times_the_mean=times_the_mean, least_span=least_span)
    if found is None:
        return facts
    fired = _fired(*found)
    together = pd.concat([facts, fired[facts.columns]], ignore_index=True)
    return together.sort_values(["at", "event_id", "source"], ignore_index=True, kind="stable")


def lines_of_bursts(
    facts: pd.DataFrame,
    gap: pd.Timedelta,
    *,
    burst_lines: int = BURST_LINES,
    times_the_mean: float = TIMES_THE_MEAN,
    least_span: pd.Timedelta = LEAST_SPAN,
) -> tuple[pd.DataFrame, Ints, Ints, Ints] | None:
    """Return the log lines in the minutes of burst, burst by burst; None when there are none.

    Beside them the number of each line's burst, and for each burst its minutes and the most lines in one. What the
    parameters mean says `add_bursts`.
    """
    noted = (facts["source"] == "logs") & (facts["kind"] == "note") & facts["at"].notna() & facts["rule_key"].notna()
    if not noted.any():
        return None
    lines = facts[noted].sort_values(["rule_key", "at", "event_id"], ignore_index=True)
    at = lines["at"].dt.as_unit("us").astype("int64").to_numpy()
    minute = at // _MINUTE
    rule = _runs(lines["rule_key"].ne(lines["rule_key"].shift()).to_numpy())
    first = _heads(rule)
    last = np.append(first[1:], len(lines)) - 1
    span = np.maximum(minute[last] - minute[first] + 1, least_span // pd.Timedelta("1min"))
    mean = np.bincount(rule) / span

    cell = _runs((np.diff(rule, prepend=-1) != 0) | (np.diff(minute, prepend=-1) != 0))
    count = np.bincount(cell)
    burst = (count >= burst_lines) & (count >= times_the_mean * mean[rule[_heads(cell)]])
    kept = np.flatnonzero(burst[cell])
    if not len(kept):
        return None
    apart = (np.diff(rule[kept], prepend=-1) != 0) | (np.diff(at[kept], prepend=at[kept[0]]) > gap // _MICROSECOND)
    number = _runs(apart)
    minutes = pd.Series(cell[kept]).groupby(number).nunique().to_numpy()
    peak = pd.Series(count[cell[kept]]).groupby(number).max().to_numpy()
    return lines.iloc[kept], number, minutes, peak


_MICROSECOND = pd.Timedelta("1us")


def _fired(lines: pd.DataFrame, number: Ints, minutes: Ints, peak: Ints) -> pd.DataFrame:
    """Return one fact that fired for each burst 0, 1 ...; lines of one lie together, in order of time."""
    heads = _heads(number)
    until = np.append(heads[1:], len(lines))
    grouped = lines.groupby(number, sort=True)
    fired = lines.iloc[heads].reset_index(drop=True)
    told = grouped[[name for name in _FIRST if name in lines]].first()
    level = lines["severity"].cat.codes.to_numpy()
    worst = np.full(len(heads), -1)
    np.maximum.at(worst, number, level)
    leading = level == worst[number]
    words = lines["severity_raw"][leading].groupby(number[leading], sort=True).first()
    fired = fired.assign(
        **{str(name): told[name].astype(fired[name].dtype).array for name in told},
        kind="fired",
        has_recovery=False,
        starts_at=fired["at"],
        occurrence_key=pd.Series([None] * len(fired), dtype="str"),  # lines have theirs; a burst is told by its start
        severity=pd.Categorical.from_codes(worst, dtype=schema.SEVERITY_DTYPE),
        severity_raw=words.array,
    )
    for name in ("native_ids", "resources", "trace_ids"):
        lists = lines[name].tolist()
        fired[name] = pd.Series([_united(lists[a:b]) for a, b in zip(heads, until, strict=True)], dtype=object)
    counted = zip(fired["labels"], until - heads, minutes, peak, strict=True)
    fired["labels"] = pd.Series([_labels(*row) for row in counted], dtype="str")
    return fired


def _united(lists: list[Any]) -> list[str]:
    """Return the values of lists in order of appearance, each once, the first 1,000."""
    return list(dict.fromkeys(chain.from_iterable(lists)))[:MOST_IDS]


def _labels(labels: Any, lines: int, minutes: int, peak: int) -> str:
    """Return the labels of the first line with what was counted."""
    kept = orjson.loads(labels) if isinstance(labels, str) else {}
    kept.pop("span_id", None)  # that of one line
    kept |= {"lines": int(lines), "minutes": int(minutes), "peak_per_minute": int(peak)}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


def _runs(changed: npt.NDArray[np.bool_]) -> Ints:
    """Return the number of the run each row lies in, where `changed` says which rows begin one (the first does)."""
    return np.cumsum(changed) - int(changed[0])


def _heads(runs: Ints) -> Ints:
    """Return the first row of each run."""
    return np.flatnonzero(np.diff(runs, prepend=-1))
