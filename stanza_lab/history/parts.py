"""Parquet parts of a history: written once, named by their content, read back as tables."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stanza_lab import schema
from stanza_lab.errors import HistoryError
from stanza_lab.history.manifest import Part, settle, sha256

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.history.folding import Mask

ROW_GROUP = 50_000
# Columns of few words: stored as a dictionary. In the others looking for one takes longer than it saves.
_REPEATING = {c.name for c in schema.EVENTS.columns if c.dtype in ("category", "severity")}

# A fact, its rule where the full key is known (as in `folding`), and one telling of it, as numbers: of 128 bits what
# facts are told apart by, of 64 what only tellings of one fact are. Each ingest makes them anew, so nothing depends on
# how they are made.
_FACT = "concat_ws(chr(31), source, event_id)"
KEYED = f"""
    hash({_FACT}) AS fact, hash('fact' || {_FACT}) AS fact_2, source,
    CASE WHEN strpos(rule_key || '|', alertname || '|') > 1 THEN hash(rule_key) END AS rule,
    hash({_FACT}, native_ids, raw) AS telling, "at"
"""
KEYS = pa.schema(
    [
        ("fact", pa.uint64()),
        ("fact_2", pa.uint64()),
        ("source", pa.string()),
        ("rule", pa.uint64()),
        ("telling", pa.uint64()),
        ("at", pa.timestamp("us", tz="UTC")),
    ]
)
_COLUMNS = "k.fact::UHUGEINT * 18446744073709551616 + k.fact_2 AS fact, k.rule, k.telling"


@contextmanager
def damage_told(place: Path) -> Iterator[None]:
    """Turn the error of a part that is missing or damaged into one that says what to do."""
    try:
        yield
    except (OSError, pa.ArrowException, duckdb.Error) as error:
        # Nothing is wrong with the parts then; Arrow passes it on as an error of its own.
        if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory Error" in str(error):
            raise HistoryError(
                f"the history in {place} needs more memory than it may take ({str(error).splitlines()[0]}); remove "
                f"what is old with 'stanza-lab retain', or pass a larger memory_limit where there is one"
            ) from error
        raise HistoryError(
            f"a part of the history in {place} cannot be read ({error}); restore it from a copy, or ingest the exports "
            f"into a new directory"
        ) from error


def read(directory: Path, parts: Sequence[Part], columns: pa.Schema) -> pd.DataFrame:
    """Return the given columns of all parts, in order."""
    tables = [columns.empty_table()]
    with damage_told(directory):
        tables += [pq.read_table(directory / part.name, columns=columns.names) for part in parts]
        frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame


def check(directory: Path, parts: Sequence[Part]) -> None:
    """Raise unless every part is there, as long as it should be."""
    with damage_told(directory):
        for part in parts:
            rows = pq.read_metadata(directory / part.name).num_rows
            if rows != part.rows:
                raise pa.ArrowInvalid(f"{part.name} has {rows} rows instead of {part.rows}")


def to_arrow(frame: pd.DataFrame, columns: pa.Schema) -> pa.Table:
    """Return `frame` as it is stored."""
    return pa.Table.from_pandas(frame, schema=columns, preserve_index=False, nthreads=1).replace_schema_metadata(None)


class PartWriter:
    """Write tables into one new part of a directory; nothing appears there before `finish`."""

    def __init__(self, directory: Path, columns: pa.Schema, *, compression: str = "zstd") -> None:
        directory.mkdir(exist_ok=True)
        self._temporary = directory / "part.tmp"
        repeating = [name for name in columns.names if name in _REPEATING]
        self._writer = pq.ParquetWriter(self._temporary, columns, compression=compression, use_dictionary=repeating)
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Add rows; they go to the file in groups, so that many small files make no small groups."""
        self._waiting.append(table)
        self._rows += table.num_rows
        if sum(waiting.num_rows for waiting in self._waiting) >= ROW_GROUP:
            self._flush()

    def finish(self) -> tuple[Part, ...]:
        """Put the part in its place and return it; without rows there is none."""
        self._flush()
        self._writer.close()
        if not self._rows:
            self._temporary.unlink()
            return ()
        content = sha256(self._temporary)
        final = self._temporary.with_name(f"part-{content[:16]}.parquet")
        settle(self._temporary, final)
        return (Part(f"{final.parent.name}/{final.name}", self._rows, content),)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._waiting = []


