"""Parquet, Arrow files and any data frame: rows as documents, with values as JSON has them, batch by batch."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stanza_lab.errors import ParameterError
from stanza_lab.loaders import _lines
from stanza_lab.loaders._containers import Broken, Stream
from stanza_lab.loaders._tables import Document, Row, hinted, unique

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 2_000  # rows that are held as Python values at once
_FORMS = {b"PAR1": "Parquet file", b"ARROW1": "Arrow file", b"\xff\xff\xff\xff": "Arrow stream"}
# What pyarrow raises for bytes that are not what they claim to be (ArrowInvalid is a ValueError).
_WRONG = (OSError, ValueError, LookupError, TypeError, ArithmeticError, NotImplementedError, MemoryError)


def form(head: bytes) -> str | None:
    """Return what a file that begins with `head` is, None when it holds no Arrow table."""
    return next((name for magic, name in _FORMS.items() if head.startswith(magic)), None)


def rows(form: str, stream: Stream, buffered: io.BufferedReader[Any]) -> Iterator[Document | Broken]:
    """Yield the rows of a Parquet or Arrow file; `buffered` reads `stream`, at whose start it stands.

    Such a file is read from its end: what is not on disk as it is, but in an archive, has to fit into memory.
    """
    source: Any
    if isinstance(stream, io.BufferedReader) and isinstance(stream.raw, io.FileIO) and stream.seekable():
        stream.seek(0)
        source = stream
    elif form == "Arrow stream":
        source = buffered
    else:
        data = buffered.read(_lines.MAX_DOCUMENT + 1)
        if len(data) > _lines.MAX_DOCUMENT:
            limit = f"a {form} of over {_lines.MAX_DOCUMENT // 2**20} MB inside an archive is not read"
            yield Broken("", "too_large", f"{limit}; unpack it first")
            return
        source = io.BytesIO(data)
    read = 0
    try:
        for piece in _parquet(source) if form == "Parquet file" else _ipc(source, streamed=form == "Arrow stream"):
            if isinstance(piece, Broken):
                yield piece
            else:
                read, batch = piece
                yield from _documents(batch, read)
    except _WRONG as error:
        why = " ".join(str(error).split())[:200]
        message = f"the {form} cannot be read ({why}); {read or 'none'} of its rows before that were; export it again"
        yield Broken("", "broken_table", message)


def _parquet(source: Any) -> Iterator[tuple[int, pa.RecordBatch] | Broken]:
    """Yield (rows before it, batch); a row group that cannot be read is one broken piece."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(source, pre_buffer=False)
    start = 0
    for group in range(file.num_row_groups):
        read = start
        meta = file.metadata.row_group(group)
        end = start + meta.num_rows
        if meta.total_byte_size > _lines.MAX_FILE:
            raise OSError(f"over {_lines.MAX_FILE // 2**30} GB unpacked")
        try:
            for batch in file.iter_batches(batch_size=_ROWS, row_groups=[group], use_threads=False):
                yield read, batch
                read += batch.num_rows
        except _WRONG as error:
            why = " ".join(str(error).split())[:200]
            message = f"rows {read + 1} to {end} of the Parquet file cannot be read ({why}); export it again"
            yield Broken(f"row {read + 1}", "broken_table", message)
        start = end


def _ipc(source: Any, *, streamed: bool) -> Iterator[tuple[int, pa.RecordBatch]]:
    import pyarrow as pa

    read = 0
    if streamed:
        batches: Any = pa.ipc.open_stream(source)
    else:
        file = pa.ipc.open_file(source)
        batches = (file.get_batch(number) for number in range(file.num_record_batches))
    for batch in batches:
        batch.validate(full=True)  # Arrow takes a file at its word: lengths that are wrong would end the process
        yield read, batch
        read += batch.num_rows


def from_frame(frame: Any) -> Iterator[Document | Broken]:
    """Yield the rows of any data frame: pandas, polars, Arrow, DuckDB, or whatever narwhals knows.

    Raises
    ------
    ParameterError
        `frame` is no data frame.
    """
    yield from hinted(_framed(frame))


def _framed(frame: Any) -> Iterator[Document | Broken]:
    import pyarrow as pa

    if hasattr(frame, "collect") and not hasattr(frame, "__arrow_c_stream__"):  # polars lazily
        frame = frame.collect()
    try:
        reader = pa.RecordBatchReader.from_stream(frame)
    except pa.ArrowException:  # a pandas column of mixed types has no Arrow type
        records = frame.to_dict("records")
        headers = unique([str(name) for name in frame.columns])
        for number, record in enumerate(records, 1):
            values = (_json(value) for value in record.values())
            yield Document(Row(zip(headers, values, strict=True)), f"row {number}")
        return
    except (TypeError, AttributeError):
        reader = _by_narwhals(frame)
    read = 0
    for batch in reader:
        for start in range(0, batch.num_rows, _ROWS):
            yield from _documents(batch.slice(start, _ROWS), read + start)
        read += batch.num_rows


def _by_narwhals(frame: Any) -> Any:
    try:
        import narwhals as nw

        native = nw.from_native(frame)
        eager = native.collect() if isinstance(native, nw.LazyFrame) else native
        return eager.to_arrow().to_reader()
    except (TypeError, AttributeError) as error:
        message = f"frame={type(frame).__name__} is no data frame; pass one of pandas, polars, Arrow or DuckDB"
        raise ParameterError(message) from error


def _documents(batch: pa.RecordBatch, before: int) -> Iterator[Document]:
    headers = unique(batch.schema.names)
    columns = [_values(column) for column in batch.columns]
    for number, values in enumerate(zip(*columns, strict=True), before + 1):
        yield Document(Row(zip(headers, values, strict=True)), f"row {number}")


def _values(column: pa.Array) -> list[Any]:
    """Return a column as JSON values. Nanoseconds are cut: our times are microseconds."""
    import pyarrow as pa

    kind = column.type
    try:
        if pa.types.is_timestamp(kind) and kind.unit == "ns":
            column = column.cast(pa.timestamp("us", kind.tz), safe=False)
        values: list[Any] = column.to_pylist()
    except _WRONG:  # one value that Python cannot hold, such as the year 20000, must not cost the others
        values = [_value(scalar) for scalar in column]
    if pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return values
    return [_json(value) for value in values]


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except _WRONG:
        return str(scalar)


def _json(value: Any) -> Any:
    """Return a value as JSON has it: times as ISO 8601 text (without offset where there is none), bytes as nothing."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime, date, time)):
        return None if value != value else value.isoformat()  # NaT is not itself
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return (int(value) if value == value.to_integral_value() else float(value)) if value.is_finite() else None
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        pairs = value and all(isinstance(item, tuple) and len(item) == 2 for item in value)  # a map
        return {str(key): _json(item) for key, item in value} if pairs else [_json(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return None
    if hasattr(value, "tolist"):  # numpy
        return _json(value.tolist())
    return None if value != value else str(value)
