"""Fold more events than fit into memory: in bins, of which each holds all that its alerts depend on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stanza_lab import schema
from stanza_lab.history.folding import ALERT_COLUMNS, fold_events
from stanza_lab.history.parts import damage_told, to_arrow

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_ONCE = 60_000  # events folded at once, unless one family has more
_MEMORY = 512 * 2**20  # for DuckDB, which may use the disk
# Alerts of one name belong together (a definition, a bare key completed); so do names that share one of these.
_TIES = ("event_id", "occurrence_key", "rule_key")
NAME = "hash(source, coalesce(alertname, ''))"


def fold_parts(parts: Sequence[Path], place: Path, target: Path) -> None:
    """Fold the events of Parquet parts into alerts, written to the Parquet file `target` in order of time.

    Parameters
    ----------
    parts : sequence of Path
        Events of a history.
    place : Path
        Empty directory for what lies on the disk meanwhile.
    target : Path
        The file to write.

    Raises
    ------
    HistoryError
        A part is missing or damaged.
    """
    config = {"temp_directory": str(place / "spilled"), "memory_limit": f"{_MEMORY // 2**20}MiB"}
    with duckdb.connect(config={**config, "preserve_insertion_order": False}) as run:
        # Rows wait in memory for the file of their bin: so many for each, and for each thread.
        run.execute("SET threads = 1")
        run.execute("SET partitioned_write_flush_threshold = 16384")
        with damage_told(parts[0].parent):
            run.execute(
                "CREATE VIEW events AS SELECT * EXCLUDE raw FROM read_parquet($1)".replace("$1", _listed(parts))
            )
            run.register("bins", assign(run))
            run.execute(
                f"COPY (SELECT events.*, bin FROM events JOIN bins ON {NAME} = name) "
                f"TO '{_quoted(place / 'binned')}' (FORMAT parquet, PARTITION_BY (bin), COMPRESSION lz4)"
            )
        columns = pa.schema([field for field in schema.arrow(schema.ALERTS) if field.name in ALERT_COLUMNS])
        for folder in sorted((place / "binned").iterdir()):
            events = pq.read_table(folder, partitioning=None).to_pandas()
            alerts = to_arrow(fold_events(events.assign(raw=None)), columns)
            pq.write_table(alerts, place / f"{folder.name}.parquet", compression="lz4")
        folded = _listed(sorted(place.glob("bin=*.parquet")))
        run.execute(
            f"COPY (SELECT * FROM read_parquet({folded}) ORDER BY coalesce(starts_at, ends_at) NULLS LAST, alert_id) "
            f"TO '{_quoted(target)}' (FORMAT parquet, COMPRESSION zstd)"
        )


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


def _listed(paths: Sequence[Path]) -> str:
    return "[" + ", ".join(f"'{_quoted(path)}'" for path in paths) + "]"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
