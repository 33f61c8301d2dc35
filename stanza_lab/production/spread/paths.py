"""How two services hang together: the surest paths between them.

The best-first search looks at the path that can still become the surest, and so is exact. It walks no more than so many
hops, which searches for shortest paths of a library cannot promise: the surest paths may be long. What no path can pass
without visiting a service twice is left out first, or a search for one more path than there is would never end.
"""

from __future__ import annotations

import heapq
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pandas as pd

from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Step = tuple[float, bool, dict[Hashable, Any]]  # cost, whether from src to dst of its link, the link

COLUMNS: dict[str, Any] = {
    "rank": "int64",
    "services": object,
    "hops": "int64",
    "confidence": "float64",
    "weakest": "str",
    "weakest_confidence": "float64",
    "direction": "str",
    "lag_s": "float64",
    "words": "str",
}
MOST = 100_000  # beginnings of paths that are looked at
_PER_HOP = 1e-6  # cost of a hop besides what is unsure about it: of equally sure paths the shorter comes first
_PER_TURN = 1e-7  # of going on against the way one came: of these, the one over which one end depends on the other


def surest(pairs: pd.DataFrame, src: str, dst: str, *, hops: int, top: int) -> pd.DataFrame:
    """Return the surest simple paths over links `pairs` from `src` to `dst`; see `ProductionMap.paths`."""
    steps = _steps(_between(pairs, src, dst))
    search = _Search(steps, src, dst, hops)
    found = list(islice(search.paths(), top))
    rows = [_row(rank, path, steps) for rank, path in enumerate(found, start=1)]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    if search.given_up:
        said = f"the search was given up after {MOST:,} beginnings of paths: there may be more; fewer hops look at all"
        table.attrs = {"words": [said]}
    return table


def _between(pairs: pd.DataFrame, src: str, dst: str) -> pd.DataFrame:
    """Return the links that a path from `src` to `dst` can take without visiting a service twice."""
    walked: nx.Graph[str] = nx.Graph(zip(pairs["src"], pairs["dst"], strict=True))
    walked.add_edge(src, dst)  # closes every such path to a circle: what is on a circle with it, and nothing else
    blocks: Iterator[Any] = nx.biconnected_components(walked)
    inside: set[str] = next(some for some in blocks if {src, dst} <= some)
    return pairs[pairs["src"].isin(inside) & pairs["dst"].isin(inside)]


def _steps(pairs: pd.DataFrame) -> dict[str, dict[str, Step]]:
    """Return for each service the links it has, by the service at their other end."""
    steps: dict[str, dict[str, Step]] = {}
    columns = ["src", "dst", "strength", "direction", "lag_s", "provenance"]
    for link in pairs.loc[pairs["strength"] > 0, columns].to_dict("records"):
        cost = _PER_HOP - float(np.log(link["strength"]))
        steps.setdefault(link["src"], {})[link["dst"]] = (cost, True, link)
        steps.setdefault(link["dst"], {})[link["src"]] = (cost, False, link)
    return steps


class _Search:
    """The simple paths of at most `hops` links, the surest first; of equally sure ones the shorter, then straighter."""

    def __init__(self, steps: dict[str, dict[str, Step]], src: str, dst: str, hops: int) -> None:
        self._steps, self._src, self._dst, self._hops = steps, src, dst, min(hops, len(steps))
        self.given_up = False

    def paths(self) -> Iterator[list[str]]:
        """Yield them; at most `MOST` beginnings are looked at, then it is `given_up`."""
        ahead = _ahead(self._steps, self._dst, self._hops)
        waiting = [(0.0, 0.0, [self._src])] if self._src in ahead[self._hops] else []
        looked = 0
        while waiting:
            _, cost, path = heapq.heappop(waiting)
            if path[-1] == self._dst:
                yield path
                continue
            looked += 1
            if looked > MOST:
                self.given_up = True
                return
            left = ahead[self._hops - len(path)] if len(path) <= self._hops else {}
            came = self._sense(*path[-2:]) if len(path) > 1 else 0
            for name, (more, _, _) in self._steps.get(path[-1], {}).items():
                if name in left and name not in path:
                    more += _PER_TURN * (came * self._sense(path[-1], name) < 0)
                    heapq.heappush(waiting, (cost + more + left[name], cost + more, [*path, name]))

    def _sense(self, here: str, there: str) -> int:
        """Return 1 where `here` is known to depend on `there`, -1 the other way round, else 0."""
        _, along, link = self._steps[here][there]
        return (1 if along else -1) if link["direction"] == "forward" else 0


def _ahead(steps: dict[str, dict[str, Step]], dst: str, hops: int) -> list[dict[str, float]]:
    """Return, for each number of hops from 0, what the way to `dst` costs at least from each service that has one."""
    known = [{dst: 0.0}]
    for _ in range(hops):
        costs, cheaper = dict(known[-1]), False
        for name, cost in known[-1].items():
            for other, (more, _, _) in steps.get(name, {}).items():
                if cost + more < costs.get(other, np.inf):
                    costs[other], cheaper = cost + more, True
        if not cheaper:  # nor will it be with more hops
            return known + [known[-1]] * (hops + 1 - len(known))
        known.append(costs)
    return known


def _row(rank: int, path: list[str], steps: dict[str, dict[str, Step]]) -> dict[str, Any]:
    walked = [steps[here][there] for here, there in pairwise(path)]
    weakest = min((link for _, _, link in walked), key=lambda link: link["strength"])
    confidence = float(np.prod([link["strength"] for _, _, link in walked]))
    row = {
        "rank": rank,
        "services": path,
        "hops": len(walked),
        "confidence": confidence,
        "weakest": f"{weakest['src']} -> {weakest['dst']}",
        "weakest_confidence": weakest["strength"],
        "direction": _direction(walked),
        "lag_s": sum(link["lag_s"] if along else -link["lag_s"] for _, along, link in walked),
    }
    return row | {"words": _words(row, weakest)}


def _direction(walked: list[Step]) -> str:
    """Return which of the two ends depends on the other through all these links."""
    turned = {"forward": "back"}
    kinds = {
        link["direction"] if along else turned.get(link["direction"], link["direction"]) for _, along, link in walked
    }
    if {"forward", "back"} <= kinds:
        return "mixed"
    if "unknown" in kinds:
        return "unknown"
    return str(next(iter(kinds - {"both"}), "both"))


def _words(row: dict[str, Any], weakest: dict[Hashable, Any]) -> str:
    """Say the path, how long it is, where it is weakest, and who depends on whom through it."""
    first, last = row["services"][0], row["services"][-1]
    way = {
        "forward": f"{first} depends on {last}",
        "back": f"{last} depends on {first}",
        "both": "each depends on the other",
        "mixed": "neither depends on the other through it, its links point both ways",
        "unknown": "which way trouble travels is not known all along",
    }[row["direction"]]
    known = f"known from {words.known_from(weakest['provenance'])}"
    if words.seen(weakest["provenance"]):
        weak = f"every link was seen, {known}" if row["hops"] > 1 else f"its link was seen, {known}"
    else:
        sure = f"({words.probability(weakest['strength'])}, {known})"
        weak = f"weakest link {weakest['src']} - {weakest['dst']} {sure}" if row["hops"] > 1 else f"its link {sure}"
    return f"{' - '.join(row['services'])}, {words.count(row['hops'], 'hop')}; {weak}; {way}"
