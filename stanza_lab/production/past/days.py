"""On which days each service alerted, and each link together; and the silences that these days leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.production.past import silence

if TYPE_CHECKING:
    from stanza_lab.dependencies import DependencyModel
    from stanza_lab.production.past.silence import Ints, Silences


@dataclass(frozen=True)
class Days:
    """On which days (slices, by number) each service alerted, and each link together.

    `alone`: code of the service, day. `together`: row of `pairs`, day. Both sorted, without repeats. `pairs`: `a`,
    `b`, codes of `names`. The window is [since, end); the history starts at `start`.
    """

    names: pd.Index
    pairs: pd.DataFrame
    alone: pd.DataFrame
    together: pd.DataFrame
    start: int
    since: int
    end: int
    length: int

    def time(self, day: Any) -> pd.Timestamp:
        """Return when a day starts."""
        return pd.Timestamp(int(day) * self.length, unit="us", tz="UTC")

    def mirrored(self) -> Days:
        """Return the same with time running backwards: what appeared is what vanishes there."""
        alone, together = (
            table.assign(day=-table["day"]).sort_values([table.columns[0], "day"], ignore_index=True)
            for table in (self.alone, self.together)
        )
        return Days(
            self.names, self.pairs, alone, together, -self.end + 1, -self.since + 1, -self.start + 1, self.length
        )


def count(model: DependencyModel, watched: pd.Index, since: pd.Timestamp, end: pd.Timestamp) -> Days:
    """Count the days of all services and of the `watched` pairs (a, b) with a < b."""
    frames, counting = model.statistics_.to_frames(), model.statistics_.counting
    fired, pairs = frames["firings"], frames["cofirings"]
    names = pd.Index(sorted({*fired["node"].unique(), *watched.get_level_values(0), *watched.get_level_values(1)}))
    ends = pd.DataFrame({side: names.get_indexer(watched.get_level_values(side)) for side in ("a", "b")})
    alone = pd.DataFrame(
        {"node": names.get_indexer(pd.Index(fired["node"])), "day": _number(fired["block"], counting.slice)}
    )
    codes = [names.get_indexer(pd.Index(pairs[side])).astype("int64") for side in ("a", "b")]
    row = pd.Index(ends["a"] * len(names) + ends["b"]).get_indexer(codes[0] * len(names) + codes[1])
    together = pd.DataFrame({"pair": row, "day": _number(pairs["slice"], counting.slice)})[row >= 0]
    # Of two firings around midnight the later one decides the day of the pair: both alerted on it for these purposes.
    both = [together.assign(node=ends[side].to_numpy()[together["pair"]])[["node", "day"]] for side in ("a", "b")]
    alone = pd.concat([alone, *both]).drop_duplicates().sort_values(["node", "day"], ignore_index=True)
    together = together.drop_duplicates().sort_values(["pair", "day"], ignore_index=True)
    first, start, stop = (int(t.value // 1000 // counting.slice) for t in (model.statistics_.slices[0], since, end))
    return Days(names, ends, alone, together, first, max(start, first), stop, counting.slice)


def _number(times: pd.Series, length: int) -> Ints:
    return np.asarray(times.astype(schema.TIME_DTYPE).astype("int64") // length, dtype=np.int64)


def by_calendar(days: Days) -> Silences:
    """Return the silence of each service."""
    many = len(days.names)
    since, end = (np.full(many, day) for day in (days.since, days.end))
    node, day = (days.alone[name].to_numpy("int64") for name in ("node", "day"))
    return silence.of_events(node, day, cases=many, since=since, end=end)


def _by_clock_of(days: Days, side: str) -> Silences:
    """Return the silence of each pair, measured by the days on which one of its services alerted."""
    reach = days.end - days.start + 1
    keys = (days.alone["node"] * reach + days.alone["day"] - days.start).to_numpy("int64")
    node, pair = days.pairs[side].to_numpy("int64"), days.together["pair"].to_numpy("int64")

    def tick(of: Ints, day: Any) -> Ints:
        return np.asarray(np.searchsorted(keys, of * reach + day) - np.searchsorted(keys, of * reach), dtype=np.int64)

    at = tick(node[pair], days.together["day"].to_numpy("int64") - days.start)
    since, end = tick(node, days.since - days.start), tick(node, reach - 1)
    return silence.of_events(pair, at, cases=len(node), since=since, end=end)


@dataclass(frozen=True)
class PairSilences:
    """The silence of each pair by the clock of that of its services that makes it the likelier."""

    # Both must still be there to be missed together.
    probability: silence.Floats
    at_best: silence.Floats
    expected: silence.Floats
    events: Ints
    silent: Ints
    window: Ints
    node: Ints


def of_pairs(days: Days) -> PairSilences:
    """Return the silence of each pair."""
    a, b = (_by_clock_of(days, side) for side in ("a", "b"))
    by_a = a.probability >= b.probability
    return PairSilences(
        np.maximum(a.probability, b.probability),
        np.maximum(a.at_best, b.at_best),
        np.where(by_a, a.expected, b.expected),
        a.events,
        np.where(by_a, a.silent, b.silent),
        np.where(by_a, a.window, b.window),
        np.where(by_a, days.pairs["a"], days.pairs["b"]),
    )


def extent(table: pd.DataFrame, cases: int) -> pd.DataFrame:
    """Return the `first` and `last` day of each case; null where there is none."""
    days = table.groupby(table.columns[0])["day"]
    return pd.DataFrame({"first": days.min(), "last": days.max()}).reindex(range(cases)).astype("Int64")
