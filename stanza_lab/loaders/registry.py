"""Every system that can be read and how its records are told; a new system is one module and a line in `_SYSTEMS`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, Protocol

from stanza_lab._params import choice
from stanza_lab.loaders import _times, cloudwatch, datadog, otel, sentry
from stanza_lab.loaders._records import Envelope, Event, Ignored, Record, RecordError, Shape, embedded, mapping, name


class System(Protocol):
    """What a system module exposes."""

    @property
    def SHAPES(self) -> tuple[Shape, ...]:  # noqa: N802
        """Return its shapes, tried in order; the first that matches reads the record."""

    @property
    def PAGES(self) -> tuple[str, ...]:  # noqa: N802
        """Return the keys under which its page objects list records."""


_SYSTEMS: tuple[System, ...] = (
    datadog,
    cloudwatch,
    sentry,
    otel,
)

SHAPES = tuple(chain.from_iterable(system.SHAPES for system in _SYSTEMS))
SOURCES = sorted({shape.source for shape in SHAPES})
_COMMON_PAGES = ("data", "events", "records", "incidents", "hits")
PAGES = tuple(dict.fromkeys((*_COMMON_PAGES, *chain.from_iterable(system.PAGES for system in _SYSTEMS))))

# Keys a log line or queue puts around the record it received, and those it notes the receipt in.
_WRAPPERS = ("payload", "body", "message", "Message", "detail", "Sns", "_source", "event")
_RECEIVED = ("received_at", "receivedAt", "received", "@timestamp", "ingestionTime", "timestamp")
_DELIVERY = ("delivery_id", "deliveryId", "MessageId", "messageId")
_MAX_DEPTH = 12

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


def unwrap(value: Any, envelope: Envelope, shapes: tuple[Shape, ...], depth: int = 0) -> Iterator[Found]:
    """Yield every record inside a JSON `value`: through arrays, pages, wrappers and JSON inside text.

    A value that is no record of `shapes` and holds none is yielded as such with a `RecordError`. An empty page
    holds no records.
    """
    where = envelope.locator
    if depth > _MAX_DEPTH:
        yield RecordError("too_deep", "wrapped too deeply to be an alert export"), value, envelope
    elif isinstance(value, list):
        received_at, delivery_id, tz = envelope.received_at, envelope.delivery_id, envelope.tz
        for index, item in enumerate(value):
            inside = Envelope(f"{where}[{index}]", received_at, delivery_id, tz)
            yield from unwrap(item, inside, shapes, depth + 1)
    elif not isinstance(value, dict):
        message = f"a record is a JSON object, this is {type(value).__name__}; nothing was read from it"
        yield RecordError("not_an_object", message), value, envelope
    elif (shape := _detect(value, shapes)) is not None:
        yield shape, value, envelope
    elif pages := [key for key in PAGES if isinstance(value.get(key), list)]:
        for key in pages:
            yield from unwrap(value[key], replace(envelope, locator=f"{where}.{key}"), shapes, depth + 1)
    elif (inner := _inner(value)) is not None:
        yield from unwrap(inner[1], _wrapped(value, envelope, inner[0]), shapes, depth + 1)
    else:
        keys = ", ".join(map(repr, list(value)[:6])) or "none"
        message = f"no known system writes such a record (keys: {keys[:200]}); systems read: {', '.join(SOURCES)}"
        yield RecordError("unknown_system", message), value, envelope


def read(shape: Shape, record: Record, envelope: Envelope) -> Event | Ignored:
    """Read one record; whatever is wrong with it ends in a `RecordError`."""
    try:
        return shape.read(record, envelope)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        message = f"a {shape.source} {shape.name} whose fields do not have the types they should ({error})"
        raise RecordError("malformed", message) from error


def _detect(record: Record, shapes: tuple[Shape, ...]) -> Shape | None:
    for shape in shapes:
        if shape.matches(record):
            return shape
    return None


def _inner(record: Record) -> tuple[str, Any] | None:
    """Return what a wrapper holds, JSON inside text opened, with its key; None when this is no wrapper."""
    for key in (*_WRAPPERS, *PAGES):
        inner = embedded(record.get(key))
        if isinstance(inner, (dict, list)):
            return key, inner
    return None


def _wrapped(record: Record, envelope: Envelope, key: str) -> Envelope:
    """Return the envelope of what `record` wraps under `key`; the innermost receipt counts."""
    delivery_id = next((found for k in _DELIVERY if (found := name(record.get(k)))), envelope.delivery_id)
    for header, value in mapping(record.get("headers")).items():
        if header.lower().endswith("delivery-id"):
            delivery_id = name(value) or delivery_id
    received_at = next((at for k in _RECEIVED if (at := _receipt(record.get(k), envelope)) is not None), None)
    return replace(
        envelope,
        locator=f"{envelope.locator}.{key}",
        received_at=envelope.received_at if received_at is None else received_at,
        delivery_id=delivery_id,
    )


def _receipt(value: Any, envelope: Envelope) -> int | None:
    try:
        return _times.read(value, tz=envelope.tz)
    except ValueError:
        return None
