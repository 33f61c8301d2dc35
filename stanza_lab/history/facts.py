"""Each fact once, as Parquet files: the parts themselves where nothing was told twice, else one file made of them.

Nothing here holds more than some 50,000 whole events at a time; DuckDB sorts and joins on the disk where it must.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import stanza_lab
from stanza_lab import schema
from stanza_lab.history import folding
from stanza_lab.history.manifest import settle
from stanza_lab.history.parts import ROW_GROUP, damage_told, to_arrow

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.history.manifest import Manifest

TOGETHER = 20  # buckets of some 50,000 rows that are sorted at once
_PER_THREAD = 128 * 2**20
_EVENTS = schema.arrow(schema.EVENTS)
# Facts as numbers, which take little memory. Two that share one by accident are put together each with itself only.
_FACT = "hash(source, event_id)"
_TOLD = f"SELECT told.*{{more}} FROM told {{kind}} JOIN twice ON {_FACT} = fact"
_RULE = ["source", "alertname", "rule_key"]


def facts_file(directory: Path, manifest: Manifest) -> Path:
    """Return where the facts of a history are kept when its parts tell some of them twice."""
    return directory / "cache" / f"facts-{manifest.digest(folding.FOLDING, stanza_lab.__version__)}.parquet"


def fact_files(directory: Path, manifest: Manifest, spill: Path, *, memory: int | None = None) -> list[Path]:
    """Return the files whose rows are the facts of a history, what their shapes tell put together.

    They hold what `History.events` returns. A file that must be made is kept beside the parts, or in `spill` where the
    history may only be read.

    Raises
    ------
    HistoryError
        A part is missing or damaged.
    """
    parts = [directory / part.name for part in manifest.events]
    made = facts_file(directory, manifest)
    with damage_told(directory):
        if not parts or _told_once(manifest.digest(), tuple(map(str, parts)), spill, memory):
            return parts
        if not made.is_file():
            made = _made(parts, made, spill, memory)
    return [made]


@contextmanager
def spilling(directory: Path) -> Iterator[Path]:
    """Yield a folder for what does not fit into memory: that of the history, or one for the time being."""
    cache = directory / "cache"
    try:
        cache.mkdir(exist_ok=True)
    except OSError:
        writable = False
    else:
        writable = os.access(cache, os.W_OK)
    if writable:
        yield cache
        return
    with TemporaryDirectory(prefix="stanza_lab-") as folder:
        yield Path(folder)


def connect(spill: Path, memory: int | None = None) -> Any:
    """Return a DuckDB that reads and shows times as UTC and moves to `spill` what exceeds its memory."""
    config: dict[str, Any] = {"temp_directory": str(spill)}
    if memory is not None:  # each thread needs some of it
        threads = min(os.cpu_count() or 1, max(memory // _PER_THREAD, 1))
        config |= {"memory_limit": f"{memory // 2**20}MiB", "threads": threads}
    run = duckdb.connect(config=config)
    run.execute("SET TimeZone='UTC'; SET enable_progress_bar = false")  # the bar would go to stdout
    return run


def parquet(paths: Sequence[Path]) -> str:
    """Return the SQL that reads Parquet files."""
    return f"read_parquet([{', '.join(map(quoted, paths))}])"


def quoted(value: object) -> str:
    """Return a text as SQL writes it."""
    return "'" + str(value).replace("'", "''") + "'"


def completed(rules: pd.DataFrame) -> pd.DataFrame:
    """Return the rules whose key is completed by others: source, alertname, rule_key and the `full` key."""
    rules = rules[_RULE].astype("str").reset_index(drop=True)
    rules = rules.assign(full=folding._full_rule_keys(rules))
    return rules[rules["full"].notna() & (rules["full"] != rules["rule_key"])]


def tell_once(run: Any, parts: Sequence[Path], merged: Path, columns: pa.Schema) -> None:
    """Make the view `facts` of a connection: these columns of the parts, each fact once, its rule key completed.

    Facts told more than once are put together and written to the file `merged`, which the view reads.
    """
    names = ", ".join(f'"{name}"' for name in columns.names)
    run.execute(f"CREATE VIEW told AS SELECT {names} FROM {parquet(parts)}")
    run.execute(f"CREATE TABLE twice AS SELECT {_FACT} AS fact FROM told GROUP BY fact HAVING count(*) > 1")
    [[twice]] = run.execute("SELECT count(*) FROM twice").fetchall()
    if twice:
        with pq.ParquetWriter(merged, columns) as writer:
            for tellings in _tellings(run):
                writer.write_table(to_arrow(_put_together(tellings), columns))
        single = _TOLD.format(more="", kind="ANTI")
        run.execute(f"CREATE VIEW once AS {single} UNION ALL BY NAME SELECT * FROM {parquet([merged])}")
    else:
        run.execute("CREATE VIEW once AS FROM told")
    completions = _completions(run, "once")
    if completions.empty:
        run.execute("CREATE VIEW facts AS FROM once")
        return
    run.register("completions", pa.Table.from_pandas(completions, preserve_index=False))
    run.execute(
        f"""
        CREATE VIEW facts AS SELECT once.* REPLACE (coalesce(completions."full", once.rule_key) AS rule_key)
        FROM once LEFT JOIN completions USING ({", ".join(_RULE)})
        """
    )


def _completions(run: Any, rows: str) -> pd.DataFrame:
    """Return the rules of a table whose key is completed; only names that have keys of both forms are looked at."""
    rules = run.sql(
        f"""
        WITH rules AS (
            SELECT DISTINCT {", ".join(_RULE)}, strpos(rule_key || '|', alertname || '|') AS place FROM {rows}
        )
        SELECT {", ".join(_RULE)} FROM rules SEMI JOIN (
            SELECT source, alertname FROM rules GROUP BY ALL HAVING bool_or(place = 1) AND bool_or(place > 1)
        ) USING (source, alertname) WHERE place > 0
        """
    )
    return completed(rules.to_arrow_table().to_pandas())


@lru_cache(64)
def _told_once(_digest: str, parts: tuple[str, ...], spill: Path, memory: int | None) -> bool:
    """Return whether the rows of the parts are the facts as they are; asked once for the same content."""
    with closing(connect(spill, memory)) as run:
        told = parquet([Path(part) for part in parts])
        twice = f"SELECT 1 FROM {told} GROUP BY {_FACT} HAVING count(*) > 1 LIMIT 1"
        return not run.execute(twice).fetchall() and _completions(run, told).empty


def _made(parts: Sequence[Path], target: Path, spill: Path, memory: int | None) -> Path:
    """Write the facts of the parts, in order of time, and return the file."""
    merged = spill / f"merged-{os.getpid()}.tmp"
    written = spill / f"facts-{os.getpid()}.tmp"
    try:
        with closing(connect(spill, memory)) as run:
            tell_once(run, parts, merged, _EVENTS)
            run.execute(
                f"""
                COPY (SELECT * FROM facts ORDER BY "at", event_id, source)
                TO {quoted(written)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})
                """
            )
        if target.parent != spill:
            target = spill / target.name
        settle(written, target)
    finally:
        for path in (merged, written):
            path.unlink(missing_ok=True)
    return target


def _tellings(run: Any) -> Iterator[pd.DataFrame]:
    """Yield the rows of the facts that are told more than once, all of a fact together, some 50,000 rows at a time."""
    [[rows]] = run.execute(f"SELECT count(*) FROM ({_TOLD.format(more='', kind='SEMI')})").fetchall()
    buckets = rows // ROW_GROUP + 1
    yield from in_buckets(run, _TOLD.format(more=f", {_FACT} % {buckets} AS bucket", kind="SEMI"), buckets)


def in_buckets(run: Any, query: str, buckets: int) -> Iterator[pd.DataFrame]:
    """Yield the rows of a query that are equal in its column `bucket`, one of 0, 1 ... below `buckets`.

    DuckDB cannot sort any number of rows in bounded memory, so only some buckets are sorted at once.
    """
    for first in range(0, buckets, TOGETHER):
        some = f"FROM ({query}) WHERE bucket >= {first} AND bucket < {first + TOGETHER} ORDER BY bucket"
        yield from _runs(run.sql(some).to_arrow_reader(2**13))


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[pd.DataFrame]:
    """Yield the rows next to each other that lie in one bucket."""
    waiting: list[pa.Table] = []
    for batch in batches:
        rest = pa.Table.from_batches([batch])
        while rest.num_rows:
            now = rest["bucket"][0]
            if waiting and waiting[0]["bucket"][0] != now:
                yield pa.concat_tables(waiting).drop_columns("bucket").to_pandas()
                waiting = []
            same = rest.filter(pc.equal(rest["bucket"], now))
            waiting.append(same)
            rest = rest.slice(same.num_rows)
    if waiting:
        yield pa.concat_tables(waiting).drop_columns("bucket").to_pandas()


def _put_together(tellings: pd.DataFrame) -> pd.DataFrame:
    """Return one row per fact."""
    whole = folding.complete(tellings)
    return folding._merge(whole.assign(event_id=folding._told_apart(whole)))
