"""What dependencies need from the alerts: counts per time slice, computed once, merged by adding.

A *firing* is the start of an episode of a node: an alert with no other alert of the same node in the `refractory` time
before it (flapping and re-notifications are one firing). Two firings of different nodes at most `window` apart are one
*co-firing*; it belongs to the slice of the later one, so counting a slice looks back `window` + `refractory` before its
start and never ahead. Counts of different slices therefore add up exactly to the counts of the whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse

from stanza_lab import schema
from stanza_lab._params import Duration, duration
from stanza_lab.errors import ParameterError, SchemaError

Ints = npt.NDArray[np.int64]

# Lag bins per side, as shares of the window: to 30, 60, 120, 240 and 600 s of the default 10 min. Signs tell the order.
LAG_EDGES = np.array([0.0, 0.05, 0.1, 0.2, 0.4, 1.0])
_SIDE = len(LAG_EDGES) - 1
LAGS = [f"lag{i:+d}" for i in range(-_SIDE, _SIDE + 1)]  # lag-5 ... lag+0 (same instant) ... lag+5
_COUNTS = ["cofirings", "occasions", "same_block", *LAGS]
_CHUNK = 4_000_000  # pairs held in memory at a time


@dataclass(frozen=True)
class Firings:
    """Sorted times (microseconds) and the names of the nodes that alerted then: what one slice is counted from."""

    times: Ints
    names: npt.NDArray[np.str_]

    @classmethod
    def of(cls, times: pd.Series, names: pd.Series) -> Firings:
        """Take complete columns of times and names, in any order."""
        return cls(np.array([], np.int64), np.array([], object)) + cls(
            _micros(times), names.astype("str").to_numpy(object)
        )

    def to_frame(self) -> pd.DataFrame:
        """Return `starts_at` and `node`."""
        return pd.DataFrame({"starts_at": _stamps(self.times), "node": pd.Series(self.names, dtype="str")})

    def since(self, start: int) -> Firings:
        """Return those at or after `start`."""
        at = int(np.searchsorted(self.times, start))
        return Firings(self.times[at:], self.names[at:])

    def __add__(self, other: Firings) -> Firings:
        """Return both, sorted by time."""
        times = np.concatenate([self.times, other.times])
        names = np.concatenate([self.names, other.names])
        order = np.lexsort((names, times))
        return Firings(times[order], names[order])


@dataclass(frozen=True)
class Counting:
    """How firings are counted; statistics add up only when these are equal. All in microseconds."""

    window: int
    refractory: int
    block: int
    slice: int

    @classmethod
    def of(cls, *, window: Duration, refractory: Duration, block: Duration, slice: Duration) -> Counting:  # noqa: A002
        """Check the durations: window <= refractory, 4 windows <= block, slices made of whole blocks."""
        lengths = {"window": window, "refractory": refractory, "block": block, "slice": slice}
        counting = cls(**{name: int(duration(value, name).value // 1000) for name, value in lengths.items()})
        if counting.refractory < counting.window:
            raise ParameterError(f"refractory={refractory!r} must be at least window={window!r}")
        if counting.block < 4 * counting.window:
            raise ParameterError(f"block={block!r} must be at least four times window={window!r}")
        if counting.slice % counting.block:
            raise ParameterError(f"slice={slice!r} must be a whole number of blocks of {block!r}")
        if counting.slice < counting.lookback:
            raise ParameterError(f"slice={slice!r} must be at least window + refractory")
        return counting

    @property
    def lookback(self) -> int:
        """How far before a slice its counts reach."""
        return self.window + self.refractory


@dataclass(frozen=True)
class CoFiringStatistics:
    """Sums over time slices: firings per node and block, co-firings per pair. `a + b` merges, `a - b` takes away.

    Parameters
    ----------
    counting : Counting
        How firings were counted.
    firings : DataFrame
        `block` (start of the block, UTC), `node`, `firings`: sorted, positive counts only.
    cofirings : DataFrame
        One row per slice and pair with `a` < `b`: `slice` (start, UTC), `a`, `b`, `cofirings`, `occasions` (distinct
        blocks with one, so that a storm is one fact), `same_block` (both firings in one block) and the histogram of
        lags `lag-5` ... `lag+5` (positive: `b` fired after `a`; `lag+0`: at the same instant).
    """

    counting: Counting
    firings: pd.DataFrame = field(repr=False)
    cofirings: pd.DataFrame = field(repr=False)

    @classmethod
    def empty(cls, counting: Counting) -> CoFiringStatistics:
        """Return the statistics of nothing."""
        return _count(Firings(np.array([], np.int64), np.array([], object)), counting, start=0, stop=0)

    @classmethod
    def count(
        cls, firings: Firings, counting: Counting, *, start: int | None = None, n_jobs: int | None = None
    ) -> CoFiringStatistics:
        """Count the slices of `firings` from `start` on; what lies before `start` is only looked back at.

        Parameters
        ----------
        firings : Firings
            Sorted by time.
        counting : Counting
            How to count.
        start : int, optional
            Start of the first slice to count, in microseconds. Default: the first there is.
        n_jobs : int, optional
            Groups of slices counted in parallel, as in joblib. Default: 1, unless a `joblib.parallel_config` says
            otherwise.

        Returns
        -------
        CoFiringStatistics
            The same for any `n_jobs`.
        """
        if not len(firings.times):
            return cls.empty(counting)
        first = int(firings.times[0]) if start is None else start
        first -= first % counting.slice
        last = int(firings.times[-1]) - int(firings.times[-1]) % counting.slice
        slices = (last - first) // counting.slice + 1
        workers = joblib.effective_n_jobs(n_jobs)  # type: ignore[arg-type]  # None: as the active configuration says
        parts = max(1, min(workers, slices))
        borders = [first + counting.slice * (slices * i // parts) for i in range(parts + 1)]
        tasks = (
            joblib.delayed(_count)(firings.since(low - counting.lookback), counting, start=low, stop=high)
            for low, high in itertools.pairwise(borders)
        )
        return cls.merge(list(joblib.Parallel(n_jobs=n_jobs)(tasks)))

    @classmethod
    def merge(cls, parts: Iterable[CoFiringStatistics]) -> CoFiringStatistics:
        """Add up statistics of different slices.

        Raises
        ------
        ParameterError
            They were counted differently, or two hold the same slice (its counts would be doubled).
        """
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        counting = parts[0].counting
        if any(part.counting != counting for part in parts):
            raise ParameterError("statistics counted with different window, refractory, block or slice do not add up")
        held = pd.concat([pd.Series(part.slices) for part in parts])
        if held.duplicated().any():
            raise ParameterError(f"two of the statistics hold the slice of {held[held.duplicated()].iloc[0]}")
        return cls(
            counting,
            _sorted(pd.concat([part.firings for part in parts]), ["block", "node"]),
            _sorted(pd.concat([part.cofirings for part in parts]), ["slice", "a", "b"]),
        )

    def __add__(self, other: CoFiringStatistics) -> CoFiringStatistics:
        """Return the sums of both; they must hold different slices."""
        return self.merge([self, other])

    def __sub__(self, other: CoFiringStatistics) -> CoFiringStatistics:
        """Return these statistics without the slices of `other`, which they must hold unchanged."""
        rest = self.keep(~pd.Index(self.slices).isin(other.slices))
        if not self.equals(rest + other):
            raise ParameterError("the statistics to take away are not part of these")
        return rest

    def equals(self, other: CoFiringStatistics) -> bool:
        """Return whether both hold the same counts."""
        return bool(
            self.counting == other.counting
            and self.firings.equals(other.firings)
            and self.cofirings.equals(other.cofirings)
        )

    @property
    def slices(self) -> pd.DatetimeIndex:
        """Starts of the slices with a firing."""
        return pd.DatetimeIndex(self._slice_of_firings().unique())

    @property
    def nodes(self) -> list[str]:
        """Names that fired, sorted."""
        return sorted(self.firings["node"].unique())

    def before(self, micros: int) -> CoFiringStatistics:
        """Return the statistics of the slices that start before an instant: as of then."""
        return self.keep(np.asarray(self.slices.as_unit("us").asi8 < micros))

    def keep(self, mask: npt.NDArray[np.bool_]) -> CoFiringStatistics:
        """Return the statistics of the slices picked by `mask`, one flag for each of `slices`."""
        kept = self.slices[mask]
        firings = self.firings[self._slice_of_firings().isin(kept)].reset_index(drop=True)
        cofirings = self.cofirings[self.cofirings["slice"].isin(kept)].reset_index(drop=True)
        return CoFiringStatistics(self.counting, firings, cofirings)

    def pairs(self) -> pd.DataFrame:
        """Return the counts of every pair summed over slices, sorted by `a`, `b`."""
        columns: dict[str, Any] = dict.fromkeys(_COUNTS, "sum")
        return self.cofirings.groupby(["a", "b"], sort=True).agg(columns).reset_index()

    def together(self) -> tuple[scipy.sparse.csr_array, scipy.sparse.csr_array]:
        """Count pairs of firings, nodes x nodes in the order of `nodes`: those in one block, those in one slice."""
        by_block, by_slice = self._matrix(self.firings["block"]), self._matrix(self._slice_of_firings())
        return (by_block.T @ by_block).tocsr(), (by_slice.T @ by_slice).tocsr()

    def _matrix(self, period: pd.Series) -> scipy.sparse.csr_array:
        """Return firings as a sparse matrix: one row per period with a firing, one column per node."""
        nodes = self.nodes
        rows = pd.factorize(period)[0]
        columns = pd.Index(nodes).get_indexer(pd.Index(self.firings["node"]))
        counts = self.firings["firings"].to_numpy(np.float64)
        periods = int(rows.max(initial=-1)) + 1
        return scipy.sparse.csr_array((counts, (rows, columns)), shape=(periods, len(nodes)))

    def settings(self) -> dict[str, int]:
        """Return how firings were counted, in microseconds, as JSON takes it."""
        return asdict(self.counting)

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return the two tables, for Parquet: `firings` and `cofirings`."""
        return {"firings": self.firings, "cofirings": self.cofirings}

    @classmethod
    def from_frames(cls, frames: dict[str, pd.DataFrame], *, settings: dict[str, int]) -> CoFiringStatistics:
        """Return the statistics that `to_frames` and `settings` gave.

        Raises
        ------
        SchemaError
            A table or column is missing.
        """
        counting = Counting(**settings)
        plain = cls.empty(counting).to_frames()
        for name, empty in plain.items():
            missing = [c for c in empty.columns if name not in frames or c not in frames[name].columns]
            if missing:
                raise SchemaError(f"co-firing statistics: table {name!r} lacks {missing}; save it again with to_frames")
        tables = {name: frames[name][list(empty.columns)].astype(dict(empty.dtypes)) for name, empty in plain.items()}
        return cls(
            counting,
            _sorted(tables["firings"], ["block", "node"]),
            _sorted(tables["cofirings"], ["slice", "a", "b"]),
        )

    def _slice_of_firings(self) -> pd.Series:
        return _stamps(_micros(self.firings["block"]) // self.counting.slice * self.counting.slice)


def _count(firings: Firings, counting: Counting, *, start: int, stop: int) -> CoFiringStatistics:
    """Count the slices in [start, stop); `firings` reaches back far enough before `start`."""
    times, codes, nodes = _episodes(firings, counting)
    counted = np.flatnonzero((times >= start) & (times < stop))
    blocks = times // counting.block
    table = pd.DataFrame({"block": blocks[counted] * counting.block, "node": codes[counted]})
    table = table.groupby(["block", "node"]).size().rename("firings").reset_index()
    table = table.assign(block=_stamps(table["block"]), node=nodes[table["node"]]).astype({"node": "str"})
    earlier = np.searchsorted(times, times[counted] - counting.window, side="left")
    found = [
        _cofirings(i, j, times=times, codes=codes, n_nodes=len(nodes), counting=counting)
        for i, j in _pairs(earlier, counted, blocks)
    ]
    pairs = pd.concat(found) if found else _cofirings(
        counted[:0], counted[:0], times=times, codes=codes, n_nodes=1, counting=counting
    )  # fmt: skip
    keys = ["slice", "a", "b"]
    pairs = pairs.groupby(keys, sort=False).sum().reset_index()
    pairs = pairs.assign(slice=_stamps(pairs["slice"]), a=nodes[pairs["a"]], b=nodes[pairs["b"]])
    pairs = pairs.astype({"a": "str", "b": "str"})
    return CoFiringStatistics(counting, _sorted(table, ["block", "node"]), _sorted(pairs, keys))


def _episodes(firings: Firings, counting: Counting) -> tuple[Ints, Ints, npt.NDArray[Any]]:
    """Keep the firings with no other of the same node in the refractory time before; return times, codes, names."""
    codes, nodes = pd.factorize(firings.names, sort=True)
    order = np.lexsort((firings.times, codes))
    times, codes = firings.times[order], codes[order].astype(np.int64)
    again = np.zeros(len(times), bool)
    again[1:] = (np.diff(codes) == 0) & (np.diff(times) <= counting.refractory)
    times, codes = times[~again], codes[~again]
    order = np.lexsort((codes, times))
    return times[order], codes[order], np.asarray(nodes, object)


def _pairs(earlier: Ints, later: Ints, blocks: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield index pairs (i, j) for every j in `later` and i from its `earlier` up to j; whole blocks at a time."""
    counts = later - earlier
    ends = np.cumsum(counts)
    new_block = np.flatnonzero(np.diff(blocks[later], append=-1)) + 1  # positions after which a block is complete
    low = 0
    while low < len(later):
        done = ends[low - 1] if low else 0
        high = int(new_block[new_block > low][0])
        fitting = new_block[(new_block > low) & (ends[new_block - 1] <= done + _CHUNK)]
        high = int(fitting[-1]) if len(fitting) else high
        size = counts[low:high]
        j = np.repeat(later[low:high], size)
        i = np.arange(len(j)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(earlier[low:high], size)
        yield i, j
        low = high


def _cofirings(i: Ints, j: Ints, *, times: Ints, codes: Ints, n_nodes: int, counting: Counting) -> pd.DataFrame:
    """Sum the co-firings (i before j) per slice and pair of codes a < b."""
    other = codes[i] != codes[j]
    i, j = i[other], j[other]
    forward = codes[i] < codes[j]
    a, b = np.where(forward, codes[i], codes[j]), np.where(forward, codes[j], codes[i])
    lag = times[j] - times[i]
    step = np.searchsorted(LAG_EDGES[1:] * counting.window, lag, side="left") + 1
    lag_bin = np.where(lag == 0, 0, np.where(forward, step, -step)) + _SIDE
    block = times[j] // counting.block
    blocks_per_slice = counting.slice // counting.block
    base = int(block.min()) // blocks_per_slice * blocks_per_slice if len(block) else 0
    key = ((block - base) * n_nodes + a) * n_nodes + b
    found, where = np.unique(key, return_inverse=True)  # one per block and pair: an occasion
    width = len(LAGS)
    histogram = np.bincount(where * width + lag_bin, minlength=len(found) * width).reshape(-1, width)
    frame = pd.DataFrame(histogram, columns=LAGS)
    frame.insert(0, "same_block", np.bincount(where[times[i] // counting.block == block], minlength=len(found)))
    frame.insert(0, "occasions", 1)
    frame.insert(0, "cofirings", histogram.sum(axis=1))
    frame.insert(0, "b", found % n_nodes)
    frame.insert(0, "a", found // n_nodes % n_nodes)
    at = base + found // (n_nodes * n_nodes)
    frame.insert(0, "slice", at // blocks_per_slice * counting.slice)
    return frame.groupby(["slice", "a", "b"], sort=False).sum().reset_index().astype("int64")


def _stamps(micros: Any) -> pd.Series:
    return pd.Series(pd.to_datetime(np.asarray(micros, np.int64), unit="us", utc=True), dtype=schema.TIME_DTYPE)


def _micros(stamps: pd.Series) -> Ints:
    return np.asarray(stamps.astype(schema.TIME_DTYPE).astype("int64"), np.int64)


def _sorted(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return frame.sort_values(keys, ignore_index=True)
