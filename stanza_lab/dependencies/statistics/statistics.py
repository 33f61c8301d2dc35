"""Sums over time slices: firings per node and block, co-firings per pair and slice."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab.dependencies.statistics import _tables
from stanza_lab.dependencies.statistics._arrivals import Arrivals
from stanza_lab.dependencies.statistics._counted import MOST_ROWS, count_stretch
from stanza_lab.dependencies.statistics._sums import Ints, Sums, packable, recoded, unpack
from stanza_lab.dependencies.statistics._totals import pair_totals, together
from stanza_lab.dependencies.statistics.counting import COUNTS, LAGS, Counting
from stanza_lab.dependencies.statistics.firings import Firings, codes_in, names_of, stamps
from stanza_lab.errors import ParameterError

if TYPE_CHECKING:
    import scipy.sparse

_HOUR, _HOURS = 3_600_000_000, 24  # microseconds; of a day


@dataclass(frozen=True, eq=False)
class CoFiringStatistics:
    """Sums over time slices. `a + b` adds, `a - b` takes away; equal contents are equal, however they were come by.

    Made by `count`, `empty`, `from_frames` and by adding. The tables are those of `to_frames`.

    Attributes
    ----------
    counting : Counting
        How firings were counted, and whether places were looked at.
    nodes, places : Index of str
        Names that occur, sorted. Without places: the one place "".
    """

    counting: Counting
    nodes: pd.Index = field(repr=False)
    places: pd.Index = field(repr=False)
    _fired: Sums = field(repr=False)  # (block, node, place): firings, inner
    _pairs: Sums = field(repr=False)  # (slice, a, b): COUNTS
    _arrivals: Arrivals = field(repr=False)  # none without places

    @classmethod
    def empty(cls, counting: Counting) -> CoFiringStatistics:
        """Return the statistics of nothing."""
        nothing = names_of([])
        return cls(counting, nothing, nothing, Sums.none(2), Sums.none(len(COUNTS)), Arrivals.none())

    @classmethod
    def count(
        cls,
        firings: Firings,
        counting: Counting,
        *,
        start: int | None = None,
        stop: int | None = None,
        n_jobs: int | None = None,
    ) -> CoFiringStatistics:
        """Count what fired in [start, stop); what lies before `start` is only looked back at, by `counting.lookback`.

        Parameters
        ----------
        firings : Firings
            Sorted by time.
        counting : Counting
            How to count. Without `near` in it, places are not looked at.
        start, stop : int, optional
            Microseconds, rounded down to the start of a block, so that counts up to an instant and from it on add up to
            those of the whole. Default: all.
        n_jobs : int, optional
            Groups of slices counted in parallel, as in joblib. Default: 1, unless a `joblib.parallel_config` says
            otherwise.

        Returns
        -------
        CoFiringStatistics
            The same for any `n_jobs`.

        Raises
        ------
        ParameterError
            There would be more than 100 million rows; a longer `slice` makes fewer.
        """
        firings = firings if counting.near else firings.nowhere()
        low, high = _borders(firings, counting, start, stop)
        if low >= high:
            return cls.empty(counting)
        near = counting.near.among(firings.place_names) if counting.near else np.ones((1, 1), bool)
        workers = joblib.effective_n_jobs(n_jobs)  # type: ignore[arg-type]  # None: as the active configuration says
        tasks = (
            joblib.delayed(count_stretch)(firings.since(a - counting.lookback).until(b), near, counting, a, b)
            for a, b in _stretches(low, high, counting.slice, workers)
        )
        parts = list(joblib.Parallel(n_jobs=n_jobs)(tasks))
        fired, pairs = parts[0] if len(parts) == 1 else (Sums.join(sums) for sums in zip(*parts, strict=True))
        return cls(
            counting,
            firings.node_names,
            firings.place_names,
            fired,
            pairs,
            Arrivals.of(firings.since(low).until(high)) if counting.near else Arrivals.none(),
        )._with_names_in_use()

    @classmethod
    def merge(cls, parts: Iterable[CoFiringStatistics]) -> CoFiringStatistics:
        """Add up statistics.

        Raises
        ------
        ParameterError
            They were counted differently, or there are none.
        """
        parts = list(parts)
        if not parts:
            raise ParameterError("no statistics to merge; see CoFiringStatistics.empty")
        return reduce(lambda a, b: a + b, parts)

    def __add__(self, other: CoFiringStatistics) -> CoFiringStatistics:
        """Return the sums of both; what both counted counts twice."""
        one, two = self._with_names_of(other), other._with_names_of(self)
        return one._with(one._fired + two._fired, one._pairs + two._pairs, one._arrivals + two._arrivals)

    def __sub__(self, other: CoFiringStatistics) -> CoFiringStatistics:
        """Take away counts that these contain.

        Raises
        ------
        ParameterError
            A count would be below 0, or they were counted differently.
        """
        one, two = self._with_names_of(other), other._with_names_of(self)
        rest = one._with(one._fired - two._fired, one._pairs - two._pairs, one._arrivals - two._arrivals)
        return rest._with_names_in_use()

    def equals(self, other: CoFiringStatistics) -> bool:
        """Return whether both hold the same counts."""
        return bool(
            self.counting == other.counting
            and self.nodes.equals(other.nodes)
            and self.places.equals(other.places)
            and self._fired.equals(other._fired)
            and self._pairs.equals(other._pairs)
            and self._arrivals.equals(other._arrivals)
        )

    @property
    def slices(self) -> pd.DatetimeIndex:
        """Starts of the slices in which something is counted."""
        return pd.DatetimeIndex(stamps(self._slice_numbers() * self.counting.slice))

    def before(self, micros: int) -> CoFiringStatistics:
        """Return the statistics of the slices that start before an instant: as of then."""
        return self.keep(self._slice_numbers() * self.counting.slice < micros)

    def keep(self, mask: npt.NDArray[np.bool_]) -> CoFiringStatistics:
        """Return the statistics of the slices picked by `mask`, one flag for each of `slices`."""
        kept = self._slice_numbers()[np.asarray(mask, bool)]
        of_fired, of_pairs, of_arrivals = (np.isin(numbers, kept) for numbers in self._slices_of_rows())
        rest = self._with(self._fired[of_fired], self._pairs[of_pairs], self._arrivals[of_arrivals])
        return rest._with_names_in_use()

    def totals(self) -> pd.DataFrame:
        """Return `firings` and `inner` firings of every node, indexed by name, sorted."""
        _, node, _ = unpack(self._fired.keys, self._by_place)
        sums = [np.bincount(node, weights=column, minlength=len(self.nodes)) for column in self._fired.counts.T]
        return pd.DataFrame({"firings": sums[0], "inner": sums[1]}, index=self.nodes).astype("int64")

    def pair_totals(self) -> tuple[Ints, Ints, Ints]:
        """Return the pairs that ever co-fired, summed over slices, without names.

        Returns
        -------
        a, b : array of int64
            Positions in `nodes`, a < b, sorted.
        counts : array of int64
            A row per pair, a column for each of `counting.COUNTS`.
        """
        pairs, counts = pair_totals(self._pairs, len(self.nodes))
        a, b = np.divmod(pairs, max(len(self.nodes), 1))
        return a, b, counts

    def pairs(self) -> pd.DataFrame:
        """Return the counts of every pair that ever co-fired summed over slices, sorted by `a`, `b`.

        Pairs of which only inner alerts came together, never those of the streams of all alerts, are left out.
        """
        a, b, counts = self.pair_totals()
        table = pd.DataFrame(counts, columns=COUNTS)
        table.insert(0, "cofirings", table[LAGS].sum(axis=1))
        table.insert(0, "b", pd.Series(self.nodes.take(b), dtype="str"))
        table.insert(0, "a", pd.Series(self.nodes.take(a), dtype="str"))
        return table[table["cofirings"] > 0].reset_index(drop=True)

    def of_pair(self, a: str, b: str) -> pd.DataFrame:
        """Return the counts of one pair by slice: the rows of the table `cofirings`, sorted by time."""
        low, high = sorted(int(code) for code in codes_in(self.nodes, names_of([a, b])))
        count = len(self.nodes)
        rows = self._pairs.keys % max(count**2, 1) == low * count + high if low >= 0 else slice(0, 0)
        return _tables.cofirings(self._pairs[rows], self.nodes, self.counting)

    def together(self) -> tuple[scipy.sparse.csr_array, scipy.sparse.csr_array]:
        """Count pairs of firings at near places, nodes x nodes: those in one block, those in one slice."""
        near = self.counting.near.among(self.places) if self.counting.near else None
        block, node, place = unpack(self._fired.keys, self._by_place)
        firings = self._fired.counts[:, 0]
        blocks = self.counting.slice // self.counting.block
        by_block, by_slice = (
            together(period, place, node, firings, near, len(self.nodes)) for period in (block, block // blocks)
        )
        return by_block, by_slice

    def by_hour(self) -> tuple[npt.NDArray[np.float64], int]:
        """Return the firings of every node by hour of the day (UTC), nodes x 24, and the days from first to last."""
        block, node, _ = unpack(self._fired.keys, self._by_place)
        found = np.zeros((len(self.nodes), _HOURS))
        if not len(block):
            return found, 1
        start = block * self.counting.block
        np.add.at(found, (node, start // _HOUR % _HOURS), self._fired.counts[:, 0])
        return found, int(start.max() // (_HOUR * _HOURS) - start.min() // (_HOUR * _HOURS)) + 1

    def settings(self) -> dict[str, int]:
        """Return how firings were counted, in microseconds, as JSON takes it; `to_frames` has which places are near."""
        return self.counting.settings()

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return the tables, for Parquet. Names are categories, counts the narrowest unsigned integers.

        Returns
        -------
        dict of DataFrame
            ``firings``: `block` (its start, UTC), `node`, `place` ("" without places), `firings`, `inner`.
            ``cofirings``: one row per slice and pair with `a` < `b`: `slice` (its start, UTC), `a`, `b`, `cofirings`,
            `occasions` (distinct blocks with one, so that a storm is one fact), `same_block` (both firings in one
            block), `inner_a` (an inner firing of `a` with any firing of `b`), `inner_b`, and the histogram of lags
            `lag-5` ... `lag+5` (positive: `b` fired after `a`; `lag+0`: at the same instant).
            With places also ``arrivals``: every alert, `starts_at`, `ends_at`, `place`, `node`; and ``near``: `src`,
            `dst`, every pair of near places once.
        """
        frames = {
            "firings": _tables.firings(self._fired, self.nodes, self.places, self.counting),
            "cofirings": _tables.cofirings(self._pairs, self.nodes, self.counting),
        }
        if self.counting.near:
            frames["arrivals"] = _tables.arrivals(self._arrivals, self.nodes, self.places)
            frames["near"] = self.counting.near.to_frame()
        return frames

    @classmethod
    def from_frames(cls, frames: dict[str, pd.DataFrame], *, settings: dict[str, Any]) -> CoFiringStatistics:
        """Return the statistics that `to_frames` and `settings` gave.

        Raises
        ------
        SchemaError
            A table or column is missing, or holds what no counting gives.
        """
        return cls(*_tables.read(frames, settings))._with_names_in_use()

    @property
    def _by_place(self) -> tuple[int, int]:
        return len(self.nodes), len(self.places)

    @property
    def _by_pair(self) -> tuple[int, int]:
        return len(self.nodes), len(self.nodes)

    def _with(self, fired: Sums, pairs: Sums, arrivals: Arrivals) -> CoFiringStatistics:
        if len(pairs.keys) > MOST_ROWS:
            raise ParameterError(f"more than {MOST_ROWS:,} rows of pairs by slice; pass a longer slice=")
        return CoFiringStatistics(self.counting, self.nodes, self.places, fired, pairs, arrivals)

    def _with_names_of(self, other: CoFiringStatistics) -> CoFiringStatistics:
        """Return these statistics with the names of both."""
        if self.counting != other.counting:
            raise ParameterError(
                "statistics counted with different window, refractory, block, slice or near places do not add up"
            )
        return self._recoded(self.nodes.union(other.nodes), self.places.union(other.places))

    def _with_names_in_use(self) -> CoFiringStatistics:
        """Return these statistics without names of which nothing is left."""
        _, node, place = unpack(self._fired.keys, self._by_place)
        used = np.zeros(len(self.nodes), bool)
        used[node] = used[self._arrivals.nodes] = True
        if not used.all():
            _, a, b = unpack(self._pairs.keys, self._by_pair)
            used[a] = used[b] = True
        there = np.zeros(len(self.places), bool)
        there[place] = there[self._arrivals.places] = True
        return self._recoded(self.nodes[used], self.places[there])

    def _recoded(self, nodes: pd.Index, places: pd.Index) -> CoFiringStatistics:
        if nodes.equals(self.nodes) and places.equals(self.places):
            return self
        sizes, new = self._by_place, (len(nodes), len(places))
        if not packable(unpack(self._fired.keys, sizes)[0], new[0] * max(new)):
            raise ParameterError(f"{new[0]} nodes at {new[1]} places over so many slices: pass a longer slice=")
        node, place = codes_in(nodes, self.nodes), codes_in(places, self.places)
        return CoFiringStatistics(
            self.counting,
            nodes,
            places,
            Sums(recoded(self._fired.keys, sizes, (node, place), new), self._fired.counts),
            Sums(recoded(self._pairs.keys, self._by_pair, (node, node), (new[0], new[0])), self._pairs.counts),
            self._arrivals.recoded(node, place),
        )

    def _slices_of_rows(self) -> tuple[Ints, Ints, Ints]:
        """Return the number of the slice of every row of the three tables."""
        blocks = self.counting.slice // self.counting.block
        per_block, per_slice = (max(a * b, 1) for a, b in (self._by_place, self._by_pair))
        return (
            self._fired.keys // per_block // blocks,
            self._pairs.keys // per_slice,
            self._arrivals.starts // self.counting.slice,
        )

    def _slice_numbers(self) -> Ints:
        return np.unique(np.concatenate([np.unique(numbers) for numbers in self._slices_of_rows()]))


def _borders(firings: Firings, counting: Counting, start: int | None, stop: int | None) -> tuple[int, int]:
    """Return from where up to where to count: whole blocks, or where the firings end."""
    if not len(firings):
        return 0, 0
    first, last = int(firings.times[0]), int(firings.times[-1])
    low = first if start is None else max(start, first)
    high = last + counting.block if stop is None else min(stop, last + counting.block)
    return low // counting.block * counting.block, high // counting.block * counting.block


def _stretches(low: int, high: int, length: int, workers: int) -> list[tuple[int, int]]:
    """Cut [low, high) at slices into a stretch for each worker."""
    first, last = low // length, (high - 1) // length + 1
    parts = max(1, min(workers, last - first))
    borders = [low, *((first + (last - first) * k // parts) * length for k in range(1, parts)), high]
    return [pair for pair in itertools.pairwise(borders) if pair[0] < pair[1]]
