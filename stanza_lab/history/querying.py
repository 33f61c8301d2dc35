"""SQL over a history: one SELECT, where no other file and no network can be reached and nothing can be changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa

from stanza_lab import schema
from stanza_lab.errors import HistoryError, ParameterError
from stanza_lab.history.facts import connect, fact_files, parquet, quoted, spilling

if TYPE_CHECKING:
    from stanza_lab.history.manifest import Manifest

EVENTS = schema.arrow(schema.EVENTS)
ALERTS = schema.arrow(schema.ALERTS).remove(schema.arrow(schema.ALERTS).get_field_index("incident_id"))
REJECTED = schema.arrow(schema.REJECTED)
_FILES = ("records", "events", "duplicates", "ignored", "rejected")
FILES = pa.schema([("file", pa.string()), *((name, pa.int64()) for name in _FILES)])
_TABLES = {"events": EVENTS, "alerts": ALERTS, "rejected": REJECTED, "files": FILES}

LEAST_MEMORY = 128 * 2**20
_CATEGORIES = {c.name for table in (schema.EVENTS, schema.ALERTS) for c in table.columns if c.dtype == "category"}
_LOCKS = (
    "enable_external_access=false",
    "autoinstall_known_extensions=false",
    "autoload_known_extensions=false",
    "python_enable_replacements=false",
    "lock_configuration=true",
)

# What the query is made of, as far as it matters here: comments and quoted names stay as they are.
_SCAN = re.compile(
    r"""
    (?P<kept>--[^\n]*|/\*.*?\*/|"(?:[^"]|"")*"|\$\$.*?\$\$)
    |(?P<text>'(?:[^']|'')*')
    |\$(?P<parameter>[a-z_]\w*)
    |(?P<at>(?<![.\w$])at(?!\w)(?!\s+time\s+zone\b)(?!\s*\())
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_COMPARED_BEFORE = re.compile(
    r"(?:<[=>]?|(?<![-=>])>=?|\bbetween|\bbetween\s+(?:'\w*'|\$\w+)\s+and)\s*$", re.IGNORECASE
)
_COMPARED_AFTER = re.compile(r"\s*[<>]")
_SEVERITY = re.compile(r"\bseverity\s*[<>=!]+\s*'((?:[^']|'')*)'", re.IGNORECASE)


def query_history(
    directory: Path,
    manifest: Manifest,
    alerts: Callable[[], AbstractContextManager[Path]],
    files: pd.DataFrame,
    query: str,
    parameters: Mapping[str, Any],
    *,
    memory: int | None = None,
) -> pd.DataFrame:
    """Run one SELECT over the tables of a history; `History.sql` says how.

    Parameters
    ----------
    directory : Path
        The history.
    manifest : Manifest
        What it holds.
    alerts : callable
        Provides the file of its alerts, folded if need be.
    files : DataFrame
        What became of the records of every file.
    query : str
        The SQL.
    parameters : mapping of str to value
        What stands for ``$name`` in it.
    memory : int, optional
        Bytes DuckDB may take.

    Returns
    -------
    DataFrame
        The result.

    Raises
    ------
    HistoryError
        A part of the history is missing or damaged.
    ParameterError
        The query is not one SELECT over these tables.
    """
    _refuse_other_statements(query)
    sources: dict[str, list[Path] | pa.Table] = {"files": pa.Table.from_pandas(files, FILES, preserve_index=False)}
    with ExitStack() as within:
        spill = within.enter_context(spilling(directory))
        # A table the query does not name is not made; it is there without rows.
        named = {name for name in _TABLES if re.search(rf"\b{name}\b", query, re.IGNORECASE)}
        if "events" in named:
            sources["events"] = fact_files(directory, manifest, spill, memory=memory)
        if "alerts" in named:
            sources["alerts"] = [within.enter_context(alerts())]
        sources["rejected"] = [directory / part.name for part in manifest.rejected]
        with closing(connect(spill, memory)) as run:
            try:
                _lay_out(run, sources)
            except duckdb.Error as error:
                raise _damaged(directory, error) from error
            try:
                found = run.sql(_leveled(query, parameters), params=dict(parameters) or None)
                return _frame(pa.table(found.to_arrow_table()))
            except duckdb.IOException as error:
                raise _damaged(directory, error) from error
            except duckdb.OutOfMemoryException as error:
                raise ParameterError(f"{_first(error)}; pass a larger memory_limit, or ask for less at once") from error
            except (duckdb.Error, TypeError, AttributeError) as error:
                raise _refused(query, _first(error)) from error


def _refuse_other_statements(query: str) -> None:
    if not isinstance(query, str):
        raise ParameterError(f'query={query!r} is no text; pass SQL such as "select count(*) from alerts"')
    try:
        statements = duckdb.extract_statements(_leveled(query, {}))
    except duckdb.Error as error:
        raise _refused(query, _first(error)) from error
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise _refused(query, "only one SELECT can be run, the history is not changed by it")


def _refused(query: str, why: str) -> ParameterError:
    tables = "; ".join(f"{name} ({', '.join(columns.names)})" for name, columns in _TABLES.items())
    return ParameterError(f"query={query!r} cannot be run: {why}; pass one SELECT over these tables: {tables}")


def _damaged(directory: Path, error: Exception) -> HistoryError:
    return HistoryError(
        f"a part of the history in {directory} cannot be read ({_first(error)}); ask again if an ingest was running, "
        f"else see what is wrong with: stanza-lab verify {directory}"
    )


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _lay_out(run: Any, sources: Mapping[str, list[Path] | pa.Table]) -> None:
    """Make the tables and lock everything else out."""
    run.execute(f"CREATE TYPE severity_level AS ENUM ({', '.join(map(quoted, schema.SEVERITIES))})")
    reached: list[Path] = []
    for name, columns in _TABLES.items():
        source = sources.get(name, [])
        wanted = ", ".join(
            f'"{column}"::severity_level AS "{column}"' if column == "severity" else f'"{column}"'
            for column in columns.names
        )
        if isinstance(source, list) and source:
            run.execute(f"CREATE VIEW {name} AS SELECT {wanted} FROM {parquet(source)}")
            reached += source
        else:
            table = columns.empty_table() if isinstance(source, list) else source
            run.register("given", table)
            run.execute(f"CREATE TABLE {name} AS SELECT {wanted} FROM given")
            run.unregister("given")
    # What these views read may be read; that it cannot be written is seen to by the kind of statement.
    run.execute(f"SET allowed_paths=[{', '.join(map(quoted, reached))}]")
    for setting in _LOCKS:
        run.execute(f"SET {setting}")


def _leveled(query: str, parameters: Mapping[str, Any]) -> str:
    """Return the query with severities that compare by their order, and the column "at" in its quotes.

    DuckDB compares a level with a plain text by the alphabet, and takes a bare ``at`` for the start of AT TIME ZONE.
    """
    for word in _SEVERITY.findall(query):
        if word not in schema.SEVERITIES:
            raise ParameterError(f"severity {word!r} is not known; use one of {list(schema.SEVERITIES)}")

    def written(found: re.Match[str]) -> str:
        if found["kept"]:
            return found[0]
        if found["at"]:
            return f'"{found[0].lower()}"'
        value = found[0][1:-1] if found["text"] else parameters.get(found["parameter"])
        compared = _COMPARED_BEFORE.search(query[max(found.start() - 200, 0) : found.start()])
        compared = compared or _COMPARED_AFTER.match(query, found.end())
        level = isinstance(value, str) and value in schema.SEVERITIES and compared
        return f"{found[0]}::severity_level" if level else found[0]

    return _SCAN.sub(written, query)


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return the result with the dtypes our tables have; a name that stands there twice gets a number."""
    columns: dict[str, pd.Series] = {}
    for name, values in zip(table.column_names, table.columns, strict=True):
        number, unique = 0, name
        while unique in columns:
            number, unique = number + 1, f"{name}_{number + 1}"
        columns[unique] = _series(name, values)
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def _series(name: str, given: pa.ChunkedArray) -> pd.Series:
    values = _plain(given)
    found: pd.Series
    if pa.types.is_nested(values.type):
        return pd.Series(values.to_pylist(), dtype=object)
    found = values.to_pandas(types_mapper=_NULLABLE.get if values.null_count else None)
    if pa.types.is_dictionary(given.type):
        levels = next((chunk.dictionary.to_pylist() for chunk in given.chunks), list(schema.SEVERITIES))
        return found.astype(schema.SEVERITY_DTYPE if levels == list(schema.SEVERITIES) else "category")
    if pa.types.is_string(values.type):
        return found.astype("category" if name in _CATEGORIES else "str")
    return found


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the values in the types our tables have."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return values.cast(pa.string())
    if pa.types.is_timestamp(kind) and kind.tz:
        return values.cast(pa.timestamp("us", tz="UTC"))
    if pa.types.is_date(kind):
        return values.cast(pa.timestamp("s"))
    if pa.types.is_decimal(kind):
        return _number(values)
    if pa.types.is_interval(kind):
        spans = (
            None if span is None else (30 * span.months + span.days) * _DAY + span.nanoseconds // 1000
            for span in values.to_pylist()
        )
        return pa.chunked_array([pa.array(spans, pa.duration("us"))])
    return values


_DAY = 24 * 60 * 60 * 1_000_000  # microseconds
_NULLABLE = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


def _number(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals (sums of whole numbers are some) as whole numbers where they are, else as floats."""
    if values.type.scale == 0:
        try:
            return values.cast(pa.int64())
        except pa.ArrowInvalid:
            pass
    return values.cast(pa.float64())