def adopt(file: Path, directory: Path, rows: int) -> Part:
    """Return a finished file as a part of the directory: the same file there, or a copy of it."""
    content = sha256(file)
    final = directory / f"part-{content[:16]}.parquet"
    temporary = directory / "part-adopted.tmp"
    temporary.unlink(missing_ok=True)
    try:
        os.link(file, temporary)
    except OSError:  # no links here
        shutil.copyfile(file, temporary)
    settle(temporary, final)
    return Part(f"{directory.name}/{final.name}", rows, content)


class Keys:
    """Make the keys by which events are told apart."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})

    def of(self, events: pa.Table) -> pa.Table:
        """Return the keys of some events, a row each (`KEYS`)."""
        self._connection.register("batch", events)
        keys: pa.Table = self._connection.sql(f"SELECT {KEYED} FROM batch").to_arrow_table()
        self._connection.unregister("batch")
        return keys.cast(KEYS)

    def close(self) -> None:
        """Free the memory."""
        self._connection.close()


class KnownEvents:
    """Tell new facts from facts known, in batches; the keys of all known ones lie in DuckDB, which may use the disk."""

    def __init__(self, parts: Sequence[Path], *, temporary: Path, memory: int | None = None) -> None:
        limit = {} if memory is None else {"memory_limit": f"{memory // 2**20}MiB"}
        self._connection = duckdb.connect(config={"temp_directory": str(temporary), **limit})
        self._connection.execute("SET enable_progress_bar = false")  # it would go to stdout
        self._connection.execute("CREATE TABLE known (fact UHUGEINT, rule UBIGINT, telling UBIGINT)")
        if parts:
            query = f"INSERT INTO known SELECT {_COLUMNS} FROM (SELECT {KEYED} FROM read_parquet(?)) k"
            with damage_told(parts[0].parent):
                self._connection.execute(query, [[str(part) for part in parts]])

    def add(self, keys: pa.Table) -> tuple[Mask, Mask]:
        """Learn the keys of a batch; return which rows are new facts and which are worth storing.

        Worth storing is a fact in a new shape too.

        Of a fact told with several full rule keys each key is a fact: the first passes for the fact itself. Tellings
        without a full key are never counted apart from it.
        """
        run = self._connection
        run.register("batch", keys.append_column("row", pa.array(np.arange(keys.num_rows))))
        run.execute(f"CREATE OR REPLACE TABLE keyed AS SELECT row, {_COLUMNS} FROM batch k")
        run.unregister("batch")
        seen = run.execute(
            """
            WITH
                before AS (SELECT * FROM known WHERE fact IN (SELECT fact FROM keyed)),
                firsts AS (SELECT fact, min(rule) AS known_first FROM before GROUP BY fact),
                ruled AS (
                    SELECT *, coalesce(
                        known_first, first_value(rule IGNORE NULLS) OVER (PARTITION BY fact ORDER BY row)
                    ) AS first FROM keyed LEFT JOIN firsts USING (fact)
                ),
                named AS (SELECT *, CASE WHEN rule <> first THEN xor(fact, rule) ELSE fact END AS name FROM ruled),
                names AS (
                    SELECT fact AS name FROM before UNION ALL
                    SELECT xor(fact, rule) FROM before WHERE rule IS NOT NULL
                )
            SELECT
                row_number() OVER (PARTITION BY name ORDER BY row) = 1 AND name NOT IN (SELECT name FROM names) AS new,
                row_number() OVER (PARTITION BY telling ORDER BY row) = 1
                    AND telling NOT IN (SELECT telling FROM before) AS stored
            FROM named ORDER BY row
            """
        ).fetchnumpy()
        run.execute("INSERT INTO known SELECT DISTINCT fact, rule, telling FROM keyed")
        return seen["new"].astype(bool), seen["stored"].astype(bool)

    def lacks(self, keys: pa.Table) -> Mask:
        """Return which rows of a batch are of facts that are not known."""
        run = self._connection
        run.register("batch", keys.append_column("row", pa.array(np.arange(keys.num_rows))))
        run.execute(f"CREATE OR REPLACE TABLE keyed AS SELECT row, {_COLUMNS} FROM batch k")
        run.unregister("batch")
        lacking = run.execute("SELECT fact NOT IN (SELECT fact FROM known) AS lacking FROM keyed ORDER BY row")
        found: Mask = lacking.fetchnumpy()["lacking"].astype(bool)
        return found

    def close(self) -> None:
        """Free the memory."""
        self._connection.close()
