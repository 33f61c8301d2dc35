"""Lines to facts: one JSON record per line, of any system that is read, or one of our own alerts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import pyarrow as pa

from stanza_lab import schema
from stanza_lab.loaders import Redaction, registry
from stanza_lab.loaders._records import Envelope, Ignored, RecordError, Shape, Told
from stanza_lab.loaders._times import read as moment
from stanza_lab.loaders.redaction import Redactor

LONGEST = 10_000_000  # bytes of a line
_OURS = frozenset(schema.ALERTS.names)
_TIMES = ("starts_at", "acked_at", "ends_at")
_LONGEST_ID = 200  # characters
_LISTS = frozenset(column.name for column in schema.ALERTS.columns if column.dtype == "strings")


@dataclass(slots=True)
class Read:
    """What a line, or a part of it, is: an event of a system, an alert of ours, ignored, or rejected."""

    line: int
    kind: Literal["event", "alert", "ignored", "rejected"]
    told: Mapping[str, Any]


class LineReader:
    """Read lines record by record, as `read_alerts` reads files; secrets and personal data are replaced.

    Parameters
    ----------
    redaction : Redaction, optional
        What is taken out. Default: as at ingest.
    """

    def __init__(self, redaction: Redaction | None = None) -> None:
        self._redactor = Redactor(redaction or Redaction())
        self._shapes = registry.shapes_of("auto")

    def read(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[Read]:
        """Yield what is in numbered lines; an empty line is nothing."""
        known: list[tuple[int, bytes]] = []
        for number, line in lines:
            if line.strip():
                known.append((number, line))
        texts = [line if len(line) <= LONGEST else b"" for _, line in known]
        raws = pa.array([text.decode("utf-8", "replace") for text in texts], pa.string())
        suspects = frozenset(self._redactor.suspects(raws))
        for row, (number, line) in enumerate(known):
            yield from self._line(number, line, suspect=row in suspects)

    def _line(self, number: int, line: bytes, *, suspect: bool) -> Iterator[Read]:
        if len(line) > LONGEST:
            yield rejected(number, "too_long", f"a line of {len(line):,} bytes; the most is {LONGEST:,}")
            return
        try:
            value = orjson.loads(line)
            value = self._redactor.anything(value) if suspect else value
        except orjson.JSONDecodeError as error:
            yield rejected(number, "bad_json", f"the line is no JSON ({error})")
            return
        except RecursionError:
            yield rejected(number, "too_deep", "the record is nested too deeply to be an alert")
            return
        if _is_ours(value) or (isinstance(value, list) and value and all(map(_is_ours, value))):
            for alert in value if isinstance(value, list) else [value]:
                yield _alert(number, alert)
            return
        nothing = True
        for shape, record, envelope in registry.unwrap(value, Envelope(f"line {number} $"), self._shapes):
            nothing = False
            yield self._record(number, shape, record, envelope)
        if nothing:
            yield Read(number, "ignored", {"what": "no record in it"})

    def _record(self, number: int, shape: Shape | RecordError, record: Any, envelope: Envelope) -> Read:
        if isinstance(shape, RecordError):
            return rejected(number, shape.reason, self._redactor.text(shape.message))
        try:
            result = registry.read(shape, record, envelope)
        except RecordError as error:
            return rejected(number, error.reason, self._redactor.text(error.message))
        if isinstance(result, Ignored):
            return Read(number, "ignored", {"what": result.kind})
        event = result.event() if isinstance(result, Told) else result
        return Read(number, "event", {**event, "source": shape.source})


def rejected(number: int, reason: str, message: str) -> Read:
    """Return a line that could not be used, and why."""
    return Read(number, "rejected", {"reason": reason, "message": message})


def _is_ours(value: Any) -> bool:
    """Tell whether it is a row of an alerts table of this package, as its verbs print it."""
    return isinstance(value, dict) and {"alert_id", "starts_at", "source"} <= value.keys() and value.keys() <= _OURS


def _alert(number: int, value: Mapping[str, Any]) -> Read:
    alert = dict(value)
    try:
        for name in _TIMES:
            if alert.get(name) is not None:
                alert[name] = moment(alert[name], tz=None)
    except ValueError as error:
        return rejected(number, "bad_time", str(error))
    if alert.get("starts_at") is None:
        return rejected(number, "no_time", "the alert does not say when it started")
    if not isinstance(alert["source"], str) or not isinstance(alert["alert_id"], str):
        return rejected(number, "malformed", "alert_id and source must be texts")
    if len(alert["alert_id"]) > _LONGEST_ID:
        return rejected(number, "malformed", f"alert_id is longer than {_LONGEST_ID} characters")
    for name, entry in alert.items():
        if entry is None or name in _TIMES or name == "incident_id":
            continue
        if name in _LISTS and not (isinstance(entry, list) and all(isinstance(one, str) for one in entry)):
            return rejected(number, "malformed", f"{name} is no list of texts")
        if name not in _LISTS and not isinstance(entry, str):
            return rejected(number, "malformed", f"{name} is no text")
    if alert.get("severity") not in (None, *schema.SEVERITIES):
        return rejected(number, "malformed", f"severity is none of {', '.join(schema.SEVERITIES)}")
    return Read(number, "alert", {name: entry for name, entry in alert.items() if name != "incident_id"})
