"""Tables of any origin: flat records whose columns are told by their headers, or by whom the table is from.

The columns used are a plain dict {their column: ours}: guessed, shown (`describe`) and given (`shape_for`).
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from stanza_lab.errors import ParameterError
from stanza_lab.loaders import _times
from stanza_lab.loaders._arrow import from_frame
from stanza_lab.loaders._cells import LASTING, TRUE, cell, is_state, listed, severity_of, state_of, tags_of, time_of
from stanza_lab.loaders._columns import TARGETS, columns_of, describe, guess_columns, plain
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    RecordError,
    Shape,
    canonical,
    embedded,
)
from stanza_lab.loaders._tables import Row

__all__ = ["PAGES", "SHAPES", "describe", "from_frame", "guess_columns", "shape_for"]

# Keys of log lines; and keys under which queues and log lines hold the record that counts.
_OF_LOGS = frozenset(
    (
        *("level", "lvl", "loglevel", "log_level", "levelname", "severity_text", "severity_number", "logger"),
        *("logger_name", "thread", "thread_name", "caller", "stack", "stack_trace", "stacktrace", "lineno", "filename"),
        *("log", "stream", "pid", "method", "path", "status_code", "http_status", "user_agent", "remote_addr"),
    )
)
_OF_ALERTS = re.compile(r"^(?:alert|alarm|incident|monitor|rule|check|problem)|^title$")
_HOLDERS = ("payload", "body", "message", "Message", "detail", "Sns", "_source", "event", "@message", "_raw")
_NESTED = frozenset(
    (
        *("labels", "tags", "attributes", "annotations", "dimensions", "metadata", "details"),
        *("custom_fields", "properties", "fields"),
    )
)
_SINGLE = frozenset(TARGETS) - {"resources", "trace_ids", "labels"}
_DEPTH = 4


def shape_for(columns: Mapping[str, str], source: str = "table", dayfirst: bool | None = None) -> Shape:  # noqa: FBT001
    """Return the shape that reads the records of one table by given columns, used instead of all others.

    Parameters
    ----------
    columns : mapping of str to str
        Their column -> ours, for example ``{"startsAt": "starts_at"}``. Ours are columns of `schema.EVENTS`, "state"
        (or "kind"), "rule_id", and "labels" for one that is only kept. Columns that are not named here are guessed.
        "a.b" is the key "b" inside the object "a".
    source : str, default "table"
        Name of the system the table is from.
    dayfirst : bool, optional
        How dates such as 05/06/2024 are read; None tells it by the other dates of the column.

    Raises
    ------
    ParameterError
        A column is said to mean something there is not, or two mean the same.
    """
    if not isinstance(columns, Mapping) or not all(
        isinstance(k, str) and isinstance(v, str) for k, v in columns.items()
    ):
        raise ParameterError(f"columns={columns!r} is no mapping of names; pass {{'startsAt': 'starts_at'}}")
    given = {theirs: "state" if ours == "kind" else ours for theirs, ours in columns.items()}
    for theirs, ours in given.items():
        if ours not in TARGETS:
            near = difflib.get_close_matches(ours, TARGETS, 1, 0.5)
            meant = f"did you mean {near[0]!r}? " if near else ""
            swapped = "their column comes first, ours second. " if theirs in TARGETS else ""
            known = ", ".join(TARGETS)
            raise ParameterError(f"columns: {ours!r} for {theirs!r} is not known; {meant}{swapped}pass one of: {known}")
    for ours in _SINGLE:
        if len(same := [theirs for theirs, target in given.items() if target == ours]) > 1:
            raise ParameterError(f"columns: {same[0]!r} and {same[1]!r} both mean {ours!r}; pass only one of them")
    if not source.strip():
        raise ParameterError("source='' has no name; pass that of the system the table is from")
    pairs = tuple(given.items())
    order = None if dayfirst is None else "day" if dayfirst else "month"

    def matches(record: Record) -> bool:
        flat = _flat(record)
        return isinstance(record, Row) or (
            any(theirs in flat for theirs, _ in pairs) if pairs else _says_enough(tuple(flat))
        )

    def read(record: Record, envelope: Envelope) -> Event | Ignored:
        cells = _flat(record)
        absent = [theirs for theirs, ours in pairs if theirs not in cells and ours != "labels"]
        if absent and (isinstance(record, Row) or len(absent) == len(pairs)):
            there = ", ".join(map(repr, list(cells)[:20]))
            near = difflib.get_close_matches(absent[0], list(cells), 1, 0.6)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise RecordError("no_column", f"column {absent[0]!r} not found; columns are {there}{meant}")
        used = columns_of(tuple(cells), tuple(pair for pair in pairs if pair[0] in cells))
        return _read(cells, used, envelope, order)

    return Shape(source, "row of a table", matches, read)


def _is_table(record: Record) -> bool:
    """Return whether a record may be read by its headers: it has a time and says which alert it is."""
    flat = _flat(record)
    if not _says_enough(tuple(flat)):
        return False
    if holding := [key for key in flat if key in _HOLDERS and _holds_another(flat[key])]:
        return isinstance(record, Row) and _says_enough(tuple([key for key in flat if key not in holding]), bare=True)
    return isinstance(record, Row) or (_is_flat(record) and not _is_log(record))


@lru_cache(4096)
def _says_enough(headers: tuple[str, ...], *, bare: bool = False) -> bool:
    meanings = set(guess_columns(headers).values())
    return bool(meanings & {"at", "starts_at", "ends_at"} and meanings & (_NAMING if bare else _NAMING | _IDS))


_NAMING = {"alertname", "summary", "description", "rule_key", "state", "severity"}
_IDS = {"rule_id", "event_id", "occurrence_key"}


def _holds_another(value: Any) -> bool:
    """Return whether a cell is, or is written as, the record that counts, which the others only surround."""
    held = embedded(value)
    return isinstance(held, dict) or (isinstance(held, list) and any(isinstance(item, dict) for item in held))


def _is_refused(record: Record) -> bool:
    return isinstance(record, Row) and not any(_holds_another(record.get(key)) for key in _HOLDERS)


def _is_flat(record: Record) -> bool:
    return all(
        plain(key) in _NESTED
        if isinstance(value, dict)
        else not (isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value))
        for key, value in record.items()
    )


def _is_log(record: Record) -> bool:
    keys = {plain(key): value for key, value in record.items()}
    return bool(keys.keys() & _OF_LOGS) and not any(
        _OF_ALERTS.search(key) or (key in ("state", "status") and is_state(value)) for key, value in keys.items()
    )


def _read_row(record: Record, envelope: Envelope) -> Event | Ignored:
    cells = _flat(record)
    return _read(cells, columns_of(tuple(cells), ()), envelope, None)


def _refuse_row(record: Record, _envelope: Envelope) -> Event:
    columns = describe(guess_columns(record), tuple(record))
    hint = "say what they are with columns=, for example columns={'startsAt': 'starts_at', 'what': 'alertname'}"
    raise RecordError("unknown_columns", f"{columns}; a time and a title, key or state are needed: {hint}")


def _flat(record: Record, depth: int = _DEPTH) -> Record:
    """Return a record with objects inside it opened: {"a": {"b": 1}} is {"a.b": 1}."""
    if not any(isinstance(value, dict) for value in record.values()):
        return record
    flat: Record = {}
    for key, value in record.items():
        if isinstance(value, dict) and value and depth:
            flat |= {f"{key}.{inner}": held for inner, held in _flat(value, depth - 1).items()}
        else:
            flat[key] = value
    return flat


def _read(cells: Record, columns: Mapping[str, str], envelope: Envelope, order: str | None) -> Event | Ignored:
    """Return the event of one row: what happened at one time, or an alert with its start and end."""
    headers: dict[str, str] = {}
    for theirs, ours in columns.items():
        headers.setdefault(ours, theirs)

    def said(ours: str) -> str | None:
        return cell(cells.get(headers[ours])) if ours in headers else None

    word, stated = state_of(said("state"), headers.get("state"))
    state = stated
    if state == "ignored":
        return Ignored("table row of a state that is no alert")
    times = {
        ours: time_of(cells, headers.get(ours), envelope, order) for ours in ("starts_at", "acked_at", "ends_at", "at")
    }
    starts, acked, ends, at = times.values()
    for ours, kind in (("acked_at", "acknowledged"), ("ends_at", "resolved")):  # a column "resolved" of true and false
        if state is None and (said(ours) or "").lower() in TRUE:
            state = kind
    if ends is not None and starts is not None and ends < starts:
        raise RecordError("bad_time", f"it ends ({said('ends_at')}) before it starts ({said('starts_at')})")
    if state is None or (state == "fired" and ends is not None and word in LASTING):
        state = "resolved" if ends is not None else "acknowledged" if acked is not None else "fired"
    if state != "resolved":
        ends = None  # an end of what is still open is when it would be given up
    when = {"resolved": ends, "acknowledged": acked}.get(state)
    if state != "fired" and starts is not None and when is None and at is None:
        state = "fired"  # that it started is known; of what came then no more than that it came
    first = next((t for t in (when, at, starts, ends) if t is not None), None)
    if first is None:
        named = " or ".join(repr(headers[ours]) for ours in ("at", "starts_at", "ends_at") if ours in headers)
        message = f"column {named} holds no time; a time is never guessed: export it with its times"
        raise RecordError("no_time", message if named else "no column holds the time; say which with columns=")

    tags = tags_of(cells)
    title = said("alertname") or said("summary") or said("description") or (word if stated is None else None)
    resources = listed(cells, columns, "resources")
    service = said("service") or tags.get("service")
    environment = said("environment") or tags.get("environment") or tags.get("env")
    severity_word = said("severity") or tags.get("severity")
    rule = said("rule_key")
    if rule is None:
        parts = (said("rule_id") or title, service, environment, resources[0] if resources else None)
        rule = "|".join(filter(None, parts)) if parts[0] else None
    native = said("event_id") or said("occurrence_key")
    if rule is None:
        rule = native or next((part for part in (service, *resources, severity_word) if part), None)
    if rule is None:
        raise RecordError("missing_field", "no title and no key; without one the alert has no identity")
    interval = starts is not None
    fact = "|".join((rule, state, str(first))) if native else (canonical(cells) or "")
    event_id = "|".join(filter(None, (native, hashlib.blake2b(fact.encode(), digest_size=8).hexdigest())))
    return {
        "event_id": event_id,
        "native_ids": [native or event_id],
        "occurrence_key": _occurrence(said("occurrence_key"), native if interval else None, rule, starts),
        "rule_key": rule,
        "at": first,
        "kind": state,
        "has_recovery": "ends_at" in headers or "state" in headers,
        "alertname": title or said("rule_id") or rule,
        "starts_at": starts,
        "acked_at": acked if interval or state == "acknowledged" else None,
        "ends_at": ends,
        "severity": severity_of(severity_word),
        "severity_raw": severity_word,
        "summary": said("summary") or title,
        "description": said("description"),
        "url": said("url"),
        "service": service,
        "environment": environment,
        "team": said("team") or tags.get("team"),
        "resources": resources or [tags[key] for key in ("host", "instance") if key in tags],
        "trace_ids": listed(cells, columns, "trace_ids"),
        "origin": (said("origin") or "").lower() or None,
        "labels": canonical(
            {
                key: value
                for key, value in cells.items()
                if columns.get(key, "labels") in ("labels", "origin") and value == value
            }
        ),
    }


def _occurrence(stated: str | None, native: str | None, rule: str, starts: int | None) -> str | None:
    """Return the key of the interval: an incident's id with the rule, or the id and start of a row that is one."""
    if stated is not None:
        return f"{rule}|{stated}"
    return f"{rule}|{native}|{_times.iso_ms(starts)}" if native and starts is not None else None


SHAPES: tuple[Shape, ...] = (
    Shape("table", "row of a table", _is_table, _read_row),
    Shape("table", "row of a table of unknown columns", _is_refused, _refuse_row),
)
PAGES: tuple[str, ...] = ()
