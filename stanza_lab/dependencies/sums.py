"""Everything edges are derived from: sums over time slices of firings, co-firings, claims and traits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.dependencies.evidence import count_claims, count_traits, merge_claims, merge_traits
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting
from stanza_lab.errors import ParameterError, SchemaError

DAY = 86_400_000_000  # microseconds
MOST = 2**40  # of a count: what is larger was altered
_CLAIM_KEYS = ["slice", "src", "dst", "source"]
_TRAIT_KEYS = ["slice", "node", "trait"]


@dataclass(frozen=True, eq=False)
class DependencyStatistics:
    """The sums a `DependencyModel` keeps: `a + b` merges, `a - b` takes away, `before(t)` is as of then.

    Attributes
    ----------
    firings : CoFiringStatistics
        How often nodes fired, alone and with each other.
    claims : DataFrame
        `slice`, `src`, `dst`, `source`, `count`: what alerts of src say of dst, in words, traces and resources.
    traits : DataFrame
        `slice`, `node`, `trait`, `count`: teams paged, symptoms, roles.
    """

    firings: CoFiringStatistics
    claims: pd.DataFrame = field(repr=False)
    traits: pd.DataFrame = field(repr=False)

    @classmethod
    def of(cls, firings: CoFiringStatistics) -> DependencyStatistics:
        """Return statistics of times alone."""
        return cls(firings, merge_claims([]), merge_traits([]))

    @classmethod
    def empty(cls, counting: Counting) -> DependencyStatistics:
        """Return the statistics of nothing."""
        return cls.of(CoFiringStatistics.empty(counting))

    def with_alerts(self, alerts: pd.DataFrame, *, node: str) -> DependencyStatistics:
        """Return these with what the alerts say beside their times; they must not have been added before."""
        length = self.claims_length
        claims = count_claims(alerts, node=node, slice_us=length, names=self.firings.nodes)
        traits = count_traits(alerts, node=node, slice_us=length)
        return DependencyStatistics(
            self.firings, merge_claims([self.claims, claims]), merge_traits([self.traits, traits])
        )

    @property
    def claims_length(self) -> int:
        """Return the length of the slices of claims and traits, in microseconds: a day at most."""
        return min(self.counting.slice, DAY)

    def claims_from(self, micros: int) -> int:
        """Return the start of the slice of claims that holds an instant."""
        return micros // self.claims_length * self.claims_length

    def without_claims_since(self, micros: int) -> DependencyStatistics:
        """Return these without the claims and traits of the slice that holds an instant, and of later ones."""
        then = pd.Timestamp(self.claims_from(micros), unit="us", tz="UTC")
        claims, traits = (table[table["slice"] < then].reset_index(drop=True) for table in (self.claims, self.traits))
        return DependencyStatistics(self.firings, claims, traits)

    def with_firings(self, firings: CoFiringStatistics) -> DependencyStatistics:
        """Return the same with other firings."""
        return DependencyStatistics(firings, self.claims, self.traits)

    def __add__(self, other: DependencyStatistics) -> DependencyStatistics:
        """Return the sums of both; what both counted counts twice."""
        return DependencyStatistics(
            self.firings + other.firings,
            merge_claims([self.claims, other.claims]),
            merge_traits([self.traits, other.traits]),
        )

    def __sub__(self, other: DependencyStatistics) -> DependencyStatistics:
        """Take away what these contain; a `ParameterError` if they do not."""
        return DependencyStatistics(
            self.firings - other.firings,
            _less(self.claims, other.claims, _CLAIM_KEYS),
            _less(self.traits, other.traits, _TRAIT_KEYS),
        )

    def equals(self, other: DependencyStatistics) -> bool:
        """Return whether both hold the same counts."""
        return bool(
            self.firings.equals(other.firings)
            and _plain(self.claims).equals(_plain(other.claims))
            and _plain(self.traits).equals(_plain(other.traits))
        )

    def before(self, micros: int) -> DependencyStatistics:
        """Return the statistics of the slices that start before an instant (microseconds): as of then."""
        then = pd.Timestamp(micros, unit="us", tz="UTC")
        claims, traits = (table[table["slice"] < then].reset_index(drop=True) for table in (self.claims, self.traits))
        return DependencyStatistics(self.firings.before(micros), claims, traits)

    @property
    def counting(self) -> Counting:
        """Return how firings were counted."""
        return self.firings.counting

    @property
    def slices(self) -> pd.DatetimeIndex:
        """Return the starts of the slices in which something is counted."""
        return self.firings.slices

    def settings(self) -> dict[str, Any]:
        """Return how firings were counted, in microseconds, as JSON takes it."""
        return dict(self.firings.settings())

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return the tables, for Parquet: those of `CoFiringStatistics.to_frames`, `claims` and `traits`."""
        return self.firings.to_frames() | {"claims": _plain(self.claims), "traits": _plain(self.traits)}

    @classmethod
    def from_frames(cls, frames: dict[str, pd.DataFrame], *, settings: dict[str, Any]) -> DependencyStatistics:
        """Return the statistics that `to_frames` and `settings` gave; without claims and traits, of times alone.

        Raises
        ------
        SchemaError
            A table or column is missing, or holds what no counting gives.
        """
        claims, traits = (
            _checked(frames.get(name), name, keys) for name, keys in (("claims", _CLAIM_KEYS), ("traits", _TRAIT_KEYS))
        )
        firings = CoFiringStatistics.from_frames(frames, settings=settings)
        return cls(firings, merge_claims([claims]), merge_traits([traits]))


def _checked(table: pd.DataFrame | None, name: str, keys: list[str]) -> pd.DataFrame:
    """Return a table of counts from outside, or say what is wrong with it."""
    where = f"dependency statistics: table {name!r}"
    if table is None:
        empty = pd.DataFrame({key: pd.Series([], dtype="str") for key in keys})
        return empty.assign(slice=pd.Series([], dtype=schema.TIME_DTYPE), count=pd.Series([], dtype="int64"))
    if not isinstance(table, pd.DataFrame) or not table.columns.is_unique:
        raise SchemaError(f"{where} is no table with a column for each name; save it again with to_frames")
    if missing := [column for column in [*keys, "count"] if column not in table.columns]:
        raise SchemaError(f"{where} lacks {missing}; save it again with to_frames")
    count, when = table["count"], table["slice"]
    if not pd.api.types.is_integer_dtype(count) or not count.between(1, MOST).all():
        raise SchemaError(f"{where} holds counts that are no whole numbers from 1 to {MOST:,}")
    if not isinstance(when.dtype, pd.DatetimeTZDtype) or table.isna().any(axis=None):
        raise SchemaError(f"{where} holds slices without a zone, or nulls; save it again with to_frames")
    return table


def _less(table: pd.DataFrame, other: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return counts less others, without rows of 0."""
    if other.empty:
        return table
    one, two = (_plain(part).set_index(keys)["count"] for part in (table, other))
    rest = one.sub(two, fill_value=0).astype("int64")
    if (rest < 0).any():
        raise ParameterError("the statistics to take away are not part of these: a count would be below 0")
    left = rest[rest > 0].reset_index()
    return (merge_claims if "src" in keys else merge_traits)([left])


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with categories as text, which does not depend on what else was in it."""
    texts = [name for name in table.columns if name not in ("slice", "count")]
    return table.astype(dict.fromkeys(texts, "str")).astype({"slice": schema.TIME_DTYPE, "count": "int64"})
