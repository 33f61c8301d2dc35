"""ServiceNow: rows of the tables incident and em_alert, from the Table API or a list exported as CSV.

A field is plain, or {link, value}, or {display_value, value}. A value has its times in UTC; what is shown (and a CSV
or Excel list) has them in the zone of the user, so ``tz=`` is needed. Plain rows do not say which they are: the API
writes states and priorities as numbers, lists show their words.

https://www.servicenow.com/docs/ (Table API, Event Management alerts)
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from functools import lru_cache

from stanza_lab.loaders._keys import fact, rule
from stanza_lab.loaders._origins import origin
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Record,
    Shape,
    canonical,
    ignore,
    instant,
    mapping,
    moment,
    name,
    need,
    text,
)

# Columns of an Excel list have labels for names.
_LABELS = {
    "opened": "opened_at",
    "resolved": "resolved_at",
    "closed": "closed_at",
    "created": "sys_created_on",
    "configuration_item": "cmdb_ci",
    "initial_event_generation_time": "initial_event_time",
    "last_event_generation_time": "last_event_time",
    "initial_remote_time": "initial_event_time",
    "last_remote_time": "last_event_time",
}
_ENDED = ("6", "7", "8", "resolved", "closed", "canceled", "cancelled")
_PRIORITY = {
    **dict.fromkeys(("1", "critical"), "critical"),
    **dict.fromkeys(("2", "high"), "error"),
    **dict.fromkeys(("3", "moderate", "medium"), "warning"),
    **dict.fromkeys(("4", "5", "low", "planning"), "info"),
}
# Severity of an alert; "clear" (0) is a recovery, no severity.
_SEVERITY = {
    **dict.fromkeys(("1", "critical"), "critical"),
    **dict.fromkeys(("2", "major"), "error"),
    **dict.fromkeys(("3", "minor", "4", "warning"), "warning"),
    **dict.fromkeys(("5", "info", "ok"), "info"),
}
_CODES = ("state", "severity", "priority", "impact", "urgency", "incident_state")
_SYS_ID = re.compile(r"[0-9a-f]{32}")
_OTHER_TABLES = re.compile(r"(?:PRB|CHG|PTASK|CTASK|SCTASK|TASK|RITM|REQ|KB|CS)\d{4,}")


class _Row:
    """A row whose fields are read by name, however they are written."""

    def __init__(self, record: Record, envelope: Envelope) -> None:
        self._fields = {_header(key): value for key, value in record.items()}
        codes = (self.word(key) for key in _CODES if not isinstance(self._fields.get(key), dict))
        references = (mapping(value) for value in self._fields.values())
        self._plain_values = any((code or "").isdecimal() for code in codes) or any(
            "value" in reference and "display_value" not in reference for reference in references
        )
        self._envelope = envelope

    def shown(self, key: str) -> str | None:
        """Return a field as people see it; None where only its internal id is known."""
        field = self._fields.get(key)
        if isinstance(field, dict):
            return name(field.get("display_value"))
        value = name(field)
        return None if value is None or _SYS_ID.fullmatch(value) else value

    def word(self, key: str) -> str | None:
        """Return a field's own value, else what is shown."""
        field = self._fields.get(key)
        return name(field.get("value")) or name(field.get("display_value")) if isinstance(field, dict) else name(field)

    def prose(self, key: str) -> str | None:
        """Return a field of text."""
        field = self._fields.get(key)
        return text(field.get("display_value")) or text(field.get("value")) if isinstance(field, dict) else text(field)

    def begin(self, *keys: str) -> int:
        """Return the first time that stands under one of `keys`, or refuse the record."""
        at = self.time(*keys)
        return moment(None, keys[0], self._envelope) if at is None else at

    def time(self, *keys: str) -> int | None:
        """Return the first time that stands under one of `keys`."""
        for key in keys:
            field, utc = self._fields.get(key), self._plain_values
            if isinstance(field, dict):
                utc = bool(field.get("value"))
                field = field.get("value") or field.get("display_value")
            zoned = replace(self._envelope, tz=UTC) if utc else self._envelope
            if (at := instant(field, key, zoned)) is not None:
                return at
        return None


