"""Families of rules: events of which retention decides together, because the fold of one may depend on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import duckdb

AT_ONCE = 60_000  # events taken at once, unless one family has more
# Alerts of one name belong together (a definition, a bare key completed); so do names that share one of these.
_TIES = ("event_id", "occurrence_key", "rule_key")
NAME = "hash(source, coalesce(alertname, ''))"


def assign(run: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the bin of each name: names that are tied lie in one, and a bin holds about `AT_ONCE` events."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sizes = run.execute(f"SELECT {NAME} AS name, count(*) AS size FROM events GROUP BY name ORDER BY name").fetchnumpy()
    names, size = sizes["name"], sizes["size"]
    ties = [
        run.execute(
            f"""
            SELECT DISTINCT least_name AS a, name AS b FROM (
                SELECT {NAME} AS name, min({NAME}) OVER (PARTITION BY source, {column}) AS least_name FROM (
                    SELECT source, alertname, {column} FROM events WHERE {column} IS NOT NULL GROUP BY ALL
                )
            ) WHERE a <> b
            """
        ).fetchnumpy()
        for column in _TIES
    ]
    a, b = (np.searchsorted(names, np.concatenate([tie[side] for tie in ties])) for side in ("a", "b"))
    graph = coo_array((np.ones(len(a), dtype=bool), (a, b)), shape=(len(names), len(names)))
    _, family = connected_components(graph, directed=False)
    before = np.cumsum(np.bincount(family, weights=size)) - 1
    return pa.table({"name": names, "bin": (before[family] // AT_ONCE).astype("int64")})
