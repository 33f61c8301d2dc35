"""Files in, batches of events out; every record ends as an event, as ignored or as rejected."""

from __future__ import annotations

import gc
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.loaders import _protobuf, registry, tabular
from stanza_lab.loaders._archives import shown
from stanza_lab.loaders._containers import Broken, Paths, files, streams
from stanza_lab.loaders._decoding import SHOWN, documents
from stanza_lab.loaders._event_tables import events_table
from stanza_lab.loaders._lines import CHUNK, Part
from stanza_lab.loaders._records import Envelope, Event, Ignored, RecordError, Shape, Told
from stanza_lab.loaders._tables import Row
from stanza_lab.loaders.redaction import Redaction, Redactor

if TYPE_CHECKING:
    import pandas as pd

BATCH_RECORDS = 8_000


@dataclass(frozen=True)
class Options:
    """How exports are read, the same for every file.

    Attributes
    ----------
    source : str
        System the records come from; "auto" tells it record by record.
    tz : str or None
        Zone of times that name none.
    columns : tuple of (str, str)
        Their column and ours, for tables.
    dayfirst : bool or None
        How a date such as 05/06/2024 is read; None tells it by the other dates of its column.
    redaction : Redaction
        What is taken out before anything is kept.
    """

    source: str = "auto"
    tz: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    dayfirst: bool | None = None
    redaction: Redaction = field(default_factory=Redaction)

    def check(self) -> None:
        """Refuse what is not known now, not at the first batch."""
        self.shapes()
        self.zone()

    def shapes(self) -> tuple[Shape, ...]:
        """Return the shapes to try.

        Raises
        ------
        ParameterError
            `source` is not known, or `columns` name something there is not.
        """
        if not self.columns and self.dayfirst is None:
            return registry.shapes_of(self.source)
        return (
            tabular.shape_for(dict(self.columns), "table" if self.source == "auto" else self.source, self.dayfirst),
        )

    def zone(self) -> tzinfo | None:
        """Return the zone of times that name none.

        Raises
        ------
        ParameterError
            `tz` is no time zone.
        """
        if self.tz is None:
            return None
        try:
            return ZoneInfo(self.tz)
        except (ValueError, OSError, LookupError) as error:
            raise ParameterError(
                f"tz={self.tz!r} is not a time zone; pass a name such as 'Europe/Berlin' or 'UTC'"
            ) from error


@dataclass(frozen=True)
class Batch:
    """Up to 8,000 records of one file; ``records == len(events) + len(rejected) + sum of ignored``."""

    file: str
    table: pa.Table  # schema.EVENTS as it is stored, in file order
    rejected: pd.DataFrame  # schema.REJECTED
    ignored: Counter[str]  # records of known kinds that hold no alert, by kind
    records: int
    redacted: Counter[str]  # what was taken out, by kind
    tables: tuple[str, ...] = ()  # how the columns of tables were understood, in words

    @cached_property
    def events(self) -> pd.DataFrame:
        """Return the events as `schema.EVENTS`."""
        lists = [column.name for column in schema.EVENTS.columns if column.dtype == "strings"]
        frame = self.table.to_pandas()
        return schema.check(frame.assign(**{name: frame[name].map(list) for name in lists}), schema.EVENTS)