def _read_incident(record: Record, envelope: Envelope) -> Event:
    row = _Row(record, envelope)
    number = need(row.word("number"), "number")
    opened = row.begin("opened_at", "sys_created_on")
    state = row.shown("state") or row.word("state") or row.word("incident_state")
    ended = row.time("resolved_at", "closed_at") if _code(row.word("state") or state) in _ENDED else None
    priority, item = row.word("priority"), row.shown("cmdb_ci")
    service, title = row.shown("business_service") or row.shown("service"), row.prose("short_description")
    return {
        **_stateful(number, row, began=opened, ended=ended),
        "rule_key": rule(service or item or row.word("cmdb_ci"), None, title),
        "alertname": title,
        "severity": _PRIORITY.get(_code(priority)),
        "severity_raw": row.shown("priority") or priority,
        "summary": title,
        "description": row.prose("description"),
        "service": service,
        "environment": row.shown("environment") or row.shown("u_environment"),
        "team": row.shown("assignment_group"),
        "resources": [item] if item else [],
        "labels": canonical(
            {
                **{key: row.shown(key) for key in ("category", "subcategory", "impact", "urgency", "close_code")},
                **{key: row.word(key) for key in ("cmdb_ci", "business_service", "assignment_group")},
                "correlation_id": row.word("correlation_id"),
                "parent": row.word("parent_incident"),
                "state": state,
            }
        ),
    }


def _read_alert(record: Record, envelope: Envelope) -> Event:
    row = _Row(record, envelope)
    number = need(row.word("number"), "number")
    began = row.begin("initial_event_time", "sys_created_on")
    state, grade = row.word("state"), row.word("severity")
    ended = None
    if _code(state) == "closed":
        ended = row.time("closed_at", "last_event_time")
    elif _code(grade) in ("0", "clear"):
        ended = row.time("last_event_time")
    node, item, title = row.shown("node"), row.shown("cmdb_ci"), row.prose("description")
    about = [row.word(key) for key in ("source", "node", "type", "resource", "metric_name")]
    watched = " ".join(filter(None, (row.shown("type"), row.shown("metric_name"))))
    return {
        **_stateful(number, row, began=began, ended=ended),
        "origin": origin(row.shown("source")),
        "rule_key": row.word("message_key") or "|".join(filter(None, about)) or rule(None, None, title),
        "alertname": watched or title,
        "severity": _SEVERITY.get(_code(grade)),
        "severity_raw": row.shown("severity") or grade,
        "summary": title or watched or None,
        "service": row.shown("business_service") or row.shown("service"),
        "environment": row.shown("environment") or row.shown("u_environment"),
        "team": row.shown("assignment_group"),
        "resources": list(dict.fromkeys(found for found in (node, item) if found)),
        "labels": canonical(
            {
                **{key: row.word(key) for key in ("type", "resource", "metric_name", "message_key", "source")},
                **{key: row.word(key) for key in ("cmdb_ci", "assignment_group", "incident", "parent")},
                "acknowledged": row.word("acknowledged"),
                "details": row.prose("additional_info"),
                "state": state,
            }
        ),
    }


def _stateful(number: str, row: _Row, *, began: int, ended: int | None) -> Event:
    """Return the keys and times of a row: it is told by its state."""
    at, change = (began, "open") if ended is None else (ended, "close")
    own_id = row.word("sys_id")
    return {
        "event_id": fact(number, change, at),
        "native_ids": [number, own_id] if own_id else [number],
        "occurrence_key": number,
        "at": at,
        "kind": "fired" if ended is None else "resolved",
        "has_recovery": True,
        "starts_at": began,
        "ends_at": ended,
    }


def _code(word: str | None) -> str:
    """Return a choice as one word: "1 - Critical" is 1."""
    return (word or "").partition(" - ")[0].strip().lower()


def _header(key: str) -> str:
    plain = re.sub(r"[\W_]+", "_", key.strip().lower()).strip("_")
    return _LABELS.get(plain, plain)


@lru_cache(2**10)
def _table(keys: tuple[str, ...]) -> str:
    names = set(map(_header, keys))
    if "number" in names and not names.isdisjoint(("message_key", "initial_event_time", "metric_name")):
        return "em_alert"
    if "number" in names and {"short_description", "opened_at"} & names and {"state", "priority", "sys_id"} & names:
        return "incident"
    if {"message_key", "event_class"} <= names or {"time_of_event", "message_key"} <= names:
        return "em_event"
    return "other" if "sys_id" in names else ""


def _is(table: str, record: Record) -> bool:
    return len(record) < 500 and _table(tuple(record)) == table


def _is_other(record: Record) -> bool:
    if _is("other", record):
        return True
    number = record.get("number")
    number = mapping(number).get("value") if isinstance(number, dict) else number
    return _is("incident", record) and isinstance(number, str) and _OTHER_TABLES.fullmatch(number) is not None


SHAPES = (
    Shape("servicenow", "alert", lambda r: _is("em_alert", r), _read_alert),
    ignore("servicenow", "record of another table", _is_other),
    Shape("servicenow", "incident", lambda r: _is("incident", r), _read_incident),
    ignore("servicenow", "event (its alert is in em_alert)", lambda r: _is("em_event", r)),
)
PAGES = ("result",)
