"""The history as numbers: who rang when, for which rule, in which incident, before any rule is changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.incidents.paging import PAGERS, paged_at
from stanza_lab.incidents.rules._rule import microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max // 2  # time of what did not happen: later than all
KEYS = {"service": "service", "alertname": "name of the alert", "team": "team"}  # what pages may be grouped by
SECOND = 1_000_000  # microseconds
BY = ("rule", "monitor")
_PROMETHEUS = ("prometheus", "alertmanager", "grafana", "grafana_oncall")
NAMELESS = "without a name"
LASTED = pd.Timedelta("5min")  # what is over sooner after somebody took it needed nobody
_USED = (
    "alert_id", "source", "origin", "rule_key", "alertname", "starts_at", "acked_at", "ends_at", "severity", "summary",
    "service", "team", "labels", "incident_id",
)  # fmt: skip


class Slices:
    """The places of each code in an array, found again without a search; -1 is no code."""

    def __init__(self, codes: Ints, number: int) -> None:
        self.order = np.argsort(codes, kind="stable")
        self.bounds = np.searchsorted(codes[self.order], np.arange(number + 1))

    def of(self, code: int) -> Ints:
        """Return the places of one code, ascending."""
        return self.order[self.bounds[code] : self.bounds[code + 1]]

    def sizes(self, codes: Ints) -> Ints:
        """Return how many places each of `codes` has."""
        return np.asarray(self.bounds[codes + 1] - self.bounds[codes], dtype=np.int64)

    def of_many(self, codes: Ints) -> Ints:
        """Return the places of all `codes`, one code after the other."""
        size = self.sizes(codes)
        begins = np.cumsum(size) - size
        found: Ints = self.order[np.repeat(self.bounds[codes] - begins, size) + np.arange(size.sum())]
        return found


@dataclass(frozen=True, eq=False)
class Record:
    """Alerts in order of time, as arrays; a unit is an incident, or an alert on its own."""

    alerts: pd.DataFrame  # in the same order
    rules: pd.DataFrame  # rule_key, rule, service, source, team: a row per code of `rule`
    rule: Ints  # what is changed
    series: Ints  # the recurring alert: a rule and what it watches
    unit: Ints
    start: Ints
    end: Ints  # NEVER: not known
    page: Ints  # NEVER: nobody was paged
    keys: Mapping[str, Ints]
    real: Bools  # per unit
    why: NDArray[Any]  # per unit: what makes it real
    earlier: Bools  # per unit
    known: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def by_rule(self) -> Slices:
        """Rows of each rule."""
        return Slices(self.rule, len(self.rules))

    @cached_property
    def by_unit(self) -> Slices:
        """Rows of each unit."""
        return Slices(self.unit, len(self.real))

    @cached_property
    def by_key(self) -> dict[str, Slices]:
        """Rows of each value of what pages may be grouped by."""
        return {name: Slices(codes, int(codes.max(initial=-1)) + 1) for name, codes in self.keys.items()}

    @cached_property
    def first(self) -> Ints:
        """When somebody was first paged for each unit."""
        found = np.full(len(self.real), NEVER, dtype=np.int64)
        np.minimum.at(found, self.unit, self.page)
        return found


def read(alerts: pd.DataFrame, pages: pd.DataFrame | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the alerts in order of time without copies, with `page_at`, `taken`, `handled`; and what is known of them.

    `taken`: somebody acknowledged the alert, or a page that copies it; `handled`: and it lasted on after that.
    """
    given = alerts[[name for name in _USED if name in alerts.columns]] if isinstance(alerts, pd.DataFrame) else alerts
    table = schema.check(given, schema.ALERTS, need=["starts_at", "incident_id"], what="alerts")
    nothing = {c.name: c for c in schema.ALERTS.columns if c.name in _USED and c.name not in table.columns}
    empty = pd.Series(None, index=table.index, dtype=object)
    table = table.assign(**{name: schema.convert(empty, column) for name, column in nothing.items()})
    rung = alerts if pages is None else pages
    source, origin = table["source"].astype("str"), table["origin"].astype("str")
    copies = source.isin(PAGERS) & origin.isin(set(source.dropna())) & (source != origin)
    timeless = table["starts_at"].isna()
    kept = table[~(copies | timeless)].sort_values("starts_at", kind="stable").reset_index(drop=True)
    if kept.empty:
        raise ParameterError("alerts: none has a start and is no copy of another; there is nothing to tune down")
    at = paged_at(kept, pages=rung)
    acked, answers = _acked(kept, rung)
    known = {
        "page": at.attrs["definition"],
        "answers": answers,  # whether any acknowledgement was recorded at all
        "copies": int(copies.sum()),
        "timeless": int((timeless & ~copies).sum()),
    }
    return kept.assign(page_at=at, taken=acked, handled=acked & _lasted(kept, rung)), known


