"""Each fact once, as Parquet files: the parts themselves where nothing was told twice, else one file made of them.

Nothing here holds more than some 50,000 whole events at a time; DuckDB sorts and joins on the disk where it must.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
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

_PER_THREAD = 128 * 2**20
_EVENTS = schema.arrow(schema.EVENTS)
_TOLD = """SELECT t.*{more} FROM told t {kind} JOIN twice USING (source, event_id)"""
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
        if not parts or _told_once(manifest.digest(), tuple(map(str, parts))):
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
    run.execute("SET TimeZone='UTC'")
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


@lru_cache(64)
def _told_once(_digest: str, parts: tuple[str, ...]) -> bool:
    """Return whether the rows of the parts are the facts as they are; asked once for the same content."""
    with closing(duckdb.connect()) as run:
        told = parquet([Path(part) for part in parts])
        twice = f"SELECT 1 FROM {told} GROUP BY source, event_id HAVING count(*) > 1 LIMIT 1"
        if run.execute(twice).fetchall():
            return False
        rules = run.sql(f"SELECT DISTINCT {', '.join(_RULE)} FROM {told}").to_arrow_table().to_pandas()
    return completed(rules).empty


def _made(parts: Sequence[Path], target: Path, spill: Path, memory: int | None) -> Path:
    """Write the facts of the parts, in order of time, and return the file."""
    merged = spill / f"merged-{os.getpid()}.tmp"
    written = spill / f"facts-{os.getpid()}.tmp"
    try:
        with closing(connect(spill, memory)) as run:
            run.execute(f"CREATE VIEW told AS SELECT * FROM {parquet(parts)}")
            run.execute("CREATE TABLE twice AS SELECT source, event_id FROM told GROUP BY ALL HAVING count(*) > 1")
            with pq.ParquetWriter(merged, _EVENTS) as writer:
                for tellings in _tellings(run):
                    writer.write_table(to_arrow(_put_together(tellings), _EVENTS))
            single = _TOLD.format(more="", kind="ANTI")
            run.execute(f"CREATE VIEW facts AS {single} UNION ALL BY NAME SELECT * FROM {parquet([merged])}")
            rules = run.sql(f"SELECT DISTINCT {', '.join(_RULE)} FROM facts").to_arrow_table().to_pandas()
            run.register("completions", pa.Table.from_pandas(completed(rules), preserve_index=False))
            run.execute(
                f"""
                COPY (
                    SELECT facts.* REPLACE (coalesce(completions."full", facts.rule_key) AS rule_key)
                    FROM facts LEFT JOIN completions USING ({", ".join(_RULE)})
                    ORDER BY facts."at", facts.event_id, facts.source
                ) TO {quoted(written)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})
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
    [[rows]] = run.execute("SELECT count(*) FROM told SEMI JOIN twice USING (source, event_id)").fetchall()
    bucket = f", hash(t.source, t.event_id) % {rows // ROW_GROUP + 1} AS bucket"
    yield from in_buckets(run, f"{_TOLD.format(more=bucket, kind='SEMI')} ORDER BY bucket")


def in_buckets(run: Any, query: str) -> Iterator[pd.DataFrame]:
    """Yield the rows of a query that are equal in its column `bucket`, by which it is ordered."""
    waiting: list[pa.Table] = []
    for batch in run.sql(query).to_arrow_reader(2**13):
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
    whole = folding._complete(tellings)
    return folding._merge(whole.assign(event_id=folding._told_apart(whole)))
