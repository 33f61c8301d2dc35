"""Two groupings of the same alerts, counted against each other: only what occurs, never a full table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab.errors import ParameterError
from stanza_lab.schema import NOISE

Ints = npt.NDArray[np.int64]
ALONE = ("", NOISE, str(NOISE))  # how a label says, beside a null, that an alert is on its own


@dataclass(frozen=True)
class Contingency:
    """How many alerts each pair of a true and a found group shares.

    Attributes
    ----------
    n : int
        Alerts.
    true_sizes, found_sizes : ndarray of int64
        Alerts of each group; an alert on its own is a group of one.
    true, found, shared : ndarray of int64
        One entry per pair of groups that share alerts: the true group, the found one, how many alerts.
    """

    n: int
    true_sizes: Ints
    found_sizes: Ints
    true: Ints
    found: Ints
    shared: Ints

    @property
    def pairs(self) -> tuple[int, int, int]:
        """Return how many pairs of alerts are together in both, in truth, and as found."""
        return pairs_of(self.shared), pairs_of(self.true_sizes), pairs_of(self.found_sizes)


def contingency(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> Contingency:
    """Count two arrays of labels against each other."""
    true, found = checked(labels_true, labels_pred)
    true, found = singled(true), singled(found)
    true_sizes, found_sizes = np.bincount(true), np.bincount(found)
    cells, shared = np.unique(true * np.int64(len(found_sizes)) + found, return_counts=True)
    return Contingency(
        len(true),
        true_sizes.astype(np.int64),
        found_sizes.astype(np.int64),
        *(np.divmod(cells, max(len(found_sizes), 1))),
        shared.astype(np.int64),
    )


def checked(labels_true: npt.ArrayLike, labels_pred: npt.ArrayLike) -> tuple[Ints, Ints]:
    """Return both as numbers from 0, -1 = on its own; raise where they are not of one length."""
    true, found = numbered(labels_true), numbered(labels_pred)
    if len(true) != len(found):
        raise ParameterError(
            f"labels_true has {len(true)} labels and labels_pred {len(found)}; pass one per alert, in the same order"
        )
    return true, found


def numbered(labels: npt.ArrayLike | pd.Series) -> Ints:
    """Return whole numbers from 0 in order of appearance for the labels, -1 where an alert is on its own."""
    values = labels if isinstance(labels, pd.Series) else pd.Series(np.asarray(labels))
    none = values == NOISE if values.dtype.kind in "iu" else values.isna() | values.isin(ALONE)
    grouped = ~none.to_numpy(dtype=bool)
    numbers = np.full(len(values), NOISE, dtype=np.int64)
    numbers[grouped] = pd.factorize(values[grouped])[0]
    return numbers


def singled(labels: Ints) -> Ints:
    """Return the labels with a group of its own for each alert that is on its own."""
    alone = labels == NOISE
    first = labels.max(initial=-1) + 1
    return np.where(alone, first + np.cumsum(alone) - 1, labels)


def pairs_of(sizes: Ints) -> int:
    """Return how many pairs of alerts groups of such sizes hold."""
    return int((sizes * (sizes - 1) // 2).sum())