def _answered(pages: pd.DataFrame) -> pd.DataFrame:
    """Return the pages that somebody acknowledged."""
    if not {"source", "acked_at"} <= set(pages.columns):
        return pages.iloc[:0]
    return pages[pages["source"].astype("str").isin(PAGERS) & pages["acked_at"].notna()]


def _acked(alerts: pd.DataFrame, pages: pd.DataFrame) -> tuple[pd.Series, bool]:
    """Return which alerts, or pages that copy them, somebody acknowledged; and whether anything was."""
    own, answered = alerts["acked_at"].notna(), _answered(pages)
    if len(answered):
        own = own | paged_at(alerts, pages=answered).notna()
    return own, bool(own.any())


def _lasted(alerts: pd.DataFrame, pages: pd.DataFrame) -> pd.Series:
    """Return which alerts, or pages that copy them, lasted on after somebody took them; an unknown end is no end."""
    own, answered = alerts["acked_at"].notna() & ~(alerts["ends_at"] - alerts["acked_at"] < LASTED), _answered(pages)
    if len(answered) and "ends_at" in answered.columns:
        answered = answered[~(answered["ends_at"] - answered["acked_at"] < LASTED)]
    if len(answered):
        own = own | paged_at(alerts, pages=answered).notna()
    return own


def rules_of(alerts: pd.DataFrame, *, by: str) -> tuple[Ints, Ints, pd.DataFrame]:
    """Return what is changed and the recurring alert as numbers, per alert; and the usual columns of the former."""
    name, source = alerts["alertname"].astype("str"), alerts["source"].astype("str")
    key = alerts["rule_key"].astype("str").fillna(name).fillna(NAMELESS)
    series, known = pd.factorize(key)
    if by == "monitor":
        for mark, rows in {"|": source.isin(["datadog"]), "{": source.isin(_PROMETHEUS)}.items():
            before = np.array([text.partition(mark)[0] for text in known], dtype=object)
            key = key.mask(rows, pd.Series(before[series], index=key.index, dtype="str"))
    codes, keys = pd.factorize(key)
    table = pd.DataFrame({"rule_key": pd.Series(keys, dtype="str")})
    for column in ("alertname", "service", "source", "team"):
        table[column] = usual(codes, alerts[column].astype("str"), len(keys))
    table = table.assign(rule=table["alertname"].fillna(table["rule_key"]).astype("str"))
    return codes.astype(np.int64), series.astype(np.int64), table[["rule_key", "rule", "service", "source", "team"]]


def usual(codes: Ints, words: pd.Series, number: int) -> pd.Series:
    """Return the most frequent word of each code; of equals the first by name; null where none is known."""
    code, names = pd.factorize(words, sort=True)
    known = code >= 0
    wide = max(len(names), 1)
    pairs, times = np.unique(codes[known] * wide + code[known], return_counts=True)
    order = np.lexsort((pairs, -times))
    who, first = np.unique(pairs[order] // wide, return_index=True)
    found = pd.Series([None] * number, dtype="str")
    found.iloc[who] = np.asarray(names, dtype=object)[pairs[order][first] % wide]
    return found


def times(values: pd.Series) -> Ints:
    """Return times as microseconds, NEVER where there is none."""
    return np.where(values.notna().to_numpy(), microseconds(values), NEVER).astype(np.int64)


def key_codes(alerts: pd.DataFrame) -> dict[str, Ints]:
    """Return what pages may be grouped by, as numbers; -1: not known."""
    return {name: pd.factorize(alerts[name].astype("str"))[0].astype(np.int64) for name in KEYS}
