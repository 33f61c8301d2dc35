"""Which places are near each other: those a few hops apart in a topology."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse

from stanza_lab._params import at_least
from stanza_lab.errors import SchemaError

_ENDS = ["src", "dst"]


@dataclass(frozen=True, eq=False)
class Near:
    """Pairs of places that are near each other. Every place is near itself; one that is not named, to no other.

    Parameters
    ----------
    places : Index of str
        Places that are near another, sorted.
    matrix : array of bool, places x places
        Symmetric, true on the diagonal.
    """

    places: pd.Index = field(default_factory=lambda: pd.Index([], dtype="str"))
    matrix: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), bool), repr=False)

    def __eq__(self, other: object) -> bool:
        """Return whether the same places are near each other."""
        if not isinstance(other, Near):
            return NotImplemented
        return self is other or (self.places.equals(other.places) and bool((self.matrix == other.matrix).all()))

    def __hash__(self) -> int:
        return hash((len(self.places), int(self.matrix.sum())))

    def among(self, places: pd.Index) -> npt.NDArray[np.bool_]:
        """Return the matrix of these places, in their order."""
        near = np.eye(len(places), dtype=bool)
        at = self.places.get_indexer(places)
        known = np.flatnonzero(at >= 0)
        near[np.ix_(known, known)] = self.matrix[np.ix_(at[known], at[known])]
        return near

    def to_frame(self) -> pd.DataFrame:
        """Return `src` and `dst`: every pair of different places once, sorted."""
        a, b = np.nonzero(np.triu(self.matrix, 1))
        return pd.DataFrame(
            {name: pd.Series(self.places.take(at), dtype="str") for name, at in zip(_ENDS, (a, b), strict=True)}
        )


def near_places(topology: pd.DataFrame, *, hops: int = 1) -> Near:
    """Find the places that are at most some hops apart.

    Parameters
    ----------
    topology : DataFrame
        Edges between places, `src` and `dst`, read either way. Rows with a null are left out.
    hops : int, default 1
        How many edges apart two places may be and still be near; 0: each only to itself. More lets alarms reach
        further and makes more pairs of firings co-fire by chance.

    Returns
    -------
    Near
        The pairs of near places.

    Raises
    ------
    SchemaError
        A column is missing.
    ParameterError
        `hops` is no whole number, or below 0.

    Examples
    --------
    >>> import pandas as pd
    >>> lines = pd.DataFrame({"src": ["a", "b", "c"], "dst": ["b", "c", "d"]})
    >>> near_places(lines, hops=2).to_frame()
      src dst
    0   a   b
    1   a   c
    2   b   c
    3   b   d
    4   c   d
    """
    at_least(hops, "hops", 0)
    if missing := [name for name in _ENDS if name not in topology.columns]:
        raise SchemaError(f"topology: columns {missing} are missing; columns are {list(topology.columns)[:20]}")
    edges = topology[_ENDS].dropna().astype("str")
    names = pd.Index(pd.concat([edges["src"], edges["dst"]]).unique(), dtype="str").sort_values()
    ends = [names.get_indexer(pd.Index(edges[name])) for name in _ENDS]
    size = len(names)
    lines = scipy.sparse.csr_array((np.ones(len(edges), np.float32), ends), shape=(size, size))
    lines = lines + lines.T + scipy.sparse.eye_array(size, dtype=np.float32, format="csr")
    reached = scipy.sparse.eye_array(size, dtype=np.float32, format="csr")
    for _ in range(min(hops, size)):
        further = (reached @ lines).tocsr()
        further.data[:] = 1  # how many ways there are does not matter
        if further.nnz == reached.nnz:
            break
        reached = further
    matrix = reached.toarray() > 0
    others = matrix.sum(axis=1) > 1
    return Near(names[others], matrix[np.ix_(others, others)])
