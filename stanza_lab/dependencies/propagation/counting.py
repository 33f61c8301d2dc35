"""How often a caller's firing follows a callee's, how much later, on how many occasions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab.dependencies.propagation.episodes import Episodes, Ints, in_chunks, pairs_of_series

Floats = npt.NDArray[np.float64]


class Following(NamedTuple):
    """What followed what; a cell is a pair of kinds, of one link or of several.

    Attributes
    ----------
    cells : DataFrame
        Index 0, 1, ...: the cell's columns, edges, callee_firings, followed, reverse (counts), weight and hits
        (callee_firings and followed, weighted), squares (weight per block of time, squared and summed).
    lags : DataFrame
        cell, lag_ms: a row per firing that was followed, sorted.
    """

    cells: pd.DataFrame
    lags: pd.DataFrame


def count_following(episodes: Episodes, links: pd.DataFrame, *, cell: list[str], block: int) -> Following:
    """Count per `cell` (columns) what follows along `links` (callee, caller, weight), in blocks of `block` ms."""
    pairs = pairs_of_series(episodes, links)
    pairs = pairs.assign(cell=pairs.groupby(cell).ngroup()).sort_values("cell", kind="stable", ignore_index=True)
    searched = episodes.searched_by(np.arange(len(episodes.series)))
    blocks = episodes.span // block + 1
    names = pairs.groupby("cell")[cell].first().assign(edges=pairs.groupby("cell")["link"].nunique())
    squares = np.zeros(len(names))
    numbers = ["cell", "callee_firings", "followed", "reverse", "weight", "hits"]
    counts = [pd.DataFrame(columns=numbers, dtype="int64")]
    lags = [pd.DataFrame(columns=["cell", "lag_ms"], dtype="int64")]
    key, heavy = np.zeros(0, np.int64), np.zeros(0)  # of the last cell so far, which may go on
    for part, pair, row in in_chunks(pairs):
        at, of_pair, weight = episodes.times[row], part["cell"].to_numpy()[pair], part["weight"].to_numpy()
        after, before = searched.gaps(part["b"].to_numpy()[pair], at)
        followed = after <= episodes.within
        found = {
            "callee_firings": np.bincount(pair, minlength=len(part)),
            "followed": np.bincount(pair[followed], minlength=len(part)),
            "reverse": np.bincount(pair[before <= episodes.within], minlength=len(part)),
        }
        told = part[["cell"]].assign(**found)
        counts.append(told.assign(weight=weight * told["callee_firings"], hits=weight * told["followed"]))
        lags.append(pd.DataFrame({"cell": of_pair[followed], "lag_ms": after[followed]}))
        key, heavy = _summed(
            np.concatenate([key, of_pair * blocks + at // block]), np.concatenate([heavy, weight[pair]])
        )
        last = int(of_pair[-1])
        done = int(np.searchsorted(key, last * blocks))
        np.add.at(squares, key[:done] // blocks, heavy[:done] ** 2)
        key, heavy = key[done:], heavy[done:]
    np.add.at(squares, key // blocks, heavy**2)
    summed = pd.concat(counts).groupby("cell").sum()
    whole = dict.fromkeys(["callee_firings", "followed", "reverse"], "int64")
    return Following(
        names.join(summed).assign(squares=squares).reset_index(drop=True).astype(whole),
        pd.concat(lags).sort_values(["cell", "lag_ms"], ignore_index=True),
    )


def _summed(key: Ints, weight: Floats) -> tuple[Ints, Floats]:
    """Return the distinct keys, sorted, and the sum of the (positive) weights of each."""
    lowest = int(key.min())
    if int(key.max()) - lowest < 2 * len(key) + 1000:
        dense = np.asarray(np.bincount(key - lowest, weights=weight), np.float64)
        there = np.flatnonzero(dense)
        return there + lowest, dense[there]
    if (np.diff(key) < 0).any():
        order = np.argsort(key, kind="stable")
        key, weight = key[order], weight[order]
    first = np.flatnonzero(np.diff(key, prepend=key[0] - 1))
    return key[first], np.add.reduceat(weight, first)
