"""Files in, batches of events out; every record ends as an event, as ignored or as rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.loaders import registry
from stanza_lab.loaders._containers import Broken, Paths, files, streams
from stanza_lab.loaders._decoding import SHOWN, documents
from stanza_lab.loaders._records import Envelope, Event, Ignored, RecordError, Shape

if TYPE_CHECKING:
    import pandas as pd

BATCH_RECORDS = 20_000


@dataclass(frozen=True)
class Batch:
    """Up to 20,000 records of one file; ``records == len(events) + len(rejected) + sum of ignored``."""

    file: str
    events: pd.DataFrame  # schema.EVENTS, in file order
    rejected: pd.DataFrame  # schema.REJECTED
    ignored: Counter[str]  # records of known kinds that hold no alert, by kind
    records: int


@dataclass
class _Rows:
    """The rows of the batch being filled."""

    events: list[Event] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    records: int = 0


def read_files(
    paths: Paths, *, source: str = "auto", tz: str | None = None, skip: Path | None = None
) -> Iterator[Batch]:
    """Read alert exports into batches of events.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files, folders (searched through, hidden files left out), gzip and zip archives. What is no regular file
        (pipe, device, link to a folder) is not opened but rejected.
    source : str, default "auto"
        System the records come from; "auto" tells it record by record.
    tz : str, optional
        Zone of times that name none, for example "Europe/Berlin". Without it such records are rejected.
    skip : Path, optional
        Folder that is left out, with all in it, where folders are searched through. A file in it that `paths` names
        itself is read.

    Returns
    -------
    iterator of Batch
        At least one batch per file, in the order of the paths, folders sorted; at most 20,000 records each.

    Raises
    ------
    LoadError
        A path does not exist.
    ParameterError
        `paths` holds something that is no path, or `source` or `tz` is not known.

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
    shapes = registry.shapes_of(source)
    zone = _zone(tz)
    return _batches(files(paths, skip), shapes, zone)


def found_in(file: str, stream: Any, shapes: tuple[Shape, ...], tz: tzinfo | None) -> Iterator[registry.Found]:
    """Yield every record in a stream, and what of it is none, each with where it stood."""
    if isinstance(stream, Broken):
        yield _error(stream), stream.raw, Envelope(stream.locator, file=file)
        return
    for document in documents(stream, registry.PAGES):
        if isinstance(document, Broken):
            yield _error(document), document.raw, Envelope(document.locator, file=file)
        else:
            locator = f"{document.locator} $".lstrip()
            yield from registry.unwrap(document.value, Envelope(locator, tz=tz, file=file), shapes)


def rejection(file: str, error: RecordError, record: Any, envelope: Envelope) -> dict[str, Any]:
    """Return the row of `schema.REJECTED` for a record that was refused."""
    raw = record if isinstance(record, str) or record is None else compact(record)
    return {
        "file": file,
        "locator": envelope.locator,
        "reason": error.reason,
        "message": error.message,
        "raw": None if raw is None else _storable(raw[:SHOWN]),
    }


def compact(record: Any) -> str:
    """Return a record as compact JSON."""
    try:
        return orjson.dumps(record).decode()
    except TypeError:  # half a surrogate pair or a number beyond 64 bits: shown, never kept
        return repr(record)


def _batches(paths: list[Path], shapes: tuple[Shape, ...], tz: tzinfo | None) -> Iterator[Batch]:
    for path in paths:
        for file, stream in streams(path):
            rows = _Rows()
            started = False
            for found in found_in(file, stream, shapes, tz):
                if rows.records == BATCH_RECORDS:
                    yield _batch(file, rows)
                    rows, started = _Rows(), True
                _add(rows, file, *found)
            if rows.records or not started:
                yield _batch(file, rows)


def _add(rows: _Rows, file: str, shape: Shape | RecordError, record: Any, envelope: Envelope) -> None:
    """Count one record as an event, as ignored or as rejected."""
    rows.records += 1
    try:
        result = _event(shape, record, envelope)
    except RecordError as error:
        rows.rejected.append(rejection(file, error, record, envelope))
        return
    if isinstance(result, Ignored):
        rows.ignored[result.kind] += 1
    else:
        rows.events.append(result)


def _event(shape: Shape | RecordError, record: Any, envelope: Envelope) -> Event | Ignored:
    if isinstance(shape, RecordError):
        raise shape
    result = registry.read(shape, record, envelope)
    if isinstance(result, Ignored):
        return result
    try:
        raw = orjson.dumps(record).decode()
    except TypeError as error:
        raise RecordError("malformed", f"the record cannot be kept as JSON ({error}); export it again") from error
    return {"source": shape.source, "time_source": "event", **result, "raw": raw}


def _batch(file: str, rows: _Rows) -> Batch:
    events = schema.build(rows.events, schema.EVENTS)
    return Batch(file, events, schema.build(rows.rejected, schema.REJECTED), rows.ignored, rows.records)


def _error(broken: Broken) -> RecordError:
    return RecordError(broken.reason, broken.message)


def _storable(text: str) -> str:
    """Return text that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _zone(tz: str | None) -> tzinfo | None:
    if tz is None:
        return None
    try:
        return ZoneInfo(tz)
    except (ValueError, OSError, LookupError) as error:
        raise ParameterError(f"tz={tz!r} is not a time zone; pass a name such as 'Europe/Berlin' or 'UTC'") from error