def read_files(
    paths: Paths,
    *,
    source: str = "auto",
    tz: str | None = None,
    columns: Mapping[str, str] | None = None,
    dayfirst: bool | None = None,
    redaction: Redaction | None = None,
    skip: Path | None = None,
) -> Iterator[Batch]:
    """Read alert exports into batches of events.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files, folders (searched through, hidden files left out), patterns such as ``exports/*.json``, archives and
        packed files (gz, bz2, xz, zst, zip, tar), ``-`` for standard input. What is no regular file (pipe, device, link
        to a folder) is not opened but rejected.
    source : str, default "auto"
        System the records come from; "auto" tells it record by record.
    tz : str, optional
        Zone of times that name none, for example "Europe/Berlin". Without it such records are rejected.
    columns : mapping of str to str, optional
        What the columns of a table mean: theirs and ours, ``{"startsAt": "starts_at"}``. Everything is then read as
        rows of such tables; columns it does not name are guessed. Without it a table's columns are guessed.
    dayfirst : bool, optional
        How dates such as 05/06/2024 in a table are read. Default: by the other dates of the column.
    redaction : Redaction, optional
        What is taken out of records. Default: secrets, e-mail addresses, names of people.
    skip : Path, optional
        Folder that is left out, with all in it, where folders are searched through. A file in it that `paths` names
        itself is read.

    Returns
    -------
    iterator of Batch
        At least one batch per file, in the order of the paths, folders sorted; at most 8,000 records each.

    Raises
    ------
    LoadError
        A path does not exist.
    ParameterError
        `paths` holds something that is no path, or an option is not known.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from stanza_lab.loaders import read_files
    >>> alarm = '{"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "alarms.json").write_text(alarm)
    ...     [batch] = read_files(folder)
    >>> batch.records, batch.events["kind"].tolist(), batch.events["rule_key"].tolist()
    (1, ['fired'], ['cpu'])
    """
    given = tuple((columns or {}).items()) if columns is None or isinstance(columns, Mapping) else columns
    if not isinstance(given, tuple):
        raise ParameterError(f"columns={columns!r} is no mapping of names; pass {{'startsAt': 'starts_at'}}")
    options = Options(source, tz, given, dayfirst, redaction or Redaction())
    options.check()
    return read_paths(files(paths, skip), options)


def read_paths(paths: Iterable[Path], options: Options) -> Iterator[Batch]:
    """Read the given files; as `read_files` without its search."""
    shapes, zone = options.shapes(), options.zone()
    redactor = Redactor(options.redaction)
    for path in paths:
        for file, stream in streams(path):
            yield from read_stream(file, found_in(file, stream, shapes, zone), redactor)


def read_part(path: Path, start: int, stop: int, options: Options) -> Iterator[Batch]:
    """Read the lines of a file between two of its bytes."""
    with path.open("rb") as whole:
        whole.seek(start)
        stream = io.BufferedReader(Part(whole, stop - start), CHUNK)
        file = shown(str(path))
        found = found_in(file, stream, options.shapes(), options.zone())
        yield from read_stream(file, found, Redactor(options.redaction))


def read_stream(file: str, found: Iterator[registry.Found], redactor: Redactor) -> Iterator[Batch]:
    """Read the records of one stream, at least one batch."""
    started = False
    while True:
        with _undisturbed():
            batch = _batch(file, islice(found, BATCH_RECORDS), redactor)
        if started and not batch.records:
            return
        started = True
        yield batch


def found_in(file: str, stream: Any, shapes: tuple[Shape, ...], tz: tzinfo | None) -> Iterator[registry.Found]:
    """Yield every record in a stream, and what of it is none, each with where it stood."""
    if isinstance(stream, Broken):
        yield _error(stream), stream.raw, Envelope(stream.locator, file=file)
        return
    held = _protobuf.documents(stream) if _protobuf.is_otlp(stream) else documents(stream, registry.PAGES)
    for document in held:
        if isinstance(document, Broken):
            yield _error(document), document.raw, Envelope(document.locator, file=file)
        else:
            locator = document.locator if "$" in document.locator else f"{document.locator} $".lstrip()
            envelope = Envelope(locator, None, tz, file, None, document.hints)
            yield from registry.unwrap(document.value, envelope, shapes)


def rejection(file: str, error: RecordError, record: Any, envelope: Envelope, redactor: Redactor) -> dict[str, Any]:
    """Return the row of `schema.REJECTED` for a record that was refused."""
    if isinstance(record, str):
        raw: str | None = redactor.anything(record[: 2 * SHOWN])
    else:
        raw = None if record is None else compact(redactor.anything(record))
    return {
        "file": file,
        "locator": envelope.locator,
        "reason": error.reason,
        "message": redactor.text(error.message),
        "raw": None if raw is None else _storable(raw[:SHOWN]),
    }


