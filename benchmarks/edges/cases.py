"""One history of alerts whose true edges are known, and how each method is to read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

GIVEN = 0.2  # share of the true edges a method is told, where it is told any


@dataclass(frozen=True)
class Events:
    """The alerts as arrays, as most methods want them: sorted by place, then time."""

    times: npt.NDArray[np.float64]  # seconds from the first
    nodes: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]  # all 0 when the history has none
    names: list[str]


@dataclass(frozen=True)
class Case:
    """One history and its truth.

    `name` says which set it belongs to: cases of one name differ by seed only and are averaged. `call_graph` has
    `caller`, `callee`. `place` names a column: only alerts at the same place have to do with each other. `given` are
    true edges (`src`, `dst`) a method may be told. `slow_peers`: methods that take their time run here too.
    """

    name: str
    alerts: pd.DataFrame
    call_graph: pd.DataFrame
    node: str = "service"
    place: str | None = None
    acyclic: bool = False
    seed: int | None = None
    spans: pd.DataFrame | None = None
    given: pd.DataFrame | None = None
    slow_peers: bool = False

    def events(self) -> Events:
        """Return the alerts that have a time and a node."""
        known = self.alerts.dropna(subset=["starts_at", self.node])
        times = known["starts_at"].astype("int64").to_numpy() / 1e6
        nodes, names = pd.factorize(known[self.node].astype(str), sort=True)
        places = np.zeros(len(known), np.int64)
        if self.place is not None:
            places = pd.factorize(known[self.place].astype(str), sort=True)[0]
        order = np.lexsort((nodes, times, places))
        return Events(times[order] - times.min(initial=np.inf), nodes[order], places[order], list(names))


def known_part(call_graph: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Draw the true edges (`src`, `dst`) a method is told."""
    told = call_graph[["caller", "callee"]].sample(frac=GIVEN, random_state=seed)
    return told.rename(columns={"caller": "src", "callee": "dst"}).reset_index(drop=True)
