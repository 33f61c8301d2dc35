"""Every system that can be read and how its records are told; a new system is one module and a line in `_NAMES`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from itertools import chain
from typing import Any, Protocol, cast

from stanza_lab._params import choice
from stanza_lab.loaders import _times
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Parts,
    Record,
    RecordError,
    Shape,
    Told,
    embedded,
    mapping,
    name,
)


class System(Protocol):
    """What a system module exposes."""

    @property
    def SHAPES(self) -> tuple[Shape, ...]:  # noqa: N802
        """Return its shapes, tried in order; the first that matches reads the record."""

    @property
    def PAGES(self) -> tuple[str, ...]:  # noqa: N802
        """Return the keys under which its page objects list records."""


# The order decides where two systems could take a record: what any record might look like comes last.
_NAMES = (
    "datadog",
    "datadog_forms",
    "cloudwatch",
    "sentry",
    "pagerduty",
    "honeycomb",
    "slack",
    "elastic",
    "grafana",
    "alertmanager",
    "opsgenie",
    "newrelic",
    "azure",
    "gcp",
    "splunk",
    "servicenow",
    "otel",
    "logs",
    "tabular",
)
_SYSTEMS = tuple(cast("System", import_module(f"stanza_lab.loaders.{name}")) for name in _NAMES)

SHAPES = tuple(chain.from_iterable(system.SHAPES for system in _SYSTEMS))
SOURCES = sorted({shape.source for shape in SHAPES})
_COMMON_PAGES = ("data", "events", "records", "incidents", "hits")
PAGES = tuple(dict.fromkeys((*_COMMON_PAGES, *chain.from_iterable(system.PAGES for system in _SYSTEMS))))

# Keys a log line or queue puts around the record it received, and those of the delivery's id.
_WRAPPERS = (
    *("payload", "body", "Body", "message", "Message", "detail", "Sns", "_source", "event"),
    *("log", "MESSAGE", "jsonPayload", "textPayload"),
)
_HOLDERS = frozenset((*PAGES, *_WRAPPERS))
# What pages say of themselves, in lower case, letters only ("NextToken" and "next_token" are one).
_PAGING = frozenset(
    (
        *("meta", "metadata", "links", "pagination", "paging", "page", "pages", "pagesize", "perpage", "pagecount"),
        *("next", "nexttoken", "nextpage", "nextpagetoken", "nextcursor", "nextforwardtoken", "nextbackwardtoken"),
        *("prev", "previous", "prevcursor", "first", "last", "self", "cursor", "scrollid", "more", "hasmore"),
        *("offset", "limit", "start", "size", "count", "counts", "total", "totalcount", "totalhits", "maxscore"),
        *("took", "timedout", "shards", "ok", "responsemetadata", "requestid", "searchedlogstreams", "included"),
    )
)
_DELIVERY = ("delivery_id", "deliveryId", "MessageId", "messageId")
# Keys under which a log line or queue says when it received what it wraps.
_RECEIPT = (
    "received_at",
    "receivedAt",
    "received",
    "receipt_time",
    "@timestamp",
    "timestamp",
    "Timestamp",
    "time",
    "ts",
)
_RECEIPT_HEADER = "hook-timestamp"  # Sentry's `Sentry-Hook-Timestamp`: when it sent the webhook
_TIMES = ("at", "starts_at", "acked_at", "ends_at")
_MAX_DEPTH = 12
# What a reader raises when a field is not of the type it should be.
_WRONG_TYPES = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)

# What unwrapping a document ends in: a record of a known shape, or the reason why there is none.
Found = tuple[Shape | RecordError, Any, Envelope]


def shapes_of(source: str) -> tuple[Shape, ...]:
    """Return the shapes to try for ``source=``: all of them for "auto".

    Raises
    ------
    ParameterError
        No system of that name can be read.
    """
    choice(source, "source", ["auto", *SOURCES])
    return SHAPES if source == "auto" else tuple(shape for shape in SHAPES if shape.source == source)


def unwrap(value: Any, envelope: Envelope, shapes: tuple[Shape, ...], depth: int = 0) -> Iterable[Found]:
    """Return every record inside a JSON `value`: through arrays, pages, wrappers and JSON inside text.

    A value that is no record of `shapes` and holds none is yielded as such with a `RecordError`. So is an object in
    which nothing was found, unless it is an empty page: lists of records that are empty, and beside them nothing but
    paging and empty values.
    """
    if depth > _MAX_DEPTH:
        return ((RecordError("too_deep", "wrapped too deeply to be an alert export"), value, envelope),)
    if isinstance(value, list):
        return _listed(value, envelope, shapes, depth)
    if not isinstance(value, dict):
        message = f"a record is a JSON object, this is {type(value).__name__}; nothing was read from it"
        return ((RecordError("not_an_object", message), value, envelope),)
    shape = _detect(value, shapes)
    if shape is None:
        return _held(value, envelope, shapes, depth)
    return ((shape, value, envelope),) if shape.parts is None else _parts(shape, shape.parts, value, envelope)


def _listed(values: list[Any], envelope: Envelope, shapes: tuple[Shape, ...], depth: int) -> Iterator[Found]:
    for index, item in enumerate(values):
        yield from unwrap(item, envelope.at(f"[{index}]"), shapes, depth + 1)


def _held(value: Record, envelope: Envelope, shapes: tuple[Shape, ...], depth: int) -> Iterator[Found]:
    """Yield the records in an object that is none."""
    nothing = True
    for key in value:
        held = embedded(value[key]) if key in _HOLDERS else None
        if isinstance(held, (dict, list)):
            for found in unwrap(held, _wrapped(value, envelope, key, held), shapes, depth + 1):
                nothing = False
                yield found
    if nothing and not _is_empty_page(value):
        keys = ", ".join(map(repr, list(value)[:6])) or "none"
        message = f"no known system writes such a record (keys: {keys[:200]}); systems read: {', '.join(SOURCES)}"
        yield RecordError("unknown_system", message), value, envelope


def read(shape: Shape, record: Record, envelope: Envelope) -> Event | Told | Ignored:
    """Read one record; whatever is wrong with it ends in a `RecordError`."""
    try:
        result = shape.read(record, envelope)
    except _WRONG_TYPES as error:
        raise _malformed(shape, error) from error
    if not isinstance(result, Ignored):
        event = result.own if isinstance(result, Told) else result
        for key in _TIMES:
            at = event.get(key)
            if at is not None and not _times.is_time(at):  # computed from a duration that is none
                raise RecordError("bad_time", f"{key} would lie outside 1990 to 2100; correct the record's times")
    return result


def _detect(record: Record, shapes: tuple[Shape, ...]) -> Shape | None:
    for shape in shapes:
        if shape.matches(record):
            return shape
    return None


def _parts(shape: Shape, parts: Parts, record: Record, envelope: Envelope) -> Iterator[Found]:
    """Yield the parts of a record that has some, else the record itself."""
    nothing = True
    try:
        for where, part in parts(record):
            nothing = False
            yield shape, part, envelope.at(where)
    except RecordError as error:
        yield error, record, envelope
    except _WRONG_TYPES as error:
        yield _malformed(shape, error), record, envelope
    else:
        if nothing:
            yield shape, record, envelope


def _malformed(shape: Shape, error: Exception) -> RecordError:
    message = f"a {shape.source} {shape.name} whose fields do not have the types they should ({error})"
    return RecordError("malformed", message)


def _is_empty_page(record: Record) -> bool:
    """Return whether an object in which no record was found is a page that lists none."""
    beside = [key for key, value in record.items() if key not in PAGES and value not in (None, "", [], {})]
    return any(key in PAGES for key in record) and all(
        "".join(filter(str.isalpha, key)).lower() in _PAGING for key in beside
    )


def _wrapped(record: Record, envelope: Envelope, key: str, held: Any) -> Envelope:
    """Return the envelope of what `record` holds under `key`; the id of a delivery of several is the id of none."""
    delivery_id, received = envelope.delivery_id, envelope.received
    if isinstance(held, dict):
        headers = {header.lower(): value for header, value in mapping(record.get("headers")).items()}
        ids = [value for header, value in headers.items() if header.endswith("delivery-id")]
        ids += [record.get(k) for k in _DELIVERY]
        delivery_id = next((found for value in ids if (found := name(value))), delivery_id)
        times = [record.get(k) for k in _RECEIPT]
        times += [value for header, value in headers.items() if header.endswith(_RECEIPT_HEADER)]
        received = next((at for value in times if (at := _received(value, envelope)) is not None), received)
    return replace(envelope, locator=f"{envelope.locator}.{key}", delivery_id=delivery_id, received=received)


def _received(value: Any, envelope: Envelope) -> int | None:
    try:
        return _times.read(value, tz=envelope.tz)
    except ValueError:
        return None  # another word under a common key: no time of receipt is told
