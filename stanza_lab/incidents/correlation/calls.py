"""How near two services are on the dependency graph."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array

from stanza_lab.errors import SchemaError

_ENDS = (("src", "dst"), ("caller", "callee"))
_SURE = ("link_confidence", "confidence")
TWO_HOPS = 0.5  # a service that one calls calls it: half as near


def closeness(edges: Any, services: pd.Index) -> csr_array:
    """Return how near services (their place in the index) are: symmetric, 1 = one surely calls the other, 0 = far.

    The confidence of an edge counts; two hops count half.
    """
    size = len(services)
    if edges is None:
        return csr_array((size, size))
    src, dst, sure = _read(edges)
    sure = np.clip(sure, 0.0, 1.0)
    everyone = services.append(src.union(dst).difference(services))  # the one between two need not fire itself
    a, b = everyone.get_indexer(src), everyone.get_indexer(dst)
    known = (a >= 0) & (b >= 0) & (a != b)
    table = pd.DataFrame({"a": np.minimum(a, b)[known], "b": np.maximum(a, b)[known], "sure": sure[known]})
    best = table.groupby(["a", "b"])["sure"].max().reset_index()  # an edge may be told more than once, and both ways
    one = csr_array(coo_array((best["sure"], (best["a"], best["b"])), shape=(len(everyone),) * 2))
    one = one.maximum(one.T)
    two = csr_array(one @ one)
    two.setdiag(0)
    two.data = TWO_HOPS * np.minimum(two.data, 1.0)
    near = csr_array(one.maximum(two))[:size, :size]
    near.eliminate_zeros()
    near.sum_duplicates()  # sorted: found by bisection
    return near


def _read(edges: Any) -> tuple[pd.Index, pd.Index, np.ndarray]:
    """Return the ends of edges and how sure each is."""
    if isinstance(edges, nx.Graph):
        rows = [(a, b, [told[k] for k in _SURE if told.get(k) is not None]) for a, b, told in edges.edges(data=True)]
        sure = np.array([max(r[2], default=1.0) for r in rows], dtype=float)
        return pd.Index([str(r[0]) for r in rows], dtype="str"), pd.Index([str(r[1]) for r in rows], dtype="str"), sure
    if isinstance(edges, pd.DataFrame):
        for first, second in _ENDS:
            if {first, second} <= set(edges.columns):
                name = next((name for name in _SURE if name in edges), None)
                sure = np.ones(len(edges)) if name is None else edges[name].fillna(0.0).to_numpy(dtype=float)
                return pd.Index(edges[first].astype("str")), pd.Index(edges[second].astype("str")), sure
        raise SchemaError(
            f"edges: columns are {list(edges.columns)[:20]}; pass src and dst (with link_confidence, if known), "
            "or caller and callee"
        )
    raise SchemaError(f"edges is a {type(edges).__name__}; pass a table of edges or a networkx graph")
