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
from stanza_lab.loaders._lines import CHUNK, Part
from stanza_lab.loaders._records import Envelope, Event, Ignored, RecordError, Shape
from stanza_lab.loaders._tables import Row
from stanza_lab.loaders.redaction import Redaction, Redactor

if TYPE_CHECKING:
    import pandas as pd

BATCH_RECORDS = 8_000
EVENTS = schema.arrow(schema.EVENTS)


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
            some = list(islice(found, BATCH_RECORDS))
            batch = _batch(file, some, redactor) if some or not started else None
            some.clear()
        if batch is None:
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
            yield from registry.unwrap(
                document.value, Envelope(locator, tz=tz, file=file, hints=document.hints), shapes
            )


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


def _batch(file: str, found: list[registry.Found], redactor: Redactor) -> Batch:
    """Redact, read and count some records: each is an event, ignored or rejected."""
    redactor.found = Counter()
    events: list[Event] = []
    rejected: list[dict[str, Any]] = []
    ignored: Counter[str] = Counter()
    for (shape, record, envelope), raw in zip(*_redacted(found, redactor), strict=True):
        try:
            if isinstance(shape, RecordError):
                raise shape
            result = registry.read(shape, record, envelope)
            if isinstance(result, Ignored):
                ignored[result.kind] += 1
            elif raw is None:
                raise RecordError("malformed", "the record cannot be kept as JSON; export it again")
            else:
                events.append({"source": shape.source, **_ABSENT, **result, "raw": raw})
        except RecordError as error:
            rejected.append(rejection(file, error, record, envelope, redactor))
    return Batch(
        file,
        _arrow(events),
        schema.build(rejected, schema.REJECTED),
        ignored,
        len(found),
        redactor.found,
        _tables(found),
    )


def _redacted(found: list[registry.Found], redactor: Redactor) -> tuple[list[registry.Found], list[str | None]]:
    """Return the records without what must not be kept, and each as JSON; None for one that cannot be written."""
    raws = [None if isinstance(shape, RecordError) else _dumped(record) for shape, record, _ in found]
    for row in redactor.suspects(pa.array(raws, pa.string())):
        shape, record, envelope = found[row]
        try:
            record = redactor.record(record)
        except RecursionError:
            shape = RecordError("too_deep", "the record is nested too deeply to be an alert")
        found[row] = (shape, record, envelope)
        raws[row] = _dumped(record)
    return found, raws


def _dumped(record: Any) -> str | None:
    try:
        return orjson.dumps(record).decode()
    except TypeError:  # half a surrogate pair or a number beyond 64 bits
        return None


def _arrow(events: list[Event]) -> pa.Table:
    """Return events as the table they are stored in."""
    rows = pa.RecordBatch.from_struct_array(pa.array(events, pa.struct(list(EVENTS))))
    return pa.Table.from_batches([rows], EVENTS)


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


def _tables(found: list[registry.Found]) -> tuple[str, ...]:
    """Say how the columns of the tables were understood."""
    headers = dict.fromkeys(
        tuple(record) for shape, record, _ in found if isinstance(record, Row) and shape in tabular.SHAPES
    )
    return tuple(tabular.describe(tabular.guess_columns(keys), keys) for keys in headers)


_ABSENT: Event = {"time_source": "event", "has_recovery": True, "native_ids": [], "resources": [], "trace_ids": []}


def _error(broken: Broken) -> RecordError:
    return RecordError(broken.reason, broken.message)


def _storable(text: str) -> str:
    """Return text that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()
