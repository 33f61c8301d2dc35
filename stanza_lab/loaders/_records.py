"""What a system module is made of: shapes of records, how to refuse one, and readers that trust no type.

A system module exposes ``SHAPES`` (the records it knows) and ``PAGES`` (the keys under which its pages list records).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

import orjson

from stanza_lab.loaders import _times

Record = dict[str, Any]
Event = dict[str, Any]  # columns of schema.EVENTS; a column that is not there is null
Parts = Callable[[Record], Iterable[tuple[str, Record]]]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A record of a known kind that says nothing about an alert."""

    kind: str


@dataclass(slots=True)
class Envelope:
    """What surrounded a record. Not frozen, for one is made per record and freezing it takes longer; never changed.

    Attributes
    ----------
    locator : str
        Where in its file it stood.
    delivery_id : str or None
        Id of the delivery it came in.
    tz : tzinfo or None
        Zone of times that state none.
    file : str
        The file, an archive's member behind '!'.
    received : int or None
        When whoever kept the record got it, in microseconds since 1970: stands in for a time the record lacks.
    hints : mapping of str to str or None
        Columns of the table it is a row of whose other dates tell what comes first in them: "day" or "month".
    """

    locator: str = ""
    delivery_id: str | None = None
    tz: tzinfo | None = None
    file: str = ""
    received: int | None = None
    hints: Mapping[str, str] | None = None

    def at(self, where: str) -> Envelope:
        """Return the envelope of what stands at `where` in the record."""
        return Envelope(self.locator + where, self.delivery_id, self.tz, self.file, self.received, self.hints)


@dataclass(slots=True)
class Told:
    """An event in two parts: what is `about` its alert, which stands for all events that say the same, and its own.

    Readers of systems that repeat themselves return it: what is shared is then stored once for all of them.
    """

    about: Event
    own: Event

    def event(self) -> Event:
        """Return the event in one part."""
        return {**self.about, **self.own}


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of record of one system: how to tell it and how to read it.

    A record that tells several facts (a notification about a group of alerts) has `parts`: what it yields, as (where,
    part), is read and kept in its place. Each part holds all that `read` needs, for it is all that is kept.
    """

    source: str
    name: str
    matches: Callable[[Record], bool]
    read: Callable[[Record, Envelope], Event | Told | Ignored]
    parts: Parts | None = None


class RecordError(Exception):
    """Refuse one record: a short reason code and what was wrong."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def ignore(source: str, name: str, matches: Callable[[Record], bool], *, kind: str | None = None) -> Shape:
    """Return the shape of records that are known and hold no alert, counted as `kind` (default: source and name)."""
    ignored = Ignored(kind or f"{source} {name}")
    return Shape(source, name, matches, lambda _record, _envelope: ignored)


def mapping(value: Any) -> Record:
    """Return `value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """Return `value` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Return prose: `value` if it is text with something in it."""
    return (value.strip() or None) if isinstance(value, str) else None


def name(value: Any) -> str | None:
    """Return an identifier: text or a whole number; placeholders that vendors leave behind count as missing."""
    if not isinstance(value, str):
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
    value = value.strip()
    if (len(value) < _LONGEST and value.lower() in PLACEHOLDERS) or "{{" in value or "<no value>" in value:
        return None
    return str(value)


PLACEHOLDERS = frozenset(("", "undefined", "null", "none", "nil", "n/a", "nan", "%s"))
_LONGEST = 10


def need(value: str | None, field: str) -> str:
    """Return `value`, or refuse the record because `field` is missing."""
    if value is None:
        raise RecordError("missing_field", f"field {field!r} is missing or empty; without it the alert has no identity")
    return value


def moment(value: Any, field: str, envelope: Envelope) -> int:
    """Return the time of an event as microseconds since 1970, or refuse the record."""
    try:
        at = _times.read(value, tz=envelope.tz)
    except ValueError as error:
        raise RecordError("bad_time", f"field {field!r}: {error}") from None
    if at is None:
        raise RecordError(
            "no_time", f"field {field!r} holds no time; a time is never guessed: export it with its times"
        )
    return at


def dated(value: Any, field: str, envelope: Envelope) -> Event:
    """Return `at` and `time_source` of a record that may lack a time: its own, else that of its receipt, else none."""
    try:
        at = _times.read(value, tz=envelope.tz)
    except ValueError as error:
        raise RecordError("bad_time", f"field {field!r}: {error}") from None
    if at is not None:
        return {"at": at, "time_source": "event"}
    if envelope.received is not None:
        return {"at": envelope.received, "time_source": "receipt"}
    return {"at": None, "time_source": "none"}


def instant(value: Any, field: str, envelope: Envelope) -> int | None:
    """Return a time beside that of the event (an end, an acknowledgement), None when there is none."""
    at: int | None = dated(value, field, replace(envelope, received=None))["at"]
    return at


def embedded(value: Any) -> Any:
    """Return the JSON inside `value` if it is text that holds an object or array, else `value` itself."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def canonical(labels: Record) -> str | None:
    """Return `labels` without its empty values as canonical JSON."""
    kept = {key: value for key, value in labels.items() if value or value == 0}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode() if kept else None


def severity(word: str | None) -> str | None:
    """Return our severity for a vendor's `word`, None when it is not a severity."""
    return _SEVERITY.get(word.lower()) if word else None


_SEVERITY = {
    **dict.fromkeys(("critical", "fatal", "page", "p1", "sev0"), "critical"),
    **dict.fromkeys(("error", "high", "p2", "sev1"), "error"),
    **dict.fromkeys(("warning", "warn", "medium", "p3", "sev2"), "warning"),
    **dict.fromkeys(("info", "debug", "sample", "low", "p4", "p5", "sev3", "sev4"), "info"),
}
