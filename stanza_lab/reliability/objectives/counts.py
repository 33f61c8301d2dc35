"""What one objective counts at one service, and sums of it over any window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stanza_lab.errors import SchemaError, UnknownNameError
from stanza_lab.production import words
from stanza_lab.production.reading import globbed
from stanza_lab.reliability.objectives import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from stanza_lab.reliability.objectives.objective import Objective

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEAST_SEEN = 0.5  # share of a window that must have been seen for its burn rate to be judged
_OF_KIND = {"availability": tables.REQUESTS, "latency": tables.LATENCY, "session": tables.SESSIONS}


@dataclass(frozen=True)
class Sums:
    """Sums over windows, one value per window."""

    bad: Floats
    least: Floats
    most: Floats
    total: Floats
    seen: Floats  # share of the window that intervals cover
    fine: NDArray[np.bool_]  # the intervals are no longer than the window

    @property
    def ratio(self) -> Floats:
        """Return the error ratio; null where nothing was counted."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(self.total > 0, self.bad / self.total, np.nan), dtype=np.float64)


@dataclass(frozen=True)
class Counts:
    """Failures and requests of one service per interval, as one objective counts them.

    Attributes
    ----------
    start, end : array of int64
        Intervals in microseconds since 1970, sorted, without overlap.
    bad, least, most, total : array of float64
        Failures; at least and at most so many (a threshold inside a bucket; alerts whose end is not known); requests.
    exact : bool
        Inside an interval everything is alike (alert time), so it may be cut.
    notes : tuple of str
        What to know about how it was counted.
    """

    objective: Objective
    service: str
    start: Ints
    end: Ints
    bad: Floats
    least: Floats
    most: Floats
    total: Floats
    exact: bool = False
    notes: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """Return what is counted: request, session, or second (of alert time)."""
        return "second" if self.exact else "session" if self.objective.kind == "session" else "request"

    @property
    def step_us(self) -> int:
        """Return the most frequent length of an interval."""
        values, counts = np.unique(self.end - self.start, return_counts=True)
        return int(values[np.argmax(counts)])

    def before(self, at_us: int) -> Counts:
        """Return what was counted up to an instant."""
        kept = self.end <= at_us if not self.exact else self.start < at_us
        parts = {name: getattr(self, name)[kept] for name in ("start", "end", "bad", "least", "most", "total")}
        return Counts(self.objective, self.service, **parts, exact=self.exact, notes=self.notes)

    def over(self, at: Ints, window_us: int | Ints) -> Sums:
        """Return the sums over ``(at - window, at]``; an interval over the border counts for its share."""
        since = at - window_us
        edges = np.ravel(np.column_stack([self.start, self.end])).astype(np.float64)

        def total(values: Floats) -> Floats:
            if not len(edges):
                return np.zeros(len(at))
            level = np.cumsum(values)
            steps = np.ravel(np.column_stack([np.r_[0.0, level[:-1]], level]))
            return np.asarray(np.interp(at, edges, steps) - np.interp(since, edges, steps), dtype=np.float64)

        place = np.clip(np.searchsorted(self.end, at, side="left"), 0, max(0, len(self.end) - 1))
        length = (self.end - self.start)[place] if len(self.end) else np.zeros(len(at))
        return Sums(
            bad=total(self.bad),
            least=total(self.least),
            most=total(self.most),
            total=total(self.total),
            seen=np.clip(total((self.end - self.start).astype(np.float64)) / window_us, 0.0, 1.0),
            fine=np.full(len(at), fill_value=True) if self.exact else length <= window_us,
        )


def select(indicators: pd.DataFrame, objectives: Sequence[Objective]) -> tuple[list[Counts], list[str]]:
    """Return the counts of each objective at each service it fits, and what could not be counted.

    Raises
    ------
    UnknownNameError
        No objective fits a service of the table.
    """
    known = list(dict.fromkeys(indicators["service"]))
    found, unseen = [], []
    for objective in objectives:
        fitting = [name for name in known if globbed(name, [objective.service])]
        if not fitting:
            unseen.append(f"{objective.name}: nothing was counted at {objective.service}, so nothing is known of it")
        for name in fitting:
            made = _counts(indicators[indicators["service"] == name], objective, name)
            if isinstance(made, Counts):
                found.append(made)
            else:
                unseen.append(made)
    if not found and not any(globbed(name, [one.service]) for one in objectives for name in known):
        raise UnknownNameError.among("service", objectives[0].service, known)
    return found, unseen


def _counts(own: pd.DataFrame, objective: Objective, service: str) -> Counts | str:
    latency = objective.kind == "latency"
    usable = own[own["le"].map(len) > 0] if latency else own[own["good"].notna()]
    there = list(dict.fromkeys(usable["indicator"]))
    named = objective.indicator
    if named is None:
        usual = _OF_KIND[objective.kind]
        rest = [one for one in there if one not in (tables.SESSIONS, tables.ALERT_TIME)]
        rest = [] if objective.kind == "session" else rest
        named = usual if usual in there else rest[0] if len(rest) == 1 else None
        if named is None and len(rest) > 1:
            raise SchemaError(
                f"{objective.name}: {service} has the indicators {', '.join(rest)}; pass indicator= one of them"
            )
    if named not in there:
        needed = "histogram of latencies" if latency else "counts of good and all"
        has = words.listing(dict.fromkeys(own["indicator"]), top=6)
        asked = "" if objective.indicator is None else f" called {objective.indicator!r}"
        return f"{objective.name}: {service} has no {needed}{asked} (it has: {has}), so it was not judged"
    usable = usable[usable["indicator"] == named].reset_index(drop=True)
    end = tables.micros(usable["at"])
    start = end - np.round(usable["covers_s"].to_numpy() * 1e6).astype(np.int64)
    start = np.maximum(start, np.r_[start[:1], end[:-1]])  # clocks shake
    total = usable["total"].to_numpy("float64").copy()
    if not latency:
        bad = np.maximum(total - usable["good"].to_numpy("float64"), 0.0)
        return Counts(objective, service, start, end, bad, bad, bad, total)
    bad, least, said = _slow(usable, objective.within_s)
    return Counts(objective, service, start, end, bad, least, bad, total, notes=said)


def _slow(usable: pd.DataFrame, within_s: float) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Return how many were slower: for sure at least, and counted so (by the bound at or below the threshold)."""
    bad, least, between = np.zeros(len(usable)), np.zeros(len(usable)), set()
    for bounds, rows in tables.shapes(usable).items():
        counts, le = tables.matrix(usable, rows), np.array(bounds)
        under = int(np.searchsorted(le, within_s * (1 + 1e-9), side="right")) - 1
        exact = under >= 0 and bool(np.isclose(le[under], within_s))
        fast = counts[:, under] if under >= 0 else np.zeros(len(counts))
        bad[rows] = counts[:, -1] - fast
        least[rows] = bad[rows] if exact else counts[:, -1] - counts[:, under + 1]
        if not exact:
            between.add((le[under] if under >= 0 else 0.0, le[under + 1]))
    said = tuple(
        f"no bucket ends at {within_s:g} s: from {low:g} to {high:g} s counts as too slow, so it may be better"
        for low, high in sorted(between)
    )
    return bad, least, said