def compact(record: Any) -> str:
    """Return a record as compact JSON."""
    try:
        return orjson.dumps(record).decode()
    except TypeError:  # half a surrogate pair or a number beyond 64 bits: shown, never kept
        try:
            return repr(record)
        except RecursionError:
            return "nested too deeply to be shown"


# What came of a record, its shape, it as JSON ("" where it cannot be written), its envelope, and the record where it is
# needed again: of those refused and of rows of tables; else None.
_Read = tuple[Event | Told | Ignored | RecordError, Shape | RecordError, str, Envelope, Any]


def _batch(file: str, found: Iterable[registry.Found], redactor: Redactor) -> Batch:
    """Read, redact and count some records: each is an event, ignored or rejected.

    A record is read and dropped before the next one is decoded, while the processor has it at hand. That something is
    to be taken out of it shows later, for that is searched for in many at once: it is then read again without that.
    """
    redactor.found = Counter()
    records = [_read(shape, record, envelope) for shape, record, envelope in found]
    raws = _raws(records)
    if suspects := redactor.suspects(raws):
        for row in suspects:
            records[row] = _redacted(records[row], redactor)
        raws = _raws(records)
    rows: list[int] = []
    events: list[tuple[str, Event | Told]] = []
    rejected: list[dict[str, Any]] = []
    ignored: Counter[str] = Counter()
    for row, (result, shape, _, envelope, record) in enumerate(records):
        if isinstance(result, Ignored):
            ignored[result.kind] += 1
        elif isinstance(result, RecordError):
            rejected.append(rejection(file, result, record, envelope, redactor))
        else:
            assert isinstance(shape, Shape)
            rows.append(row)
            events.append((shape.source, result))
    return Batch(
        file,
        events_table(events, raws.take(pa.array(rows, pa.int64()))),
        schema.build(rejected, schema.REJECTED),
        ignored,
        len(records),
        redactor.found,
        _tables(records),
    )


def _read(shape: Shape | RecordError, record: Any, envelope: Envelope) -> _Read:
    if isinstance(shape, RecordError):
        return shape, shape, "", envelope, record
    raw = _dumped(record)
    result: Event | Told | Ignored | RecordError
    try:
        result = registry.read(shape, record, envelope)
        if not (raw or isinstance(result, Ignored)):
            result = RecordError("malformed", "the record cannot be kept as JSON; export it again")
    except RecordError as error:
        result = error
    needed = isinstance(result, RecordError) or type(record) is not dict
    return result, shape, raw, envelope, record if needed else None


def _redacted(read: _Read, redactor: Redactor) -> _Read:
    """Read a record again, without what must not be kept."""
    _, shape, raw, envelope, record = read
    record = orjson.loads(raw) if record is None else record
    try:
        record = redactor.record(record)
    except RecursionError:
        shape = RecordError("too_deep", "the record is nested too deeply to be an alert")
    return _read(shape, record, envelope)


def _dumped(record: Any) -> str:
    try:
        return orjson.dumps(record).decode()
    except TypeError:  # half a surrogate pair or a number beyond 64 bits
        return ""


def _raws(records: Iterable[_Read]) -> pa.Array:
    return pa.array([raw for _, _, raw, *_ in records], pa.string())


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the garbage collector from looking through records, which hold no cycles, again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _tables(records: Iterable[_Read]) -> tuple[str, ...]:
    """Say how the columns of the tables were understood."""
    headers = dict.fromkeys(
        tuple(record) for _, shape, *_, record in records if isinstance(record, Row) and shape in tabular.SHAPES
    )
    return tuple(tabular.describe(tabular.guess_columns(keys), keys) for keys in headers)


def _error(broken: Broken) -> RecordError:
    return RecordError(broken.reason, broken.message)


def _storable(text: str) -> str:
    """Return text that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()
